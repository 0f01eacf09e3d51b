//! A log of two entries, an issuer's record and a claim of it, with receipts of both, and
//! cosignatures of witnesses.

use assay_claims::claim::{self, PublicKey, SigningKey};
use assay_claims::entry::{self, Entry};
use assay_claims::issuer::{IssuerId, genesis_id, statement};
use assay_claims::json::Value;
use assay_claims::kind::issuer::Issuer;
use assay_claims::receipt::to_files;
use assay_claims::statement::{Statement, Subject};
use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::note::{Algorithm, CosignerKey, SignerKey, VerifierKey};
use assay_tlog::tree::{Frontier, LeafIndex};
use std::fs;
use std::path::Path;

/// When the log took both entries: 2023-11-14T22:13:20Z.
pub const LOGGED_AT_S: u64 = 1_700_000_000;

/// The log's name.
pub const ORIGIN: &str = "log.example";

pub fn log() -> SignerKey {
    SignerKey::from_seed(ORIGIN, &[2; 32]).unwrap()
}

/// Witnesses from this number on are the ML-DSA-44 keys of those from 0 on.
pub const ML_DSA: u8 = 50;

fn witness_signer(number: u8) -> CosignerKey {
    let (of, algorithm) = match number.checked_sub(ML_DSA) {
        None => (number, Algorithm::CosignatureV1),
        Some(of) => (of, Algorithm::MlDsa44),
    };
    CosignerKey::from_seed(&format!("w{of}.example"), algorithm, &[100 + number; 32]).unwrap()
}

/// What the witness of this number cosigns with.
pub fn witness(number: u8) -> VerifierKey {
    witness_signer(number).verifier()
}

/// A policy that names this log, and these witnesses, of which it takes so many.
pub fn policy(log: &SignerKey, witnesses: &[u8], quorum: usize) -> String {
    let mut text = format!("version = 1\n[[log]]\nkey = \"{}\"\n", log.verifier());
    if !witnesses.is_empty() {
        text = text.replacen("\n", &format!("\nquorum = {quorum}\n"), 1);
    }
    for number in witnesses {
        let key = witness(*number);
        text.push_str(&format!(
            "[[witness]]\nname = \"w{number}\"\nkey = \"{key}\"\n"
        ));
    }
    text
}

/// The issuer that registers, and signs the claim.
pub fn issuer(name: &str) -> (IssuerId, Issuer, SigningKey) {
    let key = SigningKey::from_bytes(&[1; 32]);
    let record = Issuer {
        name: name.into(),
        contacts: vec![],
        keys: vec![PublicKey::from(&key)],
        threshold: 1,
        rotation: None,
        sequence: 0,
        previous: None,
        namespaces: vec![],
        roles: vec![],
    };
    (genesis_id(&record), record, key)
}

/// Writes the receipts `record` and `claim` into `folder`, under a checkpoint that these witnesses
/// cosigned a second after the log took them.
pub fn receipts(folder: &Path, name: &str, cosigned: &[u8]) {
    receipts_seen_at(folder, name, cosigned, LOGGED_AT_S + 1);
}

/// The same, cosigned at this time, in seconds since 1970.
pub fn receipts_seen_at(folder: &Path, name: &str, cosigned: &[u8], seen_at_s: u64) {
    let (id, record, key) = issuer(name);
    let subject = Subject::artifact(Some("app.tar".into()), &Hash::of(b"app"));
    let nothing = Value::Object(vec![]);
    let says = Statement::new(vec![subject], "https://example.org/v1", nothing).unwrap();
    let mut entries = Vec::new();
    for statement in [statement(&id, &record).unwrap(), says] {
        let claim = claim::sign(statement.to_json().as_bytes(), &[(id, &key)]);
        entries.push(Entry::parse(entry::encode(LOGGED_AT_S * 1000, claim).unwrap()).unwrap());
    }
    let leaves = [entries[0].leaf_hash(), entries[1].leaf_hash()];
    let mut tree = Frontier::new();
    tree.append(&leaves);
    let checkpoint = Checkpoint {
        origin: ORIGIN.into(),
        size: tree.size(),
        root: tree.root(),
    };
    let mut note = checkpoint.sign(&log());
    for number in cosigned {
        let line = witness_signer(*number).cosign(&checkpoint, seen_at_s);
        note.push_str(&line.unwrap());
    }
    fs::create_dir_all(folder).unwrap();
    for (index, stem) in [(0, "record"), (1, "claim")] {
        let path = [leaves[1 - index]];
        let leaf = LeafIndex::new(index as u64);
        let (envelope, proof) = to_files(&entries[index], leaf, &path, &note).unwrap();
        fs::write(folder.join(format!("{stem}.intoto.jsonl")), envelope).unwrap();
        fs::write(folder.join(format!("{stem}.tlog-proof")), proof).unwrap();
    }
}
