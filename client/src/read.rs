//! Reading entries: one, a page of them, or an issuer's records; each tied to a checkpoint that
//! passed [`Client::checkpoint`]'s door.

use crate::{Client, ClientError, call, range};
use assay_claims::claim::{self, ClaimError, ClaimId, VerifiedClaim};
use assay_claims::entry::Entry;
use assay_claims::issuer::{self, IssuerId, IssuerRecord, Registry};
use assay_claims::limits::PAGE;
use assay_proto::v1::{
    GetEntryAndProofRequest, GetEntryAndProofResponse, GetInclusionProofRequest, GetIssuerRequest,
    StreamEntriesRequest, get_entry_and_proof_request::Leaf, get_inclusion_proof_request,
};
use assay_tlog::Hash;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::tlog_proof::{TlogProof, VerifiedInclusion};
use assay_tlog::tree::{self, LeafIndex, TreeSize};
use bytes::Bytes;
use std::sync::Arc;

/// How a leaf is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeafRef {
    /// By its place.
    Index(LeafIndex),
    /// The first leaf with this claim.
    Claim(ClaimId),
    /// By its hash.
    LeafHash(Hash),
}

impl LeafRef {
    fn wire(&self) -> Leaf {
        match self {
            LeafRef::Index(index) => Leaf::LeafIndex(index.get()),
            LeafRef::Claim(id) => Leaf::ClaimId(Bytes::copy_from_slice(id.as_bytes())),
            LeafRef::LeafHash(hash) => Leaf::LeafHash(Bytes::copy_from_slice(hash.as_bytes())),
        }
    }
}

/// An entry that is in the log: its inclusion in a checkpoint of the log is proven and its claim's
/// signatures verify.
///
/// Whether the signers satisfied their issuer's record is not said: that takes the records
/// ([`Client::receipt`]).
#[derive(Debug, Clone)]
pub struct VerifiedEntry {
    entry: Entry,
    inclusion: VerifiedInclusion,
    claim: VerifiedClaim,
}

impl VerifiedEntry {
    /// The entry, with its bytes.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Its claim.
    pub fn claim(&self) -> &VerifiedClaim {
        &self.claim
    }

    /// Its place.
    pub fn index(&self) -> LeafIndex {
        self.inclusion.index()
    }

    /// The proof's result: leaf hash, index and checkpoint.
    pub fn inclusion(&self) -> &VerifiedInclusion {
        &self.inclusion
    }

    /// The checkpoint that covers it.
    pub fn checkpoint(&self) -> &VerifiedCheckpoint {
        self.inclusion.checkpoint()
    }
}

/// A run of neighboring entries, proven to stand at these places of the log.
#[derive(Debug, Clone)]
pub struct Page {
    /// The checkpoint that covers them.
    pub checkpoint: VerifiedCheckpoint,
    /// The entries, in order.
    pub entries: Vec<PageEntry>,
}

/// One entry of a page.
#[derive(Debug, Clone)]
pub struct PageEntry {
    /// Its place.
    pub index: LeafIndex,
    /// The entry.
    pub entry: Entry,
    /// Its claim, or why it does not verify: it is logged all the same. None if the entry commits
    /// to the index.
    pub claim: Option<Result<VerifiedClaim, ClaimError>>,
}

/// An issuer's records that the node showed, each in the log and each authorized by the ones
/// before.
#[derive(Debug, Clone)]
pub struct IssuerHistory {
    /// Oldest first, at least one.
    pub leaves: Vec<IssuerLeaf>,
    /// The last one.
    pub current: Arc<IssuerRecord>,
}

/// One record of an issuer.
#[derive(Debug, Clone)]
pub struct IssuerLeaf {
    /// The entry that holds it.
    pub entry: VerifiedEntry,
    /// What it says.
    pub record: IssuerRecord,
}

/// An answer that is not verified further than that it can be read.
pub(crate) struct Answered {
    pub entry: Entry,
    pub index: LeafIndex,
    pub path: Vec<Hash>,
    pub checkpoint: VerifiedCheckpoint,
}

impl Client {
    /// Returns one entry of the log, proven under the node's latest checkpoint.
    ///
    /// Fails with [`ClientError::Refused`] (`NotFound`) if the node says that it has no such leaf,
    /// and with [`ClientError::Unverified`] if what it gives is not what was asked for or does not
    /// verify.
    pub async fn entry(&self, leaf: LeafRef) -> Result<VerifiedEntry, ClientError> {
        let (entry, _) = self.entry_and_path(leaf, None).await?;
        Ok(entry)
    }

    /// As [`Client::entry`], with the inclusion path, and under `at` if that is given.
    pub(crate) async fn entry_and_path(
        &self,
        leaf: LeafRef,
        at: Option<&VerifiedCheckpoint>,
    ) -> Result<(VerifiedEntry, Vec<Hash>), ClientError> {
        let request = GetEntryAndProofRequest {
            leaf: Some(leaf.wire()),
            tree_size: at.map_or(0, |c| c.size().get()),
        };
        let answer = call::short(
            "fetching the entry",
            self.log.clone().get_entry_and_proof(request),
        )
        .await?;
        let checkpoint = match at {
            Some(checkpoint) => checkpoint.clone(),
            None => self.accept(&answer.checkpoint).await?,
        };
        let answered = read_answer(answer, checkpoint)?;
        let path = answered.path.clone();
        Ok((self.verify_entry(leaf, answered)?, path))
    }

