//! The directory: inner nodes of the trie in memory, above the parts that its pages are in.

use super::part::{Draw, Keyed, PART_PAGES, Part, Total, fork, make};
use super::slot::Slot;
use crate::index::label::{Label, Prefix};
use crate::index::page::PageError;
use crate::index::trie::Sum;
use assay_tlog::Hash;
use assay_tlog::tree::TreeSize;
use std::sync::Arc;

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

/// How much a part of the index holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Labels.
    pub labels: u64,
    /// Distinct names among them.
    pub names: u64,
}

impl From<Total> for Count {
    fn from(total: Total) -> Self {
        Count {
            labels: total.sum.labels,
            names: total.names,
        }
    }
}

/// A node of the directory: a part, or an inner node over several.
#[derive(Debug)]
pub(super) enum Node<S> {
    Inner(Arc<Inner<S>>),
    Part(Arc<Part<S>>),
}

impl<S> Clone for Node<S> {
    fn clone(&self) -> Self {
        match self {
            Node::Inner(inner) => Node::Inner(inner.clone()),
            Node::Part(part) => Node::Part(part.clone()),
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
    /// What is below it.
    pub fn total(&self) -> Total {
        match self {
            Node::Inner(inner) => Total {
                sum: Sum {
                    hash: inner.hash,
                    labels: inner.labels,
                },
                names: inner.names.into(),
            },
            Node::Part(part) => part.total(),
        }
    }

    /// The inner node over two subtrees.
    pub fn join(prefix: Prefix, left: Node<S>, right: Node<S>) -> Self {
        let total = Total::join(&prefix, &left.total(), &right.total());
        Node::Inner(Arc::new(Inner {
            prefix,
            hash: total.sum.hash,
            labels: total.sum.labels,
            names: u32::try_from(total.names).unwrap_or(u32::MAX),
            left,
            right,
        }))
    }
}

impl<S> Keyed for Arc<Part<S>> {
    fn key(&self) -> &Prefix {
        Part::key(self)
    }
}

/// The node over these pages, of which there is at least one; `key` leads to it, and its parts are
/// made when the tree has the size `through`. It goes no deeper than there are pages.
pub(super) fn over_pages<S: Slot>(key: Prefix, pages: &mut [Draw], through: TreeSize) -> Node<S> {
    if pages.len() <= PART_PAGES {
        return Node::Part(Arc::new(make(key, pages, through)));
    }
    let (prefix, middle) = fork(pages);
    let beside = |page: &Draw| Prefix::of(page.key().first(), prefix.bits() + 1);
    let (left, right) = (beside(&pages[0]), beside(&pages[middle]));
    let (before, after) = pages.split_at_mut(middle);
    let left = over_pages(left, before, through);
    Node::join(prefix, left, over_pages(right, after, through))
}

/// The node over these parts. That over none is `None`.
pub(super) fn over_parts<S>(parts: &[Arc<Part<S>>]) -> Option<Node<S>> {
    match parts {
        [] => None,
        [only] => Some(Node::Part(only.clone())),
        _ => {
            let (prefix, middle) = fork(parts);
            let (left, right) = parts.split_at(middle);
            Some(Node::join(prefix, over_parts(left)?, over_parts(right)?))
        }
    }
}

/// Calls `visit` with every part below `node` whose key lies between two labels, in order.
pub(super) fn each_part<'m, S>(
    node: &'m Node<S>,
    from: &Label,
    to: &Label,
    visit: &mut impl FnMut(&'m Arc<Part<S>>),
) {
    match node {
        Node::Inner(inner) if inner.prefix.first() > to || inner.prefix.last() < *from => {}
        Node::Inner(inner) => {
            each_part(&inner.left, from, to, visit);
            each_part(&inner.right, from, to, visit);
        }
        Node::Part(part) if part.key().first() < from || part.key().first() > to => {}
        Node::Part(part) => visit(part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_of_the_directory_takes_128_bytes_and_a_part_160() {
        const COUNTS: usize = 2 * size_of::<usize>();
        // What a node of the log has for a slot: a lock, two words, three and two flags.
        struct InMemory(#[expect(dead_code)] [usize; 7]);
        assert!(COUNTS + size_of::<Part<InMemory>>() <= 160);
        assert_eq!(COUNTS + size_of::<Inner<InMemory>>(), 128);
    }
}
