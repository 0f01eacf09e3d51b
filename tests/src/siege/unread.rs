//! Answers that nobody reads.

use super::{Target, target::NETWORKS};
use crate::{
    log::everything,
    stranger::{Stranger, framed, grpc_status},
};
use assay_proto::v1::{GetRequest, LookupRequest, StreamEntriesRequest};
use futures::{FutureExt, future::LocalBoxFuture};
use std::time::Duration;
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_request::MessageRequest,
};

/// Connections of each network.
const EACH: usize = 2;

/// Bytes that are granted of an answer.
const WINDOW: u32 = 1 << 10;

/// The method of reflection.
const REFLECTION: &str = "grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

/// How long a stranger waits who was refused.
const PAUSE: Duration = Duration::from_millis(500);

/// Begins calls on all streams of some connections, and reads no answer. Whoever is refused tries
/// again.
async fn unread(
    target: Target,
    call: impl AsyncFn(&Stranger) -> reqwest::Result<reqwest::Response>,
) {
    let connections = EACH * NETWORKS;
    target
        .streams(connections, WINDOW, PAUSE, async |stranger: &Stranger| {
            let answer = call(stranger).await;
            if let Ok(answer) = &answer
                && grpc_status(answer).is_none()
                && answer.status().is_success()
            {
                // It lies there for ever.
                std::future::pending::<()>().await;
            }
        })
        .await;
}

pub fn prefixes(target: Target) -> LocalBoxFuture<'static, ()> {
    unread(target, async |stranger: &Stranger| {
        let all = everything();
        stranger.call("IndexService/LookupPrefix", all).await
    })
    .boxed_local()
}

pub fn entries(target: Target) -> LocalBoxFuture<'static, ()> {
    unread(target, async |stranger: &Stranger| {
        let all = StreamEntriesRequest::default();
        stranger.call("LogService/StreamEntries", all).await
    })
    .boxed_local()
}

/// What gRPC's reflection says of a service, asked again and again.
pub fn reflection(target: Target) -> LocalBoxFuture<'static, ()> {
    let question = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::FileContainingSymbol(
            "assay.v1.LogService".to_owned(),
        )),
    };
    let questions = framed(&question).repeat(40);
    unread(target, async move |stranger: &Stranger| {
        stranger
            .grpc_of(REFLECTION)
            .body(questions.clone())
            .send()
            .await
    })
    .boxed_local()
}

pub fn bundles(target: Target) -> LocalBoxFuture<'static, ()> {
    unread(target, async |stranger: &Stranger| {
        stranger.get("/tile/entries/000").await
    })
    .boxed_local()
}

pub fn look_ups(target: Target) -> LocalBoxFuture<'static, ()> {
    let label = target.label.clone();
    unread(target, async move |stranger: &Stranger| {
        let label = label.clone();
        let request = LookupRequest {
            label,
            ..LookupRequest::default()
        };
        stranger.call("IndexService/Lookup", request).await
    })
    .boxed_local()
}

pub fn attachments(target: Target) -> LocalBoxFuture<'static, ()> {
    let document = target.document;
    unread(target, async move |stranger: &Stranger| {
        let sha256 = document.as_bytes().to_vec().into();
        stranger
            .call("AttachmentService/Get", GetRequest { sha256 })
            .await
    })
    .boxed_local()
}

/// Receipts and pages of lists, by the read API.
pub fn over_http(target: Target) -> LocalBoxFuture<'static, ()> {
    let receipt = format!("/api/v1/receipt/{}", target.claim);
    let list = format!("/api/v1/lookup?label={}", hex::encode(&target.label));
    let prefix = "/api/v1/prefix?prefix=00&bits=6".to_owned();
    let paths = [receipt, list, prefix];
    let turn = std::cell::Cell::new(0);
    unread(target, async move |stranger: &Stranger| {
        turn.set(turn.get() + 1);
        stranger.get(&paths[turn.get() % paths.len()]).await
    })
    .boxed_local()
}
