//! How long a log is asked: until when in all, and how long it may make the others wait.

use crate::ClientError;
use crate::call::LONG;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// The time that one log has for all questions. A clone counts the same time.
#[derive(Debug, Clone)]
pub(super) struct Time {
    /// Until when it is asked: a node that drips could else hold up each of many questions.
    until: Instant,
    /// How long it may take itself, in all: while it does not answer, the others wait.
    most: Duration,
    /// How long it has taken so far, in milliseconds.
    taken_ms: Arc<AtomicU64>,
}

impl Time {
    /// As much as all answers of a log to one command may take.
    pub fn new() -> Self {
        Time {
            until: Instant::now() + LONG,
            most: LONG,
            taken_ms: Arc::default(),
        }
    }

    /// It is asked for so long from now on, whatever takes the time.
    pub fn end_in(&mut self, time: Duration) {
        self.until = Instant::now() + time;
    }

    /// It may take so long itself.
    pub fn take_at_most(&mut self, time: Duration) {
        self.most = time;
    }

    /// Somebody else is asked in its place, who has taken no time.
    pub fn begin_again(&self) {
        self.taken_ms.store(0, Ordering::Relaxed);
    }

    /// Waits for what the log is asked, as long as it has time. Fails with
    /// [`ClientError::Unavailable`] if it takes longer.
    pub async fn bound<T>(
        &self,
        asked: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, ClientError> {
        let began = Instant::now();
        let answered = tokio::time::timeout_at(self.deadline(began), asked).await;
        self.take(began.elapsed());
        answered.unwrap_or_else(|_| {
            Err(ClientError::Unavailable {
                what: "it did not answer all questions in the time that one log has".to_owned(),
                retry_after: None,
                source: None,
            })
        })
    }

    /// Until when it may answer what it is asked now.
    fn deadline(&self, now: Instant) -> Instant {
        let taken = Duration::from_millis(self.taken_ms.load(Ordering::Relaxed));
        self.until.min(now + self.most.saturating_sub(taken))
    }

    fn take(&self, time: Duration) {
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.taken_ms.fetch_add(ms, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_log_makes_the_others_wait_once() {
        let s = Duration::from_secs;
        let now = Instant::now();
        let mut time = Time::new();
        time.until = now + s(8);
        time.take_at_most(s(3));
        assert_eq!(time.deadline(now), now + s(3));
        // Also if a copy of it was asked.
        time.clone().take(s(2));
        assert_eq!(time.deadline(now + s(2)), now + s(3));
        time.take(s(2));
        assert_eq!(time.deadline(now + s(4)), now + s(4));
        // Who is asked in its place has time of its own, and no more than there is in all.
        time.begin_again();
        assert_eq!(time.deadline(now + s(4)), now + s(7));
        assert_eq!(time.deadline(now + s(6)), now + s(8));
    }
}
