//! Re-deriving a log from the C2SP tiles that it publishes over HTTP (tlog-tiles).
//!
//! Every entry bundle is hashed, the tree is built again from the leaf hashes, and every published
//! tile of every level, and the root, must be what comes out. [`Mode::Full`] also reads each entry,
//! verifies its claim, and replays the issuer registry: what stands in the log was allowed to be
//! appended, in order, once.
//!
//! Bundles are fetched and hashed on all cores, a bounded number ahead of the one task that puts
//! their hashes in order into the tree. Memory does not grow with the log in [`Mode::HashesOnly`];
//! in full mode it grows by 32 bytes a claim.
//!
//! Left out: other people's word. An audit shows that what this address serves is one log that its
//! signed checkpoint covers; that everybody is served the same log is what witnesses are for. It
//! does compare with the last head seen, if one is given.

mod error;
mod fetch;
mod replay;
mod tiles;

pub use error::AuditError;
pub(crate) use fetch::Site;

use crate::{
    Tls,
    heads::{Relation, relate},
    times::BEHIND_MS,
};
use assay_tlog::Hash;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::note::VerifierKey;
use assay_tlog::tree::{Frontier, TreeSize};
use fetch::Bundle;
use futures::{StreamExt, TryStreamExt, stream};
use replay::Replay;
use std::sync::Arc;
use tiles::Tiles;

/// Leaves in a full bundle and hashes in a full tile (C2SP tlog-tiles).
pub(crate) const WIDTH: u64 = 256;

/// How far the last leaf may be ahead of the auditor's clock (docs/design.md 3.5, Time).
const AHEAD_MS: u64 = 10 * 60 * 1000;

/// How deep an audit looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The tree only: every tile and the root follow from the entries' bytes.
    HashesOnly,
    /// And every entry: format, claim, signatures, issuers' standing, order of time, no claim
    /// twice; and the index, rebuilt.
    Full,
}

/// What to audit and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// How deep to look.
    pub mode: Mode,
    /// Bundles that are fetched at the same time, at least 1.
    pub in_flight: usize,
    /// A head seen before; the log must contain it.
    pub known: Option<VerifiedCheckpoint>,
    /// TLS settings for `https://` addresses.
    pub tls: Tls,
    /// The auditor's clock, in milliseconds since 1970 (UTC); a full audit holds the last leaf
    /// against it.
    pub now_ms: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            mode: Mode::Full,
            in_flight: 16,
            known: None,
            tls: Tls::default(),
            now_ms: None,
        }
    }
}

/// How far an audit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Leaves done.
    pub done: u64,
    /// Leaves in all.
    pub total: u64,
}

/// A log that was re-derived from its tiles: everything that [`Options::mode`] asks for holds.
#[derive(Debug, Clone)]
pub struct Audited {
    checkpoint: VerifiedCheckpoint,
    mode: Mode,
    tiles: u64,
    issuers: u64,
    labels: u64,
    last_at_ms: Option<u64>,
    known: Option<TreeSize>,
    behind: Option<TreeSize>,
}

impl Audited {
    /// The checkpoint whose root came out.
    pub fn checkpoint(&self) -> &VerifiedCheckpoint {
        &self.checkpoint
    }

    /// How deep the audit looked.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Tiles compared, of all levels.
    pub fn tiles(&self) -> u64 {
        self.tiles
    }

    /// Issuers registered; 0 if only hashes were looked at.
    pub fn issuers(&self) -> u64 {
        self.issuers
    }

    /// Labels in the index, which was rebuilt; 0 if only hashes were looked at.
    pub fn labels(&self) -> u64 {
        self.labels
    }

    /// When the log made its last leaf, in milliseconds since 1970 (UTC); `None` if only hashes
    /// were looked at, or the log is empty.
    pub fn last_at_ms(&self) -> Option<u64> {
        self.last_at_ms
    }

    /// Whether the last leaf is older than a log that runs lets it become; `false` if
    /// [`Audited::last_at_ms`] is not known.
    pub fn is_stale(&self, now_ms: u64) -> bool {
        self.last_at_ms
            .is_some_and(|last| now_ms.saturating_sub(last) > BEHIND_MS)
    }

    /// The size of the earlier head that is contained in the log, if one was given and is not
    /// larger than the log.
    pub fn contains_known(&self) -> Option<TreeSize> {
        self.known
    }

    /// The size of the earlier head, if one was given and is larger than the log that is served
    /// now. Nothing of the log was compared with it then: what was logged since is missing here,
    /// because the log was put back, or because a copy of it lags.
    pub fn behind_known(&self) -> Option<TreeSize> {
        self.behind
    }
}

