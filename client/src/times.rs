//! How the times of a head stand to each other, and to the clock (docs/index.md 1.2).
//!
//! A head has two: when the log made its last leaf, an index commitment, by the log's own clock,
//! and when a quorum of witnesses had cosigned it, by theirs. A log that commits ahead of time
//! would look fresh for longer than it is, and one that has old commitments cosigned withholds what
//! came since. Both are refused, and a head is only as fresh as the older of its times.

use assay_claims::index::answer::ProvenEntries;
use assay_tlog::checkpoint::VerifiedCheckpoint;

/// How far a commitment may be ahead of the quorum's time, or of the clock of whoever asks.
const AHEAD_MS: u64 = 5 * 60 * 1000;

/// How old a commitment may be: logs commit every hour, and ten minutes are allowed for clocks.
pub(crate) const BEHIND_MS: u64 = 70 * 60 * 1000;

/// Why the times of a head are not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// The last leaf is later than the witnesses' cosignatures.
    #[error(
        "its last leaf is dated {} minutes after the witnesses had cosigned it; at most {} are \
         allowed", .0 / 60_000, AHEAD_MS / 60_000
    )]
    AfterQuorum(u64),
    /// The last leaf is much older than the witnesses' cosignatures.
    #[error(
        "its last leaf is dated {} minutes before the witnesses cosigned it; a log commits every \
         hour, and at most {} are allowed", .0 / 60_000, BEHIND_MS / 60_000
    )]
    BeforeQuorum(u64),
    /// The last leaf is dated in the future.
    #[error(
        "its last leaf is dated {} minutes in the future; check the clock of this machine",
        .0 / 60_000
    )]
    Future(u64),
}

/// A head that an answer rests on.
#[derive(Debug, Clone)]
pub struct Head {
    /// The checkpoint.
    pub checkpoint: VerifiedCheckpoint,
    /// When its last leaf was made, by the log's clock, in milliseconds since 1970 (UTC).
    pub made_at_ms: u64,
}

impl Head {
    /// Adds the head of an answer to others, each once.
    pub(crate) fn add(heads: &mut Vec<Head>, answer: &ProvenEntries) {
        let checkpoint = answer.checkpoint();
        let mut known = heads.iter();
        if known.all(|known| known.checkpoint.note() != checkpoint.note()) {
            heads.push(Head {
                checkpoint: checkpoint.clone(),
                made_at_ms: answer.made_at_ms(),
            });
        }
    }
}

/// When a head was made. All times are in milliseconds since 1970 (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadTimes {
    /// The last leaf's time.
    pub committed_at_ms: u64,
    /// When a quorum had cosigned the head, if the policy asks for one.
    pub quorum_at_ms: Option<u64>,
}

impl HeadTimes {
    /// Since when the head is fresh: the older of its times.
    pub fn fresh_at_ms(&self) -> u64 {
        let quorum = self.quorum_at_ms.unwrap_or(u64::MAX);
        self.committed_at_ms.min(quorum)
    }

    /// Checks the commitment against the quorum's time. Without a quorum there is nothing to check
    /// by but a clock: see [`HeadTimes::check_now`].
    pub fn check(&self) -> Result<(), TimeError> {
        let Some(quorum) = self.quorum_at_ms else {
            return Ok(());
        };
        let ahead = self.committed_at_ms.saturating_sub(quorum);
        if ahead > AHEAD_MS {
            return Err(TimeError::AfterQuorum(ahead));
        }
        let behind = quorum.saturating_sub(self.committed_at_ms);
        if behind > BEHIND_MS {
            return Err(TimeError::BeforeQuorum(behind));
        }
        Ok(())
    }

    /// As [`HeadTimes::check`]; and that the commitment is not ahead of the caller's clock.
    pub fn check_now(&self, now_ms: u64) -> Result<(), TimeError> {
        self.check()?;
        let ahead = self.committed_at_ms.saturating_sub(now_ms);
        if ahead > AHEAD_MS {
            return Err(TimeError::Future(ahead));
        }
        Ok(())
    }
}

/// Whether a leaf that is dated `logged_at_ms` can stand under a checkpoint that a quorum had
/// cosigned at `quorum_at_ms`: it is older, but for what clocks differ.
pub(crate) fn can_be_under(logged_at_ms: u64, quorum_at_ms: u64) -> bool {
    logged_at_ms.saturating_sub(quorum_at_ms) <= AHEAD_MS
}

