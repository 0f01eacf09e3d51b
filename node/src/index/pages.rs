//! Parts and pages in memory and in the store.

use super::held::Held;
use crate::{
    records::{self, RecordError},
    storage::{Reads, Table},
};
use assay_claims::index::map::{MapError, PageBytes, Pages, Part, Place, Slot};
use assay_claims::index::{Label, Map};
use assay_tlog::tree::TreeSize;
use bytes::Bytes;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use std::sync::Arc;

/// Keys of one read of many.
const READ: usize = 1024;

/// Parts and pages from memory, or else from a store. What comes from the store leads to the hash
/// that its node has, or it is an error.
pub struct StoredPages<'a, S>(pub &'a S);

impl<S: Reads> Pages<Held> for StoredPages<'_, S> {
    type Error = RecordError;

    fn places(&self, part: &Part<Held>) -> Result<PageBytes, RecordError> {
        if let Some(places) = part.slot().use_places() {
            return Ok(places);
        }
        let row = self
            .0
            .get(Table::IndexParts, &records::page_key(part.key()))?;
        match stored_places(part, row) {
            Some(places) => Ok(places),
            // A step replaced the part in between. Before that it filled this node.
            None => part.slot().places().ok_or_else(|| lost_part(part)),
        }
    }

    fn bytes(&self, part: &Part<Held>, at: usize, place: &Place) -> Result<PageBytes, RecordError> {
        if let Some(bytes) = part.slot().use_page(at) {
            return Ok(bytes);
        }
        let row = self
            .0
            .get(Table::IndexPages, &records::page_key(place.key()))?;
        match stored(place, row, true) {
            Some(bytes) => Ok(bytes),
            // As with parts.
            None => part.slot().use_page(at).ok_or_else(|| lost(part, place)),
        }
    }
}

/// The places that are stored of a part, if it is the part that this node has.
fn stored_places(part: &Part<Held>, row: Option<Bytes>) -> Option<PageBytes> {
    let places = PageBytes::from(&row?[..]);
    part.holds(&places).then_some(places)
}

/// The bytes of a stored page, if it is of the version that this place has. With `check`, they lead
/// to its hash.
pub(super) fn stored(place: &Place, row: Option<Bytes>, check: bool) -> Option<PageBytes> {
    let (through, bytes) = records::parse_page(&row?).ok()?;
    let same = through == place.through().get() && (!check || place.holds(&bytes));
    same.then_some(bytes)
}

fn lost(part: &Part<Held>, place: &Place) -> RecordError {
    part.slot().mark_wrong();
    RecordError::Damaged(format!(
        "the page {:?} of the index is not the one that was written",
        place.key()
    ))
}

fn lost_part(part: &Part<Held>) -> RecordError {
    part.slot().mark_wrong();
    RecordError::Damaged(format!(
        "the part {:?} of the index is not the one that was written",
        part.key()
    ))
}

fn damaged(error: impl std::fmt::Display) -> RecordError {
    RecordError::Damaged(error.to_string())
}

/// Reads into memory what a step will change: parts and pages that some labels lead to.
pub(super) struct Pin<'a, S> {
    pub store: &'a S,
    /// Pages of before this were written before the start. Their bytes are compared with their
    /// hashes.
    pub opened: TreeSize,
}

impl<S: Reads> Pin<'_, S> {
    /// Reads everything that `labels`, sorted, lead to in the map that a step starts from. One
    /// ordered read is faster than one for each, and readers of this map still find it later. Calls
    /// `grown` with the first label of each part and the bytes that were read of it.
    pub fn all(
        &self,
        map: &Map<Held>,
        labels: &[Label],
        grown: &mut impl FnMut(&Label, u64),
    ) -> Result<(), RecordError> {
        self.fill(map, labels, true, grown)
    }

    /// Reads what `labels` lead to in an older map that somebody still reads. What of it a later
    /// step replaced is in its memory already.
    pub fn older(&self, map: &Map<Held>, labels: &[Label]) -> Result<(), RecordError> {
        self.fill(map, labels, false, &mut |_, _| {})
    }

    fn fill(
        &self,
        map: &Map<Held>,
        labels: &[Label],
        all: bool,
        grown: &mut impl FnMut(&Label, u64),
    ) -> Result<(), RecordError> {
        let mut parts: Vec<(&Arc<Part<Held>>, &[Label])> = Vec::new();
        map.parts_of(labels, &mut |part, labels| parts.push((part, labels)));
        self.fill_places(&parts, all, grown)?;
        let wanted: Result<Vec<Vec<_>>, _> = parts
            .par_iter()
            .map(|(part, labels)| wanted(part, labels))
            .collect();
        let wanted: Vec<_> = wanted?.into_iter().flatten().collect();
        for pages in wanted.chunks(READ) {
            let keys: Vec<_> = pages
                .iter()
                .map(|(_, _, place)| records::page_key(place.key()))
                .collect();
            let rows = self.store.multi_get(Table::IndexPages, &keys)?;
            let rows: Vec<_> = pages.iter().zip(rows).collect();
            let read: Vec<_> = rows
                .par_iter()
                .map(|((_, _, place), row)| {
                    let check = place.through() <= self.opened;
                    stored(place, row.clone(), check)
                })
                .collect();
            for ((part, at, place), bytes) in pages.iter().zip(read) {
                match bytes {
                    Some(bytes) => {
                        grown(part.key().first(), bytes.len() as u64);
                        part.slot().fill_page(*at, bytes);
                    }
                    None if all => return Err(lost(part, place)),
                    None => {}
                }
            }
        }
        Ok(())
    }

    fn fill_places(
        &self,
        parts: &[(&Arc<Part<Held>>, &[Label])],
        all: bool,
        grown: &mut impl FnMut(&Label, u64),
    ) -> Result<(), RecordError> {
        let mut empty: Vec<_> = parts.iter().map(|(part, _)| *part).collect();
        empty.retain(|part| part.slot().places().is_none());
        for parts in empty.chunks(READ) {
            let keys: Vec<_> = parts
                .iter()
                .map(|part| records::page_key(part.key()))
                .collect();
            let rows = self.store.multi_get(Table::IndexParts, &keys)?;
            for (part, row) in parts.iter().zip(rows) {
                match stored_places(part, row) {
                    Some(places) => {
                        grown(part.key().first(), places.len() as u64);
                        part.slot().fill_places(places);
                    }
                    None if all => return Err(lost_part(part)),
                    None => {}
                }
            }
        }
        Ok(())
    }
}

type Wanted<'m> = (&'m Arc<Part<Held>>, usize, Place);

/// The pages of a part that some labels lead to and that are not in memory.
fn wanted<'m>(part: &'m Arc<Part<Held>>, labels: &[Label]) -> Result<Vec<Wanted<'m>>, RecordError> {
    let Some(bytes) = part.slot().places() else {
        return Ok(Vec::new());
    };
    let places = part.places(&bytes).map_err(damaged)?;
    if part.slot().pages() == places.len() {
        return Ok(Vec::new());
    }
    let mut wanted = Vec::new();
    let mut rest = labels;
    for (at, place) in places.into_iter().enumerate() {
        let start = rest.partition_point(|label| label < place.key().first());
        let end = rest.partition_point(|label| *label <= place.key().last());
        let led = start < end;
        rest = &rest[end..];
        if led && part.slot().kept(at).is_none() {
            wanted.push((part, at, place));
        }
    }
    Ok(wanted)
}

/// What a map's error is to the node.
pub(super) fn failed(error: MapError<RecordError>) -> RecordError {
    match error {
        MapError::Read(error) => error,
        other => damaged(other),
    }
}
