use super::*;
use crate::claim::{PublicKey, SignatureId, SigningKey, sign};
use crate::entry::{self, wire};
use crate::index::Commitment;
use crate::issuer::{IssuerId, Registry};
use assay_tlog::tree::{LeafIndex, TreeSize, bundle};
use bytes::Bytes;
use std::collections::HashSet;

const AT: u64 = 1_800_000_000_000;

fn key(seed: u8) -> (IssuerId, SigningKey) {
    let key = SigningKey::from_bytes(&[seed; 32]);
    (IssuerId::of_key(&PublicKey::from(&key)), key)
}

fn claim(number: u8, seeds: &[u8]) -> wire::Claim {
    let payload = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"x":"{number}"}}}}],"predicateType":"https://e.org/x","predicate":{{}}}}"#
    );
    let keys: Vec<_> = seeds.iter().map(|seed| key(*seed)).collect();
    let signers: Vec<_> = keys.iter().map(|(issuer, key)| (*issuer, key)).collect();
    sign(payload.as_bytes(), &signers)
}

fn empty(at: u64) -> Vec<u8> {
    let entry = entry::encode(at, Commitment::empty().to_wire());
    entry.unwrap().to_vec()
}

fn logged(at: u64, claim: wire::Claim) -> Vec<u8> {
    entry::encode(at, claim).unwrap().to_vec()
}

/// What replaying these entries in one bundle gives: how far it came, and what it found.
fn replay(entries: &[Vec<u8>]) -> (Rules, Option<Finding>) {
    let mut bytes = Vec::new();
    for entry in entries {
        bundle::push(&mut bytes, entry).unwrap();
    }
    let read = read(
        LeafIndex::new(0),
        &Bytes::from(bytes),
        entries.len(),
        &Keys::default(),
        |bytes| {
            bytes.fill(7);
            Ok::<_, ()>(())
        },
        |claim| claim.content().is_ok(),
    );
    let Read { leaves, finding } = read.unwrap();
    let mut rules = Rules::default();
    let mut seen = HashSet::<SignatureId>::new();
    for Leaf { logged_at_ms, body } in leaves {
        let found = match body {
            Body::Claim(claim) => {
                let admitted = rules.claim(
                    logged_at_ms,
                    claim,
                    |id| seen.contains(id),
                    &Registry::default(),
                );
                admitted.map(|admitted| {
                    assert!(admitted.kept && !admitted.labels.is_empty());
                    seen.extend(admitted.signatures.iter().map(|(_, id)| *id));
                })
            }
            Body::Commitment(said) => rules.commitment(logged_at_ms, &said).map(|_| ()),
        };
        if let Err(finding) = found {
            return (rules, Some(finding));
        }
    }
    (rules, finding)
}

fn found(entries: &[Vec<u8>]) -> (Rule, u64, Option<u64>) {
    let finding = replay(entries).1.unwrap();
    let other = finding.other.map(LeafIndex::get);
    (finding.rule, finding.leaf.get(), other)
}

#[test]
fn an_honest_log_has_no_finding_and_its_record_reads_back() {
    let entries = [
        empty(AT),
        logged(AT, claim(1, &[1])),
        logged(AT + 5, claim(2, &[1, 2])),
        // Another key of another issuer for the same claim.
        logged(AT + 5, claim(1, &[2])),
        empty(AT + 9),
    ];
    let (rules, finding) = replay(&entries);
    assert_eq!(finding, None);
    assert_eq!(
        (rules.size(), rules.committed()),
        (TreeSize::new(5), TreeSize::new(5))
    );
    assert_eq!(rules.last_at_ms(), AT + 9);
    assert_eq!(rules.ends_committed(), Ok(()));
    let record = rules.record();
    assert_eq!(Rules::from_record(&record), Some(rules));
    assert_eq!(Rules::from_record(&record[1..]), None);
    let (rules, _) = replay(&entries[..4]);
    let finding = rules.ends_committed().unwrap_err();
    assert_eq!((finding.rule, finding.leaf.get()), (Rule::Uncommitted, 3));
    assert_eq!(
        Rules::default().ends_committed().unwrap_err().rule,
        Rule::Uncommitted
    );
}

