//! Bytes of calls that have come on an HTTP/2 connection, and that no call has taken yet.
//!
//! A call that waits does not read, and what its caller sends is kept meanwhile, as much as the
//! window of the connection: a megabyte for each connection that strangers may have. So bytes are
//! counted as they come, and once more as they are taken, and a connection is read on only while
//! there is room for what is between. Who sends more waits as long, and nobody else does.

use crate::held::{Account, Hold, Kind, Wanted};
use futures::task::AtomicWaker;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

/// Bytes that are not counted on any connection: a frame, which is as long as one may be.
const FREE: usize = 16 << 10;

/// Room is taken for so many bytes at a time.
const STEP: usize = 64 << 10;

/// What of the bodies of one connection's calls was not taken yet.
///
/// It may say more than there is: what comes for a call that has ended is forgotten without a word.
/// So it begins anew whenever there is no call, and is never more than the window.
#[derive(Debug, Clone)]
pub struct Untaken(Arc<State>);

#[derive(Debug)]
struct State {
    bytes: AtomicUsize,
    /// The most that can be there.
    window: usize,
    /// Calls whose bodies are there.
    calls: AtomicUsize,
    /// The connection, which is not read while there is no room.
    reader: AtomicWaker,
}

impl Untaken {
    /// Of a new connection with a window of so many bytes.
    pub fn new(window: u32) -> Self {
        Untaken(Arc::new(State {
            bytes: AtomicUsize::new(0),
            window: window as usize,
            calls: AtomicUsize::new(0),
            reader: AtomicWaker::new(),
        }))
    }

    /// So many bytes of bodies came. Bytes come and are taken on one thread.
    pub fn came(&self, bytes: usize) {
        let all = self.bytes().saturating_add(bytes).min(self.0.window);
        self.0.bytes.store(all, Ordering::Relaxed);
    }

    /// A call begins, which takes bytes.
    pub fn begin(&self) -> Taking {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        Taking(self.clone())
    }

    fn bytes(&self) -> usize {
        self.0.bytes.load(Ordering::Relaxed)
    }

    fn leave(&self, bytes: usize) {
        self.0.bytes.store(bytes, Ordering::Relaxed);
        self.0.reader.wake();
    }
}

/// A call that takes what came for it.
#[derive(Debug)]
pub struct Taking(Untaken);

impl Taking {
    /// So many bytes were taken.
    pub fn took(&self, bytes: usize) {
        if bytes > 0 {
            self.0.leave(self.0.bytes().saturating_sub(bytes));
        }
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        if self.0.0.calls.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.leave(0);
        }
    }
}

/// The room that is taken for it.
#[derive(Debug)]
pub struct Room {
    untaken: Untaken,
    account: Arc<Account>,
    holds: Vec<Hold>,
    more: Wanted,
}

impl Room {
    /// The room of a connection, whose account this is.
    pub fn new(untaken: Untaken, account: Arc<Account>) -> Self {
        Room {
            untaken,
            account,
            holds: Vec::new(),
            more: Wanted::default(),
        }
    }

