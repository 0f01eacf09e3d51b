//! Logs that keep the rules, made of what [`issuer::Request::hold_to_rules`] lets in: nothing in
//! them is a breach, whichever leaves are held against each other. And whatever rule one breaks
//! then, wherever, is found.
//!
//! `PROPTEST_CASES=100000` runs more of them than the 256 of every run.

use super::*;
use crate::claim::{PublicKey, SignatureId};
use crate::index::Query;
use crate::issuer::{Registry, Request};
use crate::misbehavior::breach::text::{Kind, Listed};
use proptest::prelude::*;
use proptest::sample::Index;
use std::collections::HashSet;

/// What somebody asks to have logged.
#[derive(Debug, Clone)]
enum Ask {
    /// A claim about a package by these keys, each alone an issuer unless a record has it.
    Claim(u8, Vec<u8>),
    /// A record with these keys, all of which sign.
    Register(Vec<u8>),
    /// The next record of the issuer of this key, with another key.
    Rotate(u8, u8),
    /// A commitment.
    Commit,
    /// Time goes by.
    Wait(u8),
}

fn asks() -> impl Strategy<Value = Vec<Ask>> {
    let seeds = prop::collection::vec(1..8_u8, 1..3);
    let ask = prop_oneof![
        6 => (0..3_u8, seeds.clone()).prop_map(|(package, by)| Ask::Claim(package, by)),
        2 => seeds.prop_map(Ask::Register),
        1 => (1..8_u8, 1..8_u8).prop_map(|(of, new)| Ask::Rotate(of, new)),
        2 => Just(Ask::Commit),
        1 => any::<u8>().prop_map(Ask::Wait),
    ];
    prop::collection::vec(ask, 1..20)
}

/// A log and what decides whether a claim gets in.
struct Honest {
    log: Log,
    registry: Registry,
    seen: HashSet<SignatureId>,
}

impl Honest {
    fn log(asks: &[Ask]) -> Log {
        let mut honest = Honest {
            log: Log::new(),
            registry: Registry::new(),
            seen: HashSet::new(),
        };
        for ask in asks {
            honest.ask(ask);
        }
        honest.log.commit();
        honest.log
    }

    fn ask(&mut self, ask: &Ask) {
        match ask {
            Ask::Claim(package, seeds) => {
                let signers: Vec<_> = seeds
                    .iter()
                    .map(|seed| (self.owner(*seed).unwrap_or(issuer(*seed)), *seed))
                    .collect();
                self.claim(signed(&about(*package), &signers));
            }
            Ask::Register(seeds) => {
                let mut seeds = seeds.clone();
                seeds.dedup();
                let body = body(&seeds);
                self.claim(record(genesis_id(&body), &body, &seeds));
            }
            Ask::Rotate(of, new) => {
                if let Some(id) = self.owner(*of) {
                    self.rotate(id, *of, *new);
                }
            }
            Ask::Commit => _ = self.log.commit(),
            Ask::Wait(ms) => self.log.now_ms += u64::from(*ms),
        }
    }

    fn rotate(&mut self, id: IssuerId, of: u8, new: u8) {
        use crate::issuer::Issuers;
        let in_force = self.registry.in_force(&id).unwrap();
        let body = predicate::Issuer {
            sequence: in_force.body.sequence + 1,
            previous: Some(in_force.claim_id),
            ..body(&[new])
        };
        let mut seeds = vec![of, new];
        seeds.dedup();
        self.claim(record(id, &body, &seeds));
    }

    fn owner(&self, seed: u8) -> Option<IssuerId> {
        use crate::issuer::Issuers;
        self.registry.owner(&PublicKey::from(&key(seed)))
    }

    /// Logs a claim, if the rules let it in.
    fn claim(&mut self, claim: wire::Claim) {
        let verified = claim::verify(&claim, &()).unwrap();
        let Ok(authorized) = Request::of(&verified)
            .unwrap()
            .hold_to_rules(&self.registry)
        else {
            return;
        };
        let new: HashSet<_> = verified
            .signers()
            .iter()
            .filter(|signer| !self.seen.contains(&SignatureId::new(verified.id(), signer)))
            .map(|(issuer, _)| *issuer)
            .collect();
        if verified
            .signers()
            .iter()
            .any(|(issuer, _)| !new.contains(issuer))
        {
            return;
        }
        self.seen.extend(verified.signature_ids());
        let leaf = self.log.claim(claim);
        if let Some(record) = authorized.change() {
            self.registry.apply(at(leaf), record.clone()).unwrap();
        }
    }
}

