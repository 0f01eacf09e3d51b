//! Cuts: what they prove, the bytes that a log makes of them, and every way in which one is refused
//! or does not answer.

use super::{Hex, HexHalf, HexLabel, Question, TrieLeaf, folder, hash, map_of_trie};
use assay_claims::index::map::Resident;
use assay_claims::index::{Commitment, Cut, CutError, Found, Name, Query};
use assay_tests::data;
use assay_tlog::Hash;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    kind: String,
    about: String,
    tries: BTreeMap<String, Trie>,
    cases: Vec<Case>,
    bad: Vec<Bad>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Trie {
    leaves: Vec<TrieLeaf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    trie: String,
    #[serde(deserialize_with = "hash")]
    root: Hash,
    labels: u64,
    cut: Hex,
    smallest: bool,
    question: Question,
    found: Vec<FoundItem>,
    /// Of names, how many labels they have.
    speakers: Vec<(HexHalf, u64)>,
    /// The names of a crowd.
    crowd: Option<Vec<HexHalf>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FoundItem {
    label: HexLabel,
    length: u64,
    #[serde(deserialize_with = "hash")]
    list_root: Hash,
}

impl FoundItem {
    fn found(&self) -> Found {
        Found {
            label: self.label.0,
            length: self.length,
            list_root: self.list_root,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bad {
    name: String,
    #[serde(deserialize_with = "hash")]
    root: Hash,
    labels: u64,
    cut: Hex,
    question: Option<Question>,
    speakers: Option<HexHalf>,
    reason: String,
}

fn read() -> Table {
    let table: Table = data::read_json(&folder().join("cuts.json"));
    assert!(
        table.kind == "cuts"
            && !table.about.is_empty()
            && !table.cases.is_empty()
            && !table.bad.is_empty()
    );
    table
}

/// A leaf, as it stands in a cut (`docs/index.md`, section 6.1).
pub fn leaf(leaf: &TrieLeaf) -> Vec<u8> {
    [
        &[1][..],
        leaf.label.0.as_bytes(),
        &leaf.length.to_be_bytes(),
        leaf.list_root.as_bytes(),
    ]
    .concat()
}

fn verify(cut: &Hex, root: Hash, labels: u64) -> Result<Cut, CutError> {
    Cut::verify(&cut.0, &Commitment { root, labels })
}

fn check_shown(case: &Case, cut: &Cut) {
    let (name, query) = (&case.name, case.question.read());
    let expected: Vec<Found> = case.found.iter().map(FoundItem::found).collect();
    assert_eq!(cut.answer(&query), Ok(expected), "{name}");
    for (half, speakers) in &case.speakers {
        assert_eq!(cut.speakers(&half.name()), Ok(*speakers), "{name}");
    }
    match (&case.crowd, &query) {
        (Some(names), Query::Crowd { prefix, .. }) => {
            let expected: Vec<Name> = names.iter().map(HexHalf::name).collect();
            assert_eq!(cut.crowd_names(prefix), Ok(expected), "{name}");
        }
        (None, Query::Names { .. } | Query::Census(_)) => {}
        _ => panic!("{name}: names of a crowd belong to the question for one"),
    }
}

#[test]
fn cuts_answer_and_are_made_to_the_byte() {
    let table = read();
    let (mut made, mut other) = (0, 0);
    for case in &table.cases {
        let name = &case.name;
        let cut = verify(&case.cut, case.root, case.labels);
        check_shown(case, &cut.unwrap_or_else(|e| panic!("{name}: {e}")));
        let Some(map) = map_of_trie(&case.trie, &table.tries[&case.trie].leaves) else {
            continue;
        };
        let commitment = map.commitment();
        assert_eq!(
            (commitment.root, commitment.labels),
            (case.root, case.labels),
            "{name}"
        );
        if !case.smallest {
            other += 1;
            continue;
        }
        let proven = map.prove(&case.question.read(), &Resident).unwrap();
        assert_eq!(
            hex::encode(proven.cut()),
            hex::encode(&case.cut.0),
            "{name}"
        );
        let listed: Vec<_> = proven
            .found
            .iter()
            .map(|one| (one.label, one.length))
            .collect();
        let expected: Vec<_> = case
            .found
            .iter()
            .map(|one| (one.label.0, one.length))
            .collect();
        assert_eq!(listed, expected, "{name}");
        made += 1;
    }
    assert!(made > 10 * other, "{made} were made, {other} were not");
}

#[test]
fn bad_cuts_are_refused() {
    for bad in read().bad {
        let Bad { name, reason, .. } = &bad;
        let cut = verify(&bad.cut, bad.root, bad.labels);
        match (&bad.question, &bad.speakers) {
            (None, None) => assert!(cut.is_err(), "{name}: it was taken, although {reason}"),
            (Some(question), None) => {
                let answer = cut.unwrap().answer(&question.read());
                assert_eq!(answer, Err(CutError::LeftOut), "{name}");
            }
            (None, Some(half)) => {
                let answer = cut.unwrap().speakers(&half.name());
                assert_eq!(answer, Err(CutError::LeftOut), "{name}");
            }
            (Some(_), Some(_)) => panic!("{name}: two questions"),
        }
    }
}
