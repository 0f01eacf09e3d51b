//! When and where something was logged, and what of that can be compared over logs.
//!
//! Within one log the leaf is the order. Between two logs there are only their clocks, and these
//! may differ by an hour before a difference says anything (docs/design.md 7).

use assay_claims::logged::LoggedClaim;
use assay_tlog::tree::LeafIndex;

/// Least difference between the clocks of two logs that says which of two leaves came first.
pub(crate) const BETWEEN_LOGS_MS: u64 = 60 * 60 * 1000;

/// Where a claim stands: in which log, at which leaf.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The log's origin.
    pub origin: String,
    /// The leaf.
    pub leaf: LeafIndex,
}

/// How far a list of a log was read from its beginning on: its last leaf that was read, and when
/// the log took that. What was not read comes after it. By default nothing was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct HeardTo {
    /// The leaf.
    pub leaf: LeafIndex,
    /// In milliseconds since 1970, by the log's clock.
    pub at_ms: u64,
}

/// A leaf of a log, and when the log took it. The order is that of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot<'a> {
    /// In milliseconds since 1970, by the log's clock.
    pub(crate) at_ms: u64,
    pub(crate) origin: &'a str,
    pub(crate) leaf: LeafIndex,
}

/// Whether one thing was logged before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Before {
    /// It was not.
    No,
    /// The clocks of two logs do not tell.
    Perhaps,
    /// It was.
    Yes,
}

/// Where something stands: its first leaf in each log.
#[derive(Debug, Clone, Default)]
pub(super) struct Spots<'a>(Vec<Spot<'a>>);

impl<'a> Spot<'a> {
    /// Where a claim stands.
    pub(crate) fn of(logged: &'a LoggedClaim) -> Self {
        Spot {
            at_ms: logged.logged_at_ms(),
            origin: logged.origin(),
            leaf: logged.leaf(),
        }
    }

    /// The log and the leaf.
    pub(crate) fn place(&self) -> Place {
        Place {
            origin: self.origin.to_owned(),
            leaf: self.leaf,
        }
    }

    /// Whether it was logged before the other.
    pub(super) fn before(&self, other: &Spot<'_>) -> Before {
        if self.origin == other.origin {
            return if self.leaf < other.leaf {
                Before::Yes
            } else {
                Before::No
            };
        }
        if self.at_ms.saturating_add(BETWEEN_LOGS_MS) <= other.at_ms {
            Before::Yes
        } else if self.at_ms < other.at_ms.saturating_add(BETWEEN_LOGS_MS) {
            Before::Perhaps
        } else {
            Before::No
        }
    }
}

impl<'a> Spots<'a> {
    pub(super) fn one(spot: Spot<'a>) -> Self {
        Spots(vec![spot])
    }

    pub(super) fn add(&mut self, spot: Spot<'a>) {
        match self.0.iter_mut().find(|known| known.origin == spot.origin) {
            Some(known) => *known = spot.min(*known),
            None => self.0.push(spot),
        }
    }

    /// The earliest, by the clocks of the logs.
    pub(super) fn first(&self) -> Option<Spot<'a>> {
        self.0.iter().min().copied()
    }

    /// Whether it was logged anywhere before the other.
    pub(super) fn before(&self, other: &Spot<'_>) -> Before {
        let each = self.0.iter().map(|spot| spot.before(other));
        each.max().unwrap_or(Before::No)
    }
}
