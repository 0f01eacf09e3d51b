//! golang.org/x/mod/sumdb/note: opening and signing notes, and the keys' text form.

use assay_tests::data;
use assay_tlog::note::{self, Note, NoteError, NoteSignature, SignerKey, VerifierKey};
use base64::prelude::{BASE64_STANDARD, Engine};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Vectors {
    #[serde(default)]
    open: Vec<Open>,
    vkeys: Option<Keys>,
    sign: Option<OneOrMany<Sign>>,
    /// Where the vectors are from. Anything but text would be vectors that are not looked at.
    #[serde(flatten)]
    _remarks: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Open {
    name: String,
    note_b64: String,
    vkeys: Vec<String>,
    expect: Expect,
    #[serde(default)]
    verified: Vec<String>,
    unverified: Option<Vec<String>>,
}

#[derive(Deserialize, Debug, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Expect {
    Ok,
    Unverified,
    Invalid,
    Ambiguous,
    Malformed,
}

#[derive(Deserialize)]
struct Keys {
    good: Vec<String>,
    bad: Vec<String>,
}

#[derive(Deserialize)]
struct Sign {
    skey: String,
    text: String,
    want_b64: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn all(&self) -> &[T] {
        match self {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many,
        }
    }
}

fn vectors() -> Vec<Vectors> {
    let folder = data::require("signed-note");
    folder
        .iter()
        .flat_map(|folder| data::files(folder))
        .map(|path| data::read_json(&path))
        .collect()
}

#[test]
fn notes_open_as_they_do_for_the_reference_implementation() {
    let vectors = vectors();
    for open in vectors.iter().flat_map(|vectors| &vectors.open) {
        let bytes = BASE64_STANDARD.decode(&open.note_b64).expect("base64");
        let keys: Vec<VerifierKey> = open
            .vkeys
            .iter()
            .filter_map(|key| VerifierKey::parse(key).ok())
            .collect();
        let parsed = Note::parse(&bytes);
        let verified = parsed
            .as_ref()
            .map_err(Clone::clone)
            .and_then(|note| note.verify(&keys));
        let outcome = match &verified {
            Ok(_) => Expect::Ok,
            Err(NoteError::UnknownSigners { .. }) => Expect::Unverified,
            Err(NoteError::WrongSignature { .. }) => Expect::Invalid,
            Err(NoteError::AmbiguousKey { .. }) => Expect::Ambiguous,
            Err(_) => Expect::Malformed,
        };
        assert_eq!(outcome, open.expect, "{}: {verified:?}", open.name);
        if let (Ok(note), Ok(verified)) = (&parsed, &verified) {
            assert_eq!(
                verified
                    .signers()
                    .iter()
                    .map(|signer| signer.name())
                    .collect::<Vec<_>>(),
                open.verified,
                "{}",
                open.name
            );
            assert_eq!(verified.text(), note.text());
            assert!(bytes.starts_with(note.text().as_bytes()));
        }
        if let (Ok(note), Some(unverified)) = (&parsed, &open.unverified) {
            assert_eq!(unknown_signers(note, &keys), *unverified, "{}", open.name);
        }
    }
    let count: usize = vectors.iter().map(|vectors| vectors.open.len()).sum();
    println!("signed-note: {count} notes");
    assert!(count > 0 || vectors.is_empty());
}

/// The names of those whose signatures no key verifies. Repeated lines count once, as the reference
/// implementation drops them.
fn unknown_signers<'n>(note: &'n Note, keys: &[VerifierKey]) -> Vec<&'n str> {
    let mut unknown: Vec<&NoteSignature> = Vec::new();
    for signature in note.signatures() {
        let known = keys
            .iter()
            .any(|key| key.name() == signature.name() && key.key_id() == signature.key_id());
        if !known && !unknown.contains(&signature) {
            unknown.push(signature);
        }
    }
    unknown.into_iter().map(NoteSignature::name).collect()
}

#[test]
fn keys_are_read_strictly() {
    let vectors = vectors();
    for keys in vectors.iter().filter_map(|vectors| vectors.vkeys.as_ref()) {
        for good in &keys.good {
            assert_eq!(VerifierKey::parse(good).expect(good).to_string(), *good);
        }
        for bad in &keys.bad {
            assert!(VerifierKey::parse(bad).is_err(), "{bad}");
        }
        // "Every proper substring of the first good vkey, and every single-byte +1 change of it,
        // must be refused."
        for good in &keys.good {
            for start in 0..good.len() {
                for end in (start..=good.len()).filter(|end| (start, *end) != (0, good.len())) {
                    assert!(
                        VerifierKey::parse(&good[start..end]).is_err(),
                        "{}",
                        &good[start..end]
                    );
                }
                let mut changed = good.clone().into_bytes();
                changed[start] += 1;
                let changed = String::from_utf8(changed).expect("ASCII");
                assert!(VerifierKey::parse(&changed).is_err(), "{changed}");
            }
        }
    }
}

#[test]
fn notes_are_signed_as_the_reference_implementation_does() {
    let vectors = vectors();
    for sign in vectors
        .iter()
        .filter_map(|vectors| vectors.sign.as_ref())
        .flat_map(OneOrMany::all)
    {
        let key = SignerKey::parse(&sign.skey).expect("signer key");
        assert_eq!(*key.to_private_string(), sign.skey);
        let note = note::sign(&sign.text, &[&key]).expect("a fit text");
        assert_eq!(BASE64_STANDARD.encode(&note), sign.want_b64);
        let verified = Note::parse(note.as_bytes()).and_then(|note| note.verify(&[key.verifier()]));
        assert_eq!(verified.expect("own note").text(), sign.text);
    }
}
