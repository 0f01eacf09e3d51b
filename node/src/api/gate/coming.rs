//! The message that comes: room for its bytes, and how long it may take.

use crate::held::{Account, Hold, Kind, Wanted};
use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep};
use tonic::Status;

/// Longest time from the first byte of a message to its last one.
const ARRIVAL: Duration = Duration::from_secs(15);

/// The same for a message that holds room while others wait for some.
const PRESSED: Duration = Duration::from_secs(2);

/// What comes of a message is counted from so many bytes on: a call costs as much by itself.
const FREE: usize = 4 << 10;

/// How often this is looked at.
const TICK: Duration = Duration::from_millis(250);

/// Ends when a question of several messages, for which `held` bytes are held from now on, takes too
/// long: as long as a message may, and as soon while others wait for room.
pub(crate) async fn late(account: Arc<Account>, held: usize) -> Status {
    let mut coming = Coming {
        held,
        ..Coming::new(account)
    };
    poll_fn(|cx| coming.poll_late(cx)).await
}

/// Room for bytes of a message, and its time.
///
/// Room is taken for what has come, and about as much again: whoever wants to hold it has to send
/// half of it. A message that waits for more room keeps what it has. Two of them can wait for each
/// other, but not for longer than [`PRESSED`], and then both are told to try again.
#[derive(Debug)]
pub(in crate::api) struct Coming {
    account: Arc<Account>,
    holds: Vec<Hold>,
    /// Bytes that the holds are for.
    held: usize,
    more: Wanted,
    begun: Option<Instant>,
    tick: Option<Pin<Box<Sleep>>>,
    pub(in crate::api) arrival: Duration,
    pub(super) pressed: Duration,
}

impl Coming {
    pub(in crate::api) fn new(account: Arc<Account>) -> Self {
        Coming {
            account,
            holds: Vec::new(),
            held: 0,
            more: Wanted::default(),
            begun: None,
            tick: None,
            arrival: ARRIVAL,
            pressed: PRESSED,
        }
    }

    /// Takes room for what has come of a message of so many bytes, and for what comes next of it.
    pub(in crate::api) fn poll_room(
        &mut self,
        come: usize,
        length: usize,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        if come <= FREE {
            return Poll::Ready(());
        }
        // The bytes are kept in a buffer that doubles as it grows.
        let wanted = come.next_power_of_two().min(length);
        if self.held < wanted {
            let bytes = wanted - self.held;
            let hold = ready!(self.more.poll(&self.account, Kind::Coming, bytes, cx));
            self.holds.push(hold);
            self.held = wanted;
        }
        Poll::Ready(())
    }

    /// Ends when the message that has begun to come takes too long.
    pub(in crate::api) fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<Status> {
        let begun = *self.begun.get_or_insert_with(Instant::now);
        loop {
            let most = if self.held > 0 && self.account.is_pressed() {
                self.pressed
            } else {
                self.arrival
            };
            if begun.elapsed() >= most {
                let message = "the message came too slowly for how busy this node is: send it \
                               again, or less at a time";
                return Poll::Ready(Status::deadline_exceeded(message));
            }
            let tick = TICK.min(self.arrival);
            let due = self.tick.get_or_insert_with(|| Box::pin(sleep(tick)));
            ready!(due.as_mut().poll(cx));
            self.tick = None;
        }
    }

    /// The message has come.
    pub(super) fn end(&mut self) {
        self.holds.clear();
        self.held = 0;
        self.more.give_up();
        self.begun = None;
        self.tick = None;
    }
}
