//! The frontier of a growing tree: all that is needed to append, and to know the root.
//!
//! For the sequencer, which appends leaves and writes the tiles that change, and for an audit,
//! which derives a whole log again. It holds less than 8 tiles. Left out: storing the tiles.

use super::node::{Node, fold};
use super::prove::{ProveError, TileReader, read};
use super::size::TreeSize;
use super::tile::{TILE_HEIGHT, TILE_WIDTH, TileIndex};
use crate::hash::{Hash, node_hash};

/// Largest tree that can be appended to: as much again could be added without an overflow.
const SIZE_MAX: u64 = u64::MAX / 2;

/// The frontier of the tree of one size.
#[derive(Clone, Debug, Default)]
pub struct Frontier {
    size: u64,
    /// By level: the complete node of that level that no larger one contains, if there is one,
    /// which is if that bit of the size is set. Where it is not, whatever was there last.
    peaks: Vec<Hash>,
    /// By level: the hashes of the partial tile, none if the last tile is full.
    tiles: Vec<Vec<Hash>>,
}

impl Frontier {
    /// The frontier of the empty tree.
    pub fn new() -> Self {
        Frontier::default()
    }

    /// Reads the frontier of the tree of `size`. Whether it is the right one shows when its root is
    /// compared.
    ///
    /// Fails with [`ProveError::TooLarge`], or as the reader does.
    pub fn load<R: TileReader + ?Sized>(
        reader: &R,
        size: TreeSize,
    ) -> Result<Self, ProveError<R::Error>> {
        if size.get() > SIZE_MAX {
            return Err(ProveError::TooLarge(size));
        }
        let mut frontier = Frontier {
            size: size.get(),
            ..Frontier::default()
        };
        let partial: Vec<TileIndex> = partial_tiles(size.get()).collect();
        let nodes: Vec<Node> = partial
            .iter()
            .flat_map(|tile| {
                let first = tile.index * TILE_WIDTH as u64;
                let hashes = first..first + u64::from(tile.width_at(size));
                hashes.map(|index| Node {
                    level: u32::from(tile.level) * TILE_HEIGHT,
                    index,
                })
            })
            .collect();
        let mut hashes = read(reader, &nodes, size)?.into_iter();
        for tile in partial {
            frontier
                .tiles
                .resize(usize::from(tile.level) + 1, Vec::new());
            let width = usize::from(tile.width_at(size));
            frontier.tiles[usize::from(tile.level)].extend(hashes.by_ref().take(width));
        }

        let peaks = (0..u64::BITS).filter(|level| size.get() >> level & 1 == 1);
        let peaks: Vec<Node> = peaks
            .map(|level| Node {
                level,
                index: (size.get() >> level) - 1,
            })
            .collect();
        for (node, hash) in peaks.iter().zip(read(reader, &peaks, size)?) {
            frontier.set_peak(node.level as usize, hash);
        }
        Ok(frontier)
    }

    /// The size of the tree.
    pub fn size(&self) -> TreeSize {
        TreeSize::new(self.size)
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        let mut peaks = Vec::with_capacity(self.peaks.len());
        for (level, peak) in self.peaks.iter().enumerate().rev() {
            if self.size >> level & 1 == 1 {
                peaks.push(*peak);
            }
        }
        fold(&peaks)
    }

    /// The leaf hashes of the partial tile, none if the last one is full.
    pub(crate) fn last_leaves(&self) -> &[Hash] {
        self.tiles.first().map_or(&[], Vec::as_slice)
    }

    /// Appends leaves and returns every tile that changed, each once and whole as it now stands:
    /// full ones first, in the order in which they filled, then the partial ones, from the lowest
    /// level up.
    ///
    /// It takes about one hash a leaf.
    pub fn append(&mut self, leaf_hashes: &[Hash]) -> Vec<(TileIndex, Vec<Hash>)> {
        let before = self.size;
        let mut changed = Vec::with_capacity(leaf_hashes.len() / TILE_WIDTH + 4);
        for leaf in leaf_hashes {
            self.push(*leaf, &mut changed);
        }

        for tile in partial_tiles(self.size).filter(|tile: &TileIndex| {
            let shift = TILE_HEIGHT * u32::from(tile.level);
            before >> shift != self.size >> shift
        }) {
            changed.push((tile, self.tiles[usize::from(tile.level)].clone()));
        }
        changed
    }

    /// Appends one leaf, and to `full` each tile that it fills.
    fn push(&mut self, leaf: Hash, full: &mut Vec<(TileIndex, Vec<Hash>)>) {
        let mut hash = leaf;
        let mut level = 0;
        self.push_to_tile(level, hash, full);
        while self.size >> level & 1 == 1 {
            hash = node_hash(&self.peaks[level as usize], &hash);
            level += 1;
            if level.is_multiple_of(TILE_HEIGHT) {
                self.push_to_tile(level, hash, full);
            }
        }
        self.set_peak(level as usize, hash);
        self.size += 1;
    }

    /// Adds a node of `level`, a multiple of 8, to the tile that holds it.
    fn push_to_tile(&mut self, level: u32, hash: Hash, full: &mut Vec<(TileIndex, Vec<Hash>)>) {
        let at = (level / TILE_HEIGHT) as usize;
        if self.tiles.len() == at {
            self.tiles.push(Vec::with_capacity(TILE_WIDTH));
        }
        let tile = &mut self.tiles[at];
        tile.push(hash);
        if tile.len() == TILE_WIDTH {
            let hashes = std::mem::replace(tile, Vec::with_capacity(TILE_WIDTH));
            full.push((
                TileIndex {
                    level: at as u8,
                    index: self.size >> level >> TILE_HEIGHT,
                },
                hashes,
            ));
        }
    }

