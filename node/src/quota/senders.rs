//! What one network may send in the name of logs. Checkpoints that a log signed are public, so
//! that whoever sends them pays, and not the log.

use super::{Exceeded, Reports};
use crate::held::network;
use assay_tlog::tree::TreeSize;
use assay_tlog::witness::{LogState, SignedRequest};
use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};
use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Checkpoints a second from one network, and how many are verified and decided at once.
const CHECKPOINTS: u32 = 20;
const DECIDED: usize = 2;

/// Uploads of entries a second from one network, and how many of one log at once. A second of an
/// honest log's has 65,536 entries.
const UPLOADS: u32 = 8;
const UPLOADING: usize = 1;

/// What an upload is charged whose entries are not the log's, or that does not end: up to 20 MiB
/// were hashed for it.
const WRONG: u32 = 10;

/// Networks from which on those that do nothing are forgotten.
const PRUNE: usize = 512;

/// What networks send.
pub struct Senders {
    checkpoints: Reports,
    deciding: AtOnce<()>,
    uploads: Reports,
    uploading: AtOnce<String>,
    shared: Vec<IpAddr>,
}

impl Senders {
    /// Nothing was sent yet. `shared` are addresses that stand for many callers, and have no limit
    /// of their own.
    pub fn new(shared: &[IpAddr]) -> Arc<Self> {
        let checkpoints = "sends checkpoints";
        Arc::new(Senders {
            checkpoints: Reports::of("address_checkpoints", checkpoints, CHECKPOINTS, shared),
            deciding: AtOnce::new(DECIDED),
            uploads: Reports::of("address_entries", "uploads entries", UPLOADS, shared),
            uploading: AtOnce::new(UPLOADING),
            shared: shared.iter().map(IpAddr::to_canonical).collect(),
        })
    }

    /// Charges a checkpoint to the network that it comes from.
    pub fn checkpoint(&self, from: IpAddr) -> Result<(), Exceeded> {
        self.checkpoints.charge(from)
    }

    /// Waits for a place to have a checkpoint verified and decided.
    pub async fn deciding(&self, from: IpAddr) -> Place {
        let Some(from) = self.counted(from) else {
            return Place(None);
        };
        // Nobody closes the semaphore.
        let place = self.deciding.of((from, ())).acquire_owned().await;
        Place(place.ok())
    }

    /// Charges an upload to the network that it comes from, as one that is wrong.
    pub fn upload(&self, from: IpAddr) -> Result<(), Exceeded> {
        self.uploads.charge_many(from, WRONG)
    }

    /// An upload was not wrong: it costs less.
    pub fn was_right(&self, from: IpAddr) {
        self.uploads.give_back(from, WRONG - 1);
    }

    /// A place to upload entries of the log of this origin, if there is one.
    pub fn uploading(&self, from: IpAddr, origin: &str) -> Option<Place> {
        let Some(from) = self.counted(from) else {
            return Some(Place(None));
        };
        let places = self.uploading.of((from, origin.to_owned()));
        places.try_acquire_owned().ok().map(|it| Place(Some(it)))
    }

    fn counted(&self, from: IpAddr) -> Option<IpAddr> {
        let from = from.to_canonical();
        (!self.shared.contains(&from)).then(|| network(from))
    }
}

/// A place. Dropping it gives it back.
#[derive(Debug)]
pub struct Place(#[expect(dead_code, reason = "held")] Option<OwnedSemaphorePermit>);

/// So many at once, for each network and what it is about.
struct AtOnce<W> {
    most: usize,
    open: Mutex<Open<W>>,
}

struct Open<W> {
    places: HashMap<(IpAddr, W), Weak<Semaphore>>,
    prune_at: usize,
}

impl<W: Hash + Eq> AtOnce<W> {
    fn new(most: usize) -> Self {
        let open = Open {
            places: HashMap::new(),
            prune_at: PRUNE,
        };
        AtOnce {
            most,
            open: Mutex::new(open),
        }
    }

    /// The places of a key. Who has none of them any more is forgotten.
    fn of(&self, key: (IpAddr, W)) -> Arc<Semaphore> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = open.places.get(&key).and_then(Weak::upgrade) {
            return places;
        }
        if open.places.len() >= open.prune_at {
            open.places.retain(|_, places| places.strong_count() > 0);
            open.prune_at = 2 * open.places.len().max(PRUNE);
        }
        let places = Arc::new(Semaphore::new(self.most));
        open.places.insert(key, Arc::downgrade(&places));
        places
    }
}

/// How often a log has a larger head cosigned. Nothing else is charged to it: everybody has the
/// heads that it published, and who sends one again must not use up what it needs for the next.
pub struct Growth {
    rate: Option<DefaultDirectRateLimiter>,
    /// The largest size that was charged.
    largest: Mutex<TreeSize>,
}

impl Growth {
    /// So many an hour, of which 0 is no limit, and so many at once.
    pub fn new(hourly: u32, burst: u32) -> Self {
        let rate = NonZeroU32::new(hourly).map(|hourly| {
            let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
            RateLimiter::direct(Quota::per_hour(hourly).allow_burst(burst))
        });
        Growth {
            rate,
            largest: Mutex::default(),
        }
    }

    /// Charges a request, if its head is proven to extend the one that is held, and is larger than
    /// any that was charged before. So a stranger can only have charged what the log signed last,
    /// and then nobody else is charged for that. Fails with the seconds after which there is room,
    /// at least 1.
    pub fn charge(&self, request: &SignedRequest, held: &LogState) -> Result<(), u32> {
        let size = request.head().size();
        let Some(rate) = &self.rate else {
            return Ok(());
        };
        if size <= held.size() || request.refusal(held).is_some() {
            return Ok(());
        }
        let mut largest = self.largest.lock().unwrap_or_else(PoisonError::into_inner);
        if size <= *largest {
            return Ok(());
        }
        rate.check().map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            u32::try_from(wait.as_secs() + 1).unwrap_or(u32::MAX)
        })?;
        *largest = size;
        Ok(())
    }
}
