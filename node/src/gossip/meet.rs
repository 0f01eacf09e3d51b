//! The side of an exchange that this node opens.

use super::known::Place;
use super::serve::{self, PATIENCE, Refused, heard, said};
use super::state::Gossip;
use assay_proto::gossip::{TURN_BYTES, TurnMessageFault, read_turn, turn_message};
use assay_proto::v1::{ExchangeHeadsRequest, federation_service_client::FederationServiceClient};
use assay_tlog::gossip::Turn;
use std::{collections::BTreeMap, error::Error as _, sync::Arc, time::Duration};
use tokio::{
    sync::mpsc,
    task::{Id, JoinSet},
    time::timeout,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Code, Status,
    codegen::http::Uri,
    transport::{Channel, ClientTlsConfig, Endpoint},
};

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// Windows of HTTP/2, in bytes: the largest message and a little.
const WINDOW: u32 = 1 << 20;

/// How often a connection that is silent is looked at, and how long the answer may take.
const KEEP_ALIVE: Duration = Duration::from_secs(60);
const KEEP_ALIVE_ANSWER: Duration = Duration::from_secs(20);

/// Why heads were not exchanged with a peer.
#[derive(Debug, thiserror::Error)]
pub(super) enum MeetError {
    /// Nobody can be there.
    #[error("its address cannot be used")]
    Address(#[source] tonic::transport::Error),
    /// It does not answer, or refuses.
    #[error("{}", .0.message())]
    Status(Status),
    /// It does not end.
    #[error("it did not end within {PATIENCE:?}")]
    Late,
    /// It goes on when all is said.
    #[error("it goes on after the last turn")]
    Endless,
    /// It sent what is no turn.
    #[error("it sent what is no turn")]
    Message(#[from] TurnMessageFault),
    /// It sent what no honest peer sends.
    #[error("it sent what no honest peer sends")]
    Refused(#[from] Refused),
    /// This node cannot look at what it sent.
    #[error("what it sent could not be looked at")]
    Own,
}

impl MeetError {
    /// What is at fault, for metrics.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            MeetError::Address(_) => "unreachable",
            MeetError::Status(status) => kind_of(status),
            MeetError::Late => "late",
            MeetError::Endless | MeetError::Message(_) | MeetError::Refused(_) => "lies",
            MeetError::Own => "own",
        }
    }
}

/// What tonic says of a message that came and that it cannot read, at the beginning. It has no
/// other sign of that: a peer can send the same codes, of what is wrong with itself.
const NO_MESSAGE: [&str; 3] = [
    "Error, decoded message length too large",
    "failed to decode Protobuf message",
    "protocol error: received message with ",
];

/// What is at fault, for metrics, if an exchange ended with this status.
fn kind_of(status: &Status) -> &'static str {
    // The connection failed, whichever code tonic has for how it did.
    if status.source().is_some() {
        return "unreachable";
    }
    match status.code() {
        Code::Unavailable | Code::Unknown | Code::Cancelled => "unreachable",
        Code::OutOfRange | Code::Internal
            if NO_MESSAGE.iter().any(|it| status.message().starts_with(it)) =>
        {
            "lies"
        }
        _ => "refuses",
    }
}

/// The exchanges that this node opened and that have not ended, a task each.
#[derive(Default)]
pub(super) struct Meetings {
    tasks: JoinSet<Result<(), MeetError>>,
    peers: BTreeMap<Id, Place>,
}

impl Meetings {
    /// Whether an exchange with this peer goes on.
    pub(super) fn is_met(&self, peer: &Place) -> bool {
        self.peers.values().any(|met| met.name == peer.name)
    }

    /// Lets an exchange go on by itself. Must be called on a tokio runtime.
    pub(super) fn begin(
        &mut self,
        peer: Place,
        exchange: impl Future<Output = Result<(), MeetError>> + Send + 'static,
    ) {
        let task = self.tasks.spawn(exchange);
        self.peers.insert(task.id(), peer);
    }

    /// Waits until an exchange has ended, also by a fault of this program. Returns with whom it
    /// was, and how it ended. `None` if there is none.
    pub(super) async fn next(&mut self) -> Option<(Place, Result<(), MeetError>)> {
        let (id, met) = match self.tasks.join_next_with_id().await? {
            Ok((id, met)) => (id, met),
            Err(error) => (error.id(), Err(MeetError::Own)),
        };
        Some((self.peers.remove(&id)?, met))
    }

    /// Ends all.
    pub(super) async fn shutdown(&mut self) {
        self.tasks.shutdown().await;
        self.peers.clear();
    }
}

/// A connection to a peer, and the address that calls stand below: a peer may have a path.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    channel: Channel,
    below: Uri,
}

