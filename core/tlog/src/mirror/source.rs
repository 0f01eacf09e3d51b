//! The tree of a head, in tiles that somebody serves. Each is checked before it counts.

use crate::hash::{Hash, leaf_hash};
use crate::head::VerifiedHead;
use crate::tree::bundle::{self, BundleError};
use crate::tree::frontier::partial_tiles;
use crate::tree::tile::TILE_WIDTH;
use crate::tree::{self, LeafIndex, Resource, Tile, TileIndex, TilePath, TileReader, TreeSize};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// How a source does not serve the tree that a log signed. It proves nothing against the log:
/// whoever serves may have damaged it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceFault {
    /// The tiles on the right edge of the tree do not give its root.
    #[error("the partial tiles of the tree of size {size} do not give the root that was signed")]
    Edge {
        /// The size of the tree.
        size: TreeSize,
    },
    /// Another number of tiles than the right edge has.
    #[error("the tree of size {size} has {want} partial tiles, and {got} came")]
    EdgeTiles {
        /// The size of the tree.
        size: TreeSize,
        /// Tiles that the edge has.
        want: usize,
        /// Tiles that came.
        got: usize,
    },
    /// A tile has fewer hashes than in the tree.
    #[error("tile {index} of level {level} has {got} hashes in place of {want}",
        index = tile.index, level = tile.level)]
    Narrow {
        /// The tile.
        tile: TileIndex,
        /// Hashes that it has in the tree.
        want: u16,
        /// Hashes that came.
        got: usize,
    },
    /// A full tile does not give the hash that the tile above it has for it.
    #[error("tile {index} of level {level} does not give the hash in the tile above it",
        index = tile.index, level = tile.level)]
    Tile {
        /// The tile.
        tile: TileIndex,
    },
    /// The bytes are no bundle.
    #[error("bundle {index} of entries is malformed")]
    Malformed {
        /// The bundle.
        index: u64,
        /// Why.
        #[source]
        reason: BundleError,
    },
    /// A bundle has another number of entries than in the tree, and is not full.
    #[error("bundle {index} has {got} entries in place of {want}")]
    Entries {
        /// The bundle.
        index: u64,
        /// Entries that it has in the tree.
        want: u16,
        /// Entries that came.
        got: usize,
    },
    /// The entries are not those of the tree.
    #[error("the entries of bundle {index} are not those of the tree")]
    Bundle {
        /// The bundle.
        index: u64,
    },
    /// The caller's mistake: the tile or bundle is not in the tree, or the tile above it is not
    /// known.
    #[error("tile {index} of level {level} is not in the tree, or cannot be checked yet",
        index = tile.index, level = tile.level)]
    Unasked {
        /// The tile, or that of a bundle's leaf hashes.
        tile: TileIndex,
    },
}

/// Tiles that have to be fetched and added before the question can be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} tiles are not known yet", .0.len())]
pub struct NotYet(pub Vec<TileIndex>);

/// The tree that a log signed, as far as its tiles are known. Every tile in it follows from the
/// signed root.
#[derive(Debug, Clone)]
pub struct VerifiedTree {
    head: VerifiedHead,
    tiles: BTreeMap<TileIndex, Arc<Tile>>,
}

impl VerifiedTree {
    /// The partial tiles of the tree of `size`, at most eight, which [`VerifiedTree::new`] takes in
    /// this order: where each is published.
    pub fn edge(size: TreeSize) -> Vec<TilePath> {
        partial_tiles(size.get())
            .filter_map(|tile| TilePath::new(Resource::Tile(tile), tile.width_at(size)).ok())
            .collect()
    }

