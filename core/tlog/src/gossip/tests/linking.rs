//! What becomes of a head, case by case.

use super::*;

fn link(pool: &mut Pool, question: &Question, branch: &Branch) -> Option<Fork> {
    match question.judge(&branch.answer(question)) {
        Judged::Linked(link) => pool.link(&link),
        Judged::Fork(fork) => Some(fork),
        Judged::Nothing(error) => panic!("{error}"),
    }
}

fn tip(pool: &Pool) -> u64 {
    pool.tip(ORIGIN).unwrap().size().get()
}

#[test]
fn the_first_head_is_the_tip_and_others_are_linked_to_it() {
    let (mut pool, tree) = (pool(), Branch::new(20));
    assert_eq!(pool.take(&tree.head(0), 0, 0), Taken::Known);
    assert_eq!(pool.tip(ORIGIN), None);
    assert_eq!(pool.take(&tree.head(7), 0, 0), Taken::First);
    assert_eq!(pool.take(&tree.head(7), 0, 0), Taken::Known);

    let later = waits(pool.take(&tree.head(12), 0, 0));
    assert_eq!(later.older(), &tree.head(7));
    assert_eq!(tip(&pool), 7);
    assert_eq!(pool.take(&tree.head(12), 0, 0), Taken::Known);
    assert_eq!(link(&mut pool, &later, &tree), None);
    assert_eq!(tip(&pool), 12);

    // What is behind the tip is known afterwards, too.
    let before = waits(pool.take(&tree.head(5), 0, 0));
    assert_eq!(link(&mut pool, &before, &tree), None);
    for size in [5, 7, 12] {
        assert_eq!(pool.take(&tree.head(size), 0, 0), Taken::Known, "{size}");
    }
    assert_eq!(pool.heads(ORIGIN).count(), 1);
}

#[test]
fn another_root_is_a_fork_at_once_beside_whatever_head_it_comes() {
    let (mut pool, tree) = (pool(), Branch::new(20));
    let other = tree.fork(3);
    let _ = pool.take(&tree.head(7), 0, 0);
    let _ = pool.take(&tree.head(12), 0, 0);
    let _ = pool.take(&tree.head(5), 0, 0);
    for size in [5, 7, 12] {
        let found = fork(pool.take(&other.head(size), 0, 0));
        check(&found);
        assert_eq!(found.older(), &tree.head(size));
        assert_eq!(found.newer(), &other.head(size));
        assert_eq!(found.origin(), ORIGIN);
    }
    // Below the fork both are one history.
    assert_eq!(other.head(3), tree.head(3));
}

#[test]
fn an_empty_tree_with_leaves_is_a_fork_by_itself() {
    let mut pool = pool();
    let checkpoint = Checkpoint {
        size: TreeSize::EMPTY,
        ..Branch::new(1).checkpoint(1)
    };
    let head = verifier().verify(&checkpoint.sign(&KEY)).unwrap();
    check(&fork(pool.take(&head, 0, 0)));
}

/// Until evidence is stored nothing has changed: whoever was stopped in between finds it again.
#[test]
fn a_log_is_convicted_by_evidence_that_is_held_and_by_nothing_else() {
    let (mut pool, tree) = (pool(), Branch::new(20));
    let other = tree.fork(3);
    let _ = pool.take(&tree.head(7), 0, 0);
    let _ = pool.take(&tree.head(9), 0, 0);
    for _ in 0..2 {
        check(&fork(pool.take(&other.head(7), 0, 0)));
        assert_eq!(pool.standing(ORIGIN, 0), Standing::Clear);
    }
    pool.hold(CulpritId::of_log("log.example/b"), Hash::of(b"text"));
    assert_eq!(pool.standing(ORIGIN, 0), Standing::Clear);
    pool.hold(CulpritId::of_log(ORIGIN), Hash::of(b"text"));
    assert_eq!(pool.standing(ORIGIN, 0), Standing::Convicted);
    assert_eq!(pool.take(&tree.head(8), 0, 0), Taken::Convicted);
    // Nobody asks it anything any more.
    assert_eq!(pool.heads(ORIGIN).count(), 1);
    assert_eq!(pool.questions(1 << 40), vec![]);
    // New keys do not help.
    pool.add_log(verifier()).unwrap();
    assert_eq!(pool.standing(ORIGIN, 0), Standing::Convicted);
}

