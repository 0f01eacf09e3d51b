use crate::{assay, ended, made};
use std::fs;
use std::path::Path;

/// Port 1 of this machine, where nobody answers.
const NEAR: &str = "http://127.0.0.1:1";

#[test]
fn an_address_that_others_can_listen_to_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let key = made::log().verifier().to_string();
    // A name that never resolves (RFC 6761).
    for (url, is_warned) in [("http://log.invalid:1", true), (NEAR, false)] {
        let arguments = ["log", "--log", url, "--log-key", &key];
        let (code, _, errors) = ended(&assay(folder.path(), &arguments));
        assert_eq!(code, 3, "{errors}");
        assert_eq!(errors.contains("is not encrypted"), is_warned, "{errors}");
    }
}

#[test]
fn the_address_of_a_policys_log_can_be_given_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("policy.toml"),
        made::policy(&made::log(), &[], 0),
    )
    .unwrap();
    let asked = ["lookup", "pkg:cargo/a@1.0.0", "--policy", "policy.toml"];
    let (code, _, errors) = ended(&assay(folder.path(), &asked));
    assert_eq!(code, 2, "{errors}");
    let (code, said, errors) = ended(&assay(
        folder.path(),
        &[&asked[..], &["--log", NEAR]].concat(),
    ));
    assert_eq!(code, 3, "it was asked: {said}{errors}");
}

#[test]
fn options_that_would_change_nothing_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("policy.toml"), made::policy(&made::log(), &[], 0)).unwrap();
    let lock = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n";
    fs::write(at("Cargo.lock"), lock).unwrap();
    let node = format!("--log {NEAR} --log-key {}", made::log().verifier());
    let here = format!("--policy policy.toml {node}");
    for (line, said) in [
        (
            "policy explain policy.toml --policy policy.toml".into(),
            "named twice",
        ),
        ("policy init - --output json".into(), "--output"),
        (format!("key new k.pem --log {NEAR}"), "--log"),
        (format!("audit {NEAR} {node}"), "named twice"),
        (
            format!("get 7 --payload --output json {node}"),
            "--payload and --output",
        ),
        (format!("log --tls-ca ca.pem {node}"), "--tls-ca"),
        (
            format!("check Cargo.lock --all --output sarif {here}"),
            "--all",
        ),
        (
            format!("check Cargo.lock --dpkg-status x {here}"),
            "--dpkg-status",
        ),
        (
            format!("check Cargo.lock --os-release x {here}"),
            "--os-release",
        ),
        (format!("check - - {here}"), "stdin"),
        (
            format!("watch CVE-2026-1 --exec true --output json {here}"),
            "--exec and --output",
        ),
    ] {
        refused(folder.path(), &line, said);
    }
    assert!(!at("k.pem").exists());
}

#[test]
fn pages_of_others_are_refused_where_there_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let all = made::policy(&made::log(), &[], 0);
    let anchor = "[[anchor]]\nname = \"a\"\nroles = [\"auditor\"]\nscopes = [\"pkg:*\"]\n";
    let anchored = format!("{all}{anchor}issuer = \"{}\"\n", "ab".repeat(32));
    fs::write(folder.path().join("anchored.toml"), anchored).unwrap();
    fs::write(folder.path().join("all.toml"), all).unwrap();
    for (options, said) in [
        ("--policy anchored.toml --limit 3", "ask with --everyone"),
        ("--policy anchored.toml --after 7", "32 hex digits"),
        ("--policy all.toml --limit 0", "1..=1000"),
        (
            "--policy all.toml --private --limit 3",
            "--limit cannot be used with --private",
        ),
    ] {
        let node = format!("--log {NEAR} --log-key {}", made::log().verifier());
        let line = format!("lookup pkg:cargo/a@1 {options} {node}");
        refused(folder.path(), &line, said);
    }
}

/// Runs the program, which must refuse its arguments and say why.
fn refused(folder: &Path, line: &str, why: &str) {
    let arguments: Vec<&str> = line.split(' ').collect();
    let (code, out, errors) = ended(&assay(folder, &arguments));
    assert_eq!((code, out.as_str()), (2, ""), "{line}: {errors}");
    assert!(errors.contains(why), "{line}: {errors}");
}
