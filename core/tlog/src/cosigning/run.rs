//! One candidate, and all witnesses of a policy.

use super::Moment;
use super::link::{Heard, Line, Link, Question, Reply, Stop};
use crate::checkpoint::VerifiedCheckpoint;
use crate::limits;
use crate::note::VerifierKey;
use crate::tlog_policy::TlogPolicy;
use crate::tree::TreeSize;
use std::collections::BTreeMap;

/// Why a log cannot ask the witnesses of a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CosigningError {
    /// The policy does not say where a witness is.
    #[error("the policy's witness {0} has no URL to ask it at")]
    NoUrl(String),
    /// Where a witness is said to be is no address.
    #[error("the policy's witness {0} has the URL {1:?}; write http://HOST:PORT or https://HOST")]
    Url(String, String),
    /// The policy has another key for this log.
    #[error("the policy has another key for the log {0} than its own; take that log line out")]
    OtherKey(String),
    /// Nobody has to cosign.
    #[error("the policy has no quorum; a log that asks nobody needs no policy")]
    NoQuorum,
    /// More keys than a note takes signatures, with the log's own.
    #[error("the policy has {0} witnesses, which is more than a checkpoint takes signatures")]
    TooMany(usize),
    /// The log's own name or key is among the witnesses'.
    #[error("the policy's witness {0} has the name or the key of this log")]
    OwnKey(String),
}

/// How long to wait for what, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How long to wait for more cosignatures once there is a quorum.
    pub extra_wait_ms: u64,
    /// After how long an idle log has the same head cosigned again, so that its time is fresh.
    pub refresh_ms: u64,
}

/// A question to be sent to a witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Which question. The answer names it.
    pub id: u64,
    /// Which witness, as a place in [`Cosigning::witnesses`].
    pub witness: usize,
    /// Where it is: the submission prefix of C2SP tlog-witness.
    pub url: String,
    /// The size to prove consistency from.
    pub old: TreeSize,
    /// The size to prove it to.
    pub size: TreeSize,
    /// The note to send, with the log's own signature lines.
    pub note: String,
}

/// What happened to the candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A quorum cosigned it. It comes again, with more lines or newer ones, for the same
    /// checkpoint.
    Witnessed {
        /// The note: the log's lines, then the cosignatures that verified, in the policy's order.
        note: String,
    },
    /// No witness is left that may cosign at any moment, and there is no quorum: each has answered,
    /// or has failed and is asked again later. If the log has grown, a newer checkpoint may be
    /// proposed.
    NoQuorum {
        /// The names of the policy's keys that did cosign.
        cosigned: Vec<String>,
    },
    /// This log must not sign any more: a witness says that it is another one than it knows, and
    /// those who do not say so are no quorum, or quorums of this policy may contradict each other.
    Stopped(Stop),
}

/// What is to be done now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Step {
    /// Questions to be sent, all at once.
    pub asks: Vec<Ask>,
    /// What happened since the last step.
    pub event: Option<Event>,
    /// When to ask for the next step, if nothing happens before, in [`Moment::elapsed_ms`].
    pub wake_ms: Option<u64>,
}

/// What is known of a witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessStatus<'a> {
    /// The name of its keys.
    pub name: &'a str,
    /// The largest size of this log that it cosigned.
    pub cosigned: TreeSize,
    /// Whether it forgot what it had cosigned, and does not count.
    pub rolled_back: bool,
    /// Whether it was excluded, and does not count.
    pub excluded: bool,
}

/// A log's side of cosigning.
#[derive(Debug)]
pub struct Cosigning {
    policy: TlogPolicy,
    settings: Settings,
    links: Vec<Link>,
    candidate: Option<Candidate>,
    /// The largest size that was proposed.
    signed: TreeSize,
    /// Counts candidates and refreshes.
    round: u64,
    questions: u64,
}

#[derive(Debug)]
struct Candidate {
    head: VerifiedCheckpoint,
    proposed: Moment,
    /// By the key's place in the policy.
    lines: BTreeMap<usize, Line>,
    /// When the quorum stood.
    quorum_ms: Option<u64>,
    /// Whether the event was given out, and whether lines came since.
    shown: bool,
    changed: bool,
    told: bool,
    refresh_ms: u64,
}

