//! Cosignatures of type 0x04 (C2SP tlog-cosignature): what a witness signs, and when.
//!
//! ```text
//! signature = u64be(timestamp) ‖ Ed25519 over the message, 64 bytes
//! message   = "cosignature/v1\ntime <timestamp, decimal>\n" ‖ the text of the checkpoint's note
//! ```
//!
//! Left out: making cosignatures, and those of type 0x06.

/// Returns the time and the Ed25519 signature of a cosignature, or `None` if it is too short or the
/// time is out of range ("It MUST NOT exceed 2^63 - 1").
pub(crate) fn split(cosignature: &[u8]) -> Option<(u64, &[u8])> {
    let (timestamp, signature) = cosignature.split_first_chunk::<8>()?;
    let timestamp = u64::from_be_bytes(*timestamp);
    i64::try_from(timestamp).ok()?;
    Some((timestamp, signature))
}

/// Returns what a witness signs when it cosigns the note with this text at `timestamp`, in seconds
/// since 1970 (UTC).
pub(crate) fn message(timestamp: u64, text: &[u8]) -> Vec<u8> {
    let header = format!("cosignature/v1\ntime {timestamp}\n");
    [header.as_bytes(), text].concat()
}
