//! `assay verify`: receipts, checked offline, and what they prove in plain words.

use crate::{
    config::{self, Settings},
    exit::Failure,
    output::{self, Color},
    pairing::{self, Pair},
    subject, time, view,
};
use assay_claims::issuer::IssuerId;
use assay_claims::kind;
use assay_claims::receipt::{self, ProvenIssuer, Standing, VerifiedReceipt};
use assay_claims::statement::Subject;
use assay_tlog::note::VerifierKey;
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;

/// Verify receipts offline, with the log's key and nothing else.
///
/// Every receipt's signatures and its place in the log are checked; and, from the issuers' receipts
/// among the files, whether each issuer really signed. Exit code 0: all of it holds. 1: the
/// receipts are genuine, but an issuer's receipts are missing, or what --issuer or --subject demand
/// is not met. 4: a check failed.
#[derive(Debug, Args)]
pub struct Command {
    /// Receipts: X.intoto.jsonl or X.tlog-proof (the other is found beside it), folders of them, or
    /// - for both parts on stdin, one after the other
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Demand of every claim that this issuer signed it, in hex
    #[arg(long, env = "ASSAY_ISSUER", value_name = "ID", value_parser = config::parse_issuer)]
    issuer: Option<IssuerId>,
    /// Demand of every claim that it is about this: a package URL, a digest (sha256:HEX), or a file
    /// whose SHA-256 is taken
    #[arg(long, short, env = "ASSAY_SUBJECT", value_name = "SUBJECT")]
    subject: Option<String>,
}

/// The whole answer.
#[derive(Debug, Serialize)]
struct VerifyView {
    /// `proven`, `unproven` or `failed`.
    verdict: Verdict,
    receipts: Vec<ReceiptView>,
    not_proven: &'static [&'static str],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Proven,
    Unproven,
    Failed,
}

#[derive(Debug, Serialize)]
struct ReceiptView {
    /// The files' name without endings.
    file: String,
    verdict: Verdict,
    /// What holds, what is open and what failed.
    checks: Vec<Check>,
    #[serde(flatten)]
    claim: Option<view::ClaimView>,
    origin: Option<String>,
    tree_size: Option<u64>,
    #[serde(skip)]
    says: String,
}

#[derive(Debug, Serialize)]
struct Check {
    /// `signature`, `inclusion`, `issuers`, `demanded-issuer`, `demanded-subject`; for a receipt
    /// that is not genuine, the check that failed, as `ReceiptError::check` calls it.
    check: &'static str,
    verdict: Verdict,
    what: String,
}

impl Check {
    fn proven(check: &'static str, what: impl Into<String>) -> Self {
        Check {
            check,
            verdict: Verdict::Proven,
            what: what.into(),
        }
    }

    fn unproven(check: &'static str, what: impl Into<String>) -> Self {
        Check {
            check,
            verdict: Verdict::Unproven,
            what: what.into(),
        }
    }

    fn failed(check: &'static str, what: impl Into<String>) -> Self {
        Check {
            check,
            verdict: Verdict::Failed,
            what: what.into(),
        }
    }
}

/// What no receipt can prove. It is said every time, because "verified" is easily taken for more.
const NOT_PROVEN: &[&str] = &[
    "that what the claim says is true: it says who said it",
    "that an issuer is who its name says: names are its own word, so compare the issuer id with \
     one that you trust",
    "that the log shows everybody the same: no witness has signed this checkpoint",
    "that nothing newer takes the claim back",
];

/// What is demanded beyond that the receipts are genuine.
struct Demands {
    issuer: Option<IssuerId>,
    subject: Option<Subject>,
}

/// Runs the command.
pub fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let log = settings.log_key()?;
    let subject = command.subject.as_deref().map(subject::read).transpose()?;
    let demands = Demands {
        issuer: command.issuer,
        subject,
    };
    let pairs = pairing::read(&command.files)?;
    let receipts = verify_all(&pairs, &log, &demands);
    let verdict = receipts
        .iter()
        .map(|receipt| receipt.verdict)
        .max()
        .unwrap_or(Verdict::Failed);
    let view = VerifyView {
        verdict,
        receipts,
        not_proven: NOT_PROVEN,
    };
    output::data(settings, || text(&view), &view)?;
    let count = |verdict| {
        view.receipts
            .iter()
            .filter(|receipt| receipt.verdict == verdict)
            .count()
    };
    match verdict {
        Verdict::Proven => Ok(()),
        Verdict::Unproven => Err(Failure::NotMet(format!(
            "{} of {} receipts are genuine, but not all that was asked for is proven; see above",
            count(Verdict::Unproven),
            view.receipts.len()
        ))),
        Verdict::Failed => Err(Failure::Failed(failed_words(&view))),
    }
}

