//! Bringing back what a disk damaged: from the log, or from another mirror of it.
//!
//! What comes is checked against the signed root before it replaces anything, so that nobody who is
//! asked need be trusted. What was read is never taken from one row to mend another.

use super::copied::Copied;
use super::fault::RoundError;
use super::limits::BESIDE_OTHERS;
use super::shelf::ShownHead;
use super::site::{FetchError, Site};
use super::sources::Source;
use crate::reason::with_causes;
use crate::records::RecordError;
use crate::storage::{Batch, StorageError, Tables};
use assay_tlog::mirror::{VerifiedBundle, VerifiedTree};
use assay_tlog::tree::bundle::BUNDLE_BYTES;
use assay_tlog::tree::tile::TILE_WIDTH;
use assay_tlog::tree::{Tile, TileIndex, TreeSize};
use std::sync::Arc;

/// What became of a bundle and the tiles that lead to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scrubbed {
    /// All of it is as it should be.
    Sound,
    /// Something was not, and is again.
    Repaired,
    /// Something is not, and nobody has it.
    Lost,
}

impl<S: Tables + 'static> Copied<S> {
    /// Reads a bundle of the head that is shown, and the tiles that lead to it, and repairs what is
    /// damaged or missing. Fails if the store does.
    pub async fn scrub(&self, index: u64) -> Result<Scrubbed, RoundError> {
        let Some(head) = self.shown.head.load_full() else {
            return Ok(Scrubbed::Sound);
        };
        let width = TileIndex { level: 0, index }.width_at(head.size());
        if width == 0 {
            return Ok(Scrubbed::Sound);
        }
        metrics::counter!("assay_mirror_scrubbed_total").increment(1);
        let mut tree = head.tree.clone();
        let mut found = Scrubbed::Sound;
        while let Some(at) = tree.wanted(index..index + 1).first().copied() {
            match self.scrub_tile(&mut tree, at).await? {
                Scrubbed::Sound => {}
                Scrubbed::Repaired => found = Scrubbed::Repaired,
                Scrubbed::Lost => return Ok(Scrubbed::Lost),
            }
        }
        let of_bundle = self.scrub_bundle(tree, index, width).await?;
        let of_edge = if usize::from(width) < TILE_WIDTH {
            self.scrub_edge(head).await?
        } else {
            Scrubbed::Sound
        };
        for next in [of_bundle, of_edge] {
            if next != Scrubbed::Sound && found != Scrubbed::Lost {
                found = next;
            }
        }
        Ok(found)
    }

    /// Adds a full tile to a tree that has the one above it: the stored one, or if that is damaged,
    /// the one that somebody else has, which takes its place.
    async fn scrub_tile(
        &self,
        tree: &mut VerifiedTree,
        at: TileIndex,
    ) -> Result<Scrubbed, RoundError> {
        let (store, rows) = (self.shared.store.clone(), self.shown.rows);
        let stored = read(move || rows.read_tile(&*store, at, TILE_WIDTH)).await?;
        let stored = stored.and_then(|bytes| Tile::parse(&bytes).ok());
        if stored.is_some_and(|tile| tree.add(at, tile).is_ok()) {
            return Ok(Scrubbed::Sound);
        }
        self.report_damage(&format!("tile {}/{}", at.level, at.index));
        for source in self.sources() {
            let tile = match source.site.tile(at, TILE_WIDTH as u16).await {
                Ok(tile) => tile,
                Err(error) => {
                    self.report_useless(&source, &error);
                    continue;
                }
            };
            let hashes = tile.hashes().to_vec();
            if tree.add(at, tile).is_err() {
                continue;
            }
            self.with(move |copy| copy.put_tile(at, &hashes)).await?;
            self.count_repaired(source.who);
            return Ok(Scrubbed::Repaired);
        }
        Ok(Scrubbed::Lost)
    }

    /// Checks a stored bundle, and the tile with its leaf hashes.
    async fn scrub_bundle(
        &self,
        tree: VerifiedTree,
        index: u64,
        width: u16,
    ) -> Result<Scrubbed, RoundError> {
        let (store, rows) = (self.shared.store.clone(), self.shown.rows);
        let tile = TileIndex { level: 0, index };
        let (bundle, hashes) = {
            let (other, width) = (store.clone(), usize::from(width));
            let bundle = read(move || rows.read_bundle(&*store, index, width)).await?;
            let hashes = read(move || rows.read_tile(&*other, tile, width)).await?;
            (bundle, hashes)
        };
        let size = tree.size();
        let sound = bundle.and_then(|bytes| tree.bundle(index, bytes.into()).ok());
        if let Some(bundle) = sound {
            let right = bundle.hashes().iter().flat_map(|hash| *hash.as_bytes());
            if hashes.is_some_and(|hashes| right.eq(hashes)) {
                return Ok(Scrubbed::Sound);
            }
            self.report_damage(&format!("tile 0/{index}"));
            return self.replace(bundle, size, "own").await;
        }
        self.report_damage(&format!("bundle {index}"));
        for source in self.sources() {
            let fetched = self.fetch(&source.site, index, width).await;
            match fetched {
                Ok(bytes) => {
                    if let Ok(bundle) = tree.bundle(index, bytes) {
                        return self.replace(bundle, size, source.who).await;
                    }
                }
                Err(error) => self.report_useless(&source, &error),
            }
        }
        Ok(Scrubbed::Lost)
    }

    /// Puts a bundle, and the tile with its leaf hashes, in the place of what is stored.
    async fn replace(
        &self,
        bundle: VerifiedBundle,
        size: TreeSize,
        who: &'static str,
    ) -> Result<Scrubbed, RoundError> {
        if self.with(move |copy| copy.replace(bundle, size)).await? {
            self.count_repaired(who);
        }
        Ok(Scrubbed::Repaired)
    }

    /// Checks the stored tiles on the right edge, which are needed at the next start. They are in
    /// memory.
    async fn scrub_edge(&self, head: Arc<ShownHead>) -> Result<Scrubbed, RoundError> {
        let replaced = self.with(move |copy| copy.replace_edge(&head.tree)).await?;
        if replaced == 0 {
            return Ok(Scrubbed::Sound);
        }
        self.report_damage("the right edge of the tree");
        self.count_repaired("own");
        Ok(Scrubbed::Repaired)
    }

    async fn fetch(&self, site: &Site, index: u64, width: u16) -> Result<Vec<u8>, FetchError> {
        let room = self.shared.memory.room().await;
        let fetched = site.bundle(index, width, BESIDE_OTHERS).await;
        drop(room);
        if !matches!(fetched, Err(FetchError::TooLong { .. })) {
            return fetched;
        }
        let _long = self.shared.memory.long_room().await;
        site.bundle(index, width, BUNDLE_BYTES).await
    }

    /// Brings back the tiles on the right edge of the mirrored tree, without which nothing can be
    /// loaded, and goes on from that head: entries after it, which nobody was promised, are copied
    /// again. Returns whether somebody had them. Fails as the store does, or if what is stored of
    /// the heads cannot be relied on.
    pub async fn rebuild(&self) -> Result<bool, RoundError> {
        let (store, log, rows) = (self.shared.store.clone(), self.log.clone(), self.shown.rows);
        let stored = self.alone(move || Ok(rows.load(&*store, &log)?.stored.mirrored));
        let Some(head) = stored.await? else {
            self.restart_from(None).await?;
            return Ok(true);
        };
        for source in self.sources() {
            match source.site.edge(head.size()).await {
                Ok(edge) => {
                    if let Ok(tree) = VerifiedTree::new(head.clone(), edge) {
                        self.restart_from(Some(tree)).await?;
                        self.count_repaired(source.who);
                        return Ok(true);
                    }
                }
                Err(error) => self.report_useless(&source, &error),
            }
        }
        Ok(false)
    }

    /// Stores the edge of a tree, and that the copy ends with it.
    async fn restart_from(&self, tree: Option<VerifiedTree>) -> Result<(), RoundError> {
        let (store, rows) = (self.shared.store.clone(), self.shown.rows);
        let work = move || {
            let mut batch = Batch::new();
            let size = tree.as_ref().map_or(TreeSize::EMPTY, VerifiedTree::size);
            for (at, tile) in tree.iter().flat_map(VerifiedTree::known) {
                rows.put_tile(&mut batch, at, tile.hashes());
            }
            rows.put_size(&mut batch, size);
            Ok(store.commit(batch)?)
        };
        self.alone(work).await
    }

    fn report_damage(&self, what: &str) {
        let origin = self.log.origin();
        metrics::counter!("assay_mirror_scrub_damaged_total", "log" => origin.to_owned())
            .increment(1);
        tracing::warn!(origin, what, "what is stored of a mirrored log is damaged");
    }

    fn report_useless(&self, source: &Source, error: &FetchError) {
        let (origin, url) = (self.log.origin(), source.site.url());
        let reason = with_causes(error);
        tracing::debug!(origin, url, reason, "nothing to repair a mirrored log with");
    }

    fn count_repaired(&self, who: &'static str) {
        let origin = self.log.origin().to_owned();
        let name = "assay_mirror_scrub_repaired_total";
        metrics::counter!(name, "log" => origin.clone(), "from" => who).increment(1);
        tracing::info!(
            origin,
            from = who,
            "what was damaged of a mirrored log is repaired"
        );
    }
}

/// Reads a row on a thread that may wait. `None` if it is missing or is none.
async fn read<T: Send + 'static>(
    row: impl FnOnce() -> Result<T, RecordError> + Send + 'static,
) -> Result<Option<T>, RoundError> {
    let read = tokio::task::spawn_blocking(row).await;
    match read.map_err(|_| RoundError::Stopped)? {
        Ok(row) => Ok(Some(row)),
        // A block of the store that is damaged is a row that is missing: a new one takes its place.
        Err(RecordError::Damaged(_) | RecordError::Storage(StorageError::Corrupt { .. })) => {
            Ok(None)
        }
        Err(error) => Err(RoundError::Record(error)),
    }
}
