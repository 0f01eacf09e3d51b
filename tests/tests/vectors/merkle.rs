//! transparency-dev/merkle: inclusion and consistency proofs, one proof a file. Its proofs of
//! subtrees are left out: no format of Assay has them yet.
//!
//! `wantErr` says what must happen. A hash that does not have 32 bytes cannot be a hash here:
//! reading it is refused, also where the suite has such placeholders for roots that its own
//! verifier does not look at.

use assay_tests::data;
use assay_tlog::Hash;
use assay_tlog::tree::{LeafIndex, ProofError, TreeSize, verify_consistency, verify_inclusion};
use base64::prelude::{BASE64_STANDARD, Engine};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Inclusion {
    leaf_idx: u64,
    tree_size: u64,
    root: Base64,
    leaf_hash: Base64,
    proof: Option<Vec<Base64>>,
    desc: String,
    want_err: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Consistency {
    size1: u64,
    size2: u64,
    root1: Base64,
    root2: Base64,
    proof: Option<Vec<Base64>>,
    desc: String,
    want_err: bool,
}

/// Bytes, in base64 or null.
#[derive(Deserialize)]
struct Base64(Option<String>);

/// Why a vector did not verify.
#[derive(Debug)]
enum Refusal {
    /// It has a hash that does not have 32 bytes.
    NoHash,
    /// The verifier says so.
    Proof(#[expect(dead_code, reason = "shown when a test fails")] ProofError),
}

impl From<ProofError> for Refusal {
    fn from(error: ProofError) -> Self {
        Refusal::Proof(error)
    }
}

impl Base64 {
    fn hash(&self) -> Result<Hash, Refusal> {
        let bytes = BASE64_STANDARD
            .decode(self.0.as_deref().unwrap_or_default())
            .expect("the vector's base64");
        Hash::from_slice(&bytes).ok_or(Refusal::NoHash)
    }
}

fn hashes(proof: &Option<Vec<Base64>>) -> Result<Vec<Hash>, Refusal> {
    proof.iter().flatten().map(Base64::hash).collect()
}

/// A kind of vector: how it is verified and what it expects.
trait Vector: serde::de::DeserializeOwned {
    fn verify(&self) -> Result<(), Refusal>;
    fn expectation(&self) -> (&str, bool);
}

impl Vector for Inclusion {
    fn verify(&self) -> Result<(), Refusal> {
        let (leaf, root, path) = (
            self.leaf_hash.hash()?,
            self.root.hash()?,
            hashes(&self.proof)?,
        );
        Ok(verify_inclusion(
            &leaf,
            LeafIndex::new(self.leaf_idx),
            TreeSize::new(self.tree_size),
            &path,
            &root,
        )?)
    }

    fn expectation(&self) -> (&str, bool) {
        (&self.desc, self.want_err)
    }
}

impl Vector for Consistency {
    fn verify(&self) -> Result<(), Refusal> {
        let (old, new, path) = (self.root1.hash()?, self.root2.hash()?, hashes(&self.proof)?);
        Ok(verify_consistency(
            TreeSize::new(self.size1),
            &old,
            TreeSize::new(self.size2),
            &new,
            &path,
        )?)
    }

    fn expectation(&self) -> (&str, bool) {
        (&self.desc, self.want_err)
    }
}

/// Holds every file below `merkle-proofs/<folder>` against its expectation.
fn check<V: Vector>(folder: &str) {
    let Some(folder) = data::require(&format!("merkle-proofs/{folder}")) else {
        return;
    };
    let (mut held, mut refused) = (0, 0);
    for path in data::files(&folder) {
        let vector: V = data::read_json(&path);
        let (desc, want_err) = vector.expectation();
        match vector.verify() {
            Ok(()) => {
                assert!(!want_err, "{desc} in {} should not verify", path.display());
                held += 1;
            }
            Err(refusal) => {
                let no_hash = matches!(refusal, Refusal::NoHash);
                assert!(
                    want_err || no_hash,
                    "{desc} in {} should verify: {refusal:?}",
                    path.display()
                );
                refused += 1;
            }
        }
    }
    println!(
        "{}: {held} proofs hold, {refused} are refused",
        folder.display()
    );
    assert!(held + refused > 0);
}

#[test]
fn inclusion() {
    check::<Inclusion>("inclusion");
}

#[test]
fn consistency() {
    check::<Consistency>("consistency");
}

/// Every folder of the collection is one of those above, or has proofs of subtrees.
#[test]
fn no_other_kind_of_proof_is_left_out() {
    let Some(vectors) = data::require("merkle-proofs") else {
        return;
    };
    let known = [
        "inclusion",
        "consistency",
        "subtreeinclusion",
        "subtreeconsistency",
    ];
    for file in data::files(&vectors) {
        let kind = file
            .strip_prefix(&vectors)
            .expect("below the folder")
            .iter()
            .next();
        assert!(
            kind.is_some_and(|kind| known.iter().any(|known| kind == *known)),
            "{}",
            file.display()
        );
    }
}
