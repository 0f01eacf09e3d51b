//! What claims say, and what limits it.

use super::*;
use assay_claims::statement::{Statement, Subject};

/// Alice and Bob, and what they say about `pkg:cargo/a@1`, about each other and about their claims.
fn spoken() -> (World, Party) {
    let mut world = World::new();
    let (a, b) = (
        world.register("Alice", &[1], 1),
        world.register("Bob", &[2], 1),
    );
    let say = |world: &mut World, by: &Party, ty: &str, text: &str| {
        world.log(&about("pkg:cargo/a@1", ty, text), &[by])
    };
    let vex = say(
        &mut world,
        &a,
        "https://openvex.dev/ns/v0.2.0",
        r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://e.org/1","author":"A","version":1,"timestamp":"2026-01-01T00:00:00Z","statements":[{"vulnerability":"CVE-1","status":"not_affected","justification":"component_not_present"},{"vulnerability":"CVE-2","status":"affected","action_statement":"x"}]}"#,
    );
    let lifecycle = r#"{"end_of_security_support":"2028-03-31","end_of_life":"tba","last_updated":"2026-01-01T00:00:00Z"}"#;
    let support = say(&mut world, &b, "urn:assay:lifecycle:v1", lifecycle);
    say(
        &mut world,
        &b.with(&[9]),
        "urn:assay:audit:v1",
        r#"{"criteria":["safe-to-run"],"verdict":"pass","scope":"version"}"#,
    );
    say(&mut world, &a, "https://example.org/own/v1", "{}");
    world.log(
        &about("pkg:cargo/other@1", "https://example.org/own/v1", "{}"),
        &[&a],
    );
    world.respond(&b, vex, "dispute");
    world.withdraw(&a, support);
    world.endorse(&a, &endorsement(&b, "auditor", &["pkg:cargo/*"], 0));
    world.endorse(&b, &endorsement(&a, "maintainer", &["pkg:*"], 0));
    (world, a)
}

/// What a registry marks is said with the words of whoever marked it, which are text and no more.
#[test]
fn a_mark_of_a_registry_is_said_with_its_reason() {
    let mut world = World::new();
    let alice = world.register("Alice", &[1], 1);
    for text in [
        r#"{"status":"archived"}"#,
        r#"{"status":"yanked","reason":"No\". It is fine. <b>\u202e"}"#,
    ] {
        let claim = about("pkg:cargo/a@1", "urn:assay:registry-status:v1", text);
        world.log(&claim, &[&alice]);
    }
    let policy = parse(&format!(
        "version = 1\n{}",
        anchor(&alice, &["coordinator"])
    ));
    let posture = posture(&policy, &component("pkg:cargo/a@1"), &world.claims, NOW_MS);
    let mut said: Vec<String> = posture.of(Question::Supported).map(line_says).collect();
    said.sort();
    let expected = [
        "marked as archived in its registry",
        "marked as yanked in its registry: \"No\\\". It is fine. <b>\\u{202e}\"",
    ];
    assert_eq!(said, expected);
}

#[test]
fn claims_are_said_in_plain_words() {
    let (world, a) = spoken();
    let policy = parse(&format!("version = 1\n{}", anchor(&a, &["auditor"])));
    let posture = posture(&policy, &component("pkg:cargo/a@1"), &world.claims, NOW_MS);

    let said = |question| {
        posture
            .of(question)
            .map(|line| line_says(line))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        said(Question::Vulnerable),
        [
            "CVE-1: not affected (component not present)",
            "CVE-2: affected"
        ]
    );
    assert_eq!(
        said(Question::Supported),
        ["security support until 2028-03-31; end of life: a date to be announced"]
    );
    assert_eq!(
        said(Question::Reviewed),
        ["passed a review for safe-to-run"]
    );
    assert_eq!(said(Question::Other), ["https://example.org/own/v1"]);
    assert_eq!(
        said(Question::Disagreement),
        ["withdraws it: \"wrong\"", "disputes it: \"It is not so.\""]
    );

    // A role that the endorser does not have is shown, without effect.
    let notes: Vec<_> = posture
        .of(Question::Vouched)
        .map(|line| note(line, Reader::Owner))
        .collect();
    assert_eq!(
        notes,
        [
            Some(
                "without effect: the endorser does not have this role for these packages under \
                 your policy"
                    .to_owned()
            ),
            None
        ]
    );
    assert!(
        posture
            .lines
            .iter()
            .all(|line| !line_says(line).contains("other@1"))
    );
}

