//! What is handed on of vulnerabilities: what those say whose word clears, and nobody contradicts.

use super::*;
use crate::testing::about;
use assay_claims::kind::vex::Status;

const OPENVEX: &str = "https://openvex.dev/ns/v0.2.0";

/// Logs a document of one statement: these members.
fn say(world: &mut World, by: &Party, package: &str, members: &str) {
    let n = world.next_leaf();
    let text = format!(
        r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://e.org/{n}","author":"A","version":1,"timestamp":"2026-01-01T00:00:00Z","statements":[{{{members}}}]}}"#
    );
    world.log(&about(package, OPENVEX, &text), &[by]);
}

fn clear(name: &str) -> String {
    format!(r#""vulnerability":{name},"status":"not_affected","impact_statement":"No.""#)
}

fn harm(name: &str) -> String {
    format!(r#""vulnerability":{name},"status":"affected","action_statement":"Update.""#)
}

/// The names and the status of each.
fn told(policy: &str, world: &World, of: &Component) -> Vec<(Vec<String>, Option<Status>, bool)> {
    let policy = parse(policy);
    let known = Known::judge(&policy, &world.claims, NOW_MS);
    let agreed = known.agreed(of).into_iter();
    agreed
        .map(|one| (one.names, one.status, one.within))
        .collect()
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn those_whose_word_clears_are_handed_on_and_nobody_else() {
    let mut world = World::new();
    let (a, b) = (world.register("a", &[1], 1), world.register("b", &[2], 1));
    let (s, x) = (world.register("s", &[3], 1), world.register("x", &[4], 1));
    let of = component("pkg:cargo/a@1");
    let two = r#"{"name":"GHSA-1","aliases":["CVE-1"]}"#;
    say(&mut world, &a, "pkg:cargo/a@1", &clear(two));
    say(&mut world, &s, "pkg:cargo/a@1", &clear("\"CVE-2\""));
    say(&mut world, &x, "pkg:cargo/a@1", &clear("\"CVE-3\""));
    say(&mut world, &a, "pkg:cargo/a@2", &clear("\"CVE-4\""));
    say(&mut world, &x, "pkg:cargo/a@1", &harm("\"CVE-1\""));
    let anchors = |roles_of_b: &str| {
        let b = anchor(&b, &[roles_of_b]).replace("\"it\"", "\"b\"");
        let s = anchor(&s, &["scanner"]).replace("\"it\"", "\"s\"");
        format!("version = 1\n{}{b}{s}", anchor(&a, &["maintainer"]))
    };
    let ghsa = || names(&["CVE-1", "GHSA-1"]);
    let policy = anchors("auditor");
    let cleared = [(ghsa(), Some(Status::NotAffected), false)];
    assert_eq!(told(&policy, &world, &of), cleared);
    let policy_parsed = parse(&policy);
    let known = Known::judge(&policy_parsed, &world.claims, NOW_MS);
    let said = &known.agreed(&of)[0].said[0];
    assert_eq!((said.author.as_str(), said.evidence.issuer), ("A", a.id));
    let impact = said.written.get("impact_statement");
    assert_eq!(
        impact.and_then(assay_claims::json::Value::as_str),
        Some("No.")
    );
    // A rule of the policy says whose word clears.
    let finds = |by: &str| {
        let lines = format!("if = \"vulnerable\"\nfrom = [\"anyone\"]\ncleared_by = [\"{by}\"]");
        rule("deny", "deny", &lines)
    };
    assert_eq!(
        told(&format!("{policy}{}", finds("auditor")), &world, &of),
        []
    );
    let scanner = told(&format!("{policy}{}", finds("scanner")), &world, &of);
    assert_eq!(
        scanner,
        [(names(&["CVE-2"]), Some(Status::NotAffected), false)]
    );
    // Each of them, if there are several.
    let both = format!("{policy}{}{}", finds("scanner"), finds("maintainer"));
    assert_eq!(told(&both, &world, &of), []);
    // Whoever contradicts, by whichever name, keeps it from being handed on as cleared.
    say(&mut world, &b, "pkg:cargo/a@1", &harm("\"CVE-1\""));
    assert_eq!(told(&policy, &world, &of), [(ghsa(), None, false)]);
    assert_eq!(told(&anchors("scanner"), &world, &of), cleared);
}

#[test]
fn of_several_words_the_worse_is_told() {
    let mut world = World::new();
    let (a, b) = (world.register("a", &[1], 1), world.register("b", &[2], 1));
    let of = component("pkg:cargo/a@1");
    let fixed = r#""vulnerability":"CVE-1","status":"fixed""#;
    say(&mut world, &a, "pkg:cargo/a@1", &clear("\"CVE-1\""));
    say(&mut world, &b, "pkg:cargo/a@1", fixed);
    let looking = r#""vulnerability":"CVE-2","status":"under_investigation""#;
    say(&mut world, &a, "pkg:cargo/a@1", looking);
    say(&mut world, &b, "pkg:cargo/a@1", &harm("\"CVE-2\""));
    let other = anchor(&b, &["supplier"]).replace("\"it\"", "\"b\"");
    let policy = format!("version = 1\n{}{other}", anchor(&a, &["maintainer"]));
    let expected = [
        (names(&["CVE-1"]), Some(Status::Fixed), false),
        (names(&["CVE-2"]), Some(Status::Affected), false),
    ];
    assert_eq!(told(&policy, &world, &of), expected);
}

#[test]
fn what_is_said_of_a_part_of_a_product_is_said_of_it_there() {
    let mut world = World::new();
    let a = world.register("a", &[1], 1);
    let product = component("pkg:generic/app@1");
    let members = format!(
        r#"{},"products":[{{"@id":"pkg:generic/app@1","subcomponents":[{{"@id":"pkg:cargo/a@1"}}]}}]"#,
        clear("\"CVE-1\"")
    );
    say(&mut world, &a, "pkg:generic/app@1", &members);
    let policy = format!("version = 1\n{}", anchor(&a, &["maintainer"]));
    let alone = component("pkg:cargo/a@1");
    assert_eq!(told(&policy, &world, &alone), []);
    let part = component("pkg:cargo/a@1").in_product(product);
    let expected = [(names(&["CVE-1"]), Some(Status::NotAffected), true)];
    assert_eq!(told(&policy, &world, &part), expected);
    let other = component("pkg:cargo/b@1").in_product(component("pkg:generic/app@1"));
    assert_eq!(told(&policy, &world, &other), []);
}

/// Without products a statement is about the subject of its claim, which is not the part.
#[test]
fn what_is_said_of_a_whole_product_is_said_of_its_parts_there_alone() {
    let mut world = World::new();
    let a = world.register("a", &[1], 1);
    say(&mut world, &a, "pkg:generic/app@1", &clear("\"CVE-1\""));
    let policy = format!("version = 1\n{}", anchor(&a, &["maintainer"]));
    let part = component("pkg:cargo/a@1").in_product(component("pkg:generic/app@1"));
    let expected = [(names(&["CVE-1"]), Some(Status::NotAffected), true)];
    assert_eq!(told(&policy, &world, &part), expected);
}

/// Those who make the part may speak of it in one product, too: their claim is about the part.
#[test]
fn what_the_makers_of_a_part_say_of_it_in_a_product_is_said_of_it_there_alone() {
    let mut world = World::new();
    let a = world.register("a", &[1], 1);
    let part = "pkg:cargo/a@1";
    let of =
        r#""products":[{"@id":"pkg:generic/app@1","subcomponents":[{"@id":"pkg:cargo/a@1"}]}]"#;
    say(
        &mut world,
        &a,
        part,
        &format!("{},{of}", clear("\"CVE-1\"")),
    );
    let policy = format!("version = 1\n{}", anchor(&a, &["maintainer"]));
    let inside = component(part).in_product(component("pkg:generic/app@1"));
    let told_of = |world: &World, is_within: bool| {
        let expected = [(names(&["CVE-1"]), Some(Status::NotAffected), is_within)];
        assert_eq!(told(&policy, world, &inside), expected);
    };
    told_of(&world, true);
    assert_eq!(told(&policy, &world, &component(part)), []);
    // Once it is said of the part wherever it is, it is no more of the product alone.
    say(&mut world, &a, part, &clear("\"CVE-1\""));
    told_of(&world, false);
}
