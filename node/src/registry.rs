//! The issuer records in force, in memory, rebuilt from the log's own entries at every start.
//!
//! Only [`Log`](crate::log::Log) changes it, after the entries with the records are durable. Its
//! size is that of the registered issuers, not of the log.

use crate::{
    records::{self, RecordError, WIDTH, parse_index},
    storage::{Reads, Table},
};
use assay_claims::claim::{KeyCache, PublicKey};
use assay_claims::issuer::{IssuerId, IssuerRecord, Issuers};
use assay_tlog::Hash;
use assay_tlog::tree::LeafIndex;
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

#[derive(Default)]
struct State {
    records: HashMap<IssuerId, Arc<IssuerRecord>>,
    /// The registered issuers, sorted, so that one is found by half of its id.
    sorted: BTreeSet<IssuerId>,
    /// Every key that stands in a record, of now or of before, and whose it is.
    keys: HashMap<[u8; 32], (PublicKey, IssuerId)>,
    /// SHA-256 of the invitations that were used.
    invitations: HashSet<Hash>,
}

/// For each registered issuer, its record in force, and whose every key is; and which invitations
/// were used.
#[derive(Default)]
pub struct Directory {
    state: RwLock<State>,
}

impl Directory {
    /// Rebuilds the directory from the entries that the store's issuer rows point at.
    pub fn load(tables: &impl Reads) -> Result<Self, RecordError> {
        let directory = Directory::default();
        directory.use_up(records::invitations(tables)?);
        let mut from = Vec::new();
        loop {
            let rows = tables.range(Table::Issuers, &from, &[0xff; 40], WIDTH as usize)?;
            let Some((last, _)) = rows.last() else {
                return Ok(directory);
            };
            from = [&last[..], &[0]].concat();
            // Rows are sorted by issuer and sequence, so the last one applied is the one in force.
            for (_, value) in &rows {
                directory.apply(read_record(tables, parse_index(value)?)?);
            }
        }
    }

    /// Puts a record in force, in place of the issuer's last one.
    pub fn apply(&self, record: IssuerRecord) {
        let mut state = self.write();
        for key in record.all_keys() {
            state.keys.insert(*key.as_bytes(), (*key, record.id));
        }
        state.sorted.insert(record.id);
        state.records.insert(record.id, Arc::new(record));
    }

    /// From now on these invitations are used.
    pub fn use_up(&self, invitations: impl IntoIterator<Item = Hash>) {
        self.write().invitations.extend(invitations);
    }

    /// How many issuers are registered.
    pub fn issuers(&self) -> usize {
        self.read().records.len()
    }

    // A panic while the lock is held leaves each map whole, because each change is one insertion.
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state
            .read()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state
            .write()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Reads the issuer's record at a leaf.
pub(crate) fn read_record(
    tables: &impl Reads,
    index: LeafIndex,
) -> Result<IssuerRecord, RecordError> {
    const SHOULD: &str = "register an issuer";
    let claim = records::read_claim(tables, index, SHOULD)?;
    let damaged =
        |why: String| RecordError::Damaged(format!("entry {index} should {SHOULD}: {why}"));
    let record = IssuerRecord::from_claim(&claim).map_err(|e| damaged(e.to_string()))?;
    record.ok_or_else(|| damaged("it holds another kind of claim".into()))
}

impl Issuers for Directory {
    fn in_force(&self, id: &IssuerId) -> Option<Arc<IssuerRecord>> {
        self.read().records.get(id).cloned()
    }

    fn owner(&self, key: &PublicKey) -> Option<IssuerId> {
        let state = self.read();
        state.keys.get(key.as_bytes()).map(|(_, owner)| *owner)
    }

    fn by_half(&self, id: &IssuerId) -> Option<IssuerId> {
        let state = self.read();
        let next = state.sorted.range(id.first_of_half()..).next()?;
        (next.half() == id.half()).then_some(*next)
    }

    fn is_used(&self, invitation: &Hash) -> bool {
        self.read().invitations.contains(invitation)
    }
}

impl KeyCache for Directory {
    fn key(&self, bytes: &[u8; 32]) -> Option<PublicKey> {
        self.read().keys.get(bytes).map(|(key, _)| *key)
    }
}
