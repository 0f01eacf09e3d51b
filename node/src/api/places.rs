//! Who leaves when all places are taken: a connection that asks for nothing, so that connections
//! cannot keep out callers.

use crate::held::Account;
use arc_swap::ArcSwap;
use std::{
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// How long a connection may be open without a call: handshakes and beginnings that never end.
const BEGINNING: Duration = Duration::from_secs(15);

/// How long a connection that asks for nothing keeps its place while somebody waits for one. A
/// caller has its next question in less.
const KEEPS: Duration = Duration::from_secs(1);

/// How long whoever waits for a place waits before further ones are asked to leave.
const AGAIN: Duration = Duration::from_millis(100);

/// How many are asked to leave at once: one of so many places. Behind whoever waits there are
/// others, and each would wait for all that are in front.
const LEAVING: usize = 64;

/// All places.
#[derive(Debug)]
pub struct Places {
    number: usize,
    free: Arc<Semaphore>,
    open: Mutex<Open>,
    start: Instant,
}

#[derive(Debug, Default)]
struct Open {
    places: Vec<Weak<Place>>,
    /// The number at which those that are closed are removed.
    prune_at: usize,
}

/// The place of one connection.
#[derive(Debug)]
pub struct Place {
    account: ArcSwap<Account>,
    start: Instant,
    /// When it came, and when it last called, in milliseconds since the start. 0 is never.
    came_ms: u64,
    called_ms: AtomicU64,
    leave: Notify,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    /// So many places.
    pub fn new(number: usize) -> Self {
        Places {
            number,
            free: Arc::new(Semaphore::new(number.min(Semaphore::MAX_PERMITS))),
            open: Mutex::default(),
            start: Instant::now(),
        }
    }

    /// Takes a place for a connection. If there is none, one that asks for nothing has to leave.
    pub async fn take(&self, account: Arc<Account>) -> Arc<Place> {
        let permit = loop {
            if let Ok(permit) = self.free.clone().try_acquire_owned() {
                break permit;
            }
            self.make_room();
            let taking = self.free.clone().acquire_owned();
            match tokio::time::timeout(AGAIN, taking).await {
                Ok(Ok(permit)) => break permit,
                // Nobody closes the semaphore.
                Ok(Err(_)) => std::future::pending().await,
                Err(_) => {}
            }
        };
        let place = Arc::new(Place {
            account: ArcSwap::new(account),
            start: self.start,
            came_ms: since(self.start),
            called_ms: AtomicU64::new(0),
            leave: Notify::new(),
            _permit: permit,
        });
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.places.len() >= open.prune_at {
            open.places.retain(|place| place.strong_count() > 0);
            open.prune_at = 2 * open.places.len().max(64);
        }
        open.places.push(Arc::downgrade(&place));
        place
    }

    /// Has some leave that ask for nothing: of those that never called the ones that came first,
    /// and then those whose last call is longest ago.
    fn make_room(&self) {
        let now = since(self.start);
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let places = open.places.iter().filter_map(Weak::upgrade);
        let mut idle: Vec<_> = places
            .filter(|place| place.is_idle(now))
            .map(|place| {
                let called = place.called_ms.load(Ordering::Relaxed);
                ((called, place.came_ms), place)
            })
            .collect();
        drop(open);
        idle.sort_unstable_by_key(|(when, _)| *when);
        let leaving = (self.number / LEAVING).max(1);
        for (_, place) in idle.iter().take(leaving) {
            metrics::counter!("assay_idle_connections_closed_total").increment(1);
            place.leave.notify_one();
        }
    }
}

impl Place {
    /// Notes whose connection it is: a proxy passed it on.
    pub fn belongs_to(&self, account: Arc<Account>) {
        self.account.store(account);
    }

    /// Notes that a call begins.
    pub fn calls(&self) {
        let now = since(self.start).max(1);
        self.called_ms.store(now, Ordering::Relaxed);
    }

    /// Whether it asks for nothing, and has not for some time.
    fn is_idle(&self, now: u64) -> bool {
        let last = self.called_ms.load(Ordering::Relaxed).max(self.came_ms);
        now.saturating_sub(last) >= KEEPS.as_millis() as u64 && self.account.load().holds_nothing()
    }

    /// Ends when the connection has to leave: another one needs the place, or it never called.
    pub async fn leaves(&self) {
        let never_called = async {
            tokio::time::sleep(BEGINNING).await;
            if self.called_ms.load(Ordering::Relaxed) > 0 {
                std::future::pending().await
            }
        };
        tokio::select! {
            () = self.leave.notified() => {}
            () = never_called => {}
        }
    }
}

fn since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}
