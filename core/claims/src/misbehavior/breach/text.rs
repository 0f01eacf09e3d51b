//! The text of a breach: how it is read and written. What it shows is `judge`'s.

use crate::index::Label;
use crate::limits;
use crate::misbehavior::culprit::Culprit;
use crate::misbehavior::error::MisbehaviorError;
use crate::misbehavior::reader::{Reader, write_head, write_note, write_path};
use assay_tlog::Hash;
use assay_tlog::tree::LeafIndex;
use base64::prelude::{BASE64_STANDARD, Engine};
use bytes::Bytes;
use std::fmt::Write as _;

/// Most entries of a text: a claim again, by as many keys as it can have, which came one by one;
/// and the commitment.
pub(super) const ENTRIES: usize = limits::SIGNATURES + 2;

/// Most hashes that prove the place of neighbors in a list.
const LIST_HASHES: usize = 2 * limits::PROOF_HASHES;

const AUDITOR: &str = "auditor";

/// Which rule a log broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Commitment,
    Omission,
    Surplus,
    Entry,
}

impl Kind {
    const ALL: [Kind; 4] = [Kind::Commitment, Kind::Omission, Kind::Surplus, Kind::Entry];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Commitment => "commitment",
            Kind::Omission => "omission",
            Kind::Surplus => "surplus",
            Kind::Entry => "entry",
        }
    }

    fn parse(name: &str) -> Result<Self, MisbehaviorError> {
        let mut all = Kind::ALL.into_iter();
        all.find(|kind| kind.name() == name)
            .ok_or(MisbehaviorError::Unsupported)
    }
}

/// What of a log is in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Body {
    pub kind: Kind,
    pub listed: Option<Listed>,
    pub entries: Vec<Leaf>,
}

/// What a commitment says of a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub label: Label,
    pub cut: Vec<u8>,
    pub neighbors: Option<Neighbors>,
}

/// One or two neighbors in a label's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Neighbors {
    /// The position of the first one.
    pub position: u64,
    pub first: LeafIndex,
    pub second: Option<LeafIndex>,
    /// That they stand there.
    pub path: Vec<Hash>,
}

/// An entry and its inclusion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaf {
    pub index: LeafIndex,
    pub bytes: Bytes,
    pub path: Vec<Hash>,
}

/// What a text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub culprit: Culprit,
    /// Whether the culprit is an auditor.
    pub of_auditor: bool,
    pub body: Body,
    pub note: String,
}

impl Text {
    pub fn parse(bytes: &[u8]) -> Result<Self, MisbehaviorError> {
        let mut reader = Reader::new(bytes)?;
        let kind = reader.value("kind ", "a kind")?;
        let of_auditor = kind == AUDITOR;
        let mut kind = if of_auditor {
            Ok(Kind::Entry)
        } else {
            Kind::parse(kind)
        }?;
        let culprit = reader.culprit()?;
        if of_auditor {
            kind = Kind::parse(reader.value("shows ", "shows and a kind")?)?;
        }
        let listed = if reader.rest.starts_with("label ") {
            Some(listed(&mut reader)?)
        } else {
            None
        };
        let mut entries = Vec::new();
        while reader.rest.starts_with("entry ") {
            if entries.len() == ENTRIES {
                let _ = reader.line("a note")?;
                return Err(reader.wrong("a note: a text has at most 18 entries"));
            }
            entries.push(leaf(&mut reader)?);
        }
        let note = reader.note()?;
        // What is left over shows when the text is written again.
        Ok(Text {
            culprit,
            of_auditor,
            body: Body {
                kind,
                listed,
                entries,
            },
            note,
        })
    }

