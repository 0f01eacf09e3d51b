//! What proves that a log, a witness or a mirror misbehaved, kept for good (docs/federation.md).
//!
//! - [`Evidence`]: what is kept, and whom it convicts. Nothing gets in that does not verify with
//!   the keys that the operator configured.
//! - [`known`]: those keys.
//! - `crowded`: which files go, so that whoever is new has one. `folder`: the files. They are verified again at every start.
//! - [`http`]: `GET /misbehavior`. The calls of gRPC are in `api::federation`.
//!
//! **Sticky.** Nothing takes a conviction back but removing the culprit from the configuration; its
//! files stay, and convict again if it comes back.
//!
//! Left out: what follows from a conviction, which the witness and the cosigner decide; and kinds
//! of misbehavior that need entries and the index.

mod crowded;
mod folder;
pub mod http;
pub mod known;

use crate::peers::{KnownPeer, Peers};
use crate::reason::with_causes;
use arc_swap::ArcSwap;
use assay_claims::misbehavior::{Culprit, KnownKeys, MisbehaviorError, VerifiedMisbehavior};
use assay_tlog::Hash;
use assay_tlog::head::{LogVerifier, VerifiedHead};
use folder::{Folder, Read};
use known::{Known, KnownError};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    ops::Bound,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

/// How much is kept.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Most files of one culprit and kind. One is enough.
    of_one: usize,
    /// Most files: as many culprits as an operator will look at.
    files: usize,
    /// Most bytes of all of them.
    bytes: usize,
}

const LIMITS: Limits = Limits {
    of_one: 4,
    files: 1000,
    bytes: 64 << 20,
};

/// Why a text is not kept.
#[derive(Debug, thiserror::Error)]
pub enum NotKept {
    /// It proves nothing to this node.
    #[error(transparent)]
    Unproven(#[from] MisbehaviorError),
    /// There is enough about this culprit, which is convicted.
    #[error("enough texts of the kind {kind} about {culprit} are kept already")]
    Enough {
        /// Who it is about.
        culprit: Culprit,
        /// The kind.
        kind: &'static str,
    },
    /// There is no room for more.
    #[error("so much misbehavior is kept already that no more is taken")]
    Full,
    /// It cannot be stored.
    #[error("misbehavior cannot be stored")]
    Io(#[from] FolderError),
}

/// Why kept misbehavior cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// A file or folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The keys of the configuration cannot be used together.
    #[error(transparent)]
    Known(#[from] KnownError),
}

/// A folder of misbehavior cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} {path}, which has to do with proven misbehavior", path = path.display())]
pub struct FolderError {
    /// What was being done.
    doing: &'static str,
    /// The file or folder.
    path: PathBuf,
    /// What the system said.
    source: io::Error,
}

/// What is known of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The SHA-256 of the file.
    pub id: Hash,
    /// Its kind: `split`, `rewrite` or `witness`.
    pub kind: &'static str,
    /// Who misbehaved.
    pub culprit: Culprit,
    bytes: usize,
}

/// Proven misbehavior that is kept.
#[derive(Debug)]
pub struct Evidence {
    /// Whose keys the configuration has. Those of the peers come and go beside them.
    configured: Known,
    keys: ArcSwap<KnownKeys>,
    folders: Vec<Folder>,
    limits: Limits,
    /// Held while a file is written, so that the limits hold.
    writing: Mutex<()>,
    kept: RwLock<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    files: BTreeMap<Hash, Listed>,
    /// Whoever a file convicts, also one that could not be stored.
    convicted: BTreeSet<Culprit>,
    bytes: usize,
}

impl Kept {
    fn insert(&mut self, listed: Listed) {
        self.convicted.insert(listed.culprit.clone());
        self.bytes += listed.bytes;
        if let Some(before) = self.files.insert(listed.id, listed) {
            self.bytes -= before.bytes;
        }
        metrics::gauge!("assay_misbehavior_files").set(self.files.len() as f64);
    }

    /// Returns the files that have to go so that there is room.
    fn room_for(&self, listed: &Listed, limits: Limits) -> Result<Vec<Hash>, NotKept> {
        let of_one =
            |other: &&Listed| (&other.culprit, other.kind) == (&listed.culprit, listed.kind);
        if self.files.values().filter(of_one).count() >= limits.of_one {
            return Err(NotKept::Enough {
                culprit: listed.culprit.clone(),
                kind: listed.kind,
            });
        }
        crowded::out(self.files.values(), listed, limits).ok_or(NotKept::Full)
    }

