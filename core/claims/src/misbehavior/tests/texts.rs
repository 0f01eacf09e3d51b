//! Texts: whose keys count, and that there is one encoding.

use super::*;

#[test]
fn only_keys_that_the_caller_trusts_count() {
    let found = split();
    let nobody = VerifiedMisbehavior::verify(found.text().as_bytes(), &KnownKeys::default());
    let unknown = MisbehaviorError::UnknownCulprit(found.culprit().clone());
    assert_eq!(
        unknown.to_string(),
        format!("no key of log {ORIGIN} is known here")
    );
    assert_eq!(nobody, Err(unknown));
    // Another log's key, under this log's origin.
    let other = SignerKey::from_seed(ORIGIN, &[9; 32]).unwrap();
    let keys = KnownKeys {
        logs: vec![LogVerifier::new(ORIGIN, vec![other.verifier()]).unwrap()],
        ..KnownKeys::default()
    };
    let refused = VerifiedMisbehavior::verify(found.text().as_bytes(), &keys);
    assert!(matches!(refused, Err(MisbehaviorError::Note(_))));
    // A witness's keys are none of a mirror's.
    let tree = Branch::new(8);
    let [a, b] = [&tree, &tree.fork(3)].map(|branch| branch.cosigned(5, &KEYS.witness, AT));
    let mirror = VerifiedMisbehavior::of_cosigner(Role::Mirror, &a, &b, None).unwrap();
    let refused = verify(mirror.text());
    let unknown = MisbehaviorError::UnknownCulprit(mirror.culprit().clone());
    assert_eq!(refused, Err(unknown));
    let keys = KnownKeys {
        mirrors: KEYS.known.witnesses.clone(),
        ..KnownKeys::default()
    };
    let text = mirror.text().to_owned();
    let found = VerifiedMisbehavior::verify(text.as_bytes(), &keys);
    assert_eq!(found, Ok(mirror));
}

/// All bytes of a text count, for every kind: it is refused with any other byte at any place, and
/// cut anywhere.
#[test]
fn no_changed_text_is_accepted() {
    let tree = Branch::new(8);
    let fork = tree.fork(3);
    let cosigned = [(5, AT), (8, AT - 1)].map(|(n, at)| tree.cosigned(n, &KEYS.witness, at));
    let [a, b] = &cosigned;
    let rolled = VerifiedMisbehavior::of_cosigner(Role::Witness, a, b, None).unwrap();
    for found in [split(), rewrite(&tree, 5, &fork, 7), rolled] {
        let text = found.text().as_bytes();
        for i in 0..text.len() {
            let mut changed = text.to_vec();
            for value in (0..=u8::MAX).filter(|value| *value != text[i]) {
                changed[i] = value;
                let read = VerifiedMisbehavior::verify(&changed, &KEYS.known);
                assert!(read.is_err(), "byte {i} as {value}");
            }
            let cut = VerifiedMisbehavior::verify(&text[..i], &KEYS.known);
            assert!(cut.is_err(), "cut at {i}");
        }
        assert!(verify(&format!("{}\n", found.text())).is_err());
    }
}

#[test]
fn other_encodings_of_what_is_true_are_refused() {
    let found = split();
    let text = found.text();
    let notes: Vec<&str> = text.split("note ").collect();
    let turned = format!("{}note {}note {}", notes[0], notes[2], notes[1]);
    let tree = Branch::new(8);
    let stranger = SignerKey::from_seed("stranger", &[9; 32]).unwrap();
    let note = tree.head(5).note().to_owned();
    let longer = format!("{note}{}", stranger.sign(&tree.checkpoint(5).body()));
    let with_more = text.replace(
        &format!("note {}\n{note}", note.len()),
        &format!("note {}\n{longer}", longer.len()),
    );
    let zero = text.replace(
        &format!("note {}", note.len()),
        &format!("note 0{}", note.len()),
    );
    let rewritten = text.replace("kind split", "kind rewrite");
    let as_witness = text.replace("kind split", "kind witness");
    for other in [turned, with_more, zero, rewritten, as_witness] {
        assert_eq!(verify(&other), Err(MisbehaviorError::Encoding), "{other}");
    }
}

/// The order in which the lines of several keys stood is none of what is shown.
#[test]
fn the_lines_of_a_note_have_one_order() {
    let tree = Branch::new(8);
    let checkpoint = tree.checkpoint(5);
    let body = checkpoint.body();
    let lines = [
        KEYS.log.sign(&body),
        KEYS.log_ml_dsa.cosign(&checkpoint, AT).unwrap(),
    ];
    let texts = [[0, 1], [1, 0]].map(|[first, second]| {
        let note = format!("{body}\n{}{}", lines[first], lines[second]);
        let head = KEYS.known.logs[0].verify(&note).unwrap();
        let other = tree.fork(3).head(5);
        let found = VerifiedMisbehavior::of_log(&head, &other, None).unwrap();
        found.text().to_owned()
    });
    assert_eq!(texts[0], texts[1]);
    assert_eq!(verify(&texts[0]).unwrap().text(), texts[0]);
    let mut sorted = lines.clone();
    sorted.sort();
    let [first, second] = sorted;
    let turned = texts[0].replace(&format!("{first}{second}"), &format!("{second}{first}"));
    assert_eq!(verify(&turned), Err(MisbehaviorError::Encoding));
}

#[test]
fn what_is_unknown_is_unsupported_and_what_is_long_is_not_read() {
    let text = split().text().to_owned();
    for (from, to) in [
        ("v1\n", "v2\n"),
        ("kind split", "kind omission"),
        ("kind split", "kind x"),
    ] {
        let read = verify(&text.replacen(from, to, 1));
        assert_eq!(read, Err(MisbehaviorError::Unsupported));
    }
    for (from, to, line) in [
        ("assay.", "other.", 1),
        ("kind", "sort", 2),
        ("culprit log", "culprit cat", 3),
        ("culprit ", "culprit", 3),
        ("culprit log ", "culprit log \t", 3),
        (
            "culprit log ",
            &format!("culprit log {}", "o".repeat(1024)),
            3,
        ),
        ("note ", "note x", 4),
        ("note ", "note 9999999999", 4),
        ("note ", "note 99999", 4),
    ] {
        match verify(&text.replacen(from, to, 1)) {
            Err(MisbehaviorError::Format { line: found, .. }) => assert_eq!(found, line),
            other => panic!("{from} {to}: {other:?}"),
        }
    }
    let hash = BASE64_STANDARD.encode([0; 32]);
    let many = format!("actual {hash}\npath 65\nnote ");
    let read = verify(&text.replacen("note ", &many, 1));
    assert!(matches!(
        read,
        Err(MisbehaviorError::Format { line: 5, .. })
    ));
    let long = vec![b'a'; limits::MISBEHAVIOR_BYTES + 1];
    let read = VerifiedMisbehavior::verify(&long, &KEYS.known);
    assert_eq!(read, Err(MisbehaviorError::TooLong(long.len())));
}
