//! Signing keys: Ed25519, PKCS#8 in PEM (RFC 8410), in a file that only its owner may read, and
//! that a passphrase may encrypt ([`assay_keyfile`]).
//!
//! A key file is created with mode 0600 and never overwritten. A file that others may read is
//! refused. Beside it, `<file>.issuer` holds the id of the issuer that the key signs for, where
//! that cannot be derived from the key alone.

use crate::{config, exit::Failure};
use assay_claims::issuer::IssuerId;
use assay_client::replace_public;
use assay_keyfile::{
    Passphrase, PrivateFileError, Unlock, UnlockError,
    passphrase::{self, Changed},
    private,
};
use ed25519::pkcs8::{
    DecodePrivateKey, EncodePrivateKey, KeypairBytes, spki::der::pem::LineEnding,
};
use ed25519_dalek::SigningKey;
use std::{
    io,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// A signing key and where it is from.
pub struct Key {
    /// Its file.
    pub path: PathBuf,
    /// The key.
    pub signing: SigningKey,
    /// What `<file>.issuer` says.
    sidecar: Option<IssuerId>,
}

impl Key {
    /// Makes a key from random bytes and writes it to a new file, with mode 0600, encrypted if
    /// there is a passphrase. An existing file is never touched.
    pub fn create(path: &Path, passphrase: Option<&Passphrase>) -> Result<Self, Failure> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut())
            .map_err(|e| Failure::io("no random bytes", io::Error::other(e)))?;
        let signing = SigningKey::from_bytes(&seed);
        let sealed = passphrase::sealed(to_pem(&signing)?.as_bytes(), passphrase)?;
        make_folder(path)?;
        private::create(path, &sealed)?;
        Ok(Key {
            path: path.to_owned(),
            signing,
            sidecar: None,
        })
    }

    /// Reads a key, and decrypts it if its file is encrypted. Fails with [`Failure::Usage`], saying
    /// what to do, if others may read the file or it holds no such key.
    pub fn read(path: &Path, unlock: &Unlock) -> Result<Self, Failure> {
        let opened = unlock.open(path)?;
        let signing = parse(path, &opened.content)?;
        Ok(Key {
            path: path.to_owned(),
            signing,
            sidecar: read_sidecar(path)?,
        })
    }

    /// Reads several keys and refuses the same one twice.
    pub fn read_all(paths: &[PathBuf], unlock: &Unlock) -> Result<Vec<Self>, Failure> {
        let mut keys: Vec<Key> = vec![];
        for path in paths {
            let key = Key::read(path, unlock)?;
            if let Some(same) = keys.iter().find(|other| other.public() == key.public()) {
                let (one, two) = (same.path.display(), path.display());
                return Err(Failure::Usage(format!(
                    "{one} and {two} are the same key; give each once"
                )));
            }
            keys.push(key);
        }
        Ok(keys)
    }

    /// The public key, 32 bytes.
    pub fn public(&self) -> [u8; 32] {
        self.signing.verifying_key().to_bytes()
    }

    /// The issuer it signs for: what its `.issuer` file says, or else the issuer that this key
    /// alone makes.
    pub fn issuer(&self) -> IssuerId {
        self.sidecar
            .unwrap_or_else(|| IssuerId::derive(1, &[self.public()]))
    }

    /// Whether its issuer is written beside it.
    pub fn has_sidecar(&self) -> bool {
        self.sidecar.is_some()
    }

    /// Writes `<file>.issuer`. One that says something else is left and reported.
    pub fn write_sidecar(&self, id: &IssuerId) -> Result<(), Failure> {
        let path = sidecar_path(&self.path);
        match self.sidecar {
            Some(there) if there == *id => Ok(()),
            Some(there) => Err(Failure::Usage(format!(
                "{} says that this key signs for {there}, not for {id}; a key signs for one \
                 issuer. Use another key",
                path.display()
            ))),
            None => replace_public(&path, format!("{id}\n").as_bytes())
                .map_err(|e| Failure::io(format!("cannot write {}", path.display()), e)),
        }
    }
}

