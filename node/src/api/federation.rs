//! `assay.v1.FederationService`: what nodes and their clients tell each other about logs, witnesses
//! and mirrors.

use super::{
    Answers, account, in_pieces,
    metered::{Pieces, encoded},
    peer, status,
};
use crate::{
    admission::Refusal,
    gossip::serve::Desk,
    held::Kind,
    misbehavior::{Evidence, NotKept},
    quota::Reports,
};
use assay_claims::limits::MISBEHAVIOR_BYTES;
use assay_claims::misbehavior::MisbehaviorError;
use assay_claims::misbehavior::breach::BreachError;
use assay_proto::gossip::{TURN_BYTES, evidence_ids};
use assay_proto::v1::{
    ExchangeHeadsRequest, ExchangeHeadsResponse, ListMisbehaviorRequest, ListMisbehaviorResponse,
    ReportMisbehaviorRequest, ReportMisbehaviorResponse, SubmitHeadsRequest, SubmitHeadsResponse,
    federation_service_server::{FederationService, FederationServiceServer},
};
use assay_tlog::Hash;
use bytes::Bytes;
use futures::stream;
use std::{net::IpAddr, sync::Arc};
use tonic::{Request, Response, Status, Streaming};

/// Largest answer of a list: a text, and the head of its field.
const FILE_BYTES: usize = MISBEHAVIOR_BYTES + 16;

/// Reports a second from one network address.
const REPORTS: u32 = 1;

/// Exchanges of heads a second from one network address. A peer opens one or two with a node in a
/// second; some peers may share an address.
const EXCHANGES: u32 = 32;

/// How often a second heads are submitted from one network address, where many people may be.
const SUBMISSIONS: u32 = 4;

/// Most culprits that one call asks about.
const CULPRITS: usize = 64;

/// `assay.v1.FederationService` over what is kept, and what is known by gossip.
pub struct FederationApi {
    evidence: Arc<Evidence>,
    desk: Desk,
    reports: Reports,
    exchanges: Reports,
    submissions: Arc<Reports>,
}

/// How often one network may submit heads, by whichever way. `shared` as in
/// [`FederationApi::server`].
pub fn submissions(shared: &[IpAddr]) -> Arc<Reports> {
    let what = "submits heads";
    Arc::new(Reports::of("address_heads", what, SUBMISSIONS, shared))
}

impl FederationApi {
    /// Returns the service. `shared` are addresses that stand for many callers, who are not
    /// limited by them.
    pub fn server(
        evidence: Arc<Evidence>,
        desk: Desk,
        submissions: Arc<Reports>,
        shared: &[IpAddr],
    ) -> FederationServiceServer<Self> {
        let what = "exchanges heads";
        let api = FederationApi {
            evidence,
            desk,
            reports: Reports::new(REPORTS, shared),
            exchanges: Reports::of("address_exchanges", what, EXCHANGES, shared),
            submissions,
        };
        FederationServiceServer::new(api)
            .max_decoding_message_size(TURN_BYTES)
            .max_encoding_message_size(TURN_BYTES)
    }
}

impl From<NotKept> for Status {
    fn from(refused: NotKept) -> Self {
        let message = refused.to_string();
        match refused {
            NotKept::Unproven(BreachError::Text(MisbehaviorError::UnknownCulprit(culprit))) => {
                Status::failed_precondition(format!("this node has no key of {culprit}"))
            }
            NotKept::Unproven(BreachError::NotAssay { origin }) => Status::failed_precondition(
                format!("this node does not know the log {origin} as an Assay log"),
            ),
            NotKept::Unproven(error) if error.is_unsupported() => {
                Status::failed_precondition(message)
            }
            NotKept::Unproven(error) => status::invalid("file", crate::reason::with_causes(&error)),
            NotKept::Enough { .. } => Status::already_exists(message),
            NotKept::Full => {
                metrics::counter!("assay_refused_total", "limit" => "misbehavior").increment(1);
                status::busy(message, 3600)
            }
            NotKept::Io(_) => {
                Status::unavailable("this node cannot store it; its operator was told")
            }
        }
    }
}

#[tonic::async_trait]
impl FederationService for FederationApi {
    type ListMisbehaviorStream = Answers<ListMisbehaviorResponse>;
    type ExchangeHeadsStream = Answers<ExchangeHeadsResponse>;

