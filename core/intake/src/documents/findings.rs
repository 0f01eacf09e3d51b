//! What a scanner found, collected by identifier.

use assay_claims::json::{Value, object};
use assay_claims::vulnerability::{at_beginning, canonical};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// Results, one for each identifier, in the order in which the document first names them.
#[derive(Default)]
pub(super) struct Findings {
    list: Vec<Finding>,
    by_id: HashMap<String, usize>,
}

/// Most annotations of a finding that are collected. As many do not fit a claim anyway, and each is
/// compared with all.
const ANNOTATIONS: usize = 1000;

/// What was found under one identifier.
pub(super) struct Finding {
    id: String,
    severities: Vec<(String, String)>,
    annotations: Vec<Value>,
    aliases: Vec<String>,
    /// The same, to be found.
    named: HashSet<String>,
}

/// The result for another name of a finding.
fn alias_of(alias: &str, id: &str) -> Value {
    let of = object([("aliasOf", Some(id.into()))]);
    object([
        ("id", Some(alias.into())),
        ("severity", Some(Value::Array(vec![]))),
        ("annotations", Some(Value::Array(vec![of]))),
    ])
}

/// An identifier as those spell it who give it out, whatever a tool does.
fn spelled(id: &str) -> Cow<'_, str> {
    canonical(id).map_or(Cow::Borrowed(id), Cow::Owned)
}

impl Findings {
    /// The finding of that identifier, new or not.
    pub fn entry(&mut self, id: &str) -> &mut Finding {
        let id = &*spelled(id);
        let next = self.list.len();
        let index = *self.by_id.entry(id.to_owned()).or_insert(next);
        if index == next {
            self.list.push(Finding {
                id: id.to_owned(),
                severities: vec![],
                annotations: vec![],
                aliases: vec![],
                named: HashSet::new(),
            });
        }
        &mut self.list[index]
    }

    /// Whether anything was found under an identifier.
    pub fn has(&self, id: &str) -> bool {
        self.by_id.contains_key(&*spelled(id))
    }

    /// Whether any of them, or another name of one, is of a list of vulnerabilities.
    pub fn name_listed(&self) -> bool {
        let of_finding = |one: &Finding| {
            let mut names = std::iter::once(&one.id).chain(&one.aliases);
            names.any(|name| canonical(name).is_some())
        };
        self.list.iter().any(of_finding)
    }

    /// How many identifiers there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether every annotation was collected.
    pub fn are_whole(&self) -> bool {
        let mut findings = self.list.iter();
        findings.all(|finding| finding.annotations.len() <= ANNOTATIONS)
    }

    /// The list of results of the predicate, with or without annotations. With them it has a
    /// result for each other name as well, so that a look-up by that name finds the scan.
    pub fn to_json(&self, annotated: bool) -> Value {
        let shared = self.shared();
        let results = self.list.iter();
        let results = results.map(|finding| finding.to_json(annotated, &shared));
        let mut results: Vec<Value> = results.collect();
        if annotated {
            let mut named: HashSet<&str> = self.by_id.keys().map(String::as_str).collect();
            named.extend(&shared);
            for finding in &self.list {
                for alias in &finding.aliases {
                    if named.insert(alias) {
                        results.push(alias_of(alias, &finding.id));
                    }
                }
            }
        }
        Value::Array(results)
    }

    /// Names that findings of several vulnerabilities have, as those have of which one advisory of
    /// a distribution speaks: they are the name of none of them, as what clears one of these would
    /// clear the others. A CVE is one vulnerability, whatever else that is called.
    fn shared(&self) -> HashSet<&str> {
        let (mut vulnerabilities, mut of_alias) = (HashMap::new(), HashMap::new());
        let mut shared = HashSet::new();
        for finding in &self.list {
            let next = vulnerabilities.len();
            let own = *vulnerabilities
                .entry(finding.vulnerability())
                .or_insert(next);
            for alias in finding.aliases.iter().filter(|alias| !is_cve(alias)) {
                if *of_alias.entry(alias.as_str()).or_insert(own) != own {
                    shared.insert(alias.as_str());
                }
            }
        }
        shared
    }
}

