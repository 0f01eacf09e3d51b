//! Tiles of hashes and the paths that they and entry bundles are published under (C2SP tlog-tiles).
//!
//! ```text
//! tile/<L>/<N>[.p/<W>]         level L (0 to 63), the N-th tile of the level; if it is partial, W
//!                              hashes wide (1 to 255)
//! tile/entries/<N>[.p/<W>]     the N-th bundle of entries
//! N is written in groups of three digits, all but the last preceded by x: x001/x234/067
//! ```
//!
//! Left out: whether a tile is the right one. Hashes are checked by what is computed from them.

use super::size::TreeSize;
use crate::hash::{Hash, node_hash};
use std::fmt;

/// Levels of the tree that one tile spans.
pub const TILE_HEIGHT: u32 = 8;

/// Hashes in a full tile, and entries in a full bundle.
pub const TILE_WIDTH: usize = 1 << TILE_HEIGHT;

/// Which tile: the `index`-th of `level`. Level 0 has the leaf hashes; each hash of a higher level
/// is the root over a full tile of the level below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileIndex {
    /// The level, 0 to 63 in a path. A tree of 64-bit size fills no level above 7.
    pub level: u8,
    /// The zero-based position within the level.
    pub index: u64,
}

impl TileIndex {
    /// How many hashes the tile has in the tree of `size`: 0 if it is not there at all, 256 if it
    /// is full. A bundle has as many entries as the tile of level 0 with its index.
    pub fn width_at(self, size: TreeSize) -> u16 {
        let hashes = size
            .get()
            .checked_shr(TILE_HEIGHT * u32::from(self.level))
            .unwrap_or(0);
        let width = TILE_WIDTH as u64;
        let before = self.index.checked_mul(width);
        before.map_or(0, |before| hashes.saturating_sub(before).min(width)) as u16
    }
}

/// Why bytes or text are not a tile or its path. Whoever sent them made the mistake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// Not 1 to 256 hashes of 32 bytes.
    #[error("{0} bytes are not a tile, which has 1 to 256 hashes of 32 bytes")]
    Size(usize),
    /// Not a path of C2SP tlog-tiles, or not in its only spelling.
    #[error("not the path of a tile or of an entry bundle")]
    Path,
}

/// What a path under `tile/` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// A tile of hashes.
    Tile(TileIndex),
    /// The entry bundle with this index.
    Entries(u64),
}

/// The path of a tile or of an entry bundle, relative to the log's URL. Its width is always 1 to
/// 256, its level at most 63.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TilePath {
    resource: Resource,
    width: u16,
}

impl TilePath {
    const LEVEL_MAX: u8 = 63;

    /// Names `resource` at the given width, which is 1 to 256, and 256 for a full one. Fails with
    /// [`TileError::Path`] for any other width, and for a level above 63.
    pub fn new(resource: Resource, width: u16) -> Result<Self, TileError> {
        let level_ok = !matches!(resource, Resource::Tile(tile) if tile.level > Self::LEVEL_MAX);
        if level_ok && (1..=TILE_WIDTH).contains(&usize::from(width)) {
            Ok(TilePath { resource, width })
        } else {
            Err(TileError::Path)
        }
    }

    /// What the path names.
    pub fn resource(&self) -> Resource {
        self.resource
    }

    /// How many hashes or entries it has, 1 to 256.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// The path, for example `tile/0/x001/x234/067.p/12` or `tile/entries/000`; no slash in front.
    pub fn to_path(&self) -> String {
        self.to_string()
    }

    /// Reads a path. Only the one spelling that [`TilePath::to_path`] writes is accepted, else
    /// [`TileError::Path`].
    pub fn parse(path: &str) -> Result<Self, TileError> {
        Self::parse_loosely(path)
            .filter(|parsed| parsed.to_path() == path)
            .ok_or(TileError::Path)
    }

