//! Claims that were made when the source was surveyed, so that their documents need not be read
//! again: as many as the memory for them holds.

use assay_claims::statement::Statement;
use assay_client::publish::{Draft, DraftError, DraftText};
use assay_intake::bridge::{Bridge, Ledger, Record, Sight};
use assay_tlog::Hash;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Memory for them, in bytes: for some fifty thousand records of the usual size.
const BYTES: usize = 64 * 1024 * 1024;

/// About what the claims of a record take beside their text.
const RECORD_BYTES: usize = 256;

/// The claims of a record, short of their signatures.
pub struct Made {
    key: String,
    print: Hash,
    texts: Vec<DraftText>,
}

impl Made {
    /// The claims of a record that is to be published for the first time or anew, of a document
    /// with this SHA-256. `None` if nothing is to be published of it, if it is to be read again
    /// for it, or if it makes none: who reads it again says why.
    pub fn of(
        record: Record,
        sight: &Sight,
        document: &Hash,
        (bridge, ledger): (&Bridge, &Ledger),
    ) -> Option<Self> {
        let print = sight.print().filter(|_| !bridge.is_attested)?;
        let held = ledger.get(&record.key);
        // What was sent before is sent again with the time that it had.
        if held.is_some_and(|held| held.print == print) {
            return None;
        }
        let held = held.cloned().unwrap_or_default();
        let revision = held.next_revision(&print);
        Some(Made {
            key: record.key.clone(),
            print,
            texts: texts(record, bridge, document, revision).ok()?.0,
        })
    }

    fn bytes(&self) -> usize {
        let texts = self.texts.iter().map(|text| text.payload().len());
        texts.sum::<usize>() + self.key.len() + RECORD_BYTES
    }
}

/// The claims of a record, as a bridge signs them, and what is stored beside them.
pub fn texts(
    record: Record,
    bridge: &Bridge,
    document: &Hash,
    revision: u64,
) -> Result<(Vec<DraftText>, Vec<Bytes>), DraftError> {
    let (mut texts, mut attachments) = (Vec::new(), Vec::new());
    for claim in record.republished(bridge, document, revision) {
        attachments.extend(claim.attachment.map(|attachment| attachment.bytes));
        let statement = Statement::new(claim.subjects, &claim.predicate_type, claim.predicate)?;
        texts.push(Draft::new(statement)?.into_text());
    }
    Ok((texts, attachments))
}

/// The claims that were made, by the names of their records.
#[derive(Default)]
pub struct Kept(Mutex<Room>);

#[derive(Default)]
struct Room {
    made: BTreeMap<String, Made>,
    taken: usize,
}

impl Kept {
    /// Whether there is room for more.
    pub fn has_room(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).taken < BYTES
    }

    /// Keeps claims, unless others of the same record are kept, or there is no room.
    pub fn keep(&self, made: Made) {
        let mut room = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = made.bytes();
        if room.taken + bytes <= BYTES && !room.made.contains_key(&made.key) {
            room.taken += bytes;
            room.made.insert(made.key.clone(), made);
        }
    }

    /// Takes out what was made of a record, if it is what has this print.
    pub fn take(&self, key: &str, print: &Hash) -> Option<Vec<DraftText>> {
        let mut room = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let made = room.made.remove(key)?;
        (made.print == *print).then_some(made.texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(key: &str, print: &[u8]) -> Made {
        Made {
            key: key.to_owned(),
            print: Hash::of(print),
            texts: Vec::new(),
        }
    }

    #[test]
    fn what_is_kept_is_of_its_print_and_has_a_limit() {
        let kept = Kept::default();
        kept.keep(made("a", b"1"));
        kept.keep(made("a", b"2"));
        assert!(kept.take("a", &Hash::of(b"2")).is_none());
        kept.keep(made("a", b"2"));
        assert!(kept.take("a", &Hash::of(b"2")).is_some());
        assert!(kept.take("a", &Hash::of(b"2")).is_none());
        let long = "k".repeat(BYTES / 2);
        kept.keep(made(&long, b"1"));
        assert!(kept.has_room());
        kept.keep(made(&format!("{long}2"), b"1"));
        assert!(kept.take(&format!("{long}2"), &Hash::of(b"1")).is_none());
        assert!(kept.take(&long, &Hash::of(b"1")).is_some());
    }
}
