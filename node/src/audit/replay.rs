//! Replaying a mirrored log: its entries are read from its part of the store and verified on all
//! cores, and applied in order.
//!
//! Some thousand entries are one batch: the rows that find them again, those of the index, and how
//! far the replay came. So it goes on from there after any stop, and holds nothing of the log in
//! memory beyond a limit.

use super::Copied;
use super::issuers::StoredIssuers;
use crate::{
    index::{self, Index, IndexError},
    records::{self, RecordError, WIDTH},
    storage::{Batch, Table, Tables},
    view::read_tile_bytes,
};
use assay_claims::audit::{self, Body, Claim, Finding, Keys, Leaf, Read, Rule, Rules, Stated};
use assay_claims::claim::{KeyCache, PublicKey, ReplayedClaim, SignatureId};
use assay_claims::index::Commitment;
use assay_claims::issuer::IssuerId;
use assay_claims::{kind, sequencer};
use assay_tlog::Hash;
use assay_tlog::tree::{LeafIndex, TileIndex, TreeSize, bundle};
use bytes::Bytes;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

/// Bundles that are verified while those before are applied.
const BUNDLES: u64 = 16;

/// Entries of a chunk, which is the least that is replayed of a head that is not all there yet.
pub(crate) const CHUNK: u64 = BUNDLES * WIDTH;

/// About the bytes of rows in one batch.
const COMMIT_BYTES: usize = 8 << 20;

/// About the bytes of the rows that find a leaf again, with their keys.
const LEAF_BYTES: usize = 320;

/// Most labels between two commitments: what is held in memory until the next one.
const PENDING: usize = 2_000_000;

/// The row that says how far the replay came.
pub(crate) const RULES: &[u8] = b"audit/rules";

