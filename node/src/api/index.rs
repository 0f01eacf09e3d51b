//! `assay.v1.IndexService`: complete answers, from the map and the tiles of one published
//! checkpoint.

use super::{
    Answers, account,
    answer::{self, Prepared, Sending},
    in_pieces, joined,
    metered::{Paid, encoded},
    status,
};
use crate::{
    held::{Account, Hold, Kind},
    index::StoredPages,
    records::{self, RecordError},
    storage::{Reads, Tables},
    view::{Published, View},
};
use assay_claims::index::map::{Listed, MapError, Proven};
use assay_claims::index::{Label, Prefix};
use assay_claims::limits;
use assay_proto::v1::{
    Answer, BatchLookupRequest, BatchLookupResponse, LabelList, LookupPrefixRequest,
    LookupPrefixResponse, LookupRequest, LookupResponse, index_service_server::IndexService,
};
use assay_tlog::tree::LeafIndex;
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};
use std::{mem, sync::Arc, thread};
use tokio::sync::oneshot;
use tonic::{Request, Response, Status, Streaming};

/// Bytes of entries in the answer to one `Lookup`, about: well below the limit of 1 MiB a message.
const MESSAGE_BYTES: usize = 512 << 10;

/// Most entries of one label in the answer to a batch or a prefix. `Lookup` brings the rest of a
/// list.
const LABEL_ENTRIES: usize = limits::PAGE;

/// Most leaves in all lists of a batch or a prefix: some seconds' worth of reading.
const LIST_LEAVES: u64 = 4 << 20;

/// `assay.v1.IndexService` on one log.
pub struct IndexApi<S> {
    view: Arc<View<S>>,
    /// Threads of its own, so that look-ups do not keep claims from being verified.
    threads: ThreadPool,
}

impl<S> IndexApi<S> {
    /// Returns a service that answers from what `view` shows. Fails if the system gives no threads.
    ///
    /// Half of the cores compute look-ups, so that the other half is left to claims however many
    /// questions there are.
    pub fn new(view: Arc<View<S>>) -> Result<Self, ThreadPoolBuildError> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let threads = ThreadPoolBuilder::new()
            .num_threads((cores / 2).max(1))
            .thread_name(|number| format!("look-up-{number}"))
            .build()?;
        Ok(IndexApi { view, threads })
    }
}

/// What was asked, parsed.
enum Question {
    Labels(Vec<Label>),
    Prefix(Prefix),
}

fn unavailable() -> Status {
    Status::unavailable(
        "the node has just started and signs its first checkpoint; try again in a moment",
    )
}

fn proven(proven: Result<Proven, MapError<RecordError>>) -> Result<Proven, Status> {
    proven.map_err(|error| match error {
        MapError::Read(error) => status::store(&error),
        other => status::store(&RecordError::Damaged(other.to_string())),
    })
}

fn label(bytes: &[u8]) -> Result<Label, Status> {
    Label::from_slice(bytes).ok_or_else(|| {
        status::invalid(
            "label",
            format!("a label has 32 bytes; this one has {}", bytes.len()),
        )
    })
}

/// At most `most` leaves of a list from position `from` on: from memory if the list is short, else
/// from the store.
fn leaves(
    store: &impl Reads,
    listed: &Listed,
    from: u64,
    most: u64,
) -> Result<Vec<LeafIndex>, Status> {
    let to = from.saturating_add(most).min(listed.length);
    match &listed.leaves {
        Some(leaves) => Ok(leaves
            .get(from as usize..to as usize)
            .unwrap_or_default()
            .to_vec()),
        None => records::read_list(store, &listed.label, from, to).map_err(|e| status::store(&e)),
    }
}

