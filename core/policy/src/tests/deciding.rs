//! Every rule on real claims, and every kind of answer.

use super::*;
use crate::testing::{DAY_MS, about, endorsement};
use assay_claims::claim::ClaimId;
use assay_claims::kind::Timestamp;
use assay_claims::kind::endorsement::Endorsement;
use assay_claims::kind::lifecycle::Date;
use assay_tlog::Hash;
use assay_tlog::tree::LeafIndex;

const AUDIT: &str = "urn:assay:audit:v1";
const VEX: &str = "https://openvex.dev/ns/v0.2.0";
const SCAN: &str = "https://in-toto.io/attestation/vulns/v0.2";
const LIFECYCLE: &str = "urn:assay:lifecycle:v1";

fn audit(world: &mut World, by: &[&Party], verdict: &str) -> ClaimId {
    let notes = world.next_leaf();
    let text = format!(
        r#"{{"criteria":["safe-to-run"],"verdict":"{verdict}","scope":"version","notes":"{notes}"}}"#
    );
    world.log(&about("pkg:cargo/a@1", AUDIT, &text), by)
}

fn vex(world: &mut World, by: &Party, vulnerability: &str, status: &str) -> ClaimId {
    vex_of(world, by, vulnerability, status, "")
}

fn vex_of(world: &mut World, by: &Party, vulnerability: &str, status: &str, more: &str) -> ClaimId {
    let id = world.next_leaf();
    let text = format!(
        r#"{{"@context":"{VEX}","@id":"https://e.org/{id}","author":"A","version":1,"timestamp":"2026-01-01T00:00:00Z","statements":[{{"vulnerability":{vulnerability},"status":"{status}","action_statement":"update","impact_statement":"none"{more}}}]}}"#
    );
    world.log(&about("pkg:cargo/a@1", VEX, &text), &[by])
}