    fn remove(&mut self, id: &Hash) {
        if let Some(gone) = self.files.remove(id) {
            self.bytes -= gone.bytes;
        }
        metrics::gauge!("assay_misbehavior_files").set(self.files.len() as f64);
    }
}

impl Listed {
    fn of(found: &VerifiedMisbehavior) -> Self {
        Listed {
            id: found.id(),
            kind: found.kind(),
            culprit: found.culprit().clone(),
            bytes: found.text().len(),
        }
    }
}

impl Evidence {
    /// Reads what was kept in the folder `misbehavior` of each of these data folders, and verifies
    /// it with the keys of the configuration. Each file is kept in all of them, so that a witness
    /// that leaves a node, or comes to one, goes on convicting.
    ///
    /// A damaged file is reported and set aside. One that these keys do not verify is reported and
    /// left: its culprit is not configured any more. Fails with [`EvidenceError`].
    pub fn open(data: &[&Path], configured: Known) -> Result<Self, EvidenceError> {
        let keys = configured.keys()?;
        let evidence = Evidence {
            configured,
            keys: ArcSwap::from_pointee(keys),
            folders: data.iter().map(|data| Folder::below(data)).collect(),
            limits: LIMITS,
            writing: Mutex::default(),
            kept: RwLock::default(),
        };
        evidence.load()?;
        Ok(evidence)
    }

    /// Verifies with the keys of these peers, too, from now on, and what was kept again. Whoever is
    /// convicted stays so. Returns whether all that is kept was looked at; what goes wrong is
    /// reported.
    pub fn follow(&self, peers: &[KnownPeer]) -> bool {
        self.follow_all(peers, &[])
    }

    /// The same, with the keys of logs from lists, too.
    pub fn follow_all(&self, peers: &[KnownPeer], listed: &[LogVerifier]) -> bool {
        let mut known = self.configured.clone();
        known.peers(peers);
        known.listed(listed);
        let looked = known.keys().map_err(EvidenceError::from).and_then(|keys| {
            self.keys.store(Arc::new(keys));
            Ok(self.load()?)
        });
        if let Err(error) = &looked {
            let error = with_causes(error);
            tracing::error!(
                error,
                "kept misbehavior was not verified with the keys of the peers"
            );
        }
        looked.is_ok()
    }

    /// The keys that it verifies with now.
    pub fn keys(&self) -> Arc<KnownKeys> {
        self.keys.load_full()
    }

    /// Reads the folders, and convicts whomever the files convict that were not known. Fails if one
    /// cannot be read, after what could be read has convicted.
    fn load(&self) -> Result<(), FolderError> {
        let (mut texts, mut failed) = (BTreeMap::new(), Ok(()));
        for folder in &self.folders {
            let ids = folder.ids().unwrap_or_else(|error| {
                failed = Err(error);
                Vec::new()
            });
            for id in ids {
                if self.read_kept(|kept| kept.files.contains_key(&id)) {
                    continue;
                }
                match folder.read(&id) {
                    Ok(Read::Whole(text)) => _ = texts.insert(id, text),
                    Ok(_) => {}
                    Err(error) => failed = Err(error),
                }
            }
        }
        let keys = self.keys.load_full();
        for (id, text) in texts {
            let found = match VerifiedMisbehavior::verify(&text, &keys) {
                Ok(found) => Listed::of(&found),
                Err(error) => {
                    tracing::warn!(%id, %error, "stored misbehavior convicts nobody here");
                    continue;
                }
            };
            let culprit = &found.culprit;
            tracing::error!(%id, %culprit, "convicted of misbehavior, see GET /misbehavior");
            self.write_kept(|kept| kept.insert(found));
            self.copy(&id, &text);
        }
        failed
    }

    /// Writes a file to the folders that do not have it.
    fn copy(&self, id: &Hash, text: &[u8]) {
        for folder in &self.folders {
            if let Err(error) = folder.write(id, text) {
                let error = with_causes(&error);
                tracing::error!(%id, error, "proof of misbehavior is not kept in every folder");
            }
        }
    }

    /// Takes a text that somebody sent. Returns its id, and whether it was not known before. The
    /// text is then durable, and its culprit is convicted.
    pub fn report(&self, text: &[u8]) -> Result<(Hash, bool), NotKept> {
        let id = Hash::of(text);
        if self.read_kept(|kept| kept.files.contains_key(&id)) {
            return Ok((id, false));
        }
        let found = VerifiedMisbehavior::verify(text, &self.keys.load())?;
        Ok((id, self.keep(&found)?))
    }

