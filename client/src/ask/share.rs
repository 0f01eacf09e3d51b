//! Hearing many strangers within a bound of memory: each has a share of it, so that whoever says
//! very much takes no room from those who say little.

use super::gather::{Gathering, Source};
use crate::ClientError;
use assay_claims::index::answer::ProvenEntries;
use assay_claims::index::{By, Label, Name, Query, VerifiedAnswer};
use assay_claims::limits::LOOKUP_BY;
use assay_claims::logged::LoggedClaim;
use std::collections::{BTreeMap, BTreeSet};

/// Smallest share, in bytes: some claims of the usual size.
const SHARE: usize = 4 << 10;

/// About how much the proofs of what one of them says may take, in bytes. They are not counted as
/// what is said, because they grow with the log.
pub(super) const PROOFS: usize = 16 << 10;

/// Most questions to one log: halves of halves, until each is short enough.
const QUESTIONS: usize = 128;

/// What was heard.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// The claims that are new.
    pub claims: Vec<LoggedClaim>,
    /// Those who said too much for their share, or came when there was no room left.
    pub unheard: BTreeSet<By>,
}

impl Gathering {
    /// Asks what `by` said about `names`, of which all together brings entries of at most so many
    /// `bytes`. If it is more, they are asked in halves, and of whoever says too much for a share
    /// of it nothing is heard.
    pub(super) async fn ask_shared(
        &mut self,
        source: &Source,
        names: &[Name],
        by: &[By],
        bytes: usize,
    ) -> Result<Heard, ClientError> {
        let share = (bytes / by.len().max(1)).max(SHARE);
        let (mut heard, mut left, mut questions) = (Heard::default(), bytes, QUESTIONS);
        let mut parts: Vec<&[By]> = by.chunks(LOOKUP_BY).rev().collect();
        while let Some(part) = parts.pop() {
            if questions == 0 || left < SHARE {
                heard.unheard.extend(part);
                continue;
            }
            questions -= 1;
            let most = left.min(share.saturating_mul(part.len()));
            let query = Query::names(names.iter().copied(), part.iter().copied());
            let is_one = part.len() == 1;
            match self.answer_within(source, &query, most, is_one).await? {
                Some(answer) => {
                    left = left.saturating_sub(said(answer.proven()));
                    self.count(names, &answer)?;
                    heard
                        .claims
                        .extend(self.take(source, answer, |_| true).await?);
                }
                None if is_one => heard.unheard.extend(part),
                None => {
                    let (first, rest) = part.split_at(part.len() / 2);
                    parts.extend([rest, first]);
                }
            }
        }
        Ok(heard)
    }

    /// An answer whose entries take at most so many bytes; `None` if they take more, or if it was
    /// not kept and is to be asked for in parts.
    async fn answer_within(
        &mut self,
        source: &Source,
        query: &Query,
        most: usize,
        is_one: bool,
    ) -> Result<Option<VerifiedAnswer>, ClientError> {
        if let Source::Kept(cache) = source
            && !is_one
        {
            // What was too long was not kept, and its parts were.
            return cache.load(query);
        }
        let speakers = match query {
            Query::Names { by, .. } => by.len(),
            Query::Crowd { .. } | Query::Census(_) | Query::Page { .. } => 1,
        };
        let source = source.clone().with_answers_of(most + PROOFS * speakers);
        match self.answer(&source, query).await {
            Ok(answer) => Ok(answer.filter(|answer| said(answer.proven()) <= most)),
            Err(error) if error.is_too_long() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks for the newest `most` leaves of lists of these lengths, or for fewer, of which all
    /// together brings entries of at most so many `bytes`.
    pub(super) async fn newest_shared(
        &mut self,
        source: &Source,
        lists: &BTreeMap<Label, u64>,
        most: u64,
        bytes: usize,
    ) -> Result<Vec<LoggedClaim>, ClientError> {
        let share = (bytes / lists.len().max(1)).max(SHARE);
        let (mut found, mut left) = (Vec::new(), bytes);
        for (label, length) in lists {
            let mut wanted = most;
            while wanted > 0 && left >= SHARE {
                let most = share.min(left);
                let source = source.clone().with_answers_of(most + PROOFS);
                let newest = self.tail(&source, label, *length, wanted, most).await?;
                let Some(page) = newest else {
                    wanted /= 4;
                    continue;
                };
                left = left.saturating_sub(said(page.proven()));
                found.extend(self.keep_page(&page));
                break;
            }
        }
        Ok(found)
    }
}

/// The bytes of all entries.
pub(super) fn said(proven: &ProvenEntries) -> usize {
    let entries = proven.entries().values();
    entries.map(|entry| entry.bytes().len()).sum()
}
