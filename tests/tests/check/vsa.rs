//! `assay export vsa`: what it calls passed meets the policy for certain, and is signed if that was
//! asked.

use super::world::{Checked, World, cargo_lock, ignoring_until};
use assay_claims::claim::PAYLOAD_TYPE;
use assay_claims::dsse::{Envelope, pae};
use assay_tlog::Hash;
use ed25519_dalek::VerifyingKey;
use serde_json::{Value, json};
use std::fs;

const VERIFIER: &str = "https://verify.example/us";

/// A log that speaks of some crates, and an SBOM that has the digests of most.
fn world() -> anyhow::Result<World> {
    let mut world = World::new()?;
    world.built("makers", "pkg:cargo/good@1.0.0")?;
    world.affected("makers", "pkg:cargo/bad@1.0.0")?;
    world.built("makers", "pkg:cargo/plain@1.0.0")?;
    // A stranger's word is none.
    world.built("stranger", "pkg:cargo/nobody@1.0.0")?;
    let component = |name: &str, hashes: Value| {
        json!({"type": "library", "name": name, "version": "1.0.0",
            "purl": format!("pkg:cargo/{name}@1.0.0"), "hashes": hashes})
    };
    let sha256 = |digit: &str| json!([{"alg": "SHA-256", "content": digit.repeat(64)}]);
    let sbom = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "components": [
            component("bad", sha256("b")),
            component("good", sha256("a")),
            component("nobody", sha256("c")),
            component("plain", json!([{"alg": "SHA-1", "content": "d".repeat(40)}])),
        ],
    });
    world.write("app.cdx.json", &sbom.to_string())?;
    Ok(world)
}

fn export(world: &World, more: &[&str]) -> anyhow::Result<Checked> {
    let words = ["export", "vsa", "app.cdx.json", "--verifier", VERIFIER];
    world.ask_at(&world.node.ready().url, &[&words, more].concat())
}

fn lines(written: &Checked) -> Vec<Value> {
    let lines = written.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Resource, digest and result of each summary.
fn told(statements: &[Value]) -> Vec<[String; 3]> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let told = statements.iter().map(|one| {
        let predicate = &one["predicate"];
        [
            text(&predicate["resourceUri"]),
            text(&one["subject"][0]["digest"]["sha256"]),
            text(&predicate["verificationResult"]),
        ]
    });
    told.collect()
}

fn row(name: &str, digit: &str, result: &str) -> [String; 3] {
    let purl = format!("pkg:cargo/{name}@1.0.0");
    [purl, digit.repeat(64), result.to_owned()]
}

/// The digest of an input is that of the statement in the receipt of the claim.
fn inputs_are_statements_of_claims(world: &World, predicate: &Value) -> anyhow::Result<()> {
    let inputs = predicate["inputAttestations"].as_array().unwrap();
    assert!(!inputs.is_empty());
    for input in inputs {
        let uri = input["uri"].as_str().unwrap();
        let claim = uri.strip_prefix("urn:assay:claim:").unwrap();
        world.online(&["receipt", claim, "--out", "receipts"])?;
        let receipt = fs::read(world.path(&format!("receipts/{claim}.intoto.jsonl")))?;
        let payload = Envelope::parse(&receipt)?.payload;
        let digest = Hash::of(&payload).to_hex();
        assert_eq!(input["digest"]["sha256"], digest.as_str());
    }
    Ok(())
}

