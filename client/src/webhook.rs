//! Sending events to an address: CloudEvents 1.0 in JSON, signed as Standard Webhooks 1.0 says.
//!
//! ```text
//! POST <address>
//! content-type: application/cloudevents+json
//! webhook-id: <the event's id>
//! webhook-timestamp: <seconds since 1970>
//! webhook-signature: v1a,<base64 of Ed25519 over "<id>.<timestamp>.<body>">
//! ```
//!
//! Any 2xx takes the event. Anything else, and silence, is tried again, later and later, with
//! jitter; the order stays. An address that is gone (410) is to be left alone. No redirect is
//! followed.

use crate::{ClientError, http, percent_encoded, wrong_port};
use assay_claims::claim::{PublicKey, SigningKey};
use assay_claims::time::rfc3339_of_ms;
use base64::prelude::{BASE64_STANDARD, Engine};
use ed25519_dalek::Signer;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{StatusCode, Url};
use serde::Serialize;
use serde_json::json;
use std::time::Duration;

/// Longest wait for an answer (Standard Webhooks, "Delivery": 15 to 30 s).
const PATIENCE: Duration = Duration::from_secs(15);

/// First and longest wait before an event is sent again, in milliseconds.
const AGAIN_MS: (u64, u64) = (1_000, 3_600_000);

/// An address that events are sent to.
#[derive(Debug)]
pub struct Webhook {
    url: Url,
    key: SigningKey,
    http: reqwest::Client,
    /// How often in a row the address did not take an event.
    failures: u32,
}

/// What is sent.
#[derive(Debug)]
pub struct Event<'e, T> {
    /// What a second sending of the same has, too: letters, digits, `-` and `_`.
    pub id: &'e str,
    /// The origin of the log that it is about.
    pub log: &'e str,
    /// What kind of event it is, in words with dots between them.
    pub kind: &'e str,
    /// When it happened, in milliseconds since 1970.
    pub at_ms: u64,
    /// What is told.
    pub data: &'e T,
}

impl<T: Serialize> Event<'_, T> {
    /// The event in JSON, as CloudEvents 1.0 says (JSON Event Format 1.0, section 3).
    pub fn to_json(&self) -> String {
        let event = json!({
            "specversion": "1.0",
            "id": self.id,
            // A relative reference (RFC 3986, section 4.2).
            "source": percent_encoded(self.log, b"/"),
            "type": self.kind,
            "time": rfc3339_of_ms(self.at_ms),
            "datacontenttype": "application/json",
            "data": self.data,
        });
        event.to_string()
    }
}

/// An event was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct NotTaken {
    /// Why.
    pub why: String,
    /// How long the address is to be left alone, in milliseconds: longer each time in a row.
    pub again_ms: u64,
    /// Whether the address said that it is gone: nothing is to be sent there any more.
    pub is_gone: bool,
}

/// The public half of a webhook's key, as Standard Webhooks writes it: `whpk_` and base64.
pub fn public_key(key: &SigningKey) -> String {
    let public = BASE64_STANDARD.encode(PublicKey::from(key).as_bytes());
    format!("whpk_{public}")
}

/// The value of `webhook-signature`.
fn signature(key: &SigningKey, id: &str, timestamp: u64, body: &[u8]) -> String {
    let signed = [format!("{id}.{timestamp}.").as_bytes(), body].concat();
    let signature = BASE64_STANDARD.encode(key.sign(&signed).to_bytes());
    format!("v1a,{signature}")
}

impl Webhook {
    /// Takes an address and the key that signs what is sent there. Fails with
    /// [`ClientError::Usage`] if it is no address of HTTP.
    pub fn new(url: &str, key: SigningKey) -> Result<Self, ClientError> {
        // The address may be a secret.
        let usage = |why: String| ClientError::Usage(format!("the address is no webhook: {why}"));
        if !(url.starts_with("https://") || url.starts_with("http://")) {
            return Err(usage("write https://HOST/PATH".into()));
        }
        if let Some(wrong) = wrong_port(url) {
            return Err(usage(wrong));
        }
        let parsed = Url::parse(url).map_err(|e| usage(format!("{e}; write https://HOST/PATH")))?;
        // What is parsed takes the first part of the path for a host that is missing.
        if url
            .split("://")
            .nth(1)
            .is_some_and(|rest| rest.starts_with(['/', '\\']))
        {
            return Err(usage("it has no host; write https://HOST/PATH".to_owned()));
        }
        let http = http::plain()
            .timeout(PATIENCE)
            .build()
            .map_err(|e| usage(e.to_string()))?;
        Ok(Webhook {
            url: parsed,
            key,
            http,
            failures: 0,
        })
    }

    /// Sends an event in JSON with its id. `now_ms` is the time in milliseconds since 1970.
    ///
    /// Fails if the address does not answer with a 2xx in time.
    pub async fn send(&mut self, id: &str, event: &[u8], now_ms: u64) -> Result<(), NotTaken> {
        match self.post(id, event, now_ms / 1000).await {
            Ok(()) => {
                self.failures = 0;
                Ok(())
            }
            Err(Refused {
                why,
                retry_ms,
                is_gone,
            }) => {
                self.failures = self.failures.saturating_add(1);
                let wait = retry_ms.unwrap_or_default().max(backoff_ms(self.failures));
                Err(NotTaken {
                    why,
                    again_ms: wait.min(AGAIN_MS.1),
                    is_gone,
                })
            }
        }
    }

    async fn post(&self, id: &str, body: &[u8], timestamp: u64) -> Result<(), Refused> {
        let request = self
            .http
            .post(self.url.clone())
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
            is_gone: false,
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
            is_gone: status == StatusCode::GONE,
        })
    }
}

struct Refused {
    why: String,
    retry_ms: Option<u64>,
    is_gone: bool,
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
    fn the_address_is_one_of_http() {
        let key = || SigningKey::from_bytes(&[1; 32]);
        for wrong in [
            "",
            "ftp://x",
            "example.org",
            "http://",
            "https:///hook",
            "http://:80/",
            "http://user:word@/hook",
            "https://exam ple/hook",
            "http://example.org:65536/",
            "http://example.org:0/",
            "http://[::1/",
            "https://example.org:port/",
        ] {
            let error = Webhook::new(wrong, key()).map(|_| ());
            assert!(matches!(error, Err(ClientError::Usage(_))), "{wrong}");
        }
        for right in [
            "http://127.0.0.1:80/hook?token=a",
            "https://[::1]/",
            "https://user:word@example.org",
        ] {
            assert!(Webhook::new(right, key()).is_ok(), "{right}");
        }
        assert!(public_key(&key()).starts_with("whpk_"));
    }
}
