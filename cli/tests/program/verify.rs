use crate::{assay, ended, made};
use assay_tlog::note::SignerKey;
use serde_json::Value;
use std::fs;
use tempfile::TempDir;

/// A folder with the receipts, cosigned by these witnesses.
fn world(cosigned: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    made::receipts(&folder.path().join("receipts"), "Example Audits", cosigned);
    folder
}

/// Verifies the receipts under a policy.
fn under(folder: &TempDir, policy: &str) -> (i32, String, String) {
    fs::write(folder.path().join("policy.toml"), policy).unwrap();
    let arguments = ["verify", "receipts", "--policy", "policy.toml"];
    ended(&assay(folder.path(), &arguments))
}

/// Verifies the receipts with the log's key and no policy.
fn by_key(folder: &TempDir) -> (i32, String, String) {
    let key = made::log().verifier().to_string();
    ended(&assay(
        folder.path(),
        &["verify", "receipts", "--log-key", &key],
    ))
}

#[test]
fn a_receipt_is_held_to_the_quorum_of_the_policy() {
    let three = made::policy(&made::log(), &[1, 2, 3], 2);
    for (cosigned, code, says) in [
        (&[][..], 1, "0 of 2 needed; missing: w1, w2, w3"),
        (&[1], 1, "1 of 2 needed: w1; missing: w2, w3"),
        // Not the policy's: it was not asked to check them.
        (&[7, 8, 9], 1, "0 of 2 needed; missing: w1, w2, w3"),
        (
            &[1, 3],
            0,
            "2 of 3 witnesses saw the same log, the last at 2023-11-14 22:13 UTC: w1, w3",
        ),
        (&[1, 3, 9], 0, "w1, w3"),
    ] {
        let (ended, said, errors) = under(&world(cosigned), &three);
        assert_eq!(ended, code, "{cosigned:?}: {said}{errors}");
        assert!(said.contains(says), "{cosigned:?}: {said}");
        assert!(said.contains("NOT PROVEN") == (code == 1), "{said}");
    }
}

/// Both keys of one witness are one voice, whichever way the policy is written.
#[test]
fn two_keys_of_one_witness_are_no_quorum_of_two() {
    let twice = made::ML_DSA + 1;
    let tables = made::policy(&made::log(), &[1, twice, 2, 3], 2);
    let words = format!(
        "version = 1\ntlog_policy = '''\nlog {}\nwitness a1 {}\nwitness a2 {}\nwitness b {}\n\
         group a any a1 a2\ngroup g 2 a b\nquorum g\n'''\n",
        made::log().verifier(),
        made::witness(1),
        made::witness(twice),
        made::witness(2)
    );
    let folder = world(&[1, twice]);
    for (policy, says) in [
        (&tables, "1 of 2 needed: w1.example; missing: w2, w3"),
        (&words, "1 of 2 needed: a; missing: b"),
    ] {
        let (code, said, errors) = under(&folder, policy);
        assert_eq!(code, 1, "{said}{errors}");
        assert!(said.contains(says), "{said}");
    }
    let both = world(&[1, twice, 2]);
    let (code, said, errors) = under(&both, &tables);
    assert_eq!(code, 0, "{said}{errors}");
    assert!(said.contains("2 of 3 witnesses saw the same log"), "{said}");

    let arguments = [
        "verify",
        "receipts",
        "--policy",
        "policy.toml",
        "--output",
        "json",
    ];
    let (_, json, errors) = ended(&assay(both.path(), &arguments));
    let json: Value = serde_json::from_str(&json).expect(&errors);
    let receipt = &json["receipts"][0];
    assert_eq!(
        receipt["witnesses"],
        serde_json::json!(["w1.example", "w2"])
    );
    assert_eq!(receipt["stood_behind"][1]["operator"], "w2.example");
    assert_eq!(
        receipt["stood_behind"][1]["cosigned_at"],
        "2023-11-14T22:13:21Z"
    );
    assert_eq!(receipt["quorum"]["needed"], 2);
    assert_eq!(receipt["quorum"]["missing"], serde_json::json!(["w3"]));
}

/// A log that changed its key has both in a policy, in whichever order.
#[test]
fn a_receipt_under_either_key_of_a_log_is_held_to_the_quorum() {
    let other = SignerKey::from_seed(made::ORIGIN, &[8; 32]).unwrap();
    let (own, other) = (made::log().verifier(), other.verifier());
    for [first, second] in [[&own, &other], [&other, &own]] {
        let policy = format!(
            "version = 1\ntlog_policy = '''\nlog {first}\nlog {second}\nwitness a {}\n\
             witness b {}\ngroup g all a b\nquorum g\n'''\n",
            made::witness(1),
            made::witness(2)
        );
        let (code, said, errors) = under(&world(&[1, 2]), &policy);
        assert_eq!(code, 0, "{said}{errors}");
        let (code, said, _) = under(&world(&[1]), &policy);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("1 of 2 needed: a; missing: b"), "{said}");
        // Either key may be stated beside the policy.
        for key in [&own, &other] {
            let key = key.to_string();
            let with_key = [
                "verify",
                "receipts",
                "--policy",
                "policy.toml",
                "--log-key",
                &key,
            ];
            let folder = world(&[1, 2]);
            fs::write(folder.path().join("policy.toml"), &policy).unwrap();
            let (code, said, errors) = ended(&assay(folder.path(), &with_key));
            assert_eq!(code, 0, "{said}{errors}");
        }
    }
}

