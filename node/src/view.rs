//! What readers are shown: the last published checkpoint and the tiles of its tree.
//!
//! Nothing below the published size ever changes. So readers need neither a lock nor a snapshot of
//! the store: they take the current [`Published`] and read rows that nobody writes any more.

use crate::{
    index::Held,
    records::{self, RecordError, WIDTH},
    storage::{Reads, Table},
};
use arc_swap::{ArcSwap, ArcSwapOption};
use assay_claims::index::Map;
use assay_tlog::Hash;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::tree::{
    LeafIndex, ProveError, Prover, Tile, TileIndex, TileReader, TreeSize, prove_consistency,
    prove_inclusion, prove_multiproof, root,
};
use bytes::Bytes;
use quick_cache::{Weighter, sync::Cache};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::watch;

/// Memory that one expanded tile takes: 511 hashes and change.
const EXPANDED_TILE_BYTES: u64 = 511 * 32 + 64;

/// A published checkpoint, with what is asked of its tree again and again.
#[derive(Debug)]
pub struct Published {
    checkpoint: VerifiedCheckpoint,
    /// Proves inclusion in the published tree, whose right edge it knows.
    prover: Prover,
    /// The index that its last leaf commits to. None between a start and the next checkpoint, if
    /// more was signed or stored than is published.
    index: Option<Map<Held>>,
    /// The bytes of that leaf.
    commitment: Bytes,
}

impl Published {
    /// The signed note, verbatim.
    pub fn note(&self) -> &str {
        self.checkpoint.note()
    }

    /// How many leaves it covers.
    pub fn size(&self) -> TreeSize {
        self.checkpoint.size()
    }

    /// The verified checkpoint.
    pub fn checkpoint(&self) -> &VerifiedCheckpoint {
        &self.checkpoint
    }

    /// The index that its last leaf commits to. There may be none between a start and the next
    /// checkpoint: that follows at once, or once witnesses have cosigned it.
    pub fn index(&self) -> Option<&Map<Held>> {
        self.index.as_ref()
    }

    /// Its last entry, verbatim, which commits to the index.
    pub fn commitment(&self) -> &Bytes {
        &self.commitment
    }
}

/// Nothing is published: no quorum of witnesses has cosigned a checkpoint of this log yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "nothing is published yet: this log waits until a quorum of its witnesses has cosigned its \
     first checkpoint; try again later"
)]
pub struct Unpublished;

/// Why a question about the published log has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// The question names a leaf or a size that is not published (yet).
    #[error("{asked} is beyond the published checkpoint of size {published}")]
    Beyond {
        /// What was asked for.
        asked: String,
        /// The published size.
        published: TreeSize,
    },
    /// The question cannot be answered for any log.
    #[error("{0}")]
    Invalid(String),
    /// The store cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Nothing is published yet.
    #[error(transparent)]
    Unpublished(#[from] Unpublished),
}

#[derive(Clone)]
struct TileWeight;

impl Weighter<TileIndex, Arc<Tile>> for TileWeight {
    fn weight(&self, _: &TileIndex, _: &Arc<Tile>) -> u64 {
        EXPANDED_TILE_BYTES
    }
}

/// The readers' side of a log.
pub struct View<S> {
    store: Arc<S>,
    published: ArcSwapOption<Published>,
    /// How many leaves are signed. Their tiles are served before their checkpoint is.
    signed: AtomicU64,
    announce: watch::Sender<u64>,
    /// Full tiles only: they never change.
    full: Cache<TileIndex, Arc<Tile>, TileWeight>,
    /// The partial tiles at the right edge of the published tree, one a level at most.
    edge: ArcSwap<Vec<(TileIndex, Arc<Tile>)>>,
}

impl<S: Reads> View<S> {
    /// Returns a view that shows nothing yet of what `store` holds. Tiles are cached in `cache_mib`
    /// MiB.
    pub fn new(store: Arc<S>, cache_mib: usize) -> Self {
        let capacity = (cache_mib as u64) << 20;
        View {
            store,
            announce: watch::Sender::new(0),
            published: ArcSwapOption::empty(),
            signed: AtomicU64::new(0),
            full: Cache::with_weighter(
                (capacity / EXPANDED_TILE_BYTES) as usize,
                capacity,
                TileWeight,
            ),
            edge: ArcSwap::from_pointee(Vec::new()),
        }
    }

