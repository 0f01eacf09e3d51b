//! `kill -9` under load, again and again: no acknowledged claim is lost, no size is ever shown with
//! two roots, and every checkpoint ends in a commitment to the right index.
//!
//! A killed process loses what it had in memory and nothing that it had given to the system: this
//! is a crash of the node, not of the machine (for that, see [`calls`](super::calls)). The moments
//! are drawn from a seed. The system's scheduling stays random, so that a seed makes a run like
//! another and not the same.

#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]

use super::{Draw, Row, known::commanded};
use crate::{
    index::Rebuilt,
    issuer::{Actor, payload},
    log::{Leaf, Log, covering, stated},
    process::Node,
};
use anyhow::{Context, ensure};
use assay_claims::claim::ClaimId;
use assay_claims::index::{By, Label, Name};
use assay_claims::limits;
use assay_proto::v1::{
    PublishItem, PublishResponse, PublishStreamRequest, Wait, publish_result::Result as Outcome,
};
use assay_tlog::checkpoint::VerifiedCheckpoint;
use futures::{StreamExt, stream};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::Notify, task::JoinSet};
use tokio_stream::wrappers::UnboundedReceiverStream;

/// Claims that may be acknowledged in one life of the node before it is killed, at most.
const LIFE: u64 = 300;

/// After every so many kills an operator looks at what is stored before the node starts again.
const LOOK: usize = 10;

/// Messages of a stream that are under way at once.
const MESSAGES: usize = 4;

/// What the node said, to whomever.
#[derive(Default)]
struct Seen {
    acknowledged: Mutex<Vec<PublishResponse>>,
    /// Checkpoints by size.
    checkpoints: Mutex<BTreeMap<u64, VerifiedCheckpoint>>,
    count: AtomicUsize,
    more: Notify,
}

impl Seen {
    fn acknowledge(&self, answer: PublishResponse) {
        self.acknowledged.lock().unwrap().push(answer);
        self.count.fetch_add(1, Ordering::SeqCst);
        self.more.notify_waiters();
    }

    /// Notes a checkpoint. Panics if the log signed another root for its size.
    fn checkpoint(&self, checkpoint: VerifiedCheckpoint) {
        let mut checkpoints = self.checkpoints.lock().unwrap();
        let known = checkpoints
            .entry(checkpoint.size().get())
            .or_insert_with(|| checkpoint.clone());
        assert_eq!(
            known.root(),
            checkpoint.root(),
            "two roots for size {}",
            checkpoint.size()
        );
    }

    fn newest(&self) -> u64 {
        self.checkpoints
            .lock()
            .unwrap()
            .last_key_value()
            .map_or(0, |(size, _)| *size)
    }

    async fn acknowledged(&self, count: usize) {
        loop {
            let more = self.more.notified();
            if self.count.load(Ordering::SeqCst) >= count {
                return;
            }
            more.await;
        }
    }
}

/// Everybody who talks to the node in one of its lives. They end when it does.
struct Load {
    log: Log,
    issuer: Arc<Actor>,
    seen: Arc<Seen>,
    /// Number of the next claim, over all lives: each is published by one caller, and once.
    next: Arc<AtomicU64>,
}

impl Load {
    fn claim(&self) -> assay_claims::entry::wire::Claim {
        self.issuer.claim(self.next.fetch_add(1, Ordering::SeqCst))
    }

    /// Single calls, one after the other.
    async fn publish(&self, wait: Wait) {
        while let Ok(answer) = self.log.publish(self.claim(), wait).await {
            assert!(answer.reached >= i32::from(wait));
            self.seen.acknowledge(answer);
        }
    }