#[test]
fn a_policy_that_cannot_be_read_is_an_error_and_never_ignored() {
    let folder = world(&[]);
    for text in ["version = 1\nunkown = 1\n", "what", ""] {
        let (code, said, errors) = under(&folder, text);
        assert_eq!((code, said.as_str()), (2, ""), "{errors}");
        assert!(errors.contains("policy.toml"), "{errors}");
    }
    let arguments = ["verify", "receipts", "--policy", "none.toml"];
    let (code, said, errors) = ended(&assay(folder.path(), &arguments));
    assert_eq!((code, said.as_str()), (2, ""), "{errors}");
    // Also where it is named beside a key that would do alone.
    let key = made::log().verifier().to_string();
    let both = [&arguments[..], &["--log-key", &key]].concat();
    assert_eq!(ended(&assay(folder.path(), &both)).0, 2);
}

#[test]
fn a_receipt_of_a_log_that_the_policy_does_not_name_is_not_verified_by_it() {
    let folder = world(&[1, 2, 3]);
    let other = SignerKey::from_seed("other.example", &[7; 32]).unwrap();
    let (code, said, _) = under(&folder, &made::policy(&other, &[], 0));
    assert_eq!(code, 4, "{said}");
    assert!(said.contains("which your policy does not name"), "{said}");
    // With the log's key it can be verified, and still the policy does not count it.
    let key = made::log().verifier().to_string();
    let arguments = [
        "verify",
        "receipts",
        "--policy",
        "policy.toml",
        "--log-key",
        &key,
    ];
    let (code, said, _) = ended(&assay(folder.path(), &arguments));
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("that your policy counts it"), "{said}");
    // Another key under the same name.
    let impostor = SignerKey::from_seed(made::ORIGIN, &[8; 32]).unwrap();
    fs::write(
        folder.path().join("policy.toml"),
        made::policy(&impostor, &[], 0),
    )
    .unwrap();
    assert_eq!(ended(&assay(folder.path(), &arguments)).0, 2);
}

#[test]
fn a_cosignature_that_was_changed_fails() {
    let folder = world(&[1, 2]);
    let path = folder.path().join("receipts/claim.tlog-proof");
    let proof = fs::read_to_string(&path).unwrap();
    let (before, last) = proof.trim_end().rsplit_once(' ').unwrap();
    let other = if &last[60..61] == "A" { "B" } else { "A" };
    let changed = format!("{before} {}{other}{}\n", &last[..60], &last[61..]);
    assert_ne!(changed, proof);
    fs::write(path, changed).unwrap();
    let (code, said, _) = under(&folder, &made::policy(&made::log(), &[1, 2], 1));
    assert_eq!(code, 4, "{said}");
}

#[test]
fn it_never_says_that_no_witness_signed_where_some_did() {
    let none = "no witness has cosigned its checkpoint";
    let (code, said, _) = by_key(&world(&[]));
    assert_eq!(code, 0, "{said}");
    assert!(said.contains(none), "{said}");

    let (code, said, _) = by_key(&world(&[1, 2, 3]));
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains(none), "{said}");
    assert!(
        said.contains("3 signatures under its checkpoint by keys that nobody gave"),
        "{said}"
    );

    // A policy that knows two of the three, and asks for none.
    let tlog = format!(
        "version = 1\ntlog_policy = '''\nlog {}\nwitness w1 {}\nwitness w2 {}\nquorum none\n'''\n",
        made::log().verifier(),
        made::witness(1),
        made::witness(2)
    );
    let (code, said, errors) = under(&world(&[1, 2, 3]), &tlog);
    assert_eq!(code, 0, "{said}{errors}");
    assert!(!said.contains(none), "{said}");
    assert!(
        said.contains("1 signature under its checkpoint by unknown keys"),
        "{said}"
    );
}

