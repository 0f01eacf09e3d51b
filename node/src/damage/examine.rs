//! Reading all of a log's store, a piece at a time, to find what a disk damaged.
//!
//! 1. Every row of every table is read, so that the store's own checksums are compared.
//! 2. Every page of the index must lead to the hash that its part has.
//! 3. Every tile and every bundle of entries is checked against the signed root.
//! 4. Entries that are stored and not signed yet must lead to the stored head.
//! 5. Attachments are hashed.

use super::source::{Fault, Mirrors, Place, Source};
use crate::audit::Copied;
use crate::index;
use crate::reason::with_causes;
use crate::records::{self, RecordError, WIDTH, readable};
use crate::storage::{Blobs, Head as _, Reads as _, StorageError, Store, Table};
use crate::view::stored_root;
use assay_claims::sequencer::Head;
use assay_tlog::Hash;
use assay_tlog::head::VerifiedHead;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::io::Read as _;
use std::sync::Arc;

/// Rows that are read at a time.
const ROWS: usize = 1024;

/// What is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Damage {
    /// A table cannot be read to its end.
    Table(&'static str, String),
    /// A part of the index, by its key, or a page of it.
    Index(Vec<u8>),
    /// Something of the signed tree.
    Tree(Place),
    /// What was stored after the signed tree.
    Head(String),
    /// An attachment.
    Attachment(Hash),
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damage::Table(name, reason) => write!(f, "the table {name}: {reason}"),
            Damage::Index(key) => write!(f, "the part {} of the index", hex::encode(key)),
            Damage::Tree(place) => write!(f, "{place}"),
            Damage::Head(reason) => write!(f, "what is stored and not signed yet: {reason}"),
            Damage::Attachment(digest) => write!(f, "{ATTACHMENT}{digest}"),
        }
    }
}

/// How it is said that an attachment is damaged.
const ATTACHMENT: &str = "the attachment ";

/// Whether what is said to be damaged is in the tables, which a rebuild makes anew. Attachments are
/// not.
pub fn is_of_tables(damaged: &str) -> bool {
    !damaged.starts_with(ATTACHMENT)
}

/// What to do about a damaged attachment.
pub const UPLOAD: &str = "remove its file from the folder of attachments, upload the document \
                          again, and restart the node";

/// How far an examination is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps {
    /// Pieces that were looked at.
    pub done: u64,
    /// About how many there are.
    pub all: u64,
}

enum Stage {
    Table(usize, Vec<u8>),
    Index(Vec<u8>),
    Tree(u64),
    Head,
    Attachments(Vec<Hash>),
    Done,
}

/// What is looked at next, as text that another process understands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "next", rename_all = "kebab-case")]
pub enum Reached {
    /// The rows of a table from this key on, in hexadecimal.
    Table {
        /// The table's number in [`Table::ALL`].
        number: usize,
        /// The key.
        from: String,
    },
    /// The parts of the index from this key on, in hexadecimal.
    Index {
        /// The key.
        from: String,
    },
    /// A bundle of entries.
    Bundle {
        /// Its number.
        number: u64,
    },
    /// What is stored after the signed tree.
    Head,
    /// The attachments, largest digest first, from this one on: none if it is empty.
    Attachments {
        /// The digest, in hexadecimal.
        from: String,
    },
    /// Nothing.
    Nothing,
}

impl Default for Reached {
    fn default() -> Self {
        Reached::Table {
            number: 0,
            from: String::new(),
        }
    }
}

/// An examination of one store.
pub struct Examination<S> {
    store: Arc<S>,
    rows: Copied,
    signed: VerifiedHead,
    source: Option<Source>,
    stage: Stage,
    done: u64,
}

