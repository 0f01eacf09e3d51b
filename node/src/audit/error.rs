//! Why nothing is audited for now. It is this machine's fault, never the log's.

use super::replay::ReplayError;
use super::store::StoredError;
use crate::index::IndexError;
use crate::mirror::clock::ClockError;
use crate::misbehavior::FolderError;
use crate::records::RecordError;
use crate::signer::floors::Contradicts;
use crate::storage::StorageError;
use assay_tlog::checkpoint::CheckpointError;
use assay_tlog::note::CosignError;
use assay_tlog::tree::LeafIndex;
use assay_tlog::witness::ReloadError;

/// Why a round ended early. It is tried again, after a while.
#[derive(Debug, thiserror::Error)]
pub(super) enum AuditError {
    /// Rows cannot be read or written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// What was stored before cannot be relied on.
    #[error(transparent)]
    Stored(#[from] StoredError),
    /// A breach cannot be cleared.
    #[error(transparent)]
    Evidence(#[from] FolderError),
    /// There is no index to go on from.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
    /// An entry is not the one whose hash the mirror checked.
    #[error("the stored entry {0} is not the one that was copied: this mirror's store is damaged")]
    Damaged(LeafIndex),
    /// A note that is shown is not one.
    #[error("what was mirrored cannot be verified with the log's keys")]
    Note(#[from] CheckpointError),
    /// There is no time that may be stated.
    #[error("{0}; nothing is cosigned")]
    Clock(#[from] ClockError),
    /// What was stored cannot be signed.
    #[error(transparent)]
    Reload(#[from] ReloadError),
    /// The algorithm fails, or whoever holds a key.
    #[error(transparent)]
    Sign(#[from] CosignError),
    /// What was stored contradicts what was cosigned before.
    #[error(transparent)]
    Contradicts(#[from] Contradicts),
}

impl From<StorageError> for AuditError {
    fn from(error: StorageError) -> Self {
        AuditError::Record(error.into())
    }
}

impl AuditError {
    /// What of a replay is this machine's fault. A finding is not.
    pub fn of_replay(error: ReplayError) -> Result<Box<super::replay::Found>, Self> {
        match error {
            ReplayError::Found(found) => Ok(found),
            ReplayError::Record(error) => Err(error.into()),
            ReplayError::Index(error) => Err(error.into()),
            ReplayError::Random(error) => Err(AuditError::Random(error)),
        }
    }
}
