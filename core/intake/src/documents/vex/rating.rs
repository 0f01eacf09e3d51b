//! How severe documents say that vulnerabilities are: method and score of each, as the document has
//! them. What they come to is for the consumer's policy.

use super::super::findings::is_zero;
use assay_claims::json::{Value, object};

/// Most severities of one statement.
const RATINGS: usize = 20;

/// Longest score that is taken over, in bytes. The longest vector of CVSS v4 is shorter.
const SCORE: usize = 300;

/// Words that are severities. Others of databases, such as `not yet assigned`, are none.
const WORDS: [&str; 12] = [
    "critical",
    "high",
    "important",
    "info",
    "informational",
    "low",
    "medium",
    "minor",
    "moderate",
    "negligible",
    "none",
    "unimportant",
];

/// Method and score of each severity that is stated; each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) struct Ratings(Vec<(String, String)>);

impl Ratings {
    /// Whether nothing is stated.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a word, a score or a vector, if it is one. A zero alone is what tools write where they
    /// know no score, and is none.
    pub fn add(&mut self, method: &str, score: &str) {
        let score = score.trim();
        let is_word = WORDS.iter().any(|word| word.eq_ignore_ascii_case(score));
        let is_score = score
            .parse::<f64>()
            .is_ok_and(|score| (0.0..=10.0).contains(&score));
        let is_vector = score.contains('/') && score.contains(':');
        let one = (method.to_owned(), score.to_owned());
        if (is_word || is_score || is_vector)
            && !is_zero(score)
            && score.len() <= SCORE
            && self.0.len() < RATINGS
            && !self.0.contains(&one)
        {
            self.0.push(one);
        }
    }

    /// Adds what this member of a value states, if it is a text.
    pub fn add_at(&mut self, method: &str, value: &Value, pointer: &str) {
        if let Some(score) = value.pointer(pointer).and_then(Value::as_str) {
            self.add(method, score);
        }
    }

    /// Adds a vector of CVSS.
    pub fn add_vector(&mut self, vector: &str) {
        let method = match vector.trim_start_matches('(') {
            vector if vector.starts_with("CVSS:4") => "CVSS_V4",
            vector if vector.starts_with("CVSS:3") => "CVSS_V3",
            _ => "CVSS_V2",
        };
        self.add(method, vector);
    }

    /// Adds a vector, or else the score that stands beside it: a number or a text.
    pub fn add_cvss(&mut self, vector: Option<&Value>, score: Option<&Value>) {
        let score = match (vector, score) {
            (Some(Value::String(vector)), _) if vector.contains('/') => {
                return self.add_vector(vector);
            }
            (_, Some(Value::Number(score))) => score.as_str(),
            (_, Some(Value::String(score))) => score,
            _ => return,
        };
        self.add("CVSS", score);
    }

    /// These, or the others if there are none.
    pub fn or(self, others: Ratings) -> Ratings {
        if self.is_empty() { others } else { self }
    }

    /// The same with those.
    pub fn and(mut self, others: &Ratings) -> Ratings {
        others
            .0
            .iter()
            .for_each(|(method, score)| self.add(method, score));
        self
    }

    /// The member `severity` of a statement.
    pub fn to_value(&self) -> Option<Value> {
        let each = self.0.iter().map(|(method, score)| {
            object([
                ("method", Some(method.as_str().into())),
                ("score", Some(score.as_str().into())),
            ])
        });
        (!self.is_empty()).then(|| Value::Array(each.collect()))
    }
}
