//! What happened in a run, as nobody in it can know it, and whether that may be.

use super::cast::{Cast, LOGS, WITNESS_HOSTS};
use super::history::History;
use super::plan::{Invariant, Plan, Second, Witness};
use assay_claims::misbehavior::Culprit;
use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::tree::TreeSize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How long after the network has healed a fork may be unknown, and a log may publish nothing: a
/// witness that could not be reached is asked again within a minute.
const EVIDENCE_MS: u64 = 15_000;
const PUBLISH_MS: u64 = 65_000;

/// Most bytes that a node keeps of the heads of a log.
pub(super) const POOL_BYTES: usize = 64 * 1024;

/// An invariant that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// Who did what.
    pub what: String,
    /// When, in milliseconds of the run.
    pub at_ms: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Head {
    size: TreeSize,
    root: Hash,
    /// What a witness stated; 0 of others.
    at: u64,
}

/// What happened. It draws no conclusions that anybody in the run acts on.
pub(super) struct Chronicle {
    cast: Arc<Cast>,
    plan: Arc<Plan>,
    pub(super) now_ms: u64,
    /// When the network healed, if it has.
    pub(super) calm_ms: Option<u64>,
    /// The leaves below each root that any log signed.
    trees: BTreeMap<Hash, Arc<[Hash]>>,
    stated: BTreeMap<(usize, String), Vec<Head>>,
    accepted: BTreeMap<String, Vec<Head>>,
    /// The note that each log served last.
    served: BTreeMap<&'static str, String>,
    /// When two accepted heads of a log were first seen to be of two histories.
    conflicts: BTreeMap<String, u64>,
    /// What each node knows to be convicted.
    known: BTreeSet<(String, String)>,
    published: TreeSize,
    published_ms: u64,
    violation: Option<Violation>,
    digest: u64,
    events: usize,
    counts: BTreeMap<&'static str, usize>,
}

impl Chronicle {
    pub(super) fn new(cast: Arc<Cast>, plan: Arc<Plan>) -> Self {
        Chronicle {
            cast,
            plan,
            now_ms: 0,
            calm_ms: None,
            trees: BTreeMap::new(),
            stated: BTreeMap::new(),
            accepted: BTreeMap::new(),
            served: BTreeMap::new(),
            conflicts: BTreeMap::new(),
            known: BTreeSet::new(),
            published: TreeSize::EMPTY,
            published_ms: 0,
            violation: None,
            digest: 0,
            events: 0,
            counts: BTreeMap::new(),
        }
    }

    /// What all that happened comes to, and how many events that were.
    pub(super) fn digest(&self) -> (u64, usize) {
        (self.digest, self.events)
    }

