//! The clients: publishing over streams and over single calls, and asking for proofs.

use crate::material::Material;
use anyhow::{Context, bail, ensure};
use assay_proto::v1::{
    GetInclusionProofRequest, PublishRequest, PublishStreamRequest, Wait, get_inclusion_proof_request::Leaf,
    log_service_client::LogServiceClient, publish_result::Result as Outcome,
};
use futures::{StreamExt, TryStreamExt, stream};
use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tonic::transport::Channel;

/// Connections. More than the node has threads, so that each thread has some.
const CONNECTIONS: u64 = 4;

/// Claims in one message of a stream.
const ITEMS: usize = 64;

/// Single publishing calls in flight.
const IN_FLIGHT: usize = 256;

/// Proofs in flight on one connection; below the node's limit of 100 streams.
const PROOFS_IN_FLIGHT: usize = 64;

type Client = LogServiceClient<Channel>;

async fn clients(url: &str) -> anyhow::Result<Vec<Client>> {
    let connect = |_| async { anyhow::Ok(Client::connect(url.to_owned()).await?) };
    stream::iter(0..CONNECTIONS).then(connect).try_collect().await
}

/// Publishes claims over a few streams and returns claims a second, from the first message to the last answer. Signing
/// is done before the clock starts, some at a time, so that memory stays bounded.
pub async fn publish_stream(url: &str, material: &Material, claims: Range<u64>) -> anyhow::Result<f64> {
    const AT_ONCE: u64 = 200_000;
    let clients = clients(url).await?;
    let (mut done, mut elapsed) = (0, 0.0);
    let mut start = claims.start;
    while start < claims.end {
        let end = claims.end.min(start + AT_ONCE);
        let messages = material.messages(start..end, ITEMS);
        let share = messages.len().div_ceil(clients.len());
        let started = Instant::now();
        let streams = messages.chunks(share).zip(&clients).map(|(messages, client)| {
            tokio::spawn(one_stream(client.clone(), messages.to_vec()))
        });
        for stream in futures::future::join_all(streams).await {
            done += stream??;
        }
        elapsed += started.elapsed().as_secs_f64();
        start = end;
    }
    ensure!(done == claims.end - claims.start, "{done} claims were logged");
    Ok(done as f64 / elapsed)
}

async fn one_stream(mut client: Client, messages: Vec<PublishStreamRequest>) -> anyhow::Result<u64> {
    let mut answers = client.publish_stream(stream::iter(messages)).await?.into_inner();
    let mut done = 0;
    while let Some(answer) = answers.message().await? {
        for result in answer.results {
            match result.result.context("an empty answer")? {
                Outcome::Published(published) => {
                    ensure!(!published.already_logged, "a claim was logged before");
                    done += 1;
                }
                Outcome::Refused(refused) => bail!("refused: {}", refused.message),
            }
        }
    }
    Ok(done)
}

/// Publishes claims by single calls, [`IN_FLIGHT`] at once, and returns claims a second.
pub async fn publish_unary(url: &str, material: &Material, claims: Range<u64>) -> anyhow::Result<f64> {
    let clients = clients(url).await?;
    let count = claims.end - claims.start;
    let signed = material.claims(claims);
    let share = signed.len().div_ceil(clients.len());
    let started = Instant::now();
    let workers = signed.chunks(share).zip(clients).map(|(claims, client)| {
        let claims = claims.to_vec();
        tokio::spawn(async move {
            let calls = stream::iter(claims).map(|claim| {
                let mut client = client.clone();
                async move {
                    let request = PublishRequest { claim: Some(claim), wait: Wait::Sequenced.into() };
                    client.publish(request).await
                }
            });
            calls.buffer_unordered(IN_FLIGHT / CONNECTIONS as usize).try_for_each(|_| async { Ok(()) }).await
        })
    });
    for worker in futures::future::join_all(workers).await {
        worker??;
    }
    Ok(count as f64 / started.elapsed().as_secs_f64())
}

/// What to ask proofs for.
pub struct Shape {
    /// Size of the tree, and bound of the leaf indices.
    pub size: u64,
    /// How long.
    pub duration: Duration,
}

/// Asks for inclusion proofs of leaves all over the tree and returns answers a second.
pub async fn proofs(url: &str, shape: &Shape) -> anyhow::Result<f64> {
    let clients = clients(url).await?;
    let (done, next) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let size = shape.size;
    let started = Instant::now();
    let deadline = started + shape.duration;
    let mut tasks = Vec::new();
    for client in &clients {
        for _ in 0..PROOFS_IN_FLIGHT {
            let (mut client, done, next) = (client.clone(), done.clone(), next.clone());
            tasks.push(tokio::spawn(async move {
                while Instant::now() < deadline {
                    // A fixed odd stride visits every leaf of the tree, near and far, in no order that a cache would like.
                    let turn = next.fetch_add(1, Ordering::Relaxed);
                    let leaf = Leaf::LeafIndex(turn.wrapping_mul(0x9e37_79b9_7f4a_7c15) % size);
                    let request = GetInclusionProofRequest { leaf: Some(leaf), tree_size: size };
                    let answer = client.get_inclusion_proof(request).await?.into_inner();
                    ensure!(!answer.hashes.is_empty(), "an empty proof");
                    done.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            }));
        }
    }
    for task in tasks {
        task.await??;
    }
    Ok(done.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64())
}
