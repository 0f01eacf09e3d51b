//! Complete answers, as a log makes them and as who asked checks them.

use super::{
    Base64, Hex, List, Question, folder, hash,
    proofs::{ProofHash, Tiles, hashes},
};
use assay_claims::entry::Entry;
use assay_claims::index::answer::AnsweredList;
use assay_claims::index::map::Resident;
use assay_claims::index::{Answer, AnswerError, Query, VerifiedAnswer};
use assay_tests::{data, index::Rebuilt};
use assay_tlog::Hash;
use assay_tlog::checkpoint::{Checkpoint, VerifiedCheckpoint};
use assay_tlog::hash::leaf_hash;
use assay_tlog::note::SignerKey;
use assay_tlog::tree::{LeafIndex, TreeSize, prove_multiproof};
use bytes::Bytes;
use serde::Deserialize;

const ORIGIN: &str = "vectors.assay.example/log";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    kind: String,
    about: String,
    log: Vec<Base64>,
    cases: Vec<Case>,
    bad: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    size: u64,
    #[serde(deserialize_with = "hash")]
    root: Hash,
    question: Question,
    commitment: Base64,
    cut: Hex,
    lists: Vec<List>,
    entries: Vec<ListedEntry>,
    proof: Vec<ProofHash>,
    /// Of a bad one.
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListedEntry {
    index: u64,
    entry: Base64,
}

impl Case {
    fn checkpoint(&self) -> VerifiedCheckpoint {
        let key = SignerKey::from_seed(ORIGIN, &[5; 32]).unwrap();
        let checkpoint = Checkpoint {
            origin: ORIGIN.into(),
            size: TreeSize::new(self.size),
            root: self.root,
        };
        VerifiedCheckpoint::verify(&checkpoint.sign(&key), &key.verifier()).unwrap()
    }

    fn answer(&self) -> Answer {
        Answer {
            commitment: self.commitment.0.clone(),
            cut: self.cut.0.clone().into(),
            lists: self
                .lists
                .iter()
                .map(|list: &List| AnsweredList {
                    label: list.label.0,
                    from: 0,
                    leaves: list.indices.iter().copied().map(LeafIndex::new).collect(),
                })
                .collect(),
            entries: self
                .entries
                .iter()
                .map(|entry: &ListedEntry| (LeafIndex::new(entry.index), entry.entry.0.clone()))
                .collect(),
            inclusion: hashes(&self.proof),
            range: Vec::new(),
        }
    }

    fn verify(&self) -> Result<VerifiedAnswer, AnswerError> {
        VerifiedAnswer::verify(self.checkpoint(), &self.question.read(), self.answer())
    }
}

fn read() -> (Vec<Bytes>, Vec<Case>, Vec<Case>) {
    let table: Table = data::read_json(&folder().join("answers.json"));
    assert!(
        table.kind == "answers"
            && !table.about.is_empty()
            && !table.cases.is_empty()
            && !table.bad.is_empty()
    );
    (
        table.log.into_iter().map(|entry| entry.0).collect(),
        table.cases,
        table.bad,
    )
}

/// What a log answers that has these entries.
fn answer_of(log: &[Bytes], query: &Query) -> Answer {
    let mut index = Rebuilt::default();
    log.iter()
        .for_each(|entry| index.add(&Entry::parse(entry.clone()).unwrap()).unwrap());
    assert!(index.ends_in_commitment(log.len() as u64));
    let mut proven = index.map().prove(query, &Resident).unwrap();
    if matches!(query, Query::Census(_)) {
        proven.found.clear();
    }
    let lists = proven.found.iter().map(|found| {
        let leaves = index.lists()[&found.label].iter().copied();
        let leaves = leaves.map(LeafIndex::new).collect();
        AnsweredList {
            label: found.label,
            from: 0,
            leaves,
        }
    });
    let lists: Vec<_> = lists.collect();
    let mut targets: Vec<LeafIndex> = lists
        .iter()
        .flat_map(|list| &list.leaves)
        .copied()
        .collect();
    targets.sort_unstable();
    targets.dedup();
    let entries = targets
        .iter()
        .map(|leaf| (*leaf, log[leaf.get() as usize].clone()))
        .collect();
    let hashes: Vec<Hash> = log.iter().map(|entry| leaf_hash(entry)).collect();
    targets.push(LeafIndex::new(log.len() as u64 - 1));
    let inclusion = prove_multiproof(
        &Tiles::of(&hashes),
        &targets,
        TreeSize::new(log.len() as u64),
    )
    .unwrap();
    Answer {
        commitment: log[log.len() - 1].clone(),
        cut: proven.cut().into(),
        lists,
        entries,
        inclusion,
        range: Vec::new(),
    }
}

#[test]
fn complete_answers_verify_and_are_made_to_the_byte() {
    let (log, cases, _) = read();
    for case in cases {
        let answer = case
            .verify()
            .unwrap_or_else(|e| panic!("{}: {e}", case.name));
        assert!(
            answer.missing().is_empty()
                && answer
                    .lists()
                    .values()
                    .all(|list| list.leaves().len() as u64 == list.found().length),
            "{}",
            case.name
        );
        assert_eq!(answer.lists().len(), case.lists.len(), "{}", case.name);
        assert_eq!(answer.entries().len(), case.entries.len(), "{}", case.name);
        assert_eq!(
            answer_of(&log[..case.size as usize], &case.question.read()),
            case.answer(),
            "{}",
            case.name
        );
        assert!(case.reason.is_none());
    }
}

#[test]
fn bad_answers_are_refused() {
    let (_, _, bad) = read();
    for case in bad {
        let reason = case.reason.as_deref().unwrap();
        match case.verify() {
            Ok(_) => panic!("{}: it was taken, although {reason}", case.name),
            // Nobody's misbehavior, which the answer has to say in these words (docs/index.md,
            // section 8).
            Err(error) if reason.starts_with("unsupported") => {
                assert!(
                    error.is_unsupported() && error.to_string().contains(reason),
                    "{}: {error}",
                    case.name
                );
            }
            Err(error) => {
                assert!(!error.is_unsupported(), "{}: {error}", case.name);
                if reason.contains("label that its list is for") {
                    assert!(
                        matches!(error, AnswerError::Unrelated { .. }),
                        "{}: {error}",
                        case.name
                    );
                }
            }
        }
    }
}