    /// Convicts, and keeps what was found. Returns whether it was not known before.
    ///
    /// Also if it cannot be stored, the culprit is convicted for as long as this process runs.
    pub fn keep(&self, found: &VerifiedMisbehavior) -> Result<bool, NotKept> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let listed = Listed::of(found);
        let (mut room, mut is_first) = (Ok(Vec::new()), false);
        let known = self.write_kept(|kept| {
            is_first = kept.convicted.insert(listed.culprit.clone());
            room = kept.room_for(&listed, self.limits);
            kept.files.contains_key(&listed.id)
        });
        if known {
            return Ok(false);
        }
        let stored = room.and_then(|out| self.store(found).map(|()| out));
        let out = match stored {
            Ok(out) => out,
            Err(enough @ NotKept::Enough { .. }) => return Err(enough),
            Err(error) => {
                // The whole text once: a disk that is full is not to be filled with it.
                let text = is_first.then(|| found.text());
                let (id, culprit) = (&listed.id, &listed.culprit);
                tracing::error!(%id, %culprit, %error, text, "misbehavior is proven, not stored");
                return Err(error);
            }
        };
        let Listed {
            id, kind, culprit, ..
        } = &listed;
        metrics::counter!("assay_misbehavior_total", "kind" => *kind).increment(1);
        tracing::error!(%id, %culprit, kind, "misbehavior is proven, see GET /misbehavior/{id}");
        self.write_kept(|kept| kept.insert(listed.clone()));
        self.drop_files(&out);
        Ok(true)
    }

    /// Keeps these files no more. Their culprits have others.
    fn drop_files(&self, ids: &[Hash]) {
        for id in ids {
            self.write_kept(|kept| kept.remove(id));
            for folder in &self.folders {
                if let Err(error) = folder.remove(id) {
                    let error = with_causes(&error);
                    tracing::error!(%id, error, "misbehavior that is kept no more is still there");
                }
            }
            tracing::warn!(%id, "a file of misbehavior made room for another culprit's first one");
        }
    }

    /// Writes a file to every folder, durably.
    fn store(&self, found: &VerifiedMisbehavior) -> Result<(), NotKept> {
        for folder in &self.folders {
            folder.write(&found.id(), found.text().as_bytes())?;
        }
        Ok(())
    }

    /// Whether the log of this origin is convicted.
    pub fn convicts_log(&self, origin: &str) -> bool {
        self.read_kept(|kept| {
            // Nearly always there is nobody: nothing is copied to ask.
            !kept.convicted.is_empty() && kept.convicted.contains(&Culprit::Log(origin.to_owned()))
        })
    }

    /// Whether the witness or mirror of this name is convicted.
    pub fn convicts_cosigner(&self, name: &str) -> bool {
        let name = || name.to_owned();
        self.read_kept(|kept| {
            !kept.convicted.is_empty()
                && (kept.convicted.contains(&Culprit::Witness(name()))
                    || kept.convicted.contains(&Culprit::Mirror(name())))
        })
    }

    /// All files with larger ids than `after`, in the order of their ids.
    pub fn list(&self, after: Option<Hash>) -> Vec<Listed> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.read_kept(|kept| {
            let files = kept.files.range((from, Bound::Unbounded));
            files.map(|(_, listed)| listed.clone()).collect()
        })
    }

    /// Reads a file. `None` if there is none that was verified. Fails if it was damaged or taken
    /// away since.
    pub fn read(&self, id: &Hash) -> Result<Option<Vec<u8>>, FolderError> {
        if !self.read_kept(|kept| kept.files.contains_key(id)) {
            return Ok(None);
        }
        for folder in &self.folders {
            if let Read::Whole(text) = folder.read(id)? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    fn read_kept<T>(&self, with: impl FnOnce(&Kept) -> T) -> T {
        with(&self.kept.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write_kept<T>(&self, with: impl FnOnce(&mut Kept) -> T) -> T {
        with(&mut self.kept.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a head proves against its log, by itself or beside the one that is held.
pub fn against(held: Option<&VerifiedHead>, head: &VerifiedHead) -> Option<VerifiedMisbehavior> {
    let held = held.filter(|held| held.size() == head.size() && held.root() != head.root());
    if held.is_none() && head.size().get() > 0 {
        return None;
    }
    VerifiedMisbehavior::of_log(held.unwrap_or(head), head, None).ok()
}

/// Verifies with the keys of the peers, too: those of now before this returns, and whoever they are
/// later.
pub fn follow(evidence: &Arc<Evidence>, peers: Peers) {
    let evidence = Arc::downgrade(evidence);
    peers.follow(move |peers| {
        evidence.upgrade()?.follow(peers);
        Some(())
    });
}

#[cfg(test)]
mod tests;
