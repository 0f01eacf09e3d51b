//! The baselines of `inclusion_proof` and `lookup`: a process with the node's own server, whose
//! methods return as many bytes as the real ones, without looking at anything.

use anyhow::Context;
use assay_node::{
    api::{app::Api, serve::Server},
    held::{Held, Limits},
};
use assay_proto::v1::{
    self, GetInclusionProofRequest, GetInclusionProofResponse, index_service_server::IndexService,
    log_service_server::LogService,
};
use bytes::Bytes;
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, sync::watch};
use tonic::{Request, Response, Status, Streaming, service::Routes};

/// Hashes in a path of a tree of a million leaves.
const PATH: usize = 20;

#[derive(Clone)]
struct Canned {
    hashes: Bytes,
    bytes: Bytes,
}

fn absent<T>() -> Result<T, Status> {
    Err(Status::unimplemented(
        "this server only answers GetInclusionProof and Lookup",
    ))
}

#[tonic::async_trait]
impl LogService for Canned {
    type PublishStreamStream = tokio_stream::Empty<Result<v1::PublishStreamResponse, Status>>;
    type StreamEntriesStream = tokio_stream::Empty<Result<v1::StreamEntriesResponse, Status>>;
    type WatchStream = tokio_stream::Empty<Result<v1::WatchResponse, Status>>;

    async fn get_inclusion_proof(
        &self,
        request: Request<GetInclusionProofRequest>,
    ) -> Result<Response<GetInclusionProofResponse>, Status> {
        let tree_size = request.into_inner().tree_size;
        let answer = GetInclusionProofResponse {
            leaf_index: tree_size / 2,
            tree_size,
            hashes: self.hashes.clone(),
            checkpoint: String::new(),
        };
        Ok(Response::new(answer))
    }

    async fn publish(
        &self,
        _: Request<v1::PublishRequest>,
    ) -> Result<Response<v1::PublishResponse>, Status> {
        absent()
    }

    async fn publish_stream(
        &self,
        _: Request<Streaming<v1::PublishStreamRequest>>,
    ) -> Result<Response<Self::PublishStreamStream>, Status> {
        absent()
    }

    async fn get_checkpoint(
        &self,
        _: Request<v1::GetCheckpointRequest>,
    ) -> Result<Response<v1::GetCheckpointResponse>, Status> {
        absent()
    }

    async fn get_consistency_proof(
        &self,
        _: Request<v1::GetConsistencyProofRequest>,
    ) -> Result<Response<v1::GetConsistencyProofResponse>, Status> {
        absent()
    }

    async fn get_entry_and_proof(
        &self,
        _: Request<v1::GetEntryAndProofRequest>,
    ) -> Result<Response<v1::GetEntryAndProofResponse>, Status> {
        absent()
    }

    async fn stream_entries(
        &self,
        _: Request<v1::StreamEntriesRequest>,
    ) -> Result<Response<Self::StreamEntriesStream>, Status> {
        absent()
    }

    async fn get_issuer(
        &self,
        _: Request<v1::GetIssuerRequest>,
    ) -> Result<Response<v1::GetIssuerResponse>, Status> {
        absent()
    }

    async fn watch(
        &self,
        _: Request<v1::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        absent()
    }
}

/// Answers `Lookup` with as many bytes as `from` says.
#[tonic::async_trait]
impl IndexService for Canned {
    type BatchLookupStream = tokio_stream::Empty<Result<v1::BatchLookupResponse, Status>>;
    type LookupPrefixStream = tokio_stream::Empty<Result<v1::LookupPrefixResponse, Status>>;

    async fn lookup(
        &self,
        request: Request<v1::LookupRequest>,
    ) -> Result<Response<v1::LookupResponse>, Status> {
        let size = request.into_inner().from as usize;
        let cut = self.bytes.slice(..size.min(self.bytes.len()));
        Ok(Response::new(v1::LookupResponse {
            answer: Some(v1::Answer {
                cut,
                ..v1::Answer::default()
            }),
        }))
    }

    async fn batch_lookup(
        &self,
        _: Request<Streaming<v1::BatchLookupRequest>>,
    ) -> Result<Response<Self::BatchLookupStream>, Status> {
        absent()
    }

    async fn lookup_prefix(
        &self,
        _: Request<v1::LookupPrefixRequest>,
    ) -> Result<Response<Self::LookupPrefixStream>, Status> {
        absent()
    }
}

/// Serves until it is killed. Prints its URL.
pub fn serve() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("http://{}", listener.local_addr()?);
        let canned = Canned {
            hashes: vec![7; PATH * 32].into(),
            bytes: vec![7; 64 << 10].into(),
        };
        let app = Api::new(
            Arc::new(canned.clone()),
            Arc::new(canned),
            Routes::default(),
            axum::Router::new(),
        );
        let server = Server {
            app,
            tls: None,
            threads: 0,
            connections: 64,
            held: Held::new(Limits {
                bytes: 120 << 20,
                connections: 1 << 16,
                stall: Duration::from_secs(60),
                shared: Vec::new(),
            }),
            proxies: Arc::default(),
            drain: Duration::ZERO,
        };
        let (_never, stop) = watch::channel(false);
        Ok(server.run(listener, None, stop).await?)
    })
}

/// The canned server as a process of its own, killed when it is dropped.
pub struct Process {
    child: Child,
    /// Where it is.
    pub url: String,
}

impl Process {
    /// Starts it.
    pub fn start() -> anyhow::Result<Self> {
        // By this name it is found even if a build has replaced the file meanwhile.
        let mut child = Command::new("/proc/self/exe")
            .arg("canned")
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
        Ok(Process {
            child,
            url: line.trim().to_owned(),
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
