//! A peer by hand, which lies as it is told to, and a hand that opens exchanges.

use super::world::ORIGIN;
use anyhow::Context;
use assay_proto::v1::{
    EvidenceId, ExchangeHeadsRequest, ExchangeHeadsResponse, HeadsTurn, ListMisbehaviorRequest,
    ListMisbehaviorResponse, ReportMisbehaviorRequest, ReportMisbehaviorResponse,
    SubmitHeadsRequest, SubmitHeadsResponse,
    federation_service_client::FederationServiceClient,
    federation_service_server::{FederationService, FederationServiceServer},
};
use assay_tlog::gossip::CulpritId;
use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{net::TcpListener, sync::mpsc};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{
    Request, Response, Status, Streaming,
    transport::{Endpoint, Server},
};

/// How it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// It offers more and more, and goes on when nobody listens.
    Endless,
    /// It sends a message that is larger than any turn.
    Oversized,
    /// It sends notes that nobody asked for.
    Unasked,
    /// It sends half a salt.
    Malformed,
    /// It never answers.
    Silent,
}

/// What it counts.
#[derive(Debug, Default)]
pub struct Count {
    /// Exchanges that were opened with it.
    pub exchanges: AtomicUsize,
    /// Turns that it heard.
    pub turns: AtomicUsize,
}

struct Liar {
    lie: Lie,
    count: Arc<Count>,
}

type Turns = Pin<Box<dyn Stream<Item = Result<ExchangeHeadsResponse, Status>> + Send>>;

/// A turn that offers a proof against the log which everybody knows. Nobody has it.
pub fn offer(number: u8) -> HeadsTurn {
    HeadsTurn {
        evidence_ids: vec![EvidenceId {
            culprit: CulpritId::of_log(ORIGIN).0,
            id: Bytes::from(vec![number; 32]),
        }],
        ..HeadsTurn::default()
    }
}

impl Lie {
    fn turn(self, number: usize) -> HeadsTurn {
        let one = vec![number as u64];
        match self {
            Lie::Endless => offer(number as u8),
            Lie::Oversized => HeadsTurn {
                notes: vec!["x".repeat(1 << 20)],
                ..HeadsTurn::default()
            },
            Lie::Unasked => HeadsTurn {
                logs: one.clone(),
                heads: one,
                notes: vec!["a head\n".into()],
                ..HeadsTurn::default()
            },
            Lie::Malformed | Lie::Silent => HeadsTurn {
                salt: Bytes::from_static(b"salt"),
                ..HeadsTurn::default()
            },
        }
    }
}

#[tonic::async_trait]
impl FederationService for Liar {
    type ListMisbehaviorStream =
        Pin<Box<dyn Stream<Item = Result<ListMisbehaviorResponse, Status>> + Send>>;
    type ExchangeHeadsStream = Turns;

    async fn report_misbehavior(
        &self,
        _: Request<ReportMisbehaviorRequest>,
    ) -> Result<Response<ReportMisbehaviorResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn list_misbehavior(
        &self,
        _: Request<ListMisbehaviorRequest>,
    ) -> Result<Response<Self::ListMisbehaviorStream>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn exchange_heads(
        &self,
        request: Request<Streaming<ExchangeHeadsRequest>>,
    ) -> Result<Response<Turns>, Status> {
        let (lie, count) = (self.lie, self.count.clone());
        count.exchanges.fetch_add(1, Ordering::SeqCst);
        let heard = request.into_inner().enumerate();
        let turns = heard.filter_map(move |(number, heard)| {
            let count = count.clone();
            async move {
                heard.ok()?;
                count.turns.fetch_add(1, Ordering::SeqCst);
                if lie == Lie::Silent {
                    return None;
                }
                let turn = Some(lie.turn(number));
                Some(Ok(ExchangeHeadsResponse { turn }))
            }
        });
        let more = stream::repeat_with(move || {
            let turn = Some(lie.turn(0));
            Ok(ExchangeHeadsResponse { turn })
        });
        if lie == Lie::Endless {
            return Ok(Response::new(Box::pin(turns.chain(more))));
        }
        Ok(Response::new(Box::pin(turns)))
    }

    async fn submit_heads(
        &self,
        _: Request<SubmitHeadsRequest>,
    ) -> Result<Response<SubmitHeadsResponse>, Status> {
        Err(Status::unimplemented(""))
    }
}

/// Starts a peer that lies, on the runtime of the test. Returns where it is, and its counts.
pub async fn liar(lie: Lie) -> anyhow::Result<(String, Arc<Count>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let count = Arc::new(Count::default());
    let service = FederationServiceServer::new(Liar {
        lie,
        count: count.clone(),
    })
    .max_encoding_message_size(4 << 20);
    let server = Server::builder().add_service(service);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    Ok((url, count))
}

/// Opens an exchange with a node and says these turns, each after the node's answer. Returns how
/// many answers came, and how it ended.
pub async fn say(url: &str, turns: Vec<HeadsTurn>) -> anyhow::Result<(usize, Result<(), Status>)> {
    let mut service = FederationServiceClient::connect(url.to_owned())
        .await?
        .max_encoding_message_size(4 << 20);
    let (say, queue) = mpsc::channel(1);
    let mut turns = turns
        .into_iter()
        .map(|turn| ExchangeHeadsRequest { turn: Some(turn) });
    say.send(turns.next().context("no turn")?).await?;
    let answers = service.exchange_heads(ReceiverStream::new(queue)).await;
    let mut answers = match answers {
        Ok(answers) => answers.into_inner(),
        Err(status) => return Ok((0, Err(status))),
    };
    let mut heard = 0;
    loop {
        match answers.message().await {
            Ok(Some(_)) => heard += 1,
            Ok(None) => return Ok((heard, Ok(()))),
            Err(status) => return Ok((heard, Err(status))),
        }
        match turns.next() {
            Some(turn) => _ = say.send(turn).await,
            None => return Ok((heard, Ok(()))),
        }
    }
}

/// An exchange that was opened and in which nothing is said.
pub struct Silent {
    answers: Streaming<ExchangeHeadsResponse>,
    _say: mpsc::Sender<ExchangeHeadsRequest>,
}

impl Silent {
    /// How it ends.
    pub async fn end(mut self) -> Result<(), Status> {
        self.answers.message().await.map(|_| ())
    }
}

/// Opens an exchange from this address of the machine, and says nothing.
pub async fn silent(url: &str, from: &str) -> anyhow::Result<Result<Silent, Status>> {
    let endpoint = Endpoint::from_shared(url.to_owned())?;
    let endpoint = endpoint.local_address(Some(from.parse()?));
    let mut service = FederationServiceClient::new(endpoint.connect().await?);
    let (say, queue) = mpsc::channel(1);
    let answers = service.exchange_heads(ReceiverStream::new(queue)).await;
    Ok(answers.map(|answers| Silent {
        answers: answers.into_inner(),
        _say: say,
    }))
}
