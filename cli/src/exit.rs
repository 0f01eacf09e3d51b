//! What can go wrong, and the exit code that each kind has (docs/design.md 4). This is the only
//! place that knows the codes.

use assay_client::{
    ClientError,
    audit::AuditError,
    publish::{EffectError, NoEffect},
    receipt::PairError,
};
use std::{borrow::Cow, io::Write, process::ExitCode};

/// Why a command did not do, or did not find, what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// What was verified does not meet what was demanded, or does not show all of it.
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
    /// Somebody who must be told did not take it.
    #[error("{0}")]
    Undelivered(String),
    /// A check failed.
    #[error("{0}")]
    Failed(String),
    /// The claim was not published, because nobody would heed it.
    #[error(transparent)]
    NoEffect(#[from] NoEffect),
    /// From the client.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// From the client, about one log among several.
    #[error("the log {}: {source}", assay_client::plain(origin))]
    OfLog {
        /// Which log.
        origin: String,
        /// What is wrong.
        source: ClientError,
    },
    /// From the audit.
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

    /// The same with words in front, of what was done before, if it is one of I/O or of a file that
    /// cannot be used.
    pub fn after(self, words: &str) -> Self {
        match self {
            Failure::Io { what, source } => Failure::io(format!("{words}{what}"), source),
            Failure::Usage(what) => Failure::Usage(format!("{words}{what}")),
            failure => failure,
        }
    }
}

impl From<EffectError> for Failure {
    fn from(error: EffectError) -> Self {
        match error {
            EffectError::NoEffect(why) => Failure::NoEffect(why),
            EffectError::Client(error) => Failure::Client(error),
        }
    }
}

impl From<PairError> for Failure {
    fn from(error: PairError) -> Self {
        match error {
            PairError::Io { path, source } => {
                Failure::io(format!("cannot read {}", path.display()), source)
            }
            _ => Failure::Usage(error.to_string()),
        }
    }
}

/// Whoever is told to stop has done what was asked for, unless that was to look `once`.
pub fn stopped(once: bool) -> Result<(), Failure> {
    if once {
        let what = "it was stopped before it had looked at everything";
        return Err(Failure::Unanswered(what.to_owned()));
    }
    Ok(())
}

const NOT_MET: u8 = 1;
const USAGE: u8 = 2;
const UNAVAILABLE: u8 = 3;
const FAILED: u8 = 4;

/// The exit code of a failure.
pub fn code(failure: &Failure) -> u8 {
    match failure {
        Failure::NotMet(_) => NOT_MET,
        Failure::Usage(_) | Failure::NoEffect(_) => USAGE,
        Failure::Io { .. } | Failure::Unanswered(_) | Failure::Undelivered(_) => UNAVAILABLE,
        Failure::Failed(_) => FAILED,
        Failure::Client(source) | Failure::OfLog { source, .. } => client_code(source),
        Failure::Audit(error) => audit_code(error),
    }
}

/// Whether a failure is that somebody does not answer.
pub fn is_silence(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Unanswered(_)
            | Failure::Undelivered(_)
            | Failure::Client(ClientError::Unavailable { .. })
            | Failure::OfLog {
                source: ClientError::Unavailable { .. },
                ..
            }
    )
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
        AuditError::Future(_) => NOT_MET,
        AuditError::Usage(_) => USAGE,
        AuditError::Unavailable { .. } | AuditError::Interrupted(_) => UNAVAILABLE,
        AuditError::Checkpoint(_)
        | AuditError::Respelled { .. }
        | AuditError::Bundle { .. }
        | AuditError::Tile { .. }
        | AuditError::Root { .. }
        | AuditError::Fork { .. }
        | AuditError::NotAnExtension { .. }
        | AuditError::Index { .. }
        | AuditError::Unsupported { .. }
        | AuditError::Uncommitted { .. }
        | AuditError::Entry { .. } => FAILED,
    }
}

/// What to do next, where the failure's own text does not say it.
fn advice(failure: &Failure) -> Option<Cow<'static, str>> {
    let advice = match failure {
        Failure::Client(source) | Failure::OfLog { source, .. } => client_advice(source)?,
        Failure::Audit(error) => audit_advice(error)?,
        Failure::NoEffect(why) => return Some(effect_advice(why)),
        Failure::Io { .. } => "check that the path exists and that you may read and write it",
        _ => return None,
    };
    Some(advice.into())
}

const TRY_AGAIN: &str = "this does not show that anything is wrong with the log; try again, or \
    check --log (http or https?), the network, and --tls-ca, --tls-cert and --tls-key if the node \
    asks for TLS";
const CHECK_KEY: &str =
    "do not rely on the answer; check that --log-key is the key of the log at that address";
const REPORT: &str = "do not rely on this log; show what is kept to others who use it: \
    `assay misbehavior report FILE --node URL` hands it to a node, which tells others";
const STATE: &str = "name a folder of yours with --state-dir DIR or ASSAY_STATE_DIR; or write \
    --state-dir none, and nothing is remembered from one run to the next";
const DO_NOT_RELY: &str = "do not rely on this log until its operator explains it";
/// What an audit fetched is compared with the signed root last, so that before it blames nobody
/// (docs/design.md 3.6).
const FETCH_AGAIN: &str = "do not rely on what was fetched; it may have been damaged on the way, \
    so run it again, or from another place. If it stays so, ask the log's operator";

