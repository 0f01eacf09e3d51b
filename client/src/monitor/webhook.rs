//! Sending alerts to an address: an event of CloudEvents 1.0 in JSON, signed as Standard Webhooks
//! 1.0 says.
//!
//! ```text
//! POST <address>
//! content-type: application/cloudevents+json
//! webhook-id: <the alert's id>
//! webhook-timestamp: <seconds since 1970>
//! webhook-signature: v1a,<base64 of Ed25519 over "<id>.<timestamp>.<body>">
//! ```
//!
//! Any 2xx takes the event. Anything else, and silence, is tried again, later and later, with
//! jitter; the order stays. No redirect is followed.

use super::alert::{Alert, Phase};
use super::outbox::{Outbox, OutboxError};
use crate::ClientError;
use assay_claims::claim::{PublicKey, SigningKey};
use assay_claims::time::rfc3339_of_ms;
use base64::prelude::{BASE64_STANDARD, Engine};
use ed25519_dalek::Signer;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use serde_json::json;
use std::time::Duration;

/// Longest wait for an answer (Standard Webhooks, "Delivery": 15 to 30 s).
const PATIENCE: Duration = Duration::from_secs(15);

/// First and longest wait before an event is sent again, in milliseconds.
const AGAIN_MS: (u64, u64) = (1_000, 3_600_000);

/// An address that alerts are sent to.
#[derive(Debug)]
pub struct Webhook {
    url: String,
    key: SigningKey,
    http: reqwest::Client,
    /// How often in a row the address did not take an event, and until when it is left alone.
    failures: u32,
    not_before_ms: u64,
}

/// What came of sending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Events that were taken.
    pub sent: u64,
    /// Events that wait.
    pub waiting: usize,
    /// Why the next one was not taken.
    pub why_not: Option<String>,
}

/// The public half of a webhook's key, as Standard Webhooks writes it: `whpk_` and base64.
pub fn public_key(key: &SigningKey) -> String {
    let public = BASE64_STANDARD.encode(PublicKey::from(key).as_bytes());
    format!("whpk_{public}")
}

/// The event of an alert.
pub(super) fn event(alert: &Alert) -> String {
    let phase = match alert.phase {
        Phase::Event => "",
        Phase::Began => ".began",
        Phase::Ended => ".ended",
    };
    let event = json!({
        "specversion": "1.0",
        "id": alert.id,
        "source": encoded(&alert.log),
        "type": format!("assay.monitor.{}{phase}", alert.kind.name()),
        "time": rfc3339_of_ms(alert.at_ms),
        "datacontenttype": "application/json",
        "data": alert,
    });
    event.to_string()
}

/// An origin as a relative reference (RFC 3986, sections 2.1 and 4.2).
fn encoded(origin: &str) -> String {
    let mut text = String::new();
    for byte in origin.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// The value of `webhook-signature`.
fn signature(key: &SigningKey, id: &str, timestamp: u64, body: &[u8]) -> String {
    let signed = [format!("{id}.{timestamp}.").as_bytes(), body].concat();
    let signature = BASE64_STANDARD.encode(key.sign(&signed).to_bytes());
    format!("v1a,{signature}")
}

impl Webhook {
    /// Takes an address and the key that signs what is sent there. Fails with
    /// [`ClientError::Usage`] if it is no address.
    pub fn new(url: &str, key: SigningKey) -> Result<Self, ClientError> {
        let usage = |why: String| ClientError::Usage(format!("{url} is no webhook: {why}"));
        if !(url.starts_with("https://") || url.starts_with("http://")) {
            return Err(usage("write https://HOST/PATH".into()));
        }
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()
            .map_err(|e| usage(e.to_string()))?;
        Ok(Webhook {
            url: url.to_owned(),
            key,
            http,
            failures: 0,
            not_before_ms: 0,
        })
    }

    /// Sends what waits, in order, until one is not taken or `most` were. It does nothing while the
    /// address is left alone, unless `at_once`. `now_ms` is the time in milliseconds since 1970.
    pub async fn deliver(
        &mut self,
        outbox: &Outbox,
        most: u64,
        now_ms: u64,
        at_once: bool,
    ) -> Result<Delivered, OutboxError> {
        let mut delivered = Delivered::default();
        while delivered.sent < most && (at_once || now_ms >= self.not_before_ms) {
            let Some(next) = outbox.first()? else {
                break;
            };
            match self.send(&next.id, &next.body, now_ms / 1000).await {
                Ok(()) => {
                    outbox.done(&next)?;
                    self.failures = 0;
                    delivered.sent += 1;
                }
                Err(Refused { why, retry_ms }) => {
                    self.failures = self.failures.saturating_add(1);
                    let wait = retry_ms.unwrap_or_default().max(backoff_ms(self.failures));
                    self.not_before_ms = now_ms.saturating_add(wait.min(AGAIN_MS.1));
                    delivered.why_not = Some(why);
                    break;
                }
            }
        }
        delivered.waiting = outbox.len()?;
        Ok(delivered)
    }

    async fn send(&self, id: &str, body: &[u8], timestamp: u64) -> Result<(), Refused> {
        let request = self
            .http
            .post(&self.url)
            .header(CONTENT_TYPE, "application/cloudevents+json")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header(
                "webhook-signature",
                signature(&self.key, id, timestamp, body),
            )
            .body(body.to_vec());
        let answer = request.send().await.map_err(|e| Refused {
            // The address may be a secret.
            why: format!("no answer ({})", e.without_url()),
            retry_ms: None,
        })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let after = answer.headers().get(RETRY_AFTER);
        let seconds = after.and_then(|after| after.to_str().ok()?.parse::<u64>().ok());
        Err(Refused {
            why: format!("it answered {status}"),
            retry_ms: seconds.map(|seconds| seconds.saturating_mul(1000)),
        })
    }
}

struct Refused {
    why: String,
    retry_ms: Option<u64>,
}

/// How long the address is left alone after so many failures in a row: twice as long each time, and
/// half of it by chance.
fn backoff_ms(failures: u32) -> u64 {
    let doublings = failures.saturating_sub(1).min(20);
    let longest = (AGAIN_MS.0 << doublings).min(AGAIN_MS.1);
    let mut random = [0; 8];
    // Without random bytes it is the longest wait.
    let half = match getrandom::fill(&mut random) {
        Ok(()) => u64::from_le_bytes(random) % (longest / 2 + 1),
        Err(_) => longest / 2,
    };
    longest / 2 + half
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::Kind;

    #[test]
    fn waits_grow_and_have_jitter() {
        for (failures, longest) in [(1, 1_000), (2, 2_000), (5, 16_000), (99, 3_600_000)] {
            for _ in 0..50 {
                let wait = backoff_ms(failures);
                assert!(
                    (longest / 2..=longest).contains(&wait),
                    "{failures}: {wait}"
                );
            }
        }
    }

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
    fn the_address_is_one_of_http() {
        let key = || SigningKey::from_bytes(&[1; 32]);
        for wrong in ["", "ftp://x", "example.org"] {
            assert!(Webhook::new(wrong, key()).is_err());
        }
        assert!(public_key(&key()).starts_with("whpk_"));
    }
}
