//! The task that does a round of gossip every now and then: takes what the node has, meets three
//! peers, and asks about what is not linked.
//!
//! A peer that is slow delays nobody: each exchange is a task of its own, and a peer is not met
//! again before the last exchange with it has ended.

use super::holding::Holding;
use super::known::{Place, Places};
use super::link;
use super::meet::{self, MeetError, Meetings, Peer};
use super::serve::{Desk, blocking};
use super::state::{Gossip, random};
use crate::config::FederationConfig;
use crate::mirror::site;
use crate::misbehavior::Evidence;
use crate::peers::Peers;
use crate::reason::with_causes;
use assay_tlog::gossip::{FAN_OUT, Question, Sampler};
use assay_tlog::head::VerifiedHead;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

/// Questions to logs and mirrors that are under way at once. The others wait.
const ASKED_AT_ONCE: usize = 16;

/// Longest time of one question, with its wait.
const ANSWER: Duration = Duration::from_secs(5);

/// What gossip is about, and with whom.
pub struct Setup<'a> {
    /// Whose keys are known, and what is kept of misbehavior.
    pub evidence: Arc<Evidence>,
    /// What the node has of logs.
    pub holdings: Vec<Box<dyn Holding>>,
    /// Where the logs are that are not peers'.
    pub places: Places,
    /// How often, and how long until an alarm.
    pub config: &'a FederationConfig,
    /// The peers, whose keys were given to `evidence`.
    pub peers: &'a Peers,
    /// Says when to stop.
    pub stop: watch::Receiver<bool>,
}

/// Gossip that runs.
pub struct Running {
    /// What is known by it, as a service.
    pub desk: Desk,
    /// Does rounds. When it has ended, which `stop` brings about, it uses no store any more.
    pub task: JoinHandle<()>,
}

struct Rounds {
    gossip: Arc<Gossip>,
    /// Time between two rounds, in milliseconds. It varies by a quarter, so that nodes do not meet
    /// in step.
    interval_ms: u64,
    http: reqwest::Client,
    sampler: Sampler,
    /// By the address of the peer.
    peers: BTreeMap<String, Peer>,
    meetings: Meetings,
    /// What was wrong with a peer when it was last met.
    failing: BTreeMap<String, &'static str>,
    questions: JoinSet<()>,
    slots: Arc<Semaphore>,
}

/// Knows the logs of the peers, whoever they are, and does rounds.
///
/// Must be called on a tokio runtime. Fails if the system's TLS cannot be used.
pub fn start(setup: Setup<'_>) -> Result<Running, reqwest::Error> {
    let Setup {
        evidence,
        holdings,
        places,
        config,
        peers,
        stop,
    } = setup;
    let (gossip, come) = Gossip::new(evidence, holdings, places, config.alarm_after_ms);
    let follower = Arc::downgrade(&gossip);
    peers.follow(move |peers| {
        follower.upgrade()?.follow(peers);
        Some(())
    });
    let rounds = Rounds {
        gossip: gossip.clone(),
        interval_ms: config.gossip_interval_ms,
        http: site::client()?,
        sampler: Sampler::default(),
        peers: BTreeMap::new(),
        meetings: Meetings::default(),
        failing: BTreeMap::new(),
        questions: JoinSet::new(),
        slots: Arc::new(Semaphore::new(ASKED_AT_ONCE)),
    };
    Ok(Running {
        desk: Desk::new(gossip),
        task: tokio::spawn(rounds.run(come, stop)),
    })
}

impl Rounds {
    async fn run(
        mut self,
        mut come: mpsc::Receiver<VerifiedHead>,
        mut stop: watch::Receiver<bool>,
    ) {
        let busy = self.gossip.busy.clone();
        tokio::select! {
            () = async { _ = stop.wait_for(|stop| *stop).await } => {}
            () = self.rounds(&mut come) => {}
        }
        self.meetings.shutdown().await;
        self.questions.shutdown().await;
        drop(self);
        let _ = busy.write().await;
    }

    async fn rounds(&mut self, come: &mut mpsc::Receiver<VerifiedHead>) {
        let mut pause = Box::pin(sleep(self.pause()));
        loop {
            tokio::select! {
                () = &mut pause => {
                    self.round().await;
                    pause = Box::pin(sleep(self.pause()));
                }
                Some(head) = come.recv() => {
                    let gossip = self.gossip.clone();
                    blocking(&self.gossip.busy, move || gossip.take(&head)).await;
                }
                Some((peer, met)) = self.meetings.next() => self.report(&peer, met),
                Some(_) = self.questions.join_next() => {}
            }
        }
    }

