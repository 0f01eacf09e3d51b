//! Texts: what stands in each, that all of its bytes count, and how much is read.

use super::*;
use crate::limits;
use crate::misbehavior::{KnownKeys, VerifiedText};
use assay_tlog::Hash;
use assay_tlog::hash::{leaf_hash, node_hash};
use assay_tlog::head::LogVerifier;
use base64::prelude::{BASE64_STANDARD, Engine};

fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// Three leaves: a commitment, a claim with a wrong signature, a commitment.
fn wrong() -> Log {
    let mut claim = note(1, &[5]);
    claim.signatures[0].signature = vec![1; 64].into();
    let mut log = Log::new();
    log.claim(claim);
    log.commit();
    log
}

fn of_entry(log: &Log) -> VerifiedBreach {
    let head = log.head();
    Accuser::of_log(&head, log, log).entry(at(1)).unwrap()
}

/// One text of each kind.
fn one_of_each() -> Vec<VerifiedBreach> {
    let log = wrong();
    let audited = log.audited();
    let auditor = Accuser::of_auditor(&audited, &log, &log).entry(at(1));
    let mut bare = Log::bare();
    bare.claim(note(1, &[5]));
    bare.claim(note(1, &[6]));
    let head = bare.head();
    let last = Accuser::of_log(&head, &bare, &bare).last_leaf();
    let mut hiding = Log::new();
    hiding.claim(note(1, &[5]));
    hiding.hidden(note(1, &[5]));
    hiding.claim(note(1, &[5]));
    let label = label_of(&hiding, 1);
    let strange = Label::from_bytes([7; 32]);
    hiding.list(strange, 1);
    let commitment = at(hiding.commit());
    let head = hiding.head();
    let accuser = Accuser::of_log(&head, &hiding, &hiding);
    let listing = hiding.listing(label, commitment.get());
    let omission = accuser.omission(at(2), commitment, listing.get());
    let listing = hiding.listing(strange, commitment.get());
    let surplus = accuser.surplus(at(1), commitment, listing.get());
    let built = [last, omission, surplus, auditor];
    let mut all = vec![of_entry(&log)];
    all.extend(built.map(Result::unwrap));
    let kinds: Vec<_> = all.iter().map(VerifiedBreach::kind).collect();
    assert_eq!(
        kinds,
        ["entry", "commitment", "omission", "surplus", "auditor"]
    );
    all
}

#[test]
fn a_wrong_signature_has_this_text() {
    let log = wrong();
    let hashes: Vec<Hash> = log.entries.iter().map(|entry| leaf_hash(entry)).collect();
    let left = node_hash(&hashes[0], &hashes[1]);
    let note = log.head().note().to_owned();
    let expected = format!(
        "assay.misbehavior/v1\nkind entry\nculprit log log.example/a\n\
         entry 1 {}\n{}\npath 2\n{}\n{}\nentry 2 {}\n{}\npath 1\n{}\nnote {}\n{note}",
        log.entries[1].len(),
        base64(&log.entries[1]),
        base64(hashes[0].as_bytes()),
        base64(hashes[2].as_bytes()),
        log.entries[2].len(),
        base64(&log.entries[2]),
        base64(left.as_bytes()),
        note.len(),
    );
    let found = of_entry(&log);
    assert_eq!(found.text(), expected);
    assert_eq!(found.id(), Hash::of(expected.as_bytes()));
    assert!(found.verifier().starts_with("assay-claims "));
    assert_eq!(found.broken().to_string(), "signature 1 of leaf 1 is wrong");
    // An auditor's has a line more, and the auditor's note.
    let audited = log.audited();
    let of_auditor = Accuser::of_auditor(&audited, &log, &log)
        .entry(at(1))
        .unwrap();
    let lines = "kind auditor\nculprit mirror node.example/audit\nshows entry\n";
    let note = format!("note {}\n{note}", note.len());
    let theirs = format!("note {}\n{}", audited.note().len(), audited.note());
    let expected = expected
        .replace("kind entry\nculprit log log.example/a\n", lines)
        .replace(&note, &theirs);
    assert_eq!(of_auditor.text(), expected);
}

