//! What a witness signs when it cosigns a checkpoint, and when (C2SP tlog-cosignature).
//!
//! ```text
//! type 0x04: signature = u64be(timestamp) ‖ Ed25519 over the message, 64 bytes
//!            message   = "cosignature/v1\ntime <timestamp, decimal>\n" ‖ the text of the note
//! type 0x06: signature = u64be(timestamp) ‖ ML-DSA-44 over the message, 2,420 bytes
//!            message   = "subtree/v1\n\0" ‖ u8(length) ‖ cosigner's name ‖ u64be(timestamp)
//!                      ‖ u8(length) ‖ origin ‖ u64be(start) ‖ u64be(end) ‖ hash, 32 bytes
//! ```
//!
//! A checkpoint is the tree from 0 to its size. Left out: signatures of subtrees that begin later.

use crate::hash::Hash;
use crate::tree::TreeSize;

/// Returns the time and the rest of a cosignature, or `None` if it is too short or the time is out
/// of range ("It MUST NOT exceed 2^63 - 1").
pub(crate) fn split(cosignature: &[u8]) -> Option<(u64, &[u8])> {
    let (timestamp, signature) = cosignature.split_first_chunk::<8>()?;
    let timestamp = u64::from_be_bytes(*timestamp);
    i64::try_from(timestamp).ok()?;
    Some((timestamp, signature))
}

/// Returns what a witness signs with a key of type 0x04 when it cosigns the note with this text at
/// `timestamp`, in seconds since 1970 (UTC).
pub(crate) fn message(timestamp: u64, text: &[u8]) -> Vec<u8> {
    [header(timestamp).as_bytes(), text].concat()
}

/// The same of a note whose text is known to be text.
pub(crate) fn text(timestamp: u64, text: &str) -> String {
    header(timestamp) + text
}

fn header(timestamp: u64) -> String {
    format!("cosignature/v1\ntime {timestamp}\n")
}

/// Returns what is signed with a key of type 0x06 and of this name: that at `timestamp` the tree of
/// `size` leaves had this root. `None` if a name has over 255 bytes.
pub(crate) fn tree_message(
    name: &str,
    timestamp: u64,
    origin: &str,
    size: TreeSize,
    root: &Hash,
) -> Option<Vec<u8>> {
    let mut message = b"subtree/v1\n\0".to_vec();
    put_short(&mut message, name)?;
    message.extend_from_slice(&timestamp.to_be_bytes());
    put_short(&mut message, origin)?;
    message.extend_from_slice(&0_u64.to_be_bytes());
    message.extend_from_slice(&size.get().to_be_bytes());
    message.extend_from_slice(root.as_bytes());
    Some(message)
}

fn put_short(message: &mut Vec<u8>, text: &str) -> Option<()> {
    let length = u8::try_from(text.len()).ok()?;
    message.push(length);
    message.extend_from_slice(text.as_bytes());
    Some(())
}
