//! Transparency logs: the Merkle tree of RFC 6962 and the formats of C2SP. Nothing here knows what
//! an entry says.
//!
//! | module | specification |
//! | --- | --- |
//! | [`hash`], [`tree`] | RFC 6962, section 2.1; C2SP tlog-tiles |
//! | [`note`] | C2SP signed-note |
//! | [`checkpoint`] | C2SP tlog-checkpoint |
//! | [`cosigner`] | C2SP tlog-cosignature |
//! | [`tlog_proof`] | C2SP tlog-proof |
//! | [`tlog_policy`] | C2SP tlog-policy |
//! | [`log_list`] | C2SP tlog-list |
//! | [`head`], [`witness`], [`cosigning`] | C2SP tlog-witness |
//! | [`mirror`] | C2SP tlog-mirror |
//! | [`gossip`] | none: our own |
//!
//! Every function is a pure function of its arguments: no clock, no randomness, no files, no
//! sockets, no async, no logging. A type whose name starts with `Verified` can only be made by the
//! verifier that it is named after.
//!
//! Prove a leaf and verify the proof:
//!
//! ```
//! use assay_tlog::hash::leaf_hash;
//! use assay_tlog::tree::{self, Frontier, LeafIndex, Tile, TileIndex, TileReader, TreeSize};
//! use std::collections::HashMap;
//! use std::convert::Infallible;
//! use std::sync::Arc;
//!
//! struct Tiles(HashMap<TileIndex, Arc<Tile>>);
//!
//! impl TileReader for Tiles {
//!     type Error = Infallible;
//!
//!     fn tiles(&self, wanted: &[TileIndex], _: TreeSize) -> Result<Vec<Arc<Tile>>, Infallible> {
//!         Ok(wanted.iter().map(|at| self.0[at].clone()).collect())
//!     }
//! }
//!
//! // Append a thousand entries, and keep the tiles that change.
//! let leaves: Vec<_> = (0..1000_u32).map(|n| leaf_hash(&n.to_be_bytes())).collect();
//! let mut frontier = Frontier::new();
//! let mut tiles = Tiles(HashMap::new());
//! for (at, hashes) in frontier.append(&leaves) {
//!     tiles.0.insert(at, Arc::new(Tile::from_hashes(hashes)?));
//! }
//!
//! let (index, size, root) = (LeafIndex::new(42), frontier.size(), frontier.root());
//! let path = tree::prove_inclusion(&tiles, index, size)?;
//! tree::verify_inclusion(&leaves[42], index, size, &path, &root)?;
//! assert!(tree::verify_inclusion(&leaves[41], index, size, &path, &root).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod checkpoint;
mod cosignature;
pub mod cosigner;
pub mod cosigning;
mod decimal;
pub mod gossip;
pub mod hash;
pub mod head;
pub mod limits;
pub mod log_list;
pub mod mirror;
pub mod note;
pub mod tlog_policy;
pub mod tlog_proof;
pub mod tree;
pub mod witness;

pub use hash::Hash;
