//! Proving from tiles: inclusion, consistency, and roots.
//!
//! Each prover works out which complete nodes it needs, reads their tiles in one call, checks that
//! it got them, and then only computes. All but one hash of a proof are looked up. That one lies on
//! the tree's right edge and takes a few hashes, which [`Prover`] spends once for many proofs in
//! one tree.
//!
//! Left out: that the tiles are the right ones. A proof made from damaged tiles does not verify;
//! nobody is deceived.

use super::node::{Node, Plan, Siblings, fold, push_cover};
use super::size::{LeafIndex, TreeSize};
use super::tile::{Tile, TileIndex};
use crate::hash::{Hash, empty_root};
use std::sync::Arc;

/// Where provers read tiles.
pub trait TileReader {
    /// Why tiles could not be read.
    type Error;

    /// Returns the tiles that are asked for, in the order of `wanted`, each at least as wide as it
    /// is in the tree of `size`.
    ///
    /// They may be wider, as of a later tree: tiles only grow, and provers use nothing beyond
    /// `size`. `wanted` has no tile twice, and at most 16 of them.
    fn tiles(&self, wanted: &[TileIndex], size: TreeSize) -> Result<Vec<Arc<Tile>>, Self::Error>;
}

/// Why there is no proof. Either the caller asked for something that does not exist, or the tiles
/// are at fault.
#[derive(Debug, thiserror::Error)]
pub enum ProveError<E> {
    /// The tree has no such leaf.
    #[error("leaf {index} is not in a tree of size {size}")]
    NoSuchLeaf {
        /// The leaf that was asked for.
        index: LeafIndex,
        /// The size of the tree.
        size: TreeSize,
    },
    /// The tree that should be the older one is larger.
    #[error("a tree of size {new} cannot extend one of size {old}")]
    Shrunk {
        /// The size that should be the smaller one.
        old: TreeSize,
        /// The size that should be the larger one.
        new: TreeSize,
    },
    /// The tree is larger than any log can become; its size was made up.
    #[error("no log has {0} leaves")]
    TooLarge(TreeSize),
    /// The tiles could not be read.
    #[error("the tiles of the tree could not be read")]
    Read(#[source] E),
    /// The reader broke its contract: another number of tiles than was asked for.
    #[error("{asked} tiles were asked for, and {got} came")]
    Count {
        /// Tiles that were asked for.
        asked: usize,
        /// Tiles that came.
        got: usize,
    },
    /// A tile has fewer hashes than it must have in the tree.
    #[error("tile {index} of level {level} has {got} hashes; in a tree of size {size} it has \
        {want}",
        index = tile.index, level = tile.level)]
    Narrow {
        /// The tile.
        tile: TileIndex,
        /// The size of the tree.
        size: TreeSize,
        /// Hashes that it must have.
        want: u16,
        /// Hashes that it has.
        got: usize,
    },
}

/// Returns the inclusion proof of the leaf at `index` in the tree of `size`, lowest sibling first:
/// `PATH(index, D[size])` of RFC 6962, section 2.1.1, at most 64 hashes.
///
/// Fails with [`ProveError::NoSuchLeaf`], or as the reader does.
pub fn prove_inclusion<R: TileReader + ?Sized>(
    reader: &R,
    index: LeafIndex,
    size: TreeSize,
) -> Result<Vec<Hash>, ProveError<R::Error>> {
    if !size.contains(index) {
        return Err(ProveError::NoSuchLeaf { index, size });
    }
    let plan = Plan::path(
        Node {
            level: 0,
            index: index.get(),
        },
        size,
    );
    Ok(plan.finish(read(reader, &plan.nodes, size)?))
}

