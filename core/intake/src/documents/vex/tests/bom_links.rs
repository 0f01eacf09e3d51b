//! What a CycloneDX document says of what is in another BOM, and what it says of nothing.

use super::{claims, lines, said};
use assay_claims::kind::vex::Vex;
use assay_claims::statement::Subject;

const UUID: &str = "3e671687-395b-41f5-a30f-a58921a69b79";
const OTHER: &str = "urn:cdx:00000000-395b-41f5-a30f-a58921a69b79/2";

/// A document of this serial number and version 3, with these members and vulnerabilities.
fn document(members: &str, vulnerabilities: &str) -> String {
    format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","version":3,"serialNumber":"urn:uuid:{UUID}",{members}"vulnerabilities":[{vulnerabilities}]}}"#
    )
}

/// CVE-1, in this state, of what this leads to.
fn of(state: &str, affects: &str) -> String {
    format!(r#"{{"id":"CVE-1","analysis":{{"state":"{state}"}},"affects":[{affects}]}}"#)
}

/// The parts of the first product of a document's first statement, by their identifiers.
fn parts(text: &str) -> Vec<Vec<String>> {
    let claim = claims("vex", text).unwrap().remove(0);
    let vex = Vex::parse(&claim.predicate).unwrap();
    let parts = vex.statements[0].products[0].parts.iter();
    parts.map(|part| part.ids.clone()).collect()
}

#[test]
fn a_claim_is_about_the_bom_that_a_link_leads_into() {
    for (reference, part, subjects) in [
        (
            format!("{OTHER}#d"),
            vec![format!("{OTHER}#d")],
            vec![OTHER],
        ),
        // What is called by a purl is found by that, too, and is still what is so called.
        (
            format!("{OTHER}#pkg%3Anpm%2Fy%401"),
            vec![
                format!("{OTHER}#pkg%3Anpm%2Fy%401"),
                "pkg:npm/y@1".to_owned(),
            ],
            vec!["pkg:npm/y@1", OTHER],
        ),
    ] {
        let text = document(
            "",
            &of("not_affected", &format!(r#"{{"ref":"{reference}"}}"#)),
        );
        assert_eq!(parts(&text), [part]);
        let (_, found) = said("vex", &text);
        let mut found: Vec<&str> = found.iter().map(String::as_str).collect();
        found.sort_unstable();
        assert_eq!(found, subjects, "{reference}");
    }
    // What is no link leads nowhere that a log could find.
    for none in ["urn:cdx:0/1#d", &OTHER.replace("/2", "#d")] {
        let text = document("", &of("not_affected", &format!(r#"{{"ref":"{none}"}}"#)));
        let subjects = claims("vex", &text).unwrap().remove(0).subjects;
        assert_eq!(subjects, Vec::<Subject>::new(), "{none}");
    }
}

/// What another version of the BOM calls so may be another thing.
#[test]
fn a_link_to_another_version_clears_nothing_of_this_one() {
    let members =
        r#""components":[{"type":"library","name":"x","bom-ref":"x","purl":"pkg:npm/x@1"}],"#;
    let link = |version: u64| format!("urn:cdx:{UUID}/{version}");
    for (version, name, state, expected) in [
        (3, "x", "resolved", vec!["fixed - pkg:npm/x@1".to_owned()]),
        (
            3,
            "x",
            "exploitable",
            vec!["affected - pkg:npm/x@1".to_owned()],
        ),
        (
            2,
            "x",
            "resolved",
            vec![format!("fixed - {0} > {0}#x", link(2))],
        ),
        (
            2,
            "x",
            "exploitable",
            vec![
                format!("affected - {0} > {0}#x", link(2)),
                "affected - pkg:npm/x@1".to_owned(),
            ],
        ),
        (
            2,
            "y",
            "exploitable",
            vec![format!("affected - {0} > {0}#y", link(2))],
        ),
        (
            3,
            "y",
            "resolved",
            vec![format!("fixed - {0} > {0}#y", link(3))],
        ),
    ] {
        let affects = format!(r#"{{"ref":"{}#{name}"}}"#, link(version));
        let found = lines("vex", &document(members, &of(state, &affects)));
        let expected = expected.iter().map(|line| format!("CVE-1 {line}"));
        assert_eq!(
            found,
            expected.collect::<Vec<_>>(),
            "{version} {name} {state}"
        );
    }
}

/// A BOM lists one version, and the link does not say which.
#[test]
fn a_version_beside_a_link_clears_nothing_by_the_link() {
    let link = format!("{OTHER}#d");
    for (state, version, expected) in [
        (
            "not_affected",
            r#"{"version":"1.5"}"#,
            vec![format!("1.5 of {link}")],
        ),
        (
            "exploitable",
            r#"{"version":"1.6","status":"unaffected"}"#,
            vec![format!("1.6 of {link}")],
        ),
        ("exploitable", r#"{"version":"1.5"}"#, vec![link.clone()]),
        (
            "exploitable",
            r#"{"range":"vers:npm/<2"}"#,
            vec![link.clone()],
        ),
    ] {
        let affects = format!(r#"{{"ref":"{link}","versions":[{version}]}}"#);
        let found = parts(&document("", &of(state, &affects)));
        let named: Vec<String> = found.concat();
        let bare = named.iter().map(|id| id.replace("urn:assay:unnamed:", ""));
        assert_eq!(bare.collect::<Vec<_>>(), expected, "{state} {version}");
    }
}

const APP: &str =
    r#""metadata":{"component":{"type":"application","name":"app","purl":"pkg:npm/app@2"}},"#;
const X: &str =
    r#""components":[{"type":"library","name":"x","bom-ref":"x","purl":"pkg:npm/x@1"}],"#;

/// A vulnerability in this state, of nothing.
fn bare(id: &str, state: &str) -> String {
    format!(r#"{{"id":"{id}","analysis":{{"state":"{state}"}}}}"#)
}

#[test]
fn what_is_cleared_of_nothing_is_left_out_and_told() {
    let (app, x) = (APP, X);
    let services = r#""services":[{"name":"s","bom-ref":"s"}],"#;
    let also = of("resolved", r#"{"ref":"pkg:npm/z@1"}"#).replace("CVE-1", "CVE-2");
    let z = "CVE-2 fixed - pkg:npm/z@1".to_owned();
    let in_app = "CVE-2 fixed - pkg:npm/app@2 > pkg:npm/z@1".to_owned();
    let of_app = |status: &str| format!("CVE-1 {status} - pkg:npm/app@2");
    for (members, state, expected, is_told) in [
        // Nothing else is listed that it could be said of.
        (
            app.to_owned(),
            "not_affected",
            vec![of_app("not_affected"), in_app.clone()],
            false,
        ),
        (
            format!("{app}{x}"),
            "not_affected",
            vec![in_app.clone()],
            true,
        ),
        (
            format!("{app}{services}"),
            "resolved",
            vec![in_app.clone()],
            true,
        ),
        (x.to_owned(), "false_positive", vec![z.clone()], true),
        // What the publisher names would be cleared of it, too.
        (String::new(), "not_affected", vec![z], true),
        // A word against is said of the product.
        (
            format!("{app}{x}"),
            "exploitable",
            vec![in_app, of_app("affected")],
            false,
        ),
    ] {
        let text = document(&members, &format!("{},{also}", bare("CVE-1", state)));
        assert_eq!(lines("vex", &text), expected, "{members} {state}");
        let claim = claims("vex", &text).unwrap().remove(0);
        let mut notes = claim.summary.iter();
        let told = notes.any(|(_, note)| note.contains("CVE-1; name it in `affects`"));
        assert_eq!(told, is_told, "{members} {state}");
    }
}

#[test]
fn what_says_of_nothing_what_it_is_about_is_for_the_publisher() {
    // Unless the document lists several things.
    let alone = document("", &bare("CVE-1", "not_affected"));
    assert_eq!(
        said("vex", &alone),
        (vec!["CVE-1 not_affected - ".to_owned()], vec![])
    );
    let refused = claims("vex", &document(X, &bare("CVE-1", "not_affected"))).unwrap_err();
    assert!(refused.to_string().contains("CVE-1; name it"), "{refused}");
    let many: Vec<String> = (1..8)
        .map(|n| bare(&format!("CVE-{n}"), "resolved"))
        .collect();
    let refused = claims("vex", &document(X, &many.join(","))).unwrap_err();
    assert!(
        refused.to_string().contains("CVE-4, CVE-5, …;"),
        "{refused}"
    );
    // Beside a BOM it is told with the BOM.
    let sbom = claims(
        "sbom",
        &document(&format!("{APP}{X}"), &bare("CVE-1", "resolved")),
    );
    let sbom = sbom.unwrap();
    assert_eq!(sbom.len(), 1);
    let mut notes = sbom[0].summary.iter();
    assert!(notes.any(|(_, note)| note.contains("CVE-1; name it")));
}
