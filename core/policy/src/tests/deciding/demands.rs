//! What meets a requirement.

use super::*;

/// What came of a demand.
fn demanded(reason: &Reason) -> &Demanded {
    let Why::Requirement(demanded) = &reason.why else {
        panic!("{reason:?}");
    };
    demanded
}

#[test]
fn a_requirement_counts_distinct_issuers_with_the_role() {
    let mut world = World::new();
    let a = world.register("a", &[1, 2], 1);
    let (b, stranger) = (world.register("b", &[3], 1), world.register("c", &[4], 1));
    let policy = format!(
        "version = 1\n{}{}{}",
        anchor(&a, &["auditor"]),
        anchor(&b, &["auditor"]),
        two_auditors("")
    );
    // One operator, with two keys, twice; and a stranger.
    audit(&mut world, &[&a], "pass");
    audit(&mut world, &[&a.with(&[2])], "pass");
    audit(&mut world, &[&stranger], "pass");
    let verdict = decided(&policy, &world.claims, &fresh(&world));
    assert_eq!(verdict.outcome(), Outcome::Unmet);
    let reason = &verdict.reasons()[0];
    assert_eq!(reason.evidence.len(), 1);
    let missed = demanded(reason);
    // The stranger is not passed over for lack of the role: it is not asked.
    assert_eq!((missed.wanted.issuers, missed.no_role), (2, 0));
    // Given twice, it is still one.
    let twice: Vec<_> = world.claims.iter().chain(&world.claims).cloned().collect();
    assert_eq!(
        decided(&policy, &twice, &fresh(&world)).outcome(),
        Outcome::Unmet
    );
    audit(&mut world, &[&b], "pass");
    let verdict = decided(&policy, &world.claims, &fresh(&world));
    assert_eq!(verdict.outcome(), Outcome::Fine);
    assert_eq!(verdict.reasons()[0].evidence.len(), 2);
    assert_eq!(verdict.reasons()[0].evidence[0].roles.len(), 1);
}

#[test]
fn a_requirement_may_ask_for_age_and_a_condition_and_may_only_warn() {
    let mut world = World::new();
    let a = world.register("a", &[1], 1);
    audit(&mut world, &[&a], "pass");
    let policy = |lines: &str, effect: &str| {
        let rule = rule(
            "require",
            effect,
            &format!("claims = [\"audit\"]\nfrom = [\"auditor\"]\n{lines}"),
        );
        format!("version = 1\n{}{rule}", anchor(&a, &["auditor"]))
    };
    // How many did not count because of their age, and because of the condition.
    for (lines, effect, expected, too_old, condition) in [
        ("max_age = \"30d\"", "deny", Outcome::Fine, 0, 0),
        ("max_age = \"9d\"", "deny", Outcome::Unmet, 1, 0),
        ("max_age = \"9d\"", "warn", Outcome::Warn, 1, 0),
        ("when = \"passed\"", "deny", Outcome::Fine, 0, 0),
        ("when = \"false\"", "deny", Outcome::Unmet, 0, 1),
        ("when = \"error\"", "deny", Outcome::Unmet, 0, 0),
        ("when = \"named a\"", "deny", Outcome::Fine, 0, 0),
        ("when = \"old\"", "deny", Outcome::Unmet, 0, 1),
    ] {
        let verdict = decided(&policy(lines, effect), &world.claims, &fresh(&world));
        assert_eq!(verdict.outcome(), expected, "{lines}");
        let missed = demanded(&verdict.reasons()[0]);
        assert_eq!(
            (missed.too_old, missed.condition),
            (too_old, condition),
            "{lines}"
        );
        let error = lines
            .contains("error")
            .then(|| "there is no such field".to_owned());
        assert_eq!(missed.undecided, error, "{lines}");
    }
}

#[test]
fn rules_are_of_their_scope_and_claims_of_their_subject() {
    let mut world = World::new();
    let a = world.register("a", &[1], 1);
    audit(&mut world, &[&a], "pass");
    let policy = parse(&format!(
        "version = 1\n{}{}",
        anchor(&a, &["auditor"]),
        two_auditors("")
    ));
    let of = |policy: &Policy, purl: &str| {
        evaluate(
            policy,
            &component(purl),
            &fresh(&world),
            &world.claims,
            NOW_MS,
        )
        .outcome()
    };
    assert_eq!(of(&policy, "pkg:cargo/a@1"), Outcome::Unmet);
    assert_eq!(of(&policy, "pkg:cargo/a@2"), Outcome::Unknown);
    assert_eq!(of(&policy, "pkg:cargo/a"), Outcome::Unknown);
    assert_eq!(of(&policy, "pkg:cargo/ab@1"), Outcome::Unknown);
    let elsewhere = two_auditors("").replace("scopes = [\"pkg:*\"]", "scopes = [\"pkg:npm/*\"]");
    let policy = parse(&format!(
        "version = 1\n{}{elsewhere}",
        anchor(&a, &["auditor"])
    ));
    assert_eq!(of(&policy, "pkg:cargo/a@1"), Outcome::Fine);
}

