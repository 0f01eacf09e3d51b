//! The time that a mirror states, which is never before one that it stated.

use super::store::OWN;
use crate::log::now_ms;
use crate::signer::floor_file::FloorFile;
use crate::storage::{Batch, StorageError, Tables};
use assay_tlog::witness::{ClockFault, ClockFloor};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Seconds by which the floor has to rise before it is stored by itself.
const EVERY_S: u64 = 60;

/// Why no time is stated.
#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    /// The clock shows no time that may be stated.
    #[error(transparent)]
    Fault(#[from] ClockFault),
    /// The floor cannot be stored.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Seconds since 1970 (UTC). 0, which no cosignature can state, if the clock is before that.
pub fn now() -> u64 {
    now_ms() / 1000
}

/// The clock of a mirror, with its floor: the latest time that is known to be right.
///
/// The floor is held while it is stored, so that neither the store nor the file ever gets a lower
/// one after a higher one.
#[derive(Debug)]
pub struct MirrorClock {
    floor: Mutex<Floor>,
    now: fn() -> u64,
}

#[derive(Debug)]
struct Floor {
    now: ClockFloor,
    /// The last one that was stored by itself.
    kept: ClockFloor,
    file: Option<FloorFile>,
}

impl MirrorClock {
    /// The clock `now`, in seconds since 1970 (UTC), the floor that is stored, and the file outside
    /// the store that has it, too.
    pub fn new(floor: ClockFloor, file: Option<FloorFile>, now: fn() -> u64) -> Self {
        MirrorClock {
            floor: Mutex::new(Floor {
                now: floor,
                kept: floor,
                file,
            }),
            now,
        }
    }

    /// What the clock shows.
    pub fn now(&self) -> u64 {
        (self.now)()
    }

    /// Stores what is about to be cosigned of a log of which the time `last` was stated before:
    /// `put` gets the time to be stated, and adds it to a batch, which is committed with the floor.
    /// Returns the time. Fails with [`ClockError::Fault`], changing nothing, or as the store does.
    pub fn commit(
        &self,
        store: &impl Tables,
        last: u64,
        put: impl FnOnce(&mut Batch, u64),
    ) -> Result<u64, ClockError> {
        let mut floor = self.lock();
        floor.now = floor.now.advanced(self.now())?;
        let at = floor.now.seconds().max(last);
        let mut batch = Batch::new();
        put(&mut batch, at);
        OWN.put_floor(&mut batch, floor.now);
        store.commit(batch)?;
        floor.stored();
        Ok(at)
    }

    /// Stores the floor if it rose by a minute, so that a mirror whose logs are idle knows after a
    /// restart that its clock is right. A clock that is not believed changes nothing.
    pub fn keep(&self, store: &impl Tables) -> Result<(), StorageError> {
        let mut floor = self.lock();
        let Ok(risen) = floor.now.advanced(self.now()) else {
            return Ok(());
        };
        if risen.seconds() < floor.kept.seconds() + EVERY_S {
            return Ok(());
        }
        floor.now = risen;
        let mut batch = Batch::new();
        OWN.put_floor(&mut batch, risen);
        store.commit(batch)?;
        floor.kept = risen;
        floor.stored();
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Floor> {
        self.floor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Floor {
    /// Raises the file to the floor, which is durable in the store.
    fn stored(&mut self) {
        if let Some(file) = &mut self.file {
            file.raise(self.now);
        }
    }
}
