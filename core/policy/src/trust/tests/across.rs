//! One issuer in several logs: whose keys count where, and how old a word is.

use super::*;
use crate::trust::spot::BETWEEN_LOGS_MS;
use assay_claims::logged::LoggedClaim;

const OTHER: &str = "other.example/log";

/// Two logs in which an issuer registered with these keys, at the same time.
fn two_logs(seeds: &[u8], threshold: u32) -> (World, World, Party) {
    let (mut one, mut other) = (World::new(), World::of(OTHER));
    let party = one.register("a", seeds, threshold);
    other.register("a", seeds, threshold);
    (one, other, party)
}

fn both(one: &World, other: &World) -> Vec<LoggedClaim> {
    one.claims.iter().chain(&other.claims).cloned().collect()
}

/// What a claim is worth for an issuer, by all logs together.
fn spoken(claims: &[LoggedClaim], claim: ClaimId, party: &Party) -> Spoken {
    let trust = Trust::judge(claims);
    let mut judged = trust.claims().iter();
    let judged = judged.find(|judged| judged.logged().claim().id() == claim);
    let mut spoken = judged.unwrap().spoken().iter();
    spoken.find(|one| one.issuer == party.id).unwrap().clone()
}

/// Logs the same claim as in another log.
fn copy(from: &World, claim: ClaimId, to: &mut World, by: &Party) {
    let mut claims = from.claims.iter();
    let copied = claims.find(|logged| logged.claim().id() == claim).unwrap();
    assert_eq!(to.log(copied.claim().statement(), &[by]), claim);
}

#[test]
fn a_key_that_was_rotated_away_speaks_in_no_log() {
    let (mut one, mut other, a) = two_logs(&[1], 1);
    let before = opinion(&mut other, &[&a]);
    one.at_ms += DAY_MS;
    one.rotate(&a, &[2], 1, &[1, 2]);
    // The other log does not know of it.
    other.at_ms += DAY_MS + 2 * BETWEEN_LOGS_MS;
    let since = opinion(&mut other, &[&a]);
    let withdrawal = other.withdraw(&a, before);
    let claims = both(&one, &other);
    assert_eq!(spoken(&claims, before, &a).standing, Standing::Good);
    for nothing in [since, withdrawal] {
        let worth = spoken(&claims, nothing, &a);
        assert!(!worth.against && !worth.standing.is_good(), "{worth:?}");
    }
    // Without the log that knows of it, nobody can tell.
    assert_eq!(spoken(&other.claims, since, &a).standing, Standing::Good);
}

#[test]
fn clocks_of_two_logs_that_differ_by_less_than_an_hour_prove_nothing() {
    for (late_ms, expected) in [
        (2 * BETWEEN_LOGS_MS, "nothing"),
        (BETWEEN_LOGS_MS / 2, "against"),
    ] {
        let (mut one, mut other, a) = two_logs(&[1], 1);
        one.at_ms += DAY_MS;
        one.rotate(&a, &[2], 1, &[1, 2]);
        other.at_ms += DAY_MS + late_ms;
        let said = opinion(&mut other, &[&a]);
        let worth = spoken(&both(&one, &other), said, &a);
        assert!(!worth.standing.is_good(), "{expected}");
        assert_eq!(worth.against, expected == "against");
    }
    // In one log the order of leaves is all that counts.
    let (mut one, other, a) = two_logs(&[1], 1);
    let before = opinion(&mut one, &[&a]);
    let new = one.rotate(&a, &[2], 1, &[1, 2]);
    let after = opinion(&mut one, &[&new]);
    let claims = both(&one, &other);
    assert_eq!(spoken(&claims, before, &a).standing, Standing::Good);
    assert_eq!(spoken(&claims, after, &a).standing, Standing::Good);
}

