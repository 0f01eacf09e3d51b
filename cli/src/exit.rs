//! What can go wrong, and the exit code that each kind has (docs/design.md 4). This is the only place that
//! knows the codes.

use assay_client::{ClientError, audit::AuditError};
use std::{io::Write, process::ExitCode};

/// Why a command did not do, or did not find, what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// What was looked at is genuine, but not what was demanded of it, or not all of it could be
    /// shown.
    #[error("{0}")]
    NotMet(String),
    /// The arguments, or a file that they name, cannot be used.
    #[error("{0}")]
    Usage(String),
    /// The machine or the network.
    #[error("{what}")]
    Io {
        /// What was being done.
        what: String,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A log that must answer did not.
    #[error("{0}")]
    Unanswered(String),
    /// A check failed.
    #[error("{0}")]
    Failed(String),
    /// The client's.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The client's, of one log among several.
    #[error("the log {}: {source}", assay_client::plain(origin))]
    OfLog {
        /// Which log.
        origin: String,
        /// What is wrong.
        source: ClientError,
    },
    /// The audit's.
    #[error(transparent)]
    Audit(#[from] AuditError),
}

impl Failure {
    /// An I/O failure with what was being done.
    pub fn io(what: impl Into<String>, source: std::io::Error) -> Self {
        Failure::Io {
            what: what.into(),
            source,
        }
    }
}

const NOT_MET: u8 = 1;
const USAGE: u8 = 2;
const UNAVAILABLE: u8 = 3;
const FAILED: u8 = 4;

/// The exit code of a failure.
pub fn code(failure: &Failure) -> u8 {
    match failure {
        Failure::NotMet(_) => NOT_MET,
        Failure::Usage(_) => USAGE,
        Failure::Io { .. } | Failure::Unanswered(_) => UNAVAILABLE,
        Failure::Failed(_) => FAILED,
        Failure::Client(source) | Failure::OfLog { source, .. } => client_code(source),
        Failure::Audit(error) => audit_code(error),
    }
}

fn client_code(error: &ClientError) -> u8 {
    match error {
        ClientError::Usage(_) | ClientError::Refused { .. } => USAGE,
        ClientError::Unavailable { .. } | ClientError::State { .. } => UNAVAILABLE,
        ClientError::Unverified { .. }
        | ClientError::Unsupported(_)
        | ClientError::Misbehavior(_) => FAILED,
    }
}

fn audit_code(error: &AuditError) -> u8 {
    match error {
        AuditError::Usage(_) => USAGE,
        AuditError::Unavailable { .. } | AuditError::Interrupted(_) => UNAVAILABLE,
        AuditError::Checkpoint(_)
        | AuditError::Bundle { .. }
        | AuditError::Tile { .. }
        | AuditError::Root { .. }
        | AuditError::Fork { .. }
        | AuditError::NotAnExtension { .. }
        | AuditError::Index { .. }
        | AuditError::Uncommitted { .. }
        | AuditError::Entry { .. } => FAILED,
    }
}

/// What to do next, where the failure's own text does not say it.
fn advice(failure: &Failure) -> Option<&'static str> {
    match failure {
        Failure::Client(source) | Failure::OfLog { source, .. } => client_advice(source),
        Failure::Audit(AuditError::Unavailable { .. }) => Some(TRY_AGAIN),
        Failure::Audit(AuditError::Checkpoint(_)) => Some(CHECK_KEY),
        Failure::Audit(AuditError::Fork { .. }) => Some(REPORT),
        Failure::Audit(
            AuditError::Tile { .. }
            | AuditError::Root { .. }
            | AuditError::NotAnExtension { .. }
            | AuditError::Index { .. }
            | AuditError::Uncommitted { .. }
            | AuditError::Entry { .. },
        ) => Some("do not rely on this log until its operator explains it"),
        Failure::Io { .. } => Some("check that the path exists and that you may read and write it"),
        _ => None,
    }
}

fn client_advice(error: &ClientError) -> Option<&'static str> {
    match error {
        ClientError::Unavailable { .. } => Some(TRY_AGAIN),
        ClientError::Unverified { .. } => Some(CHECK_KEY),
        ClientError::Misbehavior(_) => Some(REPORT),
        ClientError::Refused { code, .. } => refused_advice(*code),
        _ => None,
    }
}

