//! What the operator says to a witness that is stopped: `pin` and `clock-ok`.

use super::config::WitnessConfig;
use super::init::BLOCK_CACHE_MIB;
use super::store::{self, StoredError};
use crate::config::ConfigError;
use crate::signer::own::{ClockOkError, OwnError};
use crate::storage::{
    Batch, StorageError, Store,
    backend::{Job, Opening},
};
use assay_tlog::Hash;
use assay_tlog::hash::empty_root;
use assay_tlog::tree::TreeSize;
use assay_tlog::witness::{ClockFloor, LogState};
use std::sync::Arc;

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store cannot be opened or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// It is not this witness's store.
    #[error(transparent)]
    Own(#[from] OwnError),
    /// What is stored cannot be relied on.
    #[error(transparent)]
    Stored(#[from] StoredError),
    /// The configuration has no such log.
    #[error("the configuration has no log {0:?}")]
    UnknownLog(String),
    /// A checkpoint was cosigned, which says more than the operator can.
    #[error("a checkpoint of {origin:?} with the size {size} was cosigned already")]
    Held {
        /// The log.
        origin: String,
        /// The size.
        size: TreeSize,
    },
    /// An empty tree has one root.
    #[error("the root of a tree of size 0 is the SHA-256 of nothing")]
    EmptyRoot,
}

/// What is known of a log that existed before this witness did.
#[derive(Debug)]
pub struct Pin<'a> {
    /// The log.
    pub origin: &'a str,
    /// The size of its tree.
    pub size: TreeSize,
    /// The root at that size.
    pub root: Hash,
}

/// Pins what is known of a log: its first checkpoint has to extend that. Fails if a checkpoint of
/// it was cosigned before. An earlier pin is replaced.
pub fn pin(config: &WitnessConfig, pin: Pin<'_>) -> Result<(), OperatorError> {
    if !config.log.iter().any(|log| log.origin == pin.origin) {
        return Err(OperatorError::UnknownLog(pin.origin.to_owned()));
    }
    if pin.size == TreeSize::EMPTY && pin.root != empty_root() {
        return Err(OperatorError::EmptyRoot);
    }
    let name = &config.witness.name;
    run(config, SetPin { name, pin })?
}

/// Raises the floor of the clock to `now`: see
/// [`Own::clock_ok`](crate::signer::own::Own::clock_ok).
pub fn clock_ok(config: &WitnessConfig, now: u64) -> Result<ClockFloor, ClockOkError> {
    let storage = &config.storage;
    let name = &config.witness.name;
    store::OWN.clock_ok(&storage.backend, opening(config), name, now)
}

fn run<J: Job>(config: &WitnessConfig, job: J) -> Result<J::Output, StorageError> {
    config.storage.backend.run(opening(config), job)
}

fn opening(config: &WitnessConfig) -> Opening<'_> {
    Opening {
        path: &config.storage.path,
        blobs: None,
        block_cache_mib: BLOCK_CACHE_MIB,
        create: false,
    }
}

struct SetPin<'a> {
    name: &'a str,
    pin: Pin<'a>,
}

impl Job for SetPin<'_> {
    type Output = Result<(), OperatorError>;

    fn run<S: Store + 'static>(self, store: Arc<S>) -> Self::Output {
        let Pin { origin, size, root } = self.pin;
        store::OWN.open(&*store, self.name)?;
        if let LogState::Held { size, .. } = store::state(&*store, origin)? {
            let origin = origin.to_owned();
            return Err(OperatorError::Held { origin, size });
        }
        let mut batch = Batch::new();
        store::put_state(&mut batch, origin, &LogState::Pinned { size, root });
        Ok(store.commit(batch)?)
    }
}