fn is_cve(name: &str) -> bool {
    name.starts_with("CVE-")
}

/// Whether a score is zero: without a vector nothing says that it was ever rated.
pub(super) fn is_zero(score: &str) -> bool {
    score.trim().parse() == Ok(0.0)
}

impl Finding {
    /// Adds a severity, by the name of its method; empty ones and those that are there are not. Nor
    /// is a score of zero alone, which tools write where they know none.
    pub fn severity(&mut self, method: &str, score: &str) {
        let severity = (method.to_owned(), score.to_owned());
        let is_none = method.is_empty() || score.is_empty() || is_zero(score);
        if !is_none && !self.severities.contains(&severity) {
            self.severities.push(severity);
        }
    }

    /// Whether any severity is known.
    pub fn is_rated(&self) -> bool {
        !self.severities.is_empty()
    }

    /// Adds other names of what was found.
    pub fn aliases(&mut self, aliases: &[&str]) {
        let (mut named, mut known): (Vec<String>, HashSet<String>) = Default::default();
        let others = aliases.iter().filter(|alias| !alias.is_empty());
        let others = others.map(|alias| spelled(alias).into_owned());
        for alias in others.filter(|alias| *alias != self.id) {
            if known.insert(alias.clone()) {
                named.push(alias);
            }
        }
        if named.is_empty() || self.aliases.len() > ANNOTATIONS {
            return;
        }
        for alias in &named {
            if self.named.insert(alias.clone()) {
                self.aliases.push(alias.clone());
            }
        }
        self.annotate(object([("aliases", Some(named.into()))]));
    }

    /// Adds an annotation, if it is not there.
    pub fn annotate(&mut self, annotation: Value) {
        if self.annotations.len() <= ANNOTATIONS && !self.annotations.contains(&annotation) {
            self.annotations.push(annotation);
        }
    }

    /// What tells the vulnerability from those of other findings: the CVEs that it goes by, or else
    /// the identifier that its own begins with, as those of rules do.
    fn vulnerability(&self) -> Vec<&str> {
        let names = std::iter::once(&self.id).chain(&self.aliases);
        let mut names = names.map(|name| at_beginning(name).unwrap_or(name));
        let own = names.next();
        let mut cves: Vec<&str> = own
            .into_iter()
            .chain(names)
            .filter(|name| is_cve(name))
            .collect();
        cves.sort_unstable();
        cves.dedup();
        if cves.is_empty() {
            cves.extend(own);
        }
        cves
    }

    /// An annotation without the names that are shared; `None` if it has nothing else.
    fn annotation(&self, annotation: &Value, shared: &HashSet<&str>) -> Option<Value> {
        let aliases = annotation.get("aliases").and_then(Value::as_array);
        let Some(aliases) = aliases.filter(|_| !shared.is_empty()) else {
            return Some(annotation.clone());
        };
        let own = aliases.iter();
        let own = own.filter(|one| one.as_str().is_none_or(|one| !shared.contains(one)));
        let own: Vec<Value> = own.cloned().collect();
        (!own.is_empty()).then(|| object([("aliases", Some(Value::Array(own)))]))
    }

