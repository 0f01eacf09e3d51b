//! The table `token`: a key is in a PKCS#11 token.

use super::vkey::read_vkey;
use assay_tlog::note::VerifierKey;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use std::{fmt, path::PathBuf};

/// A key that a PKCS#11 token holds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenConfig {
    /// The verifier key, of Ed25519, which the token must have.
    #[serde(deserialize_with = "read_vkey")]
    pub vkey: VerifierKey,
    /// The key in the token, and the module that reaches it.
    pub uri: TokenUri,
}

/// A PKCS#11 URI (RFC 7512) of one key pair. It names the module, the token and the key, and holds
/// no secret. Its text is kept as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct TokenUri {
    text: String,
    /// The module: a shared library. An absolute path.
    pub module: PathBuf,
    /// What the token says of itself; what is not given is not compared. Label or serial number is.
    pub token: TokenWords,
    /// The label of the keys (`CKA_LABEL`). This one or [`TokenUri::id`] is given.
    pub object: Option<String>,
    /// Their id (`CKA_ID`).
    pub id: Option<Vec<u8>>,
    /// The file with the PIN. An absolute path.
    pub pin: Option<PathBuf>,
}

/// What a token says of itself.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct TokenWords {
    /// Its label.
    pub label: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// Who made it.
    pub manufacturer: Option<String>,
}

/// Why a text is no URI of a key in a token. No error shows the text, which may hold a PIN.
#[derive(Debug, thiserror::Error)]
pub enum UriError {
    /// It is something else.
    #[error("it does not begin with `pkcs11:` (RFC 7512)")]
    Scheme,
    /// A part of it is unknown here, or not of its form.
    #[error("its part {0:?} is not understood: it has token or serial, object or id, module-path")]
    Part(String),
    /// A part stands there twice.
    #[error("its part {0:?} stands there twice")]
    Twice(String),
    /// It holds the PIN.
    #[error(
        "it holds a PIN, which others can read: put the PIN into a file, and name that by \
         pin-source=file:/…"
    )]
    Pin,
    /// Something is not said.
    #[error("it does not name {0}")]
    Missing(&'static str),
}

/// Whether a text has the member of such a URI that is a PIN, wherever and however it stands.
pub(super) fn holds_pin(text: &str) -> bool {
    text.to_ascii_lowercase().contains("pin-value")
}

/// The parts of a URI, each once.
struct Parts(Vec<(String, Vec<u8>)>);

impl TokenUri {
    /// Reads a URI. Fails with what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        // Wherever it stands: behind a wrong separator it would be a piece of another part.
        if holds_pin(text) {
            return Err(UriError::Pin);
        }
        let parts = text.strip_prefix("pkcs11:").ok_or(UriError::Scheme)?;
        let (path, query) = parts.split_once('?').unwrap_or((parts, ""));
        let mut parts = Parts(Vec::new());
        path.split(';').try_for_each(|part| parts.add(part))?;
        query.split('&').try_for_each(|part| parts.add(part))?;
        let uri = TokenUri {
            text: text.to_owned(),
            module: parts
                .file("module-path")?
                .ok_or(UriError::Missing("the module (module-path=/…)"))?,
            token: TokenWords {
                label: parts.text("token")?,
                serial: parts.text("serial")?,
                model: parts.text("model")?,
                manufacturer: parts.text("manufacturer")?,
            },
            object: parts.text("object")?,
            id: parts.take("id"),
            pin: parts.file("pin-source")?,
        };
        if parts.text("type")?.is_some_and(|kind| kind != "private") {
            return Err(UriError::Part("type".to_owned()));
        }
        if let Some((name, _)) = parts.0.pop() {
            return Err(UriError::Part(name));
        }
        if uri.token.label.is_none() && uri.token.serial.is_none() {
            return Err(UriError::Missing("the token (token=… or serial=…)"));
        }
        if uri.object.is_none() && uri.id.is_none() {
            return Err(UriError::Missing("the key (object=… or id=%…)"));
        }
        Ok(uri)
    }
}

