//! `assay.v1.FederationService` between simulated nodes: the real messages, over real gRPC.

use super::cast::{LIAR, LOGS, WITNESS_HOSTS};
use super::host::{channel, lock};
use super::node::Node;
use super::plan::Mutant;
use assay_proto::gossip::{TURN_BYTES, check_submitted, read_turn, turn_message};
use assay_proto::v1::federation_service_client::FederationServiceClient;
use assay_proto::v1::federation_service_server::{FederationService, FederationServiceServer};
use assay_proto::v1::{
    ExchangeHeadsRequest, ExchangeHeadsResponse, ListMisbehaviorRequest, ListMisbehaviorResponse,
    ReportMisbehaviorRequest, ReportMisbehaviorResponse, SubmitHeadsRequest, SubmitHeadsResponse,
};
use assay_tlog::gossip::{Exchange, FAN_OUT, Sampler, Turn};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::{Request, Response, Status, Streaming};

/// Longest time of an exchange, as in a node.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a round of gossip is done, in milliseconds.
const ROUND_MS: usize = 1_500;

/// Changes what a liar says.
type Lie = fn(&Node, &mut Turn);

/// A node's service.
pub(super) struct Desk {
    node: Arc<Node>,
    lie: Option<Lie>,
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

impl Desk {
    pub(super) fn server(node: Arc<Node>, lie: Option<Lie>) -> FederationServiceServer<Self> {
        FederationServiceServer::new(Desk { node, lie })
            .max_decoding_message_size(TURN_BYTES)
            .max_encoding_message_size(TURN_BYTES)
    }
}

#[tonic::async_trait]
impl FederationService for Desk {
    type ExchangeHeadsStream = Answers<ExchangeHeadsResponse>;
    type ListMisbehaviorStream = Answers<ListMisbehaviorResponse>;

    async fn exchange_heads(
        &self,
        request: Request<Streaming<ExchangeHeadsRequest>>,
    ) -> Result<Response<Self::ExchangeHeadsStream>, Status> {
        if self.node.host.has(Mutant::KeepsToItself) {
            return Err(Status::unavailable("this node keeps to itself"));
        }
        let mut come = request.into_inner();
        let (say, said) = mpsc::channel(1);
        let (node, lie) = (self.node.clone(), self.lie);
        tokio::spawn(async move {
            let mut exchange = Exchange::answer();
            while let Ok(Ok(Some(message))) = timeout(PATIENCE, come.message()).await {
                let Ok(turn) = read_turn(message.turn) else {
                    break;
                };
                let Ok(Some(mut turn)) = node.turn(&mut exchange, &turn) else {
                    break;
                };
                if let Some(lie) = lie {
                    lie(&node, &mut turn);
                }
                let turn = Some(turn_message(turn));
                if say.send(Ok(ExchangeHeadsResponse { turn })).await.is_err() {
                    break;
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(said))))
    }

    async fn submit_heads(
        &self,
        request: Request<SubmitHeadsRequest>,
    ) -> Result<Response<SubmitHeadsResponse>, Status> {
        let notes = request.into_inner().notes;
        check_submitted(&notes).map_err(|error| Status::invalid_argument(error.to_string()))?;
        for note in &notes {
            self.node.submit(note);
        }
        Ok(Response::new(SubmitHeadsResponse::default()))
    }

    async fn report_misbehavior(
        &self,
        request: Request<ReportMisbehaviorRequest>,
    ) -> Result<Response<ReportMisbehaviorResponse>, Status> {
        if self.node.host.has(Mutant::KeepsToItself) {
            return Err(Status::unavailable("this node keeps to itself"));
        }
        let id = self.node.report(&request.into_inner().file);
        let id = id.ok_or_else(|| Status::invalid_argument("it proves nothing"))?;
        Ok(Response::new(ReportMisbehaviorResponse {
            id: id.as_bytes().to_vec().into(),
            new: true,
        }))
    }

    async fn list_misbehavior(
        &self,
        _: Request<ListMisbehaviorRequest>,
    ) -> Result<Response<Self::ListMisbehaviorStream>, Status> {
        Err(Status::unimplemented("nobody here asks"))
    }
}

/// Submits notes to a node.
pub(super) async fn submit(to: &str, notes: Vec<String>) {
    let submitted = timeout(PATIENCE, async {
        let mut client = FederationServiceClient::new(channel(to).await?);
        client.submit_heads(SubmitHeadsRequest { notes }).await.ok()
    });
    // Who is not there hears it from others.
    let _ = submitted.await;
}

/// Hands a text of misbehavior to a node.
pub(super) async fn report(to: &str, text: String) {
    let reported = timeout(PATIENCE, async {
        let mut client = FederationServiceClient::new(channel(to).await?);
        let file = text.into_bytes().into();
        let request = ReportMisbehaviorRequest { file };
        client.report_misbehavior(request).await.ok()
    });
    let _ = reported.await;
}

/// Does a round of gossip every now and then.
pub(super) async fn rounds(node: Arc<Node>) {
    if node.host.has(Mutant::KeepsToItself) {
        return;
    }
    let peers = [&LOGS[..], &WITNESS_HOSTS, &[LIAR]].concat();
    let peers: Vec<&str> = peers
        .into_iter()
        .filter(|peer| *peer != node.host.name)
        .collect();
    let mut sampler = Sampler::default();
    loop {
        node.host.pause(ROUND_MS).await;
        let random = [(); FAN_OUT].map(|()| node.host.word());
        for at in sampler.draw(peers.len(), random) {
            let (node, peer) = (node.clone(), peers[at]);
            tokio::spawn(async move { timeout(PATIENCE, meet(node, peer)).await });
        }
        let now_ms = node.host.now().elapsed_ms;
        let questions = lock(&node.pool).questions(now_ms);
        for question in questions {
            tokio::spawn(node.clone().ask(question));
        }
        lock(&node.pool).next_round();
    }
}

/// One exchange that this node opens. `None` if it did not come to its end.
async fn meet(node: Arc<Node>, peer: &str) -> Option<()> {
    let mut client = FederationServiceClient::new(channel(peer).await?)
        .max_decoding_message_size(TURN_BYTES)
        .max_encoding_message_size(TURN_BYTES);
    let (mut exchange, first) = node.open();
    let (say, queue) = mpsc::channel(1);
    say.send(request(first)).await.ok()?;
    let answers = client.exchange_heads(ReceiverStream::new(queue)).await;
    let mut answers = answers.ok()?.into_inner();
    while let Some(message) = answers.message().await.ok()? {
        let turn = read_turn(message.turn).ok()?;
        let Some(turn) = node.turn(&mut exchange, &turn).ok()? else {
            break;
        };
        say.send(request(turn)).await.ok()?;
    }
    node.host
        .chronicle()
        .event("met", &format!("{} {peer}", node.host.name));
    Some(())
}

fn request(turn: Turn) -> ExchangeHeadsRequest {
    ExchangeHeadsRequest {
        turn: Some(turn_message(turn)),
    }
}
