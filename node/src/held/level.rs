//! Room for each kind, at each level.

use super::{BYTE_KINDS, KINDS, Kind, calls};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Questions that are computed at once for one network, and for one connection. The others wait,
/// and hold no more than the question. In all, the threads for look-ups are the limit.
const QUESTIONS: [u32; 3] = [2, 2, 1 << 20];

/// Attachments that one connection, one network and everybody reads or writes at once. Each has a
/// file open, of which a process has some thousands.
const FILES: [u32; 3] = [16, 32, 256];

/// Bytes of messages that come, on one connection, from one network, and from everybody. The first
/// is two of a megabyte, or thirty of 64 KiB.
const COMING: [u32; 3] = [2 << 20, 4 << 20, 12 << 20];

/// The same of messages that are decoded, which is soon over. The first is what one of a megabyte
/// takes, or ten of 64 KiB.
const MESSAGES: [u32; 3] = [4 << 20, 8 << 20, 16 << 20];

/// Bytes that came of calls and that no call has taken, of one connection, one network and
/// everybody. The first is the window of a connection.
const UNTAKEN: [u32; 3] = [1 << 20, 2 << 20, 8 << 20];

/// Bytes of claims of single calls, of one connection, of one network, and of everybody. The first
/// is what fifty of the largest claims take that are published at once.
const SINGLE: [u32; 3] = [3 << 20, 6 << 20, 16 << 20];

/// Bytes of uploads, of one connection, of one network, and of everybody: 3, 6 and 16 large ones.
const UPLOADS: [u32; 3] = [9 << 18, 18 << 18, 48 << 18];

/// Watches of one connection, of one network, and of everybody: half of all calls. Each keeps up to
/// a thousand names and is worked for at every checkpoint.
const WATCHES: [u32; 3] = [16, 64, 512];

/// Pages for people that are made at once for one connection, and for one network. How many in all
/// is for whoever makes them to say.
const PAGES: [u32; 3] = [2, 4, 1 << 20];

/// What is kept, of everybody's room, for those who hold little: an eighth. Whoever holds little of
/// a kind holds at most so much of what a network may have, or a connection that is of none.
const KEPT: u32 = 8;
const LITTLE: u32 = 128;

/// Kinds of which nothing is kept. One piece of these is more than a little; calls have a rule of
/// their own; and how many connections there are is for the server to say.
const NOT_KEPT: [Kind; 4] = [Kind::Long, Kind::Untaken, Kind::Call, Kind::Connection];

/// A wait that is this long puts pressure on those who hold.
pub(super) const PATIENCE: Duration = Duration::from_millis(500);

/// Room for each kind, of one connection, one network, or everybody.
#[derive(Debug)]
pub(super) struct Level {
    room: [u32; KINDS],
    free: [Semaphore; KINDS],
    /// When somebody last waited here for long, in milliseconds since the start. 0 is never.
    pressed_ms: AtomicU64,
}

/// Whose room a level is. Narrow to wide, as the constants have it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whose {
    Connection,
    Network,
    Everybody,
}

/// So many bytes of each kind, and so many connections.
fn rooms(whose: Whose, bytes: u32, connections: usize) -> [u32; KINDS] {
    let of = |numbers: [u32; 3]| numbers[whose as usize];
    [
        bytes,
        bytes,
        bytes,
        bytes,
        bytes,
        of(QUESTIONS),
        of(FILES),
        of(MESSAGES),
        of(COMING),
        of(UNTAKEN),
        of(SINGLE),
        of(UPLOADS),
        of(WATCHES),
        of(PAGES),
        of(calls::CALLS),
        u32::try_from(connections).unwrap_or(u32::MAX),
    ]
}

impl Level {
    /// A level with so many bytes of each kind, and so many connections.
    pub(super) fn new(whose: Whose, bytes: u32, connections: usize) -> Self {
        Level::with(rooms(whose, bytes, connections))
    }

    /// Everybody's room: what all share, and what is kept for those who hold little.
    pub(super) fn everybody(bytes: u32) -> [Self; 2] {
        let mut shared = rooms(Whose::Everybody, bytes, usize::MAX);
        let mut kept = shared.map(|room| room / KEPT);
        NOT_KEPT.iter().for_each(|kind| kept[*kind as usize] = 0);
        for (shared, kept) in shared.iter_mut().zip(kept) {
            *shared -= kept;
        }
        [shared, kept].map(Level::with)
    }

    fn with(room: [u32; KINDS]) -> Self {
        Level {
            room,
            free: room.map(|room| Semaphore::new(room as usize)),
            pressed_ms: AtomicU64::new(0),
        }
    }

    /// What is charged here for so much: never more than there is, or it could not be had.
    pub(super) fn charge(&self, kind: Kind, amount: usize) -> u32 {
        let room = self.room[kind as usize];
        u32::try_from(amount).map_or(room, |amount| amount.min(room))
    }

    pub(super) fn try_take(&self, kind: Kind, bytes: u32) -> bool {
        self.free[kind as usize]
            .try_acquire_many(bytes)
            .map(SemaphorePermit::forget)
            .is_ok()
    }

    pub(super) async fn take(&self, kind: Kind, bytes: u32, start: Instant) {
        let taking = self.free[kind as usize].acquire_many(bytes);
        tokio::pin!(taking);
        loop {
            match tokio::time::timeout(PATIENCE, taking.as_mut()).await {
                Ok(Ok(taken)) => return taken.forget(),
                // Nobody closes the semaphore.
                Ok(Err(_)) => return,
                Err(_) => self
                    .pressed_ms
                    .store(since(start).max(1), Ordering::Relaxed),
            }
        }
    }

    /// Whether so little is taken that there is room for it whatever others take.
    pub(super) fn has_little(&self, kind: Kind) -> bool {
        self.taken(kind) <= (self.room[kind as usize] / LITTLE).max(1) as usize
    }

    /// Whether there is any room of a kind.
    pub(super) fn has(&self, kind: Kind) -> bool {
        self.room[kind as usize] > 0
    }

    /// How many of the kinds that are bytes are taken.
    pub(super) fn bytes(&self) -> u64 {
        let room = self.room.iter().zip(&self.free).take(BYTE_KINDS);
        room.map(|(room, free)| u64::from(*room).saturating_sub(free.available_permits() as u64))
            .sum()
    }

    /// Whether nothing is taken but the place of a connection.
    pub(super) fn is_free(&self) -> bool {
        let mut but_one = self
            .free
            .iter()
            .zip(&self.room)
            .take(Kind::Connection as usize);
        but_one.all(|(free, room)| free.available_permits() == *room as usize)
    }

    /// What is taken now.
    pub(super) fn taken(&self, kind: Kind) -> usize {
        let free = self.free[kind as usize].available_permits();
        (self.room[kind as usize] as usize).saturating_sub(free)
    }

    pub(super) fn give_back(&self, kind: Kind, bytes: u32) {
        self.free[kind as usize].add_permits(bytes as usize);
    }

    pub(super) fn is_pressed(&self, start: Instant) -> bool {
        let pressed = self.pressed_ms.load(Ordering::Relaxed);
        pressed > 0 && since(start).saturating_sub(pressed) <= 2 * PATIENCE.as_millis() as u64
    }
}

fn since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}
