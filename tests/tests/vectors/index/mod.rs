//! The verifiable index: `tests/vectors/index`, which a second implementation wrote
//! (`tests/index/make_vectors.py`). Its README says what each table holds. The files are the
//! project's own, so nothing here is ever skipped.

mod answers;
mod cuts;
mod proofs;

use assay_claims::entry::Entry;
use assay_claims::index::map::Whole;
use assay_claims::index::map::{Resident, Serial};
use assay_claims::index::{
    By, Commitment, Cut, Kind, Label, Map, Name, Prefix, Query, labels_of_entry, list,
};
use assay_claims::issuer::IssuerId;
use assay_tests::data;
use assay_tlog::Hash;
use assay_tlog::tree::{LeafIndex, TreeSize};
use base64::prelude::{BASE64_STANDARD, Engine};
use bytes::Bytes;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// Tables that there are, each read by one test.
const TABLES: [&str; 9] = [
    "answers",
    "cuts",
    "labels",
    "lists",
    "logs",
    "mapping",
    "multiproofs",
    "ranges",
    "tries",
];

/// A table, without what only some of them have.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(bound(deserialize = "C: DeserializeOwned, B: DeserializeOwned"))]
struct Table<C, B = ()> {
    kind: String,
    about: String,
    cases: Vec<C>,
    bad: Vec<B>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/index")
}

/// Reads a table of cases that may have bad ones.
fn table_with_bad<C: DeserializeOwned, B: DeserializeOwned>(name: &str) -> (Vec<C>, Vec<B>) {
    let table: Table<C, B> = data::read_json(&folder().join(format!("{name}.json")));
    assert!(
        table.kind == name && !table.about.is_empty() && !table.cases.is_empty(),
        "{name}"
    );
    (table.cases, table.bad)
}

/// Reads a table of cases none of which is bad.
fn table<C: DeserializeOwned>(name: &str) -> Vec<C> {
    let (cases, bad) = table_with_bad::<C, ()>(name);
    assert!(bad.is_empty(), "{name}");
    cases
}

fn hex_array<const N: usize>(text: &str) -> Result<[u8; N], String> {
    let lower = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase());
    let bytes = hex::decode(text).ok().filter(|_| lower);
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| format!("{text} is no lower-case hex of {N} bytes"))
}

fn hash<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
    let text = String::deserialize(deserializer)?;
    hex_array(&text)
        .map(Hash::new)
        .map_err(serde::de::Error::custom)
}

/// A label in hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct HexLabel(Label);

impl<'de> Deserialize<'de> for HexLabel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        hex_array(&text)
            .map(|bytes| HexLabel(Label::from_bytes(bytes)))
            .map_err(serde::de::Error::custom)
    }
}

fn labels(read: &[HexLabel]) -> Vec<Label> {
    read.iter().map(|label| label.0).collect()
}

/// Bytes in hex.
struct Hex(Vec<u8>);

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        hex::decode(text).map(Hex).map_err(serde::de::Error::custom)
    }
}

/// Bytes in base64.
struct Base64(Bytes);

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64_STANDARD
            .decode(text)
            .map(|bytes| Base64(bytes.into()))
            .map_err(serde::de::Error::custom)
    }
}

/// Half a label in hex.
struct HexHalf([u8; 16]);

impl<'de> Deserialize<'de> for HexHalf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        hex_array(&text)
            .map(HexHalf)
            .map_err(serde::de::Error::custom)
    }
}

impl HexHalf {
    fn name(&self) -> Name {
        Name::from_slice(&self.0).unwrap()
    }

    fn by(&self) -> By {
        By::from_slice(&self.0).unwrap()
    }
}

/// What is asked: names and speakers; or a prefix, with speakers (a crowd) or without (a census).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    names: Option<Vec<HexHalf>>,
    prefix: Option<Hex>,
    bits: Option<u16>,
    by: Option<Vec<HexHalf>>,
}

impl Question {
    fn read(&self) -> Query {
        let by = self.by.as_ref().map(|by| by.iter().map(HexHalf::by));
        match (&self.names, &self.prefix, self.bits, by) {
            (Some(names), None, None, Some(by)) => {
                Query::names(names.iter().map(HexHalf::name), by)
            }
            (None, Some(prefix), Some(bits), by) => {
                assert_eq!(prefix.0.len(), usize::from(bits.div_ceil(8)));
                let prefix = Prefix::from_wire(&prefix.0, bits).unwrap();
                match by {
                    Some(by) => Query::crowd(prefix, by),
                    None => Query::Census(prefix),
                }
            }
            _ => panic!("no question has these fields"),
        }
    }
}

