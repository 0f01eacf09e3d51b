//! What an auditor has of a log in memory.

use super::replay::{CHUNK, Replayer};
use super::store::Signed;
use crate::{index::Held, mirror::shelf::ShownHead};
use assay_claims::index::Map;
use assay_tlog::head::VerifiedHead;
use assay_tlog::witness::WitnessKeys;
use bytes::Bytes;
use std::sync::Arc;

/// What is known of a log, unless something failed since.
#[derive(Default)]
pub(super) struct Loaded {
    pub signed: Signed,
    /// The index as of the head that was cosigned last.
    pub map: Option<Map<Held>>,
    pub replayer: Option<Replayer>,
    /// The note that the mirror stored, and the head in it.
    pub note: Bytes,
    pub head: Option<VerifiedHead>,
    /// How many entries are copied.
    pub entries: u64,
    /// What the mirror showed when the head was shown.
    pub shown: Option<Arc<ShownHead>>,
    /// What signed the head that is shown.
    pub keys: Option<Arc<WitnessKeys>>,
    /// Whether it was tried to show others what was found.
    pub tried: bool,
}

impl Loaded {
    /// The size of the mirrored head.
    pub fn size(&self) -> u64 {
        self.head.as_ref().map_or(0, |head| head.size().get())
    }

    /// How many leaves were replayed.
    pub fn replayed(&self) -> u64 {
        let rules = self.replayer.as_ref().map(Replayer::rules);
        rules.map_or(0, |rules| rules.size().get())
    }
}

/// Up to which leaf there is something to replay: first the whole mirrored head, then what is
/// copied of the next one, some thousand entries at a time.
pub(super) fn due(loaded: &Loaded) -> Option<u64> {
    let (next, size) = (loaded.replayed(), loaded.size());
    if next < size {
        return Some(size);
    }
    let whole = loaded.entries / CHUNK * CHUNK;
    (whole > next).then_some(whole)
}
