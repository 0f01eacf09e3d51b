//! One history of a log: its leaves, with the root of every size and the tiles.

use assay_tlog::Hash;
use assay_tlog::gossip::{Answer, Question};
use assay_tlog::head::VerifiedHead;
use assay_tlog::tree::{self, Frontier, Tile, TileIndex, TileReader, TreeSize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A history, which only grows. One tile holds all of its leaves.
#[derive(Clone)]
pub(super) struct History {
    leaves: Vec<Hash>,
    roots: Vec<Hash>,
    frontier: Frontier,
    tiles: BTreeMap<TileIndex, Arc<Tile>>,
}

/// Most leaves of a history, so that one tile holds them.
pub(super) const MOST: usize = 255;

/// A tile that this history does not have.
#[derive(Debug)]
pub(super) struct NoTile;

impl TileReader for History {
    type Error = NoTile;

    fn tiles(&self, wanted: &[TileIndex], _: TreeSize) -> Result<Vec<Arc<Tile>>, NoTile> {
        let tiles = wanted
            .iter()
            .map(|at| self.tiles.get(at).cloned().ok_or(NoTile));
        tiles.collect()
    }
}

impl History {
    /// A history of these leaves, of which so many are looked at as fit.
    pub(super) fn new(leaves: impl IntoIterator<Item = Hash>) -> Self {
        let frontier = Frontier::new();
        let mut history = History {
            leaves: Vec::new(),
            roots: vec![frontier.root()],
            frontier,
            tiles: BTreeMap::new(),
        };
        // Tiles are made once: they are most of what a history costs.
        let mut tiles = BTreeMap::new();
        for leaf in leaves.into_iter().take(MOST) {
            tiles.extend(history.frontier.append(&[leaf]));
            history.leaves.push(leaf);
            history.roots.push(history.frontier.root());
        }
        history.tiles = tiles.into_iter().map(tile).collect();
        history
    }

    /// Grows by a leaf.
    pub(super) fn push(&mut self, leaf: Hash) {
        let tiles = self.frontier.append(&[leaf]).into_iter().map(tile);
        self.tiles.extend(tiles);
        self.leaves.push(leaf);
        self.roots.push(self.frontier.root());
    }

    /// How many leaves it has.
    pub(super) fn len(&self) -> usize {
        self.leaves.len()
    }

    /// Its leaves.
    pub(super) fn leaves(&self) -> &[Hash] {
        &self.leaves
    }

    /// The root of a size that it has had.
    pub(super) fn root(&self, size: TreeSize) -> Option<Hash> {
        self.roots.get(usize::try_from(size.get()).ok()?).copied()
    }

    /// Whether a head is of this history.
    pub(super) fn has(&self, head: &VerifiedHead) -> bool {
        self.root(head.size()) == Some(head.root())
    }

    /// The consistency proof between two sizes that it has had.
    pub(super) fn prove(&self, old: TreeSize, new: TreeSize) -> Option<Vec<Hash>> {
        tree::prove_consistency(self, old, new).ok()
    }

    /// What somebody answers who has these tiles.
    pub(super) fn answer(&self, question: &Question) -> Option<Answer> {
        let (old, new) = (question.older().size(), question.newer().size());
        Some(Answer {
            path: self.prove(old, new)?,
            root: self.root(old),
        })
    }

    /// The tile that holds the first leaves.
    pub(super) fn tile(&self, width: usize) -> Option<Vec<u8>> {
        let leaves = self.leaves.get(..width)?.to_vec();
        Some(Tile::from_hashes(leaves).ok()?.to_bytes())
    }
}

fn tile((at, hashes): (TileIndex, Vec<Hash>)) -> (TileIndex, Arc<Tile>) {
    let tile = Tile::from_hashes(hashes).expect("a tile holds what a frontier gives");
    (at, Arc::new(tile))
}
