//! Putting stored pages, or stored parts, together again.

use super::directory::{MapError, Node, over_pages, over_parts};
use super::part::{self, Draw, Keyed, Part, Place};
use super::slot::{Kept, PageBytes, Slot};
use crate::index::label::{Label, Prefix};
use crate::index::page::{self, PageError};
use assay_tlog::tree::TreeSize;
use std::sync::Arc;

/// A stored page, to make a map of.
#[derive(Debug)]
pub struct StoredPage {
    /// Its key.
    pub key: Prefix,
    /// See [`Place::through`](super::Place::through).
    pub through: TreeSize,
    /// Its bytes, which are read once, here.
    pub bytes: PageBytes,
    /// Whether the bytes stay in memory.
    pub keep: bool,
}

/// A stored page that was read.
#[derive(Debug)]
pub struct LoadedPage(Draw);

impl StoredPage {
    /// Reads the page, and finds whether its hashes are those of its lists: about two hashes a
    /// label, and as many a leaf of a list that stands in the page.
    pub fn load<E>(self) -> Result<LoadedPage, MapError<E>> {
        let StoredPage {
            key,
            through,
            bytes,
            keep,
        } = self;
        let records = page::records(&bytes)?;
        let ends = records.first().zip(records.last());
        let (first, last) = ends
            .map(|(a, b)| (a.label, b.label))
            .ok_or(PageError::Empty)?;
        if !key.holds(&first) || !key.holds(&last) {
            return Err(MapError::Misplaced(key));
        }
        if !part::proven(&records) {
            return Err(PageError::Malformed.into());
        }
        let place = Place::new(key, &records, through);
        drop(records);
        let kept = keep.then_some(Kept { bytes, used: false });
        Ok(LoadedPage(Draw { place, kept }))
    }
}

/// A stored part, to make a map of without reading its pages.
#[derive(Debug)]
pub struct StoredPart<S> {
    /// Its key.
    pub key: Prefix,
    /// Its places, which are read once, here.
    pub places: PageBytes,
    /// The slot that it gets.
    pub slot: S,
}

/// A stored part that was read.
#[derive(Debug)]
pub struct LoadedPart<S>(Part<S>);

impl<S> StoredPart<S> {
    /// Reads its places: from one to [`PART_PAGES`](super::PART_PAGES), in order and below the key.
    pub fn read(&self) -> Result<Vec<Place>, PageError> {
        part::read(&self.key, &self.places)
    }

    /// Reads the part: a hash for each page.
    pub fn load<E>(self) -> Result<LoadedPart<S>, MapError<E>> {
        let places = self.read()?;
        let through = places.iter().map(Place::through).max();
        let through = through.unwrap_or(TreeSize::EMPTY);
        Ok(LoadedPart(Part::new(self.key, &places, through, self.slot)))
    }
}

impl<S> LoadedPart<S> {
    /// The part.
    pub fn part(&self) -> &Part<S> {
        &self.0
    }
}

/// Fails unless `key` is all behind the keys before it.
fn next<E>(last: &mut Option<Label>, key: &Prefix) -> Result<(), MapError<E>> {
    if last.is_some_and(|last| last >= *key.first()) {
        return Err(MapError::Misplaced(*key));
    }
    *last = Some(key.last());
    Ok(())
}

/// Returns the directory over pages, given in the order of their keys. That of no pages is `None`.
pub(super) fn pages<S: Slot, E>(
    pages: impl IntoIterator<Item = Result<LoadedPage, MapError<E>>>,
) -> Result<Option<Node<S>>, MapError<E>> {
    let (mut loaded, mut last) = (Vec::new(), None);
    for page in pages {
        let LoadedPage(page) = page?;
        next(&mut last, page.key())?;
        loaded.push(page);
    }
    let through = loaded.iter().map(|page: &Draw| page.place.through()).max();
    Ok(through.map(|through| over_pages(Prefix::EMPTY, &mut loaded, through)))
}

/// Returns the directory over parts, given in the order of their keys. That of no parts is `None`.
pub(super) fn parts<S, E>(
    parts: impl IntoIterator<Item = Result<LoadedPart<S>, MapError<E>>>,
) -> Result<Option<Node<S>>, MapError<E>> {
    let (mut loaded, mut last) = (Vec::new(), None);
    for part in parts {
        let LoadedPart(part) = part?;
        next(&mut last, part.key())?;
        loaded.push(Arc::new(part));
    }
    Ok(over_parts(&loaded))
}
