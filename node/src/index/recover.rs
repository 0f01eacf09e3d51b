//! The index after a start: what is stored, brought up to date from the log's own leaves, and
//! compared with the commitment.
//!
//! A part is stored in one batch with its pages, so that the parts are read, a tenth of the index,
//! however the node ended. They lead to the root. What is wrong with a page is found when it is
//! read, because its bytes do not lead to the hash that its part has. After that, every page is
//! read, and the parts follow from them.

use super::load::{self, Loaded};
use super::{Index, Rows, budget};
use crate::{
    records::{self, RecordError, WIDTH},
    storage::{Batch, StorageError, Tables},
};
use assay_claims::entry::{Entry, wire};
use assay_claims::index::map::MapError;
use assay_claims::index::{Commitment, CommitmentError, Label, labels_of_entry};
use assay_claims::sequencer::Head;
use assay_tlog::Hash;
use assay_tlog::tree::{LeafIndex, bundle};
use bytes::Bytes;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

/// Bytes of rows in one commit.
const COMMIT_BYTES: usize = 8 << 20;

/// Bundles of entries whose labels are computed at the same time.
const BUNDLES: u64 = 16;

/// Why there is no index to go on from.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The store failed, or its rows are damaged.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// This program cannot go on from a commitment in the log.
    #[error("the commitment at leaf {leaf} cannot be continued: {source}")]
    Commitment {
        /// Its place.
        leaf: u64,
        /// Why not.
        source: CommitmentError,
    },
    /// A commitment in the log is to another index than the entries before it give.
    #[error(
        "the index rebuilt from the entries has the root {rebuilt} after leaf {leaf}, but the \
         commitment there says {stated}: its entries or this program are not what they were when \
         it was signed. Refusing to sign on; restore the data folder from a copy"
    )]
    Contradicted {
        /// The leaf of the commitment.
        leaf: u64,
        /// The root that the entries give.
        rebuilt: Hash,
        /// The root in the commitment.
        stated: Hash,
    },
}

impl From<StorageError> for IndexError {
    fn from(error: StorageError) -> Self {
        IndexError::Record(error.into())
    }
}

/// Returns the index up to the last commitment of the log that `head` describes, with the leaves
/// after it added.
///
/// The map's root is guaranteed to be the one in that commitment. If the stored pages do not lead
/// there, they are thrown away and the index is rebuilt from the entries. Then every commitment is
/// compared on the way.
pub fn recover(store: &impl Tables, head: Head, cache_mib: usize) -> Result<Index, IndexError> {
    let mut index = match from_parts(store, head, cache_mib)? {
        Some(index) => index,
        None => from_pages(store, head, cache_mib)?,
    };
    add_labels(
        store,
        &mut index,
        head.last_commitment.get(),
        head.size.get(),
    )?;
    Ok(index)
}

/// The index over the stored parts, whose pages are not looked at yet. `None` if those or what the
/// last leaves change of the pages cannot be used, or something was found to be wrong before.
fn from_parts(
    store: &impl Tables,
    head: Head,
    cache_mib: usize,
) -> Result<Option<Index>, IndexError> {
    if load::is_doubted(store)? {
        return Ok(None);
    }
    let budget = budget(cache_mib);
    let parts = load::parts(store, budget, head.last_commitment);
    continued(store, head, parts, budget)
}

/// The index over the stored pages, or else of the entries. All that is stored is right after that.
fn from_pages(store: &impl Tables, head: Head, cache_mib: usize) -> Result<Index, IndexError> {
    let budget = budget(cache_mib);
    let pages = load::pages(store, budget, head.last_commitment);
    let index = match continued(store, head, pages, budget)? {
        Some(index) => index,
        None => rebuild(store, head, cache_mib)?,
    };
    load::end_doubt(store)?;
    Ok(index)
}

