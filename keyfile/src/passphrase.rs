//! Where a passphrase comes from: a file, a systemd credential, or a person at a terminal; never an
//! argument or the environment, which others can see.

use crate::age::{self, AgeError, MOST_WORK, PASSPHRASE_BYTES, Passphrase, Random, WORK};
use crate::private::{self, CREDENTIALS, PrivateFileError};
use crate::terminal;
use std::{
    fmt,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};
use zeroize::Zeroizing;

/// The name of the systemd credential that is the passphrase.
pub const CREDENTIAL: &str = "assay-passphrase";

/// How often a person may mistype a passphrase.
const TRIES: usize = 3;

/// Why an encrypted file was not opened, or none was made.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    /// The key file, or the file with the passphrase, cannot be used.
    #[error(transparent)]
    File(#[from] PrivateFileError),
    /// There is no passphrase.
    #[error(
        "{path} is encrypted, and there is no passphrase: name a file with it by \
         --passphrase-file, give the service the credential {CREDENTIAL}, or run this on a \
         terminal",
        path = path.display()
    )]
    NoPassphrase {
        /// The key file.
        path: PathBuf,
    },
    /// There is no passphrase for a new file.
    #[error(
        "there is no passphrase to encrypt with: name a file with it, or run this on a terminal"
    )]
    NoNewPassphrase,
    /// The file with the passphrase holds none.
    #[error(
        "{path} holds no passphrase: one line of at most {PASSPHRASE_BYTES} bytes",
        path = path.display()
    )]
    NotOne {
        /// The file.
        path: PathBuf,
    },
    /// A person typed no passphrase.
    #[error("that is no passphrase: one line of at most {PASSPHRASE_BYTES} bytes")]
    Typed,
    /// A person typed two.
    #[error("the two passphrases are not the same; nothing was changed")]
    Different,
    /// The key file was not decrypted.
    #[error("{path} cannot be opened with {with}: {reason}", path = path.display())]
    Age {
        /// The key file.
        path: PathBuf,
        /// Where the passphrase is from.
        with: String,
        /// Why not.
        reason: AgeError,
    },
    /// A file was not encrypted.
    #[error("the key cannot be encrypted: {0}")]
    Encrypt(AgeError),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
    /// The terminal cannot be used.
    #[error("the terminal cannot be asked for a passphrase")]
    Terminal(#[source] io::Error),
}

/// A file that was opened.
pub struct Opened {
    /// What is in it.
    pub content: Zeroizing<Vec<u8>>,
    /// The passphrase that opened it, if it is encrypted.
    pub passphrase: Option<Passphrase>,
}

/// Without what is secret in it.
impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("is_encrypted", &self.passphrase.is_some())
            .finish_non_exhaustive()
    }
}

/// How the encrypted files of a process are opened.
#[derive(Debug, Default)]
pub struct Unlock {
    file: Option<PathBuf>,
    credential: Option<PathBuf>,
    /// Whether a person can be asked.
    asks: bool,
    /// What a person typed. Files are read again each time, so that a change is seen.
    typed: Mutex<Option<Passphrase>>,
}

impl Unlock {
    /// By the passphrase in `file` if one is named, else the service's credential
    /// [`CREDENTIAL`] if it has one, else what a person types, if standard error is a terminal.
    pub fn new(file: Option<PathBuf>) -> Self {
        Unlock {
            file,
            credential: credential(CREDENTIAL),
            asks: io::stderr().is_terminal(),
            typed: Mutex::default(),
        }
    }

    /// Reads a private file, and decrypts it if it is encrypted. A person may try three times.
    pub fn open(&self, path: &Path) -> Result<Opened, UnlockError> {
        self.opened(path, private::read(path)?)
    }

    /// Decrypts what was read from `path`, if it is encrypted.
    fn opened(&self, path: &Path, content: Zeroizing<Vec<u8>>) -> Result<Opened, UnlockError> {
        if !age::is_encrypted(&content) {
            return Ok(Opened {
                content,
                passphrase: None,
            });
        }
        let mut tries = TRIES;
        loop {
            let (passphrase, with) = self.passphrase(path)?;
            let refused = match age::decrypt(&content, &passphrase) {
                Ok(content) => {
                    let passphrase = Some(passphrase);
                    return Ok(Opened {
                        content,
                        passphrase,
                    });
                }
                Err(refused) => refused,
            };
            *self.typed() = None;
            tries -= 1;
            let may_retry = self.given().is_none() && refused == AgeError::Passphrase && tries > 0;
            if !may_retry {
                let path = path.to_owned();
                return Err(UnlockError::Age {
                    path,
                    with,
                    reason: refused,
                });
            }
        }
    }

    /// The file with the passphrase, unless a person types it.
    fn given(&self) -> Option<&PathBuf> {
        self.file.as_ref().or(self.credential.as_ref())
    }