/// An entry that is left out beside the only other one of its label: a cut of one leaf and a stub.
#[test]
fn an_omission_has_this_text() {
    let mut log = Log::new();
    log.claim(note(1, &[5]));
    log.hidden(note(1, &[5]));
    log.commit();
    let label = label_of(&log, 1);
    let listing = log.listing(label, 3);
    let head = log.head();
    let found = Accuser::of_log(&head, &log, &log).omission(at(2), at(3), listing.get());
    let hashes: Vec<Hash> = log.entries.iter().map(|entry| leaf_hash(entry)).collect();
    let left = base64(node_hash(&hashes[0], &hashes[1]).as_bytes());
    let expected = format!(
        "assay.misbehavior/v1\nkind omission\nculprit log log.example/a\n\
         label {label}\ncut {}\n{}\nlist 0 1\npath 0\n\
         entry 2 {}\n{}\npath 2\n{}\n{left}\nentry 3 {}\n{}\npath 2\n{}\n{left}\nnote {}\n{}",
        listing.cut.len(),
        base64(&listing.cut),
        log.entries[2].len(),
        base64(&log.entries[2]),
        base64(hashes[3].as_bytes()),
        log.entries[3].len(),
        base64(&log.entries[3]),
        base64(hashes[2].as_bytes()),
        head.note().len(),
        head.note(),
    );
    assert_eq!(found.unwrap().text(), expected);
}

/// All bytes of a text count, for every kind: it is refused with any other byte at any place,
/// and cut anywhere.
#[test]
fn no_changed_text_is_accepted() {
    for found in one_of_each() {
        let text = found.text().as_bytes();
        for i in 0..text.len() {
            let mut changed = text.to_vec();
            for value in (0..=u8::MAX).filter(|value| *value != text[i]) {
                changed[i] = value;
                let read = VerifiedBreach::verify(&changed, &KEYS.known);
                assert!(read.is_err(), "{}: byte {i} as {value}", found.kind());
            }
            let cut = VerifiedBreach::verify(&text[..i], &KEYS.known);
            assert!(cut.is_err(), "{}: cut at {i}", found.kind());
        }
        assert!(verify(&format!("{}\n", found.text())).is_err());
    }
}

/// What shows one thing is not taken for another.
#[test]
fn kinds_do_not_pass_for_each_other() {
    let all = one_of_each();
    for found in &all {
        for kind in ["entry", "commitment", "omission", "surplus"] {
            let line = if found.kind() == "auditor" {
                "shows"
            } else {
                "kind"
            };
            let shows = if found.kind() == "auditor" {
                "entry"
            } else {
                found.kind()
            };
            let other = found.text().replace(
                &format!("\n{line} {shows}\n"),
                &format!("\n{line} {kind}\n"),
            );
            assert_eq!(verify(&other).is_ok(), kind == shows, "{shows} as {kind}");
        }
    }
}

#[test]
fn only_logs_that_are_known_as_assay_logs_and_auditors_count() {
    for found in one_of_each() {
        let text = found.text().as_bytes();
        let auditors = KEYS.known.auditors.clone();
        let keys = AssayKeys {
            logs: vec![],
            auditors,
        };
        let foreign = BreachError::NotAssay {
            origin: ORIGIN.into(),
        };
        assert_eq!(VerifiedBreach::verify(text, &keys), Err(foreign));
        // Another key under the log's origin.
        let other = assay_tlog::note::SignerKey::from_seed(ORIGIN, &[9; 32]).unwrap();
        let keys = AssayKeys {
            logs: vec![LogVerifier::new(ORIGIN, vec![other.verifier()]).unwrap()],
            auditors: vec![],
        };
        let error = VerifiedBreach::verify(text, &keys).unwrap_err();
        let is_auditors = found.kind() == "auditor";
        let unknown = MisbehaviorError::UnknownCulprit(found.culprit().clone());
        assert_eq!(error == unknown.into(), is_auditors);
    }
    // A mirror that only stores is no auditor, whatever it cosigned.
    let log = wrong();
    let found = of_entry(&log);
    let as_mirror = found.text().replace(
        "culprit log log.example/a",
        "culprit mirror node.example/audit",
    );
    assert!(verify(&as_mirror).is_err());
}

