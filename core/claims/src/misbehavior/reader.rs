//! Reading and writing what all texts of misbehavior have in common.

use super::culprit::Culprit;
use super::error::MisbehaviorError;
use crate::limits;
use assay_tlog::Hash;
use base64::prelude::{BASE64_STANDARD, Engine};
use std::fmt::Write as _;

const HEADER: &str = "assay.misbehavior/v1";
const HEADERS: &str = "assay.misbehavior/v";

/// The first three lines.
pub(super) fn write_head(kind: &str, culprit: &Culprit) -> String {
    format!("{HEADER}\nkind {kind}\nculprit {culprit}\n")
}

/// Adds a path: how many hashes, and a line each.
pub(super) fn write_path(text: &mut String, hashes: &[Hash]) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "path {}", hashes.len());
    for hash in hashes {
        let _ = writeln!(text, "{}", base64(hash));
    }
}

/// Adds a note.
pub(super) fn write_note(text: &mut String, note: &str) {
    let _ = write!(text, "note {}\n{note}", note.len());
}

pub(super) fn base64(hash: &Hash) -> String {
    BASE64_STANDARD.encode(hash.as_bytes())
}

/// What is left of a text, and the number of its next line.
pub(super) struct Reader<'a> {
    pub rest: &'a str,
    line: usize,
}

impl<'a> Reader<'a> {
    /// A reader behind the first line. Fails if that is another one, or if the text is too long.
    pub fn new(bytes: &'a [u8]) -> Result<Self, MisbehaviorError> {
        if bytes.len() > limits::MISBEHAVIOR_BYTES {
            return Err(MisbehaviorError::TooLong(bytes.len()));
        }
        let rest = str::from_utf8(bytes).map_err(|_| MisbehaviorError::Format {
            line: 1,
            expected: "UTF-8 text",
        })?;
        let mut reader = Reader { rest, line: 1 };
        match reader.line(HEADER)? {
            HEADER => Ok(reader),
            other if other.starts_with(HEADERS) => Err(MisbehaviorError::Unsupported),
            _ => Err(reader.wrong(HEADER)),
        }
    }

    /// The line that names the culprit.
    pub fn culprit(&mut self) -> Result<Culprit, MisbehaviorError> {
        let culprit = self.value("culprit ", "a culprit")?;
        Culprit::parse(culprit).ok_or_else(|| self.wrong("culprit log, witness or mirror"))
    }

    /// That the line before the next one is wrong.
    pub fn wrong(&self, expected: &'static str) -> MisbehaviorError {
        MisbehaviorError::Format {
            line: self.line - 1,
            expected,
        }
    }

    pub fn line(&mut self, expected: &'static str) -> Result<&'a str, MisbehaviorError> {
        self.line += 1;
        let (line, rest) = self
            .rest
            .split_once('\n')
            .ok_or_else(|| self.wrong(expected))?;
        self.rest = rest;
        Ok(line)
    }

    pub fn value(
        &mut self,
        keyword: &str,
        expected: &'static str,
    ) -> Result<&'a str, MisbehaviorError> {
        let line = self.line(expected)?;
        line.strip_prefix(keyword)
            .ok_or_else(|| self.wrong(expected))
    }

    /// A number. That it has one spelling shows when the text is written again.
    pub fn number(
        &mut self,
        keyword: &str,
        expected: &'static str,
    ) -> Result<usize, MisbehaviorError> {
        let digits = self.value(keyword, expected)?;
        digits.parse().map_err(|_| self.wrong(expected))
    }

    pub fn hash(&mut self, keyword: &str) -> Result<Hash, MisbehaviorError> {
        const EXPECTED: &str = "the base64 of 32 bytes";
        let encoded = self.value(keyword, EXPECTED)?;
        let bytes = BASE64_STANDARD.decode(encoded).unwrap_or_default();
        Hash::from_slice(&bytes).ok_or_else(|| self.wrong(EXPECTED))
    }

    /// A path of at most `most` hashes.
    pub fn path(&mut self, most: usize) -> Result<Vec<Hash>, MisbehaviorError> {
        let count = self.number("path ", "path and a number")?;
        if count > most {
            return Err(self.wrong("path and a number of hashes that a path can have"));
        }
        let mut hashes = Vec::new();
        for _ in 0..count {
            hashes.push(self.hash("")?);
        }
        Ok(hashes)
    }

    pub fn note(&mut self) -> Result<String, MisbehaviorError> {
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
