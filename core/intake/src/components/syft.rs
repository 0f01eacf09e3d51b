//! What syft writes in its own format (`syft -o json`): the packages of an image or folder.

use super::fault::Fault;
use super::input::Input;
use super::list::List;
use super::reader::{Reader, Sign};
use super::sbom::{self, Element};
use assay_claims::kind::node::Node;

pub(super) const READER: Reader = Reader {
    name: "syft JSON",
    is_sbom: true,
    remedy: "nothing of the document is taken; let syft write it again",
    files: &["syft.json"],
    path: None,
    sign: Sign::Member("artifactRelationships"),
    read: |input, _| read(input),
};

fn read(input: &Input<'_>) -> Result<List, Fault> {
    let root = Node::root("$", input.json()?);
    let mut list = List::default();
    for artifact in root.need("artifacts")?.items()? {
        let version = artifact
            .shown("version")
            .filter(|version| !version.is_empty());
        let purl = artifact.shown("purl").filter(|purl| !purl.is_empty());
        Element {
            component: sbom::component(artifact.need("name")?.string()?, version),
            purls: purl.into_iter().collect(),
            upstream: None,
        }
        .add(&mut list)?;
    }
    let files = root.value().get("files").and_then(|files| files.as_array());
    sbom::note_files(files.map_or(0, <[_]>::len), &mut list);
    Ok(list)
}

#[cfg(test)]
mod tests {
    use crate::components::Format::SyftJson;
    use crate::components::tests::{found, lines, refusal, unidentified};

    #[test]
    fn artifacts_are_components_by_their_purls() {
        let text = r#"{"artifactRelationships":[],"artifacts":[
            {"name":"libssl3","version":"3.0.11-1","purl":"pkg:deb/debian/libssl3@3.0.11-1?upstream=openssl"},
            {"name":"bin","version":"","purl":""}]}"#;
        let found = found(SyftJson, text);
        assert_eq!(
            lines(&found),
            ["pkg:deb/debian/libssl3@3.0.11-1?upstream=openssl"]
        );
        assert_eq!(
            unidentified(&found),
            ["bin has neither a package URL nor a digest"]
        );
        for (text, said) in [
            (
                r#"{"artifactRelationships":[]}"#,
                "x:1: $.artifacts: is missing",
            ),
            (
                r#"{"artifacts":[{}]}"#,
                "x:1: $.artifacts[0].name: is missing",
            ),
            (r#"{"artifacts":{}}"#, "x:1: $.artifacts"),
        ] {
            let error = refusal(SyftJson, text);
            assert!(error.starts_with(said), "{error}");
        }
    }
}
