//! Mapping version 1: which labels an entry has (docs/design.md 3.5; docs/index.md, section 3.3).
//!
//! A pure total function of the entry's bytes: whoever computes it gets the same labels, so that a
//! mirror or an audit finds an entry that was left out.

use super::label::{Kind, Label};
use crate::claim::Content;
use crate::entry::{Entry, wire};
use crate::issuer::IssuerId;
use crate::kind;
use crate::statement::{Statement, Subject};

/// The version of the mapping that this code computes.
pub const MAPPING_VERSION: u32 = 1;

/// Digests by which artifacts are looked up.
const DIGESTS: [&str; 3] = ["sha256", "sha512", "gitCommit"];

/// The labels of an entry, each once, ascending. A commitment has none; of a claim whose payload is
/// no statement, only the signers are known.
pub fn labels_of_entry(entry: &Entry) -> Vec<Label> {
    let wire::Body::Claim(claim) = entry.body() else {
        return Vec::new();
    };
    let issuers = claim
        .signatures
        .iter()
        .filter_map(|signature| IssuerId::from_slice(&signature.issuer_id));
    labels(Statement::parse(&claim.payload).ok().as_ref(), issuers)
}

/// The labels of the entry that will hold this claim: those of [`labels_of_entry`], without reading
/// the statement again.
pub fn labels_of_claim(claim: impl AsRef<Content>) -> Vec<Label> {
    let claim = claim.as_ref();
    labels(
        Some(claim.statement()),
        claim.signers().iter().map(|(issuer, _)| *issuer),
    )
}

fn labels(statement: Option<&Statement>, issuers: impl Iterator<Item = IssuerId>) -> Vec<Label> {
    let mut labels: Vec<Label> = Vec::with_capacity(8);
    if let Some(statement) = statement {
        for subject in statement.subjects() {
            push_subject(&mut labels, subject);
        }
        labels.extend(
            kind::targets(statement)
                .iter()
                .map(|id| Label::new(Kind::Claim, &id.to_hex())),
        );
        labels.extend(
            kind::vulnerabilities(statement)
                .iter()
                .map(|id| Label::new(Kind::Vuln, id)),
        );
    }
    // Many signatures of one issuer are one label; hashing it once is cheaper than dropping it
    // afterward.
    let mut last = None;
    for issuer in issuers.filter(|issuer| last.replace(*issuer) != Some(*issuer)) {
        labels.push(Label::new(Kind::Issuer, &issuer.to_hex()));
    }
    labels.sort_unstable();
    labels.dedup();
    labels
}

fn push_subject(labels: &mut Vec<Label>, subject: &Subject) {
    for (algorithm, value) in subject.digests() {
        if DIGESTS.contains(&algorithm.as_str()) {
            labels.push(Label::new(Kind::Digest, &format!("{algorithm}:{value}")));
        }
    }
    if let Some(purl) = subject.purl() {
        labels.push(Label::new(Kind::Package, purl.without_version()));
        if purl.version().is_some() {
            labels.push(Label::new(Kind::Version, purl.without_qualifiers()));
        }
    }
}
