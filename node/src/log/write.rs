//! Appending to a log and publishing it.
//!
//! The order is always the same (docs/design.md 5). For claims: plan, commit, adopt. For a
//! checkpoint: append the leaf that commits to the index, compute the root a second time from the
//! stored bytes, sign, append the signed note to the checkpoint file, and only then send it to
//! witnesses or show it.
//! `assay_claims::sequencer` decides, this file does the I/O.
//!
//! After an error nobody knows what is on the disk, so the log must not be written or signed any
//! more until it was opened again.

use super::{ClockJumped, Log, now_ms};
use crate::{
    checkpoint_file::CheckpointFileError,
    index::{Held, Rows},
    records::{self, RecordError},
    signer::log::SignError,
    storage::{StorageError, Table, Tables},
    telemetry::SPANS,
    threads,
    view::{stored_consistency, stored_root},
};
use assay_claims::entry::{Entry, EntryError};
use assay_claims::index::Map;
use assay_claims::sequencer::{Candidate, Outcome, Step};
use assay_tlog::Hash;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::tree::{LeafIndex, TreeSize};
use std::time::{Duration, Instant};
use tracing::info_span;

/// Why a write failed. After any of these the log must be opened again.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The store failed, or its rows are damaged.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A leaf cannot be encoded.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The checkpoint file took no more.
    #[error(transparent)]
    CheckpointFile(#[from] CheckpointFileError),
    /// The stored tree is not the one that was planned.
    #[error(
        "the stored tree of size {size} has the root {stored}, but {planned} was about to be signed"
    )]
    SecondCheck {
        /// Leaves in the tree.
        size: TreeSize,
        /// The root that the stored tiles give.
        stored: Hash,
        /// The root that was planned.
        planned: Hash,
    },
    /// The log's key did not sign, or must not.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// This machine's clock shows what cannot be. Nothing was written.
    #[error(transparent)]
    Clock(#[from] ClockJumped),
}

impl From<StorageError> for WriteError {
    fn from(error: StorageError) -> Self {
        WriteError::Record(error.into())
    }
}

/// A checkpoint that is signed and stands in the checkpoint file.
#[derive(Debug, Clone)]
pub struct SignedHead {
    /// The checkpoint, with the log's signature.
    pub checkpoint: VerifiedCheckpoint,
    /// The index that its last leaf commits to. None for the last one before a start, if the store
    /// was ahead of it.
    pub index: Option<Map<Held>>,
}

impl<S: Tables> Log<S> {
    /// Whether the log has leaves that no signed checkpoint covers.
    pub(crate) fn is_ahead(&self) -> bool {
        self.state.head().size > self.last.checkpoint.size()
    }

    /// Whether readers are shown all its leaves.
    pub(crate) fn is_shown(&self) -> bool {
        self.state.head().size <= self.view.size()
    }

    /// What was signed last.
    pub(crate) fn last(&self) -> &SignedHead {
        &self.last
    }

    /// How old the last signed commitment is, by this machine's clock; zero if it is from the
    /// future.
    pub(crate) fn commitment_age(&self) -> Duration {
        let last = self.last.checkpoint.size().get().saturating_sub(1);
        let made_at = records::read_entry(&*self.store, LeafIndex::new(last))
            .ok()
            .and_then(|bytes| Entry::parse(bytes).ok())
            .map(|entry| entry.logged_at_ms());
        Duration::from_millis(now_ms().saturating_sub(made_at.unwrap_or_default()))
    }

    /// Appends the candidates that may have a leaf, in one durable batch. Returns one outcome for
    /// each candidate, in their order.
    pub(crate) fn append(
        &mut self,
        candidates: Vec<Candidate>,
    ) -> Result<Vec<Outcome>, WriteError> {
        let _span = info_span!(target: SPANS, "append", claims = candidates.len()).entered();
        let signatures = candidates.iter().flat_map(Candidate::signatures).copied();
        let known = records::find_signatures(&*self.store, signatures)?;
        let now_ms = self.clock.now(self.state.head().last_ms)?;
        let mut step = self
            .state
            .plan(now_ms, candidates, &known, &*self.directory);
        let outcomes = std::mem::take(&mut step.outcomes);
        if !step.leaves.is_empty() {
            self.commit(step, Rows::default())?;
        }
        Ok(outcomes)
    }

