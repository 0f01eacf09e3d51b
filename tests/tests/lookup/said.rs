//! What was said about alpha, by a maker, an auditor and a stranger.

use crate::person::Person;
use assay_tlog::Hash;
use serde_json::json;

/// The package that all of it is about.
const ALPHA: &str = "pkg:cargo/alpha@1.0.0";

pub const VEX: &str = r#"{"@context":"https://openvex.dev/ns/v0.2.0",
"@id":"https://example.org/vex-1","author":"Alice",
"version":1,"timestamp":"2026-01-01T00:00:00Z","statements":[
{"vulnerability":{"name":"CVE-2026-0001"},"products":[{"@id":"pkg:cargo/alpha@1.0.0"}],
"status":"not_affected","justification":"vulnerable_code_not_present"},
{"vulnerability":{"name":"CVE-2026-0002"},"products":[{"@id":"pkg:cargo/alpha@1.0.0"}],
"status":"affected","action_statement":"Update."}]}"#;

const LIFECYCLE: &str = r#"{
"$schema":"https://docs.oasis-open.org/openeox/eox-core/v1.0/schema/core.json",
"general_availability":"2020-01-01T00:00:00Z","end_of_security_support":"2021-06-30T00:00:00Z",
"end_of_life":"tba","last_updated":"2026-01-01T00:00:00Z"}"#;

/// The ids of what was said that tests ask for.
pub struct Said {
    pub auditor: String,
    pub disputed: String,
    pub kept: String,
    pub withdrawn: String,
    pub artifact: Hash,
}

/// Registers the three issuers and publishes all that they say.
pub fn speak(person: &Person) -> anyhow::Result<Said> {
    person.register("maker")?;
    let auditor = person.register("auditor")?;
    person.register("stranger")?;
    publish_documents(person)?;
    let artifact = publish_test_result(person)?;
    let disputed = publish_disputed_review(person)?;
    let kept = publish_kept_review(person)?;
    let withdrawn = publish_withdrawn_review(person)?;
    endorse_auditor(person, &auditor)?;
    Ok(Said {
        auditor,
        disputed,
        kept,
        withdrawn,
        artifact,
    })
}

fn publish_documents(person: &Person) -> anyhow::Result<()> {
    person.write("lifecycle.json", LIFECYCLE)?;
    person.get(&[
        "publish",
        "lifecycle",
        "lifecycle.json",
        "--subject",
        ALPHA,
        "--key",
        "maker.pem",
    ])?;
    person.write("vex.json", VEX)?;
    person.get(&["publish", "vex", "vex.json", "--key", "maker.pem"])?;
    Ok(())
}

/// Writes `alpha.tar` and publishes that it passed its tests. Returns the file's hash.
fn publish_test_result(person: &Person) -> anyhow::Result<Hash> {
    person.write("alpha.tar", "an archive")?;
    let artifact = Hash::of(b"an archive");
    person.say(
        "maker",
        json!({"name": "alpha.tar", "digest": {"sha256": artifact.to_hex()}}),
        "https://in-toto.io/attestation/test-result/v0.1",
        json!({"result": "PASSED", "configuration": []}),
    )?;
    Ok(artifact)
}

fn publish_disputed_review(person: &Person) -> anyhow::Result<String> {
    let disputed = person.audit("auditor", ALPHA, "safe-to-deploy")?;
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
    Ok(disputed)
}

/// A review that only a stranger withdraws.
fn publish_kept_review(person: &Person) -> anyhow::Result<String> {
    let kept = person.audit("auditor", ALPHA, "safe-to-run")?;
    // The program refuses this; a log takes it, and it counts for nothing.
    let predicate = json!({"target": kept, "reason": "I do not like it."});
    let subject = json!({"name": "claim", "digest": {"sha256": kept}});
    person.say("stranger", subject, "urn:assay:withdrawal:v1", predicate)?;
    Ok(kept)
}

fn publish_withdrawn_review(person: &Person) -> anyhow::Result<String> {
    let withdrawn = person.audit("auditor", ALPHA, "no-crypto")?;
    person.get(&[
        "withdraw",
        &withdrawn,
        "--reason",
        "The wrong version.",
        "--key",
        "auditor.pem",
    ])?;
    Ok(withdrawn)
}

fn endorse_auditor(person: &Person, auditor: &str) -> anyhow::Result<()> {
    person.get(&[
        "endorse",
        auditor,
        "--role",
        "auditor",
        "--scope",
        "pkg:cargo/*",
        "--until",
        "2099-01-01",
        "--key",
        "maker.pem",
    ])?;
    Ok(())
}
