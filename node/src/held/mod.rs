//! Bytes in memory for callers who have not read them, or not finished sending them.
//!
//! Everything large is counted *before* memory is taken for it: by connection, by network (an IPv4
//! address, or an IPv6 /64) and in all. Whoever would hold more waits until something is free. A
//! connection that does not take what is ready for it is closed, which frees everything at once.
//!
//! [`Kind`]s are counted apart, so that waiting for one never waits for another: what is prepared
//! is freed by what is sent, and what is sent by the caller alone. So nobody waits in a circle.
//!
//! Not counted in bytes: what every call and connection costs by itself, whose numbers are bounded,
//! and answers of a few KiB that no caller can make longer (a proof, a checkpoint).

mod calls;
mod hold;
mod kind;
mod level;
mod wanted;

pub use hold::Hold;
pub use kind::Kind;
pub use wanted::Wanted;

use kind::{BYTE_KINDS, KINDS};
use level::{Level, PATIENCE, Whose};
use std::{
    collections::{BTreeMap, HashMap},
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

/// What one network may hold of all bytes, and one connection: a quarter and an eighth.
const NETWORK_SHARE: u32 = 4;
const CONNECTION_SHARE: u32 = 8;

/// What one network may have of all connections: a sixteenth.
const NETWORK_CONNECTIONS: usize = 16;

/// Longest wait for room before a call is refused. A call must begin to answer in 15 s.
const WAIT: Duration = Duration::from_secs(10);

/// How long a piece of an answer may lie unread under pressure.
const PRESSED: Duration = Duration::from_secs(5);

/// There was no room in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this node holds as much as it may, for you or for everybody: read the answers that you have \
     asked for, or try again in a few seconds"
)]
pub struct NoRoom;

/// Returns the network that an address is counted under: an IPv4 address by itself, also if it is
/// mapped into IPv6, and else the IPv6 /64, which is what one subscriber has.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let prefix = u128::from(v6) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(prefix))
        }
        v4 => v4,
    }
}

/// How much may be held.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of all kinds together, in all.
    pub bytes: u64,
    /// Connections, in all.
    pub connections: usize,
    /// How long a piece of an answer may lie unread.
    pub stall: Duration,
    /// Addresses that stand for many callers. They have no room of their own as a network.
    pub shared: Vec<IpAddr>,
}

/// What the whole node holds.
#[derive(Debug)]
pub struct Held {
    limits: Limits,
    /// Room for each kind of bytes, in all.
    bytes: u32,
    all: Level,
    /// Beside that, what is kept for those who hold little.
    kept: Level,
    networks: Mutex<Networks>,
    start: Instant,
}

