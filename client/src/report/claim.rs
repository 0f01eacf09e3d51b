//! A claim as reports describe it. As JSON these objects are part of the command line's interface:
//! fields are added, never renamed.

use super::words::short_list;
use crate::plain;
use assay_claims::claim::{PublicKey, VerifiedClaim};
use assay_claims::issuer::IssuerId;
use assay_claims::kind::{self, Body};
use assay_claims::statement::Subject;
use assay_claims::time::rfc3339_of_ms;
use serde::Serialize;
use std::collections::BTreeMap;

/// A claim in the log.
#[derive(Debug, Serialize)]
pub struct Claim {
    /// SHA-256 of the claim's PAE, hex.
    pub claim_id: String,
    /// Its place in the log.
    pub leaf_index: u64,
    /// When the log accepted it, RFC 3339.
    pub logged_at: String,
    /// The same in milliseconds since 1970.
    pub logged_at_ms: u64,
    /// The predicate's type URI.
    pub predicate_type: String,
    /// Its short name, if it is a type that Assay knows.
    pub kind: Option<&'static str>,
    /// What the claim is about.
    pub subjects: Vec<ClaimSubject>,
    /// Who signed it.
    pub signers: Vec<Signer>,
}

/// A subject of a claim.
#[derive(Debug, Serialize)]
pub struct ClaimSubject {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its purl or other URI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Its digests, hex, by algorithm.
    pub digest: BTreeMap<String, String>,
}

/// A signer of a claim.
#[derive(Debug, Serialize)]
pub struct Signer {
    /// The issuer, hex.
    pub issuer_id: String,
    /// The Ed25519 key, hex.
    pub public_key: String,
}

impl Claim {
    /// Describes a claim at a leaf.
    pub fn new(claim: &VerifiedClaim, leaf_index: u64, logged_at_ms: u64) -> Self {
        let statement = claim.statement();

        Claim {
            claim_id: claim.id().to_string(),
            leaf_index,
            logged_at: rfc3339_of_ms(logged_at_ms),
            logged_at_ms,
            predicate_type: statement.predicate_type().to_owned(),
            kind: kind::by_uri(statement.predicate_type()).map(|known| known.name),
            subjects: statement.subjects().iter().map(ClaimSubject::new).collect(),
            signers: claim
                .signers()
                .iter()
                .map(|(id, key): &(IssuerId, PublicKey)| Signer {
                    issuer_id: id.to_string(),
                    public_key: hex::encode(key.as_bytes()),
                })
                .collect(),
        }
    }
}

impl ClaimSubject {
    fn new(subject: &Subject) -> Self {
        ClaimSubject {
            name: subject.name().map(str::to_owned),
            uri: subject.uri().map(str::to_owned),
            digest: subject.digests().iter().cloned().collect(),
        }
    }
}

/// What a claim says, in few words: the kind of its predicate and its subjects.
pub fn says(claim: &VerifiedClaim) -> String {
    let statement = claim.statement();
    format!(
        "{} about {}",
        kind(statement.predicate_type(), claim.body()),
        short_list(statement.subjects())
    )
}

/// The kind of a claim, for people: of its type's URI and of what it says. A document that was too
/// large for its claim is named for what it is, and not for the reference to it.
pub fn kind(uri: &str, body: &Body) -> String {
    if let Body::Reference(reference) = body {
        let first = reference.media_types.first().map(String::as_str);
        return match first {
            Some("application/vnd.cyclonedx+json" | "application/spdx+json" | "text/spdx") => {
                "sbom (attached)".to_owned()
            }
            Some("application/sarif+json") => "scan (attached)".to_owned(),
            _ => "document (attached)".to_owned(),
        };
    }
    match kind::by_uri(uri) {
        Some(known) => known.name.to_owned(),
        None => plain(uri),
    }
}
