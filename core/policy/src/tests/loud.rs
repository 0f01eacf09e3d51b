//! Who says very much, with sound keys or with those of old, and what that may not change.

use super::*;
use crate::testing::{DAY_MS, about, endorsement, purl, value};
use assay_claims::claim::ClaimId;
use assay_claims::index::{By, Kind, Label, Name};
use assay_claims::statement::{Statement, Subject};
use assay_tlog::Hash;

pub(super) const VEX: &str = "https://openvex.dev/ns/v0.2.0";
pub(super) const SCAN: &str = "https://in-toto.io/attestation/vulns/v0.2";
const AUDIT: &str = "urn:assay:audit:v1";

const REVIEWED: &str = "claims = [\"audit\"]\nfrom = [\"auditor\"]";

pub(super) const OPEN: &str = "if = \"vulnerable\"\nseverity = \"high\"\nfrom = [\"anyone\"]\n\
    cleared_by = [\"maintainer\", \"scanner\"]";

pub(super) fn policy(anchors: &[(&Party, &[&str])], rules: &str) -> String {
    let anchors = anchors.iter().map(|(party, roles)| anchor(party, roles));
    format!(
        "version = 1\nunknown = \"warn\"\n{}{rules}",
        anchors.collect::<String>()
    )
}

/// A scan that found CVE-1, with or without a severity.
pub(super) fn found(severity: Option<&str>) -> String {
    let severity =
        severity.map(|score| format!(r#","severity":[{{"method":"x","score":"{score}"}}]"#));
    let severity = severity.unwrap_or_default();
    format!(
        r#"{{"scanner":{{"uri":"https://e.org/s","result":[{{"id":"CVE-1"{severity}}}]}},"metadata":{{"scanStartedOn":"2026-01-01T00:00:00Z","scanFinishedOn":"2026-01-01T00:00:00Z"}}}}"#
    )
}

/// A VEX document with one statement on CVE-1, about these products or, without, about its subject.
pub(super) fn vex(status: &str, products: &str) -> String {
    format!(
        r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://e.org/v","author":"A","version":1,"timestamp":"2026-01-02T00:00:00Z","statements":[{{"vulnerability":"CVE-1","status":"{status}","impact_statement":"x","action_statement":"x"{products}}}]}}"#
    )
}

/// A statement about many versions of one package.
fn of_versions(versions: std::ops::Range<usize>, ty: &str, predicate: &str) -> Statement {
    let subjects = versions.map(|n| Subject::package(purl(&format!("pkg:cargo/a@{n}"))));
    Statement::new(subjects.collect(), ty, value(predicate)).unwrap()
}

pub(super) fn answered(worlds: &[&World]) -> Vec<LogAnswer> {
    worlds.iter().flat_map(|world| fresh(world)).collect()
}

fn outcome_of(policy: &str, worlds: &[&World]) -> Outcome {
    let claims: Vec<LoggedClaim> = worlds
        .iter()
        .flat_map(|world| world.claims.clone())
        .collect();
    decided(policy, &claims, &answered(worlds)).outcome()
}

/// Two logs that know an issuer, which rotated its key 1 away in the first only, a day ago.
fn rotated() -> (World, World, Party) {
    let (mut world, mut other) = (World::new(), World::of("other.example/log"));
    let a = world.register("p", &[1], 1);
    other.register("p", &[1], 1);
    world.log(&about("pkg:cargo/a@1", SCAN, &found(None)), &[&a]);
    world.at_ms += DAY_MS;
    world.rotate(&a, &[2], 1, &[1, 2]);
    other.at_ms = world.at_ms + DAY_MS;
    (world, other, a)
}

/// A list that a log has, and that is too long to come.
fn overlong_of(world: &World, label: Label) -> Overlong {
    Overlong {
        origin: world.origin.to_owned(),
        label,
        of_keys: label.by() == By::predicate_type("urn:assay:issuer:v1"),
        heard: None,
    }
}

/// The labels of what an issuer may say too much under: about a package, about a claim, and whom
/// it vouches for.
pub(super) fn labels_of(by: &Party, package: &str, claim: ClaimId) -> [Label; 3] {
    let half = By::issuer(&by.id);
    let endorsement = By::predicate_type("urn:assay:endorsement:v1");
    [
        Label::of(Name::new(Kind::Package, package), half),
        Label::of(Name::new(Kind::Claim, &claim.to_hex()), half),
        Label::of(Name::new(Kind::Issuer, &by.id.to_hex()), endorsement),
    ]
}

/// What is not heard of `by` in the other of two logs: why a component is incomplete.
fn bounds(
    policy: &str,
    worlds: [&World; 2],
    overlong: &[Label],
    purl: &str,
) -> (Outcome, Vec<Bound>) {
    let policy = parse(policy);
    let claims = worlds.map(|world| &world.claims).into_iter().flatten();
    let lists = overlong.iter().map(|label| overlong_of(worlds[1], *label));
    let known = Known::judge(&policy, claims, NOW_MS).without(lists);
    let verdict = known.verdict(&component(purl), &answered(&worlds));
    let reasons = verdict.reasons().iter();
    let bounds = reasons.filter_map(|reason| match &reason.why {
        Why::Logs(LogFault::Bounded(bound)) => Some(bound.clone()),
        _ => None,
    });
    (verdict.outcome(), bounds.collect())
}

/// A key that was rotated away registers in a log that does not know of it, and says so much that
/// its lists do not come. What the issuer says elsewhere counts, for and against.
#[test]
fn a_key_of_old_makes_nothing_incomplete_where_it_cannot_speak() {
    let (mut world, mut other) = (World::new(), World::of("other.example/log"));
    let [a, b] = [1, 5].map(|seed| world.register("p", &[seed], 1));
    let claim = world.log(
        &about("pkg:cargo/a@1", VEX, &vex("not_affected", "")),
        &[&a],
    );
    world.log(&about("pkg:cargo/a@1", SCAN, &found(None)), &[&b]);
    let anchors: [(&Party, &[&str]); 2] = [(&a, &["maintainer"]), (&b, &["scanner"])];
    let policy = policy(&anchors, &rule("deny", "deny", OPEN));
    world.at_ms += DAY_MS;
    world.rotate(&a, &[2], 1, &[1, 2]);
    other.at_ms = world.at_ms + DAY_MS;
    other.register("p", &[1], 1);
    let of_a = labels_of(&a, "pkg:cargo/a", claim);
    for overlong in of_a {
        let heard = bounds(&policy, [&world, &other], &[overlong], "pkg:cargo/a@1");
        assert_eq!(heard, (Outcome::Fine, vec![]));
    }
    // Nor do keys that it gives itself there change anything.
    let thief = other.rotate(&a, &[11], 1, &[1, 11]);
    other.rotate(&thief, &[12], 1, &[11, 12]);
    let heard = bounds(&policy, [&world, &other], &of_a, "pkg:cargo/a@1");
    assert_eq!(heard, (Outcome::Fine, vec![]));
    // What the issuer has there of its records is not known if that list is too long.
    let records = Name::new(Kind::Issuer, &a.id.to_hex());
    let records = Label::of(records, By::predicate_type("urn:assay:issuer:v1"));
    let (outcome, why) = bounds(&policy, [&world, &other], &[records], "pkg:cargo/a@1");
    assert_eq!((outcome, why.len()), (Outcome::Incomplete, 1));
    // In a log that knows the key of now, its lists matter.
    let (issuer, origin) = (a.id, other.origin.to_owned());
    let mut knows = World::of(other.origin);
    knows.at_ms = other.at_ms;
    let a = knows.register("p", &[1], 1);
    knows.rotate(&a, &[2], 1, &[1, 2]);
    let named = |origin: String| Bound::Claims {
        issuer,
        origin: Some(origin),
    };
    let heard = bounds(&policy, [&world, &knows], &of_a[..1], "pkg:cargo/a@1");
    assert_eq!(heard, (Outcome::Incomplete, vec![named(origin)]));
}

/// What an issuer said in a log before its keys were replaced elsewhere counts. If its list there
/// does not come, that is said of those components that it is about, with log and issuer.
#[test]
fn a_list_that_may_hold_what_counts_is_named_where_it_matters() {
    let (mut world, other, a) = rotated();
    let claim = world.claims[1].claim().id();
    let policy = policy(&[(&a, &["scanner"])], &rule("deny", "deny", OPEN));
    let [of_package, of_claim, of_others] = labels_of(&a, "pkg:cargo/a", claim);
    let (issuer, origin) = (a.id, other.origin.to_owned());
    let heard = |label: Label, purl: &str| bounds(&policy, [&world, &other], &[label], purl);
    // What it says in the log that knows its keys counts as before.
    let named = Bound::Claims {
        issuer,
        origin: Some(origin.clone()),
    };
    let found = heard(of_package, "pkg:cargo/a@1");
    assert_eq!(found, (Outcome::Denied, vec![named]));
    let named = Bound::Replies {
        issuer,
        origin: origin.clone(),
        claim,
    };
    let found = heard(of_claim, "pkg:cargo/a@1");
    assert_eq!(found, (Outcome::Denied, vec![named]));
    for label in [of_package, of_claim] {
        let (outcome, why) = heard(label, "pkg:cargo/b@1");
        assert_eq!(
            (outcome, why),
            (Outcome::Warn, vec![]),
            "of another package"
        );
    }
    // Whom it vouches for could speak of any package.
    let named = Bound::Search(crate::trust::Limit::Endorsements { issuer, origin });
    let found = heard(of_others, "pkg:cargo/b@1");
    assert_eq!(found, (Outcome::Incomplete, vec![named]));
    // What others say of a claim takes nothing back.
    world.register("p", &[7], 1);
    let stranger = Party {
        id: assay_claims::issuer::IssuerId::from_hex(&"ab".repeat(32)).unwrap(),
        seeds: vec![],
    };
    let [_, of_claim, _] = labels_of(&stranger, "pkg:cargo/a", claim);
    let found = bounds(&policy, [&world, &other], &[of_claim], "pkg:cargo/a@1");
    assert_eq!(found, (Outcome::Denied, vec![]));
}

#[test]
fn keys_of_old_do_not_use_up_what_an_issuer_may_say() {
    let (world, mut other, a) = rotated();
    let policy = policy(&[(&a, &["scanner"])], &rule("deny", "deny", OPEN));
    assert_eq!(outcome_of(&policy, &[&world, &other]), Outcome::Denied);
    for n in 0..41 {
        let text = format!(r#"{{"n":{n}}}"#);
        let loud = of_versions(0..250, "https://example.org/own/v1", &text);
        other.log(&loud, &[&a]);
    }
    assert_eq!(outcome_of(&policy, &[&world, &other]), Outcome::Denied);
}

/// One claim about many versions of a package is one claim.
#[test]
fn claims_are_counted_and_not_what_they_name() {
    let mut world = World::new();
    let a = world.register("p", &[1], 1);
    let rules = rule("require", "deny", REVIEWED);
    let policy = policy(&[(&a, &["auditor"])], &rules);
    for n in 0..41 {
        let text =
            format!(r#"{{"criteria":["c"],"verdict":"pass","scope":"version","notes":"{n}"}}"#);
        world.log(&of_versions(0..250, AUDIT, &text), &[&a]);
    }
    assert_eq!(outcome_of(&policy, &[&world]), Outcome::Fine);
}

#[test]
fn who_said_too_much_counts_not_for_a_package_and_against_it_all_the_same() {
    let mut world = World::new();
    let [a, b] = [1, 2].map(|seed| world.register("p", &[seed], 1));
    world.log(&about("pkg:cargo/a@1", SCAN, &found(None)), &[&a]);
    world.log(
        &about("pkg:cargo/a@1", VEX, &vex("not_affected", "")),
        &[&b],
    );
    // Only `cleared_by` names the role of the one who clears.
    let open = "if = \"vulnerable\"\nseverity = \"high\"\nfrom = [\"auditor\"]\ncleared_by = \
        [\"maintainer\"]";
    let anchors: [(&Party, &[&str]); 2] = [(&a, &["auditor"]), (&b, &["maintainer"])];
    let policy = parse(&policy(&anchors, &rule("deny", "deny", open)));
    let judge = |overlong: &[Label], purl: &str| {
        let known = Known::judge(&policy, &world.claims, NOW_MS);
        let lists = overlong.iter().map(|label| overlong_of(&world, *label));
        let known = known.without(lists);
        known.verdict(&component(purl), &fresh(&world)).outcome()
    };
    let label =
        |kind, value: &str, by: &Party| Label::of(Name::new(kind, value), By::issuer(&by.id));
    let of_package = |by: &Party| label(Kind::Package, "pkg:cargo/a", by);
    let (a1, b1) = ("pkg:cargo/a@1", "pkg:cargo/b@1");
    assert_eq!(judge(&[], a1), Outcome::Fine);
    // What clears is not heard, and what was found is.
    assert_eq!(judge(&[of_package(&b)], a1), Outcome::Denied);
    assert_eq!(
        judge(&[of_package(&a), of_package(&b)], a1),
        Outcome::Denied
    );
    // Whoever found it may have found more.
    assert_eq!(judge(&[of_package(&a)], a1), Outcome::Incomplete);
    // Of other packages nothing is changed.
    assert_eq!(judge(&[of_package(&a), of_package(&b)], b1), judge(&[], b1));
    // What is said of a claim, or what the issuer says of itself and of others, bears on all.
    let claim = world.claims[2].claim().id().to_hex();
    assert_eq!(
        judge(&[label(Kind::Claim, &claim, &a)], a1),
        Outcome::Incomplete
    );
    let own = Name::new(Kind::Issuer, &b.id.to_hex());
    let own = Label::of(own, By::predicate_type("urn:assay:issuer:v1"));
    assert_eq!(judge(&[own], a1), Outcome::Incomplete);
    // Nobody without a role is waited for.
    let stranger = Party {
        id: assay_claims::issuer::IssuerId::from_hex(&"ab".repeat(32)).unwrap(),
        seeds: vec![],
    };
    assert_eq!(judge(&[of_package(&stranger)], a1), Outcome::Fine);
}

#[test]
fn only_a_sound_word_about_the_very_thing_says_that_a_finding_is_not_severe() {
    let mut world = World::new();
    let [a, b, c] = [1, 2, 3].map(|seed| world.register("p", &[seed], 1));
    let anchors: [(&Party, &[&str]); 3] =
        [(&a, &["scanner"]), (&b, &["builder"]), (&c, &["scanner"])];
    let policy = policy(&anchors, &rule("deny", "deny", OPEN));
    world.log(&about("pkg:cargo/a@1", SCAN, &found(None)), &[&a]);
    assert_eq!(outcome(&policy, &world), Outcome::Denied);
    world.log(&about("pkg:cargo/a@1", SCAN, &found(Some("low"))), &[&b]);
    assert_eq!(outcome(&policy, &world), Outcome::Denied, "a builder's");
    let elsewhere = "pkg:cargo/a@1?repository_url=https:%2F%2Fe.org%2Fx";
    world.log(&about(elsewhere, SCAN, &found(Some("low"))), &[&c]);
    assert_eq!(
        outcome(&policy, &world),
        Outcome::Denied,
        "of another artifact"
    );
    world.log(&about("pkg:cargo/a@1", SCAN, &found(Some("low"))), &[&c]);
    assert_eq!(outcome(&policy, &world), Outcome::Fine);
}

/// What `cleared_by` does not name clears nothing, and rates nothing that others found.
#[test]
fn who_may_not_clear_does_not_rate_what_others_found() {
    let mut world = World::new();
    let [a, b, c] = [1, 2, 3].map(|seed| world.register("p", &[seed], 1));
    let anchors: [(&Party, &[&str]); 3] = [
        (&a, &["scanner"]),
        (&b, &["maintainer", "builder"]),
        (&c, &["scanner"]),
    ];
    let by_scanners = "if = \"vulnerable\"\nseverity = \"high\"\nfrom = [\"anyone\"]\ncleared_by = \
        [\"scanner\"]";
    let by_makers = by_scanners.replace("[\"scanner\"]", "[\"maintainer\"]");
    let scanners = policy(&anchors, &rule("deny", "deny", by_scanners));
    let makers = policy(&anchors, &rule("deny", "deny", &by_makers));
    world.log(&about("pkg:cargo/a@1", SCAN, &found(Some("low"))), &[&b]);
    // Whoever found it says with what severity, and nobody else says anything of it.
    assert_eq!(outcome(&scanners, &world), Outcome::Fine);
    world.log(&about("pkg:cargo/a@1", SCAN, &found(None)), &[&a]);
    assert_eq!(outcome(&scanners, &world), Outcome::Denied);
    assert_eq!(outcome(&makers, &world), Outcome::Fine);
    world.log(&about("pkg:cargo/a@1", SCAN, &found(Some("low"))), &[&c]);
    assert_eq!(outcome(&scanners, &world), Outcome::Fine);
    // More severe is said by whoever has a role, of whatever it may be.
    world.log(&about("pkg:cargo/a@1", SCAN, &found(Some("high"))), &[&b]);
    assert_eq!(outcome(&scanners, &world), Outcome::Denied);
    assert_eq!(outcome(&makers, &world), Outcome::Denied);
}

/// That a vulnerability can be exploited is taken back by who said it. It is rated by those whose
/// word counts, and by scanners, whose trade that is.
#[test]
fn what_is_exploitable_is_rated_by_those_who_count_and_by_scanners() {
    let mut world = World::new();
    let [a, b, c] = [1, 2, 3].map(|seed| world.register("p", &[seed], 1));
    let anchors: [(&Party, &[&str]); 3] =
        [(&a, &["maintainer"]), (&b, &["finder"]), (&c, &["scanner"])];
    let lines = "if = \"affected\"\nseverity = \"high\"\nfrom = [\"maintainer\"]";
    let policy = policy(&anchors, &rule("deny", "deny", lines));
    world.log(&about("pkg:cargo/a@1", VEX, &vex("affected", "")), &[&a]);
    world.log(&about("pkg:cargo/a@1", SCAN, &found(Some("low"))), &[&b]);
    assert_eq!(outcome(&policy, &world), Outcome::Denied);
    world.log(&about("pkg:cargo/a@1", SCAN, &found(Some("low"))), &[&c]);
    assert_eq!(outcome(&policy, &world), Outcome::Fine);
}

#[test]
fn a_denial_sees_the_roles_in_which_one_speaks_against() {
    let mut world = World::new();
    let [a, b] = [1, 2].map(|seed| world.register("p", &[seed], 1));
    let first = world.next_leaf();
    world.endorse(&a, &endorsement(&b, "scanner", &["pkg:*"], 0));
    let lines = "if = \"claim\"\nclaims = [\"scan\"]\nfrom = [\"anyone\"]\nwhen = \"by a scanner\"";
    let policy = policy(
        &[(&a, &["scanner", "maintainer"])],
        &rule("deny", "deny", lines),
    );
    world.log(&about("pkg:cargo/a@1", SCAN, &found(None)), &[&b]);
    assert_eq!(outcome(&policy, &world), Outcome::Denied);
    // The key is declared compromised from before the endorsement on, and another role is given.
    let a = world.rotate(&a, &[3], 1, &[1, 3]);
    world.compromise(&a, &a, 1, first);
    assert_eq!(outcome(&policy, &world), Outcome::Denied);
    world.endorse(&a, &endorsement(&b, "maintainer", &["pkg:*"], 0));
    assert_eq!(outcome(&policy, &world), Outcome::Denied);
    // Nor does a role that a thief gave take somebody out of a rule for those without it.
    let without = policy.replace("by a scanner", "not by a scanner");
    assert_eq!(outcome(&without, &world), Outcome::Denied);
}

#[test]
fn what_is_said_of_claims_and_of_other_things_is_no_word_about_a_component() {
    let mut world = World::new();
    let a = world.register("p", &[1], 1);
    let anchors: [(&Party, &[&str]); 1] = [(&a, &["maintainer", "scanner", "auditor"])];
    let policy = policy(&anchors, "").replace("unknown = \"warn\"\n", "");
    assert_eq!(outcome(&policy, &world), Outcome::Unknown);
    let other = r#","products":[{"@id":"pkg:cargo/other@1"}]"#;
    let own = r#","products":[{"@id":"pkg:cargo/a@1"}]"#;
    world.log(
        &about("pkg:cargo/a@1", VEX, &vex("not_affected", other)),
        &[&a],
    );
    assert_eq!(outcome(&policy, &world), Outcome::Unknown);
    let sbom = r#"{"bomFormat":"CycloneDX","specVersion":"1.5"}"#;
    world.log(
        &about("pkg:cargo/a@1", "https://cyclonedx.org/bom", sbom),
        &[&a],
    );
    assert_eq!(outcome(&policy, &world), Outcome::Unknown);
    world.log(
        &about("pkg:cargo/a@1", VEX, &vex("not_affected", own)),
        &[&a],
    );
    assert_eq!(outcome(&policy, &world), Outcome::Fine);
}

/// Changes from each of two hundred versions to each later one, said again and again: that would be
/// looked at for minutes if each review were looked at for each version that it names.
#[test]
fn many_reviews_of_many_versions_are_each_looked_at_once() {
    let mut world = World::new();
    let a = world.register("p", &[1], 1);
    let rules = rule("require", "deny", REVIEWED);
    let digests: Vec<Subject> = (0..120)
        .map(|n| Subject::artifact(None, &Hash::of(&[n])))
        .collect();
    let policy = policy(&[(&a, &["auditor"])], &rules);
    for base in 2..120 {
        let text = format!(
            r#"{{"criteria":["c"],"verdict":"pass","scope":"delta","deltaBase":"{base}"}}"#
        );
        let review = of_versions(0..120, AUDIT, &text);
        let mut subjects = review.subjects().to_vec();
        subjects.extend(digests.iter().cloned());
        world.log(
            &Statement::new(subjects, AUDIT, value(&text)).unwrap(),
            &[&a],
        );
    }
    assert_eq!(outcome_of(&policy, &[&world]), Outcome::Unmet);
    let whole = r#"{"criteria":["c"],"verdict":"pass","scope":"version"}"#;
    world.log(&about("pkg:cargo/a@119", AUDIT, whole), &[&a]);
    assert_eq!(outcome_of(&policy, &[&world]), Outcome::Fine);
}
