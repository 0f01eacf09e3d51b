//! JSON, envelopes, statements, entries, claims, receipts, and what a node keeps of a log.

use crate::target::Target;
use crate::world::{HISTORY, LOG, claim, issuer, log_signed, signing_key};
use assay_claims::audit::Rules;
use assay_claims::claim::{self, PublicKey, verify_for_replay};
use assay_claims::dsse::Envelope;
use assay_claims::entry::{self, Entry};
use assay_claims::index::{checked_labels_of_entry, labels_of_entry, most_labels};
use assay_claims::json::{self, Value};
use assay_claims::limits;
use assay_claims::purl::Purl;
use assay_claims::receipt;
use assay_claims::sequencer::Head;
use assay_claims::statement::Statement;
use assay_tlog::tree::{LeafIndex, prove_inclusion};
use bytes::Bytes;
use ed25519_dalek::VerifyingKey;

pub fn targets() -> Vec<Target> {
    let leaf = LeafIndex::new(2);
    let path = prove_inclusion(&*HISTORY, leaf, HISTORY.frontier.size()).unwrap();
    let files = receipt::to_files(&HISTORY.parsed(leaf), leaf, &path, &HISTORY.note()).unwrap();
    let payload = claim("pkg:cargo/a@1", 1).payload;
    let entries = || HISTORY.entries.iter().map(|entry| entry.to_vec());
    let detached = receipt::detach(&HISTORY.entries[1]).unwrap();
    vec![
        Target::new("json", json).with([payload.to_vec()]),
        Target::new("envelope", envelope).with([files.0.as_str()]),
        Target::new("statement", statement).with([payload.to_vec()]),
        Target::new("entry", an_entry).with(entries()),
        Target::new("claim", a_claim).with(entries().skip(1).take(3)),
        Target::new("detached-entry", detached_entry).with([[&detached[..], &payload].concat()]),
        Target::of_text("receipt", a_receipt).with([format!("{}\n{}", files.0, files.1)]),
        Target::new("public-key", public_key).with([signing_key().verifying_key().to_bytes()]),
        Target::new("store-head", store_head).with([Head::empty().to_bytes()]),
        Target::new("audit-record", audit_record).with([Rules::default().record()]),
    ]
}

/// What is read can be written, and is then read as the same. A widely used reader takes all that
/// is taken here, as the same value, and what it takes beyond is refused for our own reasons.
fn json(bytes: &[u8]) -> bool {
    let theirs = serde_json::from_slice::<serde_json::Value>(bytes);
    match json::parse(bytes) {
        Ok(value) => {
            let written = value.to_json();
            assert_eq!(json::parse(written.as_bytes()).as_ref(), Ok(&value));
            match theirs {
                Ok(theirs) => assert!(is_same(&value, &theirs), "{written} is {theirs}"),
                Err(error) => assert!(error.to_string().contains("out of range"), "{error}"),
            }
            true
        }
        Err(error) => {
            let ours = ["twice", "nested deeper"];
            let is_ours = ours.iter().any(|reason| error.reason.contains(reason));
            assert!(theirs.is_err() || is_ours, "{error}");
            let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
            assert!((1..=lines).contains(&(error.line as u64)), "{error}");
            false
        }
    }
}

fn is_same(ours: &Value, theirs: &serde_json::Value) -> bool {
    use serde_json::Value as Theirs;
    match (ours, theirs) {
        (Value::Null, Theirs::Null) => true,
        (Value::Bool(ours), Theirs::Bool(theirs)) => ours == theirs,
        (Value::Number(ours), Theirs::Number(theirs)) => {
            ours.as_u64() == theirs.as_u64() || ours.as_f64() == theirs.as_f64()
        }
        (Value::String(ours), Theirs::String(theirs)) => ours == theirs,
        (Value::Array(ours), Theirs::Array(theirs)) => {
            let mut pairs = ours.iter().zip(theirs);
            ours.len() == theirs.len() && pairs.all(|(ours, theirs)| is_same(ours, theirs))
        }
        (Value::Object(ours), Theirs::Object(theirs)) => {
            let mut members = ours.iter();
            ours.len() == theirs.len()
                && members.all(|(key, value)| {
                    let other = theirs.get(key);
                    other.is_some_and(|other| is_same(value, other))
                })
        }
        _ => false,
    }
}

fn envelope(bytes: &[u8]) -> bool {
    let Ok(envelope) = Envelope::parse(bytes) else {
        return false;
    };
    assert!(!envelope.signatures.is_empty());
    let written = envelope.to_json();
    assert_eq!(Envelope::parse(written.as_bytes()), Ok(envelope));
    true
}

