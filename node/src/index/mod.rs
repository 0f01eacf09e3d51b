//! The index as the node keeps it: core's [`Map`], its pages in the store, and the leaves since the
//! last commitment.
//!
//! Leaves are added as they are sequenced. When a checkpoint is due, [`Index::step`] makes the next
//! map of them. It returns the rows that go into the batch of the commitment leaf: what long lists
//! grew by, and some of the pages that changed. Pages are written lazily, a few sixteenths of the
//! labels (*shards*) at a time, because nearly every page changes between two checkpoints under
//! load. There is no redo log, because the log itself says what each leaf's labels are. `Meta`
//! holds, for each shard, the leaf below which all of its stored pages are current. A start replays
//! the leaves from the lowest of them on ([`recover`]), by the same [`Index::step`].
//!
//! Readers have the map of the published checkpoint. Maps do not change, so readers never wait. A
//! page that a step replaces is first filled into its old node, so that a reader of the old map
//! finds it after the new one is stored.

mod pages;
mod recover;

pub use pages::{Held, StoredPages};
pub use recover::{IndexError, recover};

use crate::{
    records::{self, RecordError},
    storage::{Batch, Reads, Table, Tables},
};
use assay_claims::index::map::{Join, MapError};
use assay_claims::index::{Commitment, Label, Map, Prefix};
use assay_tlog::tree::{LeafIndex, TreeSize};
use bytes::Bytes;
use rayon::slice::ParallelSliceMut;

/// Into how many parts the labels are divided, by their first four bits.
pub const SHARDS: usize = 16;

/// Bits of a label that say which shard it is in.
const SHARD_BITS: u16 = 4;

/// How many leaves a start after a crash may have to replay: some seconds of work. In return, under
/// load pages are written a quarter as often as leaves. A node that is stopped writes all pages
/// ([`Index::store_all`]). If checkpoints are large, each writes more shards.
const REPLAY: u64 = 1 << 20;

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
    /// Leaves by label, since the last commitment.
    pending: Vec<(Label, LeafIndex)>,
    shards: [Shard; SHARDS],
    /// The shard that is written next.
    next: usize,
    /// Most bytes of clean pages that stay in memory.
    budget: u64,
    /// Shards whose pages the last step wrote. They may be evicted once that step is durable.
    written: Vec<usize>,
    /// How many pages were evicted, or never read. If none, every page is in memory.
    evicted: u64,
}

#[derive(Debug, Clone, Default)]
struct Shard {
    /// Stored pages are current for all leaves below this.
    through: u64,
    /// Keys of stored pages that have been split since.
    split: Vec<Prefix>,
    /// Bytes of pages in memory, when they were last looked at.
    resident: u64,
}

fn shard_of(key: &Prefix) -> usize {
    usize::from(key.first().as_bytes()[0] >> (8 - SHARD_BITS))
}

