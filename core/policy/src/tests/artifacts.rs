//! A component that may be any of several artifacts, such as the wheels of a package.

use super::loud::{SCAN, VEX, found, policy, vex};
use super::*;
use crate::facts::{of_statement, relation_of};
use crate::testing::value;
use assay_claims::kind::Body;
use assay_claims::kind::vex::Vex;
use assay_claims::statement::{Statement, Subject};

const PURL: &str = "pkg:pypi/a@1";

fn digest((digit, algorithm): (char, &str)) -> (String, String) {
    let length = if algorithm == "sha512" { 128 } else { 64 };
    (algorithm.to_owned(), String::from(digit).repeat(length))
}

/// What may be any of the artifacts of these digests.
fn wheels(digests: &[(char, &'static str)]) -> Component {
    let digests = digests.iter().copied().map(digest);
    Component::new(component(PURL).purl().cloned(), digests.collect())
}

/// Subjects that are an artifact each; the package without any.
fn subjects(digests: &[(char, &'static str)]) -> Vec<Subject> {
    if digests.is_empty() {
        return vec![Subject::package(crate::testing::purl(PURL))];
    }
    let digests = digests.iter().copied().map(digest);
    let subjects = digests.map(|one| Subject::of_parts(None, Some(PURL.to_owned()), vec![one]));
    subjects.collect()
}

/// A statement with a product for each of these artifacts.
fn products(digests: &[(char, &'static str)]) -> String {
    let product = |one: &(char, &'static str)| {
        let (algorithm, value) = digest(*one);
        let name = algorithm.replace("sha", "sha-");
        format!(r#"{{"@id":"{PURL}","hashes":{{"{name}":"{value}"}}}}"#)
    };
    let products: Vec<String> = digests.iter().map(product).collect();
    format!(r#","products":[{}]"#, products.join(","))
}

#[test]
fn only_a_word_about_all_artifacts_is_about_any_of_them() {
    use Relation::{OtherArtifact, SomeArtifact, This};
    let (a, b, c, a512) = (
        ('a', "sha256"),
        ('b', "sha256"),
        ('c', "sha256"),
        ('a', "sha512"),
    );
    for (said, ours, expected) in [
        (&[a][..], &[a][..], This),
        (&[a], &[a, a], This),
        (&[a], &[a, b], SomeArtifact),
        (&[b], &[a, b], SomeArtifact),
        (&[a, b], &[a, b], This),
        (&[b, c, a], &[a, b], This),
        (&[a, c], &[a, b], SomeArtifact),
        (&[c], &[a, b], OtherArtifact),
        // Of two files only one has the other algorithm's digest.
        (&[a512], &[a, b, a512], SomeArtifact),
        (&[a], &[a, a512], This),
    ] {
        let component = wheels(ours);
        let body = Body::Other(assay_claims::kind::Unread::Unknown);
        let of_claim = relation_of(&subjects(said), &body, &component);
        assert_eq!(of_claim, Some(expected), "{said:?} {ours:?}");
        let document = Vex::parse(&value(&vex("fixed", &products(said)))).unwrap();
        let of_products = of_statement(&document.statements[0], &component);
        assert_eq!(of_products, Some(expected), "{said:?} {ours:?}");
    }
    // What is said of the package is said of all its files.
    let body = Body::Other(assay_claims::kind::Unread::Unknown);
    let of_claim = relation_of(&subjects(&[]), &body, &wheels(&[a, b]));
    assert_eq!(of_claim, Some(This));
    // So it is where only the purl names the files.
    let sums = ['a', 'b'].map(|digit| format!("sha256:{}", digest((digit, "sha256")).1));
    let by_purl = super::component(&format!("{PURL}?checksum={}", sums.join(",")));
    for (said, expected) in [(&[a][..], SomeArtifact), (&[a, b], This)] {
        let of_claim = relation_of(&subjects(said), &body, &by_purl);
        assert_eq!(of_claim, Some(expected), "{said:?}");
    }
}

fn say(world: &mut World, by: &Party, of: &[(char, &'static str)], ty: &str, predicate: &str) {
    let statement = Statement::new(subjects(of), ty, value(predicate)).unwrap();
    world.log(&statement, &[by]);
}

fn outcome_of(policy: &str, world: &World, component: &Component) -> Outcome {
    let verdict = evaluate(
        &parse(policy),
        component,
        &fresh(world),
        &world.claims,
        NOW_MS,
    );
    verdict.outcome()
}

#[test]
fn a_word_against_one_artifact_counts_and_only_words_on_all_clear() {
    let (a, b) = (('a', "sha256"), ('b', "sha256"));
    let mut world = World::new();
    let maker = world.register("m", &[1], 1);
    let other = world.register("o", &[2], 1);
    let open = rule(
        "deny",
        "deny",
        "if = \"vulnerable\"\nfrom = [\"anyone\"]\ncleared_by = [\"maintainer\"]",
    );
    let makers = [(&maker, &["maintainer"][..]), (&other, &["maintainer"])];
    let policy = policy(&makers, &open);
    let component = wheels(&[a, b]);
    say(&mut world, &maker, &[a], SCAN, &found(None));
    assert_eq!(outcome_of(&policy, &world, &component), Outcome::Denied);
    say(&mut world, &maker, &[a], VEX, &vex("fixed", ""));
    assert_eq!(outcome_of(&policy, &world, &component), Outcome::Denied);
    assert_ne!(outcome_of(&policy, &world, &wheels(&[a])), Outcome::Denied);
    // Whoever speaks of the rest, in claims of their own, clears it with what was said before.
    say(&mut world, &other, &[b], VEX, &vex("fixed", ""));
    assert_ne!(outcome_of(&policy, &world, &component), Outcome::Denied);
    let three = wheels(&[a, b, ('c', "sha256")]);
    assert_eq!(outcome_of(&policy, &world, &three), Outcome::Denied);
}

#[test]
fn what_is_demanded_may_be_said_of_each_artifact_by_itself() {
    const AUDIT: &str = "urn:assay:audit:v1";
    let review = r#"{"criteria":["c"],"verdict":"pass","scope":"version"}"#;
    let (a, b) = (('a', "sha256"), ('b', "sha256"));
    let mut world = World::new();
    let [one, two] = [("o", 1), ("t", 2)].map(|(name, seed)| world.register(name, &[seed], 1));
    let demand = rule(
        "require",
        "deny",
        "claims = [\"audit\"]\nfrom = [\"auditor\"]",
    );
    let policy = policy(&[(&one, &["auditor"]), (&two, &["auditor"])], &demand);
    let component = wheels(&[a, b]);
    say(&mut world, &one, &[a], AUDIT, review);
    assert_eq!(outcome_of(&policy, &world, &component), Outcome::Unmet);
    assert_ne!(outcome_of(&policy, &world, &wheels(&[a])), Outcome::Unmet);
    // Two who speak of one each are not one who speaks of both.
    say(&mut world, &two, &[b], AUDIT, review);
    assert_eq!(outcome_of(&policy, &world, &component), Outcome::Unmet);
    say(&mut world, &one, &[b], AUDIT, review);
    assert_ne!(outcome_of(&policy, &world, &component), Outcome::Unmet);
}
