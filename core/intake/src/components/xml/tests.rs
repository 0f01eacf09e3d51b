//! CycloneDX in XML.

use crate::components::Format::CycloneDxXml;
use crate::components::tests::{found, lines, notes, refusal, unidentified};

fn bom(inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<bom \
         xmlns=\"http://cyclonedx.org/schema/bom/1.5\">{inner}</bom>"
    )
}

#[test]
fn components_are_found_wherever_they_nest() {
    let text = bom(&format!(
        "<metadata><component><name>own</name><purl>pkg:cargo/own@1</purl></component></metadata>\
         <components><component type=\"library\"><name>a</name><version>1.0</version>\
         <scope>optional</scope><hashes><hash alg=\"SHA-256\">{}</hash><hash \
              alg=\"SHA-1\">0</hash>\
         </hashes><purl>pkg:npm/a?x=1&amp;y=2</purl>\n<components><component><name>b</name>\
         <purl>pkg:npm/b@2</purl></component></components></component>\
         <component><name>bare</name></component></components>",
        "0".repeat(64)
    ));
    let found = found(CycloneDxXml, &text);
    assert_eq!(
        lines(&found),
        [
            "pkg:cargo/own@1 own :2",
            "pkg:npm/a@1.0?x=1&y=2 sha256 optional :2",
            "pkg:npm/b@2 :3",
        ]
    );
    assert_eq!(unidentified(&found).len(), 1);
    assert_eq!(found.notes.len(), 1);
}

#[test]
fn files_and_what_stands_in_other_boms_are_told() {
    let link = "<externalReferences><reference type=\"bom\"><url>urn:cdx:0a/1</url>\
                </reference></externalReferences>";
    let text = bom(&format!(
        "<metadata><component><name>own</name><version>1</version>{link}</component></metadata>\
         <components><component type=\"file\"><name>/a</name></component>\
         <component><name>b</name><purl>pkg:npm/b@2</purl>{link}</component></components>"
    ));
    let named = text.replace("<bom ", "<bom serialNumber=\"urn:uuid:0a\" ");
    for (text, parts) in [(text, 2), (named, 1)] {
        let found = found(CycloneDxXml, &text);
        assert_eq!(lines(&found), ["(own) own :2", "pkg:npm/b@2 :2"]);
        assert_eq!(unidentified(&found).len(), parts);
        assert_eq!(found.notes.len(), 1);
    }
}

#[test]
fn a_bom_is_pointed_at_as_in_json() {
    let uuid = "3e671687-395b-41f5-a30f-a58921a69b79";
    let components = "<components>\
        <component bom-ref=\"a\"><name>a</name><purl>pkg:npm/a@1</purl></component>\
        <component bom-ref=\"b\"><name>b</name><purl>pkg:npm/b@1</purl></component>\
        <component bom-ref=\"c\"><name>c</name><purl>pkg:npm/c@1</purl></component>\
        <component bom-ref=\"a\" type=\"file\"><name>f</name></component>\
        <component bom-ref=\"b\"><name>no purl</name></component></components>\
        <services><service bom-ref=\"s\"><services><service bom-ref=\"c\"/></services>\
        </service></services>";
    for (attributes, expected) in [
        (
            format!("serialNumber=\"urn:uuid:{uuid}\" version=\"2\""),
            Some(2),
        ),
        (format!("serialNumber=\"urn:uuid:{uuid}\""), Some(1)),
        (
            format!("serialNumber=\"urn:uuid:{uuid}\" version=\"x\""),
            None,
        ),
        ("version=\"2\"".to_owned(), None),
    ] {
        let text = bom(components).replace("<bom ", &format!("<bom {attributes} "));
        let found = found(CycloneDxXml, &text);
        let link = expected.map(|version| format!("urn:cdx:{uuid}/{version}"));
        let names: &[&str] = if link.is_some() {
            &["a", "b", "c"]
        } else {
            &[]
        };
        assert_eq!(found.bom, link, "{attributes}");
        assert!(found.disputed_refs.iter().eq(names), "{attributes}");
    }
}

