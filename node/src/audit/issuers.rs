//! Who is registered in a mirrored log: rows of its part of the store, some of them in memory, and
//! what was not committed yet.

use super::Copied;
use crate::records::{self, RecordError};
use crate::registry;
use crate::storage::Batch;
use assay_claims::claim::PublicKey;
use assay_claims::issuer::{IssuerId, IssuerRecord, Issuers};
use quick_cache::{Weighter, sync::Cache};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Issuers of whom the record, or that there is none, is kept in memory, about.
const KEPT: usize = 4096;

/// Memory for them, in bytes.
const KEPT_BYTES: u64 = 8 << 20;

type Kept = Option<Arc<IssuerRecord>>;

#[derive(Clone)]
struct RecordWeight;

impl Weighter<IssuerId, Kept> for RecordWeight {
    fn weight(&self, _: &IssuerId, record: &Kept) -> u64 {
        let keys = record
            .as_ref()
            .map_or(0, |record| record.all_keys().count());
        256 + 256 * keys as u64
    }
}

/// Who is registered by the leaves that were replayed.
pub(super) struct StoredIssuers {
    part: Copied,
    kept: Cache<IssuerId, Kept, RecordWeight>,
    /// Since the last commit.
    changed: HashMap<IssuerId, Arc<IssuerRecord>>,
    owners: HashMap<[u8; 32], IssuerId>,
    /// What could not be read. What was answered since is worth nothing.
    fault: Mutex<Option<RecordError>>,
}

impl StoredIssuers {
    pub fn new(part: Copied) -> Self {
        StoredIssuers {
            part,
            kept: Cache::with_weighter(KEPT, KEPT_BYTES, RecordWeight),
            changed: HashMap::new(),
            owners: HashMap::new(),
            fault: Mutex::default(),
        }
    }

    /// Puts a record in force, and adds its rows to `batch`, but for the one with its leaf.
    pub fn apply(&mut self, record: &IssuerRecord, batch: &mut Batch) {
        records::put_owners(batch, record);
        for key in record.all_keys() {
            self.owners.insert(*key.as_bytes(), record.id);
        }
        self.changed.insert(record.id, Arc::new(record.clone()));
    }

    /// What was applied is stored now.
    pub fn committed(&mut self) {
        self.owners.clear();
        for (id, record) in self.changed.drain() {
            self.kept.insert(id, Some(record));
        }
    }

    /// Fails if something could not be read since the last call.
    pub fn check(&self) -> Result<(), RecordError> {
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        fault.take().map_or(Ok(()), Err)
    }

    /// What was read, or nothing and a fault.
    fn answer<T: Default>(&self, read: Result<T, RecordError>) -> T {
        read.unwrap_or_else(|error| {
            let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
            fault.get_or_insert(error);
            T::default()
        })
    }

    fn read(&self, id: &IssuerId) -> Result<Kept, RecordError> {
        let leaf = records::issuer_in_force(&self.part, id)?;
        let record = leaf.map(|leaf| registry::read_record(&self.part, leaf));
        Ok(record.transpose()?.map(Arc::new))
    }
}

impl Issuers for StoredIssuers {
    fn in_force(&self, id: &IssuerId) -> Kept {
        if let Some(record) = self.changed.get(id) {
            return Some(record.clone());
        }
        let read = self.kept.get_or_insert_with(id, || self.read(id));
        self.answer(read)
    }

    fn owner(&self, key: &PublicKey) -> Option<IssuerId> {
        if let Some(owner) = self.owners.get(key.as_bytes()) {
            return Some(*owner);
        }
        self.answer(records::owner(&self.part, key))
    }

    fn by_half(&self, id: &IssuerId) -> Option<IssuerId> {
        let changed = self.changed.keys().find(|other| other.half() == id.half());
        if let Some(other) = changed {
            return Some(*other);
        }
        let next = self.answer(records::issuer_from(&self.part, &id.first_of_half()));
        next.filter(|next| next.half() == id.half())
    }
}
