//! Which logs and witnesses are proven to have misbehaved: every node that the policy names is
//! asked, beside the question itself, and what is found is remembered.
//!
//! A node that says nothing hides nothing for good: one of them is enough.

use super::connection::{Connection, How};
use crate::{ClientError, Convictions, Tls, misbehavior};
use assay_policy::rules::Policy;
use futures::future::join_all;
use std::{collections::BTreeSet, time::Duration};

/// How long a node has to tell, beside the first question. A node that is gone costs as much once.
const PATIENCE: Duration = Duration::from_secs(2);

/// Most nodes that are asked: the logs of a policy, and its witnesses.
const NODES: usize = 64;

/// Most culprits that a node is asked about at once.
const CULPRITS: usize = 64;

/// Returns who is convicted, of these logs and the policy's witnesses; `None` if there are no logs.
/// A node that does not answer in time is not waited for. Fails if what this machine remembers
/// cannot be read.
pub(super) async fn convicted(
    policy: &Policy,
    logs: &[Connection],
    how: How,
) -> Result<Option<Convictions>, ClientError> {
    let Some(any) = logs.first() else {
        return Ok(None);
    };
    let keys = logs.iter().map(|connection| &connection.log.key);
    let mut found = Convictions::remembered(policy.tlog(), keys, &any.state_dir)?;
    if how == How::Offline {
        return Ok(Some(found));
    }
    let culprits = found.culprits();
    let nodes = nodes(policy, logs);
    let asked = nodes.iter().map(|url| told(url, any.tls(), &culprits));
    for text in join_all(asked).await.iter().flatten() {
        found.learn(text);
    }
    Ok(Some(found))
}

/// What one node tells.
async fn told(url: &str, tls: &Tls, culprits: &[String]) -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    let which = misbehavior::Which::Convicting;
    let asked = async {
        for some in culprits.chunks(CULPRITS) {
            misbehavior::about(url, tls, which, some.to_vec(), &mut texts).await?;
        }
        Ok::<(), ClientError>(())
    };
    // What came before it failed or was late counts.
    let _ = tokio::time::timeout(PATIENCE, asked).await;
    texts
}

/// The nodes that can be asked: those of the logs, and the witnesses of the policy.
pub(super) fn nodes(policy: &Policy, logs: &[Connection]) -> BTreeSet<String> {
    let logs = logs.iter().map(|connection| &connection.log);
    let logs = logs.flat_map(|log| log.url.iter().chain(&log.mirrors).cloned());
    let witnesses = policy.tlog().into_iter().flat_map(|tlog| tlog.witnesses());
    let witnesses = witnesses.filter_map(|witness| witness.url.clone());
    logs.chain(witnesses).take(NODES).collect()
}
