mod attacks;
mod roots;

use super::*;
use crate::claim::{self, ClaimId, PublicKey, SigningKey, VerifiedClaim, wire};
use crate::json::Value;
use crate::kind::issuer as predicate;
use crate::statement::{Statement, Subject};
use assay_tlog::Hash;
use assay_tlog::tree::LeafIndex;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn public(seeds: &[u8]) -> Vec<PublicKey> {
    seeds
        .iter()
        .map(|seed| PublicKey::from(&key(*seed)))
        .collect()
}

fn body(seeds: &[u8], threshold: u32) -> predicate::Issuer {
    predicate::Issuer {
        name: "Example".into(),
        contacts: vec![],
        keys: public(seeds),
        threshold,
        rotation: None,
        sequence: 0,
        previous: None,
        namespaces: vec![],
        roles: vec![],
    }
}

/// `body` with the rotation keys of `seeds`.
fn with_root(body: predicate::Issuer, seeds: &[u8], threshold: u32) -> predicate::Issuer {
    let keys = public(seeds);
    predicate::Issuer {
        rotation: Some(predicate::Rotation { keys, threshold }),
        ..body
    }
}

fn signed(statement: &Statement, id: IssuerId, seeds: &[u8]) -> VerifiedClaim {
    let keys: Vec<SigningKey> = seeds.iter().map(|seed| key(*seed)).collect();
    let signers: Vec<_> = keys.iter().map(|key| (id, key)).collect();
    verified(&claim::sign(statement.to_json().as_bytes(), &signers))
}

fn verified(claim: &wire::Claim) -> VerifiedClaim {
    claim::verify(claim, &()).unwrap()
}

/// The record `body` of issuer `id`, signed by the keys of `seeds`.
fn record(id: IssuerId, body: &predicate::Issuer, seeds: &[u8]) -> VerifiedClaim {
    signed(&statement(&id, body).unwrap(), id, seeds)
}

fn ordinary(id: IssuerId, seeds: &[u8]) -> VerifiedClaim {
    let subject = Subject::artifact(None, &Hash::of(b"x"));
    signed(
        &Statement::new(
            vec![subject],
            "https://example.com/p",
            Value::Object(vec![]),
        )
        .unwrap(),
        id,
        seeds,
    )
}

/// A registry in which issuer 2-of-(1, 2, 3) is registered at leaf 5.
fn registered() -> (Registry, IssuerId, ClaimId) {
    let body = body(&[1, 2, 3], 2);
    let id = genesis_id(&body);
    let claim = record(id, &body, &[1, 2, 3]);
    let mut registry = Registry::new();
    let authorized = authorize(&claim, &registry).unwrap();
    assert!(authorized.relied_on().is_empty());
    registry
        .apply(LeafIndex::new(5), authorized.change().cloned().unwrap())
        .unwrap();
    (registry, id, claim.id())
}

/// The rotation after [`registered`] to keys 3 and 4, both needed.
fn rotated(previous: ClaimId) -> predicate::Issuer {
    predicate::Issuer {
        sequence: 1,
        previous: Some(previous),
        ..body(&[3, 4], 2)
    }
}

fn too_few(error: AuthorizeError) -> (u32, usize, usize, Vec<PublicKey>) {
    assert!(error.is_denied());
    match error {
        AuthorizeError::TooFewKeys {
            sequence,
            needed,
            signed,
            missing,
            ..
        } => (sequence, needed, signed, missing),
        other => panic!("{other}"),
    }
}

#[test]
fn the_id_is_that_of_the_design() {
    let mut text = b"assay.issuer.v2\n\0\0\0\x02\0\0\0\x02".to_vec();
    text.extend([1; 32]);
    text.extend([2; 32]);
    let without = [&text[..], &[0; 8]].concat();
    assert_eq!(
        IssuerId::derive(2, &[[2; 32], [1; 32]]).as_bytes(),
        Hash::of(&without).as_bytes()
    );
    text.extend(*b"\0\0\0\x01\0\0\0\x02");
    text.extend([3; 32]);
    text.extend([4; 32]);
    let signing = KeySet {
        threshold: 2,
        keys: &[[2; 32], [1; 32]],
    };
    let rotation = KeySet {
        threshold: 1,
        keys: &[[4; 32], [3; 32]],
    };
    assert_eq!(
        IssuerId::derive_with_rotation(signing, rotation).as_bytes(),
        Hash::of(&text).as_bytes()
    );
    assert_ne!(
        IssuerId::derive(1, &[[1; 32], [2; 32]]),
        IssuerId::derive(2, &[[1; 32], [2; 32]])
    );
    let one = PublicKey::from(&key(1));
    assert_eq!(IssuerId::of_key(&one), genesis_id(&body(&[1], 1)));
}

