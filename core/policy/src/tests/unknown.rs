//! What is said where nobody whom the policy trusts says anything.

use super::*;
use crate::testing::about;
use assay_claims::claim::ClaimId;

fn say(world: &mut World, by: &Party) -> ClaimId {
    let text = format!(r#"{{"n":"{}"}}"#, world.next_leaf());
    world.log(
        &about("pkg:cargo/a@1", "https://example.org/own/v1", &text),
        &[by],
    )
}

/// What there is, in counts.
fn unspoken(reason: &Reason) -> Unspoken {
    let Why::Unknown(unspoken) = &reason.why else {
        panic!("{reason:?}");
    };
    unspoken.clone()
}

/// The reason that it is unknown.
fn unknown(policy: &str, world: &World, answers: &[LogAnswer]) -> Option<Reason> {
    let verdict = decided(policy, &world.claims, answers);
    verdict
        .reasons()
        .iter()
        .find(|reason| reason.cause() == Cause::Unknown)
        .cloned()
}

#[test]
fn what_was_said_and_does_not_count_is_not_passed_over() {
    let mut world = World::new();
    let (a, stranger) = (world.register("a", &[1], 1), world.register("b", &[2], 1));
    let policy = format!("version = 1\n{}", anchor(&a, &["auditor"]));
    let reason = |world: &World| unknown(&policy, world, &fresh(world)).unwrap();
    assert_eq!(unspoken(&reason(&world)), Unspoken::default());
    assert!(reason(&world).evidence.is_empty());

    let claim = say(&mut world, &a);
    world.withdraw(&a, claim);
    let withdrawn = reason(&world);
    let one_withdrawn = Unspoken {
        withdrawn: 1,
        idle: 1,
        ..Unspoken::default()
    };
    assert_eq!(unspoken(&withdrawn), one_withdrawn);
    assert_eq!(
        (withdrawn.evidence[0].claim, withdrawn.evidence[0].issuer),
        (claim, a.id)
    );
    assert_eq!(
        (withdrawn.evidence.len(), withdrawn.evidence[0].roles.len()),
        (1, 1)
    );
    assert_eq!(withdrawn.outcome, Outcome::Unknown);

    let forged = {
        let mut world = World::continuing(&world);
        say(&mut world, &a.with(&[9]));
        reason(&world)
    };
    let one_of_each = Unspoken {
        ineffective: 1,
        idle: 2,
        ..one_withdrawn.clone()
    };
    assert_eq!(unspoken(&forged), one_of_each);
    assert_eq!(forged.evidence.len(), 2);

    say(&mut world, &stranger);
    let others = reason(&world);
    let and_another = Unspoken {
        by_others: 1,
        ..one_withdrawn
    };
    assert_eq!(unspoken(&others), and_another);
    assert_eq!(others.evidence[0].claim, claim);
    say(&mut world, &stranger);
    assert_eq!(unspoken(&reason(&world)).by_others, 2);
}

#[test]
fn only_what_is_said_of_this_is_told() {
    let mut world = World::new();
    let a = world.register("a", &[1], 1);
    let policy = format!("version = 1\n{}", anchor(&a, &["auditor"]));
    let elsewhere = about(
        "pkg:cargo/a@1?repository_url=https:%2F%2Fe.org%2Fx",
        "https://example.org/own/v1",
        "{}",
    );
    let claim = world.log(&elsewhere, &[&a]);
    world.withdraw(&a, claim);
    let reason = unknown(&policy, &world, &fresh(&world)).unwrap();
    assert_eq!(unspoken(&reason), Unspoken::default());
    assert!(reason.evidence.is_empty());
}

#[test]
fn what_is_said_of_a_build_alone_is_counted() {
    let build = |by: &Party, world: &mut World| {
        let purl = "pkg:cargo/a@1?arch=riscv64";
        world.log(&about(purl, "urn:assay:audit:v1", AUDIT), &[by]);
    };
    let mut world = World::new();
    let (a, stranger) = (world.register("a", &[1], 1), world.register("b", &[2], 1));
    let policy = format!("version = 1\n{}", anchor(&a, &["auditor"]));
    build(&stranger, &mut world);
    let reason = unknown(&policy, &world, &fresh(&world)).unwrap();
    assert_eq!(unspoken(&reason), Unspoken::default());
    build(&a, &mut world);
    let reason = unknown(&policy, &world, &fresh(&world)).unwrap();
    let one = Unspoken {
        nearby: 1,
        ..Unspoken::default()
    };
    assert_eq!(unspoken(&reason), one);
}

/// A review that passed.
const AUDIT: &str = r#"{"criteria":["safe-to-run"],"verdict":"pass","scope":"version"}"#;

#[test]
fn a_log_that_did_not_answer_leaves_nothing_to_tell_of_what_is_not_said() {
    let mut world = World::new();
    let (a, stranger) = (world.register("a", &[1], 1), world.register("b", &[2], 1));
    let policy = format!("version = 1\n{}", anchor(&a, &["auditor"]));
    let silent = [LogAnswer {
        origin: world.origin.into(),
        answer: Answer::None { why: "x".into() },
    }];
    assert_eq!(unknown(&policy, &world, &silent), None);
    let claim = say(&mut world, &a);
    world.withdraw(&a, claim);
    assert_eq!(
        unknown(&policy, &world, &silent).unwrap().evidence[0].claim,
        claim
    );
    let mut strange = World::continuing(&world);
    say(&mut strange, &stranger);
    assert_eq!(unknown(&policy, &strange, &silent), None);
    // An answer that is too old did answer, then.
    let stale = [LogAnswer {
        origin: world.origin.into(),
        answer: Answer::Complete { head_at_ms: 0 },
    }];
    assert!(unknown(&policy, &World::new(), &stale).is_some());
    assert_eq!(decided(&policy, &[], &stale).outcome(), Outcome::Stale);
}

/// Support dates, for the versions of a range.
fn dates(range: &str) -> String {
    format!(
        r#"{{"end_of_security_support":"2030-01-01","end_of_life":"tba","last_updated":"2026-01-01T00:00:00Z","versions":{{"range":"{range}"}}}}"#
    )
}

/// The outcome after one claim about `pkg:deb/debian/a@1` by an issuer with these roles.
fn after(roles: &[&str], ty: &str, predicate: &str) -> Outcome {
    let mut world = World::new();
    let a = world.register("a", &[1], 1);
    let policy = parse(&format!("version = 1\n{}", anchor(&a, roles)));
    world.log(&about("pkg:deb/debian/a@1", ty, predicate), &[&a]);
    let component = component("pkg:deb/debian/a@1");
    evaluate(&policy, &component, &fresh(&world), &world.claims, NOW_MS).outcome()
}

#[test]
fn what_judges_nothing_leaves_software_unknown() {
    const LIFECYCLE: &str = "urn:assay:lifecycle:v1";
    const TEST: &str = "https://in-toto.io/attestation/test-result/v0.1";
    const SCAN: &str = "https://in-toto.io/attestation/vulns/v0.2";
    let scan = r#"{"scanner":{"uri":"https://e.org/s","result":[]},"metadata":{"scanStartedOn":"2026-01-01T00:00:00Z","scanFinishedOn":"2026-01-01T00:00:00Z"}}"#;
    let own = after(&["auditor"], "https://example.org/own/v1", "{}");
    assert_eq!(own, Outcome::Unknown, "of a type that nobody here knows");
    for (ty, by_builder) in [(TEST, Outcome::Unknown), (SCAN, Outcome::Fine)] {
        assert_eq!(after(&["builder"], ty, scan), by_builder, "{ty}");
        assert_eq!(after(&["auditor"], ty, scan), Outcome::Fine, "{ty}");
        let both = after(&["builder", "auditor"], ty, scan);
        assert_eq!(both, Outcome::Fine, "{ty}");
    }
    let elsewhere = scan.replace(
        "\"metadata\":{",
        "\"metadata\":{\"knownVulnerabilities\":false,",
    );
    let clean = after(&["auditor"], SCAN, &elsewhere);
    assert_eq!(clean, Outcome::Unknown, "it looked for something else");
    // What is no version of Debian's has no place in their order.
    let undecided = after(&["maintainer"], LIFECYCLE, &dates("vers:deb/>=x"));
    assert_eq!(undecided, Outcome::Unknown);
    let every = after(&["maintainer"], LIFECYCLE, &dates("vers:deb/*"));
    assert_eq!(every, Outcome::Fine);
}
