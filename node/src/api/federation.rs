//! `assay.v1.FederationService`: what nodes and their clients tell each other about logs, witnesses
//! and mirrors.

use super::{
    Answers, account, in_pieces,
    metered::{Pieces, encoded},
    peer, status,
};
use crate::{
    admission::Refusal,
    held::Kind,
    misbehavior::{Evidence, NotKept},
    quota::Reports,
};
use assay_claims::limits::MISBEHAVIOR_BYTES;
use assay_claims::misbehavior::MisbehaviorError;
use assay_proto::v1::{
    ListMisbehaviorRequest, ListMisbehaviorResponse, ReportMisbehaviorRequest,
    ReportMisbehaviorResponse,
    federation_service_server::{FederationService, FederationServiceServer},
};
use assay_tlog::Hash;
use bytes::Bytes;
use futures::stream;
use std::{net::IpAddr, sync::Arc};
use tonic::{Request, Response, Status};

/// Largest message: a text, and the head of its field.
const MESSAGE_BYTES: usize = MISBEHAVIOR_BYTES + 16;

/// Reports a second from one network address.
const REPORTS: u32 = 1;

/// Most culprits that one call asks about.
const CULPRITS: usize = 64;

/// `assay.v1.FederationService` over what is kept.
pub struct FederationApi {
    evidence: Arc<Evidence>,
    reports: Reports,
}

impl FederationApi {
    /// Returns the service. `shared` are addresses that stand for many callers, who are not
    /// limited by them.
    pub fn server(evidence: Arc<Evidence>, shared: &[IpAddr]) -> FederationServiceServer<Self> {
        let api = FederationApi {
            evidence,
            reports: Reports::new(REPORTS, shared),
        };
        FederationServiceServer::new(api)
            .max_decoding_message_size(MESSAGE_BYTES)
            .max_encoding_message_size(MESSAGE_BYTES + Hash::LEN)
    }
}

impl From<NotKept> for Status {
    fn from(refused: NotKept) -> Self {
        let message = refused.to_string();
        match refused {
            NotKept::Unproven(MisbehaviorError::UnknownCulprit(culprit)) => {
                Status::failed_precondition(format!("this node has no key of {culprit}"))
            }
            NotKept::Unproven(MisbehaviorError::Unsupported) => {
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
        if !asked.culprits.is_empty() {
            listed.retain(|listed| asked.culprits.contains(&listed.culprit.to_string()));
        }
        let pieces = Pieces {
            account,
            kind: Kind::Long,
            bytes: encoded(MESSAGE_BYTES + Hash::LEN),
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
