//! One mirrored log: what is being copied, how far, and what may be cosigned.

use super::fork::{self, Beginning, Fork};
use super::source::{NotYet, VerifiedBundle, VerifiedTree};
use crate::hash::Hash;
use crate::head::VerifiedHead;
use crate::tree::tile::TILE_WIDTH;
use crate::tree::{self, Frontier, LeafIndex, ProveError, TileIndex, TileReader, TreeSize, bundle};
use crate::witness::{ClockFloor, Decision, LogState, Refused, SignedRequest};
use std::cmp::Ordering;
use std::ops::Range;

/// Heads that are pending at once: whoever brings entries of one that the log has overtaken goes on
/// with it (C2SP tlog-mirror, `add-entries`: "any of the last several pending checkpoint values").
const PENDING: usize = 4;

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
    /// It was verified in a tree that is not pending, or not any more. The caller verifies it in
    /// another one.
    #[error("the bundle was verified in another tree than those that are being copied")]
    OtherTree,
    /// The caller's mistake: the entries before it are missing.
    #[error("entry {next} comes next, and bundle {index} is after it")]
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

/// Why a head does not become the mirrored one.
#[derive(Debug, thiserror::Error)]
pub enum FinishError<E> {
    /// What is stored is not its tree, which can only be if the stored tiles were damaged before
    /// the mirror resumed.
    #[error("what is stored does not give the root of the head of size {0}")]
    Damaged(TreeSize),
    /// The stored tiles cannot be read.
    #[error("the stored tiles cannot be read")]
    Tiles(#[from] ProveError<E>),
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
    /// How many of them are new.
    pub new: u64,
    /// How many bytes of the bundle these have.
    pub new_bytes: u64,
}

/// The state of one mirrored log. The size of the mirrored head ≤ entries ≤ the size of the largest
/// pending one, and none of the three ever falls.
#[derive(Debug, Clone, Default)]
pub struct Mirror {
    mirrored: Option<VerifiedHead>,
    /// Larger than the mirrored one, in the order of their sizes. Each is the beginning of the
    /// next.
    pending: Vec<VerifiedHead>,
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
        // A log may be mirrored when it is empty.
        let is_news = |head: &VerifiedHead| stored.mirrored.is_none() || head.size() > mirrored;
        Ok(Mirror {
            pending: stored.pending.into_iter().filter(is_news).collect(),
            mirrored: stored.mirrored,
            tree,
        })
    }

    /// The head that may be cosigned: every entry of it was stored.
    pub fn mirrored(&self) -> Option<&VerifiedHead> {
        self.mirrored.as_ref()
    }

    /// The largest head that is being copied.
    pub fn pending(&self) -> Option<&VerifiedHead> {
        self.pending.last()
    }

    /// The head of this size, if it is the mirrored one or pending.
    pub fn known(&self, size: TreeSize) -> Option<&VerifiedHead> {
        let mut known = self.mirrored.iter().chain(&self.pending);
        known.find(|head| head.size() == size)
    }

    /// How many entries are stored.
    pub fn entries(&self) -> TreeSize {
        self.tree.size()
    }

    /// The largest head that is known: what a new one must extend.
    pub fn held(&self) -> Option<&VerifiedHead> {
        self.pending().or(self.mirrored.as_ref())
    }

    /// The frontier of the entries that are stored.
    pub fn tree(&self) -> &Frontier {
        &self.tree
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
        if let Some(held) = self.held()
            && let Some(needed) = begins_with(tree, held)?
        {
            return Ok(Followed::Needs(needed));
        }
        self.push(tree.head().clone());
        Ok(Followed::Pending)
    }

    /// Makes a head pending that is smaller than the one held: somebody has the entries of it, and
    /// nobody those of the larger one. `tree` is the tree of the head held. A head that is not
    /// larger than the mirrored one changes nothing.
    ///
    /// Fails with [`FollowError::Fork`] if the log signed two trees that cannot meet, and with
    /// [`FollowError::Unproven`] if `tree` is not of the head held.
    pub fn follow_smaller(
        &mut self,
        head: &VerifiedHead,
        tree: &VerifiedTree,
    ) -> Result<Followed, FollowError> {
        let is_held = self
            .held()
            .is_some_and(|held| (held.size(), held.root()) == (tree.size(), tree.head().root()));
        if !is_held || head.size() > tree.size() {
            return Err(FollowError::Unproven(tree.size()));
        }
        if let Some(needed) = begins_with(tree, head)? {
            return Ok(Followed::Needs(needed));
        }
        self.recall(head.clone());
        Ok(Followed::Pending)
    }

    /// Makes a head pending that came with a proof that it extends the one held: `add-checkpoint`,
    /// which is decided as by a witness (C2SP tlog-mirror). The caller stores the pending head
    /// before it answers 200, without a cosignature.
    ///
    /// Fails with what is answered, and with what the request proves against the log.
    pub fn add_checkpoint(&mut self, request: &SignedRequest) -> Result<(), Box<Refused>> {
        let state = self.held().map_or(LogState::Never, |held| LogState::Held {
            size: held.size(),
            root: held.root(),
            at: 0,
        });
        // No time is stated, so that any one will do.
        match request.decide(&state, ClockFloor::new(1), 1) {
            Decision::Refuse(refused) => Err(Box::new(refused)),
            Decision::Cosign(_) => {
                let head = request.head();
                if self.held().is_none_or(|held| held.size() < head.size()) {
                    self.push(head.clone());
                }
                Ok(())
            }
        }
    }