/// The first check that failed, named.
fn failed_words(view: &VerifyView) -> String {
    let failed = view
        .receipts
        .iter()
        .flat_map(|receipt| receipt.checks.iter().map(move |check| (receipt, check)));
    match failed
        .into_iter()
        .find(|(_, check)| check.verdict == Verdict::Failed)
    {
        Some((receipt, check)) => {
            format!(
                "{}: the check \"{}\" failed: {}; do not rely on this receipt",
                receipt.file, check.check, check.what
            )
        }
        None => "verification failed".into(),
    }
}

fn verify_all(pairs: &[Pair], log: &VerifierKey, demands: &Demands) -> Vec<ReceiptView> {
    let mut verified: Vec<VerifiedReceipt> = vec![];
    let results: Vec<Result<usize, Vec<Check>>> = pairs
        .iter()
        .map(
            |pair| match receipt::verify(&pair.envelope, &pair.proof, log) {
                Ok(receipt) => {
                    verified.push(receipt);
                    Ok(verified.len() - 1)
                }
                Err(e) => Err(vec![Check::failed(
                    e.check(),
                    format!("{} ({})", failed_plainly(e.check()), chain(&e)),
                )]),
            },
        )
        .collect();
    let standings = receipt::verify_issuers(&verified);
    // Demands are made of claims; an issuer's own record is there to support them, unless nothing
    // else is.
    let only_records = verified.iter().all(is_record);

    pairs
        .iter()
        .zip(results)
        .map(|(pair, result)| {
            match result.map(|index: usize| {
                let receipt = verified.get(index)?;
                let checks = checks(
                    receipt,
                    standings.get(index)?,
                    (only_records || !is_record(receipt)).then_some(demands),
                );
                Some((receipt, checks))
            }) {
                Ok(Some((receipt, checks))) => ReceiptView::new(pair, Some(receipt), checks),
                Ok(None) => ReceiptView::new(
                    pair,
                    None,
                    vec![Check::failed("issuers", "it could not be judged")],
                ),
                Err(checks) => ReceiptView::new(pair, None, checks),
            }
        })
        .collect()
}

/// What a failed check means to a person.
fn failed_plainly(check: &str) -> &'static str {
    match check {
        "envelope" => "the claim's file is not one that Assay writes: it was changed or cut off",
        "proof" => "the proof's file is not one that Assay writes: it was changed or cut off",
        "entry" => "claim and proof do not belong together: one of them was changed",
        "checkpoint" => "the log whose key was given did not sign this",
        "inclusion" => "this is not what the log holds: claim or proof was changed",
        "match" => "the claim's file is not the claim in the log, byte for byte",
        "claim" => "the log holds it, but it is not validly signed",
        _ => "it is not genuine",
    }
}

fn is_record(receipt: &VerifiedReceipt) -> bool {
    receipt.claim().statement().predicate_type() == kind::issuer::URI
}

/// What a genuine receipt proves, and what it leaves open.
fn checks(receipt: &VerifiedReceipt, standing: &Standing, demands: Option<&Demands>) -> Vec<Check> {
    let inclusion = receipt.inclusion();
    let origin = output::plain(inclusion.checkpoint().origin());
    let mut checks = vec![
        Check::proven(
            "signature",
            "this exact claim was signed, and not a byte of it was changed since",
        ),
        Check::proven(
            "inclusion",
            format!(
                "it is entry {} of the log {origin}, which the log signed when it had {} entries",
                inclusion.index(),
                inclusion.checkpoint().size()
            ),
        ),
    ];
    checks.extend(standing_checks(receipt, standing));
    let Some(demands) = demands else {
        return checks;
    };
    if let Some(wanted) = &demands.issuer {
        checks.push(
            if receipt.claim().signers().iter().any(|(id, _)| id == wanted) {
                Check::proven(
                    "demanded-issuer",
                    format!("issuer {wanted} is among the signers, as was demanded"),
                )
            } else {
                Check::unproven(
                    "demanded-issuer",
                    format!("issuer {wanted} did not sign it, as was demanded"),
                )
            },
        );
    }
    if let Some(wanted) = &demands.subject {
        let about = subject::short(wanted);
        let found = receipt
            .claim()
            .statement()
            .subjects()
            .iter()
            .any(|subject| subject::matches(subject, wanted));
        checks.push(if found {
            Check::proven(
                "demanded-subject",
                format!("it is about {about}, as was demanded"),
            )
        } else {
            Check::unproven(
                "demanded-subject",
                format!("it is not about {about}, as was demanded"),
            )
        });
    }
    checks
}

