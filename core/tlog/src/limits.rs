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

/// Longest origin of a log, in bytes: all that a cosignature of type 0x06 can state.
pub const ORIGIN_BYTES: usize = 255;

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

/// Heads of one log that a gossip pool keeps beside its tip: a log that signs many that cannot be
/// linked costs no more.
pub const GOSSIP_WAITING: usize = 8;

/// Most bytes of a head that a gossip pool keeps: its note, and its origin once more. The note of
/// a log with the longest origin and key name, and one signature of type 0x06, fits.
pub const GOSSIP_HEAD_BYTES: usize = 4096;

/// Longest name of a log's key whose heads are gossiped, in bytes, so that every head fits into
/// [`GOSSIP_HEAD_BYTES`] with one signature.
pub const GOSSIP_KEY_NAME_BYTES: usize = 255;

/// Trees of a log that are known to be beginnings of its tip, kept as size and root: peers that
/// are a little behind are recognized without a question to the log.
pub const GOSSIP_LINKED: usize = 16;

/// Most proofs of misbehavior of one culprit that are kept in a gossip pool, by their ids. One
/// convicts.
pub const GOSSIP_EVIDENCE: usize = 4;

/// Most culprits of which a gossip pool knows evidence.
pub const GOSSIP_CULPRITS: usize = 100_000;

/// Most lines of a digest: 4 KiB.
pub const GOSSIP_LINES: usize = 256;

/// Lines to which a digest is filled up when little has changed. A peer has three exchanges of its
/// own in a round and as many of others, each with a digest in either direction: 12 KiB in all.
pub const GOSSIP_IDLE_LINES: usize = 64;

/// Most heads that are asked for, and sent, in one exchange.
pub const GOSSIP_NOTES: usize = 64;

/// Most bytes of notes in one exchange and direction: [`GOSSIP_NOTES`] of the largest.
pub const GOSSIP_NOTES_BYTES: usize = GOSSIP_NOTES * GOSSIP_HEAD_BYTES;

/// Most ids of evidence in one turn of an exchange.
pub const GOSSIP_EVIDENCE_IDS: usize = 64;

/// Ids of evidence that all should have by now, named in each exchange, by turns.
pub const GOSSIP_OLD_EVIDENCE_IDS: usize = 4;

/// Most bytes of evidence in one turn of an exchange: one text of the largest size.
pub const GOSSIP_EVIDENCE_BYTES: usize = 256 * 1024;

/// Turns of an exchange: digest, digest, and three times heads or evidence of either side.
pub const GOSSIP_TURNS: usize = 8;

/// Most questions to logs and mirrors that are handed out at once.
pub const GOSSIP_QUESTIONS: usize = 64;

/// Most heads that a client submits at once.
pub const GOSSIP_SUBMITTED: usize = 16;

/// Rounds for which a change is told to every peer that is met: enough for a hundred peers, twice.
pub const GOSSIP_FRESH_ROUNDS: u64 = 12;
