//! Pages in memory and in the store.

use crate::{
    records::{self, RecordError},
    storage::{Reads, Table},
};
use assay_claims::index::map::{Page, PageBytes, Pages, Slot};
use assay_claims::index::{Label, Map};
use assay_tlog::tree::LeafIndex;
use bytes::Bytes;
use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// Keys of one read of many.
const READ: usize = 1024;

/// A page's bytes, if they are in memory.
#[derive(Debug, Default)]
pub struct Held {
    bytes: Mutex<Option<PageBytes>>,
    used: AtomicBool,
}

impl Held {
    fn lock(&self) -> MutexGuard<'_, Option<PageBytes>> {
        // Each change is one assignment: a panic elsewhere leaves it whole.
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bytes, if they are in memory. This marks the page as used.
    pub fn bytes(&self) -> Option<PageBytes> {
        let bytes = self.lock().clone();
        if bytes.is_some() {
            self.used.store(true, Ordering::Relaxed);
        }
        bytes
    }

    /// How many bytes are in memory.
    pub fn len(&self) -> u64 {
        self.lock().as_ref().map_or(0, |bytes| bytes.len() as u64)
    }

    /// Whether nothing is in memory.
    pub fn is_empty(&self) -> bool {
        self.lock().is_none()
    }

    pub(super) fn take_used(&self) -> bool {
        self.used.swap(false, Ordering::Relaxed)
    }

    pub(super) fn fill(&self, bytes: PageBytes) {
        *self.lock() = Some(bytes);
    }

    pub(super) fn empty(&self) {
        *self.lock() = None;
    }
}

impl Slot for Held {
    fn filled(bytes: PageBytes) -> Self {
        Held {
            bytes: Mutex::new(Some(bytes)),
            used: AtomicBool::new(true),
        }
    }
}

/// Pages from memory, or else from a store.
pub struct StoredPages<'a, S>(pub &'a S);

impl<S: Reads> Pages<Held> for StoredPages<'_, S> {
    type Error = RecordError;

    fn bytes(&self, page: &Page<Held>) -> Result<PageBytes, RecordError> {
        if let Some(bytes) = page.slot().bytes() {
            return Ok(bytes);
        }
        let row = self
            .0
            .get(Table::IndexPages, &records::page_key(page.key()))?;
        match stored(page, row)? {
            Some(bytes) => Ok(bytes),
            // A step replaced the page in between. Before that it filled this node.
            None => page.slot().bytes().ok_or_else(|| lost(page)),
        }
    }
}

/// The bytes of a stored page, if it is of the version that this node has.
fn stored(page: &Page<Held>, row: Option<Bytes>) -> Result<Option<PageBytes>, RecordError> {
    let Some(row) = row else { return Ok(None) };
    let (through, bytes) = records::parse_page(&row)?;
    Ok((through == page.through().get()).then_some(bytes))
}

fn lost(page: &Page<Held>) -> RecordError {
    RecordError::Damaged(format!(
        "the page {:?} of the index is not the one that was written",
        page.key()
    ))
}

/// Reads into memory every page that `updates`, which are sorted, will change. One ordered read is
/// faster than one for each, and readers of the present map still find the pages later.
pub(super) fn pin(
    store: &impl Reads,
    map: &Map<Held>,
    updates: &[(Label, LeafIndex)],
) -> Result<(), RecordError> {
    let mut labels: Vec<Label> = updates.iter().map(|(label, _)| *label).collect();
    labels.dedup();
    let empty: Vec<_> = map
        .pages_of(&labels)
        .into_iter()
        .filter(|page| page.slot().is_empty())
        .collect();
    for pages in empty.chunks(READ) {
        let keys: Vec<_> = pages
            .iter()
            .map(|page| records::page_key(page.key()))
            .collect();
        for (page, row) in pages.iter().zip(store.multi_get(Table::IndexPages, &keys)?) {
            page.slot()
                .fill(stored(page, row)?.ok_or_else(|| lost(page))?);
        }
    }
    Ok(())
}
