//! Writing pages: records that are merged with updates and parted into pages again.

use super::label::Label;
use super::list::{self, ListFrontier};
use super::page::{self, INLINE, PageError, Reader, Record, Spill};
use super::trie::{self, Leaf};
use assay_tlog::Hash;
use assay_tlog::tree::{LeafIndex, TreeSize};
use prost::encoding::encode_varint;
use std::ops::Range;

/// Records that are being written, before they are parted into pages. One draft serves many pages,
/// one after the other: a publish step writes tens of thousands, and its memory is taken once.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// The records, as if they were all in one page.
    bytes: Vec<u8>,
    pub items: Vec<Item>,
    pub spills: Vec<Spill>,
}

/// One record of a draft, or of a page of which only the hashes matter.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub label: Label,
    pub hash: Hash,
    length: u64,
    /// Where in the draft what follows its label begins, and where that ends.
    body: Range<usize>,
}

impl Draft {
    /// Takes the records of a page with what `updates` (leaf indices by label, ascending) append to
    /// them. Leaves in the tree of size `through` are in the page already and are passed over. What
    /// the draft held before is gone, except for its spills.
    pub fn merge(
        &mut self,
        page: &[u8],
        updates: &[(Label, LeafIndex)],
        through: TreeSize,
    ) -> Result<(), PageError> {
        self.bytes.clear();
        self.items.clear();
        let mut runs = updates.chunk_by(|a, b| a.0 == b.0).peekable();
        for record in Reader::new(page) {
            let record = record?;
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
        self.begin(&record.label, record.hash, record.length);
        self.bytes.extend_from_slice(record.body);
        self.end();
    }

    /// Appends a run of updates of one label to its record, or to a new one.
    fn append(
        &mut self,
        old: Option<Record<'_>>,
        run: &[(Label, LeafIndex)],
        through: TreeSize,
    ) -> Result<(), PageError> {
        let known = run.partition_point(|(_, leaf)| through.contains(*leaf));
        let (Some((label, _)), new) = (run.first(), &run[known..]) else {
            return Ok(());
        };
        if new.is_empty() {
            old.into_iter().for_each(|record| self.keep(record));
            return Ok(());
        }
        let length = old.map_or(0, |old| old.length);
        if length == 0 && new.len() == 1 {
            self.single(label, new[0].1);
            return Ok(());
        }
        let inline = old.map_or(Ok(Some(Vec::new())), |old| old.inline())?;
        // Nothing that is hashed says through which leaf a page is current.
        let last = inline.iter().flatten().next_back();
        if last.is_some_and(|last| *last >= new[0].1) {
            return Err(PageError::Order);
        }
        let mut frontier = old.map_or_else(|| Ok(ListFrontier::default()), |old| old.frontier())?;
        frontier.extend(new.iter().map(|(_, leaf)| *leaf));
        let hash = trie::leaf(label, frontier.length(), &frontier.root());
        self.begin(label, hash, frontier.length());
        self.bytes.extend_from_slice(hash.as_bytes());

        let position = if inline.is_some() { 0 } else { length };
        let mut leaves = inline.unwrap_or_default();
        leaves.extend(new.iter().map(|(_, leaf)| *leaf));
        if frontier.length() <= INLINE {
            list::write(&mut self.bytes, &leaves);
        } else {
            for peak in frontier.peaks() {
                self.bytes.extend_from_slice(peak.as_bytes());
            }
            self.spills.push(Spill {
                label: *label,
                position,
                leaves,
            });
        }
        self.end();
        Ok(())
    }

    /// Begins a record. What follows its label is to be written next.
    fn begin(&mut self, label: &Label, hash: Hash, length: u64) {
        let before = self.items.last().map(|item| &item.label);
        page::write_label(&mut self.bytes, before, label, length);
        let body = self.bytes.len();
        self.items.push(Item {
            label: *label,
            hash,
            length,
            body: body..body,
        });
    }

    /// Ends the record that was begun.
    fn end(&mut self) {
        if let Some(item) = self.items.last_mut() {
            item.body.end = self.bytes.len();
        }
    }

    /// A label with its first leaf, as most labels have: its list is one leaf hash.
    fn single(&mut self, label: &Label, leaf: LeafIndex) {
        self.begin(label, trie::leaf(label, 1, &list::leaf_hash(leaf)), 1);
        encode_varint(leaf.get(), &mut self.bytes);
        self.end();
    }

    /// The page of these items.
    pub fn page(&self, items: Range<usize>) -> Vec<u8> {
        let Some((first, last)) = self.items[items].split_first() else {
            return Vec::new();
        };
        // The name of the first may stand with an item before it.
        let end = last.last().unwrap_or(first).body.end;
        let rest = &self.bytes[first.body.start..end];
        let mut page = Vec::with_capacity(page::LABEL_BYTES + rest.len());
        page::write_label(&mut page, None, &first.label, first.length);
        page.extend_from_slice(rest);
        page
    }
}

impl Leaf for Item {
    fn label(&self) -> &Label {
        &self.label
    }

    fn hash(&self) -> Hash {
        self.hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::page::records;

    fn label(n: u64) -> Label {
        Label::from_bytes(*Hash::of(&n.to_be_bytes()).as_bytes())
    }

    fn merged(page: &[u8], updates: &[(Label, LeafIndex)], through: u64) -> Draft {
        let mut draft = Draft::default();
        draft.merge(page, updates, TreeSize::new(through)).unwrap();
        draft
    }

    fn updates(pairs: &[(u64, u64)]) -> Vec<(Label, LeafIndex)> {
        let mut updates: Vec<_> = pairs
            .iter()
            .map(|(n, leaf)| (label(*n), LeafIndex::new(*leaf)))
            .collect();
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
            page = draft.page(0..2);
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
            let frontier: ListFrontier = (0..2 * leaf + 2).map(LeafIndex::new).collect();
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
        assert_eq!(all, (0..80).map(LeafIndex::new).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_in_a_page_already_is_not_added_again() {
        let once = merged(&[], &updates(&[(1, 3), (2, 4)]), 0);
        let again = merged(&once.page(0..2), &updates(&[(1, 3), (1, 5), (2, 4)]), 5);
        let expected = merged(&[], &updates(&[(1, 3), (1, 5), (2, 4)]), 0);
        assert_eq!(again.page(0..2), expected.page(0..2));
    }

    #[test]
    fn hashes_are_those_of_the_lists() {
        let pairs: Vec<_> = (0..16)
            .flat_map(|n| (0..=n * n).map(move |leaf| (n, 1000 * leaf + n)))
            .collect();
        let draft = merged(&[], &updates(&pairs), 0);
        let page = draft.page(0..draft.items.len());
        for (record, item) in records(&page).unwrap().iter().zip(&draft.items) {
            let root = record.frontier().unwrap().root();
            let hash = trie::leaf(&record.label, record.length, &root);
            assert_eq!((record.hash, item.hash), (hash, hash));
        }
    }
}
