//! `assay.v1.IndexService`: complete answers, from the map and the tiles of one published
//! checkpoint.

use super::{
    Answers, account,
    answer::{self, Prepared, Sending},
    gate::late,
    in_pieces, joined,
    look_ups::LookUps,
    metered::{Paid, encoded},
    page::{self, LongList, PageMaker, Unmade, last_leaf, leaves, proven, unavailable},
    status,
};
use crate::{
    held::{Account, Hold, Kind},
    index::StoredPages,
    storage::Tables,
    view::View,
};
use assay_claims::index::map::Proven;
use assay_claims::index::range::ListChunks;
use assay_claims::index::{By, Label, Name, Prefix, Query};
use assay_claims::limits;
use assay_proto::answer::Joined;
use assay_proto::v1::{
    Answer, BatchLookupRequest, BatchLookupResponse, LookupPrefixRequest, LookupPrefixResponse,
    LookupRequest, LookupResponse, index_service_server::IndexService,
};
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use std::{mem, sync::Arc};
use tonic::{Request, Response, Status, Streaming};

/// Most entries of one label in the answer to a batch or a prefix. `Lookup` brings the rest of a
/// list.
const LABEL_ENTRIES: usize = limits::LABEL_ENTRIES;

/// Most leaves in all lists of a batch or a prefix.
const LIST_LEAVES: u64 = limits::LISTED_LEAVES;

/// Most leaves of a page that is made where a call is served. Each takes some microseconds.
const FEW: usize = 64;

/// `assay.v1.IndexService` on one log.
pub struct IndexApi<S> {
    view: Arc<View<S>>,
    look_ups: LookUps,
    pages: Arc<PageMaker<S>>,
}

impl<S> IndexApi<S> {
    /// Returns a service that answers from what `view` shows.
    pub fn new(view: Arc<View<S>>, look_ups: LookUps) -> Self {
        let pages = Arc::new(PageMaker::new(view.clone()));
        IndexApi {
            view,
            look_ups,
            pages,
        }
    }
}

/// Most names or labels that one answer shows: some hundred thousand hashes of work.
const SHOWN: u64 = limits::LOOKUP_NAMES as u64;

/// About the bytes of the longest answer that is made whole before it is sent. Written, it takes
/// three times as much, which is more than the room that one connection has by default.
pub const WHOLE_BYTES: usize = 1 << 20;

/// Room for the next message of an answer that is made whole: for it, and as it will be written.
const PIECE_BYTES: usize = 3 * answer::MESSAGE_BYTES_MAX;

/// Room for the longest one, beside what it is sent from. One connection has less, and then this
/// takes all of that.
const WHOLE_ROOM: usize = 3 * WHOLE_BYTES + PIECE_BYTES;

/// Room for the longest batch, taken before any of it comes: questions that each have a part would
/// wait for each other.
const QUESTION_BYTES: usize = (limits::LOOKUP_NAMES + limits::LOOKUP_BY) * mem::size_of::<Label>();

