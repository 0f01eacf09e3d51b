//! A log: its store, its checkpoint file, and what is derived from them at every start.
//!
//! [`Log::open`] holds the store against the last signed checkpoint and the index against the last
//! commitment. What comes of it may be signed. `write` appends to a log and publishes it.
//!
//! Left out: who may append what (`admission`), when (`sequencer`), and by which protocol (`api`).

mod clock;
mod write;

pub(crate) use clock::now_ms;
pub use clock::{ClockJumped, clock_ok};
pub use write::{SignedHead, WriteError};

use crate::{
    checkpoint_file::{CheckpointFile, CheckpointFileError},
    index::{self, Index, IndexError},
    records::{self, RecordError},
    registry::Directory,
    rotation::{LogKeys, SharedLogKeys},
    signer::{key::KeyFailed, log::LogSigner},
    storage::{Batch, Reads, StorageError, Table, Tables},
    view::{StoredTiles, View, stored_root},
};
use assay_claims::entry::EntryError;
use assay_claims::index::Commitment;
use assay_claims::sequencer::{Head, HeadError, Refusal, Sequencer, resume};
use assay_tlog::checkpoint::{CheckpointError, VerifiedCheckpoint};
use assay_tlog::tree::{Frontier, TreeSize};
use clock::LogClock;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// How far the clock may be behind the last entry without a word, in milliseconds: clocks are set
/// back by as much when they are corrected.
const BEHIND_MS: u64 = 300_000;

