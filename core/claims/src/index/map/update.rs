//! One publish step: the next map. Only the changed pages and the nodes above them are new.

use super::directory::{MapError, Node, Page, Pages, Slot};
use super::join::Join;
use crate::index::draft::Draft;
use crate::index::label::{Label, Prefix};
use crate::index::page::PAGE_LABELS;
use crate::index::trie::branch;
use assay_tlog::tree::{LeafIndex, TreeSize};
use std::ops::Range;
use std::sync::Arc;

/// Updates on both sides of a node from which on it pays to compute the sides at the same time.
const PARALLEL_MIN: usize = 256;

/// One publish step on its way down the trie.
pub(super) struct Step<'a, P, J> {
    pub through: TreeSize,
    pub pages: &'a P,
    pub join: &'a J,
}

/// What it changed.
#[derive(Default)]
pub(super) struct Changes {
    pub draft: Draft,
    /// Keys of pages that were split.
    pub split: Vec<Prefix>,
}

impl Changes {
    fn append(&mut self, mut other: Changes) {
        self.draft.spills.append(&mut other.draft.spills);
        self.split.append(&mut other.split);
    }
}

type Updates<'u> = &'u [(Label, LeafIndex)];

/// The left and the right child of an inner node.
type Children<S> = (Node<S>, Node<S>);

impl<P, J: Join> Step<'_, P, J> {
    /// Returns the root with `updates`, at least one, and what has to be stored.
    pub fn run<S: Slot>(
        &self,
        root: Option<&Node<S>>,
        updates: Updates<'_>,
    ) -> Result<(Node<S>, Changes), MapError<P::Error>>
    where
        P: Pages<S>,
    {
        let mut changes = Changes::default();
        let root = match root {
            Some(root) => self.apply(root, updates, &mut changes)?,
            None => self.fresh(Prefix::EMPTY, updates, &mut changes)?,
        };
        Ok((root, changes))
    }

    /// The node with `updates`, at least one, which all belong under the node's parent.
    fn apply<S: Slot>(
        &self,
        node: &Node<S>,
        updates: Updates<'_>,
        changes: &mut Changes,
    ) -> Result<Node<S>, MapError<P::Error>>
    where
        P: Pages<S>,
    {
        let inner = match node {
            Node::Page(page) => return self.rewrite(page, updates, changes),
            Node::Inner(inner) => inner,
        };
        let bits = match updates {
            [(first, _), .., (last, _)] => {
                inner.prefix.common(first).min(inner.prefix.common(last))
            }
            _ => updates
                .iter()
                .map(|(label, _)| inner.prefix.common(label))
                .min()
                .unwrap_or_default(),
        };
        let at = bits.min(255) as u8;
        let (left, right) = updates.split_at(updates.partition_point(|(label, _)| !label.bit(at)));
        if bits == inner.prefix.bits() {
            let (left, right) = self.both(&inner.left, left, &inner.right, right, changes)?;
            return Ok(Node::join(inner.prefix, left, right));
        }
        let prefix = Prefix::of(inner.prefix.first(), bits);
        if inner.prefix.first().bit(at) {
            let (others, own) = self.beside(node, prefix, left, right, changes)?;
            Ok(Node::join(prefix, others, own))
        } else {
            let (others, own) = self.beside(node, prefix, right, left, changes)?;
            Ok(Node::join(prefix, own, others))
        }
    }

    /// Some labels (`others`) part from all that are below a node before the node does: it gets a
    /// parent with this prefix, and a sibling. Returns the sibling and the node, with its `own`
    /// updates.
    fn beside<S: Slot>(
        &self,
        node: &Node<S>,
        parent: Prefix,
        others: Updates<'_>,
        own: Updates<'_>,
        changes: &mut Changes,
    ) -> Result<(Node<S>, Node<S>), MapError<P::Error>>
    where
        P: Pages<S>,
    {
        let own = self.apply_any(node, own, changes)?;
        let key = others
            .first()
            .map_or(parent, |(label, _)| Prefix::of(label, parent.bits() + 1));
        Ok((self.fresh(key, others, changes)?, own))
    }

    /// The node with `updates`, of which there may be none.
    fn apply_any<S: Slot>(
        &self,
        node: &Node<S>,
        updates: Updates<'_>,
        changes: &mut Changes,
    ) -> Result<Node<S>, MapError<P::Error>>
    where
        P: Pages<S>,
    {
        if updates.is_empty() {
            Ok(node.clone())
        } else {
            self.apply(node, updates, changes)
        }
    }

    fn both<S: Slot>(
        &self,
        left: &Node<S>,
        left_updates: Updates<'_>,
        right: &Node<S>,
        right_updates: Updates<'_>,
        changes: &mut Changes,
    ) -> Result<Children<S>, MapError<P::Error>>
    where
        P: Pages<S>,
    {
        if left_updates.len().min(right_updates.len()) < PARALLEL_MIN {
            return Ok((
                self.apply_any(left, left_updates, changes)?,
                self.apply_any(right, right_updates, changes)?,
            ));
        }
        let mut beside = Changes::default();
        let (left, right) = self.join.join(
            || self.apply_any(left, left_updates, changes),
            || self.apply_any(right, right_updates, &mut beside),
        );
        changes.append(beside);
        Ok((left?, right?))
    }

    fn rewrite<S: Slot>(
        &self,
        page: &Arc<Page<S>>,
        updates: Updates<'_>,
        changes: &mut Changes,
    ) -> Result<Node<S>, MapError<P::Error>>
    where
        P: Pages<S>,
    {
        if updates
            .iter()
            .all(|(_, leaf)| page.through().contains(*leaf))
        {
            return Ok(Node::Page(page.clone()));
        }
        let bytes = self.pages.bytes(page).map_err(MapError::Read)?;
        changes.draft.merge(&bytes, updates, page.through())?;
        let labels = changes.draft.items.len();
        if labels > PAGE_LABELS {
            changes.split.push(*page.key());
        }
        Ok(self.part(&changes.draft, *page.key(), 0..labels))
    }

    /// Pages for labels that no page holds yet.
    fn fresh<S: Slot>(
        &self,
        key: Prefix,
        updates: Updates<'_>,
        changes: &mut Changes,
    ) -> Result<Node<S>, MapError<P::Error>>
    where
        P: Pages<S>,
    {
        changes.draft.merge(&[], updates, TreeSize::EMPTY)?;
        let labels = changes.draft.items.len();
        Ok(self.part(&changes.draft, key, 0..labels))
    }

    /// Parts these items of a draft into pages. It goes no deeper than there are items.
    fn part<S: Slot>(&self, draft: &Draft, key: Prefix, range: Range<usize>) -> Node<S> {
        let items = &draft.items[range.clone()];
        if items.len() <= PAGE_LABELS {
            let slot = S::filled(draft.page(range).into());
            return Node::Page(Arc::new(Page::new(key, items, self.through, slot)));
        }
        let (prefix, middle) = branch(items);
        let left = Prefix::of(&items[0].label, prefix.bits() + 1);
        let right = Prefix::of(&items[middle].label, prefix.bits() + 1);
        let middle = range.start + middle;
        Node::join(
            prefix,
            self.part(draft, left, range.start..middle),
            self.part(draft, right, middle..range.end),
        )
    }
}
