//! Of what an issuer said itself the latest counts, by the time that the document states.

use super::*;
use crate::testing::{about, value};
use assay_claims::claim::ClaimId;
use assay_claims::statement::{Statement, Subject};
use assay_tlog::Hash;

const SCAN: &str = "https://in-toto.io/attestation/vulns/v0.2";
const VEX: &str = "https://openvex.dev/ns/v0.2.0";

/// A world in which five days have passed, an issuer, and a policy that stops at what it found and
/// at what it says is affected.
fn world() -> (World, Party, String) {
    let mut world = World::new();
    let maker = world.register("m", &[1], 1);
    world.at_ms += 5 * DAY_MS;
    let found = rule(
        "deny",
        "deny",
        "if = \"vulnerable\"\nfrom = [\"anyone\"]\ncleared_by = [\"maintainer\"]",
    );
    let affected = rule("deny", "deny", "if = \"affected\"\nfrom = [\"maintainer\"]");
    let policy = format!(
        "version = 1\n{}{found}{affected}",
        anchor(&maker, &["maintainer"])
    );
    (world, maker, policy)
}

/// A scan that ended on a day of January 2026.
fn scan(day: u32, found: &[&str], scanned: &str) -> String {
    let results: Vec<String> = found
        .iter()
        .map(|id| format!(r#"{{"id":"{id}"}}"#))
        .collect();
    format!(
        r#"{{"scanner":{{"uri":"https://e.org/s","result":[{}]}},"metadata":{{"scanStartedOn":"2026-01-01T00:00:00Z","scanFinishedOn":"2026-01-{day:02}T00:00:00Z"{scanned}}}}}"#,
        results.join(",")
    )
}

fn say_scan(world: &mut World, by: &Party, day: u32, found: &[&str]) -> ClaimId {
    world.log(&about("pkg:cargo/a@1", SCAN, &scan(day, found, "")), &[by])
}

/// A document about CVE-1, of a day of January 2026.
fn vex((document, version): (&str, u32), day: u32, status: &str) -> String {
    format!(
        r#"{{"@context":"{VEX}","@id":"https://e.org/{document}","author":"A","version":{version},"timestamp":"2026-01-{day:02}T00:00:00Z","statements":[{{"vulnerability":"CVE-1","status":"{status}","action_statement":"update","impact_statement":"none"}}]}}"#
    )
}

fn say_vex(world: &mut World, by: &Party, document: (&str, u32), day: u32, status: &str) {
    world.log(
        &about("pkg:cargo/a@1", VEX, &vex(document, day, status)),
        &[by],
    );
}

#[test]
fn a_scan_that_is_logged_later_and_dated_earlier_clears_nothing() {
    let (mut world, maker, policy) = world();
    say_scan(&mut world, &maker, 4, &["CVE-1"]);
    say_scan(&mut world, &maker, 3, &[]);
    assert_eq!(outcome(&policy, &world), Outcome::Denied);
    // Of one instant the one that was logged later counts, and so does a later one.
    for day in [4, 5] {
        let mut world = World::continuing(&world);
        say_scan(&mut world, &maker, day, &[]);
        assert_eq!(outcome(&policy, &world), Outcome::Fine, "{day}");
    }
    // Nor does an old one bring back what was found no more.
    say_scan(&mut world, &maker, 5, &[]);
    say_scan(&mut world, &maker, 4, &["CVE-2"]);
    assert_eq!(outcome(&policy, &world), Outcome::Fine);
}

#[test]
fn who_looks_again_says_nothing_any_more() {
    let (world, maker, policy) = world();
    let policy = policy.replacen("version = 1", "version = 1\nunknown = \"warn\"", 1);
    for (before, expected) in [
        ("affected", Outcome::Denied),
        ("not_affected", Outcome::Fine),
        ("fixed", Outcome::Fine),
        ("under_investigation", Outcome::Warn),
    ] {
        let mut world = World::continuing(&world);
        say_vex(&mut world, &maker, ("one", 1), 2, before);
        assert_eq!(outcome(&policy, &world), expected, "{before}");
        for document in [("one", 2), ("other", 1)] {
            let mut world = World::continuing(&world);
            say_vex(&mut world, &maker, document, 3, "under_investigation");
            assert_eq!(outcome(&policy, &world), Outcome::Warn, "{before}");
        }
    }
}

#[test]
fn a_newer_version_of_a_document_clears_no_more_than_it_says() {
    let (mut world, maker, policy) = world();
    say_scan(&mut world, &maker, 1, &["CVE-1"]);
    say_vex(&mut world, &maker, ("one", 1), 2, "not_affected");
    assert_eq!(outcome(&policy, &world), Outcome::Fine);
    // The second version, and another document, are about something else.
    let say_else = |document, day, by: &Party| {
        let mut world = World::continuing(&world);
        let text = vex(document, day, "not_affected").replace("CVE-1", "CVE-2");
        world.log(&about("pkg:cargo/a@1", VEX, &text), &[by]);
        outcome(&policy, &world)
    };
    assert_eq!(say_else(("one", 2), 3, &maker), Outcome::Denied);
    assert_eq!(say_else(("one", 1), 3, &maker), Outcome::Fine);
    assert_eq!(say_else(("other", 2), 3, &maker), Outcome::Fine);
    // A version that is not signed by its keys is none.
    assert_eq!(say_else(("one", 2), 3, &maker.with(&[9])), Outcome::Fine);
    // What it said against something is not taken back by silence.
    let mut world = World::continuing(&world);
    say_vex(&mut world, &maker, ("bad", 1), 4, "affected");
    let text = vex(("bad", 2), 5, "not_affected").replace("CVE-1", "CVE-2");
    world.log(&about("pkg:cargo/a@1", VEX, &text), &[&maker]);
    assert_eq!(outcome(&policy, &world), Outcome::Denied);
}

/// The newest version of a document is the document, whatever it is about.
#[test]
fn a_newer_version_about_something_else_clears_no_more() {
    let (mut world, maker, policy) = world();
    say_scan(&mut world, &maker, 1, &["CVE-1"]);
    say_vex(&mut world, &maker, ("one", 1), 2, "fixed");
    let say_of = |package: &str, document: (&str, u32), by: &Party| {
        let mut world = World::continuing(&world);
        let text = vex(document, 3, "fixed");
        world.log(&about(package, VEX, &text), &[by]);
        outcome(&policy, &world)
    };
    for package in ["pkg:cargo/a@1.0.1", "pkg:cargo/a@2", "pkg:cargo/b@1"] {
        assert_eq!(
            say_of(package, ("one", 2), &maker),
            Outcome::Denied,
            "{package}"
        );
        assert_eq!(
            say_of(package, ("one", 1), &maker),
            Outcome::Fine,
            "{package}"
        );
        assert_eq!(
            say_of(package, ("two", 2), &maker),
            Outcome::Fine,
            "{package}"
        );
        let stolen = maker.with(&[9]);
        assert_eq!(
            say_of(package, ("one", 2), &stolen),
            Outcome::Fine,
            "{package}"
        );
    }
    // Of others' documents nothing follows.
    let mut others = World::continuing(&world);
    let other = others.register("o", &[2], 1);
    let text = vex(("one", 2), 3, "fixed");
    others.log(&about("pkg:cargo/a@2", VEX, &text), &[&other]);
    assert_eq!(outcome(&policy, &others), Outcome::Fine);
}

#[test]
fn a_word_is_taken_back_under_another_name_of_the_vulnerability() {
    let (world, maker, policy) = world();
    let policy = policy.replacen("version = 1", "version = 1\nunknown = \"warn\"", 1);
    let named = |document: &str, day: u32, status: &str, names: &[&str]| {
        let aliases: Vec<String> = names[1..].iter().map(|name| format!("{name:?}")).collect();
        let vulnerability = format!(
            r#"{{"name":"{}","aliases":[{}]}}"#,
            names[0],
            aliases.join(",")
        );
        vex((document, 1), day, status).replace(r#""CVE-1""#, &vulnerability)
    };
    for (before, after, expected) in [
        (&["GHSA-1", "CVE-1"][..], &["CVE-1"][..], Outcome::Fine),
        (&["CVE-1"], &["GHSA-1", "CVE-1"], Outcome::Fine),
        (&["CVE-1", "GHSA-1"], &["GHSA-1"], Outcome::Fine),
        // One advisory can be of several vulnerabilities.
        (&["GHSA-1", "CVE-1", "CVE-2"], &["CVE-1"], Outcome::Denied),
        (
            &["GHSA-1", "CVE-1", "CVE-2"],
            &["RUSTSEC-1", "CVE-1", "CVE-2"],
            Outcome::Fine,
        ),
        (&["GHSA-1", "CVE-1"], &["CVE-2"], Outcome::Denied),
    ] {
        let mut world = World::continuing(&world);
        let first = named("one", 2, "affected", before);
        world.log(&about("pkg:cargo/a@1", VEX, &first), &[&maker]);
        let second = named("two", 3, "not_affected", after);
        world.log(&about("pkg:cargo/a@1", VEX, &second), &[&maker]);
        assert_eq!(outcome(&policy, &world), expected, "{before:?} {after:?}");
        // What was said before is not what was said last.
        let mut world = World::continuing(&world);
        let third = named("three", 4, "affected", before);
        world.log(&about("pkg:cargo/a@1", VEX, &third), &[&maker]);
        assert_eq!(outcome(&policy, &world), Outcome::Denied, "{before:?}");
    }
}

#[test]
fn a_wrong_clock_can_be_corrected() {
    let (mut world, maker, policy) = world();
    say_scan(&mut world, &maker, 31, &["CVE-1"]);
    world.at_ms += DAY_MS;
    say_scan(&mut world, &maker, 7, &[]);
    assert_eq!(outcome(&policy, &world), Outcome::Fine);
    say_vex(&mut world, &maker, ("1", 1), 31, "affected");
    world.at_ms += DAY_MS;
    say_vex(&mut world, &maker, ("2", 1), 8, "fixed");
    assert_eq!(outcome(&policy, &world), Outcome::Fine);
}

#[test]
fn a_scan_of_something_else_clears_nothing() {
    let (mut world, maker, policy) = world();
    let inputs = |name: &str| format!(r#","scanned":"{name}""#);
    let of = |world: &mut World, day: u32, found: &[&str], scanned: &str| {
        world.log(
            &about("pkg:cargo/a@1", SCAN, &scan(day, found, scanned)),
            &[&maker],
        );
    };
    of(&mut world, 2, &["CVE-1"], &inputs("one lock file"));
    of(&mut world, 3, &[], &inputs("another"));
    of(&mut world, 3, &[], "");
    assert_eq!(outcome(&policy, &world), Outcome::Denied);
    // Nor one of another artifact of the version, or of more than the package.
    let artifact = Subject::of_parts(
        None,
        Some("pkg:cargo/a@1".into()),
        vec![("sha256".into(), "ab".repeat(32))],
    );
    let whole = Subject::package(crate::testing::purl("pkg:cargo/a"));
    for subject in [artifact, whole] {
        let said = value(&scan(4, &[], &inputs("one lock file")));
        world.log(
            &Statement::new(vec![subject], SCAN, said).unwrap(),
            &[&maker],
        );
        assert_eq!(outcome(&policy, &world), Outcome::Denied);
    }
    of(&mut world, 4, &[], &inputs("one lock file"));
    assert_eq!(outcome(&policy, &world), Outcome::Fine);
}

/// Whoever has the scanner keep silent about something is not one of those who clear it.
#[test]
fn what_a_scan_was_told_to_ignore_it_does_not_take_back() {
    let (mut world, maker, policy) = world();
    let say = |world: &mut World, day: u32, found: &[&str], ignored: &str| {
        let text = scan(day, found, "");
        let text = text.replace(r#""result""#, &format!(r#""ignored":[{ignored}],"result""#));
        world.log(&about("pkg:cargo/a@1", SCAN, &text), &[&maker]);
    };
    say(&mut world, 1, &["CVE-1", "CVE-2"], "");
    say(&mut world, 2, &[], r#""cve-1","CVE-7""#);
    assert_eq!(outcome(&policy, &world), Outcome::Denied);
    let found = |world: &World| {
        let policy = parse(&policy);
        let known = Known::judge(&policy, &world.claims, NOW_MS);
        let all = known.vulnerabilities(&component("pkg:cargo/a@1"));
        all.into_iter().map(|one| one.id).collect::<Vec<_>>()
    };
    assert_eq!(found(&world), ["CVE-1"]);
    say(&mut world, 3, &[], r#""CVE-1","CVE-2""#);
    assert_eq!(found(&world), ["CVE-1"]);
    // One that looks for it, and does not find it, does.
    let mut seen = World::continuing(&world);
    say(&mut seen, 4, &[], r#""CVE-2""#);
    assert_eq!(outcome(&policy, &seen), Outcome::Fine);
    say(&mut seen, 5, &[], r#""CVE-1""#);
    assert_eq!(outcome(&policy, &seen), Outcome::Fine);
}

#[test]
fn an_older_vex_statement_reverses_no_newer_one() {
    let (mut world, maker, policy) = world();
    say_vex(&mut world, &maker, ("1", 1), 4, "affected");
    say_vex(&mut world, &maker, ("2", 1), 3, "fixed");
    assert_eq!(outcome(&policy, &world), Outcome::Denied);
    // A later version of the document counts, whatever times it kept.
    say_vex(&mut world, &maker, ("1", 2), 4, "fixed");
    say_vex(&mut world, &maker, ("1", 1), 4, "affected");
    assert_eq!(outcome(&policy, &world), Outcome::Fine);
    // Of one instant the one that was logged later.
    say_vex(&mut world, &maker, ("3", 1), 4, "affected");
    assert_eq!(outcome(&policy, &world), Outcome::Denied);
}

#[test]
fn what_is_said_of_another_artifact_replaces_nothing_that_is_said_of_this_one() {
    let (mut world, maker, policy) = world();
    let of = |digest: &str| {
        let digests = vec![("sha256".into(), digest.to_owned())];
        (
            Subject::of_parts(None, Some("pkg:cargo/a@1".into()), digests.clone()),
            digests,
        )
    };
    let ((one, digests), (other, _)) = (of(&Hash::of(b"1").to_hex()), of(&Hash::of(b"2").to_hex()));
    let component = Component::new(component("pkg:cargo/a@1").purl().cloned(), digests);
    let mut say = |subject: &Subject, document: &str, day, status| {
        let said = value(&vex((document, 1), day, status));
        world.log(
            &Statement::new(vec![subject.clone()], VEX, said).unwrap(),
            &[&maker],
        );
        evaluate(
            &parse(&policy),
            &component,
            &fresh(&world),
            &world.claims,
            NOW_MS,
        )
        .outcome()
    };
    assert_eq!(say(&one, "1", 2, "affected"), Outcome::Denied);
    assert_eq!(say(&other, "2", 3, "fixed"), Outcome::Denied);
    assert_eq!(say(&one, "3", 4, "fixed"), Outcome::Fine);
    assert_eq!(say(&other, "4", 5, "affected"), Outcome::Denied);
}

/// The leaf of the claim that replaced a line.
fn replaced_by(line: &Line<'_>) -> Option<u64> {
    line.replaced_by.as_ref().map(|by| by.leaf.get())
}

#[test]
fn what_was_replaced_is_shown_with_what_replaced_it() {
    let (mut world, maker, policy) = world();
    let policy = parse(&policy);
    say_scan(&mut world, &maker, 2, &["CVE-1"]);
    say_scan(&mut world, &maker, 4, &[]);
    say_scan(&mut world, &maker, 3, &["CVE-2"]);
    say_vex(&mut world, &maker, ("1", 1), 4, "fixed");
    say_vex(&mut world, &maker, ("2", 1), 3, "affected");
    world.log(
        &about("pkg:cargo/b@1", VEX, &vex(("3", 1), 5, "affected")),
        &[&maker],
    );
    let replaced = |posture: Posture<'_>| -> Vec<(u64, Option<u64>)> {
        let mut lines: Vec<_> = posture
            .of(Question::Vulnerable)
            .map(|line| (line.leaf().get(), replaced_by(line)))
            .collect();
        lines.sort();
        lines
    };
    let shown = vec![
        (1, Some(2)),
        (2, None),
        (3, Some(2)),
        (4, None),
        (5, Some(4)),
    ];
    assert_eq!(
        replaced(posture(
            &policy,
            &component("pkg:cargo/a@1"),
            &world.claims,
            NOW_MS
        )),
        shown
    );
    // So it is where nobody asks about one package: what is said of another is another matter.
    let listed = listing(&policy, &world.claims, |_| true, NOW_MS);
    assert_eq!(replaced(listed), [shown, vec![(6, None)]].concat());
    // What was taken back replaces nothing.
    let newest = world.claims[4].claim().id();
    world.withdraw(&maker, newest);
    let lines = replaced(posture(
        &policy,
        &component("pkg:cargo/a@1"),
        &world.claims,
        NOW_MS,
    ));
    assert_eq!(lines.last(), Some(&(5, None)));
}

#[test]
fn a_claim_of_several_issuers_stands_while_one_of_them_stands_by_it() {
    let (mut world, maker, policy) = world();
    let other = world.register("o", &[2], 1);
    world.log(
        &about("pkg:cargo/a@1", VEX, &vex(("1", 1), 2, "affected")),
        &[&maker, &other],
    );
    let replaced = |world: &World| {
        let posture = posture(
            &parse(&policy),
            &component("pkg:cargo/a@1"),
            &world.claims,
            NOW_MS,
        );
        posture
            .of(Question::Vulnerable)
            .find(|line| line.leaf().get() == 2)
            .and_then(replaced_by)
    };
    say_vex(&mut world, &maker, ("2", 1), 3, "fixed");
    assert_eq!(replaced(&world), None);
    say_vex(&mut world, &other, ("3", 1), 3, "fixed");
    assert_eq!(replaced(&world), Some(3));
}