#[test]
fn a_rotation_key_is_told_from_a_key_in_the_id() {
    let ids = [
        genesis_id(&body(&[1, 2], 1)),
        genesis_id(&with_root(body(&[1], 1), &[2], 1)),
        genesis_id(&with_root(body(&[2], 1), &[1], 1)),
        genesis_id(&with_root(body(&[1], 1), &[2, 3], 1)),
        genesis_id(&with_root(body(&[1], 1), &[2, 3], 2)),
        genesis_id(&with_root(body(&[1], 1), &[3, 2], 2)),
    ];
    assert_eq!(ids[4], ids[5], "their order says nothing");
    for (i, one) in ids.iter().enumerate() {
        assert_eq!(ids.iter().filter(|other| *other == one).count(), 1 + i / 4);
    }
}

#[test]
fn a_registration_needs_all_of_its_keys_and_its_own_id() {
    let body = body(&[1, 2, 3], 2);
    let id = genesis_id(&body);
    let empty = Registry::new();
    let error = authorize(&record(id, &body, &[1, 3]), &empty).unwrap_err();
    assert_eq!(too_few(error), (0, 3, 2, public(&[2])));
    let error = authorize(&record(id, &body, &[1, 2, 3, 4]), &empty).unwrap_err();
    assert!(matches!(error, AuthorizeError::NotItsKey { .. }) && error.is_denied());
    // Somebody else's id.
    let other = IssuerId::derive(1, &[[9; 32]]);
    let error = authorize(&record(other, &body, &[1, 2, 3]), &empty).unwrap_err();
    assert_eq!(
        error,
        AuthorizeError::Record(IssuerError::Id {
            derived: id,
            stated: other
        })
    );
    assert!(!error.is_denied());
    // Signed for another issuer than the one it is about.
    let error = authorize(
        &signed(&statement(&id, &body).unwrap(), other, &[1, 2, 3]),
        &empty,
    )
    .unwrap_err();
    assert_eq!(error, AuthorizeError::ForeignIssuer { issuer: id, other });
}

#[test]
fn a_record_has_one_subject_which_is_the_issuer() {
    let body = body(&[1], 1);
    let id = genesis_id(&body);
    let subject = Subject::artifact(None, &id.0);
    let with = |subjects: Vec<Subject>| {
        let statement = Statement::new(subjects, predicate::URI, body.to_value()).unwrap();
        authorize(&signed(&statement, id, &[1]), &Registry::new())
    };
    assert!(with(vec![subject.clone()]).is_ok());
    let refused = AuthorizeError::Record(IssuerError::Subject);
    assert_eq!(with(vec![subject.clone(), subject]).unwrap_err(), refused);
    let no_sha256 = Subject::of_parts(None, None, vec![("sha1".into(), "ab".repeat(20))]);
    assert_eq!(with(vec![no_sha256]).unwrap_err(), refused);
}

#[test]
fn an_issuer_registers_once() {
    let (registry, id, _) = registered();
    let error = authorize(&record(id, &body(&[1, 2, 3], 2), &[1, 2, 3]), &registry).unwrap_err();
    assert_eq!(error, AuthorizeError::Registered(id));
    assert!(error.is_outdated() && !error.is_denied());
}

#[test]
fn a_claim_needs_the_threshold_of_every_issuer_that_it_names() {
    let (registry, id, _) = registered();
    let authorized = authorize(&ordinary(id, &[1, 3]), &registry).unwrap();
    assert_eq!(
        (authorized.relied_on(), authorized.change()),
        (&[(id, Some(0))][..], None)
    );
    assert_eq!(
        too_few(authorize(&ordinary(id, &[2]), &registry).unwrap_err()),
        (0, 2, 1, public(&[1, 3]))
    );
    // The same key twice is one key.
    assert_eq!(
        too_few(authorize(&ordinary(id, &[2, 2]), &registry).unwrap_err()),
        (0, 2, 1, public(&[1, 3]))
    );
    let error = authorize(&ordinary(id, &[1, 2, 9]), &registry).unwrap_err();
    assert!(
        matches!(&error, AuthorizeError::NotItsKey { key, .. } if **key == public(&[9])[0])
            && error.is_denied()
    );
    // Somebody who is not registered, alone and beside somebody who is.
    let stranger = IssuerId::derive(1, &[*public(&[9])[0].as_bytes()]);
    let error = authorize(&ordinary(stranger, &[9]), &registry).unwrap_err();
    assert_eq!(error, AuthorizeError::NotRegistered(stranger));
    assert!(error.is_denied() && error.to_string().contains("assay issuer register"));
    let both = [(id, &key(1)), (id, &key(2)), (stranger, &key(9))];
    let payload = ordinary(id, &[1]).claim().payload.clone();
    let error = authorize(&verified(&claim::sign(&payload, &both)), &registry).unwrap_err();
    assert_eq!(error, AuthorizeError::NotRegistered(stranger));
}

