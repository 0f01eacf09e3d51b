//! Why a text is refused, and where.

/// Longest key, in characters, that an error shows.
const SHOWN_KEY: usize = 40;

/// Where and why a text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column} ({path}): {reason}")]
pub struct JsonError {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters (in bytes, where the line is not UTF-8).
    pub column: usize,
    /// The value that was being read: `$` is the whole, then `.key` and `[index]`.
    pub path: String,
    /// What is wrong there.
    pub reason: String,
}

/// A failure on its way up: each array and object that it passes puts its own step in front.
pub(super) struct Fault {
    at: usize,
    steps: Vec<String>,
    reason: String,
}

impl Fault {
    pub fn new(at: usize, reason: impl Into<String>) -> Box<Self> {
        Box::new(Fault {
            at,
            steps: Vec::new(),
            reason: reason.into(),
        })
    }

    pub fn under(mut self: Box<Self>, step: String) -> Box<Self> {
        self.steps.push(step);
        self
    }

    pub fn locate(self, bytes: &[u8]) -> JsonError {
        let before = bytes.get(..self.at).unwrap_or(bytes);
        let line_start = before
            .iter()
            .rposition(|&b| b == b'\n')
            .map_or(0, |i| i + 1);
        let line = before.get(line_start..).unwrap_or_default();
        let mut path = String::from("$");
        path.extend(self.steps.into_iter().rev());
        JsonError {
            line: 1 + before.iter().filter(|&&b| b == b'\n').count(),
            column: 1 + std::str::from_utf8(line).map_or(line.len(), |l| l.chars().count()),
            path,
            reason: self.reason,
        }
    }
}

/// The step to a member: `.key`, or `["key"]` for a key that is not a plain word.
pub(super) fn key_step(key: &str) -> String {
    let shown: String = key.chars().take(SHOWN_KEY).collect();
    let dots = if shown.len() < key.len() { "…" } else { "" };
    if key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !key.is_empty() {
        format!(".{shown}{dots}")
    } else {
        format!("[{shown:?}{dots}]")
    }
}
