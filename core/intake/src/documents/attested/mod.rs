//! Attestations that others signed: Sigstore bundles, and the attestations of npm and PyPI.
//!
//! Nothing is verified here. [`Attestations`] says what there is to be verified; whoever does it,
//! with what they trust and their clock, hands back the [`Evidence`] that claims are made of.

mod claim;
mod evidence;
mod forms;
mod named;
#[cfg(test)]
mod tests;

pub use evidence::{Evidence, LogEntry, Signer};
pub use named::Mismatch;

use super::document::Document;
use assay_claims::json::{self, Value};
use assay_claims::statement::Subject;
use assay_tlog::Hash;

/// Most attestations of one document.
pub(super) const ATTESTATIONS: usize = 1000;

/// A document of attestations: at least one, in its order.
pub struct Attestations {
    document: Document,
    media_type: String,
    list: Vec<Attestation>,
    is_bundle: bool,
}

/// One attestation.
pub struct Attestation {
    place: String,
    bundle: String,
    says: Says,
    subjects: Vec<Subject>,
    publisher: Option<evidence::Publisher>,
}

/// What was signed.
enum Says {
    /// An in-toto statement.
    Statement {
        value: Value,
        /// SHA-256 of its bytes.
        sha256: Hash,
    },
    /// A file: nothing but that it is signed.
    File,
}

impl Attestations {
    /// Whether no claims are made of the document by who does not verify it. A Sigstore bundle of
    /// SLSA provenance may be handed on without.
    pub fn are_only_verified(&self) -> bool {
        let files = self.list.iter().any(|one| matches!(one.says, Says::File));
        files || !self.is_bundle
    }

    /// The attestations.
    pub fn list(&self) -> &[Attestation] {
        &self.list
    }
}

impl Attestation {
    /// Where the document has it: a JSON path or a line.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The Sigstore bundle to verify, as JSON. An attestation of PyPI is written as one.
    pub fn bundle(&self) -> &str {
        &self.bundle
    }

    /// SHA-256 over what was signed and where it says that it was logged: the same for as long as
    /// it is the same attestation, whoever hands it out.
    pub(crate) fn print(&self) -> Hash {
        let mut text = match &self.says {
            Says::Statement { sha256, .. } => sha256.to_hex(),
            Says::File => self
                .subjects
                .iter()
                .map(|file| file.to_value().to_json())
                .collect(),
        };
        let bundle = json::parse(self.bundle.as_bytes()).unwrap_or(Value::Null);
        for member in ["logIndex", "logId"] {
            let place = format!("/verificationMaterial/tlogEntries/0/{member}");
            text.push_str(&bundle.pointer(&place).unwrap_or(&Value::Null).to_json());
        }
        Hash::of(text.as_bytes())
    }

    /// What it says it is about: at least one subject, unless it signs a file and leaves the
    /// file's digest out.
    pub fn subjects(&self) -> &[Subject] {
        &self.subjects
    }
}