/// Returns the proof that the tree of size `new` extends the one of size `old`: `PROOF(old,
/// D[new])` of RFC 6962, section 2.1.2, at most 64 hashes. It is empty if the sizes are equal, or
/// if `old` is empty, of which nothing can be proven.
///
/// Fails with [`ProveError::Shrunk`], or as the reader does.
pub fn prove_consistency<R: TileReader + ?Sized>(
    reader: &R,
    old: TreeSize,
    new: TreeSize,
) -> Result<Vec<Hash>, ProveError<R::Error>> {
    if old > new {
        return Err(ProveError::Shrunk { old, new });
    }
    if old == new || old == TreeSize::EMPTY {
        return Ok(Vec::new());
    }
    let level = old.get().trailing_zeros();
    let last = Node {
        level,
        index: (old.get() - 1) >> level,
    };
    let mut plan = Plan::path(last, new);
    // Unless the last complete node of the old tree is all of it, the verifier does not know it,
    // and the proof starts with it.
    if last.index > 0 {
        plan.nodes.insert(0, last);
        plan.ragged = plan.ragged.start + 1..plan.ragged.end + 1;
    }
    Ok(plan.finish(read(reader, &plan.nodes, new)?))
}

/// Returns the root of the tree of `size`. Fails as the reader does.
pub fn root<R: TileReader + ?Sized>(
    reader: &R,
    size: TreeSize,
) -> Result<Hash, ProveError<R::Error>> {
    let plan = Plan::root(size);
    Ok(fold(&read(reader, &plan.nodes, size)?))
}

/// Proves inclusion in the tree of one size, whose right edge it has computed once: then every hash
/// of a proof is looked up, in at most one tile a level.
#[derive(Clone, Debug)]
pub struct Prover {
    size: TreeSize,
    /// By level: the node that holds the last leaf, over the leaves that there are. The last one is
    /// the root.
    edge: Vec<Hash>,
}

impl Prover {
    /// Computes the right edge of the tree of `size`. Fails as the reader does.
    pub fn load<R: TileReader + ?Sized>(
        reader: &R,
        size: TreeSize,
    ) -> Result<Self, ProveError<R::Error>> {
        let Some(last) = size.get().checked_sub(1) else {
            return Ok(Prover {
                size,
                edge: Vec::new(),
            });
        };
        let mut nodes = Vec::new();
        let mut ends = Vec::new();
        for level in 0..=last.checked_ilog2().map_or(0, |bits| bits + 1) {
            push_cover(
                &mut nodes,
                last.checked_shr(level).map_or(0, |index| index << level),
                size,
            );
            ends.push(nodes.len());
        }
        let hashes = read(reader, &nodes, size)?;
        let mut edge = Vec::with_capacity(ends.len());
        let mut start = 0;
        for end in ends {
            edge.push(fold(&hashes[start..end]));
            start = end;
        }
        Ok(Prover { size, edge })
    }

    /// The size of the tree.
    pub fn size(&self) -> TreeSize {
        self.size
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        self.edge.last().copied().unwrap_or_else(empty_root)
    }

    /// Returns what [`prove_inclusion`] does for this tree, and fails as it does.
    pub fn prove_inclusion<R: TileReader + ?Sized>(
        &self,
        reader: &R,
        index: LeafIndex,
    ) -> Result<Vec<Hash>, ProveError<R::Error>> {
        let size = self.size;
        if !size.contains(index) {
            return Err(ProveError::NoSuchLeaf { index, size });
        }
        let Siblings { mut nodes, last } = Siblings::of(
            Node {
                level: 0,
                index: index.get(),
            },
            size,
        );
        let Some(at) = last else {
            return read(reader, &nodes, size);
        };
        let last = nodes.remove(at);
        let mut path = read(reader, &nodes, size)?;
        path.insert(at, self.edge[last.level as usize]);
        Ok(path)
    }
}

/// Reads complete nodes of the tree of `size`, in their order.
pub(crate) fn read<R: TileReader + ?Sized>(
    reader: &R,
    nodes: &[Node],
    size: TreeSize,
) -> Result<Vec<Hash>, ProveError<R::Error>> {
    // Neighboring nodes are mostly in one tile, so the tile of the node before is found first.
    let mut wanted: Vec<TileIndex> = Vec::with_capacity(8);
    let mut sources = Vec::with_capacity(nodes.len());
    for node in nodes {
        let tile = node.tile();
        let source = wanted
            .iter()
            .rposition(|known| *known == tile)
            .unwrap_or_else(|| {
                wanted.push(tile);
                wanted.len() - 1
            });
        sources.push(source);
    }

    let tiles = if wanted.is_empty() {
        Vec::new()
    } else {
        reader.tiles(&wanted, size).map_err(ProveError::Read)?
    };
    if tiles.len() != wanted.len() {
        return Err(ProveError::Count {
            asked: wanted.len(),
            got: tiles.len(),
        });
    }

    let mut hashes = Vec::with_capacity(nodes.len());
    for (node, source) in nodes.iter().zip(sources) {
        let (tile, got) = (wanted[source], &tiles[source]);
        let (height, index) = node.place();
        hashes.push(got.node(height, index).ok_or(ProveError::Narrow {
            tile,
            size,
            want: tile.width_at(size),
            got: got.width(),
        })?);
    }
    Ok(hashes)
}

