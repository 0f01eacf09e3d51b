//! The last head seen of each log, on disk.
//!
//! `<state>/heads/<hex SHA-256(origin)>` holds the signed note, verbatim. It is replaced as a whole
//! ([`files`]) under a lock, and only if it still is what the caller compared with: two processes
//! that share a folder cannot overwrite each other's step.
//! `<state>/misbehavior/` keeps notes that do not go together.
//!
//! Left out: the proof that one head extends another. It needs the node, so `client` gets it before
//! it calls [`HeadStore::advance`].

use crate::{ClientError, Misbehavior, MisbehaviorKind, files};
use assay_tlog::Hash;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::limits::NOTE_BYTES;
use assay_tlog::note::VerifierKey;
use std::{
    fs::File,
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
            file,
        }
    }

    /// Returns the last head that was stored, its signature checked again, or `None` if none ever
    /// was.
    ///
    /// Fails with [`ClientError::State`] if the file cannot be read or does not verify: it is never
    /// taken for missing.
    pub fn load(&self) -> Result<Option<VerifiedCheckpoint>, ClientError> {
        let file = match File::open(&self.file) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(self.state("cannot read the last head seen", e)),
        };
        let mut note = String::new();
        file.take(NOTE_BYTES as u64 + 1)
            .read_to_string(&mut note)
            .map_err(|e| self.state("cannot read the last head seen", e))?;
        VerifiedCheckpoint::verify(&note, &self.log).map(Some).map_err(|e| ClientError::State {
            what: format!(
                "the last head seen of {} does not verify with the log key in use ({e}); if the \
                 log really has a new key, or the file is damaged, move it away: the next head \
                 will then be believed without comparison",
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

    /// Keeps two notes that do not go together and returns the finding, with the place where they
    /// are. `rewritten` is the earlier root that the tree of the second has, with the path from it.
    pub(crate) fn misbehavior(
        &self,
        kind: MisbehaviorKind,
        first: &VerifiedCheckpoint,
        second: &VerifiedCheckpoint,
        rewritten: Option<(Hash, &[u8])>,
    ) -> ClientError {
        let path = rewritten.map_or(&[][..], |(_, path)| path);
        let text = evidence(kind, &self.log, first.note(), second.note(), rewritten);
        let name = format!(
            "{}-{}-{}-{}.txt",
            Hash::of(self.log.name().as_bytes()),
            first.size(),
            second.size(),
            &Hash::of(text.as_bytes()).to_hex()[..16]
        );
        let folder = self.state_dir.join("misbehavior");
        let file = folder.join(name);
        let kept = files::create_folder(&folder)
            .and_then(|()| files::replace(&file, text.as_bytes()))
            .map(|()| file)
            .map_err(|e| e.to_string());
        ClientError::Misbehavior(Box::new(Misbehavior {
            kind,
            first: first.note().to_owned(),
            second: second.note().to_owned(),
            actual: rewritten.map(|(actual, _)| actual),
            path: path.to_owned(),
            kept,
        }))
    }

    fn state(&self, what: &str, source: io::Error) -> ClientError {
        ClientError::State {
            what: what.into(),
            path: self.file.clone(),
            source: Some(source),
        }
    }
}

/// Self-contained text: the log's key, both notes verbatim and the path that was offered.
fn evidence(
    kind: MisbehaviorKind,
    log: &VerifierKey,
    first: &str,
    second: &str,
    rewritten: Option<(Hash, &[u8])>,
) -> String {
    let kind = match kind {
        MisbehaviorKind::SameSize => "same size, different roots",
        MisbehaviorKind::Rewritten => {
            "the path below leads from another earlier tree to the later one"
        }
    };
    let mut text = format!(
        "assay misbehavior v1\nkind: {kind}\nlog key: {log}\n\n----- first note \
         -----\n{first}----- second note -----\n{second}----- consistency path -----\n"
    );
    let (actual, path) = rewritten.unzip();
    for hash in path.unwrap_or_default().chunks(Hash::LEN) {
        text.push_str(&hex::encode(hash));
        text.push('\n');
    }
    if let Some(actual) = actual {
        text.push_str(&format!("----- root that it leads from -----\n{actual}\n"));
    }
    text
}
