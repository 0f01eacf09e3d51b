//! The JSON of OpenSSF Scorecard (`scorecard --format=json`). The predicate is the result without
//! `repo`, which is the subject.

use super::draft::{Draft, Prepared, Summary};
use super::error::DocumentError;
use super::subjects::Subjects;
use super::tool::{Source, Takes, Tool};
use assay_claims::json::Value;
use assay_claims::kind::descriptor::digest;
use assay_claims::kind::node::{Node, quoted};
use assay_claims::kind::scorecard::Scorecard;
use assay_claims::kind::{Kind, PredicateError};

pub(super) const TOOL: Tool = Tool {
    takes: Takes::Value(|value| value.get("scorecard").is_some() || value.get("checks").is_some()),
    prepare,
};

fn prepare(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    let root = source.root();
    Scorecard::read(&root)?;
    let mut subjects = Subjects::default();
    if let Some(repo) = root.get("repo") {
        suggest(&repo, &mut subjects)?;
    }
    let members = root.object()?.iter().filter(|(key, _)| key != "repo");
    let predicate = Value::Object(members.cloned().collect());
    let draft = Draft::new(Kind::Scorecard, predicate, subjects, summary(&root));
    let document = source.document;
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

fn summary(root: &Node<'_, '_>) -> Summary {
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
    use crate::documents::prepare;
    use assay_claims::kind::check;

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
