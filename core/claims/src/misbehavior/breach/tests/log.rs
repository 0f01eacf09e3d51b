//! A log that does what a test wants.

use crate::entry::{self, Entry, wire};
use crate::index::map::{Resident, Serial, Whole};
use crate::index::{Commitment, Cut, Label, Map, Query, labels_of_entry};
use crate::misbehavior::breach::{AssayKeys, BreachError, EntryReader, Listing, VerifiedBreach};
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::cosigner::{CosignedHead, CosignerVerifier};
use assay_tlog::hash::leaf_hash;
use assay_tlog::head::{LogVerifier, VerifiedHead};
use assay_tlog::note::{Algorithm, CosignerKey, SignerKey};
use assay_tlog::tree::{Frontier, LeafIndex, Tile, TileIndex, TileReader, TreeSize};
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::sync::{Arc, LazyLock};

pub const ORIGIN: &str = "log.example/a";
pub const AUDITOR: &str = "node.example/audit";

pub struct Keys {
    pub log: SignerKey,
    pub auditor: CosignerKey,
    pub known: AssayKeys,
}

pub static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let log = SignerKey::from_seed(ORIGIN, &[1; 32]).unwrap();
    let auditor = CosignerKey::from_seed(AUDITOR, Algorithm::CosignatureV1, &[2; 32]).unwrap();
    let known = AssayKeys {
        logs: vec![LogVerifier::new(ORIGIN, vec![log.verifier()]).unwrap()],
        auditors: vec![CosignerVerifier::new(vec![auditor.verifier()]).unwrap()],
    };
    Keys {
        log,
        auditor,
        known,
    }
});

pub fn verify(text: &str) -> Result<VerifiedBreach, BreachError> {
    VerifiedBreach::verify(text.as_bytes(), &KEYS.known)
}

/// A log. It begins with a commitment, unless it is made [`Log::bare`].
#[derive(Clone, Default)]
pub struct Log {
    pub entries: Vec<Bytes>,
    frontier: Frontier,
    tiles: HashMap<TileIndex, Arc<Tile>>,
    map: Map<Whole>,
    maps: BTreeMap<u64, Map<Whole>>,
    lists: BTreeMap<Label, Vec<LeafIndex>>,
    pending: Vec<(Label, LeafIndex)>,
    /// The time of the next entry.
    pub now_ms: u64,
}

impl TileReader for Log {
    type Error = Infallible;

    fn tiles(&self, wanted: &[TileIndex], _: TreeSize) -> Result<Vec<Arc<Tile>>, Infallible> {
        Ok(wanted.iter().map(|at| self.tiles[at].clone()).collect())
    }
}

impl EntryReader for Log {
    type Error = Infallible;

    fn entry(&self, leaf: LeafIndex) -> Result<Bytes, Infallible> {
        Ok(self.entries[leaf.get() as usize].clone())
    }
}

impl Log {
    pub fn new() -> Self {
        let mut log = Log::bare();
        log.commit();
        log
    }

    /// A log without leaves.
    pub fn bare() -> Self {
        Log {
            now_ms: 1_800_000_000_000,
            ..Log::default()
        }
    }

    pub fn entry(&self, leaf: u64) -> Entry {
        Entry::parse(self.entries[leaf as usize].clone()).unwrap()
    }

    pub fn size(&self) -> TreeSize {
        TreeSize::new(self.entries.len() as u64)
    }

    /// Appends an entry, whatever it is, and lists it nowhere.
    pub fn raw(&mut self, entry: Bytes) -> u64 {
        for (at, hashes) in self.frontier.append(&[leaf_hash(&entry)]) {
            let tile = Tile::from_hashes(hashes).unwrap();
            self.tiles.insert(at, Arc::new(tile));
        }
        self.entries.push(entry);
        self.entries.len() as u64 - 1
    }

