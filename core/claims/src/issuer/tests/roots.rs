//! Rotation keys: what they alone can do, and what they cannot.

use super::*;
use crate::kind::key_compromise::KeyCompromise;

/// A registry in which an issuer with the key 1 and the rotation keys 8, 9 and 10, two of which
/// must sign, is registered at leaf 5.
fn rooted() -> (Registry, IssuerId, ClaimId) {
    let body = with_root(body(&[1], 1), &[8, 9, 10], 2);
    let id = genesis_id(&body);
    let claim = record(id, &body, &[1, 8, 9, 10]);
    let mut registry = Registry::new();
    let authorized = authorize(&claim, &registry).unwrap();
    registry
        .apply(LeafIndex::new(5), authorized.change().cloned().unwrap())
        .unwrap();
    (registry, id, claim.id())
}

fn next(previous: ClaimId, body: predicate::Issuer) -> predicate::Issuer {
    predicate::Issuer {
        sequence: 1,
        previous: Some(previous),
        ..body
    }
}

fn compromise(id: IssuerId, seed: u8, signers: &[(IssuerId, u8)]) -> VerifiedClaim {
    let said = KeyCompromise {
        issuer: id,
        key: public(&[seed])[0],
        origin: "log.example".into(),
        from_index: 7,
        from_time: crate::kind::Timestamp::parse("2026-11-01T00:00:00Z").unwrap(),
        reason: None,
    };
    let payload = said.statement().unwrap().to_json();
    let keys: Vec<_> = signers.iter().map(|(of, seed)| (*of, key(*seed))).collect();
    let signers: Vec<_> = keys.iter().map(|(of, key)| (*of, key)).collect();
    verified(&claim::sign(payload.as_bytes(), &signers))
}

#[test]
fn a_registration_is_signed_by_its_rotation_keys_too() {
    let body = with_root(body(&[1], 1), &[8, 9], 1);
    let id = genesis_id(&body);
    let empty = Registry::new();
    assert!(authorize(&record(id, &body, &[1, 8, 9]), &empty).is_ok());
    let error = authorize(&record(id, &body, &[1, 8]), &empty).unwrap_err();
    assert_eq!(too_few(error), (0, 3, 2, public(&[9])));
}

#[test]
fn where_there_are_rotation_keys_the_keys_cannot_rotate() {
    let (registry, id, first) = rooted();
    // The thief of the only key wants another key, and no rotation keys.
    let stolen = next(first, body(&[2], 1));
    let error = authorize(&record(id, &stolen, &[1, 2]), &registry).unwrap_err();
    assert!(error.to_string().contains("2 distinct rotation keys"));
    assert_eq!(too_few(error), (0, 2, 0, public(&[8, 9, 10])));
    let error = authorize(&record(id, &stolen, &[1, 2, 9]), &registry).unwrap_err();
    assert_eq!(too_few(error), (0, 2, 1, public(&[8, 10])));
    // The owner leaves the stolen key behind without it.
    let rescue = next(first, with_root(body(&[2], 1), &[8, 9, 10], 2));
    let authorized = authorize(&record(id, &rescue, &[2, 8, 10]), &registry).unwrap();
    assert_eq!(authorized.relied_on(), [(id, Some(0))]);
    // The new record's own threshold is asked for as well.
    let other = next(first, with_root(body(&[1, 2], 2), &[8, 9, 10], 2));
    let error = authorize(&record(id, &other, &[2, 8, 10]), &registry).unwrap_err();
    assert_eq!(too_few(error), (1, 2, 1, public(&[1])));
}

#[test]
fn a_rotation_key_signs_no_ordinary_claim() {
    let (registry, id, _) = rooted();
    for decided in [
        authorize(&ordinary(id, &[1, 8]), &registry),
        hold_to_rules(&ordinary(id, &[1, 8]), &registry),
        hold_to_rules(&ordinary(id, &[8]), &registry),
    ] {
        let error = decided.unwrap_err();
        assert!(error.is_denied());
        assert!(matches!(error, AuthorizeError::RotationKey { .. }));
    }
}

#[test]
fn a_key_compromise_needs_the_rotation_keys_of_the_issuer_that_it_is_about() {
    let (registry, id, _) = rooted();
    let good = compromise(id, 1, &[(id, 8), (id, 9)]);
    for decided in [
        authorize(&good, &registry),
        hold_to_rules(&good, &registry),
        authorize(&compromise(id, 1, &[(id, 1), (id, 8), (id, 9)]), &registry),
    ] {
        assert_eq!(decided.unwrap().relied_on(), [(id, Some(0))]);
    }
    // A thief with the key itself, or with too few rotation keys.
    for signers in [&[(id, 1)][..], &[(id, 1), (id, 8)]] {
        for decided in [
            authorize(&compromise(id, 1, signers), &registry),
            hold_to_rules(&compromise(id, 1, signers), &registry),
        ] {
            let (sequence, needed, _, _) = too_few(decided.unwrap_err());
            assert_eq!((sequence, needed), (0, 2));
        }
    }
    // Somebody else, alone or beside the issuer.
    let other = IssuerId::of_key(&public(&[3])[0]);
    for signers in [&[(other, 3)][..], &[(id, 8), (id, 9), (other, 3)]] {
        let claim = compromise(id, 1, signers);
        let foreign = AuthorizeError::ForeignIssuer { issuer: id, other };
        assert_eq!(authorize(&claim, &registry).unwrap_err(), foreign);
        assert_eq!(hold_to_rules(&claim, &registry).unwrap_err(), foreign);
    }
}

#[test]
fn without_rotation_keys_a_key_compromise_needs_the_threshold() {
    let (registry, id, _) = registered();
    assert!(authorize(&compromise(id, 1, &[(id, 1), (id, 2)]), &registry).is_ok());
    let error = authorize(&compromise(id, 1, &[(id, 1)]), &registry).unwrap_err();
    assert_eq!(too_few(error), (0, 2, 1, public(&[2, 3])));
    // In a log that takes unregistered signers, one of them can give itself up.
    let other = IssuerId::of_key(&public(&[9])[0]);
    let claim = compromise(other, 9, &[(other, 9)]);
    assert!(hold_to_rules(&claim, &registry).is_ok());
    let error = authorize(&claim, &registry).unwrap_err();
    assert_eq!(error, AuthorizeError::NotRegistered(other));
}
