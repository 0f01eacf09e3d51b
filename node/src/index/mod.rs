//! The index as the node keeps it: core's [`Map`], its parts and pages in the store, and the leaves
//! since the last commitment.
//!
//! Leaves are added as they are sequenced, and [`Index::advance`] makes the next map of them, some
//! thousand labels at a time, so that no claim waits for all of a second. When a checkpoint is due,
//! [`Index::step`] does so with what is left. It returns the rows that go into the batch of the
//! commitment leaf: what long lists grew by, and some of the pages that changed, with their parts.
//! They are written lazily, a few sixteenths of the labels (*shards*) at a time, because nearly
//! every page changes between two checkpoints under load. There is no redo log, because the log
//! itself says what each leaf's labels are. `Meta` holds, for each shard, the leaf below which all
//! of its stored pages are current. A start replays the leaves from the lowest of them on
//! ([`recover`]), by the same [`Index::step`].
//!
//! What is in memory of pages and parts is bounded. Beyond that, a step writes more shards than are
//! due, and [`Index::evict`] lets go of what is written. Of the directory, a node for each part
//! stays.
//!
//! Readers have the map of the published checkpoint. Maps do not change, so readers never wait.
//! What a step replaces is first filled into the old nodes, of every map that somebody still has,
//! so that a reader of it finds it after the new one is stored.

mod held;
mod load;
mod look;
mod pages;
mod recover;
mod shard;

pub use held::Held;
pub use load::doubt;
pub use look::{Looked, look};
pub use pages::StoredPages;
pub use recover::{IndexError, recover};
pub use shard::SHARDS;

use crate::{
    records::{self, RecordError},
    storage::{Batch, Reads, Table, Tables},
};
use assay_claims::index::map::{Join, Update, WeakMap};
use assay_claims::index::{Commitment, Label, Map, Prefix};
use assay_tlog::tree::{LeafIndex, TreeSize};
use bytes::Bytes;
use load::Loaded;
use pages::{Pin, failed};
use rayon::slice::ParallelSliceMut;
use shard::{SHARD_BITS, Shard, ends, shard_of};

/// How many leaves a start after a crash may have to replay: some seconds of work. In return, under
/// load pages are written a quarter as often as leaves. A node that is stopped writes all pages
/// ([`Index::store_all`]). If checkpoints are large, each writes more shards, and so it does if
/// there is no room in memory.
const REPLAY: u64 = 1 << 20;

/// Labels that are put into the map at once, and not only when a checkpoint is due: some
/// milliseconds of work, for which claims wait.
const AT_ONCE: usize = 4096;

/// Bytes of rows in one batch when everything is stored.
const STORED_BYTES: usize = 8 << 20;

/// About the bytes that a label takes in its page, to know how much memory a step takes.
const LABEL_BYTES: u64 = 40;

/// Divides work over all cores.
struct Cores;

impl Join for Cores {
    fn join<A: Send, B: Send>(
        &self,
        a: impl FnOnce() -> A + Send,
        b: impl FnOnce() -> B + Send,
    ) -> (A, B) {
        rayon::join(a, b)
    }
}

/// The index up to the last commitment, and the leaves since.
pub struct Index {
    map: Map<Held>,
    /// Maps of before, as long as somebody reads them.
    older: Vec<WeakMap<Held>>,
    /// Leaves by label that are not in the map yet.
    pending: Vec<(Label, LeafIndex)>,
    /// What lists grew by since the last commitment.
    grown: Rows,
    /// Whether every shard is to be written with the next commitment.
    all_due: bool,
    shards: [Shard; SHARDS],
    /// The shard that is written next.
    next: usize,
    /// Most bytes of pages and parts that stay in memory.
    budget: u64,
    /// Shards whose pages the last step wrote. They may be evicted once that step is durable.
    written: Vec<usize>,
    /// How many pages and parts were evicted, or never read. If none, every one is in memory.
    evicted: u64,
    /// Pages of before this size were not read by this process, if it did not write them.
    opened: TreeSize,
}

/// Rows that go into the batch of a commitment.
#[derive(Debug, Default)]
pub struct Rows(Vec<(Table, Vec<u8>, Option<Bytes>)>);

impl Rows {
    /// Adds the rows to a batch.
    pub fn write(self, batch: &mut Batch) {
        for (table, key, value) in self.0 {
            match value {
                Some(value) => batch.put(table, key, value),
                None => batch.delete(table, key),
            };
        }
    }

    fn put(&mut self, table: Table, key: impl Into<Vec<u8>>, value: impl Into<Bytes>) {
        self.0.push((table, key.into(), Some(value.into())));
    }

    fn delete(&mut self, table: Table, key: impl Into<Vec<u8>>) {
        self.0.push((table, key.into(), None));
    }

