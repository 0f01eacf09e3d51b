//! Each rule that a claim can break.

use super::*;
use crate::entry::EntryError;
use crate::index::MappingError;
use crate::limits;
use crate::misbehavior::breach::text::Kind;

/// A log that ends in these claims, one leaf each from leaf 1 on, and a commitment.
fn log_of(claims: &[wire::Claim]) -> Log {
    let mut log = Log::new();
    for claim in claims {
        log.claim(claim.clone());
    }
    log.commit();
    log
}

/// Checks that this leaf shows this by itself, and that the next one, which is in order, does not.
fn alone(claim: wire::Claim, broken: &Broken) {
    let mut log = log_of(&[note(1, &[5])]);
    let leaf = log.hidden(claim);
    log.claim(note(2, &[5]));
    log.commit();
    assert_eq!(broken.leaf(), at(leaf));
    let head = log.head();
    let accuser = Accuser::of_log(&head, &log, &log);
    let one = shown(&log, accuser.entry(at(leaf)), broken);
    assert_eq!(one.kind(), "entry");
    found(&log, broken);
    nothing(accuser.entry(at(leaf + 1)));
    // An auditor that cosigned the head did not look.
    let audited = log.audited();
    let auditor = Accuser::of_auditor(&audited, &log, &log);
    let auditor = auditor.entry(at(leaf)).unwrap();
    assert_eq!((auditor.kind(), auditor.broken()), ("auditor", broken));
    assert_eq!(auditor.culprit(), &Culprit::Mirror(AUDITOR.into()));
    assert_eq!(verify(auditor.text()), Ok(auditor));
}

const LEAF: u64 = 3;

#[test]
fn a_claim_out_of_bounds() {
    let good = note(3, &[5]);
    let signature = good.signatures[0].clone();
    let bounds = |why| Broken::Bounds {
        leaf: at(LEAF),
        why,
    };
    let with = |signatures: Vec<wire::ClaimSignature>| wire::Claim {
        signatures,
        ..good.clone()
    };
    alone(with(vec![]), &bounds(EntryError::Signatures(0)));
    let many = vec![signature.clone(); 17];
    alone(with(many), &bounds(EntryError::Signatures(17)));
    let short = wire::ClaimSignature {
        issuer_id: vec![1; 31].into(),
        ..signature
    };
    alone(with(vec![short]), &bounds(EntryError::Signature(0)));
    let long = wire::Claim {
        payload: vec![b' '; limits::PAYLOAD_BYTES + 1].into(),
        ..good.clone()
    };
    let bytes = limits::PAYLOAD_BYTES + 1;
    alone(long, &bounds(EntryError::Payload(bytes)));
    let other = wire::Claim {
        payload_type: "text/plain".into(),
        ..good
    };
    alone(other, &bounds(EntryError::PayloadType));
}

#[test]
fn a_claim_with_too_many_labels() {
    let mut subjects = Vec::new();
    for n in 0..200 {
        let purl = Purl::parse_canonical(&format!("pkg:cargo/p{n}@1.0.0")).unwrap();
        subjects.push(Subject::package(purl));
    }
    let empty = Value::Object(vec![]);
    let statement = Statement::new(subjects, "urn:example:note", empty).unwrap();
    let signers: Vec<_> = (1..=16).map(|seed| (issuer(seed), seed)).collect();
    let claim = signed(&statement, &signers);
    let broken = Broken::Labels {
        leaf: at(LEAF),
        // A package, a version, and the issuer.
        why: MappingError::Labels(16 * (200 + 200 + 1)),
    };
    alone(claim, &broken);
}

#[test]
fn a_signature_that_is_plainly_wrong() {
    let good = note(3, &[5, 6]);
    for (number, change) in [(1, 0_usize), (2, 0), (2, 40)] {
        let mut claim = good.clone();
        let signature = &mut claim.signatures[number - 1].signature;
        let mut bytes = signature.to_vec();
        bytes[change] ^= 1;
        *signature = bytes.into();
        let leaf = at(LEAF);
        alone(claim, &Broken::Signature { leaf, number });
    }
    // The scalar is not reduced, or the key is no point.
    let mut claim = good.clone();
    claim.signatures[1].signature = vec![0xff; 64].into();
    let broken = Broken::Signature {
        leaf: at(LEAF),
        number: 2,
    };
    alone(claim, &broken);
    let mut claim = good;
    let no_point = [&[2][..], &[0; 31]].concat();
    claim.signatures[1].public_key = no_point.into();
    alone(claim, &broken);
}

