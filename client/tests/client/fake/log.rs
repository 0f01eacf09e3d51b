//! What the log holds and serves, honestly until a test changes it; and the claims that tests put
//! into it.

use super::index::Rewrite;
use assay_claims::claim::{self, PublicKey, SigningKey};
use assay_claims::entry::{self, Entry, wire};
use assay_claims::index::map::{Resident, Serial, Whole};
use assay_claims::index::{Commitment, Label, Map, labels_of_entry};
use assay_claims::issuer::{self, IssuerId, IssuerRecord};
use assay_claims::kind::issuer::Issuer;
use assay_claims::kind::withdrawal::Withdrawal;
use assay_claims::limits;
use assay_claims::purl::Purl;
use assay_claims::statement::{Statement, Subject};
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::note::{SignerKey, VerifierKey};
use assay_tlog::tree::tile::Resource;
use assay_tlog::tree::{
    self, Frontier, LeafIndex, Tile, TileIndex, TilePath, TileReader, TreeSize, bundle,
};
use assay_tlog::{Hash, hash};
use bytes::Bytes;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use tonic::Status;

/// What a node says falsely beside what it proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// That a proof leads to a tree of another size.
    Size,
    /// That a claim that was published has another leaf hash.
    LeafHash,
    /// That entries stand elsewhere.
    Start,
    /// Nothing, in a message of its own before the entries.
    Nothing,
    /// That there are no more entries before their end.
    End,
}

/// What the log serves. Tests change its fields to make it lie.
pub struct State {
    signer: SignerKey,
    /// Serialized entries.
    pub entries: Vec<Bytes>,
    tiles: HashMap<TileIndex, Arc<Tile>>,
    frontier: Frontier,
    /// The index up to the last commitment.
    index: Map<Whole>,
    /// Leaves by label, since then.
    pending: Vec<(Label, LeafIndex)>,
    /// The index that each commitment is to, by the commitment's leaf.
    pub(super) indexes: BTreeMap<u64, Map<Whole>>,
    /// Every label's whole list.
    pub(super) lists: BTreeMap<Label, Vec<u64>>,
    /// Most leaves of a page.
    pub page: usize,
    /// The same, as whoever asked last wants it.
    pub(super) limit: usize,
    /// A leaf whose entry no answer of the index brings.
    pub withheld: Option<u64>,
    /// What is made of the index's honest answers.
    pub rewrite: Option<Rewrite>,
    /// Served in place of the honest checkpoint.
    pub checkpoint: Option<String>,
    /// Served in place of honest consistency proofs.
    pub consistency: Option<Result<Vec<Hash>, Status>>,
    /// Served over HTTP in place of the honest resource at a path; `None` is 404.
    pub http: HashMap<String, Option<Vec<u8>>>,
    /// Named in place of the leaf that a publication got, and served in place of what is asked for
    /// by claim or hash.
    pub instead: Option<u64>,
    /// What is said falsely.
    pub lie: Option<Lie>,
    /// Whether what is published waits for the next commitment.
    pub gathers: bool,
    /// Leaves that are records of issuers.
    pub records: Vec<(IssuerId, u32, u64)>,
}

impl State {
    /// A log of one leaf, which commits to the empty index.
    pub fn new() -> Self {
        let mut state = State::without_leaves();
        state.commit();
        state
    }

    /// The same, of another origin and with another key.
    pub fn named(origin: &str) -> Self {
        let seed = *Hash::of(origin.as_bytes()).as_bytes();
        let mut state = State::without_leaves();
        state.signer = SignerKey::from_seed(origin, &seed).unwrap();
        state.commit();
        state
    }