/// A label's list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    label: HexLabel,
    indices: Vec<u64>,
}

/// The map of some lists, made in one step.
fn map(lists: &BTreeMap<Label, Vec<u64>>) -> Map<Whole> {
    let updates: Vec<_> = lists
        .iter()
        .flat_map(|(label, list)| list.iter().map(|leaf| (*label, LeafIndex::new(*leaf))))
        .collect();
    let through = updates.iter().map(|(_, leaf)| leaf.get() + 1);
    let through = TreeSize::new(through.max().unwrap_or(0));
    Map::new()
        .update(&updates, through, &Resident, &Serial)
        .unwrap()
        .map
}

fn list_root(indices: &[u64]) -> Hash {
    indices
        .iter()
        .copied()
        .map(LeafIndex::new)
        .collect::<list::ListFrontier>()
        .root()
}

#[test]
fn every_table_is_read() {
    let names = data::files(&folder())
        .into_iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned());
    let tables = TABLES
        .iter()
        .map(|table| format!("{table}.json"))
        .chain(["README.md".to_owned()]);
    assert_eq!(names.collect::<BTreeSet<_>>(), tables.collect());
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelCase {
    name: String,
    label_kind: String,
    value: String,
    by: String,
    name_half: HexHalf,
    by_half: HexHalf,
    label: HexLabel,
}

fn kind(name: &str) -> Kind {
    Kind::ALL
        .into_iter()
        .find(|kind| kind.name() == name)
        .unwrap()
}

/// The second half of a label, as the vectors write it: of kind `issuer` a predicate type, of all
/// others an issuer id in hex.
fn by(kind: Kind, text: &str) -> By {
    match kind {
        Kind::Issuer => By::predicate_type(text),
        _ => By::issuer(&IssuerId::from_slice(&hex::decode(text).unwrap()).unwrap()),
    }
}