/// Why a replay ends early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplayError {
    /// The log does not keep a rule. What came before is stored.
    #[error(transparent)]
    Found(#[from] Box<Found>),
    /// The store failed or is damaged.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// There is no index to go on from.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// Nothing can be verified together.
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

/// A rule that a log does not keep.
#[derive(Debug, thiserror::Error)]
#[error("{finding}")]
pub(crate) struct Found {
    /// Which one, and where.
    pub finding: Finding,
    /// The index that the entries give, if the log commits to another one.
    pub computed: Option<Commitment>,
}

impl From<Finding> for ReplayError {
    fn from(finding: Finding) -> Self {
        let computed = None;
        ReplayError::Found(Box::new(Found { finding, computed }))
    }
}

/// How far a log was replayed, as it is stored. `None` if no entry was.
pub(crate) fn stored(part: &Copied) -> Result<Option<Rules>, RecordError> {
    use crate::storage::Reads as _;
    let Some(row) = part.get(Table::Meta, RULES)? else {
        return Ok(None);
    };
    let rules = Rules::from_record(&row);
    let rules = rules.ok_or_else(|| {
        RecordError::Damaged("the row on how far a mirrored log was replayed is malformed".into())
    });
    Ok(Some(rules?))
}

/// The index of a mirrored log as of `size` leaves, the last commitment of which is the last leaf
/// of the tree of size `committed`.
pub(crate) fn recover(
    part: &Copied,
    size: TreeSize,
    committed: TreeSize,
    cache_mib: usize,
) -> Result<Index, IndexError> {
    let head = sequencer::Head {
        size,
        last_commitment: committed,
        ..sequencer::Head::empty()
    };
    index::recover(part, head, cache_mib)
}

/// Keys that were parsed before, by whichever thread.
#[derive(Default)]
struct SharedKeys(RwLock<Keys>);

impl SharedKeys {
    fn keep(&self, claim: &ReplayedClaim) {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if !known.is_done_with(claim) {
            drop(known);
            let mut keys = self.0.write().unwrap_or_else(PoisonError::into_inner);
            keys.keep(claim);
        }
    }
}

impl KeyCache for SharedKeys {
    fn key(&self, bytes: &[u8; 32]) -> Option<PublicKey> {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        keys.key(bytes)
    }
}

/// What of a claim is kept for its rows.
struct Beside {
    attachments: Vec<Hash>,
    vouching: Option<Hash>,
}

impl Beside {
    fn of(claim: &ReplayedClaim) -> Self {
        let Ok(content) = claim.content() else {
            return Beside {
                attachments: Vec::new(),
                vouching: None,
            };
        };
        let named = kind::attachments(content.statement());
        Beside {
            attachments: named.into_iter().map(|it| it.sha256).collect(),
            vouching: sequencer::vouching(content.body()),
        }
    }
}

/// Entries of a bundle that were verified by themselves.
struct Bundle {
    /// Their leaf hashes.
    hashes: Bytes,
    read: Read<Beside>,
}

/// Bundles that come one after the other.
struct Chunk {
    bundles: Vec<Bundle>,
    /// The leaf after them.
    end: u64,
}

/// Where signatures stand that are in the log.
type Places = HashMap<SignatureId, LeafIndex>;

/// A log that is being replayed.
pub(crate) struct Replayer {
    part: Copied,
    keys: Arc<SharedKeys>,
    rules: Rules,
    index: Index,
    issuers: StoredIssuers,
    /// The signatures of this chunk so far.
    fresh: Places,
    /// Labels since the last commitment.
    pending: usize,
    batch: Batch,
    /// About the bytes in it.
    bytes: usize,
}

impl Replayer {
    /// Goes on from what is stored.
    pub fn load(part: Copied, rules: Rules, cache_mib: usize) -> Result<Self, IndexError> {
        Ok(Replayer {
            index: recover(&part, rules.size(), rules.committed(), cache_mib)?,
            issuers: StoredIssuers::new(part.clone()),
            part,
            keys: Arc::default(),
            rules,
            fresh: Places::new(),
            pending: 0,
            batch: Batch::new(),
            bytes: 0,
        })
    }

    /// How far it came.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The index as of the last commitment.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Replays up to leaf `to`, as many chunks as `most`, or until `stop` says so. After an error
    /// it is not to be used any more.
    pub fn run(&mut self, to: u64, most: u64, stop: &AtomicBool) -> Result<(), ReplayError> {
        let from = self.rules.size().get();
        let to = to.min((from / WIDTH + most * BUNDLES) * WIDTH);
        let mut next = (from < to).then(|| read_chunk(&self.part, &self.keys, from, to));
        while let Some(chunk) = next.take() {
            let chunk = chunk?;
            let end = chunk.end;
            let (part, keys) = (self.part.clone(), self.keys.clone());
            let goes_on = end < to && !stop.load(Ordering::Relaxed);
            let (applied, following) = rayon::join(
                || self.apply(chunk),
                || goes_on.then(|| read_chunk(&part, &keys, end, to)),
            );
            applied?;
            next = following;
        }
        Ok(())
    }

    /// Stores the index as it is, so that the next start reads little.
    pub fn close(&mut self) -> Result<(), RecordError> {
        self.index.store_all(&self.part)
    }

    fn apply(&mut self, chunk: Chunk) -> Result<(), ReplayError> {
        let known = self.known(&chunk)?;
        for Bundle { hashes, read } in chunk.bundles {
            let (hashes, _) = hashes.as_chunks::<{ Hash::LEN }>();
            for (leaf, hash) in read.leaves.into_iter().zip(hashes) {
                let before = self.rules;
                if let Err(error) = self.leaf(leaf, Hash::new(*hash), &known) {
                    self.rules = before;
                    self.commit()?;
                    return Err(error);
                }
                if self.bytes > COMMIT_BYTES {
                    self.flush()?;
                }
            }
            if let Some(finding) = read.finding {
                self.commit()?;
                return Err(finding.into());
            }
        }
        self.flush()?;
        self.fresh.clear();
        Ok(())
    }

    /// The signatures of a chunk that leaves before it have.
    fn known(&self, chunk: &Chunk) -> Result<Places, RecordError> {
        let leaves = chunk.bundles.iter().flat_map(|it| &it.read.leaves);
        let ids: Vec<SignatureId> = leaves
            .filter_map(|leaf| match &leaf.body {
                Body::Claim(claim) => Some(claim.signatures()),
                Body::Commitment(_) => None,
            })
            .flatten()
            .map(|(_, id)| *id)
            .collect();
        let places = records::find_signatures(&self.part, ids.iter().copied())?;
        let found = ids.into_iter().zip(places);
        Ok(found.filter_map(|(id, place)| Some((id, place?))).collect())
    }

    fn leaf(&mut self, leaf: Leaf<Beside>, hash: Hash, known: &Places) -> Result<(), ReplayError> {
        match leaf.body {
            Body::Claim(claim) => self.claim(leaf.logged_at_ms, claim, hash, known),
            Body::Commitment(said) => self.commitment(leaf.logged_at_ms, &said, hash),
        }
    }

    fn claim(
        &mut self,
        logged_at_ms: u64,
        claim: Claim<Beside>,
        hash: Hash,
        known: &Places,
    ) -> Result<(), ReplayError> {
        let leaf = self.rules.size().next_leaf();
        let fresh = &self.fresh;
        let place = |id: &SignatureId| fresh.get(id).or_else(|| known.get(id)).copied();
        let other = claim.signatures().iter().find_map(|(_, id)| place(id));
        let admitted =
            self.rules
                .claim(logged_at_ms, claim, |id| place(id).is_some(), &self.issuers);
        self.issuers.check()?;
        let admitted = admitted.map_err(|finding| match other {
            Some(other) if finding.rule == Rule::Repeated => finding.against(other),
            _ => finding,
        })?;
        let new: Vec<SignatureId> = admitted
            .signatures
            .iter()
            .map(|(_, id)| *id)
            .filter(|id| place(id).is_none())
            .collect();
        self.fresh.extend(new.iter().map(|id| (*id, leaf)));
        self.pending += admitted.labels.len();
        if self.pending > PENDING {
            let reason = format!("more than {PENDING} labels stand here without a commitment");
            return Err(beyond(leaf, reason).into());
        }
        self.index.add(leaf.get(), &admitted.labels);
        if let Some(record) = &admitted.change {
            self.issuers.apply(record, &mut self.batch);
            self.bytes += LEAF_BYTES;
        }
        let vouching = admitted.kept.vouching;
        let rows = sequencer::Leaf {
            hash,
            signatures: new,
            change: admitted.change,
            attachments: admitted.kept.attachments,
            vouching: vouching.map(|what| (what, issuers(&admitted.signatures))),
            ..nothing()
        };
        self.put(leaf, &rows);
        Ok(())
    }

    fn commitment(
        &mut self,
        logged_at_ms: u64,
        said: &Stated,
        hash: Hash,
    ) -> Result<(), ReplayError> {
        let leaf = self.rules.size().next_leaf();
        let said = self.rules.commitment(logged_at_ms, said)?;
        let (rebuilt, rows) = self.index.step(&self.part, leaf.get())?;
        if let Err(finding) = audit::same_index(leaf, &said, &rebuilt) {
            let computed = Some(rebuilt);
            return Err(Box::new(Found { finding, computed }).into());
        }
        self.pending = 0;
        self.bytes += rows.bytes();
        rows.write(&mut self.batch);
        let rows = sequencer::Leaf { hash, ..nothing() };
        self.put(leaf, &rows);
        Ok(())
    }

    fn put(&mut self, leaf: LeafIndex, rows: &sequencer::Leaf) {
        records::put_leaf(&mut self.batch, leaf, rows);
        self.bytes += LEAF_BYTES;
    }

    /// Commits what was applied, and lets go of what is beyond the limit of memory.
    fn flush(&mut self) -> Result<(), RecordError> {
        self.commit()?;
        self.index.evict();
        Ok(())
    }

    fn commit(&mut self) -> Result<(), RecordError> {
        let record = self.rules.record().to_vec();
        self.batch.put(Table::Meta, RULES, record);
        self.part.commit(std::mem::take(&mut self.batch))?;
        self.bytes = 0;
        self.issuers.committed();
        Ok(())
    }
}

/// What this program does not hold, which blames nobody.
fn beyond(leaf: LeafIndex, reason: String) -> Finding {
    Finding {
        rule: Rule::Unsupported,
        leaf,
        other: None,
        reason,
    }
}

/// A leaf without rows.
fn nothing() -> sequencer::Leaf {
    sequencer::Leaf {
        entry: Bytes::new(),
        hash: Hash::new([0; Hash::LEN]),
        signatures: Vec::new(),
        change: None,
        attachments: Vec::new(),
        vouching: None,
        labels: Vec::new(),
        invitation: None,
    }
}

/// The issuers of signatures, each once.
fn issuers(signatures: &[(IssuerId, SignatureId)]) -> Vec<IssuerId> {
    let mut issuers = Vec::with_capacity(signatures.len());
    for (issuer, _) in signatures {
        if !issuers.contains(issuer) {
            issuers.push(*issuer);
        }
    }
    issuers
}

/// Reads and verifies the entries from leaf `from` on, up to `to` or the end of some bundles.
fn read_chunk(part: &Copied, keys: &SharedKeys, from: u64, to: u64) -> Result<Chunk, ReplayError> {
    let first = from / WIDTH;
    let last = to.div_ceil(WIDTH).min(first + BUNDLES);
    let end = to.min(last * WIDTH);
    let bundles: Result<Vec<Bundle>, ReplayError> = (first..last)
        .into_par_iter()
        .map(|number| read_bundle(part, keys, number, from, end))
        .collect();
    Ok(Chunk {
        bundles: bundles?,
        end,
    })
}

fn read_bundle(
    part: &Copied,
    keys: &SharedKeys,
    number: u64,
    from: u64,
    end: u64,
) -> Result<Bundle, ReplayError> {
    let start = number * WIDTH;
    let end = end.min(start + WIDTH);
    let skipped = from.saturating_sub(start) as usize;
    let bytes = records::read_bundle(part, number, end - start)?;
    let tile = TileIndex {
        level: 0,
        index: number,
    };
    let hashes = read_tile_bytes(part, tile, TreeSize::new(end))?;
    let before = bundle::entries(&bytes).take(skipped);
    let before: usize = before.flatten().map(|entry| 2 + entry.len()).sum();
    let first = LeafIndex::new(start + skipped as u64);
    let width = (end - start) as usize - skipped;
    let bytes = bytes.slice(before..);
    let read = audit::read(first, &bytes, width, keys, getrandom::fill, |claim| {
        keys.keep(claim);
        Beside::of(claim)
    });
    Ok(Bundle {
        hashes: hashes.slice(skipped * Hash::LEN..),
        read: read.map_err(ReplayError::Random)?,
    })
}
