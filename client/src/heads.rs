//! The last head seen of each log, on disk.
//!
//! `<state>/heads/<hex SHA-256(origin)>` holds the signed note, verbatim. It is replaced as a whole
//! ([`files`]) under a lock, and only if it still is what the caller compared with: two processes
//! that share a folder cannot overwrite each other's step.
//! `<state>/misbehavior/` keeps what notes prove that do not go together, one text of each log.
//!
//! Left out: the proof that one head extends another. It needs the node, so `client` gets it before
//! it calls [`HeadStore::advance`].

use crate::{ClientError, Misbehavior, MisbehaviorKind, convictions, files};
use assay_claims::misbehavior::{Rewrite, VerifiedMisbehavior};
use assay_tlog::Hash;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::head::LogVerifier;
use assay_tlog::limits::NOTE_BYTES;
use assay_tlog::note::VerifierKey;
use assay_tlog::tree::split_hashes;
use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};

/// How two heads of one log stand to each other, before any proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    /// Same size, same root.
    Same,
    /// Same size, other root.
    Fork,
    /// The second is smaller.
    Older,
    /// The second is larger.
    Newer,
}

/// Compares `new` with `known`.
pub(crate) fn relate(known: &VerifiedCheckpoint, new: &VerifiedCheckpoint) -> Relation {
    use std::cmp::Ordering::*;
    match new.size().cmp(&known.size()) {
        Less => Relation::Older,
        Greater => Relation::Newer,
        Equal if new.root() == known.root() => Relation::Same,
        Equal => Relation::Fork,
    }
}

/// The folder of one log's last head.
#[derive(Debug, Clone)]
pub struct HeadStore {
    state_dir: PathBuf,
    log: VerifierKey,
    older: Vec<VerifierKey>,
    file: PathBuf,
}

impl HeadStore {
    /// Takes `state_dir` as the place for heads of the log with the key `log`. Nothing is read or
    /// written yet.
    pub fn new(state_dir: &Path, log: &VerifierKey) -> Self {
        let file = state_dir
            .join("heads")
            .join(Hash::of(log.name().as_bytes()).to_hex());
        HeadStore {
            state_dir: state_dir.to_owned(),
            log: log.clone(),
            older: Vec::new(),
            file,
        }
    }

    /// The same, of a log that signed with these keys before.
    pub fn signed_by(self, older: &[VerifierKey]) -> Self {
        HeadStore {
            older: older.to_vec(),
            ..self
        }
    }

