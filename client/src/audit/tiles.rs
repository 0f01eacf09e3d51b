//! The tiles above the leaves: which of them are due, and comparing them while the rest goes on.

use super::{AuditError, WIDTH, fetch::Site};
use assay_tlog::Hash;
use assay_tlog::tree::{TileIndex, TreeSize};
use std::{collections::BTreeMap, sync::Arc};
use tokio::task::JoinSet;

/// Tiles as the tree grows. Those of level 0 are compared where their bundle is hashed; here are
/// the others.
pub(super) struct Tiles {
    site: Arc<Site>,
    size: TreeSize,
    /// The last state of the tiles that are not full, by level.
    partial: BTreeMap<u8, (TileIndex, Vec<Hash>)>,
    comparing: JoinSet<Result<(), AuditError>>,
}

impl Tiles {
    pub fn new(site: Arc<Site>, size: TreeSize) -> Self {
        Tiles {
            site,
            size,
            partial: BTreeMap::new(),
            comparing: JoinSet::new(),
        }
    }

    /// Takes the tiles that an append changed. A full one is compared at once; one that still
    /// grows, at the end.
    pub fn changed(&mut self, tiles: Vec<(TileIndex, Vec<Hash>)>) {
        for (tile, hashes) in tiles.into_iter().filter(|(tile, _)| tile.level > 0) {
            if hashes.len() as u64 == WIDTH {
                self.partial.remove(&tile.level);
                self.compare(tile, hashes);
            } else {
                self.partial.insert(tile.level, (tile, hashes));
            }
        }
    }

    /// Compares what is left, waits for all, and returns how many tiles the tree has, of all
    /// levels.
    pub async fn finish(mut self) -> Result<u64, AuditError> {
        for (tile, hashes) in std::mem::take(&mut self.partial).into_values() {
            if !hashes.is_empty() {
                self.compare(tile, hashes);
            }
        }
        let mut compared = self.size.get().div_ceil(WIDTH);
        while let Some(result) = self.comparing.join_next().await {
            result.map_err(|e| AuditError::Interrupted(e.to_string()))??;
            compared += 1;
        }
        Ok(compared)
    }

    fn compare(&mut self, tile: TileIndex, hashes: Vec<Hash>) {
        let site = self.site.clone();
        self.comparing
            .spawn(async move { site.compare(tile, &hashes).await });
    }
}
