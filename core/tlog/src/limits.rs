//! Every limit that a stranger's input meets, with its reason. A limit is checked before anything
//! is allocated for what it limits.

/// Longest serialized entry, in bytes: C2SP tlog-tiles prefixes an entry in a bundle with a 16-bit
/// length.
pub const ENTRY_BYTES: usize = 65_535;

/// Most hashes in an inclusion or consistency proof: the height of the tallest tree that a 64-bit
/// size can state.
pub const PROOF_HASHES: usize = 64;

/// Longest signed note, in bytes: a checkpoint with a few dozen cosignatures takes 10 KiB.
pub const NOTE_BYTES: usize = 1024 * 1024;

/// Most signature lines of a note (C2SP signed-note asks verifiers to bound them).
pub const NOTE_SIGNATURES: usize = 100;

/// Longest receipt (`.tlog-proof`), in bytes: an entry in base64, 64 hashes and a checkpoint fit
/// four times over.
pub const RECEIPT_BYTES: usize = 512 * 1024;

/// Most lines of one kind in a policy. C2SP tlog-policy asks for at least 32, and a note has at
/// most [`NOTE_SIGNATURES`].
pub const POLICY_LINES: usize = NOTE_SIGNATURES;

/// Most keys of one log: two algorithms, and as many again while keys are rotated, twice over.
pub const LOG_KEYS: usize = 8;

/// Longest body of a request to a witness, in bytes: 63 hashes, and a note with 16 signatures of
/// 5 KiB, which C2SP signed-note asks to accept.
pub const WITNESS_REQUEST_BYTES: usize = 128 * 1024;

/// Most hashes in a request to a witness (C2SP tlog-witness).
pub const WITNESS_PROOF_HASHES: usize = 63;

/// Most logs of a log list: as many as the largest one of the public witness network is made for.
pub const LIST_LOGS: usize = 100_000;

/// Longest log list, in bytes: 320 for each log. An Ed25519 key takes a quarter of that.
pub const LIST_BYTES: usize = 32_000_000;
