//! SARIF 2.1.0 (OASIS), and its committee drafts 2.0.0, whose results have the same shape. SARIF
//! 1.0 is another format and is refused.
//!
//! Each run becomes a claim: its tool is the scanner, and its rules the identifiers. Results of a
//! `kind` that is no finding (`pass`, `notApplicable`, `informational`) are not listed, nor are
//! those that an earlier run found and this one did not (`baselineState: absent`). Suppressed ones
//! are, and say so: that somebody suppressed a result is not the word of those who may clear it.

mod external;
mod gap;
mod names;
mod rules;
mod tools;

use super::document::Document;
use super::draft::{Prepared, Summary};
use super::error::DocumentError;
use super::findings::{Finding, Findings};
use super::scan::Scan;
use super::subjects::Subjects;
use super::tool::{Source, Takes, Tool};
use assay_claims::json::{Value, object};
use assay_claims::kind::PredicateError;
use assay_claims::kind::descriptor::digest;
use assay_claims::kind::node::{Node, quoted};
use assay_claims::kind::scan::tool_uri;
use assay_claims::time;
use assay_claims::vulnerability::at_beginning;
use external::External;
use gap::{ELSEWHERE, failure};
use names::{advisory, is_no_vulnerability, tagged};
use rules::{Rule, Rules};
use tools::Looked;

pub(super) const TOOL: Tool = Tool {
    takes: Takes::Value(is_sarif),
    prepare,
};

fn is_sarif(value: &Value) -> bool {
    let schema = value.get("$schema").and_then(Value::as_str);
    value.get("runs").is_some() || schema.is_some_and(|schema| schema.contains("sarif"))
}

const MEDIA_TYPE: &str = "application/sarif+json";

/// Most runs that become claims. Real logs have one to a dozen.
const RUNS: usize = 100;

fn prepare(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    let root = source.root();
    let version = root.need("version")?;
    let with_driver = match version.string()? {
        "2.1.0" => true,
        draft if draft.starts_with("2.0.0") => false,
        other => {
            return Err(version
                .fault(format!(
                    "is SARIF {}; 2.1.0 is taken: convert it",
                    quoted(other)
                ))
                .into());
        }
    };
    let runs = root.need("runs")?;
    let mut claims = Vec::new();
    for run in runs.items()? {
        if claims.len() == RUNS {
            return Err(runs.fault(format!("holds more than {RUNS} runs")).into());
        }
        claims.push(prepare_run(source, &run, with_driver)?);
    }
    external::refuse_strays(&root)?;
    if claims.is_empty() {
        return Err(runs
            .fault("holds no run, so there is nothing to claim")
            .into());
    }
    Ok(claims)
}

fn prepare_run(
    source: &Source<'_>,
    run: &Node<'_, '_>,
    with_driver: bool,
) -> Result<Prepared, DocumentError> {
    let tool = run.need("tool")?;
    let driver = if with_driver {
        tool.need("driver")?
    } else {
        tool.get("driver").unwrap_or(tool)
    };
    let name = driver.need("name")?.text()?;
    let subjects = subjects(run);
    let times = times(run)?;
    let external = External::of(source.value, run.value());
    let gap = failure(run)?.or(external.is_missing().then_some(&ELSEWHERE));
    let rules = Rules::of(tool.value(), driver.value());
    let mut results = Results::default();
    // SARIF 3.14.23: without a list the run reports none; an empty one means that none were found.
    let stated = external::each_list(&source.root(), run, &external, |list| {
        results.read(list, &rules)
    })?;
    if !stated {
        let why = "the run reports no results, which is not the same as none found: the claim \
                   only references it";
        let why = gap.map_or(why, |gap| gap.referenced);
        return referenced(source.document, subjects, name, why);
    }
    let (findings, mut summary, is_listed) = results.finish();
    if findings.len() == 0 && !is_listed {
        let why = "no result names a rule, so the results cannot be listed: the claim only \
                   references them";
        return referenced(source.document, subjects, name, why);
    }
    if let Some(gap) = gap {
        if findings.len() == 0 {
            return referenced(source.document, subjects, name, gap.referenced);
        }
        summary.push(("note".to_owned(), gap.note.to_owned()));
    }
    let (looks_for_known, is_told) = looked(name, run.value(), &findings, &mut summary);
    let mut versions = ["semanticVersion", "version", "dottedQuadFileVersion"].into_iter();
    let scan = Scan {
        uri: scanner(&driver, name)?,
        version: versions
            .find_map(|key| driver.shown(key))
            .map(str::to_owned),
        database: None,
        is_whole: gap.is_none() && is_listed && is_told,
        looks_for_known,
        findings,
        times,
        ignored: vec![],
        scanned: scanned(run),
        subjects,
        summary,
    };
    scan.prepared(source.document, MEDIA_TYPE, source.now)
}

