//! Pages: up to sixteen neighboring labels with their lists.
//!
//! ```text
//! page    = record*, ascending by label
//! record  = label, 32 bytes ‖ its leaf node's hash, 32 bytes ‖ length of its list, varint ‖ list
//! list    = length ≤ 8: the indices, as varints of the differences; else the roots of its complete subtrees, the largest
//!           first, 32 bytes each: one for each bit set in the length
//! ```
//!
//! In the store, a record of a list of one leaf goes without the hash of its leaf node ([`pack`]):
//! most labels have one leaf, pages are written over and over, and the hash follows from the rest.
//!
//! A longer list's indices are stored as [`Spill`]s: what one publish step appended to it. This is
//! a format of ours alone; nothing outside of the store ever sees it.

use super::label::{Label, Prefix};
use super::{list, trie};
use assay_tlog::Hash;
use prost::encoding::{decode_varint, encode_varint};

/// Most labels in a page. Measured: smaller pages make the directory larger, larger ones the
/// rewriting.
pub const PAGE_LABELS: usize = 16;

/// Longest list that stands in its page.
pub const INLINE: u64 = 8;

/// Why bytes are no page: the store is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// Cut off, or lists of another length than they state.
    #[error("a page of the index is malformed")]
    Malformed,
    /// Its labels are not ascending, or there are none.
    #[error("a page of the index has its labels out of order, or none")]
    Order,
}

/// What a publish step appends to a list that does not stand in its page (any more).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spill {
    /// Whose list it is.
    pub label: Label,
    /// Where in the list the first of `leaves` stands.
    pub position: u64,
    /// Ascending leaf indices.
    pub leaves: Vec<u64>,
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
    whole: &'a [u8],
}

impl<'a> Record<'a> {
    /// The list, if it stands in the page.
    pub fn inline(&self) -> Result<Option<Vec<u64>>, PageError> {
        if self.length <= INLINE {
            list::read(self.list, 0)
                .map(Some)
                .ok_or(PageError::Malformed)
        } else {
            Ok(None)
        }
    }

    /// The frontier of the list, of which its root is made.
    pub fn frontier(&self) -> Result<list::ListFrontier, PageError> {
        if let Some(leaves) = self.inline()? {
            return Ok(leaves.into_iter().collect());
        }
        let (peaks, _) = self.list.as_chunks::<{ Hash::LEN }>();
        let peaks = peaks.iter().copied().map(Hash::new).collect();
        list::ListFrontier::from_parts(self.length, peaks).ok_or(PageError::Malformed)
    }

    /// Takes the first record off `bytes`.
    fn take(bytes: &mut &'a [u8]) -> Result<Self, PageError> {
        let start = *bytes;
        let mut hash = || -> Option<[u8; 32]> {
            let (first, rest) = bytes.split_first_chunk::<32>()?;
            *bytes = rest;
            Some(*first)
        };
        let (label, node) = hash().zip(hash()).ok_or(PageError::Malformed)?;
        let length = decode_varint(bytes).map_err(|_| PageError::Malformed)?;
        let list = list_bytes(bytes, length).ok_or(PageError::Malformed)?;
        let (list, rest) = bytes.split_at(list);
        *bytes = rest;
        let whole = &start[..start.len() - rest.len()];
        Ok(Record {
            label: Label::from_bytes(label),
            hash: Hash::new(node),
            length,
            list,
            whole,
        })
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
        Err(PageError::Order)
    } else {
        Ok(records)
    }
}

/// A page as it is stored.
pub fn pack(page: &[u8]) -> Result<Vec<u8>, PageError> {
    let mut packed = Vec::with_capacity(page.len());
    let mut rest = page;
    while !rest.is_empty() {
        let record = Record::take(&mut rest)?;
        let (label, hash_and_rest) = record.whole.split_at(32);
        packed.extend_from_slice(label);
        // The length comes first: it says whether there is a hash.
        encode_varint(record.length, &mut packed);
        if record.length != 1 {
            packed.extend_from_slice(&hash_and_rest[..Hash::LEN]);
        }
        packed.extend_from_slice(record.list);
    }
    Ok(packed)
}

/// The page that [`pack`] made this of.
pub fn unpack(packed: &[u8]) -> Result<Vec<u8>, PageError> {
    let mut page = Vec::with_capacity(packed.len() * 2);
    let mut rest = packed;
    while let Some((label, after)) = rest.split_first_chunk::<32>() {
        rest = after;
        let length = decode_varint(&mut rest).map_err(|_| PageError::Malformed)?;
        page.extend_from_slice(label);
        if length == 1 {
            let start = rest;
            let leaf = decode_varint(&mut rest).map_err(|_| PageError::Malformed)?;
            let hash = trie::leaf(&Label::from_bytes(*label), 1, &list::leaf_hash(leaf));
            page.extend_from_slice(hash.as_bytes());
            page.push(1);
            page.extend_from_slice(&start[..start.len() - rest.len()]);
        } else {
            let (hash, after) = rest.split_first_chunk::<32>().ok_or(PageError::Malformed)?;
            let list = list_bytes(after, length).ok_or(PageError::Malformed)?;
            page.extend_from_slice(hash);
            encode_varint(length, &mut page);
            page.extend_from_slice(&after[..list]);
            rest = &after[list..];
        }
    }
    if rest.is_empty() {
        Ok(page)
    } else {
        Err(PageError::Malformed)
    }
}

