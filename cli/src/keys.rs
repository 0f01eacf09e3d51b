//! Signing keys: Ed25519, PKCS#8 in PEM (RFC 8410), in a file that only its owner may read.
//!
//! A key file is created 0600 and never overwritten; a file that others may read is refused. Beside
//! it, `<file>.issuer` holds the id of the issuer that the key signs for, where that cannot be
//! derived from the key alone.

use crate::exit::Failure;
use assay_claims::issuer::IssuerId;
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use ed25519_dalek::SigningKey;
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// RFC 8410, section 7: `PrivateKeyInfo` of an Ed25519 key, version 1, up to the 32 bytes of the
/// seed.
const V1: [u8; 16] = *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
/// The same, version 2, whose end repeats the public key.
const V2: [u8; 16] = *b"\x30\x51\x02\x01\x01\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
/// What stands between seed and public key in version 2.
const V2_PUBLIC: [u8; 3] = *b"\x81\x21\x00";
const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";
/// Longest key file that is read.
const FILE_BYTES: u64 = 4096;

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
    /// Makes a key from random bytes and writes it to a new file, 0600. An existing file is never
    /// touched.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut())
            .map_err(|e| Failure::io("no random bytes", io::Error::other(e)))?;
        let signing = SigningKey::from_bytes(&seed);
        if let Some(folder) = path.parent() {
            let made = std::fs::create_dir_all(folder);
            made.map_err(|e| {
                Failure::io(format!("cannot make the folder {}", folder.display()), e)
            })?;
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(|e| {
                let path = path.display();
                match e.kind() {
                    io::ErrorKind::AlreadyExists => Failure::Usage(format!(
                        "{path} exists and is not overwritten; name another file for the new key"
                    )),
                    _ => Failure::io(format!("cannot create {path}"), e),
                }
            })?;
        file.write_all(to_pem(&seed).as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(|e| Failure::io(format!("cannot write {}", path.display()), e))?;
        Ok(Key {
            path: path.to_owned(),
            signing,
            sidecar: None,
        })
    }

    /// Reads a key. Fails with [`Failure::Usage`], saying what to do, if others may read the file
    /// or it holds no such key.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let file = File::open(path).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => Failure::Usage(format!(
                "{shown}: there is no such key; `assay key new {shown}` makes one"
            )),
            _ => Failure::io(format!("cannot read {shown}"), e),
        })?;
        let mode = file
            .metadata()
            .map_err(|e| Failure::io(format!("cannot read {shown}"), e))?
            .permissions()
            .mode();
        if mode & 0o077 != 0 {
            return Err(Failure::Usage(format!(
                "{shown} can be read by others (mode {:03o}); a signing key is refused like that. \
                 Run: chmod 600 {shown}",
                mode & 0o777
            )));
        }
        // Room for the whole file, so that growing leaves no copy of the key behind.
        let mut pem = Zeroizing::new(String::with_capacity(FILE_BYTES as usize + 1));
        let read = file.take(FILE_BYTES).read_to_string(&mut pem);
        read.map_err(|e| Failure::io(format!("cannot read {shown}"), e))?;
        let seed = from_pem(&pem).ok_or_else(|| {
            Failure::Usage(format!(
                "{shown} holds no Ed25519 private key in PKCS#8 PEM; `assay key new FILE` makes \
                 one, as does `openssl genpkey -algorithm ed25519`"
            ))
        })?;
        let sidecar = read_sidecar(path)?;
        Ok(Key {
            path: path.to_owned(),
            signing: SigningKey::from_bytes(&seed),
            sidecar,
        })
    }

    /// Reads several keys and refuses the same one twice.
    pub fn read_all(paths: &[PathBuf]) -> Result<Vec<Self>, Failure> {
        let mut keys: Vec<Key> = vec![];
        for path in paths {
            let key = Key::read(path)?;
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
            None => std::fs::write(&path, format!("{id}\n"))
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
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Failure::io(format!("cannot read {}", path.display()), e)),
    };
    crate::config::parse_issuer(text.trim())
        .map(Some)
        .map_err(|e| Failure::Usage(format!("{}: {e}", path.display())))
}

