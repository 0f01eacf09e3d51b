//! What a claim says, in plain words: one line, or one for each statement of a VEX document that is
//! about what was asked.

use super::evaluate::date;
use super::facts::Component;
use super::read::short_name;
use super::severity::Severity;
use assay_claims::claim::ClaimId;
use assay_claims::json::Value;
use assay_claims::kind::audit::{Audit, Scope, Verdict};
use assay_claims::kind::endorsement::Endorsement;
use assay_claims::kind::issuer::Issuer;
use assay_claims::kind::key_compromise::KeyCompromise;
use assay_claims::kind::lifecycle::Lifecycle;
use assay_claims::kind::practice::Practice;
use assay_claims::kind::requirement::Requirement;
use assay_claims::kind::response::{self, Response};
use assay_claims::kind::scan::Vulns;
use assay_claims::kind::vex::{Product, Vex, VexStatement};
use assay_claims::kind::withdrawal::{self, Withdrawal};
use assay_claims::kind::{self, PredicateError};
use assay_claims::statement::Statement;
use std::collections::BTreeSet;

/// Most things that a line names one by one.
const NAMED: usize = 8;

/// Something that a claim says.
pub(super) struct Said {
    pub(super) text: String,
    /// Which of its statements, if it has several.
    pub(super) place: usize,
    /// Whether it says nothing of the component that was asked about, though the claim names that
    /// as a subject.
    pub(super) of_others: bool,
}

/// What a claim says of a component, or of whatever it is about. At least one line; of a predicate
/// that is not as its type says, its type.
pub(super) fn claim(statement: &Statement, component: Option<&Component>) -> Vec<Said> {
    if kind::by_uri(statement.predicate_type()).is_some_and(|known| known.name == "vex")
        && let Ok(vex) = Vex::parse(statement.predicate())
    {
        return vex_lines(&vex, component);
    }

    lines(statement)
        .into_iter()
        .map(|text| Said {
            text,
            place: 0,
            of_others: false,
        })
        .collect()
}

fn lines(statement: &Statement) -> Vec<String> {
    let (uri, said) = (statement.predicate_type(), statement.predicate());
    let name = kind::by_uri(uri).map_or(uri, |known| short_name(known.name));
    let words: Result<Vec<String>, PredicateError> = match name {
        "scan" => Vulns::parse(said).map(|scan| vec![scan_line(&scan)]),
        "lifecycle" => Lifecycle::parse(said).map(|lifecycle| vec![lifecycle_line(&lifecycle)]),
        "audit" => Audit::parse(said).map(|audit| vec![audit_line(&audit)]),
        "practice" => Practice::parse(said).map(|practice| practice_lines(&practice)),
        "requirement" => {
            Requirement::parse(said).map(|requirement| vec![requirement_line(&requirement)])
        }
        "provenance" => Ok(vec![provenance_line(said)]),
        "scorecard" => Ok(vec![format!(
            "the OpenSSF Scorecard is {}",
            shown(said, "/score")
        )]),
        "sbom" => Ok(vec!["lists what is in it".to_owned()]),
        "response" => Response::parse(said).map(|response| vec![response_line(&response)]),
        "withdrawal" => Withdrawal::parse(said)
            .map(|withdrawal| vec![format!("withdraws it: {}", withdrawal.reason)]),
        "endorsement" => {
            Endorsement::parse(said).map(|endorsement| vec![endorsement_line(&endorsement)])
        }
        "key-compromise" => {
            KeyCompromise::parse(said).map(|compromise| vec![compromise_line(&compromise)])
        }
        "issuer" => Issuer::parse(said).map(|record| vec![record_line(&record)]),
        other => Ok(vec![other.to_owned()]),
    };
    words
        .ok()
        .filter(|lines| !lines.is_empty())
        .unwrap_or_else(|| vec![name.to_owned()])
}

/// The claim that a response answers, or a withdrawal takes back.
pub(super) fn target(statement: &Statement) -> Option<ClaimId> {
    match statement.predicate_type() {
        response::URI => Response::parse(statement.predicate())
            .ok()
            .map(|said| said.target),
        withdrawal::URI => Withdrawal::parse(statement.predicate())
            .ok()
            .map(|said| said.target),
        _ => None,
    }
}

fn response_line(said: &Response) -> String {
    let does = match said.stance.as_str() {
        "acknowledge" => "accepts it",
        "dispute" => "disputes it",
        "explain" => "explains it",
        "fixed" => "says that it is fixed",
        other => other,
    };
    format!("{does}: {}", said.text)
}

fn endorsement_line(said: &Endorsement) -> String {
    let scope: Vec<&str> = said.scope.iter().map(|pattern| pattern.as_str()).collect();
    format!(
        "{} is {} for {} until {}",
        said.issuer,
        said.role,
        scope.join(", "),
        said.valid_until.as_str()
    )
}

fn compromise_line(said: &KeyCompromise) -> String {
    format!(
        "key {} of {} is not to be trusted from leaf {} on",
        said.key, said.issuer, said.from_index
    )
}

fn record_line(said: &Issuer) -> String {
    let keys = match said.keys.len() {
        1 => "one key".to_owned(),
        n => format!("{} of {n} keys must sign", said.threshold),
    };
    let of = if said.sequence == 0 {
        "registers as".to_owned()
    } else {
        format!("rotation {} of", said.sequence)
    };
    format!("{of} \"{}\", {keys}", said.name)
}

