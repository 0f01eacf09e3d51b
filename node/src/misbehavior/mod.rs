//! What proves that a log, a witness or a mirror misbehaved, kept for good (docs/federation.md).
//!
//! - [`Evidence`]: what is kept, and whom it convicts. Nothing gets in that does not verify with
//!   the keys that the operator configured.
//! - [`known`]: those keys.
//! - `kept`: what is known of the files, and how many there may be. `crowded`: which of them go, so
//!   that whoever is new has one. `folder`: the files. They are verified again at every start.
//! - [`http`]: `GET /misbehavior`. The calls of gRPC are in `api::federation`.
//!
//! **Sticky.** Nothing takes a conviction back but removing the culprit from the configuration; its
//! files stay, and convict again if it comes back.
//!
//! **Breaches** of the rules of Assay logs are kept, too, and convict nobody: they hold only
//! against logs that are known here as Assay logs, say which version judged them, and have room of
//! their own.
//!
//! Left out: what follows from a conviction or a breach, which witness, cosigner and auditor
//! decide.

mod crowded;
mod folder;
pub mod http;
mod kept;
pub mod known;

pub use kept::{Listed, NotKept};

use crate::peers::{KnownPeer, Peers};
use crate::reason::with_causes;
use arc_swap::ArcSwap;
use assay_claims::misbehavior::{
    AssayKeys, Culprit, KnownKeys, VerifiedBreach, VerifiedMisbehavior, VerifiedText,
};
use assay_tlog::Hash;
use assay_tlog::head::{LogVerifier, VerifiedHead};
use folder::{Folder, Read};
use kept::{Kept, LIMITS, Limits};
use known::{Known, KnownError};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    ops::Bound,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

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

/// Proven misbehavior that is kept.
#[derive(Debug)]
pub struct Evidence {
    /// Whose keys the configuration has. Those of the peers come and go beside them.
    configured: Known,
    sources: Mutex<Sources>,
    keys: ArcSwap<Trusted>,
    folders: Vec<Folder>,
    limits: Limits,
    /// Held while a file is written, so that the limits hold.
    writing: Mutex<()>,
    kept: RwLock<Kept>,
}

/// Whose keys are trusted, and for what.
#[derive(Debug)]
struct Trusted {
    known: Arc<KnownKeys>,
    assay: Arc<AssayKeys>,
}

/// What the keys are made from.
#[derive(Debug)]
struct Sources {
    /// The configuration, the peers and the lists.
    known: Known,
    /// The logs that are replayed here.
    audited: BTreeSet<String>,
}

