//! What is said of less than a package: of one artifact, of one build, of a part in a product.

use super::*;
use crate::facts::{of_statement, relation_of};
use assay_claims::kind::vex::Vex;
use assay_claims::kind::{Body, Unread};
use assay_claims::statement::Subject;

const VEX: &str = "https://openvex.dev/ns/v0.0.1";

const SCAN: &str = r#"{"scanner":{"uri":"https://e.org/s","result":[{"id":"CVE-1"}]},"metadata":{"scanStartedOn":"2026-01-01T00:00:00Z","scanFinishedOn":"2026-01-01T00:00:00Z"}}"#;

fn document(statements: &str) -> String {
    format!(
        r#"{{"@context":"{VEX}","@id":"https://e.org/1","author":"A","version":1,"timestamp":"2026-01-01T00:00:00Z","statements":[{statements}]}}"#
    )
}

fn said(status: &str, products: &str) -> String {
    format!(
        r#"{{"vulnerability":"CVE-1","status":"{status}","impact_statement":"i","action_statement":"a",{products}}}"#
    )
}

fn sha256(digit: char) -> String {
    String::from(digit).repeat(64)
}

/// How a package, as a subject and as a product, stands to a component.
fn stands(theirs: &str, ours: &Component) -> Option<Relation> {
    let purl = component(theirs).purl().unwrap().as_str().to_owned();
    let text = document(&said("fixed", &format!(r#""products":["{purl}"]"#)));
    let vex = Vex::parse(&crate::testing::value(&text)).unwrap();
    let of_product = of_statement(&vex.statements[0], ours);
    let subject = Subject::of_parts(None, Some(purl), Vec::new());
    let body = Body::Other(Unread::Unknown);
    assert_eq!(relation_of(&[subject], &body, ours), of_product, "{theirs}");
    of_product
}

/// How `pkg:generic/c@1` with these checksums stands to the same with those, which has the digest
/// of `a` if `hashed`. Checksums are named by their digits.
fn summed(theirs: &[&str], ours: &[&str], hashed: bool) -> Option<Relation> {
    let purl = |sums: &[&str]| {
        let sums = sums.iter().map(|sum| match *sum {
            "none" => "none".to_owned(),
            "A" => format!("SHA-256:{}", sha256('a').to_uppercase()),
            "c" => format!("sha1:{}", "c".repeat(40)),
            digit => format!("sha256:{}", digit.repeat(64)),
        });
        match sums.collect::<Vec<_>>().join(",") {
            none if none.is_empty() => "pkg:generic/c@1".to_owned(),
            sums => format!("pkg:generic/c@1?checksum={sums}"),
        }
    };
    let digests = hashed.then(|| ("sha256".to_owned(), sha256('a')));
    let component = Component::new(
        component(&purl(ours)).purl().cloned(),
        digests.into_iter().collect(),
    );
    stands(&purl(theirs), &component)
}

#[test]
fn digests_in_a_purl_are_those_of_its_artifact() {
    use Relation::{OtherArtifact, SomeArtifact, This};
    for (theirs, ours, hashed, expected) in [
        (&["b"][..], &[][..], true, OtherArtifact),
        (&["a"], &[], true, This),
        (&["b"], &[], false, SomeArtifact),
        (&["b"], &["a"], false, OtherArtifact),
        (&["A"], &["a"], false, This),
        // The strongest that both have decides, and none that can be forged says yes.
        (&["c", "b"], &[], true, OtherArtifact),
        (&["c"], &["c"], false, SomeArtifact),
        // Of two digests of one algorithm one is another artifact's.
        (&["a", "b"], &[], true, SomeArtifact),
        // The artifact that is there counts, and not what its purl states.
        (&["b"], &["b"], true, OtherArtifact),
        // What is no digest is no artifact's.
        (&["none"], &[], true, SomeArtifact),
        (&[], &["a"], false, This),
    ] {
        let found = summed(theirs, ours, hashed);
        assert_eq!(found, Some(expected), "{theirs:?} {ours:?}");
    }
    let by_digest = Component::new(None, vec![("sha256".to_owned(), sha256('a'))]);
    let purl = format!("pkg:generic/c@1?checksum=sha256:{}", sha256('a'));
    let text = document(&said("fixed", &format!(r#""products":["{purl}"]"#)));
    let vex = Vex::parse(&crate::testing::value(&text)).unwrap();
    assert_eq!(of_statement(&vex.statements[0], &by_digest), Some(This));
}

#[test]
fn what_is_usual_need_not_be_said() {
    use Relation::{OtherBuild, This};
    for (theirs, ours, expected) in [
        ("pkg:maven/e/a@1?type=jar", "pkg:maven/e/a@1", This),
        ("pkg:maven/e/a@1", "pkg:maven/e/a@1?type=jar", This),
        (
            "pkg:maven/e/a@1?type=jar",
            "pkg:maven/e/a@1?type=war",
            OtherBuild,
        ),
        ("pkg:maven/e/a@1?type=war", "pkg:maven/e/a@1", OtherBuild),
        (
            "pkg:maven/e/a@1?classifier=x&type=jar",
            "pkg:maven/e/a@1",
            OtherBuild,
        ),
        (
            "pkg:golang/e.org/a@v1?type=module",
            "pkg:golang/e.org/a@v1",
            This,
        ),
        (
            "pkg:golang/e.org/a@v1?type=package",
            "pkg:golang/e.org/a@v1",
            OtherBuild,
        ),
        ("pkg:gem/a@1?platform=ruby", "pkg:gem/a@1", This),
        ("pkg:gem/a@1?platform=java", "pkg:gem/a@1", OtherBuild),
        ("pkg:npm/a@1?type=jar", "pkg:npm/a@1", OtherBuild),
    ] {
        let found = stands(theirs, &component(ours));
        assert_eq!(found, Some(expected), "{theirs} {ours}");
    }
}

#[test]
fn what_a_package_is_built_for_is_its_release() {
    use Relation::{OtherBuild, This};
    for (theirs, ours, expected) in [
        ("pkg:rpm/redhat/a?arch=src&distro=rhel-7", "1-2.el9_4", None),
        (
            "pkg:rpm/redhat/a?arch=src&distro=rhel-7",
            "1-2.el7_9",
            Some(OtherBuild),
        ),
        (
            "pkg:rpm/redhat/a?arch=src&distro=rhel-7",
            "1-2",
            Some(OtherBuild),
        ),
        // A build is where it is.
        (
            "pkg:rpm/redhat/a@1-2.el9_4",
            "1-2.el9_4?distro=rhel-8.6",
            Some(This),
        ),
    ] {
        let ours = component(&format!("pkg:rpm/redhat/a@{ours}"));
        assert_eq!(stands(theirs, &ours), expected, "{theirs} {ours:?}");
    }
}

/// What a policy that looks for vulnerabilities decides of `pkg:cargo/a@1`, which somebody says
/// this of as its maintainer, and found a vulnerability in if `found`.
fn decided_of(component: &Component, statements: &[String], found: bool) -> Outcome {
    let mut world = World::new();
    let maker = world.register("m", &[1], 1);
    if found {
        let scan_type = "https://in-toto.io/attestation/vulns/v0.2";
        world.log(
            &crate::testing::about("pkg:cargo/a@1", scan_type, SCAN),
            &[&maker],
        );
    }
    let subjects = ["pkg:cargo/a@1", "pkg:cargo/app@1"];
    let subjects = subjects.map(|purl| Subject::package(crate::testing::purl(purl)));
    let value = crate::testing::value(&document(&statements.join(",")));
    let claim = assay_claims::statement::Statement::new(subjects.to_vec(), VEX, value).unwrap();
    world.log(&claim, &[&maker]);
    let vulnerable = rule(
        "deny",
        "deny",
        "if = \"vulnerable\"\nfrom = [\"maintainer\"]\ncleared_by = [\"maintainer\"]",
    );
    let affected = rule("deny", "deny", "if = \"affected\"\nfrom = [\"maintainer\"]");
    let policy = format!(
        "version = 1\nunknown = \"warn\"\n{}{vulnerable}{affected}",
        anchor(&maker, &["maintainer"])
    );
    let answers = fresh(&world);
    evaluate(&parse(&policy), component, &answers, &world.claims, NOW_MS).outcome()
}

/// OpenVEX 0.0.1 has the parts beside the products.
#[test]
fn parts_of_a_statement_narrow_it() {
    let asked = component("pkg:cargo/a@1");
    let within = component("pkg:cargo/lib@1").in_product(asked.clone());
    for (more, of_whole, of_lib) in [
        ("", Outcome::Fine, Outcome::Warn),
        (
            r#","subcomponents":["pkg:cargo/lib@1"]"#,
            Outcome::Denied,
            Outcome::Fine,
        ),
        (
            r#","subcomponents":["pkg:cargo/other@1"]"#,
            Outcome::Denied,
            Outcome::Warn,
        ),
        (r#","subcomponents":[7]"#, Outcome::Denied, Outcome::Warn),
    ] {
        let products = format!(r#""products":["pkg:cargo/a@1"]{more}"#);
        let statements = [said("not_affected", &products)];
        assert_eq!(decided_of(&asked, &statements, true), of_whole, "{more}");
        let found = decided_of(&within, &statements, false);
        assert_eq!(found, of_lib, "{more}");
    }
}

/// A statement says itself how severe the vulnerability is.
#[test]
fn a_statement_is_rated_by_who_makes_it_and_by_no_one_less() {
    let low = r#""severity":[{"method":"database","score":"low"}]"#;
    let high = r#""severity":[{"method":"CVSS_V3","score":"9.8"}]"#;
    let unread = r#""severity":[{"method":"m","score":"who knows"}]"#;
    for (first, other, role, is_lost, expected) in [
        (low, "", "auditor", false, Outcome::Fine),
        (high, "", "auditor", false, Outcome::Denied),
        (unread, "", "auditor", false, Outcome::Denied),
        ("", "", "auditor", false, Outcome::Denied),
        // The highest counts, whoever states it.
        (low, high, "auditor", false, Outcome::Denied),
        // That less is at stake says only who may say it, and with sound keys.
        ("", low, "maintainer", false, Outcome::Fine),
        ("", low, "auditor", false, Outcome::Denied),
        ("", low, "builder", false, Outcome::Denied),
        (low, "", "auditor", true, Outcome::Denied),
    ] {
        let mut world = World::new();
        let maker = world.register("m", &[1], 1);
        let second = world.register("b", &[2], 1);
        let from = world.next_leaf();
        let mut say = |by: &Party, id: &str, more: &str| {
            let comma = if more.is_empty() { "" } else { "," };
            let products = format!(r#""products":["pkg:cargo/a@1"]{comma}{more}"#);
            let text = document(&said("affected", &products)).replace("e.org/1", id);
            world.log(&crate::testing::about("pkg:cargo/a@1", VEX, &text), &[by]);
        };
        say(&maker, "e.org/1", first);
        if !other.is_empty() {
            say(&second, "e.org/2", other);
        }
        if is_lost {
            let newer = world.rotate(&maker, &[3], 1, &[1, 3]);
            world.compromise(&newer, &maker, 1, from);
        }
        let affected = rule(
            "deny",
            "deny",
            "if = \"affected\"\nseverity = \"high\"\nfrom = [\"maintainer\"]",
        );
        let policy = format!(
            "version = 1\n{}{}{affected}",
            anchor(&maker, &["maintainer"]),
            anchor(&second, &[role])
        );
        let found = outcome(&policy, &world);
        assert_eq!(found, expected, "{first} {other} {role} {is_lost}");
    }
}

#[test]
fn what_is_said_of_a_part_denies_no_other_use_of_it() {
    let alone = component("pkg:cargo/a@1");
    let within = |product: &str| alone.clone().in_product(component(product));
    let of_part = r#""products":[{"@id":"pkg:cargo/app@1","subcomponents":["pkg:cargo/a@1"]}]"#;
    let of_cpe = r#""products":[{"@id":"https://e.org/app","subcomponents":["pkg:cargo/a@1"]}]"#;
    let of_this = r#""products":["pkg:cargo/a@1"]"#;
    let affected = [said("affected", of_part)];
    for (component, expected) in [
        (within("pkg:cargo/app@1"), Outcome::Denied),
        (within("pkg:cargo/other@1"), Outcome::Warn),
        // It may be in the product.
        (alone.clone(), Outcome::Denied),
    ] {
        assert_eq!(
            decided_of(&component, &affected, false),
            expected,
            "{component:?}"
        );
    }
    // Whoever says that the thing itself does no harm keeps the two apart; and in another product
    // nothing is said of it.
    let both = |part: &str| [said("affected", part), said("fixed", of_this)];
    for (component, part, expected) in [
        (alone.clone(), of_part, Outcome::Fine),
        (within("pkg:cargo/other@1"), of_part, Outcome::Fine),
        (within("pkg:cargo/app@1"), of_part, Outcome::Denied),
        (alone.clone(), of_cpe, Outcome::Fine),
    ] {
        let found = decided_of(&component, &both(part), true);
        assert_eq!(found, expected, "{component:?} {part}");
    }
}

/// Whether what is stated of a package of a module is said of ours.
const OF_MODULES: &[(&str, &str, Option<Relation>)] = &[
    // A build is in one module only, whoever names it.
    (
        "pkg:rpm/redhat/a@1-1.module%2Bel8?arch=x86_64&rpmmod=m:14:8060:c",
        "pkg:rpm/redhat/a@1-1.module%2Bel8?arch=x86_64&distro=rhel-8.6",
        Some(Relation::This),
    ),
    (
        "pkg:rpm/redhat/a@1-1.module%2Bel8?rpmmod=m:14",
        "pkg:rpm/redhat/a@1-1.module%2Bel8?modularitylabel=m:14:8060:c",
        Some(Relation::This),
    ),
    (
        "pkg:rpm/redhat/a@1-1?rpmmod=m:14",
        "pkg:rpm/redhat/a@1-1",
        Some(Relation::OtherBuild),
    ),
    // Of every version in a stream.
    (
        "pkg:rpm/redhat/a?arch=src&rpmmod=m:14",
        "pkg:rpm/redhat/a@1-1.module%2Bel8?rpmmod=m:14:8060:c",
        Some(Relation::This),
    ),
    (
        "pkg:rpm/redhat/a?arch=src&rpmmod=m:14",
        "pkg:rpm/redhat/a@1-1.module%2Bel8",
        Some(Relation::OtherBuild),
    ),
    (
        "pkg:rpm/redhat/a?arch=src&rpmmod=m:14",
        "pkg:rpm/redhat/a@1-1.module%2Bel8?rpmmod=m:16:8060:c",
        None,
    ),
];

#[test]
fn a_stream_of_a_module_is_no_other_one() {
    for (theirs, ours, expected) in OF_MODULES {
        assert_eq!(
            stands(theirs, &component(ours)),
            *expected,
            "{theirs} {ours}"
        );
    }
}

fn of_product(status: &str, product: &str, component: &Component) -> Option<Relation> {
    let text = document(&said(status, &format!(r#""products":[{product}]"#)));
    let vex = Vex::parse(&crate::testing::value(&text)).unwrap();
    of_statement(&vex.statements[0], component)
}

#[test]
fn a_product_with_a_purl_that_cannot_be_read_is_not_known_to_be_this() {
    let ours = component("pkg:npm/a@1");
    for (other, expected) in [("pkg:npm/a@1", Relation::This), ("pkg:", Relation::Unnamed)] {
        let product = format!(r#"{{"@id":"{other}","identifiers":{{"purl":"pkg:npm/a@1"}}}}"#);
        assert_eq!(
            of_product("fixed", &product, &ours),
            Some(expected),
            "{other}"
        );
    }
}

#[test]
fn a_product_of_which_the_version_is_not_known_may_be_any() {
    let within = |product: &str| component("pkg:npm/lib@1").in_product(component(product));
    let product = r#"{"@id":"pkg:npm/app@2","subcomponents":[{"@id":"pkg:npm/lib@1"}]}"#;
    for (ours, expected) in [
        ("pkg:npm/app@2", Some(Relation::This)),
        ("pkg:npm/app", Some(Relation::OtherProduct)),
        ("pkg:npm/app@3", None),
        ("pkg:npm/other", None),
    ] {
        assert_eq!(
            of_product("affected", product, &within(ours)),
            expected,
            "{ours}"
        );
    }
}

/// What is said of one of two releases of a number counts against what does not say of which it
/// is, and clears nothing there.
#[test]
fn of_two_releases_of_one_number_neither_clears_the_other() {
    use Relation::{OtherBuild, This};
    let of = |distro: &str| format!("pkg:rpm/centos/a@1?distro={distro}");
    for (theirs, ours, expected) in [
        ("centos-stream-8", "centos-8", OtherBuild),
        ("centos-linux-8", "centos-8", OtherBuild),
        ("centos-stream-8", "centos-linux-8", OtherBuild),
        ("centos-8", "centos-stream-8", OtherBuild),
        ("centos-stream-8", "centos-stream-8", This),
        ("centos-8", "centos-8.4", This),
    ] {
        let found = stands(&of(theirs), &component(&of(ours)));
        assert_eq!(found, Some(expected), "{theirs} {ours}");
    }
}
