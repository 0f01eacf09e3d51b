//! The fake log's index service: honest answers, until a test rewrites them.

use super::{Service, State, Stream, log::join};
use assay_claims::index::map::Resident;
use assay_claims::index::range::prove_page;
use assay_claims::index::{By, Label, Name, Prefix, Query};
use assay_claims::limits;
use assay_proto::v1::{self, index_service_server::IndexService, *};
use assay_tlog::tree::{LeafIndex, prove_multiproof};
use bytes::Bytes;
use std::collections::BTreeSet;
use tonic::{Request, Response, Status, Streaming};

/// What a test makes of an honest answer.
pub type Rewrite =
    Box<dyn FnMut(&mut State, &Query, v1::Answer) -> Result<Vec<v1::Answer>, Status> + Send>;

impl State {
    /// The answer as of the checkpoint that is served, honest but for what is withheld.
    pub fn answer(&self, query: &Query) -> v1::Answer {
        let (size, checkpoint) = self.size_of(0);
        let last = size.get() - 1;
        let map = &self.indexes[&last];
        let mut proven = map.prove(query, &Resident).unwrap();
        match query {
            Query::Census(_) => proven.found.clear(),
            Query::Page { .. } => {}
            Query::Names { .. } | Query::Crowd { .. } => {
                let whole = limits::WHOLE_LIST;
                proven.found.retain(|listed| listed.length <= whole);
            }
        }
        let (from, most) = match query {
            Query::Page { from, .. } => (*from as usize, self.page.min(self.limit)),
            _ => (0, usize::MAX),
        };
        let (mut lists, mut range) = (vec![], vec![]);
        let mut leaves = BTreeSet::new();
        for listed in &proven.found {
            let list = &self.lists[&listed.label][..listed.length as usize];
            let page: Vec<u64> = list.iter().skip(from).take(most).copied().collect();
            if let Query::Page { from, .. } = query {
                let list: Vec<LeafIndex> = list.iter().copied().map(LeafIndex::new).collect();
                range = prove_page(&list, *from..*from + page.len() as u64);
            }
            leaves.extend(
                page.iter()
                    .take(limits::LABEL_ENTRIES)
                    .filter(|leaf| Some(**leaf) != self.withheld),
            );
            lists.push(LabelList {
                label: Bytes::copy_from_slice(listed.label.as_bytes()),
                leaves: page,
            });
        }
        let targets: Vec<_> = leaves
            .iter()
            .copied()
            .chain([last])
            .map(LeafIndex::new)
            .collect();
        v1::Answer {
            checkpoint,
            commitment: self.entries[last as usize].clone(),
            cut: proven.cut().into(),
            lists,
            entries: leaves
                .iter()
                .map(|leaf| self.entries[*leaf as usize].clone())
                .collect(),
            leaves: leaves.into_iter().collect(),
            inclusion: join(&prove_multiproof(self, &targets, size).unwrap()),
            range: join(&range),
        }
    }
}

impl Service {
    fn answers(&self, query: &Query) -> Result<Vec<v1::Answer>, Status> {
        let mut state = self.0.lock().unwrap();
        let answer = state.answer(query);
        let Some(mut rewrite) = state.rewrite.take() else {
            return Ok(vec![answer]);
        };
        let answers = rewrite(&mut state, query, answer);
        state.rewrite = Some(rewrite);
        answers
    }
}

fn halves<T>(wire: &[Bytes], read: fn(&[u8]) -> Option<T>) -> Vec<T> {
    wire.iter().map(|bytes| read(bytes).unwrap()).collect()
}

fn streamed<T: Send + 'static>(
    answers: Vec<v1::Answer>,
    message: fn(Option<v1::Answer>) -> T,
) -> Response<Stream<T>> {
    Response::new(Box::pin(futures::stream::iter(
        answers
            .into_iter()
            .map(move |answer| Ok(message(Some(answer)))),
    )))
}

#[tonic::async_trait]
impl IndexService for Service {
    async fn lookup(
        &self,
        request: Request<LookupRequest>,
    ) -> Result<Response<LookupResponse>, Status> {
        let LookupRequest { label, from, limit } = request.into_inner();
        let query = Query::Page {
            label: Label::from_slice(&label).unwrap(),
            from,
        };
        self.0.lock().unwrap().limit = match limit {
            0 => limits::PAGE,
            limit => limit as usize,
        };
        Ok(Response::new(LookupResponse {
            answer: self.answers(&query)?.pop(),
        }))
    }

    type BatchLookupStream = Stream<BatchLookupResponse>;

    async fn batch_lookup(
        &self,
        request: Request<Streaming<BatchLookupRequest>>,
    ) -> Result<Response<Self::BatchLookupStream>, Status> {
        let mut messages = request.into_inner();
        let (mut names, mut by) = (Vec::new(), Vec::new());
        while let Some(message) = messages.message().await? {
            names.extend(halves(&message.names, Name::from_slice));
            by.extend(halves(&message.by, By::from_slice));
        }
        if names.len() > limits::LOOKUP_NAMES || by.len() > limits::LOOKUP_BY {
            return Err(Status::invalid_argument("too many names or speakers"));
        }
        let answers = self.answers(&Query::names(names, by))?;
        Ok(streamed(answers, |answer| BatchLookupResponse { answer }))
    }

    type LookupPrefixStream = Stream<LookupPrefixResponse>;

    async fn lookup_prefix(
        &self,
        request: Request<LookupPrefixRequest>,
    ) -> Result<Response<Self::LookupPrefixStream>, Status> {
        let LookupPrefixRequest { prefix, bits, by } = request.into_inner();
        let prefix = Prefix::from_wire(&prefix, bits as u16).unwrap();
        let query = if by.is_empty() {
            Query::Census(prefix)
        } else {
            Query::crowd(prefix, halves(&by, By::from_slice))
        };
        Ok(streamed(self.answers(&query)?, |answer| {
            LookupPrefixResponse { answer }
        }))
    }
}
