//! Cosigning what was copied, and showing it.

use super::Copy;
use crate::mirror::fault::RoundError;
use crate::mirror::shelf::ShownHead;
use crate::mirror::store::StoredTiles;
use crate::storage::Tables;
use assay_tlog::head::VerifiedHead;
use assay_tlog::mirror::{ResumeError, VerifiedTree};
use assay_tlog::note::Note;
use assay_tlog::tree::{ProveError, Resource, TileReader as _, TreeSize};
use assay_tlog::witness::{LogState, Persisted};
use std::{collections::BTreeSet, sync::Arc};

/// Seconds after which an idle head is cosigned again, at a new time.
const REFRESH_S: u64 = 600;

/// Seconds after which a head whose log asks again is cosigned at a new time. Anybody can ask.
const UPLOAD_REFRESH_S: u64 = 10;

/// Longest signature lines of others that are kept with a head, in bytes: twelve of ML-DSA-44.
const LINES_BYTES: usize = 48 << 10;

impl<S: Tables> Copy<S> {
    /// Cosigns and shows the largest head that is stored to its end, or again the one that was
    /// cosigned, if that was a while ago. `note` is what was fetched of the log, with the
    /// signatures of others.
    pub fn finish(&mut self, note: &str) -> Result<(), RoundError> {
        let is_new = match self.mirror.covered() {
            Some(size) => self.complete(size)?,
            None => false,
        };
        let Some(head) = self.mirror.mirrored() else {
            return Ok(());
        };
        let lines = self.others(head, note);
        let is_changed = lines.as_ref().is_some_and(|lines| *lines != self.lines);
        if is_new || is_changed || self.is_unsigned() || self.is_older_than(REFRESH_S) {
            return self.cosign(lines);
        }
        self.show_if_due()
    }

    /// Cosigns and shows the head of this size, of which all entries were brought, or again, if
    /// that was a while ago. Returns the mirror's signature lines, or `None` if the mirrored head
    /// has passed it.
    pub fn finish_upload(&mut self, size: TreeSize) -> Result<Option<String>, RoundError> {
        let is_new = self.complete(size)?;
        let Some(head) = self.mirror.mirrored().filter(|head| head.size() == size) else {
            return Ok(None);
        };
        let note = head.note().len();
        if is_new || self.is_unsigned() || self.is_older_than(UPLOAD_REFRESH_S) {
            self.cosign(None)?;
        }
        self.show_if_due()?;
        let shown = self.shown.head.load_full();
        let theirs = note + self.lines.len();
        Ok(shown.and_then(|shown| Some(shown.note.get(theirs..)?.to_owned())))
    }

    fn complete(&mut self, size: TreeSize) -> Result<bool, RoundError> {
        let tiles = StoredTiles {
            tables: &*self.shared.store,
            rows: self.shown.rows,
        };
        Ok(self.mirror.finish(size, &tiles)?)
    }

    /// Whether the mirrored head was stored and never cosigned: the clock was wrong, or the process
    /// was killed.
    fn is_unsigned(&self) -> bool {
        let size = self.mirror.mirrored().map(VerifiedHead::size);
        size.is_some_and(|size| self.state == LogState::Never || self.state.size() != size)
    }

    fn is_older_than(&self, seconds: u64) -> bool {
        self.shared.clock.now() >= self.state.at().saturating_add(seconds)
    }

    pub(super) fn is_convicted(&self) -> bool {
        let evidence = self.shared.evidence.as_ref();
        evidence.is_some_and(|evidence| evidence.convicts_log(self.log.origin()))
    }

