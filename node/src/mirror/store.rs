//! What a mirror stores, in a data folder of its own:
//!
//! | table | key | value |
//! | --- | --- | --- |
//! | meta | `mirror/name` | the mirror's name |
//! | meta | `mirror/floor` | u64be(seconds since 1970, UTC): the floor of its clock |
//! | segments | SHA-256(origin) ‖ first entry, u64be | the bundle, as it is published |
//! | tiles | SHA-256(origin) ‖ level, u8 ‖ tile, u64be | its hashes |
//! | meta | `m/` ‖ SHA-256(origin) ‖ `/entries` | u64be(how many entries are stored) |
//! | meta | `m/` ‖ SHA-256(origin) ‖ `/bytes` | u64be(what they take, as `limits` counts it) |
//! | meta | `m/` ‖ SHA-256(origin) ‖ `/pending` | the note of the head that is being copied |
//! | meta | `m/` ‖ SHA-256(origin) ‖ `/state` | what was cosigned: [`LogState`]'s record |
//! | meta | `m/` ‖ SHA-256(origin) ‖ `/note` | the note of that head, with the log's signatures |
//! | meta | `m/` ‖ SHA-256(origin) ‖ `/lines` | the other signature lines that came with it |
//!
//! Bundles and tiles are the rows of [`records`], in a [`Part`](crate::storage::part::Part) of the
//! store. An auditor adds the others, and rows of its own ([`audit`](crate::audit)).
//!
//! A bundle, the tiles that it changes and the number of entries are one batch. State and note are
//! another one, and come after all entries of that head.

use crate::records::{self, RecordError, tile_key};
use crate::signer::own::{Own, OwnError};
use crate::storage::{Batch, Reads, StorageError, Table};
use assay_tlog::Hash;
use assay_tlog::checkpoint::CheckpointError;
use assay_tlog::head::{LogVerifier, VerifiedHead};
use assay_tlog::mirror::{Stored, Write};
use assay_tlog::tree::{Tile, TileIndex, TileReader, TreeSize, bundle};
use assay_tlog::witness::{LogState, StateError};
use bytes::Bytes;
use std::sync::Arc;

/// Its name and the floor of its clock.
pub const OWN: Own = Own {
    what: "mirror",
    table: Table::Meta,
    name: b"mirror/name",
    floor: b"mirror/floor",
};

