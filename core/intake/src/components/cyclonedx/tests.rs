//! CycloneDX in JSON.

use crate::components::Format::CycloneDx;
use crate::components::tests::{found, lines, notes, refusal, unidentified};

fn bom(members: &str) -> String {
    format!("{{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",{members}}}")
}

#[test]
fn a_source_package_may_stand_in_properties() {
    let component = |purl: &str, properties: &[(&str, &str)]| {
        let properties = properties.iter().map(|(name, value)| {
            format!(r#"{{"name":"aquasecurity:trivy:{name}","value":"{value}"}}"#)
        });
        let properties = properties.collect::<Vec<_>>().join(",");
        let text = format!(r#"{{"name":"x","purl":"{purl}","properties":[{properties}]}}"#);
        lines(&found(
            CycloneDx,
            &bom(&format!(r#""components":[{text}]"#)),
        ))
        .concat()
    };
    let source = [
        ("SrcName", "openssl"),
        ("SrcVersion", "3.0"),
        ("SrcRelease", "1"),
    ];
    let libssl = "pkg:deb/debian/libssl3@3.0-1";
    assert_eq!(
        component(libssl, &source),
        format!("{libssl}?upstream=openssl%403.0-1")
    );
    assert_eq!(
        component(libssl, &source[..1]),
        format!("{libssl}?upstream=openssl")
    );
    assert_eq!(component(libssl, &[]), libssl);
    let stated = format!("{libssl}?upstream=other");
    assert_eq!(component(&stated, &source), stated);
}

/// Trivy lists it beside the packages that it found in it.
#[test]
fn a_lock_file_is_no_package() {
    let of_class = |class: &str| {
        let text = bom(&format!(
            r#""components":[{{"type":"application","name":"app/package-lock.json",
            "properties":[{{"name":"aquasecurity:trivy:Class","value":"{class}"}}]}},
            {{"name":"a","purl":"pkg:npm/a@1"}}]"#
        ));
        let found = found(CycloneDx, &text);
        assert_eq!(lines(&found), ["pkg:npm/a@1"]);
        (unidentified(&found).len(), notes(&found))
    };
    let (count, told) = of_class("lang-pkgs");
    assert!(
        count == 0 && told.ends_with("app/package-lock.json"),
        "{told}"
    );
    assert_eq!(of_class("os-pkgs").0, 1);
}

#[test]
fn the_image_is_known_by_its_digest_and_other_boms_are_told() {
    let digest = format!("sha256:{}", "0".repeat(64));
    let link = r#""externalReferences":[{"type":"bom","url":"urn:cdx:0a/1"}]"#;
    let text = bom(&format!(
        r#""serialNumber":"urn:uuid:0a","metadata":{{"component":{{"type":"container",
            "name":"ghcr.io/e/img","version":"{digest}",{link}}}}},
        "components":[{{"name":"a","purl":"pkg:npm/a@1",{link}}},
            {{"name":"b","version":"{digest}"}}]"#
    ));
    let found = found(CycloneDx, &text);
    assert_eq!(
        lines(&found),
        [
            format!("pkg:oci/img@{digest}?repository_url=ghcr.io%2Fe%2Fimg sha256 own"),
            "pkg:npm/a@1".to_owned(),
        ]
    );
    assert_eq!(unidentified(&found).len(), 2);
    assert!(unidentified(&found)[0].starts_with("urn:cdx:0a/1 stands in another"));
}

