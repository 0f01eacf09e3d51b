//! SPDX 2.2 and 2.3 in JSON and in YAML (clause 7, package information).

use super::component::Component;
use super::elsewhere;
use super::fault::Fault;
use super::input::{Input, Node};
use super::list::List;
use super::reader::{Reader, Sign};
use super::sbom::{self, Element, stated};
use super::wrapped;
use assay_claims::json::Part;

pub(super) const READER: Reader = Reader {
    name: "SPDX 2 JSON",
    is_sbom: true,
    remedy: "nothing of the document is taken; have the tool that wrote it write it again",
    files: &[],
    path: None,
    sign: Sign::Member("spdxVersion"),
    read: |input, _| read(input),
};

pub(super) const YAML: Reader = Reader {
    name: "SPDX 2 YAML",
    is_sbom: true,
    remedy: "nothing of the document is taken; have the tool that wrote it write it again",
    files: &["spdx.yaml", "spdx.yml"],
    path: None,
    sign: Sign::Text(|head| head.has("spdxVersion:")),
    read: |input, _| read_document(input.yaml()?.root()),
};

fn read(input: &Input<'_>) -> Result<List, Fault> {
    read_document(input.json()?)
}

fn read_document(whole: Part<'_>) -> Result<List, Fault> {
    let (path, document) = wrapped::wrapper(whole).unwrap_or(("$", whole));
    let document = Node::root(path, document);
    document
        .need("spdxVersion")?
        .one_of(&["SPDX-2.2", "SPDX-2.3"])?;
    let mut list = List::default();
    let own = described(&document)?;
    if let Some(packages) = document.get("packages") {
        for package in packages.items()? {
            read_package(&package, own, &mut list)?;
        }
    }
    read_elsewhere(&document, &mut list)?;
    let files = document
        .value()
        .get("files")
        .and_then(Part::as_array)
        .map_or(0, Iterator::count);
    sbom::note_files(files, &mut list);
    Ok(list)
}

/// The one element that the document is about.
fn described<'v>(document: &Node<'v, '_>) -> Result<Option<&'v str>, Fault> {
    // Two suffice to know that it is not one.
    let mut ids: Vec<&str> = Vec::new();
    let mut name = |id| {
        if ids.len() < 2 && ids.last() != Some(&id) {
            ids.push(id);
        }
    };
    if let Some(described) = document.get("documentDescribes") {
        for id in described.items()? {
            name(id.text()?);
        }
    }
    if let Some(relationships) = document.get("relationships") {
        for relationship in relationships.items()? {
            let kind = relationship.need("relationshipType")?.text()?;
            if kind == "DESCRIBES"
                && relationship.shown("spdxElementId") == Some("SPDXRef-DOCUMENT")
            {
                name(relationship.need("relatedSpdxElement")?.text()?);
            }
        }
    }
    Ok(sbom::only(ids))
}

/// What stands in other documents.
fn read_elsewhere(document: &Node<'_, '_>, list: &mut List) -> Result<(), Fault> {
    fn text<'v>(value: Part<'v>, key: &str) -> Option<&'v str> {
        value.get(key)?.as_str()
    }
    let named = |key: &str| {
        let list = document.value().get(key).and_then(Part::as_array);
        list.into_iter().flatten()
    };
    let declared = named("externalDocumentRefs");
    let declared = declared.filter_map(|one| text(one, "externalDocumentId"));
    let related = named("relationships").filter_map(|one| {
        Some((
            text(one, "spdxElementId")?,
            text(one, "relationshipType")?,
            text(one, "relatedSpdxElement")?,
        ))
    });
    elsewhere::of_spdx(&declared.collect(), related, list)
}

