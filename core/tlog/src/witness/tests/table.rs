//! Every status of C2SP tlog-witness, `add-checkpoint`, with the whole answer.

use super::*;
use crate::head::SplitView;
use crate::note::Note;

pub(super) const TEXT: &str = "text/plain; charset=utf-8";
const SIZE: &str = "text/x.tlog.size";

/// A request, what the witness holds, and the answer.
pub(super) struct Row {
    case: &'static str,
    body: Vec<u8>,
    state: LogState,
    status: u16,
    content_type: &'static str,
    answer: &'static str,
}

pub(super) fn row(
    case: &'static str,
    body: impl Into<Vec<u8>>,
    state: LogState,
    (status, content_type, answer): (u16, &'static str, &'static str),
) -> Row {
    Row {
        case,
        body: body.into(),
        state,
        status,
        content_type,
        answer,
    }
}

pub(super) fn check(rows: Vec<Row>) {
    for row in rows {
        let Decision::Refuse(refused) = decide(&row.body, &row.state, FLOOR, NOW) else {
            panic!("{} was cosigned", row.case);
        };
        let expected = Answer {
            status: row.status,
            content_type: row.content_type,
            retry_after_s: None,
            body: row.answer.to_owned(),
        };
        assert_eq!(refused.refusal.answer(), expected, "{}", row.case);
    }
}

fn note_by(signers: &[&SignerKey], size: usize) -> String {
    let text = Branch::new(8).checkpoint(size).body();
    crate::note::sign(&text, signers).unwrap()
}

#[test]
fn unknown_logs_are_404_and_unsigned_checkpoints_403() {
    let tree = Branch::new(8);
    let held = tree.held(5, NOW);
    let unknown = "this log is not known here\n";
    let unsigned = "no key of this log that is known here signed the checkpoint\n";
    let wrong = "a signature by a key of this log is wrong\n";
    let stranger = SignerKey::from_seed("stranger.example", &[9; 32]).unwrap();
    // The log's name, and another key and id.
    let namesake = SignerKey::from_seed(ORIGIN, &[9; 32]).unwrap();
    let elsewhere = Checkpoint {
        origin: "log.example/b".into(),
        ..tree.checkpoint(8)
    };
    let proof = tree.proof(5, 8);
    let good = tree.note(8);
    let moved = good.replace(&tree.note(8), &tree.note(7));
    let moved = moved.replace("\n7\n", "\n8\n");
    check(vec![
        row(
            "another origin, signed by this log's key",
            body(5, &proof, &elsewhere.sign(&log_key())),
            held,
            (404, TEXT, unknown),
        ),
        row(
            "unknown keys only",
            body(5, &proof, &note_by(&[&stranger, &namesake], 8)),
            held,
            (403, TEXT, unsigned),
        ),
        row(
            "the signature of another checkpoint",
            body(5, &proof, &moved),
            held,
            (403, TEXT, wrong),
        ),
    ]);
    // Unknown keys beside the log's are ignored.
    let signed = note_by(&[&stranger, &log_key(), &namesake], 8);
    let cosigned = decide(body(5, &proof, &signed).as_bytes(), &held, FLOOR, NOW);
    assert_eq!(status(cosigned), 200);
}

/// "or a signature line's key name and ID match a trusted key but the signature itself fails"
#[test]
fn one_wrong_signature_by_a_known_key_is_403_beside_a_right_one() {
    let second = CosignerKey::from_seed(ORIGIN, Algorithm::MlDsa44, &[3; 32]).unwrap();
    let keys = vec![log_key().verifier(), second.verifier()];
    let verifier = LogVerifier::new(ORIGIN, keys).unwrap();
    let log = WitnessedLog::new(verifier, &witness()).unwrap();
    let tree = Branch::new(8);
    let verify = |lines: &[String]| {
        let note = tree.checkpoint(8).body() + "\n" + &lines.concat();
        let body = body(0, &[], &note);
        Request::parse(body.as_bytes()).unwrap().verify(&log)
    };
    let [ed25519, old_ed25519] = [8, 7].map(|n| log_key().sign(&tree.checkpoint(n).body()));
    let [ml_dsa, old_ml_dsa] = [8, 7].map(|n| second.cosign(&tree.checkpoint(n), 5).unwrap());
    for right in [
        vec![ed25519.clone()],
        vec![ml_dsa.clone()],
        vec![ml_dsa.clone(), ed25519.clone()],
    ] {
        let request = verify(&right).unwrap();
        // The verified lines are kept, as they stood.
        let note = tree.checkpoint(8).body() + "\n" + &right.concat();
        assert_eq!(request.head().note(), note);
    }
    for wrong in [[old_ed25519, ml_dsa], [ed25519, old_ml_dsa]] {
        let refusal = verify(&wrong).unwrap_err();
        assert_eq!(refusal, Refusal::WrongSignature);
        assert_eq!(refusal.answer().status, 403);
    }
}