    /// The last published checkpoint, if there is one.
    pub fn published(&self) -> Result<Arc<Published>, Unpublished> {
        self.published.load_full().ok_or(Unpublished)
    }

    /// How many leaves the published checkpoint covers. 0 if there is none.
    pub fn size(&self) -> TreeSize {
        let published = self.published.load();
        published
            .as_ref()
            .map_or(TreeSize::EMPTY, |published| published.size())
    }

    /// How many leaves are signed: at least as many as are published.
    pub fn signed(&self) -> TreeSize {
        TreeSize::new(self.signed.load(Ordering::Acquire))
    }

    /// Serves the tiles of a tree that is signed, stored, and not published yet: witnesses and
    /// mirrors read them, and a log that waits for witnesses must not look like one that withholds.
    pub fn sign(&self, size: TreeSize) {
        self.signed.fetch_max(size.get(), Ordering::AcqRel);
    }

    /// Returns a receiver of the published size, now and after every change.
    pub fn follow(&self) -> watch::Receiver<u64> {
        self.announce.subscribe()
    }

    /// Shows a checkpoint from now on, which must be over a tree that the store holds, and the
    /// index that it commits to, if the caller has it. It is newer than the one before, or has
    /// other cosignatures.
    pub fn publish(
        &self,
        checkpoint: VerifiedCheckpoint,
        index: Option<Map<Held>>,
    ) -> Result<(), RecordError> {
        let size = checkpoint.size();
        self.sign(size);
        // First the edge: a reader of the older size can use wider tiles.
        self.edge.store(Arc::new(self.read_edge(size)?));
        let before = self
            .published
            .swap(Some(Arc::new(load(&*self.store, checkpoint, index)?)));
        // Publishers wait for this thread, and only the older index had tens of thousands of pages
        // and nodes.
        rayon::spawn(move || drop(before));
        self.announce.send_if_modified(|shown| {
            let grows = *shown != size.get();
            *shown = size.get();
            grows
        });
        Ok(())
    }

    /// The store that is read.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Returns the inclusion path of a leaf in the tree of `size`.
    pub fn inclusion(&self, index: LeafIndex, size: TreeSize) -> Result<Vec<Hash>, ViewError> {
        if index.get() >= size.get() {
            return Err(ViewError::Beyond {
                asked: format!("leaf {index}"),
                published: size,
            });
        }
        match &*self.published.load() {
            Some(published) if size == published.size() => {
                published.prover.prove_inclusion(self, index)
            }
            _ => prove_inclusion(self, index, size),
        }
        .map_err(unproven)
    }

    /// Returns one proof of inclusion for `leaves`, which must be distinct and ascending.
    pub fn inclusion_of_many(
        &self,
        leaves: &[LeafIndex],
        size: TreeSize,
    ) -> Result<Vec<Hash>, ViewError> {
        prove_multiproof(self, leaves, size).map_err(unproven)
    }

    /// Returns the consistency path between two sizes.
    pub fn consistency(&self, old: TreeSize, new: TreeSize) -> Result<Vec<Hash>, ViewError> {
        if old > new {
            return Err(ViewError::Invalid(format!(
                "the old size {old} is larger than the new one, {new}"
            )));
        }
        prove_consistency(self, old, new).map_err(unproven)
    }

    /// Returns an entry of the tree of `size`, verbatim.
    pub fn entry(&self, index: LeafIndex, size: TreeSize) -> Result<Bytes, ViewError> {
        if index.get() >= size.get() {
            return Err(ViewError::Beyond {
                asked: format!("leaf {index}"),
                published: size,
            });
        }
        Ok(records::read_entry(&*self.store, index)?)
    }

    /// Returns the published leaves of an issuer's records with their sequence, oldest first.
    pub fn issuer_leaves(&self, id: &Hash) -> Result<Vec<(u32, LeafIndex)>, ViewError> {
        let size = self.size().get();
        let mut leaves = records::issuer_leaves(&*self.store, id.as_bytes())?;
        leaves.retain(|(_, index)| index.get() < size);
        Ok(leaves)
    }

