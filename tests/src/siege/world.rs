//! A node with a log that strangers besiege.

use super::{
    Attack, Row,
    honest::{Honest, Seen, beside},
    target::Target,
};
use crate::{
    issuer::{Actor, payload},
    log::{Log, longest_list},
    memory::{forget_peak, peak_mib, resident_mib},
    process::{Node, poll_async},
    stranger::{Stranger, framed, grpc_status},
};
use anyhow::{Context, ensure};
use assay_claims::claim::ClaimId;
use assay_proto::v1::{PutRequest, Wait, put_request::Part};
use assay_tlog::Hash;
use futures::{future::try_join_all, stream};
use std::{
    sync::{Arc, atomic::Ordering},
    thread,
    time::Duration,
};
use tokio::{sync::oneshot, time::sleep};

/// Bytes of the attachment.
const DOCUMENT: usize = 4 << 20;

/// The seeds of the keys of others who publish: as many as one address may have publish, a thousand
/// claims a second each.
const OTHERS: [u8; 5] = [3, 4, 5, 6, 7];

/// The number of their first claim.
const FILLING: u64 = 5_000_000;

/// What honest callers get over a new connection.
const TILE: &str = "/tile/0/000";

/// Turns of honest callers after a row.
const AFTER: u64 = 20;

/// A node, and those who call it.
pub struct Siege {
    node: Node,
    log: Log,
    honest: Actor,
    target: Target,
    /// The number of the next claim of the honest issuer.
    next: u64,
}

impl Siege {
    /// A node as it is configured for whoever does not configure it, with so many claims in its log
    /// and an attachment. What is cached is cached.
    pub async fn new(claims: u64) -> anyhow::Result<Self> {
        let mut node = Node::start_with("admission.issuer_claims_per_second = 0")?;
        let (honest, hostile) = (Actor::new(&[1], 1), Actor::new(&[2], 1));
        let log = Log::connect(node.ready()).await?;
        for issuer in [&honest, &hostile] {
            log.publish(issuer.registration()?, Wait::Integrated)
                .await?;
        }
        log.publish_many(&honest, 1..claims).await?;
        let document = store(&node, &log, &honest).await?;
        log.published(claims + 2).await?;
        node.stop()?;
        node.configure("admission.issuer_claims_per_second = 1000")?;
        node.run()?;
        let log = Log::connect(node.ready()).await?;
        log.rederive().await?;
        let ready = node.ready();
        let target = Target {
            url: ready.url.clone(),
            node: ready.url.trim_start_matches("http://").parse()?,
            row: 0,
            label: longest_list(&log).await?,
            document,
            claim: ClaimId::of_payload(&payload(1)).to_string(),
            issuer: Arc::new(hostile),
            done: Arc::default(),
        };
        Ok(Siege {
            node,
            log,
            honest,
            target,
            next: 1_000_000,
        })
    }

    /// Lets several others publish so many claims each, as fast as they may: what the store and the
    /// index keep in memory of what is written is there afterward, and is not what strangers take.
    pub async fn filled(self, claims: u64) -> anyhow::Result<Self> {
        let others = OTHERS.map(|seed| Actor::new(&[seed], 1));
        let published = others.iter().zip(0_u64..).map(async |(other, number)| {
            let registered = self.log.publish(other.registration()?, Wait::Integrated);
            registered.await?;
            let first = FILLING + number * claims;
            self.log.publish_many(other, first..first + claims).await
        });
        try_join_all(published).await?;
        Ok(self)
    }

    /// What honest callers see for so long.
    pub async fn idle(&mut self, lasting: Duration) -> anyhow::Result<Seen> {
        let mut next = self.next;
        let (seen, ()) = beside(&self.caller(), &mut next, sleep(lasting)).await?;
        self.next = next;
        Ok(seen)
    }

    fn caller(&self) -> Honest<'_> {
        Honest {
            node: &self.node,
            log: &self.log,
            issuer: &self.honest,
            path: TILE,
        }
    }

    /// Hostile traffic for so long. Fails if the node has ended.
    pub async fn row(
        &mut self,
        (traffic, attack): (&'static str, Attack),
        lasting: Duration,
    ) -> anyhow::Result<Row> {
        self.target.row += 1;
        self.target.done = Arc::default();
        let pid = self.node.pid()?;
        let before = resident_mib(pid)?;
        forget_peak(pid)?;
        let strangers = Strangers::start(attack, self.target.clone())?;
        let seen = self.idle(lasting).await;
        let peak = peak_mib(pid);
        strangers.end()?;
        let row = Row {
            traffic,
            done: self.target.done.load(Ordering::Relaxed),
            more_mib: peak.context("the node is gone")? - before,
            most_mib: peak_mib(pid)?,
            seen: seen?,
            after: self.after().await?,
        };
        Ok(row)
    }

    /// What honest callers see once nothing is held for strangers any more.
    async fn after(&mut self) -> anyhow::Result<Seen> {
        poll_async(async || {
            let held = self.log.metric("assay_held_bytes").await?;
            Ok((held == Some(0.0)).then_some(()))
        })
        .await
        .context("what was held for strangers is not free")?;
        let (code, said) = self.log.admin("/readyz").await?;
        ensure!(code == 200, "{said}");
        let mut seen = Seen::default();
        for number in self.next..self.next + AFTER {
            seen.turn(&self.caller(), number).await?;
        }
        self.next += AFTER;
        Ok(seen)
    }

    /// The node's log is whole, and it ends as it should.
    pub async fn end(mut self) -> anyhow::Result<()> {
        self.log.rederive().await?;
        let said = self.node.stderr();
        ensure!(!said.contains("panicked"), "{said}");
        self.node.stop()
    }
}

/// Uploads a document that a claim names.
async fn store(node: &Node, log: &Log, issuer: &Actor) -> anyhow::Result<Hash> {
    let bytes = vec![7; DOCUMENT];
    let digest = Hash::of(&bytes);
    let named = format!(r#""attachments":[{{"digest":{{"sha256":"{digest}"}}}}]"#);
    let text = String::from_utf8(payload(1))?;
    let text = text.replacen(r#""predicate":{"#, &format!(r#""predicate":{{{named},"#), 1);
    log.publish(issuer.sign(text.as_bytes()), Wait::Integrated)
        .await?;
    let chunks: Vec<_> = bytes.chunks(256 << 10).map(chunk).collect();
    let uploader = Stranger::new(node, 1, 1 << 16)?;
    let answer = uploader
        .upload(&digest, DOCUMENT as u64, stream::iter(chunks))
        .await?;
    let status = grpc_status(&answer).unwrap_or_default();
    ensure!(status == 0, "the attachment is not taken: {status}");
    answer.bytes().await?;
    Ok(digest)
}

/// A piece of an upload, as gRPC frames it.
pub(super) fn chunk(bytes: &[u8]) -> Vec<u8> {
    framed(&PutRequest {
        part: Some(Part::Chunk(bytes.to_vec().into())),
    })
}

/// Strangers on a thread of their own.
struct Strangers {
    end: oneshot::Sender<()>,
    thread: thread::JoinHandle<()>,
}

impl Strangers {
    fn start(attack: Attack, target: Target) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (end, ended) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("strangers".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = attack(target) => {}
                        _ = ended => {}
                    }
                });
            })?;
        Ok(Strangers { end, thread })
    }

    /// Ends all that they do.
    fn end(self) -> anyhow::Result<()> {
        let _ = self.end.send(());
        let ended = self.thread.join();
        ended.map_err(|_| anyhow::anyhow!("the strangers panicked"))
    }
}
