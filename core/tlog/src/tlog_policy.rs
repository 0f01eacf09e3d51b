//! C2SP tlog-policy: which logs are known, which witnesses, and how many of those must have
//! cosigned a checkpoint.
//!
//! ```text
//! log <vkey> [<url>]
//! witness <name> <vkey> [<url>]
//! group <name> <all | any | k> <name>…
//! quorum <name | none>
//! ```
//!
//! Read strictly: every name is defined on a line above, is a member of one group at most, and no
//! key stands twice. One rule is ours: witnesses whose keys have the same key name are one
//! operator, and cannot be counted twice. Left out: asking witnesses, and anything that the text's
//! URLs lead to.

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::limits;
use crate::note::{Algorithm, KeyError, Note, NoteError, VerifierKey};
use std::collections::{BTreeMap, BTreeSet};

/// Most lines of a kind. The specification asks for at least 32, and a note has at most 100
/// signatures.
const LINES: usize = limits::NOTE_SIGNATURES;

/// A policy for checkpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogPolicy {
    logs: Vec<KnownLog>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Option<Member>,
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
    members: Vec<Member>,
}

/// Where a name leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Member {
    Witness(usize),
    Group(usize),
}

/// Why a text is no policy: the line, counted from 1, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct TlogPolicyError {
    /// The line; the last one if something is missing.
    pub line: usize,
    /// What is wrong there.
    pub fault: TlogPolicyFault,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlogPolicyFault {
    /// A control character other than tab and line break.
    #[error("has a control character other than tab and line break; remove it")]
    Control,
    /// Its first word is none of the four.
    #[error(
        "begins with {0:?}; a line is one of log, witness, group and quorum, or a comment that \
         begins with #"
    )]
    Keyword(String),
    /// It has too few or too many words.
    #[error("does not have the form `{0}`")]
    Form(&'static str),
    /// The key is none.
    #[error("{0}")]
    Key(KeyError),
    /// The key of a log cannot cosign, and that of a witness cannot sign notes.
    #[error("the key signs something else: a log's key has type 0x01, a witness's type 0x04")]
    KeyType,
    /// The same key stands on another line.
    #[error("its key stands on another line already; a key is listed once")]
    KeyTwice,
    /// The name is taken, or is `none`.
    #[error("the name {0:?} is taken; choose another")]
    NameTaken(String),
    /// Nothing above is called like that.
    #[error("no line above defines {0:?}; define it before it is used")]
    Undefined(String),
    /// It is a member of a group already.
    #[error("{0:?} is a member of a group already; a name can be a member once")]
    MemberTwice(String),
    /// The threshold is no number from 1 to the number of members.
    #[error(
        "the threshold {stated:?} is not `any`, `all` or a number from 1 to {members}: nothing \
         could be relied on otherwise"
    )]
    Threshold {
        /// What stands there.
        stated: String,
        /// How many members the group has.
        members: usize,
    },
    /// Two witnesses have the same key name, and could count twice.
    #[error(
        "the witnesses {0:?} and {1:?} have the same key name, so that they are one operator; put \
         both into one group of `any`, which counts once"
    )]
    OneOperator(String, String),
    /// No quorum line.
    #[error("there is no quorum line; add `quorum NAME`, or `quorum none` to rely on no witness")]
    NoQuorum,
    /// A second quorum line.
    #[error("there is a quorum line already; keep one")]
    QuorumTwice,
    /// More lines of a kind than are read.
    #[error("there are more than {LINES} lines of this kind")]
    TooMany,
}

/// Why a checkpoint is not to be relied on under a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuorumError {
    /// The note is malformed, a signature in it is wrong, or none is by a key of the policy.
    #[error("the checkpoint is no note that the policy's keys signed")]
    Note(#[from] NoteError),
    /// Its text is no checkpoint.
    #[error("the note is no checkpoint")]
    Checkpoint(#[from] CheckpointError),
    /// No known log whose origin it states signed it.
    #[error("no log of the policy signed a checkpoint of {0}")]
    Log(String),
    /// Too few witnesses cosigned it.
    #[error("{} of the policy's witnesses cosigned it ({}), which is less than its quorum", .0.len(), .0.join(", \
        "))]
    Quorum(Vec<String>),
}

/// A checkpoint that a known log signed and a quorum of witnesses cosigned. Only
/// [`TlogPolicy::verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedQuorum {
    checkpoint: Checkpoint,
    witnesses: Vec<String>,
    cosigned_at: Option<u64>,
}

impl VerifiedQuorum {
    /// What the log signed.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The policy's names of the witnesses that cosigned it.
    pub fn witnesses(&self) -> &[String] {
        &self.witnesses
    }

    /// When a quorum had cosigned it, in seconds since 1970: the latest time since which enough of
    /// the cosignatures are made. `None` under `quorum none`.
    pub fn cosigned_at(&self) -> Option<u64> {
        self.cosigned_at
    }
}

