use super::*;
use crate::documents::prepare;
use assay_claims::statement::Subject;

const STORE: &str = r#"
[criteria.good]
description = "great"
implies = "safe-to-deploy"

[[audits.a]]
who = ["A. Person <a@example.org>", "B"]
criteria = ["safe-to-deploy", "good"]
version = "1.0.0+x"
notes = """
Fine.
"""

[[audits.a]]
criteria = "safe-to-run"
delta = "1.0.0 -> 1.0.1"

[[audits.a]]
criteria = "safe-to-run"
delta = "1.0.1 -> 1.0.1@git:68bc59901773ab4c051dfcea0cc4201a1567ab32"

[[audits.b]]
criteria = "safe-to-run"
violation = "<2"

[[audits.b]]
criteria = "safe-to-run"
violation = "=3.0.0"

[[audits.c]]
criteria = "safe-to-run"
version = "1.0.0"
importable = false

[[trusted.d]]
criteria = "safe-to-deploy"
user-id = 1
start = "2023-03-16"
end = "2026-06-03"
"#;

fn audits(text: &str) -> Result<Vec<(Audit, Subject)>, DocumentError> {
    let claims = prepare("audit", "audits.toml", text.as_bytes(), "")?;
    Ok(claims
        .into_iter()
        .map(|mut p| (Audit::parse(&p.predicate).unwrap(), p.subjects.remove(0)))
        .collect())
}

#[test]
fn every_audit_becomes_a_claim() {
    let read = audits(STORE).unwrap();
    let uris: Vec<_> = read
        .iter()
        .map(|(_, subject)| subject.uri().unwrap_or("none"))
        .collect();
    assert_eq!(
        uris,
        [
            "pkg:cargo/a@1.0.0%2Bx",
            "pkg:cargo/a@1.0.1",
            "none",
            "pkg:cargo/b",
            "pkg:cargo/b@3.0.0"
        ]
    );
    let [first, delta, commit, range, one] = &read[..] else {
        panic!("five audits")
    };
    assert_eq!(first.0.criteria, ["safe-to-deploy", "good"]);
    assert_eq!(first.0.reviewers, ["A. Person", "B"]);
    assert_eq!(first.0.definitions, [("good".into(), "great".into())]);
    assert_eq!(
        (first.0.notes.as_deref(), first.0.verdict),
        (Some("Fine."), Verdict::Pass)
    );
    assert_eq!(delta.0.scope, Scope::Delta("pkg:cargo/a@1.0.0".into()));
    assert_eq!(
        commit.1.digest("gitCommit"),
        Some("68bc59901773ab4c051dfcea0cc4201a1567ab32")
    );
    assert_eq!(
        (range.0.verdict, range.0.versions.as_deref()),
        (Verdict::Fail, Some("vers:cargo/<2.0.0"))
    );
    assert_eq!(
        (one.0.verdict, one.0.versions.as_deref()),
        (Verdict::Fail, None)
    );
}

#[test]
fn what_becomes_no_claim_is_said() {
    let claims = prepare("audit", "audits.toml", STORE.as_bytes(), "").unwrap();
    let notes: Vec<_> = claims[0]
        .summary
        .iter()
        .filter(|(label, _)| label == "note")
        .map(|(_, note)| note)
        .collect();
    assert!(
        notes
            .iter()
            .any(|note| note.starts_with("1 entry trusts a publisher")),
        "{notes:?}"
    );
    assert!(
        notes
            .iter()
            .any(|note| *note == "1 audit is marked as not importable, which becomes no claim"),
        "{notes:?}"
    );
    let two = STORE.replace(
        "= \"1.0.0\"\nimportable",
        "= \"1.0.0\"\nimportable = \
        false\n[[audits.c]]\ncriteria = \"safe-to-run\"\nversion = \"1.0.1\"\nimportable",
    );
    let claims = prepare("audit", "audits.toml", two.as_bytes(), "").unwrap();
    let notes: Vec<_> = claims[0]
        .summary
        .iter()
        .map(|(_, note)| note.as_str())
        .collect();
    assert!(
        notes.contains(&"2 audits are marked as not importable, which become no claims"),
        "{notes:?}"
    );
    let long = STORE.replace("Fine.", &"x".repeat(10_000));
    let claims = prepare("audit", "audits.toml", long.as_bytes(), "").unwrap();
    assert!(
        claims[0]
            .summary
            .iter()
            .any(|(_, text)| text.contains("left out")),
        "{:?}",
        claims[0].summary
    );
}

