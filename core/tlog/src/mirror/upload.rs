//! Which uploads of entries are taken, and whether a package has the tree's entries (C2SP
//! tlog-mirror, `add-entries`, "Processing").

use super::answer::UploadRefusal;
use super::package::{Package, UploadHeader};
use super::source::VerifiedBundle;
use super::state::Mirror;
use crate::hash::leaf_hash;
use crate::head::VerifiedHead;
use crate::tree::bundle::{self, BundleError};
use crate::tree::tile::TILE_WIDTH;
use crate::tree::{Frontier, LeafIndex, ProofError, TreeSize, verify_inclusion};
use std::ops::Range;

/// Packages of one request: as many as clients should send in one (C2SP tlog-mirror).
pub const UPLOAD_PACKAGES: u64 = 32;

/// Bytes of one request, after it was unpacked. The longest header and the longest package, of
/// 256 entries of 65,535 bytes, are 17 MB together.
pub const UPLOAD_BYTES: usize = 20 << 20;

/// Entries of one request that may be here already: eight packages, as Sunlight takes.
pub const UPLOAD_EXCESS: u64 = 2048;

/// Why a package is not the tree's. 422 is answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackageFault {
    /// The proof does not lead from the entries to the root.
    #[error("the entries from {start} on are not proven to be in the tree of size {end}")]
    Proof {
        /// The first of them.
        start: LeafIndex,
        /// The size of the tree.
        end: TreeSize,
        /// Why not.
        #[source]
        reason: ProofError,
    },
    /// Another number of entries than the package has. [`Package::read`] reads as many as it was
    /// asked for.
    #[error("the entries of a package cannot be read")]
    Entries(#[from] BundleError),
}

/// An upload that was accepted, and the tree whose entries it brings. Only [`Mirror::accept`] makes
/// it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    header: UploadHeader,
    head: VerifiedHead,
}

impl Mirror {
    /// Decides whether an upload is taken. `recalled` is what its ticket says, if the ticket is one
    /// that this mirror gave: a head that was pending here.
    ///
    /// The checks are those of the specification, in this order: something was ever pending (422);
    /// the end is a size that was pending, or the mirrored one; it is not below that; the start is
    /// not after the next entry; not too much of it is here already (409).
    pub fn accept(
        &self,
        header: UploadHeader,
        recalled: Option<VerifiedHead>,
    ) -> Result<Upload, UploadRefusal> {
        if self.held().is_none() {
            return Err(UploadRefusal::NothingPending);
        }
        let Range { start, end } = header.range();
        let recalled = recalled.filter(|head| head.size().get() == end);
        let head = self.known(TreeSize::new(end)).cloned().or(recalled);
        let head = head.ok_or(UploadRefusal::UnknownEnd(end))?;
        if self.mirrored().is_some_and(|it| head.size() < it.size()) {
            return Err(UploadRefusal::EndBelowMirrored(end));
        }
        let next = self.entries().get();
        if start > next {
            return Err(UploadRefusal::StartAfterNext(start));
        }
        if end.min(next) - start > UPLOAD_EXCESS {
            return Err(UploadRefusal::TooMuchExcess(start));
        }
        Ok(Upload { header, head })
    }
}

impl Upload {
    /// The tree whose entries are brought.
    pub fn head(&self) -> &VerifiedHead {
        &self.head
    }

    /// The entries of package `i`, or `None` after the last one.
    pub fn package(&self, i: u64) -> Option<Range<u64>> {
        self.header.package(i)
    }

    /// Checks that a package has the entries of `range`, which is what [`Upload::package`] says.
    /// `left` are the entries before them in the same bundle, as they are stored. Fails with
    /// [`PackageFault`].
    ///
    /// The proof is a subtree consistency proof of the bundle so far (draft-ietf-plants-merkle-
    /// tree-certs-02). A bundle is a whole node of the tree of `end`: either full, or its last one.
    /// So the proof is the path from there to the root, which is an inclusion proof in the tree
    /// over bundles.
    pub fn verify(
        &self,
        range: Range<u64>,
        left: &[u8],
        package: Package,
    ) -> Result<VerifiedBundle, PackageFault> {
        let mut bytes = left.to_vec();
        bytes.extend_from_slice(&package.entries);
        let mut hashes = Vec::with_capacity(TILE_WIDTH);
        for entry in bundle::entries(&bytes) {
            hashes.push(leaf_hash(entry?));
        }
        let mut subtree = Frontier::new();
        subtree.append(&hashes);

        let width = TILE_WIDTH as u64;
        let (index, size) = (range.start / width, self.head.size());
        let bundles = TreeSize::new(size.get().div_ceil(width));
        let proof = &package.proof;
        verify_inclusion(
            &subtree.root(),
            LeafIndex::new(index),
            bundles,
            proof,
            &self.head.root(),
        )
        .map_err(|reason| PackageFault::Proof {
            start: LeafIndex::new(range.start),
            end: size,
            reason,
        })?;
        Ok(VerifiedBundle {
            size,
            root: self.head.root(),
            index,
            bytes,
            hashes,
        })
    }
}