    /// Returns the last head that was stored, its signature checked again, or `None` if none ever
    /// was.
    ///
    /// Fails with [`ClientError::State`] if the file cannot be read or does not verify: it is never
    /// taken for missing.
    pub fn load(&self) -> Result<Option<VerifiedCheckpoint>, ClientError> {
        let file = match files::open(&self.file) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(self.state("cannot read the last head seen", e)),
        };
        let mut note = String::new();
        file.take(NOTE_BYTES as u64 + 1)
            .read_to_string(&mut note)
            .map_err(|e| self.state("cannot read the last head seen", e))?;
        let verified = VerifiedCheckpoint::verify(&note, &self.log);
        let by_older = || {
            let mut older = self.older.iter();
            older.find_map(|key| VerifiedCheckpoint::verify(&note, key).ok())
        };
        verified.or_else(|e| by_older().ok_or(e)).map(Some).map_err(|e| ClientError::State {
            what: format!(
                "the last head seen of {} does not verify with the log key in use ({e}); if the \
                 log really has a new key, name the old one before it in your policy's \
                 tlog_policy. Else the file is damaged: move it away, and the next head will be \
                 believed without comparison",
                self.log.name()
            ),
            path: self.file.clone(),
            source: None,
        })
    }

    /// Stores `to` if the stored head is still `from`, and returns whether it was.
    ///
    /// The caller has proven that `to` extends `from`. When this returns `true`, `to` is on stable
    /// storage.
    pub fn advance(
        &self,
        from: Option<&VerifiedCheckpoint>,
        to: &VerifiedCheckpoint,
    ) -> Result<bool, ClientError> {
        let folder = self.state_dir.join("heads");
        files::create_folder(&folder)
            .map_err(|e| self.state("cannot make the folder of the heads seen", e))?;
        let lock = files::open_lock(&self.file.with_extension("lock"))
            .and_then(|file| file.lock().map(|()| file))
            .map_err(|e| self.state("cannot lock the last head seen", e))?;
        let stored = self.load()?;
        let unchanged =
            stored.as_ref().map(VerifiedCheckpoint::note) == from.map(VerifiedCheckpoint::note);
        if unchanged {
            files::replace(&self.file, to.note().as_bytes())
                .map_err(|e| self.state("cannot store the head", e))?;
        }
        drop(lock);
        Ok(unchanged)
    }

    /// Keeps what two notes that do not go together prove, and returns the finding, with the place
    /// where it is. `rewritten` is the earlier root that the log's later head has, with the path
    /// from there.
    ///
    /// By it, the log is convicted on this machine from then on
    /// ([`Convictions`](crate::Convictions)).
    /// There is one of each log that was found here, so that no log can crowd out others.
    pub(crate) fn misbehavior(
        &self,
        kind: MisbehaviorKind,
        first: &VerifiedCheckpoint,
        second: &VerifiedCheckpoint,
        rewritten: Option<(Hash, &[u8])>,
    ) -> ClientError {
        self.found(kind, first.note(), second.note(), rewritten)
    }

    /// Keeps what two notes of the log prove that differ and are of one size, as all do that is
    /// found here, and returns the finding.
    pub fn split(&self, first: &str, second: &str) -> ClientError {
        self.found(MisbehaviorKind::SameSize, first, second, None)
    }

    fn found(
        &self,
        kind: MisbehaviorKind,
        first: &str,
        second: &str,
        rewritten: Option<(Hash, &[u8])>,
    ) -> ClientError {
        let keys = [&self.log].into_iter().chain(&self.older);
        let kept = proof(keys.cloned().collect(), first, second, rewritten)
            .ok_or_else(|| "they prove nothing to others".to_owned())
            .and_then(|text| self.keep(text.text()).map_err(|error| error.to_string()));
        ClientError::Misbehavior(Box::new(Misbehavior {
            kind,
            first: first.to_owned(),
            second: second.to_owned(),
            actual: rewritten.map(|(actual, _)| actual),
            path: rewritten.map_or(&[][..], |(_, path)| path).to_owned(),
            kept,
        }))
    }

    fn keep(&self, text: &str) -> io::Result<PathBuf> {
        let folder = self.state_dir.join(convictions::FOLDER);
        let name = format!("found-{}", Hash::of(self.log.name().as_bytes()));
        let file = folder.join(name).with_extension(convictions::EXTENSION);
        files::create_folder(&folder)?;
        files::replace(&file, text.as_bytes())?;
        Ok(file)
    }

    fn state(&self, what: &str, source: io::Error) -> ClientError {
        ClientError::State {
            what: what.into(),
            path: self.file.clone(),
            source: Some(source),
        }
    }
}

/// What two notes of a log prove to whoever has its key; of two of different sizes, by the root
/// that the later one has at the earlier size, and the consistency path from there.
fn proof(
    keys: Vec<VerifierKey>,
    first: &str,
    second: &str,
    rewritten: Option<(Hash, &[u8])>,
) -> Option<VerifiedMisbehavior> {
    let origin = keys.first()?.name().to_owned();
    let log = LogVerifier::new(&origin, keys).ok()?;
    let (first, second) = (log.verify(first).ok()?, log.verify(second).ok()?);
    let path = split_hashes(rewritten.map_or(&[], |(_, path)| path)).ok()?;
    let rewrite = rewritten.map(|(actual, _)| Rewrite {
        actual,
        path: &path,
    });
    VerifiedMisbehavior::of_log(&first, &second, rewrite).ok()
}
