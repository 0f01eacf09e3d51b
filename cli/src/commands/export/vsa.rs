//! `assay export vsa`: whether each component meets a policy, for whoever trusts who says so.

use super::left_out;
use crate::{
    asking::How, check::question::Named, config::Settings, exit::Failure, keys::Key, output,
    policy_file,
};
use assay_claims::{claim, receipt};
use assay_client::plain_json;
use assay_client::report::export::vsa::{Summaries, Verifier};
use assay_tlog::Hash;
use clap::Args;
use std::io;
use std::path::PathBuf;

/// Write your verdicts as SLSA verification summaries (VSA).
///
/// For each component there is an in-toto statement on a line of its own: PASSED if your policy is
/// met, with warnings or without, and FAILED if it is not. It names the artifact by its digest, the
/// policy, and the claims about the component that the verdict rests on. Where it passes only
/// because your policy ignores something, `assay_ignored` says what, and until when. No level of
/// SLSA is looked at, so the level is SLSA_BUILD_LEVEL_UNEVALUATED. With --key each statement is
/// signed, in a DSSE envelope; without, whoever hands it on signs it.
///
/// Nothing is written, and that is said on stderr, of a component without a purl or without a
/// digest (SHA-2 or SHA-3), for a lock file without digests does not say which artifact is meant;
/// of one of which a log did not answer in full; and of one that your policy lets pass though
/// nobody whom you trust speaks of it, or though a rule could not be decided: that is not passed.
///
/// Exit code 0: it was written, whatever the verdicts are. 1: not for every component, because a
/// log did not answer in full. 2: a file, a key, the policy or an argument cannot be used. 3: a log
/// that must answer cannot be reached. 4: an answer does not verify, or a log was found to
/// misbehave.
#[derive(Debug, Args)]
pub struct Command {
    #[command(flatten)]
    named: Named,
    /// Who verifies: a URI of yours, by which readers know whose signature to ask for
    #[arg(long, env = "ASSAY_VERIFIER", value_name = "URI", value_parser = uri)]
    verifier: String,
    /// What names your policy [default: urn:sha256: and the digest of its file]
    #[arg(long, env = "ASSAY_POLICY_URI", value_name = "URI", value_parser = uri)]
    policy_uri: Option<String>,
    /// Sign with this key; several for several signatures
    #[arg(
        long,
        short,
        env = "ASSAY_KEY",
        value_delimiter = ',',
        value_name = "FILE"
    )]
    key: Vec<PathBuf>,
    #[command(flatten)]
    how: How,
}

/// Takes what begins like a URI (RFC 3986, section 3) and has no character that no URI has.
fn uri(text: &str) -> Result<String, String> {
    let named = text.split_once(':').filter(|(scheme, rest)| {
        let mut letters = scheme.chars();
        letters
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic())
            && letters.all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
            && !rest.is_empty()
    });
    let is_uri = text
        .chars()
        .all(|c| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c));
    if named.is_some() && is_uri {
        Ok(text.to_owned())
    } else {
        Err("it is no URI, such as https://example.org/verifier".to_owned())
    }
}

/// Runs the command.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    // Before anybody is asked: a key that cannot be read is no reason to ask.
    let keys = Key::read_all(&command.key, &settings.unlock)?;
    let path = settings.policy(None);
    let text = policy_file::read(&path)?;
    let policy = policy_file::parse(&path, &text)?;
    let policy_digest = Hash::of(text.as_bytes());
    let policy_uri = command.policy_uri;
    let verifier = Verifier {
        id: command.verifier,
        policy: policy_uri.unwrap_or_else(|| format!("urn:sha256:{}", policy_digest.to_hex())),
        policy_digest,
    };
    let policy = (policy, path.display().to_string());
    let (inventory, question) = command.named.ask(policy, command.how, settings).await?;
    let scales = question.scales();
    let summaries = scales.summaries(inventory, &question.asked, &verifier);
    question
        .hand_on(summaries.incomplete.len(), settings, || {
            say(&summaries, settings);
            write(&summaries, &keys)
        })
        .await
}

fn write(summaries: &Summaries, keys: &[Key]) -> Result<(), Failure> {
    let signers: Vec<_> = keys
        .iter()
        .map(|key| (key.issuer(), &key.signing))
        .collect();
    let mut lines = String::new();
    for statement in &summaries.statements {
        let json = serde_json::to_string(statement)
            .map_err(|e| Failure::io("cannot write JSON", io::Error::other(e)))?;
        let payload = plain_json(&json);
        if signers.is_empty() {
            lines.push_str(&payload);
            lines.push('\n');
        } else {
            let signed = claim::sign(payload.as_bytes(), &signers);
            lines.push_str(&receipt::envelope_line(&signed));
        }
    }
    output::bytes(lines.as_bytes())
}

/// What is written, and what is not.
fn say(summaries: &Summaries, settings: &Settings) {
    let (all, passed) = (summaries.statements.len(), summaries.passed);
    let failed = all - passed;
    let total = format!("summaries: {all}, of which {passed} passed and {failed} failed");
    output::say(settings, &total);
    for (what, list) in [
        (
            "no purl, or no digest that tells which artifact it is, so left out",
            &summaries.unnamed,
        ),
        ("cannot be identified, so left out", &summaries.unidentified),
        (
            "nobody whom you trust speaks of it, or a rule could not be decided, so left out",
            &summaries.unsure,
        ),
        ("not answered in full, so left out", &summaries.incomplete),
        (
            "passed only because your policy ignores something",
            &summaries.ignoring,
        ),
    ] {
        left_out(what, list, settings);
    }
}
