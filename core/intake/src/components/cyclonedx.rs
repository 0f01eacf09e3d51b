//! CycloneDX JSON (`bom-1.x.schema.json`), 1.2 to 1.7.

use super::component::Component;
use super::elsewhere;
use super::fault::Fault;
use super::input::{Input, Node};
use super::list::List;
use super::reader::{Reader, Sign};
use super::sbom::{self, Element};
use assay_claims::json::Part;
use assay_claims::kind::sbom::CYCLONEDX_VERSIONS;

pub(super) const READER: Reader = Reader {
    name: "CycloneDX JSON",
    is_sbom: true,
    remedy: "nothing of the document is taken; have the tool that wrote it write it again",
    files: &["cdx.json"],
    path: None,
    sign: Sign::Member("bomFormat"),
    read: |input, _| read(input),
};

fn read(input: &Input<'_>) -> Result<List, Fault> {
    let whole = input.json()?;
    let (path, document) = sbom::wrapper(whole).unwrap_or(("$", whole));
    let bom = Node::root(path, document);
    bom.need("bomFormat")?.one_of(&["CycloneDX"])?;
    bom.need("specVersion")?.one_of(CYCLONEDX_VERSIONS)?;
    let mut list = List::default();
    let version = match bom.value().get("version") {
        Some(version) => version.as_u64(),
        None => Some(sbom::FIRST),
    };
    let link = bom.shown("serialNumber").zip(version);
    list.bom = link.and_then(|(serial, version)| sbom::bom_link(serial, version));
    if let Some(metadata) = bom.get("metadata")
        && let Some(component) = metadata.get("component")
    {
        read_component(&component, true, &mut list)?;
        read_links(&component, bom.shown("serialNumber"), &mut list)?;
    }
    read_components(&bom, &mut list)?;
    read_links(&bom, bom.shown("serialNumber"), &mut list)?;
    if let Some(services) = bom.get("services") {
        let count = services.items()?.count();
        list.note(
            None,
            &format!("services, which are no software to look up: {count}"),
        );
        name_services(&services, &mut list)?;
    }
    sbom::note_vex(bom.value(), &mut list);
    note_gaps(&bom, &mut list)?;
    Ok(list)
}

/// Takes note of what services are called: nothing else is meant by these names.
fn name_services(services: &Node<'_, '_>, list: &mut List) -> Result<(), Fault> {
    for service in services.items()? {
        list.unlisted(service.shown("bom-ref").map(str::to_owned));
        if let Some(parts) = service.get("services") {
            name_services(&parts, list)?;
        }
    }
    Ok(())
}

fn read_components(parent: &Node<'_, '_>, list: &mut List) -> Result<(), Fault> {
    let Some(components) = parent.get("components") else {
        return Ok(());
    };
    components
        .items()?
        .try_for_each(|component| read_component(&component, false, list))
}

fn read_component(component: &Node<'_, '_>, own: bool, list: &mut List) -> Result<(), Fault> {
    let version = component
        .get("version")
        .map(|version| version.string())
        .transpose()?
        .filter(|v| !v.is_empty());
    let digests = sbom::digests(component, "hashes", ("alg", "content"), list)?;
    let scope = component.shown("scope");
    let described = Component {
        digests,
        bom_refs: component
            .shown("bom-ref")
            .map(str::to_owned)
            .into_iter()
            .collect(),
        own,
        // The specification's "excluded" is for tests and other uses that are not at run time.
        dev: scope == Some("excluded"),
        optional: scope == Some("optional"),
        ..sbom::component(component.need("name")?.text()?, version)
    };
    let purl = component
        .get("purl")
        .map(|purl| purl.string())
        .transpose()?;
    let purl = purl.filter(|purl| !purl.is_empty());
    if purl.is_none() && !own && component.shown("type") == Some("file") {
        sbom::file(described, list);
        return read_components(component, list);
    }
    Element {
        component: described,
        purls: purl.into_iter().map(Into::into).collect(),
        upstream: upstream(component),
    }
    .add(list)?;
    if !own {
        remark_pedigree(component, list);
        read_links(component, None, list)?;
    }
    read_components(component, list)
}

/// Tells of a component that it is not what is published under its name, if the BOM says so.
fn remark_pedigree(component: &Node<'_, '_>, list: &mut List) {
    let name = component.shown("name").unwrap_or_default();
    let value = component.value();
    let is_any = |key| {
        let stated = value.get("pedigree").and_then(|it| it.get(key)?.as_array());
        stated.is_some_and(|mut all| all.next().is_some())
    };
    if is_any("patches") || value.get("modified").and_then(Part::as_bool) == Some(true) {
        list.remark(sbom::CHANGED, None, name);
    }
    if is_any("ancestors") {
        list.remark(sbom::DERIVED, None, name);
    }
}

/// What stands in other BOMs. A link to one by its number leads to parts; an address may be of what
/// is published of this one.
fn read_links(holder: &Node<'_, '_>, serial: Option<&str>, list: &mut List) -> Result<(), Fault> {
    let Some(references) = holder.get("externalReferences") else {
        return Ok(());
    };
    for reference in references.items()? {
        let url = reference.shown("url").unwrap_or_default();
        if reference.shown("type") == Some("bom") {
            elsewhere::link(url, serial, list)?;
        }
    }
    Ok(())
}

/// The source package that Trivy states in properties.
fn upstream(component: &Node<'_, '_>) -> Option<String> {
    let properties = component.value().get("properties")?.as_array()?;
    sbom::upstream(|name| {
        let property = properties.clone().find(|property| {
            let key = property.get("name").and_then(Part::as_str);
            key.and_then(|key| key.strip_prefix(sbom::TRIVY)) == Some(name)
        });
        property?.get("value")?.as_str()
    })
}

/// A document may say itself that it is not complete.
fn note_gaps(bom: &Node<'_, '_>, list: &mut List) -> Result<(), Fault> {
    let Some(compositions) = bom.get("compositions") else {
        return Ok(());
    };
    for composition in compositions.items()? {
        if let Some(aggregate) = composition
            .shown("aggregate")
            .filter(|a| a.starts_with("incomplete") || *a == "unknown")
        {
            list.note(
                None,
                &format!("the document says of itself that parts of it are {aggregate}"),
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
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
        let link =
            |members: &str| found(CycloneDx, &bom(&format!(r#"{members}"components":[]"#))).bom;
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
}
