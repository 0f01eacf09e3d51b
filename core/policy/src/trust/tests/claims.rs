//! Standing: records, withdrawals, compromised keys, replies.

use super::*;

#[test]
fn a_claim_is_judged_by_the_record_in_force_at_its_leaf() {
    let mut world = World::new();
    let early = Party {
        id: World::new().register("a", &[1, 2], 2).id,
        seeds: vec![1, 2],
    };
    let before = opinion(&mut world, &[&early]);
    let a = world.register("a", &[1, 2], 2);
    let after = opinion(&mut world, &[&a]);
    let alone = opinion(&mut world, &[&a.with(&[1])]);
    let foreign = opinion(&mut world, &[&a.with(&[1, 2, 3])]);
    let new = world.rotate(&a, &[3], 1, &[1, 2, 3]);
    let old_keys = opinion(&mut world, &[&a]);
    let new_key = opinion(&mut world, &[&new]);
    let authorized = |claim| match standing(&world, claim, &a) {
        Standing::Good => None,
        Standing::NotAuthorized(error) => Some(error),
        other => panic!("{other:?}"),
    };
    assert!(matches!(
        authorized(before),
        Some(AuthorizeError::NotRegistered(_))
    ));
    assert_eq!(authorized(after), None);
    assert!(matches!(
        authorized(alone),
        Some(AuthorizeError::TooFewKeys { .. })
    ));
    // A signature that is nobody's does not take away those that are enough: else whoever logs a
    // claim again could void it.
    assert_eq!(authorized(foreign), None);
    assert!(matches!(
        authorized(old_keys),
        Some(AuthorizeError::NotItsKey { .. })
    ));
    assert_eq!(authorized(new_key), None);
}

#[test]
fn only_the_issuer_withdraws_and_only_for_itself() {
    let mut world = World::new();
    let (a, b, c) = (
        world.register("a", &[1], 1),
        world.register("b", &[2], 1),
        world.register("c", &[3], 1),
    );
    let joint = opinion(&mut world, &[&a, &b]);
    let by_stranger = world.withdraw(&c, joint);
    assert_eq!(standing(&world, joint, &a), Standing::Good);
    assert_eq!(standing(&world, by_stranger, &c), Standing::NotTheIssuer);
    let by_a = world.withdraw(&a, joint);
    assert_eq!(
        standing(&world, joint, &a),
        Standing::Withdrawn {
            by: by_a,
            superseded_by: None
        }
    );
    assert_eq!(standing(&world, joint, &b), Standing::Good);
    assert_eq!(standing(&world, by_a, &a), Standing::Good);
    // A withdrawal without standing withdraws nothing.
    let unsigned = world.withdraw(&b.with(&[9]), joint);
    assert!(matches!(
        standing(&world, unsigned, &b),
        Standing::NotAuthorized(_)
    ));
    assert_eq!(standing(&world, joint, &b), Standing::Good);
    let trust = Trust::judge(&world.claims);
    let judged = trust
        .claims()
        .iter()
        .find(|judged| judged.logged().claim().id() == joint)
        .unwrap();
    assert!(judged.has_effect() && judged.is_good_for(&b.id) && !judged.is_good_for(&a.id));
}

#[test]
fn a_withdrawal_is_final_and_counts_in_every_log() {
    let mut world = World::new();
    let a = world.register("a", &[1], 1);
    let claim = opinion(&mut world, &[&a]);
    let withdrawal = world.withdraw(&a, claim);
    let undone = world.withdraw(&a, withdrawal);
    assert_eq!(standing(&world, undone, &a), Standing::Final);
    assert!(matches!(
        standing(&world, claim, &a),
        Standing::Withdrawn { .. }
    ));

    let mut other = World::of("other.example/log");
    other.register("a", &[1], 1);
    other.next_leaf();
    let same = other.log(world.claims[1].claim().statement(), &[&a]);
    assert_eq!(same, claim);
    let both = || other.claims.iter().chain(&world.claims);
    let trust = Trust::judge(both());
    let effects = trust
        .claims()
        .iter()
        .filter(|judged| judged.logged().claim().id() == claim);
    assert_eq!(
        effects.map(JudgedClaim::has_effect).collect::<Vec<_>>(),
        [false, false]
    );
    // A record counts in every log, by the time of the log that holds it.
    let trust = Trust::judge(other.claims[1..].iter().chain(&world.claims[..1]));
    let [_, judged] = trust.claims() else {
        panic!("{:?}", trust.claims().len());
    };
    assert_eq!(judged.logged().origin(), "other.example/log");
    assert!(matches!(
        judged.spoken()[0].standing,
        Standing::NotAuthorized(AuthorizeError::NotRegistered(_))
    ));
    other.at_ms += 2 * DAY_MS;
    opinion(&mut other, &[&a]);
    let trust = Trust::judge(other.claims[2..].iter().chain(&world.claims[..1]));
    assert!(trust.claims()[1].is_good_for(&a.id));
}

