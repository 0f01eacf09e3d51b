//! The read API: the same answers as gRPC, over plain HTTP.

use crate::{AT_ONCE, Fixture, NEVER};
use anyhow::Context;
use assay_claims::claim::ClaimId;
use assay_claims::index::{By, Kind, Label, Name, Query, VerifiedAnswer};
use assay_claims::issuer::IssuerId;
use assay_claims::receipt::{self, Standing, verify_issuers};
use assay_proto::answer::to_core;
use assay_proto::v1::{Answer, GetEntryAndProofResponse, LookupRequest, Wait};
use assay_tests::{issuer::payload, log::Log};
use assay_tlog::checkpoint::VerifiedCheckpoint;
use base64::prelude::{BASE64_STANDARD, Engine};
use bytes::Bytes;
use http::Method;
use prost::Message;
use reqwest::Response;
use serde_json::Value;
use std::sync::Arc;
use tokio::{sync::Barrier, task::JoinSet};

const PROTOBUF: (&str, &str) = ("accept", "application/protobuf");

/// A fixture and whoever asks it.
struct Asker {
    fixture: Fixture,
    http: reqwest::Client,
}

impl Asker {
    /// A log with four claims.
    async fn start() -> anyhow::Result<Self> {
        let fixture = Fixture::start(AT_ONCE).await?;
        fixture.publish(1..5, Wait::Integrated).await?;
        let http = reqwest::Client::new();
        Ok(Asker { fixture, http })
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> anyhow::Result<Response> {
        let url = format!("{}{path}", self.fixture.node.ready().url);
        let mut request = self.http.request(method, url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Ok(request.send().await?)
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> anyhow::Result<Response> {
        self.send(Method::GET, path, headers).await
    }

    async fn protobuf<T: Message + Default>(&self, path: &str) -> anyhow::Result<T> {
        let answer = self.get(path, &[PROTOBUF]).await?.error_for_status()?;
        assert_eq!(answer.headers()["content-type"], "application/protobuf");
        Ok(T::decode(answer.bytes().await?)?)
    }

    async fn json(&self, path: &str) -> anyhow::Result<Value> {
        let answer = self.get(path, &[]).await?.error_for_status()?;
        assert_eq!(answer.headers()["content-type"], "application/json");
        Ok(serde_json::from_slice(&answer.bytes().await?)?)
    }

    fn issuer(&self) -> IssuerId {
        self.fixture.issuer.id
    }
}

/// The digest that the claim with this number speaks of.
fn digest(number: u64) -> String {
    format!("sha256:{number:064x}")
}

fn name(number: u64) -> Name {
    Name::new(Kind::Digest, &digest(number))
}

fn verified(log: &Log, query: &Query, answer: &Answer) -> anyhow::Result<VerifiedAnswer> {
    let checkpoint = VerifiedCheckpoint::verify(&answer.checkpoint, &log.key)?;
    Ok(VerifiedAnswer::verify(
        checkpoint,
        query,
        to_core(answer, query)?,
    )?)
}

fn bytes_of(value: &Value) -> Bytes {
    let text = value.as_str().unwrap_or_default();
    BASE64_STANDARD.decode(text).unwrap().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_those_of_grpc_in_both_forms() -> anyhow::Result<()> {
    let asker = Asker::start().await?;
    let log = &asker.fixture.log;
    let (id, by) = (asker.issuer().to_hex(), By::issuer(&asker.issuer()));
    let label = Label::of(name(3), by);
    let request = LookupRequest {
        label: Bytes::copy_from_slice(label.as_bytes()),
        ..LookupRequest::default()
    };
    let by_grpc = log.index.clone().lookup(request).await?.into_inner();
    let by_grpc = by_grpc.answer.context("an answer")?;
    assert_eq!(by_grpc.entries.len(), 1);
    for query in [
        format!("label={label}"),
        format!("digest={}&by={id}", digest(3)),
        format!("name={}&by={by}&from=0&limit=0", name(3)),
    ] {
        let path = format!("/api/v1/lookup?{query}");
        assert_eq!(asker.protobuf::<Answer>(&path).await?, by_grpc, "{query}");
        let json = asker.json(&path).await?;
        assert_eq!(json["checkpoint"], by_grpc.checkpoint);
        for (field, bytes) in [
            ("commitment", &by_grpc.commitment),
            ("cut", &by_grpc.cut),
            ("inclusion", &by_grpc.inclusion),
        ] {
            assert_eq!(bytes_of(&json[field]), bytes, "{field}");
        }
        assert_eq!(bytes_of(&json["entries"][0]), by_grpc.entries[0]);
        assert_eq!(json["leaves"][0], by_grpc.leaves[0].to_string());
        assert_eq!(bytes_of(&json["lists"][0]["label"]), label.as_bytes()[..]);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_answers_are_complete() -> anyhow::Result<()> {
    let asker = Asker::start().await?;
    let (log, id) = (&asker.fixture.log, asker.issuer().to_hex());
    let by = By::issuer(&asker.issuer());
    let names = format!(
        "digest={}&digest={}&name={}",
        digest(1),
        digest(2),
        name(99)
    );
    let path = format!("/api/v1/batch?{names}&by={id}");
    let answer = asker.protobuf::<Answer>(&path).await?;
    let query = Query::names([name(1), name(2), name(99)], [by]);
    assert_eq!(verified(log, &query, &answer)?.entries().len(), 2);

    // Who speaks of it, by either route; and what they say of all that begins as it does.
    let census = Query::Census(name(1).prefix());
    let route = format!("/api/v1/prefix?prefix={}&bits=128", name(1));
    let lookup = format!("/api/v1/lookup?digest={}", digest(1));
    for path in [&route, &lookup] {
        let answer = asker.protobuf::<Answer>(path).await?;
        verified(log, &census, &answer)?;
        assert!(!answer.cut.is_empty() && answer.entries.is_empty());
    }
    let crowd = asker
        .protobuf::<Answer>(&format!("{route}&by={by}"))
        .await?;
    let query = Query::crowd(name(1).prefix(), [by]);
    assert_eq!(verified(log, &query, &crowd)?.entries().len(), 1);

    // An issuer that is there, and one that is not: either is proven.
    for (id, records) in [(id, 1), ("77".repeat(32), 0)] {
        let answer = asker
            .protobuf::<Answer>(&format!("/api/v1/issuer/{id}"))
            .await?;
        let types = [
            assay_claims::kind::issuer::URI,
            assay_claims::kind::key_compromise::URI,
        ];
        let query = Query::names(
            [Name::new(Kind::Issuer, &id)],
            types.map(By::predicate_type),
        );
        assert_eq!(verified(log, &query, &answer)?.entries().len(), records);
    }
    Ok(())
}

/// A statement of about 30 KiB.
fn large(number: u64) -> Vec<u8> {
    let text = String::from_utf8(payload(number)).unwrap();
    let filler = format!(r#""predicate":{{"x":"{}","#, "x".repeat(30 << 10));
    text.replacen(r#""predicate":{"#, &filler, 1).into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn long_answers_come_whole_and_longer_ones_are_refused_at_once() -> anyhow::Result<()> {
    let asker = Asker::start().await?;
    let (fixture, id) = (&asker.fixture, asker.issuer().to_hex());
    let claims = (1..41).map(|number| fixture.issuer.sign(&large(number)));
    let publish = claims.map(|claim| fixture.log.publish(claim, Wait::Integrated));
    let published = futures::future::join_all(publish).await;
    published.into_iter().collect::<Result<Vec<_>, _>>()?;
    let batch = |names: u64| {
        let names: Vec<_> = (1..=names)
            .map(|it| format!("digest={}", digest(it)))
            .collect();
        format!("/api/v1/batch?{}&by={id}", names.join("&"))
    };
    // More than half of what one answer may have, several at once: none waits for another one.
    let path = batch(31);
    let calls = (0..8).map(|_| asker.protobuf::<Answer>(&path));
    for answer in futures::future::join_all(calls).await {
        let answer = answer?;
        let query = Query::names((1..32).map(name), [By::issuer(&asker.issuer())]);
        // Numbers 1 to 4 have two claims each.
        let entries = verified(&fixture.log, &query, &answer)?.entries().len();
        assert_eq!(entries, 31 + 4);
        assert!(answer.encoded_len() > 900 << 10);
    }
    let longer = asker.get(&batch(40), &[]).await?;
    assert_eq!(longer.status(), 400);
    let problem: Value = serde_json::from_slice(&longer.bytes().await?)?;
    assert_eq!(problem["code"], "OUT_OF_RANGE");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_and_its_receipt_verify() -> anyhow::Result<()> {
    let asker = Asker::start().await?;
    let key = &asker.fixture.log.key;
    let id = ClaimId::of_payload(&payload(2));
    let proven: GetEntryAndProofResponse = asker.protobuf(&format!("/api/v1/claim/{id}")).await?;
    let json = asker.json(&format!("/api/v1/claim/{id}")).await?;
    assert_eq!(bytes_of(&json["entry"]), proven.entry);
    assert_eq!(json["leafIndex"], proven.leaf_index.to_string());
    assert_eq!(json["treeSize"], proven.tree_size.to_string());

    let receipt = asker.json(&format!("/api/v1/receipt/{id}")).await?;
    let verify = |files: &Value| {
        let part = |name: &str| files[name].as_str().unwrap_or_default().as_bytes().to_vec();
        let verified = receipt::verify(&part("envelope"), &part("proof"), key)?;
        assert_eq!(files["claim"], verified.claim().id().to_string());
        anyhow::Ok(verified)
    };
    let claim = verify(&receipt)?;
    assert_eq!(claim.claim().id(), id);
    let issuers = receipt["issuers"].as_array().context("issuers")?;
    let mut all: Vec<_> = issuers.iter().map(verify).collect::<Result<_, _>>()?;
    all.push(claim);
    let standings = verify_issuers(&all);
    assert!(
        standings.iter().all(|it| matches!(it, Standing::Proven(_))),
        "{standings:?}"
    );

    let file = format!("/api/v1/receipt/{id}.intoto.jsonl");
    let envelope = asker.get(&file, &[("accept", "text/html")]).await?;
    assert_eq!(envelope.text().await?, receipt["envelope"]);
    let proof = asker
        .get(&format!("/api/v1/receipt/{id}.tlog-proof"), &[])
        .await?;
    assert_eq!(proof.text().await?, receipt["proof"]);

    let note = asker.get("/checkpoint", &[]).await?.text().await?;
    let checkpoint = asker
        .get("/api/v1/checkpoint", &[("accept", "text/plain")])
        .await?;
    assert_eq!(checkpoint.text().await?, note);
    assert_eq!(asker.json("/api/v1/checkpoint").await?["checkpoint"], note);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_question_is_a_problem() -> anyhow::Result<()> {
    let asker = Asker::start().await?;
    let nobody = "77".repeat(32);
    for (status, path, headers) in [
        (400, "/api/v1/lookup".to_owned(), &[][..]),
        (400, "/api/v1/lookup?package=a".into(), &[]),
        (400, "/api/v1/lookup?purl=serde".into(), &[]),
        (400, "/api/v1/batch?vuln=CVE-2021-44228".into(), &[]),
        (400, "/api/v1/prefix?prefix=ff&bits=4".into(), &[]),
        (400, "/api/v1/claim/77".into(), &[]),
        (400, format!("/api/v1/claim/{nobody}?x=1"), &[]),
        (400, format!("/api/v1/receipt/{nobody}.zip"), &[]),
        (400, "/api/v1/issuer/%3Cscript%3E".into(), &[]),
        (404, format!("/api/v1/claim/{nobody}"), &[]),
        (404, format!("/api/v1/receipt/{nobody}"), &[]),
        (404, format!("/api/v1/receipt/{nobody}.tlog-proof"), &[]),
        (404, "/api/v1/publish".into(), &[]),
        (404, "/api/v2/lookup".into(), &[]),
        (404, format!("/mirror/{nobody}/api/v1/checkpoint"), &[]),
        (406, "/api/v1/checkpoint".into(), &[("accept", "text/html")]),
        (
            406,
            format!("/api/v1/issuer/{nobody}"),
            &[("accept", "text/plain")],
        ),
        (406, format!("/api/v1/receipt/{nobody}"), &[PROTOBUF]),
        (
            414,
            format!("/api/v1/lookup?purl=pkg:cargo/{}", "a".repeat(10_000)),
            &[],
        ),
    ] {
        let answer = asker.get(&path, headers).await?;
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(
            answer.headers()["content-type"],
            "application/problem+json",
            "{path}"
        );
        assert_eq!(answer.headers()["cache-control"], "no-store", "{path}");
        // A page of another origin reads it only then.
        assert_eq!(
            answer.headers()["access-control-allow-origin"],
            "*",
            "{path}"
        );
        let problem: Value = serde_json::from_slice(&answer.bytes().await?)?;
        assert_eq!(problem["status"], status, "{path}");
        assert!(
            problem["title"].is_string() && problem["detail"].is_string(),
            "{path}"
        );
    }
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let answer = asker.send(method, "/api/v1/checkpoint", &[]).await?;
        assert_eq!(answer.status(), 405);
        assert_eq!(answer.headers()["allow"], "GET, HEAD, OPTIONS");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_is_not_published_yet_is_to_be_asked_for_again() -> anyhow::Result<()> {
    let fixture = Fixture::start(NEVER).await?;
    fixture.publish(1..2, Wait::Sequenced).await?;
    let http = reqwest::Client::new();
    let asker = Asker { fixture, http };
    let id = ClaimId::of_payload(&payload(1));
    for path in [
        format!("/api/v1/claim/{id}"),
        format!("/api/v1/receipt/{id}"),
        format!("/api/v1/receipt/{id}.tlog-proof"),
    ] {
        let answer = asker.get(&path, &[]).await?;
        assert_eq!(answer.status(), 503, "{path}");
        assert!(answer.headers().contains_key("retry-after"), "{path}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_and_caches_are_told_what_they_need() -> anyhow::Result<()> {
    let asker = Asker::start().await?;
    let path = format!("/api/v1/issuer/{}", asker.issuer().to_hex());
    let answer = asker
        .get(&path, &[("origin", "https://other.example")])
        .await?;
    let headers = answer.headers().clone();
    assert_eq!(headers["access-control-allow-origin"], "*");
    assert_eq!(headers["cache-control"], "no-cache");
    assert_eq!(headers["vary"], "accept");
    assert!(!headers.contains_key("set-cookie"));
    let length = answer.bytes().await?.len();
    let tag = headers["etag"].to_str()?;
    assert!(tag.starts_with('"'), "a strong tag: {tag}");

    let weak = format!("\"x\", W/{tag}");
    let again = asker.get(&path, &[("if-none-match", &weak)]).await?;
    assert_eq!(again.status(), 304);
    assert_eq!(again.headers()["etag"], tag);
    assert_eq!(again.bytes().await?.len(), 0);
    let other_form = asker.get(&path, &[PROTOBUF]).await?;
    assert_ne!(other_form.headers()["etag"], tag);

    let head = asker.send(Method::HEAD, &path, &[]).await?;
    assert_eq!(head.headers()["content-length"], length.to_string());
    assert_eq!(head.headers()["etag"], tag);
    assert_eq!(head.bytes().await?.len(), 0);
    let unknown = format!("/mirror/{}{path}", "77".repeat(32));
    for path in [&path, &unknown] {
        let preflight = asker.send(Method::OPTIONS, path, &[]).await?;
        assert_eq!(preflight.status(), 204);
        assert_eq!(preflight.headers()["access-control-allow-origin"], "*");
    }

    // The tag is of the bytes: another checkpoint is another answer.
    asker.fixture.publish(5..6, Wait::Integrated).await?;
    let later = asker.get(&path, &[("if-none-match", tag)]).await?;
    assert_eq!(later.status(), 200);

    let document = asker.json("/openapi.json").await?;
    for path in document["paths"].as_object().context("paths")?.keys() {
        let path = path.split('{').next().unwrap_or_default();
        let answer = asker.get(path, &[]).await?;
        let status = if path.ends_with("/checkpoint") {
            200
        } else {
            400
        };
        assert_eq!(answer.status(), status, "{path}");
    }
    Ok(())
}

/// Each of them waits for room, and none gives up what it needs again in a moment.
#[tokio::test(flavor = "multi_thread")]
async fn many_batches_at_once_are_all_answered() -> anyhow::Result<()> {
    const CALLERS: usize = 64;
    let asker = Asker::start().await?;
    let url = asker.fixture.node.ready().url.clone();
    let by = asker.issuer().to_hex();
    let begin = Arc::new(Barrier::new(CALLERS));
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let (begin, url, by) = (begin.clone(), url.clone(), by.clone());
        callers.spawn(async move {
            let http = reqwest::Client::new();
            let head = http.get(format!("{url}/api/v1/checkpoint")).send().await?;
            drop(head.error_for_status()?.bytes().await?);
            begin.wait().await;
            let path = format!("{url}/api/v1/batch?purl=pkg:npm/p{caller}&by={by}");
            let answer = http.get(path).header(PROTOBUF.0, PROTOBUF.1).send().await?;
            anyhow::Ok((answer.status(), answer.bytes().await?))
        });
    }
    while let Some(answered) = callers.join_next().await {
        let (status, answer) = answered??;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
    }
    Ok(())
}
