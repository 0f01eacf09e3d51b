//! What loads and what does not.

use super::*;
use crate::rules::rule::Which;
use assay_tlog::note::{Algorithm, SignerKey, VerifierKey};
use ed25519_dalek::SigningKey;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn log_key(name: &str, seed: u8) -> String {
    SignerKey::from_seed(name, &[seed; 32])
        .unwrap()
        .verifier()
        .to_string()
}

pub(super) fn witness_key(name: &str, seed: u8) -> String {
    let key = SigningKey::from_bytes(&[seed; 32]).verifying_key();
    VerifierKey::new(name, Algorithm::CosignatureV1, key.as_bytes())
        .unwrap()
        .to_string()
}

fn witnesses(count: u8) -> String {
    (1..=count)
        .map(|i| {
            format!(
                "[[witness]]\nname = \"w{i}\"\nkey = \"{}\"\n",
                witness_key(&format!("witness{i}"), i)
            )
        })
        .collect()
}

#[test]
fn the_starting_policy_loads_and_trusts_nobody_yet() {
    let policy = parse(STARTING);
    assert!(policy.logs().is_empty() && policy.anchors().is_empty() && policy.tlog().is_none());
    assert!(!run_examples(&policy, NOW_MS).is_empty());
    assert!(
        STARTING
            .lines()
            .all(|line| line.len() < 400 && !line.contains('\t'))
    );
}

#[test]
fn an_empty_policy_denies_what_is_unknown() {
    let world = World::new();
    assert_eq!(outcome("version = 1", &world), Outcome::Unknown);
    assert_eq!(
        outcome("version = 1\nunknown = \"warn\"", &world),
        Outcome::Warn
    );
    assert_eq!(
        outcome("version = 1\nunknown = \"allow\"", &world),
        Outcome::Fine
    );
}

fn assert_error((text, line, key, words): (&str, usize, &str, &str)) {
    let found = error(text);
    assert_eq!(
        (found.line, found.key.as_str()),
        (line, key),
        "{text}: {found}"
    );
    assert!(found.reason.contains(words), "{text}: {found}");
}

/// A policy with an anchor that has this line, and else is right.
fn with_anchor(line: &str) -> String {
    let mut lines = BTreeMap::from([
        ("name", "\"n\"".to_owned()),
        ("issuer", format!("{:?}", "ab".repeat(32))),
        ("roles", "[\"auditor\"]".to_owned()),
        ("scopes", "[\"pkg:*\"]".to_owned()),
    ]);
    let (key, value) = line.split_once(" = ").unwrap();
    lines.insert(key, value.to_owned());
    let lines: Vec<String> = lines
        .iter()
        .map(|(key, value)| format!("{key} = {value}"))
        .collect();
    format!("version = 1\n[[anchor]]\n{}", lines.join("\n"))
}

#[test]
fn errors_name_key_line_and_what_to_do() {
    for wrong in [
        ("", 1, "the file", "version"),
        ("version = 2", 1, "version", "has to be 1"),
        (
            "version = 1\nunkown = \"warn\"",
            2,
            "`unkown`",
            "unknown field",
        ),
        (
            "version = 1\nunknown = \"maybe\"",
            2,
            "`unknown`",
            "expected one of",
        ),
        (
            "version = 1\n\nversion = 1",
            3,
            "`version`",
            "duplicate key",
        ),
        (
            "version = 1\nmax_head_age = 3",
            2,
            "`max_head_age`",
            "expected a string",
        ),
        (
            "version = 1\nmax_head_age = \"0d\"",
            2,
            "max_head_age",
            "whole number from 1",
        ),
        (
            "version = 1\n[[deny]]\nname = \"x\"",
            2,
            "`[[deny]]`",
            "missing field",
        ),
    ] {
        assert_error(wrong);
    }
    assert!(
        error(&" ".repeat(POLICY_BYTES + 1))
            .reason
            .contains("longer")
    );
}

