//! The text of notes that contradict each other: how it is read and written. What it proves is
//! `judge`'s.

use super::culprit::Culprit;
use super::error::MisbehaviorError;
use super::reader::{Reader, base64, write_head, write_note, write_path};
use crate::limits;
use assay_tlog::Hash;

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
        let mut reader = Reader::new(bytes)?;
        let kind = reader.value("kind ", "a kind")?;
        let kind = Kind::ALL.into_iter().find(|(_, name)| *name == kind);
        let (kind, _) = kind.ok_or(MisbehaviorError::Unsupported)?;
        let culprit = reader.culprit()?;
        let path = if reader.rest.starts_with("actual ") {
            Some(Path {
                actual: reader.hash("actual ")?,
                hashes: reader.path(limits::PROOF_HASHES)?,
            })
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
        let mut text = write_head(self.kind.name(), &self.culprit);
        if let Some(path) = &self.path {
            text.push_str(&format!("actual {}\n", base64(&path.actual)));
            write_path(&mut text, &path.hashes);
        }
        for note in &self.notes {
            write_note(&mut text, note);
        }
        text
    }
}
