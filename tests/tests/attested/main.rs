//! Attestations that others signed, as `assay publish provenance --trusted-root` takes or refuses
//! them: real ones, and the same with one byte changed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test reports by panicking"
)]

mod cases;
mod changed;
mod judge;

use assay_tests::process::{assay, new_key};
use assay_tests::{data, process::Node};
use cases::{Case, Outcome, bundles, npm, pypi};
use serde_json::{Value, json};
use std::fs;

/// Every real bundle is taken or refused as the collection that it is of says, and what is taken
/// says who signed it, and where it is logged.
#[test]
fn every_bundle_is_what_its_collection_says() {
    let Some(folder) = data::require("sigstore-bundles") else {
        return;
    };
    let mut count = (0, 0);
    for case in bundles(&folder) {
        let outcome = case.publish(&case.file);
        assert_eq!(outcome.is_taken(), case.is_good, "{case:?}: {outcome:?}");
        if case.is_good {
            count.0 += 1;
            for claim in &outcome.claims {
                assert_says_who(claim);
            }
        } else {
            count.1 += 1;
            assert_named(&outcome);
        }
    }
    assert!(count.0 >= 10 && count.1 >= 20, "{count:?}");
}

fn assert_says_who(claim: &Value) {
    let said = &claim["predicate"]["sigstore"];
    let signer = said["identity"].as_str().or(said["key"].as_str());
    assert!(signer.is_some_and(|name| !name.is_empty()), "{claim}");
    assert!(said["entry"]["index"].is_u64(), "{claim}");
    assert!(said["entry"]["log"].is_string(), "{claim}");
    assert!(said["trustedRoot"].as_str().unwrap().len() == 64);
    let of_what = said["statement"].as_str();
    let is_reference = claim["predicate"]["references"].is_array();
    assert!(of_what.is_some() || is_reference, "{claim}");
}

/// A refusal says which document it is of and what failed, with an exit code that fits.
fn assert_named(outcome: &Outcome) {
    assert!(matches!(outcome.code, Some(2 | 4)), "{outcome:?}");
    let is_step = outcome.said.contains("failed to verify its ");
    assert!(is_step || outcome.code == Some(2), "{outcome:?}");
    assert!(!outcome.said.contains("panicked"), "{outcome:?}");
}

#[test]
fn who_signed_and_where_it_is_logged_is_in_the_claim() {
    let Some(folder) = data::require("sigstore-bundles") else {
        return;
    };
    let all = bundles(&folder);
    let of = |name: &str| all.iter().find(|case| case.name == name).unwrap();
    let said = |case: &Case| case.publish(&case.file).claims[0]["predicate"]["sigstore"].clone();
    let happy = said(of("happy-path-v0.3"));
    assert_eq!(
        happy["identity"],
        "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/\
         .github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main"
    );
    assert_eq!(
        happy["issuer"],
        "https://token.actions.githubusercontent.com"
    );
    assert_eq!(happy["instance"], "production");
    assert_eq!(happy["entry"]["log"], "https://rekor.sigstore.dev");
    assert_eq!(happy["entry"]["time"], "2024-03-19T17:26:26Z");
    let second = said(of("rekor2-dsse-happy-path"));
    assert_eq!(second["instance"], "staging");
    assert!(second["entry"]["time"].is_null() && second["times"][0].is_string());
    let own = said(of("intoto-with-custom-trust-root"));
    assert_eq!(own["instance"], "http://localhost:8000");
    let key = said(of("managed-key-happy-path"));
    assert!(key["identity"].is_null() && key["key"].is_string());
}