#[test]
fn a_verdict_is_handed_on_if_it_is_certain() -> anyhow::Result<()> {
    let world = world()?;
    let written = export(&world, &[])?;
    assert_eq!(written.code, Some(0), "{}", written.stderr);
    let statements = lines(&written);
    let expected = [row("bad", "b", "FAILED"), row("good", "a", "PASSED")];
    assert_eq!(told(&statements), expected, "{}", written.stdout);
    for words in [
        "of which 1 passed and 1 failed",
        "no digest that tells which artifact it is, so left out: pkg:cargo/plain@1.0.0",
        "nobody whom you trust speaks of it",
        "left out: pkg:cargo/nobody@1.0.0",
    ] {
        assert!(
            written.stderr.contains(words),
            "{words}: {}",
            written.stderr
        );
    }
    let good = &statements[1];
    assert_eq!(good["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(
        good["predicateType"],
        "https://slsa.dev/verification_summary/v1"
    );
    let predicate = &good["predicate"];
    assert_eq!(predicate["verifier"]["id"], VERIFIER);
    assert_eq!(
        predicate["verifiedLevels"],
        json!(["SLSA_BUILD_LEVEL_UNEVALUATED"])
    );
    let policy = Hash::of(&fs::read(world.path("policy.toml"))?).to_hex();
    assert_eq!(
        predicate["policy"],
        json!({"uri": format!("urn:sha256:{policy}"), "digest": {"sha256": policy}})
    );
    inputs_are_statements_of_claims(&world, predicate)?;
    // Who demands that somebody speaks, is told that nobody does.
    world.policy("strict.toml", "deny", "")?;
    let strict = export(&world, &["--policy", "strict.toml"])?;
    let expected = [
        row("bad", "b", "FAILED"),
        row("good", "a", "PASSED"),
        row("nobody", "c", "FAILED"),
    ];
    assert_eq!(told(&lines(&strict)), expected, "{}", strict.stderr);
    let allowed = {
        world.policy("lax.toml", "allow", "")?;
        export(&world, &["--policy", "lax.toml"])?
    };
    assert_eq!(told(&lines(&allowed)), expected[..2], "{}", allowed.stderr);
    // A lock file without digests gives no summary.
    world.write("Cargo.lock", &cargo_lock(&["good"]))?;
    let words = ["export", "vsa", "Cargo.lock", "--verifier", VERIFIER];
    let nothing = world.ask_at(&world.node.ready().url, &words)?;
    assert_eq!((nothing.code, nothing.stdout.as_str()), (Some(0), ""));
    assert!(nothing.stderr.contains("left out: pkg:cargo/good@1.0.0"));
    Ok(())
}

/// Whoever reads it later has to know when it holds no more.
#[test]
fn what_passes_because_it_is_ignored_says_until_when() -> anyhow::Result<()> {
    let world = world()?;
    world.policy("ignoring.toml", "warn", &ignoring_until("2099-12-31"))?;
    let written = export(&world, &["--policy", "ignoring.toml"])?;
    let statements = lines(&written);
    let expected = [row("bad", "b", "PASSED"), row("good", "a", "PASSED")];
    assert_eq!(told(&statements), expected, "{}", written.stderr);
    let ignored = &statements[0]["predicate"]["assay_ignored"];
    assert_eq!(
        *ignored,
        json!([{"what": "CVE-2026-0001 in pkg:cargo/bad", "reason": "We do not call it.",
            "until": "2099-12-31"}])
    );
    assert!(statements[1]["predicate"].get("assay_ignored").is_none());
    let said = "ignores something: pkg:cargo/bad@1.0.0 until 2099-12-31";
    assert!(written.stderr.contains(said), "{}", written.stderr);
    world.policy("ended.toml", "warn", &ignoring_until("2020-12-31"))?;
    let ended = export(&world, &["--policy", "ended.toml"])?;
    assert_eq!(told(&lines(&ended))[0], row("bad", "b", "FAILED"));
    assert!(!ended.stdout.contains("assay_ignored"), "{}", ended.stdout);
    Ok(())
}

#[test]
fn a_summary_is_signed_and_others_read_it() -> anyhow::Result<()> {
    let world = world()?;
    let plain = lines(&export(&world, &[])?);
    let signed = export(&world, &["--key", "makers.pem,auditors.pem"])?;
    assert_eq!(signed.code, Some(0), "{}", signed.stderr);
    assert_eq!(signed.stdout.lines().count(), plain.len());
    let mut keys: Vec<VerifyingKey> = Vec::new();
    for who in ["makers", "auditors"] {
        let shown = world.online(&["issuer", "show", world.issuer(who)])?;
        keys.push(key_of(&shown)?);
    }
    for (line, statement) in signed.stdout.lines().zip(&plain) {
        let envelope = Envelope::parse(line.as_bytes())?;
        assert_eq!(envelope.payload_type, PAYLOAD_TYPE);
        let bytes = pae(PAYLOAD_TYPE, &envelope.payload);
        assert_eq!(envelope.signatures.len(), keys.len());
        for (signature, key) in envelope.signatures.iter().zip(&keys) {
            key.verify_strict(&bytes, &signature.sig.as_slice().try_into()?)?;
        }
        // The same but for the time.
        let mut signed: Value = serde_json::from_slice(&envelope.payload)?;
        signed["predicate"]["timeVerified"] = statement["predicate"]["timeVerified"].clone();
        assert_eq!(signed, *statement);
    }
    // Ours reads it as a statement that can be logged.
    world.write("summary.json", &plain[0].to_string())?;
    let publish = [
        "publish",
        "statement",
        "summary.json",
        "--key",
        "auditors.pem",
    ];
    assert!(world.online(&publish)?[0]["claim_id"].is_string());
    Ok(())
}

/// The only key in what is shown of an issuer.
fn key_of(shown: &Value) -> anyhow::Result<VerifyingKey> {
    let keys = shown[0]["keys"].as_array().cloned().unwrap_or_default();
    let hex = keys.first().and_then(Value::as_str).unwrap_or_default();
    let bytes: [u8; 32] = hex::decode(hex)?.as_slice().try_into()?;
    Ok(VerifyingKey::from_bytes(&bytes)?)
}

#[test]
fn what_no_summary_can_be_made_with_is_refused() -> anyhow::Result<()> {
    let world = world()?;
    let file = "app.cdx.json";
    for (arguments, why) in [
        (&[file][..], "--verifier"),
        (&[file, "--verifier", "us"], "no URI"),
        (&[file, "--verifier", "https://a b"], "no URI"),
        (&[file, "--verifier", "a:b", "--policy-uri", ":x"], "no URI"),
        (&[file, "--verifier", "a:b", "--key", "no.pem"], "key new"),
        (&[file, "--verifier", "a:b", "--output", "openvex"], "vex"),
        (&["missing.json", "--verifier", "a:b"], "no such file"),
    ] {
        let words = [&["export", "vsa"], arguments].concat();
        let refused = world.ask_at(&world.node.ready().url, &words)?;
        let said = refused.stderr;
        assert_eq!(refused.code, Some(2), "{arguments:?}: {said}");
        assert!(said.contains(why), "{arguments:?}: {said}");
        assert_eq!(refused.stdout, "", "{arguments:?}");
    }
    // A log that does not answer could say something else.
    let words = ["export", "vsa", file, "--verifier", VERIFIER];
    let away = world.ask_at("http://127.0.0.1:1", &words)?;
    assert_eq!((away.code, away.stdout.as_str()), (Some(3), ""));
    Ok(())
}