impl<S: Store + 'static> Examination<S> {
    /// Begins one, of a store that holds the tree of a signed head.
    pub fn new(store: Arc<S>, signed: VerifiedHead) -> Self {
        Examination {
            rows: Copied::all(store.clone()),
            store,
            signed,
            source: None,
            stage: Stage::Table(0, Vec::new()),
            done: 0,
        }
    }

    /// Goes on where another examination of the same store and head was, after `done` pieces.
    pub fn resume(&mut self, done: u64, reached: Reached) -> Result<(), StorageError> {
        self.done = done;
        self.stage = match reached {
            // A key that nobody wrote is at most too early, or an end.
            Reached::Table { number, from } => {
                Stage::Table(number, hex::decode(from).unwrap_or_default())
            }
            Reached::Index { from } => Stage::Index(hex::decode(from).unwrap_or_default()),
            Reached::Bundle { number } => Stage::Tree(number),
            Reached::Head => Stage::Head,
            Reached::Attachments { from } => {
                let mut left = self.attachments()?;
                left.retain(|digest| digest.to_hex() <= from);
                Stage::Attachments(left)
            }
            Reached::Nothing => Stage::Done,
        };
        Ok(())
    }

    /// What is looked at next.
    pub fn reached(&self) -> Reached {
        match &self.stage {
            Stage::Table(number, from) => Reached::Table {
                number: *number,
                from: hex::encode(from),
            },
            Stage::Index(from) => Reached::Index {
                from: hex::encode(from),
            },
            Stage::Tree(number) => Reached::Bundle { number: *number },
            Stage::Head => Reached::Head,
            Stage::Attachments(left) => Reached::Attachments {
                from: left.last().map(Hash::to_hex).unwrap_or_default(),
            },
            Stage::Done => Reached::Nothing,
        }
    }

    /// How far it is.
    pub fn steps(&self) -> Steps {
        let bundles = self.signed.size().get().div_ceil(WIDTH);
        // A bundle has 32 segments and, about, 600 rows elsewhere and three parts of the index.
        let all = bundles * 2 + bundles / 8 + Table::ALL.len() as u64 + 3;
        let all = match self.stage {
            Stage::Done => self.done,
            _ => all.max(self.done + 1),
        };
        Steps {
            done: self.done,
            all,
        }
    }

    /// Looks at the next piece. Returns what is damaged of it, or `None` if all was looked at.
    /// Fails if the store cannot be read for another reason.
    pub fn step(&mut self) -> Result<Option<Vec<Damage>>, StorageError> {
        self.done += 1;
        let (damage, next) = match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Table(at, from) => self.rows_of(at, from)?,
            Stage::Index(from) => self.parts(&from)?,
            Stage::Tree(index) => self.bundle(index)?,
            Stage::Head => (self.head()?, Stage::Attachments(self.attachments()?)),
            Stage::Attachments(left) => self.attachment(left)?,
            Stage::Done => return Ok(None),
        };
        self.stage = next;
        Ok(Some(damage))
    }

    fn rows_of(&self, at: usize, from: Vec<u8>) -> Result<(Vec<Damage>, Stage), StorageError> {
        let Some(table) = Table::ALL.get(at).copied() else {
            return Ok((Vec::new(), Stage::Index(Vec::new())));
        };
        match self.rows.range(table, &from, &[0xff; 128], ROWS) {
            Ok(rows) => Ok(match rows.last() {
                Some((last, _)) if rows.len() == ROWS => {
                    (Vec::new(), Stage::Table(at, [&last[..], &[0]].concat()))
                }
                _ => (Vec::new(), Stage::Table(at + 1, Vec::new())),
            }),
            // What comes after it in this table is not reached.
            Err(StorageError::Corrupt { reason, .. }) => {
                let damage = Damage::Table(table.name(), reason);
                Ok((vec![damage], Stage::Table(at + 1, Vec::new())))
            }
            Err(error) => Err(error),
        }
    }

    fn parts(&self, from: &[u8]) -> Result<(Vec<Damage>, Stage), StorageError> {
        let looked = index::look(&self.rows, from)?;
        let damage = looked.wrong.into_iter().map(Damage::Index).collect();
        Ok((damage, looked.next.map_or(Stage::Tree(0), Stage::Index)))
    }

    fn bundle(&mut self, index: u64) -> Result<(Vec<Damage>, Stage), StorageError> {
        let Some(source) = &mut self.source else {
            let mirrors = Mirrors::none().map_err(StorageError::Source)?;
            let (head, rows) = (self.signed.clone(), self.rows.clone());
            self.source = Source::open(head, Some(rows), mirrors)?;
            return Ok(match &mut self.source {
                Some(source) => (damages(source.take_faults()), Stage::Tree(index)),
                None => (vec![Damage::Tree(Place::Edge)], Stage::Head),
            });
        };
        if index >= source.bundles() {
            return Ok((Vec::new(), Stage::Head));
        }
        source.bundle(index)?;
        Ok((damages(source.take_faults()), Stage::Tree(index + 1)))
    }

    /// A node that runs has entries on their way: then the head is read before the tiles, which
    /// only grow.
    fn head(&self) -> Result<Vec<Damage>, StorageError> {
        let damaged = |reason: String| vec![Damage::Head(reason)];
        let Some(row) = readable(self.rows.head())?.flatten() else {
            return Ok(damaged("the head is missing".into()));
        };
        let head = match Head::parse(&row) {
            Ok(head) => head,
            Err(error) => return Ok(damaged(error.to_string())),
        };
        match stored_root(&self.rows, head.size) {
            Ok(root) if root == head.root => {}
            Ok(_) => return Ok(damaged("the tiles do not lead to the stored head".into())),
            Err(RecordError::Storage(error)) if !is_damage(&error) => return Err(error),
            Err(error) => return Ok(damaged(with_causes(&error))),
        }
        for number in self.signed.size().get() / WIDTH..head.size.get().div_ceil(WIDTH) {
            let width = WIDTH.min(head.size.get() - number * WIDTH);
            if readable(records::read_bundle(&self.rows, number, width))?.is_none() {
                return Ok(damaged(Place::Bundle(number).to_string()));
            }
        }
        Ok(Vec::new())
    }

    fn attachments(&self) -> Result<Vec<Hash>, StorageError> {
        let mut digests = Vec::new();
        self.store.each(&mut |digest, _| digests.push(digest))?;
        digests.sort_unstable();
        Ok(digests)
    }

    fn attachment(&self, mut left: Vec<Hash>) -> Result<(Vec<Damage>, Stage), StorageError> {
        let Some(digest) = left.pop() else {
            return Ok((Vec::new(), Stage::Done));
        };
        let sound = self.is_sound(&digest)?;
        let damage = (!sound).then_some(Damage::Attachment(digest));
        Ok((damage.into_iter().collect(), Stage::Attachments(left)))
    }

    /// Whether a blob is what its name says. One that is gone by now was removed by the node.
    fn is_sound(&self, digest: &Hash) -> Result<bool, StorageError> {
        let Some(mut blob) = Blobs::open(&*self.store, digest)? else {
            return Ok(true);
        };
        let (mut hash, mut piece) = (Sha256::new(), vec![0; 64 * 1024]);
        loop {
            match blob.read(&mut piece) {
                Ok(0) => return Ok(hash.finalize().as_slice() == digest.as_bytes()),
                Ok(read) => hash.update(&piece[..read]),
                Err(_) => return Ok(false),
            }
        }
    }
}

fn damages(faults: Vec<Fault>) -> Vec<Damage> {
    // What is found wrong and follows from what else is stored is damaged all the same.
    faults
        .into_iter()
        .map(|Fault { place, .. }| Damage::Tree(place))
        .collect()
}

fn is_damage(error: &StorageError) -> bool {
    matches!(error, StorageError::Corrupt { .. })
}