/// What became of a log that is watched, said once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frozen {
    /// It has not committed for longer than logs do, so many milliseconds.
    Since(u64),
    /// It commits again.
    NoLonger,
}

/// Notices a log that stops committing: whoever serves it may withhold what came since.
#[derive(Debug, Default)]
pub struct FreezeWatch {
    frozen: bool,
}

impl FreezeWatch {
    /// Tells the time of the newest commitment that the log shows, and says whether it froze, or
    /// went on, since the last call.
    pub fn notice(&mut self, committed_at_ms: u64, now_ms: u64) -> Option<Frozen> {
        let age_ms = now_ms.saturating_sub(committed_at_ms);
        match (self.frozen, age_ms > BEHIND_MS) {
            (false, true) => {
                self.frozen = true;
                Some(Frozen::Since(age_ms))
            }
            (true, false) => {
                self.frozen = false;
                Some(Frozen::NoLonger)
            }
            (true, true) | (false, false) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: u64 = 1_800_000_000_000;
    const MINUTE: u64 = 60_000;

    fn times(committed_at_ms: u64, quorum_at_ms: impl Into<Option<u64>>) -> HeadTimes {
        HeadTimes {
            committed_at_ms,
            quorum_at_ms: quorum_at_ms.into(),
        }
    }

    #[test]
    fn the_last_leaf_stands_close_to_the_quorum() {
        let check = |committed, quorum| times(committed, quorum).check();
        assert_eq!(check(AT + 5 * MINUTE, AT), Ok(()));
        let late = 5 * MINUTE + 1;
        assert_eq!(check(AT + late, AT), Err(TimeError::AfterQuorum(late)));
        assert_eq!(check(AT - 70 * MINUTE, AT), Ok(()));
        let early = 70 * MINUTE + 1;
        assert_eq!(check(AT - early, AT), Err(TimeError::BeforeQuorum(early)));
        assert_eq!(check(0, u64::MAX), Err(TimeError::BeforeQuorum(u64::MAX)));
        assert_eq!(check(u64::MAX, 0), Err(TimeError::AfterQuorum(u64::MAX)));
        // Nothing to compare with.
        assert_eq!(times(0, None).check(), Ok(()));
        let said = TimeError::BeforeQuorum(early).to_string();
        assert!(said.contains("70 minutes before"), "{said}");
    }

    #[test]
    fn without_a_quorum_the_clock_decides() {
        assert_eq!(times(AT + 5 * MINUTE, None).check_now(AT), Ok(()));
        let late = 5 * MINUTE + 1;
        let future = times(AT + late, None).check_now(AT);
        assert_eq!(future, Err(TimeError::Future(late)));
        assert_eq!(times(0, None).check_now(AT), Ok(()), "old, and said to be");
    }

    #[test]
    fn a_head_is_as_fresh_as_the_older_of_its_times() {
        assert_eq!(times(AT, AT - 1).fresh_at_ms(), AT - 1);
        assert_eq!(times(AT - 2, AT).fresh_at_ms(), AT - 2);
        assert_eq!(times(AT, None).fresh_at_ms(), AT);
    }

    #[test]
    fn a_log_that_stops_committing_is_noticed_once() {
        let mut watch = FreezeWatch::default();
        assert_eq!(watch.notice(AT, AT + 70 * MINUTE), None);
        let age = 70 * MINUTE + 1;
        assert_eq!(watch.notice(AT, AT + age), Some(Frozen::Since(age)));
        assert_eq!(watch.notice(AT, AT + 2 * age), None);
        let later = AT + 2 * age;
        assert_eq!(watch.notice(later, later), Some(Frozen::NoLonger));
        assert_eq!(watch.notice(later, later + MINUTE), None);
    }

    #[test]
    fn a_leaf_is_no_younger_than_the_quorum_that_saw_it() {
        assert!(can_be_under(AT, AT) && can_be_under(0, AT));
        assert!(can_be_under(AT + 5 * MINUTE, AT));
        assert!(!can_be_under(AT + 5 * MINUTE + 1, AT));
    }
}
