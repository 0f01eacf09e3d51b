//! Following names: what is listed under them beyond what is done, each entry proven, and none left
//! out between.

use crate::{Client, ClientError, Cursor, Head};
use assay_claims::claim::ClaimError;
use assay_claims::index::list::ListFrontier;
use assay_claims::index::{AnswerError, Found, Label, VerifiedPages};
use assay_claims::logged::LoggedClaim;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::tree::LeafIndex;
use std::collections::{BTreeMap, BTreeSet};

/// Something new under the labels.
#[derive(Debug)]
pub struct Fresh {
    /// Its place.
    pub leaf: LeafIndex,
    /// The claim, or why it does not verify: it is logged all the same.
    pub claim: Result<LoggedClaim, ClaimError>,
    /// The labels that it is listed under, of the names that are followed.
    pub labels: Vec<Label>,
}

/// What is new.
#[derive(Debug, Default)]
pub struct News {
    /// In the order of the leaves.
    pub fresh: Vec<Fresh>,
    /// Every head that something of it rests on, and that nothing else is new.
    pub heads: Vec<Head>,
    /// Whether there is more by now, to be asked for again.
    pub more: bool,
    /// Entries of the log that it is complete as of.
    size: u64,
}

/// Where somebody begins who follows names: at the end of what there is.
#[derive(Debug)]
pub struct Beginning {
    /// Every head that it rests on.
    pub heads: Vec<Head>,
    done: BTreeMap<Label, ListFrontier>,
    size: u64,
}

/// The labels of names.
#[derive(Default)]
struct Labels {
    found: Vec<Found>,
    /// Every head that they rest on.
    heads: Vec<Head>,
    /// Entries of the log in the oldest of these.
    size: u64,
}

/// What a list has beyond what is done.
struct Beyond {
    pages: VerifiedPages,
    /// Entries of the log in the last page's checkpoint.
    size: u64,
}

impl Cursor {
    /// Asks where the end is. It fails as [`Client::list`] does.
    pub async fn end(&self, client: &Client) -> Result<Beginning, ClientError> {
        let Labels {
            found,
            mut heads,
            size,
        } = self.labels(client).await?;
        let mut done = BTreeMap::new();
        for found in found {
            let pages = client.list(&found.label).await?;
            for page in pages.pages() {
                Head::add(&mut heads, page.proven());
            }
            let leaves = pages.leaves().take_while(|leaf| leaf.get() < size);
            done.insert(found.label, leaves.collect());
        }
        Ok(Beginning { heads, done, size })
    }

    /// Begins there: whatever was listed then is done.
    pub fn begin(&mut self, beginning: Beginning) -> Result<(), ClientError> {
        (self.done, self.size) = (beginning.done, beginning.size);
        self.save()
    }

    /// The labels of the names, as of the oldest checkpoint of the answers.
    async fn labels(&self, client: &Client) -> Result<Labels, ClientError> {
        let mut labels = Labels {
            size: u64::MAX,
            ..Labels::default()
        };
        for name in &self.names {
            let (as_of, census) = client.census(*name, &mut labels.heads).await?;
            labels.size = labels.size.min(as_of);
            labels.found.extend(census);
        }
        Ok(labels)
    }

    /// Asks what is new. `None` if nothing is, or if the node lags behind what was seen of the log.
    ///
    /// It guarantees that nothing is left out: each list, from what is done to its end, is the one
    /// in the index. All of it is in memory at once. It fails as [`Client::list`] does, all lists
    /// together being no larger than one may be.
    pub async fn news(&self, client: &Client) -> Result<Option<News>, ClientError> {
        self.news_after(client, &client.checkpoint().await?).await
    }

