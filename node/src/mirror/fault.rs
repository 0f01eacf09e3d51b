//! Why a mirror does not get on with a log, and whose fault that is.

use super::clock::ClockError;
use super::limits::NoRoom;
use super::site::FetchError;
use super::store::StoredError;
use crate::records::RecordError;
use crate::signer::floors::Contradicts;
use crate::storage::StorageError;
use assay_tlog::checkpoint::CheckpointError;
use assay_tlog::mirror::{AppendError, FinishError, FollowError, Fork, ResumeError, SourceFault};
use assay_tlog::note::CosignError;
use assay_tlog::tree::{ProveError, TreeSize};
use assay_tlog::witness::{ClockFault, ReloadError};

/// Why a round ended early. It is tried again, after a while.
#[derive(Debug, thiserror::Error)]
pub enum RoundError {
    /// The source does not answer, or not with what was asked for.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// What the source has for a checkpoint is not the log's.
    #[error("the source serves a checkpoint that is not the log's")]
    Checkpoint(#[from] CheckpointError),
    /// What the source serves is not the tree that the log signed.
    #[error("the source serves something else than the log signed")]
    Source(#[from] SourceFault),
    /// The source serves an older checkpoint than it did before.
    #[error("the source serves a checkpoint of size {served}, and {held} was there before")]
    OldHead {
        /// The size that is served.
        served: TreeSize,
        /// The size that is held.
        held: TreeSize,
    },
    /// The log signed two histories.
    #[error(transparent)]
    Fork(#[from] Fork),
    /// What was stored before cannot be relied on.
    #[error(transparent)]
    Stored(#[from] StoredError),
    /// What was stored before is not what it should be.
    #[error("this mirror's store is damaged")]
    Resume(#[from] ResumeError<RecordError>),
    /// A stored row cannot be read.
    #[error("this mirror's store cannot be read")]
    Record(#[from] RecordError),
    /// Stored tiles cannot be read.
    #[error("this mirror's store is damaged")]
    Tiles(#[from] ProveError<RecordError>),
    /// What was stored before is not the log's.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// What is stored is not the tree that is to be cosigned.
    #[error("this mirror's store is damaged")]
    Finish(#[from] FinishError<RecordError>),
    /// The log, or the disk, has no more room.
    #[error("this log is not copied any further: {0}")]
    NoRoom(#[from] NoRoom),
    /// Something cannot be stored.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Tiles that were checked do not lead to the root that they were checked against.
    #[error("the tiles of the tree of size {0} do not lead to its root")]
    Unproven(TreeSize),
    /// The clock shows no time that may be stated.
    #[error("{0}; nothing is cosigned")]
    Clock(#[from] ClockFault),
    /// What was stored cannot be signed.
    #[error(transparent)]
    Reload(#[from] ReloadError),
    /// The algorithm fails, or whoever holds a key.
    #[error(transparent)]
    Sign(#[from] CosignError),
    /// What was stored contradicts what was cosigned before.
    #[error(transparent)]
    Contradicts(#[from] Contradicts),
    /// The process is being stopped.
    #[error("the mirror is being stopped")]
    Stopped,
}

impl From<FollowError> for RoundError {
    fn from(error: FollowError) -> Self {
        match error {
            FollowError::Fork(fork) => RoundError::Fork(fork),
            FollowError::Unproven(size) => RoundError::Unproven(size),
        }
    }
}

impl From<ClockError> for RoundError {
    fn from(error: ClockError) -> Self {
        match error {
            ClockError::Fault(fault) => fault.into(),
            ClockError::Storage(error) => error.into(),
        }
    }
}

impl RoundError {
    /// Whether stored tiles are not those of a head that is stored.
    pub fn is_damage(&self) -> bool {
        let is_append = matches!(self, RoundError::Append(AppendError::Damaged(_)));
        let is_resume = matches!(
            self,
            RoundError::Resume(ResumeError::Root(_) | ResumeError::Tiles(_))
        );
        let is_finish = matches!(self, RoundError::Finish(_) | RoundError::Tiles(_));
        is_append || is_resume || is_finish
    }

    /// Whether whoever was asked is at fault, so that another one may have what is missing.
    pub fn is_of_source(&self) -> bool {
        matches!(
            self,
            RoundError::Fetch(_)
                | RoundError::Checkpoint(_)
                | RoundError::Source(_)
                | RoundError::Unproven(_)
                | RoundError::OldHead { .. }
        )
    }

    /// Whether memory and store say the same although this failed: there was no room for what came,
    /// no time to be stated, or whoever holds a key did not sign. Anybody who uploads can have that
    /// happen, and what is known of the log need not be loaded again for it.
    pub fn keeps_copy(&self) -> bool {
        let is_key = matches!(self, RoundError::Sign(CosignError::Elsewhere { .. }));
        is_key || matches!(self, RoundError::NoRoom(_) | RoundError::Clock(_))
    }

    /// What is at fault, for metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            RoundError::Fetch(_) => "unreachable",
            RoundError::Checkpoint(_) => "checkpoint",
            RoundError::Source(_) | RoundError::Unproven(_) => "source",
            RoundError::OldHead { .. } => "old_head",
            RoundError::Fork(_) => "fork",
            RoundError::Stored(_)
            | RoundError::Resume(_)
            | RoundError::Tiles(_)
            | RoundError::Append(_)
            | RoundError::Finish(_)
            | RoundError::Record(_)
            | RoundError::Storage(_) => "store",
            RoundError::NoRoom(_) => "limit",
            RoundError::Clock(_) => "clock",
            RoundError::Reload(_) | RoundError::Sign(_) | RoundError::Contradicts(_) => "sign",
            RoundError::Stopped => "stopped",
        }
    }
}