    /// How many bytes the rows have.
    pub(crate) fn bytes(&self) -> usize {
        self.0
            .iter()
            .map(|(_, key, value)| key.len() + value.as_ref().map_or(0, Bytes::len))
            .sum()
    }

    fn append(&mut self, mut more: Rows) {
        self.0.append(&mut more.0);
    }
}

impl Index {
    /// The index of what was loaded. At most `budget` bytes of pages and parts stay in memory.
    fn new(loaded: Loaded, budget: u64) -> Self {
        let Loaded {
            map,
            shards,
            evicted,
            opened,
        } = loaded;
        let mut index = Index {
            map,
            older: Vec::new(),
            pending: Vec::new(),
            grown: Rows::default(),
            all_due: false,
            shards,
            next: 0,
            budget,
            written: Vec::new(),
            evicted,
            opened,
        };
        index.measure();
        index
    }

    /// The index of a log without leaves. At most `cache_mib` MiB of pages and parts stay in
    /// memory.
    pub fn empty(cache_mib: usize) -> Self {
        let nothing = Loaded {
            map: Map::new(),
            shards: Default::default(),
            evicted: 0,
            opened: TreeSize::EMPTY,
        };
        Index::new(nothing, budget(cache_mib))
    }

    /// The map of all leaves that were added, but for those that wait for the next step.
    pub fn map(&self) -> &Map<Held> {
        &self.map
    }

    /// Adds a leaf that was sequenced.
    pub fn add(&mut self, leaf: u64, labels: &[Label]) {
        let leaf = LeafIndex::new(leaf);
        self.pending
            .extend(labels.iter().map(|label| (*label, leaf)));
    }

    /// Makes the map of all leaves below `size`, which have been added. Returns the commitment for
    /// the leaf at `size` and the rows that belong in the same batch.
    ///
    /// If this or the commit of the batch fails, the index must not be used any more, because
    /// nobody knows what is stored.
    pub fn step(
        &mut self,
        store: &impl Tables,
        size: u64,
    ) -> Result<(Commitment, Rows), RecordError> {
        self.advance(store, size)?;
        let mut rows = std::mem::take(&mut self.grown);
        let due = self.due(size);
        self.write_shards(due, size, &mut rows)?;
        Ok((self.map.commitment(), rows))
    }

    /// Whether so many leaves wait for the next step that a part of it should be done now.
    pub fn is_behind(&self) -> bool {
        self.pending.len() >= AT_ONCE
    }

    /// Does a part of the next step: puts the leaves that wait, all of which are below `size`, into
    /// the map. They are durable. Nothing is stored before the step is.
    ///
    /// If this fails, the index must not be used any more. If what is stored is why, the store says
    /// so from then on, so that the next start reads all of it.
    pub fn advance(&mut self, store: &impl Tables, size: u64) -> Result<(), RecordError> {
        let advanced = self.put_in(store, size);
        if let Err(RecordError::Damaged(_)) = &advanced
            && let Err(error) = load::doubt(store)
        {
            tracing::warn!(%error, "it cannot be noted that the index is wrong");
        }
        advanced
    }