    /// Cosigns and shows the mirrored head, unless the log is convicted: what it signs is worth
    /// nothing then, and what was cosigned before stays to be had. `lines` are the signature lines
    /// of others.
    fn cosign(&mut self, lines: Option<String>) -> Result<(), RoundError> {
        if self.is_convicted() {
            return Ok(());
        }
        let Some(head) = self.mirror.mirrored().cloned() else {
            return Ok(());
        };
        let lines = match lines {
            Some(lines) => lines,
            None if self.is_unsigned() => String::new(),
            None => self.lines.clone(),
        };
        let (store, rows) = (&*self.shared.store, self.shown.rows);
        let at = self
            .shared
            .clock
            .commit(store, self.state.at(), |batch, at| {
                rows.put_cosigned(batch, &head, at, &lines);
            })?;
        self.state = LogState::Held {
            size: head.size(),
            root: head.root(),
            at,
        };
        self.lines = lines;
        self.is_shown = false;
        self.show_if_due()
    }

    /// Shows what is stored as cosigned, unless it is shown: whoever holds a key may have been
    /// away.
    fn show_if_due(&mut self) -> Result<(), RoundError> {
        if !self.is_shown {
            self.show()?;
            self.is_shown = true;
        }
        Ok(())
    }

    /// The same when the copy is loaded. If whoever holds a key is away, the copy goes on without
    /// being shown.
    pub(super) fn show_loaded(mut self) -> Result<Self, RoundError> {
        match self.show_if_due() {
            Ok(()) => Ok(self),
            Err(error) if error.keeps_copy() => Ok(self),
            Err(error) => Err(error),
        }
    }

    /// The signature lines of others that came with this head, or `None` if `note` is another one.
    /// Without those of a cosigner known here that are forged: readers would refuse the whole head.
    fn others(&self, head: &VerifiedHead, note: &str) -> Option<String> {
        let fetched = self.log.verify(note).ok()?;
        if (fetched.size(), fetched.root()) != (head.size(), head.root()) {
            return None;
        }
        let note = Note::parse_checkpoint(note).ok()?;
        let keys = self.shared.keys.load();
        let lines = |left_out: &BTreeSet<&str>| {
            let mut lines = String::new();
            for line in note.signatures() {
                let (name, text) = (line.name(), line.to_string());
                let is_own = name == keys.name() || head.note().contains(&text);
                let fits = lines.len() + text.len() <= LINES_BYTES;
                if fits && !is_own && !left_out.contains(name) {
                    lines.push_str(&text);
                }
            }
            lines
        };
        let all = lines(&BTreeSet::new());
        // A log that stands still shows the same at each look.
        let unknown = self.shared.evidence.as_ref().filter(|_| all != self.lines);
        let known = unknown.map(|kept| kept.keys());
        Some(known.map_or(all, |keys| lines(&keys.forged_in(&note))))
    }

    /// Signs what is stored as cosigned, and shows it.
    fn show(&self) -> Result<(), RoundError> {
        let Some(head) = self.mirror.mirrored() else {
            return Ok(());
        };
        let persisted = Persisted::reload(&self.state, head.note(), &self.log)?;
        let admitted = self.shared.floors.admit(persisted)?;
        let cosigned = admitted.sign(&self.shared.keys.load())?;
        let signed = cosigned.note();
        let (ours, theirs) = (&signed[head.note().len()..], &self.lines);
        let shown = ShownHead {
            note: format!("{}{theirs}{ours}", head.note()),
            tree: self.stored_tree(head)?,
        };
        self.shown.head.store(Some(Arc::new(shown)));
        self.shown.changed.notify_one();
        Ok(())
    }

    /// The tree of a head that is stored, by the stored tiles on its right edge.
    fn stored_tree(&self, head: &VerifiedHead) -> Result<VerifiedTree, RoundError> {
        let size = head.size();
        let paths = VerifiedTree::edge(size);
        let edge = paths.iter().filter_map(|path| match path.resource() {
            Resource::Tile(at) => Some(at),
            Resource::Entries(_) => None,
        });
        let edge: Vec<_> = edge.collect();
        let tiles = self.tiles().tiles(&edge, size).map_err(ProveError::Read)?;
        let tiles = tiles.into_iter().map(Arc::unwrap_or_clone).collect();
        let tree = VerifiedTree::new(head.clone(), tiles);
        Ok(tree.map_err(|_| ResumeError::Root(size))?)
    }
}
