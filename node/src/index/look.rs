//! Looking at stored parts and pages for what is not as it was written.

use super::pages::stored;
use crate::records::{self, readable};
use crate::storage::{Reads, StorageError, Table};
use assay_claims::index::map::{PageBytes, Place, StoredPart};
use bytes::Bytes;

/// Parts of one look: some hundred pages at most.
const PARTS: usize = 32;

/// What was found of some parts.
#[derive(Debug, Default)]
pub struct Looked {
    /// The keys of parts that are not as they were written, or have pages that are not.
    pub wrong: Vec<Vec<u8>>,
    /// The key from which the next look goes on. `None`: there is no more.
    pub next: Option<Vec<u8>>,
}

/// Looks at some parts, from the key `from` on, and at all of their pages: each leads to the hash
/// that its part has, which takes about two hashes a label. The index may be written meanwhile.
///
/// A part that is gone is not found here, but by the next start. Where the store itself finds the
/// rows damaged, nothing is named, because the store does that. An error is another one.
pub fn look(store: &impl Reads, from: &[u8]) -> Result<Looked, StorageError> {
    let mut looked = Looked::default();
    let rows = store.range(Table::IndexParts, from, &[0xff; 40], PARTS);
    let rows = readable(rows)?.unwrap_or_default();
    for (key, row) in &rows {
        if is_wrong(store, key, row.clone())? {
            looked.wrong.push(key.clone());
        }
    }
    if let (PARTS, Some((last, _))) = (rows.len(), rows.last()) {
        looked.next = Some([&last[..], &[0]].concat());
    }
    Ok(looked)
}

/// Whether a part whose row was just read is wrong.
fn is_wrong(store: &impl Reads, key: &[u8], mut row: Bytes) -> Result<bool, StorageError> {
    while !holds(store, key, &row)? {
        // A part and its pages are stored in one batch, which may have come in between.
        let now = store.get(Table::IndexParts, key);
        match readable(now)?.flatten() {
            Some(now) if now != row => row = now,
            now => return Ok(now.is_some()),
        }
    }
    Ok(false)
}

/// Whether this row is that of a part, and each of its pages leads to the hash that it says.
fn holds(store: &impl Reads, key: &[u8], row: &[u8]) -> Result<bool, StorageError> {
    let Some(places) = places(key, row) else {
        return Ok(false);
    };
    let keys: Vec<_> = places
        .iter()
        .map(|place| records::page_key(place.key()))
        .collect();
    let rows = store.multi_get(Table::IndexPages, &keys);
    let rows = readable(rows)?;
    let mut pages = places.iter().zip(rows.unwrap_or_default());
    Ok(pages.all(|(place, row)| stored(place, row, true).is_some()))
}

fn places(key: &[u8], row: &[u8]) -> Option<Vec<Place>> {
    let part = StoredPart {
        key: records::parse_page_key(key).ok()?,
        places: PageBytes::from(row),
        slot: (),
    };
    part.read().ok()
}
