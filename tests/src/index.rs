//! The index of a log, built again from nothing but its entries, and everything that a log must
//! keep to with it: leaf 0 commits to the empty index, every commitment is to the index of all
//! leaves before it, and no checkpoint ends in anything else (`docs/index.md`, section 1).

use anyhow::{Context, ensure};
use assay_claims::entry::Entry;
use assay_claims::entry::wire::Body;
use assay_claims::index::map::{Resident, Serial, Whole};
use assay_claims::index::{Commitment, Label, Map, labels_of_entry};
use assay_tlog::tree::{LeafIndex, TreeSize};
use std::collections::BTreeMap;

/// What the entries so far give.
#[derive(Debug, Default)]
pub struct Rebuilt {
    size: u64,
    map: Map<Whole>,
    /// Leaves by label, since the last commitment.
    pending: Vec<(Label, LeafIndex)>,
    lists: BTreeMap<Label, Vec<u64>>,
    commitments: Vec<u64>,
}

impl Rebuilt {
    /// Adds the next entry of a log. Fails if it is a commitment to anything but the index of those
    /// before it, or if it is the first of the log and none.
    pub fn add(&mut self, entry: &Entry) -> anyhow::Result<()> {
        let leaf = self.size;
        match entry.body() {
            Body::IndexCommitment(_) => self
                .add_commitment(entry)
                .with_context(|| format!("the commitment at leaf {leaf}"))?,
            Body::Claim(_) => {
                ensure!(leaf > 0, "leaf 0 holds a claim");
                self.add_labels(labels_of_entry(entry));
            }
        }
        self.size += 1;
        Ok(())
    }

    fn add_labels(&mut self, labels: Vec<Label>) {
        for label in labels {
            self.pending.push((label, LeafIndex::new(self.size)));
            self.lists.entry(label).or_default().push(self.size);
        }
    }

    fn add_commitment(&mut self, entry: &Entry) -> anyhow::Result<()> {
        let said = Commitment::of_entry(entry, LeafIndex::new(self.size))?;
        self.commit()?;
        ensure!(
            said == self.map.commitment(),
            "it says {said:?}, but the entries give {:?}",
            self.map.commitment()
        );
        self.commitments.push(self.size);
        Ok(())
    }

    fn commit(&mut self) -> anyhow::Result<()> {
        self.pending.sort();
        let update = self
            .map
            .update(&self.pending, TreeSize::new(self.size), &Resident, &Serial)
            .context("the map")?;
        self.map = update.map;
        self.pending.clear();
        Ok(())
    }

    /// What the next entry commits to, if it is a commitment: for logs that are being made.
    pub fn next_commitment(&mut self) -> anyhow::Result<Commitment> {
        self.commit()?;
        Ok(self.map.commitment())
    }

    /// Leaves that were added.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Claims among them.
    pub fn claims(&self) -> u64 {
        self.size - self.commitments.len() as u64
    }

    /// The leaves from one on that are claims.
    pub fn claims_from(&self, leaf: u64) -> Vec<u64> {
        (leaf..self.size)
            .filter(|leaf| self.commitments.binary_search(leaf).is_err())
            .collect()
    }

    /// The leaves that are commitments.
    pub fn commitments(&self) -> &[u64] {
        &self.commitments
    }

    /// Whether a checkpoint of this size ends in a commitment.
    pub fn ends_in_commitment(&self, size: u64) -> bool {
        size.checked_sub(1)
            .is_some_and(|last| self.commitments.binary_search(&last).is_ok())
    }

    /// What the last commitment is to.
    pub fn map(&self) -> &Map<Whole> {
        &self.map
    }

    /// Every label with its leaves, those since the last commitment among them.
    pub fn lists(&self) -> &BTreeMap<Label, Vec<u64>> {
        &self.lists
    }
}
