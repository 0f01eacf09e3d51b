//! The side of an exchange that a peer opens, and heads that clients submit.
//!
//! Anybody may call. An exchange costs a place among all that are served and among those of its
//! network, a bounded time, and bounded messages; the API charges the network address before that.
//! Each is a task of its own: its time ends, and its place is free, also if nobody reads the
//! answers. A turn is answered when the answer before it was read, so that none waits in memory.

use super::seats::{Seat, Seats};
use super::state::{Gossip, Submitted};
use crate::api::status;
use crate::reason::with_causes;
use assay_proto::gossip::{check_submitted, read_turn, turn_message};
use assay_proto::v1::{ExchangeHeadsRequest, ExchangeHeadsResponse};
use assay_tlog::gossip::{Exchange, Turn};
use assay_tlog::head::VerifiedHead;
use futures::{Stream, StreamExt as _, stream};
use prost::Message;
use std::{net::IpAddr, sync::Arc, time::Duration};
use tokio::{
    sync::{RwLock, mpsc},
    task::JoinHandle,
    time::{Instant, timeout_at},
};
use tonic::Status;

/// Longest time of an exchange, on either side.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// How long the first turn may take to come. An honest peer sends it with the call.
const FIRST: Duration = Duration::from_secs(2);

/// A gRPC message has a frame of so many bytes.
const FRAME: usize = 5;

/// Gossip as a service.
#[derive(Clone)]
pub struct Desk {
    gossip: Arc<Gossip>,
    seats: Arc<Seats>,
}

/// An exchange that is served.
struct Served<I> {
    gossip: Arc<Gossip>,
    exchange: Exchange,
    come: I,
    /// Something comes when an answer is read.
    wanted: mpsc::Receiver<()>,
    say: mpsc::Sender<ExchangeHeadsResponse>,
    _seat: Seat,
}

/// The answers of an exchange, as they are read.
struct Answers {
    wanted: mpsc::Sender<()>,
    said: mpsc::Receiver<ExchangeHeadsResponse>,
    ended: JoinHandle<Result<(), Status>>,
}

impl Desk {
    /// A service for what this knows.
    pub fn new(gossip: Arc<Gossip>) -> Self {
        Desk {
            gossip,
            seats: Arc::default(),
        }
    }

    /// What it knows.
    pub fn gossip(&self) -> &Arc<Gossip> {
        &self.gossip
    }

    /// What takes heads that logs signed and that were refused. It does not block, and keeps no
    /// gossip: whoever tells of such heads has stores that gossip has, too, and none of them would
    /// ever be closed.
    pub fn seen(&self) -> impl Fn(VerifiedHead) + Send + Sync + 'static {
        let gossip = Arc::downgrade(&self.gossip);
        move |head| {
            if let Some(gossip) = gossip.upgrade() {
                gossip.seen(head);
            }
        }
    }

    /// Serves an exchange with somebody at this address; without one, with somebody of a network
    /// that stands for many. Fails if too many are served. Must be called on a tokio runtime.
    pub fn exchange<I>(
        &self,
        from: Option<IpAddr>,
        come: I,
    ) -> Result<impl Stream<Item = Result<ExchangeHeadsResponse, Status>> + Send + 'static, Status>
    where
        I: Stream<Item = Result<ExchangeHeadsRequest, Status>> + Send + Unpin + 'static,
    {
        let seat = self.seats.take(from).map_err(|refused| {
            metrics::counter!("assay_refused_total", "limit" => "gossip").increment(1);
            status::busy(refused.to_string(), 1)
        })?;
        let (wanted, asked) = mpsc::channel(1);
        let (say, said) = mpsc::channel(1);
        let served = Served {
            gossip: self.gossip.clone(),
            exchange: Exchange::answer(),
            come,
            wanted: asked,
            say,
            _seat: seat,
        };
        let answers = Answers {
            wanted,
            said,
            ended: tokio::spawn(served.serve()),
        };
        Ok(stream::try_unfold(answers, Answers::next))
    }

    /// Takes heads that a client submits. Fails if they are too many.
    pub async fn submit(&self, notes: Vec<String>) -> Result<Submitted, Status> {
        check_submitted(&notes).map_err(|error| status::invalid("notes", error.to_string()))?;
        let gossip = self.gossip.clone();
        let submitted = blocking(&self.gossip.busy, move || gossip.submit(&notes)).await;
        submitted.ok_or_else(|| Status::internal("the heads were not looked at"))
    }
}

