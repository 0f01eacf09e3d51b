//! Misbehavior that a node keeps (docs/federation.md): what it tells of it, and telling it.
//!
//! Nothing that comes from a node is verified here. Whoever calls has the keys.

use crate::{ClientError, Tls, call, client::endpoint};
use assay_claims::limits::MISBEHAVIOR_BYTES;
use assay_proto::v1::{
    ListMisbehaviorRequest, ReportMisbehaviorRequest,
    federation_service_client::FederationServiceClient,
};
use assay_tlog::Hash;
use tonic::transport::Channel;

/// Most files that are taken from a node, and most bytes of all: what a node keeps.
const FILES: usize = 1000;
const BYTES: usize = 64 << 20;

/// Largest message: a file, its id, and the heads of their fields.
const MESSAGE_BYTES: usize = MISBEHAVIOR_BYTES + 64;

/// Returns the files that the node at `url` keeps, in the order in which they came, unverified.
/// Fails with [`ClientError::Unverified`] if there are more than 1,000, or than 64 MiB.
pub async fn list(url: &str, tls: &Tls) -> Result<Vec<Vec<u8>>, ClientError> {
    let mut service = connect(url, tls).await?;
    let doing = "listing misbehavior";
    let (mut files, mut bytes) = (Vec::new(), 0);
    let call = service.list_misbehavior(ListMisbehaviorRequest::default());
    call::each(doing, call, |next| {
        bytes += next.file.len();
        if files.len() == FILES || bytes > BYTES {
            return Err(ClientError::unverified(
                "it lists more misbehavior than a node keeps",
            ));
        }
        files.push(next.file.to_vec());
        Ok(())
    })
    .await?;
    Ok(files)
}

/// Hands a file to the node at `url`. Returns whether the node did not know it before. Fails with
/// [`ClientError::Refused`] if the node cannot verify it.
pub async fn report(url: &str, tls: &Tls, file: &[u8]) -> Result<bool, ClientError> {
    let mut service = connect(url, tls).await?;
    let request = ReportMisbehaviorRequest {
        file: file.to_vec().into(),
    };
    let call = service.report_misbehavior(request);
    let answer = call::short("reporting misbehavior", call).await?;
    if Hash::from_slice(&answer.id) == Some(Hash::of(file)) {
        Ok(answer.new)
    } else {
        Err(ClientError::unverified("it names another file than it got"))
    }
}

async fn connect(url: &str, tls: &Tls) -> Result<FederationServiceClient<Channel>, ClientError> {
    let channel = endpoint(url, tls)?.connect().await.map_err(|e| {
        let hint = "is the node running, and is this its address?";
        ClientError::unavailable(format!("cannot connect to {url}: {hint}"), e)
    })?;
    Ok(FederationServiceClient::new(channel).max_decoding_message_size(MESSAGE_BYTES))
}
