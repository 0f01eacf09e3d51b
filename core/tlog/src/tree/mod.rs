//! The Merkle tree of RFC 6962, kept in the tiles of C2SP tlog-tiles.
//!
//! Scope: what is true of a tree of a given size, computed from hashes that somebody else keeps.
//! `proof` and `range` verify, `prove` proves, `tile` and `bundle` read and write what a log
//! publishes, `frontier` appends. Proofs are checked with no knowledge of tiles, so that a mistake in
//! one half does not hide in the other.
//!
//! Left out: where tiles are kept and for how long (the node's storage), and who signed a root
//! (`note`).

pub mod bundle;
pub mod frontier;
pub mod multiproof;
mod node;
pub mod proof;
pub mod prove;
pub mod range;
pub mod tile;

#[cfg(test)]
mod naive;

use std::fmt;

pub use frontier::Frontier;
pub use multiproof::{MultiproofError, prove_multiproof, verify_multiproof};
pub use proof::{
    ProofError, root_from_inclusion, split_hashes, verify_consistency, verify_inclusion,
};
pub use prove::{ProveError, Prover, TileReader, prove_consistency, prove_inclusion, root};
pub use tile::{Resource, Tile, TileIndex, TilePath};

/// The zero-based position of a leaf in its log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeafIndex(u64);

/// How many leaves a tree has. The tree of size n holds the leaves 0 to n − 1 of its log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeSize(u64);

impl LeafIndex {
    /// Takes the number as it is.
    pub const fn new(index: u64) -> Self {
        LeafIndex(index)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl TreeSize {
    /// The tree without leaves.
    pub const EMPTY: TreeSize = TreeSize(0);

    /// Takes the number as it is.
    pub const fn new(size: u64) -> Self {
        TreeSize(size)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Whether the tree has a leaf at `index`.
    pub const fn contains(self, index: LeafIndex) -> bool {
        index.0 < self.0
    }
}

impl fmt::Display for LeafIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for TreeSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
