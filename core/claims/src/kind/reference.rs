//! `https://in-toto.io/attestation/reference/v0.1`: a claim that a document belongs to its
//! subjects. It stands in for any document that is too large for a claim, or whose predicate could
//! not be made without saying more than it says.

use super::descriptor::check_descriptor;
use super::error::PredicateError;
use super::node::Node;
use super::predicate::{Predicate, TypeOf};
use crate::json::{Value, object};

/// The predicate type's URI.
pub(super) const URI: &str = "https://in-toto.io/attestation/reference/v0.1";

/// The system that provides referenced documents: the attachment store of any log that speaks
/// Assay.
const ATTESTER: &str = "urn:assay:attachments:v1";

/// The predicate that references the documents that `descriptors` name. Each needs a `mediaType`
/// and a `downloadLocation` besides.
pub fn predicate(descriptors: Vec<Value>) -> Value {
    object([
        ("attester", Some(object([("id", Some(ATTESTER.into()))]))),
        ("references", Some(Value::Array(descriptors))),
    ])
}

/// A claim that documents belong to its subjects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The media types of the documents, in their order.
    pub media_types: Vec<String>,
}

impl Predicate for Reference {
    const NAME: &'static str = "reference";
    const TYPES: &'static [TypeOf<Self>] = &[TypeOf::new("reference", &[URI], Self::read)];
}

impl Reference {
    pub(super) fn read(predicate: &Node<'_, '_>) -> Result<Self, PredicateError> {
        check(predicate)?;
        let mut media_types = Vec::new();
        for reference in predicate.need("references")?.items()? {
            media_types.push(reference.need("mediaType")?.text()?.to_owned());
        }
        Ok(Reference { media_types })
    }
}

/// Specification: in-toto attestation, `spec/predicates/reference.md`.
fn check(predicate: &Node<'_, '_>) -> Result<(), PredicateError> {
    predicate.need("attester")?.need("id")?.text()?;
    for reference in predicate.need("references")?.items()? {
        reference.need("mediaType")?.text()?;
        reference.need("downloadLocation")?.text()?;
        check_descriptor(&reference)?;
    }
    Ok(())
}
