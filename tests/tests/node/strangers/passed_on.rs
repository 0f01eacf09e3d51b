//! Callers whose connections a proxy passes on: the header of the PROXY protocol says who they are,
//! if the operator says so.

use super::{address, connect};
use crate::{AT_ONCE, Fixture};
use assay_proto::v1::{PublishRequest, Wait, log_service_client::LogServiceClient};
use assay_tests::issuer::Actor;
use hyper_util::rt::TokioIo;
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use tonic::{
    Code, Request,
    metadata::AsciiMetadataValue,
    transport::{Channel, Endpoint},
};

/// A proxy at 127.0.0.2, which passes on connections.
const PROXY: &str = "server.trusted_proxies = [\"127.0.0.2\"]\nserver.proxy_protocol = true";

const PROXY_ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Longest time that anything here may take. The node gives a header five seconds.
const PATIENCE: Duration = Duration::from_secs(60);

const QUESTION: &[u8] = b"GET /checkpoint HTTP/1.1\r\nHost: log\r\nConnection: close\r\n\r\n";

const V1: &[u8] = b"PROXY TCP4 192.0.2.1 10.0.0.1 4711 80\r\n";

/// A header of version 2.
fn binary(command: u8, family: u8, addresses: &[u8]) -> Vec<u8> {
    let length = (addresses.len() as u16).to_be_bytes();
    let signature = b"\r\n\r\n\0\r\nQUIT\n";
    [&signature[..], &[command, family], &length, addresses].concat()
}

fn v2(last: u8) -> Vec<u8> {
    binary(
        0x21,
        0x11,
        &[192, 0, 2, last, 10, 0, 0, 1, 0x12, 0x67, 0, 80],
    )
}

/// Sends these parts from 127.0.0.`from`, each by itself, and returns the status that the node
/// answers with; none if it closes the connection.
async fn ask(node: SocketAddr, from: u8, parts: &[&[u8]]) -> anyhow::Result<Option<String>> {
    let mut stream = connect(node, Ipv4Addr::new(127, 0, 0, from)).await?;
    let asking = async {
        for part in parts {
            // It may be closed already.
            let sent = stream.write_all(part).await;
            if sent.is_err() || stream.flush().await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        answer.split(' ').nth(1).map(str::to_owned)
    };
    Ok(timeout(PATIENCE, asking).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_of_a_proxy_begins_with_a_header_or_is_closed() -> anyhow::Result<()> {
    let fixture = Fixture::start(&format!("{AT_ONCE}\n{PROXY}")).await?;
    let node = address(&fixture)?;
    let local = binary(0x20, 0, b"");
    for header in [V1, b"PROXY UNKNOWN\r\n", &v2(1), &local] {
        for cut in [0, 1, 5, 11, 12, 13, 15, header.len()] {
            let (first, second) = header.split_at(cut.min(header.len()));
            let answer = ask(node, 2, &[first, second, QUESTION]).await?;
            assert_eq!(answer.as_deref(), Some("200"), "{header:?} cut at {cut}");
        }
        let together = [header, QUESTION].concat();
        let answer = ask(node, 2, &[&together]).await?;
        assert_eq!(answer.as_deref(), Some("200"), "{header:?}");
    }
    let long = [b"PROXY UNKNOWN ".as_slice(), &[b'a'; 200], b"\r\n"].concat();
    for wrong in [
        b"".as_slice(),
        b"PROXY TCP4 192.0.2.1\r\n",
        b"PROXY TCP5 192.0.2.1 10.0.0.1 4711 80\r\n",
        &long,
        &binary(0x21, 0x11, &[0; 60_000]),
        &binary(0x21, 0x41, &[0; 12]),
        &binary(0x31, 0x11, &[0; 12]),
    ] {
        assert_eq!(ask(node, 2, &[wrong, QUESTION]).await?, None, "{wrong:?}");
    }
    // One that never comes to its end.
    let mut stalled = connect(node, PROXY_ADDRESS).await?;
    stalled.write_all(b"PROXY ").await?;
    let ended = timeout(PATIENCE, stalled.read(&mut [0])).await?;
    assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
    // Whoever is no proxy is served as ever, and answered as ever.
    assert_eq!(ask(node, 3, &[QUESTION]).await?.as_deref(), Some("200"));
    assert_eq!(ask(node, 3, &[V1, QUESTION]).await?.as_deref(), Some("400"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_protocol_a_header_is_no_question() -> anyhow::Result<()> {
    let trusted = "server.trusted_proxies = [\"127.0.0.2\"]";
    let fixture = Fixture::start(&format!("{AT_ONCE}\n{trusted}")).await?;
    let node = address(&fixture)?;
    assert_eq!(ask(node, 2, &[QUESTION]).await?.as_deref(), Some("200"));
    assert_eq!(ask(node, 2, &[V1, QUESTION]).await?.as_deref(), Some("400"));
    Ok(())
}

/// Connects from the proxy, with this header.
async fn channel(node: SocketAddr, header: Vec<u8>) -> anyhow::Result<Channel> {
    let connector = tower::service_fn(move |_| {
        let header = header.clone();
        async move {
            let mut stream = connect(node, PROXY_ADDRESS).await?;
            stream.write_all(&header).await?;
            Ok::<_, std::io::Error>(TokioIo::new(stream))
        }
    });
    let endpoint = Endpoint::from_shared(format!("http://{node}"))?;
    Ok(endpoint.connect_with_connector(connector).await?)
}

/// Registers an issuer over a connection with this header.
async fn register(node: SocketAddr, seed: u8, header: &[u8], said: &str) -> anyhow::Result<Code> {
    let mut request = Request::new(PublishRequest {
        claim: Some(Actor::new(&[seed], 1).registration()?),
        wait: Wait::Sequenced.into(),
    });
    let said = AsciiMetadataValue::try_from(said)?;
    request.metadata_mut().insert("x-forwarded-for", said);
    let channel = channel(node, header.to_vec()).await?;
    let answer = LogServiceClient::new(channel).publish(request).await;
    Ok(answer.map_or_else(|status| status.code(), |_| Code::Ok))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_header_says_whom_limits_count() -> anyhow::Result<()> {
    let few = "admission.registrations_per_hour = 1";
    let fixture = Fixture::start(&format!("{AT_ONCE}\n{few}\n{PROXY}")).await?;
    let node = address(&fixture)?;
    let local = binary(0x20, 0, b"");
    for (seed, header, said, answer) in [
        (11, V1, "192.0.2.9", Code::Ok),
        // What callers say themselves is passed on, and not believed.
        (12, &v2(1), "192.0.2.8", Code::ResourceExhausted),
        (13, &v2(2), "192.0.2.1", Code::Ok),
        (14, &local, "192.0.2.7", Code::Ok),
        (15, &local, "192.0.2.6", Code::ResourceExhausted),
    ] {
        let found = register(node, seed, header, said).await?;
        assert_eq!(found, answer, "{seed}: {header:?}");
    }
    Ok(())
}