    fn push(&mut self, head: VerifiedHead) {
        if self.pending.len() == PENDING {
            self.pending.remove(0);
        }
        self.pending.push(head);
    }

    /// Makes a head pending again that was pending before, and that the log has overtaken. The
    /// caller knows that it was: the head alone does not show that this mirror accepted it.
    pub fn recall(&mut self, head: VerifiedHead) {
        let held = self.held().map(VerifiedHead::size);
        let mirrored = self.mirrored.as_ref().map(VerifiedHead::size);
        let is_between = Some(head.size()) > mirrored && Some(head.size()) < held;
        if !is_between || self.known(head.size()).is_some() {
            return;
        }
        if self.pending.len() == PENDING {
            self.pending.remove(0);
        }
        let place = self.pending.partition_point(|it| it.size() < head.size());
        self.pending.insert(place, head);
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

    /// The bundles of the tree of `size` to be fetched next, at most `window` of them: the first
    /// has the next entry. None if nothing is missing.
    pub fn window(&self, size: TreeSize, window: u64) -> Range<u64> {
        let width = TILE_WIDTH as u64;
        let next = self.entries().get() / width;
        if size <= self.entries() {
            return next..next;
        }
        let end = size.get().div_ceil(width);
        next..end.min(next.saturating_add(window))
    }

    /// Appends what is missing of a bundle, and returns what is to be stored, or `None` if nothing
    /// of it is missing: somebody else was faster. Fails with [`AppendError`], changing nothing.
    pub fn append(&mut self, bundle: VerifiedBundle) -> Result<Option<Write>, AppendError> {
        let next = self.tree.size().next_leaf();
        let width = TILE_WIDTH as u64;
        let known = (next.get() % width) as usize;
        let index = bundle.index;
        // Before its tree is looked for: what is here already changes nothing, and the tree may
        // have been overtaken.
        if index < next.get() / width
            || (index == next.get() / width && known >= bundle.hashes.len())
        {
            return Ok(None);
        }
        let head = self.known(bundle.size).ok_or(AppendError::OtherTree)?;
        if head.root() != bundle.root {
            return Err(AppendError::OtherTree);
        }
        if index > next.get() / width {
            return Err(AppendError::OutOfOrder { next, index });
        }
        let (before, new) = bundle.hashes.split_at(known);
        if before != self.tree.last_leaves() {
            return Err(AppendError::Damaged(next));
        }
        let tiles = self.tree.append(new);
        // A verified bundle has that many entries, and each can be read.
        let new_entries = bundle::entries(&bundle.bytes).flatten().skip(known);
        Ok(Some(Write {
            bundle: index,
            new: new.len() as u64,
            new_bytes: new_entries.map(|entry| 2 + entry.len() as u64).sum(),
            bytes: bundle.bytes,
            tiles,
            entries: self.tree.size(),
        }))
    }

    /// The largest pending head of which all entries were stored.
    pub fn covered(&self) -> Option<TreeSize> {
        let mut sizes = self.pending.iter().rev().map(VerifiedHead::size);
        sizes.find(|size| *size <= self.entries())
    }

    /// Makes the pending head of `size` the mirrored one, if all its entries were stored. The
    /// caller stores that before it signs. Returns false, and changes nothing, if it is not pending
    /// or entries are missing. `tiles` reads the stored tiles, if the head is an overtaken one.
    ///
    /// Fails with [`FinishError`].
    pub fn finish<R: TileReader + ?Sized>(
        &mut self,
        size: TreeSize,
        tiles: &R,
    ) -> Result<bool, FinishError<R::Error>> {
        let place = self.pending.iter().position(|head| head.size() == size);
        let Some(place) = place.filter(|_| size <= self.entries()) else {
            return Ok(false);
        };
        let root = if size == self.entries() {
            self.tree.root()
        } else {
            tree::root(tiles, size)?
        };
        if root != self.pending[place].root() {
            return Err(FinishError::Damaged(size));
        }
        self.mirrored = self.pending.drain(..=place).next_back();
        Ok(true)
    }
}

/// Fails if a tree does not begin with that of a head which is not larger, and returns which tiles
/// are needed to tell, if some are missing.
fn begins_with(tree: &VerifiedTree, head: &VerifiedHead) -> Result<Option<NotYet>, FollowError> {
    match fork::beginning(tree, head, tree.head()) {
        Ok(Beginning::Is) => Ok(None),
        Ok(Beginning::IsNot(rewrite)) => Err(Fork::Rewrite(rewrite).into()),
        Err(ProveError::Read(missing)) => Ok(Some(missing)),
        Ok(Beginning::Unproven) | Err(_) => Err(FollowError::Unproven(tree.size())),
    }
}
