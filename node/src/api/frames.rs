//! Frames of HTTP/2 that bring nobody forward (RFC 9113): pings, settings, windows by the byte,
//! data of no bytes, priorities, continuations, what no type is known of. Each costs its sender
//! next to nothing and the node an answer or a look at every stream, before any call exists that
//! could be counted.
//!
//! So they are counted where bytes come in. Honest callers send some, a few for each call and for
//! each piece that they are sent, and these are paid for by just that: calls, what comes with them,
//! and what is answered. A network that sends more than that for long has its connections closed.

use super::untaken::{Room, Untaken};
use crate::quota::Reports;
use std::{
    io,
    net::IpAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a client begins with (RFC 9113, section 3.4), and how many bytes the head of a frame has
/// (section 4.1).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEAD: usize = 9;

/// The type of frames that pay for themselves by what they bring (section 6.1).
const DATA: u8 = 0;

/// What a frame costs, in bytes that were sent or answered: an honest caller who gets single bytes
/// pays for a window of each.
const FRAME: i64 = 64;

/// What a call is worth: its headers, a piece of its message and the end, windows for its answer, a
/// ping, and that it is taken back.
const CALL: i64 = 8 * FRAME;

/// What a connection begins with: settings, that the node's are taken, and a window.
const BEGIN: i64 = 4 * FRAME;

/// The most that is remembered of what a connection did: so many frames may follow at once.
const REMEMBERED: i64 = 1024 * FRAME;

/// Frames a second that one network may send beyond what pays for them, and ten times as many at
/// once.
const A_SECOND: u32 = 1000;

/// Frames that are charged to a network at once.
const AT_ONCE: u32 = 8;

/// A connection was closed for its frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many frames that ask for nothing")]
pub struct Flood;

/// Where in what comes in a connection is.
#[derive(Debug)]
enum Reading {
    /// So many bytes of the preface are there, and nothing else yet.
    Preface(usize),
    /// It is not HTTP/2.
    Other,
    /// So many bytes of a payload are still to come, and whether they are data.
    Over(usize, bool),
    /// So many bytes of a head are there.
    Head([u8; HEAD], usize),
}

/// What the frames of one connection cost, and what pays for them.
pub struct Meter {
    reading: Reading,
    /// What is left, in bytes.
    left: i64,
    calls: Calls,
    untaken: Untaken,
    /// Whom frames are charged to, and where.
    charged: Option<(Arc<Reports>, IpAddr)>,
}

/// Calls that a connection made and that its meter has not counted yet.
#[derive(Debug, Clone, Default)]
pub struct Calls(Arc<AtomicU32>);

impl Calls {
    /// Counts a call that is served. Headers that open none are frames like others.
    pub fn one_more(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// What networks may send beyond what is paid for. `shared` are addresses that stand for many
/// callers, and have no limit of their own.
pub fn idle(shared: &[IpAddr]) -> Arc<Reports> {
    let what = "sends frames that ask for nothing";
    Arc::new(Reports::of("address_frames", what, A_SECOND, shared))
}

impl Meter {
    /// The meter of a new connection, of the address that frames are charged to. If it is of none,
    /// no frame is too many.
    pub fn new(calls: Calls, untaken: Untaken, charged: Option<(Arc<Reports>, IpAddr)>) -> Self {
        Meter {
            reading: Reading::Preface(0),
            left: BEGIN,
            calls,
            untaken,
            charged,
        }
    }

    /// Counts what came in. Fails if it is a frame too many.
    fn read(&mut self, mut bytes: &[u8]) -> Result<(), Flood> {
        while !bytes.is_empty() {
            bytes = match &mut self.reading {
                Reading::Other => return Ok(()),
                Reading::Preface(have) => {
                    let wanted = &PREFACE[*have..];
                    let more = bytes.len().min(wanted.len());
                    if bytes[..more] != wanted[..more] {
                        self.reading = Reading::Other;
                        return Ok(());
                    }
                    *have += more;
                    if *have == PREFACE.len() {
                        self.reading = Reading::Head([0; HEAD], 0);
                    }
                    &bytes[more..]
                }
                Reading::Over(left, is_data) => {
                    let over = bytes.len().min(*left);
                    *left -= over;
                    if *is_data {
                        self.untaken.came(over);
                    }
                    if *left == 0 {
                        self.reading = Reading::Head([0; HEAD], 0);
                    }
                    &bytes[over..]
                }
                Reading::Head(head, have) => {
                    let more = bytes.len().min(HEAD - *have);
                    head[*have..][..more].copy_from_slice(&bytes[..more]);
                    *have += more;
                    if *have == HEAD {
                        let head = *head;
                        self.frame(head)?;
                    }
                    &bytes[more..]
                }
            };
        }
        Ok(())
    }

    /// Counts a frame by its head. Its payload follows, if it has one.
    fn frame(&mut self, head: [u8; HEAD]) -> Result<(), Flood> {
        let [a, b, c, kind, ..] = head;
        let length = u32::from_be_bytes([0, a, b, c]);
        let is_data = kind == DATA;
        self.reading = match length {
            0 => Reading::Head([0; HEAD], 0),
            _ => Reading::Over(length as usize, is_data),
        };
        let brings = if is_data { i64::from(length) } else { 0 };
        self.left = (self.left + brings - FRAME).min(REMEMBERED);
        if self.left < 0 {
            let calls = self.calls.0.swap(0, Ordering::Relaxed);
            self.left = (self.left + i64::from(calls) * CALL).min(REMEMBERED);
        }
        if self.left < 0 {
            if let Some((idle, from)) = &self.charged {
                idle.charge_many(*from, AT_ONCE).map_err(|_| Flood)?;
            }
            self.left += i64::from(AT_ONCE) * FRAME;
        }
        Ok(())
    }

    /// Counts what went out.
    fn wrote(&mut self, bytes: usize) {
        let bytes = i64::try_from(bytes).unwrap_or(REMEMBERED);
        self.left = self.left.saturating_add(bytes).min(REMEMBERED);
    }
}

/// A connection whose frames are counted, and which is read while there is room for what calls
/// have not taken.
pub struct Counted<T> {
    io: T,
    meter: Meter,
    room: Room,
}

impl<T> Counted<T> {
    /// A new connection.
    pub fn new(io: T, meter: Meter, room: Room) -> Self {
        Counted { io, meter, room }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Counted<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.room.poll(cx));
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buffer))?;
        let counted = self.meter.read(&buffer.filled()[before..]);
        if counted.is_err() {
            metrics::counter!("assay_refused_total", "limit" => "address_frames").increment(1);
        }
        Poll::Ready(counted.map_err(io::Error::other))
    }
}

