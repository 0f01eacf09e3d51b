//! What an issuer signed in one log: how much in each predicate type, and the newest claims.

use super::gather::{Gathering, Source};
use crate::{Allowance, ClientError};
use assay_claims::index::{Found, Name};
use assay_claims::limits::WHOLE_LIST;
use assay_claims::logged::LoggedClaim;
use assay_tlog::tree::LeafIndex;
use std::collections::BTreeSet;

/// How many of the newest claims are taken.
pub(super) const NEWEST: usize = 20;

/// Memory for the lists that the newest claims are found in, in bytes, about.
const BYTES: usize = 128 << 20;

/// What an issuer signed in one log.
#[derive(Debug, Default)]
pub(super) struct SignedThere {
    /// How many claims.
    pub count: u64,
    /// How many of these are in lists that are too long to be looked at.
    pub unlisted: u64,
    /// The newest claims of every other list, in no order.
    pub newest: Vec<LoggedClaim>,
}

impl Gathering {
    /// Lists what an issuer signed, of which `issuer` is the name. `None` if the source cannot be
    /// asked for lists.
    ///
    /// Whole lists are fetched, the shortest first: together at most [`WHOLE_LIST`] claims.
    pub(super) async fn signed(
        &mut self,
        source: &Source,
        issuer: &Name,
    ) -> Result<Option<SignedThere>, ClientError> {
        let Source::Node(client, _) = source else {
            return Ok(None);
        };
        let mut lists = self.everyone(source, issuer).await?;
        lists.sort_by_key(|list| list.length);
        let mut allowance = Allowance::of_bytes(BYTES);
        let mut leaves = WHOLE_LIST;
        let mut there = SignedThere::default();
        for Found { label, length, .. } in lists {
            there.count = there.count.saturating_add(length);
            let Some(left) = leaves.checked_sub(length).filter(|_| allowance.bytes > 0) else {
                there.unlisted = there.unlisted.saturating_add(length);
                continue;
            };
            leaves = left;
            let pages = match client.list_within(&label, &mut allowance).await {
                Ok(pages) => pages,
                Err(_) if allowance.bytes == 0 => {
                    there.unlisted = there.unlisted.saturating_add(length);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let all: Vec<LeafIndex> = pages.leaves().collect();
            let newest = &all[all.len().saturating_sub(NEWEST)..];
            let newest: BTreeSet<LeafIndex> = newest.iter().copied().collect();
            for page in pages.pages() {
                self.complete_as_of(page.proven());
                there.newest.extend(self.keep(page.proven(), &newest));
            }
        }
        Ok(Some(there))
    }
}
