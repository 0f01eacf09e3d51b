//! The history of every issuer: its records by the leaf that they stand at.

use super::id::IssuerId;
use super::record::{IssuerRecord, Issuers};
use crate::claim::PublicKey;
use assay_tlog::tree::LeafIndex;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// All records of all issuers, each in force from the leaf after its own.
///
/// It is fed with the records of one log in the order of their leaves. That each was rightly signed
/// is [`authorize`](super::authorize)'s to say first; that they form a chain is checked here again.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    records: BTreeMap<IssuerId, Vec<(LeafIndex, Arc<IssuerRecord>)>>,
    /// Whose each key is that stands in one of the records.
    owners: HashMap<[u8; 32], IssuerId>,
}

/// Why a record does not continue an issuer's history.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// Its sequence is not the next one.
    #[error("the next record of issuer {issuer} has sequence {next}, not {found}")]
    Sequence {
        /// The issuer.
        issuer: IssuerId,
        /// What comes next.
        next: u32,
        /// What was given.
        found: u32,
    },
    /// It does not name the record before it.
    #[error("the record of issuer {0} does not name the one before it")]
    Previous(IssuerId),
    /// One of its keys stands in a record of another issuer.
    #[error("a key of issuer {issuer} stands in a record of issuer {owner}")]
    KeyOfAnother {
        /// Whose record was given.
        issuer: IssuerId,
        /// Whose key it is.
        owner: IssuerId,
    },
    /// The id of an issuer that is registered begins with the same 16 bytes.
    #[error("the id of issuer {issuer} begins with the same 16 bytes as that of issuer {other}")]
    SharedHalf {
        /// Whose record was given.
        issuer: IssuerId,
        /// Who is registered.
        other: IssuerId,
    },
    /// It stands before the record that it follows.
    #[error("the record of issuer {issuer} at leaf {leaf} does not stand after the one before it")]
    Order {
        /// The issuer.
        issuer: IssuerId,
        /// The leaf that was given.
        leaf: LeafIndex,
    },
}

impl Registry {
    /// Nobody is registered.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a record in force after the leaf that it stands at. On an error nothing has changed.
    pub fn apply(
        &mut self,
        leaf: LeafIndex,
        record: impl Into<Arc<IssuerRecord>>,
    ) -> Result<(), RegistryError> {
        let record = record.into();
        let issuer = record.id;
        let last = self.records.get(&issuer).and_then(|history| history.last());
        let next = last.map_or(Some(0), |(_, last)| last.body.sequence.checked_add(1));
        if next != Some(record.body.sequence) {
            let next = next.unwrap_or(u32::MAX);
            return Err(RegistryError::Sequence {
                issuer,
                next,
                found: record.body.sequence,
            });
        }
        if record.body.previous != last.map(|(_, last)| last.claim_id) {
            return Err(RegistryError::Previous(issuer));
        }
        if last.is_some_and(|(at, _)| *at >= leaf) {
            return Err(RegistryError::Order { issuer, leaf });
        }
        if let Some(other) = self.by_half(&issuer).filter(|other| *other != issuer) {
            return Err(RegistryError::SharedHalf { issuer, other });
        }
        for key in record.all_keys() {
            if let Some(owner) = self.owner(key).filter(|owner| *owner != issuer) {
                return Err(RegistryError::KeyOfAnother { issuer, owner });
            }
        }

        for key in record.all_keys() {
            self.owners.insert(*key.as_bytes(), issuer);
        }
        self.records.entry(issuer).or_default().push((leaf, record));
        Ok(())
    }

    /// The record that a claim at `leaf` is judged by: the latest that stands before it.
    pub fn in_force_at(&self, id: &IssuerId, leaf: LeafIndex) -> Option<Arc<IssuerRecord>> {
        let (_, record) = self.records(id).iter().rev().find(|(at, _)| *at < leaf)?;
        Some(record.clone())
    }

    /// All records of an issuer with their leaves, oldest first.
    pub fn records(&self, id: &IssuerId) -> &[(LeafIndex, Arc<IssuerRecord>)] {
        self.records.get(id).map(Vec::as_slice).unwrap_or_default()
    }

    /// Everybody who is registered, with the record in force, by id.
    pub fn issuers(&self) -> impl Iterator<Item = (&IssuerId, &Arc<IssuerRecord>)> {
        self.records
            .iter()
            .filter_map(|(id, history)| history.last().map(|(_, record)| (id, record)))
    }
}

impl Issuers for Registry {
    fn in_force(&self, id: &IssuerId) -> Option<Arc<IssuerRecord>> {
        self.records(id).last().map(|(_, record)| record.clone())
    }

    fn owner(&self, key: &PublicKey) -> Option<IssuerId> {
        self.owners.get(key.as_bytes()).copied()
    }

    fn by_half(&self, id: &IssuerId) -> Option<IssuerId> {
        let (next, _) = self.records.range(id.first_of_half()..).next()?;
        (next.half() == id.half()).then_some(*next)
    }
}