fn read_package(package: &Node<'_, '_>, own: Option<&str>, list: &mut List) -> Result<(), Fault> {
    let id = package.need("SPDXID")?.text()?;
    let version = package
        .get("versionInfo")
        .map(|version| version.string())
        .transpose()?
        .filter(stated);
    let digests = sbom::digests(package, "checksums", ("algorithm", "checksumValue"), list)?;
    // Some tools leave the name empty, and others write none: the identifier names it as well.
    let name = package
        .get("name")
        .map(|name| name.string())
        .transpose()?
        .filter(|name| !name.is_empty());
    let component = Component {
        digests,
        own: own == Some(id),
        ..sbom::component(name.unwrap_or(id), version)
    };
    let mut purls = Vec::new();
    if let Some(references) = package.get("externalRefs") {
        for reference in references.items()? {
            let kind = reference.need("referenceType")?.text()?;
            let locator = reference.get("referenceLocator");
            if locator.is_none() && kind.rsplit('/').next() == Some("purl") {
                reference.need("referenceLocator")?;
            }
            let locator = locator.map(|locator| locator.string()).transpose()?;
            let locator = locator.filter(|locator| !locator.is_empty());
            purls.extend(locator.and_then(|locator| sbom::of_reference(kind, locator)));
        }
    }
    let is_file = package.shown("primaryPackagePurpose") == Some("FILE") || is_list(package);
    if is_file && purls.is_empty() && !component.own {
        sbom::file(component, list);
        return Ok(());
    }
    let info = package.shown("sourceInfo");
    Element {
        component,
        purls,
        upstream: info.and_then(sbom::upstream_of_info),
    }
    .add(list)
}

/// Whether a package is a lock file, which Trivy lists beside the packages that it found in it.
fn is_list(package: &Node<'_, '_>) -> bool {
    let annotations = package.value().get("annotations").and_then(Part::as_array);
    let mut comments = annotations.into_iter().flatten();
    comments.any(|one| {
        let comment = one.get("comment").and_then(Part::as_str);
        comment.and_then(|it| it.strip_prefix("Class: ")) == Some(sbom::LOCK_FILE)
    })
}

#[cfg(test)]
mod tests {
    use crate::components::Format::{Spdx2, Spdx2Yaml};
    use crate::components::tests::{found, lines, notes, refusal, unidentified};

    fn document(members: &str) -> String {
        format!("{{\"spdxVersion\":\"SPDX-2.3\",{members}}}")
    }

    fn package(id: &str, rest: &str) -> String {
        format!("{{\"SPDXID\":\"{id}\",\"name\":\"{id}\"{rest}}}")
    }

    fn purl(locator: &str) -> String {
        format!(
            r#"{{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"{locator}"}}"#
        )
    }