#[test]
fn errors_of_an_anchor_name_key_line_and_what_to_do() {
    for (anchor, line, key, words) in [
        ("issuer = \"AB\"", 3, "anchor.issuer", "64"),
        ("roles = []", 5, "anchor.roles", "at least one"),
        ("roles = [\"king\"]", 5, "anchor.roles", "maintainer"),
        (
            "scopes = [\"pkg:PyPI/*\"]",
            6,
            "anchor.scopes",
            "pkg:pypi/*",
        ),
        ("may_delegate = 9", 4, "anchor.may_delegate", "from 0 to 8"),
        ("name = \" \"", 4, "anchor.name", "empty"),
        ("name = \"a\\u0007\"", 4, "anchor.name", "control"),
        ("power = 1", 5, "`power`", "unknown field"),
    ] {
        assert_error((&with_anchor(anchor), line, key, words));
    }
}

#[test]
fn a_threshold_of_zero_does_not_load() {
    let issuers = |n: u32| {
        format!(
            "version = 1\n{}",
            rule(
                "require",
                "deny",
                &format!("claims = [\"audit\"]\nfrom = [\"auditor\"]\nissuers = {n}")
            )
        )
    };
    assert_eq!(error(&issuers(0)).key, "require.issuers");
    assert_eq!(error(&issuers(1001)).key, "require.issuers");
    parse(&issuers(1));
    let quorum = |n: u32| format!("version = 1\nquorum = {n}\n{}", witnesses(2));
    for n in [0, 3] {
        let found = error(&quorum(n));
        assert_eq!((found.line, found.key.as_str()), (2, "quorum"), "{found}");
        assert!(found.reason.contains("from 1 to 2"), "{found}");
    }
    assert_eq!(parse(&quorum(2)).tlog().unwrap().groups()[0].threshold, 2);
    let text = format!(
        "log {}\nwitness w {}\ngroup g 0 w\nquorum g\n",
        log_key("l", 9),
        witness_key("x", 1)
    );
    let found = error(&format!("version = 1\ntlog_policy = \"\"\"\n{text}\"\"\""));
    assert_eq!((found.line, found.key.as_str()), (2, "tlog_policy"));
    assert!(
        found.reason.contains("line 3") && found.reason.contains("from 1 to 1"),
        "{found}"
    );
}

#[test]
fn logs_and_witnesses_come_as_keys() {
    let (a, b) = (log_key("a.example/log", 8), log_key("b.example/log", 9));
    let keys = format!(
        "version = 1\nquorum = 1\nmax_head_age = \"2d\"\n[[log]]\nkey = {a:?}\nurl = \
         \"https://a\"\n[[log]]\nkey = {b:?}\nmax_head_age = \"6h\"\n{}",
        witnesses(2)
    );
    let policy = parse(&keys);
    let required: Vec<_> = policy
        .logs()
        .iter()
        .map(|l| (l.origin.as_str(), l.url.as_deref(), l.max_head_age_ms))
        .collect();
    assert_eq!(
        required,
        [
            ("a.example/log", Some("https://a"), 2 * DAY_MS),
            ("b.example/log", None, DAY_MS / 4)
        ]
    );
    assert_eq!(policy.tlog().unwrap().witnesses().len(), 2);
}

#[test]
fn logs_come_as_text_and_some_of_them_count() {
    let (a, b) = (log_key("a.example/log", 8), log_key("b.example/log", 9));
    let text = format!("log {a} https://a\nlog {b}\nquorum none\n");
    let whole = format!("version = 1\ntlog_policy = \"\"\"\n{text}\"\"\"\n");
    assert_eq!(parse(&whole).logs().len(), 2);
    let some = parse(&format!("{whole}[[log]]\norigin = \"a.example/log\""));
    assert_eq!(some.logs()[0].url.as_deref(), Some("https://a"));
    assert!(some.counts("b.example/log") && !some.counts("c.example/log"));
    for (more, key) in [
        (format!("[[log]]\nkey = {a:?}"), "log.key"),
        (
            "[[log]]\norigin = \"c.example/log\"".to_owned(),
            "log.origin",
        ),
        ("[[log]]\nurl = \"https://a\"".to_owned(), "log"),
        (
            "[[log]]\norigin = \"a.example/log\"\n[[log]]\norigin = \"a.example/log\"".to_owned(),
            "log",
        ),
        (witnesses(1), "witness"),
    ] {
        assert_eq!(error(&format!("{whole}{more}")).key, key, "{more}");
    }
    let both = format!("version = 1\nquorum = 1\n{whole}");
    let both = both.replacen("version = 1\ntlog", "tlog", 1);
    assert_eq!(error(&both).key, "quorum");
}

