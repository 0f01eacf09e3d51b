//! Whether the others know the next keys: asked before the old ones stop signing.
//!
//! A log asks its witnesses to cosign what they have cosigned already, signed by its next key
//! alone: whoever does not know that key refuses (C2SP tlog-witness: 403, before any other check of
//! the log). A witness or mirror asks its peers which of its keys the quorums of their logs name.

use crate::http_client;
use crate::peers::KnownPeer;
use crate::reason::with_causes;
use crate::signer::key::{CheckpointKey, KeyFailed};
use assay_proto::federation_page::{FederationPage, PAGE_BYTES};
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::tlog_policy::TlogPolicy;
use assay_tlog::witness::Request;
use futures::{StreamExt as _, future::join_all, stream};
use std::time::Duration;

/// How long each has to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many peers are asked at once.
const AT_ONCE: usize = 16;

/// Who does not know the next keys, or cannot be asked, and why that is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The peer, or the witness by its name in the policy.
    pub who: String,
    /// What it answered.
    pub why: String,
}

/// What the witnesses of a log say of its next key.
#[derive(Debug)]
pub struct Asked {
    /// Those that do not know it.
    pub missing: Vec<Missing>,
    /// Whether those that know it are a quorum.
    pub is_quorum: bool,
}

/// Why witnesses cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The next key did not sign.
    #[error(transparent)]
    Key(#[from] KeyFailed),
    /// There is no client.
    #[error(transparent)]
    Client(#[from] reqwest::Error),
}

/// Asks the witnesses of `policy` about the log's next key. `head` is what a quorum cosigned last.
pub async fn witnesses(
    policy: &TlogPolicy,
    head: &Checkpoint,
    next: &dyn CheckpointKey,
) -> Result<Asked, AskError> {
    let http = client()?;
    let line = next.sign(head.size, head.root)?;
    let note = format!("{}\n{line}", head.body());
    let body = Request::body(head.size, &[], &note);
    // Both keys of one witness are behind one address, which is asked once.
    let mut urls: Vec<&str> = Vec::new();
    let of_policy = policy.witnesses().iter();
    for url in of_policy.filter_map(|witness| witness.url.as_deref()) {
        if !urls.contains(&url) {
            urls.push(url);
        }
    }
    let asked = urls.iter().map(|url| knows(&http, url, &body));
    let answers: Vec<Result<(), String>> = join_all(asked).await;
    let (mut missing, mut knowing) = (Vec::new(), Vec::new());
    for (url, answer) in urls.into_iter().zip(answers) {
        let here = policy.witnesses().iter();
        let here = here.filter(|witness| witness.url.as_deref() == Some(url));
        match answer {
            Ok(()) => knowing.extend(here.map(|witness| witness.name.as_str())),
            Err(why) => missing.extend(here.take(1).map(|witness| Missing {
                who: witness.key.name().to_owned(),
                why: why.clone(),
            })),
        }
    }
    let is_quorum = policy.is_quorum(knowing);
    Ok(Asked { missing, is_quorum })
}

/// Whether the witness at `url` knows the key that alone signed the request `body`.
async fn knows(http: &reqwest::Client, url: &str, body: &str) -> Result<(), String> {
    let url = format!("{}/add-checkpoint", url.trim_end_matches('/'));
    let answer = http.post(url).body(body.to_owned()).send().await;
    match answer.map_err(failed)?.status().as_u16() {
        // 409: it has another size by now, which it says only to who has the log's key.
        200 | 409 => Ok(()),
        403 => Err("it does not know the new key".to_owned()),
        404 => Err("it does not know this log".to_owned()),
        status => Err(format!("it answered with HTTP {status}")),
    }
}

/// Asks the peers with logs whether the quorums of these name the keys `next` of the cosigner
/// `name`, wherever they name one of its keys. Returns those where they do not.
pub async fn readers(
    peers: &[KnownPeer],
    name: &str,
    next: &[String],
) -> reqwest::Result<Vec<Missing>> {
    let http = client()?;
    let with_logs = peers.iter().filter(|peer| peer.log().is_some());
    let asked = with_logs.map(|peer| async {
        let why = match page(&http, peer.url()).await {
            Ok(page) => lacking(&page, name, next)?,
            Err(why) => why,
        };
        let who = peer.name().to_owned();
        Some(Missing { who, why })
    });
    let asked = stream::iter(asked).buffered(AT_ONCE);
    Ok(asked.filter_map(async |missing| missing).collect().await)
}

/// What a log's quorum lacks of the keys `next` of the cosigner `name`.
fn lacking(page: &FederationPage, name: &str, next: &[String]) -> Option<String> {
    let quorum = page.quorum.as_ref()?;
    let mut named = quorum.witnesses.iter().filter(|it| it.name == name);
    let witness = named.next()?;
    let known = next.iter().filter(|key| witness.vkeys.contains(key));
    (known.count() < next.len())
        .then(|| "the quorum of its log names the old key, and not the new one".to_owned())
}

/// Gets what a node says of its federation.
async fn page(http: &reqwest::Client, url: &str) -> Result<FederationPage, String> {
    let answer = http.get(format!("{url}/federation.json")).send().await;
    let answer = answer.map_err(failed)?;
    if !answer.status().is_success() {
        return Err(format!("it answered {}", answer.status()));
    }
    let bytes = http_client::body(answer, PAGE_BYTES)
        .await
        .map_err(failed)?;
    let bytes = bytes.ok_or_else(|| format!("it answered with more than {PAGE_BYTES} bytes"))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("its answer cannot be read: {error}"))
}

fn client() -> reqwest::Result<reqwest::Client> {
    http_client::builder().timeout(PATIENCE).build()
}

fn failed(error: reqwest::Error) -> String {
    with_causes(&error.without_url())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, http::StatusCode, routing::get};

    /// What comes with an error may be of whoever stands before the peer.
    #[tokio::test]
    async fn a_peer_that_answers_with_an_error_says_nothing_of_quorums() {
        for (status, why) in [
            (StatusCode::OK, None),
            (StatusCode::BAD_GATEWAY, Some("it answered 502 Bad Gateway")),
        ] {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let answer = get(move || async move { (status, "{}") });
            let router = Router::new().route("/federation.json", answer);
            tokio::spawn(async move { axum::serve(listener, router).await });
            let page = page(&client().unwrap(), &url).await;
            assert_eq!(page.err().as_deref(), why);
        }
    }
}
