//! Lists that are too long for an answer about many names: one of which not all entries came, and
//! the beginning of one that does not come.
//!
//! Whoever has said more about one thing than is listened to is heard from the beginning on, as far
//! as lists are whole ([`WHOLE_LIST`]). Each page proves its place, so that it can be relied on
//! without the rest. What somebody said before a key was stolen stands before all that the key has
//! said since, however much that is. How far a list was heard is for the policy to weigh: what was
//! not heard is never taken as unsaid.

use super::gather::{Gathering, Source};
use super::names::is_of_keys;
use crate::{Allowance, Client, ClientError};
use assay_claims::index::{AnswerPage, Label, VerifiedAnswer};
use assay_claims::limits::WHOLE_LIST;
use assay_claims::logged::LoggedClaim;
use assay_policy::trust::HeardTo;
use std::collections::BTreeSet;
use std::time::Duration;

/// Memory for the beginnings of all lists of a log, in bytes, about, and the time for them.
const BEGINNINGS: Allowance = Allowance {
    bytes: 128 << 20,
    time: Duration::from_secs(60),
};

impl Gathering {
    /// Takes what an answer says under the labels that are `wanted`. Returns the claims that are
    /// new.
    pub(super) async fn take(
        &mut self,
        source: &Source,
        answer: VerifiedAnswer,
        wanted: impl Fn(&Label) -> bool,
    ) -> Result<Vec<LoggedClaim>, ClientError> {
        self.complete_as_of(answer.proven());
        let mut leaves = BTreeSet::new();
        let mut long = Vec::new();
        for (label, list) in answer.lists().iter().filter(|(label, _)| wanted(label)) {
            let entries = answer.entries();
            leaves.extend(list.leaves().iter().copied());
            if list.leaves().iter().any(|leaf| !entries.contains_key(leaf)) {
                long.push(*label);
            }
        }
        let mut new = self.keep(answer.proven(), &leaves);
        let overlong = answer.overlong().iter().map(|found| found.label);
        for label in overlong.filter(|label| wanted(label)) {
            new.extend(self.hear_beginning(source, &label).await?);
        }
        for label in long {
            match source {
                Source::Node(client, _) => new.extend(self.take_whole(client, &label).await?),
                Source::Private(_) => self.lack(format!(
                    "issuer {}… has said more about one name than a private answer brings",
                    label.by()
                )),
                Source::Kept(_) => {
                    self.lack("more is said than was kept; ask without --offline".into())
                }
            }
        }
        Ok(new)
    }

    /// Takes a list that is too long for an answer to many labels. It may have grown since.
    async fn take_whole(
        &mut self,
        client: &Client,
        label: &Label,
    ) -> Result<Vec<LoggedClaim>, ClientError> {
        let mut new = Vec::new();
        let paged = self.paged.get_or_insert_with(|| client.allowance());
        for page in client.list_within(label, paged).await?.pages() {
            self.complete_as_of(page.proven());
            new.extend(self.keep(page.proven(), &page.leaves().iter().copied().collect()));
        }
        Ok(new)
    }

    /// Takes the beginning of a list that does not come, if the source can be asked for a part of
    /// it, and notes how far that goes.
    ///
    /// Of lists of an issuer's records and key compromises nothing is read: what follows from half
    /// of them can be wrong either way.
    async fn hear_beginning(
        &mut self,
        source: &Source,
        label: &Label,
    ) -> Result<Vec<LoggedClaim>, ClientError> {
        let before = self.gathered.overlong.entry(*label).or_default();
        let Source::Node(client, _) = source else {
            return Ok(Vec::new());
        };
        if before.is_some() || is_of_keys(label) {
            return Ok(Vec::new());
        }
        let left = self.beginnings.get_or_insert(BEGINNINGS);
        // Half of what is left, so that one list does not take it from all others.
        let mut allowance = Allowance {
            bytes: left.bytes.div_ceil(2),
            time: left.time / 2,
        };
        let given = allowance.clone();
        let (mut heard, mut from, mut new) = (HeardTo::default(), 0, Vec::new());
        while from < WHOLE_LIST {
            let page = match client.page_within(label, from, &mut allowance).await {
                Ok(Some(page)) => page,
                // Nobody has to bring it: it is not known then.
                Ok(None) | Err(ClientError::Unavailable { .. } | ClientError::Refused { .. }) => {
                    break;
                }
                Err(error) => return Err(error),
            };
            let Some(to) = end_of(&page, from, heard)? else {
                break;
            };
            self.complete_as_of(page.proven());
            new.extend(self.keep(page.proven(), &page.leaves().iter().copied().collect()));
            heard = to;
            from += page.leaves().len() as u64;
        }
        if let Some(left) = &mut self.beginnings {
            left.bytes -= given.bytes - allowance.bytes;
            left.time = left.time.saturating_sub(given.time - allowance.time);
        }
        self.gathered.overlong.insert(*label, Some(heard));
        Ok(new)
    }
}

/// How far a list was heard with this page; `None` if the page is empty. Fails if the page's leaves
/// do not come after those before it: the log changed the list.
fn end_of(page: &AnswerPage, from: u64, heard: HeardTo) -> Result<Option<HeardTo>, ClientError> {
    let leaves = page.leaves();
    let (Some(first), Some(last)) = (leaves.first(), leaves.last()) else {
        return Ok(None);
    };
    if from > 0 && *first <= heard.leaf {
        return Err(ClientError::unverified(format!(
            "the log has changed a list: leaf {first} comes after leaf {}",
            heard.leaf
        )));
    }
    let entry = page.proven().entries().get(last);
    Ok(entry.map(|entry| HeardTo {
        leaf: *last,
        at_ms: entry.logged_at_ms(),
    }))
}