    fn put_in(&mut self, store: &impl Reads, size: u64) -> Result<(), RecordError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let mut updates = std::mem::take(&mut self.pending);
        updates.par_sort_unstable();
        updates.dedup();
        if self.evicted > 0 {
            self.pin(store, &updates)?;
        }
        for (label, _) in &updates {
            self.shards[shard_of(label)].resident += LABEL_BYTES;
        }
        let pages = StoredPages(store);
        let update = self
            .map
            .update(&updates, TreeSize::new(size), &pages, &Cores);
        let update = update.map_err(failed)?;
        for spill in &update.spills {
            let key = records::list_key(&spill.label, spill.position);
            let leaves = records::list_value(&spill.leaves);
            self.grown.put(Table::IndexLists, key, leaves);
        }
        self.take(update);
        // The buffer is kept, because the next step needs one as large.
        updates.clear();
        self.pending = updates;
        Ok(())
    }

    /// Reads into memory everything that `updates`, which are sorted, will change.
    fn pin(
        &mut self,
        store: &impl Reads,
        updates: &[(Label, LeafIndex)],
    ) -> Result<(), RecordError> {
        let mut labels: Vec<Label> = updates.iter().map(|(label, _)| *label).collect();
        labels.dedup();
        let opened = self.opened;
        let pin = Pin { store, opened };
        // First what counts: older maps share most of it.
        let shards = &mut self.shards;
        pin.all(&self.map, &labels, &mut |first, bytes| {
            shards[shard_of(first)].resident += bytes;
        })?;
        for map in self.older.iter().filter_map(WeakMap::upgrade) {
            pin.older(&map, &labels)?;
        }
        Ok(())
    }

    /// Goes on from the next map.
    fn take(&mut self, update: Update<Held>) {
        self.older.retain(WeakMap::is_held);
        self.older.push(self.map.downgrade());
        self.map = update.map;
        // A part above the shards has its pages in several, which must be stored together.
        let above = update.divided.iter().any(|key| key.bits() < SHARD_BITS);
        for split in update.split {
            self.shards[shard_of(split.part.first())]
                .split
                .push(split.page);
        }
        for key in update.divided {
            self.shards[shard_of(key.first())].divided.push(key);
        }
        if above {
            // Its pages may be in a shard now that was written after they changed.
            self.shards.iter_mut().for_each(|shard| shard.through = 0);
            self.all_due = true;
        }
    }

    /// How many shards are to be written with the commitment at `size`.
    fn due(&mut self, size: u64) -> usize {
        if std::mem::take(&mut self.all_due) {
            return SHARDS;
        }
        let written = self.shards.iter().map(|shard| shard.through).max();
        let grown = size.saturating_sub(written.unwrap_or(0));
        let due = (grown * SHARDS as u64).div_ceil(REPLAY) as usize;
        due.clamp(1, SHARDS).max(self.crowded())
    }

    /// How many shards are to be written so that memory suffices once they are evicted.
    fn crowded(&self) -> usize {
        let mut over = self.resident().saturating_sub(self.budget);
        let mut count = 0;
        while over > 0 && count < SHARDS {
            over = over.saturating_sub(self.shards[(self.next + count) % SHARDS].resident);
            count += 1;
        }
        count
    }

    fn resident(&self) -> u64 {
        self.shards.iter().map(|shard| shard.resident).sum()
    }

    /// Whether anybody found that the store has not what the map says.
    fn is_wrong(&self) -> bool {
        let (first, last) = (Prefix::EMPTY.first(), Prefix::EMPTY.last());
        let mut wrong = false;
        self.map.each_part(first, &last, &mut |part| {
            wrong |= part.slot().is_wrong();
        });
        wrong
    }

    /// Counts what is in memory.
    fn measure(&mut self) {
        for (at, shard) in self.shards.iter_mut().enumerate() {
            let (first, last) = ends(at);
            let mut resident = 0;
            self.map.each_part(&first, &last, &mut |part| {
                resident += part.slot().bytes();
            });
            shard.resident = resident;
        }
    }

    /// Puts the changed pages of the next `count` shards, and their parts, into `rows`.
    fn write_shards(
        &mut self,
        count: usize,
        size: u64,
        rows: &mut Rows,
    ) -> Result<(), RecordError> {
        self.written.clear();
        for _ in 0..count {
            let at = self.next;
            self.next = (at + 1) % SHARDS;
            self.written.push(at);
            self.shards[at].write(at, &self.map, size, rows)?;
        }
        let through = shard::row(&self.shards);
        rows.put(Table::Meta, records::INDEX_THROUGH, through);
        Ok(())
    }

    /// Stores every page as it is, in as few batches as their bytes allow, so that the next start
    /// replays nothing and reads parts only.
    pub fn store_all(&mut self, store: &impl Tables) -> Result<(), RecordError> {
        let written = self.shards.iter().map(|shard| shard.through).max();
        let size = written.unwrap_or(0);
        let (mut rows, mut written) = (Rows::default(), Vec::new());
        for _ in 0..SHARDS {
            if self.shards[self.next].through == size {
                self.next = (self.next + 1) % SHARDS;
                continue;
            }
            self.write_shards(1, size, &mut rows)?;
            written.append(&mut self.written);
            if rows.bytes() > STORED_BYTES {
                commit(store, std::mem::take(&mut rows))?;
                self.written = std::mem::take(&mut written);
                self.evict();
            }
        }
        if self.is_wrong() {
            tracing::warn!(
                "pages of the index were not as they should be; the next start reads all"
            );
            load::doubt(store)?;
        }
        commit(store, rows)?;
        self.written = written;
        self.evict();
        Ok(())
    }

    /// Evicts pages and parts beyond the budget that the last step wrote. To be called once its
    /// batch is durable. What was used since the last look at it stays, if there is room without
    /// what was not.
    pub fn evict(&mut self) {
        for at in std::mem::take(&mut self.written) {
            let others = self.resident() - self.shards[at].resident;
            let room = self.budget.saturating_sub(others);
            let (resident, evicted) = shard::shrink(at, &self.map, room);
            self.shards[at].resident = resident;
            self.evicted += evicted;
        }
        metrics::gauge!("assay_index_pages_bytes").set(self.resident() as f64);
        metrics::gauge!("assay_index_labels").set(self.map.commitment().labels as f64);
    }
}

fn commit(store: &impl Tables, rows: Rows) -> Result<(), RecordError> {
    let mut batch = Batch::new();
    rows.write(&mut batch);
    Ok(store.commit(batch)?)
}

fn budget(cache_mib: usize) -> u64 {
    (cache_mib as u64) << 20
}

#[cfg(test)]
mod tests;
