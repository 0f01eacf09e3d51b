//! What a read of the log asks for, resolved against what is published.

use crate::{
    api::status,
    records::{self, WIDTH},
    storage::Tables,
    view::{View, ViewError},
};
use assay_claims::limits;
use assay_tlog::Hash;
use assay_tlog::tree::{LeafIndex, TreeSize};
use bytes::Bytes;
use std::ops::ControlFlow;
use tonic::Status;

/// Bytes of entries in one message of `StreamEntries`, about: well below the limit of 1 MiB a
/// message.
pub(super) const ENTRIES_MESSAGE_BYTES: usize = 512 << 10;

/// How a request names a leaf.
pub(super) enum Leaf {
    Index(u64),
    Claim(Bytes),
    Hash(Bytes),
}

/// Finds the leaf that a request names.
pub(super) fn resolve<S: Tables>(view: &View<S>, leaf: Leaf) -> Result<LeafIndex, Status> {
    let (what, found) = match leaf {
        Leaf::Index(index) => return Ok(LeafIndex::new(index)),
        Leaf::Claim(id) => (
            "claim id",
            records::find_claim(view.store(), &hash("claim_id", &id)?),
        ),
        Leaf::Hash(bytes) => (
            "leaf hash",
            records::find_leaf_hash(view.store(), &hash("leaf_hash", &bytes)?),
        ),
    };
    found
        .map_err(|e| status::store(&e))?
        .ok_or_else(|| Status::not_found(format!("this log has no leaf with that {what}")))
}

/// The error for a request that names no leaf.
pub(super) fn no_leaf() -> Status {
    status::invalid(
        "leaf",
        "say which leaf: leaf_index, claim_id or leaf_hash".into(),
    )
}

/// A tree size that a request means, and the checkpoint that goes with the answer.
pub(super) struct At {
    pub(super) size: TreeSize,
    /// The signed note of that size if the request asked for the latest, and empty otherwise.
    pub(super) checkpoint: String,
}

/// Resolves the tree size of a request. 0 is the published size. Fails if it is beyond that.
pub(super) fn at<S: Tables>(view: &View<S>, size: u64) -> Result<At, Status> {
    let published = view.published()?;
    if size > published.size().get() {
        let beyond = ViewError::Beyond {
            asked: format!("tree size {size}"),
            published: published.size(),
        };
        return Err(beyond.into());
    }
    if size > 0 {
        return Ok(At {
            size: TreeSize::new(size),
            checkpoint: String::new(),
        });
    }
    Ok(At {
        size: published.size(),
        checkpoint: published.note().to_owned(),
    })
}

/// Parses a hash in the field named `field`.
pub(super) fn hash(field: &str, bytes: &[u8]) -> Result<Hash, Status> {
    Hash::from_slice(bytes).ok_or_else(|| {
        status::invalid(
            field,
            format!("{field} has {} bytes; a SHA-256 has 32", bytes.len()),
        )
    })
}

/// Returns entries from `start` on, up to `end` or the end of a bundle, a page or a message,
/// whichever comes first. At least one.
pub(super) fn page<S: Tables>(
    view: &View<S>,
    start: u64,
    end: TreeSize,
) -> Result<Vec<Bytes>, Status> {
    let end = end.get().min((start / WIDTH + 1) * WIDTH);
    let (mut entries, mut bytes) = (Vec::new(), 0);
    records::read_entries(view.store(), (start, end), &mut |entry| {
        let full = bytes + entry.len() > ENTRIES_MESSAGE_BYTES || entries.len() == limits::PAGE;
        if full && !entries.is_empty() {
            return ControlFlow::Break(());
        }
        bytes += entry.len();
        entries.push(entry);
        ControlFlow::Continue(())
    })
    .map_err(|e| status::store(&e))?;
    Ok(entries)
}
