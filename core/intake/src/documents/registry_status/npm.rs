//! What an npm registry answers about a package: its packument, whole or abbreviated, as npm
//! documents it for registries, in which a release that is marked has a message in `deprecated`;
//! and about one release, which is the same as in there.

use super::super::draft::Prepared;
use super::super::error::DocumentError;
use super::super::tool::{Source, Takes, Tool};
use super::{Mark, claims, marked, package, reason};
use assay_claims::json::Value;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::Node;
use assay_claims::statement::Subject;

pub(in super::super) const TOOL: Tool = Tool {
    takes: Takes::Value(is_packument),
    prepare,
};

/// One of PyPI has a list of versions, if any.
fn is_packument(value: &Value) -> bool {
    let versions = value.get("versions").and_then(Value::as_object);
    value.get("name").is_some() && versions.is_some()
}

pub(in super::super) const RELEASE: Tool = Tool {
    takes: Takes::Value(is_release),
    prepare: prepare_release,
};

/// A `package.json` has no `dist`, which says where the registry has the release.
fn is_release(value: &Value) -> bool {
    ["name", "version", "dist"]
        .iter()
        .all(|key| value.get(key).is_some())
}

fn prepare(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    let root = source.root();
    let name = root.need("name")?;
    let mut marks = Vec::new();
    for (version, release) in root.need("versions")?.members()? {
        release.object()?;
        marks.extend(mark(&name, version, &release)?);
    }
    claims(source.document, marks)
}

fn prepare_release(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    let root = source.root();
    let version = root.need("version")?;
    let mark = mark(&root.need("name")?, version.text()?, &root)?;
    claims(source.document, mark.into_iter().collect())
}

/// How a release is marked, if it is.
fn mark(
    name: &Node<'_, '_>,
    version: &str,
    release: &Node<'_, '_>,
) -> Result<Option<Mark>, PredicateError> {
    let Some(message) = marked(release.get("deprecated"))? else {
        return Ok(None);
    };
    Ok(Some(Mark {
        subjects: vec![Subject::package(package("npm", name, Some(version))?)],
        status: "deprecated".to_owned(),
        reason: reason(message),
    }))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{refusal, said};

    fn packument(name: &str, versions: &str) -> String {
        format!(r#"{{"name":"{name}","dist-tags":{{"latest":"1.0.0"}},"versions":{{{versions}}}}}"#)
    }

    #[test]
    fn each_release_that_is_marked_is_a_claim() {
        let versions = r#""1.0.0":{"name":"@s/a","version":"1.0.0","deprecated":"Use <b>b</b>."},
            "1.1.0":{"deprecated":true},"1.2.0":{"deprecated":false},"1.3.0":{"deprecated":""},
            "1.4.0":{"deprecated":null},"2.0.0":{}"#;
        assert_eq!(
            said(&packument("@s/a", versions)),
            [
                r#"pkg:npm/%40s/a@1.0.0 {"status":"deprecated","reason":"Use <b>b</b>."}"#,
                r#"pkg:npm/%40s/a@1.1.0 {"status":"deprecated"}"#,
            ]
        );
    }

    #[test]
    fn a_release_by_itself_is_marked_as_in_the_packument() {
        let release = r#"{"name":"@s/a","version":"1.0.0","dist":{},"deprecated":"Use b."}"#;
        let expected = r#"pkg:npm/%40s/a@1.0.0 {"status":"deprecated","reason":"Use b."}"#;
        assert_eq!(said(release), [expected]);
        let other = release.replace("Use b.", "");
        assert!(refusal(&other).contains("nothing is marked"));
    }

    #[test]
    fn what_is_no_packument_is_refused_where_it_is_wrong() {
        let release = r#""1.0.0":{"deprecated":"x"}"#;
        for (text, words) in [
            (packument("a", ""), "nothing is marked"),
            (packument("a", r#""1.0.0":{}"#), "nothing is marked"),
            (packument("a", r#""1.0.0":7"#), "$.versions[\"1.0.0\"]"),
            (
                packument("a", r#""1.0.0":{"deprecated":["x"]}"#),
                "deprecated: is neither a text",
            ),
            (packument("", release), "$.name"),
            (packument("a", r#""":{"deprecated":"x"}"#), "$.name"),
            (packument("a", release).replace("\"a\"", "7"), "$.name"),
        ] {
            let refused = refusal(&text);
            assert!(refused.contains(words), "{text}: {refused}");
        }
    }
}
