//! Proving from tiles that have to be fetched first: a prover says which ones it wants by failing
//! once, and proves when they are there.

use super::prove::TileReader;
use super::size::TreeSize;
use super::tile::{Tile, TileIndex};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Tiles that came, and those that a prover wanted in vain.
#[derive(Debug, Default)]
pub struct Fetched {
    tiles: BTreeMap<TileIndex, Arc<Tile>>,
    missing: RefCell<BTreeSet<TileIndex>>,
}

/// Some tiles did not come yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("some tiles are still to be fetched")]
pub struct Missing;

impl Fetched {
    /// Returns the tiles that were wanted in vain since the last call, each once.
    pub fn missing(&self) -> BTreeSet<TileIndex> {
        self.missing.take()
    }

    /// Adds a tile that came. Nothing is checked: a proof from wrong tiles does not verify.
    pub fn insert(&mut self, at: TileIndex, tile: Tile) {
        self.tiles.insert(at, Arc::new(tile));
    }
}

impl TileReader for Fetched {
    type Error = Missing;

    fn tiles(&self, wanted: &[TileIndex], _: TreeSize) -> Result<Vec<Arc<Tile>>, Missing> {
        let mut tiles = Vec::with_capacity(wanted.len());
        for at in wanted {
            match self.tiles.get(at) {
                Some(tile) => tiles.push(tile.clone()),
                None => _ = self.missing.borrow_mut().insert(*at),
            }
        }
        if tiles.len() == wanted.len() {
            Ok(tiles)
        } else {
            Err(Missing)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Hash;
    use crate::tree::{Frontier, prove_consistency, verify_consistency};

    #[test]
    fn what_is_wanted_is_known_after_one_attempt_and_proves_in_the_next() {
        let leaves: Vec<Hash> = (0..700_u32).map(|n| Hash::of(&n.to_be_bytes())).collect();
        let head = |size: usize| {
            let mut tree = Frontier::new();
            tree.append(&leaves[..size]);
            (tree.size(), tree.root())
        };
        let ((old, old_root), (new, new_root)) = (head(300), head(700));
        let mut fetched = Fetched::default();
        assert!(prove_consistency(&fetched, old, new).is_err());
        let wanted = fetched.missing();
        assert!(!wanted.is_empty() && fetched.missing().is_empty());
        let first = *wanted.first().unwrap();
        assert_eq!(fetched.tiles(&[first], new), Err(Missing));
        assert_eq!(fetched.missing().len(), 1);
        for at in wanted {
            let hashes = match at.level {
                0 => {
                    let first = at.index as usize * 256;
                    leaves[first..leaves.len().min(first + 256)].to_vec()
                }
                _ => {
                    let full = leaves.chunks_exact(256);
                    let root = |leaves: &[Hash]| {
                        let mut tree = Frontier::new();
                        tree.append(leaves);
                        tree.root()
                    };
                    full.map(root).collect()
                }
            };
            fetched.insert(at, Tile::from_hashes(hashes).unwrap());
        }
        let path = prove_consistency(&fetched, old, new).unwrap();
        verify_consistency(old, &old_root, new, &new_root, &path).unwrap();
    }
}
