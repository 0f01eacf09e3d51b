//! One mirrored log: what is being copied, how far, and what may be cosigned.

use super::fork::{self, Beginning, Fork};
use super::source::{NotYet, VerifiedBundle, VerifiedTree};
use crate::hash::Hash;
use crate::head::VerifiedHead;
use crate::tree::tile::TILE_WIDTH;
use crate::tree::{self, Frontier, LeafIndex, ProveError, TileIndex, TileReader, TreeSize};
use std::cmp::Ordering;
use std::ops::Range;

/// What is stored of a mirrored log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    /// The head of which every entry is stored.
    pub mirrored: Option<VerifiedHead>,
    /// The head that is being copied, of which some entries may be missing.
    pub pending: Option<VerifiedHead>,
    /// How many entries are stored.
    pub entries: TreeSize,
}

/// Why a mirror does not go on from what is stored.
#[derive(Debug, thiserror::Error)]
pub enum ResumeError<E> {
    /// There are fewer entries than the mirrored head has, or more than were ever asked for.
    #[error("{entries} entries are stored, but the heads have {mirrored} and {pending}")]
    Sizes {
        /// Entries that are stored.
        entries: TreeSize,
        /// The size of the mirrored head, 0 if there is none.
        mirrored: TreeSize,
        /// The size of the head that is being copied.
        pending: TreeSize,
    },
    /// The stored tiles do not give the root of a stored head.
    #[error("the stored tiles do not give the root of the head of size {0} that is stored")]
    Root(TreeSize),
    /// The tiles cannot be read.
    #[error("the stored tiles cannot be read")]
    Tiles(#[from] ProveError<E>),
}

/// What became of a head that is not below the one held.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Followed {
    /// It is pending now. The caller stores it before it goes on.
    Pending,
    /// These tiles are needed first.
    Needs(NotYet),
}

/// Why a head is not followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FollowError {
    /// The log signed two trees that cannot meet.
    #[error(transparent)]
    Fork(#[from] Fork),
    /// The tiles do not say whether the trees meet. Tiles that were checked always do.
    #[error("the tiles of the tree of size {0} do not lead to its root")]
    Unproven(TreeSize),
}

/// What is known of a head that is smaller than the one held.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Older {
    /// It is the beginning of what is held: late news.
    Consistent,
    /// It convicts the log.
    Fork(Box<Fork>),
    /// The entries of it are not stored yet, or the stored tiles are damaged.
    Unknown,
}

/// Why a verified bundle cannot be appended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The caller's mistake: it was verified in another tree than the pending one.
    #[error("the bundle was verified in another tree than the one that is being copied")]
    OtherTree,
    /// The caller's mistake: it is not the one that has the next entry.
    #[error("entry {next} comes next, and it is not in bundle {index}")]
    OutOfOrder {
        /// The next entry.
        next: LeafIndex,
        /// The bundle.
        index: u64,
    },
    /// What is stored is not what was verified before: this machine's fault.
    #[error(
        "what is stored before entry {0} is not the beginning of the tree that is being copied"
    )]
    Damaged(LeafIndex),
}

/// What is to be stored together, before anything else is done with the mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Which bundle.
    pub bundle: u64,
    /// The bundle as it is in the tree so far. It takes the place of a shorter one.
    pub bytes: Vec<u8>,
    /// The tiles that changed, whole.
    pub tiles: Vec<(TileIndex, Vec<Hash>)>,
    /// How many entries are stored then.
    pub entries: TreeSize,
}

/// The state of one mirrored log. The size of the mirrored head ≤ entries ≤ the size of the pending
/// one, and none of the three ever falls.
#[derive(Debug, Clone, Default)]
pub struct Mirror {
    mirrored: Option<VerifiedHead>,
    pending: Option<VerifiedHead>,
    tree: Frontier,
}

impl Mirror {
    /// The mirror of a log of which nothing is known.
    pub fn new() -> Self {
        Mirror::default()
    }

    /// Goes on from what is stored; `tiles` reads the stored tiles. Fails with [`ResumeError`].
    pub fn resume<R: TileReader + ?Sized>(
        stored: Stored,
        tiles: &R,
    ) -> Result<Self, ResumeError<R::Error>> {
        let size =
            |head: &Option<VerifiedHead>| head.as_ref().map_or(TreeSize::EMPTY, |h| h.size());
        let (mirrored, pending) = (size(&stored.mirrored), size(&stored.pending));
        let entries = stored.entries;
        if entries < mirrored || entries > mirrored.max(pending) {
            return Err(ResumeError::Sizes {
                entries,
                mirrored,
                pending,
            });
        }
        let tree = Frontier::load(tiles, entries)?;
        for head in [&stored.mirrored, &stored.pending].into_iter().flatten() {
            let is_whole = head.size() <= entries;
            if is_whole && tree::root(tiles, head.size())? != head.root() {
                return Err(ResumeError::Root(head.size()));
            }
        }
        Ok(Mirror {
            // A log may be mirrored when it is empty.
            pending: stored
                .pending
                .filter(|head| stored.mirrored.is_none() || head.size() > mirrored),
            mirrored: stored.mirrored,
            tree,
        })
    }

