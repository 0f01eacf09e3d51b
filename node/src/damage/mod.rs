//! What a disk damaged of a node's own log: finding it, and making it anew.
//!
//! - [`examine`]: all of a store, a piece at a time. [`scrub`]: the same while the node runs.
//! - [`source`]: the signed entries, from the store or from mirrors, each checked.
//! - [`rebuild`](mod@rebuild): new tables from entries. [`swap`]: in the place of the old ones.
//! - [`ahead`]: what mirrors show that was signed since the checkpoint file.
//! - [`operator`]: `assay-node check` and `assay-node rebuild`; [`progress`]: how far a check is.
//!
//! Rows are not mended one by one: RocksDB stops writing once it compacts a damaged block, and new
//! rows in other files do not change that.

pub mod ahead;
pub mod examine;
pub mod operator;
pub mod progress;
pub mod rebuild;
pub mod scrub;
pub mod source;
pub mod swap;
