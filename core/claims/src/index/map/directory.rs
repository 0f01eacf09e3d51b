//! The directory: inner nodes of the trie in memory, above the pages that hold its labels.

use crate::index::label::{Label, Name, Prefix};
use crate::index::page::PageError;
use crate::index::trie::{self, Leaf, Sum, subtree};
use assay_tlog::Hash;
use assay_tlog::tree::TreeSize;
use std::sync::Arc;

/// The bytes of a page. Shared, because a page lives in every map that no step has changed it in.
pub type PageBytes = Arc<[u8]>;

/// What a page's node holds of its bytes.
pub trait Slot: Send + Sync {
    /// A slot for a page that was just written.
    fn filled(bytes: PageBytes) -> Self;
}

impl Slot for PageBytes {
    fn filled(bytes: PageBytes) -> Self {
        bytes
    }
}

/// Where pages' bytes come from.
pub trait Pages<S>: Sync {
    /// Why bytes could not be read.
    type Error: Send;

    /// Returns the bytes of this page, as they were when its node was made.
    fn bytes(&self, page: &Page<S>) -> Result<PageBytes, Self::Error>;
}

/// All pages are in their slots.
#[derive(Debug, Clone, Copy)]
pub struct Resident;

impl Pages<PageBytes> for Resident {
    type Error = std::convert::Infallible;

    fn bytes(&self, page: &Page<PageBytes>) -> Result<PageBytes, Self::Error> {
        Ok(page.slot.clone())
    }
}

/// Why a map could not be read or made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapError<E> {
    /// A page's bytes could not be read.
    #[error("a page of the index could not be read")]
    Read(#[source] E),
    /// A page is malformed.
    #[error(transparent)]
    Page(#[from] PageError),
    /// A page's labels do not belong under its key, or pages overlap.
    #[error("the pages of the index do not fit together at {0:?}")]
    Misplaced(Prefix),
}

/// A page's place in the directory. There is one for each eleven labels or so, and an inner node
/// for each of these, so that their size counts: 128 bytes each in an [`Arc`], with the slot of a
/// log's node.
#[derive(Debug)]
pub struct Page<S> {
    key: Prefix,
    hash: Hash,
    labels: u8,
    /// Distinct names among its labels.
    names: u8,
    through: TreeSize,
    slot: S,
}

impl<S> Page<S> {
    /// The place of a page with these records, at least one and at most a page's.
    pub(super) fn new<L: Leaf>(key: Prefix, records: &[L], through: TreeSize, slot: S) -> Self {
        let names = records.chunk_by(|a, b| a.label().name() == b.label().name());
        // Neither is cut: a page has at most sixteen labels.
        Page {
            key,
            hash: subtree(records).hash,
            labels: records.len() as u8,
            names: names.count() as u8,
            through,
            slot,
        }
    }

    /// The prefix that leads to it, by which it is stored.
    pub fn key(&self) -> &Prefix {
        &self.key
    }

    /// The size of the tree whose leaves have all been applied to it. Later ones have not.
    pub fn through(&self) -> TreeSize {
        self.through
    }

    /// Its bytes, or where they are.
    pub fn slot(&self) -> &S {
        &self.slot
    }
}

/// How much a part of the index holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Labels.
    pub labels: u64,
    /// Distinct names among them.
    pub names: u64,
}

/// A node of the directory: a page, or an inner node over several.
#[derive(Debug)]
pub(super) enum Node<S> {
    Inner(Arc<Inner<S>>),
    Page(Arc<Page<S>>),
}

impl<S> Clone for Node<S> {
    fn clone(&self) -> Self {
        match self {
            Node::Inner(inner) => Node::Inner(inner.clone()),
            Node::Page(page) => Node::Page(page.clone()),
        }
    }
}

#[derive(Debug)]
pub(super) struct Inner<S> {
    pub prefix: Prefix,
    hash: Hash,
    labels: u64,
    /// Distinct names below it. What is more than that counts as that.
    names: u32,
    pub left: Node<S>,
    pub right: Node<S>,
}

impl<S> Node<S> {
    /// The node's hash, and how many labels are below it.
    pub fn sum(&self) -> Sum {
        match self {
            Node::Inner(inner) => Sum {
                hash: inner.hash,
                labels: inner.labels,
            },
            Node::Page(page) => Sum {
                hash: page.hash,
                labels: page.labels.into(),
            },
        }
    }

    /// How much is below it.
    pub fn count(&self) -> Count {
        let names = match self {
            Node::Inner(inner) => inner.names.into(),
            Node::Page(page) => page.names.into(),
        };
        Count {
            labels: self.sum().labels,
            names,
        }
    }

    /// The inner node over two subtrees.
    pub fn join(prefix: Prefix, left: Node<S>, right: Node<S>) -> Self {
        let (l, r) = (left.sum(), right.sum());
        let names = if prefix.bits() < Name::BITS {
            left.count().names + right.count().names
        } else {
            1
        };
        Node::Inner(Arc::new(Inner {
            prefix,
            hash: trie::inner(&prefix, &l, &r),
            labels: l.labels + r.labels,
            names: u32::try_from(names).unwrap_or(u32::MAX),
            left,
            right,
        }))
    }
}

/// Calls `visit` with every page below `node` whose key lies between two labels, in order.
pub(super) fn each_page<'m, S>(
    node: &'m Node<S>,
    from: &Label,
    to: &Label,
    visit: &mut impl FnMut(&'m Arc<Page<S>>),
) {
    match node {
        Node::Inner(inner) if inner.prefix.first() > to || inner.prefix.last() < *from => {}
        Node::Inner(inner) => {
            each_page(&inner.left, from, to, visit);
            each_page(&inner.right, from, to, visit);
        }
        Node::Page(page) if page.key.first() < from || page.key.first() > to => {}
        Node::Page(page) => visit(page),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_of_the_directory_takes_128_bytes() {
        const COUNTS: usize = 2 * size_of::<usize>();
        // What a node of the log has for a slot: a lock, two words and a flag.
        struct InMemory(#[expect(dead_code)] [usize; 4]);
        assert_eq!(COUNTS + size_of::<Page<InMemory>>(), 128);
        assert_eq!(COUNTS + size_of::<Inner<InMemory>>(), 128);
    }
}