/// What is asked by a prefix of so many bits: who speaks, or what these said.
pub fn by_prefix(prefix: &[u8], bits: u32, by: Vec<By>) -> Result<Query, Status> {
    let most = if by.is_empty() {
        Label::BITS
    } else {
        Name::BITS
    };
    let bits = u16::try_from(bits).unwrap_or(u16::MAX);
    let prefix = Some(bits)
        .filter(|bits| *bits <= most)
        .and_then(|bits| Prefix::from_wire(prefix, bits))
        .ok_or_else(|| {
            let message = format!(
                "this prefix has at most {most} bits, in as many bytes as they need, zero after \
                 them"
            );
            status::invalid("prefix", message)
        })?;
    Ok(if by.is_empty() {
        Query::Census(prefix)
    } else {
        Query::crowd(prefix, by)
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

impl<S: Tables + 'static> IndexApi<S> {
    /// A page, and the room that it takes. One of few leaves is made where the call is served.
    async fn page(
        &self,
        request: LookupRequest,
        account: &Arc<Account>,
    ) -> Result<(Answer, Hold), Status> {
        let look_up = |known: Option<&ListChunks>| {
            let answer = self.pages.page(&request, known, FEW)?;
            let bytes = encoded(page::size(&answer));
            Ok::<_, Unmade>((answer, bytes))
        };
        let made = match account.made(|| look_up(None)).await {
            Err(Unmade::Long(list)) => {
                let (_room, known) = self.read_long(list, account).await?;
                account.made(|| look_up(Some(&known))).await
            }
            made => made,
        };
        match made {
            Err(Unmade::Many) => self.long_page(request, account).await,
            made => Ok(made?),
        }
    }

    /// The same of a page of many leaves, which is made on a thread for look-ups once it is this
    /// caller's turn. It is not kept while it waits for room, but made again.
    async fn long_page(
        &self,
        request: LookupRequest,
        account: &Arc<Account>,
    ) -> Result<(Answer, Hold), Status> {
        let (mut room, mut known) = (None::<Hold>, None);
        loop {
            let turn = account.hold(Kind::Question, 1).await?;
            let (pages, asked) = (self.pages.clone(), request.clone());
            let made = self.look_ups.run(turn, move || {
                let read = known.as_ref().map(|(_room, chunks)| chunks);
                let made = pages.page(&asked, read, limits::PAGE);
                (made, known)
            });
            let made = made.await?;
            known = made.1;
            let answer = match made.0 {
                Err(Unmade::Long(list)) if known.is_none() => {
                    known = Some(self.read_long(list, account).await?);
                    continue;
                }
                made => made?,
            };
            let bytes = encoded(page::size(&answer));
            if let Some(mut room) = room.take() {
                // What turned out larger goes on with what was taken: it exists already.
                room.resize(bytes);
                return Ok((answer, room));
            }
            let kind = Kind::of_answer(bytes);
            if let Some(room) = account.try_hold(kind, bytes) {
                return Ok((answer, room));
            }
            drop(answer);
            room = Some(account.hold(kind, bytes).await?);
        }
    }

    /// Hashes a long list on a thread for look-ups, once it is this caller's turn. Returns what it
    /// is hashed to, and the room that this takes.
    async fn read_long(
        &self,
        list: LongList,
        account: &Arc<Account>,
    ) -> Result<(Hold, ListChunks), Status> {
        let room = account.hold(Kind::Prepared, list.kept_bytes()).await?;
        let turn = account.hold(Kind::Question, 1).await?;
        let pages = self.pages.clone();
        let chunks = self.look_ups.run(turn, move || pages.read_long(&list));
        Ok((room, chunks.await??))
    }

    /// Computes everything but the entries, on a thread for look-ups, once there is room for the
    /// answer and for so many bytes beside it, and it is this caller's turn.
    async fn prepare(
        &self,
        query: &Arc<Query>,
        account: &Arc<Account>,
        beside: usize,
    ) -> Result<(Prepared, Hold), Status> {
        let mut bytes = self.estimate(query)? + beside;
        loop {
            let mut hold = account.hold(Kind::Prepared, bytes).await?;
            let turn = account.hold(Kind::Question, 1).await?;
            let (view, asked) = (self.view.clone(), query.clone());
            let prepared = self.look_ups.run(turn, move || prepare(&view, &asked));
            let prepared = prepared.await??;
            let taken = prepared.bytes() + beside;
            if hold.resize(taken) {
                return Ok((prepared, hold));
            }
            // It is larger than it seemed and there is no room. It is not kept while it waits.
            bytes = taken;
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
        let (prepared, hold) = self.prepare(&Arc::new(query), account, 0).await?;
        let view = self.view.clone();
        let sending = Sending::new(prepared, hold);
        Ok(stream::try_unfold(sending, move |mut sending| {
            let message = sending.next(&view);
            async move { Ok(message?.map(|message| (message, sending))) }
        }))
    }
}

impl<S: Tables + 'static> IndexApi<S> {
    /// The whole answer to a question, for callers who are not sent it in pieces, and the room that
    /// it takes, with as much again twice to write it. Fails if it has more than [`WHOLE_BYTES`].
    pub async fn whole(
        &self,
        query: Query,
        account: &Arc<Account>,
    ) -> Result<(Answer, Hold), Status> {
        let (query, mut beside) = (Arc::new(query), PIECE_BYTES);
        loop {
            let (prepared, hold) = self.prepare(&query, account, beside).await?;
            if let Some(made) = self.put_together(Sending::new(prepared, hold)).await? {
                return Ok(made);
            }
            // There is no room, and nothing is kept while this waits for all of it: answers that
            // each have a part would wait for each other.
            beside = WHOLE_ROOM;
        }
    }

    /// All messages of an answer as one, and the room that it takes. `None` if there is no room for
    /// them now.
    async fn put_together(&self, mut sending: Sending) -> Result<Option<(Answer, Hold)>, Status> {
        let mut joined = Joined::default();
        while sending.make_room(3 * joined.taken() + PIECE_BYTES) {
            let Some(message) = sending.message(&self.view)? else {
                let room = sending.into_room(3 * joined.taken());
                let answer = joined.finish().map_err(|_| unavailable())?;
                return Ok(Some((answer, room)));
            };
            joined.push(message).map_err(|error| {
                tracing::error!(%error, "an answer cannot be put together");
                Status::internal("this node cannot put its answer together")
            })?;
            if joined.taken() > WHOLE_BYTES {
                return Err(Status::out_of_range(format!(
                    "the answer has more than {WHOLE_BYTES} bytes: ask about fewer names, fewer \
                     speakers or more bits at once, or read long lists page by page"
                )));
            }
            // Reading entries takes time: whoever else this thread serves comes in between.
            tokio::task::yield_now().await;
        }
        Ok(None)
    }
}

/// About the memory that the proof of one label takes beside its list, if it is one of so many: a
/// hash for each node that it shares with no other label of the question.
fn proof_bytes(of: u64) -> usize {
    192 + 48 * of.max(1).ilog2() as usize
}

fn prepare<S: Tables>(view: &View<S>, query: &Query) -> Result<Prepared, Status> {
    let published = view.published()?;
    let map = published.index().ok_or_else(unavailable)?;
    let pages = StoredPages(view.store());
    let Proven { pieces, mut found } = match query {
        Query::Census(_) => Proven {
            pieces: proven(map.prove_only(query, &pages))?,
            found: Vec::new(),
        },
        _ => proven(map.prove(query, &pages))?,
    };
    found.retain(|listed| listed.length <= limits::WHOLE_LIST);
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
        cut: pieces.into_iter().map(Bytes::from).collect(),
        lists,
        entries,
        inclusion,
    })
}

