//! SPDX 2 in tag-value format (`.spdx`). A predicate is JSON, so the claim references the document;
//! it is read just enough to know that it is one and what it is about.

use super::draft::{Prepared, Summary};
use super::error::DocumentError;
use super::subjects::Subjects;
use super::tool::{Source, Takes, Tool};
use crate::tag_value::{Tag, TagError, is_tag_value, read};
use assay_claims::kind::node::quoted;
use assay_claims::time;

pub(super) const TOOL: Tool = Tool {
    takes: Takes::Bytes(is_tag_value),
    prepare,
};

fn prepare(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    let body = source.document.body();
    let text = std::str::from_utf8(body).map_err(|e| {
        let before = body.get(..e.valid_up_to()).unwrap_or(body);
        let breaks = before.iter().filter(|b| **b == b'\n').count();
        fault(1 + breaks, "is not UTF-8")
    })?;
    let tags = read(text).map_err(|TagError { line, reason }| fault(line, reason))?;
    let summary = check(&tags)?;
    let why = "tag-value is no JSON: the document is an attachment that the claim references";
    let prepared = source
        .document
        .referenced(Subjects::default(), summary, "text/spdx", why)?;
    Ok(vec![prepared])
}

fn fault(line: usize, reason: impl Into<String>) -> DocumentError {
    DocumentError::Line {
        line,
        reason: reason.into(),
    }
}

/// Clause 6 of the specification: what the document says of itself. Returns the summary.
fn check(tags: &[Tag<'_>]) -> Result<Summary, DocumentError> {
    let last = tags.last().map_or(1, |tag| tag.line);
    let need = |name: &str| {
        let found = tags
            .iter()
            .find(|tag| tag.name == name && !tag.value.is_empty());
        found.ok_or_else(|| fault(last, format!("the document ends without {name}")))
    };
    let version = need("SPDXVersion")?;
    if !["SPDX-2.1", "SPDX-2.2", "SPDX-2.3"].contains(&version.value) {
        return Err(fault(
            version.line,
            format!(
                "SPDXVersion is {}, and has to be SPDX-2.2 or SPDX-2.3",
                quoted(version.value)
            ),
        ));
    }
    for name in ["DataLicense", "SPDXID", "DocumentNamespace", "Creator"] {
        need(name)?;
    }
    let created = need("Created")?;
    if time::instant(created.value).is_none() {
        return Err(fault(
            created.line,
            format!(
                "Created is {}, which is no RFC 3339 time",
                quoted(created.value)
            ),
        ));
    }
    let count = |name: &str| {
        tags.iter()
            .filter(|tag| tag.name == name)
            .count()
            .to_string()
    };
    Ok(vec![
        (
            "format".into(),
            format!("{} tag-value", version.value.replace('-', " ")),
        ),
        ("about".into(), need("DocumentName")?.value.to_owned()),
        ("packages".into(), count("PackageName")),
        ("files".into(), count("FileName")),
    ])
}

#[cfg(test)]
mod tests {
    use crate::documents::prepare;
    use assay_claims::kind::check;

    const DOCUMENT: &str = "SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\nSPDXID: \
        SPDXRef-DOCUMENT\nDocumentName: own\nDocumentNamespace: https://example.org/own\nCreator: \
        Person: A\nCreated: 2026-01-01T00:00:00Z\n# comment\nPackageName: p\nPackageComment: \
        <text>a\nno tag here\n</text>\n";

    #[test]
    fn tag_value_is_referenced() {
        let prepared = prepare("sbom", "own.spdx", DOCUMENT.as_bytes(), "")
            .unwrap()
            .remove(0);
        check(&prepared.predicate_type, &prepared.predicate).unwrap();
        assert_eq!(prepared.attachment.unwrap().media_type, "text/spdx");
        assert!(prepared.summary.contains(&("packages".into(), "1".into())));
    }

    #[test]
    fn the_line_of_an_error_is_named() {
        for (from, to, place) in [
            ("SPDX-2.3", "SPDX-1.2", "line 1"),
            ("Created: 2026", "Created: 26", "line 7"),
            ("</text>", "", "line 10"),
            ("# comment", "comment", "line 8"),
            ("Creator:", "Creators:", "line 10"),
            ("own\n", "own\u{fffd}\n", ""),
        ] {
            match prepare(
                "sbom",
                "own.spdx",
                DOCUMENT.replacen(from, to, 1).as_bytes(),
                "",
            ) {
                Err(error) => assert_eq!(error.place(), place, "{error}"),
                Ok(_) => assert_eq!(place, ""),
            }
        }
        let error =
            prepare("sbom", "own.spdx", b"SPDXVersion: SPDX-2.3\nx\xff: 1\n", "").unwrap_err();
        assert_eq!(error.place(), "line 2");
    }
}
