//! What a scanner found, collected by identifier.

use assay_claims::json::{Value, object};
use std::collections::HashMap;

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
}

impl Findings {
    /// The finding of that identifier, new or not.
    pub fn entry(&mut self, id: &str) -> &mut Finding {
        let next = self.list.len();
        let index = *self.by_id.entry(id.to_owned()).or_insert(next);
        if index == next {
            self.list.push(Finding {
                id: id.to_owned(),
                severities: vec![],
                annotations: vec![],
            });
        }
        &mut self.list[index]
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

    /// The list of results of the predicate, with or without annotations.
    pub fn to_json(&self, annotated: bool) -> Value {
        let results = self.list.iter().map(|finding| finding.to_json(annotated));
        Value::Array(results.collect())
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
