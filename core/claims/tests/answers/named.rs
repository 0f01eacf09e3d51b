//! One lie each, and the check that finds it.

use crate::log::{Claimed, Log, Steps, issuer};
use assay_claims::index::answer::AnsweredList;
use assay_claims::index::{
    Answer, AnswerError, By, CommitmentError, CutError, Kind, Label, Name, Prefix, Query,
    VerifiedAnswer,
};
use assay_tlog::Hash;
use assay_tlog::checkpoint::{Checkpoint, VerifiedCheckpoint};
use assay_tlog::note::SignerKey;
use assay_tlog::tree::{LeafIndex, MultiproofError, TreeSize};
use bytes::Bytes;
use std::collections::BTreeSet;

/// What the issuer of this number said about the package of this number.
pub fn package(package: u8) -> Label {
    let name = Name::new(Kind::Package, &format!("pkg:cargo/p{package}"));
    Label::of(name, By::issuer(&issuer(package)))
}

/// A claim about the package of this number, by the issuer of the same number.
pub fn about(package: u8) -> (u8, Claimed) {
    (
        package,
        Claimed::Package {
            package,
            version: None,
        },
    )
}

/// Leaves 1 and 2 are about packages 0 and 1, 4 and 5 too, 7 about package 0; the sizes are 1, 4, 7
/// and 9.
pub fn published() -> (Steps, Log) {
    let steps = vec![
        vec![about(0), about(1)],
        vec![about(0), about(1)],
        vec![about(0)],
    ];
    let log = Log::new(&steps);
    assert_eq!(
        (log.sizes(), log.truth(&package(0), 9)),
        (vec![1, 4, 7, 9], &[1, 4, 7].map(LeafIndex::new)[..])
    );
    (steps, log)
}

fn both() -> Query {
    Query::labels(&[package(0), package(1)])
}

pub fn refused(log: &Log, query: &Query, answer: Answer) -> AnswerError {
    VerifiedAnswer::verify(log.checkpoint(9), query, answer).unwrap_err()
}

fn list(answer: &mut Answer, label: Label) -> &mut AnsweredList {
    answer
        .lists
        .iter_mut()
        .find(|list| list.label == label)
        .unwrap()
}

#[test]
fn a_hidden_entry_changes_its_list() {
    let (_, log) = published();
    for hidden in [1, 4, 7] {
        let mut answer = log.answer(&both(), 9, 9);
        list(&mut answer, package(0))
            .leaves
            .retain(|leaf| leaf.get() != hidden);
        answer.entries.retain(|(leaf, _)| leaf.get() != hidden);
        answer.inclusion = log.inclusion(
            &BTreeSet::from_iter([1, 2, 4, 5, 7, 8].into_iter().filter(|l| *l != hidden)),
            9,
        );
        assert_eq!(
            refused(&log, &both(), answer),
            AnswerError::ListLength {
                label: package(0),
                got: 2,
                want: 3
            }
        );
    }
}

/// Lists are as they should be, and one entry does not come. It must: who asked for a crowd cannot
/// ask for it alone.
#[test]
fn an_entry_that_is_listed_and_withheld_is_missed() {
    let (_, log) = published();
    let crowd = Query::crowd(Prefix::EMPTY, [package(0).by()]);
    for query in [Query::labels(&[package(0)]), crowd] {
        for hidden in [1, 4, 7] {
            let mut answer = log.answer(&query, 9, 9);
            answer.entries.retain(|(leaf, _)| leaf.get() != hidden);
            let shown = answer.entries.iter().map(|(leaf, _)| leaf.get());
            answer.inclusion = log.inclusion(&shown.chain([8]).collect(), 9);
            let error = refused(&log, &query, answer);
            assert!(
                matches!(error, AnswerError::Withheld { leaf, .. } if leaf.get() == hidden),
                "{hidden}: {error}"
            );
        }
    }
}

#[test]
fn a_hidden_label_is_missed() {
    let (_, log) = published();
    let mut answer = log.answer(&both(), 9, 9);
    answer.lists.retain(|list| list.label != package(1));
    assert_eq!(
        refused(&log, &both(), answer),
        AnswerError::MissingList(package(1))
    );
}

