//! What every answer rests on: a checkpoint whose last leaf commits to an index, and entries that
//! are in the log under that checkpoint.

use super::error::AnswerError;
use super::message::Answer;
use crate::claim::{self, ClaimError, KeyCache};
use crate::entry::Entry;
use crate::index::commitment::Commitment;
use crate::index::label::Label;
use crate::index::map::Join;
use crate::index::map::join::map;
use crate::index::mapping::labels_of_entry;
use crate::logged::LoggedClaim;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::hash::leaf_hash;
use assay_tlog::tree::{LeafIndex, verify_multiproof};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Entries that are proven to be in a log, under a checkpoint whose last leaf commits to an index
/// of a known mapping version.
///
/// Only the verifiers of answers make one. By itself it does not say that anything is complete, and
/// claims in the entries are not verified before they are asked for.
#[derive(Debug, Clone)]
pub struct ProvenEntries {
    checkpoint: VerifiedCheckpoint,
    commitment: Commitment,
    made_at_ms: u64,
    entries: BTreeMap<LeafIndex, Entry>,
}

impl ProvenEntries {
    /// The checkpoint that all of it was verified under.
    pub fn checkpoint(&self) -> &VerifiedCheckpoint {
        &self.checkpoint
    }

    /// When the commitment was made, by the log's clock, in milliseconds since 1970 (UTC). What was
    /// logged after it is not in the answer.
    pub fn made_at_ms(&self) -> u64 {
        self.made_at_ms
    }

    /// What the checkpoint's last leaf commits to.
    pub fn commitment(&self) -> &Commitment {
        &self.commitment
    }

    /// The entries, by leaf. Each has every label that the answer lists it under.
    pub fn entries(&self) -> &BTreeMap<LeafIndex, Entry> {
        &self.entries
    }

    /// Returns the claim in the entry of a leaf, verified strictly, or why it does not verify.
    /// `None` if the entry did not come, or is a commitment.
    pub fn claim(
        &self,
        keys: &impl KeyCache,
        leaf: LeafIndex,
    ) -> Option<Result<LoggedClaim, ClaimError>> {
        let entry = self.entries.get(&leaf)?;
        let verified = claim::verify(entry.claim().ok()?, keys);
        let origin: Arc<str> = self.checkpoint.origin().into();
        Some(verified.map(|claim| LoggedClaim::new(origin, leaf, entry.logged_at_ms(), claim)))
    }

    /// Returns the claims in the entries of the leaves that are `wanted`, ascending by leaf, each
    /// verified strictly, or why it does not verify.
    pub fn claims(
        &self,
        keys: &impl KeyCache,
        wanted: impl Fn(LeafIndex) -> bool,
    ) -> Vec<(LeafIndex, Result<LoggedClaim, ClaimError>)> {
        let mut claims = Vec::new();
        for leaf in self.entries.keys().filter(|leaf| wanted(**leaf)) {
            if let Some(claim) = self.claim(keys, *leaf) {
                claims.push((*leaf, claim));
            }
        }
        claims
    }

    /// Returns those of `leaves`, ascending, each once, whose entries did not come.
    pub(super) fn missing<'a>(
        &self,
        leaves: impl IntoIterator<Item = &'a LeafIndex>,
    ) -> Vec<LeafIndex> {
        let mut missing: Vec<_> = leaves
            .into_iter()
            .filter(|leaf| !self.entries.contains_key(leaf))
            .copied()
            .collect();
        missing.sort_unstable();
        missing.dedup();
        missing
    }
}

/// A checkpoint and what its last leaf commits to, before any list was looked at.
pub(super) struct Basis {
    checkpoint: VerifiedCheckpoint,
    commitment: Commitment,
    made_at_ms: u64,
    last: LeafIndex,
}