#[test]
fn a_head_below_the_tip_is_linked_although_the_tip_moved_meanwhile() {
    let (mut pool, tree) = (pool(), Branch::new(20));
    let _ = pool.take(&tree.head(7), 0, 0);
    let behind = waits(pool.take(&tree.head(5), 0, 0));
    let ahead = waits(pool.take(&tree.head(9), 0, 0));
    let further = waits(pool.take(&tree.head(15), 0, 0));
    assert_eq!(link(&mut pool, &further, &tree), None);
    assert_eq!(tip(&pool), 15);
    assert_eq!(link(&mut pool, &behind, &tree), None);
    // That 9 extends 7 says nothing of 15: they may be two histories.
    assert_eq!(link(&mut pool, &ahead, &tree), None);
    let waiting: Vec<u64> = pool.heads(ORIGIN).map(|head| head.size().get()).collect();
    assert_eq!(waiting, [15, 9]);
    let again = pool.questions(0);
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].newer(), &tree.head(15));
    assert_eq!(link(&mut pool, &again[0], &tree), None);
    assert_eq!(pool.heads(ORIGIN).count(), 1);
}

/// A head that found no place is linked by own tiles; meanwhile another of its size came.
#[test]
fn the_new_tip_is_held_against_what_waits() {
    let (mut pool, tree) = (pool(), Branch::new(40));
    let other = tree.fork(3);
    let _ = pool.take(&tree.head(7), 0, 0);
    for size in 11..19 {
        let _ = pool.take(&tree.head(size), 0, 0);
    }
    let dropped = waits(pool.take(&tree.head(10), 0, u64::MAX));
    assert!(pool.heads(ORIGIN).all(|head| head.size().get() != 10));
    // This one takes a place.
    let _ = waits(pool.take(&other.head(10), 0, 0));
    let found = link(&mut pool, &dropped, &tree).unwrap();
    check(&found);
    assert_eq!(found.newer(), &other.head(10));
}

#[test]
fn of_heads_above_the_tip_one_is_asked_about_at_a_time_and_the_largest_first() {
    let (mut pool, tree) = (pool(), Branch::new(40));
    let _ = pool.take(&tree.head(10), 0, 0);
    for size in [5, 12, 30, 20, 8] {
        let _ = pool.take(&tree.head(size), 0, 0);
    }
    let asked = |pool: &mut Pool, now_ms| -> Vec<(u64, u64)> {
        let questions = pool.questions(now_ms);
        questions
            .iter()
            .map(|asked| (asked.older().size().get(), asked.newer().size().get()))
            .collect()
    };
    // Of those below it, too.
    assert_eq!(asked(&mut pool, 0), [(5, 10), (10, 30)]);
    assert_eq!(asked(&mut pool, 1), [(8, 10)]);
    assert_eq!(asked(&mut pool, 4_999), []);
    // 30 could not be linked: the others have their turn.
    assert_eq!(asked(&mut pool, 5_000), [(5, 10), (10, 20)]);
    assert_eq!(asked(&mut pool, 5_001), [(8, 10)]);
    assert_eq!(asked(&mut pool, 10_000), [(5, 10), (10, 12)]);
    let again = pool.questions(15_000);
    assert_eq!(again[1].newer(), &tree.head(30));
    assert_eq!(again[1].source(), Source::Mirror(0));
    assert_eq!(again[0].source(), Source::Mirror(2));
    let found = link(&mut pool, &again[1], &tree);
    assert_eq!(found, None);
    // Now all are below the tip, and no answer is late.
    assert_eq!(asked(&mut pool, 15_000), [(20, 30)]);
    assert_eq!(asked(&mut pool, 15_000), [(12, 30)]);
    assert_eq!(asked(&mut pool, 15_000), [(8, 30)]);
}

