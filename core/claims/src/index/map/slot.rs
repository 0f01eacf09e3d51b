//! What is in memory of a part, and where the rest comes from.

use super::part::{Part, Place};
use std::sync::Arc;

/// The bytes of a page, or of the places of a part. Shared, because both live in every map that no
/// step has changed them in.
pub type PageBytes = Arc<[u8]>;

/// A page's bytes that are in memory.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The bytes.
    pub bytes: PageBytes,
    /// Whether they were used since somebody last asked.
    pub used: bool,
}

/// What a part's node holds of its places and of its pages' bytes.
pub trait Slot: Send + Sync {
    /// A slot for a part that was just made: its places, and of each page the bytes, if they are in
    /// memory.
    fn filled(places: PageBytes, pages: Vec<Option<Kept>>) -> Self;

    /// The places, if they are in memory.
    fn places(&self) -> Option<PageBytes>;

    /// The bytes of the page at this place, if they are in memory.
    fn kept(&self, at: usize) -> Option<Kept>;
}

/// Where places and pages' bytes come from.
pub trait Pages<S>: Sync {
    /// Why bytes could not be read.
    type Error: Send;

    /// Returns the places of this part, as they were when its node was made.
    fn places(&self, part: &Part<S>) -> Result<PageBytes, Self::Error>;

    /// Returns the bytes of the page at a place of this part, as they were when its node was made.
    fn bytes(&self, part: &Part<S>, at: usize, place: &Place) -> Result<PageBytes, Self::Error>;
}

/// A slot that holds everything.
#[derive(Debug, Clone)]
pub struct Whole {
    places: PageBytes,
    pages: Vec<PageBytes>,
}

impl Slot for Whole {
    fn filled(places: PageBytes, pages: Vec<Option<Kept>>) -> Self {
        let bytes = pages
            .into_iter()
            .map(|page| page.map(|kept| kept.bytes).unwrap_or_default());
        Whole {
            places,
            pages: bytes.collect(),
        }
    }

    fn places(&self) -> Option<PageBytes> {
        Some(self.places.clone())
    }

    fn kept(&self, at: usize) -> Option<Kept> {
        let bytes = self.pages.get(at)?.clone();
        Some(Kept { bytes, used: true })
    }
}

/// All parts are whole.
#[derive(Debug, Clone, Copy)]
pub struct Resident;

impl Pages<Whole> for Resident {
    type Error = std::convert::Infallible;

    fn places(&self, part: &Part<Whole>) -> Result<PageBytes, Self::Error> {
        Ok(part.slot().places.clone())
    }

    fn bytes(&self, part: &Part<Whole>, at: usize, _: &Place) -> Result<PageBytes, Self::Error> {
        Ok(part.slot().pages.get(at).cloned().unwrap_or_default())
    }
}
