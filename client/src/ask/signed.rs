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
    /// Whether it signed more, of so many predicate types that not all were counted.
    pub uncounted: bool,
    /// How many of these are of predicate types in which the newest were not looked for.
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
    let mut since_ms = 0;
    for (log, there) in asked.logs.iter().zip(lists) {
        let Some(there) = there.filter(|_| !matches!(log.answer, Answer::None { .. })) else {
            continue;
        };
        signed.count = Some(signed.count.unwrap_or(0).saturating_add(there.count));
        signed.uncounted |= there.uncounted;
        signed.unlisted = signed.unlisted.saturating_add(there.unlisted);
        since_ms = since_ms.max(there.since_ms);
        signed.newest.extend(there.newest);
    }
    let newest = &mut signed.newest;
    // Between older ones there may be some that did not come.
    newest.retain(|claim| claim.logged_at_ms() >= since_ms);
    newest.sort_by_key(|claim| std::cmp::Reverse(claim.logged_at_ms()));
    newest.truncate(NEWEST);
    Ok((signed, asked))
}
