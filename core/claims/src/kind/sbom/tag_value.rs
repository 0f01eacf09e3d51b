//! SPDX 2 in tag-value format (`.spdx`). A predicate is JSON, so the claim references the document;
//! it is read just enough to know that it is one and what it is about.

use crate::json::Value;
use crate::kind::document::{Document, DocumentError, Draft, Prepared};
use crate::kind::node::quoted;
use crate::kind::subject::Subjects;
use crate::time;

/// Whether the bytes look like tag-value: `SPDXVersion:` opens one of the first lines.
pub fn is_tag_value(body: &[u8]) -> bool {
    body.split(|b| *b == b'\n')
        .take(50)
        .any(|line| line.trim_ascii_start().starts_with(b"SPDXVersion:"))
}

pub(super) fn prepare(document: &Document) -> Result<Prepared, DocumentError> {
    let text = std::str::from_utf8(document.body()).map_err(|e| {
        let line = 1 + document.body()[..e.valid_up_to()]
            .iter()
            .filter(|b| **b == b'\n')
            .count();
        fault(line, "is not UTF-8")
    })?;
    let tags = read(text)?;
    let summary = check(&tags)?;
    let draft = Draft {
        predicate_type: String::new(),
        predicate: Value::Null,
        subjects: Subjects::default(),
        summary,
    };
    document.referenced(
        draft,
        "text/spdx",
        "tag-value is no JSON: the document is an attachment that the claim references",
    )
}

fn fault(line: usize, reason: impl Into<String>) -> DocumentError {
    DocumentError::Line {
        line,
        reason: reason.into(),
    }
}

/// One `Tag: value`.
pub struct Tag<'t> {
    /// Counted from 1.
    pub line: usize,
    /// Before the colon.
    pub name: &'t str,
    /// After it, trimmed.
    pub value: &'t str,
}

/// Every line is empty, a comment, `Tag: value`, or inside `<text>…</text>`.
pub fn read(text: &str) -> Result<Vec<Tag<'_>>, DocumentError> {
    let mut tags = Vec::new();
    let mut opened = None;
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if opened.is_some() {
            if line.contains("</text>") {
                opened = None;
            }
            continue;
        }
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, value)) = line.split_once(':') else {
            return Err(fault(
                number,
                format!("{} is neither `Tag: value` nor a comment", quoted(line)),
            ));
        };
        if value.contains("<text>") && !value.contains("</text>") {
            opened = Some(number);
        }
        tags.push(Tag {
            line: number,
            name: name.trim(),
            value: value.trim(),
        });
    }
    match opened {
        Some(line) => Err(fault(line, "<text> is never closed")),
        None => Ok(tags),
    }
}

/// Clause 6 of the specification: what the document says of itself. Returns the summary.
fn check(tags: &[Tag<'_>]) -> Result<Vec<(String, String)>, DocumentError> {
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
    use crate::kind::{check, prepare};

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