#[test]
fn a_rotation_needs_the_threshold_of_the_record_before_and_of_its_own() {
    let (registry, id, first) = registered();
    let body = rotated(first);
    let good = authorize(&record(id, &body, &[1, 3, 4]), &registry).unwrap();
    assert_eq!(good.relied_on(), [(id, Some(0))]);
    assert_eq!(good.change().map(|record| &record.body), Some(&body));
    // Key 3 is in both and counts for both.
    assert_eq!(
        too_few(authorize(&record(id, &body, &[3, 4]), &registry).unwrap_err()),
        (0, 2, 1, public(&[1, 2]))
    );
    assert_eq!(
        too_few(authorize(&record(id, &body, &[1, 2, 4]), &registry).unwrap_err()),
        (1, 2, 1, public(&[3]))
    );
    let error = authorize(&record(id, &body, &[1, 3, 4, 9]), &registry).unwrap_err();
    assert!(matches!(error, AuthorizeError::NotItsKey { .. }));
}

#[test]
fn a_rotation_follows_the_record_in_force() {
    let (registry, id, first) = registered();
    let skip = predicate::Issuer {
        sequence: 2,
        ..rotated(first)
    };
    let error = authorize(&record(id, &skip, &[1, 3, 4]), &registry).unwrap_err();
    assert_eq!(
        error,
        AuthorizeError::Sequence {
            issuer: id,
            in_force: 0,
            asked: 2
        }
    );
    let other = predicate::Issuer {
        previous: ClaimId::from_hex(&"ab".repeat(32)),
        ..rotated(first)
    };
    let error = authorize(&record(id, &other, &[1, 3, 4]), &registry).unwrap_err();
    assert_eq!(
        error,
        AuthorizeError::Previous {
            issuer: id,
            in_force: first
        }
    );
    assert!(error.is_outdated());
    let error = authorize(&record(id, &rotated(first), &[1, 3, 4]), &Registry::new()).unwrap_err();
    assert_eq!(error, AuthorizeError::NotRegistered(id));
}

#[test]
fn old_keys_stop_and_new_ones_start_with_the_rotation() {
    let (mut registry, id, first) = registered();
    let claim = record(id, &rotated(first), &[1, 3, 4]);
    let change = authorize(&claim, &registry)
        .unwrap()
        .change()
        .cloned()
        .unwrap();
    registry.apply(LeafIndex::new(9), change.clone()).unwrap();
    assert!(authorize(&ordinary(id, &[1, 2]), &registry).is_err());
    assert_eq!(
        authorize(&ordinary(id, &[3, 4]), &registry)
            .unwrap()
            .relied_on(),
        [(id, Some(1))]
    );
    // The same rotation does not come again.
    assert!(matches!(
        authorize(&claim, &registry),
        Err(AuthorizeError::Sequence { .. })
    ));
    // History: each record from the leaf after its own.
    let at = |leaf| {
        registry
            .in_force_at(&id, LeafIndex::new(leaf))
            .map(|record| record.body.sequence)
    };
    assert_eq!(
        [0, 5, 6, 9, 10, u64::MAX].map(at),
        [None, None, Some(0), Some(0), Some(1), Some(1)]
    );
    assert_eq!(registry.records(&id).len(), 2);
    assert_eq!(
        registry
            .issuers()
            .map(|(id, record)| (*id, record.body.sequence))
            .collect::<Vec<_>>(),
        [(id, 1)]
    );
}

#[test]
fn a_registry_takes_only_what_continues_a_history() {
    let (mut registry, id, first) = registered();
    let next = |body: predicate::Issuer| IssuerRecord {
        id,
        claim_id: first,
        body,
    };
    let before = registry.records(&id).len();
    let again = registry.apply(LeafIndex::new(6), next(body(&[1, 2, 3], 2)));
    assert_eq!(
        again,
        Err(RegistryError::Sequence {
            issuer: id,
            next: 1,
            found: 0
        })
    );
    let unlinked = predicate::Issuer {
        previous: ClaimId::from_hex(&"ab".repeat(32)),
        ..rotated(first)
    };
    assert_eq!(
        registry.apply(LeafIndex::new(6), next(unlinked)),
        Err(RegistryError::Previous(id))
    );
    let order = registry.apply(LeafIndex::new(5), next(rotated(first)));
    assert_eq!(
        order,
        Err(RegistryError::Order {
            issuer: id,
            leaf: LeafIndex::new(5)
        })
    );
    assert_eq!(registry.records(&id).len(), before);
}
