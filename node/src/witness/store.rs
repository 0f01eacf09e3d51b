//! What a witness stores, in a table of its own:
//!
//! ```text
//! "name"                         the witness's name
//! "floor"                        u64be(seconds since 1970, UTC): the floor of its clock
//! "w/"  ‖ SHA-256(origin)        the state of a log: the record of `assay_tlog::witness::LogState`
//! "wn/" ‖ SHA-256(origin)        the head's note, with the log's verified signatures
//! ```
//!
//! State, note and floor change in one batch. Keys and bytes are part of the format on disk and
//! never change.

use crate::signer::own::{Own, OwnError};
use crate::storage::{Batch, StorageError, Table, Tables};
use assay_tlog::Hash;
use assay_tlog::witness::{LogState, Pending, StateError};

/// Its name and the floor of its clock.
pub const OWN: Own = Own {
    what: "witness",
    table: Table::Witness,
    name: b"name",
    floor: b"floor",
};

/// Why what is stored cannot be relied on.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// It is not this witness's store.
    #[error(transparent)]
    Own(#[from] OwnError),
    /// The state of a log cannot be relied on.
    #[error(
        "the record of what was cosigned of {origin:?} cannot be relied on: {reason}. This log is \
         not cosigned. Bring back a copy of the data folder that is not older than the last \
         cosignature, or retire the keys"
    )]
    Damaged {
        /// The log.
        origin: String,
        /// What is wrong with the record.
        reason: StateError,
    },
}

fn state_key(origin: &str) -> Vec<u8> {
    [b"w/", &Hash::of(origin.as_bytes()).as_bytes()[..]].concat()
}

fn note_key(origin: &str) -> Vec<u8> {
    [b"wn/", &Hash::of(origin.as_bytes()).as_bytes()[..]].concat()
}

/// Returns the state of a log. Fails with [`StoredError::Damaged`] or as the store does.
pub fn state(store: &impl Tables, origin: &str) -> Result<LogState, StoredError> {
    match store.get(Table::Witness, &state_key(origin))? {
        None => Ok(LogState::Never),
        Some(record) => {
            LogState::from_record(origin, &record).map_err(|reason| StoredError::Damaged {
                origin: origin.to_owned(),
                reason,
            })
        }
    }
}

/// Returns the note of the head that was cosigned, if there is one.
pub fn note(store: &impl Tables, origin: &str) -> Result<Option<String>, StorageError> {
    let note = store.get(Table::Witness, &note_key(origin))?;
    Ok(note.and_then(|bytes| String::from_utf8(bytes.into()).ok()))
}

/// Adds to `batch` what has to be durable before `pending` is signed: the state and the note.
pub fn put_pending(batch: &mut Batch, pending: &Pending) {
    let head = pending.head();
    put_state(batch, head.origin(), &pending.after());
    batch.put(
        Table::Witness,
        note_key(head.origin()),
        head.note().to_owned(),
    );
}

/// Adds the state of a log to `batch`.
pub fn put_state(batch: &mut Batch, origin: &str, state: &LogState) {
    if let Some(record) = state.record(origin) {
        batch.put(Table::Witness, state_key(origin), record.to_vec());
    }
}
