//! The task that follows one log: asks for its checkpoint, copies what is missing, cosigns. What
//! the log does not serve is asked of other mirrors (`elsewhere`).

use super::copied::Copied;
use super::fault::RoundError;
use super::limits::{BESIDE_OTHERS, Memory, Room};
use super::site::{FetchError, Site};
use crate::reason::with_causes;
use crate::storage::Tables;
use assay_claims::misbehavior::{Rewrite, VerifiedMisbehavior};
use assay_tlog::head::{LogVerifier, VerifiedHead};
use assay_tlog::mirror::{AppendError, Followed, Fork, NotYet, VerifiedTree};
use assay_tlog::tree::bundle::BUNDLE_BYTES;
use assay_tlog::tree::tile::TILE_WIDTH;
use assay_tlog::tree::{LeafIndex, TileIndex};
use futures::{FutureExt, StreamExt, stream::FuturesOrdered};
use std::{
    cmp::Ordering,
    collections::HashMap,
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// Bundles that are fetched at once. One at a time after a fault or a slow fetch: who is slow, or
/// never ends a bundle, holds nothing of the memory of all.
const WINDOW: usize = 8;

/// Most bundles that are stored by one commit: others come meanwhile.
const TOGETHER: usize = WINDOW / 2;

/// A fetch that takes so long is slow.
const SLOW: Duration = Duration::from_secs(2);

/// For how many times as long as a slow fetch took bundles are fetched one at a time.
const ALONE: u32 = 10;

/// Bundles that are asked of the machine at once: as many as one tile above the leaves has.
const BATCH: u64 = TILE_WIDTH as u64;

/// First wait after a fault, in milliseconds. It doubles each time.
const BACKOFF_MS: u64 = 100;

/// Longest wait after a fault, in milliseconds.
const BACKOFF_MOST_MS: u64 = 60_000;

/// The task of one log.
pub struct Follower<S> {
    /// The log.
    pub copied: Arc<Copied<S>>,
    /// How often it is asked for its checkpoint.
    pub poll: Duration,
    /// Rounds that failed, one after the other, and in which nobody else helped.
    pub(super) failures: u32,
    last: Option<&'static str>,
    /// Until when bundles are fetched one at a time.
    alone: Option<Instant>,
    /// What is wrong with other mirrors, by address, as it was said last.
    pub(super) useless: HashMap<String, &'static str>,
}

impl<S: Tables + 'static> Follower<S> {
    /// A log that is followed once [`Follower::run`] is called.
    pub fn new(copied: Arc<Copied<S>>, poll: Duration) -> Self {
        Follower {
            copied,
            poll,
            failures: 0,
            last: None,
            alone: None,
            useless: HashMap::new(),
        }
    }

    /// Follows the log until `stop` says so, or is gone. On return, nothing is written by it any
    /// more.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let copied = self.copied.clone();
        tokio::select! {
            () = async { _ = stop.wait_for(|stop| *stop).await } => {}
            () = self.rounds() => {}
        }
        copied.close().await;
    }

    async fn rounds(&mut self) {
        // What is stored is shown before the log is asked.
        if let Err(error) = self.copied.with(|_| Ok(())).await {
            self.report(&error);
        }
        loop {
            let wait = match self.round().await {
                Ok(()) => {
                    self.recovered();
                    self.poll
                }
                Err(RoundError::Stopped) => return,
                // Heads came to add-checkpoint meanwhile.
                Err(RoundError::Append(AppendError::OtherTree)) => self.poll,
                Err(error) => {
                    self.convict(&error).await;
                    self.report(&error);
                    if error.is_damage() {
                        self.rebuild().await;
                    }
                    self.backoff()
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// Asks the log, and if it does not serve what it signed, other mirrors of it. Fails as the log
    /// did, also if these had something.
    pub(super) async fn round(&mut self) -> Result<(), RoundError> {
        // First what is stored: if that is damaged, it is repaired, whether the log answers or not.
        self.copied.with(|_| Ok(())).await?;
        match self.ask_log().await {
            Err(error) if error.is_of_source() => {
                self.ask_mirrors().await?;
                Err(error)
            }
            other => other,
        }
    }

    /// Asks for the checkpoint, and does what follows from it.
    async fn ask_log(&mut self) -> Result<(), RoundError> {
        let copied = self.copied.clone();
        let site = &copied.site;
        let note = site.checkpoint().await?;
        let head = copied.log.verify(&note)?;
        self.saw(&head);
        let compared = head.clone();
        let (order, entries) = copied
            .with(move |copy| Ok((copy.mirror.compare(&compared)?, copy.mirror.entries())))
            .await?;
        match order {
            Ordering::Less => copied.with(move |copy| copy.older(&head)).await?,
            Ordering::Equal if entries >= head.size() => {}
            Ordering::Equal => {
                let tree = tree(site, &head).await?;
                self.copy_entries(site, tree).await?;
            }
            Ordering::Greater => self.copy_greater(site, head).await?,
        }
        let entries = copied.with(move |copy| {
            copy.finish(&note)?;
            Ok(copy.mirror.entries())
        });
        let entries = entries.await?.get();
        metrics::gauge!("assay_mirror_entries", "log" => self.origin()).set(entries as f64);
        Ok(())
    }

    /// Brings back what the disk damaged, without which nothing of the log is shown.
    async fn rebuild(&self) {
        let origin = self.copied.log.origin();
        match self.copied.rebuild().await {
            Ok(true) => tracing::info!(origin, "the copy goes on from its mirrored head"),
            Ok(false) => tracing::error!(
                origin,
                "the copy is damaged, and neither the log nor another mirror has what is missing"
            ),
            Err(error) => {
                let reason = with_causes(&error);
                tracing::error!(origin, reason, "the copy is damaged and cannot be repaired");
            }
        }
    }

    /// Keeps what proves that the log signed two histories, if that is why a round ended.
    async fn convict(&self, error: &RoundError) {
        let RoundError::Fork(fork) = error else {
            return;
        };
        let evidence = self.copied.shared.evidence.clone();
        if let (Some(evidence), Some(found)) = (evidence, found(fork, &self.copied.log)) {
            // It reports what it keeps, and what it cannot.
            let _ = tokio::task::spawn_blocking(move || evidence.keep(&found)).await;
        }
    }

    /// Tells of a head. It may never be followed, and may be one that nobody else was shown.
    pub(super) fn saw(&self, head: &VerifiedHead) {
        let shown = self.copied.shown.head.load_full();
        if shown.is_none_or(|shown| shown.size() != head.size()) {
            self.copied.shared.seen.saw(head);
        }
    }

    /// Copies a head that is larger than the one held.
    pub(super) async fn copy_greater(
        &mut self,
        site: &Site,
        head: VerifiedHead,
    ) -> Result<(), RoundError> {
        self.copied.limits.check_size(head.size())?;
        let tree = tree(site, &head).await?;
        let tree = self.follow(site, tree).await?;
        self.copy_entries(site, tree).await
    }

    /// Makes the head of a tree the pending one, if that tree begins with the one held.
    async fn follow(
        &self,
        site: &Site,
        mut tree: VerifiedTree,
    ) -> Result<VerifiedTree, RoundError> {
        loop {
            let followed = self.copied.with(move |copy| {
                let followed = copy.follow(&tree)?;
                Ok((followed, tree))
            });
            let (followed, back) = followed.await?;
            tree = back;
            match followed {
                Followed::Pending => return Ok(tree),
                Followed::Needs(NotYet(wanted)) => add(site, &mut tree, wanted).await?,
            }
        }
    }

    /// Copies what is missing of a tree that is pending, one bundle after the other.
    pub(super) async fn copy_entries(
        &mut self,
        site: &Site,
        mut tree: VerifiedTree,
    ) -> Result<(), RoundError> {
        let size = tree.size();
        loop {
            let window = self
                .copied
                .with(move |copy| Ok(copy.mirror.window(size, BATCH)));
            let bundles = window.await?;
            if bundles.is_empty() {
                return Ok(());
            }
            loop {
                let wanted = tree.wanted(bundles.clone());
                if wanted.is_empty() {
                    break;
                }
                add(site, &mut tree, wanted).await?;
            }
            tree = self.copy_bundles(site, bundles, tree).await?;
        }
    }

    /// Copies bundles whose tiles are known, and forgets the tiles that only led to them.
    async fn copy_bundles(
        &mut self,
        site: &Site,
        bundles: Range<u64>,
        mut tree: VerifiedTree,
    ) -> Result<VerifiedTree, RoundError> {
        let copied = self.copied.clone();
        let memory = &copied.shared.memory;
        let mut bundles = bundles.fuse();
        let mut fetching = FuturesOrdered::new();
        let mut next = 0;
        loop {
            while let Some(room) = self.room(fetching.len(), memory, Instant::now()) {
                let Some(index) = bundles.next() else { break };
                let width = TileIndex { level: 0, index }.width_at(tree.size());
                let site = site.clone();
                // A task of its own, so that it goes on while another bundle is stored.
                fetching.push_back(tokio::spawn(async move {
                    let begun = Instant::now();
                    let bytes = site.bundle(index, width, BESIDE_OTHERS).await;
                    let took = begun.elapsed();
                    Fetched {
                        index,
                        width,
                        bytes,
                        took,
                        room,
                    }
                }));
            }
            let Some(first) = fetching.next().await else {
                break;
            };
            let mut arrived = vec![first.map_err(|_| RoundError::Stopped)?];
            while arrived.len() < TOGETHER && arrived.last().is_some_and(Fetched::is_ok) {
                // What is here already; the rest goes on coming.
                let Some(Some(more)) = fetching.next().now_or_never() else {
                    break;
                };
                arrived.push(more.map_err(|_| RoundError::Stopped)?);
            }
            (next, tree) = self.store(site, arrived, tree).await?;
        }
        tree.forget_before(LeafIndex::new(next));
        Ok(tree)
    }

    /// Stores bundles that arrived, one after the other, up to the first that did not come or is
    /// not the log's. Returns how many entries are stored.
    async fn store(
        &mut self,
        site: &Site,
        arrived: Vec<Fetched>,
        tree: VerifiedTree,
    ) -> Result<(u64, VerifiedTree), RoundError> {
        let (mut bundles, mut rooms, mut last) = (Vec::new(), Vec::new(), None);
        for fetched in arrived {
            self.took(fetched.took, Instant::now());
            rooms.push(fetched.room);
            match fetched.bytes {
                Ok(bytes) => bundles.push((fetched.index, bytes)),
                // It is the last that was taken.
                Err(error) => last = Some((fetched.index, fetched.width, error)),
            }
        }
        let stored = self.append(bundles, tree).await?;
        drop(rooms);
        match last {
            None => Ok(stored),
            Some((index, width, FetchError::TooLong { .. })) => {
                let _room = self.copied.shared.memory.long_room().await;
                let bytes = site.bundle(index, width, BUNDLE_BYTES).await?;
                self.append(vec![(index, bytes)], stored.1).await
            }
            Some((_, _, error)) => Err(error.into()),
        }
    }

    /// Verifies and stores bundles, one after the other. Returns how many entries are stored.
    async fn append(
        &self,
        bundles: Vec<(u64, Vec<u8>)>,
        tree: VerifiedTree,
    ) -> Result<(u64, VerifiedTree), RoundError> {
        let stored = self.copied.with(move |copy| {
            let verified = bundles
                .into_iter()
                .map(|(index, bytes)| Ok(tree.bundle(index, bytes)?));
            copy.append_all(verified)?;
            Ok((copy.mirror.entries().get(), tree))
        });
        stored.await
    }

    /// Room for one bundle more beside those that are being fetched, if there is some. The first
    /// one has room of its own; room of all logs is taken if there is some at once.
    pub(super) fn room(&self, fetching: usize, memory: &Memory, now: Instant) -> Option<Room> {
        if fetching == 0 {
            return Some(Memory::own_room());
        }
        let is_alone = self.alone.is_some_and(|until| now < until);
        if self.failures > 0 || is_alone || fetching >= WINDOW {
            return None;
        }
        memory.try_room()
    }

    /// Notes how long a bundle took to come. A slow log has no more than its own room for a while,
    /// so that it keeps those that are not from theirs a tenth of the time at most.
    pub(super) fn took(&mut self, took: Duration, now: Instant) {
        if took >= SLOW {
            self.alone = Some(now + ALONE * took);
        }
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
        self.copied.log.origin().to_owned()
    }

    /// Says what is wrong, once for as long as it is the same.
    fn report(&mut self, error: &RoundError) {
        let kind = error.kind();
        let (origin, url) = (self.copied.log.origin(), self.copied.site.url());
        metrics::counter!("assay_mirror_failures_total", "log" => self.origin(), "kind" => kind)
            .increment(1);
        metrics::gauge!("assay_mirror_source_ok", "log" => self.origin()).set(0.0);
        self.measure_room(matches!(error, RoundError::NoRoom(_)));
        let reason = with_causes(error);
        if self.last == Some(kind) {
            tracing::debug!(origin, url, kind, reason, "a log is still not mirrored");
        } else if let RoundError::NoRoom(reason) = error {
            tracing::error!(origin, url, %reason, "a log is not copied any further");
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

    fn measure_room(&self, is_over: bool) {
        metrics::gauge!("assay_mirror_over_limit", "log" => self.origin()).set(f64::from(is_over));
    }

    fn recovered(&mut self) {
        self.measure_room(false);
        metrics::gauge!("assay_mirror_source_ok", "log" => self.origin()).set(1.0);
        if self.last.take().is_some() {
            let (origin, url) = (self.copied.log.origin(), self.copied.site.url());
            tracing::info!(origin, url, "a log is mirrored again");
        }
        self.failures = 0;
    }
}

/// Fetches the right edge of the tree of a head.
pub(super) async fn tree(site: &Site, head: &VerifiedHead) -> Result<VerifiedTree, RoundError> {
    let edge = site.edge(head.size()).await?;
    Ok(VerifiedTree::new(head.clone(), edge)?)
}

/// Adds full tiles to a tree.
pub(super) async fn add(
    site: &Site,
    tree: &mut VerifiedTree,
    wanted: Vec<TileIndex>,
) -> Result<(), RoundError> {
    for at in wanted {
        let tile = site.tile(at, TILE_WIDTH as u16).await?;
        tree.add(at, tile)?;
    }
    Ok(())
}

/// A bundle that was fetched, or was not.
struct Fetched {
    index: u64,
    width: u16,
    bytes: Result<Vec<u8>, FetchError>,
    took: Duration,
    room: Room,
}

impl Fetched {
    fn is_ok(&self) -> bool {
        self.bytes.is_ok()
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
