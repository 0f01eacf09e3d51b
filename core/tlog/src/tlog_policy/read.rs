//! Reading a policy, line by line.

use super::fault::{TlogPolicyError, TlogPolicyFault};
use super::policy::{Group, KnownLog, Member, TlogPolicy, Witness};
use super::voices::operator;
use crate::decimal::parse_decimal;
use crate::limits;
use crate::note::{Algorithm, VerifierKey, refuse_private_key};
use std::collections::{BTreeMap, BTreeSet};

impl TlogPolicy {
    /// Reads a policy. It guarantees what the module says, and that every threshold is from 1 to
    /// the number of members.
    pub fn parse(text: &str) -> Result<Self, TlogPolicyError> {
        refuse_private_key(text).map_err(|held| TlogPolicyError {
            line: 1,
            fault: TlogPolicyFault::PrivateKey(held),
        })?;
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
}

/// What was read so far.
#[derive(Default)]
struct Reader {
    logs: Vec<KnownLog>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Option<Option<Member>>,
    names: BTreeMap<String, Member>,
    keys: BTreeSet<Vec<u8>>,
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
        let key = self.key(vkey, Algorithm::is_of_logs)?;
        self.logs.push(KnownLog { key, url });
        bounded(self.logs.len())
    }

    fn witness(&mut self, words: &[&str]) -> Result<(), TlogPolicyFault> {
        let (name, vkey, url) = match words {
            [name, vkey] => (name, vkey, None),
            [name, vkey, url] => (name, vkey, Some((*url).to_owned())),
            _ => return Err(TlogPolicyFault::Form("witness NAME VKEY [URL]")),
        };
        let key = self.key(vkey, Algorithm::is_of_witnesses)?;
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
            convicted: BTreeSet::new(),
        })
    }

    /// Two keys of one operator are counted as one, wherever both are counted.
    fn check_operators(&self) -> Result<(), TlogPolicyFault> {
        let mut seen: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
        for (i, witness) in self.witnesses.iter().enumerate() {
            let Some(parent) = self.parents.get(&Member::Witness(i)) else {
                continue;
            };
            match seen.insert(operator(witness.key.name()), (*parent, &witness.name)) {
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

    fn key(
        &mut self,
        vkey: &str,
        fits: impl Fn(Algorithm) -> bool,
    ) -> Result<VerifierKey, TlogPolicyFault> {
        let key = VerifierKey::parse(vkey).map_err(TlogPolicyFault::Key)?;
        if !fits(key.algorithm()) {
            return Err(TlogPolicyFault::KeyType);
        }
        // "Two vkeys are considered duplicate if they wrap the same underlying public key."
        // docs/design.md 3.1 keeps the keys of logs and of witnesses apart, too.
        if self.keys.insert(key.public_key().to_vec()) {
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
    if count <= limits::POLICY_LINES {
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
        digits => parse_decimal(digits).and_then(|number| usize::try_from(number).ok()),
    };
    let possible = number.filter(|number| (1..=members).contains(number));
    possible.ok_or_else(|| TlogPolicyFault::Threshold {
        stated: stated.chars().take(40).collect(),
        members,
    })
}