/// Whether a run looked for known vulnerabilities, and whether that can be told. If not, it does
/// not take back either what the tool found before, and people are told what to do.
fn looked(name: &str, run: &Value, findings: &Findings, summary: &mut Summary) -> (bool, bool) {
    let looked = Looked::of(name, run);
    let is_known = looked == Looked::Yes || findings.name_listed();
    let Looked::Untold(instead) = looked else {
        return (is_known, true);
    };
    if !is_known {
        let note = format!("what the tool was told to look for, its log does not say: {instead}");
        summary.push(("note".to_owned(), note));
    }
    (is_known, is_known)
}

/// The URI of a scanner: what its driver states, or one made of its name.
fn scanner(driver: &Node<'_, '_>, name: &str) -> Result<String, PredicateError> {
    let stated = driver.optional_text("informationUri")?;
    Ok(stated.map_or_else(|| tool_uri(name), str::to_owned))
}

/// A claim that only references the document.
fn referenced(
    document: &Document,
    subjects: Subjects,
    tool: &str,
    why: &str,
) -> Result<Prepared, DocumentError> {
    let summary = vec![("scanner".to_owned(), tool.to_owned())];
    document.referenced(subjects, summary, MEDIA_TYPE, why)
}

/// The results of a run as they are read.
#[derive(Default)]
struct Results {
    findings: Findings,
    total: usize,
    counts: [usize; 4],
}

impl Results {
    fn read<'v>(
        &mut self,
        results: &Node<'v, '_>,
        rules: &Rules<'v>,
    ) -> Result<(), PredicateError> {
        for result in results.items()? {
            self.total += 1;
            match read_result(&result, rules, &mut self.findings)? {
                Reading::Finding => {}
                Reading::NoFinding => self.counts[0] += 1,
                Reading::Absent => self.counts[1] += 1,
                Reading::Suppressed => self.counts[2] += 1,
                Reading::Unnamed => self.counts[3] += 1,
            }
        }
        Ok(())
    }

    /// The findings, what people are told, and whether all of them are listed: some may name no
    /// rule.
    fn finish(self) -> (Findings, Summary, bool) {
        let mut summary = vec![("results".to_owned(), self.total.to_string())];
        let labels = [
            "results that are no findings",
            "results of an earlier run that are gone, and left out",
            "results that are suppressed, and count all the same",
            "results that name no rule, and are not listed",
        ];
        let is_listed = self.counts[3] == 0;
        for (label, count) in labels.into_iter().zip(self.counts) {
            if count > 0 {
                summary.push((label.to_owned(), count.to_string()));
            }
        }
        (self.findings, summary, is_listed)
    }
}

/// What a result turned out to be.
enum Reading {
    /// It was taken up.
    Finding,
    /// It was taken up, and is suppressed.
    Suppressed,
    /// Its kind says that it is none.
    NoFinding,
    /// It was found before, and is not any more.
    Absent,
    /// It is one, and there is nothing to call it by.
    Unnamed,
}

