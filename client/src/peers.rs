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
    http::{bad_pem, builder, demand_address},
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
    let failed = |error: reqwest::Error| {
        let error = error.without_url();
        ClientError::unavailable(format!("{url}: no answer"), error)
    };
    let mut answer = http.get(&url).send().await.map_err(failed)?;
    let status = answer.status();
    if !status.is_success() {
        let words = format!("HTTP {status}");
        return Err(ClientError::unavailable(format!("{url}: no answer"), words));
    }
    let mut bytes = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(failed)? {
        if bytes.len() + piece.len() > PAGE_BYTES {
            let what = format!("{url} has more than {PAGE_BYTES} bytes");
            return Err(ClientError::unverified(what));
        }
        bytes.extend_from_slice(&piece);
    }
    serde_json::from_slice(&bytes)
        .map_err(|error| ClientError::unverified_by(format!("{url} cannot be read"), error))
}