    fn set_peak(&mut self, level: usize, hash: Hash) {
        if self.peaks.len() <= level {
            self.peaks.resize(level + 1, hash);
        }
        self.peaks[level] = hash;
    }
}

/// The partial tiles of the tree of `size`, from the lowest level up.
pub(crate) fn partial_tiles(size: u64) -> impl Iterator<Item = TileIndex> {
    (0..u64::BITS / TILE_HEIGHT)
        .map(move |level| (level, size >> (TILE_HEIGHT * level)))
        .filter(|(_, hashes)| hashes % TILE_WIDTH as u64 > 0)
        .map(|(level, hashes)| TileIndex {
            level: level as u8,
            index: hashes / TILE_WIDTH as u64,
        })
}

#[cfg(test)]
mod tests {
    use super::super::naive::{self, Grown, size};
    use super::*;
    use crate::tree::tile::Tile;
    use proptest::prelude::*;
    use std::collections::HashMap;
    use std::sync::Arc;

    /// Checks what one `append` returned and stores it: each tile once, none that had been full
    /// before, each as it is in the tree of the new size.
    fn store(
        tiles: &mut Grown,
        changed: Vec<(TileIndex, Vec<Hash>)>,
        before: TreeSize,
        after: TreeSize,
    ) {
        let mut seen = std::collections::HashSet::new();
        for (tile, hashes) in changed {
            assert!(seen.insert(tile), "{tile:?} twice");
            assert!(
                tile.width_at(before) < tile.width_at(after),
                "{tile:?} did not change"
            );
            assert_eq!(hashes.len(), usize::from(tile.width_at(after)), "{tile:?}");
            tiles
                .0
                .insert(tile, Arc::new(Tile::from_hashes(hashes).unwrap()));
        }
    }

    fn plain(tiles: &Grown) -> HashMap<TileIndex, Vec<Hash>> {
        tiles
            .0
            .iter()
            .map(|(at, tile)| (*at, tile.hashes().to_vec()))
            .collect()
    }

    #[test]
    fn one_leaf_at_a_time_gives_every_root_and_all_tiles() {
        let leaves = naive::leaves(600);
        let (mut frontier, mut tiles) = (Frontier::new(), Grown::new(&[]));
        assert_eq!(frontier.root(), naive::root(&[]));
        for n in 1..=leaves.len() {
            let changed = frontier.append(&leaves[n - 1..n]);
            store(&mut tiles, changed, size(n - 1), size(n));
            assert_eq!(
                (frontier.size(), frontier.root()),
                (size(n), naive::root(&leaves[..n]))
            );
            if n % 37 == 0 || n.is_multiple_of(256) {
                assert_eq!(plain(&tiles), naive::tiles(&leaves[..n]), "of {n}");
            }
        }
    }

    #[test]
    fn three_levels_of_tiles_fill() {
        let leaves = naive::leaves(66_000);
        let (mut frontier, mut tiles) = (Frontier::new(), Grown::new(&[]));
        let changed = frontier.append(&leaves);
        store(&mut tiles, changed, size(0), frontier.size());
        assert_eq!(frontier.root(), naive::root(&leaves));
        assert_eq!(plain(&tiles), naive::tiles(&leaves));
    }

    #[test]
    fn nothing_appended_changes_nothing() {
        let mut frontier = Frontier::new();
        frontier.append(&naive::leaves(5));
        let root = frontier.root();
        assert_eq!(frontier.append(&[]), vec![]);
        assert_eq!((frontier.size(), frontier.root()), (size(5), root));
    }

    /// From the tiles of the very tree and from those of a larger one, and appending goes on as if
    /// nothing had happened.
    #[test]
    fn a_loaded_edge_is_the_one_that_grew() {
        let leaves = naive::leaves(1100);
        let grown = Grown::new(&leaves);
        for n in (0..=leaves.len()).filter(|n| n % 19 == 0 || n % 256 < 2) {
            let mut kept = Frontier::new();
            kept.append(&leaves[..n]);
            for reader in [&grown, &Grown::new(&leaves[..n])] {
                let mut loaded = Frontier::load(reader, size(n)).unwrap();
                assert_eq!((loaded.size(), loaded.root()), (size(n), kept.root()));
                assert_eq!(
                    loaded.append(&leaves[n..]),
                    kept.clone().append(&leaves[n..]),
                    "from {n}"
                );
                assert_eq!(loaded.root(), naive::root(&leaves));
            }
        }
    }

    #[test]
    fn an_edge_that_could_overflow_is_not_loaded() {
        let refused = Frontier::load(&Grown::new(&[]), TreeSize::new(SIZE_MAX + 1));
        assert!(matches!(refused, Err(ProveError::TooLarge(_))));
    }

    proptest! {
        #[test]
        fn any_split_into_batches_gives_the_same_tree(
            batches in prop::collection::vec(0..400_usize, 1..8),
        ) {
            let leaves = naive::leaves(batches.iter().sum::<usize>() as u64);
            let (mut frontier, mut tiles) = (Frontier::new(), Grown::new(&[]));
            let mut n = 0;
            for batch in batches {
                let changed = frontier.append(&leaves[n..n + batch]);
                store(&mut tiles, changed, size(n), size(n + batch));
                n += batch;
                prop_assert_eq!(frontier.root(), naive::root(&leaves[..n]));
            }
            prop_assert_eq!(plain(&tiles), naive::tiles(&leaves));
        }
    }
}
