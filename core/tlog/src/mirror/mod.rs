//! Copying a log that publishes tiles (C2SP tlog-tiles), and when a mirror may state that it holds
//! a tree (C2SP tlog-mirror).
//!
//! ```text
//! head ─ VerifiedTree::new ─ Mirror::follow ─┬─ VerifiedTree::bundle ─ Mirror::append ─ Write
//!        its right edge      pending         └────────◄── until next = size ──────────────┘
//!                                                                     Mirror::finish ─ mirrored
//! ```
//!
//! - [`VerifiedTree`]: the tree of a head, in tiles that a source serves. The partial tiles on its
//!   right edge are checked against the signed root, and every full tile against the tile above
//!   it. So a bundle of entries is known to be the log's before a byte of it is kept, whoever
//!   served it.
//! - [`Mirror`]: the state of one mirrored log: the head that it copies, the entries that it has,
//!   and the head that it may cosign. None of the three ever goes back.
//! - [`Fork`]: two heads of the log of which one is not the beginning of the other. The log signed
//!   both, so that they convict it, whatever its source serves later.
//!
//! The caller keeps what [`Mirror::append`] and [`Mirror::finish`] change, durably, before it goes
//! on, and signs a head only after [`Mirror::finish`]. If it cannot keep something, it drops the
//! mirror and resumes from what is stored.
//!
//! A log may also bring its entries itself (`add-entries`):
//!
//! ```text
//! body ─ UploadHeader::read ─ Mirror::accept ─┬─ Package::read ─ Upload::verify ─ Mirror::append
//!         400                  404, 409, 422  └──────◄── 202 ── 422 ───────────────┘
//!                                                              Mirror::finish ─ 200
//! ```
//!
//! Left out: fetching, storing and signing, which are the node's; and what entries say.

mod answer;
mod fork;
mod package;
mod source;
mod state;
mod upload;

pub use answer::{Ended, Info, UploadRefusal};
pub use fork::{Fork, Rewrite};
pub use package::{MalformedUpload, Package, UploadHeader};
pub use source::{NotYet, SourceFault, VerifiedBundle, VerifiedTree, tile_above};
pub use state::{
    AppendError, FinishError, FollowError, Followed, Mirror, Older, ResumeError, Stored, Write,
};
pub use upload::{PackageFault, UPLOAD_BYTES, UPLOAD_EXCESS, UPLOAD_PACKAGES, Upload};

#[cfg(test)]
mod tests;
