//! SPDX 3.0 in JSON-LD.

use super::component::Component;
use super::elsewhere;
use super::fault::Fault;
use super::input::{Input, Node};
use super::list::List;
use super::reader::{Reader, Sign};
use super::sbom::{self, Element, stated};
use super::wrapped;
use crate::documents::roots;
use assay_claims::json::Part;
use std::collections::BTreeSet;

pub(super) const READER: Reader = Reader {
    name: "SPDX 3 JSON-LD",
    is_sbom: true,
    remedy: "nothing of the document is taken; have the tool that wrote it write it again",
    files: &[],
    path: None,
    sign: Sign::Member("@graph"),
    read: |input, _| read(input),
};

fn read(input: &Input<'_>) -> Result<List, Fault> {
    let whole = input.json()?;
    let (path, document) = wrapped::wrapper(whole).unwrap_or(("$", whole));
    let document = Node::root(path, document);
    let graph = document.need("@graph")?;
    let mut documents = 0;
    for element in graph.items()? {
        documents += usize::from(local(kind(&element)?) == "SpdxDocument");
    }
    if documents != 1 {
        let reason =
            format!("holds {documents} elements of type SpdxDocument, and has to hold one");
        return Err(graph.fault(reason).into());
    }
    let own = own(graph.value());
    let mut list = List::default();
    let mut files = 0;
    for element in graph.items()? {
        match local(kind(&element)?) {
            "Package" | "AIPackage" | "DatasetPackage" => read_package(&element, own, &mut list)?,
            "File" => files += 1,
            _ => {}
        }
    }
    read_elsewhere(graph.value(), &mut list)?;
    sbom::note_files(files, &mut list);
    sbom::note_vex(document.value(), &mut list);
    Ok(list)
}

fn kind<'v>(element: &Node<'v, '_>) -> Result<&'v str, Fault> {
    let kind = element
        .get("type")
        .map_or_else(|| element.need("@type"), Ok)?;
    Ok(kind.text()?)
}

/// The name of a class without its profile, whether it stands as in the context or as an address.
fn local(kind: &str) -> &str {
    kind.rsplit(['_', '/', '#']).next().unwrap_or(kind)
}

/// Relationships to what is a part of something, or what that needs.
const OF_PARTS: [&str; 8] = [
    "contains",
    "dependsOn",
    "hasDynamicLink",
    "hasOptionalComponent",
    "hasOptionalDependency",
    "hasPrerequisite",
    "hasProvidedDependency",
    "hasStaticLink",
];

/// What stands in other documents: elements that the document imports.
fn read_elsewhere(graph: Part<'_>, list: &mut List) -> Result<(), Fault> {
    let elements = || graph.as_array().into_iter().flatten();
    let members = |key: &'static str| {
        let lists = elements().filter_map(move |element| element.get(key)?.as_array());
        lists.flatten()
    };
    let imported = members("import").filter_map(|map| map.get("externalSpdxId")?.as_str());
    let imported: BTreeSet<&str> = imported.collect();
    let related = elements().filter(|element| {
        let kind = element.get("relationshipType").and_then(Part::as_str);
        kind.is_some_and(|kind| OF_PARTS.contains(&local(kind)))
    });
    let parts = related
        .filter_map(|element| element.get("to")?.as_array())
        .flatten()
        .chain(members("rootElement"))
        .chain(members("element"));
    let parts = parts.filter_map(Part::as_str);
    let parts: BTreeSet<&str> = parts.filter(|id| imported.contains(id)).collect();
    for id in imported {
        if parts.contains(id) {
            elsewhere::part(id, list)?;
        } else {
            elsewhere::note(id, list);
        }
    }
    Ok(())
}

/// The one package that the document is about.
fn own(graph: Part<'_>) -> Option<&str> {
    let elements = graph.as_array().into_iter().flatten();
    let packages = roots(elements).into_iter().filter(|element| {
        let kind = element.get("type").and_then(Part::as_str);
        kind.is_some_and(|kind| kind.ends_with("Package"))
    });
    sbom::only(packages.filter_map(|element| element.get("spdxId").and_then(Part::as_str)))
}