/// A connection to the peer at this address, made when it is first used.
pub(super) fn peer(url: &str) -> Result<Peer, MeetError> {
    let endpoint =
        Endpoint::from_shared(url.trim_end_matches('/').to_owned()).map_err(MeetError::Address)?;
    let below = endpoint.uri().clone();
    let mut endpoint = endpoint
        .connect_timeout(CONNECT)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE_ANSWER);
    if url.starts_with("https://") {
        let tls = ClientTlsConfig::new().with_native_roots();
        endpoint = endpoint.tls_config(tls).map_err(MeetError::Address)?;
    }
    let channel = endpoint.connect_lazy();
    Ok(Peer { channel, below })
}

/// Exchanges heads with a peer.
pub(super) async fn meet(gossip: Arc<Gossip>, peer: Peer) -> Result<(), MeetError> {
    let met = timeout(PATIENCE, exchange(&gossip, peer)).await;
    met.unwrap_or(Err(MeetError::Late))
}

async fn exchange(gossip: &Arc<Gossip>, peer: Peer) -> Result<(), MeetError> {
    let mut peer = FederationServiceClient::with_origin(peer.channel, peer.below)
        .max_decoding_message_size(TURN_BYTES)
        .max_encoding_message_size(TURN_BYTES);
    let (mut exchange, first) = gossip.open();
    // One turn at a time: there is always room.
    let (say, queue) = mpsc::channel(1);
    let _ = say.send(request(first)).await;
    let answers = peer.exchange_heads(ReceiverStream::new(queue)).await;
    let mut answers = answers.map_err(MeetError::Status)?.into_inner();
    while let Some(message) = answers.message().await.map_err(MeetError::Status)? {
        heard(&message);
        let turn = read_turn(message.turn)?;
        let taken = serve::take(gossip, exchange, turn).await?;
        let reply;
        (exchange, reply) = taken.ok_or(MeetError::Own)?;
        let Some(turn) = reply else { break };
        if say.send(request(turn)).await.is_err() {
            break;
        }
    }
    drop(say);
    // An honest peer hears that this is all, and ends it.
    match answers.message().await.map_err(MeetError::Status)? {
        None => Ok(()),
        Some(_) => Err(MeetError::Endless),
    }
}

fn request(turn: Turn) -> ExchangeHeadsRequest {
    let turn = Some(turn_message(turn));
    let request = ExchangeHeadsRequest { turn };
    said(&request);
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    /// Else it would not be met again before the next start.
    #[tokio::test]
    async fn a_peer_is_met_again_after_a_fault_of_the_program() {
        let mut meetings = Meetings::default();
        let peer = Place {
            name: "a.example".into(),
            url: "http://a.example".into(),
        };
        meetings.begin(peer.clone(), async { panic!("a fault") });
        assert!(meetings.is_met(&peer));
        let (met, ended) = meetings.next().await.unwrap();
        assert_eq!(met, peer);
        assert!(matches!(ended, Err(MeetError::Own)));
        assert!(!meetings.is_met(&peer));
        assert!(meetings.next().await.is_none());
    }

    #[test]
    fn only_what_was_found_here_is_called_a_lie() {
        let lost = |code| {
            let mut status = Status::new(code, "h2 protocol error: http2 error");
            status.set_source(Arc::new(std::io::Error::other("reset")));
            status
        };
        let table = [
            (lost(Code::Internal), "unreachable"),
            (lost(Code::OutOfRange), "unreachable"),
            (lost(Code::Unknown), "unreachable"),
            (Status::unavailable("503"), "unreachable"),
            (Status::cancelled("it leaves"), "unreachable"),
            (Status::internal("the exchange failed"), "refuses"),
            (Status::out_of_range("not now"), "refuses"),
            (Status::resource_exhausted("too many"), "refuses"),
            (Status::unimplemented("no gRPC"), "refuses"),
            (
                Status::out_of_range(
                    "Error, decoded message length too large: found 9 bytes, the limit is: 8 bytes",
                ),
                "lies",
            ),
            (
                Status::internal("failed to decode Protobuf message: invalid tag value: 0"),
                "lies",
            ),
        ];
        for (status, kind) in table {
            assert_eq!(kind_of(&status), kind, "{status:?}");
        }
    }

    /// How an exchange begins with a peer that answers with these bytes, whatever it is asked.
    async fn begun(answer: &'static [u8]) -> Status {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.write_all(answer).await;
                let _ = stream.read(&mut [0; 1024]).await;
            }
        });
        let peer = peer(&url).unwrap();
        let mut client = FederationServiceClient::with_origin(peer.channel, peer.below);
        let nothing = tokio_stream::empty::<ExchangeHeadsRequest>();
        client.exchange_heads(nothing).await.err().unwrap()
    }

    #[tokio::test]
    async fn who_speaks_no_http2_is_not_said_to_lie() {
        for answer in [
            &b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n"[..],
            b"",
        ] {
            let status = begun(answer).await;
            assert_eq!(kind_of(&status), "unreachable", "{status:?}");
        }
    }
}
