//! `urn:assay:issuer:v1`: registers an issuer, or rotates its keys (docs/design.md 3.3 and 3.4).
//!
//! The subject of such a claim is the issuer itself: one subject whose `sha256` digest is the
//! issuer's id, which is a SHA-256 value. Scope: what the predicate must look like. What follows
//! from it is [`crate::issuer`]'s.

use super::error::PredicateError;
use super::predicate::{Predicate, TypeOf};
use crate::claim::{ClaimId, KeyFault, PublicKey};
use crate::json::Value;
use crate::limits;
use crate::statement::{Statement, StatementError, Subject};
use assay_tlog::Hash;

/// The predicate type's URI.
pub const URI: &str = "urn:assay:issuer:v1";

/// Longest text in a record, in bytes: a name, a contact, a namespace.
const TEXT_BYTES: usize = 512;

/// Most contacts, namespaces or roles.
const LIST: usize = 64;

/// The roles of docs/design.md 1.
pub const ROLES: &[&str] = &[
    "maintainer",
    "auditor",
    "scanner",
    "supplier",
    "finder",
    "coordinator",
    "builder",
];

/// The predicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// What the issuer calls itself. It proves nothing.
    pub name: String,
    /// Where to reach it: URIs (`mailto:`, `https:`).
    pub contacts: Vec<String>,
    /// Its keys, distinct and strong, from 1 to [`limits::ISSUER_KEYS`].
    pub keys: Vec<PublicKey>,
    /// How many of the keys must sign a claim: from 1 to their number.
    pub threshold: u32,
    /// The keys that sign records and key compromises in place of `keys`, if there are any.
    pub rotation: Option<Rotation>,
    /// 0 for the registration, one more for every rotation.
    pub sequence: u32,
    /// The claim id of the record before; none in the registration.
    pub previous: Option<ClaimId>,
    /// Purls without a version, or beginnings of them, that the issuer says it speaks for. It
    /// proves nothing.
    pub namespaces: Vec<String>,
    /// What it says it does: of [`ROLES`]. It proves nothing.
    pub roles: Vec<String>,
}

/// The keys that change an issuer's keys: a root, which can be kept offline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// From 1 to [`limits::ISSUER_ROTATION_KEYS`], distinct and strong, and none of the keys that
    /// sign claims: a key that is at hand every day is no root.
    pub keys: Vec<PublicKey>,
    /// How many of them must sign a record or a key compromise: from 1 to their number.
    pub threshold: u32,
}

fn fault(path: impl AsRef<str>, reason: impl Into<String>) -> PredicateError {
    PredicateError {
        path: format!("$.predicate{}", path.as_ref()),
        reason: reason.into(),
    }
}

impl Predicate for Issuer {
    const NAME: &'static str = "issuer";
    const TYPES: &'static [TypeOf<Self>] = &[TypeOf::new("issuer", &[URI], |node| {
        Self::parse(node.value())
    })];
}

impl Issuer {
    /// Reads a predicate. It guarantees what the fields say; fields that are not known are passed
    /// over, as in-toto asks.
    pub fn parse(predicate: &Value) -> Result<Self, PredicateError> {
        if predicate.as_object().is_none() {
            return Err(fault("", "must be an object"));
        }
        let issuer = Issuer {
            name: text(predicate.get("name"), ".name")?,
            contacts: texts(predicate, "contacts")?,
            keys: keys(predicate, "keys", limits::ISSUER_KEYS)?,
            threshold: number(predicate, "threshold")?,
            rotation: rotation(predicate)?,
            sequence: number(predicate, "sequence")?,
            previous: previous(predicate)?,
            namespaces: texts(predicate, "namespaces")?,
            roles: texts(predicate, "roles")?,
        };
        issuer.check()?;
        Ok(issuer)
    }

    fn check(&self) -> Result<(), PredicateError> {
        check_threshold(".threshold", self.threshold, &self.keys)?;
        if let Some(rotation) = &self.rotation {
            check_threshold(".rotationThreshold", rotation.threshold, &rotation.keys)?;
            let both = rotation.keys.iter().position(|key| self.keys.contains(key));
            if let Some(i) = both {
                let reason = "signs claims too; a rotation key is another key, kept offline";
                return Err(fault(format!(".rotationKeys[{i}]"), reason));
            }
        }
        match (self.sequence, &self.previous) {
            (0, Some(_)) => Err(fault(
                ".previous",
                "must be absent from a registration (sequence 0)",
            )),
            (1.., None) => Err(fault(
                ".previous",
                "must be the claim id of the record before",
            )),
            _ => Ok(()),
        }?;
        match self
            .roles
            .iter()
            .position(|role| !ROLES.contains(&role.as_str()))
        {
            Some(i) => Err(fault(
                format!(".roles[{i}]"),
                format!("must be one of {}", ROLES.join(", ")),
            )),
            None => Ok(()),
        }
    }

