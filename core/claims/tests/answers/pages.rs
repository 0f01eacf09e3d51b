//! Pages of a list: one lie each, and the check that finds it.

use crate::log::Log;
use crate::named::{about, package, published, refused};
use assay_claims::index::answer::AnsweredList;
use assay_claims::index::list::ListFrontier;
use assay_claims::index::{Answer, AnswerError, AnswerPage, Label, Query, VerifiedPages};
use assay_tlog::Hash;
use assay_tlog::tree::{LeafIndex, MultiproofError};

/// A page that is not the whole list is no complete answer, and pages are complete only together.
#[test]
fn a_page_is_not_passed_off_as_a_whole_list() {
    let (_, log) = published();
    let label = package(0);
    let page = |from: u64| {
        let answer = log.answer(&Query::Page { label, from }, 9, 2);
        AnswerPage::verify(log.checkpoint(9), &label, from, answer).unwrap()
    };
    for from in [0, 2] {
        let query = Query::Page { label, from };
        assert!(matches!(
            refused(&log, &query, log.answer(&query, 9, 2)),
            AnswerError::ListLength { .. } | AnswerError::Position { .. }
        ));
    }
    let pages = |pages: &[u64]| {
        let pages = pages.iter().map(|from| page(*from)).collect();
        VerifiedPages::verify(ListFrontier::default(), pages)
    };
    let whole = pages(&[0, 2]).unwrap();
    assert_eq!(
        whole.leaves().collect::<Vec<_>>(),
        log.truth(&label, 9),
        "the pages make up the list"
    );
    let (got, want) = (2, 3);
    assert_eq!(
        pages(&[0]).unwrap_err(),
        AnswerError::ListLength { label, got, want }
    );
    let (from, before) = (2, 0);
    assert_eq!(
        pages(&[2]).unwrap_err(),
        AnswerError::PageOrder {
            label,
            from,
            before
        }
    );
    assert_eq!(pages(&[]).unwrap_err(), AnswerError::NoPages);
    // What is known of the list already is not needed again.
    let before: ListFrontier = log.truth(&label, 9)[..2].iter().copied().collect();
    VerifiedPages::verify(before, vec![page(2)]).unwrap();
}

/// A page says where it stands, and that is proven.
#[test]
fn a_page_stands_at_its_place_only() {
    let (_, log) = published();
    let label = package(0);
    let query = |from: u64| Query::Page { label, from };
    let placed = |from: u64, answer: Answer| {
        AnswerPage::verify(log.checkpoint(9), &label, from, answer).unwrap_err()
    };
    let whole_page = log.answer(&query(0), 9, 3);
    let mut shifted = log.answer(&query(1), 9, 2);
    shifted.lists[0].from = 0;
    assert!(matches!(
        placed(0, shifted),
        AnswerError::Place { from: 0, .. }
    ));
    let mut dropped = log.answer(&query(0), 9, 2);
    let leaf = dropped.lists[0].leaves.remove(0);
    dropped.entries.retain(|(at, _)| *at != leaf);
    dropped.inclusion = log.inclusion(
        &(dropped.entries.iter().map(|(at, _)| at.get()).chain([8])).collect(),
        9,
    );
    assert!(matches!(placed(0, dropped), AnswerError::Place { .. }));
    let mut longer = whole_page.clone();
    longer.range.push(Hash::of(b"extra"));
    let why = MultiproofError::Length { got: 1 };
    let from = 0;
    assert_eq!(placed(0, longer), AnswerError::Place { label, from, why });
    let mut empty = whole_page;
    empty.lists[0].leaves.clear();
    empty.entries.clear();
    empty.inclusion = log.inclusion(&[8].into(), 9);
    let length = 3;
    assert_eq!(
        placed(0, empty.clone()),
        AnswerError::EmptyPage {
            label,
            from,
            length
        }
    );
    empty.lists[0].from = 3;
    AnswerPage::verify(log.checkpoint(9), &label, 3, empty.clone()).unwrap();
    empty.range.push(Hash::of(b"extra"));
    assert_eq!(placed(3, empty), AnswerError::NoPage(1));
    // Nothing that is compared as a whole has such a proof.
    let names = Query::labels(&[label]);
    let mut answer = log.answer(&names, 9, 3);
    answer.range.push(Hash::of(b"extra"));
    assert_eq!(refused(&log, &names, answer), AnswerError::NoPage(1));
}

/// A page is of the label that was asked for, and pages are of one label.
#[test]
fn a_page_of_another_label_is_refused() {
    let (_, log) = published();
    let (label, absent) = (package(0), Label::from_bytes([7; 32]));
    let answer = |label| log.answer(&Query::Page { label, from: 0 }, 9, 3);
    let page = |label, answer| AnswerPage::verify(log.checkpoint(9), &label, 0, answer);
    let other = AnsweredList {
        label: package(1),
        from: 0,
        leaves: vec![LeafIndex::new(2)],
    };
    for label in [label, absent] {
        let mut more = answer(label);
        more.lists.push(other.clone());
        let refused = page(label, more).unwrap_err();
        assert_eq!(refused, AnswerError::OtherList(package(1)));
    }
    let pages = [absent, label].map(|label| page(label, answer(label)).unwrap());
    let together = VerifiedPages::verify(ListFrontier::default(), pages.into());
    assert_eq!(together.unwrap_err(), AnswerError::OtherList(absent));
}

/// Pages may be of several checkpoints, and then nothing else says that they are of one history.
#[test]
fn pages_are_ascending_together() {
    let (_, log) = published();
    let other = Log::new(&[vec![about(0), about(0), about(0)]].into());
    let size = *other.sizes().last().unwrap();
    let label = package(0);
    assert_eq!(
        other.truth(&label, size),
        [1, 2, 3].map(LeafIndex::new),
        "the third is before the second of the log above"
    );
    let page = |log: &Log, size: u64, from: u64| {
        let answer = log.answer(&Query::Page { label, from }, size, 2);
        AnswerPage::verify(log.checkpoint(size), &label, from, answer).unwrap()
    };
    let pages = vec![page(&log, 9, 0), page(&other, size, 2)];
    let leaf = LeafIndex::new(3);
    assert_eq!(
        VerifiedPages::verify(ListFrontier::default(), pages).unwrap_err(),
        AnswerError::ListOrder { label, leaf }
    );
}
