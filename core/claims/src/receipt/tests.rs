use super::*;
use crate::claim::{ClaimId, PublicKey, SigningKey};
use crate::entry;
use crate::issuer::{AuthorizeError, IssuerId, genesis_id, statement};
use crate::json::Value;
use crate::kind::issuer::Issuer;
use crate::statement::{Statement, Subject};
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::note::SignerKey;
use assay_tlog::tree::Frontier;
use proptest::prelude::*;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn log(name: &str) -> SignerKey {
    SignerKey::from_seed(name, &[9; 32]).unwrap()
}

fn record(seeds: &[u8], sequence: u32, previous: Option<ClaimId>) -> Issuer {
    Issuer {
        name: format!("Issuer {seeds:?}"),
        contacts: vec![],
        keys: seeds
            .iter()
            .map(|seed| PublicKey::from(&key(*seed)))
            .collect(),
        threshold: 1,
        rotation: None,
        sequence,
        previous,
        namespaces: vec![],
        roles: vec![],
    }
}

fn signed(statement: &Statement, id: IssuerId, seeds: &[u8]) -> wire::Claim {
    let keys: Vec<SigningKey> = seeds.iter().map(|seed| key(*seed)).collect();
    let signers: Vec<_> = keys.iter().map(|key| (id, key)).collect();
    claim::sign(statement.to_json().as_bytes(), &signers)
}

fn registration(seed: u8) -> wire::Claim {
    let body = record(&[seed], 0, None);
    signed(&statement(&id(seed), &body).unwrap(), id(seed), &[seed])
}

fn id(seed: u8) -> IssuerId {
    genesis_id(&record(&[seed], 0, None))
}

fn ordinary(text: &str, issuer: u8, seeds: &[u8]) -> wire::Claim {
    let subject = Subject::artifact(Some(text.into()), &Hash::of(text.as_bytes()));
    let statement = Statement::new(
        vec![subject],
        "https://example.com/p",
        Value::Object(vec![]),
    )
    .unwrap();
    signed(&statement, id(issuer), seeds)
}

/// A log with these claims, and every claim's receipt under its last checkpoint: up to two leaves,
/// so that a proof is the other leaf; more are hashed in pairs by hand.
fn log_of(name: &str, claims: &[wire::Claim]) -> Vec<(String, String)> {
    let entries: Vec<Entry> = claims
        .iter()
        .enumerate()
        .map(|(i, claim)| {
            Entry::parse(entry::encode(1_000 + i as u64, claim.clone()).unwrap()).unwrap()
        })
        .collect();
    let leaves: Vec<Hash> = entries.iter().map(Entry::leaf_hash).collect();
    let mut frontier = Frontier::new();
    frontier.append(&leaves);
    let checkpoint = Checkpoint {
        origin: name.into(),
        size: frontier.size(),
        root: frontier.root(),
    }
    .sign(&log(name));

    entries
        .iter()
        .enumerate()
        .map(|(i, entry): (usize, &Entry)| {
            to_files(
                entry,
                LeafIndex::new(i as u64),
                &path(&leaves, i),
                &checkpoint,
            )
            .unwrap()
        })
        .collect()
}

/// The root of RFC 6962, section 2.1, as it is written there.
fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            assay_tlog::hash::node_hash(&root(left), &root(right))
        }
    }
}

/// The inclusion proof of section 2.1.1.
fn path(leaves: &[Hash], index: usize) -> Vec<Hash> {
    if leaves.len() == 1 {
        return vec![];
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut below, beside) = if index < left.len() {
        (path(left, index), root(right))
    } else {
        (path(right, index - left.len()), root(left))
    };
    below.push(beside);
    below
}

fn check((envelope, proof): &(String, String)) -> Result<VerifiedReceipt, ReceiptError> {
    verify(
        envelope.as_bytes(),
        proof.as_bytes(),
        &log("example.com/log").verifier(),
    )
}

/// A small log of two claims by two issuers.
fn receipts() -> Vec<(String, String)> {
    log_of(
        "example.com/log",
        &[ordinary("a", 1, &[1]), ordinary("b", 2, &[2, 1])],
    )
}

#[test]
fn a_receipt_verifies_offline() {
    for (i, files) in receipts().iter().enumerate() {
        assert!(files.0.ends_with("}\n") && files.0.lines().count() == 1);
        let receipt = check(files).unwrap();
        assert_eq!(receipt.inclusion().index(), LeafIndex::new(i as u64));
        assert_eq!(receipt.inclusion().checkpoint().origin(), "example.com/log");
        assert_eq!(receipt.logged_at_ms(), 1_000 + i as u64);
        assert_eq!(receipt.claim().signers().len(), i + 1);
    }
}