    /// How long until the next round.
    fn pause(&self) -> Duration {
        let quarter = self.interval_ms / 4;
        let jitter = random() % (2 * quarter + 1);
        Duration::from_millis(self.interval_ms - quarter + jitter)
    }

    async fn round(&mut self) {
        let gossip = self.gossip.clone();
        blocking(&self.gossip.busy, move || gossip.refresh()).await;
        let places = self.gossip.places();
        let peers = &places.gossips;
        self.peers
            .retain(|url, _| peers.iter().any(|peer| peer.url == *url));
        self.failing
            .retain(|name, _| peers.iter().any(|peer| peer.name == *name));
        for at in self
            .sampler
            .draw(peers.len(), [(); FAN_OUT].map(|()| random()))
        {
            self.meet(&peers[at]);
        }
        for question in self.gossip.questions() {
            self.ask(question);
        }
        self.gossip.end_round();
        metrics::counter!("assay_gossip_rounds_total").increment(1);
    }

    fn meet(&mut self, peer: &Place) {
        if self.meetings.is_met(peer) {
            return;
        }
        let found = match self.peers.get(&peer.url) {
            Some(known) => Ok(known.clone()),
            None => meet::peer(&peer.url).inspect(|made| {
                self.peers.insert(peer.url.clone(), made.clone());
            }),
        };
        let gossip = self.gossip.clone();
        self.meetings.begin(
            peer.clone(),
            async move { meet::meet(gossip, found?).await },
        );
    }

    /// Counts how it went, and says what is wrong once for as long as it is the same.
    fn report(&mut self, peer: &Place, met: Result<(), MeetError>) {
        let (name, url) = (&peer.name, &peer.url);
        let Err(error) = met else {
            if self.failing.remove(name).is_some() {
                tracing::info!(peer = name, url, "heads are exchanged with this peer again");
            }
            return;
        };
        let kind = error.kind();
        metrics::counter!(
            "assay_gossip_failures_total", "peer" => name.clone(), "kind" => kind
        )
        .increment(1);
        let reason = with_causes(&error);
        if self.failing.insert(name.clone(), kind) == Some(kind) {
            tracing::debug!(peer = name, url, kind, reason, "a peer still fails");
        } else {
            tracing::warn!(
                peer = name,
                url,
                kind,
                reason,
                "no heads are exchanged with this peer"
            );
        }
    }

    /// Asks a log or a mirror, in a task of its own. If no answer comes in time, or it proves
    /// nothing, the question comes again.
    fn ask(&mut self, question: Question) {
        let (gossip, http, slots) = (self.gossip.clone(), self.http.clone(), self.slots.clone());
        self.questions.spawn(async move {
            if timeout(ANSWER, answer(&gossip, &http, &slots, &question))
                .await
                .is_err()
            {
                metrics::counter!("assay_gossip_unanswered_total").increment(1);
            }
        });
    }
}

async fn answer(
    gossip: &Arc<Gossip>,
    http: &reqwest::Client,
    slots: &Semaphore,
    question: &Question,
) {
    let Ok(_slot) = slots.acquire().await else {
        return;
    };
    // What the node has may have grown since the question came up.
    let (judging, own) = (gossip.clone(), question.clone());
    if blocking(&gossip.busy, move || judging.judge_by_own(&own)).await == Some(true) {
        return;
    }
    let url = link::url(&gossip.places(), question, random());
    let asked = match &url {
        Some(url) => link::ask(http, url, question).await,
        None => {
            gossip.nobody(question);
            Err(link::AskError::Nobody)
        }
    };
    let (origin, size) = (question.older().origin(), question.older().size());
    let answer = match asked {
        Ok(answer) => answer,
        Err(error) => {
            metrics::counter!("assay_gossip_unanswered_total").increment(1);
            let reason = with_causes(&error);
            tracing::debug!(origin, %size, url, reason, "a head is not linked yet");
            return;
        }
    };
    let (judging, question) = (gossip.clone(), question.clone());
    let proven = blocking(&gossip.busy, move || judging.judge(&question, &answer)).await;
    if proven == Some(false) {
        metrics::counter!("assay_gossip_unanswered_total").increment(1);
        tracing::debug!(url, "an answer about two heads of a log proves nothing");
    }
}
