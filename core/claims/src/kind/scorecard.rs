//! `https://scorecard.dev/result/v0.1`: a result of OpenSSF Scorecard, in the form that `scorecard
//! --format=intoto` gives it: the JSON result without `repo`, which is the subject.

use super::document::{Document, DocumentError, Draft, Prepared, not_taken};
use super::node::{Node, quoted};
use super::subject::{Subjects, digest};
use super::{PredicateError, PredicateType};
use crate::json::Value;
use crate::time;

pub(super) const TYPE: PredicateType = PredicateType {
    name: "scorecard",
    uris: &["https://scorecard.dev/result/v0.1"],
};

/// A result of Scorecard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scorecard {
    /// The aggregate score as JSON, such as `7.5`; from 0 to 10, or -1 if it is inconclusive.
    pub score: String,
}

impl Scorecard {
    pub(super) fn read(predicate: &Node<'_, '_>) -> Result<Self, PredicateError> {
        check(predicate)?;
        Ok(Scorecard {
            score: predicate.need("score")?.value().to_json(),
        })
    }
}

fn check(predicate: &Node<'_, '_>) -> Result<(), PredicateError> {
    let date = predicate.need("date")?;
    if !time::is_date(date.string()?) {
        date.instant()?;
    }
    let tool = predicate.need("scorecard")?;
    tool.need("version")?.text()?;
    if let Some(commit) = tool.get("commit") {
        commit.string()?;
    }
    score(&predicate.need("score")?)?;
    for check in predicate.need("checks")?.items()? {
        check.need("name")?.text()?;
        score(&check.need("score")?)?;
        if let Some(reason) = check.get("reason") {
            reason.string()?;
        }
        if let Some(details) = check.get("details") {
            for detail in details.items()? {
                detail.string()?;
            }
        }
    }
    Ok(())
}

/// Scores go from 0 to 10; −1 says that a check was inconclusive.
fn score(node: &Node<'_, '_>) -> Result<f64, PredicateError> {
    let score = node
        .value()
        .as_f64()
        .ok_or_else(|| node.fault("is no number"))?;
    let possible = (0.0..=10.0).contains(&score) || score == -1.0;
    if possible {
        Ok(score)
    } else {
        Err(node.fault("is no score from 0 to 10, nor -1 for inconclusive"))
    }
}

pub(super) fn prepare(document: &Document) -> Result<Vec<Prepared>, DocumentError> {
    let result = document.json()?;
    if result.get("scorecard").is_none() && result.get("checks").is_none() {
        return Err(not_taken(
            "scorecard",
            "the JSON that `scorecard --format=json` writes",
            &result,
        ));
    }
    let root = Node::root("$", &result);
    check(&root)?;
    let mut subjects = Subjects::default();
    if let Some(repo) = root.get("repo") {
        suggest(&repo, &mut subjects)?;
    }
    let summary = summary(&root);
    let members = root
        .object()?
        .iter()
        .filter(|(key, _)| key != "repo")
        .cloned()
        .collect();
    let predicate = Value::Object(members);
    let draft = Draft {
        predicate_type: TYPE.uris[0].into(),
        predicate,
        subjects,
        summary,
    };
    Ok(vec![
        document.inline_or_referenced(draft, "application/json")?,
    ])
}

/// The repository at its commit; one on GitHub also as a package.
fn suggest(repo: &Node<'_, '_>, subjects: &mut Subjects) -> Result<(), PredicateError> {
    let (name, commit) = (repo.need("name")?.text()?, repo.need("commit")?.text()?);
    let digest = match digest("sha1", commit).or_else(|| digest("sha256", commit)) {
        Some((_, hex)) => vec![("gitCommit".to_owned(), hex)],
        None => {
            subjects
                .notes
                .push(format!("the commit {} is no Git object id", quoted(commit)));
            return Ok(());
        }
    };
    let purl = name
        .strip_prefix("github.com/")
        .map(|repo| format!("pkg:github/{}@{commit}", repo.to_ascii_lowercase()));
    subjects.suggest(Some(name), purl.as_deref(), digest);
    Ok(())
}

fn summary(root: &Node<'_, '_>) -> Vec<(String, String)> {
    let mut summary = Vec::new();
    let mut line = |label: &str, pointer: &str| match root.value().pointer(pointer) {
        Some(Value::String(text)) => summary.push((label.to_owned(), text.clone())),
        Some(Value::Number(number)) => summary.push((label.to_owned(), number.as_str().to_owned())),
        _ => {}
    };
    line("repository", "/repo/name");
    line("score", "/score");
    line("date", "/date");
    line("scorecard", "/scorecard/version");
    let checks = root
        .value()
        .get("checks")
        .and_then(Value::as_array)
        .map_or(0, <[Value]>::len);
    summary.push(("checks".into(), checks.to_string()));
    summary
}

#[cfg(test)]
mod tests {
    use crate::kind::{check, prepare};

    const RESULT: &str = r#"{"date":"2026-01-01","repo":{"name":"github.com/Own/Repo","commit":"68bc59901773ab4c051dfcea0cc4201a1567ab32"},
        "scorecard":{"version":"v5.0.0","commit":"x"},"score":8.90,"checks":[{"name":"Fuzzing","score":-1,"reason":"r","details":["d"]},
        {"name":"SAST","score":10,"reason":"r","details":null}],"metadata":null}"#;

    #[test]
    fn the_repository_is_the_subject() {
        let prepared = prepare("scorecard", "s.json", RESULT.as_bytes(), "")
            .unwrap()
            .remove(0);
        check("https://scorecard.dev/result/v0.1", &prepared.predicate).unwrap();
        assert!(
            prepared
                .predicate
                .to_json()
                .starts_with(r#"{"date":"2026-01-01","scorecard":"#)
        );
        assert!(prepared.predicate.to_json().contains(r#""score":8.90"#));
        let subject = &prepared.subjects[0];
        assert_eq!(subject.name(), Some("github.com/Own/Repo"));
        assert_eq!(
            subject.uri(),
            Some("pkg:github/own/repo@68bc59901773ab4c051dfcea0cc4201a1567ab32")
        );
        assert_eq!(
            subject.digest("gitCommit"),
            Some("68bc59901773ab4c051dfcea0cc4201a1567ab32")
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (from, to, place) in [
            (r#""2026-01-01""#, r#""January""#, "$.date"),
            (r#""version":"v5.0.0","#, "", "$.scorecard.version"),
            ("8.90", "10.5", "$.score"),
            (r#""score":-1"#, r#""score":-2"#, "$.checks[0].score"),
            (r#""name":"SAST","#, "", "$.checks[1].name"),
            (r#"["d"]"#, "[1]", "$.checks[0].details[0]"),
            (r#""name":"github.com/Own/Repo","#, "", "$.repo.name"),
        ] {
            assert!(RESULT.contains(from), "{from}");
            let error = prepare(
                "scorecard",
                "s.json",
                RESULT.replacen(from, to, 1).as_bytes(),
                "",
            )
            .unwrap_err();
            assert_eq!(error.place(), place, "{error}");
        }
    }
}