    /// Reads every spelling of a path, and some others that its caller must refuse.
    fn parse_loosely(path: &str) -> Option<Self> {
        let (level, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (
                index,
                width
                    .parse()
                    .ok()
                    .filter(|width| usize::from(*width) < TILE_WIDTH)?,
            ),
            None => (rest, TILE_WIDTH as u16),
        };
        let index = index.split('/').try_fold(0_u64, |index, group| {
            let group: u64 = group
                .trim_start_matches('x')
                .parse()
                .ok()
                .filter(|group| *group < 1000)?;
            index.checked_mul(1000)?.checked_add(group)
        })?;
        let resource = match level {
            "entries" => Resource::Entries(index),
            level => Resource::Tile(TileIndex {
                level: level.parse().ok()?,
                index,
            }),
        };
        TilePath::new(resource, width).ok()
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let index = match self.resource {
            Resource::Tile(TileIndex { level, index }) => {
                write!(f, "tile/{level}")?;
                index
            }
            Resource::Entries(index) => {
                f.write_str("tile/entries")?;
                index
            }
        };
        let mut unit = 1_u64;
        while index / unit >= 1000 {
            unit *= 1000;
        }
        while unit > 1 {
            write!(f, "/x{:03}", index / unit % 1000)?;
            unit /= 1000;
        }
        write!(f, "/{:03}", index % 1000)?;
        if usize::from(self.width) < TILE_WIDTH {
            write!(f, ".p/{}", self.width)?;
        }
        Ok(())
    }
}

/// A tile, with every complete inner node computed: 511 nodes of 32 bytes if it is full.
#[derive(Clone, PartialEq, Eq)]
pub struct Tile {
    width: usize,
    /// The hashes, then the complete nodes one level up, and so on.
    nodes: Box<[Hash]>,
}

impl Tile {
    /// Makes a tile of its hashes, from left to right; computes its inner nodes, which takes one
    /// hash less than it has.
    ///
    /// Fails with [`TileError::Size`] unless there are 1 to 256.
    pub fn from_hashes(hashes: Vec<Hash>) -> Result<Self, TileError> {
        let width = hashes.len();
        if !(1..=TILE_WIDTH).contains(&width) {
            return Err(TileError::Size(width.saturating_mul(Hash::LEN)));
        }
        let mut nodes = hashes;
        nodes.reserve_exact(width - 1);
        let mut below = 0..width;
        while below.len() > 1 {
            let start = nodes.len();
            for left in below.clone().step_by(2).take(below.len() / 2) {
                nodes.push(node_hash(&nodes[left], &nodes[left + 1]));
            }
            below = start..nodes.len();
        }
        Ok(Tile {
            width,
            nodes: nodes.into_boxed_slice(),
        })
    }

    /// Reads a tile as it is published: 1 to 256 concatenated hashes. Fails with
    /// [`TileError::Size`].
    pub fn parse(bytes: &[u8]) -> Result<Self, TileError> {
        let (chunks, rest) = bytes.as_chunks::<{ Hash::LEN }>();
        if !rest.is_empty() || chunks.len() > TILE_WIDTH {
            return Err(TileError::Size(bytes.len()));
        }
        Tile::from_hashes(chunks.iter().copied().map(Hash::new).collect())
    }

    /// The tile as it is published: its hashes, concatenated.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.width * Hash::LEN);
        for hash in self.hashes() {
            bytes.extend_from_slice(hash.as_bytes());
        }
        bytes
    }

    /// How many hashes it has, 1 to 256.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The hashes, from left to right.
    pub fn hashes(&self) -> &[Hash] {
        &self.nodes[..self.width]
    }

    /// The `index`-th node at `height` (0 to 8) above the tile's hashes, or `None` unless it is
    /// complete.
    pub fn node(&self, height: u32, index: usize) -> Option<Hash> {
        if height > TILE_HEIGHT || index >= self.width >> height {
            return None;
        }
        // Below lie `width >> h` nodes at each lower height h. Summed over all h these are 2 ×
        // width − popcount(width).
        let all = |width: usize| 2 * width - width.count_ones() as usize;
        self.nodes
            .get(all(self.width) - all(self.width >> height) + index)
            .copied()
    }
}

impl fmt::Debug for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tile({} hashes)", self.width)
    }
}

#[cfg(test)]
mod tests {
    use super::super::naive;
    use super::*;

    fn tile(level: u8, index: u64) -> TileIndex {
        TileIndex { level, index }
    }

    #[test]
    fn widths_follow_the_example_of_the_specification() {
        // "A tree of size 70,000 will be represented by 273 full level 0 tiles, one partial level 0
        // tile of width 112, one full level 1 tile, one partial level 1 tile of width 17, and one
        // partial level 2 tile of width 1."
        let size = TreeSize::new(70_000);
        assert_eq!(tile(0, 272).width_at(size), 256);
        assert_eq!(tile(0, 273).width_at(size), 112);
        assert_eq!(tile(0, 274).width_at(size), 0);
        assert_eq!(tile(1, 0).width_at(size), 256);
        assert_eq!(tile(1, 1).width_at(size), 17);
        assert_eq!(tile(2, 0).width_at(size), 1);
        assert_eq!(tile(3, 0).width_at(size), 0);
        assert_eq!(tile(63, 0).width_at(TreeSize::new(u64::MAX)), 0);
        assert_eq!(tile(0, u64::MAX).width_at(TreeSize::new(u64::MAX)), 0);
    }

