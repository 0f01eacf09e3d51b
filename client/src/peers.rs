//! What a node says of its federation: whom it works with, and how its witnesses are
//! (docs/federation.md).
//!
//! It is the node's own word, signed by nobody, and verified by nobody. It is for people who look
//! after nodes, and no check relies on it.

pub use assay_proto::federation_page::{
    CosignerPart, FederationPage, ListPart, LogPart, PeerPart, QuorumPart, WitnessPart,
    WitnessState,
};

use crate::{
    ClientError, Tls,
    http::{bad_pem, builder, demand_address, get},
};
use assay_proto::federation_page::PAGE_BYTES;
use std::time::Duration;

/// How long a node has to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks the node at `url` about its federation. Fails with [`ClientError::Unavailable`] if it does
/// not answer, or has nothing to say of it, and with [`ClientError::Unverified`] if what it says
/// cannot be read.
pub async fn federation(url: &str, tls: &Tls) -> Result<FederationPage, ClientError> {
    demand_address(url, "a node")?;
    let http = builder(tls)?.timeout(PATIENCE).build().map_err(bad_pem)?;
    let url = format!("{}/federation.json", url.trim_end_matches('/'));
    let bytes = get(&http, &url, PAGE_BYTES).await?;
    let bytes = bytes.ok_or_else(|| {
        let what = "the server has no such page; is this the address of a node?";
        ClientError::unavailable(format!("{url}: {what}"), "HTTP 404 Not Found")
    })?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let what = "what the server answers is of no node; is this the address of one?";
        ClientError::unverified_by(format!("{url}: {what}"), error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, response::Html, routing};

    /// What is said of a site that answers so.
    async fn said_of(site: Router) -> (ClientError, String) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, site).await });
        let error = federation(&url, &Tls::default()).await.unwrap_err();
        let said = error.to_string();
        (error, said)
    }

    #[tokio::test]
    async fn a_site_that_is_no_node_is_told_as_what_it_is() {
        let page = Router::new().fallback(routing::get(|| async { Html("<p>Hello") }));
        let other = Router::new().fallback(routing::get(|| async { "hello" }));
        for (site, says) in [
            (page, "a web page"),
            (other, "is of no node"),
            (Router::new(), "no such page"),
        ] {
            let (error, said) = said_of(site).await;
            assert!(said.contains(says), "{said}");
            let is_page = says == "a web page" || says == "no such page";
            assert_eq!(matches!(error, ClientError::Unavailable { .. }), is_page);
        }
    }
}
