//! Policies for checkpoints in the format of C2SP tlog-policy: texts that must and must not be
//! read, and quorums.

use assay_tests::data;
use assay_tlog::note::NoteError;
use assay_tlog::tlog_policy::{QuorumError, TlogPolicy};
use base64::prelude::{BASE64_STANDARD, Engine};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    #[serde(rename = "note")]
    _note: String,
    valid: Vec<Valid>,
    invalid: Vec<Invalid>,
    quorum: Quorum,
}

#[derive(Deserialize)]
struct Valid {
    name: String,
    policy_b64: String,
    want: Want,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Want {
    logs: Option<usize>,
    witnesses: usize,
    /// The threshold and the members of each.
    #[serde(default)]
    groups: BTreeMap<String, (usize, Vec<String>)>,
    quorum: Option<String>,
}

#[derive(Deserialize)]
struct Invalid {
    name: String,
    policy_b64: String,
}

#[derive(Deserialize)]
struct Quorum {
    policy: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    checkpoint_b64: String,
    accept: bool,
}

/// A text as bytes; one that is not UTF-8 is read with replacements, which the format calls opaque.
fn decoded(text: &str) -> String {
    String::from_utf8_lossy(&BASE64_STANDARD.decode(text).unwrap()).into_owned()
}

fn vectors() -> Option<Vectors> {
    data::require("tlog-policy")
        .map(|folder| data::read_json(&folder.join("tlog-policy-vectors.json")))
}

#[test]
fn valid_policies_mean_what_they_say() {
    let Some(vectors) = vectors() else { return };
    for Valid {
        name,
        policy_b64,
        want,
    } in vectors.valid
    {
        let policy =
            TlogPolicy::parse(&decoded(&policy_b64)).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(
            want.logs.is_none_or(|logs| policy.logs().len() == logs),
            "{name}"
        );
        assert_eq!(policy.witnesses().len(), want.witnesses, "{name}");
        let groups: BTreeMap<String, (usize, Vec<String>)> = policy
            .groups()
            .iter()
            .map(|group| {
                (
                    group.name.clone(),
                    (
                        group.threshold,
                        policy.members(group).map(str::to_owned).collect(),
                    ),
                )
            })
            .collect();
        assert_eq!(groups, want.groups, "{name}");
        let quorum = want.quorum.filter(|quorum| quorum != "none");
        assert_eq!(policy.quorum(), quorum.as_deref(), "{name}");
    }
}

#[test]
fn invalid_policies_are_refused() {
    let Some(vectors) = vectors() else { return };
    assert!(!vectors.invalid.is_empty());
    for Invalid { name, policy_b64 } in vectors.invalid {
        assert!(TlogPolicy::parse(&decoded(&policy_b64)).is_err(), "{name}");
    }
}

#[test]
fn quorums_are_met_by_those_who_cosigned() {
    let Some(vectors) = vectors() else { return };
    let policy = TlogPolicy::parse(&vectors.quorum.policy).unwrap();
    assert!(!vectors.quorum.cases.is_empty());
    for Case {
        name,
        checkpoint_b64,
        accept,
    } in vectors.quorum.cases
    {
        match policy.verify(&decoded(&checkpoint_b64)) {
            Ok(verified) => assert!(accept && verified.cosigned_at().is_some(), "{name}"),
            Err(QuorumError::Quorum(_) | QuorumError::Note(NoteError::UnknownSigners { .. })) => {
                assert!(!accept, "{name}");
            }
            Err(e) => panic!("{name}: {e}"),
        }
    }
}

#[test]
fn policies_of_another_dialect_are_refused() {
    let Some(folder) = data::require("tlog-policy") else {
        return;
    };
    let others = data::files(&folder)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "policy"));
    for path in others {
        assert!(
            TlogPolicy::parse(&data::read_text(&path)).is_err(),
            "{}",
            path.display()
        );
    }
}
