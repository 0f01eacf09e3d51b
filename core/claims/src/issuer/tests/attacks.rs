//! Attacks on who may sign for whom. Each is refused by a log of registered issuers and by one that
//! takes any signature, and an audit of either finds it.

use super::*;

/// What both kinds of logs say; they agree about the attacks here.
fn refused(claim: &VerifiedClaim, registry: &Registry) -> AuthorizeError {
    let error = authorize(claim, registry).unwrap_err();
    assert_eq!(hold_to_rules(claim, registry).unwrap_err(), error);
    error
}

/// As [`registered`], and rotated at leaf 9 to the keys 3 and 4.
fn moved_on() -> (Registry, IssuerId) {
    let (mut registry, id, first) = registered();
    let claim = record(id, &rotated(first), &[1, 3, 4]);
    let authorized = authorize(&claim, &registry).unwrap();
    registry
        .apply(LeafIndex::new(9), authorized.change().cloned().unwrap())
        .unwrap();
    (registry, id)
}

#[test]
fn a_new_key_that_does_not_sign_is_refused() {
    // A stranger's public key would bring the stranger's claims under the attacker's name.
    let (registry, id, first) = registered();
    let stranger = predicate::Issuer {
        keys: public(&[1, 2, 3, 7]),
        ..rotated(first)
    };
    let claim = record(id, &stranger, &[1, 2, 3]);
    let keys = public(&[7]);
    let unsigned = AuthorizeError::NewKeys { issuer: id, keys };
    assert_eq!(refused(&claim, &registry), unsigned);
    assert!(unsigned.is_denied() && unsigned.to_string().contains(&public(&[7])[0].to_hex()));
    // As a rotation key it would keep the stranger from ever registering it.
    let stranger = with_root(rotated(first), &[7, 8], 1);
    let claim = record(id, &stranger, &[1, 2, 3, 4, 8]);
    assert_eq!(refused(&claim, &registry), unsigned);
    let claim = record(id, &stranger, &[1, 2, 3, 4, 7, 8]);
    assert!(authorize(&claim, &registry).is_ok());
}

#[test]
fn a_key_that_another_issuer_left_behind_is_not_registered_again() {
    let (registry, id) = moved_on();
    let of_another = |error| match error {
        AuthorizeError::KeyOfAnother { key, owner, .. } => {
            assert_eq!((*key, owner), (public(&[1])[0], id));
        }
        other => panic!("{other}"),
    };
    // The thief of key 1, which the issuer rotated away, wants the claims that it signed.
    let alone = body(&[1], 1);
    let claim = record(genesis_id(&alone), &alone, &[1]);
    of_another(refused(&claim, &registry));
    let as_root = with_root(body(&[7], 1), &[1], 1);
    let claim = record(genesis_id(&as_root), &as_root, &[1, 7]);
    of_another(refused(&claim, &registry));
    // Nor is it rotated to.
    let mut registry = registry;
    let thief = body(&[7], 1);
    let thief_id = genesis_id(&thief);
    let first = record(thief_id, &thief, &[7]);
    let authorized = authorize(&first, &registry).unwrap();
    let change = authorized.change().cloned().unwrap();
    registry.apply(LeafIndex::new(10), change).unwrap();
    let takes = predicate::Issuer {
        sequence: 1,
        previous: Some(first.id()),
        ..body(&[1, 7], 1)
    };
    let claim = record(thief_id, &takes, &[1, 7]);
    of_another(refused(&claim, &registry));
    // The registry itself holds to it.
    let taken = IssuerRecord {
        id: thief_id,
        claim_id: claim.id(),
        body: takes,
    };
    let error = registry.apply(LeafIndex::new(11), taken).unwrap_err();
    let owned = RegistryError::KeyOfAnother {
        issuer: thief_id,
        owner: id,
    };
    assert_eq!(error, owned);
    // The issuer itself may take its key again.
    let (_, in_force) = registry.records(&id).last().unwrap();
    let again = predicate::Issuer {
        sequence: 2,
        previous: Some(in_force.claim_id),
        ..body(&[1, 3], 1)
    };
    assert!(authorize(&record(id, &again, &[1, 3, 4]), &registry).is_ok());
}