    /// Takes the tiles of [`VerifiedTree::edge`], of which one may be wider, as in a later tree.
    /// Fails with [`SourceFault`] unless they give the root of `head`.
    ///
    /// They are checked to the last hash: the root is computed from peaks of the tree, and those in
    /// a partial tile are over all that it has.
    pub fn new(head: VerifiedHead, edge: Vec<Tile>) -> Result<Self, SourceFault> {
        let size = head.size();
        let places: Vec<TileIndex> = partial_tiles(size.get()).collect();
        if edge.len() != places.len() {
            return Err(SourceFault::EdgeTiles {
                size,
                want: places.len(),
                got: edge.len(),
            });
        }
        let mut tiles = BTreeMap::new();
        for (at, tile) in places.into_iter().zip(edge) {
            tiles.insert(at, Arc::new(cut(at, tile, size)?));
        }
        let tree = VerifiedTree { head, tiles };
        match tree::root(&tree, size) {
            Ok(root) if root == tree.head.root() => Ok(tree),
            _ => Err(SourceFault::Edge { size }),
        }
    }

    /// The head that was signed.
    pub fn head(&self) -> &VerifiedHead {
        &self.head
    }

    /// The size of the tree.
    pub fn size(&self) -> TreeSize {
        self.head.size()
    }

    /// The tiles that are known: those on the right edge, and those that were added.
    pub fn known(&self) -> impl Iterator<Item = (TileIndex, &Tile)> {
        self.tiles.iter().map(|(at, tile)| (*at, &**tile))
    }

    /// Returns the tiles to be fetched before these bundles can be checked: the highest ones that
    /// are not known, each once. When they were added, the caller asks again, until there are none.
    pub fn wanted(&self, bundles: Range<u64>) -> Vec<TileIndex> {
        let mut wanted = Vec::new();
        for index in bundles {
            let leaves = TileIndex { level: 0, index };
            if usize::from(leaves.width_at(self.size())) == TILE_WIDTH {
                push_new(&mut wanted, self.unknown(tile_above(leaves).0));
            }
        }
        wanted
    }

    /// Adds a full tile, whose parent must be known. Fails with [`SourceFault`], changing nothing.
    pub fn add(&mut self, at: TileIndex, tile: Tile) -> Result<(), SourceFault> {
        let expected = self.expected(at)?;
        let tile = cut(at, tile, self.size())?;
        if tile.node(tree::tile::TILE_HEIGHT, 0) != Some(expected) {
            return Err(SourceFault::Tile { tile: at });
        }
        self.tiles.insert(at, Arc::new(tile));
        Ok(())
    }

    /// Forgets the tiles that only lead to entries before `next`. What is needed again is fetched
    /// again.
    pub fn forget_before(&mut self, next: LeafIndex) {
        self.tiles.retain(|at, tile| {
            let shift = tree::tile::TILE_HEIGHT * (u32::from(at.level) + 1);
            let is_edge = tile.width() < TILE_WIDTH;
            is_edge || next.get().checked_shr(shift).unwrap_or(0) <= at.index
        });
    }

    /// Checks that `bytes` are bundle `index` of the tree, or the full bundle that it becomes in a
    /// later one, of which the rest is cut off. Fails with [`SourceFault`].
    pub fn bundle(&self, index: u64, bytes: Vec<u8>) -> Result<VerifiedBundle, SourceFault> {
        let tile = TileIndex { level: 0, index };
        let width = tile.width_at(self.size());
        if width == 0 {
            return Err(SourceFault::Unasked { tile });
        }
        let Leaves { hashes, length } = leaves(index, &bytes, width)?;
        let is_right = if usize::from(width) == TILE_WIDTH {
            let expected = self.expected(tile)?;
            let root = Tile::from_hashes(hashes.clone()).ok();
            root.and_then(|tile| tile.node(tree::tile::TILE_HEIGHT, 0)) == Some(expected)
        } else {
            let edge = self.tiles.get(&tile).ok_or(SourceFault::Unasked { tile })?;
            edge.hashes() == hashes
        };
        if !is_right {
            return Err(SourceFault::Bundle { index });
        }
        let mut bytes = bytes;
        bytes.truncate(length);
        Ok(VerifiedBundle {
            size: self.size(),
            root: self.head.root(),
            index,
            bytes,
            hashes,
        })
    }

