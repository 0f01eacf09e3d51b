//! SECURITY-INSIGHTS v2 (ossf/security-insights-spec, `schema.cue`).
//!
//! What the schema requires is checked where something follows from it; real documents lack some of
//! the rest, such as a self-assessment. The claim names the document, which is stored beside the
//! log, and says what of it bears on trust. Who the people are that it names is not said: a log
//! forgets nothing, and the document may be deleted.

use super::draft::{Draft, Prepared};
use super::error::DocumentError;
use super::subjects::Subjects;
use super::tool::{Source, Takes, Tool};
use assay_claims::kind::node::{Node, quoted};
use assay_claims::kind::practice::{Practice, SecurityInsights};
use assay_claims::kind::{Kind, PredicateError};
use assay_claims::purl::Purl;
use assay_claims::time;
use assay_tlog::Hash;

pub(super) const TOOL: Tool = Tool {
    takes: Takes::Value(|value| value.get("header").is_some_and(|header| !header.is_null())),
    prepare,
};

const STATUSES: &[&str] = &[
    "active",
    "abandoned",
    "concept",
    "inactive",
    "moved",
    "suspended",
    "unsupported",
    "WIP",
];

fn prepare(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    let root = source.root();
    let insights = read(&root, Hash::of(source.document.bytes()))?;
    let mut subjects = Subjects::default();
    suggest(&root, &mut subjects)?;
    let mut summary = vec![
        ("document".to_owned(), insights.url.clone()),
        ("last reviewed".to_owned(), insights.last_reviewed.clone()),
    ];
    if let Some(status) = &insights.status {
        summary.push(("status".to_owned(), status.clone()));
    }
    if let Some(accepted) = insights.reports_accepted {
        summary.push(("accepts reports".to_owned(), accepted.to_string()));
    }
    let practice = Practice {
        security_insights: Some(insights),
        ..Practice::default()
    };
    let mut draft = Draft::new(Kind::Practice, practice.to_value(), subjects, summary);
    draft.bound_subjects();
    let document = source.document;
    Ok(vec![
        document.attached_or_referenced(draft, "application/yaml")?,
    ])
}

fn read(root: &Node<'_, '_>, sha256: Hash) -> Result<SecurityInsights, PredicateError> {
    let header = root.need("header")?;
    let version = header.need("schema-version")?;
    if !version.string()?.starts_with("2.") {
        return Err(version.fault(format!("is {}, and 2 is read", quoted(version.string()?))));
    }
    let (project, repository) = (root.get("project"), root.get("repository"));
    if project.is_none() && repository.is_none() {
        return Err(root.fault("has neither project nor repository"));
    }
    if project.is_none() && header.get("project-si-source").is_none() {
        return Err(root.fault("has no project, and its header no project-si-source"));
    }
    let mut insights = SecurityInsights {
        schema_version: version.line()?.to_owned(),
        url: url(&header.need("url")?)?,
        last_updated: date(&header.need("last-updated")?)?,
        last_reviewed: date(&header.need("last-reviewed")?)?,
        sha256,
        status: None,
        license: None,
        reports_accepted: None,
        bug_bounty: None,
        security_policy: None,
        automated_release: None,
        no_third_party_packages: None,
    };
    if let Some(project) = project {
        read_project(&project, &mut insights)?;
    }
    if let Some(repository) = repository {
        read_repository(&repository, &mut insights)?;
    }
    Ok(insights)
}

fn read_project(
    project: &Node<'_, '_>,
    insights: &mut SecurityInsights,
) -> Result<(), PredicateError> {
    project.need("name")?.text()?;
    people(&project.need("administrators")?)?;
    let repositories = project.need("repositories")?;
    let mut any = false;
    for repository in repositories.items()? {
        any = true;
        repository.need("name")?.text()?;
        url(&repository.need("url")?)?;
    }
    if !any {
        return Err(repositories.fault("names no repository"));
    }
    let reporting = project.need("vulnerability-reporting")?;
    insights.reports_accepted = Some(boolean(&reporting.need("reports-accepted")?)?);
    insights.bug_bounty = Some(boolean(&reporting.need("bug-bounty-available")?)?);
    insights.security_policy = reporting
        .get("security-policy")
        .map(|policy| url(&policy))
        .transpose()?;
    Ok(())
}

