//! Whom the targets know: a log with a few entries, its index, and a witness. Their keys are made
//! of fixed seeds, so that targets can sign again whatever a reader says was signed.

use assay_claims::claim::{self, SigningKey};
use assay_claims::entry::{self, Entry, wire};
use assay_claims::index::map::{Resident, Serial, Whole};
use assay_claims::index::{Commitment, Label, Map, Query, labels_of_entry};
use assay_claims::issuer::IssuerId;
use assay_claims::json::Value;
use assay_claims::misbehavior::breach::EntryReader;
use assay_claims::purl::Purl;
use assay_claims::statement::{Statement, Subject};
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::hash::leaf_hash;
use assay_tlog::note::{Algorithm, CosignerKey, SignerKey};
use assay_tlog::tree::{Frontier, LeafIndex, Tile, TileIndex, TileReader, TreeSize};
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::sync::{Arc, LazyLock};

pub const ORIGIN: &str = "log.example/a";
pub const NOW_S: u64 = 1_800_000_000;

/// The log's key.
pub static LOG: LazyLock<SignerKey> =
    LazyLock::new(|| SignerKey::from_seed(ORIGIN, &[1; 32]).unwrap());

/// A witness, and an auditor under another name.
pub static WITNESS: LazyLock<CosignerKey> = LazyLock::new(|| cosigner("witness.example/w", 2));
pub static AUDITOR: LazyLock<CosignerKey> = LazyLock::new(|| cosigner("node.example/audit", 3));

/// The history that the targets know.
pub static HISTORY: LazyLock<Log> = LazyLock::new(Log::published);

fn cosigner(name: &str, seed: u8) -> CosignerKey {
    CosignerKey::from_seed(name, Algorithm::CosignatureV1, &[seed; 32]).unwrap()
}

/// The key that signs every claim here.
pub fn signing_key() -> SigningKey {
    SigningKey::from_bytes(&[4; 32])
}

/// For whom it signs.
pub fn issuer() -> IssuerId {
    IssuerId::from_slice(&[5; 32]).unwrap()
}

/// A claim about a package, which says a number.
pub fn claim(package: &str, number: u64) -> wire::Claim {
    let subject = Subject::package(Purl::parse_canonical(package).unwrap());
    let predicate = Value::Object(vec![("number".into(), number.into())]);
    let statement = Statement::new(vec![subject], "https://host.example/x", predicate).unwrap();
    claim::sign(
        statement.to_json().as_bytes(),
        &[(issuer(), &signing_key())],
    )
}

/// A log and the truth about its index.
#[derive(Default)]
pub struct Log {
    pub entries: Vec<Bytes>,
    pub frontier: Frontier,
    tiles: HashMap<TileIndex, Arc<Tile>>,
    map: Map<Whole>,
    pub lists: BTreeMap<Label, Vec<LeafIndex>>,
    pending: Vec<(Label, LeafIndex)>,
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
    /// Leaves 1, 2 and 3 are claims about two packages.
    fn published() -> Self {
        let mut log = Log::default();
        log.commit();
        log.claim(claim("pkg:cargo/a@1", 1));
        log.claim(claim("pkg:cargo/b", 2));
        log.claim(claim("pkg:cargo/a@2", 3));
        log.commit();
        log
    }

    pub fn append(&mut self, body: impl Into<wire::Body>) -> LeafIndex {
        let at = self.entries.len() as u64;
        let entry = entry::encode(1000 * NOW_S + at, body).unwrap();
        for (at, hashes) in self.frontier.append(&[leaf_hash(&entry)]) {
            let tile = Tile::from_hashes(hashes).unwrap();
            self.tiles.insert(at, Arc::new(tile));
        }
        self.entries.push(entry);
        LeafIndex::new(at)
    }

    pub fn claim(&mut self, claim: wire::Claim) {
        let leaf = self.append(claim);
        for label in labels_of_entry(&self.parsed(leaf)) {
            self.pending.push((label, leaf));
        }
    }

    pub fn commit(&mut self) {
        let mut pending = std::mem::take(&mut self.pending);
        pending.sort();
        for (label, leaf) in &pending {
            self.lists.entry(*label).or_default().push(*leaf);
        }
        let size = TreeSize::new(self.entries.len() as u64);
        let update = self.map.update(&pending, size, &Resident, &Serial);
        self.map = update.unwrap().map;
        self.append(self.map.commitment().to_wire());
    }

    pub fn parsed(&self, leaf: LeafIndex) -> Entry {
        Entry::parse(self.entries[leaf.get() as usize].clone()).unwrap()
    }

    pub fn commitment(&self) -> Commitment {
        self.map.commitment()
    }

    pub fn cut(&self, query: &Query) -> Vec<u8> {
        self.map.prove(query, &Resident).unwrap().cut()
    }

    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            origin: ORIGIN.into(),
            size: self.frontier.size(),
            root: self.frontier.root(),
        }
    }

    /// The checkpoint, signed by the log and cosigned by the witness.
    pub fn note(&self) -> String {
        let checkpoint = self.checkpoint();
        checkpoint.sign(&LOG) + &WITNESS.cosign(&checkpoint, NOW_S).unwrap()
    }
}

/// Whether a note says this and has the signature line that the log's key makes of it.
pub fn log_signed(note: &str, text: &str) -> bool {
    has_line(note, text, &LOG.sign(text))
}

/// Whether a note says this, and has this line among its signatures.
pub fn has_line(note: &str, text: &str, line: &str) -> bool {
    let block = note
        .strip_prefix(text)
        .and_then(|rest| rest.strip_prefix('\n'));
    block.is_some_and(|block| block.split_inclusive('\n').any(|one| one == line))
}
