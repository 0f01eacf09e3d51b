//! What a mirror shows: of each log the head that it cosigned, and the tiles and entries below it.
//!
//! Whatever is read is checked before it is shown: entries against the leaf hashes in their tile, a
//! full tile against its hash in the tile above it. The tiles on the right edge are kept in memory,
//! where they were checked against the signed root. So a disk that damaged a row makes an error of
//! it, and never a wrong answer. It costs a hash of every entry that is read, and 255 of nodes; a
//! mirror is read by few. Scrubbing alone would serve damage for as long as a round through all
//! bundles takes.

use super::copied::Copied;
use super::store::{Rows, damaged};
use crate::records::RecordError;
use crate::storage::{Reads, Tables};
use arc_swap::{ArcSwap, ArcSwapOption};
use assay_tlog::hash::leaf_hash;
use assay_tlog::head::{LogVerifier, VerifiedHead};
use assay_tlog::mirror::{VerifiedTree, tile_above};
use assay_tlog::tree::tile::{TILE_HEIGHT, TILE_WIDTH};
use assay_tlog::tree::{Resource, Tile, TileIndex, TilePath, TileReader as _, TreeSize, bundle};
use bytes::Bytes;
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// Most rows that are remembered as damaged, of one log.
const DAMAGED: usize = 1024;

/// A head that was cosigned, after all its entries were stored.
#[derive(Debug)]
pub struct ShownHead {
    /// The note: the log's signatures, those of others that came with it, and the mirror's.
    pub note: String,
    /// The tree, with the tiles on its right edge.
    pub tree: VerifiedTree,
}

impl ShownHead {
    /// How many entries there are.
    pub fn size(&self) -> TreeSize {
        self.tree.size()
    }

    /// The note, with an auditor's signatures if it replayed this head.
    pub fn with(&self, audited: Option<&AuditedHead>) -> String {
        match audited.filter(|audited| audited.size == self.size()) {
            Some(audited) => without(&self.note, &audited.name) + &audited.lines,
            None => self.note.clone(),
        }
    }

    /// The tile, if it is on the right edge.
    fn edge(&self, at: TileIndex) -> Option<Arc<Tile>> {
        let tiles = self.tree.tiles(&[at], self.size()).ok()?;
        tiles.into_iter().next()
    }
}

/// A head that was replayed, and cosigned by the node's auditor.
#[derive(Debug)]
pub struct AuditedHead {
    /// How many entries it has.
    pub size: TreeSize,
    /// The auditor's name.
    pub name: String,
    /// Its signature lines.
    pub lines: String,
}

/// What a note was made of.
#[derive(Debug)]
struct Noted {
    head: Arc<ShownHead>,
    audited: Option<Arc<AuditedHead>>,
    note: Bytes,
}

impl Noted {
    fn is_of(&self, head: &Arc<ShownHead>, audited: Option<&Arc<AuditedHead>>) -> bool {
        let audit = self.audited.as_ref().map(Arc::as_ptr);
        Arc::ptr_eq(&self.head, head) && audit == audited.map(Arc::as_ptr)
    }
}

/// One log.
#[derive(Debug)]
pub struct ShownLog {
    /// Where it is stored.
    pub rows: Rows,
    /// Its head. `None` until one was cosigned.
    pub head: ArcSwapOption<ShownHead>,
    /// What an auditor cosigned last of it.
    pub audited: ArcSwapOption<AuditedHead>,
    /// The largest head that is known and durable, for those who only read it. `None` while nothing
    /// is loaded.
    pub held: ArcSwapOption<VerifiedHead>,
    /// The note of the two above, so that a request copies nothing.
    noted: ArcSwapOption<Noted>,
    /// Tells an auditor that more is stored, or another head.
    pub changed: Notify,
    /// Bundles of which something is damaged, as was found when they were read.
    damaged: Mutex<BTreeSet<u64>>,
}

impl ShownLog {
    /// A log of which nothing is shown yet.
    pub fn new(log: &LogVerifier) -> Arc<Self> {
        Arc::new(ShownLog {
            rows: Rows::of(log.origin()),
            head: ArcSwapOption::empty(),
            audited: ArcSwapOption::empty(),
            held: ArcSwapOption::empty(),
            noted: ArcSwapOption::empty(),
            changed: Notify::new(),
            damaged: Mutex::default(),
        })
    }

    /// The note of the head that is shown, with the auditor's signatures if it was replayed. All
    /// who are sent it share its bytes.
    pub fn note(&self) -> Option<Bytes> {
        let (head, audited) = (self.head.load_full()?, self.audited.load_full());
        let noted = self.noted.load_full();
        if let Some(noted) = noted.filter(|it| it.is_of(&head, audited.as_ref())) {
            return Some(noted.note.clone());
        }
        let note = Bytes::from(head.with(audited.as_deref()));
        let noted = Noted {
            head,
            audited,
            note: note.clone(),
        };
        self.noted.store(Some(Arc::new(noted)));
        Some(note)
    }

    /// Says which head is held now.
    pub fn hold(&self, held: Option<&VerifiedHead>) {
        let before = self.held.load();
        if before.as_deref() != held {
            self.held.store(held.cloned().map(Arc::new));
        }
    }