impl Parts {
    fn add(&mut self, part: &str) -> Result<(), UriError> {
        if part.is_empty() {
            return Ok(());
        }
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let is_escaped = |rest: &str| {
            let digits = rest.as_bytes().first_chunk::<2>();
            digits.is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit))
        };
        if value.is_empty() || !value.split('%').skip(1).all(is_escaped) {
            return Err(UriError::Part(name.to_owned()));
        }
        if self.0.iter().any(|(known, _)| known == name) {
            return Err(UriError::Twice(name.to_owned()));
        }
        let value = percent_decode_str(value).collect();
        self.0.push((name.to_owned(), value));
        Ok(())
    }

    fn take(&mut self, name: &str) -> Option<Vec<u8>> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(at).1)
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, UriError> {
        let text = self.take(name).map(String::from_utf8).transpose();
        text.map_err(|_| UriError::Part(name.to_owned()))
    }

    /// A path, with or without `file:` before it. A program that is to be run is none.
    fn file(&mut self, name: &str) -> Result<Option<PathBuf>, UriError> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let path = text.strip_prefix("file:").unwrap_or(&text);
        let path = PathBuf::from(path.strip_prefix("//").unwrap_or(path));
        if path.is_absolute() {
            return Ok(Some(path));
        }
        Err(UriError::Part(name.to_owned()))
    }
}

/// The token, as a person knows it.
impl fmt::Display for TokenWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [
            ("", &self.label),
            ("serial number ", &self.serial),
            ("model ", &self.model),
            ("by ", &self.manufacturer),
        ];
        let given = words.iter().filter_map(|(what, word)| {
            let word = word.as_ref()?;
            Some(format!("{what}{word:?}"))
        });
        f.write_str(&given.collect::<Vec<_>>().join(", "))
    }
}

impl TryFrom<String> for TokenUri {
    type Error = UriError;

    fn try_from(text: String) -> Result<Self, UriError> {
        TokenUri::parse(&text)
    }
}

/// The text that was given.
impl fmt::Display for TokenUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_names_a_module_a_token_and_a_key() {
        let text = "pkcs11:model=SoftHSM%20v2;manufacturer=SoftHSM%20project;serial=b3bb;\
                    token=my%20logs;id=%01%ff;object=log;type=private?module-path=/lib/m.so&\
                    pin-source=file:/etc/assay/pin";
        let uri = TokenUri::parse(text).unwrap();
        assert_eq!(uri.module, PathBuf::from("/lib/m.so"));
        assert_eq!(uri.pin, Some(PathBuf::from("/etc/assay/pin")));
        assert_eq!(uri.id.as_deref(), Some(&[1, 0xff][..]));
        assert_eq!(uri.object.as_deref(), Some("log"));
        assert_eq!(
            uri.token.to_string(),
            "\"my logs\", serial number \"b3bb\", model \"SoftHSM v2\", by \"SoftHSM project\""
        );
        assert_eq!(uri.to_string(), text);
        let least = TokenUri::parse("pkcs11:serial=1;id=%01?module-path=/m").unwrap();
        assert_eq!((least.pin, least.object), (None, None));
        for pin in ["file:///p", "/p"] {
            let text = format!("pkcs11:token=a;object=b?module-path=/m&pin-source={pin}");
            assert_eq!(TokenUri::parse(&text).unwrap().pin, Some("/p".into()));
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_and_no_pin_is_shown() {
        for (text, words) in [
            ("token=a;object=b?module-path=/m", "pkcs11:"),
            ("pkcs11:token=a;object=b", "the module"),
            ("pkcs11:object=b?module-path=/m", "the token"),
            ("pkcs11:model=x;object=b?module-path=/m", "the token"),
            ("pkcs11:token=a?module-path=/m", "the key"),
            ("pkcs11:token=a;object=b?module-path=m.so", "module-path"),
            (
                "pkcs11:token=a;object=b?module-path=/m&pin-source=|cat",
                "pin-source",
            ),
            (
                "pkcs11:token=a;object=b;object=c?module-path=/m",
                "\"object\" stands there twice",
            ),
            (
                "pkcs11:token=a;object=b;slot-id=1?module-path=/m",
                "slot-id",
            ),
            ("pkcs11:token=a;object=b;type=cert?module-path=/m", "type"),
            ("pkcs11:token=%f;object=b?module-path=/m", "token"),
            ("pkcs11:token=%ff;object=b?module-path=/m", "token"),
            ("pkcs11:token=;object=b?module-path=/m", "token"),
            (
                "pkcs11:token=a;object=b?module-path=/m&pin-value=123456",
                "holds a PIN",
            ),
            (
                "pkcs11:token=a;object=b?module-path=/m;pin-value=123456",
                "holds a PIN",
            ),
            (
                "pkcs11:token=a;object=b?module-path=/m?PIN-VALUE:123456",
                "holds a PIN",
            ),
            ("token=a;object=b&pin-value=123456", "holds a PIN"),
        ] {
            let error = TokenUri::parse(text).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
            assert!(!error.contains("123456"), "{error}");
        }
    }
}