    /// Signs the log as it stands: its tree, which ends in a commitment to its index. On `Ok` the
    /// checkpoint is in the checkpoint file, and may be shown.
    pub(crate) fn sign(&mut self) -> Result<&SignedHead, WriteError> {
        let _span = info_span!(target: SPANS, "sign").entered();
        let started = Instant::now();
        if !self.state.head().ends_in_commitment() {
            self.append_commitment()?;
        }
        let head = self.state.head();
        let stored = stored_root(&*self.store, head.size)?;
        if stored != head.root {
            return Err(WriteError::SecondCheck {
                size: head.size,
                stored,
                planned: head.root,
            });
        }
        let before = self.signer.size();
        let proof = stored_consistency(&*self.store, before, head.size)?;
        let checkpoint = self.signer.sign(head.size, head.root, &proof)?;
        self.file.append(checkpoint.note())?;
        self.view.sign(head.size);
        self.last = SignedHead {
            checkpoint,
            index: Some(self.index.map().clone()),
        };
        metrics::histogram!("assay_publish_seconds").record(started.elapsed().as_secs_f64());
        tracing::debug!(size = %head.size, root = %head.root, "checkpoint signed");
        Ok(&self.last)
    }

    /// Shows what was signed last, as `checkpoint` has it: with the signatures of witnesses, if the
    /// log asks them. Does nothing if something newer was signed meanwhile.
    pub(crate) fn show(&self, checkpoint: VerifiedCheckpoint) -> Result<(), WriteError> {
        if checkpoint.checkpoint() != self.last.checkpoint.checkpoint() {
            return Ok(());
        }
        let size = checkpoint.size();
        self.view.publish(checkpoint, self.last.index.clone())?;
        metrics::gauge!("assay_published_size").set(size.get() as f64);
        tracing::debug!(%size, "checkpoint published");
        Ok(())
    }

    /// Stores every page of the index, so that the next start replays nothing. To be called when
    /// the log is published.
    pub(crate) fn store_index(&mut self) -> Result<(), WriteError> {
        Ok(self.index.store_all(&*self.store)?)
    }

    /// Appends the leaf that commits to the index of all leaves before it, in one batch with the
    /// rows of the index. It is to be published.
    pub(crate) fn append_commitment(&mut self) -> Result<(), WriteError> {
        let started = Instant::now();
        let size = self.state.head().size.get();
        let (index, store) = (&mut self.index, &*self.store);
        let (commitment, rows) = threads::indexing(|| index.step(store, size))?;
        let took = std::mem::take(&mut self.index_took) + started.elapsed();
        metrics::histogram!("assay_index_seconds").record(took.as_secs_f64());
        let now_ms = self.clock.now(self.state.head().last_ms)?;
        let step = self.state.plan_commitment(now_ms, &commitment)?;
        self.commit(step, rows)?;
        self.index.evict();
        Ok(())
    }

    /// Does a part of what the next commitment needs, if there is much of it. What was appended is
    /// durable meanwhile.
    pub(crate) fn advance_index(&mut self) -> Result<(), WriteError> {
        if !self.index.is_behind() {
            return Ok(());
        }
        let started = Instant::now();
        let size = self.state.head().size.get();
        let (index, store) = (&mut self.index, &*self.store);
        threads::indexing(|| index.advance(store, size))?;
        self.index_took += started.elapsed();
        Ok(())
    }

    /// Writes a step and rows of the index as one durable batch, then adopts the step.
    fn commit(&mut self, step: Step, rows: Rows) -> Result<(), WriteError> {
        let _span = info_span!(target: SPANS, "commit", entries = step.leaves.len()).entered();
        let started = Instant::now();
        let mut batch = records::batch(&step)?;
        rows.write(&mut batch);
        // So that a checkpoint file that lost its end is noticed.
        let signed = self.last.checkpoint.size().get();
        batch.put(Table::Meta, records::SIGNED, signed.to_be_bytes().to_vec());
        self.store.commit(batch)?;
        metrics::histogram!("assay_commit_seconds").record(started.elapsed().as_secs_f64());
        metrics::counter!("assay_entries_total").increment(step.leaves.len() as u64);
        for (at, leaf) in (step.first.get()..).zip(step.leaves) {
            self.index.add(at, &leaf.labels);
            self.directory.use_up(leaf.invitation);
            if let Some(record) = leaf.change {
                tracing::info!(
                    issuer = %record.id,
                    sequence = record.body.sequence,
                    name = %record.body.name,
                    "issuer record in force"
                );
                self.directory.apply(record);
            }
        }
        self.state = step.next;
        metrics::gauge!("assay_tree_size").set(self.state.head().size.get() as f64);
        Ok(())
    }
}
