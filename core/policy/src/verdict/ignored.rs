//! What a policy ignores of a verdict: it decides nothing any more, and is said all the same, with
//! the policy's reason, so that an entry of the policy never hides anything.

use super::Verdict;
use super::reason::{Overlooked, Reason, Why};
use crate::facts::Evidence;
use crate::rules::{Ignore, Ignored, Outcome, Policy};
use crate::trust::covers;
use assay_claims::purl::Purl;
use assay_claims::vulnerability::folded;

/// The entries in force that ignore one of these names of a vulnerability in a package.
pub(super) fn of_vulnerability<'p>(
    policy: &'p Policy,
    purl: Option<&Purl>,
    names: &[&str],
    now_ms: u64,
) -> Vec<&'p Ignore> {
    let is_ignored = |ignore: &&Ignore| match &ignore.what {
        Ignored::Vulnerability { id, scopes } => {
            let id = folded(id);
            covers(scopes, purl) && names.iter().any(|name| folded(name) == id)
        }
        _ => false,
    };
    policy.ignoring(now_ms).filter(is_ignored).collect()
}

/// Takes the effect from what rules say that the policy ignores for a package.
pub(super) fn by_rule(policy: &Policy, purl: Option<&Purl>, reasons: &mut [Reason], now_ms: u64) {
    for reason in reasons {
        let ignores = policy.ignoring(now_ms).filter(|ignore| {
            matches!(&ignore.what, Ignored::Rule { name, scopes }
                if *name == reason.rule && covers(scopes, purl))
        });
        let by: Vec<Ignore> = ignores.cloned().collect();
        let said = !matches!(reason.why, Why::Logs(_) | Why::Ignored(_));
        if said && !by.is_empty() && reason.outcome != Outcome::Fine {
            overlook(reason, by);
        }
    }
}

/// Makes of a reason one that decides nothing and is shown.
pub(super) fn overlook(reason: &mut Reason, by: Vec<Ignore>) {
    let why = std::mem::replace(&mut reason.why, Why::Claim);
    reason.why = Why::Ignored(Overlooked {
        why: Box::new(why),
        outcome: reason.outcome,
        by,
    });
    reason.outcome = Outcome::Warn;
}

impl Verdict {
    /// Adds what would be said if the policy ignored neither claims nor issuers: the reasons of
    /// `all`, decided without these entries, as far as they are not among those of this verdict.
    pub(super) fn with_ignored(self, all: Verdict, policy: &Policy, now_ms: u64) -> Self {
        let mut reasons = self.reasons;
        for mut reason in all.reasons {
            if matches!(reason.why, Why::Ignored(_)) && !reasons.contains(&reason) {
                reasons.push(reason);
                continue;
            }
            if reason.outcome == Outcome::Fine || !is_of_claims(&reason.why) {
                continue;
            }
            let here = reasons
                .iter()
                .find(|here| here.rule == reason.rule && here.outcome >= reason.outcome);
            if let Some(here) = here {
                // What is missing anyway is not missing because of what is ignored.
                if matches!(reason.why, Why::Requirement(_)) {
                    continue;
                }
                reason.evidence.retain(|one| !here.evidence.contains(one));
                without(&mut reason.why, &here.why);
                if reason.evidence.is_empty() {
                    continue;
                }
            }
            let by = of_claims(policy, &reason.evidence, now_ms);
            if !by.is_empty() {
                overlook(&mut reason, by);
                reasons.push(reason);
            }
        }
        Verdict::new(reasons)
    }
}

/// Whether it is claims that give a reason.
fn is_of_claims(why: &Why) -> bool {
    match why {
        Why::Affected(_) | Why::Vulnerable(_) | Why::Unsupported(_) => true,
        Why::Claim | Why::Requirement(_) => true,
        Why::Logs(_) | Why::Unknown(_) | Why::Undecided(_) | Why::Ignored(_) => false,
    }
}

/// Leaves out the vulnerabilities that are said anyway, unless these are all.
fn without(why: &mut Why, here: &Why) {
    let (Why::Affected(all) | Why::Vulnerable(all), Why::Affected(said) | Why::Vulnerable(said)) =
        (why, here)
    else {
        return;
    };
    if all.iter().any(|one| !said.contains(one)) {
        all.retain(|one| !said.contains(one));
    }
}

/// The entries in force that ignore these claims or their issuers; all that ignore any claim or
/// issuer, if the claims are not by themselves ignored: then what gave them their weight is.
fn of_claims(policy: &Policy, evidence: &[Evidence], now_ms: u64) -> Vec<Ignore> {
    let of_one = |ignore: &&Ignore| match &ignore.what {
        Ignored::Issuer(issuer) => evidence.iter().any(|one| one.issuer == *issuer),
        Ignored::Claim(claim) => evidence.iter().any(|one| one.claim == *claim),
        Ignored::Vulnerability { .. } | Ignored::Rule { .. } => false,
    };
    let by: Vec<Ignore> = policy.ignoring(now_ms).filter(of_one).cloned().collect();
    if !by.is_empty() {
        return by;
    }
    let mut all: Vec<Ignore> = policy.ignoring(now_ms).cloned().collect();
    all.retain(|ignore| matches!(ignore.what, Ignored::Issuer(_) | Ignored::Claim(_)));
    all
}
