//! A queue in which callers take turns, so that nobody waits behind all that another one sent.
//!
//! There are two lanes: single calls, which somebody waits for, and messages of streams, which
//! carry up to a thousand claims each. In both, networks take turns. What one network sent keeps
//! its order.
//!
//! What is taken out becomes batches, each written at once. After one with messages of streams,
//! single calls that came meanwhile have one for themselves, which is soon done: of a quarter of
//! the claims that a batch may have, at most.

use crate::held::network;
use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{Notify, Semaphore};

/// Single calls that are served before a message of a stream, if both wait.
const SINGLES: usize = 256;

/// What part of the single calls that may wait one network may have.
const NETWORK_SHARE: usize = 4;

/// Returns a queue in which `capacity` single calls and as many messages of streams may wait.
///
/// `capacity` is at least 1.
pub fn queue<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared {
        capacity,
        streams: Semaphore::new(capacity),
        waiting: Mutex::default(),
        came: Notify::new(),
    });
    let receiver = Receiver {
        shared: shared.clone(),
        has_streams: false,
        only_singles: false,
    };
    (Sender(shared), receiver)
}

/// Puts into the queue. When it is dropped, no more will come.
#[derive(Debug)]
pub struct Sender<T>(Arc<Shared<T>>);

/// Takes out of the queue. When it is dropped, nothing more is taken.
#[derive(Debug)]
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    /// Whether there are messages of streams in this batch.
    has_streams: bool,
    /// Whether this batch is one of single calls alone.
    only_singles: bool,
}

/// Why nothing was put into the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// As many wait as may, of this network or in all.
    Full,
    /// Nobody takes anything any more.
    Closed,
}

#[derive(Debug)]
struct Shared<T> {
    capacity: usize,
    /// Places for messages of streams.
    streams: Semaphore,
    waiting: Mutex<Waiting<T>>,
    came: Notify,
}

#[derive(Debug)]
struct Waiting<T> {
    singles: Lane<T>,
    streams: Lane<T>,
    /// Single calls that were served since the last message of a stream was.
    in_a_row: usize,
    closed: bool,
}

/// What waits of each network, and the networks in the order of their turns. Each network of which
/// something waits has one turn.
#[derive(Debug)]
struct Lane<T> {
    of: HashMap<Option<IpAddr>, VecDeque<T>>,
    turns: VecDeque<Option<IpAddr>>,
    len: usize,
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Waiting {
            singles: Lane::default(),
            streams: Lane::default(),
            in_a_row: 0,
            closed: false,
        }
    }
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        Lane {
            of: HashMap::new(),
            turns: VecDeque::new(),
            len: 0,
        }
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets nothing more in. What waits can still be taken out.
    fn close(&self) {
        self.lock().closed = true;
        self.streams.close();
        self.came.notify_one();
    }
}

impl<T> Lane<T> {
    fn push(&mut self, from: Option<IpAddr>, one: T) {
        let theirs = self.of.entry(from).or_default();
        if theirs.is_empty() {
            self.turns.push_back(from);
        }
        theirs.push_back(one);
        self.len += 1;
    }

    /// Serves whose turn it is.
    fn pop(&mut self) -> Option<T> {
        let from = self.turns.pop_front()?;
        let theirs = self.of.get_mut(&from)?;
        let one = theirs.pop_front()?;
        if theirs.is_empty() {
            self.of.remove(&from);
        } else {
            self.turns.push_back(from);
        }
        self.len -= 1;
        Some(one)
    }

    fn waiting_of(&self, from: Option<IpAddr>) -> usize {
        self.of.get(&from).map_or(0, VecDeque::len)
    }
}

impl<T> Waiting<T> {
    /// Whether a message of a stream waits, and no single call, or so many of these were served.
    fn is_turn_of_streams(&self) -> bool {
        let enough = self.in_a_row >= SINGLES || self.singles.len == 0;
        enough && self.streams.len > 0
    }

    /// Serves whose turn it is, and says whether that was a message of a stream.
    fn pop(&mut self) -> Option<(T, bool)> {
        if self.is_turn_of_streams() {
            self.in_a_row = 0;
            return Some((self.streams.pop()?, true));
        }
        let one = self.singles.pop()?;
        self.in_a_row += 1;
        Some((one, false))
    }
}

impl<T> Sender<T> {
    /// Puts a single call of an address into the queue.
    ///
    /// # Errors
    /// As many wait as may, a quarter of them at most of one network, or the queue is closed.
    pub fn try_send(&self, from: Option<IpAddr>, one: T) -> Result<(), Refused> {
        let from = from.map(network);
        let mut waiting = self.0.lock();
        if waiting.closed {
            return Err(Refused::Closed);
        }
        let share = self.0.capacity.div_ceil(NETWORK_SHARE);
        if waiting.singles.len >= self.0.capacity || waiting.singles.waiting_of(from) >= share {
            return Err(Refused::Full);
        }
        waiting.singles.push(from, one);
        drop(waiting);
        self.0.came.notify_one();
        Ok(())
    }

