//! What a mirror has of one log, in memory and in the store: loading, appending, cosigning. All of
//! it blocks.
//!
//! If anything fails here, the copy in memory is dropped and loaded again from what is stored.

use super::clock::MirrorClock;
use super::fault::RoundError;
use super::shelf::{ShownHead, ShownLog};
use super::store::{Rows, StoredLog, StoredTiles};
use crate::misbehavior::Evidence;
use crate::storage::{Batch, Tables};
use arc_swap::ArcSwap;
use assay_tlog::head::{LogVerifier, VerifiedHead};
use assay_tlog::mirror::{Fork, Mirror, Older, VerifiedTree};
use assay_tlog::note::Note;
use assay_tlog::witness::{LogState, Persisted, WitnessKeys};
use std::sync::Arc;

/// Seconds after which an idle head is cosigned again, at a new time.
const REFRESH_S: u64 = 600;

/// Longest signature lines of others that are kept with a head, in bytes: twelve of ML-DSA-44.
const LINES_BYTES: usize = 48 << 10;

/// What is the same for every log of a mirror.
pub struct Shared<S> {
    /// Where copies are stored.
    pub store: Arc<S>,
    /// What the mirror signs with.
    pub keys: Arc<ArcSwap<WitnessKeys>>,
    /// Its clock.
    pub clock: MirrorClock,
    /// What is told of logs that sign two histories.
    pub evidence: Option<Arc<Evidence>>,
}

/// One log, as far as it is copied.
pub struct Copy<S> {
    shared: Arc<Shared<S>>,
    log: Arc<LogVerifier>,
    shown: Arc<ShownLog>,
    /// What is copied, and what is pending.
    pub mirror: Mirror,
    state: LogState,
    lines: String,
}

impl<S: Tables> Copy<S> {
    /// Loads what is stored, and shows what was cosigned of it.
    pub fn load(
        shared: Arc<Shared<S>>,
        log: Arc<LogVerifier>,
        shown: Arc<ShownLog>,
    ) -> Result<Self, RoundError> {
        let StoredLog {
            stored,
            state,
            lines,
        } = shown.rows.load(&*shared.store, &log)?;
        let tiles = StoredTiles {
            tables: &*shared.store,
            rows: shown.rows,
        };
        let mirror = Mirror::resume(stored, &tiles)?;
        let copy = Copy {
            shared,
            log,
            shown,
            mirror,
            state,
            lines,
        };
        copy.show()?;
        Ok(copy)
    }

    fn rows(&self) -> Rows {
        self.shown.rows
    }

    /// Stores which head is pending.
    pub fn store_pending(&self) -> Result<(), RoundError> {
        if let Some(pending) = self.mirror.pending() {
            let mut batch = Batch::new();
            self.rows().put_pending(&mut batch, pending);
            self.shared.store.commit(batch)?;
        }
        Ok(())
    }

    /// Checks a bundle, appends it, and stores it with the tiles that change.
    pub fn append(
        &mut self,
        tree: &VerifiedTree,
        index: u64,
        bytes: Vec<u8>,
    ) -> Result<(), RoundError> {
        let bundle = tree.bundle(index, bytes)?;
        let write = self.mirror.append(bundle)?;
        let mut batch = Batch::new();
        self.rows().put_bundle(&mut batch, write);
        self.shared.store.commit(batch)?;
        Ok(())
    }

    /// Cosigns and shows the head once all of it is stored, or again if that was a while ago.
    /// `note` is what was fetched of the log, with the signatures of others.
    pub fn finish(&mut self, note: &str) -> Result<(), RoundError> {
        let is_new = self.mirror.finish()?.is_some();
        // What it signs now is worth nothing. What was cosigned before stays to be had.
        let evidence = self.shared.evidence.as_ref();
        if evidence.is_some_and(|evidence| evidence.convicts_log(self.log.origin())) {
            return Ok(());
        }
        let Some(head) = self.mirror.mirrored().cloned() else {
            return Ok(());
        };
        let lines = self.others(&head, note);
        let is_stale = self.shared.clock.now() >= self.state.at().saturating_add(REFRESH_S);
        // Stored and never cosigned: the clock was wrong, or the process was killed.
        let is_unsigned = self.state.size() != head.size() || self.state == LogState::Never;
        let is_changed = lines.as_ref().is_some_and(|lines| *lines != self.lines);
        if !(is_new || is_stale || is_unsigned || is_changed) {
            return Ok(());
        }
        let lines = lines.unwrap_or_default();
        let mut batch = Batch::new();
        let at = self.shared.clock.state(self.state.at(), &mut batch)?;
        self.rows().put_cosigned(&mut batch, &head, at, &lines);
        self.shared.store.commit(batch)?;
        self.state = LogState::Held {
            size: head.size(),
            root: head.root(),
            at,
        };
        self.lines = lines;
        self.show()
    }

    /// The signature lines of others that came with this head, or `None` if `note` is another one.
    fn others(&self, head: &VerifiedHead, note: &str) -> Option<String> {
        let fetched = self.log.verify(note).ok()?;
        if (fetched.size(), fetched.root()) != (head.size(), head.root()) {
            return None;
        }
        let mut lines = String::new();
        for line in Note::parse_checkpoint(note).ok()?.signatures() {
            let text = line.to_string();
            let is_own = line.name() == self.shared.keys.load().name();
            let fits = lines.len() + text.len() <= LINES_BYTES;
            if !is_own && fits && !head.note().contains(&text) {
                lines.push_str(&text);
            }
        }
        Some(lines)
    }

    /// Signs what is stored as cosigned, and shows it.
    fn show(&self) -> Result<(), RoundError> {
        let Some(head) = self.mirror.mirrored() else {
            return Ok(());
        };
        let persisted = Persisted::reload(&self.state, head.note(), &self.log)?;
        let cosigned = persisted.sign(&self.shared.keys.load())?;
        let signed = cosigned.note();
        let (ours, theirs) = (&signed[head.note().len()..], &self.lines);
        let shown = ShownHead {
            note: format!("{}{theirs}{ours}", head.note()),
            size: head.size(),
        };
        self.shown.head.store(Some(Arc::new(shown)));
        Ok(())
    }

    /// What a head proves that is older than the one held.
    pub fn older(&self, head: &VerifiedHead) -> Result<(), RoundError> {
        let tiles = StoredTiles {
            tables: &*self.shared.store,
            rows: self.rows(),
        };
        if let Older::Fork(fork) = self.mirror.older(head, &tiles)? {
            return Err(RoundError::Fork(Fork::clone(&fork)));
        }
        let held = self.mirror.held().map(VerifiedHead::size);
        Err(RoundError::OldHead {
            served: head.size(),
            held: held.unwrap_or_default(),
        })
    }
}
