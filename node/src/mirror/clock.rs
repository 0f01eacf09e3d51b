//! The time that a mirror states, which is never before one that it stated.

use super::store;
use crate::log::now_ms;
use crate::storage::{Batch, StorageError, Tables};
use assay_tlog::witness::{ClockFault, ClockFloor};
use std::sync::{Mutex, PoisonError};

/// Seconds by which the floor has to rise before it is stored by itself.
const EVERY_S: u64 = 60;

/// Seconds since 1970 (UTC). 0, which no cosignature can state, if the clock is before that.
pub fn now() -> u64 {
    now_ms() / 1000
}

/// The clock of a mirror, with its floor: the latest time that is known to be right.
#[derive(Debug)]
pub struct MirrorClock {
    floor: Mutex<ClockFloor>,
    now: fn() -> u64,
}

impl MirrorClock {
    /// The clock `now`, in seconds since 1970 (UTC), and the floor that is stored.
    pub fn new(floor: ClockFloor, now: fn() -> u64) -> Self {
        MirrorClock {
            floor: Mutex::new(floor),
            now,
        }
    }

    /// What the clock shows.
    pub fn now(&self) -> u64 {
        (self.now)()
    }

    /// Returns the time to be stated of a log of which `last` was stated before, and adds the floor
    /// to `batch`, which the caller commits. Fails with [`ClockFault`].
    pub fn state(&self, last: u64, batch: &mut Batch) -> Result<u64, ClockFault> {
        let mut floor = self.floor.lock().unwrap_or_else(PoisonError::into_inner);
        *floor = floor.advanced(self.now())?;
        store::put_floor(batch, *floor);
        Ok(floor.seconds().max(last))
    }

    /// Stores the floor if it rose by a minute, so that a mirror whose logs are idle knows after a
    /// restart that its clock is right. A clock that is not believed changes nothing.
    pub fn keep(&self, store: &impl Tables) -> Result<(), StorageError> {
        let mut batch = Batch::new();
        {
            let mut floor = self.floor.lock().unwrap_or_else(PoisonError::into_inner);
            let Ok(risen) = floor.advanced(self.now()) else {
                return Ok(());
            };
            if risen.seconds() < floor.seconds() + EVERY_S {
                return Ok(());
            }
            *floor = risen;
            store::put_floor(&mut batch, risen);
        }
        store.commit(batch)
    }
}
