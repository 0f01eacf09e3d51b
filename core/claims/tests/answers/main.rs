//! Complete answers under every lie: each is refused, or says nothing but the truth
//! (`docs/index.md`, section 8).

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that cannot go on panics.

mod lies;
mod log;
mod named;
mod pages;

use assay_claims::index::answer::ProvenEntries;
use assay_claims::index::list::ListFrontier;
use assay_claims::index::{
    Answer, AnswerError, AnswerPage, Found, Label, Prefix, Query, VerifiedAnswer, VerifiedPages,
};
use assay_tlog::tree::LeafIndex;
use lies::{Kind, Known, Lie, lie};
use log::{Log, steps};
use proptest::{
    prelude::*,
    sample::Index,
    test_runner::{FileFailurePersistence, TestCaseError, TestRunner},
};
use std::{cell::RefCell, collections::BTreeMap};

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(ProptestConfig {
        cases,
        source_file: Some(file!()),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource(
            "proptest-regressions",
        ))),
        ..ProptestConfig::default()
    })
}

/// A question, of which the log has not said anything yet.
#[derive(Debug, Clone)]
enum Question {
    Labels(Vec<Index>),
    Page(Index, u64),
    /// What some said about what begins with some bits.
    Crowd(Index, u16, Vec<Index>),
    Census(Index, u16),
}

fn question() -> impl Strategy<Value = Question> {
    let picks = prop::collection::vec(any::<Index>(), 1..5);
    prop_oneof![
        3 => prop::collection::vec(any::<Index>(), 1..8).prop_map(Question::Labels),
        3 => (any::<Index>(), 0..3_u64).prop_map(|(label, from)| Question::Page(label, from)),
        2 => (any::<Index>(), prop_oneof![0..6_u16, Just(128)], picks)
            .prop_map(|(label, bits, by)| Question::Crowd(label, bits, by)),
        1 => (any::<Index>(), prop_oneof![0..6_u16, Just(128), Just(256)])
            .prop_map(|(label, bits)| Question::Census(label, bits)),
    ]
}

impl Question {
    fn query(&self, log: &Log, size: u64) -> Query {
        let labels = log.labels();
        let pick = |index: &Index| labels[index.index(labels.len())];
        match self {
            Question::Labels(picks) => {
                let asked: Vec<_> = picks.iter().map(pick).collect();
                Query::labels(&asked)
            }
            Question::Page(label, from) => {
                // Mostly of a list that is long enough for several pages.
                let longest = labels
                    .iter()
                    .max_by_key(|label| log.truth(label, size).len());
                let label = match longest {
                    Some(longest) if label.index(4) > 0 => *longest,
                    _ => pick(label),
                };
                Query::Page {
                    label,
                    from: (*from).min(log.truth(&label, size).len() as u64),
                }
            }
            Question::Crowd(label, bits, by) => {
                let by = by.iter().map(|index| pick(index).by());
                Query::crowd(Prefix::of(&pick(label), *bits), by)
            }
            Question::Census(label, bits) => Query::Census(Prefix::of(&pick(label), *bits)),
        }
    }
}

/// What is verified of an answer: all of it, or as much as one page shows.
enum Verified {
    Whole(VerifiedAnswer),
    Page(AnswerPage),
}

impl Verified {
    fn proven(&self) -> &ProvenEntries {
        match self {
            Verified::Whole(answer) => answer.proven(),
            Verified::Page(page) => page.proven(),
        }
    }

    fn lists(&self) -> Vec<(Found, &[LeafIndex])> {
        match self {
            Verified::Whole(answer) => answer
                .lists()
                .values()
                .map(|list| (*list.found(), list.leaves()))
                .collect(),
            Verified::Page(page) => page
                .list()
                .into_iter()
                .map(|list| (list.found, &list.leaves[..]))
                .collect(),
        }
    }

    fn missing(&self) -> Vec<LeafIndex> {
        match self {
            Verified::Whole(answer) => answer.missing(),
            Verified::Page(page) => page.missing(),
        }
    }
}

fn verify(known: &Known<'_>, answer: Answer) -> Result<Verified, AnswerError> {
    match known.query {
        Query::Page { label, from } => verify_page(known, label, *from, answer).map(Verified::Page),
        query => VerifiedAnswer::verify(known.log.checkpoint(known.size), query, answer)
            .map(Verified::Whole),
    }
}

