//! The files of keys that are rotated. At every moment the key of now is whole and in its place.

use super::Part;
use crate::{
    config::{CosignerKeys, KeyHolder},
    keyfile::{self, KeyFileError, NewKeyError},
    storage::disk,
};
use assay_tlog::note::{Algorithm, CosignerKey, SignerKey, VerifierKey};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Why keys are not rotated.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// There is nothing of the kind.
    #[error("there is no {0} here whose keys could be rotated")]
    Absent(Part),
    /// The key is not in a file.
    #[error(
        "the key {vkey} is in {holder} and not in a file: this command can neither read nor \
         replace it. {how}",
        vkey = holder.vkey(),
        how = by_hand(*part)
    )]
    Elsewhere {
        /// Whose key it is.
        part: Part,
        /// Who has it.
        holder: Box<KeyHolder>,
    },
    /// A next key is there already.
    #[error(
        "{path} exists: a rotation has begun. When the others know the new key, end it with \
         --finish",
        path = path.display()
    )]
    Begun {
        /// The next key.
        path: PathBuf,
    },
    /// There is no next key.
    #[error("no rotation has begun: there is no {path}", path = path.display())]
    NotBegun {
        /// Where the next key would stand.
        path: PathBuf,
    },
    /// Nothing that the next key signed is shown yet.
    #[error(
        "what this log shows was not signed by its next key yet. Wait until it has shown a new \
         checkpoint, and try again"
    )]
    NotShown,
    /// A key cannot be made.
    #[error(transparent)]
    NewKey(#[from] NewKeyError),
    /// A key file cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// A key file cannot be put into its place.
    #[error("cannot move {path}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// How the key of a part is rotated that no file has.
fn by_hand(part: Part) -> &'static str {
    match part {
        Part::Log => {
            "To rotate it, name the key that is to take its place in [log.next.agent] or \
             [log.next.token] of the configuration, and start the node again: \
             docs/operations.md, \"A log's key that is held\""
        }
        Part::Witness | Part::Mirror | Part::Audit => {
            "To rotate it, make the part that it signs for anew, under another name, and retire \
             this one: docs/operations.md, \"A log's key that is held\""
        }
    }
}

/// Where the next key stands: beside the key of now, with `.next` behind its name.
pub fn next(key: &Path) -> PathBuf {
    behind(key, ".next")
}

/// Where a key stands that was replaced: its id is in the name, so that none takes the place of
/// another.
pub fn retired(key: &Path, verifier: &VerifierKey) -> PathBuf {
    behind(key, &format!(".retired-{:08x}", verifier.key_id()))
}

fn behind(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// The files of a witness, a mirror or an auditor whose keys are all in files. Fails with
/// [`RotationError::Elsewhere`]: its keys are rotated together.
pub fn of_cosigner(part: Part, keys: &CosignerKeys) -> Result<Vec<PathBuf>, RotationError> {
    let Some(holder) = keys.holder() else {
        return Ok(keys.files());
    };
    let holder = Box::new(holder.clone());
    Err(RotationError::Elsewhere { part, holder })
}

/// Makes the next key of a log, durably, encrypted as the key of now is. Fails with
/// [`RotationError::Begun`] if there is one.
pub fn begin_log(key: &Path) -> Result<VerifierKey, RotationError> {
    let keyfile::Kept {
        key: now,
        passphrase,
    } = keyfile::open(key)?;
    let path = next(key);
    if path.exists() {
        return Err(RotationError::Begun { path });
    }
    let new = keyfile::new_log(now.name())?;
    keyfile::create(&path, &new, passphrase.as_ref())?;
    sync(key)?;
    Ok(new.verifier())
}

/// Makes the next keys of a witness or mirror, durably: one for each of its key files, of the same
/// type. What a run that was cut off has not made is made. Fails with [`RotationError::Begun`] if
/// all are there.
pub fn begin_cosigner(keys: &[PathBuf]) -> Result<Vec<VerifierKey>, RotationError> {
    let Some(missing) = keys.iter().find(|key| !next(key).exists()) else {
        let path = keys.first().map(|key| next(key)).unwrap_or_default();
        return Err(RotationError::Begun { path });
    };
    let mut made = Vec::new();
    for key in keys {
        let path = next(key);
        if !path.exists() {
            let keyfile::Kept {
                key: now,
                passphrase,
            } = keyfile::open_cosigner(key)?;
            let new = keyfile::new_cosigner(now.name(), now.verifier().algorithm())?;
            keyfile::create_cosigner(&path, &new, passphrase.as_ref())?;
        }
        let next = keyfile::load_cosigner(&path).map_err(of_next)?;
        made.push(next.verifier());
    }
    sync(missing)?;
    Ok(made)
}

/// Reads the next keys of a witness or mirror, as far as there are any.
pub fn load_next<'a>(
    keys: impl IntoIterator<Item = &'a PathBuf>,
) -> Result<Vec<CosignerKey>, KeyFileError> {
    let paths = keys.into_iter().map(|key| next(key));
    paths
        .filter(|path| path.exists())
        .map(|path| keyfile::load_cosigner(&path).map_err(of_next))
        .collect()
}

/// The same with what helps, if a next key is no key: that is as good as none, where nothing was
/// signed with it.
pub(super) fn of_next(error: KeyFileError) -> KeyFileError {
    match error {
        KeyFileError::Malformed { path, reason } => KeyFileError::Malformed {
            path,
            reason: format!(
                "{reason}. If `key rotate` was cut off while it made this file, nothing was signed \
                 with it: remove the file, and run `key rotate` again"
            ),
        },
        error => error,
    }
}

/// Puts the next keys into the place of those of now, which are kept under another name. It is
/// durable on return. Fails with [`RotationError::NotBegun`] if there is none.
pub fn finish(keys: &[PathBuf]) -> Result<(), RotationError> {
    if !keys.iter().any(|key| next(key).exists()) {
        let path = keys.first().map(|key| next(key)).unwrap_or_default();
        return Err(RotationError::NotBegun { path });
    }
    for key in keys.iter().filter(|key| next(key).exists()) {
        let old = verifier(key)?;
        // It must be a key before it takes the place of one.
        verifier(&next(key)).map_err(of_next)?;
        let moved = |source| RotationError::Io {
            path: key.clone(),
            source,
        };
        match fs::hard_link(key, retired(key, &old)) {
            // A run that was cut off got so far.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            linked => linked.map_err(moved)?,
        }
        fs::rename(next(key), key).map_err(moved)?;
        sync(key)?;
    }
    Ok(())
}

/// The verifier of the key in a file, of a log or of a cosigner.
fn verifier(path: &Path) -> Result<VerifierKey, KeyFileError> {
    match keyfile::load_cosigner(path) {
        Ok(key) if key.verifier().algorithm() != Algorithm::Ed25519 => Ok(key.verifier()),
        _ => keyfile::load(path).map(|key: SignerKey| key.verifier()),
    }
}

fn sync(key: &Path) -> Result<(), RotationError> {
    disk::sync_folder(disk::folder_of(key)).map_err(|source| RotationError::Io {
        path: key.to_owned(),
        source,
    })
}