#[test]
fn a_compromise_counts_from_its_leaf_on_and_not_before() {
    let mut world = World::new();
    let a = world.register("a", &[1, 2], 1);
    let before = opinion(&mut world, &[&a.with(&[1])]);
    let from = world.next_leaf();
    let since = opinion(&mut world, &[&a.with(&[1])]);
    let other_key = opinion(&mut world, &[&a.with(&[2])]);
    let both_keys = opinion(&mut world, &[&a]);
    let by = world.compromise(&a.with(&[2]), &a, 1, from);
    let after = opinion(&mut world, &[&a.with(&[1])]);
    let compromised = Standing::KeyCompromised {
        key: public(1),
        from,
        by,
    };
    assert_eq!(standing(&world, before, &a), Standing::Good);
    assert_eq!(standing(&world, since, &a), compromised);
    assert_eq!(standing(&world, other_key, &a), Standing::Good);
    assert_eq!(standing(&world, both_keys, &a), Standing::Good);
    assert_eq!(standing(&world, after, &a), compromised);
    assert_eq!(standing(&world, by, &a), Standing::Good);
    // It cannot be taken back, least of all with the key that it is about.
    let undo = world.withdraw(&a.with(&[2]), by);
    assert_eq!(standing(&world, undo, &a), Standing::Final);
    assert_eq!(standing(&world, since, &a), compromised);
}

#[test]
fn the_threshold_is_kept_without_the_compromised_key() {
    let mut world = World::new();
    let a = world.register("a", &[1, 2, 3], 2);
    let (with, without) = (
        opinion(&mut world, &[&a.with(&[1, 2])]),
        opinion(&mut world, &[&a.with(&[2, 3])]),
    );
    let three = opinion(&mut world, &[&a]);
    world.compromise(&a.with(&[2, 3]), &a, 1, LeafIndex::new(0));
    assert!(matches!(
        standing(&world, with, &a),
        Standing::KeyCompromised { .. }
    ));
    assert_eq!(
        (standing(&world, without, &a), standing(&world, three, &a)),
        (Standing::Good, Standing::Good)
    );
}

#[test]
fn nobody_declares_anothers_key_compromised() {
    let mut world = World::new();
    let (a, b) = (world.register("a", &[1], 1), world.register("b", &[2], 1));
    let claim = opinion(&mut world, &[&a]);
    let stranger = world.compromise(&b, &a, 1, LeafIndex::new(0));
    let not_its = world.compromise(&a, &a, 2, LeafIndex::new(0));
    assert_eq!(standing(&world, stranger, &b), Standing::NotTheIssuer);
    assert_eq!(standing(&world, not_its, &a), Standing::NotItsKey);
    assert_eq!(standing(&world, claim, &a), Standing::Good);
    let theirs = opinion(&mut world, &[&b]);
    assert_eq!(standing(&world, theirs, &b), Standing::Good);
}

#[test]
fn an_issuer_rotates_and_then_declares_and_not_the_other_way_round() {
    let mut world = World::new();
    let a = world.register("a", &[1], 1);
    let stolen = opinion(&mut world, &[&a]);
    let new = world.rotate(&a, &[2], 1, &[1, 2]);
    let rotation = world.claims.last().unwrap().claim().id();
    world.compromise(&new, &a, 1, LeafIndex::new(0));
    let recovered = opinion(&mut world, &[&new]);
    assert_eq!(standing(&world, rotation, &a), Standing::Good);
    assert!(matches!(
        standing(&world, stolen, &a),
        Standing::KeyCompromised { .. }
    ));
    assert_eq!(standing(&world, recovered, &a), Standing::Good);

    let mut world = World::new();
    let a = world.register("a", &[1], 1);
    let declared = world.compromise(&a, &a, 1, LeafIndex::new(1));
    assert_eq!(standing(&world, declared, &a), Standing::Good);
    let thief = world.rotate(&a, &[2], 1, &[1, 2]);
    let rotation = world.claims.last().unwrap().claim().id();
    let taken = opinion(&mut world, &[&thief]);
    assert!(matches!(
        standing(&world, rotation, &a),
        Standing::KeyCompromised { .. }
    ));
    assert!(matches!(
        standing(&world, taken, &a),
        Standing::NotAuthorized(AuthorizeError::NotItsKey { .. })
    ));
}

#[test]
fn responses_and_disputes_are_attached_while_they_have_effect() {
    let mut world = World::new();
    let (a, b) = (world.register("a", &[1], 1), world.register("b", &[2], 1));
    let claim = opinion(&mut world, &[&a]);
    let dispute = world.respond(&b, claim, "dispute");
    world.respond(&a, claim, "explain");
    world.respond(&b.with(&[9]), claim, "dispute");
    let counts = |world: &World| {
        let trust = Trust::judge(&world.claims);
        let judged = trust
            .claims()
            .iter()
            .find(|judged| judged.logged().claim().id() == claim)
            .unwrap();
        (
            trust.responses(judged).count(),
            trust.disputes(judged).count(),
        )
    };
    assert_eq!(counts(&world), (2, 1));
    world.withdraw(&b, dispute);
    assert_eq!(counts(&world), (1, 0));
}

#[test]
fn many_keys_of_one_issuer_are_one_operator() {
    let mut world = World::new();
    let a = world.register("a", &[1, 2, 3], 1);
    opinion(&mut world, &[&a, &a]);
    // The same claim once more, by another of its keys.
    let statement = world.claims[1].claim().statement().clone();
    world.log(&statement, &[&a.with(&[3])]);
    let twice = world.claims.iter().chain(&world.claims);
    let trust = Trust::judge(twice);
    assert_eq!(trust.claims().len(), 3);
    for judged in trust.claims() {
        assert_eq!(judged.issuers().count(), 1);
    }
}
