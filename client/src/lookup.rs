//! Looking things up in the index: complete answers, verified, and kept so that they can be verified again offline.

use crate::{Client, ClientError};
use assay_core::{
    entry::Entry,
    index::{Answer, Commitment, Label, Prefix, Query, VerifiedAnswer, answer::check_pages},
    note::VerifiedCheckpoint,
    tree::{LeafIndex, verify_many},
};
use assay_proto::{
    answer::{Joined, to_core},
    v1::{
        self, BatchLookupRequest, GetEntryAndProofRequest, LookupPrefixRequest, LookupRequest, WatchRequest, WatchedLabel,
        get_entry_and_proof_request::Leaf,
    },
};
use bytes::Bytes;
use tonic::Streaming;

/// Labels of one message of a batch.
const MESSAGE_LABELS: usize = 8192;

/// Most bytes of an answer that are taken: the claims about all packages of a large product.
const ANSWER_BYTES: usize = 1 << 30;

/// An answer that was verified, with the bytes that it was verified from.
#[derive(Debug, Clone)]
pub struct Looked {
    /// What was proven.
    pub answer: VerifiedAnswer,
    /// The answer as it came, with its checkpoint.
    pub bytes: v1::Answer,
}

impl Client {
    /// Looks up many labels at one checkpoint: the whole list of each, and the entries, but for those that
    /// [`VerifiedAnswer::missing`] names because a list is long ([`Client::list`] brings them).
    ///
    /// Fails with [`ClientError::Unverified`] if anything was hidden, added or exchanged.
    pub async fn lookup(&self, labels: &[Label]) -> Result<Looked, ClientError> {
        let mut labels = labels.to_vec();
        labels.sort_unstable();
        labels.dedup();
        let messages: Vec<_> = labels
            .chunks(MESSAGE_LABELS)
            .map(|labels| BatchLookupRequest { labels: labels.iter().map(wire).collect() })
            .collect();
        let failed = |e| ClientError::from_status("looking up", e);
        let mut answers =
            self.index.clone().batch_lookup(futures::stream::iter(messages)).await.map_err(failed)?.into_inner();
        let mut joined = Joined::default();
        while let Some(message) = answers.message().await.map_err(failed)? {
            push(&mut joined, message.answer)?;
        }
        self.verified(joined, &Query::Labels(labels)).await
    }

    /// Looks up every label that begins with `prefix`, so that the node does not learn which one is meant.
    pub async fn lookup_prefix(&self, prefix: &Prefix) -> Result<Looked, ClientError> {
        let bits = prefix.bits();
        let bytes = &prefix.first().as_bytes()[..usize::from(bits.div_ceil(8))];
        let request = LookupPrefixRequest { prefix: Bytes::copy_from_slice(bytes), bits: bits.into() };
        let failed = |e| ClientError::from_status("looking up a prefix", e);
        let mut answers = self.index.clone().lookup_prefix(request).await.map_err(failed)?.into_inner();
        let mut joined = Joined::default();
        while let Some(message) = answers.message().await.map_err(failed)? {
            push(&mut joined, message.answer)?;
        }
        self.verified(joined, &Query::Prefix(*prefix)).await
    }

    /// A page of one label's list, from a position on. The list is verified as a whole only by [`Client::list`].
    pub async fn lookup_page(&self, label: &Label, from: u64, limit: u32) -> Result<Looked, ClientError> {
        let request = LookupRequest { label: wire(label), from, limit };
        let answer =
            self.index.clone().lookup(request).await.map_err(|e| ClientError::from_status("looking up", e))?.into_inner();
        let mut joined = Joined::default();
        push(&mut joined, answer.answer)?;
        self.verified(joined, &Query::Page { label: *label, from }).await
    }

    /// Everything under one label, however long its list, in pages. It guarantees that they make up the whole list as of
    /// the last page's checkpoint.
    pub async fn list(&self, label: &Label) -> Result<Vec<VerifiedAnswer>, ClientError> {
        let mut pages = Vec::new();
        let mut from = 0;
        loop {
            let page = self.lookup_page(label, from, 0).await?.answer;
            let list = page.list(label).map(|list| (list.leaves.len() as u64, list.found.length));
            pages.push(page);
            match list {
                None => break,
                Some((0, length)) if from < length => {
                    return Err(ClientError::unverified("the node stopped in the middle of a list"));
                }
                Some((come, length)) => {
                    from += come;
                    if from >= length {
                        break;
                    }
                }
            }
        }
        check_pages(label, &pages).map_err(|e| ClientError::unverified_by("the list is not the one in the index", e))?;
        Ok(pages)
    }