/// Strangers who submit old heads of an honest log make nobody ask it more than once a round, and
/// all of them have their turn.
#[test]
fn of_old_heads_one_is_asked_about_in_a_round() {
    let (mut pool, tree) = (pool(), Branch::new(40));
    let _ = pool.take(&tree.head(30), 0, 0);
    for size in 10..18 {
        let _ = pool.take(&tree.head(size), 0, 0);
    }
    let mut asked = std::collections::BTreeSet::new();
    for round in 0..10 {
        let questions = pool.questions(round * 1_000);
        assert!(questions.len() <= 1, "{questions:?}");
        asked.extend(questions.iter().map(|asked| asked.older().size()));
    }
    assert_eq!(asked.len(), 8);
}

/// A log that signs many heads above the tip and links none is suspect as soon as any other.
#[test]
fn many_heads_do_not_put_off_the_alarm() {
    let (mut pool, tree) = (pool(), Branch::new(40));
    let _ = pool.take(&tree.head(10), 0, 0);
    for size in 20..40 {
        let _ = pool.take(&tree.head(size), 0, 0);
    }
    for now_ms in (0..60_000).step_by(1_000) {
        assert_eq!(pool.standing(ORIGIN, now_ms), Standing::Clear);
        assert!(pool.questions(now_ms).len() <= 2);
    }
    let suspect = Standing::Suspect {
        size: TreeSize::new(20),
        since_ms: 0,
    };
    assert_eq!(pool.standing(ORIGIN, 60_000), suspect);
}

/// Two answers cross, as they do for a log that grows quickly: nobody has to wait for that.
#[test]
fn what_was_linked_to_an_earlier_tip_is_asked_about_again_at_once() {
    let (mut pool, tree) = (pool(), Branch::new(40));
    for size in [10, 12, 30] {
        let _ = pool.take(&tree.head(size), 0, 0);
    }
    let asked = pool.questions(0);
    assert_eq!(asked.len(), 2);
    assert_eq!(pool.questions(100), vec![]);
    for question in &asked {
        assert_eq!(link(&mut pool, question, &tree), None);
    }
    assert_eq!(tip(&pool), 12);
    let again = pool.questions(100);
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].source(), Source::Log);
    assert_eq!(link(&mut pool, &again[0], &tree), None);
    assert_eq!((tip(&pool), pool.heads(ORIGIN).count()), (30, 1));
}

/// A witness checks that each head extends the one before, and has no tiles of it.
#[test]
fn what_the_node_itself_verified_moves_the_tip_and_nobody_has_to_be_asked() {
    let (mut pool, tree) = (pool(), Branch::new(40));
    let _ = pool.take(&tree.head(7), 0, 0);
    for (older, newer) in [(7, 9), (9, 12)] {
        let _ = waits(pool.take(&tree.head(newer), 0, 0));
        let [older, newer] = [older, newer].map(|size| tree.head(size));
        assert_eq!(pool.extend_own(&older, &newer, 0, 0), None);
        assert_eq!(pool.tip(ORIGIN), Some(&newer));
        assert_eq!(pool.heads(ORIGIN).count(), 1);
    }
    // Another of its size waits: it has come before.
    let other = tree.fork(3);
    let _ = waits(pool.take(&other.head(20), 0, 0));
    let found = pool.extend_own(&tree.head(12), &tree.head(20), 0, 0);
    check(&found.unwrap());
}

/// Else a stranger who is faster than the log would keep a witness from all that it verified.
#[test]
fn a_head_of_somebody_else_that_came_first_waits_once_there_are_own_ones() {
    for strange in [5, 8, 30] {
        let (mut pool, tree) = (pool(), Branch::new(40));
        let _ = pool.take(&tree.head(strange), 0, 0);
        let _ = waits(pool.take(&tree.head(7), 0, 0));
        let _ = waits(pool.take(&tree.head(9), 0, 0));
        let found = pool.extend_own(&tree.head(7), &tree.head(9), 0, 0);
        assert_eq!((found, tip(&pool)), (None, 9));
        let heads: Vec<u64> = pool.heads(ORIGIN).map(|head| head.size().get()).collect();
        assert_eq!(heads, [9, strange as u64]);
        for now_ms in (0..600_000).step_by(1_000) {
            for question in pool.questions(now_ms) {
                pool.nobody(&question);
            }
            assert_eq!(pool.standing(ORIGIN, now_ms), Standing::Clear);
        }
        // What was linked to something stays.
        let _ = waits(pool.take(&tree.head(12), 0, 0));
        let _ = waits(pool.take(&tree.head(13), 0, 0));
        let found = pool.extend_own(&tree.head(12), &tree.head(13), 0, 0);
        assert_eq!((found, tip(&pool)), (None, 9));
    }
}

