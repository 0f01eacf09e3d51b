//! `assay.v1.IndexService`: complete answers, from the map and the tiles of one published
//! checkpoint.

use super::{joined, status};
use crate::{
    index::{Held, StoredPages},
    records::{self, RecordError},
    storage::{Reads, Tables},
    view::{Published, View},
};
use assay_claims::index::map::{Listed, MapError, Proven};
use assay_claims::index::{By, Label, Map, Name, Prefix, Query};
use assay_claims::limits;
use assay_proto::v1::{
    Answer, BatchLookupRequest, BatchLookupResponse, LabelList, LookupPrefixRequest,
    LookupPrefixResponse, LookupRequest, LookupResponse, index_service_server::IndexService,
};
use assay_tlog::tree::LeafIndex;
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use std::{pin::Pin, sync::Arc};
use tokio::sync::oneshot;
use tonic::{Request, Response, Status, Streaming};

/// Bytes of one message of an answer, about: well below the limit of 1 MiB a message.
const MESSAGE_BYTES: usize = 512 << 10;

/// Most entries of one label in the answer to a batch or a prefix. `Lookup` brings the rest of a
/// list.
const LABEL_ENTRIES: usize = limits::PAGE;

/// Most leaves in all lists of a batch or a prefix: some seconds' worth of reading.
const LIST_LEAVES: u64 = 4 << 20;

/// `assay.v1.IndexService` on one log.
pub struct IndexApi<S> {
    view: Arc<View<S>>,
}

impl<S> IndexApi<S> {
    /// Returns a service that answers from what `view` shows.
    pub fn new(view: Arc<View<S>>) -> Self {
        IndexApi { view }
    }
}

/// Most names or labels that one answer shows: some hundred thousand hashes of work.
const SHOWN: u64 = limits::LOOKUP_NAMES as u64;

/// An answer without its entries, which are read as they are sent.
struct Prepared {
    published: Arc<Published>,
    cut: Bytes,
    lists: Vec<(Label, Vec<LeafIndex>)>,
    entries: Vec<LeafIndex>,
    inclusion: Bytes,
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
        let published = self.view.published();
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

    /// Computes everything but the entries, on a verifying thread: a large batch takes a while.
    async fn prepare(&self, query: Query) -> Result<Prepared, Status> {
        let view = self.view.clone();
        let (done, prepared) = oneshot::channel();
        rayon::spawn(move || {
            // An error means that the caller went away.
            let _ = done.send(prepare(&view, &query));
        });
        prepared
            .await
            .map_err(|_| Status::internal("the look-up failed to run; see the node's trace"))?
    }

    async fn answer(
        &self,
        query: Query,
    ) -> Result<impl Stream<Item = Result<Answer, Status>> + use<S>, Status> {
        let prepared = self.prepare(query).await?;
        let view = self.view.clone();
        let (first, lists, inclusion) = opening(&prepared);
        let entries = stream::try_unfold(0, move |from| {
            let message = entries(&view, &prepared.entries, from);
            async move { message }
        });
        let opening = std::iter::once(first).chain(lists).map(Ok);
        let closing = inclusion.into_iter().map(Ok);
        Ok(stream::iter(opening)
            .chain(entries)
            .chain(stream::iter(closing)))
    }
}

fn last_leaf(published: &Published) -> LeafIndex {
    LeafIndex::new(published.size().get().saturating_sub(1))
}

fn prepare<S: Tables>(view: &View<S>, query: &Query) -> Result<Prepared, Status> {
    let published = view.published();
    let map = published.index().ok_or_else(unavailable)?;
    let pages = StoredPages(view.store());
    check_cost(map, query)?;
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
        published,
        cut: cut.into(),
        lists,
        entries,
        inclusion,
    })
}

/// Refuses what would show too much, before anything of it is built.
fn check_cost(map: &Map<Held>, query: &Query) -> Result<(), Status> {
    let (count, what) = match query {
        Query::Names { .. } | Query::Page { .. } => return Ok(()),
        Query::Crowd { prefix, .. } => (map.count(prefix).names, "names"),
        Query::Census(prefix) => (map.count(prefix).labels, "labels"),
    };
    if count <= SHOWN {
        return Ok(());
    }
    Err(Status::out_of_range(format!(
        "{count} {what} begin with this prefix; at most {SHOWN} come at once: name more bits"
    )))
}