impl Cosigning {
    /// Asks the witnesses of `policy` about the log with this key. Keys of one name behind one URL
    /// are one witness.
    pub fn new(
        log: &VerifierKey,
        policy: &TlogPolicy,
        settings: Settings,
    ) -> Result<Self, CosigningError> {
        if policy.quorum().is_none() {
            return Err(CosigningError::NoQuorum);
        }
        if policy
            .log(log.name())
            .is_some_and(|known| known.key != *log)
        {
            return Err(CosigningError::OtherKey(log.name().to_owned()));
        }
        if policy.witnesses().len() >= limits::NOTE_SIGNATURES {
            return Err(CosigningError::TooMany(policy.witnesses().len()));
        }
        let mut links: Vec<Link> = Vec::new();
        for (place, witness) in policy.witnesses().iter().enumerate() {
            let url = witness.url.as_deref();
            let url = url.ok_or_else(|| CosigningError::NoUrl(witness.name.clone()))?;
            let url = url.trim_end_matches('/');
            if !is_address(url) {
                return Err(CosigningError::Url(witness.name.clone(), url.to_owned()));
            }
            let name = witness.key.name();
            if name == log.name() || witness.key.public_key() == log.public_key() {
                return Err(CosigningError::OwnKey(witness.name.clone()));
            }
            let known = links
                .iter()
                .position(|link| link.name == name && link.url == url);
            let at = known.unwrap_or_else(|| {
                links.push(Link::new(name, url));
                links.len() - 1
            });
            links[at].keys.push((place, witness.key.clone()));
        }
        Ok(Cosigning {
            policy: policy.with_log(log),
            settings,
            links,
            candidate: None,
            signed: TreeSize::EMPTY,
            round: 0,
            questions: 0,
        })
    }

    /// Makes `head` the candidate. It is what this log signed last: not smaller than the one
    /// before.
    pub fn propose(&mut self, now: Moment, head: VerifiedCheckpoint) {
        self.round += 1;
        self.signed = self.signed.max(head.size());
        self.candidate = Some(Candidate {
            head,
            proposed: now,
            lines: BTreeMap::new(),
            quorum_ms: None,
            shown: false,
            changed: false,
            told: false,
            refresh_ms: now.elapsed_ms + self.settings.refresh_ms,
        });
    }

    /// What is to be done at `now`.
    pub fn step(&mut self, now: Moment) -> Step {
        let Some(candidate) = &mut self.candidate else {
            return Step::default();
        };
        if candidate.shown && candidate.refresh_ms <= now.elapsed_ms {
            candidate.refresh_ms = now.elapsed_ms + self.settings.refresh_ms;
            candidate.proposed = now;
            self.round += 1;
        }
        let asks = self.asks(now);
        let event = self.event(now);
        Step {
            asks,
            event,
            wake_ms: self.wake_ms(),
        }
    }

    /// Takes what came of a question. `random` are 64 random bits, for the wait after a failure.
    ///
    /// Returns what it means.
    pub fn answered(&mut self, now: Moment, ask: &Ask, reply: &Reply, random: u64) -> Heard {
        let Some(link) = self.links.get_mut(ask.witness) else {
            return Heard::Unasked;
        };
        let (heard, lines) = link.answered(now, ask.id, reply, self.signed, random);
        if let (Some(candidate), Some((question, lines))) = (&mut self.candidate, lines) {
            // A late answer may be about the candidate before this one.
            if candidate.head.checkpoint() == &question.checkpoint {
                candidate.add(lines);
                let names = candidate
                    .lines
                    .keys()
                    .map(|at| self.policy.witnesses()[*at].name.as_str());
                if candidate.quorum_ms.is_none() && self.policy.is_quorum(names) {
                    candidate.quorum_ms = Some(now.elapsed_ms);
                }
            }
        }
        heard
    }

    /// What a witness says against this log, if that ends its signing. One alone may lie. If it
    /// does not, a quorum of the others cannot stand: safe quorums have an honest witness in
    /// common, who does not cosign two histories.
    fn stopped(&self) -> Option<&Stop> {
        let stop = self.links.iter().find_map(Link::dissent)?;
        let others = self.links.iter().filter(|link| link.may_cosign());
        let keys = others.flat_map(|link| &link.keys);
        let names = keys.map(|(place, _)| self.policy.witnesses()[*place].name.as_str());
        let is_safe = self.policy.quorum_size().is_some_and(|it| it.is_safe());
        let goes_on = is_safe && self.policy.is_quorum(names);
        (!goes_on).then_some(stop)
    }

