//! Which claims the lines of a report are of.

use crate::ask::About;
use assay_claims::claim::ClaimId;
use assay_claims::kind;
use assay_claims::logged::LoggedClaim;
use assay_policy::posture::{self, Posture};
use assay_policy::rules::Policy;
use std::collections::{BTreeMap, BTreeSet};

/// The lines about a component, or those of the claims that were asked for otherwise.
pub(super) fn posture<'a>(
    about: &About,
    claims: &'a [LoggedClaim],
    policy: &Policy,
    now_ms: u64,
) -> Posture<'a> {
    match about {
        About::Package(_) | About::Artifact(_) => {
            let component = about.component().unwrap_or_default();
            posture::posture(policy, &component, claims, now_ms)
        }
        About::Vulnerability(id) => {
            let mut posture = posture::listing(policy, claims, |logged| names(logged, id), now_ms);
            only_lines_that_name(id, &mut posture);
            posture
        }
        About::Claim(id) if claims.iter().any(|logged| logged.claim().id() == *id) => {
            posture::listing(policy, claims, |logged| logged.claim().id() == *id, now_ms)
        }
        // What is said of a claim counts, whether or not the claim itself could be had.
        About::Claim(id) => {
            posture::listing(policy, claims, |logged| speaks_of(logged, id), now_ms)
        }
        About::Issuer(id) => {
            let hex = id.to_hex();
            posture::listing(policy, claims, |logged| is_about(logged, &hex), now_ms)
        }
        About::Hex(_) => Posture::default(),
    }
}

/// Whether a claim names a vulnerability.
fn names(logged: &LoggedClaim, id: &String) -> bool {
    kind::vulnerabilities(logged.claim().statement()).contains(id)
}

/// Whether a claim withdraws, answers or reveals another.
fn speaks_of(logged: &LoggedClaim, id: &ClaimId) -> bool {
    let said = logged.claim().statement();
    kind::target(said.predicate_type(), said.predicate()) == Some(*id)
}

/// Whether a claim is about the SHA-256 `hex`, which is also an issuer's id.
fn is_about(logged: &LoggedClaim, hex: &str) -> bool {
    let subjects = logged.claim().statement().subjects();
    subjects.iter().any(|one| one.digest("sha256") == Some(hex))
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
