//! RFC 6962, section 2.1, transcribed: recursive, slow and plain. Tests hold the rest of `tree`
//! against it.

use super::prove::TileReader;
use super::size::{LeafIndex, TreeSize};
use super::tile::{Tile, TileIndex};
use crate::hash::{Hash, empty_root, leaf_hash, node_hash};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

/// The leaf hashes of a log whose entry i is i in decimal.
pub fn leaves(count: u64) -> Vec<Hash> {
    (0..count)
        .map(|i| leaf_hash(i.to_string().as_bytes()))
        .collect()
}

/// The largest power of two smaller than `n`, for n > 1.
fn split(n: usize) -> usize {
    n.next_power_of_two() / 2
}

/// MTH(D[n]).
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&root(left), &root(right))
        }
    }
}

/// PATH(m, D[n]).
pub fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut path, sibling) = if index < k {
        (path(index, left), root(right))
    } else {
        (path(index - k, right), root(left))
    };
    path.push(sibling);
    path
}

/// PROOF(m, D[n]), for 0 < m < n.
pub fn consistency(old: usize, leaves: &[Hash]) -> Vec<Hash> {
    subproof(old, leaves, true)
}

fn subproof(old: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if whole {
            Vec::new()
        } else {
            vec![root(leaves)]
        };
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut proof, sibling) = if old <= k {
        (subproof(old, left, whole), root(right))
    } else {
        (subproof(old - k, right, false), root(left))
    };
    proof.push(sibling);
    proof
}

/// Every tile of a tree, by the definition in C2SP tlog-tiles: the n-th tile of level l is the
/// sequence of MTH(D[(n × 256 + i) × 256^l : (n × 256 + i + 1) × 256^l]).
pub fn tiles(leaves: &[Hash]) -> HashMap<TileIndex, Vec<Hash>> {
    let mut tiles: HashMap<TileIndex, Vec<Hash>> = HashMap::new();
    for level in 0..8 {
        for (i, chunk) in leaves.chunks_exact(256_usize.pow(level)).enumerate() {
            let tile = TileIndex {
                level: level as u8,
                index: i as u64 / 256,
            };
            tiles.entry(tile).or_default().push(root(chunk));
        }
        if leaves.len() < 256_usize.pow(level + 1) {
            break;
        }
    }
    tiles
}

/// A reader over all tiles of a tree, which hands them out as they are in that tree, whatever size
/// is asked for.
pub struct Grown(pub HashMap<TileIndex, Arc<Tile>>);

impl Grown {
    /// The tiles of the tree over `leaves`.
    pub fn new(leaves: &[Hash]) -> Self {
        Grown(
            tiles(leaves)
                .into_iter()
                .map(|(at, hashes)| (at, Arc::new(Tile::from_hashes(hashes).unwrap())))
                .collect(),
        )
    }
}

impl TileReader for Grown {
    type Error = Infallible;

    fn tiles(&self, wanted: &[TileIndex], _size: TreeSize) -> Result<Vec<Arc<Tile>>, Infallible> {
        Ok(wanted.iter().map(|at| self.0[at].clone()).collect())
    }
}

/// Shorthand for tests.
pub fn at(index: usize) -> LeafIndex {
    LeafIndex::new(index as u64)
}

/// Shorthand for tests.
pub fn size(size: usize) -> TreeSize {
    TreeSize::new(size as u64)
}
