//! How the table of what is taken calls the tools.

use super::document::Document;
use super::draft::Prepared;
use super::error::DocumentError;
use assay_claims::json::Value;
use assay_claims::kind::node::Node;

/// The documents of one tool, or of one version of it.
pub(super) struct Tool {
    /// Whether a document is one of them.
    pub takes: Takes,
    /// Makes the claims of it: at least one.
    pub prepare: fn(&Source<'_>) -> Result<Vec<Prepared>, DocumentError>,
}

/// By what a document is recognized.
pub(super) enum Takes {
    /// By its bytes, without a byte order mark. The tool reads them itself.
    Bytes(fn(&[u8]) -> bool),
    /// By its value.
    Value(fn(&Value) -> bool),
}

/// A document that a tool is to make claims of.
pub(super) struct Source<'d> {
    /// The document.
    pub document: &'d Document,
    /// Its value, or null for a tool that recognizes its documents by their bytes.
    pub value: &'d Value,
    /// The RFC 3339 time that stands where the document gives none and the predicate needs one.
    pub now: &'d str,
}

impl<'d> Source<'d> {
    /// The top of the value.
    pub fn root(&self) -> Node<'d, 'd> {
        Node::root("$", self.value)
    }
}