    /// Appends an entry that says this, and lists it nowhere.
    pub fn hidden(&mut self, body: impl Into<wire::Body>) -> u64 {
        self.raw(entry::encode(self.now_ms, body).unwrap())
    }

    /// Appends a claim. The next commitment lists it.
    pub fn claim(&mut self, claim: wire::Claim) -> u64 {
        let leaf = self.hidden(claim);
        for label in labels_of_entry(&self.entry(leaf)) {
            self.list(label, leaf);
        }
        leaf
    }

    /// Lists a leaf under a label with the next commitment.
    pub fn list(&mut self, label: Label, leaf: u64) {
        self.pending.push((label, LeafIndex::new(leaf)));
    }

    /// Appends the commitment to all that is listed.
    pub fn commit(&mut self) -> u64 {
        let mut pending = std::mem::take(&mut self.pending);
        pending.sort();
        for (label, leaf) in &pending {
            self.lists.entry(*label).or_default().push(*leaf);
        }
        // Leaves that are listed before they exist are beyond the tree.
        let beyond = pending.iter().map(|(_, leaf)| leaf.get() + 1).max();
        let through = TreeSize::new(self.size().get().max(beyond.unwrap_or(0)));
        let update = self.map.update(&pending, through, &Resident, &Serial);
        self.map = update.unwrap().map;
        let said = self.map.commitment().to_wire();
        let leaf = self.hidden(said);
        self.maps.insert(leaf, self.map.clone());
        leaf
    }

    /// What the last commitment says.
    pub fn commitment(&self) -> wire::IndexCommitment {
        self.map.commitment().to_wire()
    }

    /// The head over all entries.
    pub fn head(&self) -> VerifiedHead {
        let note = self.checkpoint().sign(&KEYS.log);
        KEYS.known.logs[0].verify(&note).unwrap()
    }

    /// The same head, cosigned by the auditor.
    pub fn audited(&self) -> CosignedHead {
        let checkpoint = self.checkpoint();
        let line = KEYS.auditor.cosign(&checkpoint, 1_800_000_000).unwrap();
        let note = format!("{}\n{line}", checkpoint.body());
        KEYS.known.auditors[0].verify(&note).unwrap()
    }

    fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            origin: ORIGIN.into(),
            size: self.size(),
            root: self.frontier.root(),
        }
    }

    /// All labels that are listed.
    pub fn labels(&self) -> Vec<Label> {
        self.lists.keys().copied().collect()
    }

    /// The cut of a look-up for these labels under the commitment at a leaf.
    pub fn cut(&self, labels: &[Label], commitment: u64) -> Vec<u8> {
        let query = Query::labels(labels);
        let proven = self.maps[&commitment].prove(&query, &Resident);
        proven.unwrap().cut()
    }

    /// What the commitment at a leaf commits to.
    pub fn committed(&self, commitment: u64) -> Commitment {
        self.maps[&commitment].commitment()
    }

    /// What the commitment at a leaf says of a label.
    pub fn listing(&self, label: Label, commitment: u64) -> OwnListing {
        let cut = self.cut(&[label], commitment);
        let found = Cut::verify(&cut, &self.committed(commitment)).unwrap();
        let length = found.find(&label).unwrap().map_or(0, |found| found.length);
        let mut list = self.lists.get(&label).cloned().unwrap_or_default();
        list.truncate(length as usize);
        OwnListing { label, cut, list }
    }

    /// The leaves of the commitments.
    pub fn commitments(&self) -> Vec<u64> {
        self.maps.keys().copied().collect()
    }
}

/// What a commitment says of a label.
#[derive(Debug, Clone)]
pub struct OwnListing {
    pub label: Label,
    pub cut: Vec<u8>,
    pub list: Vec<LeafIndex>,
}

impl OwnListing {
    pub fn get(&self) -> Listing<'_> {
        Listing {
            label: self.label,
            cut: &self.cut,
            list: &self.list,
        }
    }
}