    /// Reads what is published at `path`, or returns `None` if the head that is shown has no such
    /// tile or bundle. Fails with [`RecordError::Damaged`] for what is not the tree's.
    pub fn read(&self, tables: &impl Reads, path: TilePath) -> Result<Option<Bytes>, RecordError> {
        let Some(head) = self.head.load_full() else {
            return Ok(None);
        };
        let tile = match path.resource() {
            Resource::Tile(tile) => tile,
            Resource::Entries(index) => TileIndex { level: 0, index },
        };
        if path.width() > tile.width_at(head.size()) {
            return Ok(None);
        }
        let width = usize::from(path.width());
        let read = match path.resource() {
            Resource::Tile(tile) => self.read_tile(tables, &head, tile, width),
            Resource::Entries(index) => self.read_bundle(tables, &head, index, width),
        };
        if let Err(RecordError::Damaged(_)) = &read {
            // The first bundle below the tile leads to it.
            let shift = TILE_HEIGHT * u32::from(tile.level);
            self.mark_damaged(tile.index.checked_shl(shift).unwrap_or(0));
        }
        read.map(Some)
    }

    fn read_bundle(
        &self,
        tables: &impl Reads,
        head: &ShownHead,
        index: u64,
        width: usize,
    ) -> Result<Bytes, RecordError> {
        let bytes = self.rows.read_bundle(tables, index, width)?;
        let hashes = self.read_tile(tables, head, TileIndex { level: 0, index }, width)?;
        let entries = bundle::entries(&bytes).flatten();
        let leaves = entries.flat_map(|entry| *leaf_hash(entry).as_bytes());
        let are_theirs = leaves.eq(hashes.iter().copied());
        if !are_theirs {
            return Err(damaged(format!(
                "bundle {index} has not the hashes of its tile"
            )));
        }
        Ok(bytes)
    }

    fn read_tile(
        &self,
        tables: &impl Reads,
        head: &ShownHead,
        at: TileIndex,
        width: usize,
    ) -> Result<Bytes, RecordError> {
        let is_full = usize::from(at.width_at(head.size())) == TILE_WIDTH;
        let bytes = match head.edge(at) {
            Some(tile) => tile.to_bytes().into(),
            None if is_full => {
                let bytes = self.rows.read_tile(tables, at, TILE_WIDTH)?;
                self.check_full(tables, head, at, &bytes)?;
                bytes
            }
            None => return Err(damaged(format!("{at:?} is not on the right edge"))),
        };
        Ok(bytes.slice(..bytes.len().min(width * 32)))
    }

    /// Checks a full tile against its hash in the tile above it.
    fn check_full(
        &self,
        tables: &impl Reads,
        head: &ShownHead,
        at: TileIndex,
        bytes: &[u8],
    ) -> Result<(), RecordError> {
        let (above, place) = tile_above(at);
        let expected = match head.edge(above) {
            Some(tile) => tile.hashes().get(place).copied(),
            None => {
                let bytes = self.rows.read_tile(tables, above, place + 1)?;
                Tile::parse(&bytes)
                    .ok()
                    .and_then(|tile| tile.hashes().last().copied())
            }
        };
        let tile = Tile::parse(bytes).ok();
        let root = tile.and_then(|tile| tile.node(TILE_HEIGHT, 0));
        if root.is_none() || root != expected {
            let TileIndex { level, index } = at;
            let what = format!("tile {level}/{index} has not the hash in the tile above it");
            return Err(damaged(what));
        }
        Ok(())
    }

    /// Remembers that something of a bundle is damaged, so that it is repaired next.
    pub fn mark_damaged(&self, bundle: u64) {
        let mut damaged = self.damaged();
        if damaged.len() < DAMAGED {
            damaged.insert(bundle);
        }
    }

    /// A bundle of which something is damaged, which is not remembered any more.
    pub fn take_damaged(&self) -> Option<u64> {
        self.damaged().pop_first()
    }

    fn damaged(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A note without the signature lines of this name. Whoever brought them did not get them here.
fn without(note: &str, name: &str) -> String {
    let Some((text, lines)) = note.rsplit_once("\n\n") else {
        return note.to_owned();
    };
    let own = format!("\u{2014} {name} ");
    let others = lines.split_inclusive('\n');
    let others: String = others.filter(|line| !line.starts_with(&own)).collect();
    format!("{text}\n\n{others}")
}

/// All logs, by the SHA-256 of their origins, in lower-case hex.
pub struct Shelf<S> {
    logs: ArcSwap<HashMap<String, Arc<Copied<S>>>>,
    changing: Mutex<()>,
}

impl<S> Default for Shelf<S> {
    fn default() -> Self {
        Shelf {
            logs: ArcSwap::default(),
            changing: Mutex::default(),
        }
    }
}

impl<S: Tables + 'static> Shelf<S> {
    /// The log whose origin has this SHA-256.
    pub fn log(&self, digest: &str) -> Option<Arc<Copied<S>>> {
        self.logs.load().get(digest).cloned()
    }

    /// All of them.
    pub fn logs(&self) -> Arc<HashMap<String, Arc<Copied<S>>>> {
        self.logs.load_full()
    }

    /// How many logs there are.
    pub fn count(&self) -> usize {
        self.logs.load().len()
    }

    /// Shows a log, in place of what was shown of it.
    pub fn put(&self, log: Arc<Copied<S>>) {
        self.change(|logs| _ = logs.insert(log.shown.rows.digest().to_hex(), log));
    }

    /// Shows a log no more.
    pub fn remove(&self, rows: Rows) {
        self.change(|logs| _ = logs.remove(&rows.digest().to_hex()));
    }

    fn change(&self, change: impl FnOnce(&mut HashMap<String, Arc<Copied<S>>>)) {
        let _alone = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut logs = HashMap::clone(&self.logs.load());
        change(&mut logs);
        self.logs.store(Arc::new(logs));
    }
}
