//! What a document or a file of dependencies meets before memory is taken for it. Limits of claims
//! are [`assay_claims::limits`].

use assay_claims::limits::ATTACHMENT_BYTES;

/// Largest document or file of dependencies that is read, in bytes: a document that is published
/// becomes an attachment if it is not small.
pub const DOCUMENT_BYTES: usize = ATTACHMENT_BYTES as usize;

/// Deepest nesting of JSON in a file of dependencies. Nested components take two levels each, and
/// old npm lock files nest as deep as the tree of packages; real ones stay below 40.
pub const COMPONENT_JSON_DEPTH: usize = 128;

/// Most components of one file of dependencies, counting those that could not be identified. The
/// largest real lock files and SBOMs of whole distributions have some tens of thousands.
pub const COMPONENTS: usize = 100_000;

/// Largest file of dependencies in YAML, in bytes: ten times the largest real lock files.
pub const COMPONENT_YAML_BYTES: usize = 16 * 1024 * 1024;

/// Most elements, attributes' owners and texts in a file of dependencies in XML. A component of an
/// SBOM has some twenty.
pub const COMPONENT_XML_NODES: u32 = 4_000_000;

/// Largest program that is read for what it says of itself, and largest database of rpm, in bytes.
pub const PROGRAM_BYTES: usize = 512 * 1024 * 1024;

/// Longest text that a program says of itself, expanded, in bytes. Those of large programs have
/// some hundred thousand.
pub const COMPONENT_PROGRAM_TEXT_BYTES: usize = 8 * 1024 * 1024;
