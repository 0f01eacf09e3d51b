//! Where a leaf is and how many there are: two numbers that are not to be mixed up.

use std::fmt;

/// The zero-based position of a leaf in its log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeafIndex(u64);

/// How many leaves a tree has. The tree of size n holds the leaves 0 to n − 1 of its log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeSize(u64);

impl LeafIndex {
    /// Takes the number as it is.
    pub const fn new(index: u64) -> Self {
        LeafIndex(index)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl TreeSize {
    /// The tree without leaves.
    pub const EMPTY: TreeSize = TreeSize(0);

    /// Takes the number as it is.
    pub const fn new(size: u64) -> Self {
        TreeSize(size)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The last leaf of the tree, or `None` if it is empty.
    pub const fn last_leaf(self) -> Option<LeafIndex> {
        match self.0.checked_sub(1) {
            Some(last) => Some(LeafIndex(last)),
            None => None,
        }
    }

    /// The leaf that comes after the last one of the tree.
    pub const fn next_leaf(self) -> LeafIndex {
        LeafIndex(self.0)
    }

    /// Whether the tree has a leaf at `index`.
    pub const fn contains(self, index: LeafIndex) -> bool {
        index.0 < self.0
    }
}

impl fmt::Display for LeafIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for TreeSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