fn client_advice(error: &ClientError) -> Option<&'static str> {
    match error {
        ClientError::Unavailable { .. } => Some(TRY_AGAIN),
        ClientError::Unverified { .. } => Some(CHECK_KEY),
        ClientError::Misbehavior(_) => Some(REPORT),
        // What else can be wrong with the folder says itself what to do, and to use another one
        // would be to forget what was seen.
        ClientError::State {
            source: Some(_), ..
        } => Some(STATE),
        ClientError::Refused { code, .. } => refused_advice(*code),
        _ => None,
    }
}

fn audit_advice(error: &AuditError) -> Option<&'static str> {
    match error {
        AuditError::Unavailable { .. } => Some(TRY_AGAIN),
        AuditError::Checkpoint(_) => Some(CHECK_KEY),
        AuditError::Fork { .. } => Some(REPORT),
        AuditError::Bundle { .. }
        | AuditError::Tile { .. }
        | AuditError::Root { .. }
        | AuditError::NotAnExtension { .. }
        | AuditError::Index { .. }
        | AuditError::Entry { .. } => Some(FETCH_AGAIN),
        AuditError::Uncommitted { .. } => Some(DO_NOT_RELY),
        _ => None,
    }
}

/// What to do about a refusal by the node.
fn refused_advice(code: tonic::Code) -> Option<&'static str> {
    match code {
        tonic::Code::PermissionDenied => {
            Some("`assay issuer show ID` shows which keys are in force; give them with --key")
        }
        tonic::Code::NotFound | tonic::Code::OutOfRange => {
            Some("`assay log` lists what is in the log")
        }
        _ => None,
    }
}

/// What to do instead of publishing a claim that nobody would heed.
fn effect_advice(why: &NoEffect) -> Cow<'static, str> {
    match why {
        NoEffect::NotOwn(claim) => {
            format!("to contradict it, run: assay respond {claim} --stance dispute --text TEXT")
                .into()
        }
        NoEffect::Final(_) => "publish a withdrawn claim again as a new one; replace an issuer's \
            keys with `assay issuer rotate`"
            .into(),
        NoEffect::OfItself(_) => "ask another issuer to endorse it".into(),
        NoEffect::Over(_) => "give a later --until".into(),
        NoEffect::NotSigning(_) => "sign with --key, or name the issuer with --issuer".into(),
        NoEffect::NeverItsKey { issuer, .. } => {
            format!("`assay issuer show {issuer}` lists its keys").into()
        }
        NoEffect::BeyondLog { .. } => {
            "give with --from the first leaf that the thief of the key may have signed".into()
        }
    }
}

/// Writes the failure, its causes and what to do next to stderr, and returns its code.
pub fn report(failure: &Failure) -> ExitCode {
    // If stderr is closed, nobody is left to tell.
    let _ = writeln!(std::io::stderr().lock(), "{}", words(failure));
    ExitCode::from(code(failure))
}

/// The failure for people. It holds names of files and texts of nodes, which must not drive the
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
    fn another_state_folder_is_advised_only_where_the_system_refuses_this_one() {
        let state = |source| ClientError::State {
            what: "x".into(),
            path: "x".into(),
            source,
        };
        assert_eq!(client_advice(&state(None)), None);
        let refused = std::io::ErrorKind::PermissionDenied.into();
        assert_eq!(client_advice(&state(Some(refused))), Some(STATE));
    }

    #[test]
    fn a_failure_cannot_drive_the_terminal() {
        let cause = std::io::Error::other("b\x1b[31m\nc");
        let said = words(&Failure::io("cannot read a\x1b[2J", cause));
        assert!(
            said.starts_with(
                "assay: cannot read a\\u{1b}[2J\n  because: b\\u{1b}[31m\nc\n  next: "
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
            actual: None,
            path: vec![],
            kept: Err(text()),
        };
        let no_effect = NoEffect::Over(text());
        let cases: [(Failure, u8); 12] = [
            (Failure::NotMet(text()), 1),
            (Failure::Usage(text()), 2),
            (Failure::io("x", io()), 3),
            (Failure::Unanswered(text()), 3),
            (Failure::Failed(text()), 4),
            (EffectError::NoEffect(no_effect).into(), 2),
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
        ];
        for (failure, expected) in cases {
            assert_eq!(code(&failure), expected, "{failure:?}");
        }
    }

    #[test]
    fn each_failure_of_an_audit_has_the_code_of_the_design() {
        let text = || String::from("x");
        let root = AuditError::Root {
            computed: Hash::of(b"a"),
            signed: Hash::of(b"b"),
        };
        let cases: [(Failure, u8); 4] = [
            (
                AuditError::Unavailable {
                    url: text(),
                    what: text(),
                    source: None,
                }
                .into(),
                3,
            ),
            (AuditError::Future(11).into(), 1),
            (AuditError::Tile { path: text() }.into(), 4),
            (root.into(), 4),
        ];
        for (failure, expected) in cases {
            assert_eq!(code(&failure), expected, "{failure:?}");
        }
    }
}
