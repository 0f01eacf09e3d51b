//! A policy, and verifying checkpoints under it.

use super::voices::{Voices, operator};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::note::{Note, NoteError, VerifierKey};
use std::collections::{BTreeMap, BTreeSet};

/// A policy for checkpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogPolicy {
    pub(super) logs: Vec<KnownLog>,
    pub(super) witnesses: Vec<Witness>,
    pub(super) groups: Vec<Group>,
    pub(super) quorum: Option<Member>,
    /// The operators that do not count, because they are convicted.
    pub(super) convicted: BTreeSet<String>,
}

/// A log that the policy knows. Its origin is the name of its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownLog {
    /// What it signs with.
    pub key: VerifierKey,
    /// Where it is, if the policy says so.
    pub url: Option<String>,
}

/// A witness that the policy knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// What the policy calls it.
    pub name: String,
    /// What it cosigns with.
    pub key: VerifierKey,
    /// Where it is, if the policy says so.
    pub url: Option<String>,
}

/// Some of the witnesses and groups, and how many of them it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What the policy calls it.
    pub name: String,
    /// How many of the members it takes: from 1 to their number.
    pub threshold: usize,
    pub(super) members: Vec<Member>,
}

/// Where a name leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Member {
    Witness(usize),
    Group(usize),
}

/// Why a checkpoint is not to be relied on under a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuorumError {
    /// The note is malformed, a signature in it is wrong, or none is by a key of the policy.
    #[error("the checkpoint is not a note that the policy's keys signed")]
    Note(#[from] NoteError),
    /// Its text is not a checkpoint.
    #[error("the note is not a checkpoint")]
    Checkpoint(#[from] CheckpointError),
    /// No known log whose origin it states signed it.
    #[error("no log of the policy signed a checkpoint of {0}")]
    Log(String),
    /// Too few operators of witnesses cosigned it: these did.
    #[error("the policy's quorum of witnesses is not reached ({0})")]
    Quorum(Box<Voices>),
}

/// A checkpoint that a known log signed and a quorum of witnesses cosigned. Only
/// [`TlogPolicy::verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedQuorum {
    checkpoint: Checkpoint,
    witnesses: Vec<String>,
    voices: Voices,
    cosigned_at: Option<u64>,
}

impl VerifiedQuorum {
    /// What the log signed.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The policy's names of the keys that cosigned it. One witness may have several: who counts
    /// them counts [`VerifiedQuorum::voices`].
    pub fn witnesses(&self) -> &[String] {
        &self.witnesses
    }

    /// Who stands behind it, each operator once.
    pub fn voices(&self) -> &Voices {
        &self.voices
    }

    /// When a quorum had cosigned it, in seconds since 1970: the latest time since which enough of
    /// the cosignatures are made. `None` under `quorum none`.
    pub fn cosigned_at(&self) -> Option<u64> {
        self.cosigned_at
    }
}

/// How many witnesses a quorum takes, and of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuorumSize {
    /// Operators in the smallest quorum.
    pub least: usize,
    /// Operators who count towards the quorum.
    pub operators: usize,
    /// How many of them may be gone, whichever they are, while the others are still a quorum.
    pub spare: usize,
}

impl QuorumSize {
    /// The least that is safe: as long as fewer than a third of the operators lie, two quorums of
    /// so many share an honest one, who does not cosign two histories.
    pub fn safe(self) -> usize {
        1 + 2 * self.operators / 3
    }

    /// Whether a quorum is as large as is safe.
    pub fn is_safe(self) -> bool {
        self.least >= self.safe()
    }
}

impl TlogPolicy {
    /// How large a quorum is. `None` for `quorum none`. Keys of one [`operator`] count once.
    pub fn quorum_size(&self) -> Option<QuorumSize> {
        let quorum = self.quorum?;
        let mut operators = BTreeSet::new();
        let (least, blocking) = self.fewest(quorum, &mut operators);
        Some(QuorumSize {
            least,
            operators: operators.len(),
            spare: blocking.saturating_sub(1),
        })
    }

