//! Making the tables of a log anew from its entries.
//!
//! The entries that the last signed checkpoint covers come from the old tables or from mirrors, and
//! lead to the signed root. Those after it, which were acknowledged and not signed yet, only the
//! old tables have. Everything else follows from the entries, as for an auditor.

use super::source::{Fault, Source};
use crate::audit::Copied;
use crate::audit::replay::{RULES, ReplayError, Replayer};
use crate::records::{self, INVITATION, OWNER, RecordError, SEGMENT, SIGNED, WIDTH, readable};
use crate::storage::{Batch, Head as _, Reads as _, StorageError, Table, Tables};
use assay_claims::audit::Rules;
use assay_claims::sequencer::Head;
use assay_tlog::Hash;
use assay_tlog::hash::leaf_hash;
use assay_tlog::tree::bundle::{self, BundleError};
use assay_tlog::tree::{Frontier, LeafIndex, TreeSize};
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Bundles of entries in one commit.
const BUNDLES: u64 = 16;

/// Chunks of entries that are replayed before progress is told.
const PIECE: u64 = 16;

/// Why there are no new tables. The old ones are as they were.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The old or the new tables cannot be read or written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Nobody has some of the entries.
    #[error(
        "nobody has {0}; name another mirror of this log with --from, or restore a copy of the \
         data folder"
    )]
    Lost(String),
    /// The entries do not lead to the signed root.
    #[error("the entries give the root {found}, and {signed} was signed")]
    Root {
        /// What they give.
        found: Hash,
        /// What was signed.
        signed: Hash,
    },
    /// An entry is too long for the form in which it is stored.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The entries that were signed do not keep the log's rules, by this program.
    #[error("the entries cannot be replayed by this program")]
    Replay(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<StorageError> for RebuildError {
    fn from(error: StorageError) -> Self {
        RebuildError::Record(error.into())
    }
}

/// What became of a log.
#[derive(Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// Its state.
    pub head: Head,
    /// How many entries are not in it that may have been acknowledged: they were not signed. `None`
    /// if the old tables do not say how many there were.
    pub lost: Option<u64>,
    /// Whether it is known which invitations were used.
    pub has_invitations: bool,
}

/// Told as it goes on: what is being done, and how many entries of how many are done.
pub type Progress<'a> = &'a mut dyn FnMut(&'static str, u64, u64);

/// Makes the tables of a log in `new`, which must be empty.
///
/// `faults` is told what of the old tables is damaged. On an error `new` is half made.
pub fn rebuild(
    source: &mut Source,
    new: Arc<dyn Tables>,
    cache_mib: usize,
    faults: &mut dyn FnMut(Fault),
    progress: Progress<'_>,
) -> Result<Rebuilt, RebuildError> {
    let new = Copied::all(new);
    let mut copy = Copy::new(&new);
    copy.signed(source, faults, progress)?;
    let stated = match source.old() {
        None => None,
        Some(old) => readable(old.head())?.flatten(),
    };
    let stated = stated.and_then(|row| Head::parse(&row).ok());
    let end = stated.map_or(u64::MAX, |head| head.size.get());
    copy.unsigned(source, end)?;
    let (size, root) = (copy.frontier.size(), copy.frontier.root());
    let mut replayer = replay(&new, size, cache_mib, progress)?;
    let (head, has_invitations) = finish(&new, source, root, &mut replayer)?;
    Ok(Rebuilt {
        head,
        lost: stated.map(|head| head.size.get().saturating_sub(size.get())),
        has_invitations,
    })
}

/// Entries on their way into new tables.
struct Copy<'a> {
    new: &'a Copied,
    batch: Batch,
    frontier: Frontier,
}

impl<'a> Copy<'a> {
    fn new(new: &'a Copied) -> Self {
        Copy {
            new,
            batch: Batch::new(),
            frontier: Frontier::new(),
        }
    }

