//! What a mirror shows: of each log the head that it cosigned, and the tiles and entries below it.

use super::store::Rows;
use crate::records::RecordError;
use crate::storage::Reads;
use arc_swap::{ArcSwap, ArcSwapOption};
use assay_tlog::tree::{Resource, TileIndex, TilePath, TreeSize};
use bytes::Bytes;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// A head that was cosigned, after all its entries were stored.
#[derive(Debug)]
pub struct ShownHead {
    /// The note: the log's signatures, those of others that came with it, and the mirror's.
    pub note: String,
    /// How many entries there are.
    pub size: TreeSize,
}

/// One log.
#[derive(Debug)]
pub struct ShownLog {
    /// Where it is stored.
    pub rows: Rows,
    /// Its head. `None` until one was cosigned.
    pub head: ArcSwapOption<ShownHead>,
}

impl ShownLog {
    /// A log of which nothing is shown yet.
    pub fn new(rows: Rows) -> Arc<Self> {
        Arc::new(ShownLog {
            rows,
            head: ArcSwapOption::empty(),
        })
    }

    /// Reads what is published at `path`, or returns `None` if the head that is shown has no such
    /// tile or bundle.
    pub fn read(&self, tables: &impl Reads, path: TilePath) -> Result<Option<Bytes>, RecordError> {
        let Some(head) = self.head.load_full() else {
            return Ok(None);
        };
        let tile = match path.resource() {
            Resource::Tile(tile) => tile,
            Resource::Entries(index) => TileIndex { level: 0, index },
        };
        if path.width() > tile.width_at(head.size) {
            return Ok(None);
        }
        let width = usize::from(path.width());
        match path.resource() {
            Resource::Tile(tile) => self.rows.read_tile(tables, tile, width).map(Some),
            Resource::Entries(index) => self.rows.read_bundle(tables, index, width).map(Some),
        }
    }
}

/// All logs, by the SHA-256 of their origins, in lower-case hex.
#[derive(Debug, Default)]
pub struct Shelf {
    logs: ArcSwap<HashMap<String, Arc<ShownLog>>>,
    changing: Mutex<()>,
}

impl Shelf {
    /// The log whose origin has this SHA-256.
    pub fn log(&self, digest: &str) -> Option<Arc<ShownLog>> {
        self.logs.load().get(digest).cloned()
    }

    /// How many logs there are.
    pub fn count(&self) -> usize {
        self.logs.load().len()
    }

    /// Shows a log, in place of what was shown of it.
    pub fn put(&self, log: Arc<ShownLog>) {
        self.change(|logs| _ = logs.insert(log.rows.digest().to_hex(), log));
    }

    /// Shows a log no more.
    pub fn remove(&self, rows: Rows) {
        self.change(|logs| _ = logs.remove(&rows.digest().to_hex()));
    }

    fn change(&self, change: impl FnOnce(&mut HashMap<String, Arc<ShownLog>>)) {
        let _alone = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut logs = HashMap::clone(&self.logs.load());
        change(&mut logs);
        self.logs.store(Arc::new(logs));
    }
}