#[test]
fn what_npm_answers_is_verified_whole() {
    let Some(folder) = data::require("npm-attestations") else {
        return;
    };
    let Some(root) = cases::production() else {
        return;
    };
    for case in npm(&folder, &root) {
        let outcome = case.publish(&case.file);
        assert_eq!(outcome.is_taken(), case.is_good, "{case:?}: {outcome:?}");
        if case.is_good {
            assert_eq!(outcome.claims.len(), 2);
            for claim in &outcome.claims {
                assert_says_who(claim);
                let subject = &claim["subject"][0];
                let uri = subject["uri"].as_str().unwrap();
                assert!(uri.starts_with("pkg:npm/"), "{claim}");
            }
            // Without the key, what is signed with it is left out, and that is said.
            let alone = Case {
                keys: None,
                ..case.clone()
            };
            let outcome = alone.publish(&alone.file);
            assert_eq!(outcome.claims.len(), 1, "{outcome:?}");
            assert!(outcome.said.contains("--trusted-keys"), "{outcome:?}");
        } else {
            assert_named(&outcome);
        }
    }
}

#[test]
fn what_pypi_answers_is_of_the_release_and_of_who_published_it() {
    let Some(folder) = data::require("pypi-attestations") else {
        return;
    };
    let Some(root) = cases::production() else {
        return;
    };
    let bundles = data::require("sigstore-bundles").unwrap();
    let staging = bundles.join("bundle-verify/rekor2-dsse-happy-path/trusted_root.json");
    for mut case in pypi(&folder, &root) {
        // Signed with the instance for tests.
        if case.name.starts_with("rfc8785") {
            assert_eq!(case.publish(&case.file).step(), "log entry");
            case.root = staging.clone();
        }
        let outcome = case.publish(&case.file);
        assert!(outcome.is_taken(), "{case:?}: {outcome:?}");
        let claim = &outcome.claims[0];
        assert_says_who(claim);
        if !case.name.ends_with(".sigstore") {
            let uri = claim["subject"][0]["uri"].as_str().unwrap();
            assert!(uri.starts_with("pkg:pypi/"), "{claim}");
        }
    }
    let provenance = folder.join("pypi_attestations-0.0.19.tar.gz.provenance");
    let case = Case::new(provenance.clone(), root);
    let mut document: Value = data::read_json(&provenance);
    document["attestation_bundles"][0]["publisher"]["repository"] = json!("somebody/else");
    let outcome = case.publish_value(&document);
    assert_eq!(outcome.code, Some(4), "{outcome:?}");
    let words =
        "verify its publisher: PyPI says that it came from https://github.com/somebody/else";
    assert!(outcome.said.contains(words), "{outcome:?}");
}

#[test]
fn an_attestation_is_of_what_the_caller_names_or_refused() {
    let Some(folder) = data::require("npm-attestations") else {
        return;
    };
    let Some(root) = cases::production() else {
        return;
    };
    let case = npm(&folder, &root);
    let case = case.iter().find(|case| case.is_good).unwrap();
    let claims = case.publish(&case.file).claims;
    let subject = &claims[0]["subject"][0];
    let (uri, sha512) = (
        subject["uri"].as_str().unwrap().to_owned(),
        format!("sha512:{}", subject["digest"]["sha512"].as_str().unwrap()),
    );
    let other = format!("sha512:{}", "0".repeat(128));
    let next = format!("{uri}1");
    for (named, is_taken) in [
        (vec![uri.as_str()], true),
        (vec![sha512.as_str()], true),
        (vec![&uri, &sha512], true),
        (vec![other.as_str()], false),
        (vec![&uri, &other], false),
        (vec![next.as_str()], false),
        (vec!["pkg:npm/left-pad@1.3.0"], false),
        (vec!["pkg:npm/left-pad@1.3.0", &sha512], false),
    ] {
        let case = Case {
            subjects: named.iter().map(|text| (*text).to_owned()).collect(),
            ..case.clone()
        };
        let outcome = case.publish(&case.file);
        assert_eq!(outcome.is_taken(), is_taken, "{named:?}: {outcome:?}");
        if !is_taken {
            assert_eq!(outcome.code, Some(4), "{outcome:?}");
            assert!(outcome.said.contains("verify its subject: "), "{outcome:?}");
        }
    }
}

