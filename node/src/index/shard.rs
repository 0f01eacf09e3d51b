//! Shards: sixteenths of the labels, each written and evicted at once.

use super::{Held, Rows};
use crate::{
    records::{self, RecordError},
    storage::Table,
};
use assay_claims::index::map::{Part, Slot};
use assay_claims::index::{Label, Map, Prefix};
use assay_tlog::Hash;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// Into how many shards the labels are divided, by their first four bits. A part belongs to the
/// shard that its key begins in, with all of its pages.
pub const SHARDS: usize = 16;

/// Bits of a label that say which shard it is in.
pub(super) const SHARD_BITS: u16 = 4;

/// What is known of a shard.
#[derive(Debug, Clone)]
pub(super) struct Shard {
    /// Stored pages are current for all leaves below this.
    pub through: u64,
    /// The digest of its stored parts ([`digest`]). `None` if a version stored them that wrote
    /// none.
    pub digest: Option<Hash>,
    /// Keys of stored pages that have been split since.
    pub split: Vec<Prefix>,
    /// Keys of stored parts that have been divided since.
    pub divided: Vec<Prefix>,
    /// About the bytes of pages and parts in memory: counted when they were last looked at, and
    /// added to since.
    pub resident: u64,
}

/// The digest of the parts of a shard, in order: their keys and hashes. If one is missing from the
/// store, or is another one, a start notices.
pub(super) fn digest<'p>(parts: impl Iterator<Item = &'p Part<Held>>) -> Hash {
    let mut all = Sha256::new();
    for part in parts {
        all.update(records::page_key(part.key()));
        all.update(part.hash().as_bytes());
    }
    Hash::new(all.finalize().into())
}

/// The digest of the parts of a shard in this map.
pub(super) fn digest_of(at: usize, map: &Map<Held>) -> Hash {
    digest(parts(at, map).into_iter().map(|part| &**part))
}

/// Writes how far each shard is stored, and the digests.
pub(super) fn row(shards: &[Shard; SHARDS]) -> Vec<u8> {
    let through = shards.iter().flat_map(|shard| shard.through.to_be_bytes());
    let digests = shards.iter().filter_map(|shard| shard.digest);
    let digests = digests.flat_map(|digest| *digest.as_bytes());
    through.chain(digests).collect()
}

/// Reads what [`row`] wrote, or a version that wrote no digests. `None` if it is malformed.
pub(super) fn parse(row: &[u8]) -> Option<[Shard; SHARDS]> {
    let (through, digests) = row.split_at_checked(8 * SHARDS)?;
    let (through, _) = through.as_chunks::<8>();
    let (digests, rest) = digests.as_chunks::<{ Hash::LEN }>();
    if !rest.is_empty() || ![0, SHARDS].contains(&digests.len()) {
        return None;
    }
    Some(std::array::from_fn(|at| Shard {
        through: u64::from_be_bytes(through[at]),
        digest: digests.get(at).copied().map(Hash::new),
        ..Shard::default()
    }))
}

/// The shard that a label is in, or a part whose key begins with it.
pub(super) fn shard_of(label: &Label) -> usize {
    usize::from(label.as_bytes()[0] >> (8 - SHARD_BITS))
}

/// The first and the last label of a shard.
pub(super) fn ends(shard: usize) -> (Label, Label) {
    let mut first = [0; 32];
    first[0] = (shard as u8) << (8 - SHARD_BITS);
    let prefix = Prefix::of(&Label::from_bytes(first), SHARD_BITS);
    (*prefix.first(), prefix.last())
}

/// The parts of a shard in this map, in order.
pub(super) fn parts(shard: usize, map: &Map<Held>) -> Vec<&Arc<Part<Held>>> {
    let (first, last) = ends(shard);
    let mut parts = Vec::new();
    map.each_part(&first, &last, &mut |part| parts.push(part));
    parts
}

impl Default for Shard {
    /// A shard of which nothing is stored.
    fn default() -> Self {
        Shard {
            through: 0,
            digest: Some(digest(std::iter::empty())),
            split: Vec::new(),
            divided: Vec::new(),
            resident: 0,
        }
    }
}

impl Shard {
    /// Puts the pages that changed since the shard was last written, and their parts, into `rows`.
    /// The map is that of all leaves below `size`.
    pub fn write(
        &mut self,
        at: usize,
        map: &Map<Held>,
        size: u64,
        rows: &mut Rows,
    ) -> Result<(), RecordError> {
        for key in self.split.drain(..) {
            rows.delete(Table::IndexPages, records::page_key(&key));
        }
        for key in self.divided.drain(..) {
            rows.delete(Table::IndexParts, records::page_key(&key));
        }
        let through = std::mem::replace(&mut self.through, size);
        let parts = parts(at, map);
        self.digest = Some(digest(parts.iter().map(|part| &***part)));
        for part in parts {
            if part.slot().is_wrong() {
                rows.put(Table::Meta, records::INDEX_DOUBTED, Bytes::new());
            }
            if part.through().get() <= through {
                continue;
            }
            // What changed is in memory. What is not was there when the node started.
            let Some(bytes) = part.slot().places() else {
                continue;
            };
            let places = part.places(&bytes);
            let places = places.map_err(|e| RecordError::Damaged(e.to_string()))?;
            for (at, place) in places.iter().enumerate() {
                if place.through().get() <= through {
                    continue;
                }
                if let Some(kept) = part.slot().kept(at) {
                    let value = records::page_value(place.through().get(), &kept.bytes);
                    rows.put(Table::IndexPages, records::page_key(place.key()), value);
                }
            }
            let key = records::page_key(part.key());
            rows.put(Table::IndexParts, key, bytes.to_vec());
        }
        Ok(())
    }
}

/// Puts out of memory what is beyond `room` bytes of a shard that was written: first what was not
/// used since the last time, then anything. Returns how many bytes stay, and how many pages and
/// parts went.
pub(super) fn shrink(at: usize, map: &Map<Held>, room: u64) -> (u64, u64) {
    let parts = parts(at, map);
    let mut resident: u64 = parts.iter().map(|part| part.slot().bytes()).sum();
    let mut evicted = 0;
    for all in [false, true] {
        for part in &parts {
            if resident <= room {
                return (resident, evicted);
            }
            let before = part.slot().bytes();
            let over = resident - room;
            let (after, gone) = part.slot().shrink(before.saturating_sub(over), all);
            resident -= before - after;
            evicted += gone;
        }
    }
    (resident, evicted)
}