    /// Waits for a place and puts a message of a stream of an address into the queue.
    ///
    /// # Errors
    /// [`Refused::Closed`].
    pub async fn send(&self, from: Option<IpAddr>, one: T) -> Result<(), Refused> {
        let place = self.0.streams.acquire().await;
        let place = place.map_err(|_| Refused::Closed)?;
        let mut waiting = self.0.lock();
        if waiting.closed {
            return Err(Refused::Closed);
        }
        waiting.streams.push(from.map(network), one);
        drop(waiting);
        // The place is given back when it is taken out.
        place.forget();
        self.0.came.notify_one();
        Ok(())
    }
}

impl<T> Receiver<T> {
    /// Takes one more for this batch out, if one waits that belongs there.
    pub fn try_recv(&mut self) -> Option<T> {
        let mut waiting = self.shared.lock();
        if self.only_singles && waiting.is_turn_of_streams() {
            return None;
        }
        let (one, is_stream) = waiting.pop()?;
        drop(waiting);
        if is_stream {
            self.has_streams = true;
            self.shared.streams.add_permits(1);
        }
        Some(one)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        let waiting = self.shared.lock();
        waiting.singles.len + waiting.streams.len == 0
    }

    /// Waits for the first one of the next batch. `None` if nothing waits and nothing more will
    /// come.
    ///
    /// Nothing is lost if it is dropped while it waits.
    pub async fn recv(&mut self) -> Option<T> {
        loop {
            if let Some(one) = self.begin() {
                return Some(one);
            }
            if self.shared.lock().closed {
                // What came between the two is not left behind.
                return self.begin();
            }
            self.shared.came.notified().await;
        }
    }

