//! Rotation of keys: the next key is made, both sign for a while, and then the next one takes the
//! place of the first (docs/operations.md).
//!
//! The next key stands in a file beside the key, named like it with `.next`. A node that starts and
//! finds one signs with both, so that no configuration changes. [`files`] are the files;
//! [`overlap`] asks the others whether they know the next key; [`socket`] is how a node that runs
//! does it.

pub mod files;
pub mod overlap;
pub mod socket;

pub use files::RotationError;

use crate::config::LogConfig;
use crate::keyfile::{self, KeyFileError};
use crate::signer::{
    self,
    key::{CheckpointKey, KeyFailed},
};
use arc_swap::ArcSwap;
use assay_tlog::Hash;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::note::{SignerKey, VerifierKey};
use assay_tlog::tree::TreeSize;
use std::{fmt, path::Path, sync::Arc};

/// Which keys of a node are rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The key of its log.
    Log,
    /// The keys of its witness.
    Witness,
    /// The keys of its mirror.
    Mirror,
    /// The keys of its auditor.
    Audit,
}

impl Part {
    /// The keys of this name.
    pub fn named(name: &str) -> Option<Self> {
        let mut all = [Part::Log, Part::Witness, Part::Mirror, Part::Audit].into_iter();
        all.find(|part| part.to_string() == name)
    }
}

/// As commands name it: the variant in lower case.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{self:?}").to_ascii_lowercase())
    }
}

/// What a log signs with: one key, and while it is rotated the one that will take its place.
#[derive(Clone)]
pub struct LogKeys {
    now: Arc<dyn CheckpointKey>,
    next: Option<Arc<dyn CheckpointKey>>,
    verifier: VerifierKey,
}

/// The keys of a log that runs, which may change.
pub type SharedLogKeys = Arc<ArcSwap<LogKeys>>;

impl LogKeys {
    /// The keys that a configuration names: one that somebody else holds, who is not asked yet, or
    /// as [`LogKeys::load`] reads them, with its errors; and the next one, if it names that.
    pub fn configured(log: &LogConfig) -> Result<Self, KeyFileError> {
        let keys = match log.key_file() {
            Ok(file) => LogKeys::load(file)?,
            Err(holder) => LogKeys::of(signer::held_by(&holder)),
        };
        let Some(holder) = log.next_holder() else {
            return Ok(keys);
        };
        if keys.next.is_some() || keys.verifier() == *holder.vkey() {
            return Err(KeyFileError::Malformed {
                path: log.key.clone(),
                reason: "[log.next] in the configuration names another next key than the file \
                         beside it, or the same key: one key takes the place of one"
                    .into(),
            });
        }
        Ok(LogKeys {
            next: Some(signer::held_by(&holder).into()),
            ..keys
        })
    }

    /// Reads the key at `path`, and the next one beside it if there is one. Fails as
    /// [`keyfile::load`] does, or if the next one has another name.
    pub fn load(path: &Path) -> Result<Self, KeyFileError> {
        let now = keyfile::load(path)?;
        let beside = files::next(path);
        if !beside.exists() {
            return Ok(now.into());
        }
        let next = keyfile::load(&beside).map_err(files::of_next)?;
        if next.name() != now.name() {
            return Err(KeyFileError::Malformed {
                path: beside,
                reason: format!("it is for {:?}, not {:?}", next.name(), now.name()),
            });
        }
        Ok(LogKeys {
            next: Some(Arc::new(next)),
            ..now.into()
        })
    }

    /// A key that is somewhere else, alone.
    pub fn of(now: Box<dyn CheckpointKey>) -> Self {
        LogKeys {
            verifier: now.verifier(),
            now: now.into(),
            next: None,
        }
    }

    /// The origin of the log.
    pub fn origin(&self) -> &str {
        self.verifier.name()
    }

    /// The key of now.
    pub fn verifier(&self) -> VerifierKey {
        self.verifier.clone()
    }

    /// The key of now, and the next one.
    pub fn verifiers(&self) -> Vec<VerifierKey> {
        let keys = std::iter::once(&self.now).chain(&self.next);
        keys.map(|key| key.verifier()).collect()
    }

    /// The key that will take the place of the one of now.
    pub fn next(&self) -> Option<&dyn CheckpointKey> {
        self.next.as_deref()
    }

    /// Returns the signed note of a checkpoint of this log, with a line of each key. Nothing is
    /// compared with what was signed before: [`crate::signer::log::LogSigner`] does that.
    pub(crate) fn sign(&self, size: TreeSize, root: Hash) -> Result<String, KeyFailed> {
        let mut note = signer::key::checkpoint(self.origin(), size, root).body();
        note.push('\n');
        for key in std::iter::once(&self.now).chain(&self.next) {
            note += &key.sign(size, root)?;
        }
        Ok(note)
    }

    /// Fails if a key is somewhere else and could not sign, as far as can be seen without a
    /// signature.
    pub(crate) fn look_for(&self) -> Result<(), KeyFailed> {
        let mut keys = std::iter::once(&self.now).chain(&self.next);
        keys.try_for_each(|key| key.look_for())
    }

    /// Fails with [`RotationError::NotShown`] unless `shown` is a checkpoint that the next key
    /// signed, too: without one, a start with the next key alone would not know it.
    pub fn refuse_unshown(&self, shown: Option<&str>) -> Result<(), RotationError> {
        let Some(next) = &self.next else {
            return Ok(());
        };
        let next = next.verifier();
        let verified = shown.map(|note| VerifiedCheckpoint::verify(note, &next));
        if matches!(verified, Some(Ok(_))) {
            Ok(())
        } else {
            Err(RotationError::NotShown)
        }
    }

    /// The same, for a log that runs.
    pub fn shared(self) -> SharedLogKeys {
        Arc::new(ArcSwap::from_pointee(self))
    }
}

impl From<SignerKey> for LogKeys {
    fn from(now: SignerKey) -> Self {
        LogKeys::of(Box::new(now))
    }
}

impl fmt::Debug for LogKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.verifiers()).finish()
    }
}

/// Keys as text, one a line.
pub fn lines(keys: &[VerifierKey]) -> String {
    keys.iter().map(|key| format!("{key}\n")).collect()
}

#[cfg(test)]
mod tests;
