//! DSSE envelopes: the specification's vector, Google Cloud Build's answers (in a folder with an
//! EXPECT.json), and any other document with envelopes in it.
//!
//! These are signed with P-256, which Assay does not take: what is tested here is the reading of
//! envelopes and PAE, and that a signature over the bare payload, of which Google has made many, is
//! none over PAE.

use assay_claims::dsse::{DsseError, Envelope, pae};
use assay_claims::json::{self, Value};
use assay_tests::data;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::prelude::{BASE64_STANDARD, Engine};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Every file is read: those beside an EXPECT.json are held to it, every other document must be one
/// with good envelopes, or be refused as JSON.
#[test]
fn every_file_is_read_or_refused_for_a_reason() {
    let Some(folder) = data::require("dsse") else {
        return;
    };
    let (mut envelopes, mut refused, mut keys) = (0, 0, 0);
    for path in data::files(&folder) {
        if path.file_name().is_some_and(|name| name == "EXPECT.json")
            || expectations(&path).is_some()
        {
            continue;
        }
        if path.extension().is_some_and(|extension| extension == "key") {
            assert_eq!(
                point(&path)[0],
                4,
                "{}: no uncompressed point",
                path.display()
            );
            keys += 1;
            continue;
        }
        let text = data::read(&path);
        let lines = match path.extension() {
            Some(extension) if extension == "jsonl" => text
                .split(|b| *b == b'\n')
                .filter(|l| !l.is_empty())
                .collect(),
            _ => vec![&text[..]],
        };
        for document in lines {
            match json::parse(document) {
                Ok(document) => {
                    let found = envelopes_in(&document);
                    assert!(!found.is_empty(), "{}: no envelope", path.display());
                    for value in found {
                        let envelope = Envelope::from_value(value)
                            .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                        assert_eq!(Envelope::parse(envelope.to_json().as_bytes()), Ok(envelope));
                        envelopes += 1;
                    }
                }
                Err(e) => {
                    assert!(
                        !serde_json_reads(document),
                        "{}: only we refuse it: {e}",
                        path.display()
                    );
                    assert!(!e.reason.is_empty() && e.line > 0 && e.column > 0);
                    refused += 1;
                }
            }
        }
    }
    println!("dsse: {envelopes} envelopes read, {refused} documents refused, {keys} keys");
    assert!(envelopes > 0);
}

fn serde_json_reads(document: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(document).is_ok()
}

