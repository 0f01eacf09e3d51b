//! Which claims the answer's lines are of.

use super::Asking;
use crate::about::About;
use assay_claims::claim::ClaimId;
use assay_claims::kind;
use assay_claims::logged::LoggedClaim;
use assay_policy::Component;
use assay_policy::posture::{self, Posture};
use std::collections::{BTreeMap, BTreeSet};

/// The lines of the answer: those about a component, or those of the claims that were asked for
/// otherwise.
pub fn posture<'a>(
    about: &About,
    component: Option<&Component>,
    claims: &'a [LoggedClaim],
    asking: &Asking<'_>,
    now_ms: u64,
) -> Posture<'a> {
    let sha256 = |logged: &LoggedClaim, hex: &str| {
        logged
            .claim()
            .statement()
            .subjects()
            .iter()
            .any(|subject| subject.digest("sha256") == Some(hex))
    };
    let listing = |chosen: &dyn Fn(&LoggedClaim) -> bool| {
        posture::listing(&asking.policy, claims, chosen, now_ms)
    };
    match (about, component) {
        (_, Some(component)) => posture::posture(&asking.policy, component, claims, now_ms),
        (About::Vulnerability(id), _) => {
            let mut posture =
                listing(&|logged| kind::vulnerabilities(logged.claim().statement()).contains(id));
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
    kind::targets(logged.claim().statement()).contains(id)
}

/// Of a document that speaks of many vulnerabilities in a line each, keeps the lines that speak of
/// this one, by this name or by the one that it is an alias of.
fn only_lines_that_name(id: &str, posture: &mut Posture<'_>) {
    let mut names: BTreeMap<ClaimId, BTreeSet<String>> = BTreeMap::new();
    for line in &posture.lines {
        if line.vulnerabilities.iter().any(|name| name == id) {
            let named = names.entry(line.claim()).or_default();
            named.insert(id.to_owned());
            named.extend(line.vulnerabilities.first().cloned());
        }
    }
    posture.lines.retain(|line| match names.get(&line.claim()) {
        Some(names) => line.vulnerabilities.iter().any(|name| names.contains(name)),
        None => true,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_policy::posture::Part;
    use assay_policy::testing::{NOW_MS, World, about, parse};

    #[test]
    fn lines_are_kept_by_whichever_name_their_vulnerability_has() {
        let vex = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://e.org/1","author":"A","version":1,"timestamp":"2026-01-01T00:00:00Z","statements":[
            {"vulnerability":{"name":"GHSA-1","aliases":["CVE-2026-1000"]},"status":"fixed"},
            {"vulnerability":"GHSA-1","status":"fixed"},
            {"vulnerability":{"name":"GHSA-2","aliases":["CVE-2026-10001"]},"status":"fixed"}]}"#;
        let mut world = World::new();
        let a = world.register("a", &[1], 1);
        let uri = "https://openvex.dev/ns/v0.2.0";
        world.log(&about("pkg:cargo/a@1", uri, vex), &[&a]);
        world.log(&about("pkg:cargo/a@1", "https://e.org/own/v1", "{}"), &[&a]);
        let policy = parse("version = 1");
        let kept = |id: &str| {
            let mut listed = posture::listing(
                &policy,
                &world.claims,
                |logged| logged.leaf().get() > 0,
                NOW_MS,
            );
            only_lines_that_name(id, &mut listed);
            let mut kept: Vec<Part> = listed.lines.iter().map(|line| line.part).collect();
            kept.sort();
            kept
        };
        let statements = [0, 1, 2].map(Part::Statement);
        // A claim that does not name the vulnerability at all was chosen for another reason.
        let with_the_other = |parts: &[Part]| [&[Part::Whole], parts].concat();
        assert_eq!(kept("CVE-2026-1000"), with_the_other(&statements[..2]));
        assert_eq!(kept("GHSA-1"), with_the_other(&statements[..2]));
        assert_eq!(kept("CVE-2026-10001"), with_the_other(&statements[2..]));
        assert_eq!(kept("CVE-2026-100"), with_the_other(&statements));
    }
}
