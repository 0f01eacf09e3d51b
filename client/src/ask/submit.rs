//! Passing on the heads that logs showed here, so that a log which shows others elsewhere is found
//! (docs/federation.md, "Gossip").
//!
//! A head that a log shows to one reader alone marks that reader, wherever it is passed on. So only
//! heads are submitted that a quorum of the policy's witnesses cosigned, and those that contradict
//! an earlier one; and not to the log itself.

use super::asker::Asker;
use super::connection::{Connection, How};
use super::convicted::nodes;
use super::error::AskError;
use crate::{ClientError, HeadStore, misbehavior};
use assay_tlog::limits::GOSSIP_SUBMITTED;
use assay_tlog::tlog_policy::TlogPolicy;
use futures::future::join_all;
use std::time::Duration;

/// How long a command waits for all nodes together, at most.
const PATIENCE: Duration = Duration::from_secs(1);

/// A head, and whose.
struct Shown {
    /// Where the log is, who knows what it showed.
    url: Option<String>,
    note: String,
}

impl Asker {
    /// Submits the last heads of the logs to the other nodes of the policy, with those that
    /// `failed` shows to be contradictory. Waits for a second at most. Nothing that goes wrong here
    /// is an error. If the logs are not asked openly, nothing is said.
    pub async fn submit_heads(&self, failed: Option<&AskError>) {
        if self.how() != How::Openly {
            return;
        }
        let connections = self.connections();
        let Some(any) = connections.first() else {
            return;
        };
        let tlog = self.tlog().await.ok().flatten();
        let mut heads = Vec::new();
        for connection in connections {
            heads.extend(self.confirmed_head(connection, tlog.as_ref()));
            heads.extend(contradiction(connection, failed));
        }
        let mut submitted = Vec::new();
        for node in nodes(self.policy(), connections) {
            let others = heads.iter().filter(|head| head.url.as_ref() != Some(&node));
            let notes = others.map(|head| head.note.clone());
            let notes: Vec<String> = notes.take(GOSSIP_SUBMITTED).collect();
            if !notes.is_empty() {
                let tls = any.tls();
                submitted.push(async move { misbehavior::submit(&node, tls, notes).await });
            }
        }
        let _ = tokio::time::timeout(PATIENCE, join_all(submitted)).await;
    }

    /// The last head that was seen of a log, if a quorum of the policy's witnesses cosigned it.
    fn confirmed_head(&self, connection: &Connection, tlog: Option<&TlogPolicy>) -> Option<Shown> {
        let (key, tlog) = (&connection.log.key, tlog?);
        tlog.quorum()?;
        let head = HeadStore::new(&connection.state_dir, key)
            .signed_by(&connection.log.older)
            .load()
            .ok()??;
        tlog.with_log(key).verify(head.note()).ok()?;
        Some(Shown {
            url: connection.log.url.clone(),
            note: head.note().to_owned(),
        })
    }
}

/// The two heads of this log that cannot both be true, if that is why a question failed.
fn contradiction(connection: &Connection, failed: Option<&AskError>) -> Vec<Shown> {
    let found = match failed {
        Some(AskError::OfLog {
            source: ClientError::Misbehavior(found),
            origin,
        }) if origin == connection.log.key.name() => found,
        _ => return Vec::new(),
    };
    let notes = [&found.first, &found.second].into_iter();
    let shown = notes.map(|note| Shown {
        url: connection.log.url.clone(),
        note: note.clone(),
    });
    shown.collect()
}