fn read_result<'v>(
    result: &Node<'v, '_>,
    rules: &Rules<'v>,
    findings: &mut Findings,
) -> Result<Reading, PredicateError> {
    result.need("message")?.object()?;
    let kind = one_of(result, "kind", KINDS)?.unwrap_or("fail");
    let level = one_of(result, "level", LEVELS)?;
    // Whatever else it says, the finding is there: tools write words that the standard has not.
    let baseline = result.get("baselineState");
    let baseline = baseline.and_then(|state| state.value().as_str());
    let suppressed = is_suppressed(result)?;
    if !matches!(kind, "fail" | "open" | "review") || is_no_vulnerability(result.value()) {
        return Ok(Reading::NoFinding);
    }
    if baseline == Some("absent") {
        return Ok(Reading::Absent);
    }
    let Some(rule) = rules.of_result(result)? else {
        return Ok(Reading::Unnamed);
    };
    let id = advisory(result.value(), &rule).unwrap_or(rule.id);
    let finding = findings.entry(id);
    rate(finding, result.value(), level, &rule);
    let aliases: Vec<&str> = (rule.described.iter())
        .flat_map(|rule| texts(rule.get("deprecatedIds")))
        .filter(|alias| *alias != rule.id)
        .chain(at_beginning(rule.id))
        .chain(tagged(&rule))
        .collect();
    finding.aliases(&aliases);
    if kind != "fail" || suppressed {
        finding.annotate(object([
            ("kind", Some(kind.into())),
            ("suppressed", suppressed.then_some(Value::Bool(true))),
        ]));
    }
    if let Some(place) = result.value().pointer("/locations/0/physicalLocation") {
        finding.annotate(location(place));
    }
    Ok(if suppressed {
        Reading::Suppressed
    } else {
        Reading::Finding
    })
}

/// Adds how severe a result is, by itself and by its rule.
fn rate<'v>(finding: &mut Finding, result: &Value, level: Option<&'v str>, rule: &Rule<'v>) {
    let mut by_default = rule.described.iter().filter_map(|rule| default_level(rule));
    let level = level.or_else(|| by_default.next()).unwrap_or("warning");
    finding.severity("sarif-level", level);
    for described in rule.described.iter().copied().chain([result]) {
        match described.pointer("/properties/security-severity") {
            Some(Value::String(score)) => finding.severity("security-severity", score),
            Some(Value::Number(score)) => finding.severity("security-severity", score.as_str()),
            _ => {}
        }
    }
}

/// The level that a rule has if a result states none.
fn default_level(rule: &Value) -> Option<&str> {
    let level = rule.pointer("/defaultConfiguration/level")?.as_str();
    level.filter(|level| LEVELS.contains(level))
}

/// Whether a result is suppressed: one that is still to be decided, or was refused, suppresses
/// nothing (SARIF 3.27.23 and 3.35.3).
fn is_suppressed(result: &Node<'_, '_>) -> Result<bool, PredicateError> {
    let Some(suppressions) = result.get("suppressions") else {
        return Ok(false);
    };
    let (mut any, mut all) = (false, true);
    for suppression in suppressions.items()? {
        any = true;
        all &= matches!(suppression.shown("status"), None | Some("accepted"));
    }
    Ok(any && all)
}

/// The texts of a list; what is none has none.
fn texts(list: Option<&Value>) -> impl Iterator<Item = &str> {
    let items = list.and_then(Value::as_array).unwrap_or_default();
    items.iter().filter_map(Value::as_str)
}

/// SARIF 3.27.9, with those of the drafts.
const KINDS: &[&str] = &[
    "fail",
    "pass",
    "open",
    "review",
    "informational",
    "notApplicable",
];

/// SARIF 3.27.10, with those of the drafts.
const LEVELS: &[&str] = &[
    "none",
    "note",
    "warning",
    "error",
    "open",
    "pass",
    "notApplicable",
];

fn one_of<'v>(
    result: &Node<'v, '_>,
    key: &'static str,
    choices: &[&str],
) -> Result<Option<&'v str>, PredicateError> {
    match result.get(key) {
        Some(node) => node.one_of(choices).map(Some),
        None => Ok(None),
    }
}

