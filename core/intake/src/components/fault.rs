//! The way readers refuse to use a file.

use super::error::ComponentError;
use crate::limits;
use crate::text::shown;
use assay_claims::json;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::push_key;

/// Why a reader refuses its file.
#[derive(Debug)]
pub(super) struct Fault {
    line: Option<u32>,
    /// Where in JSON, until the line is looked for.
    path: Option<String>,
    reason: String,
    /// What to do, if that is not what is always to be done with a broken file of its format.
    advice: Option<&'static str>,
}

impl Fault {
    pub(super) fn new(line: Option<u32>, reason: impl Into<String>) -> Self {
        Fault {
            line,
            path: None,
            reason: reason.into(),
            advice: None,
        }
    }

    pub(super) fn at(line: u32, reason: impl Into<String>) -> Self {
        Self::new(Some(line), reason)
    }

    /// That something has more bytes than are read of it.
    pub(super) fn too_large(what: &str, bytes: usize, most: usize) -> Self {
        let reason = format!("the {what} has {bytes} bytes, and at most {most} are read");
        Self::new(None, reason)
    }

    pub(super) fn advise(self, advice: &'static str) -> Self {
        Fault {
            advice: Some(advice),
            ..self
        }
    }

    /// With advice, if it has none yet.
    pub(super) fn or_advise(self, advice: &'static str) -> Self {
        Fault {
            advice: self.advice.or(Some(advice)),
            ..self
        }
    }

    /// With its line, if it has a path in the JSON of `text`.
    pub(super) fn locate(mut self, text: &str) -> Self {
        if let (None, Some(path)) = (self.line, &self.path) {
            let depth = limits::COMPONENT_JSON_DEPTH;
            self.line = Some(json::line_of(text, depth, path, push_key));
        }
        self
    }

    /// The error for the caller, who gave the file its name. `remedy` is what is always to be done
    /// with a broken file of its format.
    pub(super) fn of(self, file: &str, remedy: Option<&'static str>) -> ComponentError {
        let advice = self.advice.or(remedy);
        let reason = match advice {
            Some(advice) => format!("{}; {advice}", self.reason),
            None => self.reason,
        };
        ComponentError {
            file: file.to_owned(),
            line: self.line,
            reason,
        }
    }
}

/// What stands in JSON has a path; [`Fault::locate`] finds its line.
impl From<PredicateError> for Fault {
    fn from(e: PredicateError) -> Self {
        let reason = shown(&format!("{}: {}", tail(&e.path), e.reason));
        Fault {
            path: Some(e.path),
            ..Fault::new(None, reason)
        }
    }
}

/// The end of a path, which says more than its beginning, in a length that leaves room for the
/// reason.
pub(super) fn tail(path: &str) -> String {
    const SHOWN: usize = 100;
    match path.char_indices().rev().nth(SHOWN) {
        Some((at, _)) => format!("…{}", path.get(at..).unwrap_or_default()),
        None => path.to_owned(),
    }
}
