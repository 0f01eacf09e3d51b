//! The directory: inner nodes of the trie in memory, above the pages that hold its labels.

use crate::index::label::{Label, Name, Prefix};
use crate::index::page::PageError;
use crate::index::trie::{self, Leaf, Sum};
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

/// A page's place in the directory.
#[derive(Debug)]
pub struct Page<S> {
    pub(super) key: Prefix,
    pub(super) sum: Sum,
    /// Distinct names among its labels.
    pub(super) names: u64,
    pub(super) through: TreeSize,
    pub(super) slot: S,
}

impl<S> Page<S> {
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

/// How many distinct names these ascending labels have.
pub(super) fn names_of<L: Leaf>(labels: &[L]) -> u64 {
    labels
        .chunk_by(|a, b| a.label().name() == b.label().name())
        .count() as u64
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
    sum: Sum,
    names: u64,
    pub left: Node<S>,
    pub right: Node<S>,
}

impl<S> Node<S> {
    /// The node's hash, and how many labels are below it.
    pub fn sum(&self) -> Sum {
        match self {
            Node::Inner(inner) => inner.sum,
            Node::Page(page) => page.sum,
        }
    }

    /// How much is below it.
    pub fn count(&self) -> Count {
        let names = match self {
            Node::Inner(inner) => inner.names,
            Node::Page(page) => page.names,
        };
        Count {
            labels: self.sum().labels,
            names,
        }
    }

    /// The inner node over two subtrees.
    pub fn join(prefix: Prefix, left: Node<S>, right: Node<S>) -> Self {
        let (l, r) = (left.sum(), right.sum());
        let sum = Sum {
            hash: trie::inner(&prefix, &l, &r),
            labels: l.labels + r.labels,
        };
        let names = if prefix.bits() < Name::BITS {
            left.count().names + right.count().names
        } else {
            1
        };
        Node::Inner(Arc::new(Inner {
            prefix,
            sum,
            names,
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
