//! What a log and a peer can make a pool keep, and say.

use super::exchanges::opened;
use super::*;
use std::collections::{BTreeMap, BTreeSet};

/// A head with the most bytes: the longest origin and names, and as many signatures as there may
/// be. Sizes above any tree's, and roots that are made up.
fn largest_heads(count: u64) -> (LogVerifier, Vec<VerifiedHead>) {
    let origin = "o".repeat(255);
    let name = "n".repeat(limits::GOSSIP_KEY_NAME_BYTES);
    let keys: Vec<CosignerKey> = (0..8)
        .map(|seed| CosignerKey::from_seed(&name, Algorithm::MlDsa44, &[seed; 32]).unwrap())
        .collect();
    let log = LogVerifier::new(&origin, keys.iter().map(CosignerKey::verifier).collect()).unwrap();
    let heads = (0..count).map(|at| {
        let checkpoint = Checkpoint {
            origin: origin.clone(),
            size: TreeSize::new(u64::MAX - at),
            root: Hash::of(&at.to_be_bytes()),
        };
        let lines = keys[..2]
            .iter()
            .map(|key| key.cosign(&checkpoint, 1 << 62).unwrap());
        let note = format!("{}\n{}", checkpoint.body(), lines.collect::<String>());
        log.verify(&note).unwrap()
    });
    let heads = heads.collect();
    (log, heads)
}

#[test]
fn a_log_with_many_hostile_heads_takes_40_kib() {
    let (log, heads) = largest_heads(40);
    let origin = log.origin().to_owned();
    let mut pool = Pool::new(SETTINGS);
    pool.add_log(log.clone()).unwrap();
    assert!(heads[0].note().len() > 2 * 3_300);
    for (at, head) in heads.iter().enumerate() {
        let _ = pool.take(head, 0, (at as u64) << 60);
        assert!(pool.bytes(&origin) <= 40 * 1024, "{}", pool.bytes(&origin));
    }
    assert_eq!(pool.heads(&origin).count(), 1 + limits::GOSSIP_WAITING);
    for head in pool.heads(&origin) {
        assert!(head.note().len() <= limits::GOSSIP_HEAD_BYTES);
        assert_eq!(log.verify(head.note()).as_ref(), Ok(head));
    }
    // Its lines in a digest are two, whatever it signs.
    let (_, turn) = Exchange::open(&mut pool, SALT);
    assert_eq!(turn.lines.len(), 2);
}

/// Who came first and who is the largest stay; of the others each has the same chance.
#[test]
fn many_heads_do_not_drive_out_the_oldest_or_the_largest() {
    let tree = Branch::new(1);
    let head = |size: u64| {
        let checkpoint = Checkpoint {
            size: TreeSize::new(size),
            ..tree.checkpoint(1)
        };
        verifier().verify(&checkpoint.sign(&KEY)).unwrap()
    };
    let heads: Vec<VerifiedHead> = (0..100).map(|at| head(1_000 + at)).collect();
    let mut stayed = BTreeMap::new();
    let mut word = 7_u64;
    for _ in 0..600 {
        let mut pool = pool();
        let _ = pool.take(&head(1), 0, 0);
        let _ = pool.take(&heads[50], 0, 0);
        let _ = pool.take(&heads[99], 0, 0);
        for (at, other) in heads
            .iter()
            .enumerate()
            .filter(|(at, _)| ![50, 99].contains(at))
        {
            word = word.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            let _ = pool.take(other, at as u64, word);
        }
        for head in pool.heads(ORIGIN).skip(1) {
            *stayed.entry(head.size().get() - 1_000).or_insert(0) += 1;
        }
    }
    assert_eq!(
        (stayed.remove(&50), stayed.remove(&99)),
        (Some(600), Some(600))
    );
    // 6 of 98 in 600 runs: 36.7 on average, and a deviation of 5.9.
    assert_eq!(stayed.len(), 98);
    for (at, count) in stayed {
        assert!((10..=66).contains(&count), "head {at} stayed {count} times");
    }
}

