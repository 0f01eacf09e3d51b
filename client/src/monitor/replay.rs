//! Auditing a log from its tiles.

use super::alert::Kind;
use crate::audit::{self, AuditError, Mode, Options};
use crate::{Tls, one_line};
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::note::VerifierKey;

/// What came of a replay.
pub(super) enum Replayed {
    /// The log keeps the rules up to this size.
    Through(u64),
    /// The log signed these two heads of one size.
    Forked { first: String, second: String },
    /// Something is wrong.
    Broken { kind: Kind, words: String },
    /// It could not be fetched whole.
    Unavailable(String),
}

/// Replays the log at `url` whole, which holds the head that was seen of it. If it fails, it is
/// tried once more: what was fetched may have been damaged on the way.
pub(super) async fn replay(
    url: &str,
    log: &VerifierKey,
    mode: Mode,
    known: &VerifiedCheckpoint,
    tls: &Tls,
    now_ms: u64,
) -> Replayed {
    let options = Options {
        mode,
        known: Some(known.clone()),
        tls: tls.clone(),
        now_ms: Some(now_ms),
        ..Options::default()
    };
    let mut ran = audit::run(url, log, options.clone(), |_| ()).await;
    if ran.as_ref().is_err_and(|error| blamed(error).is_some()) {
        ran = audit::run(url, log, options, |_| ()).await;
    }
    match ran {
        Ok(audited) => Replayed::Through(audited.checkpoint().size().get()),
        Err(AuditError::Fork { first, second }) => Replayed::Forked { first, second },
        Err(error) => match blamed(&error) {
            Some(kind) => Replayed::Broken {
                kind,
                words: one_line(&error),
            },
            None => Replayed::Unavailable(one_line(&error)),
        },
    }
}

/// What an audit's failure is told as; `None` if it blames nobody.
fn blamed(error: &AuditError) -> Option<Kind> {
    match error {
        AuditError::Usage(_) | AuditError::Unavailable { .. } | AuditError::Interrupted(_) => None,
        AuditError::Fork { .. } => Some(Kind::TwoHistories),
        AuditError::Unsupported { .. } => Some(Kind::Unsupported),
        AuditError::Future(_) => Some(Kind::Clock),
        AuditError::Checkpoint(_)
        | AuditError::Respelled { .. }
        | AuditError::Bundle { .. }
        | AuditError::Tile { .. }
        | AuditError::NotAnExtension { .. } => Some(Kind::FalseAnswer),
        AuditError::Root { .. }
        | AuditError::Index { .. }
        | AuditError::Uncommitted { .. }
        | AuditError::Entry { .. } => Some(Kind::BrokenRule),
    }
}