    /// A stream of small messages, a few of which are under way at once.
    async fn stream(&self, wait: Wait) {
        let (answered, go_on) = tokio::sync::mpsc::unbounded_channel();
        for _ in 0..MESSAGES {
            let _ = answered.send(());
        }
        let (issuer, next) = (self.issuer.clone(), self.next.clone());
        let messages = UnboundedReceiverStream::new(go_on).map(move |()| {
            let items = (0..5).map(|_| {
                let id = next.fetch_add(1, Ordering::SeqCst);
                PublishItem {
                    id,
                    claim: Some(issuer.claim(id)),
                }
            });
            PublishStreamRequest {
                wait: wait.into(),
                items: items.collect(),
            }
        });
        let Ok(answers) = self.log.service.clone().publish_stream(messages).await else {
            return;
        };
        let mut answers = answers.into_inner();
        while let Ok(Some(answer)) = answers.message().await {
            for result in answer.results {
                match result.result {
                    Some(Outcome::Published(published)) => {
                        assert_eq!(
                            published.claim_id,
                            ClaimId::of_payload(&payload(result.id)).as_bytes()[..]
                        );
                        self.seen.acknowledge(published);
                    }
                    // A node that is dying may say so; it may not blame the claim.
                    other => panic!("item {}: {other:?}", result.id),
                }
            }
            let _ = answered.send(());
        }
    }

    /// Asks for the checkpoint, all the time.
    async fn watch(&self) {
        let mut last = 0;
        while let Ok(checkpoint) = self.log.checkpoint().await {
            assert!(checkpoint.size().get() >= last, "the log shrank");
            last = checkpoint.size().get();
            self.seen.checkpoint(checkpoint);
        }
    }

    /// Runs everybody until the last one has lost the node. Panics as they do.
    async fn run(self) {
        let load = Arc::new(self);
        let mut tasks = JoinSet::new();
        for wait in [Wait::Sequenced, Wait::Integrated] {
            let (calls, streams) = (load.clone(), load.clone());
            tasks.spawn(async move { calls.publish(wait).await });
            tasks.spawn(async move { streams.stream(wait).await });
        }
        tasks.spawn(async move { load.watch().await });
        tasks.join_all().await;
    }
}

/// Every one of these claims is at its place, with its leaf hash, under a checkpoint that nobody
/// saw otherwise.
async fn assert_there(
    log: &Log,
    seen: &Seen,
    acknowledged: &[PublishResponse],
) -> anyhow::Result<()> {
    let mut checks = stream::iter(acknowledged)
        .map(|answer| async move {
            let (claim, index, hash) = stated(answer)?;
            let found = log
                .entry(Leaf::Claim(claim))
                .await
                .with_context(|| format!("claim {claim}, leaf {index}"))?;
            ensure!(found.index == index, "leaf {index} is at {}", found.index);
            ensure!(
                found.entry.leaf_hash() == hash,
                "leaf {index} has another hash than was acknowledged"
            );
            ensure!(
                found.entry.logged_at_ms() == answer.logged_at_ms,
                "leaf {index} has another time"
            );
            Ok(found.checkpoint)
        })
        .buffer_unordered(32);
    while let Some(checked) = checks.next().await {
        seen.checkpoint(checked?);
    }
    Ok(())
}

/// Every label that an entry has is found in the node's index with all of its leaves, as what is
/// stored of it, after all that was done to it, is read.
async fn assert_all_found(log: &Log, index: &Rebuilt) -> anyhow::Result<()> {
    let labels = || index.lists().keys();
    let by: BTreeSet<By> = labels().map(Label::by).collect();
    let by: Vec<By> = by.into_iter().collect();
    let names: BTreeSet<Name> = labels().map(Label::name).collect();
    let names: Vec<Name> = names.into_iter().collect();
    for some in names.chunks(limits::LOOKUP_NAMES) {
        let found = log.look_up(some, &by).await?;
        for label in labels().filter(|label| some.binary_search(&label.name()).is_ok()) {
            let leaves = &index.lists()[label];
            // After many kills there are more claims of one issuer than a list has that comes.
            if let Some(long) = found.overlong().iter().find(|it| it.label == *label) {
                ensure!(long.length == leaves.len() as u64, "label {label}");
                continue;
            }
            let list = found
                .list(label)
                .with_context(|| format!("label {label} is not found"))?;
            ensure!(
                list.leaves().len() as u64 == list.found().length
                    && list
                        .leaves()
                        .iter()
                        .map(|leaf| leaf.get())
                        .eq(leaves.iter().copied())
            );
        }
    }
    Ok(())
}

/// Waits until the node has published everything that it ever acknowledged.
async fn caught_up(log: &Log, seen: &Seen, size: u64) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let checkpoint = log.checkpoint().await?;
        let reached = checkpoint.size().get();
        ensure!(
            reached >= seen.newest(),
            "the log was shown with {} entries and now has {reached}",
            seen.newest()
        );
        seen.checkpoint(checkpoint);
        if reached >= size {
            return Ok(());
        }
        ensure!(
            Instant::now() < deadline,
            "{size} entries were acknowledged, and only {reached} are published"
        );
    }
}