#[test]
fn sizes_roots_and_proofs_have_their_statuses() {
    let tree = Branch::new(8);
    let fork = tree.fork(4);
    let above = "the old size is larger than the checkpoint's\n";
    let empty = "the root of an empty tree is the SHA-256 of nothing\n";
    let from_empty = "a proof from an empty tree has no hashes\n";
    let other = "the checkpoint that was cosigned here has another root at this size\n";
    let proof = "the checkpoint is not proven to be consistent with the one that was cosigned \
        here\n";
    let never = LogState::Never;
    let held = tree.held(5, NOW);
    let full = Checkpoint {
        size: TreeSize::EMPTY,
        ..tree.checkpoint(5)
    };
    let full = full.sign(&log_key());
    let hash = [Hash::of(b"hash")];
    let (bad, gone, unfit) = ((400, TEXT, above), (409, SIZE, "5\n"), (422, TEXT, proof));
    check(vec![
        row("old above size", body(8, &[], &tree.note(5)), held, bad),
        row("and never", body(8, &[], &tree.note(5)), never, bad),
        row("a smaller old", tree.request(4, 8), held, gone),
        row("a larger old", tree.request(6, 8), held, gone),
        row("to learn the size", tree.request(0, 8), held, gone),
        row("a fork, from 0", fork.request(0, 5), held, gone),
        row("an old proof", tree.request(3, 4), held, gone),
        row("never", tree.request(3, 8), never, (409, SIZE, "0\n")),
        row(
            "no empty root",
            body(0, &[], &full),
            never,
            (422, TEXT, empty),
        ),
        row(
            "a proof from 0",
            body(0, &hash, &tree.note(8)),
            never,
            (422, TEXT, from_empty),
        ),
        row(
            "and of the empty tree",
            body(0, &hash, &tree.note(0)),
            never,
            (422, TEXT, from_empty),
        ),
        row("another root", fork.request(5, 5), held, (422, TEXT, other)),
        row(
            "the same, with a proof",
            body(5, &hash, &tree.note(5)),
            held,
            unfit,
        ),
        row("no proof", body(5, &[], &tree.note(8)), held, unfit),
        row("a fork", fork.request(5, 8), held, unfit),
    ]);
    // The table's 409 is one line, whatever the size is.
    let answer = Refusal::OtherSize(TreeSize::new(u64::MAX)).answer();
    assert_eq!(answer.body, "18446744073709551615\n");
}

#[test]
fn what_the_operator_pinned_is_held_to_and_blames_nobody() {
    let tree = Branch::new(8);
    let fork = tree.fork(4);
    let pinned = LogState::Pinned {
        size: TreeSize::new(5),
        root: tree.root(5),
    };
    for (request, expected) in [
        (tree.request(5, 8), 200),
        (tree.request(5, 5), 200),
        (tree.request(0, 8), 409),
        (fork.request(5, 5), 422),
        (fork.request(5, 8), 422),
    ] {
        let decision = decide(request.as_bytes(), &pinned, FLOOR, NOW);
        if let Decision::Refuse(refused) = &decision {
            assert_eq!(refused.contradiction, None);
        }
        assert_eq!(status(decision), expected);
    }
}