    async fn exchange_heads(
        &self,
        request: Request<Streaming<ExchangeHeadsRequest>>,
    ) -> Result<Response<Self::ExchangeHeadsStream>, Status> {
        if let Some(from) = peer(&request) {
            self.exchanges.charge(from).map_err(Refusal::from)?;
        }
        let from = peer(&request).filter(|from| self.exchanges.is_charged(*from));
        let pieces = Pieces {
            account: account(&request)?,
            kind: Kind::Long,
            bytes: encoded(TURN_BYTES),
            idle: true,
        };
        Ok(in_pieces(
            pieces,
            self.desk.exchange(from, request.into_inner())?,
        ))
    }

    async fn submit_heads(
        &self,
        request: Request<SubmitHeadsRequest>,
    ) -> Result<Response<SubmitHeadsResponse>, Status> {
        if let Some(from) = peer(&request) {
            self.submissions.charge(from).map_err(Refusal::from)?;
        }
        let submitted = self.desk.submit(request.into_inner().notes).await?;
        Ok(Response::new(SubmitHeadsResponse {
            new: submitted.new,
            evidence_ids: evidence_ids(&submitted.evidence),
        }))
    }

    async fn report_misbehavior(
        &self,
        request: Request<ReportMisbehaviorRequest>,
    ) -> Result<Response<ReportMisbehaviorResponse>, Status> {
        if let Some(from) = peer(&request) {
            self.reports.charge(from).map_err(Refusal::from)?;
        }
        let file = request.into_inner().file;
        let evidence = self.evidence.clone();
        // It waits for the disk.
        let kept = tokio::task::spawn_blocking(move || evidence.report(&file)).await;
        let (id, new) = kept.map_err(|_| Status::internal("the report failed"))??;
        Ok(Response::new(ReportMisbehaviorResponse {
            id: Bytes::copy_from_slice(id.as_bytes()),
            new,
        }))
    }

    async fn list_misbehavior(
        &self,
        request: Request<ListMisbehaviorRequest>,
    ) -> Result<Response<Self::ListMisbehaviorStream>, Status> {
        let account = account(&request)?;
        let asked = request.into_inner();
        let mut listed = self.evidence.list(after(&asked.after)?);
        if asked.culprits.len() > CULPRITS {
            let message = format!("at most {CULPRITS} culprits are asked about at once");
            return Err(status::invalid("culprits", message));
        }
        listed.retain(|listed| listed.convicts() != asked.breaches);
        if !asked.culprits.is_empty() {
            listed.retain(|listed| asked.culprits.contains(&listed.culprit.to_string()));
        }
        let pieces = Pieces {
            account,
            kind: Kind::Long,
            bytes: encoded(FILE_BYTES + Hash::LEN),
            idle: false,
        };
        let ids: Vec<Hash> = listed.into_iter().map(|listed| listed.id).collect();
        let evidence = self.evidence.clone();
        // A file is read when it is asked for. Who does not read keeps none.
        let files = stream::try_unfold(ids.into_iter(), move |mut ids| {
            let evidence = evidence.clone();
            async move {
                let read = tokio::task::spawn_blocking(move || {
                    let next = ids.find_map(|id| Some((id, read(&evidence, &id)?)));
                    (next, ids)
                });
                let read = read.await.map_err(|_| Status::internal("a read failed"));
                let (next, ids) = read?;
                Ok(next.map(|(id, file)| {
                    let id = Bytes::copy_from_slice(id.as_bytes());
                    (ListMisbehaviorResponse { id, file }, ids)
                }))
            }
        });
        Ok(in_pieces(pieces, files))
    }
}

/// A file, unless it cannot be read: the others can.
fn read(evidence: &Evidence, id: &Hash) -> Option<Bytes> {
    match evidence.read(id) {
        Ok(file) => file.map(Bytes::from),
        Err(error) => {
            tracing::error!(%error, "misbehavior cannot be read");
            None
        }
    }
}

fn after(bytes: &[u8]) -> Result<Option<Hash>, Status> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let id = Hash::from_slice(bytes).map(Some);
    id.ok_or_else(|| status::invalid("after", "an id has 32 bytes".into()))
}