#[test]
fn what_is_wrong_is_named() {
    for (from, to, place) in [
        (
            r#"["safe-to-deploy", "good"]"#,
            r#""bad""#,
            "$.audits.a[0].criteria",
        ),
        (
            r#"["safe-to-deploy", "good"]"#,
            "[]",
            "$.audits.a[0].criteria",
        ),
        (
            r#"version = "1.0.0+x""#,
            r#"version = "1.0""#,
            "$.audits.a[0].version",
        ),
        (r#"version = "1.0.0+x""#, "", "$.audits.a[0]"),
        (
            r#"version = "1.0.0+x""#,
            "version = \"1.0.0\"\nviolation = \"*\"",
            "$.audits.a[0]",
        ),
        ("1.0.0 -> 1.0.1", "1.0.0", "$.audits.a[1].delta"),
        ("1.0.0 -> 1.0.1", "1.0 -> 1.0.1", "$.audits.a[1].delta"),
        ("@git:68", "@git:6", "$.audits.a[2].delta"),
        (r#""<2""#, r#"">2, <1""#, "$.audits.b[0].violation"),
        (r#""<2""#, r#""two""#, "$.audits.b[0].violation"),
        (r#""great""#, "7", "$.criteria.good.description"),
        ("[[audits.b]]", "[audits.b]", "line 26"),
        ("[[audits.b]]", "[[audits.b", "line 22"),
    ] {
        assert!(STORE.contains(from), "{from}");
        let error = audits(&STORE.replacen(from, to, 1)).unwrap_err();
        assert!(error.place().starts_with(place), "{error}");
    }
    for (text, place) in [
        ("", "$.audits"),
        ("[audits]", "$.audits"),
        ("audits = 7", "$.audits"),
        ("[audits.a]\nx = 1", "$.audits.a"),
    ] {
        assert_eq!(audits(text).unwrap_err().place(), place);
    }
    assert!(
        audits("{}")
            .unwrap_err()
            .to_string()
            .contains("audits.toml")
    );
}

/// The verdict and criteria of what one entry says, in a store with criteria of its own.
fn said(entry: &str) -> (Verdict, Vec<String>) {
    let store = format!(
        r#"
[criteria.strict]
description = "more than careful"
implies = ["careful", "tidy"]

[criteria.careful]
description = "careful"
implies = "safe-to-deploy"

[criteria.tidy]
description = "tidy"
implies = "strict-or-tidy"

[criteria.strict-or-tidy]
description = "in a circle"
implies = "tidy"

[[audits.a]]
{entry}
"#
    );
    let (audit, _) = audits(&store).unwrap().remove(0);
    (audit.verdict, audit.criteria)
}

#[test]
fn a_review_is_for_what_its_criteria_imply() {
    for (criteria, met) in [
        (r#""safe-to-deploy""#, &["safe-to-deploy"][..]),
        (r#""careful""#, &["careful", "safe-to-deploy"]),
        (
            r#""strict""#,
            &[
                "strict",
                "careful",
                "tidy",
                "safe-to-deploy",
                "strict-or-tidy",
            ],
        ),
        (
            r#"["tidy", "safe-to-run"]"#,
            &["tidy", "safe-to-run", "strict-or-tidy"],
        ),
    ] {
        let entry = format!("criteria = {criteria}\nversion = \"1.0.0\"");
        let (verdict, all) = said(&entry);
        assert_eq!(
            (verdict, all.iter().map(String::as_str).collect()),
            (Verdict::Pass, met.to_vec())
        );
    }
}

#[test]
fn a_violation_is_of_its_criteria_and_of_what_implies_them() {
    for (criteria, verdict, unmet) in [
        (
            r#""tidy""#,
            Verdict::Unmet,
            &["tidy", "strict", "strict-or-tidy"][..],
        ),
        (r#""strict""#, Verdict::Unmet, &["strict"]),
        (
            r#""safe-to-deploy""#,
            Verdict::Fail,
            &["safe-to-deploy", "careful", "strict"],
        ),
        (
            r#""safe-to-run""#,
            Verdict::Fail,
            &["safe-to-run", "safe-to-deploy", "careful", "strict"],
        ),
        (
            r#"["tidy", "safe-to-deploy"]"#,
            Verdict::Fail,
            &[
                "tidy",
                "safe-to-deploy",
                "strict",
                "strict-or-tidy",
                "careful",
            ],
        ),
    ] {
        for violation in ["*", "=1.0.0", ">=1, <3"] {
            let entry = format!("criteria = {criteria}\nviolation = \"{violation}\"");
            let (said, all) = said(&entry);
            assert_eq!(
                (said, all.iter().map(String::as_str).collect()),
                (verdict, unmet.to_vec())
            );
        }
    }
}

#[test]
fn a_criterion_that_implies_what_nobody_defines_is_refused() {
    let store = STORE.replace(r#"implies = "safe-to-deploy""#, r#"implies = "safe""#);
    assert_eq!(
        audits(&store).unwrap_err().place(),
        "$.criteria.good.implies"
    );
}

#[test]
fn a_list_of_more_audits_than_are_read_is_refused() {
    let audit = "[[audits.a]]\ncriteria = \"safe-to-run\"\nversion = \"1.0.0\"\n";
    let error = audits(&audit.repeat(AUDITS + 1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "$.audits: holds more than 10000 audits; publish it in parts"
    );
}
