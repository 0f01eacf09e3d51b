//! What an issuer signed in one log: how much, and the newest claims.

use super::census::Window;
use super::gather::{Gathering, Source};
use super::names;
use super::share::PROOFS;
use crate::ClientError;
use assay_claims::index::{AnswerPage, By, Found, Name};
use assay_claims::kind::Kind;
use assay_claims::limits::ENTRY_BYTES;
use assay_claims::logged::LoggedClaim;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// How many of the newest claims are taken.
pub(super) const NEWEST: usize = 20;

/// Most predicate types whose claims are counted.
const COUNTED: usize = 4096;

/// Most of these in which the newest claims are looked for: some more than there are kinds.
const TYPES: usize = 32;

/// Bytes of the claims among which the newest are, unless single ones take more.
const BYTES: usize = 4 << 20;

/// What an issuer signed in one log.
#[derive(Debug, Default)]
pub(super) struct SignedThere {
    /// How many claims, of the predicate types that are counted.
    pub count: u64,
    /// Whether there are more types.
    pub uncounted: bool,
    /// How many of the claims are of types in which the newest were not looked for.
    pub unlisted: u64,
    /// The newest of the others, in no order: all that are not older than `since_ms`, or
    /// [`NEWEST`] of each type.
    pub newest: Vec<LoggedClaim>,
    /// When the oldest of those was logged that came of a type of which fewer came, although there
    /// are more.
    pub since_ms: u64,
}

impl Gathering {
    /// Finds the newest of what an issuer signed, of which `issuer` is the name, and counts all.
    /// `None` if the source cannot be asked for lists.
    ///
    /// However much was signed, it takes some thousand labels, and of each of [`TYPES`] predicate
    /// types at most [`NEWEST`] claims. Each page proves that it is the end of its list as of the
    /// answer that had the list's length.
    pub(super) async fn signed(
        &mut self,
        source: &Source,
        issuer: &Name,
    ) -> Result<Option<SignedThere>, ClientError> {
        let Source::Node(..) = source else {
            return Ok(None);
        };
        // Nobody is listened to: it says of how many types there are claims.
        self.ask(source, &[*issuer], &[By::predicate_type("")])
            .await?;
        let window = Window {
            after: None,
            but: &BTreeSet::new(),
            most: COUNTED,
        };
        let mut lists = self.speakers(source, issuer, window).await?;
        let mut there = SignedThere {
            uncounted: lists.len() > COUNTED,
            ..SignedThere::default()
        };
        lists.truncate(COUNTED);
        let known = known_types();
        lists.sort_by_key(|list| (!known.contains(&list.label.by()), Reverse(list.length)));
        let share = (BYTES / lists.len().clamp(1, TYPES)).max(ENTRY_BYTES);
        for (at, list) in lists.iter().enumerate() {
            there.count = there.count.saturating_add(list.length);
            if at < TYPES
                && let Some(page) = self.newest_of(source, list, share).await?
            {
                there.add(self.keep_page(&page), &page, list.length);
            } else {
                there.unlisted = there.unlisted.saturating_add(list.length);
            }
        }
        Ok(Some(there))
    }

    /// The newest claims of a list, as many as take no more than so many bytes, if one does.
    async fn newest_of(
        &mut self,
        source: &Source,
        list: &Found,
        bytes: usize,
    ) -> Result<Option<AnswerPage>, ClientError> {
        let source = source.clone().with_answers_of(bytes + PROOFS);
        let mut wanted = NEWEST as u64;
        while wanted > 0 {
            let page = self.tail(&source, &list.label, list.length, wanted, bytes);
            if let Some(page) = page.await? {
                return Ok(Some(page));
            }
            wanted /= 4;
        }
        Ok(None)
    }
}

/// The types of claims that are known. They come first: whoever has a key can sign of as many
/// others as they like, and must not hide by it that the key is compromised, or a word withdrawn.
fn known_types() -> BTreeSet<By> {
    names::types(Kind::ALL).into_iter().collect()
}

impl SignedThere {
    /// Adds the end of a list of so many leaves.
    fn add(&mut self, claims: Vec<LoggedClaim>, page: &AnswerPage, length: u64) {
        let leaves = page.leaves();
        let is_short = leaves.len() < NEWEST && (leaves.len() as u64) < length;
        let entries = page.proven().entries();
        if let Some(first) = leaves.first().and_then(|leaf| entries.get(leaf))
            && is_short
        {
            self.since_ms = self.since_ms.max(first.logged_at_ms());
        }
        self.newest.extend(claims);
    }
}
