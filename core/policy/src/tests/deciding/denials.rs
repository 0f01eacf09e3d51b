//! What denies.

use super::*;

fn lifecycle(world: &mut World, by: &Party, until: &str, versions: &str) -> ClaimId {
    let text = format!(
        r#"{{"end_of_security_support":"{until}","end_of_life":"tba","last_updated":"2026-01-01T00:00:{:02}Z"{versions}}}"#,
        world.next_leaf().get()
    );
    world.log(&about("pkg:cargo/a", LIFECYCLE, &text), &[by])
}

#[test]
fn what_is_said_of_another_artifact_denies_and_does_not_clear() {
    use assay_claims::statement::{Statement, Subject};
    let mut world = World::new();
    let maker = world.register("m", &[1], 1);
    let (one, other) = (Hash::of(b"1").to_hex(), Hash::of(b"2").to_hex());
    scan(&mut world, &maker, &[("CVE-1", "high")]);
    vex(&mut world, &maker, "\"CVE-1\"", "not_affected");
    let said = world
        .claims
        .pop()
        .unwrap()
        .claim()
        .statement()
        .predicate()
        .clone();
    let subject = Subject::of_parts(
        None,
        Some("pkg:cargo/a@1".into()),
        vec![("sha256".into(), one.clone())],
    );
    world.log(
        &Statement::new(vec![subject], VEX, said).unwrap(),
        &[&maker],
    );
    let lines = "if = \"vulnerable\"\nfrom = [\"anyone\"]\ncleared_by = [\"maintainer\"]";
    let policy = parse(&format!(
        "version = 1\n{}{}",
        anchor(&maker, &["maintainer"]),
        rule("deny", "deny", lines)
    ));
    let of = |digest: &str| {
        let component = Component::new(
            component("pkg:cargo/a@1").purl().cloned(),
            vec![("sha256".into(), digest.into())],
        );
        evaluate(&policy, &component, &fresh(&world), &world.claims, NOW_MS).outcome()
    };
    assert_eq!((of(&one), of(&other)), (Outcome::Fine, Outcome::Denied));
}

/// Nor does it deny: that would be for a rule to say.
#[test]
fn who_says_affected_and_is_asked_by_no_rule_speaks_for_nothing() {
    let mut world = World::new();
    let [maker, scanner] = [1, 2].map(|seed| world.register("p", &[seed], 1));
    let anchors = anchor(&maker, &["maintainer"]) + &anchor(&scanner, &["scanner"]);
    let asking = |severity: &str, scopes: &str| {
        let lines =
            format!("if = \"affected\"\nseverity = \"{severity}\"\nfrom = [\"maintainer\"]");
        let rule = rule("deny", "deny", &lines).replace("pkg:*", scopes);
        format!("version = 1\n{anchors}{rule}")
    };
    let rated = r#","severity":[{"method":"database","score":"low"}]"#;
    vex_of(&mut world, &scanner, "\"CVE-1\"", "affected", rated);
    assert_eq!(outcome(&asking("high", "pkg:*"), &world), Outcome::Unknown);
    let mut said = World::continuing(&world);
    vex_of(&mut said, &maker, "\"CVE-2\"", "affected", rated);
    for (severity, scopes, expected) in [
        ("low", "pkg:*", Outcome::Denied),
        ("high", "pkg:*", Outcome::Fine),
        ("high", "pkg:npm/*", Outcome::Unknown),
    ] {
        assert_eq!(
            outcome(&asking(severity, scopes), &said),
            expected,
            "{severity} {scopes}"
        );
    }
    vex(&mut world, &scanner, "\"CVE-3\"", "not_affected");
    assert_eq!(outcome(&asking("high", "pkg:*"), &world), Outcome::Fine);
}

