//! A whole node on each backend that [`Backend::run`] can choose.

#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]

use assay_node::{
    config::{Config, ConfigFile as _},
    init::{self, Init},
    node::Node,
    storage::backend::Backend,
};
use std::{net::SocketAddr, path::Path};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const ORIGIN: &str = "backends.assay.example/log";

fn on_rocksdb(folder: &Path) -> Config {
    on(Backend::RocksDb, folder)
}

fn on_redb(folder: &Path) -> Config {
    on(Backend::Redb, folder)
}

/// The configuration of a new log in `folder`.
fn on(backend: Backend, folder: &Path) -> Config {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let new = init::init(&Init {
        dir: folder,
        origin: ORIGIN,
        listen: any,
        admin: any,
        backend,
        tables: "",
        passphrase: None,
        holder: None,
    });
    Config::load(&new.unwrap().config).unwrap()
}

async fn checkpoint(node: &Node) -> String {
    let mut stream = TcpStream::connect(node.address).await.unwrap();
    stream
        .write_all(b"GET /checkpoint HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_runs_stops_and_runs_again_on_every_backend() {
    for make in [on_rocksdb, on_redb] {
        let folder = tempfile::tempdir().unwrap();
        let config = make(folder.path());
        let mut shown = Vec::new();
        for _ in 0..2 {
            let node = Node::start(config.clone()).await.unwrap();
            let answer = checkpoint(&node).await;
            let (head, note) = answer.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with("HTTP/1.1 200"), "{head}");
            assert!(note.starts_with(&format!("{ORIGIN}\n1\n")), "{note}");
            shown.push(note.to_owned());
            node.stop().await.unwrap();
        }
        assert_eq!(shown[0], shown[1]);
    }
}

/// Whoever changes the name of the backend is told, and no empty store is made beside the other.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_another_backend_is_not_taken_for_none() {
    for (backend, other) in [
        (Backend::RocksDb, Backend::Redb),
        (Backend::Redb, Backend::RocksDb),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut config = on(backend.clone(), folder.path());
        config.storage.backend = other;
        let refused = anyhow::Error::from(Node::start(config).await.err().unwrap());
        let refused = format!("{refused:#}");
        let word = format!("backend = \"{backend}\"");
        assert!(refused.contains(&word), "{refused}");
    }
}