    /// The head that may be cosigned: every entry of it was stored.
    pub fn mirrored(&self) -> Option<&VerifiedHead> {
        self.mirrored.as_ref()
    }

    /// The head that is being copied.
    pub fn pending(&self) -> Option<&VerifiedHead> {
        self.pending.as_ref()
    }

    /// How many entries are stored.
    pub fn entries(&self) -> TreeSize {
        self.tree.size()
    }

    /// The largest head that is known: what a new one must extend.
    pub fn held(&self) -> Option<&VerifiedHead> {
        self.pending.as_ref().or(self.mirrored.as_ref())
    }

    /// Compares a head with the one held, as far as that needs no tile. Fails with [`Fork::Split`].
    pub fn compare(&self, head: &VerifiedHead) -> Result<Ordering, Fork> {
        fork::split(self.held(), head)?;
        let held = self.held().map(VerifiedHead::size);
        Ok(Some(head.size()).cmp(&held))
    }

    /// Makes the head of `tree` the pending one, if that tree begins with the one held. A head that
    /// is not larger than the held one changes nothing.
    ///
    /// Fails with [`FollowError::Fork`] if the log signed two trees that cannot meet: the first
    /// stays.
    pub fn follow(&mut self, tree: &VerifiedTree) -> Result<Followed, FollowError> {
        if self.compare(tree.head())? != Ordering::Greater {
            return Ok(Followed::Pending);
        }
        if let Some(held) = self.held() {
            match fork::beginning(tree, held, tree.head()) {
                Ok(Beginning::Is) => {}
                Ok(Beginning::IsNot(rewrite)) => return Err(Fork::Rewrite(rewrite).into()),
                Err(ProveError::Read(missing)) => return Ok(Followed::Needs(missing)),
                Ok(Beginning::Unproven) | Err(_) => {
                    return Err(FollowError::Unproven(tree.size()));
                }
            }
        }
        self.pending = Some(tree.head().clone());
        Ok(Followed::Pending)
    }

    /// Says what a head proves that is smaller than the one held; `tiles` reads the stored tiles.
    /// Fails as the reader does.
    pub fn older<R: TileReader + ?Sized>(
        &self,
        head: &VerifiedHead,
        tiles: &R,
    ) -> Result<Older, ProveError<R::Error>> {
        let Some(mirrored) = self
            .mirrored
            .as_ref()
            .filter(|held| head.size() <= held.size())
        else {
            return Ok(Older::Unknown);
        };
        if let Err(split) = fork::split(Some(mirrored), head) {
            return Ok(Older::Fork(Box::new(split)));
        }
        Ok(match fork::beginning(tiles, head, mirrored)? {
            Beginning::Is => Older::Consistent,
            Beginning::IsNot(rewrite) => Older::Fork(Box::new(Fork::Rewrite(rewrite))),
            Beginning::Unproven => Older::Unknown,
        })
    }

    /// The bundles to be fetched next, at most `window` of them: the first has the next entry. None
    /// if nothing is missing.
    pub fn window(&self, window: u64) -> Range<u64> {
        let width = TILE_WIDTH as u64;
        let next = self.entries().get() / width;
        let Some(pending) = &self.pending else {
            return next..next;
        };
        if pending.size() <= self.entries() {
            return next..next;
        }
        let end = pending.size().get().div_ceil(width);
        next..end.min(next.saturating_add(window))
    }

    /// Appends what is missing of a bundle, and returns what is to be stored. Fails with
    /// [`AppendError`], changing nothing.
    pub fn append(&mut self, bundle: VerifiedBundle) -> Result<Write, AppendError> {
        let pending = self.pending.as_ref().ok_or(AppendError::OtherTree)?;
        if (pending.size(), pending.root()) != (bundle.size, bundle.root) {
            return Err(AppendError::OtherTree);
        }
        let next = self.tree.size().next_leaf();
        let width = TILE_WIDTH as u64;
        let known = (next.get() % width) as usize;
        if bundle.index != next.get() / width || known >= bundle.hashes.len() {
            return Err(AppendError::OutOfOrder {
                next,
                index: bundle.index,
            });
        }
        let (before, new) = bundle.hashes.split_at(known);
        if before != self.tree.last_leaves() {
            return Err(AppendError::Damaged(next));
        }
        let tiles = self.tree.append(new);
        Ok(Write {
            bundle: bundle.index,
            bytes: bundle.bytes,
            tiles,
            entries: self.tree.size(),
        })
    }

    /// Returns the pending head once all its entries were stored. From then on it is the mirrored
    /// one, which the caller stores before it signs. `None` while entries are missing.
    ///
    /// Fails with [`AppendError::Damaged`] if what is stored is not its tree, which can only be if
    /// the stored tiles were damaged before the mirror resumed.
    pub fn finish(&mut self) -> Result<Option<&VerifiedHead>, AppendError> {
        let Some(pending) = &self.pending else {
            return Ok(None);
        };
        if pending.size() != self.tree.size() {
            return Ok(None);
        }
        if pending.root() != self.tree.root() {
            return Err(AppendError::Damaged(self.tree.size().next_leaf()));
        }
        self.mirrored = self.pending.take();
        Ok(self.mirrored.as_ref())
    }
}
