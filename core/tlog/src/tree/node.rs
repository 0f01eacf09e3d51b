//! Which complete nodes of the tree a proof or a root is made of. Arithmetic only; no hash is
//! computed here but one fold.
//!
//! A node is *complete* if all leaves below it exist; then it never changes again, and a tile holds
//! it or can compute it. Every other node of a tree lies on its right edge and is folded from
//! complete ones. A proof needs at most one of those.

use super::size::TreeSize;
use super::tile::{TILE_HEIGHT, TileIndex};
use crate::hash::{Hash, empty_root, node_hash};
use std::ops::Range;

/// The complete node over the leaves `index << level` to `(index + 1) << level`, the last excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub level: u32,
    pub index: u64,
}

impl Node {
    /// The tile that holds the node or can compute it.
    pub fn tile(self) -> TileIndex {
        TileIndex {
            level: (self.level / TILE_HEIGHT) as u8,
            index: self.index >> (TILE_HEIGHT - self.level % TILE_HEIGHT),
        }
    }

    /// Where in that tile: the height above the tile's hashes (0 to 7) and the position at that
    /// height.
    pub fn place(self) -> (u32, usize) {
        let height = self.level % TILE_HEIGHT;
        (
            height,
            (self.index & ((1 << (TILE_HEIGHT - height)) - 1)) as usize,
        )
    }
}

/// Complete nodes to read; those in `ragged` are then folded into one hash.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub nodes: Vec<Node>,
    pub ragged: Range<usize>,
}

impl Plan {
    /// The root of the tree of `size`, as one ragged node; no node at all for the empty tree.
    pub fn root(size: TreeSize) -> Plan {
        let mut nodes = Vec::new();
        push_cover(&mut nodes, 0, size);
        Plan {
            ragged: 0..nodes.len(),
            nodes,
        }
    }

    /// The siblings on the way from `node`, which must be complete in the tree of `size`, to the
    /// root, lowest first: PATH of RFC 6962, section 2.1.1, if `node` is a leaf.
    pub fn path(node: Node, size: TreeSize) -> Plan {
        let Siblings { mut nodes, last } = Siblings::of(node, size);
        let Some(at) = last else {
            return Plan {
                nodes,
                ragged: 0..0,
            };
        };
        let above = nodes.split_off(at + 1);
        if let Some(last) = nodes.pop() {
            push_cover(&mut nodes, last.index << last.level, size);
        }
        let ragged = at..nodes.len();
        nodes.extend(above);
        Plan { nodes, ragged }
    }

    /// The hashes that the plan is for, given those of its nodes in order.
    pub fn finish(&self, mut hashes: Vec<Hash>) -> Vec<Hash> {
        if self.ragged.len() > 1 {
            let folded = fold(&hashes[self.ragged.clone()]);
            hashes.splice(self.ragged.clone(), [folded]);
        }
        hashes
    }
}

/// The siblings on the way from a node to the root, lowest first.
pub(crate) struct Siblings {
    pub nodes: Vec<Node>,
    /// Where among them is the one that holds the last leaf, if any does. It need not be complete.
    pub last: Option<usize>,
}

impl Siblings {
    /// For a `node` that is complete in the tree of `size`.
    pub fn of(node: Node, size: TreeSize) -> Siblings {
        // Below the level at which the paths of `node` and of the last leaf meet, there is a
        // sibling on each level, and the highest of them holds the last leaf. Above it, `node` is
        // on the right edge: siblings are to its left.
        let last_leaf = (size.get() - 1) >> node.level;
        let meet = u64::BITS - (node.index ^ last_leaf).leading_zeros();
        let mut nodes = Vec::with_capacity(2 * super::proof::USUAL_PATH);
        nodes.extend((0..meet).map(|up| Node {
            level: node.level + up,
            index: (node.index >> up) ^ 1,
        }));

        let mut level = node.level + meet;
        let mut index = node.index.checked_shr(meet).unwrap_or(0);
        while index > 0 {
            if index & 1 == 1 {
                nodes.push(Node {
                    level,
                    index: index - 1,
                });
            }
            level += 1;
            index >>= 1;
        }
        Siblings {
            nodes,
            last: (meet as usize).checked_sub(1),
        }
    }
}

/// The fewest complete nodes that cover the leaves from `start` to `size`, from left to right.
/// `start` must be a multiple of a power of two that is at least as large as what is left.
pub(crate) fn push_cover(nodes: &mut Vec<Node>, start: u64, size: TreeSize) {
    let mut rest = size.get() - start;
    let mut leaf = start;
    while rest > 0 {
        let level = rest.ilog2();
        nodes.push(Node {
            level,
            index: leaf >> level,
        });
        rest -= 1 << level;
        leaf = size.get() - rest;
    }
}

/// The root over `nodes`, which get smaller from left to right; the root of the empty tree if there
/// are none.
pub(crate) fn fold(nodes: &[Hash]) -> Hash {
    nodes
        .iter()
        .rev()
        .copied()
        .reduce(|right, left| node_hash(&left, &right))
        .unwrap_or_else(empty_root)
}