#[test]
fn a_forged_absence_is_no_proof() {
    let (steps, log) = published();
    let one = Query::labels(&[package(1)]);
    let absent = |cut: Bytes| Answer {
        cut,
        commitment: log.entries[8].clone(),
        inclusion: log.inclusion(&BTreeSet::from([8]), 9),
        ..Answer::default()
    };
    let of_another = log.cut(&Query::labels(&[package(0)]), 9);
    assert_eq!(
        refused(&log, &one, absent(of_another)),
        AnswerError::Cut(CutError::LeftOut)
    );
    assert!(matches!(
        refused(&log, &one, absent(Bytes::new())),
        AnswerError::Cut(CutError::Root { .. })
    ));
    // Another log, in which nobody speaks of the package.
    let silent = Log::new(
        &steps
            .iter()
            .map(|claims| claims.iter().filter(|(by, _)| *by == 0).cloned().collect())
            .collect(),
    );
    let cut = silent.cut(&one, *silent.sizes().last().unwrap());
    assert!(matches!(
        refused(&log, &one, absent(cut)),
        AnswerError::Cut(CutError::Root { .. })
    ));
}

#[test]
fn another_labels_list_has_another_root() {
    let (_, log) = published();
    let mut answer = log.answer(&both(), 9, 9);
    list(&mut answer, package(1)).leaves = [1, 4].map(LeafIndex::new).to_vec();
    assert!(matches!(
        refused(&log, &both(), answer),
        AnswerError::ListRoot { label, .. } if label == package(1)
    ));
    let mut answer = log.answer(&both(), 9, 9);
    let labels: Vec<_> = answer.lists.iter().map(|list| list.label).rev().collect();
    answer
        .lists
        .iter_mut()
        .zip(labels)
        .for_each(|(list, label)| list.label = label);
    let first = package(0).min(package(1));
    assert_eq!(
        refused(&log, &both(), answer),
        AnswerError::MissingList(first)
    );
}

#[test]
fn an_older_answer_is_not_of_this_checkpoint() {
    let (_, log) = published();
    assert!(matches!(
        refused(&log, &both(), log.answer(&both(), 7, 9)),
        AnswerError::Inclusion(_)
    ));
    // The commitment and the entries proven where they stand.
    let older = log.answer(&both(), 7, 9);
    let inclusion = log.inclusion(&BTreeSet::from([1, 2, 4, 5, 6]), 9);
    assert!(matches!(
        refused(
            &log,
            &both(),
            Answer {
                inclusion,
                ..older.clone()
            }
        ),
        AnswerError::Inclusion(_)
    ));
    // The index as it was, under the commitment as it is.
    let inclusion = log.inclusion(&BTreeSet::from([1, 2, 4, 5, 8]), 9);
    let stale = Answer {
        commitment: log.entries[8].clone(),
        inclusion,
        ..older
    };
    assert!(matches!(
        refused(&log, &both(), stale),
        AnswerError::Cut(CutError::Root { .. })
    ));
}

#[test]
fn a_commitment_that_is_not_the_last_leaf_is_not_the_last_leaf() {
    let (_, log) = published();
    let honest = log.answer(&both(), 9, 9);
    let older = Answer {
        commitment: log.entries[6].clone(),
        ..honest.clone()
    };
    assert!(matches!(
        refused(&log, &both(), older),
        AnswerError::Inclusion(MultiproofError::Root { .. })
    ));
    let claim = Answer {
        commitment: log.entries[7].clone(),
        ..honest
    };
    assert!(matches!(
        refused(&log, &both(), claim),
        AnswerError::Inclusion(MultiproofError::Root { .. })
    ));
    // A log that publishes a tree which ends in a claim.
    let inclusion = log.inclusion(&BTreeSet::from([7]), 8);
    let unfinished = Answer {
        commitment: log.entries[7].clone(),
        inclusion,
        ..Answer::default()
    };
    let error = VerifiedAnswer::verify(log.checkpoint(8), &both(), unfinished).unwrap_err();
    assert_eq!(
        error,
        AnswerError::Commitment(CommitmentError::Missing(LeafIndex::new(7)))
    );
}

#[test]
fn a_prefix_with_a_leaf_missing_is_not_whole() {
    let (_, log) = published();
    let everything = Query::crowd(Prefix::EMPTY, [0, 1].map(|by| By::issuer(&issuer(by))));
    let honest = log.answer(&everything, 9, 9);
    for hidden in 0..honest.lists.len() {
        let mut answer = honest.clone();
        let list = answer.lists.remove(hidden);
        assert_eq!(
            refused(&log, &everything, answer.clone()),
            AnswerError::MissingList(list.label)
        );
        let others: Vec<_> = answer.lists.iter().map(|list| list.label).collect();
        answer.cut = log.cut(&Query::labels(&others[..1]), 9);
        assert_eq!(
            refused(&log, &everything, answer),
            AnswerError::Cut(CutError::LeftOut)
        );
    }
    let commitment = log.commitment(9);
    let (labels, root) = (commitment.labels.to_be_bytes(), commitment.root);
    let stub = Answer {
        cut: [&[0][..], &labels, root.as_bytes()].concat().into(),
        lists: vec![],
        ..honest
    };
    assert_eq!(
        refused(&log, &everything, stub),
        AnswerError::Cut(CutError::LeftOut)
    );
}

