//! Asking from the top down.

use super::*;
use crate::rules::Policy;
use crate::testing;
use assay_claims::logged::LoggedClaim;
use assay_tlog::Hash;
use proptest::prelude::*;

/// A policy with this anchor for everything, an auditor who may delegate so often.
fn policy(party: &Party, scope: &str, may_delegate: u32) -> Policy {
    testing::parse(&format!(
        "version = 1\n[[anchor]]\nname = \"it\"\nissuer = \"{}\"\nroles = [\"auditor\"]\nscopes = \
         [\"{scope}\"]\nmay_delegate = {may_delegate}\n",
        party.id
    ))
}

/// What a log answers of some issuers: what they signed of themselves, and their endorsements.
fn answer(world: &World, asked: &[IssuerId]) -> Vec<LoggedClaim> {
    let signed = |logged: &&LoggedClaim| {
        let mut signers = logged.claim().signers().iter();
        signers.any(|(issuer, _)| asked.contains(issuer))
    };
    world.claims.iter().filter(signed).cloned().collect()
}

/// Walks to the end, and says whom it asked in each step.
fn walk(policy: &Policy, world: &World) -> (Speakers, Vec<Vec<IssuerId>>) {
    let mut walk = Walk::start(policy, START_MS);
    let mut steps = Vec::new();
    loop {
        let asked = walk.to_ask();
        if asked.is_empty() {
            return (walk.finish(), steps);
        }
        walk.take(answer(world, &asked));
        steps.push(asked);
    }
}

fn too_many(party: &Party, world: &World) -> Limit {
    Limit::Endorsements {
        issuer: party.id,
        origin: world.origin.to_owned(),
    }
}

fn found(speakers: &Speakers) -> Vec<IssuerId> {
    speakers.issuers().copied().collect()
}

fn sorted(parties: &[&Party]) -> Vec<IssuerId> {
    let mut ids: Vec<IssuerId> = parties.iter().map(|party| party.id).collect();
    ids.sort();
    ids
}

#[test]
fn a_walk_asks_the_anchors_and_then_whom_they_vouch_for() {
    let mut world = World::new();
    let [a, b, c, d, stranger] = [1, 2, 3, 4, 5].map(|seed| world.register("p", &[seed], 1));
    world.endorse(&a, &endorsement(&b, "auditor", &["pkg:cargo/*"], 1));
    world.endorse(&b, &endorsement(&c, "auditor", &["pkg:*"], 8));
    world.endorse(&c, &endorsement(&d, "auditor", &["pkg:*"], 8));
    world.endorse(&stranger, &endorsement(&stranger, "auditor", &["pkg:*"], 8));
    let (speakers, steps) = walk(&policy(&a, "pkg:*", 2), &world);
    // C has the role and may not hand it on: nobody asks whom it vouches for.
    assert_eq!(steps, [vec![a.id], vec![b.id]]);
    assert_eq!(found(&speakers), sorted(&[&a, &b, &c]));
    assert_eq!(speakers.limits(), []);
    let about = |package: &str| -> Vec<IssuerId> {
        speakers.about(Some(&purl(package))).copied().collect()
    };
    assert_eq!(about("pkg:cargo/x@1"), sorted(&[&a, &b, &c]));
    assert_eq!(about("pkg:npm/x@1"), [a.id]);
    assert_eq!(speakers.about(None).copied().collect::<Vec<_>>(), [a.id]);
    // An anchor that may not delegate is asked nothing, and speaks.
    let (speakers, steps) = walk(&policy(&a, "pkg:*", 0), &world);
    assert_eq!((found(&speakers), steps.len()), (vec![a.id], 0));
    // A role is not handed on beyond the scope of who has it, nor another role.
    let (speakers, _) = walk(&policy(&a, "pkg:npm/*", 2), &world);
    assert_eq!(found(&speakers), [a.id]);
    let mut world = World::new();
    let [a, b] = [1, 2].map(|seed| world.register("p", &[seed], 1));
    world.endorse(&a, &endorsement(&b, "scanner", &["pkg:*"], 1));
    assert_eq!(found(&walk(&policy(&a, "pkg:*", 2), &world).0), [a.id]);
}