fn sidecar_path(key: &Path) -> PathBuf {
    let mut name = key.as_os_str().to_owned();
    name.push(".issuer");
    name.into()
}

fn read_sidecar(key: &Path) -> Result<Option<IssuerId>, Failure> {
    let path = sidecar_path(key);
    let text = match assay_host::files::read_text(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Failure::io(format!("cannot read {}", path.display()), e)),
    };
    config::parse_issuer(text.trim())
        .map(Some)
        .map_err(|e| Failure::Usage(format!("{}: {e}", path.display())))
}

/// Encrypts the key file at `path` with another passphrase, or with none. What is no key is left as
/// it is. At every moment the file is whole; see [`passphrase::change`].
pub fn change_passphrase(
    path: &Path,
    unlock: &Unlock,
    new: Option<&Passphrase>,
) -> Result<Changed, Failure> {
    passphrase::change(path, unlock, new, |content| parse(path, content).map(drop))
}

/// What a person is told of a key that cannot be opened.
impl From<UnlockError> for Failure {
    fn from(error: UnlockError) -> Self {
        match error {
            UnlockError::File(error) => error.into(),
            UnlockError::Terminal(source) => Failure::io("cannot ask for a passphrase", source),
            UnlockError::Random(error) => Failure::io("no random bytes", io::Error::other(error)),
            error => Failure::Usage(error.to_string()),
        }
    }
}

/// What a person is told of a key file that cannot be used.
impl From<PrivateFileError> for Failure {
    fn from(error: PrivateFileError) -> Self {
        match error {
            PrivateFileError::Io { path, source } => {
                Failure::io(format!("cannot use {}", path.display()), source)
            }
            PrivateFileError::Missing { path } => {
                let shown = path.display();
                Failure::Usage(format!(
                    "{shown}: there is no such key; `assay key new {shown}` makes one"
                ))
            }
            error => Failure::Usage(error.to_string()),
        }
    }
}

/// Makes the folders above a file.
fn make_folder(path: &Path) -> Result<(), Failure> {
    let Some(folder) = path.parent() else {
        return Ok(());
    };
    std::fs::create_dir_all(folder)
        .map_err(|e| Failure::io(format!("cannot make the folder {}", folder.display()), e))
}

/// Reads the content of a key file.
fn parse(path: &Path, content: &[u8]) -> Result<SigningKey, Failure> {
    let text = std::str::from_utf8(content).unwrap_or_default();
    from_pem(text).ok_or_else(|| {
        let shown = path.display();
        Failure::Usage(if text.contains("BEGIN ENCRYPTED PRIVATE KEY") {
            format!(
                "{shown} is encrypted as PKCS#8, which is not read. Decrypt it with `openssl pkey \
                 -in {shown} -out FILE`, and encrypt FILE with `assay key passphrase FILE`"
            )
        } else {
            format!(
                "{shown} holds no Ed25519 private key in PKCS#8 PEM; `assay key new FILE` makes \
                 one, as does `openssl genpkey -algorithm ed25519`"
            )
        })
    })
}

/// PKCS#8 version 1 (RFC 8410, section 7): the private key alone. Every tool reads that; not every
/// tool reads version 2, which repeats the public key.
fn to_pem(key: &SigningKey) -> Result<Zeroizing<String>, Failure> {
    let pair = KeypairBytes {
        secret_key: key.to_bytes(),
        public_key: None,
    };
    pair.to_pkcs8_pem(LineEnding::LF)
        .map_err(|e| Failure::io("cannot encode the key", io::Error::other(e)))
}

