//! Frames of HTTP/2 that ask for nothing: whoever sends many is closed out, and nobody else is.

use super::{address, connect, metric};
use crate::Fixture;
use anyhow::ensure;
use assay_tests::siege::beginnings::PREFACE;
use std::net::Ipv4Addr;
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
    let patience = std::time::Duration::from_secs(20);
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
