//! The task that follows one log: asks for its checkpoint, copies what is missing, cosigns.

use super::copy::{Copy, Shared};
use super::fault::RoundError;
use super::shelf::ShownLog;
use super::site::{FetchError, Site};
use crate::reason::with_causes;
use crate::storage::Tables;
use assay_claims::misbehavior::{Rewrite, VerifiedMisbehavior};
use assay_tlog::head::{LogVerifier, VerifiedHead};
use assay_tlog::mirror::{Followed, Fork, NotYet, VerifiedTree};
use assay_tlog::tree::bundle::BUNDLE_BYTES;
use assay_tlog::tree::tile::TILE_WIDTH;
use assay_tlog::tree::{Resource, TileIndex};
use futures::{StreamExt, stream};
use std::{cmp::Ordering, sync::Arc, time::Duration};
use tokio::sync::{Mutex, OwnedMutexGuard, watch};

/// Bundles that are fetched at once.
const WINDOW: usize = 8;

/// Longest bundle that is fetched beside others, in bytes: eight of these are 16 MiB. A longer one
/// is fetched by itself.
const BESIDE_OTHERS: usize = (16 << 20) / WINDOW;

/// Bundles that are asked of the machine at once: as many as one tile above the leaves has.
const BATCH: u64 = TILE_WIDTH as u64;

/// First wait after a fault, in milliseconds. It doubles each time.
const BACKOFF_MS: u64 = 100;

/// Longest wait after a fault, in milliseconds.
const BACKOFF_MOST_MS: u64 = 60_000;

/// One log.
pub struct Follower<S> {
    /// What is the same for every log.
    pub shared: Arc<Shared<S>>,
    /// Origin and keys.
    pub log: Arc<LogVerifier>,
    /// Where it is published.
    pub site: Site,
    /// What is shown of it.
    pub shown: Arc<ShownLog>,
    /// How often it is asked for its checkpoint.
    pub poll: Duration,
    /// What is known, unless something failed since.
    pub(super) copy: Option<Copy<S>>,
    /// Held while the store is used, so that nobody else goes on before that is done.
    store: Arc<Mutex<()>>,
    /// Rounds that failed, one after the other.
    failures: u32,
    last: Option<&'static str>,
}