/// Reads PKCS#8 of either version. In version 2, the public key must be that of the private key.
fn from_pem(pem: &str) -> Option<SigningKey> {
    let pair = KeypairBytes::from_pkcs8_pem(pem).ok()?;
    SigningKey::try_from(&pair).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519::pkcs8::PublicKeyBytes;
    use std::os::unix::fs::PermissionsExt;

    fn read(path: &Path) -> Result<Key, Failure> {
        Key::read(path, &Unlock::default())
    }

    #[test]
    fn a_new_key_is_its_owners_alone_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/key.pem");
        let made = Key::create(&path, None).unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(read(&path).unwrap().public(), made.public());
        let before = std::fs::read(&path).unwrap();
        assert!(
            matches!(Key::create(&path, None), Err(Failure::Usage(_))),
            "overwritten"
        );
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_key_that_others_may_read_is_refused_with_the_command_that_helps() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        Key::create(&path, None).unwrap();
        for mode in [0o640, 0o604, 0o620, 0o644, 0o601] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let error = read(&path).err().unwrap().to_string();
            assert!(error.contains("chmod 600"), "{mode:o}: {error}");
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
        assert!(read(&path).is_ok());
    }

    /// A key file as `assay key new` has always written it, here of the key in RFC 8410, section
    /// 10.3.
    const OWN: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
        -----END PRIVATE KEY-----\n";
    /// Its public key, as RFC 8410, section 10.1 has it.
    const PUBLIC: &str = "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";
    /// Made by `openssl genpkey -algorithm ed25519`, and its public key by `openssl pkey`.
    const OPENSSL: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEIMUxHRWSgeiQR5AOa5TiEwE+dL3gMp723sUwfwPWnZCb\n\
        -----END PRIVATE KEY-----\n";
    const OPENSSL_PUBLIC: &str = "4d96d760d30d3e184bba49a7973e8f305e730c23b5bedc195b55b2ef115afe53";

    fn public(pem: &str) -> Option<String> {
        from_pem(pem).map(|key| hex::encode(key.verifying_key().as_bytes()))
    }

    #[test]
    fn a_key_is_written_as_it_always_was() {
        let key = from_pem(OWN).unwrap();
        assert_eq!(*to_pem(&key).unwrap(), OWN);
        assert_eq!(public(OWN).as_deref(), Some(PUBLIC));
    }

    #[test]
    fn keys_of_other_tools_are_read() {
        assert_eq!(public(OPENSSL).as_deref(), Some(OPENSSL_PUBLIC));
        // Version 2, which repeats the public key.
        let key = from_pem(OWN).unwrap();
        let v2 = |public_key: [u8; 32]| {
            let pair = KeypairBytes {
                secret_key: key.to_bytes(),
                public_key: Some(PublicKeyBytes(public_key)),
            };
            pair.to_pkcs8_pem(LineEnding::LF).unwrap()
        };
        let good = v2(key.verifying_key().to_bytes());
        assert!(good.starts_with("-----BEGIN PRIVATE KEY-----\nMFECAQEwBQYDK2VwBCIEI"));
        assert_eq!(public(&good).as_deref(), Some(PUBLIC));
        assert_eq!(
            public(&v2([7; 32])),
            None,
            "not the private key's public key"
        );
    }

    #[test]
    fn what_is_no_ed25519_key_is_refused() {
        let broken = [
            OWN.replace("MC4C", "MC4D"),
            // The algorithm of X25519 (RFC 8410, section 3).
            OWN.replace("BQYDK2Vw", "BQYDK2Vu"),
            OWN.replace("PRIVATE", "ENCRYPTED PRIVATE"),
            OWN[..60].to_owned(),
            "no key".to_owned(),
            String::new(),
        ];
        for text in broken {
            assert_eq!(public(&text), None, "{text}");
        }
    }

    #[test]
    fn a_key_signs_for_one_issuer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        let key = Key::create(&path, None).unwrap();
        assert_eq!(key.issuer(), IssuerId::derive(1, &[key.public()]));
        let other = IssuerId::derive(1, &[[7; 32]]);
        key.write_sidecar(&other).unwrap();
        let key = read(&path).unwrap();
        assert_eq!(key.issuer(), other);
        assert!(key.write_sidecar(&other).is_ok());
        assert!(
            key.write_sidecar(&IssuerId::derive(1, &[key.public()]))
                .is_err()
        );
        assert!(
            Key::read_all(&[path.clone(), path], &Unlock::default()).is_err(),
            "one key twice"
        );
    }
}
