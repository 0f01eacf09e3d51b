//! `assay verify`: receipts, checked offline, and what they prove in plain words.

mod checks;

use crate::{
    config::{self, Settings},
    exit::Failure,
    input,
    output::{self, Color},
    policy_file, subject, time,
};
use assay_claims::issuer::IssuerId;
use assay_client::receipt::{
    self, CheckedReceipt, Demands, HeldTo, HeldToError, ReceiptPair, Verdict,
};
use assay_client::report::{Witnessed, claim};
use assay_client::{Convictions, plain};
use assay_policy::rules::Policy;
use assay_tlog::limits::RECEIPT_BYTES;
use assay_tlog::note::VerifierKey;
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Verify receipts offline, with your policy or the log's key and nothing else.
///
/// The signatures of every receipt are checked, and its place in the log. Your policy says which
/// logs count and how many of its witnesses must have cosigned the checkpoint; without a policy,
/// --log-key is the log's key, and no witness is asked for. The receipts of issuers among the files
/// show with whose keys each claim was signed. A witness of which this machine knows that it is
/// convicted of misbehavior does not count, whenever it cosigned. Exit code 0: all of it holds. 1:
/// the receipts are genuine, but the receipts of an issuer or the cosignatures of witnesses are
/// missing, or what --issuer or --subject demands does not hold. 2: the policy or an argument
/// cannot be used. 4: a check failed.
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
    not_proven: Vec<String>,
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
    /// The policy's witnesses that cosigned the checkpoint.
    witnesses: Vec<String>,
    /// When a quorum of them had.
    quorum_at: Option<String>,
    #[serde(flatten)]
    witnessed: Witnessed,
    /// Signatures under the checkpoint by keys that were not given. They were not checked.
    unknown_cosignatures: usize,
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

/// Runs the command.
pub fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let policy = policy(settings)?;
    let own = own_key(policy.as_ref(), settings)?;
    let held_to = HeldTo::new(policy.as_ref(), own.as_ref()).map_err(|error| match error {
        HeldToError::NoKey => Failure::Usage(
            "the policy states no log's key; give it with --log-key, ASSAY_LOG_KEY or `log_key = \
             …` in the configuration"
                .into(),
        ),
        HeldToError::KeysDiffer(_) => Failure::Usage(error.to_string()),
    })?;
    let tlog = policy.as_ref().and_then(Policy::tlog);
    let convicted = Convictions::remembered(tlog, &own, &settings.state_dir)?;
    let held_to = held_to.without(convicted);
    let subject = command.subject.as_deref().map(subject::read).transpose()?;
    let demands = Demands {
        issuer: command.issuer,
        subject,
    };
    let pairs = read_pairs(command.files)?;
    let checked = receipt::check_receipts(&pairs, &held_to, &demands);
    let verdicts = checked.iter().map(CheckedReceipt::verdict);
    let verdict = verdicts.clone().max().unwrap_or(Verdict::Failed);
    let receipts = pairs.iter().zip(&checked);
    let view = VerifyView {
        verdict: name(verdict),
        receipts: receipts
            .map(|(pair, checked)| ReceiptView::new(&pair.name, checked))
            .collect(),
        not_proven: checks::not_proven(&checked),
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

/// The reader's policy; `None` if none is named and there is none at the default place.
fn policy(settings: &Settings) -> Result<Option<Policy>, Failure> {
    if settings.has_no_policy() {
        return Ok(None);
    }
    policy_file::load(&settings.policy(None)).map(Some)
}

/// The log key of the settings. Only without a policy that states one it has to be there.
fn own_key(policy: Option<&Policy>, settings: &Settings) -> Result<Option<VerifierKey>, Failure> {
    if policy.is_none() || settings.has_log_key() {
        settings.log_key().map(Some)
    } else {
        Ok(None)
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
                    "{}: the check \"{}\" failed: {}; do not rely on these files",
                    receipt.file, check.check, check.what
                );
            }
        }
    }
    "verification failed".into()
}

impl ReceiptView {
    fn new(name_of_files: &str, checked: &CheckedReceipt) -> Self {
        let receipt = checked.receipt.as_ref();
        let checkpoint = receipt.map(|receipt| receipt.inclusion().checkpoint());
        let voices = &checked.cosigned.voices;
        ReceiptView {
            file: plain(name_of_files),
            verdict: name(checked.verdict()),
            checks: checked
                .checks
                .iter()
                .map(|check| CheckView {
                    check: check.name(),
                    verdict: name(check.verdict()),
                    what: checks::what(check, receipt),
                    label: label(check.verdict()),
                })
                .collect(),
            claim: receipt.map(|r| {
                claim::Claim::new(r.claim(), r.inclusion().index().get(), r.logged_at_ms())
            }),
            origin: checkpoint.map(|checkpoint| checkpoint.origin().to_owned()),
            tree_size: checkpoint.map(|checkpoint| checkpoint.size().get()),
            witnesses: voices.names().into_iter().map(str::to_owned).collect(),
            quorum_at: checked.cosigned.quorum_at.map(checks::at),
            witnessed: Witnessed::new(voices),
            unknown_cosignatures: checked.cosigned.unknown,
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
        for line in &view.not_proven {
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