#[test]
fn two_issuers_do_not_share_half_an_id() {
    // Finding two such ids takes 2^64 hashes, so one of them is made up here.
    let honest = body(&[1], 1);
    let id = genesis_id(&honest);
    let claim = record(id, &honest, &[1]);
    for (byte, shares) in [(31, true), (16, true), (15, false), (0, false)] {
        let mut twin = *id.as_bytes();
        twin[byte] ^= 0x80;
        let twin = IssuerId::from_slice(&twin).unwrap();
        let record = IssuerRecord {
            id: twin,
            claim_id: claim.id(),
            body: body(&[7], 1),
        };
        let mut registry = Registry::new();
        registry.apply(LeafIndex::new(1), record).unwrap();
        if !shares {
            assert!(authorize(&claim, &registry).is_ok(), "{byte}");
            continue;
        }
        let shared = AuthorizeError::SharedHalf {
            issuer: id,
            other: twin,
        };
        assert_eq!(refused(&claim, &registry), shared, "{byte}");
        let late = IssuerRecord {
            id,
            claim_id: claim.id(),
            body: honest.clone(),
        };
        let error = registry.apply(LeafIndex::new(2), late).unwrap_err();
        let shared = RegistryError::SharedHalf {
            issuer: id,
            other: twin,
        };
        assert_eq!(error, shared);
    }
}

#[test]
fn a_rotated_away_key_does_not_rotate_in_another_log_where_there_are_rotation_keys() {
    // Whoever copies an issuer's first record into another log registers it there: the signatures
    // are good. From then on the first record's keys count there, which the issuer may have left
    // behind. Its rotation keys are no such keys.
    let first = with_root(body(&[1], 1), &[8], 1);
    let id = genesis_id(&first);
    let copied = record(id, &first, &[1, 8]);
    let mut other_log = Registry::new();
    let authorized = authorize(&copied, &other_log).unwrap();
    let change = authorized.change().cloned().unwrap();
    other_log.apply(LeafIndex::new(1), change).unwrap();
    for thousandth in 0..1000_u32 {
        let theirs = predicate::Issuer {
            name: format!("thief {thousandth}"),
            sequence: 1,
            previous: Some(copied.id()),
            ..body(&[7], 1)
        };
        let error = refused(&record(id, &theirs, &[1, 7]), &other_log);
        assert_eq!(too_few(error), (0, 1, 0, public(&[8])));
    }
}

#[test]
fn an_unregistered_signer_is_the_issuer_that_its_key_alone_makes() {
    let registry = Registry::new();
    let [nine] = public(&[9])[..] else {
        unreachable!()
    };
    let itself = IssuerId::of_key(&nine);
    let authorized = hold_to_rules(&ordinary(itself, &[9]), &registry).unwrap();
    assert_eq!(authorized.relied_on(), [(itself, None)]);
    // The id of an issuer that others trust, which is not registered in this log.
    let trusted = genesis_id(&body(&[1, 2], 1));
    let error = hold_to_rules(&ordinary(trusted, &[9]), &registry).unwrap_err();
    let not_itself = AuthorizeError::NotItself {
        issuer: trusted,
        key: Box::new(nine),
    };
    assert_eq!(error, not_itself);
    assert!(error.is_denied() && error.to_string().contains(&itself.to_hex()));
    // Not even by a key of that issuer, for the log cannot know that it is one.
    assert!(hold_to_rules(&ordinary(trusted, &[1]), &registry).is_err());
    // Of one that is registered, only a key in force.
    let (registry, id) = moved_on();
    assert!(hold_to_rules(&ordinary(id, &[3]), &registry).is_ok());
    for seed in [1, 9] {
        let error = hold_to_rules(&ordinary(id, &[seed]), &registry).unwrap_err();
        assert!(matches!(error, AuthorizeError::NotItsKey { .. }), "{error}");
    }
    // One good signer takes no bad one along.
    let payload = ordinary(id, &[3]).claim().payload.clone();
    let both = [(id, &key(3)), (trusted, &key(9))];
    assert!(hold_to_rules(&verified(&claim::sign(&payload, &both)), &registry).is_err());
}

#[test]
fn a_claim_is_not_moved_to_another_name_by_its_signature() {
    // A signature does not cover the issuer that it is for. Whoever copies a claim of a registered
    // issuer could else log it for the issuer that the key alone makes.
    let (registry, id) = moved_on();
    for seed in [1, 3] {
        let key = public(&[seed])[0];
        let alone = IssuerId::of_key(&key);
        let error = hold_to_rules(&ordinary(alone, &[seed]), &registry).unwrap_err();
        let owned = AuthorizeError::KeyOfAnother {
            issuer: alone,
            key: Box::new(key),
            owner: id,
        };
        assert_eq!(error, owned);
    }
}
