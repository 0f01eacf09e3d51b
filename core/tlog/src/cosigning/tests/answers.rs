//! What each answer of a witness means.

use super::*;
use base64::prelude::{BASE64_STANDARD, Engine};
use ed25519_dalek::{Signer, SigningKey};

/// What the answer to the first question about the size 8 means.
fn means(reply: &Reply) -> Heard {
    let mut run = cosigning(1, 1);
    run.propose(at(0), head(8));
    let ask = asked(&mut run, at(0)).remove(0);
    run.answered(at(0), &ask, reply, 0)
}

fn failed(failure: Failure) -> Heard {
    Heard::Failed(failure)
}

#[test]
fn a_cosignature_counts_if_it_verifies_and_is_of_now() {
    let stranger = CosignerKey::from_seed("stranger", Algorithm::CosignatureV1, &[9; 32]);
    for (key, size, unix_s, expected) in [
        (&keys(0)[0], 8, NOW_S - 300, Heard::Cosigned),
        (&keys(0)[1], 8, NOW_S + 300, Heard::Cosigned),
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
        (409, "5\n", Heard::OtherSize(TreeSize::new(5))),
        (409, "8\n", Heard::OtherSize(TreeSize::new(8))),
        (409, "9\n", Heard::Dissents(ahead)),
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
    run.answered(at(0), &ask, &cosigned(&ask, NOW_S), 0);
    run.step(at(0));
    run.propose(at(1), head(8));
    let ask = asked(&mut run, at(1)).remove(0);
    let stop = Stop::OtherHistory {
        witness: "w0.example".into(),
        held: TreeSize::new(5),
    };
    assert_eq!(
        run.answered(at(1), &ask, &status(422, ""), 0),
        Heard::Dissents(stop.clone())
    );
    assert_eq!(run.step(at(1)).event, Some(Event::Stopped(stop)));
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
        assert_eq!(heard, Heard::Cosigned);
    }
}

/// The questions of a step after a failure, whatever else happened.
fn asked_again(cosigning: &mut Cosigning, now: Moment) -> Vec<Ask> {
    cosigning.step(now).asks
}

/// What a witness of `n`, of whom `k` must cosign, says against this log, and then what the others
/// do: how many cosign, and how many cannot be reached.
fn disputed(k: usize, n: u8, against: u8, cosign: u8) -> (Cosigning, Option<Event>) {
    let mut run = cosigning(k, n);
    run.propose(at(0), head(8));
    let asks = asked(&mut run, at(0));
    for (place, ask) in (0_u8..).zip(&asks) {
        let reply = match place {
            place if place < against => status(409, "9\n"),
            place if place < against + cosign => cosigned(ask, NOW_S),
            _ => Reply::Unreachable,
        };
        run.answered(at(1), ask, &reply, u64::MAX);
    }
    let event = run.step(at(30)).event;
    (run, event)
}

fn is_stop(event: Option<&Event>) -> bool {
    matches!(event, Some(Event::Stopped(Stop::Ahead { .. })))
}

#[test]
fn one_liar_does_not_end_the_signing_if_a_quorum_stands_without_it() {
    let (mut run, event) = disputed(3, 4, 1, 3);
    assert_eq!(names(event, 3, 4).len(), 6);
    // The next one is asked of the others, and of the liar no more.
    run.propose(at(40), head(9));
    let asks = asked(&mut run, at(40));
    assert_eq!(
        asks.iter().map(|ask| ask.witness).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    for ask in &asks {
        run.answered(at(41), ask, &cosigned(ask, NOW_S), 0);
    }
    assert_eq!(names(run.step(at(70)).event, 3, 4).len(), 6);
}

/// Quorums that may be met twice cannot say who lies: an old disk looks the same.
#[test]
fn a_witness_that_a_quorum_needs_ends_the_signing() {
    for (k, n, against, cosign) in [
        (1, 1, 1, 0),
        (2, 2, 1, 1),
        (3, 3, 1, 2),
        (3, 4, 2, 2),
        (1, 4, 1, 3),
        (2, 4, 1, 3),
        (4, 4, 1, 3),
        (5, 7, 3, 4),
    ] {
        let (_, event) = disputed(k, n, against, cosign);
        assert!(
            is_stop(event.as_ref()),
            "{k} of {n}, {against} against: {event:?}"
        );
    }
    assert!(!is_stop(disputed(5, 7, 2, 5).1.as_ref()));
}

/// It may be right, as long as no quorum says otherwise: nothing newer is signed meanwhile.
#[test]
fn while_a_log_is_disputed_nothing_newer_takes_the_place_of_the_candidate() {
    let (mut run, event) = disputed(3, 4, 1, 2);
    assert_eq!(event, None, "no quorum, and no leave to go on");
    let later = at(61_000);
    let asks = asked_again(&mut run, later);
    assert_eq!(asks.len(), 1);
    run.answered(later, &asks[0], &cosigned(&asks[0], later.unix_s), 0);
    assert_eq!(names(run.step(at(61_030)).event, 3, 4).len(), 6);
    // Who is convicted meanwhile leaves no quorum beside the dissenter.
    run.exclude("w1.example");
    assert!(is_stop(run.step(at(61_031)).event.as_ref()));
}
