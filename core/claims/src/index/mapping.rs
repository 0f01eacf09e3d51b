//! Mapping version 2: which labels an entry has (docs/design.md 3.5; docs/index.md, section 3).
//!
//! A pure total function of the entry's bytes, without outside tables: whoever computes it gets the
//! same labels, so that a mirror or an audit finds an entry that was left out. What a log may admit
//! is another question, whose answer may change; this one never does in the life of a log.

use super::label::{By, Kind, Label, Name};
use super::package::PackageNames;
use crate::claim::Content;
use crate::entry::{Entry, wire};
use crate::issuer::IssuerId;
use crate::json::{self, Value};
use crate::kind;
use crate::limits;
use crate::statement;
use std::collections::BTreeSet;

/// The version of the mapping that this code computes.
pub const MAPPING_VERSION: u32 = 2;

/// Digests by which artifacts are looked up, by in-toto's names, with the lengths of their hex.
pub const DIGESTS: [(&str, &[usize]); 3] = [
    ("sha256", &[64]),
    ("sha512", &[128]),
    ("gitCommit", &[40, 64]),
];

/// The labels of an entry, each once, ascending. A commitment has none; of a claim whose payload is
/// no statement, only the signers are known.
pub fn labels_of_entry(entry: &Entry) -> Vec<Label> {
    entry.claim().map(mapped).unwrap_or_default().labels
}

/// Why a claim may not be in a log: it would cost the index too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// More than [`limits::LABELS`].
    #[error(
        "the claim would stand under {0} labels of the index; at most {max} are taken, and each \
         issuer that signs has its own for each subject and each vulnerability. Name fewer in one \
         claim, or have fewer issuers sign it",
        max = limits::LABELS
    )]
    Labels(usize),
    /// More than [`limits::VULNERABILITIES`].
    #[error(
        "the claim names {0} vulnerabilities; at most {max} are taken. Divide it into several",
        max = limits::VULNERABILITIES
    )]
    Vulnerabilities(usize),
}

/// The labels of the entry that will hold this claim: those of [`labels_of_entry`], without reading
/// the statement again.
pub fn labels_of_claim(claim: impl AsRef<Content>) -> Vec<Label> {
    mapped_content(claim.as_ref()).labels
}

/// [`labels_of_claim`], if they are no more than a log may take (docs/index.md 1.3).
pub fn checked_labels_of_claim(claim: impl AsRef<Content>) -> Result<Vec<Label>, MappingError> {
    mapped_content(claim.as_ref()).checked()
}

/// [`labels_of_entry`], if they are no more than a log may take (docs/index.md 1.3). If not, the
/// log that took the entry has broken its word.
pub fn checked_labels_of_entry(entry: &Entry) -> Result<Vec<Label>, MappingError> {
    entry.claim().map(mapped).unwrap_or_default().checked()
}

/// At least as many labels as the entry of this claim has, by one look at each byte of its payload
/// instead of reading it: what is more are the strings of it that name nothing.
pub fn most_labels(claim: &wire::Claim) -> usize {
    let (mut quotes, mut keys, mut uris) = (0, 0, 0);
    let payload = &claim.payload[..];
    for (at, _) in payload
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'"')
    {
        quotes += 1;
        // What ends like this is a key: no string begins here, and the quote is none of its text.
        let before = at.checked_sub(1).map(|at| payload[at]);
        let begins = matches!(before, None | Some(b'[' | b',' | b':' | b'{' | b'\\'))
            || before.is_some_and(|byte| byte.is_ascii_whitespace());
        if !begins && payload.get(at + 1) == Some(&b':') {
            keys += 1;
            uris += usize::from(payload[..at].ends_with(b"\"uri"));
        }
    }
    // Each name is a string that is no key, and a package with a version has two. What has more
    // keys than strings is no JSON, and names nothing.
    let names = (quotes / 2_usize).saturating_sub(keys) + uris;
    // Each signer has a label of its own beside them.
    claim.signatures.len() * (names + 1)
}

/// What the mapping makes of an entry.
#[derive(Default)]
struct Mapped {
    labels: Vec<Label>,
    /// Distinct vulnerabilities.
    vulnerabilities: usize,
}

impl Mapped {
    fn checked(self) -> Result<Vec<Label>, MappingError> {
        if self.vulnerabilities > limits::VULNERABILITIES {
            return Err(MappingError::Vulnerabilities(self.vulnerabilities));
        }
        if self.labels.len() > limits::LABELS {
            return Err(MappingError::Labels(self.labels.len()));
        }
        Ok(self.labels)
    }
}