#[test]
fn each_broken_rule_is_found_at_its_leaf() {
    let start = [empty(AT), logged(AT, claim(1, &[1]))];
    let with = |entry: Vec<u8>| [&start[..], &[entry]].concat();
    let mut wrong = claim(2, &[1]);
    wrong.payload = claim(3, &[1]).payload;
    assert_eq!(found(&with(logged(AT, wrong))), (Rule::Claim, 2, None));
    assert_eq!(found(&with(vec![9; 9])), (Rule::Entry, 2, None));
    assert_eq!(
        found(&with(logged(AT - 1, claim(2, &[1])))),
        (Rule::Time, 2, Some(1))
    );
    assert_eq!(found(&with(empty(AT - 1))), (Rule::Time, 2, Some(1)));
    assert_eq!(
        found(&with(logged(AT, claim(1, &[1])))),
        (Rule::Repeated, 2, None)
    );
    // A new key of another issuer does not help the first.
    assert_eq!(
        found(&with(logged(AT, claim(1, &[1, 2])))),
        (Rule::Repeated, 2, None)
    );
    assert_eq!(
        found(&[logged(AT, claim(1, &[1]))]),
        (Rule::FirstLeaf, 0, None)
    );
    // A key for an issuer that it does not make.
    let (other, _) = key(2);
    let foreign = sign(&claim(4, &[1]).payload, &[(other, &key(1).1)]);
    assert_eq!(found(&with(logged(AT, foreign))), (Rule::Issuer, 2, None));
}

/// What comes first is found, whatever is wrong with a later entry of the same bundle.
#[test]
fn the_first_leaf_that_is_wrong_is_the_one_that_is_named() {
    let mut wrong = claim(2, &[1]);
    wrong.payload = claim(3, &[1]).payload;
    let entries = [
        empty(AT),
        logged(AT, claim(1, &[1])),
        logged(AT, claim(1, &[1])),
        logged(AT, wrong),
        vec![9; 9],
    ];
    assert_eq!(found(&entries), (Rule::Repeated, 2, None));
    assert_eq!(
        found(&[&entries[..2], &entries[3..]].concat()),
        (Rule::Claim, 2, None)
    );
}

#[test]
fn versions_that_are_not_known_blame_nobody_and_none_falls() {
    let stated = |admission_version, mapping_version| {
        let said = wire::IndexCommitment {
            admission_version,
            mapping_version,
            ..Commitment::empty().to_wire()
        };
        entry::encode(AT, said).unwrap().to_vec()
    };
    assert_eq!(found(&[stated(1, 9)]).0, Rule::Unsupported);
    assert_eq!(
        found(&[empty(AT), stated(2, 2)]),
        (Rule::Unsupported, 1, None)
    );
    assert_eq!(
        found(&[empty(AT), stated(0, 2)]),
        (Rule::Version, 1, Some(0))
    );
    assert_eq!(
        found(&[empty(AT), stated(1, 9)]),
        (Rule::Commitment, 1, None)
    );
    assert!(!Rule::Unsupported.blames() && Rule::Index.blames());
}

#[test]
fn an_index_is_compared_whole() {
    let (said, mut other) = (Commitment::empty(), Commitment::empty());
    let leaf = LeafIndex::new(7);
    assert_eq!(same_index(leaf, &said, &other), Ok(()));
    other.labels = 1;
    let finding = same_index(leaf, &said, &other).unwrap_err();
    assert_eq!((finding.rule, finding.leaf), (Rule::Index, leaf));
}

#[test]
fn rules_have_one_name_each() {
    for name in [
        "entry",
        "claim",
        "time",
        "first_leaf",
        "index",
        "unsupported",
    ] {
        assert_eq!(Rule::of_name(name).map(Rule::name), Some(name));
    }
    assert_eq!(Rule::of_name("other"), None);
}
