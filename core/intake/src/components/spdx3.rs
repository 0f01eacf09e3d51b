//! SPDX 3.0 in JSON-LD.

use super::component::Component;
use super::fault::Fault;
use super::input::Input;
use super::list::List;
use super::reader::{Reader, Sign};
use super::sbom::{self, Element, stated};
use crate::documents::roots;
use assay_claims::json::Value;
use assay_claims::kind::node::Node;

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
    let (path, document) = sbom::wrapper(whole).unwrap_or(("$", whole));
    let document = Node::root(path, document);
    let graph = document.need("@graph")?;
    let elements: Vec<_> = graph.items()?.collect();
    let mut documents = 0;
    for element in &elements {
        documents += usize::from(kind(element)? == "SpdxDocument");
    }
    if documents != 1 {
        let reason =
            format!("holds {documents} elements of type SpdxDocument, and has to hold one");
        return Err(graph.fault(reason).into());
    }
    let own = own(graph.value().as_array().unwrap_or_default());
    let mut list = List::default();
    let mut files = 0;
    for element in &elements {
        match kind(element)? {
            "software_Package" | "ai_AIPackage" | "dataset_DatasetPackage" => {
                read_package(element, own, &mut list)?
            }
            "software_File" => files += 1,
            _ => {}
        }
    }
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

/// The one package that the document is about.
fn own(graph: &[Value]) -> Option<&str> {
    let packages = roots(graph).into_iter().filter(|element: &&Value| {
        let kind = element.get("type").and_then(Value::as_str);
        kind.is_some_and(|kind| kind.ends_with("Package"))
    });
    sbom::only(packages.filter_map(|element| element.get("spdxId").and_then(Value::as_str)))
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
        sbom::file(&component.name, list);
        return Ok(());
    }
    Element {
        component,
        purls,
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