    /// The same for a leaf that the node named. If it holds no claim, that is not the caller's
    /// doing.
    pub(crate) async fn named_entry(
        &self,
        leaf: LeafIndex,
        at: Option<&VerifiedCheckpoint>,
    ) -> Result<(VerifiedEntry, Vec<Hash>), ClientError> {
        self.entry_and_path(LeafRef::Index(leaf), at)
            .await
            .map_err(|error| match error {
                ClientError::Usage(_) => ClientError::unverified(format!(
                    "leaf {leaf}, which the node named, holds no claim"
                )),
                other => other,
            })
    }

    fn verify_entry(
        &self,
        asked: LeafRef,
        answered: Answered,
    ) -> Result<VerifiedEntry, ClientError> {
        let Answered {
            entry,
            index,
            path,
            checkpoint,
        } = answered;
        let proof = TlogProof {
            extra: None,
            index,
            path,
            checkpoint: checkpoint.note().to_owned(),
        };
        let leaf_hash = entry.leaf_hash();
        let inclusion = proof.verify(&leaf_hash, &self.log_key).map_err(|e| {
            ClientError::unverified_by("the entry's proof of inclusion does not hold", e)
        })?;
        let another =
            || ClientError::unverified("the entry is in the log, but is not the one asked for");
        let as_asked = match &asked {
            LeafRef::Index(asked) => *asked == index,
            LeafRef::Claim(asked) => entry
                .claim()
                .is_ok_and(|claim| ClaimId::of_payload(&claim.payload) == *asked),
            LeafRef::LeafHash(asked) => *asked == leaf_hash,
        };
        if !as_asked {
            return Err(another());
        }
        // Only now is it the caller's doing that the leaf holds no claim.
        let logged = entry
            .claim()
            .map_err(|e| ClientError::Usage(format!("leaf {index}: {e}; ask for another leaf")))?;
        let claim = claim::verify(logged, &()).map_err(|e| {
            ClientError::unverified_by(format!("the claim at leaf {index} does not verify"), e)
        })?;
        Ok(VerifiedEntry {
            entry,
            inclusion,
            claim,
        })
    }

    /// Returns the records of an issuer that the node knows, replayed from the first.
    ///
    /// Every record is proven to be in the log and authorized by the one before it. That none was
    /// left out is not proven. Fails with [`ClientError::Refused`] (`NotFound`) if the node knows
    /// no such issuer.
    pub async fn issuer(&self, id: &IssuerId) -> Result<IssuerHistory, ClientError> {
        let checkpoint = self.checkpoint().await?;
        let mut registry = Registry::new();
        let mut leaves = vec![];
        for index in self.issuer_leaves(id).await? {
            if index.get() >= checkpoint.size().get() {
                break; // Logged after that checkpoint: the next call shows it.
            }
            let (entry, _) = self.named_entry(index, Some(&checkpoint)).await?;
            let wrong = |why: String| {
                ClientError::unverified(format!("the issuer record at leaf {index}: {why}"))
            };
            let authorized =
                issuer::authorize(entry.claim(), &registry).map_err(|e| wrong(e.to_string()))?;
            let record = authorized
                .change()
                .cloned()
                .filter(|record| record.id == *id)
                .ok_or_else(|| wrong("it is no record of the issuer asked for".into()))?;
            registry
                .apply(index, record.clone())
                .map_err(|e| wrong(e.to_string()))?;
            leaves.push(IssuerLeaf { entry, record });
        }
        match issuer::Issuers::in_force(&registry, id) {
            Some(current) => Ok(IssuerHistory { leaves, current }),
            None => Err(ClientError::Refused {
                code: tonic::Code::NotFound,
                message: format!(
                    "no issuer {id} is registered in this log; `assay issuer register` does that"
                ),
            }),
        }
    }

    /// The leaves that the node names as records of an issuer, ascending.
    pub(crate) async fn issuer_leaves(&self, id: &IssuerId) -> Result<Vec<LeafIndex>, ClientError> {
        let request = GetIssuerRequest {
            issuer_id: Bytes::copy_from_slice(id.as_bytes()),
        };
        let answer = call::short(
            "fetching the issuer's records",
            self.log.clone().get_issuer(request),
        )
        .await?;
        let mut leaves: Vec<_> = answer
            .records
            .iter()
            .map(|r| LeafIndex::new(r.leaf_index))
            .collect();
        leaves.sort_unstable();
        leaves.dedup();
        Ok(leaves)
    }