impl<S: Tables + 'static> IndexApi<S> {
    fn lookup_one(&self, request: &LookupRequest) -> Result<Answer, Status> {
        let published = self.view.published();
        let map = published.index().ok_or_else(unavailable)?;
        let store = self.view.store();
        let proven = proven(map.prove(&[label(&request.label)?], &StoredPages(store)))?;
        let mut answer = Answer {
            checkpoint: published.note().to_owned(),
            commitment: published.commitment().clone(),
            cut: proven.cut.into(),
            ..Answer::default()
        };
        let limit = match request.limit as usize {
            0 => limits::PAGE,
            limit => limit.min(limits::PAGE),
        };
        let mut targets = Vec::new();
        if let Some(listed) = proven.found.first() {
            let mut page = leaves(store, listed, request.from, limit as u64)?;
            answer.entries.reserve(page.len());
            let mut bytes = 0;
            for leaf in &page {
                let entry = records::read_entry(store, *leaf).map_err(|e| status::store(&e))?;
                bytes += entry.len();
                if !answer.entries.is_empty() && bytes > MESSAGE_BYTES {
                    break;
                }
                answer.entries.push(entry);
            }
            page.truncate(answer.entries.len());
            targets.extend_from_slice(&page);
            let page: Vec<u64> = page.iter().map(|leaf| leaf.get()).collect();
            answer.leaves.clone_from(&page);
            answer.lists.push(LabelList {
                label: request.label.clone(),
                leaves: page,
            });
        }
        targets.push(last_leaf(&published));
        answer.inclusion = joined(&self.view.inclusion_of_many(&targets, published.size())?);
        Ok(answer)
    }

    /// Computes everything but the entries, on a thread for look-ups, once there is room for the
    /// answer and it is this caller's turn.
    async fn prepare(
        &self,
        question: Question,
        account: &Arc<Account>,
    ) -> Result<(Prepared, Hold), Status> {
        let question = Arc::new(question);
        let mut bytes = self.estimate(&question)?;
        loop {
            let mut hold = account.hold(Kind::Prepared, bytes).await?;
            let turn = account.hold(Kind::Question, 1).await?;
            let (done, prepared) = oneshot::channel();
            let (view, asked) = (self.view.clone(), question.clone());
            self.threads.spawn_fifo(move || {
                // The caller may have gone away, before or meanwhile.
                if !done.is_closed() {
                    let _ = done.send(prepare(&view, &asked));
                }
            });
            let prepared = prepared.await.map_err(|_| {
                Status::internal("the look-up failed to run; see the node's trace")
            })??;
            drop(turn);
            if hold.resize(prepared.bytes()) {
                return Ok((prepared, hold));
            }
            // It is larger than it seemed and there is no room. It is not kept while it waits.
            bytes = prepared.bytes();
        }
    }

    /// About the memory that an answer takes. Refuses a question whose answer would be too long,
    /// before anything is computed for it.
    fn estimate(&self, question: &Question) -> Result<usize, Status> {
        let published = self.view.published();
        let labels = published
            .index()
            .ok_or_else(unavailable)?
            .commitment()
            .labels;
        match question {
            Question::Labels(asked) => {
                Ok(asked.len() * proof_bytes(labels / asked.len().max(1) as u64))
            }
            Question::Prefix(prefix) => {
                // Labels are hashes, so each bit halves them.
                let about = labels.checked_shr(prefix.bits().into()).unwrap_or(0);
                if about > 2 * limits::LOOKUP_LABELS as u64 {
                    return Err(too_many(about));
                }
                Ok((1 + about as usize) * proof_bytes(1) + proof_bytes(labels))
            }
        }
    }

    async fn answer(
        &self,
        question: Question,
        account: &Arc<Account>,
    ) -> Result<impl Stream<Item = Result<Answer, Status>> + use<S>, Status> {
        let (prepared, hold) = self.prepare(question, account).await?;
        let view = self.view.clone();
        let sending = Sending::new(prepared, hold);
        Ok(stream::try_unfold(sending, move |mut sending| {
            let message = sending.message(&view);
            async move { Ok(message?.map(|message| (message, sending))) }
        }))
    }
}

/// About the memory that the proof of one label takes beside its list, if it is one of so many: a
/// hash for each node that it shares with no other label of the question.
fn proof_bytes(of: u64) -> usize {
    192 + 48 * of.max(1).ilog2() as usize
}

fn too_many(labels: u64) -> Status {
    let most = limits::LOOKUP_LABELS;
    Status::out_of_range(format!(
        "about {labels} labels begin with this prefix; at most {most} come at once: name more bits"
    ))
}

fn last_leaf(published: &Published) -> LeafIndex {
    LeafIndex::new(published.size().get().saturating_sub(1))
}