#[test]
fn names_and_speakers_have_their_labels() {
    for case in table::<LabelCase>("labels") {
        let kind = kind(&case.label_kind);
        let (name, by) = (Name::new(kind, &case.value), by(kind, &case.by));
        assert_eq!(name, case.name_half.name(), "{}", case.name);
        assert_eq!(by, case.by_half.by(), "{}", case.name);
        assert_eq!(Label::of(name, by), case.label.0, "{}", case.name);
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MappingCase {
    name: String,
    entry: Base64,
    /// Of each label its kind, its value and who speaks.
    names: Vec<(String, String, String)>,
    labels: Vec<HexLabel>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoEntry {
    name: String,
    entry: Base64,
    reason: String,
}

#[test]
fn entries_have_their_labels_and_what_is_no_entry_is_refused() {
    let (cases, bad) = table_with_bad::<MappingCase, NoEntry>("mapping");
    for case in cases {
        let entry = Entry::parse(case.entry.0).unwrap_or_else(|e| panic!("{}: {e}", case.name));
        let mapped = labels_of_entry(&entry);
        assert_eq!(mapped, labels(&case.labels), "{}", case.name);
        let named: BTreeSet<_> = case
            .names
            .iter()
            .map(|(name, value, speaker)| {
                let kind = kind(name);
                Label::of(Name::new(kind, value), by(kind, speaker))
            })
            .collect();
        assert!(named.into_iter().eq(mapped), "{}", case.name);
    }
    assert!(!bad.is_empty());
    for NoEntry {
        name,
        entry,
        reason,
    } in bad
    {
        assert!(
            Entry::parse(entry.0).is_err(),
            "{name}: it was taken, although {reason}"
        );
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListCase {
    name: String,
    indices: Vec<u64>,
    #[serde(deserialize_with = "hash")]
    root: Hash,
}

#[test]
fn lists_have_their_roots() {
    for case in table::<ListCase>("lists") {
        assert_eq!(list_root(&case.indices), case.root, "{}", case.name);
    }
}

/// A leaf of a trie. Its list is `None` where it is too long to be real.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrieLeaf {
    label: HexLabel,
    indices: Option<Vec<u64>>,
    length: u64,
    #[serde(deserialize_with = "hash")]
    list_root: Hash,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrieCase {
    name: String,
    leaves: Vec<TrieLeaf>,
    #[serde(deserialize_with = "hash")]
    root: Hash,
}

/// The map of a trie's leaves, whose lists have the lengths and roots that are said; `None` if a
/// list is not real.
fn map_of_trie(name: &str, leaves: &[TrieLeaf]) -> Option<Map<Whole>> {
    assert!(leaves.is_sorted_by_key(|leaf| leaf.label), "{name}");
    let mut lists = BTreeMap::new();
    for leaf in leaves {
        let indices = leaf.indices.as_ref()?;
        assert_eq!(
            (indices.len() as u64, list_root(indices)),
            (leaf.length, leaf.list_root),
            "{name}"
        );
        lists.insert(leaf.label.0, indices.clone());
    }
    Some(map(&lists))
}

#[test]
fn tries_have_their_roots() {
    let mut unreal = 0;
    for case in table::<TrieCase>("tries") {
        let Some(map) = map_of_trie(&case.name, &case.leaves) else {
            // Its one leaf is a whole cut, of which the root is computed.
            let [leaf] = &case.leaves[..] else {
                panic!("{}: more than one leaf", case.name)
            };
            let commitment = Commitment {
                root: case.root,
                labels: 1,
            };
            let cut = Cut::verify(&cuts::leaf(leaf), &commitment).unwrap();
            assert_eq!(
                cut.find(&leaf.label.0).unwrap().map(|found| found.length),
                Some(leaf.length)
            );
            unreal += 1;
            continue;
        };
        let commitment = map.commitment();
        assert_eq!(
            (commitment.root, commitment.labels),
            (case.root, case.leaves.len() as u64),
            "{}",
            case.name
        );
    }
    assert_eq!(unreal, 1);
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogCase {
    name: String,
    /// The labels of each leaf; of a commitment `None`.
    leaves: Vec<Option<Vec<HexLabel>>>,
    #[serde(deserialize_with = "hash")]
    root: Hash,
    labels: u64,
    lists: Vec<List>,
}

/// The index of a log, made by a step at each commitment and one at the end, as a node makes it;
/// and the lists, plainly.
fn index_of(leaves: &[Option<Vec<HexLabel>>]) -> (Map<Whole>, BTreeMap<Label, Vec<u64>>) {
    let (mut map, mut pending) = (Map::new(), BTreeSet::new());
    let mut lists: BTreeMap<Label, Vec<u64>> = BTreeMap::new();
    let step = |map: &Map<Whole>, pending: &mut BTreeSet<(Label, LeafIndex)>, at| {
        let updates: Vec<_> = std::mem::take(pending).into_iter().collect();
        map.update(&updates, TreeSize::new(at), &Resident, &Serial)
            .unwrap()
            .map
    };
    for (at, leaf) in (0..).zip(leaves) {
        let Some(labels) = leaf else {
            map = step(&map, &mut pending, at);
            continue;
        };
        for label in labels.iter().map(|label| label.0).collect::<BTreeSet<_>>() {
            pending.insert((label, LeafIndex::new(at)));
            lists.entry(label).or_default().push(at);
        }
    }
    (step(&map, &mut pending, leaves.len() as u64), lists)
}

#[test]
fn logs_have_their_index() {
    for case in table::<LogCase>("logs") {
        let (map, lists) = index_of(&case.leaves);
        let commitment = map.commitment();
        assert_eq!(
            (commitment.root, commitment.labels),
            (case.root, case.labels),
            "{}",
            case.name
        );
        let expected: BTreeMap<_, _> = case
            .lists
            .into_iter()
            .map(|list| (list.label.0, list.indices))
            .collect();
        assert_eq!(lists, expected, "{}", case.name);
        let all: Vec<Label> = lists.keys().copied().collect();
        let proven = map.prove(&Query::labels(&all), &Resident).unwrap();
        let cut = Cut::verify(&proven.cut(), &commitment).unwrap();
        for (label, list) in &lists {
            let found = cut.find(label).unwrap().unwrap();
            assert_eq!(
                (found.length, found.list_root),
                (list.len() as u64, list_root(list)),
                "{}",
                case.name
            );
        }
        for listed in proven.found {
            let leaves = listed.leaves.unwrap_or_default();
            let leaves: Vec<u64> = leaves.iter().map(|leaf| leaf.get()).collect();
            assert!(
                leaves.is_empty() || leaves == lists[&listed.label],
                "{}",
                case.name
            );
        }
    }
}
