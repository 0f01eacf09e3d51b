//! Which logs must answer, and who their witnesses are.

use super::reading::{log_key, witness_key};
use super::*;
use std::collections::BTreeSet;

#[test]
fn not_every_log_must_answer_if_the_policy_says_so() {
    let keys =
        ["a", "b", "c"].map(|name| log_key(&format!("{name}.example/log"), name.as_bytes()[0]));
    let logs: String = keys
        .iter()
        .map(|key| format!("[[log]]\nkey = {key:?}\n"))
        .collect();
    let of = |stated: &str| format!("version = 1\nrequired_logs = {stated}\n{logs}");
    let named = "[\"a.example/log\", \"b.example/log\"]";
    let some = parse(&of(&format!("{{ least = 1, of = {named} }}")));
    let enough = some.enough_logs().unwrap();
    assert_eq!((enough.least, enough.of.len()), (1, 2));
    let answered = |origins: &[&'static str]| BTreeSet::from_iter(origins.iter().copied());
    assert!(some.can_lack("a.example/log", &answered(&["b.example/log"])));
    assert!(!some.can_lack("a.example/log", &answered(&["c.example/log"])));
    assert!(!some.can_lack(
        "c.example/log",
        &answered(&["a.example/log", "b.example/log"])
    ));
    for all in ["\"all\"", &format!("{{ least = 2, of = {named} }}")] {
        assert_eq!(parse(&of(all)).enough_logs(), None, "{all}");
    }
    for wrong in [
        "\"some\"".to_owned(),
        "2".to_owned(),
        "{ least = 1 }".to_owned(),
        "{ least = 1, of = [] }".to_owned(),
        format!("{{ least = 0, of = {named} }}"),
        format!("{{ least = 3, of = {named} }}"),
        "{ least = 1, of = [\"a.example/log\", \"a.example/log\"] }".to_owned(),
        "{ least = 1, of = [\"d.example/log\"] }".to_owned(),
    ] {
        let key = error(&of(&wrong)).key;
        assert_eq!(key.trim_matches('`'), "required_logs", "{wrong}");
    }
}

/// Both keys of one witness, as tables: one member of the quorum.
#[test]
fn the_keys_of_one_witness_are_one_member_of_the_quorum() {
    let key = |name: &str, seed| witness_key(name, seed);
    let tables = [
        ("w", key("w.example/witness", 1)),
        ("w.example", key("v.example", 2)),
        ("w2", key("w.example/mirror", 3)),
    ];
    let tables: String = tables
        .iter()
        .map(|(name, key)| format!("[[witness]]\nname = {name:?}\nkey = {key:?}\n"))
        .collect();
    let policy = parse(&format!("version = 1\nquorum = 2\n{tables}"));
    let size = policy.tlog().unwrap().quorum_size().unwrap();
    assert_eq!((size.least, size.operators), (2, 2));
    // Not three: two are one.
    let three = error(&format!("version = 1\nquorum = 3\n{tables}"));
    assert!(three.reason.contains("from 1 to 2"), "{three}");
}

#[test]
fn a_log_with_two_keys_is_one_log_that_must_answer() {
    let (old, new) = (log_key("a.example/log", 8), log_key("a.example/log", 9));
    let text = format!("log {old}\nlog {new} https://a\nquorum none\n");
    let policy = parse(&format!(
        "version = 1\ntlog_policy = \"\"\"\n{text}\"\"\"\n"
    ));
    assert_eq!(policy.logs().len(), 1);
    assert_eq!(policy.logs()[0].url.as_deref(), Some("https://a"));
}

/// Texts of misbehavior are verified with all keys of a name, and with so many at most: a log with
/// more was left out, and could not be convicted.
#[test]
fn more_keys_of_a_name_than_can_be_verified_are_refused() {
    let keys = |most: u8| {
        let keys = (1..=most).map(|seed| {
            let key = log_key("log.example", seed);
            format!("log {key}\n")
        });
        let keys: String = keys.collect();
        format!("version = 1\ntlog_policy = \"\"\"\n{keys}quorum none\n\"\"\"\n")
    };
    assert!(Policy::parse(&keys(8), &Words).is_ok());
    let found = error(&keys(9));
    assert_eq!(found.key, "tlog_policy");
    assert!(
        found.reason.contains("9 keys of the log log.example"),
        "{found}"
    );
}

/// Whose key is given under another log's name would be taken for that log.
#[test]
fn a_key_is_of_the_log_whose_name_it_has() {
    let (a, b) = (log_key("a.example/log", 1), log_key("b.example/log", 2));
    let of = |origin: &str| {
        format!("version = 1\n[[log]]\nkey = {a:?}\norigin = {origin:?}\n[[log]]\nkey = {b:?}")
    };
    assert_eq!(parse(&of("a.example/log")).logs().len(), 2);
    let found = error(&of("b.example/log"));
    assert_eq!((found.line, found.key.as_str()), (4, "log.origin"));
    assert!(found.reason.contains("a.example/log"), "{found}");
}

#[test]
fn a_log_has_at_most_eight_mirrors() {
    let of = |mirrors: usize| {
        let mirrors = vec!["https://m.example"; mirrors];
        let key = log_key("a.example/log", 1);
        format!("version = 1\n[[log]]\nkey = {key:?}\nmirrors = {mirrors:?}")
    };
    assert_eq!(parse(&of(8)).logs()[0].mirrors.len(), 8);
    assert_eq!(error(&of(9)).key, "log.mirrors");
}