impl<S: Tables + 'static> Follower<S> {
    /// A log that is followed once [`Follower::run`] is called.
    pub fn new(
        shared: Arc<Shared<S>>,
        log: LogVerifier,
        site: Site,
        shown: Arc<ShownLog>,
        poll: Duration,
    ) -> Self {
        Follower {
            shared,
            log: Arc::new(log),
            site,
            shown,
            poll,
            copy: None,
            store: Arc::default(),
            failures: 0,
            last: None,
        }
    }

    /// Follows the log until `stop` says so, or is gone. On return, nothing is written any more.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let store = self.store.clone();
        tokio::select! {
            () = async { _ = stop.wait_for(|stop| *stop).await } => {}
            () = self.rounds() => {}
        }
        drop(store.lock().await);
    }

    async fn rounds(&mut self) {
        // What is stored is shown before the log is asked.
        let loaded = self.load().await;
        match loaded {
            Ok(copy) => self.copy = Some(copy),
            Err(error) => self.report(&error),
        }
        loop {
            let wait = match self.round().await {
                Ok(()) => {
                    self.recovered();
                    self.poll
                }
                Err(RoundError::Stopped) => return,
                Err(error) => {
                    self.convict(&error).await;
                    self.report(&error);
                    self.backoff()
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// Asks for the checkpoint, and does what follows from it.
    pub(super) async fn round(&mut self) -> Result<(), RoundError> {
        let note = self.site.checkpoint().await?;
        let head = self.log.verify(&note)?;
        let mut copy = match self.copy.take() {
            Some(copy) => copy,
            None => self.load().await?,
        };
        match copy.mirror.compare(&head)? {
            Ordering::Less => return self.blocking(move || copy.older(&head)).await,
            Ordering::Greater => {
                let tree = self.tree(&head).await?;
                let (next, tree) = self.follow(copy, tree).await?;
                copy = self.copy_entries(next, tree).await?;
            }
            Ordering::Equal if copy.mirror.pending().is_some() => {
                let tree = self.tree(&head).await?;
                copy = self.copy_entries(copy, tree).await?;
            }
            Ordering::Equal => {}
        }
        let finished = self.blocking(move || {
            copy.finish(&note)?;
            Ok(copy)
        });
        self.copy = Some(finished.await?);
        self.measure();
        Ok(())
    }

    pub(super) async fn load(&self) -> Result<Copy<S>, RoundError> {
        let (shared, log) = (self.shared.clone(), self.log.clone());
        let shown = self.shown.clone();
        self.blocking(move || Copy::load(shared, log, shown)).await
    }

    /// Keeps what proves that the log signed two histories, if that is why a round ended.
    async fn convict(&self, error: &RoundError) {
        let RoundError::Fork(fork) = error else {
            return;
        };
        let evidence = self.shared.evidence.clone();
        if let (Some(evidence), Some(found)) = (evidence, found(fork, &self.log)) {
            // It reports what it keeps, and what it cannot.
            let _ = tokio::task::spawn_blocking(move || evidence.keep(&found)).await;
        }
    }

    /// Fetches the right edge of the tree of a head.
    async fn tree(&self, head: &VerifiedHead) -> Result<VerifiedTree, RoundError> {
        let mut edge = Vec::new();
        for path in VerifiedTree::edge(head.size()) {
            if let Resource::Tile(tile) = path.resource() {
                edge.push(self.site.tile(tile, path.width()).await?);
            }
        }
        Ok(VerifiedTree::new(head.clone(), edge)?)
    }

    async fn add(&self, tree: &mut VerifiedTree, wanted: Vec<TileIndex>) -> Result<(), RoundError> {
        for at in wanted {
            let tile = self.site.tile(at, TILE_WIDTH as u16).await?;
            tree.add(at, tile)?;
        }
        Ok(())
    }

    /// Makes the head of a tree the pending one, if that tree begins with the one held.
    async fn follow(
        &self,
        mut copy: Copy<S>,
        mut tree: VerifiedTree,
    ) -> Result<(Copy<S>, VerifiedTree), RoundError> {
        loop {
            match copy.mirror.follow(&tree)? {
                Followed::Pending => break,
                Followed::Needs(NotYet(wanted)) => self.add(&mut tree, wanted).await?,
            }
        }
        let copy = self.blocking(move || {
            copy.store_pending()?;
            Ok(copy)
        });
        Ok((copy.await?, tree))
    }

    /// Copies what is missing of the pending head, one bundle after the other.
    async fn copy_entries(
        &self,
        mut copy: Copy<S>,
        mut tree: VerifiedTree,
    ) -> Result<Copy<S>, RoundError> {
        loop {
            let bundles = copy.mirror.window(BATCH);
            if bundles.is_empty() {
                return Ok(copy);
            }
            loop {
                let wanted = tree.wanted(bundles.clone());
                if wanted.is_empty() {
                    break;
                }
                self.add(&mut tree, wanted).await?;
            }
            let size = tree.size();
            let mut fetching = stream::iter(bundles)
                .map(|index| {
                    let width = TileIndex { level: 0, index }.width_at(size);
                    let site = self.site.clone();
                    // A task of its own, so that it goes on while another bundle is stored.
                    let fetch = async move { site.bundle(index, width, BESIDE_OTHERS).await };
                    let task = tokio::spawn(fetch);
                    async move { (index, width, task.await) }
                })
                .buffered(WINDOW);
            while let Some((index, width, fetched)) = fetching.next().await {
                let bytes = match fetched.map_err(|_| RoundError::Stopped)? {
                    Err(FetchError::TooLong { .. }) => {
                        self.site.bundle(index, width, BUNDLE_BYTES).await?
                    }
                    other => other?,
                };
                let stored = self.blocking(move || {
                    copy.append(&tree, index, bytes)?;
                    Ok((copy, tree))
                });
                (copy, tree) = stored.await?;
                metrics::counter!("assay_mirror_bundles_total").increment(1);
            }
            drop(fetching);
            tree.forget_before(copy.mirror.entries().next_leaf());
        }
    }

    /// Does something that uses the store, on a thread that may wait. It goes on to its end if
    /// nobody waits for it any more.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, RoundError> + Send + 'static,
    ) -> Result<T, RoundError> {
        let alone: OwnedMutexGuard<()> = self.store.clone().lock_owned().await;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(alone);
            done
        });
        done.await.map_err(|_| RoundError::Stopped)?
    }

    /// How long to wait: a random time up to a limit that doubles each time, so that many mirrors
    /// do not come back at once.
    fn backoff(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let most = BACKOFF_MS << self.failures.min(16);
        let most = most.min(BACKOFF_MOST_MS);
        let random = getrandom::u64().unwrap_or_default();
        Duration::from_millis(BACKOFF_MS + random % most)
    }

    fn origin(&self) -> String {
        self.log.origin().to_owned()
    }

    fn measure(&self) {
        let Some(copy) = &self.copy else { return };
        let entries = copy.mirror.entries().get();
        metrics::gauge!("assay_mirror_entries", "log" => self.origin()).set(entries as f64);
    }

    /// Says what is wrong, once for as long as it is the same.
    fn report(&mut self, error: &RoundError) {
        let kind = error.kind();
        let (origin, url) = (self.log.origin(), self.site.url());
        metrics::counter!("assay_mirror_failures_total", "log" => self.origin(), "kind" => kind)
            .increment(1);
        metrics::gauge!("assay_mirror_source_ok", "log" => self.origin()).set(0.0);
        let reason = with_causes(error);
        if self.last == Some(kind) {
            tracing::debug!(origin, url, kind, reason, "a log is still not mirrored");
        } else {
            tracing::warn!(
                origin,
                url,
                kind,
                reason,
                "a log cannot be mirrored; trying again"
            );
        }
        self.last = Some(kind);
    }

    fn recovered(&mut self) {
        metrics::gauge!("assay_mirror_source_ok", "log" => self.origin()).set(1.0);
        if self.last.take().is_some() {
            let (origin, url) = (self.log.origin(), self.site.url());
            tracing::info!(origin, url, "a log is mirrored again");
        }
        self.failures = 0;
    }
}

/// What convicts a log of a fork (docs/federation.md, "Misbehavior").
fn found(fork: &Fork, log: &LogVerifier) -> Option<VerifiedMisbehavior> {
    match fork {
        Fork::Split(view) => {
            let notes = view.notes();
            let first = log.verify(notes.first()?).ok()?;
            let last = log.verify(notes.last()?).ok()?;
            VerifiedMisbehavior::of_log(&first, &last, None).ok()
        }
        Fork::Rewrite(rewrite) => {
            let proof = Rewrite {
                actual: rewrite.actual,
                path: &rewrite.path,
            };
            VerifiedMisbehavior::of_log(&rewrite.older, &rewrite.newer, Some(proof)).ok()
        }
    }
}
