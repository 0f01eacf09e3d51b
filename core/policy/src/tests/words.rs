//! What VEX documents and scans say, weighed: parts of products, other names of vulnerabilities,
//! and scans that broke off.

mod elsewhere;

use super::*;
use crate::testing::{about, component};

const SCAN: &str = "https://in-toto.io/attestation/vulns/v0.2";
const VEX: &str = "https://openvex.dev/ns/v0.2.0";

/// A maintainer and a scanner, and what denies what either says.
struct Scene {
    world: World,
    maker: Party,
    scanner: Party,
}

impl Scene {
    fn new() -> Self {
        let mut world = World::new();
        let (maker, scanner) = (world.register("m", &[1], 1), world.register("s", &[2], 1));
        Scene {
            world,
            maker,
            scanner,
        }
    }

    /// A VEX document about `package` with these statements, as vulnerability, status and products.
    fn vex(&mut self, package: &str, statements: &[(&str, &str, &str)]) {
        let at = self.world.next_leaf().get();
        let statements: Vec<String> = statements
            .iter()
            .map(|(vulnerability, status, products)| {
                format!(
                    r#"{{"vulnerability":{vulnerability},"status":"{status}","impact_statement":"i","action_statement":"a","products":[{products}]}}"#
                )
            })
            .collect();
        let text = format!(
            r#"{{"@context":"{VEX}","@id":"https://e.org/{at}","author":"A","version":1,"timestamp":"2026-01-01T00:00:{at:02}Z","statements":[{}]}}"#,
            statements.join(",")
        );
        self.world.log(&about(package, VEX, &text), &[&self.maker]);
    }

    /// A scan of `package` with these results and this more of metadata.
    fn scan(&mut self, package: &str, results: &str, metadata: &str) {
        let at = self.world.next_leaf().get();
        let text = format!(
            r#"{{"scanner":{{"uri":"https://e.org/s","result":[{results}]}},"metadata":{{"scanStartedOn":"2026-01-01T00:00:00Z","scanFinishedOn":"2026-01-01T00:00:{at:02}Z"{metadata}}}}}"#
        );
        self.world
            .log(&about(package, SCAN, &text), &[&self.scanner]);
    }

    fn policy(&self, scopes: &str) -> Policy {
        let maker = anchor(&self.maker, &["maintainer"]).replace("pkg:*", scopes);
        parse(&format!(
            "version = 1\nunknown = \"warn\"\n{maker}{}{}{}",
            anchor(&self.scanner, &["scanner"]),
            rule(
                "deny",
                "deny",
                "if = \"affected\"\nseverity = \"high\"\nfrom = [\"maintainer\"]"
            ),
            rule(
                "deny",
                "deny",
                "if = \"vulnerable\"\nseverity = \"high\"\nfrom = [\"anyone\"]\ncleared_by = \
                 [\"maintainer\"]"
            )
        ))
    }

    fn verdict(&self, component: &Component) -> Verdict {
        self.verdict_for("pkg:*", component)
    }

    /// What is decided if the maintainer is one only of these packages.
    fn verdict_for(&self, scopes: &str, component: &Component) -> Verdict {
        let policy = self.policy(scopes);
        evaluate(
            &policy,
            component,
            &fresh(&self.world),
            &self.world.claims,
            NOW_MS,
        )
    }

    fn outcome(&self, component: &Component) -> Outcome {
        self.verdict(component).outcome()
    }
}

