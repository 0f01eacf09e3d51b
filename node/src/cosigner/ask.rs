//! One question to one witness, over HTTP.

use crate::http_client;
use crate::reason::with_causes;
use crate::telemetry::SPANS;
use assay_tlog::cosigning::{Ask, Reply};
use std::time::{Duration, Instant};
use tracing::{Instrument as _, info_span};

/// Longest answer that is read, in bytes: sixteen signatures of ML-DSA-44 take 53 KiB.
const ANSWER_BYTES: usize = 64 << 10;

/// A question, its answer, and how long that took.
pub(super) struct Answered {
    pub(super) ask: Ask,
    pub(super) reply: Reply,
    /// Why it could not be reached.
    pub(super) error: Option<String>,
    pub(super) took: Duration,
}

/// Returns a client that gives up on an answer after `timeout`.
pub(super) fn client(timeout: Duration) -> Result<reqwest::Client, reqwest::Error> {
    http_client::builder().timeout(timeout).build()
}

/// Sends a question and waits for its answer.
pub(super) async fn send(http: reqwest::Client, ask: Ask, body: String) -> Answered {
    let started = Instant::now();
    let span = info_span!(
        target: SPANS,
        "ask a witness",
        otel.kind = "client",
        url.full = %ask.url,
    );
    let (reply, error) = match post(&http, &ask.url, body).instrument(span).await {
        Ok(reply) => (reply, None),
        Err(error) => (Reply::Unreachable, Some(with_causes(&error))),
    };
    Answered {
        ask,
        reply,
        error,
        took: started.elapsed(),
    }
}

async fn post(http: &reqwest::Client, url: &str, body: String) -> Result<Reply, reqwest::Error> {
    let request = http.post(format!("{url}/add-checkpoint")).body(body);
    let response = request.send().await?;
    let status = response.status().as_u16();
    let retry_after = response.headers().get(reqwest::header::RETRY_AFTER);
    let retry_after_s = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
    let body = http_client::body(response, ANSWER_BYTES).await?;
    Ok(Reply::Answer {
        status,
        retry_after_s,
        // What is longer is no witness's answer.
        body: body.unwrap_or_default(),
    })
}