impl TlogPolicy {
    /// Reads a policy. It guarantees what the module says, and that every threshold is from 1 to
    /// the number of members.
    pub fn parse(text: &str) -> Result<Self, TlogPolicyError> {
        let mut reader = Reader::default();
        let mut last = 1;
        for (i, line) in text.split('\n').enumerate() {
            last = i + 1;
            reader
                .line(line)
                .map_err(|fault| TlogPolicyError { line: last, fault })?;
        }
        reader
            .finish()
            .map_err(|fault| TlogPolicyError { line: last, fault })
    }

    /// The logs, in their order.
    pub fn logs(&self) -> &[KnownLog] {
        &self.logs
    }

    /// The log of an origin.
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
    /// count once.
    pub fn is_quorum<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> bool {
        let cosigned: BTreeSet<&str> = names.into_iter().collect();
        self.quorum
            .is_none_or(|member| self.witnessed(member, &cosigned))
    }

    /// Verifies the note of a checkpoint: one of the logs signed it, under its origin, and a quorum
    /// cosigned it.
    ///
    /// Every signature by a key of the policy must be right. Other signatures are not looked at.
    pub fn verify(&self, note: &str) -> Result<VerifiedQuorum, QuorumError> {
        let keys = self
            .logs
            .iter()
            .map(|log| &log.key)
            .chain(self.witnesses.iter().map(|witness| &witness.key));
        let verified = Note::parse(note.as_bytes())?.verify(&keys.cloned().collect::<Vec<_>>())?;
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
        let cosigned: Vec<(&str, u64)> = self
            .witnesses
            .iter()
            .filter_map(|witness| Some((witness.name.as_str(), signed(&witness.key)?.timestamp()?)))
            .collect();
        let witnesses: Vec<String> = cosigned
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect();
        if self.is_quorum(cosigned.iter().map(|(name, _)| *name)) {
            Ok(VerifiedQuorum {
                checkpoint,
                witnesses,
                cosigned_at: self.quorum_time(&cosigned),
            })
        } else {
            Err(QuorumError::Quorum(witnesses))
        }
    }

    /// The latest time since which enough of the cosignatures are made. That of the last one alone
    /// would let one witness make a checkpoint look fresh.
    fn quorum_time(&self, cosigned: &[(&str, u64)]) -> Option<u64> {
        self.quorum?;
        let since = |time: u64| {
            cosigned
                .iter()
                .filter(move |(_, at)| *at >= time)
                .map(|(name, _)| *name)
        };
        cosigned
            .iter()
            .map(|(_, time)| *time)
            .filter(|time| self.is_quorum(since(*time)))
            .max()
    }