/// Why what is stored cannot be relied on.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// It is not this mirror's store.
    #[error(transparent)]
    Own(#[from] OwnError),
    /// The record of what was cosigned of a log.
    #[error("the record of what was cosigned cannot be relied on")]
    State(#[from] StateError),
    /// A stored note is not one that the log's keys, as they are known now, signed.
    #[error(
        "a stored note cannot be verified with the log's keys; if it rotated them, give the older \
         ones, too"
    )]
    Note(#[from] CheckpointError),
    /// Rows that do not belong together.
    #[error("what is stored of this log is damaged: {0}")]
    Damaged(&'static str),
}

/// What is stored of one log.
#[derive(Debug, Default)]
pub struct StoredLog {
    /// How far it is copied.
    pub stored: Stored,
    /// What was cosigned.
    pub state: LogState,
    /// Signature lines of others that came with the head that was cosigned.
    pub lines: String,
    /// What the entries take of the disk.
    pub bytes: u64,
}

/// The rows of one log.
#[derive(Debug, Clone, Copy)]
pub struct Rows(Hash);

impl Rows {
    /// Those of the log of this origin.
    pub fn of(origin: &str) -> Self {
        Rows(Hash::of(origin.as_bytes()))
    }

    /// By the SHA-256 of its origin.
    pub fn digest(self) -> Hash {
        self.0
    }

    fn meta(self, row: &str) -> Vec<u8> {
        [b"m/", &self.0.as_bytes()[..], b"/", row.as_bytes()].concat()
    }

    fn bundle(self, index: u64) -> Vec<u8> {
        let first = index * records::WIDTH;
        [&self.0.as_bytes()[..], &first.to_be_bytes()].concat()
    }

    fn tile(self, tile: TileIndex) -> Vec<u8> {
        [&self.0.as_bytes()[..], &tile_key(tile)].concat()
    }

    /// Reads what is stored of the log. Fails with [`StoredError`].
    pub fn load(self, tables: &impl Reads, log: &LogVerifier) -> Result<StoredLog, StoredError> {
        let state = match tables.get(Table::Meta, &self.meta("state"))? {
            None => LogState::Never,
            Some(record) => LogState::from_record(log.origin(), &record)?,
        };
        let mirrored = self.head(tables, "note", log)?;
        let is_one_head = match (&state, &mirrored) {
            (LogState::Never, None) => true,
            (LogState::Held { size, root, .. }, Some(head)) => {
                head.size() == *size && head.root() == *root
            }
            _ => false,
        };
        if !is_one_head {
            return Err(StoredError::Damaged(
                "its note and its state are not of one head",
            ));
        }
        let entries = self.number(tables, "entries")?;
        let stored = Stored {
            mirrored,
            pending: self.head(tables, "pending", log)?,
            entries: TreeSize::new(entries),
        };
        let lines = self.text(tables, "lines")?.unwrap_or_default();
        Ok(StoredLog {
            stored,
            state,
            lines,
            bytes: self.number(tables, "bytes")?,
        })
    }

    fn number(self, tables: &impl Reads, row: &str) -> Result<u64, StoredError> {
        match tables.get(Table::Meta, &self.meta(row))? {
            None => Ok(0),
            Some(bytes) => number(&bytes).ok_or(StoredError::Damaged("a row is no number")),
        }
    }

    fn text(self, tables: &impl Reads, row: &str) -> Result<Option<String>, StoredError> {
        match tables.get(Table::Meta, &self.meta(row))? {
            None => Ok(None),
            Some(bytes) => match String::from_utf8(bytes.into()) {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err(StoredError::Damaged("a note is no text")),
            },
        }
    }

    fn head(
        self,
        tables: &impl Reads,
        row: &str,
        log: &LogVerifier,
    ) -> Result<Option<VerifiedHead>, StoredError> {
        let note = self.text(tables, row)?;
        Ok(note.map(|note| log.verify(&note)).transpose()?)
    }

    /// A row of `m/`, as it is stored.
    pub fn read(
        self,
        tables: &(impl Reads + ?Sized),
        row: &str,
    ) -> Result<Option<Bytes>, StorageError> {
        tables.get(Table::Meta, &self.meta(row))
    }

    /// Makes a head the pending one.
    pub fn put_pending(self, batch: &mut Batch, head: &VerifiedHead) {
        batch.put(Table::Meta, self.meta("pending"), head.note().to_owned());
    }

    /// Keeps a bundle, the tiles that it changes, how many entries there are then, and what they
    /// take.
    pub fn put_bundle(self, batch: &mut Batch, write: Write, bytes: u64) {
        for (tile, hashes) in &write.tiles {
            self.put_tile(batch, *tile, hashes);
        }
        self.put_entries(batch, write.bundle, write.bytes);
        self.put_number(batch, "entries", write.entries.get());
        self.put_number(batch, "bytes", bytes);
    }

    /// Keeps a tile.
    pub fn put_tile(self, batch: &mut Batch, tile: TileIndex, hashes: &[Hash]) {
        let bytes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
        batch.put(Table::Tiles, self.tile(tile), bytes);
    }

    /// Keeps a bundle.
    pub fn put_entries(self, batch: &mut Batch, index: u64, bytes: Vec<u8>) {
        batch.put(Table::Segments, self.bundle(index), bytes);
    }

    /// Says how many entries are stored.
    pub fn put_size(self, batch: &mut Batch, size: TreeSize) {
        self.put_number(batch, "entries", size.get());
    }

    fn put_number(self, batch: &mut Batch, row: &str, number: u64) {
        batch.put(Table::Meta, self.meta(row), number.to_be_bytes().to_vec());
    }

    /// Keeps what is about to be cosigned.
    pub fn put_cosigned(self, batch: &mut Batch, head: &VerifiedHead, at: u64, lines: &str) {
        let state = LogState::Held {
            size: head.size(),
            root: head.root(),
            at,
        };
        if let Some(record) = state.record(head.origin()) {
            batch.put(Table::Meta, self.meta("state"), record.to_vec());
        }
        batch.put(Table::Meta, self.meta("note"), head.note().to_owned());
        batch.put(Table::Meta, self.meta("lines"), lines.to_owned());
    }

    /// Reads the first `width` entries of a bundle, as they are published.
    pub fn read_bundle(
        self,
        tables: &impl Reads,
        index: u64,
        width: usize,
    ) -> Result<Bytes, RecordError> {
        let bytes = tables.get(Table::Segments, &self.bundle(index))?;
        let bytes = bytes.ok_or_else(|| damaged(format!("bundle {index} is missing")))?;
        let mut length = 0;
        let mut seen = 0;
        for entry in bundle::entries(&bytes).take(width) {
            let entry = entry.map_err(|e| damaged(format!("bundle {index}: {e}")))?;
            length += 2 + entry.len();
            seen += 1;
        }
        if seen < width {
            return Err(damaged(format!(
                "bundle {index} holds {seen} entries of {width}"
            )));
        }
        Ok(bytes.slice(..length))
    }

    /// Reads the first `width` hashes of a tile.
    pub fn read_tile(
        self,
        tables: &impl Reads,
        tile: TileIndex,
        width: usize,
    ) -> Result<Bytes, RecordError> {
        let TileIndex { level, index } = tile;
        let bytes = tables.get(Table::Tiles, &self.tile(tile))?;
        let bytes = bytes.ok_or_else(|| damaged(format!("tile {level}/{index} is missing")))?;
        if bytes.len() < width * Hash::LEN {
            return Err(damaged(format!("tile {level}/{index} is too short")));
        }
        Ok(bytes.slice(..width * Hash::LEN))
    }
}

/// The stored tiles of one log.
pub struct StoredTiles<'a, S> {
    /// Where.
    pub tables: &'a S,
    /// Of which log.
    pub rows: Rows,
}

impl<S: Reads> TileReader for StoredTiles<'_, S> {
    type Error = RecordError;

    fn tiles(&self, wanted: &[TileIndex], size: TreeSize) -> Result<Vec<Arc<Tile>>, RecordError> {
        let mut tiles = Vec::with_capacity(wanted.len());
        for at in wanted {
            let width = usize::from(at.width_at(size));
            let bytes = self.rows.read_tile(self.tables, *at, width)?;
            let tile = Tile::parse(&bytes)
                .map_err(|e| damaged(format!("tile {}/{}: {e}", at.level, at.index)))?;
            tiles.push(Arc::new(tile));
        }
        Ok(tiles)
    }
}

fn number(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.try_into().ok()?))
}

pub(super) fn damaged(what: String) -> RecordError {
    RecordError::Damaged(format!("a mirrored log: {what}"))
}
