//! How much an entry may cost the index (docs/index.md 1.3), at the bounds and one beyond.

use crate::claim::{SigningKey, sign, verify};
use crate::entry::{self, Entry, wire};
use crate::index::{MappingError, checked_labels_of_claim, checked_labels_of_entry};
use crate::issuer::IssuerId;
use crate::limits::{LABELS, SIGNATURES, VULNERABILITIES};

fn statement(subjects: &str, kind: &str, predicate: &str) -> String {
    let said = format!(r#""predicateType":"{kind}","predicate":{predicate}"#);
    format!(r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{subjects}],{said}}}"#)
}

/// So many artifacts, each with one digest.
fn artifacts(count: usize) -> String {
    let subjects: Vec<String> = (0..count)
        .map(|n: usize| format!(r#"{{"digest":{{"sha256":"{n:064x}"}}}}"#))
        .collect();
    statement(&subjects.join(","), "https://example.com/p", "{}")
}

/// An OpenVEX document about so many vulnerabilities. The first is named twice.
fn vulnerabilities(count: usize) -> String {
    let aliases: Vec<String> = (0..count)
        .map(|n: usize| format!(r#""CVE-2026-{n}""#))
        .collect();
    let predicate = format!(
        r#"{{"statements":[{{"vulnerability":{{"name":"CVE-2026-0","aliases":[{}]}}}}]}}"#,
        aliases.join(",")
    );
    statement(
        r#"{"digest":{"sha256":"00"}}"#,
        "https://openvex.dev/ns/v0.2.0",
        &predicate,
    )
}

/// The statement, signed by so many issuers with a key each.
fn claim(statement: &str, issuers: usize) -> wire::Claim {
    let keys: Vec<(IssuerId, SigningKey)> = (1..)
        .take(issuers)
        .map(|n: u8| {
            let key = SigningKey::from_bytes(&[n; 32]);
            (IssuerId::derive(1, &[key.verifying_key().to_bytes()]), key)
        })
        .collect();
    let signers: Vec<_> = keys.iter().map(|(id, key)| (*id, key)).collect();
    sign(statement.as_bytes(), &signers)
}

/// How many labels the entry of a claim has, or why no log may take it.
fn labels(claim: &wire::Claim) -> Result<usize, MappingError> {
    let entry = Entry::parse(entry::encode(1, claim.clone()).unwrap()).unwrap();
    checked_labels_of_entry(&entry).map(|labels| labels.len())
}

#[test]
fn an_entry_has_at_most_so_many_labels() {
    // Each issuer has one for each artifact, and its own.
    let each = LABELS / SIGNATURES;
    for (artifacts_of, expected) in [
        (each - 1, Ok(LABELS)),
        (each, Err(MappingError::Labels(LABELS + SIGNATURES))),
    ] {
        let claim = claim(&artifacts(artifacts_of), SIGNATURES);
        assert_eq!(labels(&claim), expected);
        // Who has read the statement counts the same.
        let verified = verify(&claim, &()).unwrap();
        let read = checked_labels_of_claim(&verified).map(|labels| labels.len());
        assert_eq!(read, expected);
    }
}

#[test]
fn an_entry_names_at_most_so_many_vulnerabilities() {
    // A name for each, the label of the signer; no artifact, whose digest is too short to be one.
    let most = claim(&vulnerabilities(VULNERABILITIES), 1);
    assert_eq!(labels(&most), Ok(VULNERABILITIES + 1));
    let more = claim(&vulnerabilities(VULNERABILITIES + 1), 1);
    let refused = MappingError::Vulnerabilities(VULNERABILITIES + 1);
    assert_eq!(labels(&more), Err(refused));
}