    #[test]
    fn yaml_is_read_as_json_is() {
        let package = "- SPDXID: p\n  name: a\n  externalRefs:\n  - referenceType: purl\n    \
            referenceLocator: pkg:npm/a@1\n";
        let text = format!("spdxVersion: SPDX-2.3\npackages:\n{package}");
        assert_eq!(lines(&found(Spdx2Yaml, &text)), ["pkg:npm/a@1"]);
        for (text, said) in [
            ("packages: []\n", "$.spdxVersion: is missing"),
            ("spdxVersion: &a SPDX-2.3\n", "x:1: cannot be read: anchors"),
        ] {
            let error = refusal(Spdx2Yaml, text);
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn a_reference_to_nothing_is_none() {
        let references = format!(",\"externalRefs\":[{},{}]", purl(""), purl("pkg:npm/a@1"));
        let none = package("b", &format!(",\"externalRefs\":[{}]", purl("")));
        let packages = format!("\"packages\":[{},{none}]", package("a", &references));
        let found = found(Spdx2, &document(&packages));
        assert_eq!(lines(&found), ["pkg:npm/a@1"]);
        assert_eq!(
            unidentified(&found),
            ["b has neither a package URL nor a digest"]
        );
    }

    #[test]
    fn a_lock_file_of_trivy_is_no_package() {
        let of_class = |class: &str| {
            let rest = format!(
                r#","primaryPackagePurpose":"APPLICATION","annotations":[{{"comment":"Class: {class}"}}]"#
            );
            let other = format!(",\"externalRefs\":[{}]", purl("pkg:npm/a@1"));
            let packages = [package("l", &rest), package("a", &other)].join(",");
            let text = document(&format!(r#""packages":[{packages}]"#));
            unidentified(&found(Spdx2, &text)).len()
        };
        assert_eq!((of_class("lang-pkgs"), of_class("os-pkgs")), (0, 1));
    }

    #[test]
    fn what_stands_in_other_documents_is_counted() {
        let text = document(
            r#""externalDocumentRefs":[{"externalDocumentId":"DocumentRef-b","spdxDocument":"u"}],
            "relationships":[{"spdxElementId":"SPDXRef-a","relationshipType":"CONTAINS",
            "relatedSpdxElement":"DocumentRef-b:SPDXRef-c"}],"packages":[]"#,
        );
        let said = unidentified(&found(Spdx2, &text));
        assert!(
            said[0].starts_with("DocumentRef-b:SPDXRef-c stands in another"),
            "{said:?}"
        );
    }

    #[test]
    fn a_wrapper_is_taken_off_and_what_is_asked_for_is_no_version() {
        let packages = [
            package(
                "own",
                &format!(",\"externalRefs\":[{}]", purl("pkg:github/a/own@main")),
            ),
            package(
                "a",
                &format!(",\"externalRefs\":[{}]", purl("pkg:npm/a@1.0.0")),
            ),
            package(
                "b",
                &format!(
                    ",\"versionInfo\":\">= 2\",\"externalRefs\":[{}]",
                    purl("pkg:pypi/b")
                ),
            ),
            package(
                "c",
                &format!(
                    ",\"externalRefs\":[{}]",
                    purl("pkg:githubactions/c/c@4.*.*")
                ),
            ),
            package("d", ",\"versionInfo\":\"^4.18.0\""),
        ];
        let members = format!(
            r#""documentDescribes":["own"],"packages":[{}]"#,
            packages.join(",")
        );
        for text in [
            document(&members),
            format!("{{\"sbom\":{}}}", document(&members)),
        ] {
            let found = found(Spdx2, &text);
            assert_eq!(
                lines(&found),
                ["pkg:github/a/own@main own", "pkg:npm/a@1.0.0"]
            );
            assert_eq!(unidentified(&found).len(), 3, "{:?}", unidentified(&found));
            assert!(unidentified(&found)[0].starts_with("b >= 2 "));
        }
        let wrapped = refusal(Spdx2, "{\"sbom\":{\"spdxVersion\":\"SPDX-1\"}}");
        assert!(wrapped.starts_with("x:1: $.sbom.spdxVersion"), "{wrapped}");
    }

    #[test]
    fn packages_are_components_by_each_purl_that_names_another_version() {
        let refs = format!(
            ",\"externalRefs\":[{},{},{}]",
            purl("pkg:rpm/redhat/a@1?arch=x86_64"),
            purl("pkg:rpm/redhat/a@1?arch=s390x"),
            purl("pkg:rpm/redhat/a@2")
        );
        let members = format!(
            r#""packages":[{},{},{},{}],"files":[{{"SPDXID":"f"}}],"relationships":[
              {{"spdxElementId":"SPDXRef-DOCUMENT","relationshipType":"DESCRIBES","relatedSpdxElement":"b"}}]"#,
            package("a", &refs),
            package(
                "b",
                &format!(
                    ",\"versionInfo\":\"1\",\"externalRefs\":[{}]",
                    purl("pkg:cargo/b")
                )
            ),
            package(
                "c",
                &format!(
                    ",\"checksums\":[{{\"algorithm\":\"SHA1\",\"checksumValue\":\"{}\"}}]",
                    "0".repeat(40)
                )
            ),
            package("", ",\"versionInfo\":\"NOASSERTION\"")
                .replace("\"SPDXID\":\"\"", "\"SPDXID\":\"d\"")
        );
        let found = found(Spdx2, &document(&members));
        assert_eq!(
            lines(&found),
            [
                "pkg:rpm/redhat/a@1?arch=x86_64",
                "pkg:rpm/redhat/a@2",
                "pkg:cargo/b@1 own",
                "(c) sha1"
            ]
        );
        assert_eq!(
            unidentified(&found),
            ["d has neither a package URL nor a digest"]
        );
        assert!(
            notes(&found).contains("files of its packages, which are not looked up one by one: 1")
        );
    }

    #[test]
    fn a_name_that_is_not_that_of_the_purl_is_told() {
        let told = |rest: &str, locators: &[&str]| {
            let purls: Vec<_> = locators.iter().map(|locator| purl(locator)).collect();
            let refs = format!("{rest},\"externalRefs\":[{}]", purls.join(","));
            let members = format!("\"packages\":[{}]", package("lodashy", &refs));
            notes(&found(Spdx2, &document(&members)))
        };
        let said = told("", &["pkg:npm/other-thing@1.0.0"]);
        assert!(
            said.ends_with(": lodashy (pkg:npm/other-thing@1.0.0)"),
            "{said}"
        );
        assert_eq!(told("", &["pkg:npm/a@1", "pkg:npm/lodashy@1"]), "");
        let built = r#","sourceInfo":"built package from: lodashy 1.0""#;
        assert_eq!(told(built, &["pkg:deb/debian/a@1.0"]), "");
    }

    #[test]
    fn a_package_says_what_it_was_built_of() {
        let libssl = "pkg:deb/debian/libssl3@3.0.11-1";
        let rest = format!(
            ",\"sourceInfo\":\"built package from: openssl 3.0.11-1\",\"externalRefs\":[{}]",
            purl(libssl)
        );
        let members = format!("\"packages\":[{}]", package("a", &rest));
        assert_eq!(
            lines(&found(Spdx2, &document(&members))),
            [format!("{libssl}?upstream=openssl%403.0.11-1")]
        );
    }

    #[test]
    fn a_document_about_everything_hides_nothing() {
        let refs = |n: u8| format!(",\"externalRefs\":[{}]", purl(&format!("pkg:cargo/p@{n}")));
        let packages = format!(
            "\"packages\":[{},{}]",
            package("a", &refs(1)),
            package("b", &refs(2))
        );
        let describes = |ids: &str| {
            found(
                Spdx2,
                &document(&format!("\"documentDescribes\":[{ids}],{packages}")),
            )
        };
        assert_eq!(
            lines(&describes("\"a\",\"a\"")),
            ["pkg:cargo/p@1 own", "pkg:cargo/p@2"]
        );
        assert_eq!(
            lines(&describes("\"a\",\"b\"")),
            ["pkg:cargo/p@1", "pkg:cargo/p@2"]
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_path() {
        for (text, said) in [
            ("{}".to_owned(), "x:1: $.spdxVersion: is missing"),
            (
                document("\"packages\":[]").replace("2.3", "3.0"),
                "x:1: $.spdxVersion: is \"SPDX-3.0\"",
            ),
            (
                document("\"packages\":[{}]"),
                "x:1: $.packages[0].SPDXID: is missing",
            ),
            (
                document(r#""packages":[{"SPDXID":"a","name":1}]"#),
                "x:1: $.packages[0].name: is a number",
            ),
            (
                document(r#""packages":[{"SPDXID":"a","externalRefs":[{}]}]"#),
                "x:1: $.packages[0].externalRefs[0].referenceType",
            ),
            (
                document(r#""packages":[{"SPDXID":"a","checksums":1}]"#),
                "x:1: $.packages[0].checksums: is a number",
            ),
            (
                document("\"relationships\":[{}]"),
                "x:1: $.relationships[0].relationshipType: is missing",
            ),
            (
                document("\"documentDescribes\":[1]"),
                "x:1: $.documentDescribes[0]: is a number",
            ),
        ] {
            let error = refusal(Spdx2, &text);
            assert!(error.starts_with(said), "{error}");
        }
    }
}
