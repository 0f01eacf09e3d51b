//! What a scanner found, collected by identifier.

use assay_claims::json::{Value, object};
use assay_claims::vulnerability::canonical;
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
        let results = self.list.iter().map(|finding| finding.to_json(annotated));
        let mut results: Vec<Value> = results.collect();
        if annotated {
            let mut named: HashSet<&str> = self.by_id.keys().map(String::as_str).collect();
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
}

impl Finding {
    /// Adds a severity, by the name of its method; empty ones and those that are there are not.
    pub fn severity(&mut self, method: &str, score: &str) {
        let severity = (method.to_owned(), score.to_owned());
        if !method.is_empty() && !score.is_empty() && !self.severities.contains(&severity) {
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

    fn to_json(&self, annotated: bool) -> Value {
        let mut severities = Vec::new();
        for (method, score) in &self.severities {
            severities.push(object([
                ("method", Some(method.as_str().into())),
                ("score", Some(score.as_str().into())),
            ]));
        }
        let annotated = annotated && !self.annotations.is_empty();
        object([
            ("id", Some(self.id.as_str().into())),
            ("severity", Some(Value::Array(severities))),
            (
                "annotations",
                annotated.then(|| Value::Array(self.annotations.clone())),
            ),
        ])
    }
}