/// Why a log cannot be opened, or must not be signed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The checkpoint file cannot be used.
    #[error(transparent)]
    CheckpointFile(#[from] CheckpointFileError),
    /// The last checkpoint does not verify by the log's key.
    #[error(
        "the checkpoint file {path} does not hold a checkpoint of this log by the key that it has \
         now: the file is another log's, or the key is one from before a rotation, or the file is. \
         Bring back the file and the key that belong together",
        path = path.display()
    )]
    OtherLog {
        /// The checkpoint file.
        path: PathBuf,
        /// What is wrong with the checkpoint.
        source: CheckpointError,
    },
    /// The checkpoint file ends before what the store knows to be signed.
    #[error(
        "the checkpoint file ends with a checkpoint over {found} entries, but the store knows of \
         one over {signed}: the file lost its end, or an older copy of it was put back. Bring the \
         newer one back. If there is none, and this data folder is the one that ran last, start \
         once with --checkpoint-file-lost-its-end"
    )]
    LostEnd {
        /// The size that the file ends with.
        found: TreeSize,
        /// The size that was signed.
        signed: TreeSize,
    },
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A row of the store cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The head of the store cannot be read.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The store has no head: nothing was ever written to it.
    #[error(
        "the store holds no log. `assay-node init` makes a new one; to go on with an old one, \
         restore its data folder"
    )]
    NoLog,
    /// A quorum of witnesses cosigned a tree that this disk does not have.
    #[error(
        "a quorum of witnesses has cosigned this log with {size} entries, which is not the tree \
         of this data folder and checkpoint file: they are older than what was published, or \
         another log's. Bring the newer ones back; to sign with these would show two histories"
    )]
    Old {
        /// The size that was cosigned.
        size: TreeSize,
    },
    /// The store and the last signed checkpoint contradict each other.
    #[error("refusing to sign: {0}")]
    Refusal(#[from] Refusal),
    /// The index and the log contradict each other, or the index cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// Why a log was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The store failed, or is not empty.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The first rows.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The first leaf.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The checkpoint file cannot be written, or exists.
    #[error(transparent)]
    CheckpointFile(#[from] CheckpointFileError),
    /// The key did not sign.
    #[error(transparent)]
    Key(#[from] KeyFailed),
}

/// What a log has signed last, and what it takes to sign more.
#[derive(Debug)]
pub struct Signed {
    keys: SharedLogKeys,
    file: CheckpointFile,
    last: VerifiedCheckpoint,
    /// Whether the file may lack its end.
    is_forgiven: bool,
}

impl Signed {
    /// Opens the checkpoint file at `path` and verifies its last checkpoint by the key of now. The
    /// keys may change while the log is open.
    ///
    /// The file stays locked until this, or the [`Log`] that takes it, is dropped.
    pub fn open(path: &Path, keys: SharedLogKeys) -> Result<Self, OpenError> {
        let (file, note) = CheckpointFile::open(path)?;
        let now = keys.load().verifier();
        let last =
            VerifiedCheckpoint::verify(&note, &now).map_err(|source| OpenError::OtherLog {
                path: path.into(),
                source,
            })?;
        Ok(Signed {
            keys,
            file,
            last,
            is_forgiven: false,
        })
    }

    /// The same, though the store knows of later checkpoints. The operator says that the store is
    /// the one that ran last: what it holds begins with whatever was signed.
    pub fn forgive_lost_end(self) -> Self {
        Signed {
            is_forgiven: true,
            ..self
        }
    }

    /// What was signed last.
    pub fn last(&self) -> &VerifiedCheckpoint {
        &self.last
    }
}

/// What readers are shown first.
#[derive(Debug)]
pub enum Shown {
    /// What the log signed last: it asks no witnesses.
    LastSigned,
    /// What a quorum cosigned last, if anything, as far as this node remembers.
    Witnessed(Option<VerifiedCheckpoint>),
}

/// Memory for what is read again and again, in MiB.
#[derive(Clone, Copy, Debug)]
pub struct Caches {
    /// Expanded tiles, from which proofs are made.
    pub tiles_mib: usize,
    /// Pages of the index.
    pub index_mib: usize,
}

/// A log that may be signed.
pub struct Log<S> {
    store: Arc<S>,
    view: Arc<View<S>>,
    directory: Arc<Directory>,
    signer: LogSigner,
    file: CheckpointFile,
    state: Sequencer,
    index: Index,
    /// How long the index has taken for the next commitment so far.
    index_took: Duration,
    /// What was signed last.
    last: SignedHead,
    clock: LogClock,
}

impl<S: Tables> Log<S> {
    /// Opens the log that `store` holds and that `signed` speaks of.
    ///
    /// On `Ok` the store holds the last signed tree, or one that extends it, and the index is the
    /// one of the last commitment. The root of both trees was computed from the stored tiles.
    /// Fails with [`OpenError::Refusal`] or [`OpenError::Index`] if there is a contradiction. Then
    /// the log must not be signed.
    pub fn open(
        store: Arc<S>,
        signed: Signed,
        caches: Caches,
        shown: Shown,
    ) -> Result<Self, OpenError> {
        let Signed {
            keys,
            file,
            last,
            is_forgiven,
        } = signed;
        let head = store.head()?.ok_or(OpenError::NoLog)?;
        if !is_forgiven {
            refuse_lost_end(&*store, last.size())?;
        }
        let state = resume_from(&*store, Head::parse(&head)?, &last)?;
        let directory = Directory::load(&*store)?;
        tracing::info!(
            origin = keys.load().origin(),
            size = %state.head().size,
            published = %last.size(),
            issuers = directory.issuers(),
            "log opened"
        );
        let index = index::recover(&*store, state.head(), caches.index_mib)?;
        // After a crash between commit and signature, the index is that of a checkpoint which is
        // about to be signed, and not of the last one.
        let is_last = state.head().last_commitment == last.size();
        let signer = LogSigner::new(keys, &last);
        let last = SignedHead {
            index: is_last.then(|| index.map().clone()),
            checkpoint: last,
        };
        let view = View::new(store.clone(), caches.tiles_mib);
        view.sign(last.checkpoint.size());
        match shown {
            Shown::LastSigned => view.publish(last.checkpoint.clone(), last.index.clone())?,
            Shown::Witnessed(None) => {}
            Shown::Witnessed(Some(checkpoint)) => show_witnessed(&view, checkpoint, &last)?,
        }
        // Until the next entry, which an idle log may wait for long.
        metrics::gauge!("assay_tree_size").set(state.head().size.get() as f64);
        if let Ok(published) = view.published() {
            let size = published.checkpoint().size();
            metrics::gauge!("assay_published_size").set(size.get() as f64);
        }
        Ok(Log {
            clock: LogClock::load(&*store, state.head().size)?,
            store,
            view: Arc::new(view),
            directory: Arc::new(directory),
            signer,
            file,
            state,
            index,
            index_took: Duration::ZERO,
            last,
        })
    }

    /// Says what is wrong with this machine's clock, if something is. Nothing is written by a clock
    /// that jumped ahead ([`WriteError::Clock`]); one that is behind dates nothing anew.
    pub fn look_at_clock(&mut self) {
        let last_ms = self.state.head().last_ms;
        let now_ms = match self.clock.now(last_ms) {
            Ok(now_ms) => now_ms,
            Err(jumped) => return tracing::error!(%jumped, "the log is not written by this clock"),
        };
        let behind_ms = last_ms.saturating_sub(now_ms);
        metrics::gauge!("assay_clock_behind_seconds").set(behind_ms as f64 / 1000.0);
        if behind_ms > BEHIND_MS {
            tracing::error!(
                behind_s = behind_ms / 1000,
                "this machine's clock is behind the log's last entry, whose time is given again \
                 until it has passed. Is the clock right?"
            );
        }
    }

    /// The store that holds the log.
    pub fn store(&self) -> &Arc<S> {
        &self.store
    }

    /// What readers are shown of the log.
    pub fn view(&self) -> &Arc<View<S>> {
        &self.view
    }

    /// The issuers in force.
    pub fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// What signs the log.
    pub fn keys(&self) -> &SharedLogKeys {
        self.signer.keys()
    }

    /// The log's verifier key, in the text form of C2SP signed-note.
    pub fn vkey(&self) -> String {
        self.signer.keys().load().verifier().to_string()
    }
}

/// Makes a log in an empty store: leaf 0, which commits to the empty index (docs/design.md 3.5),
/// and a new checkpoint file at `path` with the signed checkpoint over that leaf.
///
/// On `Ok` both are durable. On an error they may be half made, and are not a log.
pub fn create(store: &impl Tables, path: &Path, keys: &LogKeys) -> Result<(), CreateError> {
    let mut nothing = Batch::new();
    nothing.with_head(None, Head::empty().to_bytes());
    store.commit(nothing)?;
    let step = Sequencer::empty().plan_commitment(now_ms(), &Commitment::empty())?;
    store.commit(records::batch(&step)?)?;
    let head = step.next.head();
    let note = keys.sign(head.size, head.root)?;
    Ok(CheckpointFile::create(path)?.append(&note)?)
}

/// Shows what a quorum cosigned before this start. Each head is in the checkpoint file before
/// anybody is asked to cosign it, so one that is not of the tree that was signed last says that
/// this disk is an old one.
fn show_witnessed<S: Reads>(
    view: &View<S>,
    checkpoint: VerifiedCheckpoint,
    last: &SignedHead,
) -> Result<(), OpenError> {
    let signed = last.checkpoint.checkpoint();
    let size = checkpoint.size();
    if size > signed.size || stored_root(view.store(), size)? != checkpoint.root() {
        return Err(OpenError::Old { size });
    }
    let is_last = checkpoint.checkpoint() == signed;
    let index = last.index.clone().filter(|_| is_last);
    Ok(view.publish(checkpoint, index)?)
}

/// Fails with [`OpenError::LostEnd`] if more was signed than the checkpoint file says, which ends
/// with a checkpoint over `found` entries.
pub(crate) fn refuse_lost_end(
    store: &(impl Reads + ?Sized),
    found: TreeSize,
) -> Result<(), OpenError> {
    let Some(row) = store.get(Table::Meta, records::SIGNED)? else {
        return Ok(());
    };
    let signed = TreeSize::new(records::parse_index(&row)?.get());
    if signed <= found {
        return Ok(());
    }
    Err(OpenError::LostEnd { found, signed })
}

/// Computes both roots from the stored tiles and asks core whether the log may go on. Returns the
/// state to go on from.
fn resume_from(
    store: &impl Reads,
    head: Head,
    last: &VerifiedCheckpoint,
) -> Result<Sequencer, OpenError> {
    let root_at_last = (head.size >= last.size())
        .then(|| stored_root(store, last.size()))
        .transpose()?;
    resume(head, last, root_at_last, stored_root(store, head.size)?)?;
    let frontier = Frontier::load(&StoredTiles(store), head.size)
        .map_err(|e| RecordError::Damaged(e.to_string()))?;
    Ok(Sequencer::new(head, frontier)
        .ok_or_else(|| RecordError::Damaged("its right edge does not belong to its head".into()))?)
}
