//! Which claims the lines of a report are of.

use crate::ask::About;
use assay_claims::claim::ClaimId;
use assay_claims::kind::{self, Body};
use assay_claims::logged::LoggedClaim;
use assay_policy::policy::{self, Line, Policy, Posture};
use std::collections::{BTreeMap, BTreeSet};

/// The lines about a component, or those of the claims that were asked for otherwise.
pub(super) fn posture(
    about: &About,
    claims: &[LoggedClaim],
    policy: &Policy,
    now_ms: u64,
) -> Posture {
    match about {
        About::Package(_) | About::Artifact(_) => {
            let component = about.component().unwrap_or_default();
            policy::posture(policy, &component, claims, now_ms)
        }
        About::Vulnerability(id) => {
            let mut posture = policy::listing(policy, claims, |logged| names(logged, id), now_ms);
            only_lines_that_name(id, claims, &mut posture);
            posture
        }
        About::Claim(id) if claims.iter().any(|logged| logged.claim().id() == *id) => {
            policy::listing(policy, claims, |logged| logged.claim().id() == *id, now_ms)
        }
        // What is said of a claim counts, whether or not the claim itself could be had.
        About::Claim(id) => policy::listing(policy, claims, |logged| speaks_of(logged, id), now_ms),
        About::Issuer(id) => {
            let hex = id.to_hex();
            policy::listing(policy, claims, |logged| is_about(logged, &hex), now_ms)
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
    kind::targets(logged.claim().statement()).contains(id)
}

/// Whether a claim is about the SHA-256 `hex`, which is also an issuer's id.
fn is_about(logged: &LoggedClaim, hex: &str) -> bool {
    let subjects = logged.claim().statement().subjects();
    subjects.iter().any(|one| one.digest("sha256") == Some(hex))
}

/// Of a document that speaks of many vulnerabilities in a line each, keeps the lines that speak of
/// this one, by this name or by the one that it is an alias of.
fn only_lines_that_name(id: &str, claims: &[LoggedClaim], posture: &mut Posture) {
    let mut names: BTreeMap<ClaimId, BTreeSet<String>> = BTreeMap::new();
    for logged in claims {
        let named = names
            .entry(logged.claim().id())
            .or_insert_with(|| BTreeSet::from([id.to_owned()]));
        named.extend(aliased(id, logged.claim().body()));
    }
    let names_it = |line: &Line| {
        names
            .get(&line.claim)
            .is_some_and(|names| names.iter().any(|id| holds(&line.says, id)))
    };
    let naming: BTreeSet<_> = posture
        .lines
        .iter()
        .filter(|line| names_it(line))
        .map(|line| line.claim)
        .collect();
    posture
        .lines
        .retain(|line| !naming.contains(&line.claim) || names_it(line));
}

/// The names by which a VEX document speaks of what it says is also called `id`.
fn aliased(id: &str, body: &Body) -> Vec<String> {
    let Body::Vex(vex) = body else {
        return Vec::new();
    };
    let mut names = Vec::new();
    for said in &vex.statements {
        if said.aliases.iter().any(|alias| alias == id) {
            names.push(said.vulnerability.clone());
        }
    }
    names
}

/// Whether a text holds an identifier as a whole: `CVE-2026-1000` is not in `CVE-2026-10001`. What
/// joins parts of identifiers (`-`, `.`, `:`) ends one only if nothing follows that could go on.
fn holds(text: &str, id: &str) -> bool {
    text.match_indices(id).any(|(at, _)| {
        let (before, after) = (
            text.get(..at).unwrap_or_default(),
            text.get(at + id.len()..).unwrap_or_default(),
        );
        !goes_on(before.chars().rev()) && !goes_on(after.chars())
    })
}

/// Whether what stands beside an identifier makes it a longer one.
fn goes_on(mut beside: impl Iterator<Item = char>) -> bool {
    beside
        .find(|c| !"-.:".contains(*c))
        .is_some_and(|c| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_claims::statement::Statement;

    #[test]
    fn what_else_a_vulnerability_is_called_is_known() {
        let vex = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"x","digest":{"sha256":"HEX"}}],
            "predicateType":"https://openvex.dev/ns/v0.2.0","predicate":{"@context":"https://openvex.dev/ns/v0.2.0",
            "@id":"https://e.org/1","author":"A","version":1,"timestamp":"2026-01-01T00:00:00Z","statements":[
            {"vulnerability":{"name":"GHSA-1","aliases":["CVE-1"]},"status":"fixed"},
            {"vulnerability":{"name":"GHSA-2","aliases":["CVE-10"]},"status":"fixed"}]}}"#;
        let statement = Statement::parse(vex.replace("HEX", &"ab".repeat(32)).as_bytes()).unwrap();
        let body = Body::of(&statement).unwrap();
        assert_eq!(aliased("CVE-1", &body), ["GHSA-1"]);
    }

    #[test]
    fn an_identifier_is_found_whole_or_not_at_all() {
        for (text, id, expected) in [
            ("CVE-2026-1000: affected", "CVE-2026-1000", true),
            ("CVE-2026-10001: affected", "CVE-2026-1000", false),
            (
                "found 2 on 2026-01-01: CVE-2026-10001, CVE-2026-1000 (high)",
                "CVE-2026-1000",
                true,
            ),
            ("XCVE-2026-1000", "CVE-2026-1000", false),
            ("CVE-2026-1000-2: fixed", "CVE-2026-1000", false),
            ("CVE-2026-1000.", "CVE-2026-1000", true),
            ("VendorX:7:8: fixed", "VendorX:7", false),
            ("VendorX:7: fixed", "VendorX:7", true),
            ("VendorX:7: fixed", "X:7", false),
            ("\u{e4}CVE-1", "CVE-1", false),
        ] {
            assert_eq!(holds(text, id), expected, "{text} {id}");
        }
    }
}