#[test]
fn quotas_convictions_and_clocks_have_their_statuses() {
    let over = Refusal::OverQuota { retry_after_s: 17 };
    let answer = Answer {
        status: 429,
        content_type: TEXT,
        retry_after_s: Some(17),
        body: "this log has asked too often\n".into(),
    };
    assert_eq!(over.answer(), answer);

    let tree = Branch::new(8);
    let request = Request::parse(tree.request(5, 8).as_bytes()).unwrap();
    let refused = request.verify(&LOG.clone().convicted()).unwrap_err();
    let answer = Answer {
        status: 403,
        content_type: TEXT,
        retry_after_s: None,
        body: "this log has signed two histories and is not cosigned any more\n".into(),
    };
    assert_eq!(refused.answer(), answer);

    let request = tree.request(5, 8);
    let behind = "the witness's clock is behind a time that it has stated\n";
    let ahead = "the witness's clock has jumped ahead and nobody has confirmed it\n";
    let never = "the witness's clock shows no time that a cosignature can state\n";
    for (at, now, body) in [
        (NOW + 301, NOW, behind),
        (NOW, NOW - 301, behind),
        (NOW, NOW + 86_401, ahead),
        (NOW, u64::MAX, never),
    ] {
        let Decision::Refuse(refused) = decide(request.as_bytes(), &tree.held(5, at), FLOOR, now)
        else {
            panic!("cosigned at {now}");
        };
        let answer = Answer {
            status: 503,
            content_type: TEXT,
            retry_after_s: None,
            body: body.into(),
        };
        assert_eq!(refused.refusal.answer(), answer);
    }
    // What would be refused anyway is: the log learns the size, whatever the clock shows.
    let asked = decide(tree.request(0, 8).as_bytes(), &tree.held(5, NOW), FLOOR, 0);
    assert_eq!(status(asked), 409);
}

/// The answer, what is stored, and what monitors get.
#[test]
fn a_consistent_checkpoint_is_cosigned_by_all_keys_of_the_witness() {
    let tree = Branch::new(8);
    let before = tree.held(5, NOW - 10);
    let Decision::Cosign(pending) = decide(tree.request(5, 8).as_bytes(), &before, FLOOR, NOW)
    else {
        panic!("refused");
    };
    assert_eq!(pending.before(), &before);
    assert_eq!(pending.after(), tree.held(8, NOW));
    assert_eq!(pending.floor(), FLOOR);
    assert_eq!(pending.head().note(), tree.note(8));
    let (after, note) = (pending.after(), pending.head().note().to_owned());
    let cosigned = pending.persisted().sign(&witness()).unwrap();
    let lines = [Algorithm::CosignatureV1, Algorithm::MlDsa44].map(|algorithm| {
        witness_key(algorithm)
            .cosign(&tree.checkpoint(8), NOW)
            .unwrap()
    });
    let answer = Answer {
        status: 200,
        content_type: TEXT,
        retry_after_s: None,
        body: lines.concat(),
    };
    assert_eq!(cosigned.answer(), answer);
    // As the specification parses an answer: behind the checkpoint, as one note.
    let served = cosigned.note();
    assert_eq!(served, tree.note(8) + &answer.body);
    let keys: Vec<VerifierKey> = [log_key().verifier()]
        .into_iter()
        .chain(witness().verifiers())
        .collect();
    let verified = Note::parse_checkpoint(&served)
        .unwrap()
        .verify(&keys)
        .unwrap();
    let times: Vec<_> = verified.signers().iter().map(|by| by.timestamp()).collect();
    assert_eq!(times, [None, Some(NOW), Some(NOW)]);
    // A witness that was stopped before it answered makes the same cosignatures.
    let again = Persisted::reload(&after, &note, &verifier()).unwrap();
    assert_eq!(again.sign(&witness()), Ok(cosigned));
    let other = Persisted::reload(&tree.held(7, NOW), &note, &verifier());
    assert_eq!(other, Err(ReloadError::OtherHead));
    let never = Persisted::reload(&LogState::Never, &note, &verifier());
    assert_eq!(never, Err(ReloadError::NotHeld));
}

/// Idle logs ask again with the same head, for a new time. It never falls.
#[test]
fn times_never_fall() {
    let tree = Branch::new(8);
    let request = tree.request(8, 8);
    for (at, floor, now, stated) in [
        (NOW, NOW, NOW, NOW),
        (NOW, NOW, NOW + 9, NOW + 9),
        (NOW, NOW, NOW - 300, NOW),
        (NOW + 5, NOW, NOW + 2, NOW + 5),
        (NOW - 50, NOW, NOW - 10, NOW),
    ] {
        let floor = ClockFloor::new(floor);
        let Decision::Cosign(pending) = decide(request.as_bytes(), &tree.held(8, at), floor, now)
        else {
            panic!("refused at {now}");
        };
        assert_eq!(pending.after(), tree.held(8, stated));
        assert_eq!(pending.floor(), ClockFloor::new(floor.seconds().max(now)));
    }
}

