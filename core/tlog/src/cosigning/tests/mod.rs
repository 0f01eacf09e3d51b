//! A log and its witnesses, by hand.

mod answers;
mod orders;

use super::{Ask, Cosigning, CosigningError, Event, Failure, Heard, Moment, Reply, Settings, Stop};
use crate::Hash;
use crate::checkpoint::{Checkpoint, VerifiedCheckpoint};
use crate::limits;
use crate::note::{Algorithm, CosignerKey, SignerKey};
use crate::tlog_policy::TlogPolicy;
use crate::tree::TreeSize;

const NOW_S: u64 = 1_800_000_000;
const SETTINGS: Settings = Settings {
    extra_wait_ms: 20,
    refresh_ms: 600_000,
};

fn log() -> SignerKey {
    SignerKey::from_seed("log.example", &[1; 32]).unwrap()
}

fn at(elapsed_ms: u64) -> Moment {
    Moment {
        elapsed_ms,
        unix_s: NOW_S + elapsed_ms / 1000,
    }
}

fn head(size: u64) -> VerifiedCheckpoint {
    let checkpoint = Checkpoint {
        origin: "log.example".into(),
        size: TreeSize::new(size),
        root: Hash::of(&size.to_be_bytes()),
    };
    VerifiedCheckpoint::verify(&checkpoint.sign(&log()), &log().verifier()).unwrap()
}

/// The keys of witness `n`: both algorithms.
fn keys(n: u8) -> [CosignerKey; 2] {
    let name = format!("w{n}.example");
    [
        (Algorithm::CosignatureV1, 10 + n),
        (Algorithm::MlDsa44, 20 + n),
    ]
    .map(|(algorithm, seed)| CosignerKey::from_seed(&name, algorithm, &[seed; 32]).unwrap())
}

/// A policy of `n` witnesses with two keys each, of whom `k` must cosign.
fn policy(k: usize, n: u8) -> TlogPolicy {
    let mut text = String::new();
    let mut groups = String::new();
    for i in 0..n {
        let [a, b] = keys(i).map(|key| key.verifier());
        text += &format!("witness w{i}-a {a} http://w{i}/x/\nwitness w{i}-b {b} http://w{i}/x\n");
        text += &format!("group w{i} any w{i}-a w{i}-b\n");
        groups += &format!(" w{i}");
    }
    TlogPolicy::parse(&format!("{text}group q {k}{groups}\nquorum q\n")).unwrap()
}

fn cosigning(k: usize, n: u8) -> Cosigning {
    Cosigning::new(&log().verifier(), &policy(k, n), SETTINGS).unwrap()
}

fn status(status: u16, body: &str) -> Reply {
    Reply::Answer {
        status,
        retry_after_s: None,
        body: body.into(),
    }
}

/// What an honest witness answers at a time.
fn cosigned(ask: &Ask, unix_s: u64) -> Reply {
    let size = ask.size.get();
    let lines = keys(ask.witness as u8).map(|key| key.cosign(head(size).checkpoint(), unix_s));
    status(200, &lines.map(|line| line.unwrap()).concat())
}

fn asked(cosigning: &mut Cosigning, now: Moment) -> Vec<Ask> {
    let step = cosigning.step(now);
    assert_eq!(step.event, None);
    step.asks
}

/// The names that stand under a note that was shown, which must satisfy the policy.
fn names(event: Option<Event>, k: usize, n: u8) -> Vec<String> {
    let Some(Event::Witnessed { note }) = event else {
        panic!("{event:?}");
    };
    let verified = policy(k, n).with_log(&log().verifier()).verify(&note);
    verified.unwrap().witnesses().to_vec()
}

#[test]
fn a_quorum_and_a_short_wait_then_late_lines() {
    let mut run = cosigning(2, 4);
    assert_eq!(run.step(at(0)), super::Step::default());
    run.propose(at(0), head(5));
    let asks = asked(&mut run, at(0));
    let urls: Vec<_> = asks.iter().map(|ask| ask.url.as_str()).collect();
    assert_eq!(
        urls,
        ["http://w0/x", "http://w1/x", "http://w2/x", "http://w3/x"]
    );
    assert!(
        asks.iter()
            .all(|ask| ask.old == TreeSize::EMPTY && ask.note == head(5).note())
    );
    // Nobody is asked twice at once.
    assert!(asked(&mut run, at(1)).is_empty());

    for (ms, ask) in [(3, &asks[2]), (4, &asks[0])] {
        assert_eq!(
            run.answered(at(ms), ask, &cosigned(ask, NOW_S), 0),
            Heard::Cosigned
        );
    }
    let step = run.step(at(4));
    assert_eq!((step.event, step.wake_ms), (None, Some(24)));
    let shown = names(run.step(at(24)).event, 2, 4);
    assert_eq!(shown, ["w0-a", "w0-b", "w2-a", "w2-b"]);
    assert_eq!(run.step(at(25)).event, None);

    // Late, and merged; the last one says nothing of this log.
    run.answered(at(500), &asks[1], &cosigned(&asks[1], NOW_S), 0);
    let shown = names(run.step(at(500)).event, 2, 4);
    assert_eq!(shown, ["w0-a", "w0-b", "w1-a", "w1-b", "w2-a", "w2-b"]);
    run.answered(at(501), &asks[3], &Reply::Unreachable, 0);
    assert_eq!(run.step(at(501)).event, None);
}

