use super::*;
use crate::testing::{Party, START_MS, World, about, endorsement, patterns, public, purl};
use assay_claims::claim::ClaimId;
use assay_claims::issuer::AuthorizeError;
use assay_claims::kind::Timestamp;
use assay_tlog::tree::LeafIndex;
use proptest::prelude::*;

const AUDIT: &str = "https://example.com/audit";

fn opinion(world: &mut World, parties: &[&Party]) -> ClaimId {
    let text = format!(r#"{{"n":"{}"}}"#, world.next_leaf());
    world.log(&about("pkg:cargo/a@1", AUDIT, &text), parties)
}

/// The standing of a claim for an issuer. The same claim by another issuer has the same id.
fn standing(world: &World, claim: ClaimId, party: &Party) -> Standing {
    let trust = Trust::judge(&world.claims);
    let mut judged = trust
        .claims()
        .iter()
        .filter(|judged| judged.logged().claim().id() == claim);
    let found = judged.find_map(|judged| {
        judged
            .standings()
            .iter()
            .find(|(issuer, _)| *issuer == party.id)
    });
    found.unwrap().1.clone()
}

fn anchor(party: &Party, roles: &[Role], scopes: &[&str], may_delegate: u32) -> Anchor {
    Anchor {
        issuer: party.id,
        roles: roles.to_vec(),
        scopes: patterns(scopes),
        may_delegate,
    }
}

/// Who has which role for a package, by the seeds that parties are known by here.
fn has(world: &World, anchors: &[Anchor], package: &str, party: &Party, role: Role) -> bool {
    let trust = Trust::judge(&world.claims);
    trust
        .roles(anchors, Some(&purl(package)), START_MS)
        .has(&party.id, role)
}

fn fault(world: &World, anchors: &[Anchor], claim: ClaimId) -> Option<EndorsementFault> {
    let trust = Trust::judge(&world.claims);
    let judged = trust
        .claims()
        .iter()
        .find(|judged| judged.logged().claim().id() == claim)
        .unwrap();
    trust
        .roles(anchors, Some(&purl("pkg:cargo/a")), START_MS)
        .fault(judged)
}

/// As [`fault`], of whatever package.
fn fault_anywhere(world: &World, anchors: &[Anchor], claim: ClaimId) -> Option<EndorsementFault> {
    let trust = Trust::judge(&world.claims);
    let judged = trust
        .claims()
        .iter()
        .find(|judged| judged.logged().claim().id() == claim)
        .unwrap();
    trust.roles_anywhere(anchors, START_MS).fault(judged)
}

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
    assert!(matches!(
        authorized(foreign),
        Some(AuthorizeError::NotItsKey { .. })
    ));
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
    // A record of one log does not register the issuer in another.
    let trust = Trust::judge(other.claims[1..].iter().chain(&world.claims));
    let judged = trust
        .claims()
        .iter()
        .find(|judged| judged.logged().origin() == "other.example/log")
        .unwrap();
    assert!(matches!(
        judged.standings()[0].1,
        Standing::NotAuthorized(AuthorizeError::NotRegistered(_))
    ));
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

#[test]
fn an_anchor_hands_its_role_on_as_far_as_it_may() {
    let mut world = World::new();
    let parties: Vec<Party> = (1..=4)
        .map(|seed| world.register("p", &[seed], 1))
        .collect();
    for pair in parties.windows(2) {
        world.endorse(
            &pair[0],
            &endorsement(&pair[1], "auditor", &["pkg:cargo/*"], 8),
        );
    }
    let reached = |depth| {
        let anchors = [anchor(&parties[0], &[Role::Auditor], &["pkg:*"], depth)];
        parties
            .iter()
            .filter(|party| has(&world, &anchors, "pkg:cargo/a@1", party, Role::Auditor))
            .count()
    };
    assert_eq!(
        [reached(0), reached(1), reached(2), reached(3), reached(9)],
        [1, 2, 3, 4, 4]
    );
    let anchors = [anchor(&parties[0], &[Role::Auditor], &["pkg:*"], 2)];
    assert_eq!(
        fault(&world, &anchors, world.claims[6].claim().id()),
        Some(EndorsementFault::TooDeep)
    );
    let trust = Trust::judge(&world.claims);
    let roles = trust.roles(&anchors, Some(&purl("pkg:cargo/a")), START_MS);
    let chain = &roles.of(&parties[2].id)[0].chain;
    let path: Vec<_> = chain
        .iter()
        .map(|link| (link.endorser, link.endorsed, link.leaf.get()))
        .collect();
    assert_eq!(
        path,
        [
            (parties[0].id, parties[1].id, 4),
            (parties[1].id, parties[2].id, 5)
        ]
    );
}

#[test]
fn an_endorsement_widens_neither_scope_nor_role() {
    let mut world = World::new();
    let (a, b, c) = (
        world.register("a", &[1], 1),
        world.register("b", &[2], 1),
        world.register("c", &[3], 1),
    );
    world.endorse(&a, &endorsement(&b, "auditor", &["pkg:cargo/*"], 1));
    let wider = world.endorse(&b, &endorsement(&c, "auditor", &["pkg:*"], 0));
    let other_role = world.endorse(&b, &endorsement(&c, "maintainer", &["pkg:*"], 0));
    let anchors = [anchor(
        &a,
        &[Role::Auditor],
        &["pkg:cargo/*", "pkg:npm/*"],
        2,
    )];
    assert!(has(&world, &anchors, "pkg:cargo/a@1", &c, Role::Auditor));
    assert!(!has(&world, &anchors, "pkg:npm/a@1", &c, Role::Auditor));
    assert!(!has(&world, &anchors, "pkg:pypi/a@1", &a, Role::Auditor));
    assert!(!has(
        &world,
        &anchors,
        "pkg:cargo/a@1",
        &c,
        Role::Maintainer
    ));
    assert_eq!(
        fault(&world, &anchors, other_role),
        Some(EndorsementFault::EndorserLacksRole)
    );
    assert_eq!(fault(&world, &anchors, wider), None);
    let narrow = [anchor(&a, &[Role::Auditor], &["pkg:npm/*"], 2)];
    assert_eq!(
        fault(&world, &narrow, wider),
        Some(EndorsementFault::EndorserLacksRole)
    );
}

#[test]
fn what_the_endorsement_itself_allows_bounds_the_chain() {
    let mut world = World::new();
    let (a, b, c) = (
        world.register("a", &[1], 1),
        world.register("b", &[2], 1),
        world.register("c", &[3], 1),
    );
    world.endorse(&a, &endorsement(&b, "auditor", &["pkg:*"], 0));
    let further = world.endorse(&b, &endorsement(&c, "auditor", &["pkg:*"], 0));
    let anchors = [anchor(&a, &[Role::Auditor], &["pkg:*"], 8)];
    assert!(!has(&world, &anchors, "pkg:cargo/a", &c, Role::Auditor));
    assert_eq!(
        fault(&world, &anchors, further),
        Some(EndorsementFault::TooDeep)
    );
}

#[test]
fn an_expired_withdrawn_or_unauthorized_endorsement_gives_nothing() {
    let mut world = World::new();
    let (a, b) = (world.register("a", &[1], 1), world.register("b", &[2], 1));
    let anchors = [anchor(&a, &[Role::Auditor], &["pkg:*"], 1)];
    let plain = endorsement(&b, "auditor", &["pkg:*"], 0);
    let at = |text: &str| Timestamp::parse(text).unwrap();
    let expired = crate::testing::endorsement(&b, "auditor", &["pkg:*"], 0);
    let expired = assay_claims::kind::endorsement::Endorsement {
        valid_until: at("2025-12-31T23:59:59Z"),
        ..expired
    };
    let early = assay_claims::kind::endorsement::Endorsement {
        valid_from: Some(at("2026-01-02T00:00:00Z")),
        ..plain.clone()
    };
    let elsewhere = assay_claims::kind::endorsement::Endorsement {
        scope: patterns(&["pkg:npm/*"]),
        ..expired.clone()
    };
    for (said, expected) in [
        (&expired, EndorsementFault::Expired),
        (&elsewhere, EndorsementFault::Expired),
        (&early, EndorsementFault::NotYet),
    ] {
        let claim = world.endorse(&a, said);
        assert_eq!(fault_anywhere(&world, &anchors, claim), Some(expected));
        assert!(!has(&world, &anchors, "pkg:cargo/a", &b, Role::Auditor));
        assert_eq!(fault(&world, &anchors, claim), Some(expected));
    }
    let forged = world.endorse(&a.with(&[9]), &plain);
    assert!(!has(&world, &anchors, "pkg:cargo/a", &b, Role::Auditor));
    assert_eq!(
        fault(&world, &anchors, forged),
        Some(EndorsementFault::Standing)
    );
    let good = world.endorse(&a, &endorsement(&b, "auditor", &["pkg:cargo/*"], 0));
    assert!(has(&world, &anchors, "pkg:cargo/a", &b, Role::Auditor));
    world.withdraw(&a, good);
    assert!(!has(&world, &anchors, "pkg:cargo/a", &b, Role::Auditor));
    assert_eq!(
        fault(&world, &anchors, good),
        Some(EndorsementFault::Standing)
    );
}

#[test]
fn a_cycle_gives_nothing() {
    let mut world = World::new();
    let (a, b, c) = (
        world.register("a", &[1], 1),
        world.register("b", &[2], 1),
        world.register("c", &[3], 1),
    );
    // B and C endorse each other, and themselves: nobody whom the policy trusts endorses either.
    world.endorse(&b, &endorsement(&c, "auditor", &["pkg:*"], 8));
    world.endorse(&c, &endorsement(&b, "auditor", &["pkg:*"], 8));
    world.endorse(&b, &endorsement(&b, "auditor", &["pkg:*"], 7));
    let anchors = [anchor(&a, &[Role::Auditor], &["pkg:*"], 8)];
    assert!([&b, &c].iter().all(|party| !has(
        &world,
        &anchors,
        "pkg:cargo/a",
        party,
        Role::Auditor
    )));
    world.endorse(&a, &endorsement(&b, "auditor", &["pkg:cargo/*"], 1));
    let back = world.endorse(&c, &endorsement(&a, "auditor", &["pkg:*"], 8));
    let own = world.endorse(&b, &endorsement(&b, "auditor", &["pkg:*"], 6));
    assert!([&b, &c].iter().all(|party| has(
        &world,
        &anchors,
        "pkg:cargo/a",
        party,
        Role::Auditor
    )));
    assert_eq!(fault(&world, &anchors, back), Some(EndorsementFault::Cycle));
    assert_eq!(fault(&world, &anchors, own), Some(EndorsementFault::Cycle));
    assert_eq!(
        fault_anywhere(&world, &anchors, back),
        Some(EndorsementFault::Cycle)
    );
    assert_eq!(
        fault_anywhere(&world, &anchors, own),
        Some(EndorsementFault::Cycle)
    );
}

#[test]
fn an_endorsement_for_other_packages_is_told_from_one_for_these() {
    let mut world = World::new();
    let (a, b, c) = (
        world.register("a", &[1], 1),
        world.register("b", &[2], 1),
        world.register("c", &[3], 1),
    );
    let anchors = [anchor(
        &a,
        &[Role::Auditor],
        &["pkg:cargo/*", "pkg:pypi/*"],
        2,
    )];
    let other = world.endorse(&a, &endorsement(&b, "auditor", &["pkg:pypi/*"], 1));
    let outside = world.endorse(&a, &endorsement(&b, "auditor", &["pkg:npm/*"], 1));
    // Wider than its endorser's scope: it is for the packages that both are for.
    let further = world.endorse(&b, &endorsement(&c, "auditor", &["pkg:*"], 0));
    let forged = world.endorse(
        &a.with(&[9]),
        &endorsement(&b, "auditor", &["pkg:pypi/a"], 1),
    );
    assert_eq!(
        fault(&world, &anchors, other),
        Some(EndorsementFault::OtherPackages)
    );
    assert_eq!(
        fault(&world, &anchors, outside),
        Some(EndorsementFault::OtherPackages)
    );
    assert_eq!(
        fault(&world, &anchors, further),
        Some(EndorsementFault::EndorserLacksRole)
    );
    assert_eq!(
        fault(&world, &anchors, forged),
        Some(EndorsementFault::Standing)
    );
    assert_eq!(fault_anywhere(&world, &anchors, other), None);
    assert_eq!(
        fault_anywhere(&world, &anchors, outside),
        Some(EndorsementFault::EndorserLacksRole)
    );
    assert_eq!(fault_anywhere(&world, &anchors, further), None);
    assert_eq!(
        fault_anywhere(&world, &anchors, forged),
        Some(EndorsementFault::Standing)
    );
    let trust = Trust::judge(&world.claims);
    let anywhere = trust.roles_anywhere(&anchors, START_MS);
    assert!(
        [&a, &b, &c]
            .iter()
            .all(|party| anywhere.has(&party.id, Role::Auditor))
    );
    assert_eq!(anywhere.of(&c.id)[0].chain.len(), 2);
    let shallow = [anchor(&a, &[Role::Auditor], &["pkg:*"], 1)];
    assert_eq!(
        fault_anywhere(&world, &shallow, further),
        Some(EndorsementFault::TooDeep)
    );
}

#[test]
fn whoever_may_endorse_cannot_make_a_chain_lead_everywhere() {
    let mut world = World::new();
    let (a, b) = (world.register("a", &[1], 1), world.register("b", &[2], 1));
    for i in 0..41 {
        let scope: Vec<String> = (0..250).map(|j| format!("pkg:cargo/a{i}-{j}")).collect();
        let scope: Vec<&str> = scope.iter().map(String::as_str).collect();
        world.endorse(&a, &endorsement(&b, "auditor", &scope, 8));
    }
    let last = world.endorse(&b, &endorsement(&a, "auditor", &["pkg:cargo/a40-249"], 8));
    let first = world.endorse(&b, &endorsement(&a, "auditor", &["pkg:cargo/a0-0"], 8));
    let anchors = [anchor(&a, &[Role::Auditor], &["pkg:*"], 8)];
    assert_eq!(
        fault_anywhere(&world, &anchors, first),
        Some(EndorsementFault::Cycle)
    );
    assert_eq!(
        fault_anywhere(&world, &anchors, last),
        Some(EndorsementFault::EndorserLacksRole)
    );
}

#[test]
fn an_anchor_in_a_policy_needs_no_endorsement_and_a_digest_only_the_widest_scope() {
    let world = World::new();
    let a = World::new().register("a", &[1], 1);
    let trust = Trust::judge(&world.claims);
    let has = |scope: &str| {
        trust
            .roles(&[anchor(&a, &[Role::Scanner], &[scope], 0)], None, START_MS)
            .has(&a.id, Role::Scanner)
    };
    assert!(has("pkg:*") && !has("pkg:cargo/*"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever endorsements there are: a role for a package is had only if a path of valid
    /// endorsements of that role, all of whose scopes hold the package, leads from an anchor in as
    /// many steps as each on the path allows.
    #[test]
    fn no_graph_of_endorsements_widens_anything(
        edges in prop::collection::vec(
            (0_usize..5, 0_usize..5, 0_usize..3, 0_u32..4, any::<bool>()),
            0..14,
        ),
        depth in 0_u32..5,
    ) {
        const SCOPES: [&str; 3] = ["pkg:*", "pkg:cargo/*", "pkg:npm/*"];
        let mut world = World::new();
        let parties: Vec<Party> = (1..=5).map(|seed| world.register("p", &[seed], 1)).collect();
        for (from, to, scope, may_delegate, auditor) in &edges {
            let role = if *auditor { "auditor" } else { "scanner" };
            let said = endorsement(&parties[*to], role, &[SCOPES[*scope]], *may_delegate);
            world.endorse(&parties[*from], &said);
        }
        let anchors = [anchor(&parties[0], &[Role::Auditor], &["pkg:*"], depth)];
        let trust = Trust::judge(&world.claims);
        // Anybody has a role somewhere who has it for a package of one of the scopes, and an
        // endorser may lack it likewise.
        let anywhere = trust.roles_anywhere(&anchors, START_MS);
        let packages = ["pkg:cargo/a@1", "pkg:npm/a@1", "pkg:pypi/a@1"];
        let each = packages.map(|package| trust.roles(&anchors, Some(&purl(package)), START_MS));
        for party in &parties {
            let somewhere = each.iter().any(|roles| roles.has(&party.id, Role::Auditor));
            prop_assert_eq!(anywhere.has(&party.id, Role::Auditor), somewhere);
        }
        let lacks = |fault| {
            let no_role = EndorsementFault::EndorserLacksRole;
            [Some(no_role), Some(EndorsementFault::OtherPackages)].contains(&fault)
        };
        for judged in trust.claims() {
            let everywhere = each.iter().all(|roles| lacks(roles.fault(judged)));
            prop_assert_eq!(lacks(anywhere.fault(judged)), everywhere);
        }
        for (package, matching) in [("pkg:cargo/a@1", [0, 1]), ("pkg:npm/a@1", [0, 2])] {
            // The plainest search: who is reached, with how many steps left.
            let mut reached = vec![(0_usize, depth)];
            for _ in 0..10 {
                for (from, to, scope, may_delegate, auditor) in &edges {
                    for (at, left) in reached.clone() {
                        let step = at == *from && left > 0 && *auditor && matching.contains(scope);
                        let next = (*to, left.saturating_sub(1).min(*may_delegate));
                        if step && !reached.contains(&next) {
                            reached.push(next);
                        }
                    }
                }
            }
            let roles = trust.roles(&anchors, Some(&purl(package)), START_MS);
            for (i, party) in parties.iter().enumerate() {
                let is_reached = reached.iter().any(|(at, _)| *at == i);
                prop_assert_eq!(roles.has(&party.id, Role::Auditor), is_reached);
                prop_assert!(!roles.has(&party.id, Role::Scanner));
                for grant in roles.of(&party.id) {
                    prop_assert!(grant.chain.len() <= depth as usize);
                    let first = grant.chain.first();
                    prop_assert!(first.is_none_or(|link| link.endorser == parties[0].id));
                }
            }
        }
    }

    /// A scope ends where a segment of the purl ends, unless it says otherwise.
    #[test]
    fn scopes_respect_the_segments_of_purls(
        name in "[a-z][a-z0-9]{0,6}",
        more in "[a-z0-9-]{1,4}",
    ) {
        let covers = |scope: &str, package: &str| {
            super::roles::covers(&patterns(&[scope]), Some(&purl(package)))
        };
        let longer = format!("pkg:cargo/{name}{more}");
        let exact = format!("pkg:cargo/{name}");
        prop_assert!(covers(&exact, &exact) && !covers(&exact, &longer));
        let explicit = format!("pkg:cargo/{name}*");
        prop_assert!(covers(&explicit, &longer));
        let namespace = format!("pkg:npm/%40{name}/*");
        let inside = format!("pkg:npm/%40{name}/x@1");
        let outside = format!("pkg:npm/%40{name}{more}/x@1");
        prop_assert!(covers(&namespace, &inside));
        prop_assert!(!covers(&namespace, &outside));
        let other_type = format!("pkg:npm/{name}");
        prop_assert!(!covers("pkg:cargo/*", &other_type));
    }
}