#[test]
fn an_entry_under_a_label_that_it_does_not_have_is_found() {
    // A log that lists leaf 1, about package 0, under package 1, too: only who reads the entry can
    // tell.
    let steps = vec![vec![about(0), about(1)]];
    let mut log = Log::new(&steps);
    log.list(package(1), 1);
    let query = Query::labels(&[package(1)]);
    let size = *log.sizes().last().unwrap();
    let answer = log.answer(&query, size, 9);
    let error = VerifiedAnswer::verify(log.checkpoint(size), &query, answer).unwrap_err();
    assert_eq!(
        error,
        AnswerError::Unrelated {
            leaf: LeafIndex::new(1),
            label: package(1)
        }
    );
}

#[test]
fn an_entry_that_nobody_listed_is_found() {
    let (_, log) = published();
    let mut answer = log.answer(&both(), 9, 9);
    answer
        .entries
        .insert(2, (LeafIndex::new(3), log.entries[3].clone()));
    answer.inclusion = log.inclusion(&BTreeSet::from([1, 2, 3, 4, 5, 7, 8]), 9);
    assert_eq!(
        refused(&log, &both(), answer),
        AnswerError::Unlisted(LeafIndex::new(3))
    );
}

#[test]
fn an_unsupported_mapping_fails_closed_and_says_which_version_is_supported() {
    let (_, mut log) = published();
    let honest = log.answer(&both(), 9, 9);
    let mut commitment = log.commitment(9).to_wire();
    commitment.mapping_version = 3;
    let size = log.commit_as(commitment);
    let answer = log.answer(&both(), size, 9);
    let error = VerifiedAnswer::verify(log.checkpoint(size), &both(), answer).unwrap_err();
    assert!(error.is_unsupported());
    assert!(
        error
            .to_string()
            .contains("unsupported mapping version 3; version 2 is supported"),
        "{error}"
    );

    // Only the log can say so: somebody else's commitment is a lie, and no reason to look for a
    // newer program.
    let foreign = Answer {
        commitment: log.entries[size as usize - 1].clone(),
        ..honest
    };
    assert!(matches!(
        refused(&log, &both(), foreign),
        AnswerError::Inclusion(MultiproofError::Root { .. })
    ));
}

#[test]
fn an_empty_log_commits_to_nothing() {
    let key = SignerKey::from_seed("tests.example/log", &[7; 32]).unwrap();
    let empty = Checkpoint {
        origin: key.name().to_owned(),
        size: TreeSize::EMPTY,
        root: Hash::of(b""),
    };
    let empty = VerifiedCheckpoint::verify(&empty.sign(&key), &key.verifier()).unwrap();
    let error = VerifiedAnswer::verify(empty, &both(), Answer::default()).unwrap_err();
    assert_eq!(error, AnswerError::EmptyLog);
}

/// Each condition on a list has an error of its own.
#[test]
fn a_list_that_is_not_the_one_in_the_index_is_refused_by_the_condition_that_it_breaks() {
    let (_, log) = published();
    let label = package(0);
    let one = Query::labels(&[label]);
    let broken = |edit: &dyn Fn(&mut Vec<AnsweredList>)| {
        let mut answer = log.answer(&one, 9, 9);
        edit(&mut answer.lists);
        refused(&log, &one, answer)
    };
    let leaves = |leaves: &[u64]| {
        let leaves: Vec<_> = leaves.iter().copied().map(LeafIndex::new).collect();
        broken(&|lists| lists[0].leaves.clone_from(&leaves))
    };
    let from = broken(&|lists| lists[0].from = 1);
    let asked = 0;
    assert_eq!(
        from,
        AnswerError::Position {
            label,
            from: 1,
            asked
        }
    );
    let leaf = LeafIndex::new(4);
    let order = AnswerError::ListOrder { label, leaf };
    assert_eq!(leaves(&[1, 4, 4]), order);
    assert_eq!(leaves(&[1, 7, 4]), order);
    let leaf = LeafIndex::new(8);
    assert_eq!(leaves(&[1, 4, 8]), AnswerError::Uncovered { label, leaf });
    let got = 4;
    let longer = AnswerError::ListLength {
        label,
        got,
        want: 3,
    };
    assert_eq!(leaves(&[1, 4, 5, 7]), longer);
    assert!(matches!(
        leaves(&[1, 4, 6]),
        AnswerError::ListRoot { label: of, .. } if of == label
    ));
    let other = AnsweredList {
        label: package(1),
        from: 0,
        leaves: vec![],
    };
    assert_eq!(
        broken(&|lists| lists.push(other.clone())),
        AnswerError::OtherList(package(1))
    );
}
