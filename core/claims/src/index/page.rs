//! Pages: up to sixteen neighboring labels with their lists.
//!
//! ```text
//! page    = record, up to sixteen, ascending by label
//! record  = head, varint ‖ name ‖ by, 16 bytes ‖ hash ‖ list
//! head    = length of the list × 2, plus 1 if the name is that of the record before
//! name    = the same name as before: nothing
//!         | else: 16 bytes
//! hash    = length 1: nothing, because it follows from the rest
//!         | else: the label's leaf node's, 32 bytes
//! list    = length ≤ 8: the indices, as varints of the differences
//!         | else: the roots of its complete subtrees, 32 bytes each, the largest first:
//!           one for each bit set in the length
//! ```
//!
//! Labels of one name stand together, because they begin alike: what many said about one package
//! costs its name once a page. A name with one label costs nothing more for that. Most labels have
//! one leaf. To hash it again costs less than what twice the memory does.
//!
//! There is one form of each page: varints are as short as they can be, lists ascend, and no name
//! is written twice. A longer list's indices are stored as [`Spill`]s: what one publish step
//! appended to it. This is a format of ours alone; nothing outside of the store ever sees it.

use super::label::{By, Label, Name};
use super::list::{self, ListFrontier};
use super::trie::{self, Leaf};
use assay_tlog::Hash;
use assay_tlog::tree::LeafIndex;
use prost::encoding::encode_varint;

/// Most labels in a page. Measured: smaller pages make the directory larger, larger ones the
/// rewriting.
pub const PAGE_LABELS: usize = 16;

/// Longest list that stands in its page.
pub const INLINE: u64 = 8;

/// Most bytes that a record has before its hash.
pub(super) const LABEL_BYTES: usize = 10 + 32;

/// Why bytes are not a page: the store is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// Cut off, lists of another length than they state, or another form than a page has.
    #[error("a page of the index is malformed")]
    Malformed,
    /// Its labels, or the leaves of one, are not ascending.
    #[error("a page of the index is out of order")]
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
    /// What follows the label: the same in every page.
    pub(super) body: &'a [u8],
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

    /// Takes the record behind one with the label `before` off `bytes`.
    fn take(bytes: &mut &'a [u8], before: Option<&Label>) -> Option<Self> {
        let (label, length) = take_label(bytes, before)?;
        let body = *bytes;
        let (hash, list) = if length == 1 {
            let list = *bytes;
            let leaf = list::next(bytes, None)?;
            (trie::leaf(&label, 1, &list::leaf_hash(leaf)), list)
        } else {
            let hash = Hash::new(take_array(bytes)?);
            let list = *bytes;
            skip_list(bytes, length)?;
            (hash, list)
        };
        Some(Record {
            label,
            hash,
            length,
            list: &list[..list.len() - bytes.len()],
            body: &body[..body.len() - bytes.len()],
        })
    }
}

impl Leaf for Record<'_> {
    fn label(&self) -> &Label {
        &self.label
    }

    fn hash(&self) -> Hash {
        self.hash
    }
}

/// Writes the beginning of a record behind one with the label `before`, up to its label.
pub(super) fn write_label(bytes: &mut Vec<u8>, before: Option<&Label>, label: &Label, length: u64) {
    let name = label.name();
    let same = before.is_some_and(|before| before.name() == name);
    // Nothing is cut: a list of 2^63 leaves is longer than any log.
    encode_varint((length << 1) | u64::from(same), bytes);
    if !same {
        bytes.extend_from_slice(name.as_bytes());
    }
    bytes.extend_from_slice(label.by().as_bytes());
}

/// Takes what [`write_label`] wrote off `bytes`: the label and the length of its list.
fn take_label(bytes: &mut &[u8], before: Option<&Label>) -> Option<(Label, u64)> {
    let head = list::varint(bytes)?;
    let before = before.map(Label::name);
    let name = if head & 1 == 1 {
        before?
    } else {
        let name = Name::from_slice(&take_array::<16>(bytes)?)?;
        if before == Some(name) {
            return None;
        }
        name
    };
    let by = By::from_slice(&take_array::<16>(bytes)?)?;
    let length = head >> 1;
    (length > 0).then(|| (Label::of(name, by), length))
}

fn take_array<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (array, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*array)
}

/// Takes a list of this length off `bytes`.
fn skip_list(bytes: &mut &[u8], length: u64) -> Option<()> {
    if length > INLINE {
        let peaks = length.count_ones() as usize * Hash::LEN;
        *bytes = bytes.get(peaks..)?;
        return Some(());
    }
    let mut last = None;
    for _ in 0..length {
        last = Some(list::next(bytes, last)?);
    }
    Some(())
}

/// Reads the records of a page, in order.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    before: Option<Label>,
    left: usize,
}

impl<'a> Reader<'a> {
    /// Reads these bytes. None are no records, and not an error.
    pub fn new(page: &'a [u8]) -> Self {
        Reader {
            rest: page,
            before: None,
            left: PAGE_LABELS,
        }
    }

    fn record(&mut self) -> Result<Record<'a>, PageError> {
        self.left = self.left.checked_sub(1).ok_or(PageError::Full)?;
        let before = self.before.as_ref();
        let record = Record::take(&mut self.rest, before).ok_or(PageError::Malformed)?;
        if before.is_some_and(|before| *before >= record.label) {
            return Err(PageError::Order);
        }
        self.before = Some(record.label);
        Ok(record)
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<Record<'a>, PageError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        Some(self.record())
    }
}

/// The records of a page, in order: from one to [`PAGE_LABELS`].
pub fn records(bytes: &[u8]) -> Result<Vec<Record<'_>>, PageError> {
    let mut records: Vec<Record<'_>> = Vec::with_capacity(PAGE_LABELS);
    for record in Reader::new(bytes) {
        records.push(record?);
    }
    if records.is_empty() {
        Err(PageError::Empty)
    } else {
        Ok(records)
    }
}