    /// Returns the entries from `start` (inclusive) to `end` (exclusive; the log's end if it is
    /// beyond), at most [`PAGE`], proven under the node's latest checkpoint. Two inclusion proofs
    /// cover the whole page.
    pub async fn entries(&self, start: LeafIndex, end: LeafIndex) -> Result<Page, ClientError> {
        let checkpoint = self.checkpoint().await?;
        let end = end
            .get()
            .min(checkpoint.size().get())
            .min(start.get().saturating_add(PAGE as u64));
        if start.get() >= end {
            return Ok(Page {
                checkpoint,
                entries: vec![],
            });
        }
        let entries = self.stream_entries(start.get(), end).await?;
        let hashes: Vec<Hash> = entries.iter().map(Entry::leaf_hash).collect();
        let first = self.inclusion_path(start, checkpoint.size());
        let last = self.inclusion_path(LeafIndex::new(end - 1), checkpoint.size());
        let (first, last) = futures::try_join!(first, last)?;
        let root = range::root(checkpoint.size().get(), start.get(), &hashes, &first, &last)
            .map_err(|e| {
                ClientError::unverified_by("the entries' proof of inclusion does not hold", e)
            })?;
        if root != checkpoint.root() {
            return Err(ClientError::unverified(
                "the entries are not the ones that the checkpoint covers",
            ));
        }
        let entries = (start.get()..)
            .map(LeafIndex::new)
            .zip(entries)
            .map(|(index, entry)| {
                let claim = entry.claim().ok().map(|claim| claim::verify(claim, &()));
                PageEntry {
                    index,
                    entry,
                    claim,
                }
            });
        Ok(Page {
            checkpoint,
            entries: entries.collect(),
        })
    }

    async fn stream_entries(&self, start: u64, end: u64) -> Result<Vec<Entry>, ClientError> {
        let request = StreamEntriesRequest { start, end };
        let mut entries = Vec::new();
        call::each(
            "fetching entries",
            self.log.clone().stream_entries(request),
            |message| {
                let next = start + entries.len() as u64;
                if message.start != next
                    || message.entries.is_empty()
                    || message.entries.len() as u64 > end - next
                {
                    return Err(ClientError::unverified(
                        "the node sent other entries than those asked for",
                    ));
                }
                for bytes in message.entries {
                    entries.push(
                        Entry::parse(bytes)
                            .map_err(|e| ClientError::unverified_by("an entry is malformed", e))?,
                    );
                }
                Ok(())
            },
        )
        .await?;
        if entries.len() as u64 == end - start {
            Ok(entries)
        } else {
            Err(ClientError::Unavailable {
                what: "the node sent too few entries".into(),
                retry_after: None,
                source: None,
            })
        }
    }

    async fn inclusion_path(
        &self,
        index: LeafIndex,
        size: TreeSize,
    ) -> Result<Vec<Hash>, ClientError> {
        let leaf = Some(get_inclusion_proof_request::Leaf::LeafIndex(index.get()));
        let request = GetInclusionProofRequest {
            leaf,
            tree_size: size.get(),
        };
        let answer = call::short(
            "fetching a proof of inclusion",
            self.log.clone().get_inclusion_proof(request),
        )
        .await?;
        if (answer.leaf_index, answer.tree_size) != (index.get(), size.get()) {
            let what = if answer.leaf_index == index.get() {
                other_tree(answer.tree_size, size)
            } else {
                "its proof of inclusion is of another leaf than was asked for".into()
            };
            return Err(ClientError::unverified(what));
        }
        split(&answer.hashes)
    }
}

/// That a proof of inclusion leads to a tree of size `proven`, and the checkpoint is of another
/// size.
fn other_tree(proven: u64, checkpoint: TreeSize) -> String {
    if proven > checkpoint.get() {
        format!(
            "the checkpoint is an older head of the log, of size {checkpoint}, than the one of \
             size {proven} that the proof of inclusion leads to"
        )
    } else {
        format!(
            "the proof of inclusion leads to an older head of the log, of size {proven}, than the \
             checkpoint, of size {checkpoint}"
        )
    }
}

fn split(hashes: &[u8]) -> Result<Vec<Hash>, ClientError> {
    tree::split_hashes(hashes)
        .map_err(|e| ClientError::unverified_by("a proof of inclusion is malformed", e))
}

fn read_answer(
    answer: GetEntryAndProofResponse,
    checkpoint: VerifiedCheckpoint,
) -> Result<Answered, ClientError> {
    if answer.tree_size != checkpoint.size().get() {
        return Err(ClientError::unverified(other_tree(
            answer.tree_size,
            checkpoint.size(),
        )));
    }
    Ok(Answered {
        entry: Entry::parse(answer.entry)
            .map_err(|e| ClientError::unverified_by("the entry is malformed", e))?,
        index: LeafIndex::new(answer.leaf_index),
        path: split(&answer.hashes)?,
        checkpoint,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_heads_the_older_one_is_named() {
        let said = other_tree(7, TreeSize::new(4));
        assert!(
            said.starts_with("the checkpoint is an older head"),
            "{said}"
        );
        let said = other_tree(4, TreeSize::new(7));
        assert!(
            said.contains("leads to an older head of the log, of size 4"),
            "{said}"
        );
    }
}
