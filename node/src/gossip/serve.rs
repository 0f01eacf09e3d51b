//! The side of an exchange that a peer opens, and heads that clients submit.
//!
//! Anybody may call. An exchange costs a place among all that are served, a bounded time, and
//! bounded messages; the API charges the network address before that.

use super::state::{Gossip, Submitted};
use crate::api::status;
use crate::reason::with_causes;
use assay_proto::gossip::{check_submitted, read_turn, turn_message};
use assay_proto::v1::{ExchangeHeadsRequest, ExchangeHeadsResponse};
use assay_tlog::gossip::{Exchange, Turn};
use assay_tlog::head::VerifiedHead;
use futures::{Stream, StreamExt as _, stream};
use prost::Message;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, RwLock, Semaphore},
    time::{Instant, timeout_at},
};
use tonic::Status;

/// Exchanges that are served at once. An honest peer's is over in milliseconds.
const SERVED: usize = 32;

/// Longest time of an exchange, on either side.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// A gRPC message has a frame of so many bytes.
const FRAME: usize = 5;

/// Gossip as a service.
#[derive(Clone)]
pub struct Desk {
    gossip: Arc<Gossip>,
    places: Arc<Semaphore>,
}

/// An exchange that is served.
struct Served<I> {
    gossip: Arc<Gossip>,
    exchange: Exchange,
    come: I,
    until: Instant,
    _place: OwnedSemaphorePermit,
}

impl Desk {
    /// A service for what this knows.
    pub fn new(gossip: Arc<Gossip>) -> Self {
        Desk {
            gossip,
            places: Arc::new(Semaphore::new(SERVED)),
        }
    }

    /// What it knows.
    pub fn gossip(&self) -> &Arc<Gossip> {
        &self.gossip
    }

    /// What takes heads that logs signed and that were refused. It does not block.
    pub fn seen(&self) -> impl Fn(VerifiedHead) + Send + Sync + 'static {
        let gossip = self.gossip.clone();
        move |head| gossip.seen(head)
    }

    /// Serves an exchange. Fails if too many are served.
    pub fn exchange<I>(
        &self,
        come: I,
    ) -> Result<impl Stream<Item = Result<ExchangeHeadsResponse, Status>> + Send + 'static, Status>
    where
        I: Stream<Item = Result<ExchangeHeadsRequest, Status>> + Send + Unpin + 'static,
    {
        let place = self.places.clone().try_acquire_owned();
        let place = place.map_err(|_| {
            metrics::counter!("assay_refused_total", "limit" => "gossip").increment(1);
            status::busy("too many peers exchange heads here; try again".into(), 1)
        })?;
        let served = Served {
            gossip: self.gossip.clone(),
            exchange: Exchange::answer(),
            come,
            until: Instant::now() + PATIENCE,
            _place: place,
        };
        Ok(stream::try_unfold(served, Served::next))
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
    async fn next(mut self) -> Result<Option<(ExchangeHeadsResponse, Self)>, Status> {
        let Ok(come) = timeout_at(self.until, self.come.next()).await else {
            return Err(Status::deadline_exceeded("the exchange took too long"));
        };
        let Some(message) = come.transpose()? else {
            return Ok(None);
        };
        heard(&message);
        let turn = read_turn(message.turn);
        let turn = turn.map_err(|error| status::invalid("turn", with_causes(&error)))?;
        let Some((exchange, reply)) = take(&self.gossip, self.exchange, turn).await? else {
            return Err(Status::internal("the turn was not looked at"));
        };
        self.exchange = exchange;
        Ok(reply.map(|turn| {
            let turn = Some(turn_message(turn));
            let response = ExchangeHeadsResponse { turn };
            said(&response);
            (response, self)
        }))
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
