//! What of an entry is read.

use crate::claim::{SigningKey, sign};
use crate::entry::{self, Entry, wire};
use crate::index::{Label, labels_of_entry, most_labels};
use crate::issuer::IssuerId;

/// A claim with this payload, of so many issuers.
fn claim(payload: &str, issuers: u8) -> wire::Claim {
    let signers: Vec<_> = (1..=issuers)
        .map(|number| {
            let key = SigningKey::from_bytes(&[number; 32]);
            (IssuerId::derive(1, &[key.verifying_key().to_bytes()]), key)
        })
        .collect();
    let signers: Vec<_> = signers.iter().map(|(id, key)| (*id, key)).collect();
    sign(payload.as_bytes(), &signers)
}

fn labels_of(claim: wire::Claim) -> Vec<Label> {
    labels_of_entry(&Entry::parse(entry::encode(1, claim).unwrap()).unwrap())
}

/// The labels of a claim with this payload, of one issuer.
fn labels(payload: &str) -> Vec<Label> {
    labels_of(claim(payload, 1))
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

/// What has the most labels for its size: packages with versions, digests, vulnerabilities, a claim
/// that is withdrawn, nothing at all, each signed by up to three.
#[test]
fn no_claim_has_more_labels_than_its_payload_may_have() {
    let list = |item: &str| {
        let items: Vec<String> = (100..400)
            .map(|n| item.replace("NNN", &n.to_string()))
            .collect();
        items.join(",")
    };
    let statement = |predicate_type: &str, subjects: &str, predicate: &str| {
        format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","predicateType":"{predicate_type}","subject":[{subjects}],"predicate":{predicate}}}"#
        )
    };
    let digest = format!(r#"{{"digest":{{"gitCommit":"{}NNN"}}}}"#, "a".repeat(37));
    let finding = format!(r#"{{"osv":{{"id":"1","aliases":[{}]}}}}"#, list(r#""NNN""#));
    let withdrawal = format!(r#"{{"target":"{}"}}"#, "a".repeat(64));
    // What looks like the end of a key, and is none; and a key that does not look like one.
    let odd = format!(
        r#"{{"osv":{{"id":":","aliases":[{},{},":","\":\":\":"]}}}}"#,
        list(r#"":NNN""#),
        list(r#" ":NNN:""#)
    );
    let spaced = list(r#"{"uri" : "pkg:cargo/aNNN@1.0.0" }"#);
    let payloads = [
        (601, statement("urn:assay:finding:v1", "", &odd)),
        (600, statement("a", &spaced, "{}")),
        (0, String::new()),
        (0, r#"a":a":a":"#.to_owned()),
        (
            600,
            statement("a", &list(r#"{"uri":"pkg:cargo/aNNN@1.0.0"}"#), "{}"),
        ),
        (300, statement("a", &list(&digest), "{}")),
        (301, statement("urn:assay:finding:v1", "", &finding)),
        (1, statement("urn:assay:withdrawal:v1", "", &withdrawal)),
    ];
    for (names, payload) in payloads {
        for issuers in 1..=3 {
            let claim = claim(&payload, issuers);
            let most = most_labels(&claim);
            let labels = labels_of(claim).len();
            assert!(
                (names + 1..=most).contains(&labels),
                "{labels} of {most}: {payload}"
            );
            assert!(most <= 2 * labels + 16, "{labels} of {most}: {payload}");
        }
    }
}