fn statement(bytes: &[u8]) -> bool {
    let Ok(statement) = Statement::parse(bytes) else {
        return false;
    };
    let subjects = statement.subjects();
    assert!((1..=limits::SUBJECTS).contains(&subjects.len()));
    for subject in subjects {
        assert!(!subject.digests().is_empty());
        if let Some(purl) = subject.purl() {
            assert_eq!(subject.uri(), Some(purl.as_str()));
            assert_eq!(Purl::parse_canonical(purl.as_str()).as_ref(), Ok(purl));
        }
    }
    let written = statement.to_json();
    assert_eq!(Statement::parse(written.as_bytes()), Ok(statement));
    true
}

/// An entry has one spelling, and the labels of it are in order, each once.
fn an_entry(bytes: &[u8]) -> bool {
    let Ok(entry) = Entry::parse(Bytes::copy_from_slice(bytes)) else {
        return false;
    };
    let written = entry::encode(entry.logged_at_ms(), entry.body().clone());
    assert_eq!(written.as_deref(), Ok(bytes));
    let labels = labels_of_entry(&entry);
    if let Ok(checked) = checked_labels_of_entry(&entry) {
        assert_eq!(checked, labels);
        assert!(labels.len() <= limits::LABELS);
    }
    if let Ok(claim) = entry.claim() {
        assert!(labels.len() <= most_labels(claim));
        assert!((1..=limits::SIGNATURES).contains(&claim.signatures.len()));
        assert!(claim.payload.len() <= limits::PAYLOAD_BYTES);
    }
    true
}

/// Nothing is verified that our key did not sign, and what is verified by itself is verified in a
/// batch, too. Bytes are those of an entry.
fn a_claim(bytes: &[u8]) -> bool {
    let Ok(entry) = Entry::parse(Bytes::copy_from_slice(bytes)) else {
        return false;
    };
    let Ok(said) = entry.claim() else {
        return false;
    };
    let mut replayed = verify_for_replay(&[said], &(), &mut |bytes| bytes.fill(9));
    let replayed = replayed.remove(0);
    let Ok(verified) = claim::verify(said, &()) else {
        return false;
    };
    assert!(replayed.is_ok(), "a batch refuses what is right");
    let again = claim::sign(&said.payload, &[(issuer(), &signing_key())]);
    for signature in &said.signatures {
        assert_eq!(signature.signature, again.signatures[0].signature);
        assert_eq!(signature.public_key, again.signatures[0].public_key);
    }
    assert_eq!(verified.claim(), said);
    let body = assay_claims::kind::Body::of(verified.statement());
    assert_eq!(body.as_ref(), Ok(verified.body()));
    true
}

/// An entry without its payload has one spelling. The payload is the JSON that follows it.
fn detached_entry(bytes: &[u8]) -> bool {
    let at = bytes.windows(2).position(|two| two == b"{\"");
    let (extra, payload) = bytes.split_at(at.unwrap_or(bytes.len()));
    let Ok(entry) = receipt::attach(extra, payload) else {
        return false;
    };
    assert_eq!(entry.claim().unwrap().payload, payload);
    assert_eq!(receipt::detach(entry.bytes()).as_deref(), Ok(extra));
    true
}

/// What a receipt shows is an entry of the log that we know. The envelope is the first line, and
/// the proof comes after an empty one.
fn a_receipt(text: &str) -> bool {
    let Some((envelope, proof)) = text.split_once("\n\n") else {
        return false;
    };
    let envelope = format!("{envelope}\n");
    let shown = receipt::verify(envelope.as_bytes(), proof.as_bytes(), &LOG.verifier());
    let Ok(shown) = shown else {
        return false;
    };
    let inclusion = shown.inclusion();
    let logged = HISTORY.parsed(inclusion.index());
    assert_eq!(logged.leaf_hash(), inclusion.leaf_hash());
    assert_eq!(logged.claim(), Ok(shown.claim().claim()));
    assert_eq!(logged.logged_at_ms(), shown.logged_at_ms());
    let checkpoint = inclusion.checkpoint();
    assert!(log_signed(
        checkpoint.note(),
        &checkpoint.checkpoint().body()
    ));
    true
}

/// A key has one spelling, that of its point, and is not weak, as the library has it.
fn public_key(bytes: &[u8]) -> bool {
    let Ok(key) = PublicKey::parse(bytes) else {
        return false;
    };
    assert_eq!(key.as_bytes()[..], *bytes);
    assert_eq!(PublicKey::from_hex(&key.to_hex()), Ok(key));
    let theirs = VerifyingKey::from_bytes(key.as_bytes()).unwrap();
    assert!(!theirs.is_weak());
    assert_eq!(theirs.to_edwards().compress().as_bytes(), key.as_bytes());
    true
}

fn store_head(bytes: &[u8]) -> bool {
    let Ok(head) = Head::parse(bytes) else {
        return false;
    };
    assert_eq!(head.to_bytes(), bytes);
    true
}

fn audit_record(bytes: &[u8]) -> bool {
    let Some(rules) = Rules::from_record(bytes) else {
        return false;
    };
    assert_eq!(rules.record()[..], *bytes);
    assert!(rules.committed() <= rules.size());
    true
}