    /// What the latest checkpoint commits to: how many labels the index has, which says how long a prefix may be. The
    /// question tells the node nothing.
    pub async fn commitment(&self) -> Result<(VerifiedCheckpoint, Commitment), ClientError> {
        let checkpoint = self.checkpoint().await?;
        let last = checkpoint.size().get().saturating_sub(1);
        let request =
            GetEntryAndProofRequest { leaf: Some(Leaf::LeafIndex(last)), tree_size: checkpoint.size().get() };
        let answer = self
            .log
            .clone()
            .get_entry_and_proof(request)
            .await
            .map_err(|e| ClientError::from_status("fetching the index commitment", e))?
            .into_inner();
        let wrong = |e: &dyn std::fmt::Display| ClientError::unverified(format!("the index commitment: {e}"));
        let entry = Entry::parse(answer.entry).map_err(|e| wrong(&e))?;
        let path = assay_core::tree::split_hashes(&answer.hashes).map_err(|e| wrong(&e))?;
        // The last leaf's siblings are all to its left, the lowest first; the proof of many has them from the left.
        let proof: Vec<_> = path.into_iter().rev().collect();
        verify_many(&[(LeafIndex::new(last), entry.leaf_hash())], checkpoint.size(), &proof, &checkpoint.root())
            .map_err(|e| wrong(&e))?;
        let commitment = Commitment::of_entry(&entry, last).map_err(|e| wrong(&e))?;
        Ok((checkpoint, commitment))
    }

    /// Follows labels: the node says when more is listed than the caller has. What it says is a hint and no proof.
    pub async fn watch(&self, known: &[(Label, u64)]) -> Result<Watched, ClientError> {
        let labels = known.iter().map(|(label, known)| WatchedLabel { label: wire(label), known: *known }).collect();
        let answers = self
            .log
            .clone()
            .watch(WatchRequest { labels })
            .await
            .map_err(|e| ClientError::from_status("watching", e))?
            .into_inner();
        Ok(Watched { answers })
    }

    async fn verified(&self, joined: Joined, query: &Query) -> Result<Looked, ClientError> {
        let bytes = joined.finish().map_err(|e| ClientError::unverified_by("the answer cannot be read", e))?;
        let checkpoint = self.accept(&bytes.checkpoint).await?;
        let answer = verify(checkpoint, query, &bytes)?;
        Ok(Looked { answer, bytes })
    }
}

/// Verifies an answer, as it came, under a checkpoint that was accepted before.
pub(crate) fn verify(
    checkpoint: VerifiedCheckpoint,
    query: &Query,
    bytes: &v1::Answer,
) -> Result<VerifiedAnswer, ClientError> {
    let answer: Answer =
        to_core(bytes, query).map_err(|e| ClientError::unverified_by("the answer cannot be read", e))?;
    VerifiedAnswer::verify(checkpoint, query, answer).map_err(|error| match error.is_unsupported() {
        true => ClientError::Unsupported(error.to_string()),
        false => ClientError::unverified_by("the answer is not complete, or not this log's", error),
    })
}

fn wire(label: &Label) -> Bytes {
    Bytes::copy_from_slice(label.as_bytes())
}

fn push(joined: &mut Joined, message: Option<v1::Answer>) -> Result<(), ClientError> {
    let message = message.ok_or_else(|| ClientError::unverified("a message of the answer is empty"))?;
    joined.push(message);
    match joined.len() > ANSWER_BYTES {
        true => Err(ClientError::Unavailable {
            what: format!("the answer has more than {ANSWER_BYTES} bytes; ask for less at once"),
            source: None,
        }),
        false => Ok(()),
    }
}

/// What the node says while labels are watched.
#[derive(Debug)]
pub struct Watched {
    answers: Streaming<v1::WatchResponse>,
}

impl Watched {
    /// Waits until more is listed under some labels: each with the length that its list has now, the node says. `None` if
    /// the node ended it.
    pub async fn next(&mut self) -> Result<Option<Vec<(Label, u64)>>, ClientError> {
        let failed = |e| ClientError::from_status("watching", e);
        let Some(answer) = self.answers.message().await.map_err(failed)? else { return Ok(None) };
        let one = |watched: &WatchedLabel| Label::from_slice(&watched.label).map(|label| (label, watched.known));
        let labels: Option<Vec<_>> = answer.labels.iter().map(one).collect();
        labels.map(Some).ok_or_else(|| ClientError::unverified("the node names a label that is none"))
    }
}