/// Records that are being written, before they are parted into pages. One draft serves many pages,
/// one after the other: a publish step writes tens of thousands, and its memory is taken once.
#[derive(Debug, Default)]
pub(super) struct Draft {
    bytes: Vec<u8>,
    pub items: Vec<Item>,
    pub spills: Vec<Spill>,
    /// Labels that the page did not have.
    pub added: u64,
}

/// One record of a draft, or of a page of which only the hashes matter.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub label: Label,
    pub hash: Hash,
    end: usize,
}

impl Draft {
    /// The records of a page with what `updates` (leaf indices by label, ascending) append; those
    /// below `through` are in it already and are passed over. What the draft held before is gone,
    /// but for its spills and what it counted.
    pub fn merge(
        &mut self,
        page: &[u8],
        updates: &[(Label, u64)],
        through: u64,
    ) -> Result<(), PageError> {
        self.bytes.clear();
        self.items.clear();
        let mut runs = updates.chunk_by(|a, b| a.0 == b.0).peekable();
        let mut rest = page;
        while !rest.is_empty() {
            let record = Record::take(&mut rest)?;
            while let Some(run) = runs.next_if(|run| run[0].0 < record.label) {
                self.append(None, run, through)?;
            }
            match runs.next_if(|run| run[0].0 == record.label) {
                Some(run) => self.append(Some(record), run, through)?,
                None => self.keep(record),
            }
        }
        for run in runs {
            self.append(None, run, through)?;
        }
        Ok(())
    }

    fn keep(&mut self, record: Record<'_>) {
        self.bytes.extend_from_slice(record.whole);
        self.items.push(Item {
            label: record.label,
            hash: record.hash,
            end: self.bytes.len(),
        });
    }

    fn append(
        &mut self,
        old: Option<Record<'_>>,
        run: &[(Label, u64)],
        through: u64,
    ) -> Result<(), PageError> {
        let known = run.partition_point(|(_, leaf)| *leaf < through);
        let (Some((label, _)), new) = (run.first(), &run[known..]) else {
            return Ok(());
        };
        if new.is_empty() {
            old.into_iter().for_each(|record| self.keep(record));
            return Ok(());
        }
        self.added += u64::from(old.is_none());
        let length = old.map_or(0, |old| old.length);
        if length == 0 && new.len() == 1 {
            self.single(label, new[0].1);
            return Ok(());
        }
        let inline = old.map_or(Ok(Some(Vec::new())), |old| old.inline())?;
        let mut frontier =
            old.map_or_else(|| Ok(list::ListFrontier::default()), |old| old.frontier())?;
        frontier.extend(new.iter().map(|(_, leaf)| *leaf));
        let hash = trie::leaf(label, frontier.length(), &frontier.root());
        self.bytes.extend_from_slice(label.as_bytes());
        self.bytes.extend_from_slice(hash.as_bytes());
        encode_varint(frontier.length(), &mut self.bytes);

        let position = if inline.is_some() { 0 } else { length };
        let mut leaves = inline.unwrap_or_default();
        leaves.extend(new.iter().map(|(_, leaf)| *leaf));
        if frontier.length() <= INLINE {
            list::write(&mut self.bytes, 0, &leaves);
        } else {
            frontier
                .peaks()
                .iter()
                .for_each(|peak| self.bytes.extend_from_slice(peak.as_bytes()));
            self.spills.push(Spill {
                label: *label,
                position,
                leaves,
            });
        }
        self.items.push(Item {
            label: *label,
            hash,
            end: self.bytes.len(),
        });
        Ok(())
    }

    /// A label with its first leaf, as most labels have: its list is one leaf hash.
    fn single(&mut self, label: &Label, leaf: u64) {
        let hash = trie::leaf(label, 1, &list::leaf_hash(leaf));
        self.bytes.extend_from_slice(label.as_bytes());
        self.bytes.extend_from_slice(hash.as_bytes());
        encode_varint(1, &mut self.bytes);
        encode_varint(leaf, &mut self.bytes);
        self.items.push(Item {
            label: *label,
            hash,
            end: self.bytes.len(),
        });
    }

    /// The bytes of the records from one item to another, the last excluded.
    pub fn page(&self, from: usize, to: usize) -> &[u8] {
        let end = |item: usize| {
            item.checked_sub(1)
                .and_then(|last| self.items.get(last))
                .map_or(0, |item| item.end)
        };
        &self.bytes[end(from)..end(to)]
    }
}

/// What a subtree's hash is made of.
pub(super) trait Leaf {
    fn label(&self) -> &Label;
    fn hash(&self) -> Hash;
}

