//! What a mirror has of one log, in memory and in the store: loading, appending, and, in
//! `cosign`, cosigning. All of it blocks.
//!
//! If anything fails here, the copy in memory is dropped and loaded again from what is stored.

mod cosign;

use super::copied::Shared;
use super::fault::RoundError;
use super::limits::{self, LogLimits, NoRoom};
use super::shelf::ShownLog;
use super::store::{Rows, StoredLog, StoredTiles, damaged};
use crate::records::RecordError;
use crate::storage::{Batch, Tables};
use assay_tlog::Hash;
use assay_tlog::hash::leaf_hash;
use assay_tlog::head::{LogVerifier, VerifiedHead};
use assay_tlog::mirror::{
    AppendError, Ended, Followed, Fork, Info, Mirror, Older, Upload, UploadHeader, UploadRefusal,
    VerifiedBundle, VerifiedTree,
};
use assay_tlog::tree::tile::TILE_WIDTH;
use assay_tlog::tree::{TileIndex, TreeSize, bundle};
use assay_tlog::witness::{Answer, LogState, Refused, SignedRequest};
use bytes::Bytes;
use std::sync::Arc;

/// One log, as far as it is copied.
pub struct Copy<S> {
    shared: Arc<Shared<S>>,
    log: Arc<LogVerifier>,
    shown: Arc<ShownLog>,
    limits: LogLimits,
    /// What is copied, and what is pending.
    pub mirror: Mirror,
    /// What the copy takes of the disk.
    bytes: u64,
    state: LogState,
    lines: String,
    /// Whether what is stored as cosigned was signed and is shown.
    is_shown: bool,
    /// Whether the log sent checkpoints since this was loaded. It publishes them later.
    is_pushed: bool,
}

impl<S: Tables> Copy<S> {
    /// Loads what is stored, and shows what was cosigned of it.
    pub fn load(
        shared: Arc<Shared<S>>,
        log: Arc<LogVerifier>,
        shown: Arc<ShownLog>,
        limits: LogLimits,
    ) -> Result<Self, RoundError> {
        let StoredLog {
            stored,
            state,
            lines,
            bytes,
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
            limits,
            mirror,
            bytes,
            state,
            lines,
            is_shown: false,
            is_pushed: false,
        };
        copy.show_loaded()
    }

