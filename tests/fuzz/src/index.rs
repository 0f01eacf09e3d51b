//! The index: cuts, answers, lists and pages. Whatever is verified says the truth about the log
//! that we know.

use crate::target::Target;
use crate::world::{HISTORY, LOG, NOW_S};
use assay_claims::index::answer::AnsweredList;
use assay_claims::index::{Answer, Cut, Label, Prefix, Query, VerifiedAnswer, list, page};
use assay_tlog::Hash;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::tree::{LeafIndex, TreeSize, prove_multiproof};
use bytes::Bytes;
use std::collections::BTreeSet;

pub fn targets() -> Vec<Target> {
    let query = everything();
    let indices = |numbers: &[u64]| {
        let mut bytes = Vec::new();
        let indices: Vec<_> = numbers.iter().copied().map(LeafIndex::new).collect();
        list::write(&mut bytes, &indices);
        bytes
    };
    let some = Query::labels(&labels()[..1]);
    vec![
        Target::new("index-cut", cut).with([HISTORY.cut(&query), HISTORY.cut(&some)]),
        Target::new("index-answer", answer).with([written(&honest())]),
        Target::new("index-list", a_list).with([indices(&[0, 1, 300, u64::MAX]), indices(&[7])]),
        Target::new("index-page", a_page).with([a_page_of(3), a_page_of(16)]),
    ]
}

fn labels() -> Vec<Label> {
    HISTORY.lists.keys().copied().collect()
}

fn everything() -> Query {
    Query::labels(&labels())
}

/// What a cut says of any label is true, or it says nothing.
fn cut(bytes: &[u8]) -> bool {
    let Ok(cut) = Cut::verify(bytes, &HISTORY.commitment()) else {
        return false;
    };
    for (label, leaves) in &HISTORY.lists {
        if let Ok(found) = cut.find(label) {
            let found = found.expect("a label is denied");
            let root = leaves
                .iter()
                .copied()
                .collect::<list::ListFrontier>()
                .root();
            assert_eq!((found.length, found.list_root), (leaves.len() as u64, root));
        }
        let other = Label::from_bytes(*Hash::of(&label.to_string().into_bytes()).as_bytes());
        assert!(
            !matches!(cut.find(&other), Ok(Some(_))),
            "a label is made up"
        );
        if let Ok(speakers) = cut.speakers(&label.name()) {
            let others = HISTORY.lists.keys();
            let count = others.filter(|one| one.name() == label.name()).count();
            assert_eq!(speakers, count as u64);
        }
    }
    let all = Prefix::of(&labels()[0], 0);
    if let Ok(names) = cut.crowd_names(&all) {
        let true_names: BTreeSet<_> = labels().iter().map(Label::name).collect();
        assert_eq!(names.into_iter().collect::<BTreeSet<_>>(), true_names);
    }
    true
}

/// The true answer about everything.
fn honest() -> Answer {
    let size = HISTORY.entries.len() as u64;
    let lists = HISTORY.lists.iter();
    let shown: BTreeSet<LeafIndex> = HISTORY.lists.values().flatten().copied().collect();
    let entry = |leaf: &LeafIndex| HISTORY.entries[leaf.get() as usize].clone();
    let proven: Vec<_> = shown
        .iter()
        .copied()
        .chain([LeafIndex::new(size - 1)])
        .collect();
    Answer {
        commitment: entry(&LeafIndex::new(size - 1)),
        cut: HISTORY.cut(&everything()).into(),
        lists: lists
            .map(|(label, leaves)| AnsweredList {
                label: *label,
                from: 0,
                leaves: leaves.clone(),
            })
            .collect(),
        entries: shown.iter().map(|leaf| (*leaf, entry(leaf))).collect(),
        inclusion: prove_multiproof(&*HISTORY, &proven, TreeSize::new(size)).unwrap(),
        range: Vec::new(),
    }
}