    /// The fewest operators that satisfy a member, and the fewest without whom nobody does; adds
    /// all operators below it. Members have no operator in common, but for the keys of one.
    fn fewest<'a>(&'a self, member: Member, operators: &mut BTreeSet<&'a str>) -> (usize, usize) {
        let group = match member {
            Member::Witness(i) => {
                let witness = self.witnesses.get(i);
                operators.extend(witness.map(|witness| operator(witness.key.name())));
                return (1, 1);
            }
            Member::Group(i) => &self.groups[i],
        };
        let before = operators.len();
        let (mut least, mut blocking) = (Vec::new(), Vec::new());
        for member in &group.members {
            let (some, without) = self.fewest(*member, operators);
            least.push(some);
            blocking.push(without);
        }
        least.sort_unstable();
        blocking.sort_unstable();
        let without = group.members.len() - group.threshold + 1;
        // The keys of one operator are gone together.
        let all = operators.len() - before;
        (
            least.iter().take(group.threshold).sum(),
            blocking.iter().take(without).sum::<usize>().min(all),
        )
    }

    /// The logs, in their order.
    pub fn logs(&self) -> &[KnownLog] {
        &self.logs
    }

    /// The keys of the log of an origin: several if it changed its key and the policy knows both.
    pub fn keys_of_log<'a>(&'a self, origin: &str) -> impl Iterator<Item = &'a VerifierKey> {
        let origin = origin.to_owned();
        let keys = self.logs.iter().map(|log| &log.key);
        keys.filter(move |key| key.name() == origin)
    }

    /// The log of an origin, with the first of its keys.
    pub fn log(&self, origin: &str) -> Option<&KnownLog> {
        self.logs.iter().find(|log| log.key.name() == origin)
    }

    /// The same policy, which also knows the log with this key: for a policy that names witnesses
    /// and no log. A log whose origin it knows already stays as it is.
    pub fn with_log(&self, key: &VerifierKey) -> Self {
        let mut policy = self.clone();
        if policy.log(key.name()).is_none() {
            policy.logs.push(KnownLog {
                key: key.clone(),
                url: None,
            });
        }
        policy
    }

    /// The same policy, in which the operators of these key names do not count, with none of their
    /// keys: whoever is convicted of misbehavior. What they signed is not looked at, and a quorum
    /// takes as many as before.
    pub fn without<'a>(&self, key_names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut policy = self.clone();
        let operators = key_names.into_iter().map(|name| operator(name).to_owned());
        policy.convicted.extend(operators);
        policy
    }

    /// Whether a witness does not count, because its operator is convicted.
    pub(super) fn is_convicted(&self, witness: &Witness) -> bool {
        self.convicted.contains(operator(witness.key.name()))
    }

    /// The witnesses, in their order.
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// The groups, in their order.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The names of a group's members, in their order.
    pub fn members<'a>(&'a self, group: &'a Group) -> impl Iterator<Item = &'a str> {
        group.members.iter().map(|member| self.name(*member))
    }

    /// The name that the quorum is; `None` for `quorum none`.
    pub fn quorum(&self) -> Option<&str> {
        self.quorum.map(|member| self.name(member))
    }

    /// Whether these witnesses, by their names in the policy, are a quorum. Names that stand twice
    /// count once, and those of convicted operators do not.
    pub fn is_quorum<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> bool {
        let cosigned: BTreeSet<&str> = names.into_iter().collect();
        self.quorum
            .is_none_or(|member| self.witnessed(member, &cosigned))
    }

    /// Verifies the note of a checkpoint: one of the logs signed it, under its origin, and a quorum
    /// cosigned it.
    ///
    /// Every signature by a key of the policy that counts must be right. Other signatures are not
    /// looked at.
    pub fn verify(&self, note: &str) -> Result<VerifiedQuorum, QuorumError> {
        let witnesses = self.witnesses.iter();
        let counted = witnesses.filter(|witness| !self.is_convicted(witness));
        let keys = self
            .logs
            .iter()
            .map(|log| &log.key)
            .chain(counted.map(|witness| &witness.key));
        let verified = Note::parse_checkpoint(note)?.verify(&keys.cloned().collect::<Vec<_>>())?;
        let checkpoint = Checkpoint::parse_body(verified.text())?;
        let signed = |key: &VerifierKey| {
            verified
                .signers()
                .iter()
                .find(|signer| signer.name() == key.name() && signer.key_id() == key.key_id())
        };
        if !self
            .logs
            .iter()
            .any(|log| log.key.name() == checkpoint.origin && signed(&log.key).is_some())
        {
            return Err(QuorumError::Log(checkpoint.origin));
        }
        let (mut cosigned, mut times) = (Vec::new(), BTreeMap::new());
        for (i, witness) in self.witnesses.iter().enumerate() {
            if let Some(at) = signed(&witness.key).and_then(|signer| signer.timestamp()) {
                cosigned.push((witness.name.as_str(), at));
                times.insert(i, at);
            }
        }
        let voices = self.voices(&times);
        if !self.is_quorum(cosigned.iter().map(|(name, _)| *name)) {
            return Err(QuorumError::Quorum(Box::new(voices)));
        }
        let witnesses = cosigned.iter().map(|(name, _)| (*name).to_owned());
        Ok(VerifiedQuorum {
            checkpoint,
            witnesses: witnesses.collect(),
            voices,
            cosigned_at: self.quorum_time(&cosigned),
        })
    }

    /// The latest time since which enough of the cosignatures are made. That of the last one alone
    /// would let one witness make a checkpoint look fresh.
    fn quorum_time(&self, cosigned: &[(&str, u64)]) -> Option<u64> {
        self.quorum?;
        let mut latest = None;
        for (_, time) in cosigned {
            let since = cosigned.iter().filter(|(_, at)| at >= time);
            if self.is_quorum(since.map(|(name, _)| *name)) {
                latest = latest.max(Some(*time));
            }
        }
        latest
    }

    fn witnessed(&self, member: Member, cosigned: &BTreeSet<&str>) -> bool {
        match member {
            Member::Witness(i) => self
                .witnesses
                .get(i)
                .is_some_and(|w| cosigned.contains(w.name.as_str()) && !self.is_convicted(w)),
            Member::Group(i) => self.groups.get(i).is_some_and(|group| {
                let met = group
                    .members
                    .iter()
                    .filter(|member| self.witnessed(**member, cosigned))
                    .count();
                met >= group.threshold
            }),
        }
    }

    pub(super) fn name(&self, member: Member) -> &str {
        match member {
            Member::Witness(i) => self.witnesses.get(i).map_or("", |witness| &witness.name),
            Member::Group(i) => self.groups.get(i).map_or("", |group| &group.name),
        }
    }
}
