//! `assay verify`: receipts, checked offline, and what they prove in plain words.

use crate::{
    config::{self, Settings},
    exit::Failure,
    input,
    output::{self, Color},
    subject, time,
};
use assay_claims::issuer::IssuerId;
use assay_claims::receipt::{ProvenIssuer, ReceiptError, VerifiedReceipt};
use assay_client::receipt::{self, Check, CheckedReceipt, Demands, ReceiptPair, Verdict};
use assay_client::report::{claim, words};
use assay_client::{one_line, plain};
use assay_tlog::limits::RECEIPT_BYTES;
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Verify receipts offline, with the log's key and nothing else.
///
/// The signatures of every receipt are checked, and its place in the log. The receipts of issuers
/// among the files show whether each issuer really signed. Exit code 0: all of it holds. 1: the
/// receipts are genuine, but the receipts of an issuer are missing, or what --issuer or --subject
/// demands does not hold. 4: a check failed.
#[derive(Debug, Args)]
pub struct Command {
    /// Receipts: X.intoto.jsonl or X.tlog-proof (the other is found beside it), folders of them, or
    /// - for both parts on stdin, one after the other
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Demand that this issuer signed every claim, in hex
    #[arg(long, env = "ASSAY_ISSUER", value_name = "ID", value_parser = config::parse_issuer)]
    issuer: Option<IssuerId>,
    /// Demand that every claim is about this: a package URL, a digest (sha256:HEX), or a file,
    /// whose SHA-256 is taken
    #[arg(long, short, env = "ASSAY_SUBJECT", value_name = "SUBJECT")]
    subject: Option<String>,
}

#[derive(Debug, Serialize)]
struct VerifyView {
    /// `proven`, `unproven` or `failed`.
    verdict: &'static str,
    receipts: Vec<ReceiptView>,
    not_proven: &'static [&'static str],
}

#[derive(Debug, Serialize)]
struct ReceiptView {
    /// The files' name without endings.
    file: String,
    verdict: &'static str,
    checks: Vec<CheckView>,
    #[serde(flatten)]
    claim: Option<claim::Claim>,
    origin: Option<String>,
    tree_size: Option<u64>,
    #[serde(skip)]
    says: String,
}

#[derive(Debug, Serialize)]
struct CheckView {
    check: &'static str,
    verdict: &'static str,
    what: String,
    #[serde(skip)]
    label: String,
}

/// What no receipt proves. It is said every time, because "verified" is easily taken for more.
const NOT_PROVEN: &[&str] = &[
    "that the claim is true; it proves who made it",
    "that an issuer is who its name says; issuers name themselves, so compare the issuer id with \
     one that you trust",
    "that the log shows everyone the same entries; no witness has cosigned this checkpoint",
    "that the claim was not withdrawn later",
];

/// Runs the command.
pub fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let log = settings.log_key()?;
    let subject = command.subject.as_deref().map(subject::read).transpose()?;
    let demands = Demands {
        issuer: command.issuer,
        subject,
    };
    let pairs = read_pairs(command.files)?;
    let checked = receipt::check_receipts(&pairs, &log, &demands);
    let verdicts = checked.iter().map(CheckedReceipt::verdict);
    let verdict = verdicts.clone().max().unwrap_or(Verdict::Failed);
    let receipts = pairs.iter().zip(&checked);
    let view = VerifyView {
        verdict: name(verdict),
        receipts: receipts
            .map(|(pair, checked)| ReceiptView::new(&pair.name, checked))
            .collect(),
        not_proven: NOT_PROVEN,
    };
    output::data(settings, || text(&view, verdict), &view)?;
    match verdict {
        Verdict::Proven => Ok(()),
        Verdict::Unproven => {
            let unproven = verdicts.filter(|one| *one == Verdict::Unproven).count();
            let all = checked.len();
            Err(Failure::NotMet(format!(
                "{unproven} of {all} receipts are genuine, but do not prove all that was asked; \
                 see above"
            )))
        }
        Verdict::Failed => Err(Failure::Failed(failed_words(&view))),
    }
}

/// Reads the receipts that the arguments name, that on stdin first.
fn read_pairs(mut files: Vec<PathBuf>) -> Result<Vec<ReceiptPair>, Failure> {
    let stdin = Path::new("-");
    let mut pairs = vec![];
    for _ in files.extract_if(.., |path| path == stdin) {
        let bytes = input::read(stdin, 2 * RECEIPT_BYTES)?.bytes;
        pairs.push(ReceiptPair::split("stdin", bytes)?);
    }
    pairs.extend(ReceiptPair::read_all(&files)?);
    Ok(pairs)
}

/// The first check that failed, named.
fn failed_words(view: &VerifyView) -> String {
    for receipt in &view.receipts {
        for check in &receipt.checks {
            if check.verdict == name(Verdict::Failed) {
                return format!(
                    "{}: the check \"{}\" failed: {}; do not rely on this receipt",
                    receipt.file, check.check, check.what
                );
            }
        }
    }
    "verification failed".into()
}

