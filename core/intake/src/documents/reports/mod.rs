//! The JSON of other scanners. Each report becomes one claim with what was found, where, and by
//! which other names. What was found in a package that has no purl here is named all the same. What
//! a report lists as found and ignored is a finding, as in SARIF, and says so: whoever ran the
//! scanner is not one of those who may clear it.

pub(super) mod dependency_check;
pub(super) mod govulncheck;
pub(super) mod grype;
pub(super) mod npm_advisories;
pub(super) mod npm_audit;
pub(super) mod pip_audit;
pub(super) mod trivy;

use super::findings::{Finding, Findings};
use super::scan::Scan;
use super::subjects::Subjects;
use assay_claims::json::{Value, object};
use assay_claims::kind::node::Node;
use assay_claims::purl::Purl;
use assay_claims::time;
use std::collections::BTreeSet;

/// A scan by a scanner, of which more is to be said.
fn scan(uri: &str, findings: Findings) -> Scan {
    Scan {
        uri: uri.to_owned(),
        version: None,
        database: None,
        findings,
        is_whole: true,
        looks_for_known: true,
        times: None,
        ignored: vec![],
        scanned: vec![],
        subjects: Subjects::default(),
        summary: vec![],
    }
}

/// What people are told of a report that says nothing: where nothing was looked at, nothing found
/// is no word for anything.
pub(super) fn nothing_scanned() -> (String, String) {
    let note = "the report names nothing that was looked at for vulnerabilities: that it found \
                none says nothing";
    self::note(note)
}

/// A line of a summary that says what a report lacks.
fn note(text: &str) -> (String, String) {
    ("note".to_owned(), text.to_owned())
}

/// What people are told of a scan of a distribution that gets no security updates any more: nobody
/// lists what is found in its packages since, so that no scanner finds it.
fn past_end() -> (String, String) {
    let note = "the scanner says that the distribution is past its end of support, after which \
                nobody lists its vulnerabilities: that it found no more says nothing";
    self::note(note)
}

/// When a scan ended, where a report states that at this pointer: started then, too, as nobody
/// says when it began. Go's zero time, and what is no RFC 3339 time, says nothing.
fn time(root: &Node<'_, '_>, pointer: &str) -> Option<(String, String)> {
    let stated = root.value().pointer(pointer).and_then(Value::as_str)?;
    time::instant(stated).filter(|_| !stated.starts_with("0001-"))?;
    Some((stated.to_owned(), stated.to_owned()))
}

/// A place where something was found.
struct Place<'v> {
    name: &'v str,
    version: Option<&'v str>,
    purl: Option<&'v str>,
    /// Whether the scanner was told to ignore it there.
    suppressed: bool,
}

fn found_in(finding: &mut Finding, name: &str, version: Option<&str>, purl: Option<&str>) {
    let place = Place {
        name,
        version,
        purl,
        suppressed: false,
    };
    found_at(finding, place);
}

/// The same, whether or not it was to be ignored there.
fn found_at(finding: &mut Finding, place: Place<'_>) {
    let purl = place.purl.and_then(|purl| Purl::canonicalize(purl).ok());
    finding.annotate(object([
        ("package", Some(place.name.into())),
        ("version", place.version.map(Value::from)),
        ("purl", purl.map(|purl| purl.as_str().into())),
        ("suppressed", place.suppressed.then_some(Value::Bool(true))),
    ]));
}

/// What people are told of findings that the scanner was told to ignore, if there are any.
fn suppressed(ids: &BTreeSet<&str>) -> Option<(String, String)> {
    let label = "findings that the scanner was told to ignore, and that count all the same";
    let names: Vec<&str> = ids.iter().copied().collect();
    let line = format!("{}: {}", names.len(), names.join(", "));
    (!names.is_empty()).then(|| (label.to_owned(), line))
}

/// The texts of a list, or of members of its items.
fn texts<'v>(list: Option<&'v Value>, key: Option<&str>) -> Vec<&'v str> {
    let items = list.and_then(Value::as_array).unwrap_or_default().iter();
    let texts = items.filter_map(|item| match key {
        Some(key) => item.get(key)?.as_str(),
        None => item.as_str(),
    });
    texts.collect()
}

/// The name of a method for a vector of CVSS.
fn method(vector: &str) -> &'static str {
    if vector.starts_with("CVSS:4") {
        "CVSS_V4"
    } else if vector.starts_with("CVSS:3") {
        "CVSS_V3"
    } else {
        "CVSS_V2"
    }
}

#[cfg(test)]
mod tests;