#[test]
fn an_answer_that_proves_nothing_changes_nothing() {
    let tree = Branch::new(40);
    let other = tree.fork(3);
    for (old, new) in [(7, 20), (8, 20), (16, 17), (1, 40), (20, 39)] {
        let (older, newer) = (tree.head(old), tree.head(new));
        let question = Question::between(&newer, &older, Source::Log).unwrap();
        assert_eq!(question.needs_root(), old.is_power_of_two());
        let right = tree.answer(&question);
        let mut wrong = vec![Answer::default(), other.answer(&question)];
        for at in 0..right.path.len() {
            let mut answer = right.clone();
            answer.path[at] = Hash::of(b"wrong");
            wrong.push(answer.clone());
            answer.path.remove(at);
            wrong.push(answer);
        }
        for root in [
            None,
            Some(older.root()),
            Some(other.root(old)),
            Some(Hash::of(b"")),
        ] {
            for answer in &wrong {
                let answer = Answer {
                    root,
                    path: answer.path.clone(),
                };
                assert!(matches!(question.judge(&answer), Judged::Nothing(_)));
            }
            // Whatever root is claimed, the right path links the heads.
            let answer = Answer {
                root,
                ..right.clone()
            };
            assert!(matches!(question.judge(&answer), Judged::Linked(_)));
        }
    }
}

#[test]
fn logs_that_cannot_be_told_apart_or_have_endless_names_are_refused() {
    let mut pool = pool();
    let name = "n".repeat(limits::GOSSIP_KEY_NAME_BYTES + 1);
    let key = SignerKey::from_seed(&name, &[1; 32]).unwrap();
    let log = LogVerifier::new("long", vec![key.verifier()]).unwrap();
    let refused = AddError::KeyName("long".into());
    assert_eq!(pool.add_log(log), Err(refused));
    // Heads of others, and of keys that are not known, are of nobody.
    let other = Checkpoint {
        origin: "log.example/b".into(),
        ..Branch::new(3).checkpoint(3)
    };
    let stranger = LogVerifier::new("log.example/b", vec![KEY.verifier()]).unwrap();
    let head = stranger.verify(&other.sign(&KEY)).unwrap();
    assert_eq!(pool.take(&head, 0, 0), Taken::Foreign);
    assert_eq!(pool.verify(head.note()), Ok(None));
    let stranger = SignerKey::from_seed(ORIGIN, &[9; 32]).unwrap();
    let checkpoint = Branch::new(3).checkpoint(3);
    assert_eq!(pool.verify(&checkpoint.sign(&stranger)), Ok(None));
    let wrong = checkpoint.sign(&KEY).replace("\n3\n", "\n4\n");
    assert!(pool.verify(&wrong).is_err());

    let _ = pool.take(&Branch::new(3).head(3), 0, 0);
    pool.remove_log("log.example/b");
    assert!(pool.tip(ORIGIN).is_some());
    pool.remove_log(ORIGIN);
    assert_eq!(pool.take(&Branch::new(3).head(3), 0, 0), Taken::Foreign);
    assert_eq!(pool.tips().count(), 0);
}

#[test]
fn what_is_known_costs_no_verification() {
    let mut pool = pool();
    let head = Branch::new(3).head(3);
    assert_eq!(pool.verify(head.note()), Ok(Some(head.clone())));
    let _ = pool.take(&head, 0, 0);
    assert_eq!(pool.verify(head.note()), Ok(None));
    // Whoever asks for their own is told of it again.
    assert_eq!(pool.verify_own(head.note()), Ok(Some(head)));
}
