"""Every limit that a stranger's bytes meet, before anything is allocated for them.

The numbers are those of the Rust implementation (`core/tlog/src/limits.rs`,
`core/claims/src/limits.rs`), so that both refuse the same bytes.
"""

# Longest signed note, in bytes, and most signature lines of one (C2SP signed-note).
NOTE_BYTES = 1024 * 1024
NOTE_SIGNATURES = 100
# Longest origin of a log, in bytes: all that a cosignature of type 0x06 can state.
ORIGIN_BYTES = 255
# Most keys of one log, and most lines of one kind in a policy.
LOG_KEYS = 8
POLICY_LINES = 100
POLICY_BYTES = 1024 * 1024
# Most hashes in an inclusion proof: the height of the tallest tree of 64 bits.
PROOF_HASHES = 64
# Longest file of a receipt, in bytes.
RECEIPT_BYTES = 512 * 1024

# Entries (docs/index.md 1.1).
ENTRY_BYTES = 65_535
PAYLOAD_BYTES = 32 * 1024
SIGNATURES = 16
# Deepest nesting of JSON in a payload (docs/index.md 3.5).
JSON_DEPTH = 32
SUBJECTS = 1024
ISSUER_KEYS = 8

# Answers (docs/index.md 8 and 9).
WHOLE_LIST = 10_000
LISTED_LEAVES = 4_194_304
LABEL_ENTRIES = 1_000
RANGE_HASHES = 128
PAGE = 1_000
LOOKUP_NAMES = 65_536
LOOKUP_BY = 4_096
# Largest answer that is read if the caller does not say otherwise, in bytes. JSON takes up to
# thirty times its length in memory, so that less of it is read.
ANSWER_BYTES = 16 * 1024 * 1024
ANSWER_JSON_BYTES = ANSWER_BYTES // 2
# Most fields of an answer with those of its lists, most entries, and most values of a JSON text.
# Each costs much more than its bytes, and an answer of 16 MiB that says something has fewer: an
# entry takes over 128 bytes. Numbers that are packed, as they are written, are one field.
FIELDS = 524_288
ENTRIES = 131_072
JSON_VALUES = 262_144