/// At the end, all over again: every claim, every checkpoint that was ever shown, and the log from
/// its tiles, every commitment in it being to the index that its entries give. Returns how many
/// claims, checkpoints and entries there are.
async fn assert_whole(log: &Log, seen: &Seen) -> anyhow::Result<(usize, usize, u64)> {
    let all = seen.acknowledged.lock().unwrap().clone();
    assert_there(log, seen, &all).await?;
    let whole = log.rederive().await?;
    seen.checkpoint(whole.checkpoint.clone());
    let shown = seen.checkpoints.lock().unwrap().clone();
    let roots = whole.roots(&shown.keys().copied().collect::<Vec<_>>());
    let new = (whole.checkpoint.size().get(), &whole.checkpoint.root());
    for (size, checkpoint) in &shown {
        assert_eq!(
            roots.get(size),
            Some(&checkpoint.root()),
            "the checkpoint over {size} is of another log"
        );
        assert!(
            whole.index.ends_in_commitment(*size),
            "the checkpoint over {size} does not end in a commitment"
        );
        log.prove_consistency((*size, &checkpoint.root()), new)
            .await?;
    }
    assert_all_found(log, &whole.index).await?;
    Ok((all.len(), shown.len(), new.0))
}

/// What an operator does after some of the kills: all that is stored is as it was written.
fn look(node: &Node, kill: usize) -> anyhow::Result<()> {
    if kill.is_multiple_of(LOOK) {
        let said = commanded(node, "check")?;
        ensure!(
            said.contains("as it was written"),
            "after kill {kill}: {said}"
        );
    }
    Ok(())
}

/// Kills a node so often. Fails, or panics, at the first thing that is wrong.
pub async fn run(kills: usize, seed: u64) -> anyhow::Result<Row> {
    let mut row = Row::new("kill -9 under load");
    let mut draw = Draw(seed);
    let seen = Arc::new(Seen::default());
    let next = Arc::new(AtomicU64::new(1));
    let issuer = Arc::new(Actor::new(&[1], 1));

    let mut node = Node::init()?;
    node.configure("log.publish_interval_ms = 3\nadmission.issuer_claims_per_second = 0")?;
    node.run()?;
    let log = Log::connect(node.ready()).await?;
    seen.acknowledge(log.publish(issuer.registration()?, Wait::Sequenced).await?);

    let mut checked = 0;
    for kill in 0..kills {
        let log = Log::connect(node.ready()).await?;
        let load = Load {
            log,
            issuer: issuer.clone(),
            seen: seen.clone(),
            next: next.clone(),
        };
        let mut life = tokio::spawn(async move { load.run().await });
        // Some lives end before anything is acknowledged, and all of them at no round number: the
        // moment is the test.
        let wanted = checked + draw.below(LIFE) as usize;
        tokio::select! {
            () = seen.acknowledged(wanted) => {}
            ended = &mut life => anyhow::bail!("nobody could publish any more before kill {kill}: \
                {ended:?}: {}", node.stderr()),
        }
        tokio::time::sleep(Duration::from_micros(draw.below(4000))).await;
        node.kill()?;
        life.await?;

        look(&node, kill)?;
        node.run().with_context(|| format!("after kill {kill}"))?;
        let log = Log::connect(node.ready()).await?;
        let new = seen.acknowledged.lock().unwrap()[checked..].to_vec();
        caught_up(&log, &seen, covering(&new))
            .await
            .with_context(|| format!("after kill {kill}"))?;
        assert_there(&log, &seen, &new)
            .await
            .with_context(|| format!("after kill {kill}"))?;
        checked += new.len();
        row.note("", Ok("recovered"));
    }

    let log = Log::connect(node.ready()).await?;
    let (claims, checkpoints, entries) = assert_whole(&log, &seen).await?;
    ensure!(
        claims > kills * 10 && checkpoints > kills,
        "there was no load to speak of: {claims} claims, {checkpoints} checkpoints, {entries} \
         entries"
    );
    row.fault += &format!(" ({claims} claims acknowledged, {checkpoints} checkpoints shown)");
    Ok(row)
}