    /// As [`Cursor::news`], where the node's head is known: that nothing is new rests on it.
    pub async fn news_after(
        &self,
        client: &Client,
        head: &VerifiedCheckpoint,
    ) -> Result<Option<News>, ClientError> {
        if head.size().get() <= self.size {
            return Ok(None);
        }
        let Labels { found, heads, size } = self.labels(client).await?;
        self.check_kept(&found)?;
        let lists = self.beyond(client, found).await?;
        // Labels are asked for one after the other, and the log may grow meanwhile: what only the
        // later ones can show waits.
        let sizes = lists.iter().map(|(_, beyond)| beyond.size);
        let size = sizes.fold(size, u64::min);
        let mut fresh: BTreeMap<LeafIndex, Fresh> = BTreeMap::new();
        let mut news = News {
            size,
            more: lists.iter().any(|(_, beyond)| beyond.size > size),
            heads,
            ..News::default()
        };
        for (label, beyond) in lists {
            for page in beyond.pages.pages() {
                let page = page.proven();
                Head::add(&mut news.heads, page);
                for (leaf, claim) in page.claims(&(), |leaf| leaf.get() < size) {
                    let one = fresh.entry(leaf).or_insert_with(|| Fresh {
                        leaf,
                        claim,
                        labels: Vec::new(),
                    });
                    one.labels.push(label);
                }
            }
        }
        news.fresh = fresh.into_values().collect();
        Ok(Some(news))
    }

    /// What these lists have beyond what is done, each verified to continue that to its end.
    async fn beyond(
        &self,
        client: &Client,
        labels: Vec<Found>,
    ) -> Result<Vec<(Label, Beyond)>, ClientError> {
        let mut allowance = client.allowance();
        let mut lists = Vec::new();
        for found in labels {
            let label = found.label;
            let done = self.done.get(&label).cloned().unwrap_or_default();
            if done.length() == found.length && done.root() == found.list_root {
                continue;
            }
            let pages = client.pages(&label, &done, &mut allowance).await?;
            let pages = pages.map_err(not_continued)?;
            let last = pages.pages().last().map(|page| page.proven().checkpoint());
            let size = last.map_or(0, |checkpoint| checkpoint.size().get());
            lists.push((label, Beyond { pages, size }));
        }
        Ok(lists)
    }

    /// Checks that every label that was there is there: lists only grow.
    fn check_kept(&self, labels: &[Found]) -> Result<(), ClientError> {
        let now: BTreeSet<Label> = labels.iter().map(|found| found.label).collect();
        match self.done.keys().find(|label| !now.contains(label)) {
            Some(gone) => Err(not_continued(AnswerError::ListGone(*gone))),
            None => Ok(()),
        }
    }

    /// Remembers that something new was dealt with; it and what came before it will not be shown
    /// again.
    pub fn done(&mut self, fresh: &Fresh) -> Result<(), ClientError> {
        for label in &fresh.labels {
            self.done.entry(*label).or_default().push(fresh.leaf);
        }
        self.save()
    }

    /// Remembers that all news were dealt with.
    pub fn caught_up(&mut self, news: &News) -> Result<(), ClientError> {
        self.size = self.size.max(news.size);
        self.save()
    }
}

impl Client {
    /// When the log last committed to its index, by its own clock, in milliseconds since 1970. It
    /// is the time of the last leaf of the node's latest checkpoint, proven to be in the log.
    ///
    /// Fails as [`Client::entries`] does, and with [`ClientError::Unverified`] if that leaf is no
    /// commitment.
    pub async fn committed_at_ms(&self, head: &VerifiedCheckpoint) -> Result<u64, ClientError> {
        let size = head.size().get();
        let last = LeafIndex::new(size.saturating_sub(1));
        let page = self.entries(last, LeafIndex::new(size)).await?;
        match page.entries.first() {
            // It is no lie that a node behind one address has an older head than another one.
            None => Err(ClientError::Unavailable {
                what: format!("the node showed a head of size {size}, and then an older one"),
                retry_after: None,
                source: None,
            }),
            Some(last) if last.claim.is_none() => Ok(last.entry.logged_at_ms()),
            _ => Err(ClientError::unverified(
                "the last leaf of a checkpoint does not commit to the index",
            )),
        }
    }
}

fn not_continued(error: AnswerError) -> ClientError {
    match error {
        AnswerError::ListGone(_) => ClientError::unverified(
            "the list of a label became shorter, which no list of a log ever does",
        ),
        _ => ClientError::unverified_by(
            "the list of a label does not continue the one that was seen before: entries were \
             hidden, added or exchanged",
            error,
        ),
    }
}