    /// The root of a full tile, by the tile above it.
    fn expected(&self, at: TileIndex) -> Result<Hash, SourceFault> {
        let unasked = SourceFault::Unasked { tile: at };
        if usize::from(at.width_at(self.size())) != TILE_WIDTH {
            return Err(unasked);
        }
        let (parent, position) = tile_above(at);
        let parent = self.tiles.get(&parent);
        let hash = parent.and_then(|parent| parent.hashes().get(position));
        hash.copied().ok_or(unasked)
    }

    /// The highest tile that must be fetched before `at` is known, or `None` if it is known.
    ///
    /// The way up ends at the right edge, where the last tile of each level is known: the highest
    /// level has no other.
    fn unknown(&self, at: TileIndex) -> Option<TileIndex> {
        let mut unknown = None;
        let mut at = at;
        while !self.tiles.contains_key(&at) && at.level < 8 {
            unknown = Some(at);
            at = tile_above(at).0;
        }
        unknown
    }
}

impl TileReader for VerifiedTree {
    type Error = NotYet;

    fn tiles(&self, wanted: &[TileIndex], _size: TreeSize) -> Result<Vec<Arc<Tile>>, NotYet> {
        let mut tiles = Vec::with_capacity(wanted.len());
        let mut missing = Vec::new();
        for at in wanted {
            match self.tiles.get(at) {
                Some(tile) => tiles.push(tile.clone()),
                None => push_new(&mut missing, self.unknown(*at)),
            }
        }
        if missing.is_empty() {
            Ok(tiles)
        } else {
            Err(NotYet(missing))
        }
    }
}

/// A bundle of entries that is a tree's. Only [`VerifiedTree::bundle`] makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedBundle {
    pub(super) size: TreeSize,
    pub(super) root: Hash,
    pub(super) index: u64,
    pub(super) bytes: Vec<u8>,
    pub(super) hashes: Vec<Hash>,
}

impl VerifiedBundle {
    /// Which bundle.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Its leaf hashes, one for each entry.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// The entries, as they are published.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// What the first entries of a bundle are.
struct Leaves {
    hashes: Vec<Hash>,
    /// How many bytes they have.
    length: usize,
}

/// Hashes the first `width` entries of a bundle, which has that many or is full.
fn leaves(index: u64, bytes: &[u8], width: u16) -> Result<Leaves, SourceFault> {
    let mut hashes = Vec::with_capacity(usize::from(width));
    let mut length = 0;
    let mut got = 0;
    for entry in bundle::entries(bytes) {
        let entry = entry.map_err(|reason| SourceFault::Malformed { index, reason })?;
        if got < usize::from(width) {
            hashes.push(leaf_hash(entry));
            length += 2 + entry.len();
        }
        got += 1;
    }
    if got == usize::from(width) || got == TILE_WIDTH {
        Ok(Leaves { hashes, length })
    } else {
        Err(SourceFault::Entries {
            index,
            want: width,
            got,
        })
    }
}

/// The tile above a full one, and where in it the hash of that one is.
pub fn tile_above(at: TileIndex) -> (TileIndex, usize) {
    let width = TILE_WIDTH as u64;
    let parent = TileIndex {
        level: at.level + 1,
        index: at.index / width,
    };
    (parent, (at.index % width) as usize)
}

/// A tile as it is in the tree of `size`.
fn cut(at: TileIndex, tile: Tile, size: TreeSize) -> Result<Tile, SourceFault> {
    let want = at.width_at(size);
    let got = tile.width();
    if got == usize::from(want) {
        return Ok(tile);
    }
    let narrow = SourceFault::Narrow {
        tile: at,
        want,
        got,
    };
    let hashes = tile
        .hashes()
        .get(..usize::from(want))
        .ok_or(narrow.clone())?;
    Tile::from_hashes(hashes.to_vec()).map_err(|_| narrow)
}

fn push_new(tiles: &mut Vec<TileIndex>, tile: Option<TileIndex>) {
    if let Some(tile) = tile
        && !tiles.contains(&tile)
    {
        tiles.push(tile);
    }
}