/// One document of several products, and of several statements about them.
const SEVERAL: &str = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://e.org/1","author":"A","version":1,"timestamp":"2026-01-01T00:00:00Z","statements":[
    {"vulnerability":"CVE-1","status":"affected","action_statement":"x","products":[{"@id":"pkg:cargo/other@1"}]},
    {"vulnerability":"CVE-1","status":"not_affected","justification":"component_not_present","products":[{"@id":"pkg:cargo/a@1"}]},
    {"vulnerability":"CVE-2","status":"fixed","products":[{"@id":"pkg:cargo/a@1"},{"@id":"pkg:cargo/other@1"}]}]}"#;

#[test]
fn of_a_document_about_several_products_what_is_about_the_one_is_shown() {
    let mut world = World::new();
    let a = world.register("Alice", &[1], 1);
    let subjects = ["a@1", "other@1", "third@1"]
        .map(|name| Subject::package(purl(&format!("pkg:cargo/{name}"))));
    let statement = Statement::new(
        subjects.into(),
        "https://openvex.dev/ns/v0.2.0",
        value(SEVERAL),
    );
    world.log(&statement.unwrap(), &[&a]);
    let policy = parse("version = 1");
    let shown = |posture: Posture<'_>| -> Vec<(String, bool)> {
        posture
            .of(Question::Vulnerable)
            .map(|line| (line_says(line), note(line, Reader::Owner).is_none()))
            .collect()
    };
    let of = |purl: &str| shown(posture(&policy, &component(purl), &world.claims, NOW_MS));
    let line = |text: &str| (text.to_owned(), true);
    assert_eq!(
        of("pkg:cargo/a@1"),
        [
            line("CVE-1: not affected (component not present)"),
            line("CVE-2: fixed")
        ]
    );
    assert_eq!(
        of("pkg:cargo/other@1"),
        [line("CVE-1: affected"), line("CVE-2: fixed")]
    );
    // A subject that no product is: the claim is shown, with a note.
    assert_eq!(
        of("pkg:cargo/third@1"),
        [(
            "is about pkg:cargo/a@1, pkg:cargo/other@1".to_owned(),
            false
        )]
    );
    // Where nobody asks about one of them, each line names its products.
    assert_eq!(
        shown(listing(&policy, &world.claims, |_| true, NOW_MS)),
        [
            line("CVE-1 in pkg:cargo/other@1: affected"),
            line("CVE-1 in pkg:cargo/a@1: not affected (component not present)"),
            line("CVE-2 in pkg:cargo/a@1, pkg:cargo/other@1: fixed"),
        ]
    );
}

#[test]
fn who_replies_does_something_whatever_the_stance() {
    let mut world = World::new();
    let a = world.register("Alice", &[1], 1);
    let target = world.log(
        &about("pkg:cargo/a@1", "https://example.org/own/v1", "{}"),
        &[&a],
    );
    for stance in assay_claims::kind::response::STANCES {
        world.respond(&a, target, stance);
    }
    let shown = posture(
        &parse("version = 1"),
        &component("pkg:cargo/a@1"),
        &world.claims,
        NOW_MS,
    );
    let says: Vec<_> = shown
        .of(Question::Disagreement)
        .map(|line| line_says(line))
        .collect();
    // The newest first.
    let expected = [
        "says it is fixed",
        "explains it",
        "disputes it",
        "accepts it",
    ];
    assert_eq!(
        says,
        expected.map(|does| format!("{does}: \"It is not so.\""))
    );
}

#[test]
fn what_limits_a_claim_is_said() {
    let mut world = World::new();
    let a = world.register("Alice", &[1], 1);
    world.at_ms += 5 * DAY_MS;
    let vex = |document: &str, status: &str| {
        format!(
            r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://e.org/{document}","author":"A","version":1,"timestamp":"2026-01-0{document}T00:00:00Z","statements":[{{"vulnerability":"CVE-1","status":"{status}","action_statement":"x"}}]}}"#
        )
    };
    for (document, status) in [("2", "affected"), ("3", "fixed")] {
        let text = vex(document, status);
        world.log(
            &about("pkg:cargo/a@1", "https://openvex.dev/ns/v0.2.0", &text),
            &[&a],
        );
    }
    world.endorse(&a, &endorsement(&a, "auditor", &["pkg:npm/*"], 0));
    let policy = parse("version = 1");
    let said = posture(&policy, &component("pkg:cargo/a@1"), &world.claims, NOW_MS);
    let notes: Vec<_> = said
        .of(Question::Vulnerable)
        .map(|line| note(line, Reader::Owner))
        .collect();
    let replaced = "a newer claim by the same issuer replaced it: leaf 2".to_owned();
    assert_eq!(notes, [None, Some(replaced)]);
    let vouched = said
        .of(Question::Vouched)
        .next()
        .and_then(|line| note(line, Reader::Owner));
    assert_eq!(
        vouched.as_deref(),
        Some("without effect: for other packages")
    );
}