#[test]
fn if_all_have_answered_nobody_is_waited_for() {
    let mut run = cosigning(2, 3);
    run.propose(at(0), head(5));
    let asks = asked(&mut run, at(0));
    for ask in &asks[..2] {
        run.answered(at(1), ask, &cosigned(ask, NOW_S), 0);
    }
    run.answered(at(1), &asks[2], &Reply::Unreachable, 0);
    assert_eq!(names(run.step(at(1)).event, 2, 3).len(), 4);
}

/// A slow witness answers for the candidate before: its lines are not those of this one, and then
/// it is asked from what it cosigned.
#[test]
fn a_late_answer_counts_for_what_was_asked() {
    let mut run = cosigning(1, 2);
    run.propose(at(0), head(5));
    let first = asked(&mut run, at(0));
    run.answered(at(1), &first[0], &cosigned(&first[0], NOW_S), 0);
    assert_eq!(names(run.step(at(30)).event, 1, 2), ["w0-a", "w0-b"]);
    run.propose(at(100), head(9));
    let second = asked(&mut run, at(100));
    assert_eq!((second.len(), second[0].old), (1, TreeSize::new(5)));
    run.answered(at(150), &first[1], &cosigned(&first[1], NOW_S), 0);
    let step = run.step(at(150));
    assert_eq!((step.event, step.asks.len()), (None, 1));
    assert_eq!(
        (step.asks[0].witness, step.asks[0].old),
        (1, TreeSize::new(5))
    );
    // The same answer again is nobody's.
    let again = run.answered(at(151), &first[1], &cosigned(&first[1], NOW_S), 0);
    assert_eq!(again, Heard::Unasked);
}

/// Every witness was asked, too few cosigned: a newer candidate may come, and those who failed are
/// asked again, later and later, up to a minute.
#[test]
fn without_a_quorum_they_are_asked_on() {
    let mut run = cosigning(2, 2);
    run.propose(at(0), head(5));
    let asks = asked(&mut run, at(0));
    run.answered(at(1), &asks[0], &cosigned(&asks[0], NOW_S), 0);
    run.answered(at(1), &asks[1], &Reply::Unreachable, u64::MAX);
    let step = run.step(at(1));
    let cosigned_by = vec!["w0-a".to_owned(), "w0-b".to_owned()];
    assert_eq!(
        step.event,
        Some(Event::NoQuorum {
            cosigned: cosigned_by
        })
    );
    let mut now = step.wake_ms.unwrap();
    let mut waits = Vec::new();
    for _ in 0..14 {
        assert!(asked(&mut run, at(now - 1)).is_empty());
        let ask = asked(&mut run, at(now)).remove(0);
        assert_eq!(ask.witness, 1);
        run.answered(at(now), &ask, &status(503, ""), 199);
        let next = run.step(at(now)).wake_ms.unwrap();
        waits.push(next - now);
        now = next;
    }
    assert!(
        waits.iter().all(|wait| (50..=60_050).contains(wait)),
        "{waits:?}"
    );
    run.propose(at(now), head(6));
    let asks = asked(&mut run, at(now));
    assert_eq!(asks.len(), 2);
    for ask in &asks {
        let unix_s = at(now).unix_s;
        run.answered(at(now), ask, &cosigned(ask, unix_s), 0);
    }
    assert_eq!(names(run.step(at(now)).event, 2, 2).len(), 4);
}

/// When a witness is asked within an hour that is there as `is_up` says, with these random words.
fn asked_of_flapping(mut random: u64, is_up: impl Fn(u64) -> bool) -> Vec<u64> {
    let mut run = cosigning(1, 1);
    run.propose(at(0), head(5));
    let (mut now, mut asked) = (0, Vec::new());
    while now < 3_600_000 {
        let step = run.step(at(now));
        for ask in step.asks {
            asked.push(now);
            random = random
                .wrapping_mul(0x5851_f42d_4c95_7f2d)
                .wrapping_add(0x1405_7b7e_f767_814f);
            let word = random >> 16;
            let reply = if is_up(word) {
                cosigned(&ask, at(now).unix_s)
            } else {
                Reply::Unreachable
            };
            run.answered(at(now), &ask, &reply, word >> 8);
        }
        now = run.step(at(now)).wake_ms.unwrap_or(now + 1).max(now + 1);
    }
    asked
}

