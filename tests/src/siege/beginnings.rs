//! Connections that begin and stop, and those that once asked for something and then stay.

use super::{Target, target::NETWORKS};
use anyhow::ensure;
use futures::{FutureExt, future::LocalBoxFuture};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};

/// The preface of HTTP/2.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How connections begin: with the preface of HTTP/2, its first bytes, nothing, the head of a
/// request of HTTP/1.1 that does not end, the preface and half a frame, and TLS.
pub const BEGINNINGS: [&[u8]; 6] = [
    PREFACE,
    b"PRI",
    b"",
    b"GET /checkpoint HTTP/1.1\r\nhost: lo",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x12\x04",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
];

/// Beginnings that are open at once from each network.
const EACH: usize = 64;

/// Connections that ask for nothing any more.
const IDLE: usize = 5000;

/// Networks from which they come: 250 each.
const IDLE_NETWORKS: usize = 20;

/// How long one of them stays away that was refused. Otherwise the strangers' thread would do
/// nothing but be refused.
const AWAY: Duration = Duration::from_secs(1);

/// Reads until the other end closes.
async fn until_closed(stream: &mut TcpStream) {
    let mut bytes = [0; 4096];
    while let Ok(1..) = stream.read(&mut bytes).await {}
}

/// Connections that begin, from every network as many as it may have, again and again.
pub fn beginnings(target: Target) -> LocalBoxFuture<'static, ()> {
    async move {
        target
            .each(EACH * NETWORKS, async |number: usize| {
                let mut stream = target.connect(number % NETWORKS).await?;
                target.did(1);
                let begin = BEGINNINGS[number / NETWORKS % BEGINNINGS.len()];
                stream.write_all(begin).await?;
                until_closed(&mut stream).await;
                Ok(())
            })
            .await;
    }
    .boxed_local()
}

/// Connections that asked once, more than a node takes.
pub fn idle(target: Target) -> LocalBoxFuture<'static, ()> {
    async move {
        target
            .each(IDLE, async |number: usize| {
                let stays = stays(&target, number).await;
                sleep(AWAY).await;
                stays
            })
            .await;
    }
    .boxed_local()
}

/// A connection that asks once, and stays for as long as it may.
async fn stays(target: &Target, number: usize) -> anyhow::Result<()> {
    let mut stream = target.connect(number % IDLE_NETWORKS).await?;
    target.did(1);
    let ask = b"GET /checkpoint HTTP/1.1\r\nhost: log\r\n\r\n";
    stream.write_all(ask).await?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await?;
    ensure!(answer == *b"HTTP/1.1 200");
    until_closed(&mut stream).await;
    Ok(())
}
