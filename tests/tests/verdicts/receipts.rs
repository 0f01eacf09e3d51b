//! What Rust makes of receipts.

use super::{Lines, Verdict, judged};
use assay_client::Cel;
use assay_client::receipt::{
    Check, Demands, HeldTo, ReceiptPair, Verdict as Outcome, check_receipts,
};
use assay_policy::rules::Policy;
use assay_tlog::note::VerifierKey;
use base64::prelude::{BASE64_STANDARD, Engine};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    #[serde(flatten)]
    files: Files,
    records: Vec<Files>,
    log: String,
    policy: Option<String>,
}

#[derive(Deserialize)]
struct Files {
    envelope: String,
    proof: String,
}

impl Files {
    fn pair(&self) -> ReceiptPair {
        let bytes = |text: &str| BASE64_STANDARD.decode(text).unwrap().into();
        ReceiptPair {
            name: "a vector".into(),
            envelope: bytes(&self.envelope),
            proof: bytes(&self.proof),
        }
    }
}

/// Adds what Rust makes of each receipt.
pub fn receipts(lines: &mut Lines) {
    judged("receipts/receipts", lines, |case: &Case| {
        (case.name.clone(), judge(case))
    });
}

/// The worst of the checks of the receipt, the first of these.
fn judge(case: &Case) -> Verdict {
    let key = VerifierKey::parse(&case.log).unwrap();
    let policy = case.policy.as_ref().map(|text| {
        let text = format!("version = 1\ntlog_policy = \"\"\"\n{text}\"\"\"\n");
        Policy::parse(&text, &Cel).unwrap()
    });
    let held_to = HeldTo::new(policy.as_ref(), Some(&key)).unwrap();
    let records = case.records.iter().map(Files::pair);
    let pairs: Vec<_> = std::iter::once(case.files.pair()).chain(records).collect();
    let checked = check_receipts(&pairs, &held_to, &Demands::default());
    let checked = checked.first().unwrap();
    let worst = checked.verdict();
    let mut checks = checked.checks.iter();
    let check = checks.find(|check| check.verdict() == worst).unwrap();
    match worst {
        Outcome::Proven => Verdict::ok(),
        Outcome::Unproven => Verdict::new("unproven", check.name(), culprit(check)),
        Outcome::Failed => Verdict::new("refused", check.name(), culprit(check)),
    }
}

/// Whose fault it is.
fn culprit(check: &Check) -> &'static str {
    match check {
        Check::Quorum { .. } => "witness",
        Check::UnknownIssuer(_) | Check::UnknownSigner => "nobody",
        Check::Unauthorized(_) => "issuer",
        Check::UncountedLog(_) | Check::UnknownLog(_) => "caller",
        Check::Late { .. } | Check::TwoHistories { .. } => "log",
        Check::Genuine(error) if error.check() == "claim" => "issuer",
        _ => "server",
    }
}