#[derive(Debug, Default)]
struct Networks {
    open: HashMap<IpAddr, Weak<Level>>,
    /// The size at which those without connections are removed.
    prune_at: usize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change under these locks is one insertion or removal: a panic leaves them whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Held {
    /// Returns the account of a node that holds nothing yet.
    pub fn new(limits: Limits) -> Arc<Self> {
        let bytes = u32::try_from(limits.bytes / BYTE_KINDS as u64).unwrap_or(u32::MAX);
        let [all, kept] = Level::everybody(bytes);
        Arc::new(Held {
            bytes,
            all,
            kept,
            limits,
            networks: Mutex::default(),
            start: Instant::now(),
        })
    }

    /// Returns the account of a new connection from `address`.
    pub fn connection(self: &Arc<Self>, address: IpAddr) -> Arc<Account> {
        let address = address.to_canonical();
        let counted = !self.limits.shared.contains(&address);
        Arc::new(Account {
            address: counted.then(|| network(address)),
            network: counted.then(|| self.network(network(address))),
            connection: Arc::new(Connection {
                level: Level::new(Whose::Connection, self.bytes / CONNECTION_SHARE, 1),
                unread: Mutex::default(),
            }),
            is_named: false,
            held: self.clone(),
        })
    }

    fn network(&self, network: IpAddr) -> Arc<Level> {
        let mut networks = lock(&self.networks);
        if let Some(level) = networks.open.get(&network).and_then(Weak::upgrade) {
            return level;
        }
        if networks.open.len() >= networks.prune_at {
            networks.open.retain(|_, level| level.strong_count() > 0);
            networks.prune_at = 2 * networks.open.len().max(512);
        }
        let room = self.bytes / NETWORK_SHARE;
        let connections = (self.limits.connections / NETWORK_CONNECTIONS).max(1);
        let level = Arc::new(Level::new(Whose::Network, room, connections));
        networks.open.insert(network, Arc::downgrade(&level));
        level
    }

    /// Addresses that stand for many callers.
    pub fn shared(&self) -> &[IpAddr] {
        &self.limits.shared
    }

    /// How many bytes are held now, in all.
    pub fn bytes(&self) -> u64 {
        self.all.bytes() + self.kept.bytes()
    }
}

/// What one connection holds; or what a caller holds, of those for whom a proxy speaks on one.
#[derive(Debug)]
pub struct Account {
    connection: Arc<Connection>,
    /// Whether it is of a caller whom a proxy names. The room of the proxy's connection is not his:
    /// others on it could take all of it from him.
    is_named: bool,
    address: Option<IpAddr>,
    network: Option<Arc<Level>>,
    held: Arc<Held>,
}

/// What a connection has, whoever calls on it.
#[derive(Debug)]
struct Connection {
    level: Level,
    unread: Mutex<Unread>,
}

/// Since when pieces of answers wait to be read.
#[derive(Debug, Default)]
struct Unread {
    next: u64,
    since: BTreeMap<u64, Instant>,
}

impl Account {
    /// Narrow to wide, the order in which room is taken: a call that waits for its own connection
    /// keeps nothing from others.
    fn levels(&self, of_kept: bool) -> [Option<&Level>; 3] {
        let Held { all, kept, .. } = &*self.held;
        let [own, network] = self.own();
        [own, network, Some(if of_kept { kept } else { all })]
    }

    /// Its own room, and that of its network.
    fn own(&self) -> [Option<&Level>; 2] {
        let own = (!self.is_named).then_some(&self.connection.level);
        [own, self.network.as_deref()]
    }

    /// The widest room that is not everybody's. Of a caller whom a proxy names there is no level of
    /// his own, and of an address that stands for many none of the network.
    fn most_own(&self) -> Option<&Level> {
        let [own, network] = self.own();
        network.or(own)
    }

    /// Whether it holds so little of a kind that it may have of what is kept for those who do.
    fn has_little(&self, kind: Kind) -> bool {
        let has_little = self.most_own().is_some_and(|own| own.has_little(kind));
        has_little && self.held.kept.has(kind)
    }

    /// Takes of everybody's room, once its own was taken, or of what is kept for those who hold
    /// little. Returns what was charged, and whether it is of the latter; or none if there is no
    /// room at once.
    fn try_take_of_all(&self, kind: Kind, bytes: usize) -> Option<(u32, bool)> {
        let Held { all, kept, .. } = &*self.held;
        let charge = all.charge(kind, bytes);
        if all.try_take(kind, charge) {
            return Some((charge, false));
        }
        let charge = kept.charge(kind, bytes);
        (self.has_little(kind) && kept.try_take(kind, charge)).then_some((charge, true))
    }

    /// The account of a caller for whom this connection, a trusted proxy's, sends a call: room is
    /// that of his network, whatever connections his calls come on. What he does not read is still
    /// known of the connection. An address that stands for many is no caller.
    pub fn of_caller(self: &Arc<Self>, address: IpAddr) -> Arc<Account> {
        let address = address.to_canonical();
        if self.held.limits.shared.contains(&address) {
            return self.clone();
        }
        Arc::new(Account {
            connection: self.connection.clone(),
            is_named: true,
            address: Some(network(address)),
            network: Some(self.held.network(network(address))),
            held: self.held.clone(),
        })
    }

    /// The network that is counted, as [`network`] has it. None for an address that stands for
    /// many.
    pub fn counted(&self) -> Option<IpAddr> {
        self.address
    }

