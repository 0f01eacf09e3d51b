//! Handing alerts that wait to a webhook.

use super::alert::{Alert, Phase};
use super::outbox::{Outbox, OutboxError};
use crate::webhook::{Event, Webhook};

/// What came of sending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Events that were taken.
    pub sent: u64,
    /// Events that wait.
    pub waiting: usize,
    /// Why the next one was not taken.
    pub why_not: Option<String>,
    /// Whether the address said that it is gone, so that none will be.
    pub is_gone: bool,
}

/// A webhook, and until when it is left alone.
#[derive(Debug)]
pub struct Delivery {
    webhook: Webhook,
    left_alone: LeftAlone,
}

/// Since when an address is left alone, and for how long.
#[derive(Debug, Default)]
struct LeftAlone {
    since_ms: u64,
    for_ms: u64,
}

impl LeftAlone {
    /// Whether it is still. A clock that went back since says nothing of it.
    fn is_left(&self, now_ms: u64) -> bool {
        let since = now_ms.checked_sub(self.since_ms);
        since.is_some_and(|since| since < self.for_ms)
    }
}

/// The event of an alert.
pub(super) fn event(alert: &Alert) -> String {
    let phase = match alert.phase {
        Phase::Event => "",
        Phase::Began => ".began",
        Phase::Ended => ".ended",
    };
    let event = Event {
        id: &alert.id,
        log: &alert.log,
        kind: &format!("assay.monitor.{}{phase}", alert.kind.name()),
        at_ms: alert.at_ms,
        data: alert,
    };
    event.to_json()
}

impl Delivery {
    /// Delivers to `webhook`.
    pub fn to(webhook: Webhook) -> Self {
        Delivery {
            webhook,
            left_alone: LeftAlone::default(),
        }
    }

    /// Sends what waits, in order, until one is not taken or `most` were. It does nothing while
    /// another process sends what is in this outbox, nor while the address is left alone, unless
    /// `at_once`. `now_ms` is the time in milliseconds since 1970.
    pub async fn deliver(
        &mut self,
        outbox: &Outbox,
        most: u64,
        now_ms: u64,
        at_once: bool,
    ) -> Result<Delivered, OutboxError> {
        let mut delivered = Delivered::default();
        let Some(_sending) = outbox.sending()? else {
            delivered.waiting = outbox.len()?;
            return Ok(delivered);
        };
        while delivered.sent < most && (at_once || !self.left_alone.is_left(now_ms)) {
            let Some(next) = outbox.first()? else {
                break;
            };
            match self.webhook.send(&next.id, &next.body, now_ms).await {
                Ok(()) => {
                    outbox.done(&next)?;
                    delivered.sent += 1;
                }
                Err(not_taken) => {
                    self.left_alone = LeftAlone {
                        since_ms: now_ms,
                        for_ms: not_taken.again_ms,
                    };
                    delivered.why_not = Some(not_taken.why);
                    delivered.is_gone = not_taken.is_gone;
                    break;
                }
            }
        }
        delivered.waiting = outbox.len()?;
        Ok(delivered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::Kind;

    #[test]
    fn an_event_is_one_of_cloudevents() {
        let words = "hidden".to_owned();
        let alert = Alert::new(Kind::Frozen, Phase::Began, "log ü", 1_000, "7", words);
        let event: serde_json::Value = serde_json::from_str(&event(&alert)).unwrap();
        assert_eq!(event["specversion"], "1.0");
        assert_eq!(event["type"], "assay.monitor.frozen.began");
        assert_eq!(event["source"], "log%20%C3%BC");
        assert_eq!(event["time"], "1970-01-01T00:00:01Z");
        assert_eq!(event["id"], alert.id);
        assert_eq!(event["data"]["level"], "warning");
        assert_eq!(event["data"]["words"], "hidden");
    }

    #[test]
    fn an_address_is_left_alone_for_so_long_by_any_clock() {
        let left_alone = LeftAlone {
            since_ms: 1_000,
            for_ms: 500,
        };
        let times = [999, 1_000, 1_499, 1_500];
        assert_eq!(
            times.map(|now| left_alone.is_left(now)),
            [false, true, true, false]
        );
        assert!(!LeftAlone::default().is_left(0));
    }
}