#[cfg(test)]
mod tests {
    use super::super::naive::{self, Grown, at, size};
    use super::*;
    use crate::hash::leaf_hash;
    use crate::tree::{verify_consistency, verify_inclusion};

    /// Three hundred leaves exhaustively, from the tiles of each tree and from those of a tree that
    /// has grown since.
    #[test]
    fn every_inclusion_proof_of_every_small_tree_is_that_of_rfc_6962() {
        let leaves = naive::leaves(300);
        let grown = Grown::new(&leaves);
        for n in 1..=leaves.len() {
            let exact = Grown::new(&leaves[..n]);
            let root_n = naive::root(&leaves[..n]);
            assert_eq!(root(&exact, size(n)).unwrap(), root_n);
            assert_eq!(root(&grown, size(n)).unwrap(), root_n);
            let prover = Prover::load(&grown, size(n)).unwrap();
            assert_eq!((prover.size(), prover.root()), (size(n), root_n));
            for i in 0..n {
                let path = prove_inclusion(&exact, at(i), size(n)).unwrap();
                verify_inclusion(&leaves[i], at(i), size(n), &path, &root_n).unwrap();
                if n % 16 == 11 || n > 250 && n < 262 {
                    assert_eq!(path, naive::path(i, &leaves[..n]), "leaf {i} of {n}");
                }
                assert_eq!(
                    prove_inclusion(&grown, at(i), size(n)).unwrap(),
                    path,
                    "leaf {i} of {n}"
                );
                assert_eq!(
                    prover.prove_inclusion(&exact, at(i)).unwrap(),
                    path,
                    "leaf {i} of {n}"
                );
            }
        }
    }

    #[test]
    fn every_consistency_proof_between_small_trees_is_that_of_rfc_6962() {
        let leaves = naive::leaves(100);
        let grown = Grown::new(&leaves);
        for n in 1..=leaves.len() {
            let exact = Grown::new(&leaves[..n]);
            for m in 1..=n {
                let path = prove_consistency(&exact, size(m), size(n)).unwrap();
                assert_eq!(path, naive::consistency(m, &leaves[..n]), "{m} to {n}");
                assert_eq!(
                    prove_consistency(&grown, size(m), size(n)).unwrap(),
                    path,
                    "{m} to {n}"
                );
            }
        }
    }

    /// Trees of three levels of tiles, where each level has a right edge of its own.
    #[test]
    fn proofs_over_several_levels_of_tiles_verify() {
        let leaves = naive::leaves(66_100);
        let grown = Grown::new(&leaves);
        let sizes = [
            255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 65_792, 65_793, 66_000, 66_100,
        ];
        let roots: Vec<Hash> = sizes.iter().map(|n| naive::root(&leaves[..*n])).collect();
        for (n, root_n) in sizes.into_iter().zip(&roots) {
            assert_eq!(root(&grown, size(n)).unwrap(), *root_n);
            let prover = Prover::load(&grown, size(n)).unwrap();
            assert_eq!(prover.root(), *root_n);
            for i in (0..n).step_by(n / 61).chain([n - 1, n - 2]) {
                let path = prove_inclusion(&grown, at(i), size(n)).unwrap();
                verify_inclusion(&leaves[i], at(i), size(n), &path, root_n).unwrap();
                assert_eq!(prover.prove_inclusion(&grown, at(i)).unwrap(), path);
            }
            for (m, root_m) in sizes.into_iter().zip(&roots).filter(|(m, _)| *m <= n) {
                let path = prove_consistency(&grown, size(m), size(n)).unwrap();
                verify_consistency(size(m), root_m, size(n), root_n, &path).unwrap();
            }
        }
    }