/// Whether any of these leaves, or the index of any commitment, can be called a breach.
fn blamed(log: &Log, picks: &[Index], label: &Index) -> Option<VerifiedBreach> {
    let head = log.head();
    let accuser = Accuser::of_log(&head, log, log);
    let mut leaves: Vec<LeafIndex> = picks
        .iter()
        .map(|pick| at(pick.index(log.entries.len()) as u64))
        .collect();
    leaves.sort();
    leaves.dedup();
    let last = log.size().last_leaf().unwrap();
    let with_last: Vec<LeafIndex> = leaves
        .iter()
        .copied()
        .filter(|leaf| *leaf < last)
        .chain([last])
        .collect();
    let labels = log.labels();
    let commitments = log.commitments();
    let listed = (!labels.is_empty()).then(|| {
        let commitment = commitments[label.index(commitments.len())];
        log.listing(*label.get(&labels), commitment)
    });
    let mut built = vec![
        accuser.at_leaf(leaves[0]).unwrap().ok_or(()),
        accuser.first_leaf().map_err(|_| ()),
        accuser.last_leaf().map_err(|_| ()),
        accuser
            .accuse(Kind::Commitment, None, &leaves)
            .map_err(|_| ()),
        accuser
            .accuse(Kind::Entry, None, &with_last)
            .map_err(|_| ()),
    ];
    if let Some(listing) = listed {
        for commitment in &commitments {
            for leaf in &leaves {
                let at = at(*commitment);
                built.push(accuser.omission(*leaf, at, listing.get()).map_err(|_| ()));
                built.push(accuser.surplus(*leaf, at, listing.get()).map_err(|_| ()));
            }
        }
        // Any leaves under any proof of the index.
        for kind in [Kind::Omission, Kind::Surplus] {
            let own = Listed {
                label: listing.label,
                cut: listing.cut.clone(),
                neighbors: None,
            };
            built.push(accuser.accuse(kind, Some(own), &leaves).map_err(|_| ()));
        }
    }
    built.into_iter().find_map(Result::ok)
}

proptest! {
    #[test]
    fn no_honest_log_is_blamed(
        asks in asks(),
        picks in prop::collection::vec(any::<Index>(), 1..5),
        label in any::<Index>(),
    ) {
        let log = Honest::log(&asks);
        prop_assert_eq!(blamed(&log, &picks, &label), None);
    }

    /// A rule is broken somewhere in an honest log, which goes on behind it.
    #[test]
    fn every_broken_rule_is_found(
        before in asks(),
        after in asks(),
        rule in 0..7_u8,
        pick in any::<Index>(),
    ) {
        let mut log = Honest::log(&before);
        let leaf = break_rule(&mut log, rule, &pick);
        // What follows is in order by itself.
        for ask in &after {
            if let Ask::Claim(package, _) = ask {
                log.claim(note(100 + package, &[99]));
            }
        }
        log.commit();
        let head = log.head();
        let accuser = Accuser::of_log(&head, &log, &log);
        let found = accuser.at_leaf(at(leaf)).unwrap();
        let Some(found) = found else {
            return Err(TestCaseError::fail(format!("rule {rule} at {leaf}")));
        };
        prop_assert_eq!(found.broken().leaf(), at(leaf));
        prop_assert_eq!(verify(found.text()), Ok(found));
    }

    /// So is an entry that an index leaves out, or lists where it does not belong.
    #[test]
    fn every_lie_of_the_index_is_shown(
        before in asks(),
        omit in any::<bool>(),
        pick in any::<Index>(),
    ) {
        let mut log = Honest::log(&before);
        let claim = note(50, &[99]);
        let entry = if omit { log.hidden(claim) } else { log.claim(claim) };
        let labels = labels_of_entry(&log.entry(entry));
        let label = if omit {
            *pick.get(&labels)
        } else {
            Label::from_bytes([pick.index(256) as u8; 32])
        };
        if !omit {
            log.list(label, entry);
        }
        let commitment = log.commit();
        let head = log.head();
        let accuser = Accuser::of_log(&head, &log, &log);
        let listing = log.listing(label, commitment);
        let (leaf, at) = (at(entry), at(commitment));
        let built = if omit {
            accuser.omission(leaf, at, listing.get())
        } else {
            accuser.surplus(leaf, at, listing.get())
        };
        let found = built.unwrap();
        prop_assert_eq!(found.broken().leaf(), leaf);
        prop_assert_eq!(verify(found.text()), Ok(found));
        prop_assert!(Query::labels([&label]).asks_for(&label));
    }
}

/// Appends what breaks a rule, and returns the leaf that does.
fn break_rule(log: &mut Log, rule: u8, pick: &Index) -> u64 {
    match rule {
        0 => {
            let mut claim = note(50, &[99]);
            let mut bytes = claim.signatures[0].signature.to_vec();
            bytes[pick.index(64)] ^= 1;
            claim.signatures[0].signature = bytes.into();
            log.claim(claim)
        }
        1 => {
            let mut claim = note(50, &[99]);
            claim.signatures.clear();
            log.hidden(claim)
        }
        2 => {
            log.now_ms -= 1;
            let leaf = log.claim(note(50, &[99]));
            log.now_ms += 1;
            leaf
        }
        3 => {
            log.now_ms -= 1;
            let leaf = log.commit();
            log.now_ms += 1;
            leaf
        }
        4 => {
            log.claim(note(50, &[98, 99]));
            log.claim(note(51, &[99]));
            log.claim(note(50, &[98]))
        }
        5 => {
            let [one, other] = [body(&[98]), body(&[98, 99])];
            log.claim(record(genesis_id(&one), &one, &[98]));
            log.claim(note(51, &[97]));
            log.claim(record(genesis_id(&other), &other, &[98, 99]))
        }
        _ => {
            let first = body(&[98]);
            let registered = record(genesis_id(&first), &first, &[98]);
            log.claim(registered.clone());
            log.claim(note(51, &[97]));
            let next = next(&registered, &[98, 99]);
            log.claim(record(genesis_id(&first), &next, &[98]))
        }
    }
}