    fn read_edge(&self, size: TreeSize) -> Result<Vec<(TileIndex, Arc<Tile>)>, RecordError> {
        let mut edge = Vec::new();
        let mut width = size.get();
        for level in 0..8 {
            let tile = TileIndex {
                level,
                index: width / WIDTH,
            };
            if !width.is_multiple_of(WIDTH) {
                edge.push((tile, Arc::new(read_tile(&*self.store, tile, size)?)));
            }
            width /= WIDTH;
        }
        Ok(edge)
    }
}

/// Reads what is asked of a published tree again and again.
fn load(
    tables: &impl Reads,
    checkpoint: VerifiedCheckpoint,
    index: Option<Map<Held>>,
) -> Result<Published, RecordError> {
    let size = checkpoint.size();
    let prover = Prover::load(&StoredTiles(tables), size).map_err(unreadable)?;
    let commitment = match size.get().checked_sub(1) {
        Some(last) => records::read_entry(tables, LeafIndex::new(last))?,
        None => Bytes::new(),
    };
    Ok(Published {
        checkpoint,
        prover,
        index,
        commitment,
    })
}

fn unproven(error: ProveError<RecordError>) -> ViewError {
    unreadable(error).into()
}

/// Sizes and leaves were checked before, so if a proof fails, the stored tiles are damaged.
fn unreadable(error: ProveError<RecordError>) -> RecordError {
    match error {
        ProveError::Read(error) => error,
        other => RecordError::Damaged(other.to_string()),
    }
}

impl<S: Reads> TileReader for View<S> {
    type Error = RecordError;

    fn tiles(&self, wanted: &[TileIndex], size: TreeSize) -> Result<Vec<Arc<Tile>>, RecordError> {
        let published = self.size();

        wanted
            .iter()
            .map(|tile: &TileIndex| {
                if u64::from(tile.width_at(published)) == WIDTH {
                    return self.full.get_or_insert_with(tile, || {
                        read_tile(&*self.store, *tile, size).map(Arc::new)
                    });
                }
                match self.edge.load().iter().find(|(at, _)| at == tile) {
                    Some((_, found)) => Ok(found.clone()),
                    // A checkpoint was published in between: what was the edge may be a full tile
                    // by now.
                    None => read_tile(&*self.store, *tile, size).map(Arc::new),
                }
            })
            .collect()
    }
}

/// Reads a tile. Fails if it is narrower than the tree of `size` has it.
fn read_tile(tables: &impl Reads, tile: TileIndex, size: TreeSize) -> Result<Tile, RecordError> {
    Tile::parse(&read_tile_bytes(tables, tile, size)?)
        .map_err(|e| RecordError::Damaged(format!("tile {}/{}: {e}", tile.level, tile.index)))
}

/// Reads the hashes of a tile as they are stored. Fails if they are fewer than the tree of `size`
/// has.
pub fn read_tile_bytes(
    tables: &impl Reads,
    tile: TileIndex,
    size: TreeSize,
) -> Result<Bytes, RecordError> {
    let damaged =
        |what: &str| RecordError::Damaged(format!("tile {}/{} {what}", tile.level, tile.index));
    let bytes = tables
        .get(Table::Tiles, &records::tile_key(tile))?
        .ok_or_else(|| damaged("is missing"))?;
    if bytes.len() < usize::from(tile.width_at(size)) * Hash::LEN {
        return Err(damaged("is too short"));
    }
    Ok(bytes)
}

/// Reads tiles from a store without a cache, for the start and for the check before signing.
pub struct StoredTiles<'a, S>(pub &'a S);

impl<S: Reads> TileReader for StoredTiles<'_, S> {
    type Error = RecordError;

    fn tiles(&self, wanted: &[TileIndex], size: TreeSize) -> Result<Vec<Arc<Tile>>, RecordError> {
        wanted
            .iter()
            .map(|tile| read_tile(self.0, *tile, size).map(Arc::new))
            .collect()
    }
}

/// Returns the proof that the tree of size `new` extends that of size `old`, made from the stored
/// tiles.
pub fn stored_consistency(
    tables: &impl Reads,
    old: TreeSize,
    new: TreeSize,
) -> Result<Vec<Hash>, RecordError> {
    prove_consistency(&StoredTiles(tables), old, new).map_err(unreadable)
}

/// Returns the root of the tree of `size`, computed from the stored tiles.
pub fn stored_root(tables: &impl Reads, size: TreeSize) -> Result<Hash, RecordError> {
    root(&StoredTiles(tables), size).map_err(unreadable)
}