/// Where a result is: the file's URI and the line.
fn location(place: &Value) -> Value {
    let uri = place
        .pointer("/artifactLocation/uri")
        .or_else(|| place.pointer("/fileLocation/uri"))
        .filter(|uri| uri.as_str().is_some());
    let line = place
        .pointer("/region/startLine")
        .filter(|line| line.as_u64().is_some());
    object([("location", uri.cloned()), ("line", line.cloned())])
}

/// From the first time to the last that the run's invocations state: tools write the one or the
/// other, and the latest that is stated tells which run was later.
fn times(run: &Node<'_, '_>) -> Result<Option<(String, String)>, PredicateError> {
    let Some(invocations) = run.get("invocations") else {
        return Ok(None);
    };
    let mut span: Option<[(time::Instant, &str); 2]> = None;
    for invocation in invocations.items()? {
        // The draft 2.0.0 spelled them without `Utc`.
        let either = |key: &'static str, draft: &'static str| match time(&invocation, key)? {
            None => time(&invocation, draft),
            stated => Ok(stated),
        };
        let start = either("startTimeUtc", "startTime")?;
        let end = either("endTimeUtc", "endTime")?;
        let (Some(start), Some(end)) = (start.or(end), end.or(start)) else {
            continue;
        };
        if end.0 < start.0 {
            return Err(invocation.fault("ends before it starts"));
        }
        let [first, last] = span.unwrap_or([start, end]);
        span = Some([first.min(start), last.max(end)]);
    }
    Ok(span.map(|[(_, first), (_, last)]| (first.to_owned(), last.to_owned())))
}

fn time<'v>(
    invocation: &Node<'v, '_>,
    key: &'static str,
) -> Result<Option<(time::Instant, &'v str)>, PredicateError> {
    let Some(node) = invocation.get(key) else {
        return Ok(None);
    };
    Ok(Some((node.instant()?, node.string()?)))
}

/// What tells this analysis from others by the same tool: the category of the run, which is its id
/// without what follows the last slash (SARIF 3.17.3), and the files that it was pointed at.
fn scanned(run: &Node<'_, '_>) -> Vec<String> {
    let id = run
        .value()
        .pointer("/automationDetails/id")
        .and_then(Value::as_str);
    let category = id
        .and_then(|id| Some(id.rsplit_once('/')?.0))
        .filter(|category| !category.is_empty());
    let targets = targets(run).filter_map(|artifact| artifact.pointer("/location/uri")?.as_str());
    category
        .into_iter()
        .chain(targets)
        .map(str::to_owned)
        .collect()
}

/// The files that the run was pointed at.
fn targets<'v>(run: &Node<'v, '_>) -> impl Iterator<Item = &'v Value> {
    let artifacts = run
        .value()
        .get("artifacts")
        .and_then(Value::as_array)
        .unwrap_or_default();
    artifacts.iter().filter(|artifact| {
        let roles = artifact
            .get("roles")
            .and_then(Value::as_array)
            .unwrap_or_default();
        roles
            .iter()
            .any(|role| role.as_str() == Some("analysisTarget"))
    })
}

/// The repositories at their revisions, and the files that the run was pointed at.
fn subjects(run: &Node<'_, '_>) -> Subjects {
    let mut subjects = Subjects::default();
    let repositories = run.value().get("versionControlProvenance");
    let repositories = repositories.and_then(Value::as_array);
    for repository in repositories.unwrap_or_default() {
        let text = |key: &str| repository.get(key).and_then(Value::as_str);
        let commit =
            text("revisionId").and_then(|id| digest("sha1", id).or_else(|| digest("sha256", id)));
        if let Some((_, hex)) = commit {
            subjects.suggest(text("repositoryUri"), None, vec![("gitCommit".into(), hex)]);
        }
    }
    for artifact in targets(run) {
        let hashes = artifact
            .get("hashes")
            .and_then(Value::as_object)
            .unwrap_or_default();
        let digests = hashes
            .iter()
            .filter_map(|(name, hex)| digest(name, hex.as_str()?))
            .collect();
        subjects.suggest(
            artifact.pointer("/location/uri").and_then(Value::as_str),
            None,
            digests,
        );
    }
    subjects
}

#[cfg(test)]
mod tests;