/// What a check found, in plain words. Behind "NOT PROVEN" stands what is not.
fn what(check: &Check, receipt: Option<&VerifiedReceipt>) -> String {
    match check {
        Check::Signature => "the signatures fit this claim, byte for byte".into(),
        Check::Inclusion {
            origin,
            index,
            size,
        } => format!(
            "it is entry {index} of the log {}, under the checkpoint that the log signed at {size} \
             entries",
            plain(origin)
        ),
        Check::Issuer(issuer) => issuer_words(issuer),
        Check::UnknownIssuer(id) => {
            let fetch = receipt.map(|receipt| {
                let claim = receipt.claim().id();
                format!("; `assay receipt {claim} --out DIR` fetches it, then verify DIR")
            });
            format!(
                "that issuer {id} signed it: its registration is not among these files{}",
                fetch.unwrap_or_default()
            )
        }
        Check::UnknownSigner => "who signed it".into(),
        Check::Unauthorized(why) => format!("its signers were not authorized: {why}"),
        Check::DemandedIssuer {
            issuer,
            signed: true,
        } => format!("issuer {issuer} signed it, as demanded"),
        Check::DemandedIssuer { issuer, .. } => {
            format!("that issuer {issuer} signed it, as demanded: it is not among the signers")
        }
        Check::DemandedSubject {
            subject,
            is_about: true,
        } => format!("it is about {}, as demanded", words::short(subject)),
        Check::DemandedSubject { subject, .. } => format!(
            "that it is about {}, as demanded: it has other subjects",
            words::short(subject)
        ),
        Check::Genuine(error) => format!("{} ({})", broken_words(error), one_line(error)),
    }
}

fn issuer_words(issuer: &ProvenIssuer) -> String {
    let (id, name) = (issuer.id, plain(&issuer.name));
    let keys = match issuer.sequence {
        0 => "its first keys".into(),
        n => format!("the keys of its rotation {n}"),
    };
    format!("issuer {id} signed it with {keys}; it calls itself \"{name}\"")
}

/// What it means to a person that a receipt is not genuine.
fn broken_words(error: &ReceiptError) -> &'static str {
    match error {
        ReceiptError::Envelope(_) => "the claim's file is malformed; it was changed or cut off",
        ReceiptError::TooLong(_) | ReceiptError::Proof(_) => {
            "the proof's file is malformed; it was changed or cut off"
        }
        ReceiptError::Entry(_) => "claim and proof do not belong together; one of them was changed",
        ReceiptError::Checkpoint { .. } => "the log whose key was given did not sign this",
        ReceiptError::Inclusion(_) => "the log does not hold this; claim or proof was changed",
        ReceiptError::OtherClaim => "the claim's file is not the claim in the log, byte for byte",
        ReceiptError::Claim(_) => "the log holds it, but its signatures are not valid",
    }
}

impl ReceiptView {
    fn new(name_of_files: &str, checked: &CheckedReceipt) -> Self {
        let receipt = checked.receipt.as_ref();
        let checkpoint = receipt.map(|receipt| receipt.inclusion().checkpoint());
        ReceiptView {
            file: plain(name_of_files),
            verdict: name(checked.verdict()),
            checks: checked
                .checks
                .iter()
                .map(|check| CheckView {
                    check: check.name(),
                    verdict: name(check.verdict()),
                    what: what(check, receipt),
                    label: label(check.verdict()),
                })
                .collect(),
            claim: receipt.map(|r| {
                claim::Claim::new(r.claim(), r.inclusion().index().get(), r.logged_at_ms())
            }),
            origin: checkpoint.map(|checkpoint| checkpoint.origin().to_owned()),
            tree_size: checkpoint.map(|checkpoint| checkpoint.size().get()),
            says: receipt.map(|r| claim::says(r.claim())).unwrap_or_default(),
        }
    }

    fn text(&self) -> String {
        let mut text = format!("{}\n", self.file);
        if let Some(claim) = &self.claim {
            let (id, at) = (&claim.claim_id, time::rfc3339_of_ms(claim.logged_at_ms));
            text.push_str(&format!("  claim       {id}\n"));
            text.push_str(&format!("  says        {}\n", self.says));
            text.push_str(&format!("  logged      {at}\n"));
        }
        for CheckView { label, what, .. } in &self.checks {
            text.push_str(&format!("  {label}{}\n", plain(what)));
        }
        text
    }
}

fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Proven => "proven",
        Verdict::Unproven => "unproven",
        Verdict::Failed => "failed",
    }
}

/// The verdict as a word in a column of 12.
fn label(verdict: Verdict) -> String {
    match verdict {
        Verdict::Proven => format!("{}      ", output::color("PROVEN", Color::Green)),
        Verdict::Unproven => format!("{}  ", output::color("NOT PROVEN", Color::Yellow)),
        Verdict::Failed => format!("{}      ", output::color("FAILED", Color::Red)),
    }
}

fn text(view: &VerifyView, verdict: Verdict) -> String {
    let receipts: Vec<String> = view.receipts.iter().map(ReceiptView::text).collect();
    let mut text = receipts.join("\n");
    if verdict != Verdict::Failed {
        text.push_str("\nA receipt does not prove:\n");
        for line in view.not_proven {
            text.push_str(&format!("  - {line}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stdin_is_told_from_files() {
        let error = read_pairs(vec!["no/such.tlog-proof".into()]).unwrap_err();
        assert!(
            matches!(&error, Failure::Usage(text) if text.contains("no such file")),
            "{error}"
        );
    }
}
