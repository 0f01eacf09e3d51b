//! Frames of HTTP/2 that ask for nothing: whoever sends many is closed out, and nobody else is.

use super::{address, connect, metric};
use crate::Fixture;
use anyhow::ensure;
use assay_tests::siege::{beginnings::PREFACE, frames::mistaken};
use std::{net::Ipv4Addr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Settings, none.
pub(super) const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";

/// A ping, which is to be answered.
const PING: &[u8] = b"\0\0\x08\x06\0\0\0\0\0assay-01";

/// Sends frames until the node closes the connection, at most so many. Returns whether it did.
async fn flood(stream: TcpStream, frame: &[u8], most: usize) -> anyhow::Result<bool> {
    let (mut read, mut write) = stream.into_split();
    let many = frame.repeat(100);
    let writing = async {
        write.write_all(&[PREFACE, SETTINGS].concat()).await?;
        for _ in 0..most / 100 {
            write.write_all(&many).await?;
        }
        // What it answers is read below, until it has nothing more to say.
        std::future::pending::<std::io::Result<()>>().await
    };
    let mut answers = vec![0; 1 << 16];
    let reading = async { while let Ok(1..) = read.read(&mut answers).await {} };
    let ended = async {
        tokio::select! {
            ended = writing => ended.is_err(),
            () = reading => true,
        }
    };
    let patience = Duration::from_secs(20);
    Ok(tokio::time::timeout(patience, ended).await.unwrap_or(false))
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_of_frames_are_closed_and_their_network_with_them() -> anyhow::Result<()> {
    let fixture = Fixture::start("").await?;
    let node = address(&fixture)?;
    let (one, other) = (Ipv4Addr::new(127, 0, 3, 1), Ipv4Addr::new(127, 0, 3, 2));
    ensure!(
        flood(connect(node, one).await?, PING, 100_000).await?,
        "pings go on"
    );
    ensure!(
        flood(connect(node, one).await?, PING, 100_000).await?,
        "again"
    );
    ensure!(metric(&fixture, "assay_refused_total{limit=\"address_frames\"}").await? >= 2.0);
    let mut stream = connect(node, other).await?;
    stream
        .write_all(&[PREFACE, SETTINGS, &PING.repeat(500)].concat())
        .await?;
    let mut answers = vec![0; 500 * PING.len()];
    stream.read_exact(&mut answers).await?;
    // Whoever asks for something is answered, however often, from that address, too.
    let client = reqwest::Client::builder()
        .local_address(std::net::IpAddr::from(one))
        .http2_prior_knowledge()
        .build()?;
    let checkpoint = format!("{}/checkpoint", fixture.node.ready().url);
    for _ in 0..200 {
        client.get(&checkpoint).send().await?.error_for_status()?;
    }
    Ok(())
}

/// What came of a stream that its caller ended by a mistake can lie in memory.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_makes_so_many_mistakes() -> anyhow::Result<()> {
    let fixture = Fixture::start("").await?;
    let node = address(&fixture)?;
    for (mistakes, is_closed) in [(100, false), (200, true)] {
        let mut stream = connect(node, Ipv4Addr::new(127, 0, 3, 1)).await?;
        let calls = (0..mistakes).flat_map(|number| mistaken(2 * number + 1));
        let calls: Vec<u8> = [PREFACE, SETTINGS]
            .concat()
            .into_iter()
            .chain(calls)
            .collect();
        stream.write_all(&calls).await?;
        stream.write_all(PING).await?;
        // A ping is answered behind all that came before, or never.
        let answered = async {
            let (mut answers, mut answer) = (Vec::new(), [0; 1 << 10]);
            while let Ok(read @ 1..) = stream.read(&mut answer).await {
                answers.extend_from_slice(&answer[..read]);
                if answers.windows(8).any(|bytes| bytes == &PING[9..]) {
                    return false;
                }
            }
            true
        };
        let closed = tokio::time::timeout(Duration::from_secs(20), answered).await?;
        ensure!(closed == is_closed, "{mistakes} mistakes: {closed}");
    }
    Ok(())
}