#[test]
fn a_claim_about_another_artifact_of_the_version_meets_no_demand() {
    use assay_claims::statement::{Statement, Subject};
    let mut world = World::new();
    let a = world.register("a", &[1], 1);
    let (one, other) = (Hash::of(b"1").to_hex(), Hash::of(b"2").to_hex());
    let subject = Subject::of_parts(
        None,
        Some("pkg:cargo/a@1".into()),
        vec![("sha256".into(), one.clone())],
    );
    let said = crate::testing::value(r#"{"criteria":["x"],"verdict":"pass","scope":"version"}"#);
    world.log(&Statement::new(vec![subject], AUDIT, said).unwrap(), &[&a]);
    let demand = rule(
        "require",
        "deny",
        "claims = [\"audit\"]\nfrom = [\"auditor\"]",
    );
    let policy = parse(&format!(
        "version = 1\n{}{demand}",
        anchor(&a, &["auditor"])
    ));
    let of = |digest: &str, world: &World| {
        let purl = component("pkg:cargo/a@1").purl().cloned();
        let component = Component::new(purl, vec![("sha256".into(), digest.into())]);
        evaluate(&policy, &component, &fresh(world), &world.claims, NOW_MS).outcome()
    };
    assert_eq!(
        (of(&one, &world), of(&other, &world)),
        (Outcome::Fine, Outcome::Unknown)
    );
    // That something else is known of this one does not lend it the review of the other.
    world.log(
        &about(
            "pkg:cargo/a@1",
            "https://in-toto.io/attestation/test-result/v0.1",
            "{}",
        ),
        &[&a],
    );
    assert_eq!(
        (of(&one, &world), of(&other, &world)),
        (Outcome::Fine, Outcome::Unmet)
    );
    let by_digest = Component::of_sha256(&Hash::from_hex(&one).unwrap());
    let everywhere = evaluate(&policy, &by_digest, &fresh(&world), &world.claims, NOW_MS);
    assert_eq!(everywhere.outcome(), Outcome::Fine);
}

#[test]
fn unknown_is_not_trusted_and_strangers_do_not_make_it_known() {
    let mut world = World::new();
    let (a, stranger) = (world.register("a", &[1], 1), world.register("b", &[2], 1));
    audit(&mut world, &[&stranger], "pass");
    let policy = |unknown: &str| {
        format!(
            "version = 1\nunknown = \"{unknown}\"\n{}",
            anchor(&a, &["auditor"])
        )
    };
    for (unknown, expected) in [
        ("deny", Outcome::Unknown),
        ("warn", Outcome::Warn),
        ("allow", Outcome::Fine),
    ] {
        let verdict = decided(&policy(unknown), &world.claims, &fresh(&world));
        assert_eq!(verdict.outcome(), expected);
        let others = |reason: &Reason| match &reason.why {
            Why::Unknown(unspoken) => unspoken.by_others,
            _ => 0,
        };
        assert!(verdict.reasons().iter().all(|reason| others(reason) == 1));
    }
    audit(&mut world, &[&a], "pass");
    assert_eq!(outcome(&policy("deny"), &world), Outcome::Fine);
}

#[test]
fn an_endorsed_issuer_counts_while_it_is_endorsed() {
    let mut world = World::new();
    let (a, b) = (world.register("a", &[1], 1), world.register("b", &[2], 1));
    audit(&mut world, &[&b], "pass");
    let demand = rule(
        "require",
        "deny",
        "claims = [\"audit\"]\nfrom = [\"auditor\"]",
    );
    let policy = format!(
        "version = 1\n{}{demand}",
        anchor(&a, &["auditor", "scanner"])
    );
    assert_eq!(outcome(&policy, &world), Outcome::Unknown);
    let expired = endorsement(&b, "auditor", &["pkg:*"], 0);
    let expired = Endorsement {
        valid_until: Timestamp::parse("2026-01-05T00:00:00Z").unwrap(),
        ..expired
    };
    world.endorse(&a, &expired);
    world.endorse(&a, &endorsement(&b, "auditor", &["pkg:npm/*"], 0));
    world.endorse(&a, &endorsement(&b, "scanner", &["pkg:*"], 0));
    world.endorse(&b, &endorsement(&b, "auditor", &["pkg:*"], 0));
    // It has a role now, but another one.
    assert_eq!(outcome(&policy, &world), Outcome::Unmet);
    let good = world.endorse(&a, &endorsement(&b, "auditor", &["pkg:cargo/*"], 0));
    let verdict = decided(&policy, &world.claims, &fresh(&world));
    assert_eq!(verdict.outcome(), Outcome::Fine);
    let auditor = verdict.reasons()[0].evidence[0]
        .roles
        .iter()
        .find(|grant| grant.role == crate::trust::Role::Auditor);
    assert_eq!(auditor.unwrap().chain[0].claim, good);
    world.withdraw(&a, good);
    assert_eq!(outcome(&policy, &world), Outcome::Unmet);
}

#[test]
fn what_is_withdrawn_or_compromised_meets_no_demand() {
    let mut world = World::new();
    let (a, b) = (
        world.register("a", &[1, 2], 1),
        world.register("b", &[3], 1),
    );
    let claim = audit(&mut world, &[&a.with(&[1])], "pass");
    let demand = rule(
        "require",
        "deny",
        "claims = [\"audit\"]\nfrom = [\"auditor\"]",
    );
    let policy = format!(
        "version = 1\n{}{}{demand}",
        anchor(&a, &["auditor"]),
        anchor(&b, &["auditor"])
    );
    world.withdraw(&b, claim);
    world.compromise(&b, &a, 1, LeafIndex::new(0));
    assert_eq!(outcome(&policy, &world), Outcome::Fine);
    let withdrawn = {
        let mut world = World::continuing(&world);
        world.withdraw(&a, claim);
        outcome(&policy, &world)
    };
    world.compromise(&a.with(&[2]), &a, 1, LeafIndex::new(2));
    assert_eq!(
        (withdrawn, outcome(&policy, &world)),
        (Outcome::Unknown, Outcome::Unknown)
    );
}
