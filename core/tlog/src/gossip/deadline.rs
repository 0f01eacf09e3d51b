//! When to ask again, and when a log is suspect.

use super::link::Source;
use crate::tree::TreeSize;

/// How often a head has to have been asked about in vain, before its log is suspect.
pub const MISSED_ASKS: u32 = 10;

/// How long to wait for what, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How long a head may wait for its link before its log is suspect.
    pub alarm_after_ms: u64,
}

impl Settings {
    /// How long an answer has before the next one is asked: [`MISSED_ASKS`] fit in before the
    /// alarm, and two more.
    pub(super) fn ask_every_ms(self) -> u64 {
        (self.alarm_after_ms / u64::from(MISSED_ASKS + 2)).max(1)
    }
}

/// What is to be thought of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing speaks against it.
    Clear,
    /// It signed a head that nobody has linked to the others for too long. That is an alarm and no
    /// proof: the log and all its mirrors may be down. It ends when the head is linked.
    Suspect {
        /// The size of the head.
        size: TreeSize,
        /// When the head came, in the caller's milliseconds.
        since_ms: u64,
    },
    /// There is evidence that it misbehaved. That has no end.
    Convicted,
}

/// How long a head has been waiting, and how often it was asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Waiting {
    pub since_ms: u64,
    asks: u32,
    /// How many of these nobody was there for, and whether the last one is among them.
    unasked: u32,
    is_unasked: bool,
    next_ms: u64,
}

impl Waiting {
    pub fn from(now_ms: u64) -> Self {
        Waiting {
            since_ms: now_ms,
            asks: 0,
            unasked: 0,
            is_unasked: false,
            next_ms: now_ms,
        }
    }

    /// Whom to ask first.
    pub fn first_source(&self) -> Source {
        Source::of_attempt(self.asks)
    }

    pub fn asks(&self) -> u32 {
        self.asks
    }

    /// Whether the last question has had its time.
    pub fn is_due(&self, now_ms: u64) -> bool {
        self.next_ms <= now_ms
    }

    /// Counts a question that is asked now, and returns whom to ask.
    pub fn ask(&mut self, now_ms: u64, settings: Settings) -> Source {
        let source = Source::of_attempt(self.asks);
        self.asks = self.asks.saturating_add(1);
        self.is_unasked = false;
        self.next_ms = now_ms.saturating_add(settings.ask_every_ms());
        source
    }

    /// Nobody is known who could be asked the last question: nobody missed it.
    pub fn nobody(&mut self) {
        if self.asks > 0 && !self.is_unasked {
            self.unasked = self.unasked.saturating_add(1);
            self.is_unasked = true;
        }
    }

    /// The last question was answered, and has to be asked again at once: it does not count.
    pub fn again(&mut self) {
        self.asks = self.asks.saturating_sub(1);
        self.next_ms = self.since_ms;
    }

    /// Whether it has waited too long. Who was not asked has missed nothing, and the last question
    /// may still be answered.
    pub fn is_overdue(&self, now_ms: u64, settings: Settings) -> bool {
        let waited = now_ms.saturating_sub(self.since_ms) >= settings.alarm_after_ms;
        let pending = u32::from(!self.is_due(now_ms) && !self.is_unasked);
        let missed = self.asks.saturating_sub(self.unasked);
        waited && missed.saturating_sub(pending) >= MISSED_ASKS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: Settings = Settings {
        alarm_after_ms: 60_000,
    };

    #[test]
    fn time_alone_raises_no_alarm_and_neither_do_questions() {
        let mut waiting = Waiting::from(1_000);
        assert!(!waiting.is_overdue(u64::MAX, SETTINGS));
        for _ in 0..20 {
            let _ = waiting.ask(1_000, SETTINGS);
        }
        assert!(!waiting.is_overdue(60_999, SETTINGS));
        assert!(waiting.is_overdue(61_000, SETTINGS));
    }

    #[test]
    fn ten_questions_have_their_time_within_a_minute() {
        let mut waiting = Waiting::from(0);
        for now_ms in 0..=60_000 {
            assert!(!waiting.is_overdue(now_ms, SETTINGS) || now_ms == 60_000);
            if now_ms < 60_000 && waiting.is_due(now_ms) {
                let _ = waiting.ask(now_ms, SETTINGS);
            }
        }
        assert_eq!(waiting.asks(), 12);
        assert!(waiting.is_overdue(60_000, SETTINGS));
    }

    /// However often it is looked at, and whenever questions are handed out.
    #[test]
    fn an_alarm_stays_while_the_next_question_is_under_way() {
        let mut waiting = Waiting::from(0);
        let mut alarms = 0;
        for now_ms in (0..=120_000).step_by(1_000) {
            if waiting.is_due(now_ms) {
                let _ = waiting.ask(now_ms, SETTINGS);
            }
            let is_overdue = waiting.is_overdue(now_ms, SETTINGS);
            assert_eq!(is_overdue, now_ms >= 60_000, "{now_ms}");
            alarms += u32::from(is_overdue);
        }
        assert_eq!(alarms, 61);
    }

    /// A witness may know a log and not where it is. That is no reason to suspect it.
    #[test]
    fn what_nobody_could_be_asked_raises_no_alarm() {
        let mut waiting = Waiting::from(0);
        for now_ms in (0..=600_000).step_by(1_000) {
            if waiting.is_due(now_ms) {
                let _ = waiting.ask(now_ms, SETTINGS);
                waiting.nobody();
                waiting.nobody();
            }
            assert!(!waiting.is_overdue(now_ms, SETTINGS), "{now_ms}");
        }
        // Once somebody is there who does not answer, it is ten times that.
        let mut now_ms = 600_001;
        for _ in 0..MISSED_ASKS {
            assert!(!waiting.is_overdue(now_ms, SETTINGS));
            now_ms += SETTINGS.ask_every_ms();
            let _ = waiting.ask(now_ms, SETTINGS);
        }
        assert!(waiting.is_overdue(now_ms + SETTINGS.ask_every_ms(), SETTINGS));
    }

    #[test]
    fn the_log_is_asked_first_and_then_three_mirrors() {
        let mut waiting = Waiting::from(0);
        let asked: Vec<Source> = (0..6).map(|_| waiting.ask(0, SETTINGS)).collect();
        let mirror = Source::Mirror;
        let expected = [Source::Log, mirror(0), mirror(1), mirror(2)];
        assert_eq!(asked[..4], expected);
        assert_eq!(asked[4..], expected[..2]);
    }
}
