//! The directory: inner nodes of the trie in memory, above the pages that hold its labels.

use crate::index::label::{Label, Prefix};
use crate::index::page::PageError;
use crate::index::trie;
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

/// A page's place in the directory.
#[derive(Debug)]
pub struct Page<S> {
    pub(super) key: Prefix,
    pub(super) hash: Hash,
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
    pub left: Node<S>,
    pub right: Node<S>,
}

impl<S> Node<S> {
    pub fn hash(&self) -> Hash {
        match self {
            Node::Inner(inner) => inner.hash,
            Node::Page(page) => page.hash,
        }
    }

    /// The inner node over two subtrees.
    pub fn join(prefix: Prefix, left: Node<S>, right: Node<S>) -> Self {
        let hash = trie::inner(&prefix, &left.hash(), &right.hash());
        Node::Inner(Arc::new(Inner {
            prefix,
            hash,
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