#[test]
fn a_comment_does_not_cut_a_text() {
    let text = bom(&format!(
        "<components><component><name>lib<!-- -->ssl3</name><version>1.0.1<!-- -->5</version>\
         <hashes><hash alg=\"SHA-256\">{0}<!-- -->{0}</hash></hashes>\
         <purl>pkg:deb/debian/libssl3</purl><properties>\
         <property name=\"aquasecurity:trivy:SrcName\">open<!-- -->ssl</property>\
         </properties></component></components>",
        "0".repeat(32)
    ));
    assert_eq!(
        lines(&found(CycloneDxXml, &text)),
        ["pkg:deb/debian/libssl3@1.0.15?upstream=openssl sha256 :2"]
    );
}

#[test]
fn every_version_of_the_namespace_is_read_up_to_the_last_one() {
    let text = bom(
        "<components><component><name>a</name><purl>pkg:npm/a@1</purl></component></components>",
    );
    for version in ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7"] {
        let text = text.replace("bom/1.5", &format!("bom/{version}"));
        assert_eq!(
            lines(&found(CycloneDxXml, &text)),
            ["pkg:npm/a@1 :2"],
            "{version}"
        );
    }
}

#[test]
fn what_has_no_name_is_called_as_its_purl_and_what_is_not_read_is_told() {
    let text = bom(
        "<components><component><name></name><purl>pkg:npm/%40s/a@1</purl></component>\
         <component><name/><purl>odd</purl></component></components>\
         <services><service/><service/></services>\
         <formulation><formula><components><component bom-ref=\"b\"><name>b</name>\
         <components><component><name>c</name></component></components></component></components>\
         </formula></formulation>",
    );
    let found = found(CycloneDxXml, &text);
    assert_eq!(lines(&found), ["pkg:npm/%40s/a@1 :2"]);
    assert_eq!(found.list[0].name, "a");
    assert!(unidentified(&found)[0].contains("odd \"odd\" is no package URL"));
    let said = notes(&found);
    assert!(said.contains("no software to look up: 2"), "{said}");
    assert!(
        said.contains("(formulation), which is not looked up: 2"),
        "{said}"
    );
}

#[test]
fn what_reads_slowly_is_refused() {
    let names = |count: usize| {
        let declared = (0..count).map(|i| format!("<a xmlns:n{i}=\"u{i}\"/>"));
        bom(&declared.collect::<String>())
    };
    assert_eq!(found(CycloneDxXml, &names(63)).list.len(), 0);
    let error = refusal(CycloneDxXml, &names(64));
    assert!(error.starts_with("x:2: more than 64"), "{error}");
    let long = |count: usize| bom(&format!("\n<a b=\"{}\"/>", "c>".repeat(count)));
    assert_eq!(found(CycloneDxXml, &long(8000)).list.len(), 0);
    let error = refusal(CycloneDxXml, &long(8200));
    assert!(error.starts_with("x:3: a tag is longer"), "{error}");
    let texts = format!("<a>{}</a><!--{0}--><![CDATA[{0}]]>", "xmlns ".repeat(9000));
    assert_eq!(found(CycloneDxXml, &bom(&texts)).list.len(), 0);
    let error = refusal(CycloneDxXml, &bom(&"<a/>".repeat(300_000)));
    assert!(error.starts_with("x:"), "{error}");
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let deep = "<components><component><name>a</name>".repeat(80);
    let ends = "</component></components>".repeat(80);
    let services = "<services><service>".repeat(80) + &"</service></services>".repeat(80);
    let laughs = "<!DOCTYPE bom [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]>";
    for (text, said) in [
        (
            "<bom/>".to_owned(),
            "x:1: the root is \"bom\" of the namespace \"\"",
        ),
        (
            bom("").replace("1.5", "1.8"),
            "x:2: the root is \"bom\" of the namespace \
             \"http://cyclonedx.org/schema/bom/1.8\", and",
        ),
        (bom("").replace("1.5", "1.55"), "x:2: the root is"),
        (bom("").replace("/1.5", "/v1.5"), "x:2: the root is"),
        (bom("<components>"), "x:2: is not XML that is read"),
        (
            bom("<components>\n<component/></components>"),
            "x:3: a component has no name",
        ),
        (
            bom(&format!("{deep}{ends}")),
            "x:2: components are nested deeper",
        ),
        (bom(&services), "x:2: services are nested deeper"),
        (
            bom(&format!(
                "<formulation><formula>{deep}{ends}</formula></formulation>"
            )),
            "x:2: components are nested deeper",
        ),
        (
            format!("{laughs}{}", bom("")),
            "x:1: is not XML that is read",
        ),
    ] {
        let error = refusal(CycloneDxXml, &text);
        assert!(error.starts_with(said), "{error}");
    }
}
