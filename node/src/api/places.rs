//! Who has a place when all are taken: networks share them alike, so that strangers with many
//! connections keep out nobody who has few, and nobody waits behind them.
//!
//! Whoever comes newly gets the place of the network that has the most, at once. Of its connections
//! one leaves that asks for nothing, or else its newest. A network that has as many as any other
//! gets the places of its own that ask for nothing, and no more.

use crate::held::Account;
use arc_swap::ArcSwap;
use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// How long a connection may be open without a call: handshakes and beginnings that never end.
const BEGINNING: Duration = Duration::from_secs(15);

/// How long a connection that asks for nothing keeps its place from its equals. A caller has its
/// next question in less.
const KEEPS: Duration = Duration::from_secs(1);

/// How long whoever waits for a place waits before he looks again: it is for time to pass, too.
const AGAIN: Duration = Duration::from_millis(100);

/// A network that has no more than one of so many places keeps connections that are busy.
const BUSY: usize = 64;

/// Connections that a caller has who needs few: a browser has six. Whoever has more comes later.
pub const FEW: usize = 8;

/// Connections that are leaving at once at most. They are open beside those that have a place.
pub const LEAVING: usize = 32;

/// All places.
#[derive(Debug)]
pub struct Places(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    number: usize,
    open: Mutex<Open>,
    /// A connection has gone.
    gone: Notify,
    start: Instant,
}

/// Connections that have a place, by when they came.
type Connections = BTreeMap<u64, Arc<Seated>>;

#[derive(Debug, Default)]
struct Open {
    networks: HashMap<IpAddr, Connections>,
    /// Those of addresses that stand for many callers. Each is like a network of its own.
    shared: Connections,
    taken: usize,
    /// Connections that have to leave and whose places others have.
    leaving: usize,
    /// The number of the next connection.
    next: u64,
}

/// The place of one connection, until it is dropped.
#[derive(Debug)]
pub struct Place {
    seated: Arc<Seated>,
    places: Arc<Shared>,
}

#[derive(Debug)]
struct Seated {
    number: u64,
    account: ArcSwap<Account>,
    /// When it came, and when it last called, in milliseconds since the start. 0 is never.
    came_ms: u64,
    called_ms: AtomicU64,
    leave: Notify,
}

/// What there is for who comes newly.
enum Taken {
    Place(Place),
    /// Its network has as many as any other, and uses them.
    Nothing,
    /// Time has to pass.
    Later,
}

impl Places {
    /// So many places.
    pub fn new(number: usize) -> Self {
        Places(Arc::new(Shared {
            number,
            open: Mutex::default(),
            gone: Notify::new(),
            start: Instant::now(),
        }))
    }

    /// Takes a place for a connection. If all are taken, another connection has to leave. Returns
    /// none if that would be one of a network that has fewer, or if too many are leaving and its
    /// network has [more than a few](FEW).
    ///
    /// This waits only where nobody has more than one connection, or too many are leaving: whoever
    /// comes next waits, too, so that nobody waits for one that strangers have many of.
    pub async fn take(&self, account: Arc<Account>) -> Option<Place> {
        loop {
            match self.try_take(&account, since(self.0.start)) {
                Taken::Place(place) => return Some(place),
                Taken::Nothing => return None,
                Taken::Later => {
                    let _ = tokio::time::timeout(AGAIN, self.0.gone.notified()).await;
                }
            }
        }
    }

