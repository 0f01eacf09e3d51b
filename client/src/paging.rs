//! The list of one label, page by page, to its end: how much the pages may take, and how long.
//!
//! What one page proves is [`AnswerPage`]'s business, and what all of them do [`VerifiedPages`]'s.
//! How long a list is, is the log's word until all of it came, and a page may hold a single leaf.
//! So whoever puts pages together counts their bytes, their time, and how many of them are short.

use crate::{Client, ClientError, call};
use assay_claims::index::list::ListFrontier;
use assay_claims::index::{AnswerError, AnswerPage, Label, VerifiedPages};
use assay_claims::limits::ENTRY_BYTES;
use std::time::Duration;
use tokio::time::Instant;

/// Fewest leaves of a page that another one follows: a node fills 512 KiB, unless it sends 1,000
/// leaves (docs/index.md 8.3).
const PAGE_LEAVES: u64 = ((512 << 10) / ENTRY_BYTES) as u64;

/// Most pages with fewer leaves. A node that is slow to fill pages is put up with, and one that
/// sends a long list leaf by leaf is not.
const SHORT_PAGES: usize = 64;

/// What the pages of lists may take. What one list took is taken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    /// Bytes of memory, about; 0 once a list was too long.
    pub bytes: usize,
    /// Time.
    pub time: Duration,
}

impl Allowance {
    /// So many bytes, and as much time as an answer of many messages has.
    pub fn of_bytes(bytes: usize) -> Self {
        Allowance {
            bytes,
            time: call::LONG,
        }
    }
}

/// One list that is being put together.
struct Pages {
    pages: Vec<AnswerPage>,
    /// How many leaves have come, what was known before included.
    from: u64,
    short: usize,
}

impl Client {
    /// Everything under one label, however long its list, in pages, each of which is verified when
    /// it comes. It guarantees that they make up the whole list as of the last page's checkpoint,
    /// and that every entry in it is there.
    ///
    /// It fails as [`Client::lookup`] does, and with [`ClientError::Unavailable`] if the list takes
    /// more memory or time than an answer may.
    pub async fn list(&self, label: &Label) -> Result<VerifiedPages, ClientError> {
        self.list_within(label, &mut self.allowance()).await
    }

    /// What lists may take where the caller sets nothing: as much as one answer.
    pub(crate) fn allowance(&self) -> Allowance {
        Allowance::of_bytes(self.answer_bytes)
    }

    /// As [`Client::list`], with a limit of the caller's.
    pub async fn list_within(
        &self,
        label: &Label,
        allowance: &mut Allowance,
    ) -> Result<VerifiedPages, ClientError> {
        let pages = self.pages(label, &ListFrontier::default(), allowance).await;
        pages?.map_err(|e| ClientError::unverified_by("the list is not the one in the index", e))
    }

    /// The page of a list from a position on, with all of its entries; `None` if it takes more
    /// memory or time than is left. It fails as [`Client::lookup`] does.
    pub(crate) async fn page_within(
        &self,
        label: &Label,
        from: u64,
        allowance: &mut Allowance,
    ) -> Result<Option<AnswerPage>, ClientError> {
        if allowance.bytes == 0 {
            return Ok(None);
        }
        let start = Instant::now();
        let page = tokio::time::timeout(allowance.time, self.page(label, from, 0)).await;
        allowance.time = allowance.time.saturating_sub(start.elapsed());
        let Ok(page) = page else {
            return Ok(None);
        };
        let (page, bytes) = page?;
        check_brought(&page)?;
        // The last page may take more than was left, as far as a message can.
        allowance.bytes = allowance.bytes.saturating_sub(bytes);
        Ok(Some(page))
    }

    /// The pages of a list that follow those leaves of it that are `done`, or why they do not make
    /// up the rest of the list in the index.
    pub(crate) async fn pages(
        &self,
        label: &Label,
        done: &ListFrontier,
        allowance: &mut Allowance,
    ) -> Result<Result<VerifiedPages, AnswerError>, ClientError> {
        let (start, time) = (Instant::now(), allowance.time);
        let mut list = Pages {
            pages: Vec::new(),
            from: done.length(),
            short: 0,
        };
        loop {
            let page = tokio::time::timeout_at(start + time, self.page(label, list.from, 0)).await;
            allowance.time = time.saturating_sub(start.elapsed());
            let Ok(page) = page else {
                return Err(unavailable(format!("is not at its end after {time:?}")));
            };
            let (page, bytes) = page?;
            let Some(left) = allowance.bytes.checked_sub(bytes) else {
                allowance.bytes = 0;
                return Err(unavailable("takes more memory than is set aside".into()));
            };
            allowance.bytes = left;
            if list.push(page)? {
                return Ok(VerifiedPages::verify(done.clone(), list.pages));
            }
        }
    }
}

impl Pages {
    /// Adds the next page. Says whether it is the last one.
    fn push(&mut self, page: AnswerPage) -> Result<bool, ClientError> {
        check_brought(&page)?;
        let come = page.leaves().len() as u64;
        let length = page.list().map_or(0, |list| list.found.length);
        self.from += come;
        self.pages.push(page);
        if self.from >= length {
            return Ok(true);
        }
        self.short += usize::from(come < PAGE_LEAVES);
        if self.short > SHORT_PAGES {
            return Err(unavailable(format!(
                "comes in pages of fewer than {PAGE_LEAVES} leaves, more than {SHORT_PAGES} of \
                 them; it would take too long"
            )));
        }
        Ok(false)
    }
}

/// Checks that all entries of a page came.
fn check_brought(page: &AnswerPage) -> Result<(), ClientError> {
    match page.missing().first() {
        Some(leaf) => Err(ClientError::unverified(format!(
            "the node lists leaf {leaf} and withholds its entry"
        ))),
        None => Ok(()),
    }
}

fn unavailable(why: String) -> ClientError {
    ClientError::Unavailable {
        what: format!("a list that the node sends {why}"),
        retry_after: None,
        source: None,
    }
}
