//! What a policy ignores decides nothing, for as long as it says, and is always said.

use super::*;
use crate::testing::about;

const VULNS: &str = "https://in-toto.io/attestation/vulns/v0.2";
const OPENVEX: &str = "https://openvex.dev/ns/v0.2.0";

const FINDS: &str = "if = \"vulnerable\"\nfrom = [\"scanner\"]\ncleared_by = [\"maintainer\"]";
const HARMS: &str = "if = \"affected\"\nfrom = [\"scanner\"]";
const WANTS: &str = "claims = [\"audit\"]\nfrom = [\"auditor\"]";

/// A scan that found these, each with its other names.
fn scan(world: &mut World, by: &Party, found: &[(&str, &str)]) {
    let found: Vec<String> = found
        .iter()
        .map(|(id, alias)| {
            format!(
                r#"{{"id":"{id}","severity":[{{"method":"word","score":"high"}}],"annotations":[{{"aliases":["{alias}"]}}]}}"#
            )
        })
        .collect();
    let text = format!(
        r#"{{"scanner":{{"uri":"https://e.org/s","result":[{}]}},"metadata":{{"scanStartedOn":"2026-01-01T00:00:00Z","scanFinishedOn":"2026-01-01T00:00:00Z"}}}}"#,
        found.join(",")
    );
    world.log(&about("pkg:cargo/a@1", VULNS, &text), &[by]);
}

fn harmed(world: &mut World, by: &Party) {
    let text = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://e.org/1","author":"A","version":1,"timestamp":"2026-01-01T00:00:00Z","statements":[{"vulnerability":{"name":"CVE-1","aliases":["GHSA-1"]},"status":"affected","action_statement":"Update."}]}"#;
    world.log(&about("pkg:cargo/a@1", OPENVEX, text), &[by]);
}

fn policy(a: &Party, rules: &str, ignores: &str) -> String {
    format!(
        "version = 1\n{}{rules}{ignores}",
        anchor(a, &["scanner", "auditor"])
    )
}

fn ignore(lines: &str) -> String {
    format!("[[ignore]]\n{lines}\nreason = \"Not built.\"\nuntil = \"2026-02-01\"\n")
}

/// The vulnerabilities that are ignored, and those that are not.
fn sorted(verdict: &Verdict) -> (Vec<String>, Vec<String>) {
    let (mut ignored, mut open) = (Vec::new(), Vec::new());
    for reason in verdict.reasons() {
        let (list, why) = match &reason.why {
            Why::Ignored(overlooked) => (&mut ignored, overlooked.why.as_ref()),
            why => (&mut open, why),
        };
        if let Why::Affected(rated) | Why::Vulnerable(rated) = why {
            list.extend(rated.iter().map(|one| one.id.clone()));
        }
    }
    (ignored, open)
}

#[test]
fn a_vulnerability_is_ignored_by_any_of_its_names_where_the_policy_says() {
    let mut world = World::new();
    let a = world.register("a", &[1], 1);
    scan(&mut world, &a, &[("CVE-1", "GHSA-1"), ("CVE-2", "GHSA-2")]);
    harmed(&mut world, &a);
    let rules = [rule("deny", "deny", FINDS), rule("deny", "deny", HARMS)].concat();
    let both = ["CVE-1", "CVE-1"];
    for (lines, ignored, open) in [
        (
            "vulnerability = \"cve-1\"\nscopes = [\"pkg:*\"]",
            &both[..],
            &["CVE-2"][..],
        ),
        (
            "vulnerability = \"GHSA-1\"\nscopes = [\"pkg:cargo/a\"]",
            &both,
            &["CVE-2"],
        ),
        (
            "vulnerability = \"CVE-1\"\nscopes = [\"pkg:cargo/b\"]",
            &[],
            &["CVE-1", "CVE-2", "CVE-1"],
        ),
        (
            "vulnerability = \"CVE-11\"\nscopes = [\"pkg:*\"]",
            &[],
            &["CVE-1", "CVE-2", "CVE-1"],
        ),
    ] {
        let verdict = decided(
            &policy(&a, &rules, &ignore(lines)),
            &world.claims,
            &fresh(&world),
        );
        assert_eq!(verdict.outcome(), Outcome::Denied, "{lines}");
        let (found, left) = sorted(&verdict);
        assert_eq!((found.as_slice(), left.as_slice()).0, ignored, "{lines}");
        assert_eq!(left, open, "{lines}");
    }
    // With nothing else to say it stops nothing, and is not fine either.
    let two = ["CVE-1", "CVE-2"]
        .map(|id| ignore(&format!("vulnerability = \"{id}\"\nscopes = [\"pkg:*\"]")));
    let verdict = decided(
        &policy(&a, &rules, &two.concat()),
        &world.claims,
        &fresh(&world),
    );
    assert_eq!(verdict.outcome(), Outcome::Warn);
    let Why::Ignored(overlooked) = &verdict.reasons()[0].why else {
        panic!("{verdict:?}")
    };
    assert_eq!(overlooked.outcome, Outcome::Denied);
    assert!(!verdict.reasons()[0].evidence.is_empty());
}

