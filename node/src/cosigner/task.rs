//! The task that asks.

use super::ask::{self, Answered};
use super::{Told, Witnesses, states};
use crate::{
    log::now_ms, misbehavior::Evidence, reason::with_causes, storage::Reads, view::StoredTiles,
};
use assay_tlog::Hash;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::cosigning::{Ask, Event, Failure, Heard, Moment, Reply};
use assay_tlog::tree::{TreeSize, prove_consistency};
use assay_tlog::witness::Request;
use std::{
    collections::{HashMap, hash_map::Entry},
    mem::{self, Discriminant},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::mpsc, task::JoinSet, time::sleep_until};

pub(super) struct Task<S> {
    witnesses: Witnesses,
    store: Arc<S>,
    evidence: Arc<Evidence>,
    tell: mpsc::UnboundedSender<Told>,
    started: Instant,
    /// Proofs to the candidate, by the size that they start from. Witnesses mostly have the same.
    proofs: HashMap<TreeSize, Vec<Hash>>,
    /// What was said last of each witness, so that the trace does not repeat itself.
    said: HashMap<usize, Said>,
    /// Whether the trace says that there is no quorum.
    no_quorum: bool,
}

/// What was said of a witness.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    Well,
    Failing(Discriminant<Failure>),
    RolledBack,
    Dissents,
}

/// The sequencer is gone, or was told to stop: there is nobody to tell.
struct Gone;

