//! Every limit that a stranger's input meets, with its reason. A limit is checked before anything
//! is allocated for what it limits.

pub use assay_tlog::limits::{ENTRY_BYTES, RECEIPT_BYTES};

/// Longest claim payload, in bytes. It leaves half of an entry to signatures and framing; what is
/// larger becomes an attachment.
pub const PAYLOAD_BYTES: usize = 32 * 1024;

/// Most signatures on a claim. Each costs a verification, and 16 × 160 bytes fit an entry beside
/// the largest payload.
pub const SIGNATURES: usize = 16;

/// Most keys of an issuer: all of them sign the first record, so no more than the signatures of a
/// claim.
pub const ISSUER_KEYS: usize = SIGNATURES;

/// Deepest nesting of JSON that is parsed: real statements stay below 12, and a recursive reader
/// needs a bound.
pub const JSON_DEPTH: usize = 32;

/// Most inner nodes of the index above a label. Labels are hashes: two that agree in their first 64
/// bits cost 2^32 tries to find, and every node more doubles that.
pub const INDEX_DEPTH: usize = 64;

/// Most labels in one batch of look-ups: the components of a large SBOM with package, version and
/// digest fit ten times.
pub const LOOKUP_LABELS: usize = 65_536;

/// Most subjects of a statement. The largest real release attestations name some hundreds of files.
pub const SUBJECTS: usize = 1024;

/// Most vulnerabilities of a claim that the index knows it by, and the longest identifier of one,
/// in bytes. Each costs a label; as many fit a payload only if hardly anything is said of each.
pub const VULNERABILITIES: usize = 1024;

/// See [`VULNERABILITIES`].
pub const VULNERABILITY_BYTES: usize = 128;

/// Longest package URL, in bytes.
pub const PURL_BYTES: usize = 1024;

/// Largest attachment, in bytes. Real SBOMs of whole distributions reach tens of megabytes.
pub const ATTACHMENT_BYTES: u64 = 64 * 1024 * 1024;

/// Largest page of a listing, in entries.
pub const PAGE: usize = 1000;