    fn witnessed(&self, member: Member, cosigned: &BTreeSet<&str>) -> bool {
        match member {
            Member::Witness(i) => self
                .witnesses
                .get(i)
                .is_some_and(|w| cosigned.contains(w.name.as_str())),
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

    fn name(&self, member: Member) -> &str {
        match member {
            Member::Witness(i) => self.witnesses.get(i).map_or("", |witness| &witness.name),
            Member::Group(i) => self.groups.get(i).map_or("", |group| &group.name),
        }
    }
}

/// What was read so far.
#[derive(Default)]
struct Reader {
    logs: Vec<KnownLog>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Option<Option<Member>>,
    names: BTreeMap<String, Member>,
    keys: BTreeSet<[u8; 32]>,
    /// The group that something is a member of.
    parents: BTreeMap<Member, usize>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), TlogPolicyFault> {
        if line.bytes().any(|b| b != b'\t' && b.is_ascii_control()) {
            return Err(TlogPolicyFault::Control);
        }
        let words: Vec<&str> = line
            .split([' ', '\t'])
            .filter(|word| !word.is_empty())
            .collect();
        match words.split_first() {
            None => Ok(()),
            Some((first, _)) if first.starts_with('#') => Ok(()),
            Some((&"log", rest)) => self.log(rest),
            Some((&"witness", rest)) => self.witness(rest),
            Some((&"group", rest)) => self.group(rest),
            Some((&"quorum", rest)) => self.quorum(rest),
            Some((other, _)) => Err(TlogPolicyFault::Keyword(other.chars().take(40).collect())),
        }
    }

    fn log(&mut self, words: &[&str]) -> Result<(), TlogPolicyFault> {
        let (vkey, url) = match words {
            [vkey] => (vkey, None),
            [vkey, url] => (vkey, Some((*url).to_owned())),
            _ => return Err(TlogPolicyFault::Form("log VKEY [URL]")),
        };
        let key = self.key(vkey, Algorithm::Ed25519)?;
        self.logs.push(KnownLog { key, url });
        bounded(self.logs.len())
    }

    fn witness(&mut self, words: &[&str]) -> Result<(), TlogPolicyFault> {
        let (name, vkey, url) = match words {
            [name, vkey] => (name, vkey, None),
            [name, vkey, url] => (name, vkey, Some((*url).to_owned())),
            _ => return Err(TlogPolicyFault::Form("witness NAME VKEY [URL]")),
        };
        let key = self.key(vkey, Algorithm::CosignatureV1)?;
        self.define(name, Member::Witness(self.witnesses.len()))?;
        self.witnesses.push(Witness {
            name: (*name).to_owned(),
            key,
            url,
        });
        bounded(self.witnesses.len())
    }

    fn group(&mut self, words: &[&str]) -> Result<(), TlogPolicyFault> {
        let [name, stated, members @ ..] = words else {
            return Err(TlogPolicyFault::Form("group NAME any|all|NUMBER MEMBER…"));
        };
        if members.is_empty() {
            return Err(TlogPolicyFault::Form("group NAME any|all|NUMBER MEMBER…"));
        }
        let threshold = threshold(stated, members.len())?;
        let at = self.groups.len();
        let mut group = Group {
            name: (*name).to_owned(),
            threshold,
            members: Vec::with_capacity(members.len()),
        };
        for member in members {
            let found = self.find(member)?;
            if self.parents.insert(found, at).is_some() {
                return Err(TlogPolicyFault::MemberTwice((*member).to_owned()));
            }
            group.members.push(found);
        }
        self.define(name, Member::Group(at))?;
        self.groups.push(group);
        bounded(self.groups.len())
    }

    fn quorum(&mut self, words: &[&str]) -> Result<(), TlogPolicyFault> {
        let [name] = words else {
            return Err(TlogPolicyFault::Form("quorum NAME|none"));
        };
        if self.quorum.is_some() {
            return Err(TlogPolicyFault::QuorumTwice);
        }
        self.quorum = Some(if *name == "none" {
            None
        } else {
            Some(self.find(name)?)
        });
        Ok(())
    }

    fn finish(self) -> Result<TlogPolicy, TlogPolicyFault> {
        self.check_operators()?;
        let quorum = self.quorum.ok_or(TlogPolicyFault::NoQuorum)?;
        Ok(TlogPolicy {
            logs: self.logs,
            witnesses: self.witnesses,
            groups: self.groups,
            quorum,
        })
    }

    /// Two keys of one operator are counted as one, wherever both are counted.
    fn check_operators(&self) -> Result<(), TlogPolicyFault> {
        let mut seen: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
        for (i, witness) in self.witnesses.iter().enumerate() {
            let Some(parent) = self.parents.get(&Member::Witness(i)) else {
                continue;
            };
            match seen.insert(witness.key.name(), (*parent, &witness.name)) {
                Some((before, _))
                    if before == *parent
                        && self.groups.get(before).is_some_and(|g| g.threshold == 1) => {}
                Some((_, other)) => {
                    return Err(TlogPolicyFault::OneOperator(
                        other.into(),
                        witness.name.clone(),
                    ));
                }
                None => {}
            }
        }
        Ok(())
    }

    fn key(&mut self, vkey: &str, algorithm: Algorithm) -> Result<VerifierKey, TlogPolicyFault> {
        let key = VerifierKey::parse(vkey).map_err(TlogPolicyFault::Key)?;
        if key.algorithm() != algorithm {
            return Err(TlogPolicyFault::KeyType);
        }
        // "Two vkeys are considered duplicate if they wrap the same underlying public key." DESIGN
        // 3.1 keeps the keys of logs and of witnesses apart, too.
        if self.keys.insert(*key.public_key()) {
            Ok(key)
        } else {
            Err(TlogPolicyFault::KeyTwice)
        }
    }

    fn define(&mut self, name: &str, member: Member) -> Result<(), TlogPolicyFault> {
        if name == "none" || self.names.contains_key(name) {
            return Err(TlogPolicyFault::NameTaken(name.to_owned()));
        }
        self.names.insert(name.to_owned(), member);
        Ok(())
    }

    fn find(&self, name: &str) -> Result<Member, TlogPolicyFault> {
        self.names
            .get(name)
            .copied()
            .ok_or_else(|| TlogPolicyFault::Undefined(name.to_owned()))
    }
}

fn bounded(count: usize) -> Result<(), TlogPolicyFault> {
    if count <= LINES {
        Ok(())
    } else {
        Err(TlogPolicyFault::TooMany)
    }
}

/// `any`, `all`, or a decimal number in its one spelling.
fn threshold(stated: &str, members: usize) -> Result<usize, TlogPolicyFault> {
    let number = match stated {
        "any" => Some(1),
        "all" => Some(members),
        digits => digits
            .parse()
            .ok()
            .filter(|number: &usize| number.to_string() == digits),
    };
    let possible = number.filter(|number| (1..=members).contains(number));
    possible.ok_or_else(|| TlogPolicyFault::Threshold {
        stated: stated.chars().take(40).collect(),
        members,
    })
}

#[cfg(test)]
mod tests;
