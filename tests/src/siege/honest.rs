//! Honest callers: what they ask, and how long that takes them.

use crate::{
    issuer::{Actor, artifact},
    log::{Leaf, Log},
    memory::resident_mib,
    process::Node,
    stranger::client_from,
};
use anyhow::Context;
use assay_claims::index::{By, Label};
use assay_proto::v1::{LookupRequest, Wait};
use bytes::Bytes;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// What an honest caller asks in a turn, in this order. The last comes over a connection of its
/// own, from an address that has no other.
pub const CALLS: [&str; 4] = ["publish", "entry", "look-up", "tile"];

/// A call that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(15);

/// Failures that are kept as text.
const TOLD: usize = 3;

/// The address of those who come newly, behind 127.0.0.
const NEWCOMER: u8 = 9;

/// An honest caller of a node.
pub struct Honest<'a> {
    /// The node.
    pub node: &'a Node,
    /// A connection to it.
    pub log: &'a Log,
    /// Who publishes.
    pub issuer: &'a Actor,
    /// What is got over a new connection.
    pub path: &'a str,
}

/// What an honest caller saw.
#[derive(Debug, Default)]
pub struct Seen {
    /// How long calls took that were answered, in the order of [`CALLS`].
    pub times: [Vec<Duration>; CALLS.len()],
    /// How many calls failed.
    pub failed: usize,
    /// What the first of them said.
    pub said: Vec<String>,
    /// The most memory that the node had after a turn, in MiB.
    pub most_mib: f64,
}

impl Seen {
    /// The time that so many of 100 answered calls stayed below.
    pub fn percentile(&self, percent: usize) -> Duration {
        at_percent(self.times.iter().flatten().copied().collect(), percent)
    }

    /// The same of one kind of call.
    pub fn percentile_of(&self, call: usize, percent: usize) -> Duration {
        at_percent(self.times.get(call).cloned().unwrap_or_default(), percent)
    }

    /// How many calls there were.
    pub fn calls(&self) -> usize {
        self.times.iter().map(Vec::len).sum::<usize>() + self.failed
    }

    /// Fails if a call failed.
    pub fn all_answered(&self) -> anyhow::Result<()> {
        anyhow::ensure!(self.failed == 0, "{} failed: {:?}", self.failed, self.said);
        Ok(())
    }

    async fn timed<T>(
        &mut self,
        call: usize,
        asked: impl Future<Output = anyhow::Result<T>>,
    ) -> Option<T> {
        let started = Instant::now();
        let answer = timeout(PATIENCE, asked).await;
        let answer = answer.unwrap_or_else(|_| Err(anyhow::anyhow!("no answer in {PATIENCE:?}")));
        match answer {
            Ok(answer) => {
                self.times[call].push(started.elapsed());
                Some(answer)
            }
            Err(error) => {
                self.failed += 1;
                if self.said.len() < TOLD {
                    self.said.push(format!("{}: {error:#}", CALLS[call]));
                }
                None
            }
        }
    }

    /// Publishes the claim with a number, reads an entry with its proof, looks up what the caller
    /// said of an artifact, and gets a path as one who comes newly.
    pub async fn turn(&mut self, honest: &Honest<'_>, number: u64) -> anyhow::Result<()> {
        let Honest {
            node,
            log,
            issuer,
            path,
        } = honest;
        let claim = issuer.claim(number);
        let publish = async { Ok(log.publish(claim, Wait::Sequenced).await?) };
        self.timed(0, publish).await;
        self.timed(1, log.entry(Leaf::Index(number % 3))).await;
        self.timed(2, look_up(log, issuer, number)).await;
        self.timed(3, get(node, path)).await;
        self.most_mib = self.most_mib.max(resident_mib(node.pid()?)?);
        Ok(())
    }
}

fn at_percent(mut times: Vec<Duration>, percent: usize) -> Duration {
    times.sort_unstable();
    let at = times.len() * percent / 100;
    times.get(at).copied().unwrap_or_default()
}

/// Looks up what an issuer said of the artifact with a number.
async fn look_up(log: &Log, issuer: &Actor, number: u64) -> anyhow::Result<()> {
    let label = Label::of(artifact(number), By::issuer(&issuer.id));
    let request = LookupRequest {
        label: Bytes::copy_from_slice(label.as_bytes()),
        ..LookupRequest::default()
    };
    let answer = log.index.clone().lookup(request).await?.into_inner();
    answer.answer.context("no answer")?;
    Ok(())
}

async fn get(node: &Node, path: &str) -> anyhow::Result<()> {
    let url = format!("{}{path}", node.ready().url);
    let client = client_from(NEWCOMER)?;
    let answer = client.get(url).send().await?.error_for_status()?;
    answer.bytes().await?;
    Ok(())
}

/// Turns until `until` ends, with numbers from `next` on, which is left as the next one that is
/// free.
pub async fn beside<T>(
    honest: &Honest<'_>,
    next: &mut u64,
    until: impl Future<Output = T>,
) -> anyhow::Result<(Seen, T)> {
    tokio::pin!(until);
    let mut seen = Seen::default();
    loop {
        seen.turn(honest, *next).await?;
        *next += 1;
        let now = timeout(Duration::from_millis(5), until.as_mut());
        if let Ok(ended) = now.await {
            return Ok((seen, ended));
        }
    }
}