    /// What no log may show.
    pub fn without_leaves() -> Self {
        State {
            signer: SignerKey::from_seed("fake.example/log", &[7; 32]).unwrap(),
            entries: vec![],
            tiles: HashMap::new(),
            frontier: Frontier::new(),
            index: Map::new(),
            pending: vec![],
            indexes: BTreeMap::new(),
            lists: BTreeMap::new(),
            page: usize::MAX,
            limit: limits::PAGE,
            withheld: None,
            rewrite: None,
            checkpoint: None,
            consistency: None,
            http: HashMap::new(),
            instead: None,
            lie: None,
            gathers: false,
            records: vec![],
        }
    }

    pub fn log_key(&self) -> VerifierKey {
        self.signer.verifier()
    }

    /// Leaves in the log.
    pub fn size(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Appends a claim and the commitment that a checkpoint over it must end in. Returns the
    /// claim's leaf.
    pub fn publish(&mut self, claim: &wire::Claim) -> u64 {
        let index = self.append(claim);
        if !self.gathers {
            self.commit();
        }
        index
    }

    /// Appends a claim, whether or not it is in order, and returns its leaf. No checkpoint may end
    /// in it.
    pub fn append(&mut self, claim: &wire::Claim) -> u64 {
        let index = self.size();
        let entry = entry::encode(1_000 + index, claim.clone()).unwrap();
        self.append_entry(entry.clone());
        self.pending.extend(
            labels_of_entry(&Entry::parse(entry).unwrap())
                .into_iter()
                .map(|label| (label, LeafIndex::new(index))),
        );
        if let Ok(verified) = claim::verify(claim, &())
            && let Ok(Some(record)) = IssuerRecord::from_claim(&verified)
        {
            self.records.push((record.id, record.body.sequence, index));
        }
        index
    }

    /// Appends the commitment to the index of all leaves so far.
    pub fn commit(&mut self) {
        let honest = self.commitment();
        self.commit_to(honest.to_wire());
    }

    /// Appends a commitment that says this, whatever the index is.
    pub fn commit_to(&mut self, commitment: wire::IndexCommitment) {
        self.indexes.insert(self.size(), self.index.clone());
        self.append_entry(entry::encode(1_000 + self.size(), commitment).unwrap());
    }

    /// What the next leaf commits to, in an honest log.
    pub fn commitment(&mut self) -> Commitment {
        let mut pending = std::mem::take(&mut self.pending);
        pending.sort();
        self.index = self
            .index
            .update(&pending, TreeSize::new(self.size()), &Resident, &Serial)
            .unwrap()
            .map;
        pending
            .iter()
            .for_each(|(label, leaf)| self.lists.entry(*label).or_default().push(leaf.get()));
        self.index.commitment()
    }

    /// Hides from the index what was appended since the last commitment.
    pub fn forget(&mut self) {
        self.pending.clear();
    }

    /// Appends an entry that the index does not know of.
    pub fn append_entry(&mut self, entry: Bytes) {
        for (index, hashes) in self.frontier.append(&[hash::leaf_hash(&entry)]) {
            self.tiles
                .insert(index, Arc::new(Tile::from_hashes(hashes).unwrap()));
        }
        self.entries.push(entry);
    }

    /// A checkpoint of the first `size` entries.
    pub fn checkpoint_at(&self, size: u64) -> String {
        let size = TreeSize::new(size);
        self.sign(size, tree::root(self, size).unwrap())
    }

    pub fn sign(&self, size: TreeSize, root: Hash) -> String {
        Checkpoint {
            origin: self.signer.name().into(),
            size,
            root,
        }
        .sign(&self.signer)
    }

    pub(super) fn latest(&self) -> String {
        self.checkpoint
            .clone()
            .unwrap_or_else(|| self.checkpoint_at(self.size()))
    }

    pub(super) fn size_of(&self, asked: u64) -> (TreeSize, String) {
        match asked {
            0 => {
                let note = self.latest();
                (
                    TreeSize::new(note.lines().nth(1).unwrap().parse().unwrap()),
                    note,
                )
            }
            size => (TreeSize::new(size), String::new()),
        }
    }

    /// The size of a tree, as it is said with a proof.
    pub(super) fn said(&self, size: u64) -> u64 {
        size + u64::from(self.lie == Some(Lie::Size))
    }

    pub(super) fn path(&self, index: u64, size: TreeSize) -> Result<Bytes, Status> {
        let path = tree::prove_inclusion(self, LeafIndex::new(index), size);
        path.map(|path| join(&path))
            .map_err(|e| Status::out_of_range(e.to_string()))
    }

    pub fn http(&self, path: &str) -> Option<Vec<u8>> {
        if let Some(answer) = self.http.get(path) {
            return answer.clone();
        }
        if path == "checkpoint" {
            return Some(self.latest().into_bytes());
        }
        let path = TilePath::parse(path).ok()?;
        let width = usize::from(path.width());
        match path.resource() {
            Resource::Entries(index) => {
                let entries = self
                    .entries
                    .get(index as usize * 256..index as usize * 256 + width)?;
                let mut bytes = vec![];
                entries
                    .iter()
                    .for_each(|entry| bundle::push(&mut bytes, entry).unwrap());
                Some(bytes)
            }
            Resource::Tile(index) => {
                Some(join(self.tiles.get(&index)?.hashes().get(..width)?).to_vec())
            }
        }
    }
}

impl TileReader for State {
    type Error = String;

