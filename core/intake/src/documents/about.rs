//! Whether claims of a document can be about subjects that the caller gives. About others than the
//! document is of they would be false, for ever and signed.

use super::document::Document;
use super::draft::Prepared;
use super::error::DocumentError;
use assay_claims::statement::Subject;

/// The rule of a kind of documents. The subjects are at least one.
pub(super) type Rule = fn(&Document, &[Prepared], &[Subject]) -> Result<(), DocumentError>;

/// A document that leaves it to the caller.
pub(super) fn any(_: &Document, _: &[Prepared], _: &[Subject]) -> Result<(), DocumentError> {
    Ok(())
}

/// A document of several claims, each of which it says the subject of.
pub(super) fn what_it_names(
    _: &Document,
    prepared: &[Prepared],
    _: &[Subject],
) -> Result<(), DocumentError> {
    if prepared.iter().all(|one| one.subjects.is_empty()) {
        return Ok(());
    }
    let reason = "it says itself which version of which package each claim is of; leave --subject \
                  out";
    Err(DocumentError::NotTaken(reason.into()))
}

/// A document of several release cycles, which are of no one version.
pub(super) fn every_version(
    _: &Document,
    prepared: &[Prepared],
    subjects: &[Subject],
) -> Result<(), DocumentError> {
    let cycles = prepared.len();
    if cycles < 2 || subjects.iter().all(has_no_version) {
        return Ok(());
    }
    Err(DocumentError::NotTaken(format!(
        "it has dates of {cycles} release cycles, but --subject names one version; name the \
         package without a version"
    )))
}

fn has_no_version(subject: &Subject) -> bool {
    let versioned = subject.purl().is_some_and(|purl| purl.version().is_some());
    subject.uri().is_some() && !versioned
}
