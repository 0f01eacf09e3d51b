//! Pages: what they take, and that there is one form of each.

use super::maps::{FIRST, LAST};
use super::sorted;
use crate::index::draft::Draft;
use crate::index::list::{self, ListFrontier};
use crate::index::map::{Map, Resident, Serial, Slot, Whole};
use crate::index::naive::{label, list_root};
use crate::index::page::{INLINE, PAGE_LABELS, PageError, Record, records};
use crate::index::trie;
use crate::index::{By, Label};
use assay_tlog::Hash;
use assay_tlog::tree::{LeafIndex, TreeSize};
use proptest::prelude::*;
use prost::encoding::encode_varint;
use std::collections::BTreeMap;

/// Bytes of the pages of an index of so many labels, each with one leaf.
fn taken(labels: u64, of: impl Fn(u64) -> Label) -> usize {
    const STEP: u64 = 5_000;
    let mut map = Map::<Whole>::new();
    for start in (0..labels).step_by(STEP as usize) {
        let leaves = sorted((start..start + STEP).map(|n| (of(n), 1_000_000 + n)));
        let through = TreeSize::new(1_000_000 + start + STEP);
        map = map
            .update(&leaves, through, &Resident, &Serial)
            .unwrap()
            .map;
    }
    let mut pages = 0;
    map.each_part(&FIRST, &LAST, &mut |part| {
        let places = part.slot().places().unwrap();
        for at in 0..part.places(&places).unwrap().len() {
            pages += part.slot().kept(at).unwrap().bytes.len();
        }
    });
    pages
}

/// What many say about few packages costs each name once a page: about eleven labels are in one.
/// What one says about each of many costs what it would if no name were ever left out.
#[test]
fn a_page_has_each_name_once() {
    const LABELS: u64 = 100_000;
    let named = |n: u64| Label::of(label(n % 100).name(), label(n).by());
    let many = taken(LABELS, named);
    // A varint for the length, 16 bytes for the speaker, three for the leaf.
    let least = LABELS as usize * 20;
    assert!((least..least + least / 10).contains(&many), "{many}");
    assert_eq!(taken(LABELS, label), LABELS as usize * 36);
}

type Lists = BTreeMap<Label, Vec<LeafIndex>>;

/// A record: its label, the hash of its leaf node, and its list, in the page or as its frontier.
struct Plain {
    label: Label,
    hash: Hash,
    leaves: Option<Vec<LeafIndex>>,
    frontier: ListFrontier,
}

/// The page with these records, by the letter of its grammar.
fn encode(records: impl IntoIterator<Item = Plain>) -> Vec<u8> {
    let (mut bytes, mut name) = (Vec::new(), None);
    for record in records {
        let (label, length) = (record.label, record.frontier.length());
        let same = name.replace(label.name()) == Some(label.name());
        encode_varint(2 * length + u64::from(same), &mut bytes);
        if !same {
            bytes.extend_from_slice(label.name().as_bytes());
        }
        bytes.extend_from_slice(label.by().as_bytes());
        if length > 1 {
            bytes.extend_from_slice(record.hash.as_bytes());
        }
        match record.leaves {
            Some(leaves) => list::write(&mut bytes, &leaves),
            None => {
                let peaks = record.frontier.peaks().iter();
                bytes.extend(peaks.flat_map(|peak| *peak.as_bytes()));
            }
        }
    }
    bytes
}

/// The page with these lists.
fn written(lists: &Lists) -> Vec<u8> {
    encode(lists.iter().map(|(label, list)| Plain {
        label: *label,
        hash: trie::leaf(label, list.len() as u64, &list_root(list)),
        leaves: (list.len() as u64 <= INLINE).then(|| list.clone()),
        frontier: list.iter().copied().collect(),
    }))
}

