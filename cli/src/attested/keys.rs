//! Keys that registries sign with: as npm lists them, as Sigstore's TUF repository does, or one in
//! PEM.

use super::TRUST_BYTES;
use super::step::{Refused, Step};
use crate::{exit::Failure, input};
use assay_client::plain;
use serde::Deserialize;
use serde_json::Value;
use sigstore_verify::types::{DerPublicKey, TimeRange, TransparencyLogEntry};
use std::path::Path;

/// What a key of npm's signs, where the list says it.
const USAGE: &str = "npm:attestations";

/// A key.
pub struct Key {
    name: Option<String>,
    /// Its SubjectPublicKeyInfo.
    pub spki: DerPublicKey,
    /// When it may sign; always, if there is nothing.
    pub valid: Option<TimeRange>,
}

/// The keys that the person trusts.
#[derive(Default)]
pub struct Keys(Vec<Key>);

#[derive(Deserialize)]
struct List {
    keys: Vec<Listed>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Listed {
    #[serde(rename_all = "camelCase")]
    Tuf {
        key_id: String,
        key_usage: Option<String>,
        public_key: TufKey,
    },
    Npm {
        keyid: String,
        key: DerPublicKey,
        expires: Option<String>,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TufKey {
    raw_bytes: DerPublicKey,
    valid_for: Option<TimeRange>,
}

impl Keys {
    /// Reads a file of keys. Fails with [`Failure::Usage`] if it is none.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let document = input::read_setting(path, TRUST_BYTES)?;
        let wrong = |reason: String| {
            let shown = plain(&path.display().to_string());
            Failure::Usage(format!("{shown} has no keys: {}", plain(&reason)))
        };
        let text = str::from_utf8(&document.bytes).map_err(|_| wrong("it is not UTF-8".into()))?;
        if text.trim_start().starts_with("-----BEGIN") {
            let spki = DerPublicKey::from_pem(text);
            let spki = spki.map_err(|_| wrong("it is no public key in PEM".into()))?;
            return Ok(Keys(vec![Key {
                name: None,
                spki,
                valid: None,
            }]));
        }
        let list: List = serde_json::from_str(text).map_err(|_| {
            wrong("it is no list of keys, as npm or Sigstore has them, and no key in PEM".into())
        })?;
        let mut keys = Vec::new();
        for listed in list.keys {
            keys.extend(listed.into_key().map_err(wrong)?);
        }
        Ok(Keys(keys))
    }

    /// The key of this name. One that was given without a name is tried under any.
    ///
    /// Fails if keys were given, and not this one.
    pub fn find(&self, name: &str) -> Result<Option<&Key>, Refused> {
        let mut keys = self.0.iter();
        let named = keys.find(|key| key.name.as_deref().is_none_or(|own| own == name));
        if named.is_none() && !self.0.is_empty() {
            let reason =
                format!("it is signed with the key {name}, which is not among those given");
            return Err(Refused::new(Step::Signature, reason));
        }
        Ok(named)
    }
}

impl Listed {
    /// The key, unless it signs something else.
    fn into_key(self) -> Result<Option<Key>, String> {
        match self {
            Listed::Tuf {
                key_id,
                key_usage,
                public_key,
            } => Ok(key_usage.is_none_or(|usage| usage == USAGE).then_some(Key {
                name: Some(key_id),
                spki: public_key.raw_bytes,
                valid: public_key.valid_for,
            })),
            Listed::Npm {
                keyid,
                key,
                expires,
            } => {
                let valid = expires.map(|end| {
                    let range = serde_json::json!({"start": "1970-01-01T00:00:00Z", "end": end});
                    serde_json::from_value(range)
                        .map_err(|_| "`expires` of a key is no time".to_owned())
                });
                Ok(Some(Key {
                    name: Some(keyid),
                    spki: key,
                    valid: valid.transpose()?,
                }))
            }
        }
    }
}

/// The key that a log entry was made with, if it says one.
pub fn of_entry(entry: &TransparencyLogEntry) -> Option<DerPublicKey> {
    let body: Value = serde_json::from_slice(entry.canonicalized_body.as_bytes()).ok()?;
    let places = [
        "/spec/content/envelope/signatures/0/publicKey",
        "/spec/signatures/0/verifier",
        "/spec/signature/publicKey/content",
    ];
    let mut found = places
        .iter()
        .filter_map(|place| body.pointer(place)?.as_str());
    // PEM in base64, which is what this type reads.
    let pem = DerPublicKey::from_base64(found.next()?).ok()?;
    DerPublicKey::from_pem(str::from_utf8(pem.as_bytes()).ok()?).ok()
}
