//! `assay lookup` and `assay watch`, whole: the program against a node that runs.

mod claims;
mod issuers;
mod person;
mod watch;

use anyhow::{Context, ensure};
use assay_proto::v1::Wait;
use assay_tests::{issuer::Actor, log::Log, process::Node};
use assay_tlog::Hash;
use person::{Person, lines, package};
use serde_json::{Value, json};

/// Checkpoints as soon as there is something to publish.
const AT_ONCE: &str = "log.publish_interval_ms = 1";

const VEX: &str = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://example.org/vex-1","author":"Alice",
"version":1,"timestamp":"2026-01-01T00:00:00Z","statements":[
{"vulnerability":{"name":"CVE-2026-0001"},"products":[{"@id":"pkg:cargo/alpha@1.0.0"}],"status":"not_affected","justification":"vulnerable_code_not_present"},
{"vulnerability":{"name":"CVE-2026-0002"},"products":[{"@id":"pkg:cargo/alpha@1.0.0"}],"status":"affected","action_statement":"Update."}]}"#;

const LIFECYCLE: &str = r#"{"$schema":"https://docs.oasis-open.org/openeox/eox-core/v1.0/schema/core.json",
"general_availability":"2020-01-01T00:00:00Z","end_of_security_support":"2021-06-30T00:00:00Z","end_of_life":"tba",
"last_updated":"2026-01-01T00:00:00Z"}"#;

/// What was said about alpha, by a maker, an auditor and a stranger.
struct Said {
    auditor: String,
    disputed: String,
    kept: String,
    withdrawn: String,
    artifact: Hash,
}

