//! Why an audit ends early, and whose fault it is.

use crate::{BoxError, ClientError};
use assay_tlog::Hash;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::tree::TreeSize;

/// Why an audit did not come to a good end.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The caller's settings.
    #[error(transparent)]
    Usage(ClientError),
    /// The network, or a server that does not serve what it should. It is no evidence of anything.
    #[error("cannot fetch {url}: {what}")]
    Unavailable {
        /// What was fetched.
        url: String,
        /// What happened.
        what: String,
        /// What the transport says.
        #[source]
        source: Option<BoxError>,
    },
    /// The program is being stopped.
    #[error("the audit was interrupted: {0}")]
    Interrupted(String),
    /// The checkpoint is not this log's.
    #[error("the checkpoint does not verify with the log's key")]
    Checkpoint(#[source] BoxError),
    /// The checkpoint was changed in its spelling, and in nothing else: as it was, it verifies.
    #[error(
        "{url}: what carries the checkpoint changed its line ends, its encoding or what is behind \
         it, and nothing else: as it was before, it verifies. Have the server, or a proxy before \
         it, pass it on as it is"
    )]
    Respelled {
        /// Where it was fetched.
        url: String,
    },
    /// A bundle of entries is not what tlog-tiles says.
    #[error("{path} is malformed: {reason}")]
    Bundle {
        /// The bundle's path.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A tile is not what follows from the entries.
    #[error(
        "{path} does not follow from the entries: the published tile differs from the computed one"
    )]
    Tile {
        /// The tile's path.
        path: String,
    },
    /// The signed root is not the one that follows from the entries.
    #[error("the signed root {signed} does not follow from the entries, which give {computed}")]
    Root {
        /// What comes out.
        computed: Hash,
        /// What was signed.
        signed: Hash,
    },
    /// The log signed two trees of one size.
    #[error(
        "the log signed two different trees of the same size; these are the \
         notes:\n{first}\n{second}"
    )]
    Fork {
        /// The one seen before.
        first: String,
        /// The one served now.
        second: String,
    },
    /// The entries that were fetched do not contain the head seen before. They are not proven to be
    /// the log's yet, so that it may have been damage on the way.
    #[error("the entries fetched do not give the head that was seen before, of size {known}")]
    NotAnExtension {
        /// Size of that head.
        known: TreeSize,
    },
    /// A commitment to the index is not what the entries before it give: something was hidden from
    /// look-ups, or added.
    #[error("the index commitment at leaf {index} is wrong: {reason}")]
    Index {
        /// The leaf of the commitment.
        index: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody's: this program is too old to hold the log to its rules.
    #[error("leaf {index}: {reason}. A newer release is needed to audit this log")]
    Unsupported {
        /// The commitment that says so.
        index: u64,
        /// What this program does not know.
        reason: String,
    },
    /// The log's clock, or this machine's: the last leaf is dated so many minutes in the future.
    #[error(
        "the last leaf is dated {0} minutes in the future; an audit allows {allowed}. Check the \
         clock of this machine",
        allowed = super::AHEAD_MS / 60_000
    )]
    Future(u64),
    /// The checkpoint does not end in a commitment.
    #[error(
        "the last leaf of the checkpoint of size {size} does not commit to the index, as it must"
    )]
    Uncommitted {
        /// Size of the checkpoint.
        size: u64,
    },
    /// An entry should not be in the log.
    #[error("leaf {index}: {reason}")]
    Entry {
        /// Its place.
        index: u64,
        /// What is wrong with it.
        reason: String,
    },
}

impl AuditError {
    pub(super) fn fork(known: &VerifiedCheckpoint, now: &VerifiedCheckpoint) -> Self {
        AuditError::Fork {
            first: known.note().to_owned(),
            second: now.note().to_owned(),
        }
    }

    pub(super) fn unavailable(
        url: &str,
        what: impl Into<String>,
        source: Option<BoxError>,
    ) -> Self {
        AuditError::Unavailable {
            url: url.to_owned(),
            what: what.into(),
            source,
        }
    }
}