/// Whether those who are named as issuers really signed.
fn standing_checks(receipt: &VerifiedReceipt, standing: &Standing) -> Vec<Check> {
    match standing {
        Standing::Proven(issuers) => issuers
            .iter()
            .map(|issuer| Check::proven("issuers", proven_words(issuer)))
            .collect(),
        Standing::Unproven(issuers) if issuers.is_empty() => vec![Check::unproven(
            "issuers",
            "who \
            signed it",
        )],
        Standing::Unproven(issuers) => issuers
            .iter()
            .map(|id| {
                let what = format!(
                    "that issuer {id} signed: its registration is not among these files; `assay \
                     receipt {} --out DIR` fetches it, then verify DIR",
                    receipt.claim().id()
                );
                Check::unproven("issuers", what)
            })
            .collect(),
        Standing::Refuted(why) => {
            vec![Check::failed(
                "issuers",
                format!("its signers may not sign as they did: {why}"),
            )]
        }
    }
}

fn proven_words(issuer: &ProvenIssuer) -> String {
    let name = output::plain(&issuer.name);
    let keys = match issuer.sequence {
        0 => "its first keys".into(),
        n => format!("the keys of its rotation {n}"),
    };
    format!(
        "issuer {} signed it with {keys}; it calls itself \"{name}\"",
        issuer.id
    )
}

impl ReceiptView {
    fn new(pair: &Pair, receipt: Option<&VerifiedReceipt>, checks: Vec<Check>) -> Self {
        let inclusion = receipt.map(VerifiedReceipt::inclusion);
        ReceiptView {
            file: output::plain(&pair.name),
            verdict: checks
                .iter()
                .map(|check| check.verdict)
                .max()
                .unwrap_or(Verdict::Failed),
            checks,
            claim: receipt.map(|r| {
                view::ClaimView::new(r.claim(), r.inclusion().index().get(), r.logged_at_ms())
            }),
            origin: inclusion.map(|inclusion| inclusion.checkpoint().origin().to_owned()),
            tree_size: inclusion.map(|inclusion| inclusion.checkpoint().size().get()),
            says: receipt.map(|r| view::says(r.claim())).unwrap_or_default(),
        }
    }

    fn text(&self) -> String {
        let mut text = format!("{}\n", self.file);
        if let Some(claim) = &self.claim {
            let at = time::rfc3339_of_ms(claim.logged_at_ms);
            text.push_str(&format!(
                "  claim       {}\n  says        {}\n  logged      {at}\n",
                claim.claim_id, self.says
            ));
        }
        for check in &self.checks {
            text.push_str(&format!(
                "  {}{}\n",
                check.verdict.word(),
                output::plain(&check.what)
            ));
        }
        text
    }
}

impl Verdict {
    /// The verdict as a word in a column of 12.
    fn word(self) -> String {
        match self {
            Verdict::Proven => format!("{}      ", output::color("PROVEN", Color::Green)),
            Verdict::Unproven => format!("{}  ", output::color("NOT PROVEN", Color::Yellow)),
            Verdict::Failed => format!("{}      ", output::color("FAILED", Color::Red)),
        }
    }
}

fn text(view: &VerifyView) -> String {
    let mut text = view
        .receipts
        .iter()
        .map(ReceiptView::text)
        .collect::<Vec<_>>()
        .join("\n");
    if view.verdict != Verdict::Failed {
        text.push_str("\nWhat a receipt never proves:\n");
        for line in view.not_proven {
            text.push_str(&format!("  - {line}\n"));
        }
    }
    text
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let words = error.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        source = error.source();
    }
    text
}