fn mapped(claim: &wire::Claim) -> Mapped {
    let signers = claim
        .signatures
        .iter()
        .filter_map(|signature| IssuerId::from_slice(&signature.issuer_id));
    let payload = json::parse(&claim.payload).ok();
    let said = payload.as_ref().and_then(Said::of);
    said.unwrap_or_default().by(signers)
}

fn mapped_content(claim: &Content) -> Mapped {
    let statement = claim.statement();
    let mut said = Said {
        predicate_type: statement.predicate_type(),
        predicate: Some(statement.predicate()),
        names: Vec::with_capacity(8),
    };
    for subject in statement.subjects() {
        for (algorithm, value) in subject.digests() {
            said.digest(algorithm, value);
        }
        said.uri(subject.uri());
    }
    said.by(claim.signers().iter().map(|(issuer, _)| *issuer))
}

/// What the mapping reads of a statement. That of what is no statement is empty.
#[derive(Default)]
struct Said<'a> {
    predicate_type: &'a str,
    predicate: Option<&'a Value>,
    /// The names of the subjects.
    names: Vec<Name>,
}

impl<'a> Said<'a> {
    /// Reads a payload. `None` if it is no statement. What is not as it should be in one subject
    /// does not touch the others.
    fn of(payload: &'a Value) -> Option<Self> {
        if payload.get("_type")?.as_str()? != statement::TYPE {
            return None;
        }
        let mut said = Said {
            predicate_type: payload.get("predicateType")?.as_str()?,
            predicate: payload.get("predicate"),
            names: Vec::with_capacity(8),
        };
        let Some(Value::Array(subjects)) = payload.get("subject") else {
            return Some(said);
        };
        for subject in subjects {
            if let Some(Value::Object(digests)) = subject.get("digest") {
                for (algorithm, value) in digests {
                    said.digest(algorithm, value.as_str().unwrap_or_default());
                }
            }
            said.uri(subject.get("uri").and_then(Value::as_str));
        }
        Some(said)
    }

    fn digest(&mut self, algorithm: &str, value: &str) {
        let known = DIGESTS.iter().find(|(name, _)| *name == algorithm);
        let is_long = known.is_some_and(|(_, lengths)| lengths.contains(&value.len()));
        if is_long
            && value
                .bytes()
                .all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
        {
            let name = Name::new(Kind::Digest, &format!("{algorithm}:{value}"));
            self.names.push(name);
        }
    }

    fn uri(&mut self, uri: Option<&str>) {
        let Some(names) = uri.and_then(PackageNames::of) else {
            return;
        };
        self.names.push(Name::new(Kind::Package, &names.package));
        self.names.extend(
            names
                .version
                .map(|version| Name::new(Kind::Version, &version)),
        );
    }

    /// The labels of what these signers say so.
    fn by(mut self, signers: impl Iterator<Item = IssuerId>) -> Mapped {
        let vulnerabilities = self.predicate_names();
        let mut names = self.names;
        names.sort_unstable();
        names.dedup();
        let mut labels: Vec<Label> = Vec::with_capacity(names.len() + 1);
        // Many signatures of one issuer are the same labels; making them once is cheaper than
        // dropping them afterward.
        let mut last = None;
        for signer in signers.filter(|signer| last.replace(*signer) != Some(*signer)) {
            let by = By::issuer(&signer);
            labels.extend(names.iter().map(|name| Label::of(*name, by)));
            labels.push(Label::of(
                Name::new(Kind::Issuer, &signer.to_hex()),
                By::predicate_type(self.predicate_type),
            ));
        }
        labels.sort_unstable();
        labels.dedup();
        Mapped {
            labels,
            vulnerabilities,
        }
    }

    /// Adds the names of what the predicate speaks of. Returns how many vulnerabilities that are.
    fn predicate_names(&mut self) -> usize {
        let Some(predicate) = self.predicate else {
            return 0;
        };
        let target = kind::target(self.predicate_type, predicate);
        self.names
            .extend(target.map(|id| Name::new(Kind::Claim, &id.to_hex())));
        let ids: BTreeSet<&str> = kind::vulnerability_ids(self.predicate_type, predicate)
            .into_iter()
            .collect();
        self.names
            .extend(ids.iter().map(|id| Name::new(Kind::Vuln, id)));
        ids.len()
    }
}
