//! Breaches to test with.

use assay_claims::claim::{self, SigningKey};
use assay_claims::entry;
use assay_claims::index::Commitment;
use assay_claims::issuer::IssuerId;
use assay_claims::misbehavior::VerifiedBreach;
use assay_claims::misbehavior::breach::{Accuser, EntryReader};
use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::cosigner::CosignerVerifier;
use assay_tlog::hash::leaf_hash;
use assay_tlog::head::LogVerifier;
use assay_tlog::note::SignerKey;
use assay_tlog::tree::{Frontier, LeafIndex, Tile, TileIndex, TileReader, TreeSize};
use assay_tlog::witness::WitnessKeys;
use bytes::Bytes;
use std::{convert::Infallible, sync::Arc};

/// A log of one tile.
struct OneTile(Arc<Tile>);

impl TileReader for OneTile {
    type Error = Infallible;

    fn tiles(&self, _: &[TileIndex], _: TreeSize) -> Result<Vec<Arc<Tile>>, Infallible> {
        Ok(vec![self.0.clone()])
    }
}

/// A log that begins as it should, and goes on with a claim whose signature is wrong.
struct Made {
    entries: Vec<Bytes>,
    tile: OneTile,
    checkpoint: Checkpoint,
}

impl Made {
    fn new(origin: &str, number: u64, commits: bool) -> Self {
        let signing = SigningKey::from_bytes(&[5; 32]);
        let issuer = IssuerId::derive(1, &[signing.verifying_key().to_bytes()]);
        let mut wrong = claim::sign(
            format!("{{\"n\":{number}}}").as_bytes(),
            &[(issuer, &signing)],
        );
        wrong.signatures[0].signature = vec![1; 64].into();
        let commitment = || entry::encode(1, Commitment::empty().to_wire()).unwrap();
        let mut entries = vec![commitment(), entry::encode(1, wrong).unwrap()];
        if commits {
            entries.push(commitment());
        }
        let hashes: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        let mut tree = Frontier::new();
        tree.append(&hashes);
        Made {
            entries,
            tile: OneTile(Arc::new(Tile::from_hashes(hashes).unwrap())),
            checkpoint: Checkpoint {
                origin: origin.into(),
                size: tree.size(),
                root: tree.root(),
            },
        }
    }
}

impl EntryReader for Made {
    type Error = Infallible;

    fn entry(&self, leaf: LeafIndex) -> Result<Bytes, Infallible> {
        Ok(self.entries[leaf.get() as usize].clone())
    }
}

/// A breach of the kind `commitment` or, if `commits`, of the kind `entry`; another one for each
/// number.
pub(crate) fn by_log(key: &SignerKey, number: u64, commits: bool) -> VerifiedBreach {
    let made = Made::new(key.name(), number, commits);
    let log = LogVerifier::new(key.name(), vec![key.verifier()]).unwrap();
    let head = log.verify(&made.checkpoint.sign(key)).unwrap();
    let accuser = Accuser::of_log(&head, &made.tile, &made);
    if commits {
        accuser.entry(LeafIndex::new(1)).unwrap()
    } else {
        accuser.last_leaf().unwrap()
    }
}

/// A breach of the kind `auditor`, which cosigned what the log may never have signed.
pub(crate) fn by_auditor(keys: &WitnessKeys, origin: &str) -> VerifiedBreach {
    let made = Made::new(origin, 1, false);
    let lines = keys.cosign(&made.checkpoint, 1).unwrap();
    let auditor = CosignerVerifier::new(keys.verifiers()).unwrap();
    let note = format!("{}\n{lines}", made.checkpoint.body());
    let head = auditor.verify(&note).unwrap();
    let accuser = Accuser::of_auditor(&head, &made.tile, &made);
    accuser.last_leaf().unwrap()
}
