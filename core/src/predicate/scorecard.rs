//! `https://scorecard.dev/result/v0.1`: a result of OpenSSF Scorecard, in the form that `scorecard --format=intoto` gives
//! it: the JSON result without `repo`, which is the subject.

use super::document::{Document, DocumentError, Draft, Prepared, not_taken};
use super::node::{Node, quoted};
use super::subject::{Subjects, digest};
use super::{PredicateError, PredicateType, time};
use crate::json::Value;

pub(super) const TYPE: PredicateType =
    PredicateType { name: "scorecard", uris: &["https://scorecard.dev/result/v0.1"], check };

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
    let score = node.value().as_f64().ok_or_else(|| node.fault("is no number"))?;
    let possible = (0.0..=10.0).contains(&score) || score == -1.0;
    if possible { Ok(score) } else { Err(node.fault("is no score from 0 to 10, nor -1 for inconclusive")) }
}

pub(super) fn prepare(document: &Document) -> Result<Vec<Prepared>, DocumentError> {
    let result = document.json()?;
    if result.get("scorecard").is_none() && result.get("checks").is_none() {
        return Err(not_taken("scorecard", "the JSON that `scorecard --format=json` writes", &result));
    }
    let root = Node::root("$", &result);
    check(&root)?;
    let mut subjects = Subjects::default();
    if let Some(repo) = root.get("repo") {
        suggest(&repo, &mut subjects)?;
    }
    let summary = summary(&root);
    let members = root.object()?.iter().filter(|(key, _)| key != "repo").cloned().collect();
    let predicate = Value::Object(members);
    let draft = Draft { predicate_type: TYPE.uris[0].into(), predicate, subjects, summary };
    Ok(vec![document.inline_or_referenced(draft, "application/json")?])
}

/// The repository at its commit; one on GitHub also as a package.
fn suggest(repo: &Node<'_, '_>, subjects: &mut Subjects) -> Result<(), PredicateError> {
    let (name, commit) = (repo.need("name")?.text()?, repo.need("commit")?.text()?);
    let digest = match digest("sha1", commit).or_else(|| digest("sha256", commit)) {
        Some((_, hex)) => vec![("gitCommit".to_owned(), hex)],
        None => {
            subjects.notes.push(format!("the commit {} is no Git object id", quoted(commit)));
            return Ok(());
        }
    };
    let purl =
        name.strip_prefix("github.com/").map(|repo| format!("pkg:github/{}@{commit}", repo.to_ascii_lowercase()));
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
    let checks = root.value().get("checks").and_then(Value::as_array).map_or(0, <[Value]>::len);
    summary.push(("checks".into(), checks.to_string()));
    summary
}
