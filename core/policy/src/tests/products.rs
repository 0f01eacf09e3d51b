//! How claims and products stand to what is asked about.

use super::*;
use crate::facts::{of_statement, relation_of};
use assay_claims::kind::Body;
use assay_claims::kind::vex::Vex;
use assay_claims::statement::Subject;

const VEX: &str = "https://openvex.dev/ns/v0.2.0";

fn hex(digit: char, algorithm: &str) -> (String, String) {
    let length = match algorithm {
        "sha512" => 128,
        "sha1" | "gitCommit" => 40,
        "md5" => 32,
        _ => 64,
    };
    (algorithm.to_owned(), String::from(digit).repeat(length))
}

pub(super) fn asked(purl: &str, digests: &[(char, &str)]) -> Component {
    let purl = component(purl).purl().cloned();
    let digests = digests.iter();
    Component::new(
        purl,
        digests.map(|(digit, name)| hex(*digit, name)).collect(),
    )
}

/// How a subject with this purl and these digests stands to a component, and how a product of a VEX
/// statement does that is named alike: one function decides for both.
pub(super) fn stands(
    purl: &str,
    digests: &[(char, &str)],
    component: &Component,
) -> Option<Relation> {
    let named: Vec<(String, String)> = digests
        .iter()
        .map(|(digit, name)| hex(*digit, name))
        .collect();
    let body = Body::Other(assay_claims::kind::Unread::Unknown);
    let subject = Subject::of_parts(None, Some(purl.to_owned()), named.clone());
    let of_subject = relation_of(&[subject], &body, component);
    let hashes: Vec<String> = named
        .iter()
        .filter_map(|(name, value)| {
            let name = match name.as_str() {
                "sha256" => "sha-256",
                "sha512" => "sha-512",
                "sha1" => "sha1",
                "md5" => "md5",
                _ => return None,
            };
            Some(format!(r#""{name}":"{value}""#))
        })
        .collect();
    if hashes.len() == named.len() {
        let product = format!(r#"{{"@id":"{purl}","hashes":{{{}}}}}"#, hashes.join(","));
        assert_eq!(statement(&product, component), of_subject, "{product}");
    }
    of_subject
}

/// How a statement about a product stands to a component.
fn statement(product: &str, component: &Component) -> Option<Relation> {
    let text = format!(
        r#"{{"@context":"{VEX}","@id":"https://e.org/1","author":"A","version":1,"timestamp":"2026-01-01T00:00:00Z","statements":[{{"vulnerability":"CVE-1","status":"fixed","products":[{product}]}}]}}"#
    );
    let vex = Vex::parse(&crate::testing::value(&text)).unwrap();
    of_statement(&vex.statements[0], component)
}

#[test]
fn the_strongest_digest_that_both_have_decides() {
    use Relation::{OtherArtifact, SomeArtifact, This};
    let purl = "pkg:npm/a@1";
    for (theirs, ours, expected) in [
        (&[('a', "sha256")][..], &[('a', "sha256")][..], This),
        (&[('a', "sha256")], &[('b', "sha256")], OtherArtifact),
        // An equal SHA-1 never beats a differing SHA-512, whichever comes first.
        (
            &[('a', "sha1"), ('a', "sha512")],
            &[('a', "sha1"), ('b', "sha512")],
            OtherArtifact,
        ),
        (
            &[('a', "sha512"), ('a', "sha1")],
            &[('b', "sha512"), ('a', "sha1")],
            OtherArtifact,
        ),
        (
            &[('a', "sha1"), ('a', "sha512")],
            &[('b', "sha1"), ('a', "sha512")],
            This,
        ),
        (
            &[('a', "sha256"), ('a', "sha512")],
            &[('a', "sha256"), ('b', "sha512")],
            OtherArtifact,
        ),
        // What can be forged tells artifacts apart, and does not say that they are the same.
        (&[('a', "sha1")], &[('a', "sha1")], SomeArtifact),
        (&[('a', "md5")], &[('a', "md5")], SomeArtifact),
        (&[('a', "sha1")], &[('b', "sha1")], OtherArtifact),
        (&[('a', "gitCommit")], &[('a', "gitCommit")], This),
        // What cannot be compared is not known to be this.
        (&[('a', "sha256")], &[('a', "sha512")], SomeArtifact),
        (&[('a', "sha256")], &[], SomeArtifact),
        (&[], &[('a', "sha256")], This),
        (&[], &[], This),
    ] {
        let found = stands(purl, theirs, &asked(purl, ours));
        assert_eq!(found, Some(expected), "{theirs:?} {ours:?}");
    }
    // The artifact is what it is, whatever it is called.
    let other = asked("pkg:npm/b@2", &[('a', "sha512")]);
    assert_eq!(stands(purl, &[('a', "sha512")], &other), Some(This));
    assert_eq!(
        stands(
            purl,
            &[('a', "sha1")],
            &asked("pkg:npm/b@2", &[('a', "sha1")])
        ),
        None
    );
}

#[test]
fn a_product_that_cannot_be_compared_clears_nothing() {
    use Relation::{OtherBuild, This, Unnamed};
    let ours = asked("pkg:npm/a@1", &[('a', "sha256")]);
    let cpe = r#""cpe23":"cpe:2.3:a:x:a:1:*:*:*:*:*:*:*""#;
    for (product, expected) in [
        (r#"{"@id":"pkg:npm/a@1"}"#.to_owned(), Some(This)),
        (r#""pkg:npm/a@1""#.to_owned(), Some(This)),
        (r#"{"@id":"pkg:npm/b@1"}"#.to_owned(), None),
        (
            format!(r#"{{"@id":"https://e.org/a","identifiers":{{{cpe}}}}}"#),
            Some(Unnamed),
        ),
        (
            format!(r#"{{"@id":"pkg:npm/a@1","identifiers":{{{cpe}}}}}"#),
            Some(This),
        ),
        (
            r#"{"@id":"pkg:npm/a@1","identifiers":{"purl":"pkg:npm/b@1"}}"#.to_owned(),
            Some(Unnamed),
        ),
        (
            r#"{"@id":"pkg:npm/a@1","subcomponents":[{"@id":"pkg:npm/c@3"}]}"#.to_owned(),
            Some(OtherBuild),
        ),
        (
            r#"{"@id":"https://e.org/a"},{"@id":"pkg:npm/a@1"}"#.to_owned(),
            Some(This),
        ),
        (
            r#"{"@id":"https://e.org/a"},{"@id":"pkg:npm/b@1"}"#.to_owned(),
            None,
        ),
    ] {
        assert_eq!(statement(&product, &ours), expected, "{product}");
    }
    let by_digest = Component::new(None, vec![hex('a', "sha256")]);
    let hashes = |digit: char| {
        let (_, value) = hex(digit, "sha256");
        format!(r#"{{"@id":"https://e.org/a","hashes":{{"sha-256":"{value}"}}}}"#)
    };
    assert_eq!(statement(&hashes('a'), &by_digest), Some(This));
    assert_eq!(statement(&hashes('b'), &by_digest), None);
    assert_eq!(
        statement(r#"{"@id":"pkg:npm/a@1"}"#, &by_digest),
        Some(Unnamed)
    );
}

/// What a statement of another product clears, and what it says against this one.
#[test]
fn what_is_said_of_another_product_counts_only_against_this_one() {
    let rules = rule(
        "deny",
        "deny",
        "if = \"vulnerable\"\nfrom = [\"maintainer\"]\ncleared_by = [\"maintainer\"]",
    );
    let scan = r#"{"scanner":{"uri":"https://e.org/s","result":[{"id":"CVE-1"}]},"metadata":{"scanStartedOn":"2026-01-01T00:00:00Z","scanFinishedOn":"2026-01-01T00:00:00Z"}}"#;
    for (product, clears) in [
        (r#"{"@id":"pkg:cargo/a@1"}"#, true),
        (r#"{"@id":"pkg:cargo/a"}"#, true),
        (r#"{"@id":"pkg:cargo/a@1?arch=x"}"#, false),
        (
            r#"{"@id":"pkg:cargo/a@1?repository_url=https:%2F%2Fe.org"}"#,
            false,
        ),
        (r#"{"@id":"cpe:2.3:a:x:a:1:*:*:*:*:*:*:*"}"#, false),
        (
            r#"{"@id":"pkg:cargo/a@1","subcomponents":["pkg:cargo/b@1"]}"#,
            false,
        ),
        (
            r#"{"@id":"pkg:cargo/a@1","hashes":{"sha-256":"aa"}}"#,
            false,
        ),
    ] {
        let mut world = World::new();
        let a = world.register("a", &[1], 1);
        let scan_type = "https://in-toto.io/attestation/vulns/v0.2";
        world.log(
            &crate::testing::about("pkg:cargo/a@1", scan_type, scan),
            &[&a],
        );
        let vex = format!(
            r#"{{"@context":"{VEX}","@id":"https://e.org/1","author":"A","version":1,"timestamp":"2026-01-01T00:00:00Z","statements":[{{"vulnerability":"CVE-1","status":"fixed","products":[{product}]}}]}}"#
        );
        world.log(&crate::testing::about("pkg:cargo/a@1", VEX, &vex), &[&a]);
        let policy = format!("version = 1\n{}{rules}", anchor(&a, &["maintainer"]));
        let found = outcome(&policy, &world);
        let expected = if clears {
            Outcome::Fine
        } else {
            Outcome::Denied
        };
        assert_eq!(found, expected, "{product}");
    }
}

#[test]
fn a_product_without_a_name_elsewhere_is_nothing_else() {
    let unnamed =
        r#"{"@id":"urn:assay:unnamed:P1","identifiers":{"cpe23":"cpe:2.3:a:e:a:1:*:*:*:*:*:*:*"}}"#;
    let asked_for = asked("pkg:npm/a@1", &[('a', "sha256")]);
    assert_eq!(statement(unnamed, &asked_for), None);
    let named = unnamed.replace("urn:assay:unnamed:", "");
    assert_eq!(statement(&named, &asked_for), Some(Relation::Unnamed));
    let hashes = format!(r#""hashes":{{"sha-256":"{}"}},"@id""#, "a".repeat(64));
    let by_digest = unnamed.replace(r#""@id""#, &hashes);
    assert_eq!(statement(&by_digest, &asked_for), Some(Relation::This));
}