    /// Ends when there is room for what was not taken, so that more may be read.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let uncounted = self.untaken.bytes() <= FREE;
        if uncounted && self.holds.is_empty() {
            return Poll::Ready(());
        }
        // Before it is looked at: whatever is taken from now on wakes this.
        self.untaken.0.reader.register(cx.waker());
        loop {
            let wanted = self.untaken.bytes().saturating_sub(FREE).div_ceil(STEP);
            if self.holds.len() >= wanted {
                self.holds.truncate(wanted);
                self.more.give_up();
                return Poll::Ready(());
            }
            let hold = ready!(self.more.poll(&self.account, Kind::Untaken, STEP, cx));
            self.holds.push(hold);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::held::{Held, tests::roomy};
    use futures::task::noop_waker_ref;
    use std::{sync::atomic::AtomicBool, task::Wake};

    const WINDOW: usize = 1 << 20;

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    fn room(held: &Arc<Held>, address: &str) -> Room {
        let account = held.connection(address.parse().unwrap());
        Room::new(Untaken::new(WINDOW as u32), account)
    }

    fn is_read(room: &mut Room) -> bool {
        room.poll(&mut Context::from_waker(noop_waker_ref()))
            .is_ready()
    }

    /// Bytes come until the connection is no longer read, or its window is full.
    fn fill(room: &mut Room) -> usize {
        let frames = (0..WINDOW / FREE).take_while(|_| {
            let read = is_read(room);
            if read {
                room.untaken.came(FREE);
            }
            read
        });
        frames.count() * FREE
    }

    #[test]
    fn a_connection_is_read_while_what_came_is_taken() {
        let held = roomy();
        let mut room = room(&held, "192.0.2.1");
        let call = room.untaken.begin();
        for _ in 0..10 * WINDOW / FREE {
            assert!(is_read(&mut room));
            room.untaken.came(FREE);
            call.took(FREE);
        }
        assert!(room.holds.is_empty());
    }

    #[tokio::test]
    async fn networks_and_all_have_only_so_much_that_nobody_takes() {
        let held = roomy();
        let mut rooms: Vec<_> = (0..40).map(|_| room(&held, "192.0.2.1")).collect();
        let calls: Vec<_> = rooms.iter().map(|it| it.untaken.begin()).collect();
        let of_network: usize = rooms.iter_mut().map(fill).sum();
        assert!((2 << 20..4 << 20).contains(&of_network), "{of_network}");
        // Others are read on.
        let mut other = room(&held, "192.0.2.2");
        let _call = other.untaken.begin();
        assert_eq!(fill(&mut other), WINDOW);
        // All of them together have a limit, too.
        let mut many: Vec<_> = (3..40)
            .map(|last| room(&held, &format!("192.0.2.{last}")))
            .collect();
        let _calls: Vec<_> = many.iter().map(|it| it.untaken.begin()).collect();
        let of_all: usize = many.iter_mut().map(fill).sum();
        assert!(of_all < 8 << 20, "{of_all}");
        // Whoever had none is read as soon as a call takes what came for it.
        let last = many.last_mut().unwrap();
        assert!(!is_read(last));
        let before = last.untaken.bytes();
        last.untaken.begin().took(before);
        assert!(is_read(last));
        drop(calls);
        assert!(rooms.iter_mut().all(is_read));
    }

    #[tokio::test]
    async fn who_waits_is_woken_by_what_is_taken() {
        let held = roomy();
        let mut rooms: Vec<_> = (0..40).map(|_| room(&held, "192.0.2.1")).collect();
        let _calls: Vec<_> = rooms.iter().map(|it| it.untaken.begin()).collect();
        rooms.iter_mut().map(fill).for_each(drop);
        let last = rooms.last_mut().unwrap();
        let call = last.untaken.begin();
        let (untaken, bytes) = (last.untaken.clone(), last.untaken.bytes());
        let woken = Arc::new(Woken::default());
        let waker = woken.clone().into();
        let mut cx = Context::from_waker(&waker);
        assert!(last.poll(&mut cx).is_pending() && !woken.0.load(Ordering::Relaxed));
        call.took(bytes);
        assert!(woken.0.load(Ordering::Relaxed) && untaken.bytes() == 0);
        assert!(last.poll(&mut cx).is_ready());
    }

    #[test]
    fn what_no_call_takes_is_forgotten_with_the_last_call() {
        let held = roomy();
        let mut room = room(&held, "192.0.2.1");
        let (one, other) = (room.untaken.begin(), room.untaken.begin());
        assert_eq!(fill(&mut room), WINDOW);
        room.untaken.came(WINDOW);
        assert_eq!(room.untaken.bytes(), WINDOW, "never more than the window");
        drop(one);
        assert_eq!(room.untaken.bytes(), WINDOW);
        drop(other);
        assert_eq!(room.untaken.bytes(), 0);
        assert!(is_read(&mut room) && room.holds.is_empty());
    }
}