/// A witness that comes and goes, or is gone for good, is asked a bounded number of times, and two
/// logs that lost it at one moment do not come back at one moment.
#[test]
fn a_witness_that_comes_and_goes_is_asked_in_bounds() {
    for seed in 1..=50 {
        // A head is refreshed every ten minutes, so that it may succeed six or seven times.
        let flapping = asked_of_flapping(seed, |word| word % 4 == 0);
        let gone = asked_of_flapping(seed, |_| false);
        assert!((7..=120).contains(&flapping.len()), "{flapping:?}");
        assert!((60..=240).contains(&gone.len()), "{}", gone.len());
        for asked in [&flapping, &gone] {
            let waits = asked.windows(2).map(|pair| pair[1] - pair[0]);
            assert!(waits.min() >= Some(50), "{asked:?}");
        }
        let other = asked_of_flapping(seed + 1000, |_| false);
        let same = other.iter().filter(|at| gone.contains(at)).count();
        assert!(same <= 5, "{same} of {}", other.len());
    }
}

#[test]
fn who_asks_for_time_gets_it_up_to_a_minute() {
    for (seconds, wait) in [(2, 2_000), (u32::MAX, 60_000)] {
        let mut run = cosigning(1, 1);
        run.propose(at(0), head(5));
        let ask = asked(&mut run, at(0)).remove(0);
        let reply = Reply::Answer {
            status: 429,
            retry_after_s: Some(seconds),
            body: Vec::new(),
        };
        run.answered(at(0), &ask, &reply, 0);
        assert_eq!(run.step(at(0)).wake_ms, Some(wait));
    }
}

/// The size is learnt once. A witness that names another size each time is not asked in a circle.
#[test]
fn sizes_are_learnt_and_not_followed_in_circles() {
    let mut run = cosigning(1, 1);
    run.propose(at(0), head(8));
    for size in [3, 4] {
        let ask = asked(&mut run, at(0)).remove(0);
        let heard = run.answered(at(0), &ask, &status(409, &format!("{size}\n")), 0);
        assert_eq!(heard, Heard::OtherSize(TreeSize::new(size)));
    }
    let ask = asked(&mut run, at(0)).remove(0);
    assert_eq!(ask.old, TreeSize::new(4));
    let heard = run.answered(at(0), &ask, &status(409, "3\n"), 0);
    assert_eq!(heard, Heard::Failed(Failure::Sizes));
}

#[test]
fn a_witness_that_forgets_does_not_count() {
    let mut run = cosigning(1, 2);
    run.propose(at(0), head(5));
    let asks = asked(&mut run, at(0));
    for ask in &asks {
        run.answered(at(0), ask, &cosigned(ask, NOW_S), 0);
    }
    run.step(at(0));
    run.propose(at(1), head(8));
    let asks = asked(&mut run, at(1));
    let heard = run.answered(at(1), &asks[0], &status(409, "4\n"), 0);
    let (from, to) = (TreeSize::new(5), TreeSize::new(4));
    assert_eq!(heard, Heard::RolledBack { from, to });
    run.answered(at(1), &asks[1], &cosigned(&asks[1], NOW_S), 0);
    assert_eq!(names(run.step(at(1)).event, 1, 2), ["w1-a", "w1-b"]);
    run.propose(at(2), head(9));
    assert_eq!(asked(&mut run, at(2)).len(), 1);
    assert!(run.witnesses().next().unwrap().rolled_back);
}