/// What EXPECT.json beside a file says of it.
fn expectations(path: &Path) -> Option<Vec<Expected>> {
    let list = path.with_file_name("EXPECT.json");
    let mut all: BTreeMap<String, Vec<Expected>> =
        list.is_file().then(|| data::read_json(&list))?;
    all.remove(path.file_name()?.to_str()?)
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Expected {
    /// The envelope cannot be read, and why.
    Envelope(String),
    /// What holds for each signature.
    Signatures(Vec<Verdict>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Verdict {
    /// No key verifies it, or it cannot be read.
    None(String),
    /// Key files that verify it over PAE; or, in words, one that verifies it over something else.
    Keys(Vec<String>),
}

const BARE: &str = "NOT DSSE: signs the bare payload without PAE, ";

#[test]
fn signatures_verify_over_pae_and_over_nothing_else() {
    let Some(folder) = data::require("dsse") else {
        return;
    };
    let (mut good, mut bad, mut unreadable) = (0, 0, 0);
    for path in data::files(&folder) {
        let Some(expected) = expectations(&path) else {
            continue;
        };
        let keys = keys_beside(&path);
        assert!(!keys.is_empty(), "{}: no keys", path.display());
        // A document that is no JSON at all, for a comma too many, has no envelope that could be
        // read either.
        let text = data::read_text(&path);
        let document = json::parse(text.as_bytes());
        let found: Vec<&Value> = document.as_ref().map(envelopes_in).unwrap_or_default();
        if document.is_err() {
            assert!(
                !serde_json_reads(text.as_bytes()),
                "{}: only we refuse it",
                path.display()
            );
            assert!(
                expected.iter().all(|e| matches!(e, Expected::Envelope(_))),
                "{}: is no JSON",
                path.display()
            );
            unreadable += expected.len();
            continue;
        }
        assert_eq!(found.len(), expected.len(), "{}: envelopes", path.display());
        for (value, expected) in found.into_iter().zip(expected) {
            match (Envelope::from_value(value), expected) {
                (Err(error), expected) => {
                    assert_eq!(error, refusal(&expected, &path), "{}", path.display());
                    unreadable += 1;
                }
                (Ok(envelope), Expected::Signatures(verdicts)) => {
                    let verified = verified(&envelope, &verdicts, &keys);
                    good += verified;
                    bad += verdicts.len() - verified;
                }
                (Ok(_), Expected::Envelope(reason)) => {
                    panic!("{}: read, but {reason}", path.display())
                }
            }
        }
    }
    println!(
        "dsse: {good} signatures verify over PAE, {bad} do not, {unreadable} envelopes are refused"
    );
    assert!(good + bad + unreadable > 0);
}

/// The error with which an envelope has to be refused.
fn refusal(expected: &Expected, path: &Path) -> DsseError {
    match expected {
        Expected::Envelope(reason) => {
            assert_eq!(reason, "payload is not base64", "{}", path.display());
            DsseError::Base64 {
                path: "payload".into(),
            }
        }
        Expected::Signatures(verdicts) => {
            let first = verdicts
                .iter()
                .position(|v| matches!(v, Verdict::None(r) if r == "sig is not base64"))
                .unwrap_or_else(|| panic!("{}: refused", path.display()));
            DsseError::Base64 {
                path: format!("signatures[{first}].sig"),
            }
        }
    }
}

/// Holds each signature to its verdict; returns how many verify over PAE.
fn verified(envelope: &Envelope, verdicts: &[Verdict], keys: &BTreeMap<String, Vec<u8>>) -> usize {
    assert_eq!(envelope.signatures.len(), verdicts.len());
    envelope
        .signatures
        .iter()
        .zip(verdicts)
        .filter(|(signature, verdict)| check(envelope, &signature.sig, verdict, keys))
        .count()
}

/// Holds a signature to its verdict; returns whether any key verifies it over PAE.
fn check(
    envelope: &Envelope,
    signature: &[u8],
    verdict: &Verdict,
    keys: &BTreeMap<String, Vec<u8>>,
) -> bool {
    let verifying = |message: &[u8]| -> Vec<&str> {
        keys.iter()
            .filter(|(_, key)| {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key)
                    .verify(message, signature)
                    .is_ok()
            })
            .map(|(name, _)| name.as_str())
            .collect()
    };
    let over_pae = verifying(&pae(&envelope.payload_type, &envelope.payload));
    match verdict {
        Verdict::None(reason) => {
            assert_eq!(reason, "no key verifies");
            assert_eq!(over_pae, Vec::<&str>::new());
        }
        Verdict::Keys(expected) => {
            let (bare, mut expected): (Vec<_>, Vec<_>) =
                expected.iter().partition(|name| name.starts_with(BARE));
            expected.sort_unstable();
            assert_eq!(over_pae, expected);
            for name in bare.iter().filter_map(|name| name.strip_prefix(BARE)) {
                assert!(
                    verifying(&envelope.payload).contains(&name),
                    "{name} over the bare payload"
                );
            }
        }
    }
    !over_pae.is_empty()
}

/// P-256 keys by file name, from the folder `keys` beside a document.
fn keys_beside(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = data::files(&path.with_file_name("keys"));
    let mut keys = BTreeMap::new();
    for path in &files {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap();
        keys.insert(name.to_owned(), point(path));
    }
    keys
}

/// The point in a PEM of a P-256 SubjectPublicKeyInfo: its last 65 bytes.
fn point(path: &Path) -> Vec<u8> {
    let body: String = data::read_text(path)
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let der = BASE64_STANDARD.decode(body.trim()).expect("PEM");
    der[der.len() - 65..].to_vec()
}

/// Every envelope in a document, in its order.
fn envelopes_in(value: &Value) -> Vec<&Value> {
    match value {
        Value::Object(_)
            if ["payload", "payloadType", "signatures"]
                .iter()
                .all(|key| value.get(key).is_some()) =>
        {
            vec![value]
        }
        Value::Object(members) => members
            .iter()
            .flat_map(|(_, value)| envelopes_in(value))
            .collect(),
        Value::Array(items) => items.iter().flat_map(envelopes_in).collect(),
        _ => vec![],
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SpecVector {
    serialized_body: String,
    payload_type: String,
    pae: String,
    key: SpecKey,
    envelope: serde_json::Value,
}

/// Coordinates in decimal.
#[derive(Deserialize)]
struct SpecKey {
    x: String,
    y: String,
}

#[test]
fn pae_and_envelope_are_those_of_the_specification() {
    let Some(folder) = data::require("dsse") else {
        return;
    };
    let mut count = 0;
    for path in data::files(&folder) {
        let Ok(vector) = serde_json::from_slice::<SpecVector>(&data::read(&path)) else {
            continue;
        };
        count += 1;
        let body = vector.serialized_body.as_bytes();
        assert_eq!(pae(&vector.payload_type, body), vector.pae.as_bytes());
        let envelope = Envelope::parse(vector.envelope.to_string().as_bytes()).unwrap();
        assert_eq!(
            (&envelope.payload[..], &envelope.payload_type),
            (body, &vector.payload_type)
        );
        let point = [
            vec![4],
            from_decimal(&vector.key.x),
            from_decimal(&vector.key.y),
        ]
        .concat();
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        for signature in &envelope.signatures {
            let signed = pae(&envelope.payload_type, &envelope.payload);
            assert!(key.verify(&signed, &signature.sig).is_ok());
            assert!(key.verify(&envelope.payload, &signature.sig).is_err());
        }
    }
    println!("dsse: {count} vectors of the specification");
    assert!(count > 0);
}

/// A decimal number as 32 bytes, big-endian.
fn from_decimal(text: &str) -> Vec<u8> {
    let mut bytes = vec![0; 32];
    for digit in text.chars() {
        let mut carry = digit.to_digit(10).expect("a digit");
        for byte in bytes.iter_mut().rev() {
            let value = u32::from(*byte) * 10 + carry;
            (*byte, carry) = ((value & 0xff) as u8, value >> 8);
        }
        assert_eq!(carry, 0, "more than 32 bytes");
    }
    bytes
}
