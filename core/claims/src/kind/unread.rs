//! Types that have a name here and are not read: their claims are logged and served as they are.

use super::raw;
use crate::claim::ClaimId;
use crate::json::Value;

/// A predicate type that is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unread {
    /// `urn:assay:finding:v1`: a vulnerability that was committed to before (docs/design.md 3.3).
    /// The index reads it.
    Finding,
    /// `urn:assay:finding-commitment:v1`: a reserved name (docs/design.md 3.3).
    FindingCommitment,
    /// An in-toto SVR, or a SLSA verification summary: that an artifact is the one that was meant.
    Authenticity,
    /// An in-toto release: which artifacts are a version.
    Release,
    /// An in-toto test result.
    TestResult,
    /// Any other.
    Unknown,
}

impl Unread {
    /// Which a URI is of that no kind reads.
    pub(super) fn of(uri: &str) -> Self {
        match uri {
            "urn:assay:finding:v1" => Unread::Finding,
            "urn:assay:finding-commitment:v1" => Unread::FindingCommitment,
            "https://in-toto.io/attestation/svr/v0.2"
            | "https://slsa.dev/verification_summary/v1" => Unread::Authenticity,
            "https://in-toto.io/attestation/release/v0.1" => Unread::Release,
            "https://in-toto.io/attestation/test-result/v0.1" => Unread::TestResult,
            _ => Unread::Unknown,
        }
    }

    /// The claim whose commitment a finding reveals, for the index (docs/index.md 3.4).
    pub(super) fn target(self, predicate: &Value) -> Option<ClaimId> {
        match self {
            Unread::Finding => raw::target(predicate),
            Unread::FindingCommitment
            | Unread::Authenticity
            | Unread::Release
            | Unread::TestResult
            | Unread::Unknown => None,
        }
    }

    /// The values that may be identifiers of a finding, for the index (docs/index.md 3.4).
    pub(super) fn vulnerabilities(self, predicate: &Value) -> Vec<&Value> {
        match (self, predicate.get("osv")) {
            (Unread::Finding, Some(osv)) => raw::with_aliases(osv, "id"),
            _ => Vec::new(),
        }
    }
}
