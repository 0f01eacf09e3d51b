//! Clearing what was found: `POST /audit/clear` of the admin socket, whose body is the origin of a
//! log or the name of an auditor. Convictions are never cleared.

use super::shown::Copies;
use super::store::finding_json;
use crate::mirror::store::Rows;
use crate::misbehavior::{Evidence, Listed};
use crate::reason::with_causes;
use assay_claims::audit::Finding;
use axum::{Router, extract::State, http::StatusCode, routing::post};
use std::{fmt::Write as _, sync::Arc};

/// What was cleared.
#[derive(Debug, Clone, Default)]
pub struct Cleared {
    /// What the auditor had found. It replays on from what it had stored before.
    pub finding: Option<Finding>,
    /// The size of the head that it cosigned last.
    pub audited: u64,
    /// The breaches, whose files are gone.
    pub breaches: Vec<Listed>,
}

impl Cleared {
    fn is_empty(&self) -> bool {
        self.finding.is_none() && self.breaches.is_empty()
    }

    /// What an operator is told.
    fn words(&self, name: &str) -> String {
        let mut words = String::new();
        // Writing to a string does not fail.
        for Listed {
            id, kind, verifier, ..
        } in &self.breaches
        {
            let verifier = verifier.unwrap_or_default();
            let _ = writeln!(
                words,
                "cleared the breach {id}: {kind}, as {verifier} judged it"
            );
        }
        if let Some(finding) = &self.finding {
            let _ = writeln!(words, "cleared the finding {}", finding_json(finding));
            let _ = writeln!(
                words,
                "{name} is replayed again; it is audited to {} until then",
                self.audited
            );
        }
        words
            + "What still verifies comes back at once, found here or told by others, unless \
               another version judges it.\n"
    }
}

type Shared = State<(Arc<Evidence>, Copies)>;

/// Returns the route of the admin socket.
pub fn admin(evidence: Arc<Evidence>, copies: Copies) -> Router {
    Router::new()
        .route("/audit/clear", post(clear))
        .with_state((evidence, copies))
}

async fn clear(State((evidence, copies)): Shared, name: String) -> (StatusCode, String) {
    let failed = |reason: String| (StatusCode::INTERNAL_SERVER_ERROR, reason);
    let digest = Rows::of(&name).digest().to_hex();
    let cleared = match copies.log(&digest) {
        // Its auditor does it, between two pieces of its work.
        Some(log) => match log.ask_to_clear().await {
            Some(cleared) => cleared,
            None => return failed("the audit of this log failed; the trace says why".to_owned()),
        },
        None => {
            let (evidence, name) = (evidence.clone(), name.clone());
            let done = tokio::task::spawn_blocking(move || evidence.clear(&name)).await;
            match done {
                Ok(Ok(breaches)) => Cleared {
                    breaches,
                    ..Cleared::default()
                },
                Ok(Err(error)) => return failed(with_causes(&error)),
                Err(error) => return failed(error.to_string()),
            }
        }
    };
    if !cleared.is_empty() {
        let words = cleared.words(&name);
        tracing::warn!(name, words, "what was found was cleared");
        return (StatusCode::OK, words);
    }
    let is_convicted = evidence.convicts_log(&name) || evidence.convicts_cosigner(&name);
    let reason = if is_convicted {
        format!("{name} is convicted of misbehavior, which is not cleared")
    } else {
        format!("nothing is held against {name} here")
    };
    (StatusCode::CONFLICT, reason)
}
