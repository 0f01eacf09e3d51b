//! The witness against a log whose tree, branches and proofs are computed from the definitions of
//! RFC 6962.

mod forks;
mod interleavings;
mod malformed;
mod sizes;
mod table;

use super::*;
use crate::checkpoint::Checkpoint;
use crate::hash::{Hash, leaf_hash};
use crate::head::LogVerifier;
use crate::note::{Algorithm, CosignerKey, SignerKey, VerifierKey};
use crate::tree::TreeSize;
use crate::tree::naive;
use base64::prelude::{BASE64_STANDARD, Engine};
use std::sync::LazyLock;

const ORIGIN: &str = "log.example/a";
const NOW: u64 = 1_800_000_000;
const FLOOR: ClockFloor = ClockFloor::new(NOW);

fn log_key() -> SignerKey {
    SignerKey::from_seed(ORIGIN, &[1; 32]).unwrap()
}

fn witness_key(algorithm: Algorithm) -> CosignerKey {
    CosignerKey::from_seed("witness.example/w", algorithm, &[2; 32]).unwrap()
}

/// A witness with keys of both algorithms.
fn witness() -> WitnessKeys {
    let ed25519 = witness_key(Algorithm::CosignatureV1);
    WitnessKeys::new(ed25519, Some(witness_key(Algorithm::MlDsa44))).unwrap()
}

fn verifier() -> LogVerifier {
    LogVerifier::new(ORIGIN, vec![log_key().verifier()]).unwrap()
}

/// The log as the witness knows it, made once: an ML-DSA-44 key takes longer than a decision.
static LOG: LazyLock<WitnessedLog> =
    LazyLock::new(|| WitnessedLog::new(verifier(), &witness()).unwrap());

/// One history of a log.
#[derive(Clone)]
struct Branch(Vec<Hash>);

impl Branch {
    /// `size` leaves.
    fn new(size: usize) -> Self {
        Branch(naive::leaves(size as u64))
    }

    /// A history of as many leaves, of which the first `same` are those of this one.
    fn fork(&self, same: usize) -> Self {
        let other = (same..self.0.len()).map(|i| leaf_hash(format!("other {i}").as_bytes()));
        Branch(self.0[..same].iter().copied().chain(other).collect())
    }

    fn root(&self, size: usize) -> Hash {
        naive::root(&self.0[..size])
    }

    fn checkpoint(&self, size: usize) -> Checkpoint {
        Checkpoint {
            origin: ORIGIN.into(),
            size: naive::size(size),
            root: self.root(size),
        }
    }

    /// The note that the log signed.
    fn note(&self, size: usize) -> String {
        self.checkpoint(size).sign(&log_key())
    }

    fn proof(&self, old: usize, new: usize) -> Vec<Hash> {
        if old == 0 || old >= new {
            return Vec::new();
        }
        naive::consistency(old, &self.0[..new])
    }

    /// The body that a client sends.
    fn request(&self, old: usize, new: usize) -> String {
        body(old, &self.proof(old, new), &self.note(new))
    }

    fn held(&self, size: usize, at: u64) -> LogState {
        LogState::Held {
            size: naive::size(size),
            root: self.root(size),
            at,
        }
    }
}

fn body(old: usize, proof: &[Hash], note: &str) -> String {
    Request::body(TreeSize::new(old as u64), proof, note)
}

fn signed(body: &str) -> SignedRequest {
    Request::parse(body.as_bytes())
        .unwrap()
        .verify(&LOG)
        .unwrap()
}

/// Everything that a witness does for one request, but for storing.
fn decide(body: &[u8], state: &LogState, floor: ClockFloor, now: u64) -> Decision {
    let read = Request::parse(body).map_err(Refusal::from);
    match read.and_then(|request| request.verify(&LOG)) {
        Ok(request) => request.decide(state, floor, now),
        Err(refusal) => Decision::Refuse(Refused {
            refusal,
            contradiction: None,
        }),
    }
}

fn status(decision: Decision) -> u16 {
    match decision {
        Decision::Cosign(_) => 200,
        Decision::Refuse(refused) => refused.refusal.answer().status,
    }
}
