//! Who is behind the cosignatures under a checkpoint: operators, each of whom is one voice, with
//! however many keys.
//!
//! An operator is told by the names of its keys. A name that ends in `/witness`, `/mirror` or
//! `/audit` says besides what the key states (docs/federation.md); the rest is the operator's name,
//! so that nobody counts as a witness and once more as a mirror.

use super::policy::{Member, TlogPolicy};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What the cosignatures of a key state, by the end of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The head is consistent with all that it cosigned before.
    Witness,
    /// Besides, it holds all entries.
    Mirror,
    /// Besides, it checked all entries and the index.
    Audit,
}

impl Role {
    /// The role of a key with this name.
    pub fn of(key_name: &str) -> Self {
        split(key_name).1
    }
}

/// The operator of a key with this name.
pub fn operator(key_name: &str) -> &str {
    split(key_name).0
}

fn split(key_name: &str) -> (&str, Role) {
    for (end, role) in [
        ("/witness", Role::Witness),
        ("/mirror", Role::Mirror),
        ("/audit", Role::Audit),
    ] {
        match key_name.strip_suffix(end) {
            Some(operator) if !operator.is_empty() => return (operator, role),
            _ => {}
        }
    }
    (key_name, Role::Witness)
}

/// An operator that cosigned a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voice {
    /// What the policy calls it: the name of its one key, or of the group that has all its keys and
    /// no others; the operator's name if there is no such group.
    pub name: String,
    /// Who it is, by the names of its keys.
    pub operator: String,
    /// What those of its keys state that cosigned.
    pub roles: BTreeSet<Role>,
    /// The latest time at which it cosigned, in seconds since 1970 (UTC).
    pub at: u64,
}

/// Who cosigned a checkpoint, and who did not, of the cosigners that a policy knows. Each operator
/// is there once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Voices {
    /// Operators in the smallest quorum; 0 if the policy asks for none.
    pub least: usize,
    /// Those who count towards the quorum and cosigned, in the policy's order. Under `quorum none`,
    /// all witnesses that did; mirrors and auditors count only where a quorum names them.
    pub counted: Vec<Voice>,
    /// The names of those who count towards the quorum and did not cosign.
    pub missing: Vec<String>,
    /// The names of those who would count towards the quorum, and do not, because they are
    /// convicted of misbehavior ([`TlogPolicy::without`]).
    pub convicted: Vec<String>,
    /// Those who cosigned, and do not count towards the quorum.
    pub besides: Vec<Voice>,
}

impl Voices {
    /// How many operators count towards the quorum, or would if they were not convicted.
    pub fn operators(&self) -> usize {
        self.counted.len() + self.missing.len() + self.convicted.len()
    }

    /// The names of those who count towards the quorum and cosigned.
    pub fn names(&self) -> Vec<&str> {
        self.counted.iter().map(|one| one.name.as_str()).collect()
    }

    /// All who cosigned with a key of this role.
    pub fn of_role(&self, role: Role) -> impl Iterator<Item = &Voice> {
        let all = self.counted.iter().chain(&self.besides);
        all.filter(move |voice| voice.roles.contains(&role))
    }

    /// Who cosigned both this checkpoint and another one, under the same policy, each at the
    /// earlier of the two times.
    pub fn both(&self, other: &Self) -> Self {
        let counted = both(&self.counted, &other.counted);
        let is_in = |name: &String| counted.iter().any(|voice| voice.name == *name);
        let names = self.counted.iter().map(|voice| &voice.name);
        let missing = names.filter(|name| !is_in(name));
        Voices {
            least: self.least,
            missing: missing.chain(&self.missing).cloned().collect(),
            convicted: self.convicted.clone(),
            besides: both(&self.besides, &other.besides),
            counted,
        }
    }
}

/// Those who are among both.
fn both(some: &[Voice], others: &[Voice]) -> Vec<Voice> {
    let mut found = Vec::new();
    for one in some {
        let same = others.iter().find(|other| other.operator == one.operator);
        if let Some(other) = same {
            found.push(Voice {
                roles: &one.roles & &other.roles,
                at: one.at.min(other.at),
                ..one.clone()
            });
        }
    }
    found
}