#[test]
fn logs_and_witnesses_have_to_fit_each_other() {
    let a = log_key("a.example/log", 8);
    for (text, key) in [
        ("version = 1\nquorum = 1".to_owned(), "quorum"),
        (format!("version = 1\n{}", witnesses(1)), "witness"),
        (
            format!("version = 1\nquorum = 1\n{}{}", witnesses(1), witnesses(1)),
            "witness.key",
        ),
        (
            format!(
                "version = 1\nquorum = 1\n{}",
                witnesses(1).replace("\"w1\"", "\"w 1\"")
            ),
            "witness.name",
        ),
        (
            "version = 1\n[[log]]\nkey = \"x\"\norigin = \"x\"".to_owned(),
            "log.key",
        ),
        (
            format!("version = 1\n[[log]]\nkey = {a:?}\norigin = \"other\""),
            "log.origin",
        ),
        (
            format!("version = 1\n[[log]]\nkey = {a:?}\n[[log]]\norigin = \"other\""),
            "log.origin",
        ),
    ] {
        assert_eq!(error(&text).key, key, "{text}");
    }
}

#[test]
fn one_operator_with_two_witness_keys_does_not_load_as_two() {
    let two = format!(
        "version = 1\nquorum = 2\n{}[[witness]]\nname = \"w2\"\nkey = \"{}\"\n",
        witnesses(1),
        witness_key("witness1", 7)
    );
    let found = error(&two);
    assert!(found.reason.contains("from 1 to 1"), "{found}");
}

#[test]
fn rules_are_checked() {
    for (kind, lines, key) in [
        ("deny", "if = \"claim\"\nfrom = [\"anyone\"]", "deny.claims"),
        (
            "deny",
            "if = \"vulnerable\"\nfrom = [\"anyone\"]",
            "deny.cleared_by",
        ),
        (
            "deny",
            "if = \"unsupported\"\nfrom = [\"supplier\"]\nseverity = \"high\"",
            "deny.severity",
        ),
        (
            "deny",
            "if = \"affected\"\nfrom = [\"anyone\"]\nseverity = \"bad\"",
            "deny.severity",
        ),
        (
            "deny",
            "if = \"affected\"\nfrom = [\"anyone\"]\nclaims = [\"vex\"]",
            "deny.claims",
        ),
        (
            "deny",
            "if = \"affected\"\nfrom = [\"anyone\"]\ncleared_by = [\"anyone\"]",
            "deny.cleared_by",
        ),
        ("deny", "if = \"affected\"\nfrom = []", "deny.from"),
        (
            "deny",
            "if = \"affected\"\nfrom = [\"anyone\", \"auditor\"]",
            "deny.from",
        ),
        (
            "deny",
            "if = \"affected\"\nfrom = [\"anyone\"]\nwhen = \"nonsense\"",
            "deny.when",
        ),
        (
            "require",
            "claims = [\"audits\"]\nfrom = [\"auditor\"]",
            "require.claims",
        ),
        (
            "require",
            "claims = []\nfrom = [\"auditor\"]",
            "require.claims",
        ),
        (
            "require",
            "claims = [\"audit\"]\nfrom = [\"auditor\"]\nmax_age = \"soon\"",
            "require.max_age",
        ),
    ] {
        let found = error(&format!("version = 1\n{}", rule(kind, "deny", lines)));
        assert_eq!(found.key, key, "{lines}");
    }
}

