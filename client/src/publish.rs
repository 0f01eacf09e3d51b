//! Publishing: one claim, or a stream of them.
//!
//! A node's answer to a publish is a promise. [`Client::publish`] redeems it at once where the
//! claim is integrated: it fetches the proof and checks it. [`Client::publish_stream`] compares
//! claim ids only, because a proof for each of millions of claims would cost more than publishing
//! them; whoever wants proof asks [`Client::entry`] or audits the log.

mod draft;
mod effect;

pub use draft::{Draft, DraftError, DraftText};
pub use effect::{EffectError, NoEffect};

use crate::{Client, ClientError, VerifiedEntry, call};
use assay_claims::claim::ClaimId;
use assay_claims::dsse;
use assay_claims::entry::wire;
use assay_proto::INVITATION;
use assay_proto::v1::{
    self, PublishItem, PublishRequest, PublishResponse, PublishStreamRequest, publish_result,
};
use assay_tlog::Hash;
use assay_tlog::tree::LeafIndex;
use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use prost::Message;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Bytes of claims that go into one message of a stream: half of what a node takes, so that no
/// message is over.
const BATCH_BYTES: usize = 512 * 1024;
/// Claims that go into one message of a stream.
const BATCH_CLAIMS: usize = 256;

/// What a publisher waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wait {
    /// The claim is on stable storage and has its leaf index.
    Sequenced,
    /// A signed, published checkpoint covers it.
    Integrated,
    /// A quorum of the log's witnesses has cosigned that checkpoint, says the node. The receipt
    /// proves it.
    Witnessed,
}

impl Wait {
    fn wire(self) -> v1::Wait {
        match self {
            Wait::Sequenced => v1::Wait::Sequenced,
            Wait::Integrated => v1::Wait::Integrated,
            Wait::Witnessed => v1::Wait::Witnessed,
        }
    }

    fn from_wire(wait: i32) -> Option<Self> {
        match v1::Wait::try_from(wait).ok()? {
            v1::Wait::Sequenced => Some(Wait::Sequenced),
            v1::Wait::Integrated => Some(Wait::Integrated),
            v1::Wait::Witnessed => Some(Wait::Witnessed),
            v1::Wait::Unspecified => None,
        }
    }
}

/// A claim that the node says it logged.
#[derive(Debug, Clone)]
pub struct Published {
    /// SHA-256 of the claim's PAE, computed here.
    pub claim_id: ClaimId,
    /// Where the node says the claim is.
    pub index: LeafIndex,
    /// The leaf hash that the node states.
    pub leaf_hash: Hash,
    /// When the node says it accepted the claim, in milliseconds since 1970 (UTC).
    pub logged_at_ms: u64,
    /// What the node says holds.
    pub reached: Wait,
    /// The same claim by the same signers was there before.
    pub already_logged: bool,
    /// The proof, where it was fetched: by [`Client::publish`] with [`Wait::Integrated`].
    pub proven: Option<Arc<VerifiedEntry>>,
}

/// One claim of a stream that the node refused. The others are not affected.
#[derive(Debug, Clone)]
pub struct Refused {
    /// The gRPC code.
    pub code: tonic::Code,
    /// What is wrong and what to do.
    pub message: String,
}

/// The answer to one claim of a stream.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The caller's number of the claim.
    pub id: u64,
    /// What became of it.
    pub result: Result<Published, Refused>,
}

/// The claim's id: SHA-256 of its PAE.
pub(crate) fn claim_id(claim: &wire::Claim) -> Hash {
    Hash::of(&dsse::pae(&claim.payload_type, &claim.payload))
}

impl Client {
    /// Appends one claim and returns where it is.
    ///
    /// With [`Wait::Integrated`] the inclusion of this very claim is proven before this returns.
    /// Publishing the same claim by the same signers again returns the leaf it has. Fails with
    /// [`ClientError::Refused`] if the node does not take it.
    pub async fn publish(&self, claim: wire::Claim, wait: Wait) -> Result<Published, ClientError> {
        self.publish_invited(claim, wait, None).await
    }