#[test]
fn a_rule_is_ignored_where_the_policy_says_until_the_day_it_says() {
    let mut world = World::new();
    let a = world.register("a", &[1], 1);
    scan(&mut world, &a, &[]);
    let wants = format!(
        "[[require]]\nname = \"wants\"\nscopes = [\"pkg:*\"]\n{WANTS}\noutcome = \"deny\"\n\
         reason = \"because.\"\n"
    );
    let rules = |until: &str, scopes: &str| {
        let entry = ignore(&format!("rule = \"wants\"\nscopes = [\"{scopes}\"]"));
        policy(&a, &wants, &entry.replace("2026-02-01", until))
    };
    assert_eq!(
        outcome(&rules("2026-01-11", "pkg:cargo/a"), &world),
        Outcome::Warn
    );
    assert_eq!(
        outcome(&rules("2026-01-10", "pkg:cargo/a"), &world),
        Outcome::Unmet
    );
    assert_eq!(
        outcome(&rules("2026-01-11", "pkg:npm/*"), &world),
        Outcome::Unmet
    );
    // What nobody knows can be ignored; what a log did not answer cannot.
    let unknown = ignore("rule = \"unknown\"\nscopes = [\"pkg:*\"]");
    let nothing = World::new();
    let text = format!("version = 1\n{unknown}");
    assert_eq!(outcome(&text, &nothing), Outcome::Warn);
    let silent = [LogAnswer {
        origin: nothing.origin.into(),
        answer: Answer::None { why: "x".into() },
    }];
    assert_eq!(
        decided(&text, &nothing.claims, &silent).outcome(),
        Outcome::Incomplete
    );
}

#[test]
fn what_an_ignored_issuer_found_is_said_and_what_others_found_stands() {
    let mut world = World::new();
    let (a, b) = (world.register("a", &[1], 1), world.register("b", &[2], 1));
    scan(&mut world, &a, &[("CVE-1", "X-1"), ("CVE-2", "X-2")]);
    scan(&mut world, &b, &[("CVE-2", "X-2")]);
    let text = format!(
        "version = 1\n{}{}{}{}",
        anchor(&a, &["scanner"]),
        anchor(&b, &["scanner"]).replace("\"it\"", "\"other\""),
        rule("deny", "deny", FINDS),
        ignore(&format!("issuer = \"{}\"", a.id)),
    );
    let verdict = decided(&text, &world.claims, &fresh(&world));
    let expected = (vec!["CVE-1".to_owned()], vec!["CVE-2".to_owned()]);
    assert_eq!(sorted(&verdict), expected);
    let ignored = verdict
        .reasons()
        .iter()
        .find(|reason| reason.cause() == Cause::Ignored);
    let evidence = &ignored.unwrap().evidence;
    assert!(
        evidence.iter().all(|one| one.issuer == a.id),
        "{evidence:?}"
    );
}

#[test]
fn an_entry_says_what_why_and_until_when() {
    let bad = |lines: &str| error(&format!("version = 1\n[[ignore]]\n{lines}\n"));
    let (until, reason) = ("until = \"2026-02-01\"", "reason = \"Not built.\"");
    let cve = "vulnerability = \"CVE-1\"\nscopes = [\"pkg:*\"]";
    assert!(bad(&format!("{cve}\n{reason}")).reason.contains("until"));
    assert!(bad(&format!("{cve}\n{until}")).reason.contains("reason"));
    for (lines, key) in [
        ("vulnerability = \"CVE-1\"", "ignore.scopes"),
        ("vulnerability = \"CVE-1\"\nscopes = []", "ignore.scopes"),
        (
            "vulnerability = \" \"\nscopes = [\"pkg:*\"]",
            "ignore.vulnerability",
        ),
        ("rule = \"unknwon\"\nscopes = [\"pkg:*\"]", "ignore.rule"),
        ("rule = \"logs\"\nscopes = [\"pkg:*\"]", "ignore.rule"),
        (
            "rule = \"unknown\"\nvulnerability = \"CVE-1\"\nscopes = [\"pkg:*\"]",
            "ignore",
        ),
        ("", "ignore"),
    ] {
        assert_eq!(
            bad(&format!("{lines}\n{until}\n{reason}")).key,
            key,
            "{lines}"
        );
    }
    let issuer = format!("issuer = \"{}\"\nscopes = [\"pkg:*\"]", "0".repeat(64));
    assert_eq!(
        bad(&format!("{issuer}\n{until}\n{reason}")).key,
        "ignore.scopes"
    );
    let empty = format!("{cve}\n{until}\nreason = \" \"");
    assert_eq!(bad(&empty).key, "ignore.reason");
    let for_ever = format!("{cve}\n{reason}\nuntil = \"never\"");
    assert_eq!(bad(&for_ever).key, "ignore.until");
    // TOML has dates of its own.
    let day = format!("version = 1\n[[ignore]]\n{cve}\n{reason}\nuntil = 2026-02-01\n");
    assert_eq!(parse(&day).ignored()[0].until.as_str(), "2026-02-01");
    let number = bad(&format!("{cve}\n{reason}\nuntil = 2026"));
    assert!(number.reason.contains("has to be a date"), "{number:?}");
}
