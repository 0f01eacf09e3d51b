//! One bit of a real attestation changed: it is refused, and the step that failed is named.

use super::cases::{Case, bundles};
use assay_tests::data;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

const ENTRY: &str = "/verificationMaterial/tlogEntries/0";

/// What is changed, and the steps that may say so. Which one does depends on the version of the
/// bundle and of the log: what is promised, proven and timed covers the same bytes.
const CHANGES: [(&str, &[&str]); 10] = [
    ("/dsseEnvelope/signatures/0/sig", SIGNATURE),
    ("/messageSignature/signature", SIGNATURE),
    ("/messageSignature/messageDigest/digest", &["subject"]),
    ("/verificationMaterial/certificate/rawBytes", CERTIFICATE),
    (
        "/verificationMaterial/x509CertificateChain/certificates/0/rawBytes",
        CERTIFICATE,
    ),
    ("canonicalizedBody", ENTRIES),
    ("inclusionPromise/signedEntryTimestamp", ENTRIES),
    ("inclusionProof/hashes/0", ENTRIES),
    ("inclusionProof/rootHash", ENTRIES),
    ("logId/keyId", ENTRIES),
];

/// A signed timestamp is of the signature, and is looked at first.
const SIGNATURE: &[&str] = &["signature", "time of signing"];

const CERTIFICATE: &[&str] = &["certificate"];

const ENTRIES: &[&str] = &[
    "log entry",
    "proof of the log entry",
    "checkpoint of the log",
    "promise of the log (SET)",
];

/// Changes one bit in the middle of what stands in base64 at a place. False if there is nothing.
fn change(bundle: &mut Value, place: &str) -> bool {
    let place = match place.strip_prefix('/') {
        Some(_) => place.to_owned(),
        None => format!("{ENTRY}/{place}"),
    };
    let Some(found) = bundle.pointer_mut(&place) else {
        return false;
    };
    let mut bytes = STANDARD.decode(found.as_str().unwrap()).unwrap();
    let middle = bytes.len() / 2;
    let Some(byte) = bytes.get_mut(middle) else {
        return false;
    };
    *byte ^= 1;
    *found = STANDARD.encode(bytes).into();
    true
}

#[test]
fn a_changed_bit_is_found_and_the_step_is_named() {
    let Some(folder) = data::require("sigstore-bundles") else {
        return;
    };
    let mut tried = 0;
    for case in bundles(&folder).into_iter().filter(|case| case.is_good) {
        let whole: Value = data::read_json(&case.file);
        for (place, steps) in CHANGES {
            let mut bundle = whole.clone();
            if !change(&mut bundle, place) {
                continue;
            }
            let outcome = case.publish_value(&bundle);
            assert!(!outcome.is_taken(), "{}: {place} was changed", case.name);
            assert!(
                steps.contains(&outcome.step()),
                "{}: {place}: {outcome:?}",
                case.name
            );
            tried += 1;
        }
        change_payload(&case, &whole);
        change_number(&case, &whole);
    }
    assert!(tried >= 60, "{tried}");
}

/// Changes a letter of the statement's first subject, so that it stays a statement.
fn change_payload(case: &Case, whole: &Value) {
    let mut bundle = whole.clone();
    let Some(payload) = bundle.pointer_mut("/dsseEnvelope/payload") else {
        return;
    };
    let text = String::from_utf8(STANDARD.decode(payload.as_str().unwrap()).unwrap()).unwrap();
    let changed = text.replacen("\"name\":\"", "\"name\":\"x", 1);
    let changed = changed.replacen("\"name\": \"", "\"name\": \"x", 1);
    assert_ne!(text, changed, "{}", case.name);
    *payload = STANDARD.encode(changed).into();
    let outcome = case.publish_value(&bundle);
    assert_eq!(outcome.step(), "signature", "{}: {outcome:?}", case.name);
}

/// Changes when and where it is said to be logged, where that is signed.
fn change_number(case: &Case, whole: &Value) {
    if whole
        .pointer(&format!("{ENTRY}/inclusionPromise"))
        .is_none()
    {
        return;
    }
    for key in ["logIndex", "integratedTime"] {
        let mut bundle = whole.clone();
        let found = bundle.pointer_mut(&format!("{ENTRY}/{key}")).unwrap();
        let number: u64 = found.as_str().unwrap().parse().unwrap();
        *found = (number + 1).to_string().into();
        let outcome = case.publish_value(&bundle);
        assert_eq!(
            outcome.step(),
            "promise of the log (SET)",
            "{}: {key}: {outcome:?}",
            case.name
        );
    }
}
