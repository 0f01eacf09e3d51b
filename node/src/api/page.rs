//! `Lookup`: a page of one label's list, with the proof of its place in the list.
//!
//! A list is stored as its leaves, without hashes. Of long lists the roots of complete subtrees are
//! kept in memory once they were computed ([`ListChunks`]): they never change, and a page then
//! costs its own leaves, some hundred of its neighbors, and a hash for each subtree. The first
//! page of a list that is not kept costs one reading of the list up to its end.

use super::{joined, status};
use crate::{
    held::NoRoom,
    index::StoredPages,
    records::{self, RecordError},
    storage::{Reads, Tables},
    view::{Published, View},
};
use assay_claims::index::map::{Listed, MapError};
use assay_claims::index::range::{CHUNK, ListChunks, prove_page};
use assay_claims::index::{Label, Query};
use assay_claims::limits;
use assay_proto::v1::{Answer, LabelList, LookupRequest};
use assay_tlog::Hash;
use assay_tlog::tree::LeafIndex;
use bytes::Bytes;
use quick_cache::{Weighter, sync::Cache};
use std::{ops::Range, sync::Arc};
use tonic::Status;

/// Bytes of entries in the answer to one `Lookup`, about: well below the limit of 1 MiB a message.
const MESSAGE_BYTES: usize = 512 << 10;

/// Most leaves of a list that are hashed where a call is served, which takes a millisecond or some.
/// Longer ones are hashed on threads for look-ups.
const AT_ONCE: u64 = 2_048;

/// Shortest list of which subtrees are kept. Shorter ones are hashed again.
const KEPT_LEAVES: u64 = 2 * CHUNK;

/// Memory for the subtrees that are kept, in bytes: those of lists of 30,000,000 leaves together.
const KEPT_BYTES: u64 = 4 << 20;

/// Lists of which subtrees are kept, about.
const KEPT_LISTS: usize = 1_024;

/// What subtrees of one list take in memory beside their hashes, about.
const LIST_BYTES: u64 = 128;

#[derive(Clone)]
struct ChunksWeight;

impl Weighter<Label, Arc<ListChunks>> for ChunksWeight {
    fn weight(&self, _: &Label, chunks: &Arc<ListChunks>) -> u64 {
        LIST_BYTES + chunks.leaves() / CHUNK * Hash::LEN as u64
    }
}

/// How many leaves a page has at most.
fn limit(request: &LookupRequest) -> usize {
    match request.limit as usize {
        0 => limits::PAGE,
        limit => limit.min(limits::PAGE),
    }
}

/// A list that is too long to be hashed at once.
#[derive(Debug)]
pub struct LongList {
    label: Label,
    length: u64,
}

impl LongList {
    /// The memory that its subtrees take.
    pub fn kept_bytes(&self) -> usize {
        (self.length / CHUNK) as usize * Hash::LEN
    }
}

/// Why a page was not made.
#[derive(Debug)]
pub enum Unmade {
    /// It has more leaves than were to be read.
    Many,
    /// What the caller is told.
    Refused(Status),
    /// Its list has to be hashed first.
    Long(LongList),
}

impl From<Status> for Unmade {
    fn from(status: Status) -> Self {
        Unmade::Refused(status)
    }
}

impl From<NoRoom> for Unmade {
    fn from(error: NoRoom) -> Self {
        Unmade::Refused(error.into())
    }
}

impl From<RecordError> for Unmade {
    fn from(error: RecordError) -> Self {
        Unmade::Refused(status::store(&error))
    }
}

impl From<Unmade> for Status {
    fn from(unmade: Unmade) -> Self {
        match unmade {
            Unmade::Refused(status) => status,
            Unmade::Many | Unmade::Long(_) => {
                Status::unavailable("the list grew while it was read; try again in a moment")
            }
        }
    }
}

/// Makes pages of lists.
pub struct PageMaker<S> {
    view: Arc<View<S>>,
    kept: Cache<Label, Arc<ListChunks>, ChunksWeight>,
}

impl<S> PageMaker<S> {
    /// Returns a maker of pages of what `view` shows.
    pub fn new(view: Arc<View<S>>) -> Self {
        PageMaker {
            view,
            kept: Cache::with_weighter(KEPT_LISTS, KEPT_BYTES, ChunksWeight),
        }
    }
}

impl<S: Tables> PageMaker<S> {
    /// Makes a page of at most so many leaves, given what is known of its list beside what is kept.
    /// Fails with [`Unmade::Many`] if more are asked for and there, and with [`Unmade::Long`] if
    /// [`Self::read_long`] has to be called first.
    pub fn page(
        &self,
        request: &LookupRequest,
        known: Option<&ListChunks>,
        most: usize,
    ) -> Result<Answer, Unmade> {
        let published = self.view.published().map_err(Status::from)?;
        let map = published.index().ok_or_else(unavailable)?;
        let store = self.view.store();
        let label = label(&request.label)?;
        let proven = proven(map.prove(&Query::labels(&[label]), &StoredPages(store)))?;
        let mut answer = Answer {
            checkpoint: published.note().to_owned(),
            commitment: published.commitment().clone(),
            cut: proven.cut().into(),
            ..Answer::default()
        };
        let mut targets = Vec::new();
        if let Some(listed) = proven.found.first() {
            let there = listed.length.saturating_sub(request.from);
            if there.min(limit(request) as u64) > most as u64 {
                return Err(Unmade::Many);
            }
            targets = self.fill(&mut answer, listed, request)?;
            let to = request.from.saturating_add(targets.len() as u64);
            answer.range = joined(&self.place(listed, request.from..to, known)?);
        }
        targets.push(last_leaf(&published));
        let inclusion = self.view.inclusion_of_many(&targets, published.size());
        answer.inclusion = joined(&inclusion.map_err(Status::from)?);
        Ok(answer)
    }

