//! What a claim says, one line for each of its parts that are shown.

use super::time::date;
use super::type_name;
use crate::report::Fact;
use crate::{one_word, quoted, quoted_name};
use assay_claims::kind::Body;
use assay_claims::kind::Timestamp;
use assay_claims::kind::audit::{Audit, Scope, Verdict};
use assay_claims::kind::endorsement::Endorsement;
use assay_claims::kind::issuer::Issuer;
use assay_claims::kind::key_compromise::KeyCompromise;
use assay_claims::kind::lifecycle::{Date, Lifecycle};
use assay_claims::kind::practice::{Baseline, DataHandling, SecurityInsights};
use assay_claims::kind::provenance::Provenance;
use assay_claims::kind::registry_status::RegistryStatus;
use assay_claims::kind::requirement::Requirement;
use assay_claims::kind::response::Response;
use assay_claims::kind::scan::{Vulnerability, Vulns};
use assay_claims::kind::vex::{Product, Vex, VexStatement};
use assay_claims::statement::Subject;
use assay_policy::posture::{Line, Part};
use assay_policy::rules::Severity;
use std::collections::BTreeSet;

/// Most things that a line names one by one.
const NAMED: usize = 8;

/// What a line says, in its issuer's words in part. Of a type that is not read, the type's URI.
pub fn says(line: &Line<'_>) -> String {
    let claim = line.logged.claim();
    let uri = claim.statement().predicate_type();
    match claim.body() {
        Body::Scan(scan) => scan_line(scan),
        Body::Vex(vex) => vex_line(vex, line),
        Body::Lifecycle(lifecycle) => lifecycle_line(lifecycle),
        Body::Audit(audit) => audit_line(audit),
        Body::Practice(practice) => {
            let text = match line.part {
                Part::Baseline => practice.baseline.as_ref().map(baseline_line),
                Part::SecurityInsights => practice.security_insights.as_ref().map(insights_line),
                Part::DataHandling => practice.data.as_ref().map(data_line),
                _ => None,
            };
            text.unwrap_or_else(|| type_name(uri).into_owned())
        }
        Body::Requirement(requirement) => requirement_line(requirement),
        Body::Provenance(provenance) => provenance_line(provenance),
        Body::Scorecard(scorecard) => format!("the OpenSSF Scorecard is {}", scorecard.score),
        Body::Sbom(_) => "lists its contents".to_owned(),
        Body::Response(response) => response_line(response),
        Body::Withdrawal(withdrawal) => format!("withdraws it: {}", quoted(&withdrawal.reason)),
        Body::Endorsement(endorsement) => endorsement_line(endorsement),
        Body::KeyCompromise(compromise) => compromise_line(compromise),
        Body::Issuer(record) => record_line(record),
        Body::RegistryStatus(marked) => marked_line(marked),
        Body::Reference(_) | Body::Other(_) => type_name(uri).into_owned(),
    }
}

/// What a claim says, if it can be told in two words.
pub(in crate::report) fn fact(body: &Body, subjects: &[Subject]) -> Option<Fact> {
    match body {
        Body::Audit(audit) => (audit.verdict == Verdict::Pass).then_some(Fact::Passed),
        Body::Lifecycle(lifecycle) => Some(Fact::Supported {
            until: first_end(lifecycle).map(|at| at.as_str().chars().take(10).collect()),
            looked_at_ms: lifecycle.last_updated.unix_ms(),
            extent: lifecycle.extent(subjects),
        }),
        _ => None,
    }
}

/// The first end that is known: of security support, or of life before that. What is over gets no
/// support, whatever else is stated.
fn first_end(said: &Lifecycle) -> Option<&Timestamp> {
    let ends = [&said.end_of_security_support, &said.end_of_life];
    let known = ends.into_iter().filter_map(|end| match end {
        Date::At(at) => Some(at),
        Date::ToBeAnnounced => None,
    });
    known.min_by_key(|at| at.unix_ms())
}

fn response_line(said: &Response) -> String {
    let does = match said.stance.as_str() {
        "acknowledge" => "accepts it".into(),
        "dispute" => "disputes it".into(),
        "explain" => "explains it".into(),
        "fixed" => "says it is fixed".into(),
        other => one_word(other),
    };
    format!("{does}: {}", quoted(&said.text))
}

fn endorsement_line(said: &Endorsement) -> String {
    let scope: Vec<&str> = said.scope.iter().map(|pattern| pattern.as_str()).collect();
    format!(
        "{} is {} for {} until {}",
        said.issuer,
        one_word(&said.role),
        scope.join(", "),
        said.valid_until.as_str()
    )
}

