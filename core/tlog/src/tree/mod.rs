//! The Merkle tree of RFC 6962, kept in the tiles of C2SP tlog-tiles.
//!
//! Scope: what is true of a tree of a given size, computed from hashes that somebody else keeps.
//! `proof` verifies, `prove` proves, `multiproof` does both for many leaves at once, `range` for
//! neighboring ones, `tile` and `bundle` read and write what a log publishes, `fetched` collects
//! tiles for a prover, `frontier` appends.
//! Proofs are checked with no knowledge of tiles, so that a mistake in one half does not hide in
//! the other.
//!
//! Left out: where tiles are kept and for how long (the node's storage), and who signed a root
//! (`note`).

pub mod bundle;
mod fetched;
pub mod frontier;
pub mod multiproof;
mod node;
pub mod proof;
pub mod prove;
pub mod range;
mod size;
pub mod tile;

#[cfg(test)]
pub(crate) mod naive;

pub use fetched::{Fetched, Missing};
pub use frontier::Frontier;
pub use multiproof::{MultiproofError, prove_multiproof, verify_multiproof};
pub use proof::{ProofError, split_hashes, verify_consistency, verify_inclusion};
pub use prove::{ProveError, Prover, TileReader, prove_consistency, prove_inclusion, root};
pub use range::{subtrees_beside, verify_range};
pub use size::{LeafIndex, TreeSize};
pub use tile::{Resource, Tile, TileIndex, TilePath};
