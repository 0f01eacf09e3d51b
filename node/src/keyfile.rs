//! Key files of logs and witnesses: a C2SP signed-note private key in one line, mode 0600, which a
//! passphrase may encrypt ([`assay_keyfile`]).

use assay_keyfile::{
    Passphrase, PrivateFileError, Unlock, UnlockError,
    passphrase::{self, Changed},
    private,
};
use assay_tlog::note::{Algorithm, CosignerKey, KeyError, SignerKey};
use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};
use zeroize::Zeroizing;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read or written, or others can.
    #[error(transparent)]
    File(#[from] PrivateFileError),
    /// It cannot be decrypted.
    #[error(transparent)]
    Unlock(#[from] UnlockError),
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

/// How the key files of this process are opened: one passphrase for all of them, as one service
/// has one credential.
static UNLOCK: OnceLock<Unlock> = OnceLock::new();

/// Says how encrypted key files are opened, before the first one is. Without it, it is by the
/// service's credential, or by what a person types.
pub fn unlock_by(unlock: Unlock) {
    let _ = UNLOCK.set(unlock);
}

/// How encrypted key files are opened.
pub fn unlock() -> &'static Unlock {
    UNLOCK.get_or_init(|| Unlock::new(None))
}

/// A key, and how its file is encrypted.
pub struct Kept<K> {
    /// The key.
    pub key: K,
    /// The passphrase that its file is encrypted with, if it is.
    pub passphrase: Option<Passphrase>,
}

/// Reads the log's key. Fails as [`KeyFileError`] says, and never shows any part of the key.
pub fn load(path: &Path) -> Result<SignerKey, KeyFileError> {
    open(path).map(|kept| kept.key)
}

/// Reads a witness's key, of type 0x04 or 0x06. Fails as [`load`] does.
pub fn load_cosigner(path: &Path) -> Result<CosignerKey, KeyFileError> {
    open_cosigner(path).map(|kept| kept.key)
}

/// As [`load`], with the passphrase.
pub fn open(path: &Path) -> Result<Kept<SignerKey>, KeyFileError> {
    read(path, unlock(), SignerKey::parse)
}

/// As [`load_cosigner`], with the passphrase.
pub fn open_cosigner(path: &Path) -> Result<Kept<CosignerKey>, KeyFileError> {
    read(path, unlock(), CosignerKey::parse)
}

fn read<K>(
    path: &Path,
    unlock: &Unlock,
    parse: impl Fn(&str) -> Result<K, KeyError>,
) -> Result<Kept<K>, KeyFileError> {
    let opened = unlock.open(path)?;
    Ok(Kept {
        key: parsed(path, &opened.content, parse)?,
        passphrase: opened.passphrase,
    })
}

fn parsed<K>(
    path: &Path,
    content: &[u8],
    parse: impl Fn(&str) -> Result<K, KeyError>,
) -> Result<K, KeyFileError> {
    let text = std::str::from_utf8(content).unwrap_or_default();
    parse(text.trim_end_matches('\n')).map_err(|e| KeyFileError::Malformed {
        path: path.into(),
        reason: e.to_string(),
    })
}

/// Writes a new key file, mode 0600, encrypted if there is a passphrase. It is durable on return.
/// An existing file is never overwritten.
pub fn create(
    path: &Path,
    key: &SignerKey,
    passphrase: Option<&Passphrase>,
) -> Result<(), KeyFileError> {
    write_new(path, key.to_private_string(), passphrase)
}

/// Writes a new key file of a witness, as [`create`] does.
pub fn create_cosigner(
    path: &Path,
    key: &CosignerKey,
    passphrase: Option<&Passphrase>,
) -> Result<(), KeyFileError> {
    write_new(path, key.to_private_string(), passphrase)
}

fn write_new(
    path: &Path,
    text: Zeroizing<String>,
    passphrase: Option<&Passphrase>,
) -> Result<(), KeyFileError> {
    let line = Zeroizing::new(format!("{}\n", *text));
    let sealed = passphrase::sealed(line.as_bytes(), passphrase)?;
    Ok(private::create(path, &sealed)?)
}

/// Encrypts a key file with another passphrase, or with none. What is no key is left as it is. At
/// every moment the file is whole; see [`passphrase::change`].
pub fn change_passphrase(
    path: &Path,
    unlock: &Unlock,
    new: Option<&Passphrase>,
) -> Result<Changed, KeyFileError> {
    passphrase::change(path, unlock, new, |content| {
        match parsed(path, content, CosignerKey::parse) {
            Ok(_) => Ok(()),
            Err(_) => parsed(path, content, SignerKey::parse).map(drop),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    fn log_key() -> SignerKey {
        SignerKey::from_seed("log.example", &[1; 32]).unwrap()
    }

    #[test]
    fn a_key_comes_back_and_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.key");
        let key = log_key();
        create(&path, &key, None).unwrap();
        assert_eq!(
            load(&path).unwrap().verifier().to_string(),
            key.verifier().to_string()
        );
        let again = create(&path, &key, None);
        assert!(matches!(
            again,
            Err(KeyFileError::File(PrivateFileError::Exists { .. }))
        ));
        let wrong = load_cosigner(&path).err().unwrap();
        assert!(matches!(wrong, KeyFileError::Malformed { .. }), "{wrong}");
    }

    #[test]
    fn a_key_that_others_can_reach_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.key");
        create(&path, &log_key(), None).unwrap();
        for mode in [0o640, 0o604, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = load(&path).err().unwrap();
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
    }

    /// The passphrase in a file, and how a process opens keys with it.
    fn passphrase(folder: &Path, text: &str) -> (Passphrase, Unlock) {
        let path = folder.join(text);
        private::create(&path, text.as_bytes()).unwrap();
        let typed = Passphrase::new(Zeroizing::new(text.to_owned())).unwrap();
        (typed, Unlock::new(Some(path)))
    }

    #[test]
    fn an_encrypted_key_is_read_with_its_passphrase_and_stays_so() {
        let folder = tempfile::tempdir().unwrap();
        let ((one, by_one), (two, by_two)) = (
            passphrase(folder.path(), "one"),
            passphrase(folder.path(), "two"),
        );
        let path = folder.path().join("w.key");
        let key = CosignerKey::from_seed("w.example/w", Algorithm::MlDsa44, &[1; 32]).unwrap();
        create_cosigner(&path, &key, Some(&one)).unwrap();
        let secret = key.to_private_string();
        let secret = &secret[secret.len() - 20..];
        assert!(!fs::read_to_string(&path).unwrap().contains(secret));
        let kept = read(&path, &by_one, CosignerKey::parse).unwrap();
        assert_eq!(kept.key.verifier(), key.verifier());
        assert_eq!(kept.passphrase.as_ref(), Some(&one));
        let refused = read(&path, &by_two, CosignerKey::parse).err().unwrap();
        assert!(
            refused.to_string().contains("passphrase is wrong"),
            "{refused}"
        );

        let changed = change_passphrase(&path, &by_one, Some(&two)).unwrap();
        assert!(changed.is_encrypted && !changed.is_old);
        assert!(read(&path, &by_one, CosignerKey::parse).is_err());
        assert!(read(&path, &by_two, CosignerKey::parse).is_ok());
        let changed = change_passphrase(&path, &by_two, None).unwrap();
        assert!(!changed.is_encrypted && !changed.is_old);
        assert!(fs::read_to_string(&path).unwrap().contains(secret));

        let no_key = folder.path().join("no.key");
        private::create(&no_key, b"a letter").unwrap();
        assert!(change_passphrase(&no_key, &by_one, Some(&two)).is_err());
        assert_eq!(fs::read(&no_key).unwrap(), b"a letter");
    }
}
