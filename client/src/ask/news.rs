//! What it takes to rely on news of a log, and to say what new claims are worth.

use super::gather::{Source, gather};
use super::labels;
use crate::{Client, ClientError, Fresh, News};
use assay_claims::index::{Kind, Label};
use assay_claims::logged::LoggedClaim;
use assay_policy::rules::Policy;
use assay_tlog::note::VerifierKey;
use std::collections::BTreeSet;

/// Makes sure that as many witnesses as the policy asks for confirm what is new. They may come
/// later, so that it fails with [`ClientError::Unavailable`] while they have not.
pub fn check_witnesses(policy: &Policy, log: &VerifierKey, news: &News) -> Result<(), ClientError> {
    let Some(tlog) = policy.tlog().filter(|tlog| tlog.quorum().is_some()) else {
        return Ok(());
    };
    let tlog = tlog.with_log(log);
    for checkpoint in &news.checkpoints {
        if let Err(error) = tlog.verify(checkpoint.note()) {
            return Err(ClientError::Unavailable {
                what: format!(
                    "not enough of your witnesses confirm its head of {} entries",
                    checkpoint.size()
                ),
                retry_after: None,
                source: Some(error.into()),
            });
        }
    }
    Ok(())
}

/// The new claims, with the records of those who signed them and what is said of the claims
/// already: what it takes to say what they are worth.
pub async fn with_context(
    client: &Client,
    news: &[Fresh],
) -> Result<Vec<LoggedClaim>, ClientError> {
    let new: Vec<&LoggedClaim> = news
        .iter()
        .filter_map(|fresh| fresh.claim.as_ref().ok())
        .collect();
    let mut asked: BTreeSet<Label> = BTreeSet::new();
    for logged in &new {
        let signers = logged.claim().signers().iter();
        asked.extend(signers.map(|(id, _)| labels::of_sha256(&id.to_hex())));
        asked.insert(Label::new(Kind::Claim, &logged.claim().id().to_hex()));
    }
    let mut known = gather(&Source::Node(client.clone(), None), asked)
        .await?
        .claims;
    known.extend(new.into_iter().cloned());
    Ok(known)
}