fn read_repository(
    repository: &Node<'_, '_>,
    insights: &mut SecurityInsights,
) -> Result<(), PredicateError> {
    url(&repository.need("url")?)?;
    insights.status = Some(repository.need("status")?.one_of(STATUSES)?.to_owned());
    boolean(&repository.need("accepts-change-request")?)?;
    boolean(&repository.need("accepts-automated-change-request")?)?;
    people(&repository.need("core-team")?)?;
    insights.license = Some(
        repository
            .need("license")?
            .need("expression")?
            .line()?
            .to_owned(),
    );
    insights.no_third_party_packages = repository
        .get("no-third-party-packages")
        .map(|node| boolean(&node))
        .transpose()?;
    if let Some(release) = repository.get("release") {
        insights.automated_release = Some(boolean(&release.need("automated-pipeline")?)?);
    }
    let documentation = repository.get("documentation");
    if let Some(policy) = documentation
        .as_ref()
        .and_then(|documentation| documentation.get("security-policy"))
    {
        insights.security_policy = Some(url(&policy)?);
    }
    Ok(())
}

/// The repository, if it is on GitHub, and the packages that releases are distributed as.
fn suggest(root: &Node<'_, '_>, subjects: &mut Subjects) -> Result<(), PredicateError> {
    let Some(repository) = root.get("repository") else {
        return Ok(());
    };
    if let Some(purl) = github(repository.need("url")?.text()?) {
        subjects.suggest(None, Some(&purl), vec![]);
    }
    let Some(release) = repository.get("release") else {
        return Ok(());
    };
    let Some(points) = release.get("distribution-points") else {
        return Ok(());
    };
    for point in points.items()? {
        let uri = point.need("uri")?.text()?;
        if Purl::begins(uri) {
            subjects.suggest(None, Some(uri), vec![]);
        }
    }
    Ok(())
}

fn github(url: &str) -> Option<String> {
    let path = url
        .strip_prefix("https://github.com/")?
        .trim_end_matches('/');
    let (owner, name) = path.split_once('/')?;
    let name = name.strip_suffix(".git").unwrap_or(name);
    let plain = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    (plain(owner) && plain(name)).then(|| format!("pkg:github/{owner}/{name}").to_ascii_lowercase())
}

/// At least one person, each with a name and whether it is the first to turn to.
fn people(list: &Node<'_, '_>) -> Result<(), PredicateError> {
    let mut any = false;
    for person in list.items()? {
        any = true;
        person.need("name")?.text()?;
        if let Some(primary) = person.get("primary") {
            boolean(&primary)?;
        }
    }
    if any {
        Ok(())
    } else {
        Err(list.fault("names nobody"))
    }
}

fn url(node: &Node<'_, '_>) -> Result<String, PredicateError> {
    let text = node.line()?;
    let web = text.starts_with("https://") || text.starts_with("http://");
    if web && !text.contains(char::is_whitespace) {
        Ok(text.to_owned())
    } else {
        Err(node.fault(format!("{} is no web address", quoted(text))))
    }
}

fn date(node: &Node<'_, '_>) -> Result<String, PredicateError> {
    match node.string()? {
        text if time::is_date(text) => Ok(text.to_owned()),
        text => Err(node.fault(format!("{} is no date such as 2026-11-22", quoted(text)))),
    }
}

fn boolean(node: &Node<'_, '_>) -> Result<bool, PredicateError> {
    node.value()
        .as_bool()
        .ok_or_else(|| node.fault("has to be true or false"))
}

#[cfg(test)]
mod tests {
    use super::github;
    use crate::documents::prepare;
    use assay_claims::kind::practice::Practice;
    use assay_tlog::Hash;

    const DOCUMENT: &str = "\
header:
  schema-version: 2.0.0
  last-updated: '2025-03-01'
  last-reviewed: 2025-04-01
  url: https://github.com/Own/Repo
project:
  name: P
  administrators:
    - name: A
      email: a@example.org
      primary: true
  repositories:
    - name: R
      url: https://github.com/own/repo
      comment: c
  vulnerability-reporting:
    reports-accepted: true
    bug-bounty-available: false
repository:
  url: https://github.com/Own/Repo
  status: active
  accepts-change-request: true
  accepts-automated-change-request: true
  core-team:
    - name: A
      primary: true
  license:
    url: https://example.com/LICENSE
    expression: MIT
  release:
    automated-pipeline: true
    distribution-points:
      - uri: pkg:npm/foobar
        comment: npm
  security:
    assessments:
      self:
        comment: |
          Not yet.
";