fn to_pem(seed: &[u8; 32]) -> Zeroizing<String> {
    let der = Zeroizing::new([&V1[..], seed].concat());
    let base64 = Zeroizing::new(BASE64.encode(&der));
    Zeroizing::new(format!("{BEGIN}\n{}\n{END}\n", base64.as_str()))
}

fn from_pem(pem: &str) -> Option<Zeroizing<[u8; 32]>> {
    let body = pem.split_once(BEGIN)?.1.split_once(END)?.0;
    let base64 = Zeroizing::new(body.split_ascii_whitespace().collect::<String>());
    let der = Zeroizing::new(BASE64.decode(base64.as_bytes()).ok()?);
    let seed = match der.strip_prefix(&V1) {
        Some(seed) => seed,
        None => {
            let (seed, rest) = der.strip_prefix(&V2)?.split_at_checked(32)?;
            let public = rest.strip_prefix(&V2_PUBLIC)?;
            let seed_bytes: Zeroizing<[u8; 32]> = Zeroizing::new(seed.try_into().ok()?);
            (SigningKey::from_bytes(&seed_bytes)
                .verifying_key()
                .as_bytes()[..]
                == *public)
                .then_some(seed)?
        }
    };
    Some(Zeroizing::new(seed.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_is_its_owners_alone_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/key.pem");
        let made = Key::create(&path).unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(Key::read(&path).unwrap().public(), made.public());
        let before = std::fs::read(&path).unwrap();
        assert!(
            matches!(Key::create(&path), Err(Failure::Usage(_))),
            "overwritten"
        );
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_key_that_others_may_read_is_refused_with_the_command_that_helps() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        Key::create(&path).unwrap();
        for mode in [0o640, 0o604, 0o620, 0o644, 0o601] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let error = Key::read(&path).err().unwrap().to_string();
            assert!(error.contains("chmod 600"), "{mode:o}: {error}");
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
        assert!(Key::read(&path).is_ok());
    }

    #[test]
    fn keys_of_other_tools_are_read() {
        // RFC 8410, section 10.3: the same key without and with its public key (there with
        // attributes, so re-made here).
        let v1 = "-----BEGIN PRIVATE \
            KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END \
            PRIVATE KEY-----\n";
        let seed = from_pem(v1).unwrap();
        let public = SigningKey::from_bytes(&seed).verifying_key().to_bytes();
        assert_eq!(
            hex::encode(public),
            "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1"
        );
        let v2 = |public: &[u8]| {
            let der = [&V2[..], &seed[..], &V2_PUBLIC, public].concat();
            format!("{BEGIN}\n{}\n{END}\n", BASE64.encode(der))
        };
        assert_eq!(from_pem(&v2(&public)), Some(seed.clone()));
        assert_eq!(
            from_pem(&v2(&[7; 32])),
            None,
            "a public key that is not the seed's"
        );
        assert_eq!(from_pem(&v1.replace("MC4C", "MC4D")), None);
        assert_eq!(from_pem("no key"), None);
    }

    #[test]
    fn a_key_signs_for_one_issuer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        let key = Key::create(&path).unwrap();
        assert_eq!(key.issuer(), IssuerId::derive(1, &[key.public()]));
        let other = IssuerId::derive(1, &[[7; 32]]);
        key.write_sidecar(&other).unwrap();
        let key = Key::read(&path).unwrap();
        assert_eq!(key.issuer(), other);
        assert!(key.write_sidecar(&other).is_ok());
        assert!(
            key.write_sidecar(&IssuerId::derive(1, &[key.public()]))
                .is_err()
        );
        assert!(
            Key::read_all(&[path.clone(), path]).is_err(),
            "one key twice"
        );
    }
}