fn named(id: &str) -> String {
    format!(r#"{{"name":"{id}"}}"#)
}

/// A product with a part.
fn with_part(product: &str, part: &str) -> String {
    format!(r#"{{"@id":"{product}","subcomponents":[{part}]}}"#)
}

const APP: &str = "pkg:npm/app@2";
const LIB: &str = "pkg:npm/lib@1";

fn lib_in(product: &str) -> Component {
    component(LIB).in_product(component(product))
}

#[test]
fn what_is_said_of_one_part_takes_back_nothing_of_another() {
    for in_one_document in [true, false] {
        let mut scene = Scene::new();
        let affected = with_part(APP, r#"{"@id":"pkg:npm/used@1"}"#);
        let unused = with_part(APP, r#"{"identifiers":{"purl":"pkg:npm/unused@1"}}"#);
        let cve = named("CVE-1");
        let said = [
            (&*cve, "affected", &*affected),
            (&*cve, "not_affected", &*unused),
        ];
        if in_one_document {
            scene.vex(APP, &said);
        } else {
            scene.vex(APP, &said[..1]);
            scene.vex(APP, &said[1..]);
        }
        assert_eq!(
            scene.outcome(&component(APP)),
            Outcome::Denied,
            "{in_one_document}"
        );
        // A later word on the same part does.
        scene.vex(APP, &[(&cve, "not_affected", &affected)]);
        assert_ne!(
            scene.outcome(&component(APP)),
            Outcome::Denied,
            "{in_one_document}"
        );
    }
}

#[test]
fn a_part_is_cleared_in_its_product_and_nowhere_else() {
    let mut scene = Scene::new();
    scene.scan(LIB, r#"{"id":"CVE-1"}"#, "");
    for part in [
        r#"{"@id":"pkg:npm/lib@1"}"#,
        r#"{"@id":"pkg:npm/lib"}"#,
        r#"{"@id":"urn:x","identifiers":{"purl":"pkg:npm/lib@1"}}"#,
        r#"{"@id":"pkg:npm/lib?vers=vers:npm/%3E%3D1|%3C2"}"#,
    ] {
        let mut scene = Scene {
            world: World::continuing(&scene.world),
            ..Scene::new()
        };
        assert_eq!(scene.outcome(&lib_in(APP)), Outcome::Denied);
        scene.vex(
            APP,
            &[(&named("CVE-1"), "not_affected", &with_part(APP, part))],
        );
        assert_eq!(scene.outcome(&lib_in(APP)), Outcome::Fine, "{part}");
        // Those who may speak of the product may speak of what is in it.
        let verdict = scene.verdict_for("pkg:npm/app", &lib_in(APP));
        assert_eq!(verdict.outcome(), Outcome::Fine, "{part}");
        for other in [
            component(LIB),
            lib_in("pkg:npm/other@2"),
            lib_in("pkg:npm/app@3"),
        ] {
            assert_eq!(scene.outcome(&other), Outcome::Denied, "{part} {other:?}");
        }
    }
    for part in [
        r#"{"@id":"pkg:npm/unused@1"}"#,
        r#"{"@id":"pkg:npm/lib@2"}"#,
        r#"{"@id":"pkg:npm/lib@1?arch=arm64"}"#,
        r#"{"@id":"pkg:npm/lib?vers=vers:npm/%3C1"}"#,
        r#"{"identifiers":{"cpe23":"cpe:2.3:a:e:lib:1:*:*:*:*:*:*:*"}}"#,
        r#"{"hashes":{"sha-256":"0000000000000000000000000000000000000000000000000000000000000000"}}"#,
    ] {
        let mut scene = Scene {
            world: World::continuing(&scene.world),
            ..Scene::new()
        };
        scene.vex(
            APP,
            &[(&named("CVE-1"), "not_affected", &with_part(APP, part))],
        );
        assert_eq!(scene.outcome(&lib_in(APP)), Outcome::Denied, "{part}");
    }
}

#[test]
fn a_product_and_a_part_are_known_by_their_digests() {
    let digest = |digit: &str| vec![("sha256".to_owned(), digit.repeat(64))];
    let hashes = |digit: &str| format!(r#""hashes":{{"sha-256":"{}"}}"#, digit.repeat(64));
    let image =
        "pkg:oci/app@sha256:1111111111111111111111111111111111111111111111111111111111111111";
    let part = format!(r#"{{{}}}"#, hashes("2"));
    for product in [
        with_part(image, &part),
        format!(r#"{{{},"subcomponents":[{part}]}}"#, hashes("1")),
    ] {
        let mut scene = Scene::new();
        scene.scan(LIB, r#"{"id":"CVE-1"}"#, "");
        scene.vex(image, &[(&named("CVE-1"), "not_affected", &product)]);
        let lib = |digit: &str, product: &str| {
            let purl = component(image).purl().cloned();
            let product = Component::new(purl.filter(|_| product == "1"), digest(product));
            Component::new(component(LIB).purl().cloned(), digest(digit)).in_product(product)
        };
        assert_eq!(scene.outcome(&lib("2", "1")), Outcome::Fine, "{product}");
        assert_eq!(scene.outcome(&lib("3", "1")), Outcome::Denied, "{product}");
        assert_eq!(scene.outcome(&lib("2", "3")), Outcome::Denied, "{product}");
    }
}

#[test]
fn a_part_is_affected_in_its_product() {
    let mut scene = Scene::new();
    let part = with_part(APP, r#"{"@id":"pkg:npm/lib@1"}"#);
    scene.vex(APP, &[(&named("CVE-1"), "affected", &part)]);
    assert_eq!(scene.outcome(&lib_in(APP)), Outcome::Denied);
    assert_eq!(scene.outcome(&component(APP)), Outcome::Denied);
    assert_ne!(scene.outcome(&component(LIB)), Outcome::Denied);
    // A document about both: nobody says that other uses are any better.
    let mut scene = Scene::new();
    scene.vex(LIB, &[(&named("CVE-1"), "affected", &part)]);
    assert_eq!(scene.outcome(&component(LIB)), Outcome::Denied);
}

#[test]
fn what_clears_a_part_of_a_product_clears_no_other_use_whatever_the_claim_is_about() {
    let mut scene = Scene::new();
    scene.scan(LIB, r#"{"id":"CVE-1"}"#, "");
    let part = with_part(APP, r#"{"@id":"pkg:npm/lib@1"}"#);
    scene.vex(LIB, &[(&named("CVE-1"), "not_affected", &part)]);
    for other in [component(LIB), lib_in("pkg:npm/other@2")] {
        assert_eq!(scene.outcome(&other), Outcome::Denied, "{other:?}");
    }
    assert_eq!(scene.outcome(&lib_in(APP)), Outcome::Fine);
}

#[test]
fn what_does_no_harm_to_a_product_does_none_by_its_parts_and_not_the_other_way() {
    let whole = format!(r#"{{"@id":"{APP}"}}"#);
    let mut scene = Scene::new();
    scene.scan(LIB, r#"{"id":"CVE-1"}"#, "");
    scene.vex(APP, &[(&named("CVE-1"), "not_affected", &whole)]);
    assert_eq!(scene.outcome(&lib_in(APP)), Outcome::Fine);
    assert_eq!(scene.outcome(&component(LIB)), Outcome::Denied);
    // What harms the whole is not known to come by this part, and is not cleared either.
    scene.vex(
        LIB,
        &[(
            &named("CVE-1"),
            "not_affected",
            &format!(r#"{{"@id":"{LIB}"}}"#),
        )],
    );
    scene.vex(APP, &[(&named("CVE-1"), "affected", &whole)]);
    scene.vex(APP, &[(&named("CVE-2"), "affected", &whole)]);
    let verdict = scene.verdict(&lib_in(APP));
    let whys: Vec<&Why> = verdict.reasons().iter().map(|reason| &reason.why).collect();
    let [Why::Vulnerable(found)] = &whys[..] else {
        panic!("{whys:?}");
    };
    assert_eq!(found.len(), 1);
    // Those who may speak only of the product say nothing of the part by itself.
    let mut scene = Scene::new();
    scene.scan(LIB, r#"{"id":"CVE-1"}"#, "");
    scene.vex(
        APP,
        &[(
            &named("CVE-1"),
            "not_affected",
            &format!(r#"{{"@id":"{LIB}"}}"#),
        )],
    );
    assert_eq!(
        scene.verdict_for("pkg:npm/app", &lib_in(APP)).outcome(),
        Outcome::Denied
    );
}

/// The result of a scan that found something in these packages.
fn found_in(purls: &[&str]) -> String {
    let mut annotations: Vec<String> = Vec::new();
    for purl in purls {
        annotations.push(format!(r#"{{"package":"p","purl":"{purl}"}}"#));
    }
    let annotations = annotations.join(",");
    format!(r#"{{"id":"CVE-1","annotations":[{annotations}]}}"#)
}

#[test]
fn what_was_found_in_parts_is_cleared_part_by_part() {
    for (in_these, cleared, expected) in [
        (
            &["pkg:npm/lib@1"][..],
            &["pkg:npm/lib@1"][..],
            Outcome::Fine,
        ),
        (&["pkg:npm/lib@1"], &["pkg:npm/unused@1"], Outcome::Denied),
        (
            &["pkg:npm/lib@1", "pkg:npm/x@1"],
            &["pkg:npm/lib@1"],
            Outcome::Denied,
        ),
        (
            &["pkg:npm/lib@1", "pkg:npm/x@1"],
            &["pkg:npm/lib@1", "pkg:npm/x"],
            Outcome::Fine,
        ),
        (&[], &["pkg:npm/lib@1"], Outcome::Denied),
    ] {
        let mut scene = Scene::new();
        scene.scan(APP, &found_in(in_these), "");
        for purl in cleared {
            scene.vex(
                APP,
                &[(
                    &named("CVE-1"),
                    "not_affected",
                    &with_part(APP, &format!(r#"{{"@id":"{purl}"}}"#)),
                )],
            );
        }
        assert_eq!(
            scene.outcome(&component(APP)),
            expected,
            "{in_these:?} {cleared:?}"
        );
    }
}

#[test]
fn a_scan_says_by_which_other_names_a_finding_goes() {
    let aliases = r#""annotations":[{"aliases":["CVE-1","GHSA-aa"]}]"#;
    let two = r#""annotations":[{"aliases":["CVE-1","CVE-2"]}]"#;
    let mixed = r#""annotations":[{"aliases":["cve-1","CVE-2"]}]"#;
    for (result, said, expected) in [
        (aliases, &[("CVE-1", "not_affected")][..], Outcome::Fine),
        (aliases, &[("cve-1", "fixed")], Outcome::Fine),
        (aliases, &[("ghsa-AA", "fixed")], Outcome::Fine),
        (aliases, &[("CVE-2", "not_affected")], Outcome::Denied),
        (aliases, &[("rustsec-1", "not_affected")], Outcome::Fine),
        // By one name cleared, and by another not.
        (
            aliases,
            &[("CVE-1", "not_affected"), ("GHSA-aa", "affected")],
            Outcome::Denied,
        ),
        (
            aliases,
            &[
                ("CVE-1", "not_affected"),
                ("RUSTSEC-1", "under_investigation"),
            ],
            Outcome::Denied,
        ),
        // One advisory about two vulnerabilities.
        (two, &[("CVE-1", "not_affected")], Outcome::Denied),
        (
            two,
            &[("CVE-1", "not_affected"), ("CVE-2", "fixed")],
            Outcome::Fine,
        ),
        (mixed, &[("CVE-1", "not_affected")], Outcome::Denied),
        (two, &[("RUSTSEC-1", "not_affected")], Outcome::Fine),
        ("\"x\":1", &[("CVE-1", "not_affected")], Outcome::Denied),
    ] {
        let mut scene = Scene::new();
        scene.scan(LIB, &format!(r#"{{"id":"RUSTSEC-1",{result}}}"#), "");
        for (name, status) in said {
            scene.vex(LIB, &[(&named(name), status, "")]);
        }
        assert_eq!(
            scene.outcome(&component(LIB)),
            expected,
            "{result} {said:?}"
        );
    }
    // Names that are no identifiers of such a list are as they are written.
    let mut scene = Scene::new();
    scene.scan(LIB, r#"{"id":"lang/x"}"#, "");
    scene.vex(LIB, &[(&named("LANG/X"), "not_affected", "")]);
    assert_eq!(scene.outcome(&component(LIB)), Outcome::Denied);
}

#[test]
fn other_names_bring_their_severities_along() {
    let mut scene = Scene::new();
    let rated = r#"{"id":"GHSA-aa","severity":[{"method":"x","score":"low"}],"annotations":[{"aliases":["CVE-1"]}]}"#;
    scene.scan(LIB, rated, "");
    scene.vex(LIB, &[(&named("CVE-1"), "affected", "")]);
    assert_eq!(scene.outcome(&component(LIB)), Outcome::Fine);
    let known = scene.policy("pkg:*");
    let known = Known::judge(&known, &scene.world.claims, NOW_MS);
    let all = known.vulnerabilities(&component(LIB));
    let all: Vec<_> = all
        .iter()
        .map(|one| (one.id.as_str(), one.stated.len()))
        .collect();
    assert_eq!(all, [("GHSA-aa", 1)]);
}

#[test]
fn a_scan_that_broke_off_counts_for_what_it_found() {
    let broken = r#","complete":false"#;
    let mut scene = Scene::new();
    scene.scan(LIB, r#"{"id":"CVE-1"}"#, "");
    // It takes nothing back.
    scene.scan(LIB, "", broken);
    assert_eq!(scene.outcome(&component(LIB)), Outcome::Denied);
    let mut scene = Scene::new();
    scene.scan(LIB, "", broken);
    let verdict = scene.verdict(&component(LIB));
    assert!(
        matches!(verdict.reasons()[0].why, Why::Unknown(_)),
        "{verdict:?}"
    );
    scene.scan(LIB, r#"{"id":"CVE-1"}"#, broken);
    assert_eq!(scene.outcome(&component(LIB)), Outcome::Denied);
    scene.scan(LIB, "", "");
    assert_eq!(scene.outcome(&component(LIB)), Outcome::Fine);
}

#[test]
fn that_somebody_still_looks_is_no_word_for_it() {
    for (status, expected) in [
        ("under_investigation", Outcome::Warn),
        ("not_affected", Outcome::Fine),
        ("affected", Outcome::Denied),
    ] {
        let mut scene = Scene::new();
        scene.vex(
            LIB,
            &[(&named("CVE-1"), status, r#"{"@id":"pkg:npm/lib@1"}"#)],
        );
        let verdict = scene.verdict(&component(LIB));
        assert_eq!(verdict.outcome(), expected, "{status}");
        let mut reasons = verdict.reasons().iter();
        let unknown = reasons.any(|reason| matches!(reason.why, Why::Unknown(_)));
        assert_eq!(unknown, expected == Outcome::Warn);
        // Nor is it one of a part, by the makers of the product.
        let mut scene = Scene::new();
        let part = with_part(APP, r#"{"@id":"pkg:npm/lib@1"}"#);
        scene.vex(APP, &[(&named("CVE-1"), status, &part)]);
        let verdict = scene.verdict_for("pkg:npm/app", &lib_in(APP));
        assert_eq!(verdict.outcome(), expected, "{status}");
    }
}

#[test]
fn a_range_that_cannot_be_decided_denies_no_version() {
    let range = "pkg:opam/lib?vers=vers:opam/%3C2.0";
    for (product, version, expected) in [
        (format!(r#"{{"@id":"{range}"}}"#), "3.0", Outcome::Warn),
        (
            format!(r#"{{"@id":"{range}"}},{{"@id":"pkg:opam/lib@1.0"}}"#),
            "3.0",
            Outcome::Warn,
        ),
        (
            format!(r#"{{"@id":"{range}"}},{{"@id":"pkg:opam/lib@1.0"}}"#),
            "1.0",
            Outcome::Denied,
        ),
        (
            with_part("pkg:opam/app@1", &format!(r#"{{"@id":"{range}"}}"#)),
            "3.0",
            Outcome::Warn,
        ),
        (
            r#"{"@id":"pkg:opam/lib?vers=vers:opam/%2A"}"#.to_owned(),
            "3.0",
            Outcome::Denied,
        ),
        (
            r#"{"@id":"pkg:opam/lib"}"#.to_owned(),
            "3.0",
            Outcome::Denied,
        ),
    ] {
        let mut scene = Scene::new();
        scene.vex("pkg:opam/lib", &[(&named("CVE-1"), "affected", &product)]);
        let verdict = scene.verdict(&component(&format!("pkg:opam/lib@{version}")));
        assert_eq!(verdict.outcome(), expected, "{product} {version}");
        let mut whys = verdict.reasons().iter().map(|reason| &reason.why);
        let undecided = whys.any(|why| matches!(why, Why::Undecided(_)));
        assert_eq!(undecided, expected == Outcome::Warn, "{product} {version}");
    }
}