#[test]
fn affected_denies_from_its_severity_on_and_unknown_severity_counts() {
    let mut world = World::new();
    let (maker, scanner) = (world.register("m", &[1], 1), world.register("s", &[2], 1));
    let denial = rule(
        "deny",
        "deny",
        "if = \"affected\"\nseverity = \"high\"\nfrom = [\"maintainer\"]",
    );
    let policy = format!(
        "version = 1\n{}{}{denial}",
        anchor(&maker, &["maintainer"]),
        anchor(&scanner, &["scanner"])
    );
    vex(&mut world, &scanner, "\"CVE-9\"", "not_affected");
    assert_eq!(outcome(&policy, &world), Outcome::Fine);
    vex(
        &mut world,
        &maker,
        r#"{"name":"CVE-1","aliases":["GHSA-1"]}"#,
        "affected",
    );
    let verdict = decided(&policy, &world.claims, &fresh(&world));
    assert_eq!(verdict.outcome(), Outcome::Denied);
    let unrated = Rated {
        id: "CVE-1".into(),
        severity: None,
    };
    assert_eq!(verdict.reasons()[0].why, Why::Affected(vec![unrated]));
    // A stranger cannot play it down, a scanner that is trusted can say how severe it is.
    let stranger = world.register("x", &[9], 1);
    scan(&mut world, &stranger, &[("CVE-1", "low")]);
    assert_eq!(outcome(&policy, &world), Outcome::Denied);
    scan(&mut world, &scanner, &[("GHSA-1", "3.1")]);
    assert_eq!(outcome(&policy, &world), Outcome::Fine);
    scan(
        &mut world,
        &scanner,
        &[("GHSA-1", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")],
    );
    assert_eq!(outcome(&policy, &world), Outcome::Denied);
    // Its last word counts.
    vex(&mut world, &maker, "\"CVE-1\"", "fixed");
    assert_eq!(outcome(&policy, &world), Outcome::Fine);
    vex_of(
        &mut world,
        &maker,
        "\"CVE-2\"",
        "affected",
        r#","products":[{"@id":"pkg:cargo/a@2"}]"#,
    );
    assert_eq!(outcome(&policy, &world), Outcome::Fine);
    vex_of(
        &mut world,
        &maker,
        "\"CVE-2\"",
        "affected",
        r#","products":[{"@id":"pkg:cargo/a"}]"#,
    );
    assert_eq!(outcome(&policy, &world), Outcome::Denied);
}

#[test]
fn a_found_vulnerability_denies_until_a_trusted_word_clears_it() {
    let mut world = World::new();
    let (maker, other) = (world.register("m", &[1], 1), world.register("o", &[2], 1));
    let scanner = world.register("x", &[9], 1);
    let lines = "if = \"vulnerable\"\nseverity = \"high\"\nfrom = [\"anyone\"]\ncleared_by = \
        [\"maintainer\"]";
    let rules = rule("deny", "deny", lines);
    let policy = format!(
        "version = 1\nunknown = \"allow\"\n{}{}{}{rules}",
        anchor(&scanner, &["scanner"]),
        anchor(&maker, &["maintainer"]),
        anchor(&other, &["maintainer"])
    );
    scan(&mut world, &scanner, &[("CVE-1", "medium")]);
    assert_eq!(outcome(&policy, &world), Outcome::Fine);
    let found = scan(&mut world, &scanner, &[("CVE-1", "HIGH"), ("CVE-3", "low")]);
    let verdict = decided(&policy, &world.claims, &fresh(&world));
    assert_eq!(
        (verdict.outcome(), verdict.reasons()[0].evidence[0].claim),
        (Outcome::Denied, found)
    );
    vex(&mut world, &scanner, "\"CVE-1\"", "not_affected");
    assert_eq!(outcome(&policy, &world), Outcome::Denied);
    let cleared = vex(&mut world, &maker, "\"CVE-1\"", "not_affected");
    assert_eq!(outcome(&policy, &world), Outcome::Fine);
    // Another maintainer who says the opposite is not outvoted.
    vex(&mut world, &other, "\"CVE-1\"", "affected");
    assert_eq!(outcome(&policy, &world), Outcome::Denied);
    vex(&mut world, &other, "\"CVE-1\"", "fixed");
    assert_eq!(outcome(&policy, &world), Outcome::Fine);
    world.withdraw(&maker, cleared);
    let last = vex(&mut world, &other, "\"CVE-1\"", "under_investigation");
    assert_eq!(outcome(&policy, &world), Outcome::Denied);
    world.withdraw(&other, last);
    assert_eq!(outcome(&policy, &world), Outcome::Fine);
    // Whoever of the two says the opposite.
    for (clears, opposes) in [(&maker, &other), (&other, &maker)] {
        vex(&mut world, clears, "\"CVE-1\"", "not_affected");
        vex(&mut world, opposes, "\"CVE-1\"", "affected");
        assert_eq!(outcome(&policy, &world), Outcome::Denied);
    }
    // A severity that nobody states counts.
    scan(&mut world, &scanner, &[("CVE-2", "")]);
    assert_eq!(outcome(&policy, &world), Outcome::Denied);
    // The last scan of an issuer with a scanner is what it says.
    scan(&mut world, &scanner, &[("CVE-4", "critical")]);
    assert_eq!(outcome(&policy, &world), Outcome::Denied);
    scan(&mut world, &scanner, &[]);
    assert_eq!(outcome(&policy, &world), Outcome::Fine);
}

/// A policy that denies what is unsupported, by what these say.
fn unsupported(maker: &Party, supplier: &Party) -> String {
    let from = "if = \"unsupported\"\nfrom = [\"maintainer\", \"supplier\"]";
    format!(
        "version = 1\nunknown = \"allow\"\n{}{}{}",
        anchor(maker, &["maintainer"]),
        anchor(supplier, &["supplier"]),
        rule("deny", "deny", from)
    )
}

#[test]
fn ended_support_denies_unless_somebody_still_supports_it() {
    let mut world = World::new();
    let (maker, supplier) = (world.register("m", &[1], 1), world.register("s", &[2], 1));
    let policy = unsupported(&maker, &supplier);
    lifecycle(
        &mut world,
        &maker,
        "2020-01-01",
        r#","versions":{"cycle":"2"}"#,
    );
    assert_eq!(outcome(&policy, &world), Outcome::Fine);
    let of_1 = r#","versions":{"cycle":"1"}"#;
    lifecycle(&mut world, &maker, "2026-01-11", of_1);
    assert_eq!(outcome(&policy, &world), Outcome::Fine);
    lifecycle(&mut world, &maker, "2026-01-10", of_1);
    let verdict = decided(&policy, &world.claims, &fresh(&world));
    assert_eq!(verdict.outcome(), Outcome::Denied);
    let Why::Unsupported(until) = &verdict.reasons()[0].why else {
        panic!("{verdict:?}");
    };
    assert!(matches!(&until[..], [Date::At(day)] if day.as_str().starts_with("2026-01-10")));
    lifecycle(&mut world, &supplier, "tba", "");
    assert_eq!(outcome(&policy, &world), Outcome::Fine);
    lifecycle(
        &mut world,
        &supplier,
        "2020-01-01",
        r#","versions":{"range":"vers:cargo/>1.5"}"#,
    );
    assert_eq!(outcome(&policy, &world), Outcome::Fine);
    // What depends on an order of versions that is not known here is said, and denies nothing.
    lifecycle(
        &mut world,
        &supplier,
        "2020-01-01",
        r#","versions":{"range":"vers:generic/<1.5"}"#,
    );
    let verdict = decided(&policy, &world.claims, &fresh(&world));
    assert_eq!(verdict.outcome(), Outcome::Warn);
    let versions = UndecidedWhat::Versions(Some("vers:generic/<1.5".into()));
    let Why::Undecided(undecided) = &verdict.reasons()[0].why else {
        panic!("{verdict:?}");
    };
    assert_eq!(undecided[0].what, versions);
    lifecycle(
        &mut world,
        &supplier,
        "2020-01-01",
        r#","versions":{"range":"vers:cargo/<1.5"}"#,
    );
    assert_eq!(outcome(&policy, &world), Outcome::Denied);
}

/// What a maker says in turn of its lines of releases, and whether 1.0.0 is still supported.
fn support_of(said: &[(&str, &str)]) -> (Outcome, Vec<Date>) {
    let mut world = World::new();
    let (maker, supplier) = (world.register("m", &[1], 1), world.register("s", &[2], 1));
    for (until, versions) in said {
        lifecycle(&mut world, &maker, until, versions);
    }
    let policy = parse(&unsupported(&maker, &supplier));
    let (component, fresh) = (component("pkg:cargo/a@1.0.0"), fresh(&world));
    let verdict = evaluate(&policy, &component, &fresh, &world.claims, NOW_MS);
    let known = Known::judge(&policy, &world.claims, NOW_MS);
    let dates = known.supported(&component).into_iter();
    let ends = dates.map(|one| one.dates.end_of_security_support);
    (verdict.outcome(), ends.collect())
}

#[test]
fn of_the_dates_of_an_issuer_those_closest_to_the_version_count() {
    let (open, over) = ("tba", "2020-01-01");
    let one = r#","versions":{"version":"1.0.0"}"#;
    let (minor, major) = (
        r#","versions":{"cycle":"1.0"}"#,
        r#","versions":{"cycle":"1"}"#,
    );
    let range = r#","versions":{"range":"vers:cargo/<2"}"#;
    let order = [one, minor, major, ""];
    for (at, close) in order.into_iter().enumerate() {
        for wide in order.into_iter().skip(at + 1) {
            for (said, expected) in [
                ([(open, close), (over, wide)], Outcome::Fine),
                ([(over, wide), (open, close)], Outcome::Fine),
                ([(over, close), (open, wide)], Outcome::Denied),
                ([(open, wide), (over, close)], Outcome::Denied),
            ] {
                let (found, dates) = support_of(&said);
                assert_eq!(found, expected, "{said:?}");
                let is_open = dates == [Date::ToBeAnnounced];
                assert_eq!(is_open, expected == Outcome::Fine, "{said:?}");
            }
        }
    }
    // The same once more takes its own place, and so do a range and a cycle.
    for (first, then) in [
        (minor, minor),
        (range, major),
        (minor, range),
        (one, one),
        (one, range),
    ] {
        assert_eq!(
            support_of(&[(open, first), (over, then)]).0,
            Outcome::Denied
        );
        assert_eq!(support_of(&[(over, first), (open, then)]).0, Outcome::Fine);
    }
    // A range takes no place of a closer cycle for a wider one.
    let said = [(over, minor), (open, range), (open, major)];
    assert_eq!(support_of(&said).0, Outcome::Fine);
    let said = [(open, minor), (over, range), (open, major)];
    assert_eq!(support_of(&said).0, Outcome::Denied);
}

#[test]
fn a_review_of_some_versions_counts_for_those() {
    let (wanted, failed) = (
        rule(
            "require",
            "deny",
            "claims = [\"audit\"]\nfrom = [\"auditor\"]",
        ),
        rule(
            "deny",
            "deny",
            "if = \"claim\"\nclaims = [\"audit\"]\nfrom = [\"auditor\"]",
        ),
    );
    for (range, counts_for, counts_against) in [
        ("vers:cargo/>=1.0.0|<2.0.0", true, true),
        ("vers:cargo/*", true, true),
        ("vers:cargo/>=2.0.0", false, false),
        // Whether it is of this version cannot be told: it counts against it, and never for it.
        ("vers:generic/>=1.0.0", false, true),
    ] {
        let mut world = World::new();
        let a = world.register("a", &[1], 1);
        let text = format!(
            r#"{{"criteria":["safe-to-run"],"verdict":"pass","scope":"version","versions":"{range}"}}"#
        );
        world.log(&about("pkg:cargo/a", AUDIT, &text), &[&a]);
        let decides = |rule: &str| {
            outcome(
                &format!("version = 1\n{}{rule}", anchor(&a, &["auditor"])),
                &world,
            )
        };
        assert_eq!(decides(&wanted) == Outcome::Fine, counts_for, "{range}");
        assert_eq!(
            decides(&failed) == Outcome::Denied,
            counts_against,
            "{range}"
        );
    }
}

#[test]
fn a_claim_denies_if_its_condition_holds_and_an_undecided_one_is_said() {
    let mut world = World::new();
    let (a, stranger) = (world.register("a", &[1], 1), world.register("x", &[2], 1));
    let policy = |when: &str| {
        let lines = format!(
            "if = \"claim\"\nclaims = [\"audit\"]\nfrom = [\"auditor\"]\nwhen = \"{when}\""
        );
        format!(
            "version = 1\n{}{}",
            anchor(&a, &["auditor"]),
            rule("deny", "deny", &lines)
        )
    };
    audit(&mut world, &[&stranger], "pass");
    assert_eq!(outcome(&policy("passed"), &world), Outcome::Unknown);
    audit(&mut world, &[&a], "pass");
    assert_eq!(outcome(&policy("passed"), &world), Outcome::Denied);
    assert_eq!(outcome(&policy("false"), &world), Outcome::Fine);
    let verdict = decided(&policy("error"), &world.claims, &fresh(&world));
    assert_eq!(verdict.outcome(), Outcome::Warn);
    let Why::Undecided(undecided) = &verdict.reasons()[0].why else {
        panic!("{verdict:?}");
    };
    let error = UndecidedWhat::Condition("there is no such field".into());
    assert_eq!((undecided.len(), &undecided[0].what), (1, &error));
}

/// A mark of a registry, of the release or of the whole project, counts against a package where a
/// rule asks for it. It clears nothing: what nothing else is said of stays unknown, and no demand
/// is met with it.
#[test]
fn a_mark_of_a_registry_denies_and_clears_nothing() {
    let marks = "claims = [\"registry-status\"]\nfrom = [\"auditor\"]";
    let denies = rule("deny", "deny", &format!("if = \"claim\"\n{marks}"));
    let demands = rule("require", "deny", marks);
    for (about_what, is_of_this) in [
        ("pkg:cargo/a@1", true),
        ("pkg:cargo/a", true),
        ("pkg:cargo/a@2", false),
    ] {
        let mut world = World::new();
        let a = world.register("a", &[1], 1);
        let mark = about(about_what, REGISTRY_STATUS, r#"{"status":"deprecated"}"#);
        world.log(&mark, &[&a]);
        let decides = |rule: &str| {
            let policy = format!("version = 1\n{}{rule}", anchor(&a, &["auditor"]));
            outcome(&policy, &world)
        };
        let denied = decides(&denies) == Outcome::Denied;
        assert_eq!(denied, is_of_this, "{about_what}");
        assert_eq!(decides(""), Outcome::Unknown, "{about_what}");
        assert_ne!(decides(&demands), Outcome::Fine, "{about_what}");
        // With a review the package is known, and the demand is still not met.
        audit(&mut world, &[&a], "pass");
        let policy = format!("version = 1\n{}{demands}", anchor(&a, &["auditor"]));
        assert_eq!(outcome(&policy, &world), Outcome::Unmet, "{about_what}");
    }
}