    /// Excludes the witness of this name, which is convicted of misbehavior: it is not asked any
    /// more, and what it cosigned of the candidate does not count. A quorum takes as many as
    /// before. What was shown stays shown; without a quorum of the others nothing newer is.
    pub fn exclude(&mut self, name: &str) {
        let links = self.links.iter_mut().filter(|link| link.name == name);
        let mut places = Vec::new();
        for link in links {
            link.exclude();
            places.extend(link.keys.iter().map(|(place, _)| *place));
        }
        let Some(candidate) = &mut self.candidate else {
            return;
        };
        let before = candidate.lines.len();
        candidate.lines.retain(|place, _| !places.contains(place));
        let names = candidate
            .lines
            .keys()
            .map(|at| self.policy.witnesses()[*at].name.as_str());
        if candidate.lines.len() < before && !self.policy.is_quorum(names) {
            candidate.quorum_ms = None;
            candidate.shown = false;
            candidate.changed = false;
        }
    }

    /// The witnesses, in the order of the policy.
    pub fn witnesses(&self) -> impl Iterator<Item = WitnessStatus<'_>> {
        self.links.iter().map(|link| WitnessStatus {
            name: &link.name,
            cosigned: link.cosigned(),
            rolled_back: link.is_rolled_back(),
            excluded: link.is_excluded(),
        })
    }

    fn asks(&mut self, now: Moment) -> Vec<Ask> {
        let Some(candidate) = &self.candidate else {
            return Vec::new();
        };
        let mut asks = Vec::new();
        for (witness, link) in self.links.iter_mut().enumerate() {
            if !link.is_due(self.round, now) {
                continue;
            }
            self.questions += 1;
            let old = link.old();
            link.ask(Question {
                id: self.questions,
                old,
                round: self.round,
                // A clock that was ahead may have been set back since.
                proposed_s: candidate.proposed.unix_s.min(now.unix_s),
                checkpoint: candidate.head.checkpoint().clone(),
            });
            asks.push(Ask {
                id: self.questions,
                witness,
                url: link.url.clone(),
                old,
                size: candidate.head.size(),
                note: candidate.head.note().to_owned(),
            });
        }
        asks
    }

    fn event(&mut self, now: Moment) -> Option<Event> {
        if let Some(stop) = self.stopped() {
            return Some(Event::Stopped(stop.clone()));
        }
        let is_disputed = self.links.iter().any(|link| link.dissent().is_some());
        let candidate = self.candidate.as_mut()?;
        if let Some(quorum_ms) = candidate.quorum_ms {
            let more = self.links.iter().any(|link| link.is_expected(self.round));
            let waited = quorum_ms + self.settings.extra_wait_ms <= now.elapsed_ms;
            let first = !candidate.shown && (waited || !more);
            if first || (candidate.shown && candidate.changed) {
                candidate.shown = true;
                candidate.changed = false;
                return Some(Event::Witnessed {
                    note: candidate.note(),
                });
            }
            return None;
        }
        // While somebody says that this log is another one, nothing newer is signed before a quorum
        // of the others has cosigned what is: they are asked until they do.
        let is_open = self.links.iter().any(|link| link.is_expected(self.round));
        if candidate.told || is_open || is_disputed {
            return None;
        }
        candidate.told = true;
        Some(Event::NoQuorum {
            cosigned: candidate
                .lines
                .keys()
                .map(|at| self.policy.witnesses()[*at].name.clone())
                .collect(),
        })
    }

    fn wake_ms(&self) -> Option<u64> {
        let candidate = self.candidate.as_ref()?;
        let links = self.links.iter().filter_map(|link| link.due_ms(self.round));
        let shown = match (candidate.shown, candidate.quorum_ms) {
            (true, _) => Some(candidate.refresh_ms),
            (false, at) => at.map(|at| at + self.settings.extra_wait_ms),
        };
        links.chain(shown).min()
    }
}

/// Whether this can be asked over HTTP.
fn is_address(url: &str) -> bool {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
}

impl Candidate {
    /// A newer cosignature by a key replaces the older one.
    fn add(&mut self, lines: Vec<Line>) {
        for line in lines {
            let before = self.lines.get(&line.key);
            if before.is_none_or(|before| before.at < line.at) {
                self.lines.insert(line.key, line);
                self.changed = true;
            }
        }
    }

    fn note(&self) -> String {
        let mut note = self.head.note().to_owned();
        for line in self.lines.values() {
            note.push_str(&line.text);
        }
        note
    }
}
