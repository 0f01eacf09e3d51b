//! A small log with its index, and the truth about it, kept plainly.

use assay_claims::claim::{self, ClaimId, SigningKey};
use assay_claims::entry::{self, Entry, wire};
use assay_claims::index::answer::AnsweredList;
use assay_claims::index::map::{Resident, Serial, Whole};
use assay_claims::index::range::prove_page;
use assay_claims::index::{Answer, Commitment, Label, Map, Query, labels_of_entry};
use assay_claims::issuer::IssuerId;
use assay_claims::json::Value;
use assay_claims::kind::withdrawal::Withdrawal;
use assay_claims::purl::Purl;
use assay_claims::statement::{Statement, Subject};
use assay_tlog::Hash;
use assay_tlog::checkpoint::{Checkpoint, VerifiedCheckpoint};
use assay_tlog::hash::leaf_hash;
use assay_tlog::note::SignerKey;
use assay_tlog::tree::{
    self, Frontier, LeafIndex, Tile, TileIndex, TileReader, TreeSize, prove_multiproof,
};
use bytes::Bytes;
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    convert::Infallible,
    sync::Arc,
};

/// A claim to be logged.
#[derive(Debug, Clone)]
pub enum Claimed {
    /// About a version of a package, or all of them, or an artifact.
    Package { package: u8, version: Option<u8> },
    /// About an artifact.
    Artifact(u8),
    /// The withdrawal of the claim with this number.
    Withdrawal(u8),
}

/// What is published: at each step some claims, by numbered issuers, and a commitment.
pub type Steps = Vec<Vec<(u8, Claimed)>>;

pub fn steps() -> impl Strategy<Value = Steps> {
    let claimed = prop_oneof![
        4 => (0..4_u8, prop::option::of(0..3_u8))
            .prop_map(|(package, version)| Claimed::Package { package, version }),
        1 => (0..3_u8).prop_map(Claimed::Artifact),
        1 => (0..4_u8).prop_map(Claimed::Withdrawal),
    ];
    prop::collection::vec(prop::collection::vec((0..3_u8, claimed), 1..6), 1..5)
}

fn statement(number: usize, claimed: &Claimed) -> Statement {
    let predicate = Value::Object(vec![("number".into(), Value::String(number.to_string()))]);
    let subject = match claimed {
        Claimed::Withdrawal(target) => {
            let target = ClaimId::new(Hash::of(&[*target]));
            return Withdrawal {
                target,
                reason: number.to_string(),
                superseded_by: None,
            }
            .statement()
            .unwrap();
        }
        Claimed::Artifact(artifact) => Subject::artifact(None, &Hash::of(&[*artifact])),
        Claimed::Package { package, version } => {
            let version = version.map_or_else(String::new, |version| format!("@{version}.0.0"));
            Subject::package(
                Purl::parse_canonical(&format!("pkg:cargo/p{package}{version}")).unwrap(),
            )
        }
    };
    Statement::new(vec![subject], "urn:example:note", predicate).unwrap()
}

fn key(issuer: u8) -> SigningKey {
    SigningKey::from_bytes(&[issuer; 32])
}

/// The issuer of a number.
pub fn issuer(issuer: u8) -> IssuerId {
    IssuerId::derive(1, &[key(issuer).verifying_key().to_bytes()])
}

fn sign(by: u8, statement: &Statement) -> wire::Claim {
    claim::sign(statement.to_json().as_bytes(), &[(issuer(by), &key(by))])
}

/// The log. Its published sizes are those that end in a commitment.
#[derive(Clone)]
pub struct Log {
    pub entries: Vec<Bytes>,
    frontier: Frontier,
    tiles: HashMap<TileIndex, Arc<Tile>>,
    map: Map<Whole>,
    /// The index at every published size.
    maps: BTreeMap<u64, Map<Whole>>,
    /// Every label's list, from the entries' bytes.
    lists: BTreeMap<Label, Vec<LeafIndex>>,
}

impl TileReader for Log {
    type Error = Infallible;

    fn tiles(&self, wanted: &[TileIndex], _: TreeSize) -> Result<Vec<Arc<Tile>>, Infallible> {
        Ok(wanted.iter().map(|at| self.tiles[at].clone()).collect())
    }
}

impl Log {
    pub fn new(steps: &Steps) -> Self {
        Log::hiding(steps, None)
    }

    /// The log whose index leaves out one leaf, so that all of its labels hide it. Its commitments
    /// are lies.
    pub fn hiding(steps: &Steps, hidden: Option<u64>) -> Self {
        let mut log = Log {
            entries: vec![],
            frontier: Frontier::new(),
            tiles: HashMap::new(),
            map: Map::new(),
            maps: BTreeMap::new(),
            lists: BTreeMap::new(),
        };
        log.commit(vec![]);
        for claims in steps {
            let mut pending = vec![];
            for (issuer, claimed) in claims {
                let leaf = log.append(sign(*issuer, &statement(log.entries.len(), claimed)));
                let entry = Entry::parse(log.entries[leaf as usize].clone()).unwrap();
                if hidden != Some(leaf) {
                    pending.extend(
                        labels_of_entry(&entry)
                            .into_iter()
                            .map(|label| (label, LeafIndex::new(leaf))),
                    );
                }
            }
            log.commit(pending);
        }
        log
    }

