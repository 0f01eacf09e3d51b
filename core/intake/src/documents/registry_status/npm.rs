//! What an npm registry answers about a package: its packument, whole or abbreviated, as npm
//! documents it for registries, in which a release that is marked has a message in `deprecated`.

use super::super::draft::Prepared;
use super::super::error::DocumentError;
use super::super::tool::{Source, Takes, Tool};
use super::{Mark, claims, marked, package, reason};
use assay_claims::json::Value;
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

fn prepare(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    let root = source.root();
    let name = root.need("name")?;
    let mut marks = Vec::new();
    for (version, release) in root.need("versions")?.members()? {
        release.object()?;
        if let Some(message) = marked(release.get("deprecated"))? {
            marks.push(Mark {
                subjects: vec![Subject::package(package("npm", &name, Some(version))?)],
                status: "deprecated".to_owned(),
                reason: reason(message),
            });
        }
    }
    claims(source.document, marks)
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