fn compromise_line(said: &KeyCompromise) -> String {
    format!(
        "do not trust key {} of {} from leaf {} on",
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
    format!("{of} {}, {keys}", quoted_name(&said.name))
}

/// A statement. Of a component that was asked about the products need not be told: they hold it.
fn vex_line(vex: &Vex, line: &Line<'_>) -> String {
    let statement = match line.part {
        Part::Statement(at) => vex.statements.get(at),
        _ => None,
    };
    let Some(statement) = statement else {
        return other_products(vex);
    };
    let parts = statement.products.iter().flat_map(|product| &product.parts);
    let parts: Vec<String> = parts.map(Product::name).collect();
    let of = if !parts.is_empty() {
        let products = some(&names(&statement.products));
        format!(" by {} as a part of {products}", some(&parts))
    } else if line.relation.is_some() || statement.products.is_empty() {
        String::new()
    } else {
        format!(" in {}", some(&names(&statement.products)))
    };
    format!(
        "{}{of}: {}{}",
        one_word(&statement.vulnerability),
        statement.status.as_str().replace('_', " "),
        justification(statement)
    )
}

fn justification(statement: &VexStatement) -> String {
    statement
        .justification
        .as_ref()
        .map(|why| format!(" ({})", one_word(why).replace('_', " ")))
        .unwrap_or_default()
}

fn names(products: &[Product]) -> Vec<String> {
    products.iter().map(Product::name).collect()
}

fn other_products(vex: &Vex) -> String {
    let products: BTreeSet<String> = vex
        .statements
        .iter()
        .flat_map(|statement| names(&statement.products))
        .collect();
    let products: Vec<String> = products.into_iter().collect();
    format!("is about {}", some(&products))
}

fn scan_line(scan: &Vulns) -> String {
    let found: Vec<String> = scan.vulnerabilities.iter().map(finding).collect();
    let (scanner, on) = (one_word(&scan.scanner), scan.finished.as_str());
    let said = match found.len() {
        0 => format!("{scanner} found nothing on {on}"),
        n => format!("{scanner} found {n} on {on}: {}", listed(&found)),
    };
    match (scan.is_complete, scan.looks_for_known) {
        (true, true) => said,
        (false, _) => format!("{said}; it did not end well, and may have missed more"),
        (true, false) => format!("{said}; it is not known to look for known vulnerabilities"),
    }
}

/// What was found, with the highest severity that is stated and can be read.
fn finding(found: &Vulnerability) -> String {
    match Severity::highest(&found.severities) {
        Some(severity) => format!("{} ({})", one_word(&found.id), severity.name()),
        None => one_word(&found.id).into_owned(),
    }
}

fn lifecycle_line(said: &Lifecycle) -> String {
    let versions = said.versions.as_ref();
    let which = versions.and_then(|v| v.version.as_ref().or(v.cycle.as_ref()).or(v.range.as_ref()));
    let of = which
        .map(|which| format!(" of {}", one_word(which)))
        .unwrap_or_default();
    let (security, end) = (date(&said.end_of_security_support), date(&said.end_of_life));
    let role = said
        .role
        .as_ref()
        .map(|role| format!(" ({})", one_word(role)))
        .unwrap_or_default();
    format!("security support{of} until {security}; end of life: {end}{role}")
}

fn marked_line(marked: &RegistryStatus) -> String {
    let reason = marked.reason.as_deref().map(quoted);
    let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
    format!(
        "marked as {} in its registry{reason}",
        one_word(&marked.status)
    )
}

fn audit_line(audit: &Audit) -> String {
    let scope = match &audit.scope {
        Scope::Version => String::new(),
        Scope::Delta(base) => {
            format!("; only the change from {} was reviewed", one_word(base))
        }
    };
    let criteria = some(&audit.criteria);
    match audit.verdict {
        Verdict::Pass => format!("passed a review for {criteria}{scope}"),
        Verdict::Fail => format!("failed a review for {criteria}{scope}"),
        Verdict::Unmet => {
            format!("does not meet {criteria}, which says nothing of other criteria{scope}")
        }
    }
}

fn baseline_line(baseline: &Baseline) -> String {
    format!(
        "OSPS Baseline: {} controls met, {} not met",
        baseline.met.len(),
        baseline.not_met.len()
    )
}

fn insights_line(insights: &SecurityInsights) -> String {
    let reports = match insights.reports_accepted {
        Some(true) => ", reports of vulnerabilities are welcome",
        Some(false) => ", reports of vulnerabilities are not accepted",
        None => "",
    };
    let policy = insights.security_policy.as_deref();
    let how = policy.map(|at| format!("; how to report one: {}", one_word(at)));
    format!(
        "its SECURITY-INSIGHTS were reviewed on {}{reports}{}",
        one_word(&insights.last_reviewed),
        how.unwrap_or_default()
    )
}

fn data_line(data: &DataHandling) -> String {
    let collects = if data.collects.is_empty() {
        "nothing".to_owned()
    } else {
        some(&data.collects)
    };
    let to = if data.sends_to.is_empty() {
        "nobody".to_owned()
    } else {
        some(&data.sends_to)
    };
    let summary = quoted(&data.summary);
    format!("data: {summary}; collects {collects}, sends to {to}")
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
    format!("requires {}{by}", some(&wanted))
}

fn provenance_line(said: &Provenance) -> String {
    format!(
        "built by {} ({})",
        one_word(&said.builder),
        one_word(&said.build_type)
    )
}

/// The first few of what somebody lists.
fn some(items: &[String]) -> String {
    let words: Vec<String> = items
        .iter()
        .map(|item| one_word(item).into_owned())
        .collect();
    listed(&words)
}

/// The first few of a list of words.
fn listed(items: &[String]) -> String {
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
