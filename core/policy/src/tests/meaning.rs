//! What a demand means, and what says nothing.

use super::*;
use crate::testing::about;
use crate::trust::{Role, Standing};
use assay_claims::claim::ClaimId;

const AUDIT: &str = "urn:assay:audit:v1";

/// A review of a version: of the whole, or of the change from `base`.
fn review(world: &mut World, by: &Party, of: &str, criterion: &str, base: Option<&str>) -> ClaimId {
    let scope = match base {
        Some(base) => format!(r#""scope":"delta","deltaBase":"{base}""#),
        None => r#""scope":"version""#.to_owned(),
    };
    let text = format!(r#"{{"criteria":["{criterion}"],"verdict":"pass",{scope}}}"#);
    world.log(&about(of, AUDIT, &text), &[by])
}

fn demand(more: &str) -> String {
    let lines = format!("claims = [\"audit\"]\nfrom = [\"auditor\"]\n{more}");
    rule("require", "deny", &lines)
}

fn policy(parties: &[&Party], rest: &str) -> String {
    let anchors = parties.iter().map(|party| anchor(party, &["auditor"]));
    format!("version = 1\n{}{rest}", anchors.collect::<String>())
}

#[test]
fn a_failed_review_meets_no_demand() {
    let mut world = World::new();
    let a = world.register("a", &[1], 1);
    let failed = r#"{"criteria":["c"],"verdict":"fail","scope":"version"}"#;
    world.log(&about("pkg:cargo/a@1", AUDIT, failed), &[&a]);
    let policy = policy(&[&a], &demand(""));
    let verdict = decided(&policy, &world.claims, &fresh(&world));
    assert_eq!(verdict.outcome(), Outcome::Unmet);
    let Why::Requirement(demanded) = &verdict.reasons()[0].why else {
        panic!("{verdict:?}");
    };
    assert_eq!(demanded.no_review, 1);
    review(&mut world, &a, "pkg:cargo/a@1", "c", None);
    assert_eq!(outcome(&policy, &world), Outcome::Fine);
}

#[test]
fn a_review_of_a_change_counts_with_reviews_down_to_a_whole_one() {
    let mut world = World::new();
    let [a, b, stranger] = [1, 2, 3].map(|seed| world.register("p", &[seed], 1));
    let one = policy(&[&a, &b], &demand(""));
    let two = policy(&[&a, &b], &demand("issuers = 2"));
    review(&mut world, &a, "pkg:cargo/a@1", "c", Some("0.9"));
    assert_eq!(outcome(&one, &world), Outcome::Unknown);
    review(
        &mut world,
        &a,
        "pkg:cargo/a@0.9",
        "c",
        Some("pkg:cargo/a@0.8"),
    );
    // Round in a circle, of another package, and by a stranger: nothing to stand on.
    review(&mut world, &a, "pkg:cargo/a@0.8", "c", Some("1"));
    review(&mut world, &a, "pkg:cargo/b@0.8", "c", None);
    review(&mut world, &stranger, "pkg:cargo/a@0.8", "c", None);
    assert_eq!(outcome(&one, &world), Outcome::Unknown);
    let whole = review(&mut world, &b, "pkg:cargo/a@0.8", "c", None);
    assert_eq!(outcome(&one, &world), Outcome::Fine);
    // Two have to have reviewed every step.
    review(&mut world, &b, "pkg:cargo/a@1", "d", Some("0.9"));
    assert_eq!(outcome(&two, &world), Outcome::Unmet);
    review(&mut world, &b, "pkg:cargo/a@0.9", "d", Some("0.8"));
    assert_eq!(outcome(&two, &world), Outcome::Unmet);
    review(&mut world, &a, "pkg:cargo/a@0.8", "d", None);
    assert_eq!(outcome(&two, &world), Outcome::Fine);
    world.withdraw(&b, whole);
    assert_eq!(outcome(&two, &world), Outcome::Unmet);
}

#[test]
fn a_change_from_another_package_stands_on_nothing() {
    for (base, expected) in [
        ("pkg:cargo/a@0.9", Outcome::Fine),
        ("pkg:cargo/b@0.9", Outcome::Unknown),
    ] {
        let mut world = World::new();
        let a = world.register("a", &[1], 1);
        let policy = policy(&[&a], &demand(""));
        review(&mut world, &a, "pkg:cargo/a@1", "c", Some(base));
        for of in ["pkg:cargo/a@0.9", "pkg:cargo/b@0.9"] {
            review(&mut world, &a, of, "c", None);
        }
        assert_eq!(outcome(&policy, &world), expected, "{base}");
    }
}

#[test]
fn a_criterion_is_met_by_what_implies_it() {
    let implied = "[[criterion]]\nname = \"ours\"\nimplies = [\"theirs\"]\n[[criterion]]\nname = \
        \"theirs\"\nimplies = [\"safe-to-deploy\"]\n";
    for (reviewed, wanted, expected) in [
        ("safe-to-run", "safe-to-run", Outcome::Fine),
        ("safe-to-deploy", "safe-to-run", Outcome::Fine),
        ("ours", "safe-to-run", Outcome::Fine),
        ("ours", "safe-to-deploy", Outcome::Fine),
        ("safe-to-run", "safe-to-deploy", Outcome::Unmet),
        ("theirs", "ours", Outcome::Unmet),
        ("other", "ours", Outcome::Unmet),
    ] {
        let mut world = World::new();
        let a = world.register("a", &[1], 1);
        review(&mut world, &a, "pkg:cargo/a@1", reviewed, None);
        let demand = demand(&format!("criteria = [\"{wanted}\"]"));
        let policy = policy(&[&a], &format!("{implied}{demand}"));
        assert_eq!(outcome(&policy, &world), expected, "{reviewed} {wanted}");
        // Every step down is for it.
        let mut world = World::new();
        let a = world.register("a", &[1], 1);
        review(&mut world, &a, "pkg:cargo/a@1", wanted, Some("0.9"));
        review(&mut world, &a, "pkg:cargo/a@0.9", reviewed, None);
        assert_eq!(outcome(&policy, &world), expected, "{reviewed} {wanted}");
    }
    let twice = error(&format!("version = 1\n{implied}{implied}"));
    assert_eq!(twice.key, "criterion.name");
}

#[test]
fn what_only_says_where_it_comes_from_makes_nothing_known() {
    const PROVENANCE: &str = r#"{"buildDefinition":{"buildType":"https://e.org/b","externalParameters":{}},"runDetails":{"builder":{"id":"https://e.org/b"}}}"#;
    const REFERENCE: &str = r#"{"attester":{"id":"https://e.org"},"references":[{"mediaType":"application/sarif+json","downloadLocation":"https://e.org/x","digest":{"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}]}"#;
    for (ty, said) in [
        ("https://slsa.dev/provenance/v1", PROVENANCE),
        ("https://in-toto.io/attestation/reference/v0.1", REFERENCE),
    ] {
        let mut world = World::new();
        let a = world.register("a", &[1], 1);
        let claim = about("pkg:cargo/a@1", ty, said);
        world.log(&claim, &[&a]);
        let origin = rule(
            "require",
            "deny",
            &format!("claims = [\"{ty}\"]\nfrom = [\"auditor\"]"),
        );
        for (unknown, expected) in [("deny", Outcome::Unknown), ("warn", Outcome::Warn)] {
            let policy = format!("unknown = \"{unknown}\"\n{}", anchor(&a, &["auditor"]));
            let verdict = decided(
                &format!("version = 1\n{policy}{origin}"),
                &world.claims,
                &fresh(&world),
            );
            assert_eq!(verdict.outcome(), expected, "{ty}");
            let Why::Unknown(unspoken) = &verdict.reasons()[0].why else {
                panic!("{verdict:?}");
            };
            assert_eq!((unspoken.no_word, unspoken.by_others), (1, 0));
            // The demand itself is met.
            assert_eq!(verdict.reasons()[1].outcome, Outcome::Fine);
        }
    }
}

#[test]
fn what_is_demanded_is_demanded_of_unknown_software_too() {
    let world = World::new();
    for (unknown, expected) in [
        ("deny", Outcome::Unknown),
        ("warn", Outcome::Unmet),
        ("allow", Outcome::Unmet),
    ] {
        let policy = format!("version = 1\nunknown = \"{unknown}\"\n{}", demand(""));
        assert_eq!(outcome(&policy, &world), expected, "{unknown}");
    }
    // One that warns adds nothing to the warning that nothing is known.
    let warns = demand("").replace("outcome = \"deny\"", "outcome = \"warn\"");
    for (unknown, reasons) in [("warn", 1), ("allow", 1)] {
        let policy = format!("version = 1\nunknown = \"{unknown}\"\n{warns}");
        let verdict = decided(&policy, &world.claims, &fresh(&world));
        assert_eq!(
            (verdict.outcome(), verdict.reasons().len()),
            (Outcome::Warn, reasons)
        );
    }
}

#[test]
fn the_word_of_anyone_clears_nothing() {
    for (kind, lines, key) in [
        (
            "require",
            "claims = [\"audit\"]\nfrom = [\"anyone\"]",
            "require.from",
        ),
        (
            "deny",
            "if = \"vulnerable\"\nfrom = [\"scanner\"]\ncleared_by = [\"anyone\"]",
            "deny.cleared_by",
        ),
        (
            "deny",
            "if = \"vulnerable\"\nfrom = [\"scanner\"]\ncleared_by = [\"auditor\", \"builder\"]",
            "deny.cleared_by",
        ),
        (
            "deny",
            "if = \"unsupported\"\nfrom = [\"builder\"]",
            "deny.from",
        ),
        (
            "require",
            "claims = [\"sbom\"]\nfrom = [\"auditor\"]\ncriteria = [\"c\"]",
            "require.criteria",
        ),
    ] {
        let found = error(&format!("version = 1\n{}", rule(kind, "deny", lines)));
        assert_eq!(found.key, key, "{lines}: {found}");
    }
    let beside = "if = \"affected\"\nfrom = [\"auditor\", \"anyone\"]";
    let found = error(&format!("version = 1\n{}", rule("deny", "deny", beside)));
    assert_eq!(found.key, "deny.from");
    assert!(found.reason.contains("stands alone"), "{found}");
    // What only speaks against may be anyone's who has a role.
    for lines in [
        "if = \"affected\"\nfrom = [\"anyone\"]",
        "if = \"unsupported\"\nfrom = [\"anyone\"]",
        "if = \"claim\"\nclaims = [\"audit\"]\nfrom = [\"anyone\"]",
    ] {
        parse(&format!("version = 1\n{}", rule("deny", "deny", lines)));
    }
}

#[test]
fn where_anyone_says_that_support_ended_nobody_else_says_that_it_did_not() {
    let mut world = World::new();
    let (a, b) = (world.register("a", &[1], 1), world.register("b", &[2], 1));
    let dates = |date: &str| {
        let text = format!(
            r#"{{"end_of_life":"{date}","end_of_security_support":"{date}","last_updated":"2026-01-01T00:00:00Z"}}"#
        );
        about("pkg:cargo/a@1", "urn:assay:lifecycle:v1", &text)
    };
    let decide = |from: &str, world: &World| {
        let lines = format!("if = \"unsupported\"\nfrom = [\"{from}\"]");
        let anchors = [&a, &b].map(|who| anchor(who, &["maintainer"])).concat();
        let rules = rule("deny", "deny", &lines);
        outcome(
            &format!("version = 1\nunknown = \"allow\"\n{anchors}{rules}"),
            world,
        )
    };
    world.log(&dates("2020-01-01"), &[&a]);
    world.log(&dates("tba"), &[&b]);
    assert_eq!(decide("maintainer", &world), Outcome::Fine);
    assert_eq!(decide("anyone", &world), Outcome::Denied);
    world.log(&dates("2099-01-01"), &[&a]);
    assert_eq!(decide("anyone", &world), Outcome::Fine);
}

#[test]
fn the_starting_policy_is_not_silenced_by_strangers() {
    let mut world = World::new();
    let (a, stranger) = (world.register("a", &[1], 1), world.register("x", &[2], 1));
    let policy = format!("{STARTING}\n{}", anchor(&a, &["maintainer"]));
    let dates = |date: &str| {
        let text = format!(
            r#"{{"end_of_life":"{date}","end_of_security_support":"{date}","last_updated":"2026-01-01T00:00:00Z"}}"#
        );
        about("pkg:cargo/a@1", "urn:assay:lifecycle:v1", &text)
    };
    world.log(&dates("2020-01-01"), &[&a]);
    let ended = |world: &World| {
        let verdict = decided(&policy, &world.claims, &fresh(world));
        let mut reasons = verdict.reasons().iter();
        reasons.any(|reason| reason.cause() == Cause::Unsupported)
    };
    assert!(ended(&world));
    world.log(&dates("tba"), &[&stranger]);
    assert!(ended(&world));
    world.log(&dates("tba"), &[&a]);
    assert!(!ended(&world));
}

#[test]
fn a_builder_says_how_it_was_built_and_judges_nothing() {
    let mut world = World::new();
    let (a, ci) = (world.register("a", &[1], 1), world.register("ci", &[2], 1));
    let said = crate::testing::endorsement(&ci, "builder", &["pkg:*"], 0);
    world.endorse(&a, &said);
    let scan = r#"{"scanner":{"uri":"https://e.org/s","result":[]},"metadata":{"scanStartedOn":"2026-01-01T00:00:00Z","scanFinishedOn":"2026-01-01T00:00:00Z"}}"#;
    review(&mut world, &ci, "pkg:cargo/a@1", "c", None);
    let scanned = about(
        "pkg:cargo/a@1",
        "https://in-toto.io/attestation/vulns/v0.2",
        scan,
    );
    world.log(&scanned, &[&ci]);
    let anchors = anchor(&a, &["auditor", "builder"]);
    let wants = |ty: &str| {
        let lines = format!("claims = [\"{ty}\"]\nfrom = [\"auditor\", \"builder\"]");
        format!("version = 1\n{anchors}{}", rule("require", "deny", &lines))
    };
    assert_eq!(outcome(&wants("scan"), &world), Outcome::Fine);
    assert_eq!(outcome(&wants("audit"), &world), Outcome::Unmet);
    assert_eq!(Role::of_name("builder"), Some(Role::Builder));
}

#[test]
fn what_is_ignored_decides_nothing_and_is_shown() {
    let mut world = World::new();
    let (a, b) = (world.register("a", &[1], 1), world.register("b", &[2], 1));
    let failed = r#"{"criteria":["c"],"verdict":"fail","scope":"version"}"#;
    let claim = world.log(&about("pkg:cargo/a@1", AUDIT, failed), &[&a]);
    review(&mut world, &b, "pkg:cargo/a@1", "c", None);
    let fails = rule(
        "deny",
        "deny",
        "if = \"claim\"\nclaims = [\"audit\"]\nfrom = [\"auditor\"]\nwhen = \"failed\"",
    );
    let ignoring = |what: &str, until: &str| {
        let ignore =
            format!("[[ignore]]\n{what}\nreason = \"It is wrong.\"\nuntil = \"{until}\"\n");
        policy(&[&a, &b], &format!("{fails}{ignore}"))
    };
    assert_eq!(outcome(&policy(&[&a, &b], &fails), &world), Outcome::Denied);
    for what in [
        format!("issuer = \"{}\"", a.id),
        format!("claim = \"{claim}\""),
    ] {
        let policy = ignoring(&what, "2026-01-11");
        // It decides nothing, and is said.
        let verdict = decided(&policy, &world.claims, &fresh(&world));
        assert_eq!(verdict.outcome(), Outcome::Warn, "{what}");
        let said = &verdict.reasons()[0];
        assert_eq!(
            (said.cause(), said.evidence[0].claim),
            (Cause::Ignored, claim)
        );
        let Why::Ignored(overlooked) = &said.why else {
            panic!("{said:?}")
        };
        assert_eq!(overlooked.outcome, Outcome::Denied);
        assert_eq!(overlooked.by[0].reason, "It is wrong.");
        let policy = parse(&policy);
        let shown = posture(&policy, &component("pkg:cargo/a@1"), &world.claims, NOW_MS);
        let mut lines = shown.of(Question::Reviewed);
        let line = lines.find(|line| line.claim() == claim).unwrap();
        let ignored = Standing::Ignored {
            reason: "It is wrong.".into(),
        };
        assert_eq!(line.voices[0].standing, ignored);
        // Not any longer than it says.
        assert_eq!(
            outcome(&ignoring(&what, "2026-01-10"), &world),
            Outcome::Denied
        );
    }
    for (what, key) in [
        ("", "ignore"),
        ("issuer = \"ab\"", "ignore.issuer"),
        ("claim = \"ab\"", "ignore.claim"),
    ] {
        assert_eq!(error(&ignoring(what, "2026-01-11")).key, key);
    }
    let what = format!("claim = \"{claim}\"");
    assert_eq!(error(&ignoring(&what, "soon")).key, "ignore.until");
}