#[test]
fn strangers_add_nobody_and_no_step() {
    let mut world = World::new();
    let [a, b, stranger] = [1, 2, 3].map(|seed| world.register("p", &[seed], 1));
    world.endorse(&a, &endorsement(&b, "auditor", &["pkg:*"], 1));
    let policy = policy(&a, "pkg:*", 2);
    let before = walk(&policy, &world);
    for _ in 0..3 {
        world.endorse(&stranger, &endorsement(&stranger, "auditor", &["pkg:*"], 8));
        world.endorse(&stranger, &endorsement(&a, "auditor", &["pkg:*"], 8));
        let in_the_name_of = a.with(&[9]);
        world.endorse(
            &in_the_name_of,
            &endorsement(&stranger, "auditor", &["pkg:*"], 8),
        );
    }
    let after = walk(&policy, &world);
    assert_eq!((found(&before.0), &before.1), (found(&after.0), &after.1));
    assert_eq!(after.0.limits(), []);
    // Even if everything is given that nobody asked for.
    let mut walk = Walk::start(&policy, START_MS);
    walk.take(world.claims.clone());
    assert_eq!(found(&walk.finish()), sorted(&[&a, &b]));
}

/// Who is found if everything is given at every step.
fn walk_of(policy: &Policy, claims: &[LoggedClaim]) -> Speakers {
    let mut walk = Walk::start(policy, START_MS);
    while !walk.to_ask().is_empty() {
        walk.take(claims.to_vec());
    }
    walk.finish()
}

#[test]
fn whoever_vouches_for_too_many_vouches_for_nobody() {
    let mut world = World::new();
    let [a, b, c] = [1, 2, 3].map(|seed| world.register("p", &[seed], 1));
    world.endorse(&a, &endorsement(&b, "auditor", &["pkg:*"], 1));
    world.endorse(&a, &endorsement(&c, "auditor", &["pkg:*"], 1));
    for n in 0..ENDORSEMENTS {
        let scope = format!("pkg:cargo/x{n}");
        world.endorse(&b, &endorsement(&c, "auditor", &[&scope], 0));
    }
    let policy = policy(&a, "pkg:*", 2);
    assert_eq!(walk(&policy, &world).0.limits(), []);
    world.endorse(&b, &endorsement(&c, "auditor", &["pkg:cargo/y"], 0));
    let (speakers, _) = walk(&policy, &world);
    assert_eq!(speakers.limits(), [too_many(&b, &world)]);
    assert_eq!(found(&speakers), sorted(&[&a, &b, &c]));
    // What was taken back does not count.
    let of_b = world
        .claims
        .iter()
        .rfind(|logged| logged.claim().signers()[0].0 == b.id);
    let last = of_b.unwrap().claim().id();
    let withdrawal = world.withdraw(&b, last);
    assert_eq!(walk_of(&policy, &world.claims).limits(), []);
    // In another log it is counted by itself.
    world
        .claims
        .retain(|logged| logged.claim().id() != withdrawal);
    let mut other = World::of("other.example/log");
    other.register("p", &[2], 1);
    let d = other.register("p", &[4], 1);
    other.endorse(&b, &endorsement(&d, "auditor", &["pkg:*"], 0));
    let limit = too_many(&b, &world);
    let speakers = walk_of(&policy, &[world.claims, other.claims].concat());
    assert_eq!(speakers.limits(), [limit]);
    assert_eq!(found(&speakers), sorted(&[&a, &b, &c, &d]));
}

