//! Which times a witness may state.
//!
//! A cosignature states that at its time no larger tree was seen. A witness whose clock once ran
//! ahead has promised that for times to come, and cannot take it back. So the latest time that is
//! known to be right is stored, as a floor, and a clock that is far above it is not believed.

/// Seconds that a clock may be behind what was stated before: clocks are set back by as much when
/// they are corrected. Further back, the witness waits.
const BEHIND_S: u64 = 300;

/// Seconds that a clock may be ahead of the floor without somebody who confirms it: a witness that
/// was down for a night or a day starts by itself.
pub const AHEAD_S: u64 = 24 * 60 * 60;

/// Why a clock is not believed. Nothing is signed until it is right, or somebody confirms it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClockFault {
    /// More than 300 s before a time that was stated.
    #[error("the witness's clock is behind a time that it has stated")]
    Behind {
        /// What the clock shows, in seconds since 1970 (UTC).
        now: u64,
        /// The time that was stated.
        stated: u64,
    },
    /// More than 24 hours after the floor, and nobody confirmed it.
    #[error("the witness's clock has jumped ahead and nobody has confirmed it")]
    Ahead {
        /// What the clock shows, in seconds since 1970 (UTC).
        now: u64,
        /// The floor.
        floor: u64,
    },
    /// Zero, or over 2^63 − 1, which no cosignature can state.
    #[error("the witness's clock shows no time that a cosignature can state")]
    Impossible {
        /// What the clock shows.
        now: u64,
    },
}

/// The latest time that is known to be right, in seconds since 1970 (UTC). It never falls.
///
/// The caller stores it with every cosigned state, and each minute besides
/// ([`ClockFloor::advanced`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClockFloor(u64);

impl ClockFloor {
    /// Takes a floor that was stored. A witness that never had one takes 0, and asks its operator:
    /// see [`ClockFloor::confirmed_by_operator`].
    pub const fn new(seconds: u64) -> Self {
        ClockFloor(seconds)
    }

    /// The time.
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// Returns the floor to be stored when the clock shows `now`: the later of both. Fails with
    /// [`ClockFault`] if that clock is not to be believed.
    pub fn advanced(self, now: u64) -> Result<Self, ClockFault> {
        self.not_behind(now)?;
        if now > self.0.saturating_add(AHEAD_S) {
            return Err(ClockFault::Ahead { now, floor: self.0 });
        }
        Ok(ClockFloor(now.max(self.0)))
    }

    /// Does what [`ClockFloor::advanced`] does, and believes a clock that jumped ahead, because the
    /// operator looked at it. A floor that is too high is not lowered by anybody: what was stated
    /// stays stated, and the key has to be retired.
    pub fn confirmed_by_operator(self, now: u64) -> Result<Self, ClockFault> {
        self.not_behind(now)?;
        Ok(ClockFloor(now.max(self.0)))
    }

    fn not_behind(self, now: u64) -> Result<(), ClockFault> {
        if now == 0 || i64::try_from(now).is_err() {
            return Err(ClockFault::Impossible { now });
        }
        check_behind(now, self.0)
    }
}

/// Fails with [`ClockFault::Behind`] if a clock that shows `now` is too far behind a time that was
/// `stated`.
pub(super) fn check_behind(now: u64, stated: u64) -> Result<(), ClockFault> {
    if now.saturating_add(BEHIND_S) < stated {
        Err(ClockFault::Behind { now, stated })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn a_clock_is_believed_from_a_little_behind_to_a_day_ahead() {
        let floor = ClockFloor::new(NOW);
        for now in [NOW - BEHIND_S, NOW - 1, NOW] {
            assert_eq!(floor.advanced(now), Ok(floor), "{now}");
        }
        for now in [NOW + 1, NOW + AHEAD_S] {
            assert_eq!(floor.advanced(now), Ok(ClockFloor::new(now)), "{now}");
        }
        let now = NOW - BEHIND_S - 1;
        let behind = ClockFault::Behind { now, stated: NOW };
        assert_eq!(floor.advanced(now), Err(behind));
        let now = NOW + AHEAD_S + 1;
        let ahead = ClockFault::Ahead { now, floor: NOW };
        assert_eq!(floor.advanced(now), Err(ahead));
    }

    #[test]
    fn a_jump_needs_the_operator() {
        let floor = ClockFloor::new(NOW);
        let now = NOW + 10 * AHEAD_S;
        let ahead = Err(ClockFault::Ahead { now, floor: NOW });
        assert_eq!(floor.advanced(now), ahead);
        assert_eq!(floor.confirmed_by_operator(now), Ok(ClockFloor::new(now)));
        // A witness that never had a floor.
        assert!(ClockFloor::new(0).advanced(NOW).is_err());
        let first = ClockFloor::new(0).confirmed_by_operator(NOW);
        assert_eq!(first, Ok(floor));
    }

    #[test]
    fn nobody_lowers_a_floor_and_no_impossible_time_is_one() {
        let floor = ClockFloor::new(NOW);
        let now = NOW - BEHIND_S - 1;
        let behind = Err(ClockFault::Behind { now, stated: NOW });
        assert_eq!(floor.confirmed_by_operator(now), behind);
        for (floor, now) in [(0, 0), (NOW, 1 << 63), (u64::MAX, u64::MAX)] {
            let refused = ClockFloor::new(floor).confirmed_by_operator(now);
            assert_eq!(refused, Err(ClockFault::Impossible { now }));
        }
    }
}
