//! How much an answer may hold (docs/index.md 8.2), at the bounds and one beyond.

use crate::entry;
use crate::index::trie::{self, Leaf};
use crate::index::{
    Answer, AnswerError, By, Commitment, Found, Label, Name, Prefix, Query, VerifiedAnswer,
};
use crate::limits::{LISTED_LEAVES, WHOLE_LIST};
use assay_tlog::Hash;
use assay_tlog::checkpoint::{Checkpoint, VerifiedCheckpoint};
use assay_tlog::hash::leaf_hash;
use assay_tlog::note::SignerKey;
use assay_tlog::tree::TreeSize;
use bytes::Bytes;

fn by() -> By {
    By::predicate_type("anybody")
}

/// Lists of these lengths, of names in order. Nobody has seen them: their roots are made up.
fn lists(lengths: &[u64]) -> Vec<Found> {
    let mut lists = Vec::new();
    for (number, length) in (0_u128..).zip(lengths) {
        let name = Name::from_slice(&number.to_be_bytes()).unwrap();
        lists.push(Found {
            label: Label::of(name, by()),
            length: *length,
            list_root: Hash::of(b"any"),
        });
    }
    lists
}

/// The cut that shows them all.
fn cut(lists: &[Found]) -> Vec<u8> {
    if let [one] = lists {
        let length = one.length.to_be_bytes();
        let root = one.list_root.as_bytes();
        return [&[1][..], one.label.as_bytes(), &length, root].concat();
    }
    let (prefix, middle) = trie::branch(lists);
    let (left, right) = lists.split_at(middle);
    [vec![2, prefix.bits() as u8], cut(left), cut(right)].concat()
}

/// What becomes of the answer of a log that commits to these lists, and brings none of them.
fn refused(lists: &[Found]) -> AnswerError {
    let sum = trie::subtree(lists);
    let commitment = Commitment {
        root: sum.hash,
        labels: sum.labels,
    };
    let commitment: Bytes = entry::encode(1, commitment.to_wire()).unwrap();
    let key = SignerKey::from_seed("tests.example/log", &[7; 32]).unwrap();
    let checkpoint = Checkpoint {
        origin: key.name().to_owned(),
        size: TreeSize::new(1),
        root: leaf_hash(&commitment),
    };
    let checkpoint = VerifiedCheckpoint::verify(&checkpoint.sign(&key), &key.verifier()).unwrap();
    let answer = Answer {
        commitment,
        cut: cut(lists).into(),
        ..Answer::default()
    };
    let query = Query::crowd(Prefix::EMPTY, [by()]);
    VerifiedAnswer::verify(checkpoint, &query, answer).unwrap_err()
}

#[test]
fn lists_that_are_too_long_together_are_refused_before_they_are_looked_at() {
    let whole = LISTED_LEAVES / WHOLE_LIST;
    let mut lengths = vec![WHOLE_LIST; whole as usize];
    lengths.push(LISTED_LEAVES - whole * WHOLE_LIST);
    let bound = lists(&lengths);
    let first = *bound[0].label();
    assert_eq!(refused(&bound), AnswerError::MissingList(first));
    // A list that does not come takes nothing.
    lengths.push(WHOLE_LIST + 1);
    assert_eq!(refused(&lists(&lengths)), AnswerError::MissingList(first));
    lengths.push(1);
    let beyond = AnswerError::TooManyLeaves(LISTED_LEAVES + 1);
    assert_eq!(refused(&lists(&lengths)), beyond);
}