    #[test]
    fn the_document_is_named_and_its_people_are_not() {
        let prepared = prepare("practice", "si.yml", DOCUMENT.as_bytes(), "")
            .unwrap()
            .remove(0);
        let practice = Practice::parse(&prepared.predicate)
            .unwrap()
            .security_insights
            .unwrap();
        assert_eq!(practice.sha256, Hash::of(DOCUMENT.as_bytes()));
        assert_eq!(prepared.attachment.unwrap().bytes, DOCUMENT.as_bytes());
        assert_eq!(
            (practice.status.as_deref(), practice.license.as_deref()),
            (Some("active"), Some("MIT"))
        );
        assert_eq!(
            (practice.reports_accepted, practice.bug_bounty),
            (Some(true), Some(false))
        );
        assert_eq!(
            (practice.automated_release, practice.no_third_party_packages),
            (Some(true), None)
        );
        let uris: Vec<_> = prepared
            .subjects
            .iter()
            .filter_map(|subject| subject.uri())
            .collect();
        assert_eq!(uris, ["pkg:github/own/repo", "pkg:npm/foobar"]);
        assert!(!prepared.predicate.to_json().contains("example.org"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (from, to, place) in [
            (
                "schema-version: 2.0.0",
                "schema-version: 1.0.0",
                "$.header.schema-version",
            ),
            ("'2025-03-01'", "March", "$.header.last-updated"),
            ("2025-04-01", "2025-04-31", "$.header.last-reviewed"),
            (
                "  url: https://github.com/Own/Repo\nproject",
                "  url: ftp://x\nproject",
                "$.header.url",
            ),
            (
                "  administrators:\n    - name: A\n      email: a@example.org\n      primary: \
                 true\n",
                "  administrators: []\n",
                "$.project.administrators",
            ),
            (
                "reports-accepted: true",
                "reports-accepted: sure",
                "$.project.vulnerability-reporting.reports-accepted",
            ),
            (
                "    bug-bounty-available: false\n",
                "",
                "$.project.vulnerability-reporting.bug-bounty-available",
            ),
            ("status: active", "status: fine", "$.repository.status"),
            (
                "    - name: A\n      primary: true\n  license",
                "    - primary: true\n  license",
                "$.repository.core-team[0].name",
            ),
            (
                "expression: MIT",
                "expression:",
                "$.repository.license.expression",
            ),
            (
                "automated-pipeline: true",
                "automated-pipeline: 1",
                "$.repository.release.automated-pipeline",
            ),
            ("project:\n", "projekt:\n", "$"),
            ("    expression: MIT", "   expression: MIT", "line "),
        ] {
            assert!(DOCUMENT.contains(from), "{from}");
            let text = DOCUMENT.replacen(from, to, 1);
            let error = prepare("practice", "si.yml", text.as_bytes(), "").unwrap_err();
            assert!(error.place().starts_with(place), "{error}");
        }
    }

    /// A header may say where its project is described, and then that has to be of something.
    #[test]
    fn a_document_is_of_a_project_or_a_repository() {
        let (header, _) = DOCUMENT.split_once("project:").unwrap();
        let header = format!("{header}  project-si-source: https://example.org/si.yml\n");
        let (_, repository) = DOCUMENT.split_once("repository:").unwrap();
        let alone = format!("{header}repository:{repository}");
        assert!(prepare("practice", "si.yml", alone.as_bytes(), "").is_ok());
        let error = prepare("practice", "si.yml", header.as_bytes(), "").unwrap_err();
        assert_eq!(error.to_string(), "$: has neither project nor repository");
        let (before, rest) = DOCUMENT.split_once("    - name: R\n").unwrap();
        let (_, after) = rest.split_once("comment: c\n").unwrap();
        let none = format!("{}: []\n{after}", before.trim_end_matches(":\n"));
        let error = prepare("practice", "si.yml", none.as_bytes(), "").unwrap_err();
        assert_eq!(
            error.to_string(),
            "$.project.repositories: names no repository"
        );
    }

    #[test]
    fn only_repositories_of_github_are_packages() {
        for (url, purl) in [
            ("https://github.com/a/b", Some("pkg:github/a/b")),
            ("https://github.com/A/b.git", Some("pkg:github/a/b")),
            ("https://github.com/a/b/", Some("pkg:github/a/b")),
            ("https://github.com/a", None),
            ("https://github.com/a/b/c", None),
            ("https://example.com/a/b", None),
        ] {
            assert_eq!(github(url).as_deref(), purl, "{url}");
        }
    }
}
