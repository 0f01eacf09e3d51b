//! Sending alerts: what a receiver gets, and that it can verify it by other means than ours.

use super::*;
use assay_client::monitor::{Delivery, Outbox};
use assay_client::webhook::{Webhook, public_key};
use axum::{body::Bytes, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use base64::prelude::{BASE64_STANDARD, Engine};
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use std::{
    io::Write as _,
    process::{Command, Stdio},
    sync::Mutex,
};

/// A request that came.
#[derive(Debug, Clone)]
struct Request {
    id: String,
    timestamp: String,
    signature: String,
    content_type: String,
    body: Vec<u8>,
}

/// What came, and what is answered: 200 once these statuses are used up.
#[derive(Debug, Default)]
struct Received {
    requests: Vec<Request>,
    refusals: Vec<u16>,
}

type Shared = Arc<Mutex<Received>>;

async fn receive(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let mut shared = shared.lock().unwrap();
    shared.requests.push(Request {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
        content_type: header("content-type"),
        body: body.to_vec(),
    });
    let status = shared.refusals.pop().unwrap_or(200);
    StatusCode::from_u16(status).unwrap()
}

async fn receiver(refusals: &[u16]) -> (String, Shared) {
    let shared = Shared::default();
    shared.lock().unwrap().refusals = refusals.iter().rev().copied().collect();
    let app = axum::Router::new().route("/hook", post(receive));
    let app = app.with_state(shared.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, shared)
}

const VERIFY: &str = r#"
import base64, json, sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
key, id, timestamp, signature, body = json.load(sys.stdin)
key = Ed25519PublicKey.from_public_bytes(base64.b64decode(key.removeprefix("whpk_")))
signed = f"{id}.{timestamp}.".encode() + base64.b64decode(body)
key.verify(base64.b64decode(signature.removeprefix("v1a,")), signed)
"#;

/// Verifies a request by Python's `cryptography`, if it is here, and by ed25519-dalek. Returns
/// whether Python was.
fn verify(request: &Request, public: &str) -> bool {
    let key = BASE64_STANDARD.decode(public.strip_prefix("whpk_").unwrap());
    let key = VerifyingKey::from_bytes(&key.unwrap().try_into().unwrap()).unwrap();
    let signature = request.signature.strip_prefix("v1a,").unwrap();
    let signature = BASE64_STANDARD.decode(signature).unwrap();
    let head = format!("{}.{}.", request.id, request.timestamp);
    let signed = [head.as_bytes(), &request.body].concat();
    let signature = Signature::from_slice(&signature).unwrap();
    key.verify_strict(&signed, &signature).unwrap();

    let has_python = Command::new("python3")
        .args(["-c", "import cryptography"])
        .stderr(Stdio::null())
        .status();
    if !has_python.is_ok_and(|status| status.success()) {
        return false;
    }
    let mut python = Command::new("python3")
        .args(["-c", VERIFY])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let body = BASE64_STANDARD.encode(&request.body);
    let (id, timestamp, signature) = (&request.id, &request.timestamp, &request.signature);
    let input = serde_json::json!([public, id, timestamp, signature, body]).to_string();
    let mut stdin = python.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    assert!(python.wait().unwrap().success());
    true
}

/// Puts what is told into an outbox.
struct Sent(Outbox);

impl Sink for Sent {
    fn tell(&mut self, alerts: &[Alert]) -> Result<(), BoxError> {
        Ok(self.0.push(alerts)?)
    }
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[3; 32])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_arrives_signed_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let (fake, mut monitor, _) = begun(&folder, "").await;
    let outbox = Outbox::open(folder.path()).unwrap();
    let mut sent = Sent(outbox.clone());
    fake.state().publish(&claim(2, 10));
    fake.state().publish(&signed_for(1, 9, 12));
    monitor.round(NOW, &mut sent).await.unwrap();
    assert_eq!(outbox.len().unwrap(), 2);

    let (url, received) = receiver(&[]).await;
    let mut webhook = Delivery::to(Webhook::new(&url, key()).unwrap());
    let delivered = webhook
        .deliver(&outbox, 100, 1_800_000_000_000, false)
        .await;
    let delivered = delivered.unwrap();
    assert_eq!((delivered.sent, delivered.waiting), (2, 0));
    let requests = received.lock().unwrap().requests.clone();
    let public = public_key(&key());
    let kinds: Vec<String> = requests
        .iter()
        .map(|request| {
            if !verify(request, &public) {
                eprintln!("python3 with cryptography is not here; only dalek verified");
            }
            assert_eq!(request.content_type, "application/cloudevents+json");
            assert_eq!(request.timestamp, "1800000000");
            let event: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
            assert_eq!(event["specversion"], "1.0");
            assert_eq!(event["id"], request.id.as_str());
            assert_eq!(event["data"]["log"], "fake.example/log");
            event["type"].as_str().unwrap().to_owned()
        })
        .collect();
    let expected = ["assay.monitor.spoken-of", "assay.monitor.issuer-used"];
    assert_eq!(kinds, expected);
    let again = webhook
        .deliver(&outbox, 100, 1_800_000_000_000, false)
        .await;
    assert_eq!(again.unwrap().sent, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_taken_is_sent_again_later_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (fake, mut monitor, _) = begun(&folder, "").await;
    let outbox = Outbox::open(folder.path()).unwrap();
    for number in 10..13 {
        fake.state().publish(&claim(2, number));
    }
    monitor.round(NOW, &mut Sent(outbox.clone())).await.unwrap();
    let (url, received) = receiver(&[200, 500, 302, 429]).await;
    let mut webhook = Delivery::to(Webhook::new(&url, key()).unwrap());
    let mut now = 1_800_000_000_000;
    let first = webhook.deliver(&outbox, 100, now, false).await.unwrap();
    assert_eq!((first.sent, first.waiting), (1, 2));
    assert!(first.why_not.unwrap().contains("500"));
    // It is left alone for a while.
    let none = webhook
        .deliver(&outbox, 100, now + 100, false)
        .await
        .unwrap();
    assert_eq!((none.sent, none.why_not), (0, None));
    for status in ["302", "429"] {
        now += HOUR;
        let refused = webhook.deliver(&outbox, 100, now, false).await.unwrap();
        assert!(refused.why_not.unwrap().contains(status));
    }
    // Whoever runs it once sends at once; a program that starts anew goes on with what waits.
    let mut webhook = Delivery::to(Webhook::new(&url, key()).unwrap());
    let rest = webhook.deliver(&outbox, 100, now, true).await.unwrap();
    assert_eq!((rest.sent, rest.waiting), (2, 0));
    let requests = received.lock().unwrap().requests.clone();
    let ids: Vec<&str> = requests.iter().map(|request| request.id.as_str()).collect();
    assert_eq!(ids.len(), 6);
    assert!(
        ids[1..5].iter().all(|id| *id == ids[1]),
        "the same, until it is taken"
    );
    assert!(ids[0] != ids[1] && ids[5] != ids[4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_there_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (fake, mut monitor, _) = begun(&folder, "").await;
    let outbox = Outbox::open(folder.path()).unwrap();
    fake.state().publish(&claim(2, 10));
    monitor.round(NOW, &mut Sent(outbox.clone())).await.unwrap();
    let mut webhook = Delivery::to(Webhook::new("http://127.0.0.1:1/hook", key()).unwrap());
    let delivered = webhook.deliver(&outbox, 100, NOW, true).await.unwrap();
    assert_eq!((delivered.sent, delivered.waiting), (0, 1));
    assert!(delivered.why_not.unwrap().contains("no answer"));
}

/// Two monitors of other logs may share a state folder.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_send_at_once_one_does_and_neither_fails() {
    let folder = tempfile::tempdir().unwrap();
    let (fake, mut monitor, _) = begun(&folder, "").await;
    let outbox = Outbox::open(folder.path()).unwrap();
    for number in 10..13 {
        fake.state().publish(&claim(2, number));
    }
    monitor.round(NOW, &mut Sent(outbox.clone())).await.unwrap();
    let (url, received) = receiver(&[]).await;
    let deliver = async || {
        let outbox = Outbox::open(folder.path()).unwrap();
        let mut webhook = Delivery::to(Webhook::new(&url, key()).unwrap());
        webhook.deliver(&outbox, 100, NOW, true).await.unwrap()
    };
    // The first one waits for an answer when the other one begins.
    let (first, second) = tokio::join!(deliver(), deliver());
    assert_eq!((first.sent, first.waiting), (3, 0));
    assert_eq!((second.sent, second.why_not), (0, None));
    assert_eq!(received.lock().unwrap().requests.len(), 3);
}
