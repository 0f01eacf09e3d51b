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
    tags(text).collect()
}

/// As [`read`], one after the other: a list of them takes more than a text of short ones. After an
/// error there is none.
pub(crate) fn tags(text: &str) -> impl Iterator<Item = Result<Tag<'_>, TagError>> + Clone {
    Tags {
        lines: text.lines(),
        number: 0,
    }
}

#[derive(Clone)]
struct Tags<'t> {
    lines: std::str::Lines<'t>,
    number: usize,
}

impl<'t> Iterator for Tags<'t> {
    type Item = Result<Tag<'t>, TagError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.number += 1;
            let line = self.lines.next()?.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let Some((name, value)) = line.split_once(':') else {
                let reason = format!("{} is neither `Tag: value` nor a comment", quoted(line));
                return Some(self.end(self.number, reason));
            };
            let number = self.number;
            if value.contains("<text>") && !value.contains("</text>") && !self.close() {
                return Some(self.end(number, "<text> is never closed".into()));
            }
            return Some(Ok(Tag {
                line: number,
                name: name.trim(),
                value: value.trim(),
            }));
        }
    }
}

impl<'t> Tags<'t> {
    /// Passes the lines up to the one that closes a text, if there is one.
    fn close(&mut self) -> bool {
        self.lines.any(|line| {
            self.number += 1;
            line.contains("</text>")
        })
    }

    fn end(&mut self, line: usize, reason: String) -> Result<Tag<'t>, TagError> {
        self.lines = "".lines();
        Err(TagError { line, reason })
    }
}
