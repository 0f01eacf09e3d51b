//! What the operator says to a mirror whose node is stopped.

use super::run::BLOCK_CACHE_MIB;
use super::store::{self, StoredError};
use crate::config::MirrorConfig;
use crate::storage::{
    Batch, StorageError, Store,
    backend::{Job, Opening},
};
use assay_tlog::witness::{ClockFault, ClockFloor};
use std::sync::Arc;

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// The store cannot be opened or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// What is stored cannot be relied on.
    #[error(transparent)]
    Stored(#[from] StoredError),
    /// The clock is behind what was stated, or impossible.
    #[error("{0}; nobody can take back a time that was stated. Set the clock, or retire the keys")]
    Clock(#[from] ClockFault),
}

/// Raises the floor to what the clock shows, `now`, in seconds since 1970 (UTC). The operator has
/// compared it with another clock. Returns the floor.
pub fn confirm_clock(config: &MirrorConfig, now: u64) -> Result<ClockFloor, OperatorError> {
    let opening = Opening {
        path: &config.path,
        blobs: None,
        block_cache_mib: BLOCK_CACHE_MIB,
        create: false,
    };
    let name = &config.name;
    config.backend.run(opening, Confirm { name, now })?
}

struct Confirm<'a> {
    name: &'a str,
    now: u64,
}

impl Job for Confirm<'_> {
    type Output = Result<ClockFloor, OperatorError>;

    fn run<S: Store + 'static>(self, store: Arc<S>) -> Self::Output {
        let floor = store::open(&*store, self.name)?.confirmed_by_operator(self.now)?;
        let mut batch = Batch::new();
        store::put_floor(&mut batch, floor);
        store.commit(batch)?;
        Ok(floor)
    }
}