    /// Copies what was signed.
    fn signed(
        &mut self,
        source: &mut Source,
        faults: &mut dyn FnMut(Fault),
        progress: Progress<'_>,
    ) -> Result<(), RebuildError> {
        for index in 0..source.bundles() {
            let bundle = source.bundle(index)?;
            let found = source.take_faults();
            let lost = found.last().map(|fault| fault.place.to_string());
            found.into_iter().for_each(&mut *faults);
            let Some(bundle) = bundle else {
                return Err(RebuildError::Lost(lost.unwrap_or_default()));
            };
            let bytes = Bytes::copy_from_slice(bundle.bytes());
            let entries: Result<Vec<&[u8]>, BundleError> = bundle::entries(&bytes).collect();
            self.put(&entries?)?;
            if (index + 1).is_multiple_of(BUNDLES) {
                self.commit()?;
                progress("copied", self.frontier.size().get(), source.size().get());
            }
        }
        self.commit()?;
        let (found, signed) = (self.frontier.root(), source.root());
        if found != signed {
            return Err(RebuildError::Root { found, signed });
        }
        progress("copied", source.size().get(), source.size().get());
        Ok(())
    }

    /// Copies what was not signed yet, up to `end` or the first entry that is missing or damaged.
    fn unsigned(&mut self, source: &Source, end: u64) -> Result<(), RebuildError> {
        let Some(old) = source.old() else {
            return Ok(());
        };
        let mut at = self.frontier.size().get();
        while at < end {
            let Some(entry) = readable(records::read_entry(old, LeafIndex::new(at)))? else {
                break;
            };
            self.put(&[&entry])?;
            at += 1;
            if at.is_multiple_of(BUNDLES * WIDTH) {
                self.commit()?;
            }
        }
        self.commit()
    }

    fn put(&mut self, entries: &[&[u8]]) -> Result<(), RebuildError> {
        let first = self.frontier.size().get();
        let hashes: Vec<Hash> = entries.iter().copied().map(leaf_hash).collect();
        let mut segment = Vec::new();
        let mut start = first;
        for (at, entry) in (first..).zip(entries) {
            bundle::push(&mut segment, entry)?;
            if (at + 1).is_multiple_of(SEGMENT) || at + 1 == first + entries.len() as u64 {
                let key = start.to_be_bytes().to_vec();
                let segment = std::mem::take(&mut segment);
                self.batch.put(Table::Segments, key, segment);
                start = at + 1;
            }
        }
        for (tile, hashes) in self.frontier.append(&hashes) {
            let bytes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
            self.batch.put(Table::Tiles, records::tile_key(tile), bytes);
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), RebuildError> {
        Ok(self.new.commit(std::mem::take(&mut self.batch))?)
    }
}

/// Makes the rows that follow from the entries, which must keep the log's rules.
fn replay(
    new: &Copied,
    size: TreeSize,
    cache_mib: usize,
    progress: Progress<'_>,
) -> Result<Replayer, RebuildError> {
    let failed = |error: ReplayError| RebuildError::Replay(Box::new(error));
    let replayer = Replayer::load(new.clone(), Rules::default(), cache_mib);
    let mut replayer = replayer.map_err(|error| failed(error.into()))?;
    let never = AtomicBool::new(false);
    while replayer.rules().size() < size {
        replayer.run(size.get(), PIECE, &never).map_err(failed)?;
        progress("replayed", replayer.rules().size().get(), size.get());
    }
    Ok(replayer)
}

/// Stores the head, takes away what only an auditor's copy has, and keeps which invitations were
/// used, which no entry says. Returns the head, and whether these could be read.
fn finish(
    new: &Copied,
    source: &Source,
    root: Hash,
    replayer: &mut Replayer,
) -> Result<(Head, bool), RebuildError> {
    let rules = replayer.rules();
    let head = Head {
        size: rules.size(),
        root,
        last_ms: rules.last_at_ms(),
        last_commitment: rules.committed(),
    };
    let mut batch = Batch::new();
    batch.delete(Table::Meta, RULES);
    for (key, _) in beginning(new, OWNER)? {
        batch.delete(Table::Meta, key);
    }
    let used = match source.old() {
        None => None,
        Some(old) => readable(beginning(old, INVITATION))?,
    };
    let has_invitations = used.is_some();
    for (key, row) in used.into_iter().flatten() {
        batch.put(Table::Meta, key, row);
    }
    let signed = source.size().get().to_be_bytes().to_vec();
    batch.put(Table::Meta, SIGNED, signed);
    batch.with_head(None, head.to_bytes());
    new.commit(batch)?;
    replayer.close()?;
    Ok((head, has_invitations))
}

/// The rows of `Meta` whose keys begin like that.
fn beginning(tables: &Copied, with: &[u8]) -> Result<Vec<(Vec<u8>, Bytes)>, RecordError> {
    let to = [with, &[0xff; 64]].concat();
    Ok(tables.range(Table::Meta, with, &to, usize::MAX)?)
}