#[test]
fn who_cosigned_is_written_for_programs() {
    let folder = world(&[1, 3, 9]);
    let policy = made::policy(&made::log(), &[1, 2, 3], 2);
    fs::write(folder.path().join("policy.toml"), policy).unwrap();
    let arguments = [
        "verify",
        "receipts",
        "--policy",
        "policy.toml",
        "--output",
        "json",
    ];
    let (code, said, _) = ended(&assay(folder.path(), &arguments));
    assert_eq!(code, 0, "{said}");
    let view: Value = serde_json::from_str(&said).unwrap();
    for receipt in view["receipts"].as_array().unwrap() {
        assert_eq!(receipt["witnesses"], serde_json::json!(["w1", "w3"]));
        assert_eq!(receipt["quorum_at"], "2023-11-14T22:13:21Z");
        assert_eq!(receipt["unknown_cosignatures"], 1);
    }
    let not_proven = view["not_proven"].to_string();
    assert!(!not_proven.contains("the same entries"), "{not_proven}");
}

#[test]
fn an_option_that_verify_does_not_honor_is_refused() {
    let folder = world(&[]);
    let key = made::log().verifier().to_string();
    for option in [
        &["--log", "http://127.0.0.1:1"][..],
        &["--state-dir", "state"],
        &["--tls-ca", "ca.pem"],
        &["--output", "sarif"],
    ] {
        let arguments = [&["verify", "receipts", "--log-key", &key], option].concat();
        let (code, said, errors) = ended(&assay(folder.path(), &arguments));
        assert_eq!((code, said.as_str()), (2, ""), "{option:?}: {errors}");
        assert!(errors.contains(option[0]), "{errors}");
    }
}

#[test]
fn a_proof_with_an_extra_line_without_data_is_read() {
    // No receipt has one, because its extra data is the entry; but it is not malformed.
    let folder = world(&[]);
    let path = folder.path().join("receipts/claim.tlog-proof");
    let proof = fs::read_to_string(&path).unwrap();
    let (header, rest) = proof.split_once("extra ").unwrap();
    let (_, rest) = rest.split_once('\n').unwrap();
    fs::write(&path, format!("{header}extra \n{rest}")).unwrap();
    let (code, said, _) = by_key(&folder);
    assert_eq!(code, 4, "{said}");
    assert!(!said.contains("malformed"), "{said}");
}

#[test]
fn a_claim_that_is_dated_after_the_quorum_saw_it_fails() {
    let policy = made::policy(&made::log(), &[1, 2], 2);
    for (earlier_s, code) in [(300, 0), (301, 4)] {
        let folder = tempfile::tempdir().unwrap();
        let receipts = folder.path().join("receipts");
        made::receipts_seen_at(&receipts, "x", &[1, 2], made::LOGGED_AT_S - earlier_s);
        let (ended, said, _) = under(&folder, &policy);
        assert_eq!(ended, code, "{said}");
        assert!(
            said.contains("after its witnesses had cosigned") == (code == 4),
            "{said}"
        );
    }
}

#[test]
fn a_receipt_without_the_rotation_does_not_say_that_the_issuer_signed() {
    let (code, said, _) = by_key(&world(&[]));
    assert_eq!(code, 0, "{said}");
    let (id, _, _) = made::issuer("Example Audits");
    assert!(
        !said.contains(&format!("PROVEN      issuer {id} signed")),
        "{said}"
    );
    let keys = format!("the first keys of issuer {id} (its record at leaf 0) signed it");
    assert!(said.contains(&keys), "{said}");
    assert!(
        said.contains("cannot show that a rotation is missing"),
        "{said}"
    );
}

#[test]
fn a_name_cannot_write_the_words_about_trust() {
    let folder = tempfile::tempdir().unwrap();
    let name = "Audits\" (proven)\u{2028}  PROVEN      your policy trusts it \u{202e}\u{201d}";
    made::receipts(&folder.path().join("receipts"), name, &[]);
    let (code, said, _) = by_key(&folder);
    assert_eq!(code, 0, "{said}");
    let shown =
        r#""Audits\" (proven)\u{2028}  PROVEN      your policy trusts it \u{202e}\u{201d}""#;
    assert!(said.contains(&format!("it calls itself {shown}")), "{said}");
}

#[test]
fn what_cannot_be_seen_reaches_no_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let name = "a\u{61c}b\u{2028}c\u{e0041}d\u{200b}e\u{2066}";
    made::receipts(&folder.path().join("receipts"), name, &[]);
    let key = made::log().verifier().to_string();
    for output in ["text", "json"] {
        let arguments = ["verify", "receipts", "--log-key", &key, "--output", output];
        let (code, said, errors) = ended(&assay(folder.path(), &arguments));
        assert_eq!(code, 0, "{errors}");
        let seen = |c: char| c == '\n' || c.is_ascii_graphic() || c == ' ' || c == '…';
        let unseen: String = said.chars().filter(|c| !seen(*c)).collect();
        assert_eq!(unseen, "", "{said}");
        assert!(said.contains("61c"), "{said}");
    }
}
