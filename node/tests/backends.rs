//! A whole node on each backend that [`Backend::run`] can choose.

#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]

use assay_node::{
    config::{Config, ConfigFile as _},
    init::{self, Init},
    keyfile, log,
    node::Node,
    storage::{backend::Backend, memory::Memory},
};
use std::{net::SocketAddr, path::Path, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const ORIGIN: &str = "backends.assay.example/log";

/// The configuration of a new log in `folder`, on RocksDB.
fn on_rocksdb(folder: &Path) -> Config {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let new = init::init(&Init {
        dir: folder,
        origin: ORIGIN,
        listen: any,
        admin: any,
        tables: "",
        passphrase: None,
        holder: None,
    });
    Config::load(&new.unwrap().config).unwrap()
}

/// The same for a new log in memory.
fn in_memory(folder: &Path) -> Config {
    let mut config = on_rocksdb(folder);
    let store = Arc::new(Memory::new());
    config.log.checkpoint_file = folder.join("of-memory");
    let key = keyfile::load(&config.log.key).unwrap();
    log::create(&*store, &config.log.checkpoint_file, &key.into()).unwrap();
    config.storage.backend = Backend::Memory(store);
    config
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
    for make in [on_rocksdb, in_memory] {
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