    fn typed(&self) -> MutexGuard<'_, Option<Passphrase>> {
        self.typed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The passphrase of the key file at `path`, and where it is from, in words.
    fn passphrase(&self, path: &Path) -> Result<(Passphrase, String), UnlockError> {
        if let Some(from) = self.given() {
            let with = format!("the passphrase in {}", from.display());
            return Ok((read(from)?, with));
        }
        let mut typed = self.typed();
        let passphrase = match &*typed {
            Some(passphrase) => passphrase.clone(),
            None if self.asks => ask(&format!("Passphrase of {}: ", path.display()))?,
            None => return Err(UnlockError::NoPassphrase { path: path.into() }),
        };
        *typed = Some(passphrase.clone());
        Ok((passphrase, "this passphrase".to_owned()))
    }

    /// The passphrase for a new file: the one of this process, which a person types twice.
    pub fn for_new(&self) -> Result<Passphrase, UnlockError> {
        if let Some(from) = self.given() {
            return read(from);
        }
        let passphrase = self.ask_twice()?;
        *self.typed() = Some(passphrase.clone());
        Ok(passphrase)
    }

    /// The passphrase that takes the place of another one: that in `file`, or what a person types
    /// twice.
    pub fn replacing(&self, file: Option<&Path>) -> Result<Passphrase, UnlockError> {
        file.map_or_else(|| self.ask_twice(), read)
    }

    fn ask_twice(&self) -> Result<Passphrase, UnlockError> {
        if !self.asks {
            return Err(UnlockError::NoNewPassphrase);
        }
        let first = ask("New passphrase: ")?;
        if ask("The same again: ")? != first {
            return Err(UnlockError::Different);
        }
        Ok(first)
    }
}

/// The systemd credential of this name, if the service has it.
pub fn credential(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(CREDENTIALS).filter(|folder| !folder.is_empty())?;
    let folder = PathBuf::from(folder);
    Some(folder.join(name)).filter(|path| path.exists())
}

/// Reads a passphrase from a file that only its owner may read: one line.
pub fn read(path: &Path) -> Result<Passphrase, UnlockError> {
    let bytes = private::read(path)?;
    let text = std::str::from_utf8(&bytes).ok();
    let passphrase = text.and_then(|text| Passphrase::new(Zeroizing::new(text.to_owned())));
    passphrase.ok_or_else(|| UnlockError::NotOne { path: path.into() })
}

fn ask(prompt: &str) -> Result<Passphrase, UnlockError> {
    let typed = terminal::ask(prompt).map_err(UnlockError::Terminal)?;
    Passphrase::new(Zeroizing::new(typed)).ok_or(UnlockError::Typed)
}

/// Encrypts what goes into a private file, if there is a passphrase; else returns it as it is.
pub fn sealed(
    content: &[u8],
    passphrase: Option<&Passphrase>,
) -> Result<Zeroizing<Vec<u8>>, UnlockError> {
    let Some(passphrase) = passphrase else {
        return Ok(Zeroizing::new(content.to_vec()));
    };
    let random = Random::new().map_err(UnlockError::Random)?;
    let file = age::encrypt(content, passphrase, WORK, &random).map_err(UnlockError::Encrypt)?;
    Ok(Zeroizing::new(file.into_bytes()))
}

/// What became of a file whose passphrase was to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// Whether it is encrypted now, with the new passphrase.
    pub is_encrypted: bool,
    /// Whether it was so already, and is as it was.
    pub is_old: bool,
}

/// Encrypts the file at `path` with the passphrase `new`, or with `None` takes its encryption away.
/// It is opened by `unlock`; what `new` opens already is left as it is, so that a run that was cut
/// off can be repeated. `is_key` says whether the content is the caller's; what is not is left
/// alone, too.
///
/// At every moment the file is whole, the old one or the new one, and the new one is read back
/// before it takes the place of the old one.
pub fn change<E: From<UnlockError>>(
    path: &Path,
    unlock: &Unlock,
    new: Option<&Passphrase>,
    is_key: impl FnOnce(&[u8]) -> Result<(), E>,
) -> Result<Changed, E> {
    let before = private::read(path).map_err(UnlockError::File)?;
    let was_encrypted = age::is_encrypted(&before);
    let is_done = match new {
        Some(new) => was_encrypted && age::decrypt(&before, new).is_ok(),
        None => !was_encrypted,
    };
    let is_encrypted = new.is_some();
    if is_done {
        return Ok(Changed {
            is_encrypted,
            is_old: true,
        });
    }
    let opened = unlock.opened(path, before)?;
    is_key(&opened.content)?;
    let after = sealed(&opened.content, new)?;
    if let Some(new) = new {
        let again = age::decrypt(&after, new);
        if again.as_ref().map(|again| &**again) != Ok(&*opened.content) {
            return Err(UnlockError::Encrypt(AgeError::Failed).into());
        }
    }
    private::replace(path, &after).map_err(UnlockError::File)?;
    Ok(Changed {
        is_encrypted,
        is_old: false,
    })
}

const _: () = assert!(WORK <= MOST_WORK);

#[cfg(test)]
mod tests;
