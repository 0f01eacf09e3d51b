//! SPDX 2 in tag-value format (`.spdx`), line by line.

use assay_claims::kind::node::quoted;

/// Whether the bytes look like tag-value: `SPDXVersion:` opens one of the first lines.
pub(crate) fn is_tag_value(body: &[u8]) -> bool {
    body.split(|b| *b == b'\n')
        .take(50)
        .any(|line| line.trim_ascii_start().starts_with(b"SPDXVersion:"))
}

/// Why a text is no tag-value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TagError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub reason: String,
}

/// One `Tag: value`.
pub(crate) struct Tag<'t> {
    /// Counted from 1.
    pub line: usize,
    /// Before the colon.
    pub name: &'t str,
    /// After it, trimmed.
    pub value: &'t str,
}

/// Every line is empty, a comment, `Tag: value`, or inside `<text>…</text>`.
pub(crate) fn read(text: &str) -> Result<Vec<Tag<'_>>, TagError> {
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
            return Err(TagError {
                line: number,
                reason: format!("{} is neither `Tag: value` nor a comment", quoted(line)),
            });
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
        Some(line) => Err(TagError {
            line,
            reason: "<text> is never closed".into(),
        }),
        None => Ok(tags),
    }
}
