//! The body of an `add-checkpoint` request.

use super::answer::Refusal;
use super::decide::SignedRequest;
use super::keys::WitnessedLog;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::decimal::parse_decimal;
use crate::hash::Hash;
use crate::head::is_unsigned;
use crate::limits;
use crate::note::{Note, NoteError};
use crate::tree::TreeSize;
use base64::prelude::{BASE64_STANDARD, Engine};

/// Why a body is no request. None of these messages repeats any of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Larger than [`limits::WITNESS_REQUEST_BYTES`].
    #[error(
        "the request has more than {max} bytes",
        max = limits::WITNESS_REQUEST_BYTES
    )]
    TooLong,
    /// The first line is not `old`, a space and a decimal number of 64 bits without leading zeros.
    #[error("the first line of the request is not \"old <size>\"")]
    OldSize,
    /// A line of the proof, counted from 1, is not the base64 of 32 bytes, in its one spelling.
    #[error("line {0} of the consistency proof is not the base64 of 32 bytes")]
    ProofLine(usize),
    /// More than [`limits::WITNESS_PROOF_HASHES`] hashes.
    #[error(
        "the consistency proof has more than {max} hashes",
        max = limits::WITNESS_PROOF_HASHES
    )]
    TooManyHashes,
    /// There is no empty line after the proof.
    #[error("there is no empty line between consistency proof and checkpoint")]
    NoCheckpoint,
    /// What follows the empty line is not the note of a checkpoint.
    #[error("the checkpoint of the request cannot be read")]
    Checkpoint(#[from] CheckpointError),
}

impl From<NoteError> for RequestError {
    fn from(error: NoteError) -> Self {
        RequestError::Checkpoint(error.into())
    }
}

/// A request that was read. Nothing in it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    old: TreeSize,
    proof: Vec<Hash>,
    checkpoint: Checkpoint,
    note: Note,
}

impl Request {
    /// Reads the body of a request. Fails with [`RequestError`], about the length before anything
    /// is allocated: whoever reads the body stops after [`limits::WITNESS_REQUEST_BYTES`] and one.
    ///
    /// Extension lines of the checkpoint are refused (docs/design.md 3.1): a cosignature of type
    /// 0x06 does not cover them.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        if body.len() > limits::WITNESS_REQUEST_BYTES {
            return Err(RequestError::TooLong);
        }
        let body = std::str::from_utf8(body).map_err(|_| NoteError::NotText)?;
        let (first, mut rest) = body.split_once('\n').ok_or(RequestError::OldSize)?;
        let old = first
            .strip_prefix("old ")
            .and_then(parse_decimal)
            .ok_or(RequestError::OldSize)?;
        let mut proof = Vec::new();
        let note = loop {
            let (line, after) = rest.split_once('\n').ok_or(RequestError::NoCheckpoint)?;
            if line.is_empty() {
                break after;
            }
            if proof.len() == limits::WITNESS_PROOF_HASHES {
                return Err(RequestError::TooManyHashes);
            }
            proof.push(parse_hash(line).ok_or(RequestError::ProofLine(proof.len() + 1))?);
            rest = after;
        };
        let note = Note::parse_checkpoint(note)?;
        Ok(Request {
            old: TreeSize::new(old),
            proof,
            checkpoint: Checkpoint::parse_body(note.text())?,
            note,
        })
    }

    /// Writes the body of a request: what a log sends that has the note of its checkpoint, and the
    /// proof from the size that the witness has.
    pub fn body(old: TreeSize, proof: &[Hash], note: &str) -> String {
        let mut body = format!("old {old}\n");
        for hash in proof {
            body.push_str(&BASE64_STANDARD.encode(hash.as_bytes()));
            body.push('\n');
        }
        body + "\n" + note
    }

    /// The log that the request says it is about, by which the caller finds its keys. Without any,
    /// the answer is [`Refusal::UnknownOrigin`].
    pub fn origin(&self) -> &str {
        &self.checkpoint.origin
    }

    /// Verifies that the log signed the checkpoint. After that, and not before, the caller charges
    /// the log's quota.
    ///
    /// Fails with [`Refusal::UnknownOrigin`] if it is another log, [`Refusal::Unsigned`] if none of
    /// its keys signed, [`Refusal::WrongSignature`] if a signature by one of them is wrong,
    /// whatever the others are, and [`Refusal::Convicted`].
    pub fn verify(self, log: &WitnessedLog) -> Result<SignedRequest, Refusal> {
        if self.origin() != log.verifier().origin() {
            return Err(Refusal::UnknownOrigin);
        }
        let head = log
            .verifier()
            .verify_read(&self.note, &self.checkpoint)
            .map_err(|error| {
                if is_unsigned(&error) {
                    Refusal::Unsigned
                } else {
                    Refusal::WrongSignature
                }
            })?;
        if log.is_convicted() {
            return Err(Refusal::Convicted);
        }
        Ok(SignedRequest::new(self.old, self.proof, head))
    }
}

fn parse_hash(line: &str) -> Option<Hash> {
    Hash::from_slice(&BASE64_STANDARD.decode(line).ok()?)
}