    /// [`Client::publish`] with the token that a log may ask for where the claim registers an
    /// issuer. Fails with [`ClientError::Usage`] if the token is not of visible ASCII characters.
    pub async fn publish_invited(
        &self,
        claim: wire::Claim,
        wait: Wait,
        invitation: Option<&str>,
    ) -> Result<Published, ClientError> {
        let id = claim_id(&claim);
        let mut request = tonic::Request::new(PublishRequest {
            claim: Some(claim),
            wait: wait.wire().into(),
        });
        if let Some(token) = invitation {
            let token = token.parse().map_err(|_| {
                ClientError::Usage("an invitation is of visible ASCII characters only".into())
            })?;
            request.metadata_mut().insert(INVITATION, token);
        }
        let answer = call::short("publishing the claim", self.log.clone().publish(request)).await?;
        let mut published = published(&answer, id, wait)?;
        if wait >= Wait::Integrated {
            // Whatever fails now, the claim was taken: who is not told takes it for lost.
            let proven = self.proven(&published).await.map_err(|error| {
                let (claim, leaf) = (published.claim_id, published.index.get());
                error.after(&format!(
                    "the node says that the claim {claim} is logged, at leaf {leaf}; but "
                ))
            })?;
            published.proven = Some(Arc::new(proven));
        }
        Ok(published)
    }

    /// The entry that the node says it made of a claim, proven to be in the log.
    async fn proven(&self, published: &Published) -> Result<VerifiedEntry, ClientError> {
        let (entry, _) = self.named_entry(published.index, None).await?;
        if entry.claim().id() != published.claim_id {
            return Err(ClientError::unverified(
                "the leaf that the node named holds another claim",
            ));
        }
        if entry.entry().leaf_hash() != published.leaf_hash {
            return Err(ClientError::unverified(
                "the leaf that the node named has another hash than it said",
            ));
        }
        Ok(entry)
    }

    /// Appends claims over one stream and returns what became of each, in their order.
    ///
    /// Fails as [`Client::publish_stream`] does: then it is not known what became of any.
    pub async fn publish_all(
        &self,
        claims: Vec<wire::Claim>,
        wait: Wait,
    ) -> Result<Vec<Result<Published, Refused>>, ClientError> {
        let count = claims.len();
        let numbered = (0..).zip(claims);
        let mut answers = self.publish_stream(stream::iter(numbered), wait).await?;
        let mut all: Vec<Answer> = Vec::with_capacity(count);
        while let Some(answer) = answers.next().await {
            all.push(answer?);
        }
        all.sort_by_key(|answer| answer.id);
        Ok(all.into_iter().map(|answer| answer.result).collect())
    }

    /// Appends many claims over one stream; each is answered once, in any order, under the number
    /// given with it.
    ///
    /// The numbers must differ. The stream of answers ends when every claim is answered; it yields
    /// [`ClientError::Unavailable`] if the node ends it before that, and
    /// [`ClientError::Unverified`] for an answer to what was never asked or with another claim's
    /// id. Claims are sent as the node takes them.
    pub async fn publish_stream(
        &self,
        claims: impl Stream<Item = (u64, wire::Claim)> + Send + 'static,
        wait: Wait,
    ) -> Result<BoxStream<'static, Result<Answer, ClientError>>, ClientError> {
        let pending: Pending = Arc::default();
        let asked = pending.clone();
        let requests = claims
            .map(move |(id, claim)| {
                lock(&asked).insert(id, claim_id(&claim));
                PublishItem {
                    id,
                    claim: Some(claim),
                }
            })
            .ready_chunks(BATCH_CLAIMS)
            .flat_map(|items| stream::iter(batches(items)))
            .map(move |items| PublishStreamRequest {
                wait: wait.wire().into(),
                items,
            });
        let failed = |e| ClientError::from_status("publishing the claims", e);
        let answers = self
            .log
            .clone()
            .publish_stream(requests)
            .await
            .map_err(failed)?
            .into_inner();
        let checked = pending.clone();
        let results = answers.flat_map(move |message| {
            stream::iter(match message {
                Ok(message) => message
                    .results
                    .into_iter()
                    .map(|r| answer(r, &checked, wait))
                    .collect(),
                Err(status) => vec![Err(failed(status))],
            })
        });
        let unanswered = stream::once(async move {
            match lock(&pending).len() {
                0 => None,
                n => Some(Err(ClientError::Unavailable {
                    what: format!(
                        "the node ended the stream with {n} claims unanswered; publish those again"
                    ),
                    retry_after: None,
                    source: None,
                })),
            }
        });
        Ok(results
            .chain(unanswered.filter_map(futures::future::ready))
            .boxed())
    }
}

/// Claims that were sent and not answered yet, with the ids computed here.
type Pending = Arc<Mutex<HashMap<u64, Hash>>>;

fn lock(pending: &Pending) -> std::sync::MutexGuard<'_, HashMap<u64, Hash>> {
    pending.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Cuts `items` where the next one would take a message over [`BATCH_BYTES`].