/// Audits the log published at `url` and returns what was found to hold.
///
/// `progress` is called after every bundle. It must run on a multi-threaded tokio runtime to use
/// more than one core. Fails with the first [`AuditError`], whose variants say who is to blame.
pub async fn run(
    url: &str,
    log: &VerifierKey,
    options: Options,
    progress: impl Fn(Progress),
) -> Result<Audited, AuditError> {
    let site = Arc::new(Site::new(url, &options.tls, options.in_flight)?);
    let checkpoint = site.checkpoint(log).await?;
    let size = checkpoint.size().get();
    let known = Known::new(options.known.as_ref(), &checkpoint)?;
    progress(Progress {
        done: 0,
        total: size,
    });

    let mut tree = Frontier::new();
    let mut tiles = Tiles::new(site.clone(), checkpoint.size());
    let replay = (options.mode == Mode::Full).then(|| Arc::new(Replay::default()));
    let mut bundles = stream::iter(0..size.div_ceil(WIDTH))
        .map(|index| {
            let width = (size - index * WIDTH).min(WIDTH);
            fetch(site.clone(), index, width, replay.clone())
        })
        .buffered(options.in_flight.max(1));
    let mut done = 0;
    while let Some(bundle) = bundles.try_next().await? {
        let Bundle { hashes, entries } = bundle;
        known.check_within(&mut tree, &mut tiles, &hashes)?;
        if let (Some(replay), Some(entries)) = (&replay, entries) {
            replay.apply(entries)?;
        }
        done += hashes.len() as u64;
        progress(Progress { done, total: size });
    }
    drop(bundles);
    if tree.root() != checkpoint.root() {
        return Err(AuditError::Root {
            computed: tree.root(),
            signed: checkpoint.root(),
        });
    }
    let tiles = tiles.finish().await?;
    let mut audited = Audited {
        mode: options.mode,
        tiles,
        issuers: 0,
        labels: 0,
        last_at_ms: None,
        known: known.size(),
        behind: known.behind(),
        checkpoint,
    };
    if let Some(replay) = replay {
        audited.add(&replay, options.now_ms)?;
    }
    Ok(audited)
}

impl Audited {
    /// Adds what the replay of every entry showed.
    fn add(&mut self, replay: &Replay, now_ms: Option<u64>) -> Result<(), AuditError> {
        let size = self.checkpoint.size().get();
        replay.finish()?;
        let last = replay.last_at_ms();
        check_clock(last, now_ms)?;
        self.issuers = replay.issuers();
        self.labels = replay.labels();
        self.last_at_ms = (size > 0).then_some(last);
        Ok(())
    }
}

fn check_clock(last_at_ms: u64, now_ms: Option<u64>) -> Result<(), AuditError> {
    let ahead = last_at_ms.saturating_sub(now_ms.unwrap_or(last_at_ms));
    if ahead > AHEAD_MS {
        return Err(AuditError::Future(ahead / 60_000));
    }
    Ok(())
}

/// Fetches and hashes a bundle in a task of its own, so that hashing is spread over the cores while
/// the caller keeps the order.
async fn fetch(
    site: Arc<Site>,
    index: u64,
    width: u64,
    replay: Option<Arc<Replay>>,
) -> Result<Bundle, AuditError> {
    match tokio::spawn(async move { site.bundle(index, width, replay).await }).await {
        Ok(bundle) => bundle,
        Err(e) => Err(AuditError::Interrupted(e.to_string())),
    }
}

/// The head seen before, as far as it can be compared.
enum Known {
    /// None was given.
    Nothing,
    /// It is larger than what is served now, of this size.
    Larger(TreeSize),
    /// The tree must have this root at this size.
    Head(TreeSize, Hash),
}

impl Known {
    fn new(
        known: Option<&VerifiedCheckpoint>,
        now: &VerifiedCheckpoint,
    ) -> Result<Self, AuditError> {
        let Some(known) = known else {
            return Ok(Known::Nothing);
        };
        match relate(known, now) {
            Relation::Older => Ok(Known::Larger(known.size())),
            Relation::Fork => Err(AuditError::fork(known, now)),
            Relation::Same | Relation::Newer => Ok(Known::Head(known.size(), known.root())),
        }
    }

    fn size(&self) -> Option<TreeSize> {
        match self {
            Known::Nothing | Known::Larger(_) => None,
            Known::Head(size, _) => Some(*size),
        }
    }

    fn behind(&self) -> Option<TreeSize> {
        match self {
            Known::Larger(size) => Some(*size),
            Known::Nothing | Known::Head(..) => None,
        }
    }

    /// Appends a bundle's hashes to the tree, stopping where the head seen before ends to compare
    /// the root.
    fn check_within(
        &self,
        tree: &mut Frontier,
        tiles: &mut Tiles,
        hashes: &[Hash],
    ) -> Result<(), AuditError> {
        let before = tree.size().get();
        let rest = match self {
            Known::Head(size, root)
                if (before..before + hashes.len() as u64).contains(&size.get()) =>
            {
                let (first, rest) = hashes.split_at((size.get() - before) as usize);
                // These tiles are not whole yet; those that the rest gives are.
                tree.append(first);
                if tree.root() != *root {
                    return Err(AuditError::NotAnExtension { known: *size });
                }
                rest
            }
            _ => hashes,
        };
        // A head that ends with this bundle is compared before the next one, and the log's own was
        // at first.
        if !rest.is_empty() {
            tiles.changed(tree.append(rest));
        }
        Ok(())
    }
}