/// A key of small order: only a strict check refuses it, and what only that refuses blames nobody.
#[test]
fn what_only_a_strict_check_refuses_blames_nobody() {
    let mut claim = note(3, &[5]);
    let identity = [&[1][..], &[0; 31]].concat();
    claim.signatures[0].public_key = identity.into();
    // R is the identity, and s is 0: the equation holds for any message.
    claim.signatures[0].signature = [&[1][..], &[0; 63]].concat().into();
    let mut log = Log::new();
    let leaf = log.claim(claim);
    log.commit();
    let head = log.head();
    let accuser = Accuser::of_log(&head, &log, &log);
    nothing(accuser.entry(at(leaf)));
    assert_eq!(accuser.at_leaf(at(leaf)).unwrap(), None);
}

#[test]
fn a_first_record_that_not_all_keys_signed() {
    let body = body(&[5, 6]);
    let id = genesis_id(&body);
    let broken = Broken::SilentKey {
        leaf: at(LEAF),
        key: (&key(6)).into(),
    };
    alone(record(id, &body, &[5]), &broken);
    let log = log_of(&[record(id, &body, &[5, 6])]);
    let head = log.head();
    nothing(Accuser::of_log(&head, &log, &log).entry(at(1)));
}

/// Checks that the last of these leaves shows this behind the one before it, and not the other way
/// round.
fn behind(log: &Log, before: u64, leaf: u64, broken: &Broken) {
    let head = log.head();
    let accuser = Accuser::of_log(&head, log, log);
    shown(log, accuser.entry_after(at(before), at(leaf)), broken);
    found(log, broken);
    nothing(accuser.entry_after(at(leaf), at(before)));
    nothing(accuser.entry(at(leaf)));
    nothing(accuser.commitment(at(before), at(leaf)));
}

#[test]
fn a_new_key_that_did_not_sign_its_record() {
    let first = body(&[5]);
    let id = genesis_id(&first);
    let registered = record(id, &first, &[5]);
    let rotated = next(&registered, &[5, 6]);
    let log = log_of(&[
        registered.clone(),
        note(1, &[9]),
        record(id, &rotated, &[5]),
    ]);
    let broken = Broken::SilentKey {
        leaf: at(3),
        key: (&key(6)).into(),
    };
    behind(&log, 1, 3, &broken);
    let good = log_of(&[registered, record(id, &rotated, &[5, 6])]);
    let head = good.head();
    nothing(Accuser::of_log(&head, &good, &good).entry_after(at(1), at(2)));
}

/// A key that came with a record between these two need not sign again.
#[test]
fn a_record_is_held_to_the_one_that_it_follows() {
    let first = body(&[5]);
    let id = genesis_id(&first);
    let registered = record(id, &first, &[5]);
    let second = record(id, &next(&registered, &[5, 6]), &[5, 6]);
    let third = predicate::Issuer {
        sequence: 2,
        ..next(&second, &[5, 6])
    };
    let log = log_of(&[registered, second, record(id, &third, &[5])]);
    let head = log.head();
    let accuser = Accuser::of_log(&head, &log, &log);
    nothing(accuser.entry_after(at(1), at(3)));
    assert_eq!(accuser.at_leaf(at(3)).unwrap(), None);
}

#[test]
fn two_issuers_with_one_key() {
    let [a, b] = [body(&[5]), body(&[5, 6])];
    let log = log_of(&[
        record(genesis_id(&a), &a, &[5]),
        note(1, &[9]),
        record(genesis_id(&b), &b, &[5, 6]),
    ]);
    let broken = Broken::SharedKey {
        before: at(1),
        leaf: at(3),
        key: (&key(5)).into(),
    };
    behind(&log, 1, 3, &broken);
}

