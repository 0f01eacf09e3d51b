//! The clients: publishing over streams and over single calls, and asking for proofs.

use crate::connection::{Connection, connect, connect_index};
use crate::material::{Material, in_messages};
use anyhow::{Context, anyhow, bail, ensure};
use assay_claims::entry::wire;
use assay_proto::v1::{
    GetInclusionProofRequest, LookupRequest, PublishRequest, PublishStreamRequest, Wait,
    get_inclusion_proof_request::Leaf, log_service_client::LogServiceClient,
    publish_result::Result as Outcome,
};
use futures::{StreamExt, TryStreamExt, stream};
use std::{
    ops::Range,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

/// Connections. More than the node has threads, so that each thread has some.
const CONNECTIONS: u64 = 4;

/// Claims in one message of a stream.
const ITEMS: usize = 64;

/// Single publishing calls in flight.
const IN_FLIGHT: usize = 256;

/// Proofs in flight on one connection: on all, half of the calls that a network may have open, as
/// one that is answered may be so for a moment longer.
const PROOFS_IN_FLIGHT: usize = 16;

type Client = LogServiceClient<Connection>;

/// Runs one task a connection, on as many threads as there are cores. Each thread has a runtime of
/// its own, as the node's have: what is measured is the node, and a client that moves its calls
/// between cores would take the node's share.
pub fn spread<T, R>(
    shares: Vec<T>,
    work: impl AsyncFn(T) -> anyhow::Result<R> + Sync,
) -> anyhow::Result<Vec<R>>
where
    T: Send,
    R: Send,
{
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut groups: Vec<Vec<T>> = (0..threads).map(|_| Vec::new()).collect();
    for (at, share) in shares.into_iter().enumerate() {
        groups[at % threads].push(share);
    }
    let work = &work;
    thread::scope(|scope| {
        let workers = groups.into_iter().map(|group| {
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()?;
                runtime.block_on(futures::future::try_join_all(
                    group.into_iter().map(|share| work(share)),
                ))
            })
        });
        let workers: Vec<_> = workers.collect();
        let mut results = Vec::new();
        for worker in workers {
            results.extend(
                worker
                    .join()
                    .map_err(|_| anyhow!("a client thread panicked"))??,
            );
        }
        Ok(results)
    })
}

/// Publishes claims over a few streams and returns claims a second, from the first message to the
/// last answer. Signing is done before the clock starts, some at a time, so that memory stays
/// bounded.
pub fn publish_stream(url: &str, material: &Material, claims: Range<u64>) -> anyhow::Result<f64> {
    const AT_ONCE: u64 = 200_000;
    let (mut done, mut elapsed) = (0, 0.0);
    let mut start = claims.start;
    while start < claims.end {
        let end = claims.end.min(start + AT_ONCE);
        let messages = material.messages(start..end, ITEMS);
        let shares = shares(messages);
        let started = Instant::now();

        done += spread(shares, async |messages| {
            one_stream(connect(url).await?, messages).await
        })?
        .iter()
        .sum::<u64>();
        elapsed += started.elapsed().as_secs_f64();
        start = end;
    }
    ensure!(
        done == claims.end - claims.start,
        "{done} claims were logged"
    );
    Ok(done as f64 / elapsed)
}

/// Publishes these claims over a stream.
pub async fn publish_claims(url: &str, claims: &[wire::Claim]) -> anyhow::Result<()> {
    let done = one_stream(connect(url).await?, in_messages(0, claims, ITEMS)).await?;
    ensure!(done == claims.len() as u64, "{done} claims were logged");
    Ok(())
}

fn shares<T>(mut all: Vec<T>) -> Vec<Vec<T>> {
    let share = all.len().div_ceil(CONNECTIONS as usize).max(1);
    let mut shares = Vec::new();
    while !all.is_empty() {
        let rest = all.split_off(share.min(all.len()));
        shares.push(std::mem::replace(&mut all, rest));
    }
    shares
}