fn vex_lines(vex: &Vex, component: Option<&Component>) -> Vec<Said> {
    let is_of = |statement: &VexStatement| {
        component.is_none_or(|component| statement.is_about(component.purl(), component.digests()))
    };

    let all = vex.statements.iter().enumerate();
    let lines: Vec<Said> = all
        .filter(|(_, statement)| is_of(statement))
        .map(|(place, statement): (usize, &VexStatement)| {
            let why = statement
                .justification
                .as_ref()
                .map(|why| format!(" ({})", why.replace('_', " ")))
                .unwrap_or_default();
            // Of a component that was asked about the products need not be told: they hold it.
            let products: Vec<String> = match component {
                Some(_) => Vec::new(),
                None => statement.products.iter().map(Product::name).collect(),
            };
            let of = if products.is_empty() {
                String::new()
            } else {
                format!(" in {}", some(&products))
            };
            let text = format!(
                "{}{of}: {}{why}",
                statement.vulnerability,
                statement.status.as_str().replace('_', " ")
            );
            Said {
                text,
                place,
                of_others: false,
            }
        })
        .collect();
    if lines.is_empty() {
        let products: BTreeSet<String> = vex
            .statements
            .iter()
            .flat_map(|statement| &statement.products)
            .map(Product::name)
            .collect();
        let text = format!(
            "speaks of {}",
            some(&products.into_iter().collect::<Vec<_>>())
        );
        vec![Said {
            text,
            place: 0,
            of_others: true,
        }]
    } else {
        lines
    }
}

fn scan_line(scan: &Vulns) -> String {
    let found: Vec<String> = scan
        .vulnerabilities
        .iter()
        .map(|found: &kind::scan::Vulnerability| {
            let severity = found
                .severities
                .iter()
                .filter_map(|(method, score)| Severity::of_statement(method, score))
                .max();
            severity.map_or_else(
                || found.id.clone(),
                |severity| format!("{} ({})", found.id, severity.name()),
            )
        })
        .collect();
    match found.len() {
        0 => format!(
            "{} found nothing on {}",
            scan.scanner,
            scan.finished.as_str()
        ),
        n => format!(
            "{} found {n} on {}: {}",
            scan.scanner,
            scan.finished.as_str(),
            some(&found)
        ),
    }
}

fn lifecycle_line(said: &Lifecycle) -> String {
    let versions = said.versions.as_ref();
    let which = versions.and_then(|v| v.version.as_ref().or(v.cycle.as_ref()).or(v.range.as_ref()));
    let of = which
        .map(|which| format!(" of {which}"))
        .unwrap_or_default();
    let (security, end) = (date(&said.end_of_security_support), date(&said.end_of_life));
    let role = said
        .role
        .as_ref()
        .map(|role| format!(" ({role})"))
        .unwrap_or_default();
    format!("security support{of} until {security}; end of life: {end}{role}")
}

fn audit_line(audit: &Audit) -> String {
    let verdict = if audit.verdict == Verdict::Pass {
        "passed"
    } else {
        "failed"
    };
    let scope = match &audit.scope {
        Scope::Version => String::new(),
        Scope::Delta(base) => format!("; only the change from {base} was reviewed"),
    };
    format!("{verdict} a review for {}{scope}", some(&audit.criteria))
}

fn practice_lines(practice: &Practice) -> Vec<String> {
    let baseline = practice.baseline.as_ref().map(|baseline| {
        format!(
            "OSPS Baseline: {} controls met, {} not met",
            baseline.met.len(),
            baseline.not_met.len()
        )
    });
    let insights = practice.security_insights.as_ref().map(|insights| {
        let reports = match insights.reports_accepted {
            Some(true) => ", reports of vulnerabilities are welcome",
            Some(false) => ", reports of vulnerabilities are not accepted",
            None => "",
        };
        format!(
            "its SECURITY-INSIGHTS were reviewed on {}{reports}",
            insights.last_reviewed
        )
    });
    let data = practice.data.as_ref().map(|data| {
        let list = |items: &[String]| {
            if items.is_empty() {
                "nothing".to_owned()
            } else {
                some(items)
            }
        };
        let to = if data.sends_to.is_empty() {
            "nobody".to_owned()
        } else {
            some(&data.sends_to)
        };
        format!(
            "data: {}; collects {}, sends to {to}",
            data.summary,
            list(&data.collects)
        )
    });
    baseline.into_iter().chain(insights).chain(data).collect()
}

fn requirement_line(requirement: &Requirement) -> String {
    let wanted: Vec<String> = requirement
        .claims
        .iter()
        .chain(&requirement.controls)
        .cloned()
        .collect();
    let by = requirement
        .by
        .as_ref()
        .map(|by| format!(" by {}", by.as_str()))
        .unwrap_or_default();
    format!("demands {}{by}", some(&wanted))
}

fn provenance_line(said: &Value) -> String {
    let at = |pointers: [&str; 2]| {
        pointers
            .into_iter()
            .find_map(|pointer| said.pointer(pointer)?.as_str())
    };
    let builder = at(["/runDetails/builder/id", "/builder/id"]).unwrap_or("an unnamed builder");
    let build =
        at(["/buildDefinition/buildType", "/buildType"]).unwrap_or("an unnamed kind of build");
    format!("built by {builder} ({build})")
}

fn shown(said: &Value, pointer: &str) -> String {
    said.pointer(pointer)
        .map_or_else(|| "not stated".into(), Value::to_json)
}

/// The first few of a list.
fn some(items: &[String]) -> String {
    let more = items.len().saturating_sub(NAMED);
    let named = items
        .iter()
        .take(NAMED)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    if more > 0 {
        format!("{named} and {more} more")
    } else {
        named
    }
}
