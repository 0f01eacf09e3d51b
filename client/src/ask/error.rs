//! Why a question has no answer.

use crate::{ClientError, plain};
use assay_claims::claim::ClaimError;
use assay_tlog::tree::LeafIndex;

/// Why a question has no answer. A log that cannot be reached is none of these while another one
/// answers: [`AskedLog::state`](super::AskedLog::state) says so.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// A log's answer does not verify, or this machine cannot keep or read answers.
    #[error("the log {}: {source}", plain(origin))]
    OfLog {
        /// Which log.
        origin: String,
        /// What is wrong.
        source: ClientError,
    },
    /// A single entry or a long list could not be had, though its log answered before.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A log holds a claim that does not verify.
    #[error(
        "the log {} holds a claim at entry {leaf} that does not verify, and should never have \
         taken it: {error}; do not rely on this log until its operator explains it",
        plain(origin)
    )]
    BrokenClaim {
        /// Which log.
        origin: String,
        /// Where.
        leaf: LeafIndex,
        /// What is wrong with it.
        error: ClaimError,
    },
    /// A log that must answer is proven to have misbehaved.
    #[error("the log {}: {why}; nothing that it says counts", plain(origin))]
    Convicted {
        /// Which log.
        origin: String,
        /// By what.
        why: String,
    },
    /// A log that must answer does not, or not with all that is needed, or only as of a head that
    /// is too old.
    #[error("the log {} has no answer to rely on: {}", plain(origin), plain(why))]
    Lacking {
        /// Which log.
        origin: String,
        /// Why.
        why: String,
    },
    /// Those who are trusted speak of more things than are asked about.
    #[error(
        "those who are trusted speak of vulnerabilities in more than {0} things; trust fewer of \
         them, or each for fewer packages"
    )]
    TooManyThings(usize),
    /// No log can be reached.
    #[error("no log answers ({0})")]
    Unanswered(String),
}
