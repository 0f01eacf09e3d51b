//! `assay.v1.IndexService`: complete answers, from the map and the tiles of one published
//! checkpoint.

use super::{
    Answers, account,
    answer::{self, Prepared, Sending},
    in_pieces, joined,
    look_ups::LookUps,
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
use assay_claims::index::{By, Label, Name, Prefix, Query};
use assay_claims::limits;
use assay_proto::v1::{
    Answer, BatchLookupRequest, BatchLookupResponse, LabelList, LookupPrefixRequest,
    LookupPrefixResponse, LookupRequest, LookupResponse, index_service_server::IndexService,
};
use assay_tlog::tree::LeafIndex;
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use std::{mem, sync::Arc};
use tonic::{Request, Response, Status, Streaming};

/// Bytes of entries in the answer to one `Lookup`, about: well below the limit of 1 MiB a message.
const MESSAGE_BYTES: usize = 512 << 10;

/// Most entries of one label in the answer to a batch or a prefix. `Lookup` brings the rest of a
/// list.
const LABEL_ENTRIES: usize = limits::LABEL_ENTRIES;

/// Most leaves in all lists of a batch or a prefix.
const LIST_LEAVES: u64 = limits::LISTED_LEAVES;

/// `assay.v1.IndexService` on one log.
pub struct IndexApi<S> {
    view: Arc<View<S>>,
    look_ups: LookUps,
}

impl<S> IndexApi<S> {
    /// Returns a service that answers from what `view` shows.
    pub fn new(view: Arc<View<S>>, look_ups: LookUps) -> Self {
        IndexApi { view, look_ups }
    }
}

/// Most names or labels that one answer shows: some hundred thousand hashes of work.
const SHOWN: u64 = limits::LOOKUP_NAMES as u64;

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

/// Reads halves of labels.
fn halves<T>(
    field: &'static str,
    wire: &[Bytes],
    read: impl Fn(&[u8]) -> Option<T>,
) -> Result<Vec<T>, Status> {
    let mut halves = Vec::with_capacity(wire.len());
    for bytes in wire {
        let half = read(bytes).ok_or_else(|| {
            let message = format!("half a label has 16 bytes; this one has {}", bytes.len());
            status::invalid(field, message)
        })?;
        halves.push(half);
    }
    Ok(halves)
}

/// Reads speakers, of which `before` have come already.
fn speakers(before: usize, wire: &[Bytes]) -> Result<Vec<By>, Status> {
    if before + wire.len() > limits::LOOKUP_BY {
        let message = format!("at most {} speakers are asked for", limits::LOOKUP_BY);
        return Err(status::invalid("by", message));
    }
    halves("by", wire, By::from_slice)
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
        let published = self.view.published()?;
        let map = published.index().ok_or_else(unavailable)?;
        let store = self.view.store();
        let label = label(&request.label)?;
        let proven = proven(map.prove(&Query::labels(&[label]), &StoredPages(store)))?;
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
        query: Query,
        account: &Arc<Account>,
    ) -> Result<(Prepared, Hold), Status> {
        let query = Arc::new(query);
        let mut bytes = self.estimate(&query)?;
        loop {
            let mut hold = account.hold(Kind::Prepared, bytes).await?;
            let turn = account.hold(Kind::Question, 1).await?;
            let (view, asked) = (self.view.clone(), query.clone());
            let prepared = self.look_ups.run(turn, move || prepare(&view, &asked));
            let prepared = prepared.await??;
            if hold.resize(prepared.bytes()) {
                return Ok((prepared, hold));
            }
            // It is larger than it seemed and there is no room. It is not kept while it waits.
            bytes = prepared.bytes();
        }
    }

    /// About the memory that an answer takes. Refuses a question whose answer would be too long,
    /// before anything is computed for it.
    fn estimate(&self, query: &Query) -> Result<usize, Status> {
        let published = self.view.published()?;
        let map = published.index().ok_or_else(unavailable)?;
        let labels = map.commitment().labels;
        let (shown, what) = match query {
            Query::Names { names, .. } => {
                let names = names.len();
                return Ok(names * proof_bytes(labels / names.max(1) as u64));
            }
            Query::Page { .. } => return Ok(proof_bytes(labels)),
            Query::Crowd { prefix, .. } => (map.count(prefix).names, "names"),
            Query::Census(prefix) => (map.count(prefix).labels, "labels"),
        };
        if shown > SHOWN {
            return Err(Status::out_of_range(format!(
                "{shown} {what} begin with this prefix; at most {SHOWN} come at once: name more \
                 bits"
            )));
        }
        Ok((1 + shown as usize) * proof_bytes(1) + proof_bytes(labels))
    }

    async fn answer(
        &self,
        query: Query,
        account: &Arc<Account>,
    ) -> Result<impl Stream<Item = Result<Answer, Status>> + use<S>, Status> {
        let (prepared, hold) = self.prepare(query, account).await?;
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

fn last_leaf(published: &Published) -> LeafIndex {
    LeafIndex::new(published.size().get().saturating_sub(1))
}

fn prepare<S: Tables>(view: &View<S>, query: &Query) -> Result<Prepared, Status> {
    let published = view.published()?;
    let map = published.index().ok_or_else(unavailable)?;
    let pages = StoredPages(view.store());
    let Proven { cut, mut found } = proven(map.prove(query, &pages))?;
    found.retain(|listed| listed.length <= limits::WHOLE_LIST);
    if matches!(query, Query::Census(_)) {
        found.clear();
    }
    let all: u64 = found.iter().map(|listed| listed.length).sum();
    if all > LIST_LEAVES {
        let message = format!(
            "{all} leaves are listed, more than {LIST_LEAVES} come at once: ask about fewer names"
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
        let (mut names, mut by) = (Vec::new(), Vec::new());
        // Given back when the question was answered or refused.
        let mut received = account.hold(Kind::Incoming, 0).await?;
        while let Some(message) = messages.message().await? {
            if names.len() + message.names.len() > limits::LOOKUP_NAMES {
                let message = format!(
                    "a batch has at most {} names; ask in several",
                    limits::LOOKUP_NAMES
                );
                return Err(status::invalid("names", message));
            }
            let asked = message.names.len() + message.by.len();
            if asked == 0 {
                let message = "a message of a batch has at least one name or one speaker";
                return Err(status::invalid("names", message.into()));
            }
            received.grow(asked * mem::size_of::<Label>()).await?;
            names.append(&mut halves("names", &message.names, Name::from_slice)?);
            by.append(&mut speakers(by.len(), &message.by)?);
        }
        if names.is_empty() || by.is_empty() {
            let message = "a batch has at least one name and one speaker";
            return Err(status::invalid("names", message.into()));
        }
        let answers = self.answer(Query::names(names, by), &account).await?;
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
        let by = speakers(0, &request.by)?;
        let most = if by.is_empty() {
            Label::BITS
        } else {
            Name::BITS
        };
        let bits = u16::try_from(request.bits).unwrap_or(u16::MAX);
        let prefix = Some(bits)
            .filter(|bits| *bits <= most)
            .and_then(|bits| Prefix::from_wire(&request.prefix, bits))
            .ok_or_else(|| {
                let message = format!(
                    "this prefix has at most {most} bits, in as many bytes as they need, zero \
                     after them"
                );
                status::invalid("prefix", message)
            })?;
        let query = if by.is_empty() {
            Query::Census(prefix)
        } else {
            Query::crowd(prefix, by)
        };
        let answers = self.answer(query, &account).await?;
        let answers = answers.map(|answer| {
            answer.map(|answer| LookupPrefixResponse {
                answer: Some(answer),
            })
        });
        Ok(in_pieces(answer::pieces(account), answers))
    }
}