/// Ever larger heads, each of which is kept, drive out no more than others do.
#[test]
fn rising_heads_do_not_drive_out_the_others() {
    let tree = Branch::new(200);
    let mut kept = 0;
    for run in 0..200_u64 {
        let mut pool = pool();
        let _ = pool.take(&tree.head(1), 0, 0);
        let mut word = run;
        for size in 2..34 {
            word = word
                .wrapping_mul(0x5851_f42d_4c95_7f2d)
                .wrapping_add(0x1234_5678_9abc_def1);
            let _ = pool.take(&tree.head(size), 0, word);
        }
        let sizes: Vec<u64> = pool.heads(ORIGIN).map(|head| head.size().get()).collect();
        assert!(sizes.contains(&2) && sizes.contains(&33));
        kept += usize::from(sizes.contains(&5));
    }
    // 6 of 30.
    assert!((20..=64).contains(&kept), "{kept}");
}

/// A hundred logs, each with one head and another that waits.
fn hundred() -> Pool {
    let mut pool = Pool::new(SETTINGS);
    for at in 0..100 {
        let origin = format!("log {at}");
        let log = LogVerifier::new(&origin, vec![KEY.verifier()]).unwrap();
        pool.add_log(log.clone()).unwrap();
        for size in [9, 5] {
            let checkpoint = Checkpoint {
                origin: origin.clone(),
                ..Branch::new(9).checkpoint(size)
            };
            let _ = pool.take(&log.verify(&checkpoint.sign(&KEY)).unwrap(), 0, 0);
        }
    }
    pool
}

#[test]
fn questions_are_few_and_every_log_has_its_turn() {
    let mut pool = hundred();
    let first = pool.questions(0);
    assert_eq!(first.len(), limits::GOSSIP_QUESTIONS);
    let mut asked: BTreeSet<String> = first.iter().map(origin).collect();
    // All are due again, and those come first that were left out.
    let second = pool.questions(5_000);
    assert_eq!(second.len(), limits::GOSSIP_QUESTIONS);
    asked.extend(second.iter().map(origin));
    assert_eq!(asked.len(), 100);
    assert_eq!(pool.questions(5_000).len(), 100 - limits::GOSSIP_QUESTIONS);
    assert_eq!(pool.questions(5_000), vec![]);
}

fn origin(question: &Question) -> String {
    question.older().origin().to_owned()
}

/// If a peer has more that is new than one exchange brings, no log is always among the last.
#[test]
fn what_is_wanted_first_differs_from_exchange_to_exchange() {
    let pool = hundred();
    let lines = |note: fn(u64) -> u64| -> Vec<Line> {
        let ids = (0..100).map(|at| LogId::of(&format!("log {at}")));
        let lines = ids.map(|log| Line {
            log,
            note: NoteId(note(log.0)),
        });
        lines.collect()
    };
    let rising = pool.wanted(SALT, &lines(|log| log));
    let falling = pool.wanted(SALT, &lines(|log| !log));
    assert_eq!(rising.len(), limits::GOSSIP_NOTES);
    let logs = rising.iter().chain(&falling).map(|line| line.log);
    assert_eq!(logs.collect::<BTreeSet<LogId>>().len(), 100);
}

#[test]
fn evidence_is_wanted_of_so_many_and_of_those_already_known() {
    let mut pool = Pool::new(SETTINGS);
    let culprits = (0..limits::GOSSIP_CULPRITS as u64).map(CulpritId);
    for culprit in culprits {
        pool.add_culprit(culprit).unwrap();
    }
    let more = CulpritId(u64::MAX);
    assert_eq!(pool.add_culprit(more), Err(AddError::TooMany));
    assert_eq!(pool.add_log(verifier()), Err(AddError::TooMany));
    assert_eq!(pool.add_culprit(CulpritId(0)), Ok(()));
}

#[test]
fn the_last_turn_is_not_replied_to() {
    let (mut pool, mut exchange, _) = opened();
    let mut replies = Vec::new();
    for _ in 0..limits::GOSSIP_TURNS / 2 {
        let _ = exchange.receive(&mut pool, &Turn::default(), 0, 0).unwrap();
        replies.push(exchange.reply(&pool, vec!["text".into()]).is_some());
    }
    assert_eq!(replies, [true, true, true, false]);
    let more = exchange.receive(&mut pool, &Turn::default(), 0, 0);
    assert_eq!(more, Err(ExchangeFault::Turns));
}
