//! Whether this machine's clock may date a log.
//!
//! Times in a log never fall, so that one entry dated by a clock that ran ahead dates all after it,
//! and readers take the log's newest head for one from the future. So a clock is not believed that
//! shows a day more than what explains it: the log's last entry, or the time since the clock was
//! believed last, by a clock that nobody sets. An operator who looked at it can say that it is
//! right: the node was stopped for as long.
//!
//! A clock that is behind is believed: the last time is given again, until it has passed.

use crate::{
    config::Config,
    records,
    storage::{Batch, Reads, StorageError, Store, Table, backend::Job},
};
use assay_claims::time::rfc3339_of_ms;
use assay_tlog::tree::TreeSize;
use assay_tlog::witness::AHEAD_S;
use std::{
    sync::Arc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

/// How far a clock may be ahead of what explains it, in milliseconds: a node that was stopped for a
/// night or a day starts by itself. It is as for a witness (`assay_tlog::witness`).
const AHEAD_MS: u64 = AHEAD_S * 1000;

/// A clock that shows a time which nothing explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this machine's clock shows {now}, and the log knows no time after {explained}. Set the clock \
     and restart the node; or if it is right, because the node was stopped for so long, stop the \
     node, run `assay-node clock-ok --config FILE`, and start it again",
    now = rfc3339_of_ms(*.now_ms),
    explained = rfc3339_of_ms(*.explained_ms),
)]
pub struct ClockJumped {
    now_ms: u64,
    explained_ms: u64,
}

/// The clock by which a log is dated.
#[derive(Debug)]
pub(super) struct LogClock {
    /// The time that an operator found right, in milliseconds since 1970 (UTC).
    agreed_ms: u64,
    /// When the clock was believed last, and what it showed.
    believed: Option<(Instant, u64)>,
}

impl LogClock {
    /// The clock of the log in a store. Nothing is said of it yet.
    ///
    /// Of a log that has nothing but its first commitment, any clock is believed: it may have been
    /// made long before its first start, and whatever dates it then is its beginning.
    pub fn load(store: &impl Reads, size: TreeSize) -> Result<Self, records::RecordError> {
        let row = store.get(Table::Meta, records::CLOCK_OK)?;
        let agreed = row.map(|row| records::parse_index(&row)).transpose()?;
        let is_new = size.get() <= 1;
        Ok(LogClock {
            agreed_ms: if is_new {
                now_ms()
            } else {
                agreed.map_or(0, |ms| ms.get())
            },
            believed: None,
        })
    }

    /// What the clock shows, in milliseconds since 1970 (UTC), if that can be. `last_ms` is the
    /// time of the log's last entry.
    pub fn now(&mut self, last_ms: u64) -> Result<u64, ClockJumped> {
        let (at, now_ms) = (Instant::now(), now_ms());
        self.believe(at, now_ms, last_ms)
    }

    fn believe(&mut self, at: Instant, now_ms: u64, last_ms: u64) -> Result<u64, ClockJumped> {
        let since = self.believed.map_or(0, |(then, shown_ms)| {
            shown_ms.saturating_add(at.saturating_duration_since(then).as_millis() as u64)
        });
        let explained_ms = since.max(last_ms).max(self.agreed_ms);
        if now_ms > explained_ms.saturating_add(AHEAD_MS) {
            return Err(ClockJumped {
                now_ms,
                explained_ms,
            });
        }
        self.believed = Some((at, now_ms));
        Ok(now_ms)
    }
}

/// Keeps, in the store of a stopped node, that its clock is right now. Returns the time that it
/// shows, in milliseconds since 1970 (UTC).
pub fn clock_ok(config: &Config) -> Result<u64, StorageError> {
    let agree = Agree { now_ms: now_ms() };
    config.storage.backend.run(config.opening(), agree)?
}

struct Agree {
    now_ms: u64,
}

impl Job for Agree {
    type Output = Result<u64, StorageError>;

    fn run<S: Store + 'static>(self, store: Arc<S>) -> Self::Output {
        let mut batch = Batch::new();
        let row = self.now_ms.to_be_bytes().to_vec();
        batch.put(Table::Meta, records::CLOCK_OK, row);
        store.commit(batch)?;
        Ok(self.now_ms)
    }
}

/// The system's clock, in milliseconds since 1970 (UTC).
pub(crate) fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const HOUR_MS: u64 = 60 * 60 * 1000;
    const YEARS_MS: u64 = 10 * 365 * 24 * HOUR_MS;
    const NOW_MS: u64 = 2 * YEARS_MS;

    fn clock(agreed_ms: u64) -> LogClock {
        LogClock {
            agreed_ms,
            believed: None,
        }
    }

    #[test]
    fn what_nothing_explains_is_not_believed() {
        let at = Instant::now();
        for (shown_ms, last_ms, agreed_ms, is_believed) in [
            (NOW_MS, NOW_MS - 1, 0, true),
            (NOW_MS, NOW_MS - AHEAD_MS, 0, true),
            (NOW_MS, NOW_MS - AHEAD_MS - 1, 0, false),
            (NOW_MS + YEARS_MS, NOW_MS, 0, false),
            (NOW_MS, NOW_MS - YEARS_MS, NOW_MS - HOUR_MS, true),
            // Behind.
            (NOW_MS - YEARS_MS, NOW_MS, 0, true),
            (0, NOW_MS, NOW_MS, true),
        ] {
            let believed = clock(agreed_ms).believe(at, shown_ms, last_ms);
            assert_eq!(believed.is_ok(), is_believed, "{shown_ms} {last_ms}");
        }
    }

    /// An idle log has no entry that says how late it is, and the time that passed does.
    #[test]
    fn the_time_that_passed_explains_what_is_shown() {
        let at = Instant::now();
        let mut clock = clock(0);
        assert_eq!(clock.believe(at, NOW_MS, NOW_MS), Ok(NOW_MS));
        let later = at + Duration::from_millis(30 * HOUR_MS);
        assert!(clock.believe(later, NOW_MS + 55 * HOUR_MS, NOW_MS).is_err());
        let right = NOW_MS + 30 * HOUR_MS;
        assert_eq!(clock.believe(later, right, NOW_MS), Ok(right));
        let jumped = clock.believe(later, right + YEARS_MS, NOW_MS);
        assert_eq!(jumped.unwrap_err().explained_ms, right);
    }
}
