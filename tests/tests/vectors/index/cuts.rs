//! Cuts: what they prove, the bytes that a log makes of them, and every way in which one is refused
//! or does not answer.

use super::{Asked, Hex, HexLabel, TrieLeaf, folder, hash, labels, map_of_trie};
use assay_claims::index::map::PageBytes;
use assay_claims::index::map::Resident;
use assay_claims::index::{Commitment, Cut, CutError, Label, Map, Prefix};
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
    cut: Hex,
    smallest: bool,
    labels: Vec<LabelFound>,
    prefixes: Vec<PrefixFound>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelFound {
    label: HexLabel,
    found: Option<Found>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Found {
    length: u64,
    #[serde(deserialize_with = "hash")]
    list_root: Hash,
}

/// `flatten` and `deny_unknown_fields` do not go together, so the fields of what was asked stand
/// here again.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PrefixFound {
    prefix: Hex,
    bits: u16,
    found: Vec<HexLabel>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bad {
    name: String,
    #[serde(deserialize_with = "hash")]
    root: Hash,
    cut: Hex,
    label: Option<HexLabel>,
    prefix: Option<Asked>,
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

/// The number of labels plays no part in a cut.
fn verify(cut: &[u8], root: Hash) -> Result<Cut, CutError> {
    Cut::verify(cut, &Commitment { root, labels: 0 })
}

/// What core makes for exactly this question; `None` where it is not one that a node is ever asked.
fn made(map: &Map<PageBytes>, case: &Case) -> Option<Vec<u8>> {
    let mut asked: Vec<Label> = case.labels.iter().map(|one| one.label.0).collect();
    asked.sort();
    let proven = match &case.prefixes[..] {
        [] => map.prove(&asked, &Resident),
        [one] if asked.is_empty() => {
            let prefix = Prefix::from_wire(&one.prefix.0, one.bits).unwrap();
            map.prove_prefix(&prefix, &Resident)
        }
        _ => return None,
    };
    Some(proven.unwrap().cut)
}

#[test]
fn cuts_answer_and_are_made_to_the_byte() {
    let table = read();
    let (mut made_again, mut other) = (0, 0);
    for case in &table.cases {
        let name = &case.name;
        let cut = verify(&case.cut.0, case.root).unwrap_or_else(|e| panic!("{name}: {e}"));
        for LabelFound { label, found } in &case.labels {
            let expected = found
                .as_ref()
                .map(|found| (label.0, found.length, found.list_root));
            let found = cut
                .find(&label.0)
                .unwrap()
                .map(|found| (found.label, found.length, found.list_root));
            assert_eq!(found, expected, "{name}: {:?}", label.0);
        }
        for PrefixFound {
            prefix,
            bits,
            found,
        } in &case.prefixes
        {
            let prefix = Prefix::from_wire(&prefix.0, *bits).unwrap();
            let under: Vec<Label> = cut
                .under(&prefix)
                .unwrap()
                .into_iter()
                .map(|found| found.label)
                .collect();
            assert_eq!(under, labels(found), "{name}: {prefix:?}");
        }
        let Some(map) = map_of_trie(&case.trie, &table.tries[&case.trie].leaves) else {
            continue;
        };
        assert_eq!(map.commitment().root, case.root, "{name}");
        match made(&map, case).filter(|_| case.smallest) {
            Some(made) => {
                assert_eq!(hex::encode(made), hex::encode(&case.cut.0), "{name}");
                made_again += 1;
            }
            None => other += 1,
        }
    }
    assert!(
        made_again > 10 * other,
        "{made_again} were made, {other} were not"
    );
}

#[test]
fn bad_cuts_are_refused() {
    for Bad {
        name,
        root,
        cut,
        label,
        prefix,
        reason,
    } in read().bad
    {
        let cut = verify(&cut.0, root);
        match (label, prefix) {
            (None, None) => assert!(cut.is_err(), "{name}: it was taken, although {reason}"),
            (Some(label), None) => assert_eq!(
                cut.unwrap().find(&label.0),
                Err(CutError::LeftOut),
                "{name}"
            ),
            (None, Some(prefix)) => assert_eq!(
                cut.unwrap().under(&prefix.read()),
                Err(CutError::LeftOut),
                "{name}"
            ),
            (Some(_), Some(_)) => panic!("{name}: two questions"),
        }
    }
}
