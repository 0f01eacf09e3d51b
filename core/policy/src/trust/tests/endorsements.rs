//! Roles: what an endorsement gives, and what it does not.

use super::*;

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
    for (claim, here, anywhere) in [
        (other, Some(EndorsementFault::OtherPackages), None),
        (
            outside,
            Some(EndorsementFault::OtherPackages),
            Some(EndorsementFault::EndorserLacksRole),
        ),
        (further, Some(EndorsementFault::EndorserLacksRole), None),
        (
            forged,
            Some(EndorsementFault::Standing),
            Some(EndorsementFault::Standing),
        ),
    ] {
        assert_eq!(fault(&world, &anchors, claim), here);
        assert_eq!(fault_anywhere(&world, &anchors, claim), anywhere);
    }
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