    /// What the entries take of the disk, as limits count it.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    fn rows(&self) -> Rows {
        self.shown.rows
    }

    /// The stored tiles.
    pub fn tiles(&self) -> StoredTiles<'_, S> {
        StoredTiles {
            tables: &*self.shared.store,
            rows: self.rows(),
        }
    }

    /// Makes the head of a tree the pending one, if there is room for it, and stores that.
    pub fn follow(&mut self, tree: &VerifiedTree) -> Result<Followed, RoundError> {
        self.limits.check_size(tree.size())?;
        let followed = self.mirror.follow(tree)?;
        if followed == Followed::Pending {
            self.store_pending()?;
        }
        Ok(followed)
    }

    /// Makes a head pending that is smaller than the one held, whose tree is `tree`. After a
    /// restart only the largest is, so that nothing is stored. Fails with
    /// [`AppendError::OtherTree`] if a larger head came meanwhile.
    pub fn follow_smaller(
        &mut self,
        head: &VerifiedHead,
        tree: &VerifiedTree,
    ) -> Result<Followed, RoundError> {
        if self.mirror.held() != Some(tree.head()) {
            return Err(AppendError::OtherTree.into());
        }
        Ok(self.mirror.follow_smaller(head, tree)?)
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

    /// Makes a head pending that came to `add-checkpoint`, and stores that. Returns what is
    /// answered otherwise.
    pub fn add_checkpoint(
        &mut self,
        request: &SignedRequest,
    ) -> Result<Result<(), Box<Refused>>, RoundError> {
        let before = self.mirror.pending().map(VerifiedHead::size);
        let added = self.mirror.add_checkpoint(request);
        if self.mirror.pending().map(VerifiedHead::size) != before {
            self.store_pending()?;
        }
        self.is_pushed |= added.is_ok();
        Ok(added)
    }

    /// Decides whether an upload is taken; `recalled` is what its ticket says. Returns what is
    /// answered otherwise.
    pub fn accept(
        &mut self,
        header: UploadHeader,
        recalled: Option<VerifiedHead>,
    ) -> Result<Upload, Answer> {
        let end = TreeSize::new(header.range().end);
        self.mirror
            .accept(header, recalled.clone())
            .map_err(|refusal| {
                let known = self.mirror.known(end).cloned().or(recalled);
                let known = known.filter(|_| refusal.end_is_valid());
                let head = known.as_ref().or(self.mirror.held());
                refusal.answer(head.map(|head| self.info(head)).as_ref())
            })
    }

    /// Where an upload of the tree of `head` can go on.
    pub fn info(&self, head: &VerifiedHead) -> Info {
        Info::new(&self.mirror, head, self.shared.tickets.issue(head.note()))
    }

    /// Stores what is missing of a package of an upload, which was verified.
    pub fn append_package(
        &mut self,
        upload: &Upload,
        package: VerifiedBundle,
    ) -> Result<(), RoundError> {
        // The log may have overtaken it since the last package.
        self.mirror.recall(upload.head().clone());
        self.append(package)
    }

    /// The stored entries before this one in the same bundle, which must have the stored leaf
    /// hashes: else the client would be blamed for what this disk did.
    pub fn before(&self, entry: u64) -> Result<Bytes, RoundError> {
        let (index, width) = (entry / TILE_WIDTH as u64, entry as usize % TILE_WIDTH);
        if width == 0 {
            return Ok(Bytes::new());
        }
        let store = &*self.shared.store;
        let bytes = self.rows().read_bundle(store, index, width)?;
        let hashes = self
            .rows()
            .read_tile(store, TileIndex { level: 0, index }, width)?;
        let entries = bundle::entries(&bytes).flatten();
        let leaves = entries.flat_map(|entry| *leaf_hash(entry).as_bytes());
        if !leaves.eq(hashes.iter().copied()) {
            self.shown.mark_damaged(index);
            let what = format!("bundle {index} has not the hashes of its tile");
            return Err(damaged(what).into());
        }
        Ok(bytes)
    }

    /// Mirrors and cosigns the tree of an upload of which all packages were stored. Returns the
    /// answer.
    pub fn complete_upload(&mut self, upload: &Upload) -> Result<Answer, RoundError> {
        let size = upload.head().size();
        self.mirror.recall(upload.head().clone());
        let lines = self.finish_upload(size)?;
        if self.is_convicted() {
            return Ok(UploadRefusal::Convicted.answer(None));
        }
        if let Some(lines) = lines {
            return Ok(Ended::Complete(lines).answer());
        }
        let head = self.mirror.held().unwrap_or(upload.head());
        Ok(UploadRefusal::Overtaken(size.get()).answer(Some(&self.info(head))))
    }

    /// Appends a bundle, and stores it with the tiles that change, unless it is here already.
    pub fn append(&mut self, bundle: VerifiedBundle) -> Result<(), RoundError> {
        self.append_all([Ok(bundle)])
    }

    /// Appends bundles one after the other, up to the first that fails. What was appended is stored
    /// by one commit, since a sync takes longer than all else of a bundle.
    pub fn append_all(
        &mut self,
        bundles: impl IntoIterator<Item = Result<VerifiedBundle, RoundError>>,
    ) -> Result<(), RoundError> {
        let (mut batch, mut bytes, mut count) = (Batch::new(), self.bytes, 0);
        let ended = bundles.into_iter().try_for_each(|bundle| {
            let bundle = bundle?;
            self.check_room(bytes, bundle.bytes().len() as u64)?;
            if let Some(write) = self.mirror.append(bundle)? {
                bytes += limits::taken(write.new, write.new_bytes);
                self.rows().put_bundle(&mut batch, write, bytes);
                count += 1;
            }
            Ok(())
        });
        if count > 0 {
            self.shared.store.commit(batch)?;
            self.bytes = bytes;
            self.shown.changed.notify_one();
            metrics::counter!("assay_mirror_bundles_total").increment(count);
        }
        ended
    }

    /// Fails if so many bytes more are more than there is room for, once the entries take `taken`.
    fn check_room(&self, taken: u64, more: u64) -> Result<(), RoundError> {
        self.limits.check_bytes(taken.saturating_add(more))?;
        let more = more.saturating_add(taken.saturating_sub(self.bytes));
        let free = (self.shared.free)()?;
        let reserve = self.shared.reserve;
        if free < reserve.saturating_add(more) {
            return Err(NoRoom::Disk {
                free_mib: free >> 20,
                reserve_mib: reserve >> 20,
            }
            .into());
        }
        Ok(())
    }

    /// Puts a full tile in the place of what is stored.
    pub fn put_tile(&self, at: TileIndex, hashes: &[Hash]) -> Result<(), RoundError> {
        let mut batch = Batch::new();
        self.rows().put_tile(&mut batch, at, hashes);
        Ok(self.shared.store.commit(batch)?)
    }

    /// Puts a bundle of the tree of `size`, and the tile with its leaf hashes, in the place of what
    /// is stored. Returns false, and changes nothing, if more entries of it are stored than that
    /// tree has: it is repaired once these are mirrored, too.
    pub fn replace(&self, bundle: VerifiedBundle, size: TreeSize) -> Result<bool, RoundError> {
        let index = bundle.index();
        let at = TileIndex { level: 0, index };
        if !self.is_whole(at, size) {
            return Ok(false);
        }
        let mut batch = Batch::new();
        self.rows().put_tile(&mut batch, at, bundle.hashes());
        self.rows()
            .put_entries(&mut batch, index, bundle.bytes().to_vec());
        self.shared.store.commit(batch)?;
        Ok(true)
    }

    /// Puts the tiles on the right edge of a tree in the place of those that are stored and are not
    /// the same. Returns how many these were.
    pub fn replace_edge(&self, tree: &VerifiedTree) -> Result<usize, RoundError> {
        let mut batch = Batch::new();
        let mut replaced = 0;
        for (at, tile) in tree
            .known()
            .filter(|(at, _)| self.is_whole(*at, tree.size()))
        {
            let stored = self.rows().read_tile(&*self.shared.store, at, tile.width());
            let is_same = match stored {
                Ok(bytes) => tile.to_bytes() == bytes,
                Err(RecordError::Damaged(_)) => false,
                Err(error) => return Err(error.into()),
            };
            if !is_same {
                self.rows().put_tile(&mut batch, at, tile.hashes());
                replaced += 1;
            }
        }
        if replaced > 0 {
            self.shared.store.commit(batch)?;
        }
        Ok(replaced)
    }

    /// Whether no more of a tile is stored than the tree of `size` has.
    fn is_whole(&self, at: TileIndex, size: TreeSize) -> bool {
        at.width_at(self.mirror.entries()) == at.width_at(size)
    }

    /// Fails with [`RoundError::Fork`] if a head that is older than the one held convicts the log.
    pub fn check_fork(&self, head: &VerifiedHead) -> Result<(), RoundError> {
        match self.mirror.older(head, &self.tiles())? {
            Older::Fork(fork) => Err(RoundError::Fork(Fork::clone(&fork))),
            Older::Consistent | Older::Unknown => Ok(()),
        }
    }

    /// What a head proves that is published and older than the one held. Fails with
    /// [`RoundError::OldHead`] if it proves nothing, unless the log brings its entries here before
    /// it publishes them.
    pub fn older(&self, head: &VerifiedHead) -> Result<(), RoundError> {
        self.check_fork(head)?;
        if self.is_pushed {
            return Ok(());
        }
        let held = self.mirror.held().map(VerifiedHead::size);
        Err(RoundError::OldHead {
            served: head.size(),
            held: held.unwrap_or_default(),
        })
    }
}