fn verify_page(
    known: &Known<'_>,
    label: &Label,
    from: u64,
    answer: Answer,
) -> Result<AnswerPage, AnswerError> {
    AnswerPage::verify(known.log.checkpoint(known.size), label, from, answer)
}

/// Whether what was verified is the truth: all lists, whole and unchanged; the log's own entries,
/// all of them, for the lists are short; of a page, the leaves that stand there, and what did not
/// come is said to be missing.
fn is_true(known: &Known<'_>, answer: &Verified) -> Result<(), TestCaseError> {
    let Known {
        log, query, size, ..
    } = known;
    let asked = log
        .labels()
        .into_iter()
        .filter(|label| query.asks_for(label));
    let there: Vec<_> = asked
        .filter(|label| !log.truth(label, *size).is_empty())
        .collect();
    let entries = answer.proven().entries();
    let lists = answer.lists();
    let labels: Vec<_> = lists.iter().map(|(found, _)| found.label).collect();
    prop_assert_eq!(there, labels);
    for (found, leaves) in &lists {
        let truth = log.truth(&found.label, *size);
        prop_assert_eq!(found.length, truth.len() as u64);
        let rest = match query {
            Query::Page { from, .. } => &truth[*from as usize..],
            _ => truth,
        };
        if let Query::Page { .. } = query {
            prop_assert_eq!(*leaves, &rest[..leaves.len().min(rest.len())]);
            prop_assert!(!leaves.is_empty() || rest.is_empty());
        } else {
            prop_assert_eq!(*leaves, rest);
        }
        let mut shown = leaves.iter().filter(|leaf| entries.contains_key(leaf));
        prop_assert!(shown.all(|leaf| truth.contains(leaf)));
    }
    for (leaf, entry) in entries {
        prop_assert_eq!(entry.bytes(), &log.entries[leaf.get() as usize]);
    }
    let mut listed: Vec<_> = lists
        .iter()
        .flat_map(|(_, leaves)| *leaves)
        .copied()
        .collect();
    listed.sort();
    listed.dedup();
    let mut had: Vec<_> = entries.keys().copied().chain(answer.missing()).collect();
    had.sort();
    prop_assert_eq!(had, listed);
    if let Verified::Whole(answer) = answer {
        prop_assert_eq!(answer.missing(), []);
    }
    prop_assert_eq!(answer.proven().commitment(), &log.commitment(*size));
    Ok(())
}

/// What became of the lies of each kind that were told alone.
#[derive(Default)]
struct Told {
    refused: usize,
    harmless: usize,
}

