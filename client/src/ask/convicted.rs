//! Which logs are proven to have misbehaved: every node that the policy names is asked, beside the
//! question itself, and what is found is remembered.
//!
//! A log that was convicted stays so on this machine, also offline, and whatever nodes say later.
//! A node that says nothing hides nothing for good: one of them is enough.

use super::connection::{Connection, How};
use crate::{Tls, files, misbehavior};
use assay_claims::limits::MISBEHAVIOR_BYTES;
use assay_claims::misbehavior::{Culprit, KnownKeys, VerifiedMisbehavior};
use assay_policy::rules::Policy;
use assay_tlog::head::LogVerifier;
use assay_tlog::note::VerifierKey;
use futures::future::join_all;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// How long a node has to tell, beside the first question. A node that is gone costs as much once.
const PATIENCE: Duration = Duration::from_secs(2);

/// Most nodes that are asked: the logs of a policy, and its witnesses.
const NODES: usize = 64;

/// Most texts that are remembered. One convicts a log for good.
const REMEMBERED: usize = 1000;

/// How the name of a remembered text ends.
const EXTENSION: &str = "assay-misbehavior";

/// The logs that are convicted, and why.
pub(super) type Convicted = BTreeMap<String, String>;

/// Whose misbehavior is looked for, with which keys, and where it is remembered.
struct Search {
    keys: KnownKeys,
    folder: PathBuf,
    found: Convicted,
}

/// Returns which of these logs are convicted. Nothing that goes wrong here is an error: a node that
/// does not answer in time is not waited for.
pub(super) async fn convicted(policy: &Policy, logs: &[Connection], how: How) -> Convicted {
    let Some(any) = logs.first() else {
        return Convicted::new();
    };
    let mut search = Search {
        keys: keys(policy, logs),
        folder: any.state_dir.join("misbehavior"),
        found: Convicted::new(),
    };
    search.remembered();
    if how == How::Offline {
        return search.found;
    }
    let culprits = search.keys.logs.iter().map(LogVerifier::origin);
    let culprits: Vec<String> = culprits.map(|origin| format!("log {origin}")).collect();
    let nodes = nodes(policy, logs);
    let asked = nodes.iter().map(|url| told(url, any.tls(), &culprits));
    for text in join_all(asked).await.iter().flatten() {
        search.look_at(text);
    }
    search.found
}

/// What one node tells.
async fn told(url: &str, tls: &Tls, culprits: &[String]) -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    let which = misbehavior::Which::Convicting;
    let asked = misbehavior::about(url, tls, which, culprits.to_vec(), &mut texts);
    // What came before it failed or was late counts.
    let _ = tokio::time::timeout(PATIENCE, asked).await;
    texts
}

impl Search {
    /// Reads what was found before.
    fn remembered(&mut self) {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return;
        };
        let paths = entries.flatten().map(|entry| entry.path());
        let own = paths.filter(|path| path.extension().is_some_and(|it| it == EXTENSION));
        for path in own.take(REMEMBERED) {
            let short = fs::metadata(&path).is_ok_and(|it| it.len() <= MISBEHAVIOR_BYTES as u64);
            if let Some(text) = short.then(|| fs::read(&path).ok()).flatten()
                && let Some(origin) = self.proven(&text)
            {
                self.found.insert(origin, why(&path));
            }
        }
    }

    /// Looks at what a node told, and remembers what convicts somebody who was not convicted.
    fn look_at(&mut self, text: &[u8]) {
        let Some(origin) = self.proven(text) else {
            return;
        };
        if self.found.contains_key(&origin) {
            return;
        }
        let id = assay_tlog::Hash::of(text);
        let path = self.folder.join(format!("{id}.{EXTENSION}"));
        // Convicted it is, too, if that cannot be written.
        let _ = files::create_folder(&self.folder).and_then(|()| files::replace(&path, text));
        self.found.insert(origin, why(&path));
    }

    /// The log that a text proves to have misbehaved.
    fn proven(&self, text: &[u8]) -> Option<String> {
        match VerifiedMisbehavior::verify(text, &self.keys)
            .ok()?
            .culprit()
        {
            Culprit::Log(origin) => Some(origin.clone()),
            Culprit::Witness(_) | Culprit::Mirror(_) => None,
        }
    }
}

fn why(proof: &Path) -> String {
    format!(
        "it is proven that it signed two histories: `assay misbehavior verify {}`",
        proof.display()
    )
}

/// All keys of these logs that the policy or the caller knows.
fn keys(policy: &Policy, logs: &[Connection]) -> KnownKeys {
    let mut known: BTreeMap<&str, Vec<VerifierKey>> = BTreeMap::new();
    for connection in logs {
        let key = &connection.log.key;
        let keys = known.entry(key.name()).or_default();
        let stated = policy.tlog().into_iter();
        for key in stated
            .flat_map(|tlog| tlog.keys_of_log(key.name()))
            .chain([key])
        {
            if !keys.contains(key) {
                keys.push(key.clone());
            }
        }
    }
    let logs = known.into_iter();
    KnownKeys {
        logs: logs
            .filter_map(|(origin, keys)| LogVerifier::new(origin, keys).ok())
            .collect(),
        ..KnownKeys::default()
    }
}

/// The nodes that can be asked: those of the logs, and the witnesses of the policy.
pub(super) fn nodes(policy: &Policy, logs: &[Connection]) -> BTreeSet<String> {
    let logs = logs.iter().map(|connection| &connection.log);
    let logs = logs.flat_map(|log| log.url.iter().chain(&log.mirrors).cloned());
    let witnesses = policy.tlog().into_iter().flat_map(|tlog| tlog.witnesses());
    let witnesses = witnesses.filter_map(|witness| witness.url.clone());
    logs.chain(witnesses).take(NODES).collect()
}
