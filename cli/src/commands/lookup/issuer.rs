//! What an issuer signed: the whole list, verified, of which the newest claims are shown.

use super::{
    Asking,
    answer::{LineView, SignedView},
};
use crate::{exit::Failure, sound_keys::KeysView};
use assay_claims::index::{Kind, Label};
use assay_claims::issuer::IssuerId;
use assay_claims::logged::LoggedClaim;
use assay_policy::posture::{self, Line};
use assay_policy::rules::Policy;
use assay_policy::trust::Trust;
use std::collections::BTreeSet;

/// How many of the newest claims are shown.
pub const NEWEST: usize = 20;

/// What an issuer signed, in all logs.
pub struct Signed {
    /// How many claims; `None` if no log could be asked that way.
    pub count: Option<u64>,
    /// The newest of each log.
    pub newest: Vec<LoggedClaim>,
}

impl Signed {
    /// Puts it into words: what was signed, the newest first, and the lines of what is said of it.
    pub fn view(
        &self,
        claims: &[LoggedClaim],
        policy: &Policy,
        now_ms: u64,
    ) -> (SignedView, Vec<LineView>) {
        // Not by the claim's id: another issuer may have signed the same statement, at a leaf of
        // its own.
        let signed: BTreeSet<_> = self
            .newest
            .iter()
            .map(|one| (one.origin(), one.leaf()))
            .collect();

        let mut listed = posture::listing(
            policy,
            claims,
            |logged: &LoggedClaim| signed.contains(&(logged.origin(), logged.leaf())),
            now_ms,
        )
        .lines;
        listed.sort_by_key(|line| std::cmp::Reverse((line.logged_at_ms(), line.leaf())));
        let (newest, said): (Vec<_>, Vec<_>) = listed
            .iter()
            .partition(|line| signed.contains(&(line.origin(), line.leaf())));
        let views = |lines: Vec<&Line<'_>>| {
            lines
                .into_iter()
                .map(|line| LineView::new(line, claims))
                .collect()
        };
        (
            SignedView {
                count: self.count,
                newest: views(newest),
            },
            views(said),
        )
    }
}

/// What became of an issuer's keys, in the logs that the policy counts.
pub fn keys(id: &IssuerId, claims: &[LoggedClaim], policy: &Policy) -> KeysView {
    KeysView::of(
        id,
        &Trust::judge(
            claims
                .iter()
                .filter(|logged| policy.counts(logged.origin())),
        ),
    )
}

/// Lists what an issuer signed, in every log that can be asked for a list.
pub async fn signed(asking: &Asking<'_>, id: &IssuerId) -> Result<Signed, Failure> {
    let label = Label::new(Kind::Issuer, &id.to_hex());
    let mut signed = Signed {
        count: None,
        newest: Vec::new(),
    };
    for client in asking.clients().await? {
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
