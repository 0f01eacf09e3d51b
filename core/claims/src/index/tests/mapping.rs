//! What of an entry is read.

use crate::claim::{SigningKey, sign};
use crate::entry::{self, Entry};
use crate::index::{Label, labels_of_entry};
use crate::issuer::IssuerId;

/// The labels of a claim with this payload, of one issuer.
fn labels(payload: &str) -> Vec<Label> {
    let key = SigningKey::from_bytes(&[1; 32]);
    let issuer = IssuerId::derive(1, &[key.verifying_key().to_bytes()]);
    let claim = sign(payload.as_bytes(), &[(issuer, &key)]);
    labels_of_entry(&Entry::parse(entry::encode(1, claim).unwrap()).unwrap())
}

/// Of a payload of another type only the signers are known, whatever else it says.
#[test]
fn what_is_no_statement_names_nothing() {
    let statement = r#"{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://e.org/p",
        "subject":[{"uri":"pkg:cargo/a@1.0.0"}],"predicate":{}}"#;
    let nothing = labels("{}");
    assert!(nothing.len() < labels(statement).len());
    for other in ["https://in-toto.io/Statement/v0.1", "https://e.org/other"] {
        let other = statement.replacen("https://in-toto.io/Statement/v1", other, 1);
        assert_eq!(labels(&other), nothing);
    }
}