fn batches(items: Vec<PublishItem>) -> Vec<Vec<PublishItem>> {
    let mut batches = vec![];
    let mut batch = vec![];
    let mut bytes = 0;
    for item in items {
        let length = item.encoded_len();
        if bytes + length > BATCH_BYTES && !batch.is_empty() {
            batches.push(std::mem::take(&mut batch));
            bytes = 0;
        }
        bytes += length;
        batch.push(item);
    }
    batches.push(batch);
    batches
}

fn answer(result: v1::PublishResult, pending: &Pending, wait: Wait) -> Result<Answer, ClientError> {
    let id = result.id;
    let Some(claim_id) = lock(pending).remove(&id) else {
        return Err(ClientError::unverified(format!(
            "an answer to claim {id}, which was not asked or is answered"
        )));
    };
    let result = match result.result {
        Some(publish_result::Result::Published(answer)) => Ok(published(&answer, claim_id, wait)?),
        Some(publish_result::Result::Refused(refusal)) => Err(Refused {
            code: tonic::Code::from_i32(refusal.code),
            message: refusal.message,
        }),
        None => {
            return Err(ClientError::unverified(format!(
                "an empty answer to claim {id}"
            )));
        }
    };
    Ok(Answer { id, result })
}

/// Checks what can be checked of a node's word without a proof.
fn published(
    answer: &PublishResponse,
    claim_id: Hash,
    wait: Wait,
) -> Result<Published, ClientError> {
    if answer.claim_id != claim_id.as_bytes()[..] {
        return Err(ClientError::unverified(
            "the node answered for another claim than the one that was sent",
        ));
    }
    let Some(reached) = Wait::from_wire(answer.reached).filter(|reached| *reached >= wait) else {
        return Err(ClientError::Unavailable {
            what: "the node has the claim on stable storage, and does not show it yet: its key \
                did not sign a checkpoint that covers it, or no quorum of its witnesses has \
                cosigned one. Nothing is lost; publish it again to wait on"
                .into(),
            retry_after: None,
            source: None,
        });
    };
    Ok(Published {
        claim_id: ClaimId::new(claim_id),
        index: LeafIndex::new(answer.leaf_index),
        leaf_hash: Hash::from_slice(&answer.leaf_hash)
            .ok_or_else(|| ClientError::unverified("a leaf hash that has not 32 bytes"))?,
        logged_at_ms: answer.logged_at_ms,
        reached,
        already_logged: answer.already_logged,
        proven: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn item(id: u64, length: usize) -> PublishItem {
        let claim = wire::Claim {
            payload: vec![b' '; length].into(),
            ..Default::default()
        };
        PublishItem {
            id,
            claim: Some(claim),
        }
    }

    #[test]
    fn a_message_is_cut_before_it_is_too_long_and_loses_nothing() {
        let items = (0..64).map(|id| item(id, 32 * 1024)).collect();
        let batches = batches(items);
        assert!(batches.len() > 1);
        for batch in &batches {
            assert!(batch.iter().map(Message::encoded_len).sum::<usize>() <= BATCH_BYTES);
        }
        let ids: Vec<u64> = batches.iter().flatten().map(|item| item.id).collect();
        assert_eq!(ids, (0..64).collect::<Vec<_>>());
    }

    #[test]
    fn an_answer_must_be_to_what_was_asked_and_for_that_claim() {
        let pending: Pending = Arc::default();
        let claim_id = Hash::of(b"claim");
        let response = |id: Hash, reached: v1::Wait| v1::PublishResult {
            id: 1,
            result: Some(publish_result::Result::Published(PublishResponse {
                claim_id: Bytes::copy_from_slice(id.as_bytes()),
                leaf_hash: vec![0; 32].into(),
                reached: reached.into(),
                ..Default::default()
            })),
        };
        let ask = || lock(&pending).insert(1, claim_id);
        let good = response(claim_id, v1::Wait::Integrated);
        assert!(matches!(
            answer(good.clone(), &pending, Wait::Sequenced),
            Err(ClientError::Unverified { .. })
        ));
        ask();
        assert!(answer(good.clone(), &pending, Wait::Sequenced).is_ok());
        assert!(
            answer(good, &pending, Wait::Sequenced).is_err(),
            "answered twice"
        );
        ask();
        assert!(
            answer(
                response(Hash::of(b"other"), v1::Wait::Integrated),
                &pending,
                Wait::Sequenced
            )
            .is_err()
        );
        ask();
        let early = response(claim_id, v1::Wait::Sequenced);
        assert!(matches!(
            answer(early, &pending, Wait::Integrated),
            Err(ClientError::Unavailable { .. })
        ));
    }
}