#[test]
fn components_are_found_wherever_they_nest() {
    let zeros = "0".repeat(64);
    let text = bom(&format!(
        r#""metadata":{{"component":{{"type":"application","name":"own","purl":"pkg:cargo/own@1",
            "components":[{{"name":"part","purl":"pkg:cargo/part@1"}}]}}}},
        "components":[
          {{"name":"a","version":"1.0","purl":"pkg:npm/@s/a","scope":"optional","hashes":[
            {{"alg":"SHA-256","content":"{zeros}"}},{{"alg":"MD5","content":"00"}},{{"alg":"SHA-512","content":"12"}}],
            "components":[{{"name":"b","purl":"pkg:npm/b@2","scope":"excluded"}}]}},
          {{"name":"image","purl":"pkg:oci/image@sha256:{zeros}"}},
          {{"name":"file","hashes":[{{"alg":"SHA-1","content":"{}"}}]}},
          {{"name":"bare","version":"3"}},
          {{"name":"odd","purl":"odd"}},
          {{"name":"no version","purl":"pkg:npm/c"}}],
        "services":[{{"name":"s"}}],
        "compositions":[{{"aggregate":"complete"}},{{"aggregate":"incomplete_first_party_only"}}]"#,
        "0".repeat(40)
    ));
    let found = found(CycloneDx, &text);
    assert_eq!(
        lines(&found),
        [
            "pkg:cargo/own@1 own".to_owned(),
            "pkg:cargo/part@1".to_owned(),
            "pkg:npm/%40s/a@1.0 sha256 optional".to_owned(),
            "pkg:npm/b@2 dev".to_owned(),
            format!("pkg:oci/image@sha256:{zeros} sha256"),
            "(file) sha1".to_owned(),
        ]
    );
    assert_eq!(found.list[1].version.as_deref(), Some("1"));
    assert_eq!(
        unidentified(&found),
        [
            "bare 3 has neither a package URL nor a digest",
            "odd \"odd\" is no package URL: a purl begins with \"pkg:\"",
            "no version \"pkg:npm/c\" names a package without version"
        ]
    );
    for said in [
        "$.components[0].hashes[2]: \"12\" is no SHA-512 in hex",
        "services",
        "incomplete_first_party_only",
    ] {
        assert!(notes(&found).contains(said), "{}", notes(&found));
    }
}