    /// The same, `now` milliseconds after the start.
    fn try_take(&self, account: &Arc<Account>, now: u64) -> Taken {
        let mut open = self.0.lock();
        if open.taken < self.0.number {
            open.taken += 1;
        } else {
            let of = account.counted().and_then(|of| open.networks.get(&of));
            let has = of.map_or(0, Connections::len);
            if open.leaving >= LEAVING {
                return if has > FEW {
                    Taken::Nothing
                } else {
                    Taken::Later
                };
            }
            let larger = open.of_larger(has, self.0.number / BUSY);
            let leaves = larger.or_else(|| match of {
                Some(theirs) => longest_idle(theirs.values(), now),
                None => longest_idle(open.all(), now),
            });
            let Some(leaves) = leaves else {
                return if has > 0 {
                    Taken::Nothing
                } else {
                    Taken::Later
                };
            };
            open.remove(&leaves);
            open.leaving += 1;
            metrics::counter!("assay_idle_connections_closed_total").increment(1);
            leaves.leave.notify_one();
        }
        let seated = Arc::new(Seated {
            number: open.next,
            account: ArcSwap::new(account.clone()),
            came_ms: now,
            called_ms: AtomicU64::new(0),
            leave: Notify::new(),
        });
        open.next += 1;
        open.add(seated.clone());
        Taken::Place(Place {
            seated,
            places: self.0.clone(),
        })
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn all(&self) -> impl Iterator<Item = &Arc<Seated>> {
        self.networks
            .values()
            .flat_map(Connections::values)
            .chain(self.shared.values())
    }

    fn of(&mut self, account: &Account) -> &mut Connections {
        match account.counted() {
            Some(network) => self.networks.entry(network).or_default(),
            None => &mut self.shared,
        }
    }

    fn add(&mut self, seated: Arc<Seated>) {
        let account = seated.account.load_full();
        self.of(&account).insert(seated.number, seated);
    }

    /// Returns whether it was there.
    fn remove(&mut self, seated: &Seated) -> bool {
        let account = seated.account.load_full();
        let theirs = self.of(&account);
        let was_there = theirs.remove(&seated.number).is_some();
        if let (true, Some(network)) = (theirs.is_empty(), account.counted()) {
            self.networks.remove(&network);
        }
        was_there
    }

    /// Who leaves for a network that has `has` connections: one of a network that has more even
    /// then. Of those that have the most it is one that asks for nothing, however short; if none
    /// does, the newest of a network that has more than `keeps`.
    fn of_larger(&self, has: usize, keeps: usize) -> Option<Arc<Seated>> {
        let mut larger: Vec<&Connections> = self
            .networks
            .values()
            .filter(|theirs| theirs.len() > has + 1)
            .collect();
        larger.sort_unstable_by_key(|theirs| std::cmp::Reverse(theirs.len()));
        let idle = larger.iter().find_map(|theirs| {
            let idle = theirs.values().filter(|one| one.asks_for_nothing());
            idle.min_by_key(|one| one.since())
        });
        let newest = || {
            let theirs = larger.first().filter(|theirs| theirs.len() > keeps)?;
            theirs.values().next_back()
        };
        idle.or_else(newest).cloned()
    }
}

/// Of those that ask for nothing, and have not for some time, the one that came first of those that
/// never called, or else the one whose last call is longest ago.
fn longest_idle<'a>(
    connections: impl Iterator<Item = &'a Arc<Seated>>,
    now: u64,
) -> Option<Arc<Seated>> {
    connections
        .filter(|one| one.is_idle(now))
        .min_by_key(|one| one.since())
        .cloned()
}

impl Seated {
    /// When it last called, and when it came.
    fn since(&self) -> (u64, u64) {
        (self.called_ms.load(Ordering::Relaxed), self.came_ms)
    }

    fn asks_for_nothing(&self) -> bool {
        self.account.load().holds_nothing()
    }

    /// Whether it asks for nothing, and has not for some time.
    fn is_idle(&self, now: u64) -> bool {
        let (called, came) = self.since();
        now.saturating_sub(called.max(came)) >= KEEPS.as_millis() as u64 && self.asks_for_nothing()
    }
}

impl Place {
    /// Notes whose connection it is: a proxy passed it on.
    pub fn belongs_to(&self, account: Arc<Account>) {
        let mut open = self.places.lock();
        let has_a_place = open.remove(&self.seated);
        self.seated.account.store(account);
        if has_a_place {
            open.add(self.seated.clone());
        }
    }

    /// Notes that a call begins.
    pub fn calls(&self) {
        let now = since(self.places.start).max(1);
        self.seated.called_ms.store(now, Ordering::Relaxed);
    }

    /// Ends when the connection has to leave: another one needs the place, or it never called.
    pub async fn leaves(&self) {
        let never_called = async {
            tokio::time::sleep(BEGINNING).await;
            if self.seated.called_ms.load(Ordering::Relaxed) > 0 {
                std::future::pending().await
            }
        };
        tokio::select! {
            () = self.seated.leave.notified() => {}
            () = never_called => {}
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.places.lock();
        if open.remove(&self.seated) {
            open.taken -= 1;
        } else {
            open.leaving -= 1;
        }
        drop(open);
        self.places.gone.notify_one();
    }
}

fn since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::held::{Held, Hold, Kind, Limits};
    use futures::FutureExt;
    use std::net::Ipv4Addr;

    /// An address that stands for many callers.
    const SHARED: u8 = 1;

    /// When connections are idle that came or called at 0.
    const LATER: u64 = KEEPS.as_millis() as u64;

    fn address(last: u8) -> IpAddr {
        Ipv4Addr::new(192, 0, 2, last).into()
    }

    /// Places, and who has come.
    struct Door {
        places: Places,
        held: Arc<Held>,
    }

    impl Door {
        fn new(places: usize) -> Self {
            let held = Held::new(Limits {
                bytes: 64 << 20,
                connections: 1 << 16,
                stall: Duration::from_secs(60),
                shared: vec![address(SHARED)],
            });
            let places = Places::new(places);
            Door { places, held }
        }

        fn comes(&self, from: u8, now: u64) -> Taken {
            let account = self.held.connection(address(from));
            self.places.try_take(&account, now)
        }

