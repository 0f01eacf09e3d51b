//! What a policy demands, and why it decides as it does.

use super::*;
use assay_claims::claim::ClaimId;
use assay_claims::logged::LoggedClaim;

fn decided(policy: &str, claims: &[LoggedClaim], answers: &[LogAnswer]) -> Verdict {
    evaluate(
        &parse(policy),
        &component("pkg:cargo/a@1"),
        answers,
        claims,
        NOW_MS,
    )
}

/// The outcome, and the worst reason in words.
fn said(policy: &str, world: &World) -> (Outcome, String) {
    let verdict = decided(policy, &world.claims, &fresh(world));
    (
        verdict.outcome(),
        reason(&verdict.reasons()[0], Reader::Owner),
    )
}

fn audit(world: &mut World, by: &[&Party], verdict: &str) -> ClaimId {
    let notes = world.next_leaf();
    let text = format!(
        r#"{{"criteria":["safe-to-run"],"verdict":"{verdict}","scope":"version","notes":"{notes}"}}"#
    );
    world.log(&about("pkg:cargo/a@1", "urn:assay:audit:v1", &text), by)
}

fn say(world: &mut World, by: &Party) -> ClaimId {
    let text = format!(r#"{{"n":"{}"}}"#, world.next_leaf());
    world.log(
        &about("pkg:cargo/a@1", "https://example.org/own/v1", &text),
        &[by],
    )
}

#[test]
fn a_policy_is_explained_in_plain_words() {
    let a = World::new().register("a", &[1], 1);
    let text = format!(
        "version = 1\n{}{}{}",
        anchor(&a, &["auditor", "scanner"]),
        rule(
            "require",
            "deny",
            "claims = [\"audit\"]\nfrom = [\"auditor\"]\nissuers = 2\nmax_age = \"1y\"\nwhen = \
             \"passed\""
        ),
        rule(
            "deny",
            "warn",
            "if = \"vulnerable\"\nseverity = \"high\"\nfrom = [\"anyone\"]\ncleared_by = \
             [\"maintainer\", \"supplier\"]"
        ),
    );
    let sections = explain(&parse(&text), NOW_MS);
    let all: Vec<&str> = sections
        .iter()
        .flat_map(|section| section.lines.iter().map(String::as_str))
        .collect();
    let all = all.join("\n");
    for words in [
        "The log that you ask. Its answer may be at most 1 day old.",
        "No witness has to confirm",
        &format!("it (issuer {}) as auditor, scanner of all packages.", a.id),
        "up to 2 steps",
        "the outcome is \"unknown\"",
        "you are stopped unless at least 2 different issuers (auditor) made a claim (audit), at \
         most 1 year old, for which passed is true.",
        "you are warned if a scan by anyone with a role found a vulnerability of severity high or \
         higher, or unknown, and the word of maintainer or supplier does not clear it.",
    ] {
        assert!(all.contains(words), "{words}\n---\n{all}");
    }
    for section in explain(&parse(STARTING), NOW_MS) {
        assert!(!section.lines.is_empty(), "{}", section.title);
    }
}

#[test]
fn an_entry_that_ended_is_marked() {
    let text = "version = 1\n[[ignore]]\nvulnerability = \"CVE-1\"\nscopes = [\"pkg:cargo/a\"]\n\
                reason = \"why.\"\nuntil = \"2026-11-20\"\n";
    let policy = parse(text);
    let until = u64::try_from(policy.ignored()[0].until.unix_ms()).unwrap();
    for (now_ms, ended) in [(until, false), (until + 1, true)] {
        let sections = explain(&policy, now_ms);
        let mut lines = sections.iter().flat_map(|section| &section.lines);
        let line = lines.find(|line| line.contains("CVE-1")).unwrap();
        assert!(line.ends_with("CVE-1 in pkg:cargo/a, until 2026-11-20: why."));
        assert_eq!(line.starts_with("No longer ignored"), ended, "{line}");
    }
}

#[test]
fn a_requirement_is_said_in_sentences() {
    let mut world = World::new();
    let a = world.register("a", &[1], 1);
    let (from, anchor) = (
        "claims = [\"audit\"]\nfrom = [\"auditor\"]\n",
        anchor(&a, &["auditor"]),
    );
    let of = |world: &World, issuers: usize| {
        let rule = rule("require", "warn", &format!("{from}issuers = {issuers}"));
        let policy = format!(
            "version = 1\n{anchor}{}",
            rule.replace("because.", "Nobody reviewed it")
        );
        reason(
            &decided(&policy, &world.claims, &fresh(world)).reasons()[0],
            Reader::Owner,
        )
    };
    // Somebody who is trusted must have said something, or else it is unknown.
    let tested = "https://in-toto.io/attestation/test-result/v0.1";
    world.log(&about("pkg:cargo/a@1", tested, "{}"), &[&a]);
    assert_eq!(
        of(&world, 1),
        "Nobody reviewed it. Required: audit by one issuer (auditor); found: 0 of 1."
    );
    audit(&mut world, &[&a], "pass");
    assert_eq!(
        of(&world, 1),
        "1 issuer says so; required: audit by one issuer (auditor)."
    );
    assert_eq!(
        of(&world, 2),
        "Nobody reviewed it. Required: audit by 2 issuers (auditor); found: 1 of 2."
    );
}

#[test]
fn what_was_said_and_does_not_count_is_not_passed_over() {
    let mut world = World::new();
    let (a, stranger) = (world.register("a", &[1], 1), world.register("b", &[2], 1));
    let policy = format!("version = 1\n{}", anchor(&a, &["auditor"]));
    let text = |world: &World| said(&policy, world).1;
    assert_eq!(
        text(&world),
        "No claims from issuers you trust. Unknown is not trusted."
    );

    let claim = say(&mut world, &a);
    world.withdraw(&a, claim);
    assert_eq!(
        text(&world),
        "The only claim found about it was withdrawn: see `assay lookup`. Unknown is not trusted."
    );

    let forged = {
        let mut world = World::continuing(&world);
        say(&mut world, &a.with(&[9]));
        text(&world)
    };
    assert!(
        forged.starts_with("Both claims found about it were withdrawn or have no effect"),
        "{forged}"
    );

    say(&mut world, &stranger);
    assert_eq!(
        text(&world),
        "No claims from issuers you trust; 1 claim from others. 1 more was withdrawn."
    );
    say(&mut world, &stranger);
    assert!(text(&world).contains("; 2 claims from others."));
}

#[test]
fn what_did_not_count_for_a_demand_is_said() {
    let mut world = World::new();
    let (a, stranger) = (world.register("a", &[1], 1), world.register("b", &[2], 1));
    audit(&mut world, &[&a], "fail");
    let policy = |lines: &str| {
        let lines = format!("claims = [\"audit\"]\nfrom = [\"auditor\"]\n{lines}");
        let rule = rule("require", "deny", &lines);
        format!("version = 1\n{}{rule}", anchor(&a, &["auditor"]))
    };
    for (lines, words) in [
        ("max_age = \"9d\"", "1 did not count: too old."),
        ("when = \"passed\"", "condition is not true"),
        (
            "when = \"error\"",
            "could not be decided: there is no such field",
        ),
    ] {
        let (outcome, text) = said(&policy(lines), &world);
        assert_eq!(outcome, Outcome::Unmet, "{lines}");
        assert!(text.contains(words), "{text}");
    }
    audit(&mut world, &[&stranger], "pass");
    let (_, text) = said(&policy("issuers = 2"), &world);
    assert!(
        text.contains("0 of 2") && text.contains("a failed review"),
        "{text}"
    );
}

#[test]
fn what_was_found_is_named() {
    let mut world = World::new();
    let a = world.register("m", &[1], 1);
    let deny = |lines: &str| {
        let trusted = anchor(&a, &["maintainer", "auditor"]);
        format!("version = 1\n{trusted}{}", rule("deny", "deny", lines))
    };
    let affected = deny("if = \"affected\"\nfrom = [\"maintainer\"]");
    let vex = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://e.org/1","author":"A","version":1,"timestamp":"2026-01-01T00:00:00Z","statements":[{"vulnerability":"CVE-1","status":"affected","action_statement":"x"}]}"#;
    world.log(
        &about("pkg:cargo/a@1", "https://openvex.dev/ns/v0.2.0", vex),
        &[&a],
    );
    let expected = "because. (CVE-1, severity unknown)".to_owned();
    assert_eq!(said(&affected, &world), (Outcome::Denied, expected));

    let unsupported = deny("if = \"unsupported\"\nfrom = [\"maintainer\"]");
    let lifecycle = |versions: &str| {
        format!(
            r#"{{"end_of_security_support":"2026-01-10","end_of_life":"tba","last_updated":"2026-01-01T00:00:00Z"{versions}}}"#
        )
    };
    let range = lifecycle(r#","versions":{"range":"vers:generic/<1.5"}"#);
    for (text, outcome, words) in [
        (
            lifecycle(""),
            Outcome::Denied,
            "because. (security support until 2026-01-10)",
        ),
        (
            range,
            Outcome::Warn,
            "whether vers:generic/<1.5 covers this version.",
        ),
    ] {
        let mut world = World::continuing(&world);
        audit(&mut world, &[&a], "pass");
        world.log(
            &about("pkg:cargo/a", "urn:assay:lifecycle:v1", &text),
            &[&a],
        );
        let (got, text) = said(&unsupported, &world);
        assert_eq!(got, outcome, "{text}");
        assert!(text.ends_with(words), "{text}");
    }

    audit(&mut world, &[&a], "pass");
    let claim = "if = \"claim\"\nclaims = [\"audit\"]\nfrom = [\"auditor\"]\nwhen = \"error\"";
    let (outcome, text) = said(&deny(claim), &world);
    assert_eq!(outcome, Outcome::Warn);
    assert!(
        text.contains("could not be decided for 1 claim and"),
        "{text}"
    );
}

#[test]
fn logs_that_did_not_answer_are_named() {
    let policy = "version = 1\n[[log]]\norigin = \"b.example/log\"\n";
    let verdict = decided(policy, &[], &[]);
    let text = reason(&verdict.reasons()[0], Reader::Owner);
    assert_eq!(text, "The log b.example/log did not answer.");
}
