//! What each answer of a witness means.

use super::*;
use base64::prelude::{BASE64_STANDARD, Engine};
use ed25519_dalek::{Signer, SigningKey};

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
