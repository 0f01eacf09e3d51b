//! The calls of a PKCS#11 module, all by one thread: finding the token, logging in, signing.
//!
//! After a failure the session is closed and the module given back, so that the next question
//! begins anew: a module finds its tokens when it is initialized. A PIN that was refused is not
//! tried again, and none that would be the last try: tokens lock themselves after a few wrong ones.
//!
//! A process may have several keys behind one module, each with a thread of its own: that of its
//! log, its witness, its mirror and its auditor. One thread at a time calls it, since none may be
//! in it while another one gives it back (PKCS#11, `C_Finalize`). That ends the sessions of all,
//! which the others open again.

use super::{PIN_CREDENTIAL, PIN_VARIABLE};
use crate::config::TokenUri;
use assay_host::files::demand_regular_or_none;
use assay_keyfile::{Passphrase, passphrase};
use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::{Error, RvError},
    mechanism::{
        Mechanism,
        eddsa::{EddsaParams, EddsaSignatureScheme},
    },
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::{Session, UserType},
    slot::{Slot, TokenInfo},
    types::AuthPin,
};
use std::{
    collections::BTreeMap,
    env, mem,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use zeroize::Zeroizing;

/// The modules of this process.
static ALL: Mutex<BTreeMap<PathBuf, Arc<Library>>> = Mutex::new(BTreeMap::new());

/// A module as those who call it share it.
#[derive(Default)]
struct Library {
    /// Whoever has it calls the module.
    turn: Mutex<()>,
    /// How often it was given back. Sessions of before are gone then, and their numbers may be
    /// those of others.
    given_back: AtomicU64,
}

impl Library {
    fn at(path: &Path) -> Arc<Self> {
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(path.to_owned()).or_default().clone()
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a module is asked.
pub enum Question {
    /// The public key of the key pair.
    PublicKey,
    /// The signature of these bytes.
    Signature(Vec<u8>),
}

/// A module, and the session that is open.
pub struct Module {
    uri: TokenUri,
    /// The token, in words.
    name: String,
    library: Arc<Library>,
    loaded: Option<Pkcs11>,
    session: Option<Session>,
    /// How often the module had been given back when the session was opened.
    opened_after: u64,
    /// The PIN that was refused.
    refused: Option<Passphrase>,
}

impl Module {
    /// The module that a URI names, which is not loaded yet.
    pub fn new(uri: TokenUri, name: String) -> Self {
        Module {
            library: Library::at(&uri.module),
            uri,
            name,
            loaded: None,
            session: None,
            opened_after: 0,
            refused: None,
        }
    }

    /// Answers in bytes, or says who is to blame. A session that was open may have ended meanwhile,
    /// so that another one is opened before that.
    pub fn answer(&mut self, question: &Question) -> Result<Vec<u8>, String> {
        let library = self.library.clone();
        let _turn = library.turn();
        if self.opened_after != library.given_back.load(Ordering::SeqCst) {
            // Not closed: what has its number now is another one's.
            mem::forget(self.session.take());
        }
        let was_open = self.session.is_some();
        match self.answer_once(question) {
            Err(_) if was_open => self.answer_once(question),
            answer => answer,
        }
    }

    fn answer_once(&mut self, question: &Question) -> Result<Vec<u8>, String> {
        let session = match self.session.take() {
            Some(session) => session,
            None => self.open()?,
        };
        let answer = match question {
            Question::PublicKey => self.public_key(&session),
            Question::Signature(text) => self.signature(&session, text),
        };
        match &answer {
            Ok(_) => self.session = Some(session),
            Err(_) => {
                drop(session);
                self.give_back();
            }
        }
        answer
    }

    /// Logs in to the token.
    fn open(&mut self) -> Result<Session, String> {
        let module = self.initialized()?;
        self.opened_after = self.library.given_back.load(Ordering::SeqCst);
        let opened = self.logged_in(&module);
        opened.inspect_err(|_| self.give_back())
    }

    /// The module, which is ready to be called.
    fn initialized(&mut self) -> Result<Pkcs11, String> {
        let path = self.uri.module.display();
        let module = match &self.loaded {
            Some(module) => module.clone(),
            None => load(&self.uri.module).map_err(|reason| {
                format!("the PKCS#11 module {path} cannot be loaded: {reason}")
            })?,
        };
        if self.loaded.is_none() {
            // It stays until the process ends: threads of it may still run when it is given back.
            mem::forget(module.clone());
            self.loaded = Some(module.clone());
        }
        match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(module),
            Err(error) => Err(format!(
                "the PKCS#11 module {path} does not start: {}",
                words(&error)
            )),
        }
    }

    fn give_back(&self) {
        if let Some(module) = &self.loaded {
            self.library.given_back.fetch_add(1, Ordering::SeqCst);
            let _ = module.clone().finalize();
        }
    }

    fn logged_in(&mut self, module: &Pkcs11) -> Result<Session, String> {
        let (slot, info) = self.slot(module)?;
        let session = module.open_ro_session(slot);
        let session = session.map_err(|error| self.failed("opens no session", &error))?;
        if info.login_required() {
            self.enter(&session, &info)?;
        }
        Ok(session)
    }

    /// The slot with the token.
    fn slot(&self, module: &Pkcs11) -> Result<(Slot, TokenInfo), String> {
        let slots = module.get_slots_with_token();
        let slots = slots.map_err(|error| self.failed("cannot be looked for", &error))?;
        let tokens = slots.into_iter().filter_map(|slot| {
            let info = module.get_token_info(slot).ok()?;
            Some((slot, info))
        });
        let (named, others): (Vec<_>, Vec<_>) = tokens.partition(|(_, info)| self.is_named(info));
        let count = named.len();
        match named.into_iter().next() {
            Some(one) if count == 1 => Ok(one),
            Some(_) => Err(self.is("is there twice: name it by its serial number, too")),
            None => Err(self.is(&format!(
                "is not there: the module {} sees {} other tokens",
                self.uri.module.display(),
                others.len()
            ))),
        }
    }

    fn is_named(&self, info: &TokenInfo) -> bool {
        let named = &self.uri.token;
        [
            (&named.label, info.label()),
            (&named.serial, info.serial_number()),
            (&named.model, info.model()),
            (&named.manufacturer, info.manufacturer_id()),
        ]
        .iter()
        .all(|(wanted, says)| wanted.as_ref().is_none_or(|wanted| wanted == says))
    }

    /// Logs in, unless that would do harm.
    fn enter(&mut self, session: &Session, info: &TokenInfo) -> Result<(), String> {
        if info.user_pin_locked() {
            return Err(self.is("is locked: too many wrong PINs. Its security officer unlocks it"));
        }
        if info.user_pin_final_try() {
            return Err(self.is(
                "locks itself after one more wrong PIN, so that none is tried: log in by hand once",
            ));
        }
        let pin = self.pin()?;
        if self.refused.as_ref() == Some(&pin) {
            return Err(self.is("refused the PIN, which is not tried again: put the right one"));
        }
        match session.login(
            UserType::User,
            Some(&AuthPin::from(pin.as_str().to_owned())),
        ) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
            Err(Error::Pkcs11(RvError::PinIncorrect, _)) => {
                self.refused = Some(pin);
                Err(self.is("refused the PIN, which is not tried again: put the right one"))
            }
            Err(error) => Err(self.failed("cannot be logged in to", &error)),
        }
    }

    /// The PIN: it is read each time, so that a change is seen.
    fn pin(&self) -> Result<Passphrase, String> {
        let file = self.uri.pin.clone();
        if let Some(file) = file.or_else(|| passphrase::credential(PIN_CREDENTIAL)) {
            return passphrase::read(&file)
                .map_err(|error| self.is(&format!("has no PIN: {error}")));
        }
        let variable = env::var(PIN_VARIABLE).ok();
        let pin = variable.and_then(|pin| Passphrase::new(Zeroizing::new(pin)));
        pin.ok_or_else(|| {
            self.is(&format!(
                "has no PIN: there is no pin-source in the URI, no credential {PIN_CREDENTIAL}, \
                 and {PIN_VARIABLE} is not set to one line of text"
            ))
        })
    }

    fn signature(&self, session: &Session, text: &[u8]) -> Result<Vec<u8>, String> {
        let key = self.key(session, ObjectClass::PRIVATE_KEY)?;
        let pure = EddsaParams::new(EddsaSignatureScheme::Pure);
        let signature = session.sign(&Mechanism::Eddsa(pure), key, text);
        signature.map_err(|error| self.failed("did not sign", &error))
    }

    fn public_key(&self, session: &Session) -> Result<Vec<u8>, String> {
        self.key(session, ObjectClass::PRIVATE_KEY)?;
        let key = self.key(session, ObjectClass::PUBLIC_KEY)?;
        let point = session.get_attributes(key, &[AttributeType::EcPoint]);
        let point = point.map_err(|error| self.failed("does not show the public key", &error))?;
        let key = match point.first() {
            Some(Attribute::EcPoint(point)) => public_key(point),
            _ => None,
        };
        key.map(<[u8]>::to_vec)
            .ok_or_else(|| self.is("has no Ed25519 key under that name, but one of another curve"))
    }

    /// The one key of this class that the URI names.
    fn key(&self, session: &Session, class: ObjectClass) -> Result<ObjectHandle, String> {
        let (object, id) = (self.uri.object.clone(), self.uri.id.clone());
        let mut template = vec![
            Attribute::Class(class),
            Attribute::KeyType(KeyType::EC_EDWARDS),
        ];
        template.extend(object.map(|label| Attribute::Label(label.into_bytes())));
        template.extend(id.map(Attribute::Id));
        let found = session.find_objects(&template);
        let found = found.map_err(|error| self.failed("cannot be searched", &error))?;
        let kind = if class == ObjectClass::PRIVATE_KEY {
            "private"
        } else {
            "public"
        };
        match found[..] {
            [one] => Ok(one),
            [] => Err(self.is(&format!(
                "does not hold the key: no {kind} one has that name"
            ))),
            _ => Err(self.is(&format!(
                "has several {kind} keys of that name: give both object and id"
            ))),
        }
    }

    fn is(&self, what: &str) -> String {
        format!("{} {what}", self.name)
    }

    fn failed(&self, what: &str, error: &Error) -> String {
        self.is(&format!("{what}: {}", words(error)))
    }
}

/// A session is closed while nobody else calls the module, and only if it is still this one's.
impl Drop for Module {
    fn drop(&mut self) {
        let _turn = self.library.turn();
        if self.opened_after != self.library.given_back.load(Ordering::SeqCst) {
            mem::forget(self.session.take());
        }
        drop(self.session.take());
    }
}

/// Loads a library, which the system would wait for if it were a pipe.
fn load(path: &Path) -> Result<Pkcs11, String> {
    demand_regular_or_none(path).map_err(|error| error.to_string())?;
    Pkcs11::new(path).map_err(|error| words(&error))
}

/// What went wrong, in few words. The standard's own are a paragraph each.
fn words(error: &Error) -> String {
    match error {
        Error::Pkcs11(value, function) => format!("{function:?} says {value:?}"),
        other => other.to_string(),
    }
}

/// The Ed25519 key in a point: as a DER octet string, as PKCS#11 3.0 has it, or as it is. `None` if
/// it is neither.
fn public_key(point: &[u8]) -> Option<&[u8]> {
    let key = match point {
        [4, 32, key @ ..] if key.len() == 32 => key,
        key => key,
    };
    (key.len() == 32).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_a_key_with_or_without_its_wrapping() {
        let key = [4; 32];
        let wrapped = [&[4, 32][..], &key].concat();
        assert_eq!(public_key(&key), Some(&key[..]));
        assert_eq!(public_key(&wrapped), Some(&key[..]));
        for wrong in [&wrapped[1..], &wrapped[..33], &[5, 32], &[], &[7; 57]] {
            assert_eq!(public_key(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_module_that_is_none_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.so");
        let uri = format!("pkcs11:token=a;object=b?module-path={}", path.display());
        let uri = TokenUri::parse(&uri).unwrap();
        for content in [None, Some("no library")] {
            if let Some(content) = content {
                std::fs::write(&path, content).unwrap();
            }
            let mut module = Module::new(uri.clone(), "the token".to_owned());
            let error = module.answer(&Question::PublicKey).unwrap_err();
            assert!(error.contains("cannot be loaded"), "{error}");
            assert!(error.contains("m.so"), "{error}");
        }
    }
}