/// A key that was rotated away registers again where nobody knows of it, and vouches for many.
#[test]
fn keys_of_old_do_not_use_up_whom_an_issuer_vouches_for() {
    let (mut world, mut other) = (World::new(), World::of("other.example/log"));
    let [a, b, c] = [1, 2, 3].map(|seed| world.register("p", &[seed], 1));
    other.register("p", &[2], 1);
    world.endorse(&a, &endorsement(&b, "auditor", &["pkg:*"], 1));
    world.endorse(&b, &endorsement(&c, "auditor", &["pkg:*"], 0));
    world.at_ms += DAY_MS;
    world.rotate(&b, &[9], 1, &[2, 9]);
    other.at_ms = world.at_ms + DAY_MS;
    for n in 0..=ENDORSEMENTS {
        let scope = format!("pkg:cargo/x{n}");
        other.endorse(&b, &endorsement(&a, "auditor", &[&scope], 0));
    }
    let policy = policy(&a, "pkg:*", 2);
    let speakers = walk_of(&policy, &[world.claims, other.claims].concat());
    assert_eq!(speakers.limits(), []);
    assert_eq!(found(&speakers), sorted(&[&a, &b, &c]));
}

#[test]
fn a_walk_stops_at_the_last_whole_step_and_says_so() {
    let mut world = World::new();
    let [a, b] = [1, 2].map(|seed| world.register("p", &[seed], 1));
    let delegates: Vec<Party> = (3..8).map(|seed| world.register("p", &[seed], 1)).collect();
    world.endorse(&a, &endorsement(&b, "auditor", &["pkg:*"], 2));
    for delegate in &delegates {
        world.endorse(&b, &endorsement(delegate, "auditor", &["pkg:*"], 1));
    }
    let made_up = |n: usize, m: usize| Party {
        id: IssuerId::from_hex(&Hash::of(format!("{n} {m}").as_bytes()).to_hex()).unwrap(),
        seeds: vec![],
    };
    for (n, delegate) in delegates.iter().enumerate() {
        for m in 0..ENDORSEMENTS {
            world.endorse(
                delegate,
                &endorsement(&made_up(n, m), "auditor", &["pkg:*"], 0),
            );
        }
    }
    let (speakers, steps) = walk(&policy(&a, "pkg:*", 3), &world);
    assert_eq!((steps.len(), speakers.issuers().count()), (3, 7));
    let stopped = Limit::Issuers {
        scope: patterns(&["pkg:*"])[0].clone(),
        steps: 2,
    };
    assert_eq!(speakers.limits(), [stopped]);
}

#[test]
fn a_walk_that_ends_early_says_whom_it_did_not_ask() {
    let mut world = World::new();
    let [a, b] = [1, 2].map(|seed| world.register("p", &[seed], 1));
    world.endorse(&a, &endorsement(&b, "auditor", &["pkg:*"], 1));
    let policy = policy(&a, "pkg:*", 2);
    let mut walk = Walk::start(&policy, START_MS);
    walk.take(answer(&world, &[a.id]));
    assert_eq!(walk.finish().limits(), [Limit::Unasked(b.id)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whoever has a role for a package, when all is known, is among those a walk finds for it.
    #[test]
    fn a_walk_finds_everybody_who_has_a_role(
        edges in prop::collection::vec(
            (0_usize..6, 0_usize..6, 0_usize..3, 0_u32..4),
            0..16,
        ),
        depth in 0_u32..5,
    ) {
        const SCOPES: [&str; 3] = ["pkg:*", "pkg:cargo/*", "pkg:npm/*"];
        let mut world = World::new();
        let parties: Vec<Party> = (1..=6).map(|seed| world.register("p", &[seed], 1)).collect();
        for (from, to, scope, may_delegate) in edges {
            let said = endorsement(&parties[to], "auditor", &[SCOPES[scope]], may_delegate);
            world.endorse(&parties[from], &said);
        }
        let policy = policy(&parties[0], "pkg:*", depth);
        let (speakers, steps) = walk(&policy, &world);
        prop_assert!(steps.len() <= STEPS as usize);
        prop_assert_eq!(speakers.limits(), []);
        let trust = Trust::judge(&world.claims);
        for package in ["pkg:cargo/a@1", "pkg:npm/a@1", "pkg:pypi/a@1"] {
            let package = purl(package);
            let roles = trust.roles(&policy.trust_anchors(), Some(&package), START_MS);
            let have: Vec<IssuerId> = roles.issuers().copied().collect();
            let about: Vec<IssuerId> = speakers.about(Some(&package)).copied().collect();
            prop_assert_eq!(have, about);
        }
    }
}