    fn tiles(&self, wanted: &[TileIndex], _: TreeSize) -> Result<Vec<Arc<Tile>>, String> {
        wanted
            .iter()
            .map(|index| {
                self.tiles
                    .get(index)
                    .cloned()
                    .ok_or_else(|| "no tile".into())
            })
            .collect()
    }
}

pub(super) fn join(hashes: &[Hash]) -> Bytes {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub fn id(seed: u8) -> IssuerId {
    IssuerId::derive(1, &[key(seed).verifying_key().to_bytes()])
}

/// The claim that registers the issuer of one key.
pub fn registration(seed: u8) -> wire::Claim {
    record(seed, seed, None)
}

/// The claim that gives issuer `seed` the key `next`, after the record `previous` with its
/// sequence.
pub fn record(seed: u8, next: u8, previous: Option<(claim::ClaimId, u32)>) -> wire::Claim {
    let body = Issuer {
        name: format!("issuer {seed}"),
        contacts: vec![],
        keys: vec![PublicKey::from(&key(next))],
        threshold: 1,
        rotation: None,
        sequence: previous.map_or(0, |(_, sequence)| sequence + 1),
        previous: previous.map(|(id, _)| id),
        namespaces: vec![],
        roles: vec![],
    };
    let (old, new) = (key(seed), key(next));
    let mut signers = vec![(id(seed), &old)];
    if next != seed {
        signers.push((id(seed), &new));
    }
    claim::sign(
        issuer::statement(&id(seed), &body)
            .unwrap()
            .to_json()
            .as_bytes(),
        &signers,
    )
}

/// A claim by which the issuer of the key `seed` withdraws its claim `target`.
pub fn withdrawal(seed: u8, target: claim::ClaimId) -> wire::Claim {
    let withdrawal = Withdrawal {
        target,
        reason: "wrong".into(),
        superseded_by: None,
    };
    claim::sign(
        withdrawal.statement().unwrap().to_json().as_bytes(),
        &[(id(seed), &key(seed))],
    )
}

/// Some claim, another for every `number`, by the issuer of the key `seed`.
pub fn claim(seed: u8, number: u64) -> wire::Claim {
    let purl = Purl::parse_canonical(&format!("pkg:cargo/example@{number}.0.0")).unwrap();
    let predicate = assay_claims::json::Value::Object(vec![]);
    let statement = Statement::new(
        vec![Subject::package(purl)],
        "https://example.com/p/v1",
        predicate,
    )
    .unwrap();
    claim::sign(statement.to_json().as_bytes(), &[(id(seed), &key(seed))])
}