/// An idle log asks again with the same head; newer lines take the place of older ones.
/// A convicted witness does not count: not what it cosigned of the candidate, nor what it says now.
#[test]
fn an_excluded_witness_does_not_count() {
    let mut run = cosigning(2, 3);
    run.propose(at(0), head(5));
    let asks = asked(&mut run, at(0));
    run.answered(at(1), &asks[0], &cosigned(&asks[0], NOW_S), 0);
    run.exclude("w0.example");
    run.exclude("nobody.example");
    run.answered(at(1), &asks[1], &cosigned(&asks[1], NOW_S), 0);
    assert_eq!(run.step(at(100)).event, None);
    let late = run.answered(at(101), &asks[0], &cosigned(&asks[0], NOW_S), 0);
    assert_eq!(late, Heard::Unasked);
    run.answered(at(101), &asks[2], &cosigned(&asks[2], NOW_S), 0);
    let shown = names(run.step(at(101)).event, 2, 3);
    assert_eq!(shown, ["w1-a", "w1-b", "w2-a", "w2-b"]);
    let excluded: Vec<_> = run.witnesses().map(|status| status.excluded).collect();
    assert_eq!(excluded, [true, false, false]);

    // It is not asked about the next one; and without it there may be no quorum any more.
    run.propose(at(200), head(9));
    let asks = asked(&mut run, at(200));
    assert_eq!(
        asks.iter().map(|ask| ask.witness).collect::<Vec<_>>(),
        [1, 2]
    );
    for ask in &asks {
        run.answered(at(201), ask, &cosigned(ask, NOW_S), 0);
    }
    assert_eq!(names(run.step(at(221)).event, 2, 3).len(), 4);
    run.exclude("w1.example");
    let cosigned = vec!["w2-a".to_owned(), "w2-b".to_owned()];
    assert_eq!(run.step(at(222)).event, Some(Event::NoQuorum { cosigned }));
    // What it is not asked about is not refreshed either.
    assert_eq!(run.step(at(700_000)), super::Step::default());
}

#[test]
fn an_idle_log_is_cosigned_again() {
    let mut run = cosigning(1, 1);
    run.propose(at(0), head(5));
    let ask = asked(&mut run, at(0)).remove(0);
    run.answered(at(0), &ask, &cosigned(&ask, NOW_S), 0);
    let step = run.step(at(0));
    assert_eq!(step.wake_ms, Some(600_000));
    assert!(asked(&mut run, at(599_999)).is_empty());
    let ask = asked(&mut run, at(600_000)).remove(0);
    assert_eq!((ask.old, ask.size), (TreeSize::new(5), TreeSize::new(5)));
    run.answered(at(600_000), &ask, &cosigned(&ask, NOW_S + 600), 0);
    let Some(Event::Witnessed { note }) = run.step(at(600_000)).event else {
        panic!("not refreshed");
    };
    let verified = policy(1, 1)
        .with_log(&log().verifier())
        .verify(&note)
        .unwrap();
    assert_eq!(verified.cosigned_at(), Some(NOW_S + 600));
}

#[test]
fn a_policy_that_cannot_be_asked_is_refused() {
    let [key, _] = keys(0).map(|key| key.verifier());
    let own = CosignerKey::from_seed("log.example", Algorithm::CosignatureV1, &[3; 32]).unwrap();
    let own = own.verifier();
    let other = SignerKey::from_seed("log.example", &[2; 32])
        .unwrap()
        .verifier();
    for (text, error) in [
        ("quorum none".to_owned(), CosigningError::NoQuorum),
        (
            format!("witness w {key}\nquorum w"),
            CosigningError::NoUrl("w".into()),
        ),
        (
            format!("witness w {key} w.example/w\nquorum w"),
            CosigningError::Url("w".into(), "w.example/w".into()),
        ),
        (
            format!("witness w {key} http:///w\nquorum w"),
            CosigningError::Url("w".into(), "http:///w".into()),
        ),
        (
            format!("log {other}\nwitness w {key} http://w\nquorum w"),
            CosigningError::OtherKey("log.example".into()),
        ),
        (
            format!("witness w {own} http://w\nquorum w"),
            CosigningError::OwnKey("w".into()),
        ),
    ] {
        let policy = TlogPolicy::parse(&text).unwrap();
        let refused = Cosigning::new(&log().verifier(), &policy, SETTINGS);
        assert_eq!(refused.unwrap_err(), error);
    }
}

/// A note has room for the log's own signature beside theirs.
#[test]
fn a_policy_of_more_witnesses_than_a_note_has_room_for_is_refused() {
    let policy = |count: usize| {
        let line = |at: usize| {
            let mut seed = [7; 32];
            seed[..8].copy_from_slice(&at.to_be_bytes());
            let name = format!("w{at}");
            let key = CosignerKey::from_seed(&name, Algorithm::CosignatureV1, &seed).unwrap();
            format!("witness {name} {} http://{name}\n", key.verifier())
        };
        let lines: String = (0..count).map(line).collect();
        TlogPolicy::parse(&format!("{lines}quorum w0\n")).unwrap()
    };
    let most = limits::NOTE_SIGNATURES - 1;
    let made = |count| Cosigning::new(&log().verifier(), &policy(count), SETTINGS);
    assert!(made(most).is_ok());
    assert_eq!(
        made(most + 1).unwrap_err(),
        CosigningError::TooMany(most + 1)
    );
}
