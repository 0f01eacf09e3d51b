//! What an issuer signed: how much, and the newest claims.

use super::asker::{Asked, Asker};
use super::connection::How;
use super::error::AskError;
use super::newest::NEWEST;
use super::topdown::of_issuer;
use assay_claims::issuer::IssuerId;
use assay_claims::logged::LoggedClaim;
use assay_policy::verdict::Answer;

/// What an issuer signed, in all logs that answered.
#[derive(Debug, Default)]
pub struct Signed {
    /// How many claims; `None` if no log could be asked that way.
    pub count: Option<u64>,
    /// How many of these are of predicate types in which so many were signed that they were not
    /// looked at.
    pub unlisted: u64,
    /// The newest of the others, the newest first.
    pub newest: Vec<LoggedClaim>,
}

/// Lists what an issuer signed, in every log, and how each of them answered. Lists can be asked for
/// openly only.
///
/// It holds answers to the same as [`Asker::ask`], and fails as that does.
pub(super) async fn signed(asker: &Asker, id: &IssuerId) -> Result<(Signed, Asked), AskError> {
    let mut signed = Signed::default();
    if asker.how() != How::Openly {
        return Ok((signed, Asked::default()));
    }
    let mut tries = asker.tries();
    let (panel, lists) = loop {
        let mut panel = tries.panel();
        let lists = panel.signed(&of_issuer(id)).await;
        if tries.are_over(&mut panel).await {
            break (panel, lists);
        }
    };
    let asked = asker.answers(panel).await?;
    for (log, there) in asked.logs.iter().zip(lists) {
        let Some(there) = there.filter(|_| !matches!(log.answer, Answer::None { .. })) else {
            continue;
        };
        signed.count = Some(signed.count.unwrap_or(0).saturating_add(there.count));
        signed.unlisted = signed.unlisted.saturating_add(there.unlisted);
        signed.newest.extend(there.newest);
    }
    let newest = &mut signed.newest;
    newest.sort_by_key(|claim| std::cmp::Reverse(claim.logged_at_ms()));
    newest.truncate(NEWEST);
    Ok((signed, asked))
}
