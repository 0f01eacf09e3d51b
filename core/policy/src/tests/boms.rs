//! What is said of what a CycloneDX BOM lists, by BOM-Links.

use super::*;
use crate::InBom;
use crate::testing::{about, value};
use assay_claims::bom_link::BomLink;
use assay_claims::index::{By, Label};
use assay_claims::statement::{Statement, Subject};

const SCAN: &str = "https://in-toto.io/attestation/vulns/v0.2";
const VEX: &str = "https://openvex.dev/ns/v0.2.0";
const AUDIT: &str = "urn:assay:audit:v1";

const BOM: &str = "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/3";
const OTHER: &str = "urn:cdx:00000000-395b-41f5-a30f-a58921a69b79/3";
const APP: &str = "pkg:npm/app@2";
const LIB: &str = "pkg:npm/lib@1";

fn link(text: &str) -> BomLink {
    BomLink::parse(text).unwrap()
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// The library, which a BOM calls so.
fn listed(bom: &str, names: &[&str]) -> Component {
    let place = InBom::new(&link(bom), strings(names), Vec::new(), false);
    component(LIB).in_bom(place)
}

/// The same, as a part of the application, which the BOM is about.
fn part(bom: &str, names: &[&str]) -> Component {
    let place = InBom::new(&link(bom), strings(&["root"]), Vec::new(), true);
    listed(bom, names).in_product(component(APP).in_bom(place))
}

/// A product with a part.
fn with_part(product: &str, part: &str) -> String {
    format!(r#"{{"@id":"{product}","subcomponents":[{part}]}}"#)
}

/// What is in the BOM and called so.
fn in_bom(bom: &str, name: &str) -> String {
    with_part(bom, &format!(r#"{{"@id":"{bom}#{name}"}}"#))
}

/// Somebody who makes the application and somebody who makes the library, and CVE-1 in that.
struct Scene {
    world: World,
    makers: [Party; 2],
    scanner: Party,
}

impl Scene {
    fn new() -> Self {
        let mut world = World::new();
        let makers = [("app", 1), ("lib", 2)].map(|(name, seed)| world.register(name, &[seed], 1));
        let scanner = world.register("s", &[3], 1);
        let scan = r#"{"scanner":{"uri":"https://e.org/s","result":[{"id":"CVE-1"}]},"metadata":{"scanStartedOn":"2026-01-01T00:00:00Z","scanFinishedOn":"2026-01-01T00:00:00Z"}}"#;
        world.log(&about(LIB, SCAN, scan), &[&scanner]);
        Scene {
            world,
            makers,
            scanner,
        }
    }

    /// A document about these subjects, with a statement of each of these products; of another
    /// status, if that stands before it.
    fn say(&mut self, by: usize, subjects: &[Subject], status: &str, products: &[&str]) {
        let at = self.world.next_leaf().get();
        let statements = products.iter().map(|product| {
            let affected = product.strip_prefix("affected ");
            let status = affected.map_or(status, |_| "affected");
            let products = match affected.unwrap_or(product) {
                "" => String::new(),
                product => format!(r#","products":[{product}]"#),
            };
            format!(
                r#"{{"vulnerability":{{"name":"CVE-1"}},"status":"{status}","impact_statement":"i","action_statement":"a"{products}}}"#
            )
        });
        let text = format!(
            r#"{{"@context":"{VEX}","@id":"https://e.org/{at}","author":"A","version":1,"timestamp":"2026-01-01T00:00:{at:02}Z","statements":[{}]}}"#,
            statements.collect::<Vec<_>>().join(",")
        );
        let statement = Statement::new(subjects.to_vec(), VEX, value(&text)).unwrap();
        self.world.log(&statement, &[&self.makers[by]]);
    }

    /// That a claim about the BOM clears what is so called.
    fn clear(&mut self, by: usize, products: &[&str]) {
        self.say(by, &[link(BOM).subject()], "not_affected", products);
    }

    fn policy(&self) -> Policy {
        let scopes = ["pkg:npm/app", "pkg:npm/lib"];
        let makers = self.makers.iter().zip(scopes);
        let makers: Vec<String> = makers
            .map(|(maker, scope)| anchor(maker, &["maintainer"]).replace("pkg:*", scope))
            .collect();
        parse(&format!(
            "version = 1\nunknown = \"warn\"\n{}{}{}",
            makers.concat(),
            anchor(&self.scanner, &["scanner"]),
            rule(
                "deny",
                "deny",
                "if = \"vulnerable\"\nseverity = \"high\"\nfrom = [\"anyone\"]\ncleared_by = \
                 [\"maintainer\"]"
            ) + &rule(
                "deny",
                "deny",
                "if = \"affected\"\nseverity = \"high\"\nfrom = [\"maintainer\"]"
            )
        ))
    }

    fn outcome(&self, component: &Component) -> Outcome {
        let (policy, claims) = (self.policy(), &self.world.claims);
        let known = Known::judge(&policy, claims, NOW_MS);
        known.verdict(component, &fresh(&self.world)).outcome()
    }
}

/// What comes of what a BOM calls `x` where a product is cleared. What has the same purl and is in
/// no BOM, or in another version, is not.
fn cleared(product: &str) -> Outcome {
    let mut scene = Scene::new();
    // The claim is found, whatever it is about.
    let subjects = [BOM, OTHER].map(|bom| link(bom).subject());
    let package = Subject::package(crate::testing::purl(LIB));
    let subjects = [&subjects[..], &[package]].concat();
    scene.say(1, &subjects, "not_affected", &[product]);
    assert_eq!(scene.outcome(&component(LIB)), Outcome::Denied, "{product}");
    let elsewhere = listed(&BOM.replace("/3", "/5"), &["x"]);
    assert_eq!(scene.outcome(&elsewhere), Outcome::Denied, "{product}");
    let outcome = scene.outcome(&listed(BOM, &["x"]));
    assert_eq!(scene.outcome(&part(BOM, &["x"])), outcome, "{product}");
    outcome
}

#[test]
fn a_link_clears_what_it_leads_to_and_nothing_else() {
    for (product, expected) in [
        (in_bom(BOM, "x"), Outcome::Fine),
        // The link alone is as good.
        (format!(r#"{{"@id":"{BOM}#x"}}"#), Outcome::Fine),
        // So is the purl, in this BOM.
        (
            with_part(BOM, &format!(r#"{{"@id":"{LIB}"}}"#)),
            Outcome::Fine,
        ),
        // Another name, another version, another number.
        (in_bom(BOM, "y"), Outcome::Denied),
        (in_bom(&BOM.replace("/3", "/4"), "x"), Outcome::Denied),
        (in_bom(OTHER, "x"), Outcome::Denied),
        (
            with_part(OTHER, &format!(r#"{{"@id":"{LIB}"}}"#)),
            Outcome::Denied,
        ),
        // What is in something else in the BOM.
        (
            with_part(&format!("{BOM}#y"), &format!(r#"{{"@id":"{LIB}"}}"#)),
            Outcome::Denied,
        ),
        // No name, and a link that is none.
        (
            with_part(BOM, &format!(r#"{{"@id":"{BOM}"}}"#)),
            Outcome::Denied,
        ),
        (format!(r#"{{"@id":"{BOM}"}}"#), Outcome::Denied),
        (in_bom(&BOM.replace("/3", ""), "x"), Outcome::Denied),
        // What is called as a package may be none, and be called so elsewhere in the BOM.
        (
            with_part(
                BOM,
                &format!(r#"{{"@id":"{BOM}#y","identifiers":{{"purl":"{LIB}"}}}}"#),
            ),
            Outcome::Denied,
        ),
        (
            with_part(
                BOM,
                &format!(r#"{{"@id":"{BOM}#x","identifiers":{{"purl":"{LIB}?package-id=1"}}}}"#),
            ),
            Outcome::Fine,
        ),
        (
            with_part(
                BOM,
                &format!(r#"{{"@id":"{BOM}#x","identifiers":{{"purl":"pkg:npm/z@1"}}}}"#),
            ),
            Outcome::Denied,
        ),
    ] {
        assert_eq!(cleared(&product), expected, "{product}");
    }
}

/// Whoever makes the product speaks of what is in it, and of nothing else.
#[test]
fn a_claim_is_found_by_the_bom_alone() {
    for (by, component, expected) in [
        (1, listed(BOM, &["x"]), Outcome::Fine),
        (0, listed(BOM, &["x"]), Outcome::Denied),
        (0, part(BOM, &["x"]), Outcome::Fine),
        (1, part(BOM, &["x"]), Outcome::Fine),
        (0, part(BOM, &["y"]), Outcome::Denied),
        (0, part(OTHER, &["x"]), Outcome::Denied),
        (1, part(OTHER, &["x"]), Outcome::Denied),
        (1, component(LIB), Outcome::Denied),
    ] {
        let mut scene = Scene::new();
        scene.clear(by, &[&in_bom(BOM, "x")]);
        assert_eq!(scene.outcome(&component), expected, "{by} {component:?}");
    }
    // What it is called by may look like a package of another build.
    let mut scene = Scene::new();
    let named = Subject::package(crate::testing::purl("pkg:npm/lib@1?package-id=1"));
    let subjects = [link(BOM).subject(), named];
    scene.say(1, &subjects, "fixed", &[&in_bom(BOM, "x")]);
    assert_eq!(scene.outcome(&listed(BOM, &["x"])), Outcome::Fine);
    // The product as a whole, by the BOM or by what that calls it.
    for product in [
        format!(r#"{{"@id":"{BOM}"}}"#),
        format!(r#"{{"@id":"{BOM}#root"}}"#),
    ] {
        let mut scene = Scene::new();
        scene.clear(0, &[&product]);
        assert_eq!(
            scene.outcome(&part(BOM, &["x"])),
            Outcome::Fine,
            "{product}"
        );
        assert_eq!(
            scene.outcome(&part(OTHER, &["x"])),
            Outcome::Denied,
            "{product}"
        );
    }
}

#[test]
fn what_is_listed_at_several_places_is_cleared_at_all_of_them_or_at_none() {
    let (x, y) = (in_bom(BOM, "x"), in_bom(BOM, "y"));
    for component in [listed(BOM, &["x", "y"]), part(BOM, &["x", "y"])] {
        let mut scene = Scene::new();
        scene.clear(1, &[&x]);
        assert_eq!(scene.outcome(&component), Outcome::Denied);
        scene.clear(1, &[&y]);
        assert_eq!(scene.outcome(&component), Outcome::Fine);
        let mut scene = Scene::new();
        scene.clear(1, &[&x, &y]);
        assert_eq!(scene.outcome(&component), Outcome::Fine);
        // More places than are compared.
        let names: Vec<String> = (0..40).map(|i| format!("n{i}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut scene = Scene::new();
        let all: Vec<String> = names.iter().map(|name| in_bom(BOM, name)).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        scene.clear(1, &all);
        assert_eq!(scene.outcome(&listed(BOM, &names)), Outcome::Denied);
        assert_eq!(scene.outcome(&listed(BOM, &names[..30])), Outcome::Fine);
    }
}

#[test]
fn what_speaks_against_something_counts_wherever_it_may_be_meant() {
    let disputed = |names: &[&str]| {
        let place = InBom::new(&link(BOM), strings(names), strings(names), false);
        component(LIB).in_bom(place)
    };
    for (component, expected) in [
        (listed(BOM, &["x"]), Outcome::Denied),
        (listed(BOM, &["x", "y"]), Outcome::Denied),
        (disputed(&["x"]), Outcome::Denied),
        (listed(BOM, &["y"]), Outcome::Fine),
        (listed(OTHER, &["x"]), Outcome::Fine),
    ] {
        let mut scene = Scene::new();
        let everybody = Subject::package(crate::testing::purl(LIB));
        scene.say(1, &[everybody], "fixed", &[""]);
        scene.say(1, &[link(BOM).subject()], "affected", &[&in_bom(BOM, "x")]);
        assert_eq!(scene.outcome(&component), expected, "{component:?}");
    }
    // It clears none of several things of one name.
    let mut scene = Scene::new();
    scene.clear(1, &[&in_bom(BOM, "x")]);
    assert_eq!(scene.outcome(&disputed(&["x"])), Outcome::Denied);
}

#[test]
fn nothing_else_that_is_said_of_a_bom_is_said_of_what_is_in_it() {
    // A document that says of no product what it says.
    let mut scene = Scene::new();
    scene.clear(1, &["", &in_bom(BOM, "z")]);
    scene.clear(1, &["", &in_bom(BOM, "x")]);
    assert_eq!(scene.outcome(&listed(BOM, &["x"])), Outcome::Denied);
    // A word against something else in it, or in another BOM of which it speaks, too.
    let mut scene = Scene::new();
    scene.clear(1, &[&in_bom(BOM, "x")]);
    let subjects = [BOM, OTHER].map(|bom| link(bom).subject());
    let others = [in_bom(BOM, "z"), in_bom(OTHER, "x")];
    let others = [&*others[0], &*others[1]];
    scene.say(1, &subjects, "affected", &others);
    assert_eq!(scene.outcome(&listed(BOM, &["x"])), Outcome::Fine);
    let of_other = format!(
        "affected {}",
        with_part(OTHER, r#"{"@id":"pkg:npm/lib@2"}"#)
    );
    scene.say(1, &subjects, "fixed", &[&in_bom(BOM, "x"), &of_other]);
    assert_eq!(scene.outcome(&listed(BOM, &["x"])), Outcome::Fine);
    // Nor is such a document about it.
    let mut scene = Scene::new();
    scene.say(1, &subjects, "affected", &[&of_other]);
    let policy = scene.policy();
    let known = Known::judge(&policy, &scene.world.claims, NOW_MS);
    assert_eq!(known.about(&listed(BOM, &["x"])).count(), 1);
    // What is said of something else in the BOM is not said of it, whatever the claim is about.
    let mut scene = Scene::new();
    scene.clear(1, &[&in_bom(BOM, "x")]);
    let package = Subject::package(crate::testing::purl(LIB));
    scene.say(1, &[package], "affected", &[&in_bom(BOM, "z")]);
    assert_eq!(scene.outcome(&listed(BOM, &["x"])), Outcome::Fine);
    assert_eq!(scene.outcome(&component(LIB)), Outcome::Denied);
}

#[test]
fn a_review_of_a_bom_reviews_nothing_that_it_lists() {
    let mut scene = Scene::new();
    let review = value(r#"{"criteria":["c"],"verdict":"pass","scope":"version"}"#);
    let review = Statement::new(vec![link(BOM).subject()], AUDIT, review).unwrap();
    scene.world.log(&review, &[&scene.makers[1]]);
    let demand = rule(
        "require",
        "deny",
        "claims = [\"audit\"]\nfrom = [\"auditor\"]",
    );
    let anchor = anchor(&scene.makers[1], &["auditor"]);
    let policy = parse(&format!(
        "version = 1\nunknown = \"warn\"\n{anchor}{demand}"
    ));
    let known = Known::judge(&policy, &scene.world.claims, NOW_MS);
    let verdict = known.verdict(&listed(BOM, &["x"]), &fresh(&scene.world));
    assert_eq!(verdict.outcome(), Outcome::Unmet);
}

/// A list about a BOM that is too long to come may hold what speaks against anything in it.
#[test]
fn a_list_that_does_not_come_voids_what_was_heard() {
    let mut scene = Scene::new();
    scene.clear(1, &[&in_bom(BOM, "x")]);
    let place = InBom::new(&link(BOM), Vec::new(), Vec::new(), false);
    let list = |origin: &str| Overlong {
        origin: origin.to_owned(),
        label: Label::of(place.index_name(), By::issuer(&scene.makers[1].id)),
        of_keys: false,
        heard: None,
    };
    let policy = scene.policy();
    for (lists, component, expected) in [
        (vec![], listed(BOM, &["x"]), Outcome::Fine),
        (
            vec![list(scene.world.origin)],
            listed(BOM, &["x"]),
            Outcome::Denied,
        ),
        (
            vec![list(scene.world.origin)],
            component(LIB),
            Outcome::Denied,
        ),
    ] {
        let known = Known::judge(&policy, &scene.world.claims, NOW_MS).without(lists);
        let verdict = known.verdict(&component, &fresh(&scene.world));
        assert_eq!(verdict.outcome(), expected, "{component:?}");
    }
}

/// What is said of what one BOM lists is not handed on as a word about the package.
#[test]
fn it_is_agreed_on_in_the_bom_alone() {
    let mut scene = Scene::new();
    scene.clear(1, &[&in_bom(BOM, "x")]);
    let policy = scene.policy();
    let known = Known::judge(&policy, &scene.world.claims, NOW_MS);
    let agreed = known.agreed(&listed(BOM, &["x"]));
    assert_eq!(agreed.len(), 1);
    assert!(agreed[0].within);
    let everybody = Subject::package(crate::testing::purl(LIB));
    scene.say(1, &[everybody], "not_affected", &[""]);
    let known = Known::judge(&policy, &scene.world.claims, NOW_MS);
    assert!(!known.agreed(&listed(BOM, &["x"]))[0].within);
}
