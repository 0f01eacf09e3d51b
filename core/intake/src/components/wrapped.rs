//! SBOMs in what tools wrap them in.

use assay_claims::json::Part;

/// The members that a bill of materials has itself: it wraps none.
const OWN: [&str; 4] = [
    "@graph",
    "artifactRelationships",
    "bomFormat",
    "spdxVersion",
];

/// The members in which others wrap an SBOM, with their paths: GitHub's API, and `docker buildx`.
pub(crate) const WRAPPERS: [(&str, &str); 2] = [("$.sbom", "sbom"), ("$.SPDX", "SPDX")];

/// The document in what it is wrapped in: `{"sbom": …}` of GitHub's API, `{"SPDX": …}` of
/// `docker buildx`, or an in-toto statement that has it as its predicate; early ones of cosign have
/// it in a member of that. Others are as they are.
pub(super) fn unwrapped(document: Part<'_>) -> Part<'_> {
    wrapper(document).map_or(document, |(_, inner)| inner)
}

/// The path of what is wrapped, and that.
pub(super) fn wrapper(document: Part<'_>) -> Option<(&'static str, Part<'_>)> {
    let is_bom = |document: Part<'_>| OWN.iter().any(|key| document.get(key).is_some());
    if is_bom(document) {
        return None;
    }
    let object = |document: Part<'_>| document.as_object().is_some();
    let mut wrapped = WRAPPERS.into_iter().filter_map(|(path, key)| {
        let inner = document.get(key)?;
        object(inner).then_some((path, inner))
    });
    if let Some(found) = wrapped.next() {
        return Some(found);
    }
    document.get("predicateType")?;
    let predicate = document.get("predicate").filter(|it| object(*it))?;
    let data = predicate.get("Data").filter(|it| is_bom(*it));
    Some(match data.filter(|_| !is_bom(predicate)) {
        Some(data) => ("$.predicate.Data", data),
        None => ("$.predicate", predicate),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::Format::SyftJson;
    use crate::components::tests::{found, lines};

    #[test]
    fn what_is_a_bom_itself_wraps_none() {
        for (own, path) in [
            (r#""spdxVersion":"SPDX-2.3""#, None),
            (r#""bomFormat":"CycloneDX""#, None),
            (r#""@graph":[]"#, None),
            (r#""artifactRelationships":[]"#, None),
            (r#""other":1"#, Some("$.sbom")),
        ] {
            let text = format!(r#"{{{own},"sbom":{{}},"predicateType":"t","predicate":{{}}}}"#);
            let tape = assay_claims::json::Tape::parse(&text, 8).unwrap();
            let found = wrapper(tape.root()).map(|(path, _)| path);
            assert_eq!(found, path, "{own}");
        }
    }

    #[test]
    fn tools_wrap_boms_in_ways_of_their_own() {
        let bom = r#"{"spdxVersion":"SPDX-2.3"}"#;
        for (text, path) in [
            (format!(r#"{{"SPDX":{bom}}}"#), Some("$.SPDX")),
            (r#"{"SPDX":1}"#.to_owned(), None),
            (
                format!(r#"{{"predicateType":"t","predicate":{{"Data":{bom},"Timestamp":"x"}}}}"#),
                Some("$.predicate.Data"),
            ),
            (
                r#"{"predicateType":"t","predicate":{"Data":{"a":1}}}"#.to_owned(),
                Some("$.predicate"),
            ),
            (format!(r#"{{"predicate":{bom}}}"#), None),
        ] {
            let tape = assay_claims::json::Tape::parse(&text, 8).unwrap();
            let found = wrapper(tape.root()).map(|(path, _)| path);
            assert_eq!(found, path, "{text}");
        }
        let syft = r#"{"predicateType":"https://syft.dev/bom","predicate":{"artifactRelationships":[],
            "artifacts":[{"name":"a","version":"1","purl":"pkg:npm/a@1"}]}}"#;
        assert_eq!(lines(&found(SyftJson, syft)), ["pkg:npm/a@1"]);
    }
}
