//! What is in memory of a part.

use assay_claims::index::map::{Kept, PageBytes, Slot};
use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU32, Ordering},
};

/// The bit of [`Held::used`] that stands for the places. Those of the pages are before it.
const PLACES: u32 = 1 << 31;

/// The bit of [`Held::used`] that says that the store has not what it should.
const WRONG: u32 = 1 << 30;

/// The places of a part and the bytes of its pages, as far as they are in memory.
#[derive(Debug, Default)]
pub struct Held {
    contents: Mutex<Contents>,
    /// What was used since [`Held::take_used`], a bit each.
    used: AtomicU32,
}

#[derive(Debug, Default)]
struct Contents {
    places: Option<PageBytes>,
    pages: Vec<(u8, PageBytes)>,
}

impl Contents {
    fn page(&self, at: usize) -> Option<&PageBytes> {
        let found = self.pages.iter().find(|(page, _)| usize::from(*page) == at);
        found.map(|(_, bytes)| bytes)
    }

    fn bytes(&self) -> u64 {
        let pages = self.pages.iter().map(|(_, bytes)| bytes.len());
        let places = self.places.as_ref().map_or(0, |places| places.len());
        (places + pages.sum::<usize>()) as u64
    }
}

impl Held {
    /// A slot with these places, if they stay in memory, and no pages.
    pub(super) fn of(places: Option<PageBytes>) -> Self {
        let contents = Contents {
            places,
            pages: Vec::new(),
        };
        Held {
            contents: Mutex::new(contents),
            used: AtomicU32::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        // Each change is one assignment: a panic elsewhere leaves it whole.
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The places, if they are in memory. This marks them as used.
    pub(super) fn use_places(&self) -> Option<PageBytes> {
        let places = self.lock().places.clone()?;
        self.used.fetch_or(PLACES, Ordering::Relaxed);
        Some(places)
    }

    /// The bytes of a page, if they are in memory. This marks it as used.
    pub(super) fn use_page(&self, at: usize) -> Option<PageBytes> {
        let bytes = self.lock().page(at).cloned()?;
        self.used.fetch_or(1 << at, Ordering::Relaxed);
        Some(bytes)
    }

    /// Notes that the places or a page were not found in the store as they should be there.
    pub(super) fn mark_wrong(&self) {
        self.used.fetch_or(WRONG, Ordering::Relaxed);
    }

    /// Whether [`mark_wrong`](Self::mark_wrong) was called.
    pub(super) fn is_wrong(&self) -> bool {
        self.used.load(Ordering::Relaxed) & WRONG != 0
    }

    /// How many pages are in memory.
    pub(super) fn pages(&self) -> usize {
        self.lock().pages.len()
    }

    /// How many bytes are in memory.
    pub(super) fn bytes(&self) -> u64 {
        self.lock().bytes()
    }

    pub(super) fn fill_places(&self, places: PageBytes) {
        self.lock().places = Some(places);
    }

    /// Takes a page into memory, unless it is there.
    pub(super) fn fill_page(&self, at: usize, bytes: PageBytes) {
        let mut contents = self.lock();
        if contents.page(at).is_none() {
            contents.pages.push((at as u8, bytes));
        }
    }

    /// Puts out of memory what was not used since the last call, or, with `all`, everything, as
    /// long as more than `most` bytes are there. The places go last. Returns how many bytes stay,
    /// and how many pages and places went.
    pub(super) fn shrink(&self, most: u64, all: bool) -> (u64, u64) {
        let used = if all {
            0
        } else {
            self.used.fetch_and(WRONG, Ordering::Relaxed)
        };
        let mut contents = self.lock();
        let (mut bytes, mut gone) = (contents.bytes(), 0);
        contents.pages.retain(|(at, page)| {
            let stays = bytes <= most || used & (1 << at) != 0;
            if !stays {
                bytes -= page.len() as u64;
                gone += 1;
            }
            stays
        });
        if contents.pages.is_empty() {
            contents.pages = Vec::new();
        }
        if all
            && bytes > most
            && let Some(places) = contents.places.take()
        {
            bytes -= places.len() as u64;
            gone += 1;
        }
        (bytes, gone)
    }
}

impl Slot for Held {
    fn filled(places: PageBytes, pages: Vec<Option<Kept>>) -> Self {
        let (mut used, mut held) = (PLACES, Vec::new());
        held.reserve_exact(pages.iter().flatten().count());
        for (at, kept) in pages.into_iter().enumerate() {
            if let Some(kept) = kept {
                used |= u32::from(kept.used) << at;
                held.push((at as u8, kept.bytes));
            }
        }
        let contents = Contents {
            places: Some(places),
            pages: held,
        };
        Held {
            contents: Mutex::new(contents),
            used: AtomicU32::new(used),
        }
    }

    fn places(&self) -> Option<PageBytes> {
        self.lock().places.clone()
    }

    fn kept(&self, at: usize) -> Option<Kept> {
        let bytes = self.lock().page(at).cloned()?;
        let used = self.used.load(Ordering::Relaxed) & (1 << at) != 0;
        Some(Kept { bytes, used })
    }
}