#[test]
fn a_lie_is_refused_or_changes_nothing() {
    let told: RefCell<BTreeMap<Kind, Told>> = RefCell::default();
    let lies = prop::collection::vec(prop::collection::vec(lie(), 1..4), 12);
    let cases = (steps(), question(), any::<Index>(), 1..3_usize, lies);
    let outcome = runner(2_500).run(&cases, |(steps, question, at, most, lies)| {
        let log = Log::new(&steps);
        let sizes = log.sizes();
        let size = sizes[at.index(sizes.len())];
        let query = question.query(&log, size);
        let known = Known {
            steps: &steps,
            log: &log,
            query: &query,
            size,
            most,
        };
        let honest = log.answer(&query, size, most);
        is_true(&known, &verify(&known, honest.clone()).unwrap())?;
        for lies in lies {
            let mut answer = honest.clone();
            lies.iter().for_each(|lie| lie.tell(&known, &mut answer));
            let changed = answer != honest;
            let verified = verify(&known, answer);
            if let Ok(answer) = &verified {
                is_true(&known, answer)?;
            }
            if let ([Lie { kind, .. }], true) = (&lies[..], changed) {
                let mut told = told.borrow_mut();
                let of_kind = told.entry(*kind).or_default();
                *(if verified.is_err() {
                    &mut of_kind.refused
                } else {
                    &mut of_kind.harmless
                }) += 1;
            }
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    let told = told.into_inner();
    for kind in Kind::ALL {
        let told = told
            .get(kind)
            .unwrap_or_else(|| panic!("{kind:?} was never told"));
        println!(
            "{kind:?}: {} refused, {} harmless",
            told.refused, told.harmless
        );
        assert!(
            told.refused > 0 || *kind == Kind::WholeCut,
            "{kind:?} is never refused"
        );
    }
}

/// What is done to pages, beside lies in one of them.
#[derive(Debug, Clone, Copy)]
enum Shuffle {
    Nothing,
    Drop(Index),
    Duplicate(Index),
    Swap(Index, Index),
    /// The page is as of an older checkpoint.
    Older(Index, Index),
}

impl Shuffle {
    fn tell(self, log: &Log, label: &Label, most: usize, pages: &mut Vec<Page>) {
        let length = pages.len();
        match self {
            Shuffle::Nothing => {}
            Shuffle::Drop(at) => drop(pages.remove(at.index(length))),
            Shuffle::Duplicate(at) => {
                pages.insert(at.index(length), pages[at.index(length)].clone())
            }
            Shuffle::Swap(at, to) => pages.swap(at.index(length), to.index(length)),
            Shuffle::Older(at, to) => {
                let (size, from, answer) = &mut pages[at.index(length)];
                *size = log.sizes()[to.index(log.sizes().len())];
                let (label, from) = (*label, *from);
                *answer = log.answer(&Query::Page { label, from }, *size, most);
            }
        }
    }
}

fn shuffle() -> impl Strategy<Value = Shuffle> {
    let at = any::<Index>;
    prop_oneof![
        Just(Shuffle::Nothing),
        at().prop_map(Shuffle::Drop),
        at().prop_map(Shuffle::Duplicate),
        (at(), at()).prop_map(|(at, to)| Shuffle::Swap(at, to)),
        (at(), at()).prop_map(|(at, to)| Shuffle::Older(at, to)),
    ]
}

/// A page with the size that it is as of, and where it begins.
type Page = (u64, u64, Answer);

/// A label's whole list in pages, while the log grows.
fn pages(log: &Log, label: &Label, most: usize, growth: &[Index]) -> Vec<Page> {
    let mut sizes = log.sizes();
    let mut growth = growth.iter().cycle();
    let (mut pages, mut from) = (vec![], 0);
    loop {
        sizes.drain(..growth.next().map_or(0, |index| index.index(sizes.len())));
        let answer = log.answer(
            &Query::Page {
                label: *label,
                from,
            },
            sizes[0],
            most,
        );
        let start = from;
        from += answer
            .lists
            .first()
            .map_or(0, |list| list.leaves.len() as u64);
        pages.push((sizes[0], start, answer));
        if from >= log.truth(label, sizes[0]).len() as u64 {
            return pages;
        }
    }
}

#[test]
fn pages_make_up_the_true_list_or_are_refused() {
    let refused = RefCell::new((0, 0));
    let growth = prop::collection::vec(any::<Index>(), 4);
    let tricks = prop::collection::vec((shuffle(), any::<Index>(), prop::option::of(lie())), 8);
    let cases = (steps(), any::<Index>(), 1..3_usize, growth, tricks);
    let outcome = runner(1_500).run(&cases, |(steps, label, most, growth, tricks)| {
        let log = Log::new(&steps);
        let labels = log.labels();
        let label = labels[label.index(labels.len())];
        let honest = pages(&log, &label, most, &growth);
        for (shuffle, at, lie) in [(Shuffle::Nothing, growth[0], None)]
            .into_iter()
            .chain(tricks)
        {
            let mut pages = honest.clone();
            shuffle.tell(&log, &label, most, &mut pages);
            let lied = lie
                .filter(|_| !pages.is_empty())
                .map(|lie| (at.index(pages.len()), lie));
            let tricked = lied.is_some() || !matches!(shuffle, Shuffle::Nothing);
            let mut verified = vec![];
            for (number, (size, from, mut answer)) in pages.into_iter().enumerate() {
                let query = Query::Page { label, from };
                let known = Known {
                    steps: &steps,
                    log: &log,
                    query: &query,
                    size,
                    most,
                };
                if let Some((_, lie)) = lied.filter(|(at, _)| *at == number) {
                    lie.tell(&known, &mut answer);
                }
                verified.extend(verify_page(&known, &label, from, answer).ok());
            }
            let last = verified
                .last()
                .map(|page| page.proven().checkpoint().size().get());
            let verified = VerifiedPages::verify(ListFrontier::default(), verified);
            let taken = verified.is_ok();
            let mut count = refused.borrow_mut();
            *(if taken { &mut count.1 } else { &mut count.0 }) += 1;
            prop_assert!(taken || tricked);
            if let Ok(pages) = verified {
                prop_assert_eq!(
                    pages.leaves().collect::<Vec<_>>(),
                    log.truth(&label, last.unwrap())
                );
            }
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    let (refused, taken) = refused.into_inner();
    assert!(
        refused > 2_000 && taken > 2_000,
        "{refused} refused, {taken} taken"
    );
}