/// The index that goes on from what was loaded. `None` if that cannot be used, or does not lead to
/// the last commitment.
fn continued(
    store: &impl Tables,
    head: Head,
    loaded: Result<Loaded, MapError<RecordError>>,
    budget: u64,
) -> Result<Option<Index>, IndexError> {
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(MapError::Read(error @ RecordError::Storage(_))) => return Err(error.into()),
        Err(error) => {
            tracing::warn!(%error, "the stored index cannot be used");
            return Ok(None);
        }
    };
    let through = loaded.shards.iter().map(|shard| shard.through);
    let from = through.min().unwrap_or(0);
    if from > head.last_commitment.get() {
        tracing::warn!(
            through = from,
            "the stored index is said to go beyond the log"
        );
        return Ok(None);
    }
    let mut index = Index::new(loaded, budget);
    match replay(store, &mut index, from, head, false) {
        Ok(stated) => Ok((index.map().commitment() == stated).then_some(index)),
        // A page that the leaves change is not as its part says, or has some of them. If it is an
        // entry that is damaged, whoever rebuilds the index finds it, too.
        Err(IndexError::Record(error @ RecordError::Damaged(_))) => {
            tracing::warn!(%error, "the stored index cannot be used as it is");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn rebuild(store: &impl Tables, head: Head, cache_mib: usize) -> Result<Index, IndexError> {
    tracing::warn!(entries = %head.last_commitment, "the stored index does not belong to the log; \
        rebuilding it from the entries");
    load::clear(store)?;
    let mut index = Index::empty(cache_mib);
    replay(store, &mut index, 0, head, true)?;
    Ok(index)
}

/// Applies the leaves from `from` to the last commitment again, one publish step after the other.
/// Returns what the last commitment states. With `compare`, every commitment must be the one that
/// comes out.
fn replay(
    store: &impl Tables,
    index: &mut Index,
    from: u64,
    head: Head,
    compare: bool,
) -> Result<Commitment, IndexError> {
    let mut stated = Commitment::empty();
    let mut rows = Rows::default();
    let end = head.last_commitment.get();
    let mut at = from;
    while at < end {
        let leaves = read_leaves(store, at, end)?;
        for leaf in leaves {
            match leaf {
                Leaf::Labels(labels) => index.add(at, &labels),
                Leaf::Commitment(said) => {
                    stated = said.map_err(|source| IndexError::Commitment { leaf: at, source })?;
                    let (rebuilt, more) = index.step(store, at)?;
                    if compare && rebuilt != stated {
                        return Err(IndexError::Contradicted {
                            leaf: at,
                            rebuilt: rebuilt.root,
                            stated: stated.root,
                        });
                    }
                    rows.append(more);
                    if rows.bytes() > COMMIT_BYTES {
                        commit(store, index, std::mem::take(&mut rows))?;
                    }
                }
            }
            at += 1;
        }
    }
    if from == end && end > 0 {
        // Every shard is current through the last commitment, which was not read yet.
        stated = last_commitment(store, end)?;
    }
    commit(store, index, rows)?;
    Ok(stated)
}

fn commit(store: &impl Tables, index: &mut Index, rows: Rows) -> Result<(), IndexError> {
    let mut batch = Batch::new();
    rows.write(&mut batch);
    if !batch.is_empty() {
        store.commit(batch)?;
        index.evict();
    }
    Ok(())
}

fn last_commitment(store: &impl Tables, end: u64) -> Result<Commitment, IndexError> {
    let leaf = end - 1;
    match read_leaves(store, leaf, end)?.pop() {
        Some(Leaf::Commitment(said)) => {
            said.map_err(|source| IndexError::Commitment { leaf, source })
        }
        _ => Err(IndexError::Commitment {
            leaf,
            source: CommitmentError::Missing(LeafIndex::new(leaf)),
        }),
    }
}

fn add_labels(
    store: &impl Tables,
    index: &mut Index,
    from: u64,
    end: u64,
) -> Result<(), IndexError> {
    let mut at = from;
    while at < end {
        for leaf in read_leaves(store, at, end)? {
            if let Leaf::Labels(labels) = leaf {
                index.add(at, &labels);
            }
            at += 1;
        }
    }
    Ok(())
}

/// What a leaf means to the index.
enum Leaf {
    Labels(Vec<Label>),
    Commitment(Result<Commitment, CommitmentError>),
}

/// The leaves from `from` on, up to `end` or the end of some bundles, at least one.
fn read_leaves(store: &impl Tables, from: u64, end: u64) -> Result<Vec<Leaf>, RecordError> {
    let first = from / WIDTH;
    let last = end.div_ceil(WIDTH).min(first + BUNDLES);
    let bundles: Result<Vec<Vec<Leaf>>, RecordError> = (first..last)
        .into_par_iter()
        .map(|number| {
            let start = number * WIDTH;
            let bytes = records::read_bundle(store, number, WIDTH.min(end - start))?;
            let skip = from.saturating_sub(start) as usize;
            let mut leaves = Vec::with_capacity(WIDTH as usize);
            for (at, entry) in bundle::entries(&bytes).enumerate().skip(skip) {
                let damaged =
                    |e: String| RecordError::Damaged(format!("entry {}: {e}", start + at as u64));
                let entry = bytes.slice_ref(entry.map_err(|e| damaged(e.to_string()))?);
                leaves
                    .push(read_leaf(entry, start + at as u64).map_err(|e| damaged(e.to_string()))?);
            }
            Ok(leaves)
        })
        .collect();
    Ok(bundles?.into_iter().flatten().collect())
}

fn read_leaf(entry: Bytes, at: u64) -> Result<Leaf, assay_claims::entry::EntryError> {
    let entry = Entry::parse(entry)?;
    Ok(match entry.body() {
        wire::Body::IndexCommitment(_) => {
            Leaf::Commitment(Commitment::of_entry(&entry, LeafIndex::new(at)))
        }
        wire::Body::Claim(_) => Leaf::Labels(labels_of_entry(&entry)),
    })
}