#[test]
fn a_copy_of_a_compromise_voids_nothing_by_the_leaves_of_another_log() {
    let (mut one, mut other, a) = two_logs(&[1, 2], 1);
    // Many leaves, early: in the other log the same leaf is another time.
    let early: Vec<ClaimId> = (0..6)
        .map(|_| opinion(&mut other, &[&a.with(&[1])]))
        .collect();
    one.at_ms += DAY_MS;
    let text = about("pkg:cargo/a@1", AUDIT, r#"{"n":"stolen"}"#);
    let stolen = one.log(&text, &[&a.with(&[1])]);
    let from = LeafIndex::new(1);
    let declared = one.compromise(&a.with(&[2]), &a, 1, from);
    other.at_ms += 2 * DAY_MS;
    copy(&one, declared, &mut other, &a.with(&[2]));
    let late = opinion(&mut other, &[&a.with(&[1])]);
    let claims = both(&one, &other);
    for good in early {
        assert_eq!(spoken(&claims, good, &a).standing, Standing::Good);
    }
    for bad in [stolen, late] {
        let worth = spoken(&claims, bad, &a).standing;
        assert!(
            matches!(worth, Standing::KeyCompromised { .. }),
            "{worth:?}"
        );
    }
}

#[test]
fn how_long_a_chain_is_decides_nothing() {
    let (mut one, mut other, a) = two_logs(&[1], 1);
    let new = one.rotate(&a, &[2], 1, &[1, 2]);
    other.at_ms += 2 * DAY_MS;
    let mut thief = other.rotate(&a, &[11], 1, &[1, 11]);
    for seed in 12..40 {
        let last = thief.seeds[0];
        thief = other.rotate(&thief, &[seed], 1, &[last, seed]);
    }
    one.at_ms += 3 * DAY_MS;
    let good = opinion(&mut one, &[&new]);
    other.at_ms += 3 * DAY_MS;
    let stolen = opinion(&mut other, &[&thief]);
    let claims = both(&one, &other);
    assert_eq!(spoken(&claims, good, &a).standing, Standing::Good);
    let worth = spoken(&claims, stolen, &a);
    assert!(!worth.standing.is_good() && !worth.against);
    let trust = Trust::judge(&claims);
    assert_eq!(trust.record(&a.id).unwrap().body.keys, [public(2)]);
}

#[test]
fn two_records_within_a_day_fork_an_issuer_and_neither_governs() {
    let (mut one, mut other, a) = two_logs(&[1], 1);
    let before = opinion(&mut one, &[&a]);
    let new = one.rotate(&a, &[2], 1, &[1, 2]);
    other.at_ms += DAY_MS / 2;
    let thief = other.rotate(&a, &[3], 1, &[1, 3]);
    (one.at_ms, other.at_ms) = (one.at_ms + DAY_MS, other.at_ms + DAY_MS);
    let (mine, theirs) = (opinion(&mut one, &[&new]), opinion(&mut other, &[&thief]));
    let claims = both(&one, &other);
    assert_eq!(spoken(&claims, before, &a).standing, Standing::Good);
    for forked in [mine, theirs] {
        let worth = spoken(&claims, forked, &a);
        assert_eq!(worth.standing, Standing::Forked);
        assert!(worth.against);
    }
}

#[test]
fn a_signature_is_as_old_as_its_first_leaf_and_no_older() {
    // A thief logs a statement under another issuer, steals the key, and signs the same bytes.
    let mut world = World::new();
    let (a, thrown_away) = (world.register("a", &[1], 1), world.register("x", &[9], 1));
    let claim = opinion(&mut world, &[&thrown_away]);
    world.at_ms += 5 * DAY_MS;
    let again = World::continuing(&world);
    copy(&again, claim, &mut world, &a);
    let (own, other) = (
        spoken(&world.claims, claim, &a),
        spoken(&world.claims, claim, &thrown_away),
    );
    assert_eq!(own.since.leaf, LeafIndex::new(3));
    assert!(own.since_ms >= other.since_ms + 5 * DAY_MS);
    // To log it again, anywhere, makes it no younger.
    let mut elsewhere = World::of(OTHER);
    elsewhere.register("a", &[1], 1);
    elsewhere.at_ms += 9 * DAY_MS;
    copy(&again, claim, &mut elsewhere, &a);
    let claims = both(&world, &elsewhere);
    assert_eq!(spoken(&claims, claim, &a), own);
}

#[test]
fn signatures_of_one_claim_are_united_over_leaves() {
    // The fewest signatures that are enough, logged first, do not keep the others out.
    let mut world = World::new();
    let a = world.register("a", &[1, 2, 3], 2);
    let claim = opinion(&mut world, &[&a.with(&[1, 2])]);
    let again = World::continuing(&world);
    copy(&again, claim, &mut world, &a.with(&[3]));
    assert_eq!(
        spoken(&world.claims, claim, &a).since.leaf,
        LeafIndex::new(1)
    );
    world.compromise(&a.with(&[2, 3]), &a, 1, LeafIndex::new(0));
    let worth = spoken(&world.claims, claim, &a);
    assert_eq!(worth.standing, Standing::Good);
    // Since then there are two sound ones.
    assert_eq!(worth.since.leaf, LeafIndex::new(2));
    // A leaf with a signature that is not the issuer's takes nothing away.
    let again = World::continuing(&world);
    copy(&again, claim, &mut world, &a.with(&[77]));
    assert_eq!(spoken(&world.claims, claim, &a), worth);
}

#[test]
fn a_compromise_by_the_key_itself_reaches_back_before_nothing() {
    let mut world = World::new();
    let a = world.register("a", &[1], 1);
    let said = opinion(&mut world, &[&a]);
    let taken_back = opinion(&mut world, &[&a]);
    world.withdraw(&a, taken_back);
    // Whoever stole the key, or the issuer: nobody can tell.
    let declared = world.compromise(&a, &a, 1, LeafIndex::new(0));
    let later = opinion(&mut world, &[&a]);
    assert_eq!(spoken(&world.claims, declared, &a).standing, Standing::Good);
    assert_eq!(spoken(&world.claims, said, &a).standing, Standing::Good);
    let withdrawn = spoken(&world.claims, taken_back, &a).standing;
    assert!(matches!(withdrawn, Standing::Withdrawn { .. }));
    let worth = spoken(&world.claims, later, &a);
    assert!(matches!(worth.standing, Standing::KeyCompromised { .. }));
    assert!(!worth.against);
}

#[test]
fn what_was_said_against_something_outlives_the_key_that_said_it() {
    let mut world = World::new();
    let a = world.register("a", &[1], 1);
    let from = world.next_leaf();
    let said = opinion(&mut world, &[&a]);
    let (good, bad) = (opinion(&mut world, &[&a]), opinion(&mut world, &[&a]));
    world.withdraw(&a, good);
    let new = world.rotate(&a, &[2], 1, &[1, 2]);
    world.compromise(&new, &a, 1, from);
    let late = opinion(&mut world, &[&a]);
    let worth = |claim| {
        let worth = spoken(&world.claims, claim, &a);
        (worth.standing.is_good(), worth.against)
    };
    // The key is void from then on for all that it could clear, and withdraws nothing that was
    // said against something.
    assert_eq!(
        [said, good, bad, late].map(worth),
        [(false, true), (false, true), (false, true), (false, false)]
    );
    // The issuer takes it back with a sound key.
    world.withdraw(&new, said);
    let worth = spoken(&world.claims, said, &a);
    assert!(!worth.against && !worth.standing.is_good());
}

#[test]
fn a_withdrawal_by_a_lost_key_takes_back_what_is_for_something_and_no_more() {
    let mut world = World::new();
    let a = world.register("a", &[1], 1);
    let said = opinion(&mut world, &[&a]);
    let from = world.next_leaf();
    world.withdraw(&a, said);
    let new = world.rotate(&a, &[2], 1, &[1, 2]);
    world.compromise(&new, &a, 1, from);
    let worth = spoken(&world.claims, said, &a);
    assert!(matches!(worth.standing, Standing::Withdrawn { .. }));
    assert!(worth.against);
}