    /// The predicate as JSON, fields in the order of this type.
    pub fn to_value(&self) -> Value {
        let hex = |keys: &[PublicKey]| keys.iter().map(PublicKey::to_hex).collect::<Vec<_>>();
        let mut members = vec![
            ("name".to_owned(), Value::from(self.name.as_str())),
            ("contacts".to_owned(), self.contacts.clone().into()),
            ("keys".to_owned(), hex(&self.keys).into()),
            ("threshold".to_owned(), self.threshold.into()),
        ];
        if let Some(rotation) = &self.rotation {
            let threshold = rotation.threshold.into();
            members.push(("rotationKeys".to_owned(), hex(&rotation.keys).into()));
            members.push(("rotationThreshold".to_owned(), threshold));
        }
        members.push(("sequence".to_owned(), self.sequence.into()));
        members.extend(
            self.previous
                .map(|previous| ("previous".to_owned(), previous.to_hex().into())),
        );
        members.push(("namespaces".to_owned(), self.namespaces.clone().into()));
        members.push(("roles".to_owned(), self.roles.clone().into()));
        Value::Object(members)
    }

    /// The statement that registers or rotates the issuer of this id to the record.
    pub fn statement(&self, id: &Hash) -> Result<Statement, StatementError> {
        let subject = Subject::artifact(Some(self.name.clone()), id);
        Statement::new(vec![subject], URI, self.to_value())
    }
}

fn check_threshold(path: &str, threshold: u32, keys: &[PublicKey]) -> Result<(), PredicateError> {
    let most = u32::try_from(keys.len()).unwrap_or(u32::MAX);
    if threshold == 0 || threshold > most {
        return Err(fault(
            path,
            format!("must be from 1 to the number of keys, {most}"),
        ));
    }
    Ok(())
}

fn text(value: Option<&Value>, path: &str) -> Result<String, PredicateError> {
    match value.and_then(Value::as_str) {
        Some(text)
            if text.is_empty() || text.len() > TEXT_BYTES || text.chars().any(char::is_control) =>
        {
            Err(fault(
                path,
                format!("must have from 1 to {TEXT_BYTES} bytes and no control character"),
            ))
        }
        Some(text) => Ok(text.to_owned()),
        None => Err(fault(path, "must be a string")),
    }
}

/// A list of texts; absent is empty.
fn texts(predicate: &Value, key: &str) -> Result<Vec<String>, PredicateError> {
    match predicate.get(key) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) if items.len() <= LIST => items
            .iter()
            .enumerate()
            .map(|(i, item)| text(Some(item), &format!(".{key}[{i}]")))
            .collect(),
        Some(_) => Err(fault(
            format!(".{key}"),
            format!("must be an array of at most {LIST} strings"),
        )),
    }
}

fn number(predicate: &Value, key: &str) -> Result<u32, PredicateError> {
    let number = predicate
        .get(key)
        .and_then(Value::as_u64)
        .and_then(|n| u32::try_from(n).ok());
    number.ok_or_else(|| fault(format!(".{key}"), "must be a whole number of 32 bits"))
}

fn previous(predicate: &Value) -> Result<Option<ClaimId>, PredicateError> {
    match predicate.get("previous") {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_str().and_then(ClaimId::from_hex) {
            Some(id) => Ok(Some(id)),
            None => Err(fault(
                ".previous",
                "must be a claim id in 64 lower-case hex digits",
            )),
        },
    }
}

/// The rotation keys; an issuer without any has neither of the two fields.
fn rotation(predicate: &Value) -> Result<Option<Rotation>, PredicateError> {
    let absent = |key| matches!(predicate.get(key), None | Some(Value::Null));
    if absent("rotationKeys") && absent("rotationThreshold") {
        return Ok(None);
    }
    Ok(Some(Rotation {
        keys: keys(predicate, "rotationKeys", limits::ISSUER_ROTATION_KEYS)?,
        threshold: number(predicate, "rotationThreshold")?,
    }))
}

