//! The text of misbehavior: how it is read and written. What it proves is `judge`'s.

use super::{Culprit, MisbehaviorError};
use crate::limits;
use assay_tlog::Hash;
use base64::prelude::{BASE64_STANDARD, Engine};
use std::fmt::Write as _;

const HEADER: &str = "assay.misbehavior/v1";
const HEADERS: &str = "assay.misbehavior/v";

/// Which of the kinds a text says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Split,
    Rewrite,
    Witness,
}

impl Kind {
    const ALL: [(Kind, &str); 3] = [
        (Kind::Split, "split"),
        (Kind::Rewrite, "rewrite"),
        (Kind::Witness, "witness"),
    ];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Split => "split",
            Kind::Rewrite => "rewrite",
            Kind::Witness => "witness",
        }
    }
}

/// How a text shows that history was rewritten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// The root at the smaller size in the larger tree.
    pub actual: Hash,
    /// The consistency proof from there to the larger tree.
    pub hashes: Vec<Hash>,
}

/// What a text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub kind: Kind,
    pub culprit: Culprit,
    pub path: Option<Path>,
    /// One or two.
    pub notes: Vec<String>,
}

impl Text {
    pub fn parse(bytes: &[u8]) -> Result<Self, MisbehaviorError> {
        if bytes.len() > limits::MISBEHAVIOR_BYTES {
            return Err(MisbehaviorError::TooLong(bytes.len()));
        }
        let text = str::from_utf8(bytes).map_err(|_| MisbehaviorError::Format {
            line: 1,
            expected: "UTF-8 text",
        })?;
        let mut reader = Reader {
            rest: text,
            line: 1,
        };
        match reader.line(HEADER)? {
            HEADER => {}
            other if other.starts_with(HEADERS) => return Err(MisbehaviorError::Unsupported),
            _ => return Err(reader.wrong(HEADER)),
        }
        let kind = reader.value("kind ", "a kind")?;
        let kind = Kind::ALL.into_iter().find(|(_, name)| *name == kind);
        let (kind, _) = kind.ok_or(MisbehaviorError::Unsupported)?;
        let culprit = reader.value("culprit ", "a culprit")?;
        let culprit = Culprit::parse(culprit)
            .ok_or_else(|| reader.wrong("culprit log, witness or mirror"))?;
        let path = if reader.rest.starts_with("actual ") {
            Some(reader.path()?)
        } else {
            None
        };
        let mut notes = vec![reader.note()?];
        if !reader.rest.is_empty() {
            notes.push(reader.note()?);
        }
        // What is left over shows when the text is written again.
        Ok(Text {
            kind,
            culprit,
            path,
            notes,
        })
    }

    pub fn encode(&self) -> String {
        let mut text = format!(
            "{HEADER}\nkind {}\nculprit {}\n",
            self.kind.name(),
            self.culprit
        );
        // Writing to a string does not fail.
        if let Some(path) = &self.path {
            let _ = writeln!(text, "actual {}", base64(&path.actual));
            let _ = writeln!(text, "path {}", path.hashes.len());
            for hash in &path.hashes {
                let _ = writeln!(text, "{}", base64(hash));
            }
        }
        for note in &self.notes {
            let _ = write!(text, "note {}\n{note}", note.len());
        }
        text
    }
}

fn base64(hash: &Hash) -> String {
    BASE64_STANDARD.encode(hash.as_bytes())
}

/// What is left of a text, and the number of its next line.
struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Reader<'a> {
    /// That the line before the next one is wrong.
    fn wrong(&self, expected: &'static str) -> MisbehaviorError {
        MisbehaviorError::Format {
            line: self.line - 1,
            expected,
        }
    }

    fn line(&mut self, expected: &'static str) -> Result<&'a str, MisbehaviorError> {
        self.line += 1;
        let (line, rest) = self
            .rest
            .split_once('\n')
            .ok_or_else(|| self.wrong(expected))?;
        self.rest = rest;
        Ok(line)
    }

    fn value(
        &mut self,
        keyword: &str,
        expected: &'static str,
    ) -> Result<&'a str, MisbehaviorError> {
        let line = self.line(expected)?;
        line.strip_prefix(keyword)
            .ok_or_else(|| self.wrong(expected))
    }

    /// A number below 10^9. That it has one spelling shows when the text is written again.
    fn number(&mut self, keyword: &str, expected: &'static str) -> Result<usize, MisbehaviorError> {
        let digits = self.value(keyword, expected)?;
        if digits.len() > 9 {
            return Err(self.wrong(expected));
        }
        digits.parse().map_err(|_| self.wrong(expected))
    }

    fn hash(&mut self, keyword: &str) -> Result<Hash, MisbehaviorError> {
        const EXPECTED: &str = "the base64 of 32 bytes";
        let encoded = self.value(keyword, EXPECTED)?;
        let bytes = BASE64_STANDARD.decode(encoded).unwrap_or_default();
        Hash::from_slice(&bytes).ok_or_else(|| self.wrong(EXPECTED))
    }

    fn path(&mut self) -> Result<Path, MisbehaviorError> {
        let actual = self.hash("actual ")?;
        let count = self.number("path ", "path and a number")?;
        if count > limits::PROOF_HASHES {
            return Err(self.wrong("path and a number up to 64"));
        }
        let mut hashes = Vec::new();
        for _ in 0..count {
            hashes.push(self.hash("")?);
        }
        Ok(Path { actual, hashes })
    }

    fn note(&mut self) -> Result<String, MisbehaviorError> {
        let expected = "note and its length in bytes";
        let length = self.number("note ", expected)?;
        let (note, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or_else(|| self.wrong(expected))?;
        self.line += note.matches('\n').count();
        self.rest = rest;
        Ok(note.to_owned())
    }
}
