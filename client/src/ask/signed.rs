//! What an issuer signed: the whole list, verified, of which the newest claims are taken.

use super::asker::Asker;
use crate::ClientError;
use assay_claims::index::{Kind, Label};
use assay_claims::issuer::IssuerId;
use assay_claims::logged::LoggedClaim;

/// How many of the newest claims are taken.
const NEWEST: usize = 20;

/// What an issuer signed, in all logs.
#[derive(Debug, Default)]
pub struct Signed {
    /// How many claims; `None` if no log could be asked that way.
    pub count: Option<u64>,
    /// The newest of them, the newest first.
    pub newest: Vec<LoggedClaim>,
}

/// Lists what an issuer signed, in every log that can be asked for a list.
pub(super) async fn signed(asker: &Asker, id: &IssuerId) -> Result<Signed, ClientError> {
    let label = Label::new(Kind::Issuer, &id.to_hex());
    let mut signed = Signed::default();
    for client in asker.clients().await? {
        let mut newest: Vec<LoggedClaim> = Vec::new();
        let mut count = 0;
        for page in client.list(&label).await?.pages() {
            let leaves = page.leaves();
            count += leaves.len() as u64;
            let last: Vec<_> = leaves.iter().rev().take(NEWEST).collect();
            let claims = page.proven().claims(&(), |leaf| last.contains(&&leaf));
            newest.extend(claims.into_iter().filter_map(|(_, claim)| claim.ok()));
            newest.drain(..newest.len().saturating_sub(NEWEST));
        }
        signed.count = Some(signed.count.unwrap_or(0) + count);
        signed.newest.extend(newest);
    }
    signed
        .newest
        .sort_by_key(|claim| std::cmp::Reverse(claim.logged_at_ms()));
    signed.newest.truncate(NEWEST);
    Ok(signed)
}
