//! What syft writes in its own format (`syft -o json`): the packages of an image or folder.

use super::fault::Fault;
use super::input::{Input, Node};
use super::list::List;
use super::reader::{Reader, Sign};
use super::sbom::{self, Element};
use super::wrapped;
use assay_claims::json::Part;

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
    let whole = input.json()?;
    let (path, document) = wrapped::wrapper(whole).unwrap_or(("$", whole));
    let root = Node::root(path, document);
    let mut list = List::default();
    for artifact in root.need("artifacts")?.items()? {
        let version = artifact
            .shown("version")
            .filter(|version| !version.is_empty());
        let purl = artifact.shown("purl").filter(|purl| !purl.is_empty());
        Element {
            component: sbom::component(artifact.need("name")?.string()?, version),
            purls: purl.into_iter().map(Into::into).collect(),
            upstream: None,
        }
        .add(&mut list)?;
    }
    if let Some(source) = root.get("source") {
        read_source(&source, &mut list)?;
    }
    let files = root.value().get("files").and_then(Part::as_array);
    sbom::note_files(files.map_or(0, Iterator::count), &mut list);
    Ok(list)
}

/// The image that was looked at. A folder or a file is nothing that others could speak of.
fn read_source(source: &Node<'_, '_>, list: &mut List) -> Result<(), Fault> {
    // Older versions have a target.
    let about = source.get("metadata").or_else(|| source.get("target"));
    let Some(about) = about.filter(|_| source.shown("type") == Some("image")) else {
        return Ok(());
    };
    let stated = sbom::repo_digests(about.value().get("repoDigests"));
    let name = source.shown("name").or_else(|| about.shown("userInput"));
    let manifest = name.zip(about.shown("manifestDigest"));
    // A name of a registry is what others know it by.
    sbom::add_image(stated.chain(manifest), about.shown("architecture"), list)
}

#[cfg(test)]
mod tests {
    use crate::components::Format::SyftJson;
    use crate::components::tests::{found, lines, refusal, unidentified};

    #[test]
    fn the_image_is_what_the_document_is_about() {
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        let source = |source: &str| {
            let text =
                format!(r#"{{"artifactRelationships":[],"artifacts":[],"source":{{{source}}}}}"#);
            lines(&found(SyftJson, &text)).concat()
        };
        let ours = format!("pkg:oci/img@sha256:{a}");
        let at = "repository_url=ghcr.io%2Fe%2Fimg";
        for (stated, expected) in [
            (
                format!(
                    r#""type":"image","name":"ghcr.io/e/img","metadata":{{"manifestDigest":
                    "sha256:{b}","repoDigests":["ghcr.io/e/img@sha256:{a}"],"architecture":"arm64"}}"#
                ),
                format!("{ours}?arch=arm64&{at} sha256 sha256 own"),
            ),
            (
                format!(
                    r#""type":"image","target":{{"userInput":"ghcr.io/e/img:1","manifestDigest":
                    "sha256:{a}","repoDigests":[]}}"#
                ),
                format!("{ours}?{at} sha256 own"),
            ),
            (
                format!(
                    r#""type":"image","name":"img","metadata":{{"manifestDigest":"sha256:{a}"}}"#
                ),
                format!("{ours} sha256 own"),
            ),
            (
                r#""type":"image","name":"img","metadata":{"imageID":"x"}"#.to_owned(),
                String::new(),
            ),
            (
                r#""type":"image","name":"img","metadata":{"manifestDigest":"sha256:a"}"#
                    .to_owned(),
                String::new(),
            ),
            (
                format!(r#""type":"file","name":"x","metadata":{{"manifestDigest":"sha256:{a}"}}"#),
                String::new(),
            ),
        ] {
            assert_eq!(source(&stated), expected, "{stated}");
        }
    }

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