        fn place(&self, from: u8, now: u64) -> Place {
            match self.comes(from, now) {
                Taken::Place(place) => place,
                Taken::Nothing => panic!("no place"),
                Taken::Later => panic!("no place yet"),
            }
        }

        fn places(&self, from: u8, number: usize) -> Vec<Place> {
            (0..number).map(|_| self.place(from, 0)).collect()
        }
    }

    /// Has a connection be in the midst of an answer.
    fn busy(place: &Place) -> Hold {
        let account = place.seated.account.load_full();
        account.try_hold(Kind::Long, 1).unwrap()
    }

    /// The numbers of those who were told to leave. They are told once.
    fn told<'a>(places: impl IntoIterator<Item = &'a Place>) -> Vec<u64> {
        let told = |place: &&Place| place.leaves().now_or_never().is_some();
        let told = places.into_iter().filter(told);
        told.map(|place| place.seated.number).collect()
    }

    #[tokio::test]
    async fn who_comes_newly_gets_a_place_of_the_network_that_has_the_most_at_once() {
        let door = Door::new(10);
        let (many, some) = (door.places(2, 6), door.places(3, 4));
        let _answer = busy(&many[0]);
        many[1].seated.called_ms.store(1, Ordering::Relaxed);
        let first = door.place(4, 0);
        assert_eq!(told(&many), [2], "the first that is not used");
        let second = door.place(SHARED, 0);
        assert_eq!(told(&many), [3]);
        assert_eq!(told(some.iter().chain([&first, &second])), [0; 0]);
    }

    #[tokio::test]
    async fn a_network_takes_no_place_of_one_that_has_fewer() {
        let door = Door::new(9);
        let (honest, alike) = (door.places(SHARED, 2), door.places(3, 3));
        let many = door.places(2, 4);
        for from in [2, 3] {
            assert!(matches!(door.comes(from, LATER - 1), Taken::Nothing));
        }
        // It may change its own, and those of others stay, though they came first.
        let one_more = door.place(2, LATER);
        assert_eq!(told(&many), [5]);
        assert_eq!(told(honest.iter().chain(&alike).chain([&one_more])), [0; 0]);
    }

    #[tokio::test]
    async fn a_network_that_has_very_many_keeps_not_even_those_that_are_busy() {
        let door = Door::new(2 * BUSY);
        let few = door.places(3, 2);
        let many = door.places(2, 2 * BUSY - 2);
        let _answers: Vec<Hold> = many.iter().chain(&few).map(busy).collect();
        let newcomer = door.place(4, 0);
        assert_eq!(told(&many), [2 * BUSY as u64 - 1], "the newest");
        assert_eq!(told(few.iter().chain([&newcomer])), [0; 0]);

        // Those with few keep them.
        let door = Door::new(2 * BUSY);
        let all: Vec<_> = (1..=BUSY as u8).flat_map(|n| door.places(n, 2)).collect();
        let _answers: Vec<Hold> = all.iter().map(busy).collect();
        assert!(matches!(door.comes(200, LATER), Taken::Later));
        assert_eq!(told(&all), [0; 0]);
    }

    #[tokio::test]
    async fn among_equals_a_place_is_kept_for_some_time() {
        let door = Door::new(2);
        let (first, second) = (door.place(2, 0), door.place(SHARED, 0));
        first.seated.called_ms.store(1, Ordering::Relaxed);
        assert!(matches!(door.comes(4, LATER - 1), Taken::Later));
        let _third = door.place(4, LATER);
        assert_eq!(told([&first, &second]), [1], "it never called");
        drop(first);
        let _fourth = door.place(5, LATER);
    }

    #[tokio::test]
    async fn few_are_leaving_at_once() {
        let door = Door::new(4 * LEAVING);
        let many = door.places(2, 4 * LEAVING);
        let from = (3..).take(LEAVING);
        let _others: Vec<Place> = from.map(|from| door.place(from, 0)).collect();
        assert!(matches!(door.comes(SHARED, LATER), Taken::Later));
        let few = many.len() - LEAVING;
        assert!(few > FEW);
        assert!(
            matches!(door.comes(2, LATER), Taken::Nothing),
            "it has many"
        );
        drop(many);
        let _place = door.place(SHARED, 0);
        assert_eq!(door.places.0.lock().leaving, 0);
    }

    #[tokio::test]
    async fn what_a_proxy_passes_on_is_counted_by_whose_it_is() {
        let door = Door::new(3);
        let passed_on = door.places(SHARED, 3);
        for place in &passed_on {
            place.belongs_to(door.held.connection(address(2)));
        }
        let _place = door.place(3, 0);
        assert_eq!(told(&passed_on), [0]);
        // Who has to leave has no place any more, whosever it is.
        passed_on[0].belongs_to(door.held.connection(address(4)));
        drop(passed_on);
        let open = door.places.0.lock();
        assert_eq!((open.taken, open.networks.len()), (1, 1));
    }
}