async fn one_stream(
    mut client: Client,
    messages: Vec<PublishStreamRequest>,
) -> anyhow::Result<u64> {
    let mut answers = client
        .publish_stream(stream::iter(messages))
        .await?
        .into_inner();
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
pub fn publish_unary(url: &str, material: &Material, claims: Range<u64>) -> anyhow::Result<f64> {
    let count = claims.end - claims.start;
    let shares = shares(material.claims(claims));
    let started = Instant::now();
    spread(shares, async |claims: Vec<_>| {
        let client = connect(url).await?;

        let answers = stream::iter(claims)
            .map(|claim| {
                let mut client = client.clone();
                async move {
                    client
                        .publish(PublishRequest {
                            claim: Some(claim),
                            wait: Wait::Sequenced.into(),
                        })
                        .await
                }
            })
            .buffer_unordered(IN_FLIGHT / CONNECTIONS as usize);
        Ok(answers.try_for_each(|_| async { Ok(()) }).await?)
    })?;
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
pub fn proofs(url: &str, shape: &Shape) -> anyhow::Result<f64> {
    let next = AtomicU64::new(0);
    let size = shape.size;
    let started = Instant::now();
    let deadline = started + shape.duration;
    let ask = async |mut client: Client| {
        let mut done = 0_u64;
        while Instant::now() < deadline {
            // A fixed odd stride visits every leaf of the tree, near and far, in no order that a
            // cache would like.
            let turn = next.fetch_add(1, Ordering::Relaxed);
            let leaf = Leaf::LeafIndex(turn.wrapping_mul(0x9e37_79b9_7f4a_7c15) % size);
            let request = GetInclusionProofRequest {
                leaf: Some(leaf),
                tree_size: size,
            };
            let answer = client.get_inclusion_proof(request).await?.into_inner();
            ensure!(!answer.hashes.is_empty(), "an empty proof");
            done += 1;
        }
        Ok(done)
    };
    let done = spread((0..CONNECTIONS).collect(), async |_| {
        let client = connect(url).await?;
        let asking = (0..PROOFS_IN_FLIGHT).map(|_| ask(client.clone()));
        Ok(futures::future::try_join_all(asking)
            .await?
            .iter()
            .sum::<u64>())
    })?;
    Ok(done.iter().sum::<u64>() as f64 / started.elapsed().as_secs_f64())
}

/// What to look up.
pub enum Asked<'m> {
    /// Versions of packages, of claims up to this number.
    Versions(&'m Material, u64),
    /// Answers of so many bytes, of the canned server.
    Bytes(u64),
}

/// Asks `Lookup` for one label after the other, all over the index, and returns answers a second.
pub fn lookups(url: &str, asked: &Asked<'_>, duration: Duration) -> anyhow::Result<f64> {
    let requests: Vec<LookupRequest> = match asked {
        Asked::Bytes(bytes) => vec![LookupRequest {
            label: vec![7; 32].into(),
            from: *bytes,
            limit: 0,
        }],
        Asked::Versions(material, claims) => (0..1_u64 << 16)
            .map(|turn| LookupRequest {
                label: material.label(turn.wrapping_mul(0x9e37_79b9_7f4a_7c15) % claims),
                from: 0,
                limit: 0,
            })
            .collect(),
    };
    let next = AtomicU64::new(0);
    let started = Instant::now();
    let deadline = started + duration;
    let done = spread((0..CONNECTIONS).collect(), async |_| {
        let client = connect_index(url).await?;
        let ask = async |mut client: crate::connection::IndexClient| {
            let mut done = 0_u64;
            while Instant::now() < deadline {
                let turn = next.fetch_add(1, Ordering::Relaxed) as usize;
                let answer = client
                    .lookup(requests[turn % requests.len()].clone())
                    .await?
                    .into_inner()
                    .answer;
                let answer = answer.context("no answer")?;
                ensure!(!answer.cut.is_empty(), "an empty proof");
                ensure!(
                    matches!(asked, Asked::Bytes(_)) || answer.entries.len() == 1,
                    "not one claim"
                );
                done += 1;
            }
            anyhow::Ok(done)
        };
        let asking = (0..PROOFS_IN_FLIGHT).map(|_| ask(client.clone()));
        Ok(futures::future::try_join_all(asking)
            .await?
            .iter()
            .sum::<u64>())
    })?;
    Ok(done.iter().sum::<u64>() as f64 / started.elapsed().as_secs_f64())
}