    fn begin(&mut self) -> Option<T> {
        let had_streams = std::mem::take(&mut self.has_streams);
        self.only_singles = had_streams && !self.shared.lock().is_turn_of_streams();
        let first = self.try_recv();
        if first.is_none() {
            self.has_streams = had_streams;
        }
        first
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.close();
        // Whoever waits for an answer to what is dropped is told that there will be none.
        self.only_singles = false;
        while self.try_recv().is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use std::net::Ipv4Addr;

    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)))
    }

    fn next<T>(receiver: &mut Receiver<T>) -> Option<T> {
        receiver.recv().now_or_never().flatten()
    }

    fn all<T>(receiver: &mut Receiver<T>) -> Vec<T> {
        std::iter::from_fn(|| receiver.try_recv()).collect()
    }

    #[test]
    fn networks_take_turns_and_each_keeps_its_order() {
        let (sender, mut receiver) = queue(64);
        for one in 10..14 {
            sender.try_send(address(1), one).unwrap();
        }
        sender.try_send(address(2), 20).unwrap();
        sender.try_send(None, 30).unwrap();
        sender.try_send(address(2), 21).unwrap();
        assert_eq!(all(&mut receiver), [10, 20, 30, 11, 21, 12, 13]);
        // A network of which nothing waits has no turn.
        sender.try_send(address(2), 22).unwrap();
        assert_eq!(all(&mut receiver), [22]);
        // Addresses of one IPv6 subscriber are one network.
        for (text, one) in [("2001:db8::1", 1), ("2001:db8::2", 2)] {
            sender.try_send(text.parse().ok(), one).unwrap();
        }
        sender.try_send(address(1), 3).unwrap();
        assert_eq!(all(&mut receiver), [1, 3, 2]);
        for (text, one) in [("2001:db8::1", 1), ("2001:db8::2", 2), ("192.0.2.1", 3)] {
            let sent = sender.send(text.parse().ok(), one).now_or_never();
            sent.unwrap().unwrap();
        }
        assert_eq!(all(&mut receiver), [1, 3, 2]);
    }

    #[test]
    fn a_single_call_waits_for_no_stream_and_streams_are_not_starved() {
        let (sender, mut receiver) = queue(4096);
        for one in 0..3 {
            let sent = sender.send(address(1), (one, true)).now_or_never();
            sent.unwrap().unwrap();
        }
        for one in 0..SINGLES + 1 {
            sender.try_send(address(1), (one, false)).unwrap();
        }
        let order = all(&mut receiver);
        let streams: Vec<usize> = (0..order.len()).filter(|at| order[*at].1).collect();
        assert_eq!(streams, [SINGLES, SINGLES + 2, SINGLES + 3]);
        let singles = order.iter().filter(|one| !one.1).map(|one| one.0);
        assert!(singles.eq(0..SINGLES + 1));
    }

    #[test]
    fn single_calls_have_every_other_batch_for_themselves() {
        let (sender, mut receiver) = queue(16);
        let stream = |one| sender.send(address(1), one).now_or_never();
        let single = |one| sender.try_send(address(2), one).unwrap();
        for one in ["stream 1", "stream 2"] {
            assert_eq!(stream(one), Some(Ok(())));
        }
        assert_eq!(next(&mut receiver), Some("stream 1"));
        single("call 1");
        single("call 2");
        assert_eq!(next(&mut receiver), Some("call 1"));
        assert_eq!(receiver.try_recv(), Some("call 2"));
        assert_eq!(receiver.try_recv(), None, "a stream waits for the next one");
        assert!(!receiver.is_empty());
        single("call 3");
        assert_eq!(next(&mut receiver), Some("call 3"));
        assert_eq!(receiver.try_recv(), Some("stream 2"));
        assert_eq!(receiver.try_recv(), None);
        assert!(receiver.is_empty());
        // Whoever waits in vain forgets nothing of that.
        assert_eq!(next(&mut receiver), None);
        assert_eq!(stream("stream 3"), Some(Ok(())));
        single("call 4");
        assert_eq!(next(&mut receiver), Some("call 4"));
        assert_eq!(receiver.try_recv(), None);
    }

    #[test]
    fn one_network_has_a_quarter_of_the_places_for_single_calls() {
        let (sender, mut receiver) = queue(8);
        for from in 1..=4 {
            for one in 0..2 {
                sender.try_send(address(from), one).unwrap();
            }
            assert_eq!(sender.try_send(address(from), 2), Err(Refused::Full));
        }
        // All are taken.
        assert_eq!(sender.try_send(address(5), 0), Err(Refused::Full));
        assert_eq!(receiver.try_recv(), Some(0));
        assert_eq!(sender.try_send(address(5), 0), Ok(()));
        // One place is enough for everybody in turn.
        let (sender, _receiver) = queue(1);
        assert_eq!(sender.try_send(address(1), 0), Ok(()));
        assert_eq!(sender.try_send(address(2), 0), Err(Refused::Full));
    }

    #[test]
    fn a_stream_waits_for_a_place_and_goes_on_when_there_is_one() {
        let (sender, mut receiver) = queue(2);
        for one in 0..2 {
            assert_eq!(sender.send(address(1), one).now_or_never(), Some(Ok(())));
        }
        assert_eq!(sender.send(address(2), 2).now_or_never(), None);
        // Single calls have places of their own, and give none of them to streams.
        assert_eq!(sender.try_send(address(2), 3), Ok(()));
        assert_eq!(receiver.try_recv(), Some(3));
        assert_eq!(sender.send(address(2), 2).now_or_never(), None);
        assert_eq!(receiver.try_recv(), Some(0));
        assert_eq!(sender.send(address(2), 2).now_or_never(), Some(Ok(())));
        assert_eq!(all(&mut receiver), [1, 2]);
    }

    /// It may be closed between the two: nobody would take out what came then.
    #[test]
    fn who_got_a_place_before_the_end_is_told_of_the_end() {
        let (sender, receiver) = queue(1);
        let (shared, mut waiting) = (sender.0.clone(), receiver.shared.lock());
        let sends = std::thread::spawn(move || {
            let sent = futures::executor::block_on(sender.send(address(1), 1));
            (sent, sender)
        });
        while shared.streams.available_permits() > 0 {
            std::thread::yield_now();
        }
        waiting.closed = true;
        drop(waiting);
        let (sent, _sender) = sends.join().unwrap();
        assert_eq!(sent, Err(Refused::Closed));
        assert!(receiver.is_empty());
    }

    #[tokio::test]
    async fn what_is_there_is_taken_after_the_end_and_nothing_more_comes() {
        let (sender, mut receiver) = queue(2);
        assert_eq!(receiver.recv().now_or_never(), None);
        let waiting = tokio::spawn(async move { (receiver.recv().await, receiver) });
        tokio::task::yield_now().await;
        sender.try_send(None, 1).unwrap();
        let (got, mut receiver) = waiting.await.unwrap();
        assert_eq!(got, Some(1));
        sender.send(None, 2).await.unwrap();
        receiver.shared.close();
        assert_eq!(sender.try_send(None, 3), Err(Refused::Closed));
        assert_eq!(sender.send(None, 3).await, Err(Refused::Closed));
        assert_eq!(receiver.recv().await, Some(2));
        assert_eq!(receiver.recv().await, None);

        let (sender, mut receiver) = queue(2);
        sender.try_send(None, 1).unwrap();
        drop(sender);
        assert_eq!(receiver.recv().await, Some(1));
        assert_eq!(receiver.recv().await, None);

        let (sender, receiver) = queue(2);
        let (reply, mut answer) = tokio::sync::oneshot::channel::<()>();
        sender.try_send(None, reply).unwrap();
        drop(receiver);
        assert!(
            answer
                .try_recv()
                .is_err_and(|e| e == tokio::sync::oneshot::error::TryRecvError::Closed)
        );
    }
}