/// An answer as bytes of our own, in which each part has its length in front.
fn written(answer: &Answer) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut part = |part: &[u8]| {
        bytes.extend((part.len() as u16).to_be_bytes());
        bytes.extend(part);
    };
    part(&answer.commitment);
    part(&answer.cut);
    part(&hashes(&answer.inclusion));
    part(&hashes(&answer.range));
    part(&[answer.lists.len() as u8]);
    for one in &answer.lists {
        part(one.label.as_bytes());
        part(&one.from.to_be_bytes());
        let leaves: Vec<u8> = one
            .leaves
            .iter()
            .flat_map(|leaf| leaf.get().to_be_bytes())
            .collect();
        part(&leaves);
    }
    for (leaf, entry) in &answer.entries {
        part(&leaf.get().to_be_bytes());
        part(entry);
    }
    bytes
}

fn hashes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

fn read(mut bytes: &[u8]) -> Option<Answer> {
    let part = &mut || {
        let (length, rest) = bytes.split_first_chunk()?;
        let (part, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        bytes = rest;
        Some(part)
    };
    let mut answer = Answer {
        commitment: Bytes::copy_from_slice(part()?),
        cut: Bytes::copy_from_slice(part()?),
        inclusion: part()?.chunks(32).filter_map(Hash::from_slice).collect(),
        range: part()?.chunks(32).filter_map(Hash::from_slice).collect(),
        ..Answer::default()
    };
    for _ in 0..*part()?.first()? {
        answer.lists.push(AnsweredList {
            label: Label::from_slice(part()?)?,
            from: number(part()?)?,
            leaves: part()?.chunks(8).filter_map(leaf).collect(),
        });
    }
    while let Some(at) = part() {
        let entry = Bytes::copy_from_slice(part()?);
        answer.entries.push((leaf(at)?, entry));
    }
    Some(answer)
}

fn number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}

fn leaf(bytes: &[u8]) -> Option<LeafIndex> {
    number(bytes).map(LeafIndex::new)
}

/// An answer that is verified has every list, whole and true, and nothing but the log's entries.
fn answer(bytes: &[u8]) -> bool {
    let Some(answer) = read(bytes) else {
        return false;
    };
    let checkpoint = VerifiedCheckpoint::verify(&HISTORY.note(), &LOG.verifier()).unwrap();
    let Ok(verified) = VerifiedAnswer::verify(checkpoint, &everything(), answer) else {
        return false;
    };
    for (label, leaves) in &HISTORY.lists {
        let list = verified.list(label).expect("a list is hidden");
        assert_eq!(list.leaves(), leaves);
    }
    assert_eq!(verified.lists().len(), HISTORY.lists.len());
    for (leaf, entry) in verified.entries() {
        assert_eq!(entry.bytes(), &HISTORY.entries[leaf.get() as usize]);
    }
    assert!(verified.missing().is_empty());
    assert_eq!(verified.made_at_ms() / 1000, NOW_S);
    true
}

fn a_list(bytes: &[u8]) -> bool {
    let Some(indices) = list::read(bytes) else {
        return false;
    };
    assert!(indices.is_sorted_by(|a, b| a < b));
    let mut written = Vec::new();
    list::write(&mut written, &indices);
    assert_eq!(written, bytes);
    true
}

/// A page of so many labels with one leaf each.
fn a_page_of(labels: u8) -> Vec<u8> {
    let mut labels: Vec<_> = (0..labels).map(|one| Hash::of(&[one])).collect();
    labels.sort();
    let mut bytes = Vec::new();
    for label in labels {
        bytes.push(2);
        bytes.extend(label.as_bytes());
        bytes.push(7);
    }
    bytes
}

/// The labels of a page ascend, and each has the list that it says.
fn a_page(bytes: &[u8]) -> bool {
    let Ok(records) = page::records(bytes) else {
        return false;
    };
    assert!((1..=page::PAGE_LABELS).contains(&records.len()));
    assert!(records.is_sorted_by(|a, b| a.label < b.label));
    for record in records {
        let inline = record.inline().unwrap();
        assert_eq!(inline.is_some(), record.length <= page::INLINE);
        if let Some(leaves) = inline {
            assert_eq!(leaves.len() as u64, record.length);
        }
        assert_eq!(record.frontier().unwrap().length(), record.length);
    }
    true
}
