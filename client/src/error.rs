//! Errors, sorted by who is to blame: the caller, the network, the node's refusal, an answer that
//! does not verify, or the log itself, with the evidence inside.

use crate::one_line;
use assay_tlog::Hash;
use std::{fmt, io, path::PathBuf, time::Duration};
use tonic_types::StatusExt;

/// Any error, as a source.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a call of the client failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The caller's: an argument or a setting is wrong. The text says which and what would do.
    #[error("{0}")]
    Usage(String),
    /// Nobody's, or the network's: no answer, or "not now". Trying again later may help. It is
    /// never evidence.
    #[error("{what}")]
    Unavailable {
        /// What was being done and, where the node said so, when to come back.
        what: String,
        /// When the node asks to come back, where it says so.
        retry_after: Option<Duration>,
        /// What the transport says.
        #[source]
        source: Option<BoxError>,
    },
    /// The node read the request and refuses it.
    #[error("{message}")]
    Refused {
        /// Its gRPC code.
        code: tonic::Code,
        /// Its words.
        message: String,
    },
    /// The node's: its answer fails a check. It may be the node's fault or that of someone between;
    /// it proves nothing to others.
    #[error("the node's answer fails a check: {what}")]
    Unverified {
        /// The check that failed.
        what: String,
        /// The verifier's reason.
        #[source]
        source: Option<BoxError>,
    },
    /// Nobody's: this program is too old to read the answer. It fails closed.
    #[error("{0}")]
    Unsupported(String),
    /// The log's: it signed two heads that cannot both be true.
    #[error("{0}")]
    Misbehavior(Box<Misbehavior>),
    /// The state folder's: what was seen last cannot be read or written.
    #[error("{what} ({})", path.display())]
    State {
        /// What is wrong and what to do.
        what: String,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: Option<io::Error>,
    },
}

impl ClientError {
    pub(crate) fn unavailable(what: impl Into<String>, source: impl Into<BoxError>) -> Self {
        ClientError::Unavailable {
            what: what.into(),
            retry_after: None,
            source: Some(source.into()),
        }
    }

    /// Whether an answer was longer than it may be, so that to ask for less may help.
    pub(crate) fn is_too_long(&self) -> bool {
        match self {
            ClientError::Unavailable { source, .. } => {
                source.as_ref().is_some_and(|it| it.is::<TooLong>())
            }
            _ => false,
        }
    }

    pub(crate) fn unverified(what: impl Into<String>) -> Self {
        ClientError::Unverified {
            what: what.into(),
            source: None,
        }
    }

    pub(crate) fn unverified_by(what: impl Into<String>, source: impl Into<BoxError>) -> Self {
        ClientError::Unverified {
            what: what.into(),
            source: Some(source.into()),
        }
    }

    /// The same of a mirror, with its name. Whatever a mirror answers that does not hold, it is the
    /// mirror's, and another one may do better; only two heads that the log signed are held against
    /// the log, and what is wrong with the state folder is this machine's.
    pub fn of_mirror(self, mirror: &str) -> Self {
        match self {
            ClientError::Misbehavior(_) | ClientError::State { .. } => self,
            error => ClientError::Unavailable {
                what: format!("its mirror {mirror}: {}", one_line(&error)),
                retry_after: None,
                source: None,
            },
        }
    }

    /// The same with words in front, of what was done before. Proof of misbehavior stays as it is.
    pub(crate) fn after(mut self, words: &str) -> Self {
        match &mut self {
            ClientError::Usage(what)
            | ClientError::Unavailable { what, .. }
            | ClientError::Refused { message: what, .. }
            | ClientError::Unverified { what, .. }
            | ClientError::Unsupported(what)
            | ClientError::State { what, .. } => what.insert_str(0, words),
            ClientError::Misbehavior(_) => {}
        }
        self
    }

    /// Sorts a gRPC status: a refusal stands on the request itself; all else may pass.
    pub(crate) fn from_status(doing: &str, status: tonic::Status) -> Self {
        use tonic::Code::*;
        let message = match status.message() {
            "" => "no reason is given",
            message => message,
        };
        match status.code() {
            // Not the node's word: what decodes the answer says so.
            OutOfRange if message.starts_with(TOO_LONG) => ClientError::Unavailable {
                what: format!(
                    "{doing} failed: what answers sends longer messages than nodes do; is this \
                     the address of a node?"
                ),
                retry_after: None,
                source: Some(status.into()),
            },
            InvalidArgument | NotFound | AlreadyExists | PermissionDenied | FailedPrecondition
            | OutOfRange | Unimplemented | Unauthenticated => ClientError::Refused {
                code: status.code(),
                message: message.to_owned(),
            },
            code => {
                let mut what = format!("{doing} failed: {message} ({code:?})");
                let retry_after = status
                    .get_details_retry_info()
                    .and_then(|info| info.retry_delay);
                if let Some(delay) = retry_after {
                    what.push_str(&format!(
                        "; the node asks to try again in {} s",
                        delay.as_secs_f32().ceil()
                    ));
                }
                ClientError::Unavailable {
                    what,
                    retry_after,
                    source: Some(status.into()),
                }
            }
        }
    }
}

/// How tonic begins its own words of a message that is longer than it takes.
const TOO_LONG: &str = "Error, decoded message length too large";

/// An answer takes more memory than it may, in bytes.
#[derive(Debug, thiserror::Error)]
#[error("the answer has more than {0} bytes")]
pub(crate) struct TooLong(pub usize);

/// Two notes of one log that do not go together (docs/design.md 3.6).
#[derive(Debug, Clone)]
pub struct Misbehavior {
    /// What is wrong with the two.
    pub kind: MisbehaviorKind,
    /// The note with the smaller size, verbatim. For equal sizes, the one seen first.
    pub first: String,
    /// The other note, verbatim.
    pub second: String,
    /// The root that the tree of the second note has at the size of the first, if it was shown.
    pub actual: Option<Hash>,
    /// The consistency path that was offered, 32 bytes a hash, concatenated.
    pub path: Vec<u8>,
    /// Where both were kept, or why they could not be.
    pub kept: Result<PathBuf, String>,
}

/// What is wrong with two notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MisbehaviorKind {
    /// Same size, different roots: whoever has the log's key can see it.
    SameSize,
    /// The path leads to the later root, but from another earlier one: whoever has the log's key
    /// can see it.
    Rewritten,
}

impl fmt::Display for Misbehavior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            MisbehaviorKind::SameSize => "the log signed two different trees of the same size",
            MisbehaviorKind::Rewritten => {
                "the log changed its history: its head does not extend the one seen before"
            }
        })?;
        match &self.kept {
            Ok(path) => write!(
                f,
                "; both signed notes are kept in {}: show them to others",
                path.display()
            ),
            Err(why) => write!(
                f,
                "; both signed notes could not be kept ({why}):\n{}\n{}",
                self.first, self.second
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_before_is_told_of_each_kind() {
        let state = ClientError::State {
            what: "cannot store the head".into(),
            path: "head".into(),
            source: None,
        };
        for error in [
            state,
            ClientError::Usage("x".into()),
            ClientError::unverified("x"),
            ClientError::unavailable("x", "y"),
            ClientError::Unsupported("x".into()),
        ] {
            let (kind, said) = (std::mem::discriminant(&error), error.to_string());
            assert!(!said.contains("it is logged; but "), "{said}");
            let error = error.after("it is logged; but ");
            assert_eq!(std::mem::discriminant(&error), kind);
            assert!(error.to_string().contains("it is logged; but "), "{error}");
        }
    }
}
