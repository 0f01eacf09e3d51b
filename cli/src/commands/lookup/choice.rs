//! Which claims the answer's lines are of.

use super::Asking;
use crate::about::About;
use assay_core::{
    claim::ClaimId,
    logged::LoggedClaim,
    policy::{self, Component, Posture},
    predicate,
};
use std::collections::BTreeSet;

/// The lines of the answer: those about a component, or those of the claims that were asked for otherwise.
pub fn posture(
    about: &About,
    component: Option<&Component>,
    claims: &[LoggedClaim],
    asking: &Asking<'_>,
    now_ms: u64,
) -> Posture {
    let sha256 = |logged: &LoggedClaim, hex: &str| {
        logged.claim().statement().subjects().iter().any(|subject| subject.digest("sha256") == Some(hex))
    };
    let listing = |chosen: &dyn Fn(&LoggedClaim) -> bool| policy::listing(&asking.policy, claims, chosen, now_ms);
    match (about, component) {
        (_, Some(component)) => policy::posture(&asking.policy, component, claims, now_ms),
        (About::Vulnerability(id), _) => {
            let mut posture = listing(&|logged| predicate::vulnerabilities(logged.claim().statement()).contains(id));
            only_lines_that_name(id, &mut posture);
            posture
        }
        (About::Claim(id), _) => match claims.iter().any(|logged| logged.claim().id() == *id) {
            true => listing(&|logged| logged.claim().id() == *id),
            // What is said of a claim counts, whether or not the claim itself could be had.
            false => listing(&|logged| speaks_of(logged, id)),
        },
        (About::Issuer(id), _) => listing(&|logged| sha256(logged, &id.to_hex())),
        _ => Posture::default(),
    }
}

/// Whether a claim withdraws, answers or reveals another.
fn speaks_of(logged: &LoggedClaim, id: &ClaimId) -> bool {
    predicate::targets(logged.claim().statement()).contains(id)
}

/// Of a document that speaks of many vulnerabilities in a line each, keeps the lines that speak of this one.
fn only_lines_that_name(id: &str, posture: &mut Posture) {
    let naming: BTreeSet<_> =
        posture.lines.iter().filter(|line| line.says.contains(id)).map(|line| line.claim).collect();
    posture.lines.retain(|line| !naming.contains(&line.claim) || line.says.contains(id));
}