impl Evidence {
    /// Reads what was kept in the folder `misbehavior` of each of these data folders, and verifies
    /// it with the keys of the configuration. Each file is kept in all of them, so that a witness
    /// that leaves a node, or comes to one, goes on convicting.
    ///
    /// A damaged file is reported and set aside. One that these keys do not verify is reported and
    /// left: its culprit is not configured any more. Fails with [`EvidenceError`].
    pub fn open(data: &[&Path], configured: Known) -> Result<Self, EvidenceError> {
        let sources = Sources {
            known: configured.clone(),
            audited: BTreeSet::new(),
        };
        let evidence = Evidence {
            configured,
            keys: ArcSwap::from_pointee(sources.trusted()?),
            sources: Mutex::new(sources),
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
        self.trust(|sources| sources.known = known)
    }

    /// Holds a log to the rules of Assay from now on: it is replayed here, so that it is known to
    /// hold entries of Assay. What was kept is verified again.
    pub fn audits(&self, origin: &str) {
        let mut logs = self.assay().logs.clone().into_iter();
        if logs.all(|log| log.origin() != origin) {
            let origin = origin.to_owned();
            self.trust(|sources| _ = sources.audited.insert(origin));
        }
    }

    /// Changes whose keys are trusted, and verifies what was kept with them. Returns whether that
    /// was done; what goes wrong is reported.
    fn trust(&self, change: impl FnOnce(&mut Sources)) -> bool {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut sources);
        let trusted = sources.trusted().map_err(EvidenceError::from);
        let looked = trusted.and_then(|trusted| {
            self.keys.store(Arc::new(trusted));
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

    /// The keys with which it convicts now.
    pub fn keys(&self) -> Arc<KnownKeys> {
        self.keys.load().known.clone()
    }

    /// Who is held to the rules of Assay now, and with which keys.
    pub fn assay(&self) -> Arc<AssayKeys> {
        self.keys.load().assay.clone()
    }

    fn verify(&self, text: &[u8]) -> Result<VerifiedText, NotKept> {
        let keys = self.keys.load();
        Ok(VerifiedText::verify(text, &keys.known, &keys.assay)?)
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
        for (id, text) in texts {
            let found = match self.verify(&text) {
                Ok(found) => Listed::of(&found),
                Err(error) => {
                    tracing::warn!(%id, %error, "stored misbehavior shows nothing here");
                    continue;
                }
            };
            tell(&found);
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
    /// text is then durable, and its culprit is convicted, if it is one that convicts.
    pub fn report(&self, text: &[u8]) -> Result<(Hash, bool), NotKept> {
        let id = Hash::of(text);
        if self.listed(&id).is_some() {
            return Ok((id, false));
        }
        Ok((id, self.keep_text(&self.verify(text)?)?))
    }

    /// Convicts, and keeps what was found. Returns whether it was not known before.
    ///
    /// Also if it cannot be stored, the culprit is convicted for as long as this process runs.
    pub fn keep(&self, found: &VerifiedMisbehavior) -> Result<bool, NotKept> {
        self.keep_text(&found.clone().into())
    }

    /// Keeps a breach that was found here. Returns whether it was not known before. It convicts
    /// nobody.
    pub fn keep_breach(&self, found: &VerifiedBreach) -> Result<bool, NotKept> {
        self.keep_text(&found.clone().into())
    }

    fn keep_text(&self, found: &VerifiedText) -> Result<bool, NotKept> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let listed = Listed::of(found);
        let (mut room, mut is_first) = (Ok(Vec::new()), false);
        let known = self.write_kept(|kept| {
            is_first = listed.convicts() && kept.convicted.insert(listed.culprit.clone());
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
            // Breaches may come in numbers, and nobody is convicted by them.
            Err(full @ NotKept::Full) if !listed.convicts() => return Err(full),
            Err(error) => {
                // The whole text once: a disk that is full is not to be filled with it.
                let text = is_first.then(|| found.text());
                let (id, culprit) = (&listed.id, &listed.culprit);
                tracing::error!(%id, %culprit, %error, text, "misbehavior is proven, not stored");
                return Err(error);
            }
        };
        metrics::counter!("assay_misbehavior_total", "kind" => listed.kind).increment(1);
        tell(&listed);
        self.write_kept(|kept| kept.insert(listed));
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

    /// Removes the breaches by the log or the auditor of this name, and returns what was removed.
    /// They come back if somebody reports them. What convicts stays.
    pub fn clear(&self, name: &str) -> Result<Vec<Listed>, FolderError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut cleared = self.list(None);
        cleared.retain(|listed| match &listed.culprit {
            _ if listed.convicts() => false,
            Culprit::Log(by) | Culprit::Mirror(by) | Culprit::Witness(by) => by == name,
        });
        for Listed { id, .. } in &cleared {
            for folder in &self.folders {
                folder.remove(id)?;
            }
            self.write_kept(|kept| kept.remove(id));
        }
        Ok(cleared)
    }

    /// Writes a file to every folder, durably.
    fn store(&self, found: &VerifiedText) -> Result<(), NotKept> {
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

    /// A breach by the log of this origin that is kept. It convicts nobody.
    pub fn breach_by(&self, origin: &str) -> Option<Listed> {
        self.read_kept(|kept| {
            let mut breaches = kept.files.values().filter(|listed| !listed.convicts());
            // What an auditor cosigned is its own word: the log may never have signed that.
            let by = breaches.find(|it| matches!(&it.culprit, Culprit::Log(log) if log == origin));
            by.cloned()
        })
    }

    /// What is known of a file that is kept.
    pub fn listed(&self, id: &Hash) -> Option<Listed> {
        self.read_kept(|kept| kept.files.get(id).cloned())
    }

    /// How many files are kept.
    pub fn count(&self) -> usize {
        self.read_kept(|kept| kept.files.len())
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
        if self.listed(id).is_none() {
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

impl Sources {
    fn trusted(&self) -> Result<Trusted, KnownError> {
        Ok(Trusted {
            known: Arc::new(self.known.keys()?),
            assay: Arc::new(self.known.assay(&self.audited)?),
        })
    }
}

/// Says in the trace what is proven.
fn tell(listed: &Listed) {
    let Listed {
        id, kind, culprit, ..
    } = listed;
    match listed.verifier {
        None => {
            tracing::error!(%id, %culprit, kind, "misbehavior is proven: GET /misbehavior/{id}");
        }
        Some(verifier) => tracing::error!(
            %id,
            %culprit,
            kind,
            verifier,
            "a breach of the rules of logs is shown, which convicts nobody, see GET \
             /misbehavior/{id}"
        ),
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
mod breaches;
#[cfg(test)]
pub(crate) mod made;
#[cfg(test)]
mod tests;