    /// Adds as many leaves of a list, with their entries, as are asked for and fit. Returns them.
    fn fill(
        &self,
        answer: &mut Answer,
        listed: &Listed,
        request: &LookupRequest,
    ) -> Result<Vec<LeafIndex>, Unmade> {
        let store = self.view.store();
        let mut page = leaves(store, listed, request.from, limit(request) as u64)?;
        answer.entries.reserve(page.len());
        let mut bytes = 0;
        for leaf in &page {
            let entry = records::read_entry(store, *leaf)?;
            bytes += entry.len();
            if !answer.entries.is_empty() && bytes > MESSAGE_BYTES {
                break;
            }
            answer.entries.push(entry);
        }
        page.truncate(answer.entries.len());
        answer.leaves.extend(page.iter().map(|leaf| leaf.get()));
        answer.lists.push(LabelList {
            label: request.label.clone(),
            leaves: answer.leaves.clone(),
        });
        Ok(page)
    }

    /// The proof that the leaves at these positions of a list stand there.
    fn place(
        &self,
        listed: &Listed,
        page: Range<u64>,
        known: Option<&ListChunks>,
    ) -> Result<Vec<Hash>, Unmade> {
        if let Some(leaves) = &listed.leaves {
            return Ok(prove_page(leaves, page));
        }
        if page.is_empty() || page == (0..listed.length) {
            return Ok(Vec::new());
        }
        let (label, length) = (listed.label, listed.length);
        let mut read = |range: Range<u64>| self.read(&label, range);
        if length < KEPT_LEAVES {
            return Ok(ListChunks::default().prove(page, length, &mut read)?);
        }
        let mut chunks = self.kept(&label);
        if let Some(known) = known
            && chunks.leaves() < known.leaves()
        {
            chunks = known.clone();
        }
        if length.saturating_sub(chunks.leaves()) > AT_ONCE {
            return Err(Unmade::Long(LongList { label, length }));
        }
        if chunks.leaves() + CHUNK <= length {
            chunks.grow(length, &mut read)?;
            self.kept.insert(label, Arc::new(chunks.clone()));
        }
        Ok(chunks.prove(page, length, &mut read)?)
    }

    /// Reads a long list, and keeps what it is hashed to.
    pub fn read_long(&self, list: &LongList) -> Result<ListChunks, Status> {
        let mut chunks = self.kept(&list.label);
        chunks
            .grow(list.length, &mut |range| self.read(&list.label, range))
            .map_err(|error| status::store(&error))?;
        self.kept.insert(list.label, Arc::new(chunks.clone()));
        Ok(chunks)
    }

    fn kept(&self, label: &Label) -> ListChunks {
        let kept = self.kept.get(label);
        kept.map(|chunks| (*chunks).clone()).unwrap_or_default()
    }

    fn read(&self, label: &Label, range: Range<u64>) -> Result<Vec<LeafIndex>, RecordError> {
        records::read_list(self.view.store(), label, range.start, range.end)
    }
}

/// What is said until a node that has started has published its next checkpoint. A log that asks
/// witnesses shows an older one meanwhile, whose index it does not have.
pub(super) fn unavailable() -> Status {
    Status::unavailable(
        "the node has started again and answers look-ups once its next checkpoint is published, \
         which its witnesses may have to cosign first; try again in a moment",
    )
}

/// What the index proves, or why it cannot be read.
pub(super) fn proven<T>(proven: Result<T, MapError<RecordError>>) -> Result<T, Status> {
    proven.map_err(|error| match error {
        MapError::Read(error) => status::store(&error),
        other => status::store(&RecordError::Damaged(other.to_string())),
    })
}

fn label(bytes: &[u8]) -> Result<Label, Status> {
    Label::from_slice(bytes).ok_or_else(|| {
        status::invalid(
            "label",
            format!("a label has 32 bytes; this one has {}", bytes.len()),
        )
    })
}

/// At most `most` leaves of a list from position `from` on: from memory if the list is short, else
/// from the store.
pub(super) fn leaves(
    store: &impl Reads,
    listed: &Listed,
    from: u64,
    most: u64,
) -> Result<Vec<LeafIndex>, Status> {
    let to = from.saturating_add(most).min(listed.length);
    match &listed.leaves {
        Some(leaves) => Ok(leaves
            .get(from as usize..to as usize)
            .unwrap_or_default()
            .to_vec()),
        None => records::read_list(store, &listed.label, from, to).map_err(|e| status::store(&e)),
    }
}

/// The leaf that commits to the index that is shown.
pub(super) fn last_leaf(published: &Published) -> LeafIndex {
    LeafIndex::new(published.size().get().saturating_sub(1))
}

/// About the bytes of an answer.
pub(super) fn size(answer: &Answer) -> usize {
    let entries: usize = answer.entries.iter().map(Bytes::len).sum();
    let proofs = answer.checkpoint.len() + answer.cut.len() + answer.inclusion.len();
    let proofs = proofs + answer.range.len();
    let leaves: usize = answer.lists.iter().map(|list| list.leaves.len()).sum();
    entries + proofs + answer.commitment.len() + 10 * (leaves + answer.leaves.len())
}
