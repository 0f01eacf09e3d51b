//! `GET /federation.json`: what is public of a node's federation. The page is
//! `assay_proto::federation_page`; it is made anew for each that asks.

use super::{KnownPeer, Peers, Role};
use crate::api::{metered::Paid, peer::Peer};
use crate::held::NoRoom;
use assay_proto::federation_page::{
    CopyPart, CosignerPart, FederationPage, ListPart, LogPart, PeerPart, QuorumPart,
};
use assay_tlog::head::LogVerifier;
use assay_tlog::note::VerifierKey;
use axum::{
    Extension, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use std::sync::Arc;

/// A part of the page, looked up when somebody asks.
pub type Part<T> = Arc<dyn Fn() -> T + Send + Sync>;

/// Where the parts of the page come from.
pub struct Page {
    /// The node's log.
    pub log: Option<Part<LogPart>>,
    /// Its witness, and the lists from which that took logs.
    pub witness: Option<Part<(CosignerPart, Vec<ListPart>)>>,
    /// Its mirror.
    pub mirror: Option<Part<(CosignerPart, Vec<CopyPart>)>>,
    /// The quorum of its log.
    pub quorum: Option<Part<QuorumPart>>,
    /// Its peers.
    pub peers: Peers,
}

impl Page {
    /// The page of a witness that runs by itself.
    pub fn of_witness(witness: Part<(CosignerPart, Vec<ListPart>)>, peers: Peers) -> Self {
        Page {
            log: None,
            witness: Some(witness),
            mirror: None,
            quorum: None,
            peers,
        }
    }

    /// The size that its log shows, if it has one.
    pub fn size(&self) -> Option<u64> {
        self.log.as_ref().and_then(|log| log().size)
    }

    /// The page as it is now.
    pub fn say(&self) -> FederationPage {
        let witness = self.witness.as_ref().map(|witness| witness());
        let (witness, log_lists) = witness.unzip();
        let mirror = self.mirror.as_ref().map(|mirror| mirror());
        let (mirror, copies) = mirror.unzip();
        FederationPage {
            log: self.log.as_ref().map(|log| log()),
            witness,
            mirror,
            copies: copies.unwrap_or_default(),
            quorum: self.quorum.as_ref().map(|quorum| quorum()),
            peers: self.peers.now().iter().map(peer).collect(),
            log_lists: log_lists.unwrap_or_default(),
        }
    }
}

fn peer(known: &KnownPeer) -> PeerPart {
    let roles = [
        (Role::Witness, "witness"),
        (Role::Mirror, "mirror"),
        (Role::Gossip, "gossip"),
    ];
    let roles = roles.iter().filter(|(role, _)| known.has(*role));
    PeerPart {
        name: known.name().to_owned(),
        url: known.url().to_owned(),
        log: known.log().map(LogVerifier::origin).map(str::to_owned),
        witness: known
            .witness()
            .first()
            .map(VerifierKey::name)
            .map(str::to_owned),
        roles: roles.map(|(_, name)| (*name).to_owned()).collect(),
    }
}

/// Returns the route of the admin socket: `GET /copies`, a line for each log that is copied, with
/// how its audit is, a tab, and its origin.
pub fn admin(mirror: Part<(CosignerPart, Vec<CopyPart>)>) -> Router {
    Router::new()
        .route("/copies", get(copies))
        .with_state(mirror)
}

async fn copies(State(mirror): State<Part<(CosignerPart, Vec<CopyPart>)>>) -> String {
    let (_, copies) = mirror();
    let lines = copies.iter();
    let lines = lines.map(|copy| format!("{}\t{}\n", copy.words(), copy.origin));
    lines.collect()
}

/// Returns the route.
pub fn router(page: Arc<Page>) -> Router {
    Router::new()
        .route("/federation.json", get(say))
        .with_state(page)
}

async fn say(State(page): State<Arc<Page>>, Extension(peer): Extension<Peer>) -> Response {
    let made = peer.account.made(|| {
        let text = serde_json::to_vec(&page.say())?;
        let bytes = text.len();
        Ok::<_, Unsaid>((text, bytes))
    });
    match made.await {
        Ok((text, hold)) => {
            let kind = (header::CONTENT_TYPE, "application/json");
            let caching = (header::CACHE_CONTROL, "no-cache");
            let mut response = ([kind, caching], text).into_response();
            let paid = Paid::Whole(Arc::new(hold));
            response.extensions_mut().insert(paid);
            response
        }
        Err(Unsaid::NoRoom(error)) => {
            metrics::counter!("assay_refused_total", "limit" => "memory").increment(1);
            let retry = [(header::RETRY_AFTER, "5")];
            (StatusCode::SERVICE_UNAVAILABLE, retry, format!("{error}\n")).into_response()
        }
        Err(Unsaid::Json(error)) => {
            tracing::error!(%error, "the page of the federation cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Why nothing was said.
#[derive(Debug, thiserror::Error)]
enum Unsaid {
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::held::{Held, Limits};
    use crate::peers::PeerFile;
    use std::{net::SocketAddr, time::Duration};

    /// The page is made for each that asks, and takes room until it was sent.
    #[tokio::test]
    async fn a_page_takes_room() {
        let folder = tempfile::tempdir().unwrap();
        let file = PeerFile::open(&folder.path().join("peers.toml"), None).unwrap();
        let page = Page {
            log: None,
            witness: None,
            mirror: None,
            quorum: None,
            peers: file.peers(),
        };
        let held = Held::new(Limits {
            bytes: 1 << 20,
            connections: 16,
            stall: Duration::from_secs(20),
            shared: Vec::new(),
        });
        let address: SocketAddr = "192.0.2.1:1".parse().unwrap();
        let account = held.connection(address.ip());
        let answer = say(State(Arc::new(page)), Extension(Peer { address, account })).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(held.bytes() > 0);
        drop(answer);
        assert_eq!(held.bytes(), 0);
    }
}