fn keys(predicate: &Value, name: &str, most: usize) -> Result<Vec<PublicKey>, PredicateError> {
    let listed = predicate
        .get(name)
        .and_then(Value::as_array)
        .unwrap_or_default();
    if listed.is_empty() || listed.len() > most {
        return Err(fault(
            format!(".{name}"),
            format!("must be an array of 1 to {most} keys"),
        ));
    }
    let mut keys: Vec<PublicKey> = Vec::with_capacity(listed.len());
    for (i, item) in listed.iter().enumerate() {
        let key = item
            .as_str()
            .map_or(Err(KeyFault::Length), PublicKey::from_hex);
        let key = key.map_err(|e| {
            fault(
                format!(".{name}[{i}]"),
                format!("{e}; a key is 64 lower-case hex digits"),
            )
        })?;
        if keys.contains(&key) {
            return Err(fault(format!(".{name}[{i}]"), "stands twice"));
        }
        keys.push(key);
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;
    use ed25519_dalek::SigningKey;

    fn key(seed: u8) -> PublicKey {
        PublicKey::from(&SigningKey::from_bytes(&[seed; 32]))
    }

    fn issuer() -> Issuer {
        Issuer {
            name: "Example".into(),
            contacts: vec!["mailto:security@example.com".into()],
            keys: vec![key(1), key(2)],
            threshold: 2,
            rotation: Some(Rotation {
                keys: vec![key(3), key(4), key(5)],
                threshold: 2,
            }),
            sequence: 1,
            previous: ClaimId::from_hex(&"ab".repeat(32)),
            namespaces: vec!["pkg:cargo/example".into()],
            roles: vec!["maintainer".into()],
        }
    }

    #[test]
    fn a_record_reads_back() {
        let json = issuer().to_value().to_json();
        assert_eq!(
            Issuer::parse(&json::parse(json.as_bytes()).unwrap()),
            Ok(issuer())
        );
    }

    #[test]
    fn optional_fields_may_be_absent_and_unknown_ones_are_passed_over() {
        let json = format!(
            r#"{{"name":"a","keys":["{}"],"threshold":1,"sequence":0,"x":1}}"#,
            key(1).to_hex()
        );
        let issuer = Issuer::parse(&json::parse(json.as_bytes()).unwrap()).unwrap();
        assert!(issuer.previous.is_none() && issuer.contacts.is_empty() && issuer.roles.is_empty());
        assert_eq!(issuer.rotation, None);
    }

    #[test]
    fn every_field_is_checked_and_named() {
        let refused = |edit: fn(&mut Issuer)| {
            let mut changed = issuer();
            edit(&mut changed);
            Issuer::parse(&changed.to_value()).unwrap_err().path
        };
        assert_eq!(refused(|i| i.name.clear()), "$.predicate.name");
        assert_eq!(refused(|i| i.name = "a\u{7f}".into()), "$.predicate.name");
        assert_eq!(
            refused(|i| i.contacts = vec![String::new()]),
            "$.predicate.contacts[0]"
        );
        assert_eq!(
            refused(|i| i.namespaces = vec!["x".into(); 65]),
            "$.predicate.namespaces"
        );
        assert_eq!(
            refused(|i| i.roles.push("king".into())),
            "$.predicate.roles[1]"
        );
        assert_eq!(refused(|i| i.keys.clear()), "$.predicate.keys");
        assert_eq!(
            refused(|i| i.keys = (10..19).map(key).collect()),
            "$.predicate.keys"
        );
        assert_eq!(refused(|i| i.keys.push(key(1))), "$.predicate.keys[2]");
        assert_eq!(refused(|i| i.threshold = 0), "$.predicate.threshold");
        assert_eq!(refused(|i| i.threshold = 3), "$.predicate.threshold");
        assert_eq!(refused(|i| i.sequence = 0), "$.predicate.previous");
        assert_eq!(refused(|i| i.previous = None), "$.predicate.previous");
    }

    #[test]
    fn rotation_keys_are_checked_as_the_others_and_are_none_of_them() {
        let refused = |edit: fn(&mut Rotation)| {
            let mut changed = issuer();
            edit(changed.rotation.as_mut().unwrap());
            Issuer::parse(&changed.to_value()).unwrap_err().path
        };
        assert_eq!(refused(|r| r.keys.clear()), "$.predicate.rotationKeys");
        let many = refused(|r| r.keys = (10..19).map(key).collect());
        assert_eq!(many, "$.predicate.rotationKeys");
        let twice = refused(|r| r.keys.push(key(3)));
        assert_eq!(twice, "$.predicate.rotationKeys[3]");
        let signs_claims = refused(|r| r.keys[1] = key(2));
        assert_eq!(signs_claims, "$.predicate.rotationKeys[1]");
        for threshold in [0, 4] {
            let mut changed = issuer();
            changed.rotation.as_mut().unwrap().threshold = threshold;
            let refused = Issuer::parse(&changed.to_value()).unwrap_err();
            assert_eq!(refused.path, "$.predicate.rotationThreshold");
        }
        // One of the two fields is a mistake.
        let json = issuer().to_value().to_json();
        for (field, path) in [
            ("rotationKeys", "$.predicate.rotationKeys"),
            ("rotationThreshold", "$.predicate.rotationThreshold"),
        ] {
            let without = json.replace(field, "other");
            let refused = Issuer::parse(&json::parse(without.as_bytes()).unwrap()).unwrap_err();
            assert_eq!(refused.path, path);
        }
    }

    #[test]
    fn weak_and_malformed_keys_are_refused() {
        for bad in [
            "",
            "00",
            &"00".repeat(32),
            &key(1).to_hex().to_uppercase(),
            &"ff".repeat(32),
        ] {
            let json = format!(r#"{{"name":"a","keys":["{bad}"],"threshold":1,"sequence":0}}"#);
            assert_eq!(
                Issuer::parse(&json::parse(json.as_bytes()).unwrap())
                    .unwrap_err()
                    .path,
                "$.predicate.keys[0]"
            );
        }
        assert_eq!(Issuer::parse(&Value::Null).unwrap_err().path, "$.predicate");
    }
}
