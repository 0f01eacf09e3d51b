//! A real node process over TCP: what it answers, what it refuses, and what it is like after it was
//! stopped.
//!
//! Every test runs a node of its own, on ports that the system gives. What is read back is verified
//! by core.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test reports by panicking"
)]

mod bad_input;
mod collector;
mod damage;
mod disk;
mod drain;
mod encrypted;
mod endorsed;
mod held_key;
mod idle;
mod issuers;
mod lines;
mod not_rebuilt;
mod pipes;
mod publish;
mod questions;
mod read_api;
mod reads;
mod restart;
mod slow_disk;
mod ssh_agent;
mod strangers;
mod threads;
mod tls;
mod token;

use assay_claims::issuer::IssuerId;
use assay_proto::v1::{
    PublishResponse, PublishStreamRequest, PublishStreamResponse, Wait, publish_result,
};
use assay_tests::{
    issuer::Actor,
    log::{Leaf, Log, stated},
    process::Node,
};
use assay_tlog::Hash;
use futures::stream;
use std::collections::BTreeMap;
use tonic::{Code, Status};

/// Checkpoints follow at once, for tests that do not look at when they come.
const AT_ONCE: &str = "log.publish_interval_ms = 1";

/// After the first checkpoint no other one follows: what comes later is sequenced and not
/// published.
const NEVER: &str = "log.publish_interval_ms = 3600000";

/// Leaves of a log with one registration: a commitment to the empty index, the registration, and
/// the commitment to that.
const STARTED: u64 = 3;

/// A node with one registered issuer of one key.
struct Fixture {
    node: Node,
    log: Log,
    issuer: Actor,
}

impl Fixture {
    /// `edits` as in [`Node::configure`]. The registration is leaf 1, between the two commitments
    /// to the index before and after it, and published: [`STARTED`] leaves.
    async fn start(edits: &str) -> anyhow::Result<Self> {
        let node = Node::start_with(edits)?;
        let log = Log::connect(node.ready()).await?;
        let issuer = Actor::new(&[1], 1);
        let registered = log
            .publish(issuer.registration()?, Wait::Integrated)
            .await?;
        assert_eq!(registered.leaf_index, 1);
        assert_eq!(log.size().await?, STARTED);
        Ok(Fixture { node, log, issuer })
    }

    /// The same of a node that does not run yet.
    async fn of(mut node: Node) -> anyhow::Result<Self> {
        node.run()?;
        let (log, issuer) = (Log::connect(node.ready()).await?, Actor::new(&[1], 1));
        log.publish(issuer.registration()?, Wait::Integrated)
            .await?;
        Ok(Fixture { node, log, issuer })
    }

    /// A log of this size, at least two more than [`STARTED`]. Its claims, from number 1 on, came
    /// under one checkpoint, so that only the last leaf commits to them.
    async fn of_size(size: u64) -> anyhow::Result<Self> {
        let mut fixture = Fixture::start(NEVER).await?;
        fixture.publish(1..size - STARTED, Wait::Sequenced).await?;
        fixture.node.stop()?;
        fixture.run().await?;
        assert_eq!(fixture.log.size().await?, size);
        Ok(fixture)
    }

    /// Publishes claims one after the other, each under a checkpoint of its own: two leaves for
    /// each.
    async fn publish_each(
        &self,
        numbers: std::ops::Range<u64>,
    ) -> anyhow::Result<Vec<PublishResponse>> {
        let mut answers = Vec::new();
        for number in numbers {
            answers.extend(self.publish(number..number + 1, Wait::Integrated).await?);
        }
        Ok(answers)
    }

    /// Publishes claims with these numbers and returns what was answered.
    async fn publish(
        &self,
        numbers: std::ops::Range<u64>,
        wait: Wait,
    ) -> anyhow::Result<Vec<PublishResponse>> {
        let calls = numbers.map(|number| self.log.publish(self.issuer.claim(number), wait));
        let answers = futures::future::join_all(calls).await;
        Ok(answers.into_iter().collect::<Result<_, _>>()?)
    }

    /// Runs the node again and connects to it.
    async fn run(&mut self) -> anyhow::Result<()> {
        self.node.run()?;
        self.log = Log::connect(self.node.ready()).await?;
        Ok(())
    }
}

/// Everything that was acknowledged is found by its claim id, at its index, with its leaf hash,
/// under a signed checkpoint.
async fn assert_all_there(log: &Log, acknowledged: &[PublishResponse]) -> anyhow::Result<()> {
    for answer in acknowledged {
        let (claim, index, hash) = stated(answer)?;
        let found = log.entry(Leaf::Claim(claim)).await?;
        assert_eq!((found.index, found.entry.leaf_hash()), (index, hash));
        assert_eq!(found.entry.logged_at_ms(), answer.logged_at_ms);
    }
    Ok(())
}

/// The answers to a publishing stream, by id. Panics if one comes twice.
async fn stream_all(
    log: &Log,
    messages: Vec<PublishStreamRequest>,
) -> Result<BTreeMap<u64, publish_result::Result>, Status> {
    let mut answers = log
        .service
        .clone()
        .publish_stream(stream::iter(messages))
        .await?
        .into_inner();
    let mut results = BTreeMap::new();
    while let Some(PublishStreamResponse { results: some }) = answers.message().await? {
        for result in some {
            let before =
                results.insert(result.id, result.result.expect("an answer says something"));
            assert!(before.is_none(), "item {} was answered twice", result.id);
        }
    }
    Ok(results)
}

/// The status of a refusal: its code is `code`, and its text holds every one of `words`.
fn assert_refused<T: std::fmt::Debug>(result: Result<T, Status>, code: Code, words: &[&str]) {
    let status = result.expect_err("it should have been refused");
    assert_eq!(status.code(), code, "{}", status.message());
    for word in words {
        assert!(
            status.message().contains(word),
            "{:?} does not say {word:?}",
            status.message()
        );
    }
}

/// Lower-case hex of an issuer's id, as errors name it.
fn hex(id: &IssuerId) -> String {
    id.to_hex()
}

/// The hash in an answer.
fn hash(bytes: &[u8]) -> Hash {
    Hash::from_slice(bytes).expect("a hash has 32 bytes")
}
