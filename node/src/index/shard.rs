//! Shards: sixteenths of the labels, each written and evicted at once.

use super::{Held, Rows};
use crate::{
    records::{self, RecordError},
    storage::Table,
};
use assay_claims::index::map::{Part, Slot};
use assay_claims::index::{Label, Map, Prefix};
use std::sync::Arc;

/// Into how many shards the labels are divided, by their first four bits. A part belongs to the
/// shard that its key begins in, with all of its pages.
pub const SHARDS: usize = 16;

/// Bits of a label that say which shard it is in.
pub(super) const SHARD_BITS: u16 = 4;

/// What is known of a shard.
#[derive(Debug, Clone, Default)]
pub(super) struct Shard {
    /// Stored pages are current for all leaves below this.
    pub through: u64,
    /// Keys of stored pages that have been split since.
    pub split: Vec<Prefix>,
    /// Keys of stored parts that have been divided since.
    pub divided: Vec<Prefix>,
    /// About the bytes of pages and parts in memory: counted when they were last looked at, and
    /// added to since.
    pub resident: u64,
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

fn parts(shard: usize, map: &Map<Held>) -> Vec<&Arc<Part<Held>>> {
    let (first, last) = ends(shard);
    let mut parts = Vec::new();
    map.each_part(&first, &last, &mut |part| parts.push(part));
    parts
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
        for part in parts(at, map) {
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
