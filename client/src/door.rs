//! The one door through which every checkpoint passes before anything rests on it: signed by the
//! log, and proven consistent with the last head seen, whoever brings the proof.
//!
//! Left out: where proofs come from. A node is asked for them (`client`), and those of a log that
//! has no more than tiles are computed (`tiled`).

use crate::{
    BoxError, ClientError, HeadStore, MisbehaviorKind,
    heads::{Relation, relate},
};
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::note::VerifierKey;
use assay_tlog::tree::{self, ProofError, TreeSize};
use assay_tlog::{Hash, hash};

/// What shall show that one head extends another. Nothing is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// A consistency path, 32 bytes a hash, concatenated.
    pub path: Vec<u8>,
    /// The root that the later tree has at the earlier size, if that was computed. A path from a
    /// size that is a power of two does not show it.
    pub actual: Option<Hash>,
}

/// Why there is no [`Link`].
#[derive(Debug)]
pub(crate) enum NoLink {
    /// Whoever was asked has nothing of the later tree.
    Lacks(ClientError),
    /// It did not answer, or not rightly.
    Failed(ClientError),
}

impl From<NoLink> for ClientError {
    fn from(none: NoLink) -> Self {
        match none {
            NoLink::Lacks(error) | NoLink::Failed(error) => error,
        }
    }
}

/// Whoever links heads of a log, and may lie.
pub(crate) trait Links {
    /// Returns what shall show that `newer` extends `older`, which is not empty.
    async fn link(
        &self,
        older: &VerifiedCheckpoint,
        newer: &VerifiedCheckpoint,
    ) -> Result<Link, NoLink>;
}

/// Verifies a checkpoint's signature, proves it consistent with the last head seen, and stores it
/// if it is newer.
pub(crate) async fn accept(
    links: &impl Links,
    heads: &HeadStore,
    log: &VerifierKey,
    note: &str,
) -> Result<VerifiedCheckpoint, ClientError> {
    let new = VerifiedCheckpoint::verify(note, log)
        .map_err(|e| ClientError::unverified_by("the checkpoint is not one of this log", e))?;
    check_empty(&new)?;
    loop {
        let known = stored(heads).await?;
        match known.as_ref().map(|known| (relate(known, &new), known)) {
            None => {}
            Some((Relation::Same, _)) => break,
            Some((Relation::Fork, known)) => {
                return Err(heads.misbehavior(MisbehaviorKind::SameSize, known, &new, None));
            }
            Some((Relation::Newer, known)) => {
                prove_extension(links, heads, known, &new).await??;
            }
            Some((Relation::Older, known)) => {
                match prove_extension(links, heads, &new, known).await {
                    Ok(proven) => proven?,
                    // It has nothing of what was seen since.
                    Err(NoLink::Lacks(_)) => return Err(older(&new, known.size())),
                    Err(NoLink::Failed(error)) => return Err(error),
                }
                break;
            }
        }
        // Another process may have stored a head meanwhile; then the new one is compared with that.
        if advance(heads, known, &new).await? {
            break;
        }
    }
    Ok(new)
}

/// Has it shown that `newer` extends `older`, and checks it. A proof that proves another history is
/// held against the log, which signed both; one that proves nothing is held against nobody, because
/// it may have been damaged on the way (docs/design.md 3.6).
async fn prove_extension(
    links: &impl Links,
    heads: &HeadStore,
    older: &VerifiedCheckpoint,
    newer: &VerifiedCheckpoint,
) -> Result<Result<(), ClientError>, NoLink> {
    if older.size() == TreeSize::EMPTY {
        // Every tree extends the empty one; there is nothing to prove but that it was empty.
        return Ok(check_empty(older));
    }
    let link = links.link(older, newer).await?;
    Ok(match check_extension(older, newer, &link) {
        Ok(()) => Ok(()),
        Err(NoExtension::Rewritten(actual)) => {
            let rewritten = Some((actual, &link.path[..]));
            Err(heads.misbehavior(MisbehaviorKind::Rewritten, older, newer, rewritten))
        }
        Err(NoExtension::WrongProof(error)) => Err(ClientError::unverified_by(
            "the proof that its head extends the one seen before is wrong; it may have been \
             damaged on the way",
            error,
        )),
    })
}

/// What a consistency path that is none shows.
#[derive(Debug)]
pub(crate) enum NoExtension {
    /// The later tree extends another earlier one, with this root: both heads are signed, and both
    /// cannot be.
    Rewritten(Hash),
    /// Nothing.
    WrongProof(ProofError),
}

/// Checks a consistency path, and says what a wrong one shows.
pub(crate) fn check_extension(
    older: &VerifiedCheckpoint,
    newer: &VerifiedCheckpoint,
    link: &Link,
) -> Result<(), NoExtension> {
    let path = tree::split_hashes(&link.path).map_err(NoExtension::WrongProof)?;
    let verify = |old_root: &Hash| {
        tree::verify_consistency(older.size(), old_root, newer.size(), &newer.root(), &path)
    };
    let Err(error) = verify(&older.root()) else {
        return Ok(());
    };
    let computed = match &error {
        ProofError::OldRoot { computed, .. } => Some(*computed),
        _ => link.actual,
    };
    // The path ties the later head to another earlier tree: both cannot be (docs/design.md 3.6).
    match computed.filter(|actual| verify(actual).is_ok()) {
        Some(actual) => Err(NoExtension::Rewritten(actual)),
        None => Err(NoExtension::WrongProof(error)),
    }
}

/// The last head that was seen.
pub(crate) async fn stored(heads: &HeadStore) -> Result<Option<VerifiedCheckpoint>, ClientError> {
    let heads = heads.clone();
    blocking(move || heads.load()).await
}

async fn advance(
    heads: &HeadStore,
    from: Option<VerifiedCheckpoint>,
    to: &VerifiedCheckpoint,
) -> Result<bool, ClientError> {
    let (heads, to) = (heads.clone(), to.clone());
    blocking(move || heads.advance(from.as_ref(), &to)).await
}

/// Makes sure that the root of a head without entries is that of the empty tree.
fn check_empty(head: &VerifiedCheckpoint) -> Result<(), ClientError> {
    if head.size() == TreeSize::EMPTY && head.root() != hash::empty_root() {
        return Err(ClientError::unverified(
            "a checkpoint of size 0 whose root is not that of the empty tree",
        ));
    }
    Ok(())
}

/// That an answer is as of an older head than was seen.
pub(crate) fn older(head: &VerifiedCheckpoint, seen: TreeSize) -> ClientError {
    ClientError::Unavailable {
        what: format!(
            "the node answers as of an older head, of size {}, than was seen before, of size \
             {seen}: what was logged since is not in its answer; try again later, or ask another \
             node",
            head.size()
        ),
        retry_after: None,
        source: None,
    }
}

/// Runs file work where it may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ClientError> + Send + 'static,
) -> Result<T, ClientError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| {
        Err(ClientError::unavailable(
            "the client is shutting down",
            BoxError::from(e),
        ))
    })
}