    #[test]
    fn every_complete_node_of_every_tile_is_at_hand() {
        let leaves = naive::leaves(256);
        for width in 1..=leaves.len() {
            let tile = Tile::from_hashes(leaves[..width].to_vec()).unwrap();
            assert_eq!(tile.hashes(), &leaves[..width]);
            for height in 0..=8 {
                for (i, chunk) in leaves[..width].chunks_exact(1 << height).enumerate() {
                    assert_eq!(
                        tile.node(height, i),
                        Some(naive::root(chunk)),
                        "{height} {i} of {width}"
                    );
                }
                assert_eq!(
                    tile.node(height, width >> height),
                    None,
                    "{height} of {width}"
                );
            }
            assert_eq!(tile.node(9, 0), None);
            assert_eq!(Tile::parse(&tile.to_bytes()), Ok(tile));
        }
    }

    #[test]
    fn a_tile_has_1_to_256_hashes() {
        for bytes in [0, 31, 33, 257 * 32] {
            assert_eq!(Tile::parse(&vec![0; bytes]), Err(TileError::Size(bytes)));
        }
        assert_eq!(Tile::from_hashes(vec![]), Err(TileError::Size(0)));
        assert_eq!(
            Tile::from_hashes(vec![Hash::of(b""); 257]),
            Err(TileError::Size(257 * 32))
        );
    }

    #[test]
    fn paths_are_written_as_the_specification_says_and_read_back() {
        let known = [
            (
                Resource::Tile(tile(0, 1_234_067)),
                12,
                "tile/0/x001/x234/067.p/12",
            ),
            (Resource::Tile(tile(63, 0)), 256, "tile/63/000"),
            (Resource::Tile(tile(2, 1000)), 255, "tile/2/x001/000.p/255"),
            (Resource::Entries(0), 256, "tile/entries/000"),
            (Resource::Entries(999), 1, "tile/entries/999.p/1"),
            (
                Resource::Entries(u64::MAX),
                256,
                "tile/entries/x018/x446/x744/x073/x709/x551/615",
            ),
        ];
        for (resource, width, text) in known {
            let path = TilePath::new(resource, width).unwrap();
            assert_eq!(path.to_path(), text);
            assert_eq!(TilePath::parse(text), Ok(path));
        }
        for level in 0..=63 {
            for index in (0..3000).chain([999_999, 1_000_000, u64::MAX / 256]) {
                let width = (index % 256) as u16 + 1;
                let path = TilePath::new(Resource::Tile(tile(level, index)), width).unwrap();
                assert_eq!(TilePath::parse(&path.to_path()), Ok(path));
            }
        }
    }

    #[test]
    fn no_other_spelling_of_a_path_is_read() {
        for text in [
            "",
            "tile",
            "tile/",
            "tile/0",
            "tile/0/",
            "/tile/0/000",
            "tile/0/000/",
            "tile/0/0",
            "tile/0/00",
            "tile/0/0000",
            "tile/0/1234",
            "tile/0/x001",
            "tile/0/001/234",
            "tile/0/x000/001",
            "tile/0/x1/234",
            "tile/0/x001/x234",
            "tile/0/xx001/234",
            "tile/0/+01",
            "tile/0/-01",
            "tile/0/000.p",
            "tile/0/000.p/",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/257",
            "tile/0/000.p/01",
            "tile/0/000.p/+1",
            "tile/0/000.p/1/",
            "tile/0/.p/1",
            "tile/00/000",
            "tile/01/000",
            "tile/+1/000",
            "tile/64/000",
            "tile/-1/000",
            "tile/256/000",
            "tile/data/000",
            "tile/entries/x018/x446/x744/x073/x709/x551/616",
            "tile/0/000.p/1.p/1",
            "tile/0/٠٠٠",
            "tile/0/000 ",
            "Tile/0/000",
        ] {
            assert_eq!(TilePath::parse(text), Err(TileError::Path), "{text:?}");
        }
        assert!(TilePath::new(Resource::Entries(0), 0).is_err());
        assert!(TilePath::new(Resource::Entries(0), 257).is_err());
        assert!(TilePath::new(Resource::Tile(tile(64, 0)), 1).is_err());
    }
}
