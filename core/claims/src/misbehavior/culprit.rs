//! Whom a text names.

use std::fmt;

/// Longest name of a culprit that is read, in bytes. An origin has at most 255.
const NAME_BYTES: usize = 1024;

/// Who misbehaved.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Culprit {
    /// The log of this origin.
    Log(String),
    /// The witness of this name.
    Witness(String),
    /// The mirror of this name.
    Mirror(String),
}

impl Culprit {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (role, name) = text.split_once(' ')?;
        // It is repeated to whoever sent it, before anybody knows it.
        if name.is_empty() || name.len() > NAME_BYTES || name.contains(char::is_control) {
            return None;
        }
        let name = name.to_owned();
        match role {
            "log" => Some(Culprit::Log(name)),
            "witness" => Some(Culprit::Witness(name)),
            "mirror" => Some(Culprit::Mirror(name)),
            _ => None,
        }
    }
}

impl fmt::Display for Culprit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Culprit::Log(origin) => write!(f, "log {origin}"),
            Culprit::Witness(name) => write!(f, "witness {name}"),
            Culprit::Mirror(name) => write!(f, "mirror {name}"),
        }
    }
}