/// Without a trusted root nothing is verified: what can be handed on as it is says so, and all else
/// is refused.
#[test]
fn what_cannot_be_verified_is_not_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let publish = |text: &str, more: &[&str]| {
        fs::write(folder.path().join("a.json"), text).unwrap();
        let words = ["publish", "provenance", "a.json", "--dry-run"];
        let output = assay(folder.path(), &[&words, more].concat()).unwrap();
        Outcome::of(&output)
    };
    let npm = r#"{"attestations":[{"bundle":{"mediaType":
        "application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{},
        "messageSignature":{"signature":""}}}]}"#;
    let without = publish(npm, &[]);
    assert_eq!(without.code, Some(2), "{without:?}");
    assert!(without.said.contains("--trusted-root"), "{without:?}");

    for (root, said) in [
        ("{}", "root.json is no trusted root"),
        ("{}\n{\"mediaType\":1}\n", "it has several, one a line"),
    ] {
        fs::write(folder.path().join("root.json"), root).unwrap();
        let wrong = publish(npm, &["--trusted-root", "root.json"]);
        assert_eq!(wrong.code, Some(2), "{wrong:?}");
        assert!(wrong.said.contains(said), "{wrong:?}");
    }

    let empty = json!({"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"});
    fs::write(folder.path().join("root.json"), empty.to_string()).unwrap();
    let bare = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[]}"#;
    let bare = publish(bare, &["--trusted-root", "root.json"]);
    assert_eq!(bare.code, Some(2), "{bare:?}");
    assert!(bare.said.contains("no attestation"), "{bare:?}");
    for (text, words) in [
        (r#"{"attestations":[{"bundle":{}}]}"#, "has neither"),
        (r#"{"attestation_bundles":[]}"#, "no attestation"),
        (
            r#"{"attestation_bundles":[{"publisher":{"kind":"X"},"attestations":[{}]}]}"#,
            "publisher",
        ),
        (
            r#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.9+json","verificationMaterial":
            {},"messageSignature":{"signature":"AA=="}}"#,
            "verify its form",
        ),
    ] {
        let outcome = publish(text, &["--trusted-root", "root.json"]);
        assert_eq!(outcome.code, Some(2), "{text}: {outcome:?}");
        assert!(outcome.said.contains(words), "{text}: {outcome:?}");
    }
}

/// The whole way: published, and the document is attached byte for byte.
#[test]
fn a_verified_attestation_is_published_with_the_signed_original() {
    let Some(folder) = data::require("sigstore-bundles") else {
        return;
    };
    let node = Node::start().unwrap();
    let person = tempfile::tempdir().unwrap();
    new_key(person.path(), "key.pem").unwrap();
    let ready = node.ready();
    let run = |arguments: &[&str]| {
        let log = ["--log", &ready.url, "--log-key", &ready.vkey];
        let output = assay(person.path(), &[arguments, &log].concat()).unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    run(&[
        "issuer", "register", "--name", "A", "--key", "key.pem", "--output", "json",
    ]);
    let file = folder.join("slsa-verifier/valid-v0.3.intoto.sigstore");
    let root = cases::production().unwrap();
    let said = run(&[
        "publish",
        "provenance",
        file.to_str().unwrap(),
        "--trusted-root",
        root.to_str().unwrap(),
        "--key",
        "key.pem",
        "--output",
        "json",
    ]);
    let claims: Value = serde_json::from_str(&said).unwrap();
    let claim = claims.get(0).unwrap_or(&claims);
    let sha256 = claim["attachment"]["sha256"].as_str().unwrap();
    let bytes = data::read(&file);
    assert_eq!(sha256, assay_tlog::Hash::of(&bytes).to_hex());
    let id = claim["claim_id"].as_str().unwrap();
    run(&["receipt", id, "--out", "receipts"]);
    let got = run(&["get", id]);
    assert!(got.contains("identity"), "{got}");
}