    #[test]
    fn what_does_not_exist_is_not_proven() {
        let leaves = naive::leaves(3);
        let tiles = Grown::new(&leaves);
        assert!(matches!(
            prove_inclusion(&tiles, at(2), size(2)),
            Err(ProveError::NoSuchLeaf { .. })
        ));
        assert!(matches!(
            prove_inclusion(&tiles, at(0), size(0)),
            Err(ProveError::NoSuchLeaf { .. })
        ));
        assert!(matches!(
            prove_consistency(&tiles, size(3), size(2)),
            Err(ProveError::Shrunk { .. })
        ));
        assert_eq!(prove_consistency(&tiles, size(0), size(3)).unwrap(), vec![]);
        assert_eq!(root(&tiles, size(0)).unwrap(), empty_root());
        let empty = Prover::load(&tiles, size(0)).unwrap();
        assert_eq!(empty.root(), empty_root());
        assert!(matches!(
            empty.prove_inclusion(&tiles, at(0)),
            Err(ProveError::NoSuchLeaf { .. })
        ));
    }

    struct Faulty(Result<Vec<Arc<Tile>>, std::io::ErrorKind>);

    impl TileReader for Faulty {
        type Error = std::io::ErrorKind;

        fn tiles(&self, _: &[TileIndex], _: TreeSize) -> Result<Vec<Arc<Tile>>, Self::Error> {
            self.0.clone()
        }
    }

    #[test]
    fn a_reader_that_breaks_its_contract_is_found_out() {
        let narrow = Arc::new(Tile::from_hashes(vec![leaf_hash(b"")]).unwrap());
        let prove = |reader: Faulty| prove_inclusion(&reader, at(0), size(5)).unwrap_err();
        assert!(matches!(
            prove(Faulty(Ok(vec![]))),
            ProveError::Count { asked: 1, got: 0 }
        ));
        assert!(matches!(
            prove(Faulty(Ok(vec![narrow.clone(); 2]))),
            ProveError::Count { asked: 1, got: 2 }
        ));
        assert!(matches!(
            prove(Faulty(Ok(vec![narrow]))),
            ProveError::Narrow {
                want: 5,
                got: 1,
                ..
            }
        ));
        let failed = prove(Faulty(Err(std::io::ErrorKind::TimedOut)));
        assert!(matches!(
            failed,
            ProveError::Read(std::io::ErrorKind::TimedOut)
        ));
    }

    #[test]
    fn the_largest_trees_ask_for_few_tiles() {
        struct Counting(std::cell::Cell<usize>);
        impl TileReader for Counting {
            type Error = ();
            fn tiles(&self, wanted: &[TileIndex], size: TreeSize) -> Result<Vec<Arc<Tile>>, ()> {
                self.0.set(wanted.len());
                let widths = wanted.iter().map(|tile| usize::from(tile.width_at(size)));
                widths
                    .map(|width| {
                        Tile::from_hashes(vec![Hash::of(b""); width])
                            .map(Arc::new)
                            .map_err(drop)
                    })
                    .collect()
            }
        }
        let reader = Counting(Default::default());
        for n in [u64::MAX, u64::MAX - 1, 1 << 63, (1 << 63) + 1] {
            let prover = Prover::load(&reader, TreeSize::new(n)).unwrap();
            for i in [0, 1, n / 2, n / 3, n - 1] {
                let path = prove_inclusion(&reader, LeafIndex::new(i), TreeSize::new(n)).unwrap();
                assert!(reader.0.get() <= 16 && path.len() <= 64, "{i} of {n}");
                assert_eq!(
                    prover
                        .prove_inclusion(&reader, LeafIndex::new(i))
                        .unwrap()
                        .len(),
                    path.len()
                );
                assert!(reader.0.get() <= 8, "{i} of {n}");
                if i > 0 {
                    prove_consistency(&reader, TreeSize::new(i), TreeSize::new(n)).unwrap();
                    assert!(reader.0.get() <= 16, "{i} to {n}");
                }
            }
        }
    }
}
