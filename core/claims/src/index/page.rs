//! Pages: up to sixteen neighboring labels with their lists.
//!
//! ```text
//! page    = record*, ascending by label
//! record  = label, 32 bytes ‖ length of its list, varint ‖ its leaf node's hash ‖ list
//! hash    = length 1: nothing, because it follows from the rest
//!         | else: 32 bytes
//! list    = length ≤ 8: the indices, as varints of the differences
//!         | else: the roots of its complete subtrees, 32 bytes each, the largest first:
//!           one for each bit set in the length
//! ```
//!
//! Most labels have one leaf. To hash it again costs less than what twice the memory does.
//!
//! A longer list's indices are stored as [`Spill`]s: what one publish step appended to it. This is
//! a format of ours alone; nothing outside of the store ever sees it.

use super::label::Label;
use super::list::{self, ListFrontier};
use super::trie::{self, Leaf};
use assay_tlog::Hash;
use assay_tlog::tree::LeafIndex;
use prost::encoding::decode_varint;

/// Most labels in a page. Measured: smaller pages make the directory larger, larger ones the
/// rewriting.
pub const PAGE_LABELS: usize = 16;

/// Longest list that stands in its page.
pub const INLINE: u64 = 8;

/// Why bytes are not a page: the store is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// Cut off, or lists of another length than they state.
    #[error("a page of the index is malformed")]
    Malformed,
    /// Its labels are not ascending.
    #[error("a page of the index has its labels out of order")]
    Order,
    /// It has no labels.
    #[error("a page of the index has no labels")]
    Empty,
    /// It has more labels than a page may have.
    #[error("a page of the index has more than {PAGE_LABELS} labels")]
    Full,
}

/// What a publish step appends to a list that does not stand in its page (any more).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spill {
    /// Whose list it is.
    pub label: Label,
    /// Where in the list the first of `leaves` stands.
    pub position: u64,
    /// Ascending leaf indices.
    pub leaves: Vec<LeafIndex>,
}

/// One label of a page.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// The label.
    pub label: Label,
    /// The hash of its leaf node.
    pub hash: Hash,
    /// The length of its list.
    pub length: u64,
    list: &'a [u8],
    pub(super) whole: &'a [u8],
}

impl<'a> Record<'a> {
    /// The list, if it stands in the page.
    pub fn inline(&self) -> Result<Option<Vec<LeafIndex>>, PageError> {
        if self.length <= INLINE {
            list::read(self.list).map(Some).ok_or(PageError::Malformed)
        } else {
            Ok(None)
        }
    }

    /// The frontier of the list, of which its root is made.
    pub fn frontier(&self) -> Result<ListFrontier, PageError> {
        if let Some(leaves) = self.inline()? {
            return Ok(leaves.into_iter().collect());
        }
        let (peaks, _) = self.list.as_chunks::<{ Hash::LEN }>();
        let peaks = peaks.iter().copied().map(Hash::new).collect();
        ListFrontier::from_parts(self.length, peaks).ok_or(PageError::Malformed)
    }

    /// Takes the first record off `bytes`.
    pub(super) fn take(bytes: &mut &'a [u8]) -> Result<Self, PageError> {
        let start = *bytes;
        let (label, rest) = start.split_first_chunk().ok_or(PageError::Malformed)?;
        let label = Label::from_bytes(*label);
        *bytes = rest;
        let length = decode_varint(bytes).map_err(|_| PageError::Malformed)?;
        let stored = if length == 1 {
            None
        } else {
            let (hash, rest) = bytes.split_first_chunk().ok_or(PageError::Malformed)?;
            *bytes = rest;
            Some(Hash::new(*hash))
        };
        let list = list_bytes(bytes, length).ok_or(PageError::Malformed)?;
        let (list, rest) = bytes.split_at(list);
        *bytes = rest;
        let hash = match stored {
            Some(hash) => hash,
            None => single(&label, list)?,
        };
        Ok(Record {
            label,
            hash,
            length,
            list,
            whole: &start[..start.len() - rest.len()],
        })
    }
}

/// The hash of the leaf node of a label with a list of one leaf.
fn single(label: &Label, mut list: &[u8]) -> Result<Hash, PageError> {
    let leaf = decode_varint(&mut list).map_err(|_| PageError::Malformed)?;
    Ok(trie::leaf(label, 1, &list::leaf_hash(LeafIndex::new(leaf))))
}

impl Leaf for Record<'_> {
    fn label(&self) -> &Label {
        &self.label
    }

    fn hash(&self) -> Hash {
        self.hash
    }
}

/// How many of these bytes a list of this length takes.
fn list_bytes(bytes: &[u8], length: u64) -> Option<usize> {
    let end = if length <= INLINE {
        varints(bytes, length as usize)?
    } else {
        length.count_ones() as usize * Hash::LEN
    };
    (end <= bytes.len()).then_some(end)
}

/// How many bytes the first `count` varints take.
fn varints(bytes: &[u8], count: usize) -> Option<usize> {
    if count == 0 {
        return None;
    }
    let last = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte < 0x80)
        .nth(count - 1)?;
    Some(last.0 + 1)
}

/// The records of a page, in order.
pub fn records(bytes: &[u8]) -> Result<Vec<Record<'_>>, PageError> {
    let mut rest = bytes;
    let mut records: Vec<Record<'_>> = Vec::with_capacity(PAGE_LABELS);
    while !rest.is_empty() {
        let record = Record::take(&mut rest)?;
        if records
            .last()
            .is_some_and(|last| last.label >= record.label)
        {
            return Err(PageError::Order);
        }
        records.push(record);
    }
    if records.is_empty() {
        Err(PageError::Empty)
    } else {
        Ok(records)
    }
}