    /// How many connections its network has; none is known of an address that stands for many.
    pub fn connections(&self) -> usize {
        let network = self.network.as_deref();
        network.map_or(0, |network| network.taken(Kind::Connection))
    }

    /// Whether nothing is held but the connection itself: no call is worked for, and no answer is
    /// unread.
    pub fn holds_nothing(&self) -> bool {
        // The account of a caller is his as long as his call.
        let calls = Arc::strong_count(&self.connection) > 1;
        !calls && self.connection.level.is_free()
    }

    /// Takes room for so many bytes, if there is some at once.
    pub fn try_hold(self: &Arc<Self>, kind: Kind, bytes: usize) -> Option<Hold> {
        let mut hold = Hold::nothing(self, kind);
        if !hold.try_take_own(bytes, [0; 3]) {
            return None;
        }
        (hold.taken[2], hold.of_kept) = self.try_take_of_all(kind, bytes)?;
        hold.begin();
        Some(hold)
    }

    /// Takes room for so many bytes, and waits for it as long as it takes.
    pub async fn wait(self: Arc<Self>, kind: Kind, bytes: usize) -> Hold {
        // If this is dropped while it waits, what was taken is given back.
        let mut hold = Hold::nothing(&self, kind);
        let Held {
            all, kept, start, ..
        } = &*self.held;
        for (taken, level) in hold.taken.iter_mut().zip(self.own()) {
            let Some(level) = level else { continue };
            let charge = level.charge(kind, bytes);
            level.take(kind, charge, *start).await;
            *taken = charge;
        }
        let charges = [all, kept].map(|level| level.charge(kind, bytes));
        let little = self.has_little(kind);
        hold.of_kept = tokio::select! {
            biased;
            () = all.take(kind, charges[0], *start) => false,
            () = kept.take(kind, charges[1], *start), if little => true,
        };
        hold.taken[2] = charges[usize::from(hold.of_kept)];
        hold.begin();
        hold
    }

    /// Takes room for so many bytes. Fails if there is none within ten seconds.
    pub async fn hold(self: &Arc<Self>, kind: Kind, bytes: usize) -> Result<Hold, NoRoom> {
        if let Some(hold) = self.try_hold(kind, bytes) {
            return Ok(hold);
        }
        tokio::time::timeout(WAIT, self.clone().wait(kind, bytes))
            .await
            .map_err(|_| NoRoom)
    }

    /// Makes something that is sent as one piece, and takes room for it. `make` returns it with its
    /// size in bytes. It must not wait, and it is called again if there was no room: what it made
    /// is not kept while this waits.
    pub async fn made<T, E: From<NoRoom>>(
        self: &Arc<Self>,
        make: impl Fn() -> Result<(T, usize), E>,
    ) -> Result<(T, Hold), E> {
        let (made, mut bytes) = make()?;
        if let Some(hold) = self.try_hold(Kind::of_answer(bytes), bytes) {
            return Ok((made, hold));
        }
        drop(made);
        loop {
            let mut hold = self.hold(Kind::of_answer(bytes), bytes).await?;
            let (made, size) = make()?;
            if hold.resize(size) {
                return Ok((made, hold));
            }
            bytes = size;
        }
    }

    /// Ends when a piece of an answer has lain unread for too long, which under pressure is sooner.
    pub async fn stalled(&self) {
        let tick = (self.held.limits.stall / 8).clamp(PATIENCE / 4, PATIENCE);
        loop {
            tokio::time::sleep(tick).await;
            let oldest = lock(&self.connection.unread).since.values().next().copied();
            if oldest.is_some_and(|since| since.elapsed() > self.patience()) {
                return;
            }
        }
    }

    fn patience(&self) -> Duration {
        let stall = self.held.limits.stall;
        if self.is_pressed() {
            stall.min(PRESSED)
        } else {
            stall
        }
    }

    /// Whether somebody of its network, or of all, waits for room in vain.
    pub fn is_pressed(&self) -> bool {
        let start = self.held.start;
        let network = self.network.as_deref().is_some_and(|n| n.is_pressed(start));
        network || self.held.all.is_pressed(start)
    }
}

#[cfg(test)]
pub(crate) mod tests;
