//! What is told.

use assay_claims::time::rfc3339_of_ms;
use assay_tlog::Hash;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest words of an alert, in bytes. What strangers say is in them.
const WORDS: usize = 2048;

/// What an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The log signed two heads that cannot both be true.
    TwoHistories,
    /// A node keeps proof of misbehavior of somebody whom the policy names.
    Convicted,
    /// A node keeps proof that a log of the policy broke a rule, or an auditor cosigned that.
    Breach,
    /// An auditor of the policy finds another index than the log commits to.
    Disputed,
    /// Entries, index or tiles of the log are not what its head says, or break its rules.
    BrokenRule,
    /// An answer of the node fails a check.
    FalseAnswer,
    /// The head lacks the quorum of witnesses that the policy asks for.
    NoQuorum,
    /// Times of the log, of its cosignatures and of this machine do not fit.
    Clock,
    /// The head is older than the policy allows.
    Frozen,
    /// The node does not answer.
    Unreachable,
    /// The log goes by rules that this version does not know.
    Unsupported,
    /// A key of ours is used for another issuer.
    KeyUsed,
    /// An issuer of ours is spoken for by a key that is not ours.
    IssuerUsed,
    /// A record or a key compromise of an issuer of ours.
    Record,
    /// Somebody else says about a package of ours what its maker would say.
    NameUsed,
    /// Somebody else speaks about a package of ours.
    SpokenOf,
}

impl Kind {
    /// The kind's name, as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Kind::TwoHistories => "two-histories",
            Kind::Convicted => "convicted",
            Kind::Breach => "breach",
            Kind::Disputed => "disputed",
            Kind::BrokenRule => "broken-rule",
            Kind::FalseAnswer => "false-answer",
            Kind::NoQuorum => "no-quorum",
            Kind::Clock => "clock",
            Kind::Frozen => "frozen",
            Kind::Unreachable => "unreachable",
            Kind::Unsupported => "unsupported",
            Kind::KeyUsed => "key-used",
            Kind::IssuerUsed => "issuer-used",
            Kind::Record => "record",
            Kind::NameUsed => "name-used",
            Kind::SpokenOf => "spoken-of",
        }
    }

    /// Whether somebody misbehaved or a check failed, rather than that there is something to look
    /// at.
    pub fn is_misbehavior(self) -> bool {
        matches!(
            self,
            Kind::TwoHistories
                | Kind::Convicted
                | Kind::Breach
                | Kind::BrokenRule
                | Kind::FalseAnswer
        )
    }

    /// How much it matters.
    pub fn level(self) -> Level {
        match self {
            Kind::TwoHistories
            | Kind::Convicted
            | Kind::BrokenRule
            | Kind::KeyUsed
            | Kind::IssuerUsed => Level::Critical,
            Kind::Breach
            | Kind::Disputed
            | Kind::FalseAnswer
            | Kind::NoQuorum
            | Kind::Clock
            | Kind::Frozen
            | Kind::Unreachable
            | Kind::Unsupported
            | Kind::Record
            | Kind::NameUsed => Level::Warning,
            Kind::SpokenOf => Level::Notice,
        }
    }
}

/// How much an alert matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Good to know.
    Notice,
    /// Look at it.
    Warning,
    /// Look at it now.
    Critical,
}

impl Level {
    /// The level's name, as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Level::Notice => "notice",
            Level::Warning => "warning",
            Level::Critical => "critical",
        }
    }
}

/// Whether an alert is about an event or about what goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Something happened once.
    Event,
    /// Something began and goes on.
    Began,
    /// It ended.
    Ended,
}

/// Something to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alert {
    /// What names it. The same alert, told again after a crash, has the same id.
    pub id: String,
    /// What it is about.
    pub kind: Kind,
    /// How much it matters.
    pub level: Level,
    /// An event, or what goes on.
    pub phase: Phase,
    /// The log's origin.
    pub log: String,
    /// When it was noticed, in milliseconds since 1970 (UTC).
    pub at_ms: u64,
    /// The leaf that it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaf_index: Option<u64>,
    /// The id of the claim that it is about, if it is about one, in hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim_id: Option<String>,
    /// What there is to say. Words of strangers in it are made plain.
    pub words: String,
}

impl Alert {
    /// An event. `what` tells it from others of its kind in this log.
    pub(super) fn event(kind: Kind, log: &str, at_ms: u64, what: &str, words: String) -> Self {
        Alert::new(kind, Phase::Event, log, at_ms, what, words)
    }

    pub(super) fn new(
        kind: Kind,
        phase: Phase,
        log: &str,
        at_ms: u64,
        what: &str,
        words: String,
    ) -> Self {
        let phase_name = match phase {
            Phase::Event => "event",
            Phase::Began => "began",
            Phase::Ended => "ended",
        };
        let named = ["assay.alert.v1", kind.name(), phase_name, log, what].join("\n");
        Alert {
            id: Hash::of(named.as_bytes()).to_hex(),
            kind,
            level: kind.level(),
            phase,
            log: log.to_owned(),
            at_ms,
            leaf_index: None,
            claim_id: None,
            words: cut(words),
        }
    }
}

/// The words, or their beginning.
fn cut(mut words: String) -> String {
    if words.len() > WORDS {
        let end = (0..=WORDS).rev().find(|end| words.is_char_boundary(*end));
        words.truncate(end.unwrap_or(0));
        words.push('…');
    }
    words
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let over = if self.phase == Phase::Ended {
            " over"
        } else {
            ""
        };
        write!(
            f,
            "{} {} {}{over} {}: {}",
            rfc3339_of_ms(self.at_ms),
            self.level.name(),
            self.kind.name(),
            crate::plain(&self.log),
            self.words
        )?;
        if let Some(leaf) = self.leaf_index {
            write!(f, " (leaf {leaf}")?;
            if let Some(claim) = &self.claim_id {
                write!(f, ", claim {claim}")?;
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_is_a_line_and_has_an_id_that_does_not_depend_on_when() {
        let alert = |at_ms| {
            let words = "key 12 signs for another".to_owned();
            let mut alert = Alert::event(Kind::KeyUsed, "log.example/a", at_ms, "7", words);
            alert.leaf_index = Some(7);
            alert
        };
        assert_eq!(alert(1).id, alert(2).id);
        assert_eq!(
            alert(1_000).to_string(),
            "1970-01-01T00:00:01Z critical key-used log.example/a: key 12 signs for another \
             (leaf 7)"
        );
        let long = Alert::event(Kind::KeyUsed, "log", 1, "7", "ü".repeat(9000));
        assert_eq!(long.words, "ü".repeat(1024) + "…");
        let other = Alert::event(Kind::KeyUsed, "log.example/b", 1, "7", String::new());
        assert_ne!(other.id, alert(1).id);
    }
}
