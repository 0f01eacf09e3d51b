//! What a store says of the witness or mirror whose it is: its name, and the floor of its clock.

use crate::storage::{
    Batch, Reads, StorageError, Store, Table, Tables,
    backend::{Backend, Job, Opening},
};
use assay_tlog::witness::{ClockFault, ClockFloor};
use std::sync::Arc;

/// The two rows. They are part of the format on disk and never change.
#[derive(Debug, Clone, Copy)]
pub struct Own {
    /// What it is, as its command is called: `witness` or `mirror`.
    pub what: &'static str,
    /// The table.
    pub table: Table,
    /// The row with the name.
    pub name: &'static [u8],
    /// The row with the floor of the clock: u64be(seconds since 1970, UTC).
    pub floor: &'static [u8],
}

/// Why a store is not the one.
#[derive(Debug, thiserror::Error)]
pub enum OwnError {
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// It is no such store, or its first run was cut off.
    #[error(
        "this data folder is no {what}'s. If the {what} is new, make it with `assay-node {what} \
         init`; if not, bring its data folder back. If that is lost, retire the keys and make a \
         new {what}: one that does not know what it signed may sign the opposite"
    )]
    Nobodys {
        /// What it should be.
        what: &'static str,
    },
    /// It is another one's.
    #[error(
        "this data folder is that of the {what} {stored:?}, and the configuration names \
         {configured:?}: each has its own, because it says what was signed"
    )]
    Others {
        /// What it is.
        what: &'static str,
        /// The name in the store.
        stored: String,
        /// The name in the configuration.
        configured: String,
    },
}

/// Why the floor of a clock was not raised.
#[derive(Debug, thiserror::Error)]
pub enum ClockOkError {
    /// The store cannot be opened or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// It is not the one.
    #[error(transparent)]
    Own(#[from] OwnError),
    /// The clock is behind what was stated, or impossible.
    #[error("{0}; nobody can take back a time that was stated. Set the clock, or retire the keys")]
    Clock(#[from] ClockFault),
}

impl Own {
    /// Makes a new store: its name, and the floor of a clock that its operator confirmed.
    pub fn create(
        &self,
        store: &impl Tables,
        name: &str,
        floor: ClockFloor,
    ) -> Result<(), StorageError> {
        let mut batch = Batch::new();
        batch.put(self.table, self.name, name.to_owned());
        self.put_floor(&mut batch, floor);
        store.commit(batch)
    }

    /// Demands that the store is that of `name`. Returns the floor of its clock.
    pub fn open(&self, store: &impl Reads, name: &str) -> Result<ClockFloor, OwnError> {
        let nobodys = OwnError::Nobodys { what: self.what };
        let Some(stored) = store.get(self.table, self.name)? else {
            return Err(nobodys);
        };
        if stored != name.as_bytes() {
            return Err(OwnError::Others {
                what: self.what,
                stored: String::from_utf8_lossy(&stored).into_owned(),
                configured: name.to_owned(),
            });
        }
        let floor = store.get(self.table, self.floor)?;
        let seconds = floor.and_then(|bytes| bytes.as_ref().try_into().ok());
        let seconds = seconds.map(u64::from_be_bytes);
        seconds.map(ClockFloor::new).ok_or(nobodys)
    }

    /// Adds the floor of the clock to `batch`.
    pub fn put_floor(&self, batch: &mut Batch, floor: ClockFloor) {
        let seconds = floor.seconds().to_be_bytes();
        batch.put(self.table, self.floor, seconds.to_vec());
    }

    /// Raises the floor to what the clock shows, `now`, in seconds since 1970 (UTC), in the store
    /// of `name`, which nobody has open. The operator has compared the clock with another one.
    /// Returns the floor.
    pub fn clock_ok(
        &self,
        backend: &Backend,
        opening: Opening<'_>,
        name: &str,
        now: u64,
    ) -> Result<ClockFloor, ClockOkError> {
        backend.run(
            opening,
            ClockOk {
                own: self,
                name,
                now,
            },
        )?
    }
}

struct ClockOk<'a> {
    own: &'a Own,
    name: &'a str,
    now: u64,
}

impl Job for ClockOk<'_> {
    type Output = Result<ClockFloor, ClockOkError>;

    fn run<S: Store + 'static>(self, store: Arc<S>) -> Self::Output {
        let floor = self.own.open(&*store, self.name)?;
        let floor = floor.confirmed_by_operator(self.now)?;
        let mut batch = Batch::new();
        self.own.put_floor(&mut batch, floor);
        store.commit(batch)?;
        Ok(floor)
    }
}
