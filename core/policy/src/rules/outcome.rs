//! Whether a policy is met.

use std::fmt;

/// Whether the policy is met. Of several reasons the worst decides; they are in this order, the
/// best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// All that is demanded is there, all answers are complete and fresh, and nothing speaks
    /// against it.
    Fine,
    /// As `Fine`, but the policy wants something said.
    Warn,
    /// Something that is demanded is not there.
    Unmet,
    /// Nobody whom the policy trusts has said anything.
    Unknown,
    /// A log that must answer did not, or not with all that was asked.
    Incomplete,
    /// An answer is older than the policy allows.
    Stale,
    /// Something is there that must not be.
    Denied,
}

impl Outcome {
    /// All outcomes, the best first.
    pub const ALL: [Outcome; 7] = [
        Outcome::Fine,
        Outcome::Warn,
        Outcome::Unmet,
        Outcome::Unknown,
        Outcome::Incomplete,
        Outcome::Stale,
        Outcome::Denied,
    ];

    /// Whether the policy is met: `Fine`, or `Warn`.
    pub fn is_met(self) -> bool {
        self <= Outcome::Warn
    }

    /// Its name: `fine`, `warn`, `unmet`, `unknown`, `incomplete`, `stale` or `denied`.
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::Fine => "fine",
            Outcome::Warn => "warn",
            Outcome::Unmet => "unmet",
            Outcome::Unknown => "unknown",
            Outcome::Incomplete => "incomplete",
            Outcome::Stale => "stale",
            Outcome::Denied => "denied",
        }
    }

    /// The outcome of a name, or `None`.
    pub fn of_name(name: &str) -> Option<Self> {
        Outcome::ALL
            .into_iter()
            .find(|outcome| outcome.name() == name)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