impl<T: AsyncWrite + Unpin> Counted<T> {
    fn wrote(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &written {
            self.meter.wrote(*bytes);
        }
        written
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Counted<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, pieces);
        self.wrote(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADERS: u8 = 1;
    const PING: u8 = 6;
    const WINDOW_UPDATE: u8 = 8;
    const END_STREAM: u8 = 1;

    /// Frames of which none may end what is allowed, or all must.
    const MANY: usize = 100_000;

    fn new(idle: &Arc<Reports>, address: &str) -> Meter {
        let charged = (idle.clone(), address.parse().unwrap());
        Meter::new(Calls::default(), Untaken::new(1 << 20), Some(charged))
    }

    fn begun() -> Meter {
        let mut meter = new(&idle(&[]), "192.0.2.1");
        meter.read(PREFACE).unwrap();
        meter
    }

    fn frame(kind: u8, flags: u8, length: usize) -> Vec<u8> {
        let head = (length as u32).to_be_bytes();
        let head = [&head[1..], &[kind, flags, 0, 0, 0, 1]].concat();
        [head, vec![0xff; length]].concat()
    }

    /// How many of these frames pass, one after the other, of at most so many.
    fn pass(meter: &mut Meter, frames: &[Vec<u8>], most: usize) -> usize {
        let mut all = frames.iter().cycle().take(most);
        all.position(|frame| meter.read(frame).is_err())
            .unwrap_or(most)
    }

    #[test]
    fn frames_that_ask_for_nothing_end_a_connection() {
        for (kind, length) in [
            (PING, 8),
            (4, 0),
            (2, 5),
            (9, 2000),
            (0xbb, 64),
            (DATA, 0),
            (DATA, 1),
            (HEADERS, 40),
        ] {
            let passed = pass(&mut begun(), &[frame(kind, 0, length)], MANY);
            assert!((1000..30_000).contains(&passed), "{passed} of kind {kind}");
        }
        // That the node answers each with a few bytes pays for none.
        let mut meter = begun();
        let answered = (0..MANY).position(|_| {
            meter.wrote(17);
            meter.read(&frame(PING, 0, 8)).is_err()
        });
        assert!(answered.is_some());
    }

    #[test]
    fn who_asks_or_sends_or_is_answered_may_go_on() {
        let call = [
            frame(HEADERS, 4, 40),
            frame(DATA, 0, 5),
            frame(DATA, END_STREAM, 0),
            frame(WINDOW_UPDATE, 0, 4),
            frame(WINDOW_UPDATE, 0, 4),
            frame(PING, 0, 8),
        ];
        let mut meter = begun();
        for _ in 0..MANY {
            meter.calls.one_more();
            assert_eq!(pass(&mut meter, &call, call.len()), call.len());
        }
        let sent = [frame(DATA, 0, 600), frame(WINDOW_UPDATE, 0, 4)];
        assert_eq!(pass(&mut begun(), &sent, MANY), MANY);
        // A long answer: two windows for each piece of 16 KiB.
        let mut meter = begun();
        for _ in 0..MANY {
            meter.wrote(16 << 10);
            for _ in 0..2 {
                meter.read(&frame(WINDOW_UPDATE, 0, 4)).unwrap();
            }
        }
        // It is not kept for ever.
        assert!(pass(&mut meter, &[frame(PING, 0, 8)], MANY) < MANY);
    }

    #[test]
    fn so_much_is_remembered_and_a_call_pays_once() {
        let mut brought = begun();
        assert_eq!(pass(&mut brought, &[frame(DATA, 0, 16 << 10)], 10), 10);
        let mut answered = begun();
        answered.wrote(16 << 20);
        // Calls are counted once nothing else is left.
        let mut called = begun();
        for _ in 0..MANY {
            called.calls.one_more();
        }
        assert_eq!(pass(&mut called, &[frame(PING, 0, 8)], 5), 5);
        for meter in [brought, answered, called] {
            assert_eq!(meter.left, REMEMBERED);
        }
        let mut once = begun();
        once.calls.one_more();
        assert!(pass(&mut once, &[frame(PING, 0, 8)], MANY) < MANY);
    }

    #[test]
    fn a_network_is_one_on_all_its_connections() {
        let idle = idle(&[]);
        let pings = |address, most| {
            let mut meter = new(&idle, address);
            meter.read(PREFACE).unwrap();
            pass(&mut meter, &[frame(PING, 0, 8)], most)
        };
        assert!(pings("192.0.2.1", MANY) < MANY);
        assert!(pings("::ffff:192.0.2.1", 5000) < 5000);
        assert_eq!(pings("192.0.2.2", 5000), 5000);
    }

    #[test]
    fn a_frame_is_the_same_however_it_comes() {
        let frames = [
            PREFACE.to_vec(),
            frame(HEADERS, 4, 300),
            frame(DATA, 0, 0),
            frame(PING, 0, 8),
            frame(DATA, 0, 20),
        ]
        .concat();
        for at in 0..frames.len() {
            let mut parts = new(&idle(&[]), "192.0.2.1");
            parts.read(&frames[..at]).unwrap();
            parts.read(&frames[at..]).unwrap();
            assert_eq!(parts.left, BEGIN + 20 - 4 * FRAME, "cut at {at}");
        }
    }

    #[test]
    fn what_is_not_http2_is_not_counted() {
        let mut meter = new(&idle(&[]), "192.0.2.1");
        meter.read(b"PRI * HTTP/1.1\r\n").unwrap();
        assert_eq!(pass(&mut meter, &[frame(PING, 0, 8)], MANY), MANY);
    }
}