#[test]
fn no_byte_of_either_file_can_be_changed() {
    let files = &receipts()[1];
    let log = log("example.com/log").verifier();
    for (which, file) in [&files.0, &files.1].into_iter().enumerate() {
        let mut changed = file.clone().into_bytes();
        for i in 0..changed.len() {
            let right = changed[i];
            // Every bit; and the letters that differ in what a lax reader skips.
            for wrong in (0..8)
                .map(|bit| right ^ 1 << bit)
                .chain([b' ', b'\n', b'\r', b'=', b'A', b'-', b'_', 0])
            {
                if wrong == right {
                    continue;
                }
                changed[i] = wrong;
                let outcome = match which {
                    0 => verify(&changed, files.1.as_bytes(), &log),
                    _ => verify(files.0.as_bytes(), &changed, &log),
                };
                assert!(
                    outcome.is_err(),
                    "file {which}, byte {i}: {right} as {wrong}"
                );
            }
            changed[i] = right;
        }
    }
}

#[test]
fn no_byte_of_either_file_can_be_left_out_or_added() {
    let files = &receipts()[0];
    let log = log("example.com/log").verifier();
    for (which, file) in [&files.0, &files.1].into_iter().enumerate() {
        for i in 0..=file.len() {
            let (before, after) = file.as_bytes().split_at(i);
            let mut others = vec![
                before.to_vec(),
                [before, b"\n", after].concat(),
                [before, b" ", after].concat(),
            ];
            if !after.is_empty() {
                others.push([before, &after[1..]].concat());
            }
            for other in others.iter().filter(|other| *other != file.as_bytes()) {
                let outcome = match which {
                    0 => verify(other, files.1.as_bytes(), &log),
                    _ => verify(files.0.as_bytes(), other, &log),
                };
                assert!(outcome.is_err(), "file {which}, at {i}");
            }
        }
    }
}

#[test]
fn each_check_that_fails_is_named() {
    let files = receipts();
    let (envelope, proof) = &files[0];
    let failed =
        |envelope: &str, proof: &str| check(&(envelope.into(), proof.into())).unwrap_err().check();
    assert_eq!(failed("{}", proof), "envelope");
    assert_eq!(failed(envelope, ""), "proof");
    let no_extra = proof
        .lines()
        .filter(|line| !line.starts_with("extra "))
        .collect::<Vec<_>>()
        .join("\n")
        + "\n";
    assert_eq!(failed(envelope, &no_extra), "entry");
    // Another claim, or the other one's proof. Their entries are of different lengths here.
    assert_eq!(failed(&files[1].0, proof), "inclusion");
    // A proof that is too short, and one that is too long.
    let hash = proof
        .lines()
        .skip_while(|line| !line.starts_with("index "))
        .nth(1)
        .unwrap();
    assert_eq!(
        failed(envelope, &proof.replace(&format!("{hash}\n"), "")),
        "inclusion"
    );
    assert_eq!(
        failed(envelope, &proof.replace(hash, &format!("{hash}\n{hash}"))),
        "inclusion"
    );
    assert_eq!(
        failed(envelope, &proof.replace("index 0", "index 1")),
        "inclusion"
    );
    // The same claim, spelled in another way.
    assert_eq!(failed(&envelope.replace(",\"", ", \""), proof), "match");
    assert_eq!(failed(envelope.trim_end(), proof), "match");
    // Another log's key: by another name, and by the same name.
    let other = verify(
        envelope.as_bytes(),
        proof.as_bytes(),
        &log("example.com/other").verifier(),
    )
    .unwrap_err();
    assert_eq!(other.check(), "checkpoint");
    let same_name = SignerKey::from_seed("example.com/log", &[8; 32])
        .unwrap()
        .verifier();
    let other = verify(envelope.as_bytes(), proof.as_bytes(), &same_name).unwrap_err();
    assert_eq!(other.check(), "checkpoint");
    let long = verify(
        &vec![b' '; limits::RECEIPT_BYTES + 1],
        proof.as_bytes(),
        &same_name,
    )
    .unwrap_err();
    assert!(matches!(long, ReceiptError::TooLong(_)));
}

#[test]
fn a_log_cannot_make_a_bad_claim_good() {
    let mut claim = ordinary("a", 1, &[1]);
    claim.signatures[0].signature = vec![0; 64].into();
    let error = check(&log_of("example.com/log", &[claim])[0]).unwrap_err();
    assert!(
        matches!(
            error,
            ReceiptError::Claim(ClaimError::Signature { number: 1, .. })
        ),
        "{error}"
    );
    assert_eq!(error.check(), "claim");
}

fn standings(claims: &[wire::Claim], shown: &[usize]) -> Vec<Standing> {
    let files = log_of("example.com/log", claims);
    verify_issuers(
        &shown
            .iter()
            .map(|i| check(&files[*i]).unwrap())
            .collect::<Vec<_>>(),
    )
}