    /// What the text says that it is.
    pub fn kind(&self) -> &'static str {
        if self.of_auditor {
            AUDITOR
        } else {
            self.body.kind.name()
        }
    }

    pub fn encode(&self) -> String {
        let mut text = write_head(self.kind(), &self.culprit);
        // Writing to a string does not fail.
        if self.of_auditor {
            let _ = writeln!(text, "shows {}", self.body.kind.name());
        }
        if let Some(listed) = &self.body.listed {
            let _ = writeln!(text, "label {}", listed.label);
            let _ = writeln!(text, "cut {}", listed.cut.len());
            let _ = writeln!(text, "{}", BASE64_STANDARD.encode(&listed.cut));
            if let Some(neighbors) = &listed.neighbors {
                let _ = write!(text, "list {} {}", neighbors.position, neighbors.first);
                if let Some(second) = neighbors.second {
                    let _ = write!(text, " {second}");
                }
                text.push('\n');
                write_path(&mut text, &neighbors.path);
            }
        }
        for leaf in &self.body.entries {
            let _ = writeln!(text, "entry {} {}", leaf.index, leaf.bytes.len());
            let _ = writeln!(text, "{}", BASE64_STANDARD.encode(&leaf.bytes));
            write_path(&mut text, &leaf.path);
        }
        write_note(&mut text, &self.note);
        text
    }
}

fn listed(reader: &mut Reader<'_>) -> Result<Listed, MisbehaviorError> {
    let label = reader.value("label ", "a label")?;
    let label = Hash::from_hex(label).ok_or_else(|| reader.wrong("label and 64 hex digits"))?;
    let length = reader.number("cut ", "cut and its length in bytes")?;
    let cut = base64_line(reader, length, limits::MISBEHAVIOR_BYTES)?;
    let neighbors = if reader.rest.starts_with("list ") {
        Some(neighbors(reader)?)
    } else {
        None
    };
    Ok(Listed {
        label: Label::from_bytes(*label.as_bytes()),
        cut,
        neighbors,
    })
}

fn neighbors(reader: &mut Reader<'_>) -> Result<Neighbors, MisbehaviorError> {
    const EXPECTED: &str = "list, a position, and one or two leaves";
    let numbers = reader.value("list ", EXPECTED)?;
    let mut numbers = numbers.split(' ').map(str::parse::<u64>);
    let (Some(Ok(position)), Some(Ok(first)), second, None) = (
        numbers.next(),
        numbers.next(),
        numbers.next(),
        numbers.next(),
    ) else {
        return Err(reader.wrong(EXPECTED));
    };
    let second = second.transpose().map_err(|_| reader.wrong(EXPECTED))?;
    Ok(Neighbors {
        position,
        first: LeafIndex::new(first),
        second: second.map(LeafIndex::new),
        path: reader.path(LIST_HASHES)?,
    })
}

fn leaf(reader: &mut Reader<'_>) -> Result<Leaf, MisbehaviorError> {
    const EXPECTED: &str = "entry, its leaf, and its length in bytes";
    let numbers = reader.value("entry ", EXPECTED)?;
    let numbers = numbers.split_once(' ');
    let index = numbers.and_then(|(index, _)| index.parse().ok());
    let length = numbers.and_then(|(_, length)| length.parse().ok());
    let (Some(index), Some(length)) = (index, length) else {
        return Err(reader.wrong(EXPECTED));
    };
    let bytes = base64_line(reader, length, limits::ENTRY_BYTES)?;
    Ok(Leaf {
        index: LeafIndex::new(index),
        bytes: bytes.into(),
        path: reader.path(limits::PROOF_HASHES)?,
    })
}

/// A line of base64 that stands for `length` bytes, at most `most`.
fn base64_line(
    reader: &mut Reader<'_>,
    length: usize,
    most: usize,
) -> Result<Vec<u8>, MisbehaviorError> {
    const EXPECTED: &str = "the base64 of as many bytes as the line before it says";
    let encoded = reader.line(EXPECTED)?;
    if length > most {
        return Err(reader.wrong(EXPECTED));
    }
    let bytes = BASE64_STANDARD.decode(encoded).unwrap_or_default();
    if bytes.len() == length {
        Ok(bytes)
    } else {
        Err(reader.wrong(EXPECTED))
    }
}
