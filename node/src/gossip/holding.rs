//! What a node has of logs: heads that it compares, and tiles by which it links them.

use crate::mirror::shelf::Shelf;
use crate::mirror::store::StoredTiles as CopiedTiles;
use crate::storage::Tables;
use crate::view::{StoredTiles, View};
use crate::witness::service::Witness;
use assay_tlog::Hash;
use assay_tlog::gossip::{Answer, Question};
use assay_tlog::tree::{TileReader, TreeSize, prove_consistency, root};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

/// A part of the node that has heads of logs. All of it may block.
pub trait Holding: Send + Sync {
    /// The notes of heads that are others than at the last call. Of the heads of one log that are
    /// told one after the other, each larger one extends the one before: whoever tells them has
    /// verified that.
    fn changed(&self) -> Vec<String>;

    /// The answer to a question from stored tiles, if there are tiles of a tree as large as the
    /// newer one. If that is another tree, the answer proves nothing.
    fn answer(&self, question: &Question) -> Option<Answer>;
}

/// The answer to a question from tiles. `None` if some are missing.
pub(super) fn prove<R: TileReader>(tiles: &R, question: &Question) -> Option<Answer> {
    let (older, newer) = (question.older().size(), question.newer().size());
    let path = prove_consistency(tiles, older, newer).ok();
    // Both are tried, so that a reader sees all that is wanted at once.
    let actual = question.needs_root().then(|| root(tiles, older).ok());
    Some(Answer {
        path: path?,
        root: match actual {
            None => None,
            Some(root) => Some(root?),
        },
    })
}

/// The node's own log.
pub struct OwnLog<S> {
    view: Arc<View<S>>,
    origin: String,
    told: AtomicU64,
}

impl<S: Tables> OwnLog<S> {
    /// The log of this origin.
    pub fn new(view: Arc<View<S>>, origin: &str) -> Self {
        OwnLog {
            view,
            origin: origin.to_owned(),
            told: AtomicU64::new(0),
        }
    }
}

impl<S: Tables + 'static> Holding for OwnLog<S> {
    fn changed(&self) -> Vec<String> {
        let Ok(published) = self.view.published() else {
            return Vec::new();
        };
        let size = published.size().get();
        if self.told.swap(size, Ordering::Relaxed) == size {
            return Vec::new();
        }
        vec![published.note().to_owned()]
    }

    fn answer(&self, question: &Question) -> Option<Answer> {
        let newer = question.newer();
        if newer.origin() != self.origin || newer.size() > self.view.signed() {
            return None;
        }
        prove(&StoredTiles(self.view.store()), question)
    }
}

/// The logs that the node's mirror copies.
pub struct Copies<S> {
    store: Arc<S>,
    shelf: Arc<Shelf<S>>,
    told: Mutex<HashMap<Hash, TreeSize>>,
}

impl<S: Tables + 'static> Copies<S> {
    /// What is on this shelf, with its tiles in this store.
    pub fn new(store: Arc<S>, shelf: Arc<Shelf<S>>) -> Self {
        Copies {
            store,
            shelf,
            told: Mutex::default(),
        }
    }
}

impl<S: Tables + 'static> Holding for Copies<S> {
    fn changed(&self) -> Vec<String> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let mut notes = Vec::new();
        for log in self.shelf.logs().values() {
            let Some(head) = log.shown.head.load_full() else {
                continue;
            };
            if told.insert(log.shown.rows.digest(), head.size()) != Some(head.size()) {
                notes.push(head.note.clone());
            }
        }
        notes
    }

    fn answer(&self, question: &Question) -> Option<Answer> {
        let newer = question.newer();
        let digest = Hash::of(newer.origin().as_bytes());
        let log = self.shelf.log(&digest.to_hex())?;
        let head = log.shown.head.load_full()?;
        if newer.size() > head.size() {
            return None;
        }
        let tiles = CopiedTiles {
            tables: &*self.store,
            rows: log.shown.rows,
        };
        prove(&tiles, question)
    }
}

/// The logs that a witness cosigns. It has no tiles. The witness is not kept from ending.
pub struct Witnessed {
    witness: Weak<Witness>,
    told: Mutex<HashMap<String, TreeSize>>,
}

impl Witnessed {
    /// The logs of this witness.
    pub fn new(witness: &Arc<Witness>) -> Self {
        Witnessed {
            witness: Arc::downgrade(witness),
            told: Mutex::default(),
        }
    }
}

impl Holding for Witnessed {
    fn changed(&self) -> Vec<String> {
        let Some(witness) = self.witness.upgrade() else {
            return Vec::new();
        };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let mut notes = Vec::new();
        witness.latest(|head| {
            let size = head.size();
            if told.get(head.origin()) != Some(&size) {
                told.insert(head.origin().to_owned(), size);
                notes.push(head.note().to_owned());
            }
        });
        notes
    }

    fn answer(&self, _: &Question) -> Option<Answer> {
        None
    }
}
