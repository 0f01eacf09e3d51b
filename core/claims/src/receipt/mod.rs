//! Receipts: a claim, and the proof that it is logged, which can be checked offline, for good
//! (docs/design.md 3.6).
//!
//! A receipt is two files: the claim as one line of DSSE JSON (`.intoto.jsonl`), and a C2SP
//! tlog-proof (`.tlog-proof`) whose `extra` data is the log entry without the payload (`detached`).
//! Each file has one spelling for a given entry, proof and checkpoint, and any other is refused. So
//! no byte of a receipt can be changed unnoticed, except in signatures under the checkpoint that
//! nobody was asked to check: those of witnesses, which a policy looks at.
//!
//! Left out: witness quorums (the policy's), and whether the record of an issuer that was given is
//! still in force. Receipts prove what is in the log, never what is not.

mod detached;
mod standing;

pub use detached::{DetachError, attach, detach};
pub use standing::{ProvenIssuer, Standing, verify_issuers};

use crate::claim::{self, ClaimError, VerifiedClaim};
use crate::dsse::{DsseError, Envelope, EnvelopeSignature};
use crate::entry::{Entry, wire};
use crate::limits;
use assay_tlog::Hash;
use assay_tlog::note::VerifierKey;
use assay_tlog::tlog_proof::{TlogProof, TlogProofError, VerifiedInclusion};
use assay_tlog::tree::LeafIndex;

/// Which check of a receipt failed, and how.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// A file is longer than [`limits::RECEIPT_BYTES`].
    #[error("the file has {0} bytes; at most {max} are read", max = limits::RECEIPT_BYTES)]
    TooLong(usize),
    /// The first file is not a DSSE envelope.
    #[error("the claim cannot be read: {0}")]
    Envelope(DsseError),
    /// The second file is not a tlog-proof.
    #[error("the proof cannot be read: {0}")]
    Proof(TlogProofError),
    /// The proof holds no log entry that the claim's payload fits.
    #[error("the proof holds no entry for this claim: {0}")]
    Entry(DetachError),
    /// The checkpoint is not one of the log's that was asked for.
    #[error("the checkpoint is not signed by the log {log}")]
    Checkpoint {
        /// The name of the key that it was checked with.
        log: String,
        /// What is wrong with it.
        #[source]
        source: TlogProofError,
    },
    /// The entry is not where the proof says it is under the checkpoint.
    #[error("the claim is not proven to be in the log")]
    Inclusion(#[source] TlogProofError),
    /// The entry is in the log, but the envelope is not exactly the claim in it.
    #[error("the envelope is not exactly the claim that is in the log")]
    OtherClaim,
    /// The claim is in the log and is not valid.
    #[error("the claim is in the log, but is not valid: {0}")]
    Claim(ClaimError),
}

impl ReceiptError {
    /// The check that failed, in one word: `envelope`, `proof`, `entry`, `checkpoint`, `inclusion`,
    /// `match` or `claim`.
    pub fn check(&self) -> &'static str {
        match self {
            ReceiptError::Envelope(_) => "envelope",
            ReceiptError::TooLong(_) | ReceiptError::Proof(_) => "proof",
            ReceiptError::Entry(_) => "entry",
            ReceiptError::Checkpoint { .. } => "checkpoint",
            ReceiptError::Inclusion(_) => "inclusion",
            ReceiptError::OtherClaim => "match",
            ReceiptError::Claim(_) => "claim",
        }
    }
}

/// A claim that is valid by itself and is in the log. Only [`verify`] makes one.
///
/// It does not say that its signers may speak for the issuers that they name: see
/// [`verify_issuers`].
#[derive(Debug, Clone)]
pub struct VerifiedReceipt {
    claim: VerifiedClaim,
    inclusion: VerifiedInclusion,
    logged_at_ms: u64,
}

impl VerifiedReceipt {
    /// The claim.
    pub fn claim(&self) -> &VerifiedClaim {
        &self.claim
    }

    /// Where in which log it is, under which checkpoint.
    pub fn inclusion(&self) -> &VerifiedInclusion {
        &self.inclusion
    }

    /// When the log says that it accepted the claim, in milliseconds since 1970 (UTC).
    pub fn logged_at_ms(&self) -> u64 {
        self.logged_at_ms
    }
}

/// Writes the two files of a receipt: the envelope (one line, with its line break) and the proof.
///
/// `path` is the inclusion proof of the entry at `index` under the checkpoint in `checkpoint`, a
/// whole signed note. None of it is checked: [`verify`] the files before they are handed on. It
/// fails for an entry without a payload.
pub fn to_files(
    entry: &Entry,
    index: LeafIndex,
    path: &[Hash],
    checkpoint: &str,
) -> Result<(String, String), DetachError> {
    let extra = detach(entry.bytes())?;
    let proof = TlogProof {
        extra: Some(extra),
        index,
        path: path.to_vec(),
        checkpoint: checkpoint.to_owned(),
    };
    Ok((envelope_line(entry.claim()?), proof.to_string()))
}

/// A claim as one line of DSSE JSON, with its line break. As a hint, each `keyid` is SHA-256 of the
/// public key, in hex. Nothing is checked.
pub fn envelope_line(claim: &wire::Claim) -> String {
    let signatures = claim.signatures.iter().map(|signature| EnvelopeSignature {
        keyid: Some(Hash::of(&signature.public_key).to_hex()),
        sig: signature.signature.to_vec(),
    });
    let envelope = Envelope {
        payload: claim.payload.clone(),
        payload_type: claim.payload_type.clone(),
        signatures: signatures.collect(),
    };
    envelope.to_json() + "\n"
}

/// Verifies the two files of a receipt against the log whose key is `log`; the error names the
/// check that failed.
///
/// It guarantees that the claim is valid by itself ([`claim::verify`]), and that exactly it is in
/// the log, under a checkpoint that the log signed.
pub fn verify(
    envelope: &[u8],
    proof: &[u8],
    log: &VerifierKey,
) -> Result<VerifiedReceipt, ReceiptError> {
    if envelope.len() > limits::RECEIPT_BYTES {
        return Err(ReceiptError::TooLong(envelope.len()));
    }
    let payload = Envelope::parse(envelope)
        .map_err(ReceiptError::Envelope)?
        .payload;
    let proof = TlogProof::parse(proof).map_err(ReceiptError::Proof)?;
    let entry = attach(proof.extra.as_deref().unwrap_or_default(), &payload)
        .map_err(ReceiptError::Entry)?;
    let inclusion = proof
        .verify(&entry.leaf_hash(), log)
        .map_err(|error| match error {
            TlogProofError::Checkpoint(_) => ReceiptError::Checkpoint {
                log: log.name().to_owned(),
                source: error,
            },
            _ => ReceiptError::Inclusion(error),
        })?;
    let logged = entry.claim().map_err(|e| ReceiptError::Entry(e.into()))?;
    if envelope_line(logged).as_bytes() != envelope {
        return Err(ReceiptError::OtherClaim);
    }
    let claim = claim::verify(logged, &()).map_err(ReceiptError::Claim)?;
    Ok(VerifiedReceipt {
        claim,
        inclusion,
        logged_at_ms: entry.logged_at_ms(),
    })
}

#[cfg(test)]
mod tests;