    fn to_json(&self, annotated: bool, shared: &HashSet<&str>) -> Value {
        let mut severities = Vec::new();
        for (method, score) in &self.severities {
            severities.push(object([
                ("method", Some(method.as_str().into())),
                ("score", Some(score.as_str().into())),
            ]));
        }
        let annotations = self.annotations.iter().filter(|_| annotated);
        let annotations = annotations.filter_map(|one| self.annotation(one, shared));
        let annotations: Vec<Value> = annotations.collect();
        let annotated = !annotations.is_empty();
        object([
            ("id", Some(self.id.as_str().into())),
            ("severity", Some(Value::Array(severities))),
            (
                "annotations",
                annotated.then_some(Value::Array(annotations)),
            ),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::prepare;
    use assay_claims::kind::scan::Vulns;

    /// What a report found, each as id, other names and scores in a line.
    fn found(report: &str) -> Vec<String> {
        let now = "2026-11-22T18:41:48Z";
        let claim = prepare("scan", "r", report.as_bytes(), now)
            .unwrap()
            .remove(0);
        let scan = Vulns::parse(&claim.predicate).unwrap();
        let lines = scan.vulnerabilities.iter().map(|one| {
            let scores = one.severities.iter().map(|(_, score)| score.as_str());
            let names = std::iter::once(&*one.id).chain(one.aliases.iter().map(String::as_str));
            names.chain(scores).collect::<Vec<_>>().join(" ")
        });
        lines.collect()
    }

    /// All results for these findings: other names of each, and what a result is another name of.
    fn listed(findings: &[(&str, &[&str])]) -> String {
        let mut list = Findings::default();
        for (id, aliases) in findings {
            list.entry(id).aliases(aliases);
        }
        let results = list.to_json(true);
        let lines = results.as_array().unwrap().iter().map(|result| {
            let id = result.get("id").unwrap().as_str().unwrap();
            let named = result.pointer("/annotations/0/aliases");
            let named = named.and_then(Value::as_array).unwrap_or_default().iter();
            let named: Vec<&str> = named.filter_map(Value::as_str).collect();
            let of = result.pointer("/annotations/0/aliasOf");
            match of.and_then(Value::as_str) {
                Some(of) => format!("{id}={of}"),
                None => format!("{id}[{}]", named.join(" ")),
            }
        });
        lines.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_name_of_several_vulnerabilities_is_the_name_of_none() {
        let (one, two) = ("CVE-2026-0001", "CVE-2026-0002");
        for (findings, expected) in [
            (
                &[(one, &["DSA-1"][..]), (two, &["DSA-1"])][..],
                "CVE-2026-0001[] CVE-2026-0002[]",
            ),
            (
                &[(one, &["DSA-1", "GHSA-1"]), (two, &["DSA-1"])],
                "CVE-2026-0001[GHSA-1] CVE-2026-0002[] GHSA-1=CVE-2026-0001",
            ),
            (
                &[("TEMP-1", &["DSA-1"]), (two, &["DSA-1"])],
                "TEMP-1[] CVE-2026-0002[]",
            ),
            (
                &[("DSA-1", &[]), (one, &["DSA-1"]), (two, &["DSA-1"])],
                "DSA-1[] CVE-2026-0001[] CVE-2026-0002[]",
            ),
            (
                &[("GO-1", &[one, "GHSA-1"]), ("PYSEC-1", &[two, "GHSA-1"])],
                "GO-1[CVE-2026-0001] PYSEC-1[CVE-2026-0002] CVE-2026-0001=GO-1 \
                 CVE-2026-0002=PYSEC-1",
            ),
            // Of one vulnerability, by its own name or another one.
            (
                &[(one, &["DSA-1"]), (one, &["DSA-1"])],
                "CVE-2026-0001[DSA-1] DSA-1=CVE-2026-0001",
            ),
            (
                &[("GHSA-1", &[one, "GO-1"]), ("PYSEC-1", &[one, "GO-1"])],
                "GHSA-1[CVE-2026-0001 GO-1] PYSEC-1[CVE-2026-0001 GO-1] \
                 CVE-2026-0001=GHSA-1 GO-1=GHSA-1",
            ),
            (
                &[
                    ("CVE-2026-0001-a", &[one, "DSA-1"]),
                    ("CVE-2026-0001-b", &[one, "DSA-1"]),
                ],
                "CVE-2026-0001-a[CVE-2026-0001 DSA-1] CVE-2026-0001-b[CVE-2026-0001 DSA-1] \
                 CVE-2026-0001=CVE-2026-0001-a DSA-1=CVE-2026-0001-a",
            ),
            (
                &[
                    ("PYSEC-2026-1234-a", &["PYSEC-2026-1234"]),
                    ("PYSEC-2026-1234-b", &["PYSEC-2026-1234"]),
                ],
                "PYSEC-2026-1234-a[PYSEC-2026-1234] PYSEC-2026-1234-b[PYSEC-2026-1234] \
                 PYSEC-2026-1234=PYSEC-2026-1234-a",
            ),
            // A CVE is one vulnerability, in however many advisories it is.
            (
                &[("GHSA-1", &[one]), ("GHSA-2", &[one])],
                "GHSA-1[CVE-2026-0001] GHSA-2[CVE-2026-0001] CVE-2026-0001=GHSA-1",
            ),
        ] {
            assert_eq!(listed(findings), expected);
        }
    }

    /// What every scanner names besides the finding goes the same way.
    #[test]
    fn an_advisory_of_several_findings_of_a_report_is_none_of_them() {
        let place = r#""PkgName":"lib","InstalledVersion":"1""#;
        let trivy = format!(
            r#"{{"SchemaVersion":2,"ArtifactName":"a","Results":[{{"Target":"l","Vulnerabilities":[
            {{"VulnerabilityID":"CVE-1","VendorIDs":["DSA-1-1"],{place}}},
            {{"VulnerabilityID":"CVE-2","VendorIDs":["DSA-1-1"],{place}}}]}}]}}"#
        );
        let grype = |id: &str| {
            format!(
                r#"{{"vulnerability":{{"id":"{id}"}},"relatedVulnerabilities":[{{"id":"DSA-1-1"}}],
                "artifact":{{"name":"lib"}}}}"#
            )
        };
        let grype = format!(
            r#"{{"matches":[{},{}],"descriptor":{{}}}}"#,
            grype("CVE-1"),
            grype("CVE-2")
        );
        let pip = r#"{"dependencies":[{"name":"lib","version":"1","vulns":[
            {"id":"CVE-1","aliases":["DSA-1-1"]},{"id":"CVE-2","aliases":["DSA-1-1"]}]}],"fixes":[]}"#;
        let sarif = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"t","rules":[
            {"id":"CVE-1","deprecatedIds":["DSA-1-1"]},{"id":"CVE-2","deprecatedIds":["DSA-1-1"]}]}},
            "results":[{"ruleId":"CVE-1","message":{"text":"m"}},{"ruleId":"CVE-2","message":{"text":"m"}}]}]}"#;
        for report in [&*trivy, &*grype, pip] {
            assert_eq!(found(report), ["CVE-1", "CVE-2"], "{report}");
            let alone = report.replace("CVE-2", "CVE-1");
            assert_eq!(found(&alone), ["CVE-1 DSA-1-1"], "{report}");
        }
        assert_eq!(found(sarif), ["CVE-1 warning", "CVE-2 warning"]);
    }

    /// It is what tools write where they know no score.
    #[test]
    fn a_score_of_zero_is_none_and_a_vector_of_zero_is_one() {
        let zero = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N";
        let sarif = |score: &str| {
            format!(
                r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"t","rules":[{{"id":"CVE-1",
                "properties":{{"security-severity":{score},"tags":["UNKNOWN"]}}}}]}}}},"results":
                [{{"ruleId":"CVE-1","level":"note","message":{{"text":"m"}}}}]}}]}}"#
            )
        };
        let dependency_check = |score: &str| {
            format!(
                r#"{{"reportSchema":"1.1","scanInfo":{{}},"dependencies":[{{"fileName":"a.jar",
                "vulnerabilities":[{{"name":"CVE-1","severity":"UNKNOWN",
                "cvssv2":{{"score":{score}}},"cvssv3":{{"baseScore":{score}}}}}]}}]}}"#
            )
        };
        let osv = |score: &str| {
            format!(
                r#"{{"results":[{{"source":{{"path":"l"}},"packages":[{{"package":{{"name":"a"}},
                "vulnerabilities":[{{"id":"CVE-1","severity":[{{"type":"CVSS_V3","score":"{score}"}}]}}]}}]}}]}}"#
            )
        };
        for none in ["0.0", "0"] {
            assert_eq!(found(&sarif(none)), ["CVE-1 note"]);
            assert_eq!(found(&sarif(&format!("\"{none}\""))), ["CVE-1 note"]);
            assert_eq!(found(&dependency_check(none)), ["CVE-1 UNKNOWN"]);
            assert_eq!(found(&osv(none)), ["CVE-1"]);
        }
        assert_eq!(found(&sarif("0.1")), ["CVE-1 note 0.1"]);
        assert_eq!(found(&dependency_check("0.1")), ["CVE-1 UNKNOWN 0.1 0.1"]);
        assert_eq!(found(&osv(zero)), [format!("CVE-1 {zero}")]);
    }
}
