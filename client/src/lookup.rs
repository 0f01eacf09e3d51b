//! Looking things up in the index: complete answers, verified, and kept so that they can be
//! verified again offline.

use crate::cores::Cores;
use crate::error::TooLong;
use crate::{Client, ClientError, call};
use assay_claims::index::{
    AnswerError, AnswerPage, By, Label, Name, Prefix, Query, VerifiedAnswer,
};
use assay_proto::{
    answer::{AnswerFault, Joined, to_core},
    v1::{self, BatchLookupRequest, LookupPrefixRequest, LookupRequest, WatchRequest, WatchedName},
};
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::tree::TreeSize;
use bytes::Bytes;
use tonic::Streaming;

/// Names of one message of a batch: about half of what a message may hold.
const MESSAGE_NAMES: usize = 16_384;

/// Most memory that an answer may take, in bytes: the claims about all packages of a large product.
pub(crate) const ANSWER_BYTES: usize = 1 << 30;

/// An answer that was verified, with the bytes that it was verified from.
#[derive(Debug, Clone)]
pub struct Looked {
    /// What was proven.
    pub answer: VerifiedAnswer,
    /// The answer as it came, with its checkpoint.
    pub bytes: v1::Answer,
}

impl Client {
    /// Asks what was said of many names by many speakers, at one checkpoint: the whole list of each
    /// label, and the entries, but for those that [`VerifiedAnswer::missing`] names because a list
    /// is long ([`Client::list`] brings them); or, if the query is a crowd or a census, what it
    /// asks for.
    ///
    /// Fails with [`ClientError::Unverified`] if anything was hidden, added or exchanged, and with
    /// [`ClientError::Unavailable`] if the answer is as of an older head than the newest that was
    /// seen before: a node may lag, but what was logged since would be hidden. A node answers at
    /// most [`LOOKUP_NAMES`](assay_claims::limits::LOOKUP_NAMES) names by
    /// [`LOOKUP_BY`](assay_claims::limits::LOOKUP_BY) speakers, and refuses a prefix that more
    /// names have.
    pub async fn lookup(&self, query: &Query) -> Result<Looked, ClientError> {
        let seen = self.seen().await?;
        let mut joined = Joined::default();
        match query {
            Query::Names { names, by } => {
                let messages = futures::stream::iter(batch(names, by));
                let mut index = self.index.clone();
                let answers = index.batch_lookup(messages);
                call::each("looking up", answers, |message| {
                    self.push(&mut joined, message.answer)
                })
                .await?;
            }
            Query::Crowd { prefix, by } => self.ask_prefix(&mut joined, prefix, by).await?,
            Query::Census(prefix) => self.ask_prefix(&mut joined, prefix, &[]).await?,
            Query::Page { label, from } => self.ask_page(&mut joined, label, *from, 0).await?,
        }
        self.verified(joined, query, seen).await
    }

    /// A page of one label's list, from a position on, with at most `limit` entries, or as many as
    /// the node sends if it is 0. [`AnswerPage`] says what one page proves; [`Client::list`] brings
    /// the whole list. It fails as [`Client::lookup`] does.
    pub async fn lookup_page(
        &self,
        label: &Label,
        from: u64,
        limit: u32,
    ) -> Result<AnswerPage, ClientError> {
        let (page, _) = self.page(label, from, limit).await?;
        Ok(page)
    }

    async fn ask_page(
        &self,
        joined: &mut Joined,
        label: &Label,
        from: u64,
        limit: u32,
    ) -> Result<(), ClientError> {
        let request = LookupRequest {
            label: wire(label),
            from,
            limit,
        };
        let answer = call::short("looking up", self.index.clone().lookup(request)).await?;
        self.push(joined, answer.answer)
    }

    /// Asks what these said about whatever begins with a prefix, or without any, who spoke of it.
    async fn ask_prefix(
        &self,
        joined: &mut Joined,
        prefix: &Prefix,
        by: &[By],
    ) -> Result<(), ClientError> {
        let mut index = self.index.clone();
        let answers = index.lookup_prefix(prefix_request(prefix, by));
        call::each("looking up a prefix", answers, |message| {
            self.push(joined, message.answer)
        })
        .await
    }

