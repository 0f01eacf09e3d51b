//! What strangers may cost: memory, disk and other callers' time.
//!
//! Strangers come from addresses of their own (127.0.0.2 and so on), as they do on the network. The
//! honest caller beside them comes from 127.0.0.1.

mod admin;
mod floods;
mod many;
mod passed_on;
mod places;
mod proxied;
mod quotas;
mod unread;
mod uploads;

use crate::Fixture;
use assay_tests::{
    memory::resident_mib,
    siege::honest::{Honest, Seen, beside},
    stranger::{Stranger, framed, grpc_status},
};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio::net::{TcpSocket, TcpStream};

/// Where the node listens.
fn address(fixture: &Fixture) -> anyhow::Result<SocketAddr> {
    let url = &fixture.node.ready().url;
    Ok(url.trim_start_matches("http://").parse()?)
}

/// A connection from an address of this machine.
async fn connect(node: SocketAddr, from: Ipv4Addr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    let stream = socket.connect(node).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn caller(fixture: &Fixture) -> Honest<'_> {
    Honest {
        node: &fixture.node,
        log: &fixture.log,
        issuer: &fixture.issuer,
        path: "/checkpoint",
    }
}

/// What an honest caller sees when there is nobody else, in a turn for each number.
async fn alone(fixture: &Fixture, numbers: std::ops::Range<u64>) -> anyhow::Result<Seen> {
    let mut seen = Seen::default();
    for number in numbers {
        seen.turn(&caller(fixture), number).await?;
    }
    seen.all_answered()?;
    Ok(seen)
}

/// Publishes, proves and reads until `until` ends, and notes how long each call took and how much
/// memory the node had. Fails if one call fails.
async fn honest<T>(
    fixture: &Fixture,
    mut numbers: std::ops::RangeFrom<u64>,
    until: impl Future<Output = T>,
) -> anyhow::Result<(Seen, T)> {
    let (seen, ended) = beside(&caller(fixture), &mut numbers.start, until).await?;
    seen.all_answered()?;
    Ok((seen, ended))
}

/// What other programs on this machine may add to the slowest calls of an honest caller, and to
/// half of them.
const NOISE_P99: Duration = Duration::from_secs(2);
const NOISE_P50: Duration = Duration::from_millis(100);

/// The honest caller was answered about as fast as when there is nobody else: within twice the
/// time.
fn assert_undisturbed(idle: &Seen, busy: &Seen, what: &str) {
    for (percent, noise) in [(50, NOISE_P50), (99, NOISE_P99)] {
        let (before, now) = (idle.percentile(percent), busy.percentile(percent));
        assert!(
            now <= 2 * before + noise,
            "{what}: the p{percent} of an honest caller went from {before:?} to {now:?}"
        );
    }
}

/// The number after a metric's name and labels, 0 if nothing was counted.
pub async fn metric(fixture: &Fixture, name: &str) -> anyhow::Result<f64> {
    Ok(fixture.log.metric(name).await?.unwrap_or_default())
}
