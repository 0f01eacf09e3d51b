//! What strangers know of a node.

use crate::{issuer::Actor, stranger::Stranger};
use assay_tlog::Hash;
use bytes::Bytes;
use futures::future::join_all;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::net::{TcpSocket, TcpStream};

/// Networks from which strangers come.
pub const NETWORKS: usize = 8;

/// Streams of a connection.
const STREAMS: usize = 100;

/// How long a stranger waits who was refused or shut out.
const PAUSE: Duration = Duration::from_millis(50);

/// A node and what is known of it.
#[derive(Clone)]
pub struct Target {
    /// Where it is.
    pub url: String,
    /// The same.
    pub node: SocketAddr,
    /// The third number of the strangers' addresses.
    pub row: u8,
    /// The label of its longest list.
    pub label: Bytes,
    /// The digest of a stored attachment.
    pub document: Hash,
    /// The id of a claim in it, in hex.
    pub claim: String,
    /// An issuer that is registered in it, of whom the strangers have the key.
    pub issuer: Arc<Actor>,
    /// How often strangers did what they do.
    pub done: Arc<AtomicU64>,
}

impl Target {
    /// The address of the stranger with this number.
    pub fn address(&self, number: usize) -> IpAddr {
        let last = (number % 250) as u8 + 1;
        Ipv4Addr::new(127, 1, self.row, last).into()
    }

    /// A connection from the address with this number.
    pub async fn connect(&self, number: usize) -> anyhow::Result<TcpStream> {
        self.connect_with(number, |_| Ok(())).await
    }

    /// The same, of a socket that is set up before.
    pub async fn connect_with(
        &self,
        number: usize,
        set: impl FnOnce(&TcpSocket) -> std::io::Result<()>,
    ) -> anyhow::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((self.address(number), 0).into())?;
        set(&socket)?;
        Ok(socket.connect(self.node).await?)
    }

    /// A stranger with an HTTP/2 connection of their own, who grants the node so many bytes at a
    /// time.
    pub fn stranger(&self, number: usize, window: u32) -> anyhow::Result<Stranger> {
        Stranger::at(&self.url, self.address(number), window)
    }

    /// Counts what was done.
    pub fn did(&self, times: u64) {
        self.done.fetch_add(times, Ordering::Relaxed);
    }

    /// So many strangers who do something again and again, whatever comes of it.
    pub async fn each(&self, strangers: usize, attack: impl AsyncFn(usize) -> anyhow::Result<()>) {
        let attack = &attack;
        let all = (0..strangers).map(async |number| {
            loop {
                // Who is refused tries again.
                let _ = attack(number).await;
                tokio::time::sleep(PAUSE).await;
            }
        });
        join_all(all).await;
    }

    /// So many connections with an HTTP/2 window, on each of which as many calls as it may have are
    /// begun again and again, after a pause.
    pub async fn streams(
        &self,
        connections: usize,
        window: u32,
        pause: Duration,
        call: impl AsyncFn(&Stranger),
    ) {
        let call = &call;
        self.each(connections, async |number: usize| {
            let stranger = &self.stranger(number, window)?;
            let streams = (0..STREAMS).map(async |_| {
                loop {
                    self.did(1);
                    call(stranger).await;
                    tokio::time::sleep(pause).await;
                }
            });
            join_all(streams).await;
            Ok(())
        })
        .await;
    }
}