/// The page with these records, whose hashes may be any.
fn again(records: &[Record<'_>]) -> Vec<u8> {
    encode(records.iter().map(|record| Plain {
        label: record.label,
        hash: record.hash,
        leaves: record.inline().unwrap(),
        frontier: record.frontier().unwrap(),
    }))
}

/// Up to a page of labels, some of one name, with lists that stand in the page and longer ones.
fn lists() -> impl Strategy<Value = Lists> {
    let named = (0..4_u64, any::<u64>())
        .prop_map(|(name, by)| Label::of(label(name).name(), label(by).by()));
    let list = prop::collection::btree_set(any::<u64>().prop_map(|n| n >> (n % 64)), 1..12);
    let list = list.prop_map(|list| list.into_iter().map(LeafIndex::new).collect());
    prop::collection::btree_map(named, list, 1..=PAGE_LABELS)
}

fn drafted(page: &[u8], lists: &Lists) -> Draft {
    let updates = lists
        .iter()
        .flat_map(|(label, list)| list.iter().map(|leaf| (*label, leaf.get())));
    let mut draft = Draft::default();
    draft
        .merge(page, &sorted(updates), TreeSize::EMPTY)
        .unwrap();
    draft
}

proptest! {
    #[test]
    fn pages_are_written_and_read(lists in lists(), cut in 0..=PAGE_LABELS) {
        let draft = drafted(&[], &lists);
        let page = draft.page(0..lists.len());
        prop_assert_eq!(&page, &written(&lists));
        let read = records(&page).unwrap();
        prop_assert_eq!(read.len(), lists.len());
        for (record, (label, list)) in read.iter().zip(&lists) {
            prop_assert_eq!((record.label, record.length), (*label, list.len() as u64));
            let root = list_root(list);
            prop_assert_eq!(record.frontier().unwrap().root(), root);
            prop_assert_eq!(record.hash, trie::leaf(label, record.length, &root));
            let inline = (record.length <= INLINE).then(|| list.clone());
            prop_assert_eq!(record.inline().unwrap(), inline);
        }
        // Wherever it is parted, both pages are whole; and they are put together again.
        let cut = cut.min(lists.len());
        let mut after = lists.clone();
        let before: Lists = (0..cut).map_while(|_| after.pop_first()).collect();
        prop_assert_eq!(draft.page(0..cut), written(&before));
        prop_assert_eq!(draft.page(cut..lists.len()), written(&after));
        let merged = drafted(&draft.page(0..cut), &after);
        prop_assert_eq!(merged.page(0..lists.len()), page);
    }

    /// A page that is cut or changed is refused, or it is the only form of another page.
    #[test]
    fn a_damaged_page_is_refused_or_another_page(
        lists in lists(),
        at in any::<prop::sample::Index>(),
        bit in 0..8_u8,
        more in prop::collection::vec(any::<u8>(), 1..40),
    ) {
        let page = written(&lists);
        let mut damaged: Vec<Vec<u8>> = (0..page.len()).map(|end| page[..end].to_vec()).collect();
        for at in 0..page.len() {
            let mut changed = page.clone();
            changed[at] ^= 1_u8 << bit;
            damaged.push(changed);
        }
        let at = at.index(page.len());
        damaged.push([&page[..at], &more[..], &page[at..]].concat());
        damaged.push([&page[..at], &more[..], &page[page.len().min(at + more.len())..]].concat());
        damaged.push([&page[..], &page[..]].concat());
        damaged.push(more);
        for bytes in damaged {
            if let Ok(read) = records(&bytes) {
                prop_assert!((1..=PAGE_LABELS).contains(&read.len()));
                prop_assert!(read.is_sorted_by(|a, b| a.label < b.label));
                prop_assert_eq!(again(&read), bytes);
            }
        }
    }
}

fn one(head: u64, label: &Label, rest: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_varint(head, &mut bytes);
    bytes.extend_from_slice(label.as_bytes());
    bytes.extend_from_slice(rest);
    bytes
}

#[test]
fn another_form_of_a_page_is_refused() {
    let (first, second) = (
        label(7),
        Label::of(label(7).name(), By::predicate_type("x")),
    );
    let (first, second) = (first.min(second), first.max(second));
    let malformed = |bytes: &[u8]| {
        assert_eq!(
            records(bytes).unwrap_err(),
            PageError::Malformed,
            "{bytes:?}"
        );
    };
    assert!(records(&one(2, &first, &[5])).is_ok());
    // A name that is written again, or that no record before it has.
    malformed(&[one(2, &first, &[5]), one(2, &second, &[5])].concat());
    malformed(&[&[3], &first.as_bytes()[16..], &[5]].concat());
    // Varints that could be shorter; a list of none, and lists that do not ascend.
    malformed(&[&[0x82, 0], &first.as_bytes()[..], &[5]].concat());
    malformed(&one(2, &first, &[0x85, 0]));
    malformed(&one(0, &first, &[]));
    malformed(&one(4, &first, &[&[0; 32][..], &[5, 0]].concat()));
    malformed(&one(4, &first, &[&[0; 32][..], &[5, 0x81, 0]].concat()));
    // A list of more leaves than there are bytes takes no memory.
    malformed(&one(u64::MAX - 1, &first, &[0; 200]));
    // One label too many.
    let all: Lists = (0..=PAGE_LABELS as u64)
        .map(|n| (label(n), vec![LeafIndex::new(n)]))
        .collect();
    assert_eq!(records(&written(&all)).unwrap_err(), PageError::Full);
    assert_eq!(records(&[]).unwrap_err(), PageError::Empty);
}