#[test]
fn a_bom_is_pointed_at_by_its_number_and_version() {
    let uuid = "3e671687-395b-41f5-a30f-a58921a69b79";
    let link = |members: &str| found(CycloneDx, &bom(&format!(r#"{members}"components":[]"#))).bom;
    let serial = format!(r#""serialNumber":"urn:uuid:{uuid}","#);
    for (version, expected) in [
        (r#""version":3,"#, Some(3)),
        ("", Some(1)),
        // What says no version that a link could name is pointed at by none.
        (r#""version":0,"#, None),
        (r#""version":"3","#, None),
        (r#""version":1.5,"#, None),
    ] {
        let expected = expected.map(|number| format!("urn:cdx:{uuid}/{number}"));
        assert_eq!(link(&format!("{serial}{version}")), expected, "{version}");
    }
    assert_eq!(link(""), None);
    assert_eq!(link(&serial.replace("3e", "")), None);
}

/// Nobody can tell what is meant by a name of several things, listed or not.
#[test]
fn names_of_several_things_are_disputed() {
    let disputed = |more: &str, serial: &str| {
        let text = bom(&format!(
            r#"{serial}"components":[
            {{"name":"a","bom-ref":"a","purl":"pkg:npm/a@1"}},
            {{"name":"a","bom-ref":"b","purl":"pkg:npm/a@1"}},
            {{"name":"c","bom-ref":"c","purl":"pkg:npm/c@1"}}{more}"#
        ));
        let found = found(CycloneDx, &text);
        let mut listed = found.list.iter();
        let twins = listed.find(|one| one.name == "a").unwrap();
        assert_eq!(twins.bom_refs, ["a", "b"]);
        found
            .disputed_refs
            .into_iter()
            .collect::<Vec<_>>()
            .join(" ")
    };
    let serial = r#""serialNumber":"urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79","#;
    for (more, expected) in [
        ("]", ""),
        (r#",{"name":"a","bom-ref":"a","purl":"pkg:npm/a@1"}]"#, ""),
        (r#",{"name":"d","bom-ref":"a","purl":"pkg:npm/d@1"}]"#, "a"),
        (r#",{"name":"no purl","bom-ref":"b"}]"#, "b"),
        (r#",{"type":"file","name":"f","bom-ref":"c"}]"#, "c"),
        (r#"],"services":[{"name":"s","bom-ref":"a"}]"#, "a"),
        (
            r#"],"services":[{"name":"s","services":[{"name":"t","bom-ref":"c"}]}]"#,
            "c",
        ),
        (
            r#"],"metadata":{"component":{"name":"own","bom-ref":"a"}}"#,
            "a",
        ),
    ] {
        assert_eq!(disputed(more, serial), expected, "{more}");
    }
    // Nobody points into a BOM without a number.
    assert_eq!(disputed(r#",{"name":"no purl","bom-ref":"b"}]"#, ""), "");
}

/// Of Julia name and version are not enough.
#[test]
fn why_a_package_of_julia_is_not_identified_is_told() {
    let found = found(
        CycloneDx,
        &bom(
            r#""components":[{"name":"JSON","version":"0.21.4","purl":"pkg:julia/JSON@0.21.4"},
            {"name":"JSON","version":"0.21.4","purl":"pkg:julia/JSON@0.21.4?uuid=682c06a0-de6a-54ab-a142-c8b1cf79cde6"}]"#,
        ),
    );
    assert_eq!(lines(&found).len(), 1);
    let said = "JSON 0.21.4 \"pkg:julia/JSON@0.21.4\" is no package URL: a purl of type julia \
                must have the qualifier uuid";
    assert_eq!(unidentified(&found), [said]);
}

#[test]
fn a_version_that_is_not_that_of_the_purl_is_told() {
    let told = |purl: &str, version: &str| {
        let text = format!(r#"{{"name":"x","version":"{version}","purl":"{purl}"}}"#);
        let found = found(CycloneDx, &bom(&format!(r#""components":[{text}]"#)));
        assert_eq!(lines(&found).len(), 1);
        notes(&found).contains("states another version")
    };
    for (purl, version) in [
        ("pkg:npm/a@1.0.0", "2.0.0"),
        ("pkg:pypi/a@1.0", "1.0.1"),
        ("pkg:deb/debian/a@1.0-1", "1.1-1"),
    ] {
        assert!(told(purl, version), "{purl} {version}");
    }
    for (purl, version) in [
        ("pkg:npm/a@1.0.0", "1.0.0"),
        ("pkg:npm/a", "1.0.0"),
        ("pkg:npm/a@1.0.0", ""),
        ("pkg:golang/e.org/a@v1.0.0", "1.0.0"),
        ("pkg:pypi/a@1.0", "1.0.0"),
        ("pkg:deb/debian/a@1.0-1?epoch=1", "1:1.0-1"),
        ("pkg:rpm/fedora/a@1.0-1.fc40?epoch=2", "2:1.0-1.fc40"),
        ("pkg:maven/g/a@1.0.RELEASE", "1.0.RELEASE"),
    ] {
        assert!(!told(purl, version), "{purl} {version}");
    }
}

#[test]
fn a_name_that_is_not_that_of_the_purl_is_told() {
    let read = |members: &str| {
        let text = format!(r#"{{"name":"lodashy","purl":"pkg:npm/other-thing@1.0.0"{members}}}"#);
        found(CycloneDx, &bom(&format!(r#""components":[{text}]"#)))
    };
    let said = notes(&read(""));
    assert!(
        said.ends_with("alone are looked up: lodashy (pkg:npm/other-thing@1.0.0)"),
        "{said}"
    );
    assert_eq!(lines(&read("")), ["pkg:npm/other-thing@1.0.0"]);
    let own = bom(r#""metadata":{"component":{"name":"shop","purl":"pkg:github/me/s@1"}}"#);
    assert!(!notes(&found(CycloneDx, &own)).contains("shop"));
}

#[test]
fn what_has_no_name_is_called_as_its_purl() {
    let text = bom(
        r#""components":[{"name":"","purl":"pkg:npm/%40s/a@1","modified":true},
        {"purl":"pkg:npm/b@1"},{"name":"","purl":"odd"}]"#,
    );
    let found = found(CycloneDx, &text);
    assert_eq!(lines(&found), ["pkg:npm/%40s/a@1", "pkg:npm/b@1"]);
    let names: Vec<_> = found.list.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    assert!(notes(&found).ends_with("whose name is looked up: a"));
    assert!(unidentified(&found)[0].starts_with("odd \"odd\" is no package URL"));
}

#[test]
fn what_it_was_made_with_is_told_and_not_looked_up() {
    let components = r#""components":[{"name":"b","bom-ref":"a","components":[{"name":"c"}]}]"#;
    let text = bom(&format!(
        r#""serialNumber":"urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
        "components":[{{"name":"a","bom-ref":"a","purl":"pkg:npm/a@1"}}],
        "formulation":[{{{components},"services":[{{"name":"s"}}]}},{{}}]"#
    ));
    let found = found(CycloneDx, &text);
    assert_eq!(lines(&found), ["pkg:npm/a@1"]);
    let said = "what it was made with (formulation), which is not looked up: 2";
    assert_eq!(notes(&found), said);
    assert!(found.disputed_refs.contains("a"));
}

#[test]
fn what_was_changed_is_told() {
    let told = |more: &str| {
        let text = format!(r#"{{"name":"x","purl":"pkg:npm/x@1"{more}}}"#);
        notes(&found(
            CycloneDx,
            &bom(&format!(r#""components":[{text}]"#)),
        ))
    };
    let patched = told(r#","pedigree":{"patches":[{"type":"backport"}]}"#);
    assert!(
        patched.contains("changed from what others publish"),
        "{patched}"
    );
    assert_eq!(told(r#","modified":true"#), patched);
    let derived = told(r#","pedigree":{"ancestors":[{"type":"library","name":"y"}]}"#);
    assert!(derived.contains("derived from other packages"), "{derived}");
    for nothing in [
        "",
        r#","modified":false"#,
        r#","pedigree":{"ancestors":[]}"#,
    ] {
        assert_eq!(told(nothing), "", "{nothing}");
    }
}

#[test]
fn a_document_of_nothing_says_so() {
    let nothing = found(CycloneDx, &bom("\"version\":1"));
    assert_eq!(
        unidentified(&nothing),
        ["the whole file names no components"]
    );
    let own = bom(r#""metadata":{"component":{"name":"own"}}"#);
    assert_eq!(
        unidentified(&found(CycloneDx, &own)),
        ["the whole file names no components besides what it is about"]
    );
}

#[test]
fn what_is_wrong_is_named_with_its_path() {
    for (text, said) in [
        (
            "{\"bomFormat\":\"CDX\"}".to_owned(),
            "x:1: $.bomFormat: is \"CDX\"",
        ),
        (
            bom("\"version\":1").replace("1.6", "2.0"),
            "x:1: $.specVersion: is \"2.0\"",
        ),
        (bom("\"components\":{}"), "x:1: $.components: is an object"),
        (
            bom("\"components\":[{}]"),
            "x:1: $.components[0].name: is missing",
        ),
        (
            bom(r#""components":[{"name":"a","components":[1]}]"#),
            "x:1: $.components[0].components[0]: is a number",
        ),
        (
            bom(r#""components":[{"name":""}]"#),
            "x:1: $.components[0].name: is an empty string",
        ),
        (
            bom(r#""components":[{"name":1,"purl":"pkg:npm/a@1"}]"#),
            "x:1: $.components[0].name: is a number",
        ),
        (
            bom(r#""formulation":{}"#),
            "x:1: $.formulation: is an object",
        ),
        (
            bom(r#""components":[{"name":"a","purl":1}]"#),
            "x:1: $.components[0].purl: is a number",
        ),
        (
            bom(r#""components":[{"name":"a","version":1}]"#),
            "x:1: $.components[0].version: is a number",
        ),
        (
            bom(r#""components":[{"name":"a","hashes":1}]"#),
            "x:1: $.components[0].hashes: is a number",
        ),
        (bom(r#""components":[],"components":[]"#), "x:1: column"),
    ] {
        let error = refusal(CycloneDx, &text);
        assert!(error.starts_with(said), "{error}");
    }
}
