//! A log and its witnesses, by hand.

use super::{Ask, Cosigning, CosigningError, Event, Failure, Heard, Moment, Reply, Settings, Stop};
use crate::Hash;
use crate::checkpoint::{Checkpoint, VerifiedCheckpoint};
use crate::note::{Algorithm, CosignerKey, SignerKey};
use crate::tlog_policy::TlogPolicy;
use crate::tree::TreeSize;
use base64::prelude::{BASE64_STANDARD, Engine};
use ed25519_dalek::{Signer, SigningKey};
use proptest::prelude::*;
use std::collections::VecDeque;

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
            Ok(Heard::Cosigned)
        );
    }
    let step = run.step(at(4));
    assert_eq!((step.event, step.wake_ms), (None, Some(24)));
    let shown = names(run.step(at(24)).event, 2, 4);
    assert_eq!(shown, ["w0-a", "w0-b", "w2-a", "w2-b"]);
    assert_eq!(run.step(at(25)).event, None);

    // Late, and merged; the last one says nothing of this log.
    run.answered(at(500), &asks[1], &cosigned(&asks[1], NOW_S), 0)
        .unwrap();
    let shown = names(run.step(at(500)).event, 2, 4);
    assert_eq!(shown, ["w0-a", "w0-b", "w1-a", "w1-b", "w2-a", "w2-b"]);
    run.answered(at(501), &asks[3], &Reply::Unreachable, 0)
        .unwrap();
    assert_eq!(run.step(at(501)).event, None);
}

#[test]
fn if_all_have_answered_nobody_is_waited_for() {
    let mut run = cosigning(2, 3);
    run.propose(at(0), head(5));
    let asks = asked(&mut run, at(0));
    for ask in &asks[..2] {
        run.answered(at(1), ask, &cosigned(ask, NOW_S), 0).unwrap();
    }
    run.answered(at(1), &asks[2], &Reply::Unreachable, 0)
        .unwrap();
    assert_eq!(names(run.step(at(1)).event, 2, 3).len(), 4);
}

/// A slow witness answers for the candidate before: its lines are not those of this one, and then
/// it is asked from what it cosigned.
#[test]
fn a_late_answer_counts_for_what_was_asked() {
    let mut run = cosigning(1, 2);
    run.propose(at(0), head(5));
    let first = asked(&mut run, at(0));
    run.answered(at(1), &first[0], &cosigned(&first[0], NOW_S), 0)
        .unwrap();
    assert_eq!(names(run.step(at(30)).event, 1, 2), ["w0-a", "w0-b"]);
    run.propose(at(100), head(9));
    let second = asked(&mut run, at(100));
    assert_eq!((second.len(), second[0].old), (1, TreeSize::new(5)));
    run.answered(at(150), &first[1], &cosigned(&first[1], NOW_S), 0)
        .unwrap();
    let step = run.step(at(150));
    assert_eq!((step.event, step.asks.len()), (None, 1));
    assert_eq!(
        (step.asks[0].witness, step.asks[0].old),
        (1, TreeSize::new(5))
    );
    // The same answer again is nobody's.
    let again = run.answered(at(151), &first[1], &cosigned(&first[1], NOW_S), 0);
    assert_eq!(again, Ok(Heard::Unasked));
}

/// What the answer to the first question about the size 8 means.
fn means(reply: &Reply) -> Result<Heard, Stop> {
    let mut run = cosigning(1, 1);
    run.propose(at(0), head(8));
    let ask = asked(&mut run, at(0)).remove(0);
    run.answered(at(0), &ask, reply, 0)
}

fn failed(failure: Failure) -> Result<Heard, Stop> {
    Ok(Heard::Failed(failure))
}

#[test]
fn a_cosignature_counts_if_it_verifies_and_is_of_now() {
    let stranger = CosignerKey::from_seed("stranger", Algorithm::CosignatureV1, &[9; 32]);
    for (key, size, unix_s, expected) in [
        (&keys(0)[0], 8, NOW_S - 300, Ok(Heard::Cosigned)),
        (&keys(0)[1], 8, NOW_S + 300, Ok(Heard::Cosigned)),
        (
            &keys(0)[0],
            8,
            NOW_S - 301,
            failed(Failure::Time(NOW_S - 301)),
        ),
        (
            &keys(0)[1],
            8,
            NOW_S + 301,
            failed(Failure::Time(NOW_S + 301)),
        ),
        (&keys(0)[0], 8, 1, failed(Failure::Time(1))),
        (&keys(0)[0], 7, NOW_S, failed(Failure::WrongSignature)),
        (&stranger.unwrap(), 8, NOW_S, failed(Failure::Unsigned)),
        (&keys(1)[0], 8, NOW_S, failed(Failure::Unsigned)),
    ] {
        let line = key.cosign(head(size).checkpoint(), unix_s).unwrap();
        assert_eq!(means(&status(200, &line)), expected, "{size} at {unix_s}");
    }
}