impl Leaf for Item {
    fn label(&self) -> &Label {
        &self.label
    }

    fn hash(&self) -> Hash {
        self.hash
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

/// The prefix common to ascending labels, of which there are two or more, and where the second half
/// begins.
pub(super) fn branch<L: Leaf>(leaves: &[L]) -> (Prefix, usize) {
    let (first, last) = (leaves[0].label(), leaves[leaves.len() - 1].label());
    let bits = first.common(last);
    let middle = leaves.partition_point(|leaf| !leaf.label().bit(bits.min(255) as u8));
    (Prefix::of(first, bits), middle)
}

/// The hash of the subtree over ascending labels, of which there is at least one. It goes as deep
/// as there are leaves.
pub(super) fn subtree<L: Leaf>(leaves: &[L]) -> Hash {
    match leaves {
        [] => trie::empty(),
        [one] => one.hash(),
        _ => {
            let (prefix, middle) = branch(leaves);
            trie::inner(
                &prefix,
                &subtree(&leaves[..middle]),
                &subtree(&leaves[middle..]),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(n: u64) -> Label {
        Label::from_bytes(*Hash::of(&n.to_be_bytes()).as_bytes())
    }

    fn merged(page: &[u8], updates: &[(Label, u64)], through: u64) -> Draft {
        let mut draft = Draft::default();
        draft.merge(page, updates, through).unwrap();
        draft
    }

    fn updates(pairs: &[(u64, u64)]) -> Vec<(Label, u64)> {
        let mut updates: Vec<_> = pairs.iter().map(|(n, leaf)| (label(*n), *leaf)).collect();
        updates.sort();
        updates
    }

    #[test]
    fn lists_grow_in_the_page_and_then_beside_it() {
        let mut page = Vec::new();
        let mut stored = Vec::new();
        for leaf in 0..40_u64 {
            let draft = merged(
                &page,
                &updates(&[(1, 2 * leaf), (1, 2 * leaf + 1), (2, leaf)]),
                0,
            );
            page = draft.page(0, 2).to_vec();
            stored.extend(
                draft
                    .spills
                    .into_iter()
                    .filter(|spill| spill.label == label(1)),
            );
            let record = *records(&page)
                .unwrap()
                .iter()
                .find(|record| record.label == label(1))
                .unwrap();
            let frontier: list::ListFrontier = (0..2 * leaf + 2).collect();
            assert_eq!(
                (record.length, record.frontier().unwrap()),
                (2 * leaf + 2, frontier.clone())
            );
            assert_eq!(
                record.hash,
                trie::leaf(&label(1), frontier.length(), &frontier.root())
            );
            assert_eq!(record.inline().unwrap().is_some(), leaf < 4);
        }
        let mut all = Vec::new();
        for spill in stored {
            assert_eq!(spill.position, all.len() as u64);
            all.extend(spill.leaves);
        }
        assert_eq!(all, (0..80).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_in_a_page_already_is_not_added_again() {
        let once = merged(&[], &updates(&[(1, 3), (2, 4)]), 0);
        let again = merged(once.page(0, 2), &updates(&[(1, 3), (1, 5), (2, 4)]), 5);
        let expected = merged(&[], &updates(&[(1, 3), (1, 5), (2, 4)]), 0);
        assert_eq!(again.page(0, 2), expected.page(0, 2));
    }

    #[test]
    fn what_is_stored_is_the_page_again() {
        let pairs: Vec<_> = (0..16)
            .flat_map(|n| (0..=n * n).map(move |leaf| (n, 1000 * leaf + n)))
            .collect();
        let draft = merged(&[], &updates(&pairs), 0);
        let page = draft.page(0, draft.items.len());
        let packed = pack(page).unwrap();
        assert_eq!(unpack(&packed).unwrap(), page);
        assert_eq!(packed.len(), page.len() - 32, "one label has one leaf");
        for end in 1..packed.len() {
            let cut = unpack(&packed[..end]);
            assert!(
                cut.is_err_and(|e| e == PageError::Malformed)
                    || page.starts_with(&unpack(&packed[..end]).unwrap())
            );
        }
        assert_eq!(
            unpack(&[0; 33]),
            Err(PageError::Malformed),
            "a list without leaves"
        );
    }

    #[test]
    fn damaged_pages_are_noticed() {
        let page = merged(&[], &updates(&[(1, 3), (2, 4), (2, 1000)]), 0)
            .page(0, 2)
            .to_vec();
        assert_eq!(records(&page).unwrap().len(), 2);
        for end in 1..page.len() {
            // A page that ends between two records is a smaller page; the hash of the directory
            // tells them apart.
            assert!(
                records(&page[..end]).is_err() || records(&page[..end]).unwrap().len() == 1,
                "{end}"
            );
        }
        let twice = [&page[..], &page[..]].concat();
        assert_eq!(records(&twice).unwrap_err(), PageError::Order);
        assert_eq!(records(&[]).unwrap_err(), PageError::Order);
    }
}
