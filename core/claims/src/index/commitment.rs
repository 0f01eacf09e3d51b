//! The log's commitment to its index: what the last leaf of every published checkpoint says.

use super::{MAPPING_VERSION, trie};
use crate::entry::{Entry, wire};
use assay_tlog::Hash;
use assay_tlog::tree::LeafIndex;
use bytes::Bytes;

/// The version of the rules by which entries are admitted that this code keeps (docs/design.md
/// 3.5). A reader does not depend on it: what a log may admit can change, what the index maps
/// cannot.
pub const ADMISSION_VERSION: u32 = 1;

/// A commitment of a mapping version that this code knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commitment {
    /// The root of the trie.
    pub root: Hash,
    /// Distinct labels in it.
    pub labels: u64,
}

/// Why an entry is not a commitment that can be relied on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitmentError {
    /// The entry holds something else.
    #[error("leaf {0} is not an index commitment")]
    Missing(LeafIndex),
    /// Its root does not have 32 bytes.
    #[error("the index commitment has a root of {0} bytes; it must have 32")]
    Root(usize),
    /// The log maps entries to labels by rules that this code does not know. Fail closed: an answer
    /// could be incomplete without anybody noticing.
    #[error(
        "unsupported mapping version {found}; version {MAPPING_VERSION} is supported. A newer \
         release is needed to read this log's index"
    )]
    Unsupported {
        /// The version in the commitment.
        found: u32,
    },
}

impl Commitment {
    /// The commitment to the index without labels, which leaf 0 holds.
    pub fn empty() -> Self {
        Commitment {
            root: trie::empty(),
            labels: 0,
        }
    }

    /// Reads the commitment in the entry at leaf `index`.
    pub fn of_entry(entry: &Entry, index: LeafIndex) -> Result<Self, CommitmentError> {
        match entry.body() {
            wire::Body::IndexCommitment(commitment) => Self::parse(commitment),
            wire::Body::Claim(_) => Err(CommitmentError::Missing(index)),
        }
    }

    fn parse(commitment: &wire::IndexCommitment) -> Result<Self, CommitmentError> {
        if commitment.mapping_version != MAPPING_VERSION {
            return Err(CommitmentError::Unsupported {
                found: commitment.mapping_version,
            });
        }
        let root = Hash::from_slice(&commitment.root)
            .ok_or(CommitmentError::Root(commitment.root.len()))?;
        Ok(Commitment {
            root,
            labels: commitment.labels,
        })
    }

    /// What the entry says, of the versions that this code knows.
    pub fn to_wire(self) -> wire::IndexCommitment {
        wire::IndexCommitment {
            root: Bytes::copy_from_slice(self.root.as_bytes()),
            labels: self.labels,
            mapping_version: MAPPING_VERSION,
            admission_version: ADMISSION_VERSION,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry;

    fn read(commitment: wire::IndexCommitment) -> Result<Commitment, CommitmentError> {
        Commitment::of_entry(
            &Entry::parse(entry::encode(1, commitment).unwrap()).unwrap(),
            LeafIndex::new(4),
        )
    }

    #[test]
    fn a_commitment_reads_back_and_another_version_fails_closed() {
        let commitment = Commitment {
            root: Hash::of(b"x"),
            labels: 3,
        };
        assert_eq!(read(commitment.to_wire()), Ok(commitment));
        for found in [0, 1, 3, u32::MAX] {
            let other = wire::IndexCommitment {
                mapping_version: found,
                ..commitment.to_wire()
            };
            assert_eq!(read(other), Err(CommitmentError::Unsupported { found }));
        }
        let short = wire::IndexCommitment {
            root: vec![0; 31].into(),
            ..commitment.to_wire()
        };
        assert_eq!(read(short), Err(CommitmentError::Root(31)));
        let claim = wire::Claim {
            payload_type: crate::claim::PAYLOAD_TYPE.into(),
            signatures: vec![wire::ClaimSignature {
                signature: vec![1; 64].into(),
                public_key: vec![2; 32].into(),
                issuer_id: vec![3; 32].into(),
            }],
            ..wire::Claim::default()
        };
        let claim = Entry::parse(entry::encode(1, claim).unwrap()).unwrap();
        assert_eq!(
            Commitment::of_entry(&claim, LeafIndex::new(4)),
            Err(CommitmentError::Missing(LeafIndex::new(4)))
        );
    }
}