/// `1 of 2 needed: a; missing: b, c; convicted: d`.
impl fmt::Display for Voices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, names) = (self.counted.len(), self.names().join(", "));
        if count >= self.least && self.least > 0 {
            // Groups may ask for others than these.
            write!(f, "{names} are no quorum")?;
        } else {
            write!(f, "{count} of {} needed", self.least)?;
            if count > 0 {
                write!(f, ": {names}")?;
            }
        }
        if !self.missing.is_empty() {
            write!(f, "; missing: {}", self.missing.join(", "))?;
        }
        if !self.convicted.is_empty() {
            write!(f, "; convicted: {}", self.convicted.join(", "))?;
        }
        Ok(())
    }
}

/// An operator and its keys among the witnesses of a policy.
struct Seat {
    keys: Vec<usize>,
    counts: bool,
}

impl TlogPolicy {
    /// Who of the policy's cosigners stands behind a checkpoint that these keys cosigned: places
    /// among [`TlogPolicy::witnesses`], each with its time.
    pub(super) fn voices(&self, cosigned: &BTreeMap<usize, u64>) -> Voices {
        let mut voices = Voices {
            least: self.quorum_size().map_or(0, |size| size.least),
            ..Voices::default()
        };
        for (operator, seat) in self.seats() {
            let name = self.name_of(operator, &seat.keys);
            if self.convicted.contains(operator) {
                if seat.counts {
                    voices.convicted.push(name);
                }
                continue;
            }
            let signed = seat
                .keys
                .iter()
                .filter_map(|key| Some((key, cosigned.get(key)?)));
            let roles: BTreeSet<Role> = signed.clone().map(|(key, _)| self.role(*key)).collect();
            match signed.map(|(_, at)| *at).max() {
                Some(at) => {
                    let voice = Voice {
                        name,
                        operator: operator.to_owned(),
                        roles,
                        at,
                    };
                    if seat.counts {
                        voices.counted.push(voice);
                    } else {
                        voices.besides.push(voice);
                    }
                }
                None if seat.counts => voices.missing.push(name),
                None => {}
            }
        }
        voices
    }

    /// The operators in the order of their first keys. Keys that count towards the quorum and keys
    /// of the same operator that do not are two seats.
    fn seats(&self) -> Vec<(&str, Seat)> {
        let mut counting = BTreeSet::new();
        match self.quorum {
            Some(quorum) => self.below(quorum, &mut counting),
            None => counting
                .extend((0..self.witnesses.len()).filter(|key| self.role(*key) == Role::Witness)),
        }
        let mut seats: Vec<(&str, Seat)> = Vec::new();
        for (i, witness) in self.witnesses.iter().enumerate() {
            let (operator, counts) = (operator(witness.key.name()), counting.contains(&i));
            let mut known = seats.iter_mut();
            match known.find(|(name, seat)| *name == operator && seat.counts == counts) {
                Some((_, seat)) => seat.keys.push(i),
                None => seats.push((
                    operator,
                    Seat {
                        keys: vec![i],
                        counts,
                    },
                )),
            }
        }
        seats
    }

    /// The witnesses that a member of a group has below it, itself included.
    fn below(&self, member: Member, found: &mut BTreeSet<usize>) {
        match member {
            Member::Witness(i) => _ = found.insert(i),
            Member::Group(i) => {
                for member in self.groups.get(i).iter().flat_map(|group| &group.members) {
                    self.below(*member, found);
                }
            }
        }
    }

    fn name_of(&self, operator: &str, keys: &[usize]) -> String {
        if let [key] = keys {
            return self.name(Member::Witness(*key)).to_owned();
        }
        let of_keys = |group: &&super::Group| {
            let members = group.members.iter();
            members.eq(keys
                .iter()
                .map(|key| Member::Witness(*key))
                .collect::<Vec<_>>()
                .iter())
        };
        let group = self.groups.iter().find(of_keys);
        group.map_or(operator, |group| &group.name).to_owned()
    }

    fn role(&self, key: usize) -> Role {
        let witness = self.witnesses.get(key);
        witness.map_or(Role::Witness, |witness| Role::of(witness.key.name()))
    }
}
