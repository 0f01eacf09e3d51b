//! Key files of logs and witnesses: a C2SP signed-note private key in one line, mode 0600.

use assay_tlog::note::{Algorithm, CosignerKey, KeyError, SignerKey};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// Somebody other than the owner may read or write it.
    #[error(
        "{path} has mode {mode:04o}: others than its owner can reach it. If nobody did, run: \
         chmod 600 {path}",
        path = path.display()
    )]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It cannot be read or written.
    #[error("the key file {path} cannot be used", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It holds no such key.
    #[error("{path} holds no C2SP signed-note private key: {reason}", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong. Never any part of the key.
        reason: String,
    },
}

/// Why there is no new key.
#[derive(Debug, thiserror::Error)]
pub enum NewKeyError {
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
    /// The name cannot be that of a key.
    #[error("the name {name:?} cannot be used: {reason}")]
    Name {
        /// The name.
        name: String,
        /// Why not.
        reason: KeyError,
    },
}

/// Makes a new key of a log.
pub fn new_log(name: &str) -> Result<SignerKey, NewKeyError> {
    SignerKey::from_seed(name, &*seed()?).map_err(|reason| unusable(name, reason))
}

/// Makes a new key of a witness or a mirror.
pub fn new_cosigner(name: &str, algorithm: Algorithm) -> Result<CosignerKey, NewKeyError> {
    let key = CosignerKey::from_seed(name, algorithm, &*seed()?);
    key.map_err(|reason| unusable(name, reason))
}

fn seed() -> Result<Zeroizing<[u8; 32]>, NewKeyError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).map_err(NewKeyError::Random)?;
    Ok(seed)
}

fn unusable(name: &str, reason: KeyError) -> NewKeyError {
    let name = name.to_owned();
    NewKeyError::Name { name, reason }
}

/// Fails with [`KeyFileError::TooOpen`] if anybody but its owner can reach the file at `path`.
pub fn refuse_open(path: &Path) -> Result<(), KeyFileError> {
    let mode = fs::metadata(path)
        .map_err(|source| KeyFileError::Io {
            path: path.into(),
            source,
        })?
        .permissions()
        .mode()
        & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::TooOpen {
            path: path.into(),
            mode,
        });
    }
    Ok(())
}

/// Reads the log's key. Fails as [`KeyFileError`] says, and never shows any part of the key.
pub fn load(path: &Path) -> Result<SignerKey, KeyFileError> {
    read(path, SignerKey::parse)
}

/// Reads a witness's key, of type 0x04 or 0x06. Fails as [`load`] does.
pub fn load_cosigner(path: &Path) -> Result<CosignerKey, KeyFileError> {
    read(path, CosignerKey::parse)
}

fn read<K>(path: &Path, parse: impl Fn(&str) -> Result<K, KeyError>) -> Result<K, KeyFileError> {
    refuse_open(path)?;
    let text = fs::read_to_string(path).map_err(|source| KeyFileError::Io {
        path: path.into(),
        source,
    })?;
    let text = Zeroizing::new(text);
    parse(text.trim_end_matches('\n')).map_err(|e| KeyFileError::Malformed {
        path: path.into(),
        reason: e.to_string(),
    })
}

/// Writes a new key file, mode 0600. It is durable on return. An existing file is never
/// overwritten.
pub fn create(path: &Path, key: &SignerKey) -> Result<(), KeyFileError> {
    write_new(path, &key.to_private_string()).map_err(|source| KeyFileError::Io {
        path: path.into(),
        source,
    })
}

/// Writes a new key file of a witness, as [`create`] does.
pub fn create_cosigner(path: &Path, key: &CosignerKey) -> Result<(), KeyFileError> {
    write_new(path, &key.to_private_string()).map_err(|source| KeyFileError::Io {
        path: path.into(),
        source,
    })
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_back_and_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.key");
        let key = SignerKey::from_seed("log.example", &[1; 32]).unwrap();
        create(&path, &key).unwrap();
        assert_eq!(
            load(&path).unwrap().verifier().to_string(),
            key.verifier().to_string()
        );
        assert!(matches!(create(&path, &key), Err(KeyFileError::Io { .. })));
    }

    #[test]
    fn a_key_that_others_can_reach_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.key");
        create(
            &path,
            &SignerKey::from_seed("log.example", &[1; 32]).unwrap(),
        )
        .unwrap();
        for mode in [0o640, 0o604, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = load(&path).err().unwrap();
            assert!(matches!(error, KeyFileError::TooOpen { mode: seen, .. } if seen == mode));
            assert!(error.to_string().contains("chmod 600"));
        }
    }
}