#[test]
fn what_a_log_signed_against_itself_comes_with_the_refusal() {
    let tree = Branch::new(8);
    let fork = tree.fork(4);
    let held = tree.held(5, NOW);
    let full = Checkpoint {
        size: TreeSize::EMPTY,
        ..tree.checkpoint(5)
    };
    let full = full.sign(&log_key());
    let contradiction = |request: String| match decide(request.as_bytes(), &held, FLOOR, NOW) {
        Decision::Cosign(_) => None,
        Decision::Refuse(refused) => refused.contradiction,
    };
    // Whatever is answered: 422, 409, 400, 422, 409.
    for (request, notes) in [
        (fork.request(5, 5), vec![tree.note(5), fork.note(5)]),
        (fork.request(0, 5), vec![tree.note(5), fork.note(5)]),
        (
            body(6, &[], &fork.note(5)),
            vec![tree.note(5), fork.note(5)],
        ),
        (body(0, &[], &full), vec![full.clone()]),
    ] {
        let contradiction = contradiction(request).unwrap();
        let view = contradiction
            .split_view(&tree.note(5), &verifier())
            .unwrap();
        assert_eq!(view.notes(), notes);
        assert_eq!(view.origin(), ORIGIN);
    }
    // Another stored note is not what was held.
    let other = contradiction(fork.request(5, 5)).unwrap();
    assert_eq!(other.split_view(&tree.note(6), &verifier()), None);
    // A proof that does not hold proves nothing, nor does a head that was not signed.
    for request in [
        fork.request(5, 8),
        body(5, &[], &tree.note(8)),
        tree.request(0, 5),
        body(5, &[], &fork.note(5).replace("\n5\n", "\n6\n")),
    ] {
        assert_eq!(contradiction(request), None);
    }
    let heads = [tree.note(5), tree.note(6)].map(|note| verifier().verify(&note).unwrap());
    assert_eq!(SplitView::between(&heads[0], &heads[1]), None);
    assert_eq!(SplitView::between(&heads[0], &heads[0]), None);
    assert_eq!(SplitView::in_itself(&heads[0]), None);
}

#[test]
fn a_witness_has_one_name_and_does_not_witness_itself() {
    let [ed25519, ml_dsa] = [Algorithm::CosignatureV1, Algorithm::MlDsa44].map(witness_key);
    let refused = WitnessKeys::new(ml_dsa.clone(), None).unwrap_err();
    assert_eq!(refused, WitnessKeysError::KeyType);
    let refused = WitnessKeys::new(ed25519.clone(), Some(ed25519.clone())).unwrap_err();
    assert_eq!(refused, WitnessKeysError::KeyType);
    let named = |name: &str, algorithm| CosignerKey::from_seed(name, algorithm, &[4; 32]).unwrap();
    let other = named("witness.example/v", Algorithm::MlDsa44);
    let refused = WitnessKeys::new(ed25519.clone(), Some(other)).unwrap_err();
    assert_eq!(refused, WitnessKeysError::Name);
    let long = "w".repeat(256);
    let refused = WitnessKeys::new(
        named(&long, Algorithm::CosignatureV1),
        Some(named(&long, Algorithm::MlDsa44)),
    );
    assert_eq!(refused.unwrap_err(), WitnessKeysError::Name);
    for (first, next) in [
        (ed25519.name(), "witness.example/v"),
        (&long[..], &long[..]),
    ] {
        let keys = WitnessKeys::new(named(first, Algorithm::CosignatureV1), None).unwrap();
        let refused = keys.with_next(vec![named(next, Algorithm::MlDsa44)]);
        assert_eq!(refused.unwrap_err(), WitnessKeysError::Name);
    }

    let witness = WitnessKeys::new(ed25519, Some(ml_dsa.clone())).unwrap();
    let key = |name: &str, seed| SignerKey::from_seed(name, &[seed; 32]).unwrap().verifier();
    for (origin, keys) in [
        ("witness.example/w", vec![key("log.example/a", 1)]),
        (ORIGIN, vec![key(ORIGIN, 1), key("witness.example/w", 1)]),
        (ORIGIN, vec![key(ORIGIN, 2)]),
        (ORIGIN, vec![key(ORIGIN, 1), ml_dsa.verifier()]),
    ] {
        let verifier = LogVerifier::new(origin, keys).unwrap();
        let refused = WitnessedLog::new(verifier, &witness).unwrap_err();
        assert_eq!(refused, WitnessKeysError::Itself);
    }
}