#[test]
fn each_status_means_what_tlog_witness_says() {
    let ahead = Stop::Ahead {
        witness: "w0.example".into(),
        held: TreeSize::new(9),
        signed: TreeSize::new(8),
    };
    for (code, body, expected) in [
        (200, "", failed(Failure::Malformed)),
        (200, "no line", failed(Failure::Malformed)),
        (409, "5\n", Ok(Heard::OtherSize(TreeSize::new(5)))),
        (409, "8\n", Ok(Heard::OtherSize(TreeSize::new(8)))),
        (409, "9\n", Err(ahead)),
        (409, "05\n", failed(Failure::Malformed)),
        (409, "5", failed(Failure::Malformed)),
        (422, "", failed(Failure::Status(422))),
        (403, "", failed(Failure::Unknown(403))),
        (404, "", failed(Failure::Unknown(404))),
        (429, "", failed(Failure::TooOften)),
        (400, "", failed(Failure::Status(400))),
        (500, "", failed(Failure::Status(500))),
        (302, "", failed(Failure::Status(302))),
    ] {
        assert_eq!(means(&status(code, body)), expected, "{code} {body:?}");
    }
    assert_eq!(means(&Reply::Unreachable), failed(Failure::Unreachable));
}

/// A key of type 0x04 signs any text. What it signs must be this checkpoint, however the lines are
/// sent.
#[test]
fn lines_under_another_text_do_not_count() {
    let key = keys(0)[0].verifier();
    let body = head(8).checkpoint().body();
    for more in ["", "junk\n", "junk\n\njunk\n"] {
        let message = format!("cosignature/v1\ntime {NOW_S}\n{body}\n{more}");
        let signature = SigningKey::from_bytes(&[10; 32]).sign(message.as_bytes());
        let bytes = [
            &key.key_id().to_be_bytes()[..],
            &NOW_S.to_be_bytes(),
            &signature.to_bytes(),
        ];
        let line = format!(
            "\u{2014} {} {}\n",
            key.name(),
            BASE64_STANDARD.encode(bytes.concat())
        );
        let reply = status(200, &format!("{more}\n{line}"));
        assert_eq!(means(&reply), failed(Failure::Malformed), "{more:?}");
    }
}

/// A refused proof says that there is another history only if something was to be proven.
#[test]
fn another_history_ends_the_signing() {
    let mut run = cosigning(1, 1);
    run.propose(at(0), head(5));
    let ask = asked(&mut run, at(0)).remove(0);
    run.answered(at(0), &ask, &cosigned(&ask, NOW_S), 0)
        .unwrap();
    run.step(at(0));
    run.propose(at(1), head(8));
    let ask = asked(&mut run, at(1)).remove(0);
    let stop = Stop::OtherHistory {
        witness: "w0.example".into(),
        held: TreeSize::new(5),
    };
    assert_eq!(run.answered(at(1), &ask, &status(422, ""), 0), Err(stop));
}

/// This machine's clock was a day ahead when the candidate came, and is set right: those who
/// cosign now are believed. A clock that was behind harms nothing.
#[test]
fn a_clock_that_is_set_right_ends_the_wait() {
    for start_s in [NOW_S + 86_400, NOW_S - 86_400] {
        let mut run = cosigning(1, 1);
        let start = Moment {
            elapsed_ms: 0,
            unix_s: start_s,
        };
        run.propose(start, head(5));
        let ask = asked(&mut run, start).remove(0);
        let early = run.answered(start, &ask, &cosigned(&ask, NOW_S), 0);
        assert_eq!(early, failed(Failure::Time(NOW_S)));
        let ask = asked_again(&mut run, at(60_100)).remove(0);
        let heard = run.answered(at(60_100), &ask, &cosigned(&ask, NOW_S + 60), 0);
        assert_eq!(heard, Ok(Heard::Cosigned));
    }
}

/// The questions of a step after a failure, whatever else happened.
fn asked_again(cosigning: &mut Cosigning, now: Moment) -> Vec<Ask> {
    cosigning.step(now).asks
}

/// Every witness was asked, too few cosigned: a newer candidate may come, and those who failed are
/// asked again, later and later, up to a minute.
#[test]
fn without_a_quorum_they_are_asked_on() {
    let mut run = cosigning(2, 2);
    run.propose(at(0), head(5));
    let asks = asked(&mut run, at(0));
    run.answered(at(1), &asks[0], &cosigned(&asks[0], NOW_S), 0)
        .unwrap();
    run.answered(at(1), &asks[1], &Reply::Unreachable, u64::MAX)
        .unwrap();
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
        run.answered(at(now), &ask, &status(503, ""), 199).unwrap();
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
        run.answered(at(now), ask, &cosigned(ask, unix_s), 0)
            .unwrap();
    }
    assert_eq!(names(run.step(at(now)).event, 2, 2).len(), 4);
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
        run.answered(at(0), &ask, &reply, 0).unwrap();
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
        assert_eq!(heard, Ok(Heard::OtherSize(TreeSize::new(size))));
    }
    let ask = asked(&mut run, at(0)).remove(0);
    assert_eq!(ask.old, TreeSize::new(4));
    let heard = run.answered(at(0), &ask, &status(409, "3\n"), 0);
    assert_eq!(heard, Ok(Heard::Failed(Failure::Sizes)));
}