#[test]
fn a_reader_takes_texts_of_all_kinds() {
    let known = KnownKeys::default();
    for found in one_of_each() {
        let read = VerifiedText::verify(found.text().as_bytes(), &known, &KEYS.known).unwrap();
        assert_eq!((read.kind(), read.id()), (found.kind(), found.id()));
        assert_eq!((read.culprit(), read.origin()), (found.culprit(), ORIGIN));
        assert_eq!(read, VerifiedText::Breach(Box::new(found.clone())));
        // It convicts nobody.
        let convicts = crate::misbehavior::VerifiedMisbehavior::verify(
            found.text().as_bytes(),
            &KnownKeys {
                logs: KEYS.known.logs.clone(),
                ..KnownKeys::default()
            },
        );
        assert_eq!(convicts, Err(MisbehaviorError::Unsupported));
    }
    let text = of_entry(&wrong())
        .text()
        .replace("kind entry", "kind novelty");
    let read = VerifiedText::verify(text.as_bytes(), &known, &KEYS.known).unwrap_err();
    assert!(read.is_unsupported());
}

/// Checks that the text is refused at this line, after a part of it is replaced.
fn refused(from: &str, to: &str, line: usize) {
    let text = of_entry(&wrong()).text().to_owned();
    assert!(text.contains(from), "{from}");
    match verify(&text.replacen(from, to, 1)) {
        Err(BreachError::Text(MisbehaviorError::Format { line: found, .. })) => {
            assert_eq!(found, line, "{from} {to}");
        }
        other => panic!("{from} {to}: {other:?}"),
    }
}

#[test]
fn lengths_are_checked_before_anything_is_read() {
    for other in [
        "entry 1 99999999999999999999 ",
        "entry -1 ",
        "entry 99999999999999999999 ",
        "entry 1",
    ] {
        refused("entry 1 ", other, 4);
    }
    let length = wrong().entries[1].len();
    for other in [0, length - 3, length + 3, 65_536, usize::MAX] {
        refused(&format!("entry 1 {length}"), &format!("entry 1 {other}"), 5);
    }
    let encoded = base64(&wrong().entries[1]);
    let entry = |length: usize, encoded: &str| format!("entry 1 {length}\n{encoded}\n");
    let too_long = limits::ENTRY_BYTES + 1;
    let longer = entry(too_long, &base64(vec![0; too_long]));
    refused(&entry(length, &encoded), &longer, 5);
    refused("path 2", "path 65", 6);
    refused("path 2", "path 999999999999", 6);
    refused("note ", "note 999999999", 13);
    let long = vec![b'a'; limits::MISBEHAVIOR_BYTES + 1];
    let read = VerifiedBreach::verify(&long, &KEYS.known);
    assert_eq!(read, Err(MisbehaviorError::TooLong(long.len()).into()));
    // A thousand entries are not read to the end.
    let text = of_entry(&wrong()).text().to_owned();
    let many = format!("{}note ", "entry 0 0\n\npath 0\n".repeat(1000));
    let read = verify(&text.replacen("entry 1 ", &format!("{many}entry 1 "), 1));
    let line = 4 + 18 * 3;
    match read {
        Err(BreachError::Text(MisbehaviorError::Format { line: found, .. })) => {
            assert_eq!(found, line);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_breach_that_finds_no_room_is_not_made() {
    let big = |seed: u8| {
        let predicate = Value::Object(vec![("n".into(), Value::String("x".repeat(32_000)))]);
        let subject = Subject::artifact(None, &Hash::of(b"x"));
        let statement = Statement::new(vec![subject], "urn:example:note", predicate).unwrap();
        let id = genesis_id(&body(&[1, 2, 3, 4, 5, 6, 7]));
        signed(&statement, &[(id, seed)])
    };
    let mut log = Log::new();
    for seed in 1..8 {
        log.claim(big(seed));
    }
    let mut all = big(1);
    for seed in 2..8 {
        all.signatures.extend(big(seed).signatures);
    }
    let leaf = log.claim(all);
    log.commit();
    let before: Vec<_> = (1..8).map(at).collect();
    let head = log.head();
    let accuser = Accuser::of_log(&head, &log, &log);
    match accuser.repeated(&before, at(leaf)) {
        Err(BuildError::Breach(BreachError::Text(MisbehaviorError::TooLong(_)))) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(accuser.at_leaf(at(leaf)).unwrap(), None);
}
