//! The claim that hands an attestation on.
//!
//! Provenance, and what no reader of Assay gives a meaning to, is handed on as it was signed: a
//! claim of it says no more than that somebody else said so. A statement of any other kind would
//! become the word of who publishes it: that one is attached, and the claim says that it belongs
//! to its subjects.

use super::{Attestation, Attestations, Evidence, Mismatch, Says};
use crate::documents::draft::{Draft, Prepared};
use crate::documents::error::DocumentError;
use crate::documents::subjects::Subjects;
use assay_claims::json::Value;
use assay_claims::kind::Kind;
use assay_claims::kind::node::Node;
use assay_claims::kind::provenance::Provenance;
use assay_claims::statement::Subject;

/// The member of a predicate that says what was verified.
const MEMBER: &str = "sigstore";

/// Why a claim only references the document, for people.
const FOREIGN: &str =
    "no provenance that can be read, and else it would be your own word: it is attached";
const FILE: &str = "nothing but a signature of the file: it is attached";

impl Attestations {
    /// The claim of the attestation at `index`, about `subjects`, of which `evidence` was found.
    /// The document is attached, byte for byte.
    ///
    /// # Errors
    ///
    /// Where it names more subjects than a claim holds.
    pub fn claim(
        &self,
        index: usize,
        subjects: Vec<Subject>,
        evidence: &Evidence,
    ) -> Result<Prepared, DocumentError> {
        let Some(attestation) = self.list.get(index) else {
            let reason = format!("the document has no attestation {index}");
            return Err(DocumentError::NotTaken(reason));
        };
        let mut summary = evidence.summary();
        let subjects = Subjects {
            list: subjects,
            notes: Vec::new(),
        };
        let document = &self.document;
        let (value, sha256) = match &attestation.says {
            Says::Statement { value, sha256 } => (value, sha256),
            Says::File => {
                let proven = Some((MEMBER, evidence.to_value(None)));
                let claim =
                    document.referenced_with(subjects, summary, &self.media_type, FILE, proven)?;
                return claim.check();
            }
        };
        let proven = (MEMBER, evidence.to_value(Some(sha256)));
        let kind = value.get("predicateType").and_then(Value::as_str);
        let kind = kind.unwrap_or_default();
        summary.insert(0, ("predicate".to_owned(), kind.to_owned()));
        let Some(predicate) = handed_on(kind, value) else {
            let claim = document.referenced_with(
                subjects,
                summary,
                &self.media_type,
                FOREIGN,
                Some(proven),
            )?;
            return claim.check();
        };
        let draft = Draft {
            predicate_type: kind.to_owned(),
            predicate,
            subjects,
            summary,
        };
        let claim = document.attached_or_referenced_with(draft, &self.media_type, proven)?;
        claim.check()
    }
}

impl Attestation {
    /// Fails if the document says that somebody else signed.
    pub fn check_signer(&self, evidence: &Evidence) -> Result<(), Mismatch> {
        match &self.publisher {
            Some(publisher) => publisher.check(&evidence.signer),
            None => Ok(()),
        }
    }
}

/// The predicate, if it is handed on as it was signed.
fn handed_on(kind: &str, statement: &Value) -> Option<Value> {
    let root = Node::root("$", statement);
    let predicate = root.get("predicate").filter(|node| !node.value().is_null());
    let Some(predicate) = predicate else {
        // Publishers of packages sign that they published, and nothing more.
        let says_nothing = Kind::of(kind).short_name().is_none();
        return says_nothing.then(|| Value::Object(Vec::new()));
    };
    let is_taken = match Provenance::read(kind, &predicate) {
        Some(read) => read.is_ok(),
        None => Kind::of(kind).short_name().is_none() && predicate.object().is_ok(),
    };
    is_taken.then(|| predicate.value().clone())
}
