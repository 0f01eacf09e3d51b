//! How the peers are, as they say it themselves.

use super::KnownPeer;
use crate::http_client;
use crate::reason::with_causes;
use assay_client::plain;
use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::head::LogVerifier;
use assay_tlog::note::{Note, VerifierKey};
use futures::{StreamExt as _, stream};
use std::time::Duration;

/// How long a peer has to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many are asked at once.
const AT_ONCE: usize = 16;

/// Longest answer that is read, in bytes.
const ANSWER_BYTES: usize = 64 << 10;

/// Most characters that are shown of why an auditor cosigns nothing.
const REASON: usize = 500;

/// How a peer is.
#[derive(Debug)]
pub struct Status {
    /// Who.
    pub name: String,
    /// The size of its log, or why that is not known. `None` if it has no log here.
    pub log: Option<Result<u64, String>>,
    /// What its witness cosigned last of this node's log: size and time, in seconds since 1970.
    /// `None` if it is no witness, or who asks has no log.
    pub cosigned: Option<Result<(u64, u64), String>>,
    /// The same of what its auditor replayed and cosigned. `None` if it is no auditor.
    pub audited: Option<Result<(u64, u64), String>>,
}

/// Asks all of them. `own` is the log of whoever asks, if they have one.
pub async fn of(peers: &[KnownPeer], own: Option<&LogVerifier>) -> reqwest::Result<Vec<Status>> {
    let http = http_client::builder().timeout(PATIENCE).build()?;
    let asked = peers.iter().map(|peer| ask(&http, peer, own));
    Ok(stream::iter(asked).buffered(AT_ONCE).collect().await)
}

async fn ask(http: &reqwest::Client, peer: &KnownPeer, own: Option<&LogVerifier>) -> Status {
    let log = async {
        let log = peer.log()?;
        Some(size(http, peer, log).await)
    };
    let cosigned = async {
        let own = own.filter(|_| !peer.witness().is_empty())?;
        Some(cosigned(http, peer, own).await)
    };
    let audited = async {
        let own = own.filter(|_| !peer.audit().is_empty())?;
        Some(audited(http, peer, own).await)
    };
    let (log, cosigned, audited) = tokio::join!(log, cosigned, audited);
    Status {
        name: peer.name().to_owned(),
        log,
        cosigned,
        audited,
    }
}

async fn size(http: &reqwest::Client, peer: &KnownPeer, log: &LogVerifier) -> Result<u64, String> {
    let note = get(http, &format!("{}/checkpoint", peer.url())).await?;
    let head = log.verify(&note).map_err(|error| error.to_string())?;
    Ok(head.size().get())
}

/// What its auditor cosigned, or why it cosigns nothing.
async fn audited(
    http: &reqwest::Client,
    peer: &KnownPeer,
    own: &LogVerifier,
) -> Result<(u64, u64), String> {
    let digest = Hash::of(own.origin().as_bytes());
    let text = get(http, &format!("{}/mirror/{digest}/audit", peer.url())).await?;
    let said: serde_json::Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
    if let Some(reason) = said["finding"]["reason"].as_str() {
        let leaf = &said["finding"]["leaf"];
        let found = format!("leaf {leaf}: {reason}");
        return Err(plain(&found.chars().take(REASON).collect::<String>()));
    }
    let path = format!("mirror/{digest}/audit/checkpoint");
    cosigned_at(http, peer, own, &path, peer.audit()).await
}

async fn cosigned(
    http: &reqwest::Client,
    peer: &KnownPeer,
    own: &LogVerifier,
) -> Result<(u64, u64), String> {
    let digest = Hash::of(own.origin().as_bytes());
    let path = format!("witness/{digest}/checkpoint");
    cosigned_at(http, peer, own, &path, peer.witness()).await
}

async fn cosigned_at(
    http: &reqwest::Client,
    peer: &KnownPeer,
    own: &LogVerifier,
    path: &str,
    keys: &[VerifierKey],
) -> Result<(u64, u64), String> {
    let url = format!("{}/{path}", peer.url());
    let text = get(http, &url).await?;
    let said = |error: &dyn std::error::Error| error.to_string();
    own.verify(&text).map_err(|e| said(&e))?;
    let note = Note::parse_checkpoint(&text).map_err(|e| said(&e))?;
    let verified = note.verify(keys).map_err(|e| said(&e))?;
    let checkpoint = Checkpoint::parse_body(verified.text()).map_err(|e| said(&e))?;
    let times = verified.signers().iter().filter_map(|it| it.timestamp());
    let time = times.max().ok_or("it has not signed it")?;
    Ok((checkpoint.size.get(), time))
}

/// Gets a short text.
async fn get(http: &reqwest::Client, url: &str) -> Result<String, String> {
    let failed = |error: reqwest::Error| with_causes(&error.without_url());
    let answer = http.get(url).send().await.map_err(failed)?;
    if !answer.status().is_success() {
        return Err(format!("it answered {}", answer.status()));
    }
    let bytes = http_client::body(answer, ANSWER_BYTES).await;
    let bytes = bytes.map_err(failed)?;
    let bytes = bytes.ok_or_else(|| format!("it answered with more than {ANSWER_BYTES} bytes"))?;
    String::from_utf8(bytes).map_err(|_| "its answer is no text".to_owned())
}