/// A record whose signature is wrong puts no key in force, whoever it names.
#[test]
fn a_record_that_does_not_verify_is_none() {
    let [a, b] = [body(&[5]), body(&[5, 6])];
    let mut forged = record(genesis_id(&b), &b, &[5, 6]);
    forged.signatures[1].signature = vec![0; 64].into();
    let log = log_of(&[record(genesis_id(&a), &a, &[5]), forged]);
    let head = log.head();
    let accuser = Accuser::of_log(&head, &log, &log);
    nothing(accuser.entry_after(at(1), at(2)));
}

#[test]
fn an_earlier_time() {
    let mut log = Log::new();
    log.claim(note(1, &[5]));
    log.claim(note(2, &[5]));
    log.now_ms -= 1;
    log.claim(note(3, &[5]));
    log.now_ms += 1;
    log.commit();
    let broken = Broken::Time {
        before: at(2),
        leaf: at(3),
    };
    behind(&log, 2, 3, &broken);
}

#[test]
fn a_claim_again_without_a_new_key() {
    let log = log_of(&[note(1, &[5, 6]), note(2, &[5]), note(1, &[6])]);
    let broken = Broken::Repeated {
        leaf: at(3),
        claim: claim::ClaimId::of_payload(about(1).to_json().as_bytes()),
        issuer: issuer(6),
    };
    behind(&log, 1, 3, &broken);
    // A new key of another issuer does not help this one.
    let log = log_of(&[note(1, &[5]), note(2, &[5]), note(1, &[5, 6])]);
    let broken = Broken::Repeated {
        leaf: at(3),
        claim: claim::ClaimId::of_payload(about(1).to_json().as_bytes()),
        issuer: issuer(5),
    };
    behind(&log, 1, 3, &broken);
}

/// The keys of one issuer may have come one by one.
#[test]
fn a_claim_again_with_keys_of_several_leaves() {
    let id = genesis_id(&body(&[5, 6, 7]));
    let by = |seeds: &[u8]| {
        let signers: Vec<_> = seeds.iter().map(|seed| (id, *seed)).collect();
        signed(&about(1), &signers)
    };
    let log = log_of(&[by(&[5]), by(&[6]), by(&[5, 6, 7]), by(&[5, 7])]);
    let broken = Broken::Repeated {
        leaf: at(4),
        claim: claim::ClaimId::of_payload(about(1).to_json().as_bytes()),
        issuer: id,
    };
    let head = log.head();
    let accuser = Accuser::of_log(&head, &log, &log);
    nothing(accuser.repeated(&[at(1), at(2)], at(4)));
    nothing(accuser.repeated(&[at(1)], at(4)));
    shown(&log, accuser.repeated(&[at(3)], at(4)), &broken);
    // What is not needed is another encoding.
    nothing(accuser.repeated(&[at(1), at(3)], at(4)));
    found(&log, &broken);

    let log = log_of(&[by(&[5]), by(&[6]), note(1, &[7]), by(&[5, 6])]);
    let head = log.head();
    let accuser = Accuser::of_log(&head, &log, &log);
    shown(&log, accuser.repeated(&[at(1), at(2)], at(4)), &broken);
    found(&log, &broken);

    // One of the keys signed another claim.
    let other = signed(&about(2), &[(id, 6)]);
    let log = log_of(&[by(&[5]), other, by(&[5, 6])]);
    let head = log.head();
    let accuser = Accuser::of_log(&head, &log, &log);
    nothing(accuser.repeated(&[at(1), at(2)], at(3)));
}

/// Which rules there were is said by the last leaf: a commitment before it is another encoding.
#[test]
fn only_the_last_leaf_says_which_rules_are_broken() {
    let mut claim = note(1, &[5]);
    claim.signatures[0].signature = vec![0; 64].into();
    let mut log = log_of(&[claim]);
    log.claim(note(2, &[5]));
    log.commit();
    let broken = Broken::Signature {
        leaf: at(1),
        number: 1,
    };
    let head = log.head();
    let accuser = Accuser::of_log(&head, &log, &log);
    let accuse = |last: u64| accuser.accuse(Kind::Entry, None, &[at(1), at(last)]);
    shown(&log, accuse(4), &broken);
    nothing(accuse(2));
}
