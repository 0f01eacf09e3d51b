//! Logs that fork anywhere, or nowhere, and heads in any order.

use super::*;
use proptest::prelude::*;

const MOST: usize = 40;

/// An honest log, with a head of each size: signing takes longer than all the rest.
static HONEST: LazyLock<(Branch, Vec<VerifiedHead>)> = LazyLock::new(|| {
    let tree = Branch::new(MOST);
    let heads = (0..=MOST).map(|size| tree.head(size)).collect();
    (tree, heads)
});

/// The heads of one branch and of the other, as they come.
fn heads() -> impl Strategy<Value = Vec<(bool, usize)>> {
    prop::collection::vec((any::<bool>(), 0..=MOST), 1..24)
}

/// Answers every question from the branch, until none is left. Returns the forks that come up.
fn settle(pool: &mut Pool, from_ms: u64, branches: &[&Branch]) -> Vec<Fork> {
    let mut forks = Vec::new();
    let mut now_ms = from_ms;
    // Each round of questions moves the tip, or links what is below it.
    for _ in 0..4 * limits::GOSSIP_WAITING {
        if !forks.is_empty() || pool.heads(ORIGIN).count() <= 1 {
            break;
        }
        now_ms += SETTINGS.alarm_after_ms;
        for question in pool.questions(now_ms) {
            for branch in branches {
                match question.judge(&branch.answer(&question)) {
                    Judged::Linked(link) => forks.extend(pool.link(&link)),
                    Judged::Fork(fork) => forks.push(fork),
                    Judged::Nothing(_) => {}
                }
            }
        }
    }
    forks
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100_000))]

    /// Whatever two heads of two branches meet, there is a fork if they differ, and only then:
    /// somebody who has the tiles of the newer one shows it.
    #[test]
    fn every_fork_is_found(
        same in 0..MOST,
        old in 1..=MOST,
        new in 1..=MOST,
        first_is_newer in any::<bool>(),
    ) {
        let tree = Branch::new(MOST);
        let other = tree.fork(same);
        let mut pool = pool();
        let (first, second) = if first_is_newer { (&other, &tree) } else { (&tree, &other) };
        let _ = pool.take(&first.head(old), 0, 0);
        let taken = pool.take(&second.head(new), 0, 0);
        let of_newer = if old < new { second } else { first };
        let found = match taken {
            Taken::Fork(fork) => Some(*fork),
            Taken::Waits(question) => match question.judge(&of_newer.answer(&question)) {
                Judged::Fork(fork) => Some(fork),
                Judged::Linked(link) => pool.link(&link),
                Judged::Nothing(error) => panic!("{error}"),
            },
            _ => None,
        };
        prop_assert_eq!(found.is_some(), same < old.min(new));
        if let Some(found) = found {
            check(&found);
        }
    }

    /// No honest log is blamed, whatever comes in whatever order, and who answers wrongly between;
    /// and once its questions are answered it is above suspicion.
    #[test]
    fn no_honest_log_is_blamed_or_suspect_for_good(
        came in heads(),
        words in any::<u64>(),
        answered in prop::collection::vec(any::<bool>(), 24),
    ) {
        let (tree, heads) = &*HONEST;
        let made_up = tree.fork(0);
        let mut pool = pool();
        for (at, (_, size)) in came.iter().enumerate() {
            let now_ms = at as u64 * 7_000;
            let taken = pool.take(&heads[*size], now_ms, words.rotate_left(at as u32));
            prop_assert!(matches!(taken, Taken::Known | Taken::First | Taken::Waits(_)));
            for question in pool.questions(now_ms) {
                let branch = if answered[at] { tree } else { &made_up };
                match question.judge(&branch.answer(&question)) {
                    Judged::Linked(link) => prop_assert_eq!(pool.link(&link), None),
                    Judged::Fork(fork) => prop_assert!(false, "{fork:?}"),
                    Judged::Nothing(_) => {}
                }
            }
        }
        let end_ms = 24 * 7_000;
        prop_assert_eq!(settle(&mut pool, end_ms, &[tree]), vec![]);
        prop_assert_eq!(pool.standing(ORIGIN, u64::MAX), Standing::Clear);
        prop_assert!(pool.heads(ORIGIN).count() <= 1);
        let largest = came.iter().map(|(_, size)| *size).max().unwrap();
        if largest > 0 {
            let tip = pool.tip(ORIGIN).unwrap();
            // The largest always has a place.
            prop_assert_eq!(tip, &heads[largest]);
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// A log that forked is found out by whoever saw both branches and has the tiles of both, and
    /// is suspect where nobody answers.
    #[test]
    fn a_forked_log_is_found_out_or_suspect(
        same in 0..MOST,
        came in heads(),
        words in any::<u64>(),
    ) {
        let (tree, heads) = &*HONEST;
        let other = tree.fork(same);
        let mut pool = pool();
        let mut forks = Vec::new();
        let mut kept = Vec::new();
        for (at, (forked, size)) in came.iter().enumerate() {
            let made;
            let head = if *forked {
                made = other.head(*size);
                &made
            } else {
                &heads[*size]
            };
            match pool.take(head, 0, words.rotate_left(at as u32)) {
                Taken::Fork(fork) => forks.push(*fork),
                _ => kept.push((*forked, *size)),
            }
        }
        let mut silent = pool.clone();
        for at in 0..200 {
            let _ = silent.questions(at * 5_000);
        }
        let is_suspect = silent.standing(ORIGIN, 1_000_000) != Standing::Clear;
        prop_assert_eq!(is_suspect, silent.heads(ORIGIN).count() > 1);

        let waiting = pool.heads(ORIGIN).any(|head| head.root() != tree.root(
            usize::try_from(head.size().get()).unwrap()
        ));
        let straight = pool.heads(ORIGIN).any(|head| head.root() != other.root(
            usize::try_from(head.size().get()).unwrap()
        ));
        forks.extend(settle(&mut pool, 0, &[tree, &other]));
        for fork in &forks {
            check(fork);
        }
        // Of what still had a place, both branches show.
        if waiting && straight {
            prop_assert!(!forks.is_empty(), "{:?}", kept);
        }
    }
}