impl Basis {
    /// Checks that the entries and the commitment are in the log, and that the commitment is one.
    pub fn verify(
        checkpoint: VerifiedCheckpoint,
        answer: &Answer,
        join: &impl Join,
    ) -> Result<Self, AnswerError> {
        let size = checkpoint.size();
        let last = size.last_leaf().ok_or(AnswerError::EmptyLog)?;
        let entry = Entry::parse(answer.commitment.clone()).map_err(AnswerError::LastLeaf)?;
        let entries: Vec<&(LeafIndex, Bytes)> = answer.entries.iter().collect();
        let mut leaves = map(join, entries, &|(at, bytes)| (*at, leaf_hash(bytes)));
        leaves.push((last, entry.leaf_hash()));
        verify_multiproof(&leaves, size, &answer.inclusion, &checkpoint.root())?;

        // Only now, when it is known to be the log's. A made-up commitment of another mapping
        // version could send the caller to look for a newer program.
        let commitment = Commitment::of_entry(&entry, last)?;
        Ok(Basis {
            checkpoint,
            commitment,
            made_at_ms: entry.logged_at_ms(),
            last,
        })
    }

    /// What the last leaf commits to.
    pub fn commitment(&self) -> &Commitment {
        &self.commitment
    }

    /// The last leaf, which commits to the index over all leaves before it.
    pub fn last(&self) -> LeafIndex {
        self.last
    }

    /// Checks the entries against the lists that they should be in.
    pub fn prove<'a>(
        self,
        lists: impl IntoIterator<Item = (&'a Label, &'a [LeafIndex])>,
        answered: Vec<(LeafIndex, Bytes)>,
        join: &impl Join,
    ) -> Result<ProvenEntries, AnswerError> {
        Ok(ProvenEntries {
            checkpoint: self.checkpoint,
            commitment: self.commitment,
            made_at_ms: self.made_at_ms,
            entries: check_entries(lists, answered, join)?,
        })
    }
}

/// Checks that every entry is in a list, parses, and has every label that it is listed under. The
/// entries ascend by leaf. Of leaves whose entries did not come, nothing is held.
fn check_entries<'a>(
    lists: impl IntoIterator<Item = (&'a Label, &'a [LeafIndex])>,
    answered: Vec<(LeafIndex, Bytes)>,
    join: &impl Join,
) -> Result<BTreeMap<LeafIndex, Entry>, AnswerError> {
    let mut labels: Vec<&Label> = Vec::new();
    // Which entry is in which list.
    let mut listed: Vec<(usize, usize)> = Vec::new();
    for (label, leaves) in lists {
        for leaf in leaves {
            if let Ok(at) = answered.binary_search_by_key(leaf, |(leaf, _)| *leaf) {
                listed.push((at, labels.len()));
            }
        }
        labels.push(label);
    }
    listed.sort_unstable();
    let mut rest = listed.as_slice();
    let mut all = Vec::with_capacity(answered.len());
    for (at, (leaf, bytes)) in answered.into_iter().enumerate() {
        let (under, others) = rest.split_at(rest.partition_point(|(entry, _)| *entry <= at));
        all.push((leaf, bytes, under));
        rest = others;
    }
    let checked = map(join, all, &|(leaf, bytes, under)| {
        let under = under.iter().map(|(_, list)| *labels[*list]);
        Ok((leaf, check_entry(leaf, bytes, under)?))
    });
    checked.into_iter().collect()
}

/// Checks that an entry is in a list, parses, and has every label that it is listed under.
fn check_entry(
    leaf: LeafIndex,
    bytes: Bytes,
    under: impl ExactSizeIterator<Item = Label>,
) -> Result<Entry, AnswerError> {
    if under.len() == 0 {
        return Err(AnswerError::Unlisted(leaf));
    }
    let entry = Entry::parse(bytes).map_err(|error| AnswerError::Entry(leaf, error))?;
    let its = labels_of_entry(&entry);
    for label in under {
        if its.binary_search(&label).is_err() {
            return Err(AnswerError::Unrelated { leaf, label });
        }
    }
    Ok(entry)
}