fn read_package(package: &Node<'_, '_>, own: Option<&str>, list: &mut List) -> Result<(), Fault> {
    let id = package.need("spdxId")?.text()?;
    let name = package.shown("name").unwrap_or(id);
    let version = package
        .get("software_packageVersion")
        .map(|version| version.string())
        .transpose()?
        .filter(stated);
    let digests = sbom::digests(package, "verifiedUsing", ("algorithm", "hashValue"), list)?;
    let mut purls: Vec<_> = package
        .optional_text("software_packageUrl")?
        .into_iter()
        .collect();
    if let Some(identifiers) = package.get("externalIdentifier") {
        for identifier in identifiers.items()? {
            if matches!(
                identifier.shown("externalIdentifierType"),
                Some("packageUrl" | "purl")
            ) {
                purls.push(identifier.need("identifier")?.text()?);
            }
        }
    }
    let component = Component {
        digests,
        own: own == Some(id),
        ..sbom::component(name, version)
    };
    let is_file = package.shown("software_primaryPurpose") == Some("file");
    if is_file && purls.is_empty() && !component.own {
        sbom::file(component, list);
        return Ok(());
    }
    Element {
        component,
        purls: purls.into_iter().map(Into::into).collect(),
        upstream: None,
    }
    .add(list)
}

#[cfg(test)]
mod tests {
    use crate::components::Format::Spdx3;
    use crate::components::tests::{found, lines, notes, refusal, unidentified};

    fn graph(elements: &str) -> String {
        format!(
            r#"{{"@graph":[{{"type":"SpdxDocument","spdxId":"d","rootElement":["bom"]}},
            {{"type":"software_Sbom","spdxId":"bom","rootElement":["a"]}},{elements}]}}"#
        )
    }

    #[test]
    fn what_is_imported_is_told_and_counted_if_it_is_a_part() {
        let text = graph(
            r#"{"type":"SpdxDocument2","spdxId":"x","import":[{"externalSpdxId":"urn:part"},
                {"externalSpdxId":"urn:other"}]},
            {"type":"Relationship","spdxId":"r","relationshipType":"contains","from":"a",
                "to":["urn:part"]},
            {"type":"Relationship","spdxId":"s","relationshipType":"amendedBy","from":"a",
                "to":["urn:other"]},
            {"type":"https://spdx.org/rdf/3.0.1/terms/Software/Package","spdxId":"p",
                "software_packageUrl":"pkg:npm/p@1"}"#,
        );
        let found = found(Spdx3, &text);
        assert_eq!(lines(&found), ["pkg:npm/p@1"]);
        let said = unidentified(&found);
        assert_eq!(said.len(), 1);
        assert!(
            said[0].starts_with("urn:part stands in another"),
            "{said:?}"
        );
        assert!(notes(&found).contains("urn:other"));
    }

    #[test]
    fn packages_of_the_graph_are_components() {
        let text = graph(&format!(
            r#"{{"type":"software_Package","spdxId":"a","name":"a","software_packageUrl":"pkg:cargo/a","software_packageVersion":"1",
                "verifiedUsing":[{{"type":"Hash","algorithm":"sha256","hashValue":"{}"}},"reference"]}},
            {{"@type":"software_Package","spdxId":"b","externalIdentifier":[
                {{"externalIdentifierType":"packageUrl","identifier":"pkg:cargo/b@2"}},{{"externalIdentifierType":"cve","identifier":"x"}}]}},
            {{"type":"software_Package","spdxId":"c"}},
            {{"type":"software_File","spdxId":"f"}}"#,
            "0".repeat(64)
        ));
        let named = text.replace("\"spdxId\":\"b\"", "\"spdxId\":\"b\",\"name\":\"lodashy\"");
        let said = notes(&found(Spdx3, &named));
        assert!(
            said.contains("alone are looked up: lodashy (pkg:cargo/b@2)"),
            "{said}"
        );
        let found = found(Spdx3, &text);
        assert_eq!(lines(&found), ["pkg:cargo/a@1 sha256 own", "pkg:cargo/b@2"]);
        assert_eq!(
            unidentified(&found),
            ["c has neither a package URL nor a digest"]
        );
        assert!(notes(&found).contains("files of its packages"));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_path() {
        for (text, said) in [
            ("{}".to_owned(), "x:1: $.@graph: is missing"),
            (
                "{\"@graph\":[]}".to_owned(),
                "x:1: $.@graph: holds 0 elements of type SpdxDocument",
            ),
            (graph("{}"), "x:2: $.@graph[2].@type: is missing"),
            (
                graph(r#"{"type":"software_Package"}"#),
                "x:2: $.@graph[2].spdxId: is missing",
            ),
            (
                graph(r#"{"type":"software_Package","spdxId":"a","software_packageUrl":1}"#),
                "x:2: $.@graph[2].software_packageUrl",
            ),
            (
                graph(r#"{"type":"SpdxDocument"}"#),
                "x:1: $.@graph: holds 2 elements",
            ),
        ] {
            let error = refusal(Spdx3, &text);
            assert!(error.starts_with(said), "{error}");
        }
    }
}