const TRY_AGAIN: &str = "nothing is wrong with the log as far as this shows; try again, or check \
    --log (http or https?), the network, and --tls-ca, --tls-cert and --tls-key if the node asks \
    for TLS";
const CHECK_KEY: &str =
    "do not rely on the answer; check that --log-key is the key of the log at that address";
const REPORT: &str =
    "do not rely on this log; report the two notes to the log's operator and to others who use it";

/// What to do about a refusal by the node.
fn refused_advice(code: tonic::Code) -> Option<&'static str> {
    match code {
        tonic::Code::PermissionDenied => {
            Some("`assay issuer show ID` says which keys are in force; give them with --key")
        }
        tonic::Code::NotFound | tonic::Code::OutOfRange => Some("`assay log` lists what is there"),
        _ => None,
    }
}

/// Writes the failure, its causes and what to do next to stderr, and returns its code.
pub fn report(failure: &Failure) -> ExitCode {
    // Nobody is left to be told if stderr is closed.
    let _ = writeln!(std::io::stderr().lock(), "{}", words(failure));
    ExitCode::from(code(failure))
}

/// The failure for people. Names of files and words of nodes are in it, which must not drive the
/// terminal.
fn words(failure: &Failure) -> String {
    let mut text = format!("assay: {failure}");
    let mut cause = std::error::Error::source(failure);
    let mut last = failure.to_string();
    while let Some(error) = cause {
        // Transports nest the same words several times over.
        let words = error.to_string();
        if !last.contains(&words) {
            text.push_str(&format!("\n  because: {words}"));
        }
        last = words;
        cause = error.source();
    }
    if let Some(advice) = advice(failure) {
        text.push_str(&format!("\n  next: {advice}"));
    }
    text.lines()
        .map(|line| assay_client::plain(&line.replace('\t', " ")))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_client::{Misbehavior, MisbehaviorKind};
    use assay_tlog::Hash;

    #[test]
    fn a_failure_cannot_drive_the_terminal() {
        let cause = std::io::Error::other("b\x1b[31m\nc");
        let said = words(&Failure::io("cannot read a\x1b[2J", cause));
        assert!(
            said.starts_with(
                "assay: cannot read a\u{fffd}[2J\n  because: b\u{fffd}[31m\nc\n  next: "
            ),
            "{said}"
        );
    }

    #[test]
    fn each_kind_has_the_code_of_the_design() {
        let io = || std::io::Error::other("disk");
        let text = || String::from("x");
        let misbehavior = Misbehavior {
            kind: MisbehaviorKind::SameSize,
            first: text(),
            second: text(),
            path: vec![],
            kept: Err(text()),
        };
        let root = AuditError::Root {
            computed: Hash::of(b"a"),
            signed: Hash::of(b"b"),
        };
        let cases: [(Failure, u8); 14] = [
            (Failure::NotMet(text()), 1),
            (Failure::Usage(text()), 2),
            (Failure::io("x", io()), 3),
            (Failure::Unanswered(text()), 3),
            (Failure::Failed(text()), 4),
            (ClientError::Usage(text()).into(), 2),
            (
                ClientError::Refused {
                    code: tonic::Code::PermissionDenied,
                    message: text(),
                }
                .into(),
                2,
            ),
            (
                ClientError::Unavailable {
                    what: text(),
                    retry_after: None,
                    source: None,
                }
                .into(),
                3,
            ),
            (
                ClientError::State {
                    what: text(),
                    path: "x".into(),
                    source: Some(io()),
                }
                .into(),
                3,
            ),
            (
                ClientError::Unverified {
                    what: text(),
                    source: None,
                }
                .into(),
                4,
            ),
            (ClientError::Misbehavior(Box::new(misbehavior)).into(), 4),
            (
                AuditError::Unavailable {
                    url: text(),
                    what: text(),
                    source: None,
                }
                .into(),
                3,
            ),
            (AuditError::Tile { path: text() }.into(), 4),
            (root.into(), 4),
        ];
        for (failure, expected) in cases {
            assert_eq!(code(&failure), expected, "{failure:?}");
        }
    }
}
