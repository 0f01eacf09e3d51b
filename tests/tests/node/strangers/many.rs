//! Many of one thing: connections of one address, messages of one question.

use super::{Stranger, framed, grpc_status, metric};
use crate::{AT_ONCE, Fixture};
use assay_proto::v1::BatchLookupRequest;
use futures::{StreamExt, stream};
use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio::net::TcpSocket;
use tonic::Code;

/// Opens a connection from 127.0.0.`address` and asks for the checkpoint. Returns the connection,
/// if it was answered.
async fn connect(fixture: &Fixture, address: u8) -> anyhow::Result<Option<std::net::TcpStream>> {
    let node: SocketAddr = fixture
        .node
        .ready()
        .url
        .trim_start_matches("http://")
        .parse()?;
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::new(127, 0, 0, address), 0).into())?;
    let mut stream = socket.connect(node).await?.into_std()?;
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let asked = stream.write_all(b"GET /checkpoint HTTP/1.1\r\nhost: log\r\n\r\n");
    let mut answer = [0; 15];
    let answered = asked.is_ok() && stream.read_exact(&mut answer).is_ok();
    Ok((answered && answer == *b"HTTP/1.1 200 OK").then_some(stream))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_a_sixteenth_of_all_connections() -> anyhow::Result<()> {
    let fixture = Fixture::start(&format!("{AT_ONCE}\nserver.connections = 64")).await?;
    let mut open = Vec::new();
    for _ in 0..10 {
        open.extend(connect(&fixture, 2).await?);
    }
    assert_eq!(open.len(), 4);
    let refused = metric(
        &fixture,
        "assay_refused_total{limit=\"address_connections\"}",
    )
    .await?;
    assert_eq!(refused, 6.0);
    assert!(connect(&fixture, 3).await?.is_some());
    // Those behind a shared address are many.
    for _ in 0..10 {
        open.extend(connect(&fixture, 1).await?);
    }
    assert_eq!(open.len(), 14);
    // A connection that ends makes room for another one.
    open.clear();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(connect(&fixture, 2).await?.is_some());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_has_no_messages_without_names() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    let stranger = Stranger::new(&fixture.node, 2, 1 << 16)?;
    let empty = framed(&BatchLookupRequest::default());
    let messages = stream::iter(0..1 << 20).map(move |_| Ok::<_, std::io::Error>(empty.clone()));
    let batch = stranger.grpc("IndexService/BatchLookup");
    let body = reqwest::Body::wrap_stream(messages);
    let answer = batch.body(body).send().await?;
    assert_eq!(grpc_status(&answer), Some(Code::InvalidArgument as i32));
    Ok(())
}