impl<S: Reads + 'static> Task<S> {
    pub(super) fn new(
        witnesses: Witnesses,
        store: Arc<S>,
        evidence: Arc<Evidence>,
        tell: mpsc::UnboundedSender<Told>,
    ) -> Self {
        Task {
            witnesses,
            store,
            evidence,
            tell,
            started: Instant::now(),
            proofs: HashMap::new(),
            said: HashMap::new(),
            no_quorum: false,
        }
    }

    /// Asks about each checkpoint that is `proposed`, until the sequencer is gone or must stop.
    pub(super) async fn run(mut self, mut proposed: mpsc::UnboundedReceiver<VerifiedCheckpoint>) {
        let mut open = JoinSet::new();
        loop {
            self.exclude_convicted();
            let step = self.witnesses.cosigning.step(self.now());
            for ask in step.asks {
                let Ok(body) = self.body(&ask) else { return };
                open.spawn(ask::send(self.witnesses.http.clone(), ask, body));
            }
            if let Some(event) = step.event {
                let Ok(()) = self.happened(event) else { return };
            }
            let wake = self.started + Duration::from_millis(step.wake_ms.unwrap_or(0));
            let done = tokio::select! {
                head = proposed.recv() => {
                    let Some(head) = head else { return };
                    self.proofs.clear();
                    self.witnesses.cosigning.propose(self.now(), head);
                    continue;
                }
                Some(done) = open.join_next() => done,
                () = sleep_until(wake.into()), if step.wake_ms.is_some() => continue,
            };
            let Ok(answered) = done else {
                self.stop("a question to a witness failed; this is a fault of the program".into());
                return;
            };
            self.answered(&answered);
        }
    }

    /// Excludes the witnesses that were convicted of misbehavior since this was called last.
    fn exclude_convicted(&mut self) {
        let cosigning = &mut self.witnesses.cosigning;
        let convicted = cosigning
            .witnesses()
            .filter(|witness| !witness.excluded && self.evidence.convicts_cosigner(witness.name));
        let convicted: Vec<String> = convicted.map(|witness| witness.name.to_owned()).collect();
        for name in convicted {
            cosigning.exclude(&name);
            states::convicted(&self.witnesses.states, &name);
            metrics::counter!("assay_witness_alarms_total").increment(1);
            metrics::gauge!("assay_witness_convicted", "witness" => name.clone()).set(1.0);
            tracing::error!(
                witness = name,
                "a witness is convicted of misbehavior and does not count any more; take it out of \
                 the quorum's policy, and out of those of your readers"
            );
        }
    }

    fn now(&self) -> Moment {
        Moment {
            elapsed_ms: self.started.elapsed().as_millis() as u64,
            unix_s: now_ms() / 1000,
        }
    }

    /// Ends the signing of this log.
    fn stop(&self, reason: String) -> Gone {
        let _ = self.tell.send(Told::Stop(reason));
        Gone
    }

    /// The body of a question. Fails if the store cannot be read, which ends the signing.
    fn body(&mut self, ask: &Ask) -> Result<String, Gone> {
        let proof = match self.proofs.entry(ask.old) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                match prove_consistency(&StoredTiles(&*self.store), ask.old, ask.size) {
                    Ok(proof) => unknown.insert(proof),
                    Err(error) => {
                        let why = format!("cannot prove consistency to witnesses: {error}");
                        return Err(self.stop(why));
                    }
                }
            }
        };
        Ok(Request::body(ask.old, proof, &ask.note))
    }

    fn happened(&mut self, event: Event) -> Result<(), Gone> {
        let told = match event {
            Event::NoQuorum { cosigned } => {
                metrics::counter!("assay_no_quorum_total").increment(1);
                if !mem::replace(&mut self.no_quorum, true) {
                    let cosigned = cosigned.join(", ");
                    tracing::warn!(
                        cosigned,
                        "no quorum of witnesses; nothing newer is shown until there is one, and \
                         claims are kept"
                    );
                }
                Told::NoQuorum
            }
            Event::Stopped(stop) => return Err(self.stop(stop.to_string())),
            // What was just put together must be what every reader accepts.
            Event::Witnessed { note } => match self.witnesses.verify(&note) {
                Ok(checkpoint) => {
                    self.witnesses.file.write(&note);
                    if mem::take(&mut self.no_quorum) {
                        tracing::info!("a quorum of witnesses cosigns again");
                    }
                    let at = self.now().unix_s;
                    metrics::gauge!("assay_quorum_time_seconds").set(at as f64);
                    states::quorum_at(&self.witnesses.states, at);
                    Told::Witnessed(checkpoint)
                }
                Err(error) => Told::Stop(format!(
                    "the cosigned checkpoint does not verify; this is a fault of the program: {}",
                    with_causes(&error)
                )),
            },
        };
        self.tell.send(told).map_err(|_| Gone)
    }

    fn answered(&mut self, answered: &Answered) {
        let Answered {
            ask,
            reply,
            error,
            took,
        } = answered;
        let random = getrandom::u64().unwrap_or_default();
        let (now, cosigning) = (self.now(), &mut self.witnesses.cosigning);
        let heard = cosigning.answered(now, ask, reply, random);
        self.measure(ask, reply, *took, &heard);
        self.say(ask, heard, error.as_deref());
    }

    fn measure(&self, ask: &Ask, reply: &Reply, took: Duration, heard: &Heard) {
        let Some(status) = self.witnesses.cosigning.witnesses().nth(ask.witness) else {
            return;
        };
        let labels = [("witness", status.name.to_owned())];
        let took = Some(took).filter(|_| *reply != Reply::Unreachable);
        if let Some(took) = took {
            metrics::histogram!("assay_witness_latency_seconds", &labels).record(took);
        }
        if matches!(
            heard,
            Heard::Failed(_) | Heard::RolledBack { .. } | Heard::Dissents(_)
        ) {
            metrics::counter!("assay_witness_failures_total", &labels).increment(1);
        }
        let cosigned = status.cosigned.get();
        metrics::gauge!("assay_witness_size", &labels).set(cosigned as f64);
        states::heard(&self.witnesses.states, ask.witness, heard, took, cosigned);
        let lag = ask.size.get().saturating_sub(cosigned);
        metrics::gauge!("assay_witness_lag", &labels).set(lag as f64);
    }

    fn say(&mut self, ask: &Ask, heard: Heard, error: Option<&str>) {
        let now = match &heard {
            Heard::Cosigned => Said::Well,
            Heard::Failed(failure) => Said::Failing(mem::discriminant(failure)),
            Heard::RolledBack { .. } => Said::RolledBack,
            Heard::Dissents(_) => Said::Dissents,
            Heard::OtherSize(_) | Heard::Unasked => return,
        };
        let before = self.said.insert(ask.witness, now.clone());
        if before.as_ref() == Some(&now) {
            return;
        }
        let url = &ask.url;
        let mut witnesses = self.witnesses.cosigning.witnesses();
        let witness = witnesses.nth(ask.witness).map(|status| status.name);
        match heard {
            Heard::Failed(failure) => {
                tracing::warn!(witness, url, %failure, error, "a witness does not cosign");
            }
            Heard::RolledBack { from, to } => {
                metrics::counter!("assay_witness_alarms_total").increment(1);
                tracing::error!(
                    witness, url, %from, %to,
                    "a witness forgot what it had cosigned; it does not count until this node \
                     starts again. Ask its operator"
                );
            }
            Heard::Dissents(stop) => {
                metrics::counter!("assay_witness_alarms_total").increment(1);
                tracing::error!(
                    witness, url, %stop,
                    "ALARM: a witness says that this log is another one; it does not count until \
                     this node starts again"
                );
            }
            _ if before.is_some() => {
                tracing::info!(witness, url, "the witness cosigns again");
            }
            _ => {}
        }
    }
}
