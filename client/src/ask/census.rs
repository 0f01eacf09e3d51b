//! Who spoke of a name in one log, whoever they are. It is asked for display alone: no decision
//! rests on it (docs/index.md 10).

use super::gather::{Gathering, Source};
use super::share::said;
use crate::ClientError;
use crate::census::{LABELS, Parts, is_too_many};
use assay_claims::index::{AnswerPage, By, Found, Label, Name, Prefix, Query};
use assay_claims::limits::LOOKUP_NAMES;
use assay_claims::logged::LoggedClaim;
use std::collections::BTreeSet;

/// Which of those who spoke are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window<'w> {
    /// Only those after this one.
    pub after: Option<By>,
    /// Nobody of these.
    pub but: &'w BTreeSet<By>,
    /// The first so many, and one more if there are more.
    pub most: usize,
}

impl Gathering {
    /// Those who spoke of a name and are wanted, ascending, with the lengths of their lists.
    pub(super) async fn speakers(
        &mut self,
        source: &Source,
        name: &Name,
        window: Window<'_>,
    ) -> Result<Vec<Found>, ClientError> {
        let count = self.gathered.speakers.get(name).copied().unwrap_or(0);
        // Those who are not wanted are among them.
        let most = window.most.saturating_mul(4).min(LOOKUP_NAMES);
        let mut parts = Parts::new(*name, window.after, count, most);
        let mut found = Vec::new();
        while found.len() <= window.most.min(LABELS)
            && let Some(prefix) = parts.next()?
        {
            let answer = match self.answer(source, &Query::Census(prefix)).await {
                Ok(Some(answer)) => answer,
                Ok(None) => break,
                Err(error) if is_too_many(&error) && parts.narrow() => continue,
                Err(error) => return Err(error),
            };
            self.complete_as_of(answer.proven());
            for one in answer.census() {
                let by = one.label.by();
                if window.after.is_none_or(|after| by > after) && !window.but.contains(&by) {
                    found.push(*one);
                }
            }
            parts.pass(answer.census().len(), most);
        }
        found.truncate(window.most.saturating_add(1));
        Ok(found)
    }

    /// Who spoke of anything that begins like a name, of which the log learns no more than the
    /// first bits. Whoever spoke of the name is among them; to listen to these alone would tell
    /// which it is.
    pub(super) async fn speakers_privately(
        &mut self,
        source: &Source,
        name: &Name,
    ) -> Result<Vec<Found>, ClientError> {
        self.private_bits(source).await?;
        let prefix = Prefix::of(name.prefix().first(), self.told_bits());
        let answer = self.answer(source, &Query::Census(prefix)).await;
        let Some(answer) = answer.map_err(|error| self.too_short(error))? else {
            return Ok(Vec::new());
        };
        self.complete_as_of(answer.proven());
        Ok(answer.census().to_vec())
    }

    /// The last `most` leaves of a list that had so many; of one that has grown since, those that
    /// stand where its last ones were. `None` if the source cannot be asked for a part of a list,
    /// if their entries take more than so many `bytes`, or if the source does not bring all of
    /// them: a page goes from its beginning on, so that it would lack the newest.
    pub(super) async fn tail(
        &mut self,
        source: &Source,
        label: &Label,
        length: u64,
        most: u64,
        bytes: usize,
    ) -> Result<Option<AnswerPage>, ClientError> {
        let Source::Node(client, _) = source else {
            return Ok(None);
        };
        let limit = u32::try_from(most).unwrap_or(u32::MAX);
        let from = length.saturating_sub(most);
        let page = match client.lookup_page(label, from, limit).await {
            Ok(page) => page,
            Err(error) if error.is_too_long() => return Ok(None),
            Err(error) => return Err(error),
        };
        let is_all = from.saturating_add(page.leaves().len() as u64) >= length;
        if !is_all || page.leaves().is_empty() || said(page.proven()) > bytes {
            return Ok(None);
        }
        self.complete_as_of(page.proven());
        Ok(Some(page))
    }

    /// Keeps the claims of a page. Returns those that are new.
    pub(super) fn keep_page(&mut self, page: &AnswerPage) -> Vec<LoggedClaim> {
        self.keep(page.proven(), &page.leaves().iter().copied().collect())
    }
}
