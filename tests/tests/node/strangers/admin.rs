//! The admin port: what asks for nothing there takes neither its connections nor the node's files.

use crate::Fixture;
use std::{fs, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// How many connections a stranger opens, and how many files the node may have open for them. It
/// opens some of its own meanwhile.
const MANY: usize = 300;
const FEW: usize = 64 + 32;

/// Longest wait for the end of a connection that sends no request.
const PATIENCE: Duration = Duration::from_secs(60);

fn open_files(fixture: &Fixture) -> anyhow::Result<usize> {
    Ok(fs::read_dir(format!("/proc/{}/fd", fixture.node.pid()?))?.count())
}

async fn connect(fixture: &Fixture) -> anyhow::Result<TcpStream> {
    let admin = fixture.node.ready().admin.replace("http://", "");
    Ok(TcpStream::connect(admin).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_of_the_admin_port_take_few_files_and_keep_nobody_out() -> anyhow::Result<()> {
    let fixture = Fixture::start("").await?;
    let before = open_files(&fixture)?;
    let mut open = Vec::new();
    for _ in 0..MANY {
        open.push(connect(&fixture).await?);
    }
    // All were accepted, as one that is behind them is answered.
    assert_eq!(fixture.log.admin("/readyz").await?.0, 200);
    let now = open_files(&fixture)?;
    assert!(
        now <= before + FEW,
        "{before} files were open, and {now} are"
    );
    // The ones that came last were left alone.
    let (mut first, mut last) = (open.remove(0), open.pop().expect("there are more"));
    let mut answer = String::new();
    let _ = first.read_to_string(&mut answer).await;
    assert!(answer.is_empty(), "{answer}");
    last.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await?;
    last.read_to_string(&mut answer).await?;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_on_the_admin_port_are_short_and_come_soon() -> anyhow::Result<()> {
    let fixture = Fixture::start("").await?;
    let mut long = connect(&fixture).await?;
    let mut request = b"GET /metrics HTTP/1.1\r\nHost: a\r\nLong: ".to_vec();
    // So many are kept, and no one more is waited for.
    request.resize(16 << 10, b'a');
    long.write_all(&request).await?;
    let mut answer = String::new();
    timeout(PATIENCE, long.read_to_string(&mut answer)).await??;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    for begun in [&b""[..], b"GET /metrics HTTP/1.1\r\nHost: "] {
        let mut half = connect(&fixture).await?;
        half.write_all(begun).await?;
        let mut rest = Vec::new();
        let _ = timeout(PATIENCE, half.read_to_end(&mut rest)).await?;
    }
    Ok(())
}
