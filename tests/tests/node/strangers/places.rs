//! Connections that take all places, or all files that the node may open.

use super::{address, connect};
use crate::Fixture;
use assay_proto::v1::Wait;
use std::net::Ipv4Addr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Networks from which strangers come.
const NETWORKS: u8 = 16;

/// Begins to connect from so many networks, so often from each, and goes no further.
async fn beginnings(fixture: &Fixture, each: usize) -> anyhow::Result<Vec<TcpStream>> {
    let node = address(fixture)?;
    let mut open = Vec::new();
    for network in 0..NETWORKS {
        for number in 0..each {
            let mut stream = connect(node, Ipv4Addr::new(127, 0, 1, network)).await?;
            // The preface of HTTP/2, its first bytes, or nothing.
            let begin: &[u8] = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &b"PRI"[..], b""][number % 3];
            stream.write_all(begin).await?;
            open.push(stream);
        }
    }
    Ok(open)
}

/// How many were closed by the node.
fn closed(streams: &[TcpStream]) -> usize {
    let mut bytes = [0; 256];
    let ends = |stream: &&TcpStream| loop {
        match stream.try_read(&mut bytes) {
            // Its settings.
            Ok(1..) => {}
            Ok(0) => return true,
            Err(error) => return error.kind() != std::io::ErrorKind::WouldBlock,
        }
    };
    streams.iter().filter(ends).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_ask_for_nothing_keep_nobody_out() -> anyhow::Result<()> {
    let fixture = Fixture::start("server.connections = 32").await?;
    let streams = beginnings(&fixture, 2).await?;
    let checkpoint = format!("{}/checkpoint", fixture.node.ready().url);
    let answer = reqwest::get(checkpoint).await?.error_for_status()?;
    assert!(!answer.bytes().await?.is_empty());
    // Only so many left as were needed: they made room, and no end of patience did.
    let left = closed(&streams);
    assert!((1..8).contains(&left), "{left} were closed");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_never_calls_is_closed() -> anyhow::Result<()> {
    let fixture = Fixture::start("").await?;
    for mut stream in beginnings(&fixture, 3).await? {
        // It ends, sooner or later.
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    }
    Ok(())
}

/// Has the system let the node open so many files.
fn with_files(fixture: &mut Fixture, files: u32) {
    let script = format!("ulimit -n {files} && exec \"$@\"");
    fixture.node.wrapper = ["sh", "-c", &script, "sh"].map(str::to_owned).to_vec();
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_take_no_file_that_the_store_needs() -> anyhow::Result<()> {
    let mut fixture = Fixture::start("log.publish_interval_ms = 20").await?;
    fixture.node.stop()?;
    with_files(&mut fixture, 1200);
    fixture.run().await?;
    let streams = beginnings(&fixture, 12).await?;
    fixture.publish(1..500, Wait::Integrated).await?;
    let files = std::fs::read_dir(format!("/proc/{}/fd", fixture.node.pid()?))?.count();
    assert!(files < 700, "{files} files are open");
    drop(streams);
    fixture.publish(500..1000, Wait::Integrated).await?;
    fixture.node.stop()?;

    // The second is too few for the store itself, which would be said to be at fault.
    for files in [700, 20] {
        with_files(&mut fixture, files);
        let (status, said) = fixture.node.run_refused()?;
        assert_eq!(status.code(), Some(3));
        let few = format!("may open {files} files, and needs");
        assert!(said.contains(&few), "{said}");
        assert!(said.contains("LimitNOFILE="), "{said}");
    }
    Ok(())
}
