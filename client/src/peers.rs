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
        ClientError::unavailable(format!("{url}: no answer"), "HTTP 404 Not Found")
    })?;
    serde_json::from_slice(&bytes)
        .map_err(|error| ClientError::unverified_by(format!("{url} cannot be read"), error))
}