/// The first and the last label of a shard.
fn ends(shard: usize) -> (Label, Label) {
    let mut first = [0; 32];
    first[0] = (shard as u8) << (8 - SHARD_BITS);
    let prefix = Prefix::of(&Label::from_bytes(first), SHARD_BITS);
    (*prefix.first(), prefix.last())
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

    fn bytes(&self) -> usize {
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
    /// `evicted` is how many pages of the map are not in memory.
    fn new(map: Map<Held>, through: [u64; SHARDS], budget: u64, evicted: u64) -> Self {
        let shards = through.map(|through| Shard {
            through,
            ..Shard::default()
        });
        Index {
            map,
            pending: Vec::new(),
            shards,
            next: 0,
            budget,
            written: Vec::new(),
            evicted,
        }
    }

    /// The index of a log without leaves. At most `cache_mib` MiB of pages stay in memory beside
    /// those that are not written yet.
    pub fn empty(cache_mib: usize) -> Self {
        Index::new(Map::new(), [0; SHARDS], budget(cache_mib), 0)
    }

    /// The map as of the last step.
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
        store: &impl Reads,
        size: u64,
    ) -> Result<(Commitment, Rows), RecordError> {
        let mut updates = std::mem::take(&mut self.pending);
        updates.par_sort_unstable();
        updates.dedup();
        if self.evicted > 0 {
            pages::pin(store, &self.map, &updates)?;
        }
        let update = self
            .map
            .update(&updates, TreeSize::new(size), &StoredPages(store), &Cores)
            .map_err(damaged)?;
        let grown = size.saturating_sub(
            self.shards
                .iter()
                .map(|shard| shard.through)
                .max()
                .unwrap_or(0),
        );
        self.map = update.map;

        let mut rows = Rows::default();
        for spill in &update.spills {
            let key = records::list_key(&spill.label, spill.position);
            rows.0.push((
                Table::IndexLists,
                key,
                Some(records::list_value(&spill.leaves)),
            ));
        }
        // A page above the shards has its parts in several, which must be stored together.
        let above = update.split.iter().any(|key| key.bits() < SHARD_BITS);
        for key in update.split {
            self.shards[shard_of(&key)].split.push(key);
        }
        let due = (grown * SHARDS as u64)
            .div_ceil(REPLAY)
            .clamp(1, SHARDS as u64) as usize;
        self.write_shards(if above { SHARDS } else { due }, size, &mut rows)?;
        // The buffer is kept, because the next step needs one as large.
        updates.clear();
        self.pending = updates;
        Ok((self.map.commitment(), rows))
    }

    /// Puts the changed pages of the next `count` shards into `rows`.
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
            let shard = &mut self.shards[at];
            rows.0.extend(
                shard
                    .split
                    .drain(..)
                    .map(|key| (Table::IndexPages, records::page_key(&key), None)),
            );
            let through = std::mem::replace(&mut shard.through, size);
            let (first, last) = ends(at);
            let mut changed = Vec::new();
            self.map.each_page(&first, &last, &mut |page| {
                if page.through().get() > through {
                    changed.push(page);
                }
            });
            for page in changed {
                if let Some(bytes) = page.slot().bytes() {
                    let value = records::page_value(page.through().get(), &bytes);
                    rows.0.push((
                        Table::IndexPages,
                        records::page_key(page.key()),
                        Some(value),
                    ));
                }
            }
        }
        let through: Vec<u8> = self
            .shards
            .iter()
            .flat_map(|shard| shard.through.to_be_bytes())
            .collect();
        rows.0.push((
            Table::Meta,
            records::INDEX_THROUGH.to_vec(),
            Some(through.into()),
        ));
        Ok(())
    }

    /// Stores every page as it is, a shard at a time, so that the next start replays nothing.
    pub fn store_all(&mut self, store: &impl Tables) -> Result<(), RecordError> {
        let size = self
            .shards
            .iter()
            .map(|shard| shard.through)
            .max()
            .unwrap_or(0);
        for _ in 0..SHARDS {
            if self.shards[self.next].through == size {
                self.next = (self.next + 1) % SHARDS;
                continue;
            }
            let mut rows = Rows::default();
            self.write_shards(1, size, &mut rows)?;
            let mut batch = Batch::new();
            rows.write(&mut batch);
            store.commit(batch)?;
            self.evict();
        }
        Ok(())
    }

    /// Evicts pages beyond the budget that the last step wrote. To be called once its batch is
    /// durable. A page that was used since the last look at it stays.
    pub fn evict(&mut self) {
        for at in std::mem::take(&mut self.written) {
            let others: u64 = self.shards.iter().map(|shard| shard.resident).sum::<u64>()
                - self.shards[at].resident;
            let mut resident = 0;
            let (first, last) = ends(at);
            let budget = self.budget;
            let mut evicted = 0;
            self.map.each_page(&first, &last, &mut |page| {
                let held = page.slot();
                let size = held.len();
                if others + resident + size > budget && !held.take_used() {
                    held.empty();
                    evicted += 1;
                } else {
                    resident += size;
                }
            });
            self.shards[at].resident = resident;
            self.evicted += evicted;
        }
        metrics::gauge!("assay_index_pages_bytes")
            .set(self.shards.iter().map(|shard| shard.resident).sum::<u64>() as f64);
        metrics::gauge!("assay_index_labels").set(self.map.commitment().labels as f64);
    }
}

fn budget(cache_mib: usize) -> u64 {
    (cache_mib as u64) << 20
}

fn damaged(error: MapError<RecordError>) -> RecordError {
    match error {
        MapError::Read(error) => error,
        other => RecordError::Damaged(other.to_string()),
    }
}
