//! A key in a PKCS#11 token: a hardware security module, or SoftHSM.
//!
//! The module is somebody else's library in this process, which may take any time, so that a thread
//! of its own calls it.

mod module;
mod thread;

use self::module::{Module, Question};
use self::thread::{Silence, Thread};
use super::elsewhere::Holder;
use crate::config::TokenUri;
use assay_tlog::note::{Algorithm, KeyError, VerifierKey};
use std::time::Duration;

/// How long a token has for one signature, from the loading of its module on. A node that stops
/// waits no longer than this.
const PATIENCE: Duration = Duration::from_secs(5);

/// The systemd credential that is the PIN, if the URI names no file.
pub const PIN_CREDENTIAL: &str = "assay-token-pin";

/// The variable that is the PIN, if there is neither a file nor a credential.
pub const PIN_VARIABLE: &str = "ASSAY_NODE_TOKEN_PIN";

/// Why a token gives no key.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It cannot be used, or has no such key.
    #[error("{0}")]
    Token(String),
    /// The key cannot be used, or not under this name.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// A token that holds a key.
pub struct Token {
    name: String,
    thread: Thread<Question, Result<Vec<u8>, String>>,
}

impl Token {
    /// The token and the key that a URI names. Its module is loaded when the token is asked, and
    /// not before.
    pub fn new(uri: &TokenUri) -> Self {
        let name = format!("the PKCS#11 token {}", uri.token);
        let (uri, named) = (uri.clone(), name.clone());
        let make = move || {
            let mut module = Module::new(uri.clone(), named.clone());
            Box::new(move |question| module.answer(&question)) as thread::Answers<_, _>
        };
        let thread = Thread::new("pkcs11", make);
        Token { name, thread }
    }

    /// Asks the token for the public key, as a key of this name and for what `algorithm` signs.
    pub fn public_key(&self, name: &str, algorithm: Algorithm) -> Result<VerifierKey, TokenError> {
        let key = self.ask(Question::PublicKey).map_err(TokenError::Token)?;
        Ok(VerifierKey::new(name, algorithm, &key)?)
    }

    fn ask(&self, question: Question) -> Result<Vec<u8>, String> {
        let name = &self.name;
        let answer = self.thread.ask(question, PATIENCE);
        answer.unwrap_or_else(|silence| {
            Err(match silence {
                Silence::Late => format!("{name} did not answer within {PATIENCE:?}"),
                Silence::Failed => format!("{name} cannot be asked: the thread for it failed"),
                Silence::NoThread(error) => format!("{name} cannot be asked: {error}"),
            })
        })
    }
}

impl Holder for Token {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn sign(&self, _: &VerifierKey, text: &str) -> Result<Vec<u8>, String> {
        self.ask(Question::Signature(text.as_bytes().to_vec()))
    }

    fn look_for(&self, key: &VerifierKey) -> Result<(), String> {
        let has = self.public_key(key.name(), key.algorithm());
        let has = has.map_err(|e| e.to_string())?;
        if has == *key {
            return Ok(());
        }
        let name = &self.name;
        Err(format!(
            "{name} has another key under that name, {has}: give it back the one that the \
             configuration names"
        ))
    }
}