/// The messages before the entries, and those after them.
fn opening(prepared: &Prepared) -> (Answer, Vec<Answer>, Vec<Answer>) {
    let mut cut = pieces(&prepared.cut);
    let first = Answer {
        checkpoint: prepared.published.note().to_owned(),
        commitment: prepared.published.commitment().clone(),
        cut: cut.next().unwrap_or_default(),
        ..Answer::default()
    };
    let mut lists: Vec<Answer> = cut
        .map(|cut| Answer {
            cut,
            ..Answer::default()
        })
        .collect();
    let mut bytes = usize::MAX;
    for (label, leaves) in &prepared.lists {
        // A leaf index takes at most ten bytes.
        for leaves in leaves.chunks(MESSAGE_BYTES / 10) {
            if bytes > MESSAGE_BYTES {
                lists.push(Answer::default());
                bytes = 0;
            }
            bytes += 40 + 10 * leaves.len();
            if let Some(message) = lists.last_mut() {
                let label = Bytes::copy_from_slice(label.as_bytes());
                message.lists.push(LabelList {
                    label,
                    leaves: leaves.iter().map(|leaf| leaf.get()).collect(),
                });
            }
        }
    }
    let inclusion = pieces(&prepared.inclusion)
        .map(|inclusion| Answer {
            inclusion,
            ..Answer::default()
        })
        .collect();
    (first, lists, inclusion)
}

fn pieces(bytes: &Bytes) -> impl Iterator<Item = Bytes> {
    bytes
        .chunks(MESSAGE_BYTES)
        .map(|piece| bytes.slice_ref(piece))
}

/// Returns the entries from a position on, as many as one message holds, and the position after
/// them. Returns `None` after the last.
fn entries<S: Tables>(
    view: &View<S>,
    all: &[LeafIndex],
    from: usize,
) -> Result<Option<(Answer, usize)>, Status> {
    let mut answer = Answer::default();
    let mut bytes = 0;
    for leaf in &all[from..] {
        let entry = records::read_entry(view.store(), *leaf).map_err(|e| status::store(&e))?;
        bytes += entry.len();
        answer.leaves.push(leaf.get());
        answer.entries.push(entry);
        if bytes > MESSAGE_BYTES {
            break;
        }
    }
    let next = from + answer.entries.len();
    Ok((next > from).then_some((answer, next)))
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl<S: Tables + 'static> IndexService for IndexApi<S> {
    type BatchLookupStream = Answers<BatchLookupResponse>;
    type LookupPrefixStream = Answers<LookupPrefixResponse>;

    async fn lookup(
        &self,
        request: Request<LookupRequest>,
    ) -> Result<Response<LookupResponse>, Status> {
        let answer = self.lookup_one(request.get_ref())?;
        Ok(Response::new(LookupResponse {
            answer: Some(answer),
        }))
    }

    async fn batch_lookup(
        &self,
        request: Request<Streaming<BatchLookupRequest>>,
    ) -> Result<Response<Self::BatchLookupStream>, Status> {
        let mut messages = request.into_inner();
        let (mut names, mut by) = (Vec::new(), Vec::new());
        while let Some(message) = messages.message().await? {
            if names.len() + message.names.len() > limits::LOOKUP_NAMES {
                let message = format!(
                    "a batch has at most {} names; ask in several",
                    limits::LOOKUP_NAMES
                );
                return Err(status::invalid("names", message));
            }
            names.append(&mut halves("names", &message.names, Name::from_slice)?);
            by.append(&mut speakers(by.len(), &message.by)?);
        }
        if names.is_empty() || by.is_empty() {
            let message = "a batch has at least one name and one speaker";
            return Err(status::invalid("names", message.into()));
        }
        let answers = self.answer(Query::names(names, by)).await?;
        let answers = answers.map(|answer| {
            answer.map(|answer| BatchLookupResponse {
                answer: Some(answer),
            })
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn lookup_prefix(
        &self,
        request: Request<LookupPrefixRequest>,
    ) -> Result<Response<Self::LookupPrefixStream>, Status> {
        let request = request.into_inner();
        let by = speakers(0, &request.by)?;
        let most = if by.is_empty() {
            Label::BITS
        } else {
            Name::BITS
        };
        let bits = u16::try_from(request.bits)
            .ok()
            .filter(|bits| *bits <= most);
        let prefix = bits
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
        let answers = self.answer(query).await?;
        let answers = answers.map(|answer| {
            answer.map(|answer| LookupPrefixResponse {
                answer: Some(answer),
            })
        });
        Ok(Response::new(Box::pin(answers)))
    }
}
