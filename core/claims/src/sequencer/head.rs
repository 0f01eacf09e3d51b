//! The head: what the store knows of the tree's state, written in the same batch as the entries
//! that led to it.

use assay_tlog::tree::TreeSize;
use assay_tlog::{Hash, hash};

const VERSION: u8 = 2;
const LENGTH: usize = 1 + 8 + Hash::LEN + 8 + 8;

/// The state of the tree after the last committed batch. It may be ahead of the last published
/// checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Leaves in the tree.
    pub size: TreeSize,
    /// Root at that size.
    pub root: Hash,
    /// The largest `logged_at_ms` given so far, in milliseconds since 1970 (UTC).
    pub last_ms: u64,
    /// Size of the tree whose last leaf is the newest commitment to the index. The tree can be
    /// signed only if that is its own size.
    pub last_commitment: TreeSize,
}

/// Why bytes are not a head.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// Wrong length, or a version that this build does not know.
    #[error(
        "the store's head record has {length} bytes and version {version:?}; this build reads \
         version {VERSION}"
    )]
    Unknown {
        /// Bytes in the record.
        length: usize,
        /// Its first byte.
        version: Option<u8>,
    },
}

impl Head {
    /// The head of a log without leaves.
    pub fn empty() -> Self {
        Head {
            size: TreeSize::new(0),
            root: hash::empty_root(),
            last_ms: 0,
            last_commitment: TreeSize::EMPTY,
        }
    }

    /// Whether the last leaf commits to the index of all before it, as the last leaf of every
    /// signed tree must (docs/design.md 3.5).
    pub fn ends_in_commitment(&self) -> bool {
        self.size == self.last_commitment && self.size > TreeSize::EMPTY
    }

    /// The head's bytes, as the store keeps them.
    pub fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.size.get().to_be_bytes());
        bytes.extend_from_slice(self.root.as_bytes());
        bytes.extend_from_slice(&self.last_ms.to_be_bytes());
        bytes.extend_from_slice(&self.last_commitment.get().to_be_bytes());
        bytes
    }

    /// Reads what [`Head::to_bytes`] wrote.
    pub fn parse(bytes: &[u8]) -> Result<Self, HeadError> {
        let unknown = || HeadError::Unknown {
            length: bytes.len(),
            version: bytes.first().copied(),
        };
        let bytes: &[u8; LENGTH] = bytes.try_into().map_err(|_| unknown())?;
        if bytes[0] != VERSION {
            return Err(unknown());
        }
        let number = |at: usize| {
            let mut eight = [0; 8];
            eight.copy_from_slice(&bytes[at..at + 8]);
            u64::from_be_bytes(eight)
        };
        let mut root = [0; Hash::LEN];
        root.copy_from_slice(&bytes[9..41]);
        Ok(Head {
            size: TreeSize::new(number(1)),
            root: Hash::new(root),
            last_ms: number(41),
            last_commitment: TreeSize::new(number(49)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_reads_back_and_nothing_else_does() {
        let size = TreeSize::new(3);
        let head = Head {
            size,
            root: Hash::of(b"r"),
            last_ms: 9,
            last_commitment: TreeSize::new(2),
        };
        assert!(
            !head.ends_in_commitment()
                && Head {
                    last_commitment: size,
                    ..head
                }
                .ends_in_commitment()
        );
        let bytes = head.to_bytes();
        assert_eq!(Head::parse(&bytes), Ok(head));
        assert!(Head::parse(&bytes[1..]).is_err());
        assert!(Head::parse(&[&[1], &bytes[1..]].concat()).is_err());
    }
}
