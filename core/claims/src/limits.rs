//! Every limit that a stranger's input meets, with its reason. A limit is checked before anything
//! is allocated for what it limits.

pub use assay_tlog::limits::{ENTRY_BYTES, PROOF_HASHES, RECEIPT_BYTES};

/// Longest claim payload, in bytes. It leaves half of an entry to signatures and framing; what is
/// larger becomes an attachment.
pub const PAYLOAD_BYTES: usize = 32 * 1024;

/// Most signatures on a claim. Each costs a verification, and 16 × 160 bytes fit an entry beside
/// the largest payload.
pub const SIGNATURES: usize = 16;

/// Most keys of an issuer. All of them and all of its rotation keys sign the first record, which
/// has at most [`SIGNATURES`].
pub const ISSUER_KEYS: usize = 8;

/// Most rotation keys of an issuer. See [`ISSUER_KEYS`].
pub const ISSUER_ROTATION_KEYS: usize = SIGNATURES - ISSUER_KEYS;

/// Deepest nesting of JSON that is parsed: real statements stay below 12, and a recursive reader
/// needs a bound.
pub const JSON_DEPTH: usize = 32;

/// Most labels of an entry: as many as 16 issuers have who sign about a hundred artifacts. Each
/// costs the index a node (docs/design.md 3.5).
pub const LABELS: usize = 2048;

/// Most names in one look-up: the components of a large SBOM with package, version and digest fit
/// ten times.
pub const LOOKUP_NAMES: usize = 65_536;

/// Most issuers, or types, in one look-up: all that a policy may trust (docs/design.md 7).
pub const LOOKUP_BY: usize = 4096;

/// Longest list that an answer about names holds, in leaves. Whoever has said more about one thing
/// is heard on it from the beginning on, as far as this (docs/design.md 7), so that the list need
/// not come.
pub const WHOLE_LIST: u64 = 10_000;

/// Entries of each list that an answer must bring: the first ones of it. Rarely has anybody said
/// more about one thing, so that a private question, after which nothing more may be asked about
/// one name alone, has a whole answer (docs/index.md 8.1).
pub const LABEL_ENTRIES: usize = 1000;

/// Most leaves in all lists of an answer together. Each costs a hash and some ten bytes: about a
/// second of work and 100 MiB of memory.
pub const LISTED_LEAVES: u64 = 4 << 20;

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

/// Longest text of misbehavior, in bytes: two notes with eight signatures of ML-DSA-44 take a
/// quarter of it.
pub const MISBEHAVIOR_BYTES: usize = 256 * 1024;
