//! What to tell a peer about a head, in 16 bytes.
//!
//! A line names a log and a head of it, by 8 bytes of a hash each. The name of a head is salted
//! with random bytes of the exchange: a log chooses its trees, and could else find two with one
//! name by 2^32 tries.

use crate::hash::Hash;
use crate::head::VerifiedHead;
use crate::tree::TreeSize;

/// Random bytes of one exchange, of whoever opens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Salt(pub [u8; 16]);

/// The first 8 bytes of the SHA-256 of a log's origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogId(pub u64);

impl LogId {
    /// The log with this origin.
    pub fn of(origin: &str) -> Self {
        LogId(first_word(&Hash::of(origin.as_bytes())))
    }
}

/// The first 8 bytes of the SHA-256 of salt, size (64 bits, big-endian) and root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NoteId(pub u64);

/// One line of a digest: a log, and a head of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// Which log.
    pub log: LogId,
    /// Which head.
    pub note: NoteId,
}

/// A size and its root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Point {
    pub size: TreeSize,
    pub root: Hash,
}

impl Point {
    pub fn of(head: &VerifiedHead) -> Self {
        Point {
            size: head.size(),
            root: head.root(),
        }
    }

    pub fn id(&self, salt: Salt) -> NoteId {
        let mut bytes = [0; 16 + 8 + Hash::LEN];
        bytes[..16].copy_from_slice(&salt.0);
        bytes[16..24].copy_from_slice(&self.size.get().to_be_bytes());
        bytes[24..].copy_from_slice(self.root.as_bytes());
        NoteId(first_word(&Hash::of_short(&bytes)))
    }
}

pub(super) fn first_word(hash: &Hash) -> u64 {
    let (words, _) = hash.as_bytes().as_chunks::<8>();
    words.first().copied().map_or(0, u64::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_these_bytes() {
        let point = Point {
            size: TreeSize::new(0x0102),
            root: Hash::of(b"root"),
        };
        let spelled = [
            &[7; 16][..],
            &[0, 0, 0, 0, 0, 0, 1, 2],
            &point.root.as_bytes()[..],
        ];
        let expected = Hash::of(&spelled.concat());
        let expected = u64::from_str_radix(&expected.to_hex()[..16], 16).unwrap();
        assert_eq!(point.id(Salt([7; 16])), NoteId(expected));
        assert_ne!(point.id(Salt([8; 16])), NoteId(expected));
        // Of the SHA-256 of nothing.
        assert_eq!(LogId::of(""), LogId(0xe3b0_c442_98fc_1c14));
    }
}