fn prepare<S: Tables>(view: &View<S>, question: &Question) -> Result<Prepared, Status> {
    let published = view.published();
    let map = published.index().ok_or_else(unavailable)?;
    let pages = StoredPages(view.store());
    let Proven { cut, found } = proven(match question {
        Question::Labels(labels) => map.prove(labels, &pages),
        Question::Prefix(prefix) => map.prove_prefix(prefix, &pages),
    })?;
    if found.len() > limits::LOOKUP_LABELS {
        return Err(too_many(found.len() as u64));
    }
    let all: u64 = found.iter().map(|listed| listed.length).sum();
    if all > LIST_LEAVES {
        let longest = found.iter().max_by_key(|listed| listed.length);
        let longest = longest.map_or_else(String::new, |listed| {
            format!("; the longest, {}, has {}", listed.label, listed.length)
        });
        let message = format!(
            "{all} leaves are listed, more than {LIST_LEAVES} come at once{longest}: ask for \
             fewer labels, and for long lists with Lookup"
        );
        return Err(Status::out_of_range(message));
    }
    let mut lists = Vec::with_capacity(found.len());
    let mut entries = Vec::with_capacity(found.len());
    for listed in &found {
        let leaves = leaves(view.store(), listed, 0, u64::MAX)?;
        entries.extend(leaves.iter().take(LABEL_ENTRIES).copied());
        lists.push((listed.label, leaves));
    }
    entries.sort_unstable();
    entries.dedup();
    entries.push(last_leaf(&published));
    let inclusion = joined(&view.inclusion_of_many(&entries, published.size())?);
    entries.pop();
    Ok(Prepared {
        checkpoint: published.note().to_owned(),
        commitment: published.commitment().clone(),
        cut: cut.into(),
        lists,
        entries,
        inclusion,
    })
}

/// About the bytes of an answer.
fn size(answer: &Answer) -> usize {
    let entries: usize = answer.entries.iter().map(Bytes::len).sum();
    let proofs = answer.checkpoint.len() + answer.cut.len() + answer.inclusion.len();
    let leaves: usize = answer.lists.iter().map(|list| list.leaves.len()).sum();
    entries + proofs + answer.commitment.len() + 10 * (leaves + answer.leaves.len())
}

#[tonic::async_trait]
impl<S: Tables + 'static> IndexService for IndexApi<S> {
    type BatchLookupStream = Answers<BatchLookupResponse>;
    type LookupPrefixStream = Answers<LookupPrefixResponse>;

    async fn lookup(
        &self,
        request: Request<LookupRequest>,
    ) -> Result<Response<LookupResponse>, Status> {
        let account = account(&request)?;
        let look_up = || {
            let answer = self.lookup_one(request.get_ref())?;
            let bytes = encoded(size(&answer));
            Ok::<_, Status>((answer, bytes))
        };
        let (answer, hold) = account.made(look_up).await?;
        let mut response = Response::new(LookupResponse {
            answer: Some(answer),
        });
        response
            .extensions_mut()
            .insert(Paid::Whole(Arc::new(hold)));
        Ok(response)
    }

    async fn batch_lookup(
        &self,
        request: Request<Streaming<BatchLookupRequest>>,
    ) -> Result<Response<Self::BatchLookupStream>, Status> {
        let account = account(&request)?;
        let mut messages = request.into_inner();
        let mut labels = Vec::new();
        // Given back when the question was answered or refused.
        let mut received = Vec::new();
        while let Some(message) = messages.message().await? {
            if labels.len() + message.labels.len() > limits::LOOKUP_LABELS {
                let message = format!(
                    "a batch has at most {} labels; ask in several",
                    limits::LOOKUP_LABELS
                );
                return Err(status::invalid("labels", message));
            }
            let bytes = message.labels.len() * mem::size_of::<Label>();
            received.push(account.hold(Kind::Incoming, bytes).await?);
            for bytes in &message.labels {
                labels.push(label(bytes)?);
            }
        }
        labels.sort_unstable();
        labels.dedup();
        if labels.is_empty() {
            return Err(status::invalid("labels", "the batch has no label".into()));
        }
        let answers = self.answer(Question::Labels(labels), &account).await?;
        let answers = answers.map(|answer| {
            answer.map(|answer| BatchLookupResponse {
                answer: Some(answer),
            })
        });
        Ok(in_pieces(answer::pieces(account), answers))
    }

    async fn lookup_prefix(
        &self,
        request: Request<LookupPrefixRequest>,
    ) -> Result<Response<Self::LookupPrefixStream>, Status> {
        let account = account(&request)?;
        let request = request.into_inner();
        let bits = u16::try_from(request.bits).ok();
        let prefix = bits
            .and_then(|bits| Prefix::from_wire(&request.prefix, bits))
            .ok_or_else(|| {
                let message =
                    "a prefix has at most 256 bits, in as many bytes as they need, zero after them";
                status::invalid("prefix", message.into())
            })?;
        let answers = self.answer(Question::Prefix(prefix), &account).await?;
        let answers = answers.map(|answer| {
            answer.map(|answer| LookupPrefixResponse {
                answer: Some(answer),
            })
        });
        Ok(in_pieces(answer::pieces(account), answers))
    }
}