fn speak(person: &Person) -> anyhow::Result<Said> {
    let alpha = "pkg:cargo/alpha@1.0.0";
    person.register("maker")?;
    let auditor = person.register("auditor")?;
    person.register("stranger")?;
    person.write("lifecycle.json", LIFECYCLE)?;
    person.get(&[
        "publish",
        "lifecycle",
        "lifecycle.json",
        "--subject",
        alpha,
        "--key",
        "maker.pem",
    ])?;
    person.write("vex.json", VEX)?;
    person.get(&["publish", "vex", "vex.json", "--key", "maker.pem"])?;
    person.write("alpha.tar", "an archive")?;
    let artifact = Hash::of(b"an archive");
    person.say(
        "maker",
        json!({"name": "alpha.tar", "digest": {"sha256": artifact.to_hex()}}),
        "https://in-toto.io/attestation/test-result/v0.1",
        json!({"result": "PASSED", "configuration": []}),
    )?;

    let disputed = person.audit("auditor", alpha, "safe-to-deploy")?;
    person.get(&[
        "respond",
        &disputed,
        "--stance",
        "dispute",
        "--text",
        "Not the build script.",
        "--key",
        "maker.pem",
    ])?;
    let kept = person.audit("auditor", alpha, "safe-to-run")?;
    // The program refuses this; a log takes it, and it counts for nothing.
    let predicate = json!({"target": kept, "reason": "I do not like it."});
    let subject = json!({"name": "claim", "digest": {"sha256": kept}});
    person.say("stranger", subject, "urn:assay:withdrawal:v1", predicate)?;
    let withdrawn = person.audit("auditor", alpha, "no-crypto")?;
    person.get(&[
        "withdraw",
        &withdrawn,
        "--reason",
        "The wrong version.",
        "--key",
        "auditor.pem",
    ])?;
    person.get(&[
        "endorse",
        &auditor,
        "--role",
        "auditor",
        "--scope",
        "pkg:cargo/*",
        "--until",
        "2099-01-01",
        "--key",
        "maker.pem",
    ])?;
    Ok(Said {
        auditor,
        disputed,
        kept,
        withdrawn,
        artifact,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_a_package_is_shown_with_what_it_is_worth() -> anyhow::Result<()> {
    let mut node = Node::start_with(AT_ONCE)?;
    let person = Person::at(node.ready())?;
    let said = speak(&person)?;

    let (code, answer) = person.ask(&["lookup", "PKG:Cargo/alpha@1.0.0"])?;
    assert_eq!(code, Some(0));
    assert_eq!(
        (&answer["about"]["kind"], &answer["about"]["spelled"]),
        (&json!("package"), &json!("pkg:cargo/alpha@1.0.0"))
    );
    assert_eq!(
        lines(&answer, "supported")?[0]["says"],
        "security support until 2021-06-30; end of life: a date to be announced"
    );
    assert_eq!(lines(&answer, "vulnerable")?.len(), 2);
    assert!(lines(&answer, "authentic")?.is_empty());

    let reviews = lines(&answer, "reviewed")?;
    let review = |id: &str| {
        reviews
            .iter()
            .find(|line| line["claim_id"] == id)
            .context("a review is missing")
    };
    assert_eq!(
        (
            &review(&said.disputed)?["effect"],
            &review(&said.disputed)?["disputes"]
        ),
        (&json!(true), &json!(1))
    );
    assert_eq!(
        (
            &review(&said.kept)?["effect"],
            &review(&said.kept)?["why_not"]
        ),
        (&json!(true), &Value::Null)
    );
    let withdrawn = review(&said.withdrawn)?;
    assert_eq!(withdrawn["effect"], false);
    assert!(
        withdrawn["why_not"]
            .as_str()
            .is_some_and(|why| why.contains("withdrew it")),
        "{withdrawn}"
    );
    assert_eq!(withdrawn["issuers"][0]["name"], "auditor");

    let replies = lines(&answer, "disagreement")?;
    let reply = |target: &str| {
        replies
            .iter()
            .find(|line| line["target"] == target)
            .context("a reply is missing")
    };
    assert!(
        reply(&said.disputed)?["says"]
            .as_str()
            .is_some_and(|says| says.contains("Not the build script."))
    );
    let other = reply(&said.kept)?;
    assert_eq!(
        other["effect"], false,
        "another issuer's withdrawal counts for nothing"
    );
    assert!(
        other["why_not"]
            .as_str()
            .is_some_and(|why| why.contains("only the issuer itself")),
        "{other}"
    );
    assert_eq!(lines(&answer, "vouched")?.len(), 1);
    assert_eq!(
        (&answer["logs"][0]["complete"], &answer["logs"][0]["kept"]),
        (&json!(true), &json!(false))
    );
    // Every claim of a line is there, as it was signed.
    let claims = answer["claims"].as_array().context("no claims")?;
    assert!(
        claims
            .iter()
            .all(|claim| claim["statement"]["predicateType"].is_string())
            && claims.len() == 9,
        "{claims:#?}"
    );

    // For people the same: a paragraph first, then the groups, then whether it is all.
    let output = person.run(&["lookup", "pkg:cargo/alpha@1.0.0"])?;
    let text = String::from_utf8(output.stdout)?;
    for words in [
        "5 claims about alpha 1.0.0 (cargo) are known, signed by 2 issuers, none of whom you \
         trust.",
        "One of them has no effect",
        "One of them is disputed.",
        "Is it authentic? nothing is known",
        "its issuer withdrew it with claim",
        "only the issuer itself can say this",
        "complete: nothing under these labels was left out, as of",
    ] {
        let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(joined.contains(words), "{words}: {text}");
    }

    // Asked again without a node: the same answer, and that it was kept. What was never asked is
    // not there.
    node.stop()?;
    let (code, kept) = person.ask(&["lookup", "pkg:cargo/alpha@1.0.0", "--offline"])?;
    assert_eq!(
        (code, &kept["questions"], &kept["logs"][0]["kept"]),
        (Some(0), &answer["questions"], &json!(true))
    );
    assert!(kept["logs"][0]["age_ms"].is_u64());
    for arguments in [
        &["lookup", "pkg:cargo/beta@1", "--offline"][..],
        &["lookup", "pkg:cargo/alpha@1.0.0"],
    ] {
        assert_eq!(
            person.run(arguments)?.status.code(),
            Some(3),
            "{arguments:?}"
        );
    }
    let output = person.run(&["lookup", "pkg:cargo/beta@1", "--offline"])?;
    let said = String::from_utf8(output.stderr)?;
    assert!(
        said.contains("ask only for what was asked before (the same thing, or the same files)"),
        "{said}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_thing_is_looked_up() -> anyhow::Result<()> {
    let node = Node::start_with(AT_ONCE)?;
    let person = Person::at(node.ready())?;
    let said = speak(&person)?;
    let kind = |x: &str| -> anyhow::Result<(Option<i32>, Value)> { person.ask(&["lookup", x]) };

    let hex = said.artifact.to_hex();
    for x in [&format!("sha256:{hex}"), "alpha.tar", &hex] {
        let (code, answer) = kind(x)?;
        assert_eq!(
            (code, &answer["about"]["kind"]),
            (Some(0), &json!("artifact")),
            "{x}"
        );
        assert_eq!(lines(&answer, "other")?.len(), 1, "{x}");
    }
    for x in [&format!("issuer:{}", said.auditor), &said.auditor] {
        let (code, answer) = kind(x)?;
        assert_eq!(
            (code, &answer["about"]["kind"]),
            (Some(0), &json!("issuer")),
            "{x}"
        );
        // The record, three reviews, a withdrawal; the maker vouches.
        assert_eq!(answer["signed"]["count"], 5);
        assert_eq!(
            (
                lines(&answer, "other")?.len(),
                lines(&answer, "vouched")?.len()
            ),
            (1, 1)
        );
        let newest = answer["signed"]["newest"]
            .as_array()
            .context("nothing signed")?;
        let withdrawn = newest
            .iter()
            .find(|line| line["claim_id"] == said.withdrawn.as_str());
        assert_eq!(withdrawn.map(|line| &line["effect"]), Some(&json!(false)));
    }
    for x in [&format!("claim:{}", said.disputed), &said.disputed] {
        let (code, answer) = kind(x)?;
        assert_eq!(
            (code, &answer["about"]["kind"]),
            (Some(0), &json!("claim")),
            "{x}"
        );
        assert_eq!(
            (
                lines(&answer, "reviewed")?.len(),
                lines(&answer, "disagreement")?.len()
            ),
            (1, 1),
            "{x}"
        );
    }
    let (code, answer) = kind("cve-2026-0002")?;
    assert_eq!(
        (code, &answer["about"]["spelled"]),
        (Some(0), &json!("CVE-2026-0002"))
    );
    let vulnerable = lines(&answer, "vulnerable")?;
    assert_eq!(
        (vulnerable.len(), &vulnerable[0]["says"]),
        (
            1,
            &json!("CVE-2026-0002 in pkg:cargo/alpha@1.0.0: affected")
        )
    );
    // A name that begins alike is another one; another name of the same is not.
    let alike = VEX
        .replace("CVE-2026-0002", "CVE-2026-00021")
        .replace(
            r#""CVE-2026-0001""#,
            r#""GHSA-aaaa","aliases":["CVE-2026-0002"]"#,
        )
        .replace("vex-1", "vex-2");
    person.write("vex.json", &alike)?;
    person.get(&["publish", "vex", "vex.json", "--key", "maker.pem"])?;
    let (_, answer) = kind("CVE-2026-0002")?;
    let says: Vec<_> = lines(&answer, "vulnerable")?
        .iter()
        .filter_map(|line| line["says"].as_str())
        .collect();
    assert_eq!(
        says,
        [
            "GHSA-aaaa in pkg:cargo/alpha@1.0.0: not affected (vulnerable code not present)",
            "CVE-2026-0002 in pkg:cargo/alpha@1.0.0: affected"
        ]
    );
    assert!(
        vulnerable[0]["about"]
            .as_str()
            .is_some_and(|about| about.contains("pkg:cargo/alpha@1.0.0"))
    );

    // Of a package, how much is said of its versions; of a list of software, how to ask about what
    // is in it.
    let (_, answer) = kind("pkg:cargo/alpha")?;
    let version = json!({"version": "1.0.0", "purl": "pkg:cargo/alpha@1.0.0", "claims": 6});
    assert_eq!(answer["versions"], json!({"claims": 6, "of": [version]}));
    let words = "Nothing is said of alpha (cargo) as a whole; 6 claims are about 1 of its \
        versions, and not shown here: 1.0.0. `assay lookup pkg:cargo/alpha@1.0.0` shows them.";
    assert!(
        answer["answer"]
            .as_str()
            .is_some_and(|said| said.starts_with(words)),
        "{}",
        answer["answer"]
    );
    person.audit("auditor", "pkg:cargo/alpha", "safe-to-run")?;
    let (_, answer) = kind("pkg:cargo/alpha")?;
    let words = "1 claim about alpha (cargo) is known, signed by 1 issuer, whom you do not trust \
        for anything here. 6 claims are about 1 of its versions";
    assert!(
        answer["answer"]
            .as_str()
            .is_some_and(|said| said.starts_with(words)),
        "{}",
        answer["answer"]
    );
    person.write(
        "Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n",
    )?;
    let (_, answer) = kind("Cargo.lock")?;
    assert!(
        answer["hints"][0]
            .as_str()
            .is_some_and(|hint| hint.contains("assay check Cargo.lock")),
        "{}",
        answer["hints"]
    );

    // Privately, the answer is the same, and what was given away is said.
    let (_, private) = person.ask(&["lookup", "pkg:cargo/alpha@1.0.0", "--private"])?;
    let (_, answer) = kind("pkg:cargo/alpha@1.0.0")?;
    assert_eq!(private["questions"], answer["questions"]);
    assert!(
        private["privacy"]["prefixes"]
            .as_u64()
            .is_some_and(|n| n > 0),
        "{}",
        private["privacy"]
    );

    // One prefix of a small log stands for everything in it.
    let output = person.run(&["lookup", "CVE-2026-0002", "--private"])?;
    let said = String::from_utf8(output.stdout)?
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(
        !said.contains(" 1 labels") && said.contains("the first bits of "),
        "{said}"
    );

    // Unknown is not trusted, whatever it is; a policy may go on all the same.
    for (x, expected) in [
        ("CVE-1999-0001", Some(1)),
        ("pkg:cargo/nobody@1", Some(0)),
        (&"ab".repeat(32), Some(0)),
    ] {
        assert_eq!(kind(x)?.0, expected, "{x}");
    }
    person.write(
        "strict.toml",
        "version = 1\nunknown = \"deny\"\nmax_head_age = \"1d\"\n",
    )?;
    let (code, answer) =
        person.ask(&["lookup", "pkg:cargo/nobody@1", "--policy", "strict.toml"])?;
    assert_eq!(
        (code, &answer["policy"]["outcome"]),
        (Some(1), &json!("unknown"))
    );
    for usage in [
        &["lookup", "no/such/file"][..],
        &["lookup", "sha256:abc"],
        &["lookup", "pkg:cargo/a", "--policy", "none"],
    ] {
        assert_eq!(person.run(usage)?.status.code(), Some(2), "{usage:?}");
    }
    let _ = package("pkg:cargo/alpha");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_long_list_the_newest_are_shown_and_all_are_counted() -> anyhow::Result<()> {
    let node = Node::start_with(AT_ONCE)?;
    let person = Person::at(node.ready())?;
    let (log, issuer) = (Log::connect(node.ready()).await?, Actor::new(&[7], 1));
    log.publish(issuer.registration()?, Wait::Integrated)
        .await?;
    log.publish_many(&issuer, 0..1100).await?;
    let last = log.publish(issuer.claim(1100), Wait::Integrated).await?;

    let answer = person.get(&["lookup", &issuer.id.to_hex()])?;
    assert_eq!(answer["signed"]["count"], 1102);
    let newest = answer["signed"]["newest"].as_array().context("no list")?;
    let leaves: Vec<u64> = newest
        .iter()
        .filter_map(|line| line["leaf_index"].as_u64())
        .collect();
    ensure!(
        leaves.len() == 20 && leaves.is_sorted_by(|a, b| a > b),
        "{leaves:?}"
    );
    assert_eq!(leaves[0], last.leaf_index);
    Ok(())
}
