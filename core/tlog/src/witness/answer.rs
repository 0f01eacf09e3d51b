//! What a witness answers over HTTP: every status of C2SP tlog-witness, `add-checkpoint`, in one
//! place.

use super::clock::ClockFault;
use super::request::RequestError;
use crate::tree::{ProofError, TreeSize};

/// The type of an answer that is one size (C2SP tlog-witness).
const SIZE_TYPE: &str = "text/x.tlog.size";

/// The type of signature lines and of sentences.
const TEXT_TYPE: &str = "text/plain; charset=utf-8";

/// Why a witness does not cosign. None of these messages repeats what was sent, but for numbers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The body is no request.
    #[error("{0}")]
    Malformed(#[from] RequestError),
    /// The witness has no keys of the log.
    #[error("this log is not known here")]
    UnknownOrigin,
    /// None of the log's keys signed the checkpoint.
    #[error("no key of this log that is known here signed the checkpoint")]
    Unsigned,
    /// A signature by one of the log's keys is wrong, whatever the others are.
    #[error("a signature by a key of this log is wrong")]
    WrongSignature,
    /// The log is known to have signed two histories.
    #[error("this log has signed two histories and is not cosigned any more")]
    Convicted,
    /// The old size is above the checkpoint's.
    #[error("the old size is larger than the checkpoint's")]
    OldAboveSize,
    /// The old size is not the one that the witness has. Not an error: `old 0` is how a log asks
    /// for it.
    #[error("the latest checkpoint that was cosigned here has the size {0}")]
    OtherSize(TreeSize),
    /// A tree without leaves has one root (RFC 6962, section 2.1), and this is not it.
    #[error("the root of an empty tree is the SHA-256 of nothing")]
    EmptyRoot,
    /// A proof from the size 0, from which there is nothing to prove.
    #[error("a proof from an empty tree has no hashes")]
    ProofFromEmpty,
    /// The witness has another root for this size.
    #[error("the checkpoint that was cosigned here has another root at this size")]
    OtherRoot,
    /// The consistency proof does not hold.
    #[error("the checkpoint is not proven to be consistent with the one that was cosigned here")]
    Inconsistent(#[source] ProofError),
    /// The log asked more often than it may. The caller decides that, after [`Request::verify`].
    ///
    /// [`Request::verify`]: super::Request::verify
    #[error("this log has asked too often")]
    OverQuota {
        /// Seconds after which it may ask again.
        retry_after_s: u32,
    },
    /// The witness's own clock is not to be believed. Its operator has to look.
    #[error("{0}")]
    Clock(#[from] ClockFault),
}

impl Refusal {
    /// The answer to be sent.
    pub fn answer(&self) -> Answer {
        let body = match self {
            Refusal::OtherSize(size) => format!("{size}\n"),
            other => format!("{other}\n"),
        };
        let content_type = match self {
            Refusal::OtherSize(_) => SIZE_TYPE,
            _ => TEXT_TYPE,
        };
        let retry_after_s = match self {
            Refusal::OverQuota { retry_after_s } => Some(*retry_after_s),
            _ => None,
        };
        Answer {
            status: self.status(),
            content_type,
            retry_after_s,
            body,
        }
    }

    fn status(&self) -> u16 {
        match self {
            Refusal::Malformed(RequestError::TooLong) => 413,
            Refusal::Malformed(_) | Refusal::OldAboveSize => 400,
            Refusal::Unsigned | Refusal::WrongSignature | Refusal::Convicted => 403,
            Refusal::UnknownOrigin => 404,
            Refusal::OtherSize(_) => 409,
            Refusal::EmptyRoot
            | Refusal::ProofFromEmpty
            | Refusal::OtherRoot
            | Refusal::Inconsistent(_) => 422,
            Refusal::OverQuota { .. } => 429,
            Refusal::Clock(_) => 503,
        }
    }
}

/// An answer over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header `Content-Type`.
    pub content_type: &'static str,
    /// The header `Retry-After`, in seconds, if it is to be sent.
    pub retry_after_s: Option<u32>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// The answer with these signature lines.
    pub(super) fn cosigned(lines: &str) -> Self {
        Answer {
            status: 200,
            content_type: TEXT_TYPE,
            retry_after_s: None,
            body: lines.to_owned(),
        }
    }
}