fn proven(seed: u8, name: &str, sequence: u32, record: u64) -> Standing {
    Standing::Proven(vec![ProvenIssuer {
        id: id(seed),
        name: name.into(),
        sequence,
        record: LeafIndex::new(record),
    }])
}

#[test]
fn issuers_are_proven_by_the_records_among_the_receipts() {
    let claims = [
        registration(1),
        ordinary("a", 1, &[1]),
        ordinary("b", 2, &[2]),
    ];
    let one = proven(1, "Issuer [1]", 0, 0);
    // In whatever order, and given twice.
    assert_eq!(standings(&claims, &[1, 0, 1, 0]), vec![one.clone(); 4]);
    assert_eq!(
        standings(&claims, &[0, 2]),
        [one, Standing::Unproven(vec![id(2)])]
    );
    assert_eq!(standings(&claims, &[1]), [Standing::Unproven(vec![id(1)])]);
}

#[test]
fn what_the_records_contradict_is_refuted() {
    // Signed before it registered; and by a key that is not its own.
    let claims = [
        ordinary("a", 1, &[1]),
        registration(1),
        ordinary("b", 1, &[2]),
    ];
    let standings = standings(&claims, &[0, 1, 2]);
    assert_eq!(
        standings[0],
        Standing::Refuted(AuthorizeError::NotRegistered(id(1)))
    );
    assert_eq!(standings[1], proven(1, "Issuer [1]", 0, 1));
    assert!(matches!(
        &standings[2],
        Standing::Refuted(AuthorizeError::NotItsKey { .. })
    ));
}

#[test]
fn a_rotation_changes_who_is_proven_from_its_leaf_on() {
    let first = registration(1);
    let previous = ClaimId::of_payload(&first.payload);
    let second = record(&[3], 1, Some(previous));
    let rotation = signed(&statement(&id(1), &second).unwrap(), id(1), &[1, 3]);
    let claims = [
        first,
        ordinary("a", 1, &[1]),
        rotation,
        ordinary("b", 1, &[3]),
        ordinary("c", 1, &[1]),
    ];
    let (old, new) = (proven(1, "Issuer [1]", 0, 0), proven(1, "Issuer [3]", 1, 2));
    let all = standings(&claims, &[0, 1, 2, 3, 4]);
    assert_eq!(all[..4], [old.clone(), old, new.clone(), new]);
    assert!(matches!(
        &all[4],
        Standing::Refuted(AuthorizeError::NotItsKey { .. })
    ));
    // Without the registration, the rotation proves nothing.
    let unproven = Standing::Unproven(vec![id(1)]);
    assert_eq!(standings(&claims, &[2, 3]), [unproven.clone(), unproven]);
}

/// A log makes up a claim and signs another tree with it, at the leaf of a claim that is genuine.
#[test]
fn another_entry_at_the_same_leaf_is_proven_by_nobody() {
    let genuine = log_of(
        "example.com/log",
        &[registration(1), ordinary("a", 1, &[1])],
    );
    let forged = log_of(
        "example.com/log",
        &[registration(1), ordinary("b", 1, &[2])],
    );
    let of = |files: &[(String, String)], at: usize| check(&files[at]).unwrap();
    let (record, right, wrong) = (of(&genuine, 0), of(&genuine, 1), of(&forged, 1));
    for order in [
        [&record, &right, &wrong],
        [&record, &wrong, &right],
        [&right, &wrong, &record],
    ] {
        let standings = verify_issuers(&order.map(Clone::clone));
        for (receipt, standing) in order.iter().zip(standings) {
            let expected = if std::ptr::eq(*receipt, &record) {
                proven(1, "Issuer [1]", 0, 0)
            } else {
                Standing::TwoHistories
            };
            assert_eq!(standing, expected);
        }
    }
    // By itself each is judged by the record.
    assert!(matches!(
        &verify_issuers(&[record, wrong])[1],
        Standing::Refuted(AuthorizeError::NotItsKey { .. })
    ));
}

#[test]
fn logs_do_not_speak_for_each_other() {
    let here = check(&log_of("example.com/log", &[ordinary("a", 1, &[1])])[0]).unwrap();
    let there = log_of("example.com/other", &[registration(1)]);
    let there = verify(
        there[0].0.as_bytes(),
        there[0].1.as_bytes(),
        &log("example.com/other").verifier(),
    )
    .unwrap();
    assert_eq!(
        verify_issuers(&[there, here])[1],
        Standing::Unproven(vec![id(1)])
    );
}

proptest! {
    #[test]
    fn arbitrary_files_never_panic(envelope: Vec<u8>, proof: Vec<u8>) {
        let log = log("example.com/log").verifier();
        prop_assert!(verify(&envelope, &proof, &log).is_err());
        prop_assert!(verify(receipts()[0].0.as_bytes(), &proof, &log).is_err());
    }
}