    /// A page, and about how many bytes of memory it takes.
    pub(crate) async fn page(
        &self,
        label: &Label,
        from: u64,
        limit: u32,
    ) -> Result<(AnswerPage, usize), ClientError> {
        let seen = self.seen().await?;
        let mut joined = Joined::default();
        self.ask_page(&mut joined, label, from, limit).await?;
        let taken = joined.taken();
        let bytes = finish(joined)?;
        let checkpoint = self.accept_since(&bytes.checkpoint, seen).await?;
        let label = *label;
        let answer = to_core(&bytes, &Query::Page { label, from }).map_err(unreadable)?;
        let page = AnswerPage::verify(checkpoint, &label, from, answer).map_err(refused)?;
        Ok((page, taken))
    }

    /// Follows names: the node says when more is listed under one than the caller has. What it says
    /// is a hint and no proof.
    pub async fn watch(&self, known: &[(Name, u64)]) -> Result<Watched, ClientError> {
        let mut names = Vec::with_capacity(known.len());
        for (name, known) in known {
            names.push(WatchedName {
                name: Bytes::copy_from_slice(name.as_bytes()),
                known: *known,
            });
        }
        let answers = self
            .log
            .clone()
            .watch(WatchRequest { names })
            .await
            .map_err(|e| ClientError::from_status("watching", e))?
            .into_inner();
        Ok(Watched { answers })
    }

    /// Adds a message to an answer, unless that becomes too long.
    fn push(&self, joined: &mut Joined, message: Option<v1::Answer>) -> Result<(), ClientError> {
        joined
            .push(message.unwrap_or_default())
            .map_err(|e| ClientError::unverified_by("a message of the answer brings nothing", e))?;
        let most = self.answer_bytes;
        if joined.taken() <= most {
            return Ok(());
        }
        let what = format!("{}; ask for less at once", TooLong(most));
        Err(ClientError::unavailable(what, TooLong(most)))
    }

    async fn verified(
        &self,
        joined: Joined,
        query: &Query,
        seen: TreeSize,
    ) -> Result<Looked, ClientError> {
        let bytes = finish(joined)?;
        let checkpoint = self.accept_since(&bytes.checkpoint, seen).await?;
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
    let answer = to_core(bytes, query).map_err(unreadable)?;
    VerifiedAnswer::verify_with(checkpoint, query, answer, &Cores).map_err(refused)
}

fn finish(joined: Joined) -> Result<v1::Answer, ClientError> {
    joined.finish().map_err(unreadable)
}

fn unreadable(fault: AnswerFault) -> ClientError {
    ClientError::unverified_by("the answer cannot be read", fault)
}

fn refused(error: AnswerError) -> ClientError {
    if error.is_unsupported() {
        ClientError::Unsupported(error.to_string())
    } else {
        ClientError::unverified_by("the answer is not complete, or not this log's", error)
    }
}

/// The messages of a batch: the speakers come with the first of them.
fn batch(names: &[Name], by: &[By]) -> Vec<BatchLookupRequest> {
    let mut messages = Vec::with_capacity(names.len().div_ceil(MESSAGE_NAMES));
    for names in names.chunks(MESSAGE_NAMES) {
        let mut message = BatchLookupRequest {
            names: Vec::with_capacity(names.len()),
            by: Vec::new(),
        };
        for name in names {
            message.names.push(Bytes::copy_from_slice(name.as_bytes()));
        }
        if messages.is_empty() {
            message.by = speakers(by);
        }
        messages.push(message);
    }
    messages
}

fn prefix_request(prefix: &Prefix, by: &[By]) -> LookupPrefixRequest {
    let bits = prefix.bits();
    let bytes = &prefix.first().as_bytes()[..usize::from(bits.div_ceil(8))];
    LookupPrefixRequest {
        prefix: Bytes::copy_from_slice(bytes),
        bits: bits.into(),
        by: speakers(by),
    }
}

fn speakers(by: &[By]) -> Vec<Bytes> {
    let halves = by.iter().map(By::as_bytes);
    halves.map(|half| Bytes::copy_from_slice(half)).collect()
}

fn wire(label: &Label) -> Bytes {
    Bytes::copy_from_slice(label.as_bytes())
}

/// What the node says while labels are watched.
#[derive(Debug)]
pub struct Watched {
    answers: Streaming<v1::WatchResponse>,
}

impl Watched {
    /// Waits until more is listed under some name, the node says. `false` if the node ended it.
    pub async fn next(&mut self) -> Result<bool, ClientError> {
        let answer = self.answers.message().await;
        let answer = answer.map_err(|e| ClientError::from_status("watching", e))?;
        Ok(answer.is_some())
    }
}