    fn append(&mut self, body: impl Into<wire::Body>) -> u64 {
        let leaf = self.entries.len() as u64;
        let entry = entry::encode(1_000 + leaf, body).unwrap();
        for (at, hashes) in self.frontier.append(&[leaf_hash(&entry)]) {
            self.tiles
                .insert(at, Arc::new(Tile::from_hashes(hashes).unwrap()));
        }
        self.entries.push(entry);
        leaf
    }

    fn commit(&mut self, mut pending: Vec<(Label, LeafIndex)>) {
        pending.sort();
        pending
            .iter()
            .for_each(|(label, leaf)| self.lists.entry(*label).or_default().push(*leaf));
        self.map = self
            .map
            .update(
                &pending,
                TreeSize::new(self.entries.len() as u64),
                &Resident,
                &Serial,
            )
            .unwrap()
            .map;
        self.commit_as(self.map.commitment().to_wire());
    }

    /// Appends a commitment that says this, whatever the index is. Returns the size that it ends.
    pub fn commit_as(&mut self, commitment: wire::IndexCommitment) -> u64 {
        let size = self.append(commitment) + 1;
        self.maps.insert(size, self.map.clone());
        size
    }

    /// Lists a leaf under a label, whatever its entry says, and commits to that.
    pub fn list(&mut self, label: Label, leaf: u64) {
        // Lists ascend, so the label's own is made anew.
        let mut pending: Vec<_> = self
            .lists
            .remove(&label)
            .into_iter()
            .flatten()
            .chain([LeafIndex::new(leaf)])
            .collect();
        pending.sort();
        self.map = Map::new();
        let others = std::mem::take(&mut self.lists);
        let others = others
            .into_iter()
            .flat_map(|(label, leaves)| leaves.into_iter().map(move |leaf| (label, leaf)));
        self.commit(
            others
                .chain(pending.into_iter().map(|leaf| (label, leaf)))
                .collect(),
        );
    }

    /// The published sizes, ascending.
    pub fn sizes(&self) -> Vec<u64> {
        self.maps.keys().copied().collect()
    }

    pub fn commitment(&self, size: u64) -> Commitment {
        self.maps[&size].commitment()
    }

    pub fn checkpoint(&self, size: u64) -> VerifiedCheckpoint {
        let size = TreeSize::new(size);
        let key = SignerKey::from_seed("tests.example/log", &[7; 32]).unwrap();
        let checkpoint = Checkpoint {
            origin: key.name().to_owned(),
            size,
            root: tree::root(self, size).unwrap(),
        };
        VerifiedCheckpoint::verify(&checkpoint.sign(&key), &key.verifier()).unwrap()
    }

    /// The labels that there are, and some that there are not, ascending.
    pub fn labels(&self) -> Vec<Label> {
        let absent = (0..4_u8).map(|n| Label::from_bytes(*Hash::of(&[n, 1]).as_bytes()));
        self.lists
            .keys()
            .copied()
            .chain(absent)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    }

    /// What a label's list truly is at a published size; empty if the index does not have it.
    pub fn truth(&self, label: &Label, size: u64) -> &[LeafIndex] {
        let list = self.lists.get(label).map_or(&[][..], |list| list);
        &list[..list.partition_point(|leaf| leaf.get() < size)]
    }

    pub fn cut(&self, query: &Query, size: u64) -> Bytes {
        let proven = self.maps[&size].prove(query, &Resident);
        proven.unwrap().cut().into()
    }

    pub fn inclusion(&self, leaves: &BTreeSet<u64>, size: u64) -> Vec<Hash> {
        let leaves: Vec<_> = leaves.iter().copied().map(LeafIndex::new).collect();
        prove_multiproof(self, &leaves, TreeSize::new(size)).unwrap()
    }

    /// The honest answer; a page has at most `most` leaves.
    pub fn answer(&self, query: &Query, size: u64, most: usize) -> Answer {
        let labels = self.lists.keys().copied();
        let asked: Vec<Label> = labels.filter(|label| query.asks_for(label)).collect();
        let (mut lists, mut range) = (vec![], vec![]);
        let mut shown: BTreeSet<u64> = BTreeSet::new();
        for label in asked
            .into_iter()
            .filter(|label| !self.truth(label, size).is_empty())
        {
            let truth = self.truth(&label, size);
            let (from, leaves) = match query {
                Query::Page { from, .. } => {
                    let rest = truth.iter().skip(*from as usize);
                    let page: Vec<LeafIndex> = rest.take(most).copied().collect();
                    range = prove_page(truth, *from..*from + page.len() as u64);
                    (*from, page)
                }
                _ => (0, truth.to_vec()),
            };
            shown.extend(leaves.iter().map(|leaf: &LeafIndex| leaf.get()));
            lists.push(AnsweredList {
                label,
                from,
                leaves,
            });
        }
        let entries = shown
            .iter()
            .map(|leaf| (LeafIndex::new(*leaf), self.entries[*leaf as usize].clone()))
            .collect();
        shown.insert(size - 1);
        Answer {
            commitment: self.entries[size as usize - 1].clone(),
            cut: self.cut(query, size),
            lists,
            entries,
            inclusion: self.inclusion(&shown, size),
            range,
        }
    }
}