    pub(super) fn counts(&self) -> &BTreeMap<&'static str, usize> {
        &self.counts
    }

    /// Remembers that something happened.
    pub(super) fn event(&mut self, kind: &'static str, what: &str) {
        let line = format!("{} {kind} {what}", self.now_ms);
        if std::env::var_os("ASSAY_SIM_TRACE").is_some() {
            eprintln!("{line}");
        }
        for byte in line.bytes() {
            self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
        self.events += 1;
        *self.counts.entry(kind).or_default() += 1;
    }

    pub(super) fn violated(&mut self, invariant: Invariant, what: String) {
        self.violation.get_or_insert(Violation {
            invariant,
            what,
            at_ms: self.now_ms,
        });
    }

    /// A log signed the root of a history.
    pub(super) fn signed(&mut self, history: &History, checkpoint: &Checkpoint) {
        let what = format!("{} {}", checkpoint.origin, checkpoint.size);
        self.event("signed", &what);
        let leaves = history.leaves().iter().take(checkpoint.size.get() as usize);
        self.trees
            .insert(checkpoint.root, leaves.copied().collect());
    }

    /// Whether one of two trees begins with the other.
    fn agree(&self, one: &Head, other: &Head) -> bool {
        let (one, other) = if one.size <= other.size {
            (one, other)
        } else {
            (other, one)
        };
        match (self.trees.get(&one.root), self.trees.get(&other.root)) {
            (Some(older), Some(newer)) => newer.starts_with(older),
            // What nobody can look into agrees with nothing but itself.
            _ => one.size == TreeSize::EMPTY || one.root == other.root,
        }
    }

    /// A witness answered with a cosignature that states this time.
    pub(super) fn cosigned(&mut self, witness: usize, checkpoint: &Checkpoint, at: u64) {
        let (origin, size) = (&checkpoint.origin, checkpoint.size);
        self.event("cosigned", &format!("w{witness} {origin} {size} {at}"));
        if self.plan.witnesses[witness] == Witness::SignsAll
            || self.plan.witnesses[witness] == Witness::RollsBack
        {
            return;
        }
        let new = Head {
            size,
            root: checkpoint.root,
            at,
        };
        let all = self.stated.entry((witness, origin.clone())).or_default();
        let before = all.clone();
        all.push(new);
        for old in before {
            let fell = old.size > size && old.at < at || old.size < size && old.at > at;
            if fell || !self.agree(&old, &new) {
                let what = format!(
                    "w{witness} cosigned {origin} {} at {} and {size} at {at}",
                    old.size, old.at
                );
                self.violated(Invariant::OneHistory, what);
            }
        }
    }

    /// A node decided to cosign a log.
    pub(super) fn decided(&mut self, node: &str, origin: &str) {
        let culprit = Culprit::Log(origin.to_owned()).to_string();
        if self.known.contains(&(node.to_owned(), culprit)) {
            let what = format!("{node} cosigns {origin}, which it knows to be convicted");
            self.violated(Invariant::Conviction, what);
        }
    }

    /// A node holds evidence.
    pub(super) fn learned(&mut self, node: &str, culprit: &Culprit) {
        self.event("learned", &format!("{node} {culprit}"));
        if self.is_honest(culprit) {
            let what = format!("{node} holds evidence against {culprit}, which is honest");
            self.violated(Invariant::Innocence, what);
        }
        self.known.insert((node.to_owned(), culprit.to_string()));
    }

    /// A node crashed. What it still knows it will say.
    pub(super) fn forgets(&mut self, node: &str) {
        self.known.retain(|(knows, _)| knows != node);
    }

    pub(super) fn is_honest(&self, culprit: &Culprit) -> bool {
        match culprit {
            Culprit::Log(origin) => {
                let log = self.cast.log(origin);
                log.is_some_and(|log| log.host == LOGS[0] || self.plan.second == Second::Honest)
            }
            Culprit::Witness(name) => {
                let mut all = self.cast.witnesses.iter().zip(self.plan.witnesses);
                all.any(|(keys, it)| {
                    keys.name() == name && !matches!(it, Witness::SignsAll | Witness::RollsBack)
                })
            }
            Culprit::Mirror(_) => false,
        }
    }

    /// Whether a node is an honest one, which tells others what it knows.
    fn tells(&self, node: &str) -> bool {
        match WITNESS_HOSTS.iter().position(|host| *host == node) {
            Some(at) => self.plan.witnesses[at] != Witness::SignsAll,
            None => node == LOGS[0],
        }
    }

    /// A log serves a head.
    pub(super) fn served(&mut self, host: &str, note: &str) {
        let cast = self.cast.clone();
        let Some(log) = cast.logs.iter().find(|log| log.host == host) else {
            return;
        };
        let culprit = Culprit::Log(log.verifier.origin().to_owned());
        let is_known = self.served.get(host).is_some_and(|it| it == note);
        if is_known || !self.is_honest(&culprit) {
            return;
        }
        self.served.insert(log.host, note.to_owned());
        if !cast.is_witnessed(log, note) {
            self.violated(
                Invariant::Quorum,
                format!("{host} serves a head without a quorum"),
            );
        }
    }

    /// A log has a quorum for a head that is larger than the one before.
    pub(super) fn published(&mut self, host: &str, size: TreeSize) {
        self.event("published", &format!("{host} {size}"));
        if host == LOGS[0] && size > self.published {
            (self.published, self.published_ms) = (size, self.now_ms);
        }
    }

    /// A client accepted a head.
    pub(super) fn accepted(&mut self, client: &str, checkpoint: &Checkpoint) {
        let (origin, size) = (&checkpoint.origin, checkpoint.size);
        self.event("accepted", &format!("{client} {origin} {size}"));
        let new = Head {
            size,
            root: checkpoint.root,
            at: 0,
        };
        let all = self.accepted.entry(origin.clone()).or_default();
        if all.contains(&new) {
            return;
        }
        all.push(new);
        let all = all.clone();
        if all.iter().any(|old| !self.agree(old, &new)) {
            let now_ms = self.now_ms;
            self.conflicts.entry(origin.clone()).or_insert(now_ms);
            self.event("conflict", origin);
        }
    }

    /// Whether an honest node holds evidence against a log.
    fn is_known(&self, origin: &str) -> bool {
        let culprit = Culprit::Log(origin.to_owned()).to_string();
        let mut known = self.known.iter();
        known.any(|(node, it)| *it == culprit && self.tells(node))
    }

    /// Whether nothing is waited for: the log publishes, and of every fork there is evidence.
    pub(super) fn is_settled(&self) -> bool {
        let publishes = !self.plan.has_quorum() || self.published_ms + 5_000 > self.now_ms;
        publishes && self.conflicts.keys().all(|origin| self.is_known(origin))
    }

    /// What must hold now that a step was taken.
    pub(super) fn check(&mut self) -> Result<(), Violation> {
        if let Some(calm_ms) = self.calm_ms {
            let conflicts = self.conflicts.clone();
            for (origin, at_ms) in conflicts {
                let is_late = self.now_ms > at_ms.max(calm_ms) + EVIDENCE_MS;
                if is_late && !self.is_known(&origin) {
                    let what = format!("nobody holds evidence against {origin}");
                    self.violated(Invariant::Evidence, what);
                }
            }
            let since_ms = self.published_ms.max(calm_ms);
            if self.plan.has_quorum() && self.now_ms > since_ms + PUBLISH_MS {
                let what = format!("{} publishes nothing", LOGS[0]);
                self.violated(Invariant::Liveness, what);
            }
        }
        self.violation.clone().map_or(Ok(()), Err)
    }
}