impl<I> Served<I>
where
    I: Stream<Item = Result<ExchangeHeadsRequest, Status>> + Unpin,
{
    /// Takes turns until nothing more is to be said, or nobody reads it.
    async fn serve(mut self) -> Result<(), Status> {
        let began = Instant::now();
        let mut by = began + FIRST;
        while let Some(response) = self.next(by).await? {
            // It was asked for, so that there is room; or nobody is there any more.
            if self.say.send(response).await.is_err() {
                break;
            }
            by = began + PATIENCE;
        }
        Ok(())
    }

    /// Takes the next turn, which has to come by then, and returns the answer. `None` if there is
    /// nothing more to say, or nobody to say it to.
    async fn next(&mut self, by: Instant) -> Result<Option<ExchangeHeadsResponse>, Status> {
        let late = |_| Status::deadline_exceeded("the exchange took too long");
        if timeout_at(by, self.wanted.recv())
            .await
            .map_err(late)?
            .is_none()
        {
            return Ok(None);
        }
        let come = tokio::select! {
            () = self.say.closed() => return Ok(None),
            come = timeout_at(by, self.come.next()) => come.map_err(late)?,
        };
        let Some(message) = come.transpose()? else {
            return Ok(None);
        };
        heard(&message);
        let turn = read_turn(message.turn);
        let turn = turn.map_err(|error| status::invalid("turn", with_causes(&error)))?;
        let exchange = std::mem::replace(&mut self.exchange, Exchange::answer());
        let Some((exchange, reply)) = take(&self.gossip, exchange, turn).await? else {
            return Err(Status::internal("the turn was not looked at"));
        };
        self.exchange = exchange;
        Ok(reply.map(|turn| {
            let turn = Some(turn_message(turn));
            let response = ExchangeHeadsResponse { turn };
            said(&response);
            response
        }))
    }
}

impl Answers {
    async fn next(mut self) -> Result<Option<(ExchangeHeadsResponse, Self)>, Status> {
        // Whoever has ended does not hear it, and has said why.
        let _ = self.wanted.send(()).await;
        match self.said.recv().await {
            Some(response) => Ok(Some((response, self))),
            None => match self.ended.await {
                Ok(ended) => ended.map(|()| None),
                Err(_) => Err(Status::internal("the exchange failed")),
            },
        }
    }
}

impl From<Refused> for Status {
    fn from(refused: Refused) -> Self {
        status::invalid("turn", with_causes(&refused.0))
    }
}

/// What a peer sent that no honest one sends.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct Refused(#[from] assay_tlog::gossip::ExchangeFault);

/// Takes a turn on a thread that may wait. `None` if that thread failed.
pub(super) async fn take(
    gossip: &Arc<Gossip>,
    exchange: Exchange,
    turn: Turn,
) -> Result<Option<(Exchange, Option<Turn>)>, Refused> {
    let own = gossip.clone();
    let taken = blocking(&gossip.busy, move || own.turn(exchange, &turn)).await;
    Ok(taken.transpose()?)
}

/// Does something that may wait, on a thread for that. `None` if it failed.
pub(super) async fn blocking<T: Send + 'static>(
    busy: &Arc<RwLock<()>>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let busy = busy.clone().read_owned().await;
    let done = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(busy);
        done
    });
    done.await.ok()
}

/// Counts a message that came.
pub(super) fn heard(message: &impl Message) {
    count(message, "in");
}

/// Counts a message that is sent.
pub(super) fn said(message: &impl Message) {
    count(message, "out");
}

fn count(message: &impl Message, direction: &'static str) {
    let bytes = (message.encoded_len() + FRAME) as u64;
    metrics::counter!("assay_gossip_bytes_total", "direction" => direction).increment(bytes);
}