#[test]
fn a_witness_that_forgets_does_not_count() {
    let mut run = cosigning(1, 2);
    run.propose(at(0), head(5));
    let asks = asked(&mut run, at(0));
    for ask in &asks {
        run.answered(at(0), ask, &cosigned(ask, NOW_S), 0).unwrap();
    }
    run.step(at(0));
    run.propose(at(1), head(8));
    let asks = asked(&mut run, at(1));
    let heard = run.answered(at(1), &asks[0], &status(409, "4\n"), 0);
    let (from, to) = (TreeSize::new(5), TreeSize::new(4));
    assert_eq!(heard, Ok(Heard::RolledBack { from, to }));
    run.answered(at(1), &asks[1], &cosigned(&asks[1], NOW_S), 0)
        .unwrap();
    assert_eq!(names(run.step(at(1)).event, 1, 2), ["w1-a", "w1-b"]);
    run.propose(at(2), head(9));
    assert_eq!(asked(&mut run, at(2)).len(), 1);
    assert!(run.witnesses().next().unwrap().rolled_back);
}

/// An idle log asks again with the same head; newer lines take the place of older ones.
#[test]
fn an_idle_log_is_cosigned_again() {
    let mut run = cosigning(1, 1);
    run.propose(at(0), head(5));
    let ask = asked(&mut run, at(0)).remove(0);
    run.answered(at(0), &ask, &cosigned(&ask, NOW_S), 0)
        .unwrap();
    let step = run.step(at(0));
    assert_eq!(step.wake_ms, Some(600_000));
    assert!(asked(&mut run, at(599_999)).is_empty());
    let ask = asked(&mut run, at(600_000)).remove(0);
    assert_eq!((ask.old, ask.size), (TreeSize::new(5), TreeSize::new(5)));
    run.answered(at(600_000), &ask, &cosigned(&ask, NOW_S + 600), 0)
        .unwrap();
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

/// What a witness of the property test does with a question.
#[derive(Debug, Clone, Copy)]
enum Does {
    Cosigns,
    Fails,
    Lies,
    IsSlow,
}

fn does() -> impl Strategy<Value = Does> {
    prop_oneof![
        4 => Just(Does::Cosigns),
        1 => Just(Does::Fails),
        1 => Just(Does::Lies),
        2 => Just(Does::IsSlow),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Whatever witnesses do and in whatever order they answer: nothing is shown without a quorum,
    /// sizes that are shown never fall, and with all witnesses back the last candidate is shown.
    #[test]
    fn nothing_is_shown_without_a_quorum(
        deeds in prop::collection::vec((does(), 0..40_u64, any::<bool>()), 1..60),
    ) {
        let (k, n) = (2, 3);
        let mut run = cosigning(k, n);
        let (mut now, mut size, mut shown) = (0, 1, 0);
        let mut open: VecDeque<Ask> = VecDeque::new();
        run.propose(at(now), head(size));
        let mut look = |run: &mut Cosigning, open: &mut VecDeque<Ask>, now| {
            let step = run.step(at(now));
            open.extend(step.asks);
            if let Some(Event::Witnessed { note }) = step.event {
                let verified = policy(k, n).with_log(&log().verifier()).verify(&note).unwrap();
                let size = verified.checkpoint().size.get();
                assert!(size >= shown, "{size} after {shown}");
                shown = size;
            }
            shown
        };
        for (does, wait, grows) in deeds {
            now += wait;
            look(&mut run, &mut open, now);
            if grows {
                size += 1;
                run.propose(at(now), head(size));
                look(&mut run, &mut open, now);
            }
            let Some(ask) = open.pop_front() else { continue };
            match does {
                Does::IsSlow => open.push_back(ask),
                Does::Cosigns => {
                    run.answered(at(now), &ask, &cosigned(&ask, at(now).unix_s), wait).unwrap();
                }
                Does::Fails => {
                    run.answered(at(now), &ask, &Reply::Unreachable, wait).unwrap();
                }
                Does::Lies => {
                    let other = Ask { size: TreeSize::new(ask.size.get() + 1), ..ask.clone() };
                    let reply = cosigned(&other, at(now).unix_s);
                    let heard = run.answered(at(now), &ask, &reply, wait);
                    assert_eq!(heard, Ok(Heard::Failed(Failure::WrongSignature)));
                }
            }
        }
        for _ in 0..200 {
            now += 1000;
            look(&mut run, &mut open, now);
            for ask in std::mem::take(&mut open) {
                run.answered(at(now), &ask, &cosigned(&ask, at(now).unix_s), 0).unwrap();
            }
        }
        assert_eq!(look(&mut run, &mut open, now + 1000), size);
    }
}