#[test]
fn conditions_names_types_and_examples_of_rules_are_checked() {
    let long = format!(
        "if = \"affected\"\nfrom = [\"anyone\"]\nwhen = \"{}\"",
        "x".repeat(CONDITION_BYTES + 1)
    );
    assert!(
        error(&format!("version = 1\n{}", rule("deny", "deny", &long)))
            .reason
            .contains("two rules")
    );
    let twice = rule(
        "require",
        "deny",
        "claims = [\"audit\"]\nfrom = [\"auditor\"]",
    )
    .repeat(2);
    assert_eq!(error(&format!("version = 1\n{twice}")).key, "require.name");
    let own = rule(
        "require",
        "deny",
        "claims = [\"https://example.org/own/v1\", \"provenance\"]\nfrom = [\"auditor\"]",
    );
    let policy = parse(&format!("version = 1\n{own}"));
    let Which::Kind(provenance) = policy.requirements()[0].claims[1].which else {
        panic!("{policy:?}");
    };
    assert_eq!(provenance.uris().count(), 2);
    let bad = "[[test]]\nname = \"x\"\nexpect = \"good\"";
    assert_eq!(error(&format!("version = 1\n{bad}")).key, "test.expect");
    let bad = "[[test]]\nname = \"x\"\nexpect = \"fine\"\n[[test.claims]]\ntype = \"vex\"\nby = \
        \"a\"\npredicate = {}";
    assert_eq!(
        error(&format!("version = 1\n{bad}")).key,
        "test.claims.predicate"
    );
}

// -- The schema for editors

const SCHEMA: &str = include_str!("../../../../docs/policy.schema.json");

/// The keys of every table, as the schema has them.
fn schema_keys(
    schema: &serde_json::Value,
    table: &str,
    keys: &mut BTreeMap<String, BTreeSet<String>>,
) {
    assert_eq!(schema["additionalProperties"], false, "{table}");
    for (key, property) in schema["properties"].as_object().unwrap() {
        assert!(
            property["description"]
                .as_str()
                .is_some_and(|text| text.len() > 10),
            "{table}.{key} is not described"
        );
        keys.entry(table.to_owned())
            .or_default()
            .insert(key.clone());
        if property["items"]["properties"].is_object() {
            let path = if table.is_empty() {
                key.clone()
            } else {
                format!("{table}.{key}")
            };
            schema_keys(&property["items"], &path, keys);
        }
    }
}

/// The keys of every table that the starting policy explains, in use or in a note.
fn documented_keys() -> BTreeMap<String, BTreeSet<String>> {
    let mut keys: BTreeMap<String, BTreeSet<String>> =
        BTreeMap::from([(String::new(), BTreeSet::new())]);
    let mut table = String::new();
    for line in STARTING.lines() {
        let bare = line.trim_start_matches(['#', ' ']).trim();
        if let Some(header) = bare
            .strip_prefix("[[")
            .and_then(|rest| rest.split("]]").next())
        {
            table = header.to_owned();
            if !table.contains('.') {
                keys.get_mut("").unwrap().insert(table.clone());
            } else if let Some((parent, child)) = table.split_once('.') {
                keys.entry(parent.to_owned())
                    .or_default()
                    .insert(child.to_owned());
            }
        }
        let key = bare
            .split_once(" = ")
            .map(|(key, _)| key)
            .filter(|key| key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
        if let Some(key) = key {
            // These stand at the top, wherever they are explained.
            let top = ["quorum", "required_logs", "tlog_policy"].contains(&key);
            keys.entry(if top { String::new() } else { table.clone() })
                .or_default()
                .insert(key.to_owned());
        }
    }
    keys
}

#[test]
fn the_schema_and_the_starting_policy_document_the_same_fields() {
    let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
    let mut keys = BTreeMap::new();
    schema_keys(&schema, "", &mut keys);
    assert_eq!(keys, documented_keys());
}

/// What serde names when it meets a key that it does not know is all that it knows.
#[test]
fn every_field_that_is_read_is_documented() {
    let documented = documented_keys();
    for (table, keys) in &documented {
        let mut text = String::from("version = 1\n");
        match table.split_once('.') {
            _ if table.is_empty() => {}
            Some((parent, _)) => text.push_str(&format!("[[{parent}]]\n[[{table}]]\n")),
            None => text.push_str(&format!("[[{table}]]\n")),
        }
        text.push_str("zzz = 1\n");
        let reason = error(&text).reason;
        let known: BTreeSet<String> = reason
            .split('`')
            .skip(3)
            .step_by(2)
            .map(str::to_owned)
            .collect();
        assert_eq!(&known, keys, "{table}: {reason}");
    }
}
