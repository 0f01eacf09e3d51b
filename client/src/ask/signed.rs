//! What an issuer signed: how much in each predicate type, and the newest claims.

use super::asker::Asker;
use super::error::AskError;
use super::topdown::of_issuer;
use crate::Client;
use assay_claims::index::{Found, Query};
use assay_claims::issuer::IssuerId;
use assay_claims::limits::WHOLE_LIST;
use assay_claims::logged::LoggedClaim;

/// How many of the newest claims are taken.
const NEWEST: usize = 20;

/// What an issuer signed, in all logs.
#[derive(Debug, Default)]
pub struct Signed {
    /// How many claims; `None` if no log could be asked that way.
    pub count: Option<u64>,
    /// The newest of them, the newest first. Of a type in which more than [`WHOLE_LIST`] were
    /// signed there is none: no part of a list is proven without the rest.
    pub newest: Vec<LoggedClaim>,
}

/// Lists what an issuer signed, in every log that can be asked for a list.
pub(super) async fn signed(asker: &Asker, id: &IssuerId) -> Result<Signed, AskError> {
    let mut signed = Signed::default();
    for client in asker.clients().await? {
        let census = Query::Census(of_issuer(id).prefix());
        let answer = client.lookup(&census).await?.answer;
        for list in answer.census() {
            signed.count = Some(signed.count.unwrap_or(0) + list.length);
            if list.length <= WHOLE_LIST {
                signed.newest.extend(newest(&client, list).await?);
            }
        }
        signed.count.get_or_insert(0);
    }
    signed
        .newest
        .sort_by_key(|claim| std::cmp::Reverse(claim.logged_at_ms()));
    signed.newest.truncate(NEWEST);
    Ok(signed)
}

/// The newest claims of a list.
async fn newest(client: &Client, list: &Found) -> Result<Vec<LoggedClaim>, AskError> {
    let mut newest: Vec<LoggedClaim> = Vec::new();
    for page in client.list(&list.label).await?.pages() {
        let last: Vec<_> = page.leaves().iter().rev().take(NEWEST).collect();
        for (leaf, claim) in page.proven().claims(&(), |leaf| last.contains(&&leaf)) {
            newest.push(claim.map_err(|error| AskError::BrokenClaim {
                origin: client.log_key().name().to_owned(),
                leaf,
                error,
            })?);
        }
        newest.drain(..newest.len().saturating_sub(NEWEST));
    }
    Ok(newest)
}