fn scan(world: &mut World, by: &Party, found: &[(&str, &str)]) -> ClaimId {
    let results: Vec<String> = found
        .iter()
        .map(|(id, score): &(&str, &str)| match *score {
            "" => format!(r#"{{"id":"{id}"}}"#),
            score => format!(r#"{{"id":"{id}","severity":[{{"method":"x","score":"{score}"}}]}}"#),
        })
        .collect();
    let text = format!(
        r#"{{"scanner":{{"uri":"https://e.org/s","result":[{}]}},"metadata":{{"scanStartedOn":"2026-01-01T00:00:00Z","scanFinishedOn":"2026-01-01T00:00:{:02}Z"}}}}"#,
        results.join(","),
        world.next_leaf().get()
    );
    world.log(&about("pkg:cargo/a@1", SCAN, &text), &[by])
}

fn two_auditors(lines: &str) -> String {
    rule(
        "require",
        "deny",
        &format!("claims = [\"audit\"]\nfrom = [\"auditor\"]\nissuers = 2\n{lines}"),
    )
}

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
    assert_eq!((missed.wanted.issuers, missed.no_role), (2, 1));
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
    audit(&mut world, &[&a], "fail");
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
        ("when = \"passed\"", "deny", Outcome::Unmet, 0, 1),
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
        &about("pkg:cargo/a@1", "https://example.org/own/v1", "{}"),
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
    vex(&mut world, &scanner, "\"CVE-9\"", "affected");
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
    let stranger = world.register("x", &[9], 1);
    let lines = "if = \"vulnerable\"\nseverity = \"high\"\nfrom = [\"anyone\"]\ncleared_by = \
        [\"maintainer\"]";
    let rules = rule("deny", "deny", lines);
    let policy = format!(
        "version = 1\nunknown = \"allow\"\n{}{}{rules}",
        anchor(&maker, &["maintainer"]),
        anchor(&other, &["maintainer"])
    );
    scan(&mut world, &stranger, &[("CVE-1", "medium")]);
    assert_eq!(outcome(&policy, &world), Outcome::Fine);
    let found = scan(
        &mut world,
        &stranger,
        &[("CVE-1", "HIGH"), ("CVE-3", "low")],
    );
    let verdict = decided(&policy, &world.claims, &fresh(&world));
    assert_eq!(
        (verdict.outcome(), verdict.reasons()[0].evidence[0].claim),
        (Outcome::Denied, found)
    );
    vex(&mut world, &stranger, "\"CVE-1\"", "not_affected");
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
    scan(&mut world, &stranger, &[("CVE-2", "")]);
    assert_eq!(outcome(&policy, &world), Outcome::Denied);
    // The last scan of an issuer with a scanner is what it says.
    scan(&mut world, &stranger, &[("CVE-4", "critical")]);
    assert_eq!(outcome(&policy, &world), Outcome::Denied);
    scan(&mut world, &stranger, &[]);
    assert_eq!(outcome(&policy, &world), Outcome::Fine);
}

#[test]
fn ended_support_denies_unless_somebody_still_supports_it() {
    let mut world = World::new();
    let (maker, supplier) = (world.register("m", &[1], 1), world.register("s", &[2], 1));
    let policy = format!(
        "version = 1\nunknown = \"allow\"\n{}",
        rule("deny", "deny", "if = \"unsupported\"\nfrom = [\"anyone\"]")
    );
    let lifecycle = |world: &mut World, by: &Party, until: &str, versions: &str| {
        let text = format!(
            r#"{{"end_of_security_support":"{until}","end_of_life":"tba","last_updated":"2026-01-01T00:00:{:02}Z"{versions}}}"#,
            world.next_leaf().get()
        );
        world.log(&about("pkg:cargo/a", LIFECYCLE, &text), &[by])
    };
    lifecycle(
        &mut world,
        &maker,
        "2020-01-01",
        r#","versions":{"cycle":"2"}"#,
    );
    assert_eq!(outcome(&policy, &world), Outcome::Fine);
    lifecycle(
        &mut world,
        &maker,
        "2026-01-11",
        r#","versions":{"cycle":"1"}"#,
    );
    assert_eq!(outcome(&policy, &world), Outcome::Fine);
    lifecycle(&mut world, &maker, "2026-01-10", "");
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

#[test]
fn a_log_that_is_silent_stale_or_incomplete_is_never_fine() {
    let mut world = World::new();
    let a = world.register("a", &[1], 1);
    audit(&mut world, &[&a], "pass");
    let demand = rule(
        "require",
        "deny",
        "claims = [\"audit\"]\nfrom = [\"auditor\"]",
    );
    for unknown in ["deny", "warn", "allow"] {
        let policy = format!(
            "version = 1\nunknown = \"{unknown}\"\nmax_head_age = \"1d\"\n[[log]]\norigin = \
             \"example.com/log\"\n{}{demand}",
            anchor(&a, &["auditor"])
        );
        let answer = |answer| {
            vec![LogAnswer {
                origin: world.origin.into(),
                answer,
            }]
        };
        let complete = |head_at_ms| answer(Answer::Complete { head_at_ms });
        for (answers, expected) in [
            (complete(NOW_MS), Outcome::Fine),
            (complete(NOW_MS - DAY_MS), Outcome::Fine),
            (complete(NOW_MS - DAY_MS - 1), Outcome::Stale),
            (complete(NOW_MS + 60_000), Outcome::Fine),
            (complete(NOW_MS + DAY_MS), Outcome::Incomplete),
            (
                answer(Answer::Partial {
                    head_at_ms: NOW_MS,
                    missing: "x".into(),
                }),
                Outcome::Incomplete,
            ),
            (
                answer(Answer::Partial {
                    head_at_ms: 0,
                    missing: "x".into(),
                }),
                Outcome::Stale,
            ),
            (
                answer(Answer::None { why: "x".into() }),
                Outcome::Incomplete,
            ),
            (vec![], Outcome::Incomplete),
            ([complete(NOW_MS), complete(0)].concat(), Outcome::Stale),
        ] {
            for claims in [&world.claims[..], &[]] {
                let known = claims.is_empty() && unknown == "deny" && expected < Outcome::Unknown;
                let soft = claims.is_empty() && unknown == "warn" && expected == Outcome::Fine;
                let expected = if known {
                    Outcome::Unknown
                } else if soft {
                    Outcome::Warn
                } else {
                    expected
                };
                assert_eq!(
                    decided(&policy, claims, &answers).outcome(),
                    expected,
                    "{unknown} {answers:?}"
                );
            }
        }
    }
}

#[test]
fn every_log_that_is_named_must_answer_and_no_other_counts() {
    let mut world = World::new();
    let a = world.register("a", &[1], 1);
    audit(&mut world, &[&a], "pass");
    let demand = rule(
        "require",
        "deny",
        "claims = [\"audit\"]\nfrom = [\"auditor\"]",
    );
    let trusted = anchor(&a, &["auditor"]);
    let logs = |names: &[&str]| {
        names
            .iter()
            .map(|name| format!("[[log]]\norigin = \"{name}\"\n"))
            .collect::<String>()
    };
    let policy = |names: &[&str]| format!("version = 1\n{}{trusted}{demand}", logs(names));
    assert_eq!(outcome(&policy(&[]), &world), Outcome::Fine);
    assert_eq!(
        outcome(&policy(&["example.com/log"]), &world),
        Outcome::Fine
    );
    let verdict = decided(
        &policy(&["example.com/log", "b.example/log"]),
        &world.claims,
        &fresh(&world),
    );
    assert_eq!(verdict.outcome(), Outcome::Incomplete);
    let silent = LogFault::Silent {
        origin: "b.example/log".into(),
        why: None,
    };
    assert_eq!(verdict.reasons()[0].why, Why::Logs(silent));
    let other = LogAnswer {
        origin: "b.example/log".into(),
        answer: Answer::Complete { head_at_ms: NOW_MS },
    };
    assert_eq!(
        decided(&policy(&["b.example/log"]), &world.claims, &[other]).outcome(),
        Outcome::Unknown
    );
    // Nobody said that what these claims came in was complete.
    assert_eq!(
        decided(&policy(&[]), &world.claims, &[]).outcome(),
        Outcome::Incomplete
    );
    let elsewhere = LogAnswer {
        origin: "b.example/log".into(),
        answer: Answer::Complete { head_at_ms: NOW_MS },
    };
    assert_eq!(
        decided(&policy(&[]), &world.claims, &[elsewhere]).outcome(),
        Outcome::Incomplete
    );
    assert_eq!(
        decided("version = 1\nunknown = \"allow\"", &[], &[]).outcome(),
        Outcome::Incomplete
    );
}