/// The names and speakers of all messages of a batch.
async fn question(
    mut messages: Streaming<BatchLookupRequest>,
) -> Result<(Vec<Name>, Vec<By>), Status> {
    let (mut names, mut by) = (Vec::new(), Vec::new());
    while let Some(message) = messages.message().await? {
        if names.len() + message.names.len() > limits::LOOKUP_NAMES {
            let message = format!(
                "a batch has at most {} names; ask in several",
                limits::LOOKUP_NAMES
            );
            return Err(status::invalid("names", message));
        }
        if message.names.is_empty() && message.by.is_empty() {
            let message = "a message of a batch has at least one name or one speaker";
            return Err(status::invalid("names", message.into()));
        }
        names.append(&mut halves("names", &message.names, Name::from_slice)?);
        by.append(&mut speakers(by.len(), &message.by)?);
    }
    if names.is_empty() || by.is_empty() {
        let message = "a batch has at least one name and one speaker";
        return Err(status::invalid("names", message.into()));
    }
    Ok((names, by))
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
        let (answer, hold) = self.page(request.into_inner(), &account).await?;
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
        // Given back when the question was answered or refused.
        let mut received = account.hold(Kind::Incoming, QUESTION_BYTES).await?;
        let (names, by) = tokio::select! {
            question = question(request.into_inner()) => question?,
            late = late(account.clone(), QUESTION_BYTES) => return Err(late),
        };
        received.resize((names.len() + by.len()) * mem::size_of::<Label>());
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
        let query = by_prefix(&request.prefix, request.bits, by)?;
        let answers = self.answer(query, &account).await?;
        let answers = answers.map(|answer| {
            answer.map(|answer| LookupPrefixResponse {
                answer: Some(answer),
            })
        });
        Ok(in_pieces(answer::pieces(account), answers))
    }
}
