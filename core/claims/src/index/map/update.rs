//! One publish step: the next map. Only the changed pages, their parts and the nodes above them are
//! new.

use super::directory::{MapError, Node, over_pages};
use super::join::Join;
use super::part::{Draw, PART_PAGES, Part, Place, fork};
use super::slot::{Kept, Pages, Slot};
use crate::index::draft::Draft;
use crate::index::label::{Label, Prefix};
use crate::index::page::{PAGE_LABELS, PageError};
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
    /// Pages that were split.
    pub split: Vec<Split>,
    /// Keys of parts that were divided.
    pub divided: Vec<Prefix>,
}

/// A page that was split: its key leads to no page any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Its key.
    pub page: Prefix,
    /// The key of the part that it was in.
    pub part: Prefix,
}

impl Changes {
    fn append(&mut self, mut other: Changes) {
        self.draft.spills.append(&mut other.draft.spills);
        self.split.append(&mut other.split);
        self.divided.append(&mut other.divided);
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
            Node::Part(part) => return self.rewrite(part, updates, changes),
            Node::Inner(inner) => inner,
        };
        let bits = common(&inner.prefix, updates);
        let (left, right) = halves(updates, bits);
        if bits == inner.prefix.bits() {
            let (left, right) = self.both(&inner.left, left, &inner.right, right, changes)?;
            return Ok(Node::join(inner.prefix, left, right));
        }
        let prefix = Prefix::of(inner.prefix.first(), bits);
        if inner.prefix.first().bit(bits.min(255) as u8) {
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

    /// The part with `updates`, divided if it has too many pages afterward.
    fn rewrite<S: Slot>(
        &self,
        part: &Arc<Part<S>>,
        updates: Updates<'_>,
        changes: &mut Changes,
    ) -> Result<Node<S>, MapError<P::Error>>
    where
        P: Pages<S>,
    {
        let bytes = self.pages.places(part).map_err(MapError::Read)?;
        let places = part.places(&bytes)?;
        let mut within = Within {
            part,
            places: &places,
            changed: false,
            pages: Vec::with_capacity(PART_PAGES + 1),
        };
        self.within(&mut within, 0..places.len(), updates, changes)?;
        if !within.changed {
            return Ok(Node::Part(part.clone()));
        }
        let mut pages = within.pages;
        if pages.len() > PART_PAGES {
            changes.divided.push(*part.key());
        }
        Ok(over_pages(*part.key(), &mut pages, self.through))
    }

    /// Adds these places of a part to its next pages, with `updates`, of which there may be none.
    /// It goes no deeper than there are places.
    fn within<S: Slot>(
        &self,
        within: &mut Within<'_, S>,
        range: Range<usize>,
        updates: Updates<'_>,
        changes: &mut Changes,
    ) -> Result<(), MapError<P::Error>>
    where
        P: Pages<S>,
    {
        let places = &within.places[range.clone()];
        if updates.is_empty() {
            range.for_each(|at| within.keep(at));
            return Ok(());
        }
        if let [place] = places {
            return self.page(within, range.start, place, updates, changes);
        }
        let (prefix, middle) = fork(places);
        let middle = range.start + middle;
        let bits = common(&prefix, updates);
        let (left, right) = halves(updates, bits);
        if bits == prefix.bits() {
            self.within(within, range.start..middle, left, changes)?;
            return self.within(within, middle..range.end, right, changes);
        }
        let parent = Prefix::of(prefix.first(), bits);
        if prefix.first().bit(bits.min(255) as u8) {
            within.add(self.drawn(parent, left, changes)?);
            self.within(within, range, right, changes)
        } else {
            self.within(within, range, left, changes)?;
            within.add(self.drawn(parent, right, changes)?);
            Ok(())
        }
    }

    /// Adds the page at one place, with `updates`, at least one, split if it has too many labels
    /// afterward.
    fn page<S: Slot>(
        &self,
        within: &mut Within<'_, S>,
        at: usize,
        place: &Place,
        updates: Updates<'_>,
        changes: &mut Changes,
    ) -> Result<(), MapError<P::Error>>
    where
        P: Pages<S>,
    {
        let through = place.through();
        if updates.iter().all(|(_, leaf)| through.contains(*leaf)) {
            within.keep(at);
            return Ok(());
        }
        let bytes = self.pages.bytes(within.part, at, place);
        let bytes = bytes.map_err(MapError::Read)?;
        changes.draft.merge(&bytes, updates, through)?;
        let labels = changes.draft.items.len();
        if labels > PAGE_LABELS {
            changes.split.push(Split {
                page: *place.key(),
                part: *within.part.key(),
            });
        }
        within.changed = true;
        self.draw(&changes.draft, *place.key(), 0..labels, &mut within.pages);
        Ok(())
    }

    /// Pages for labels that no page holds yet: of a new child of the node with this prefix.
    fn drawn(
        &self,
        parent: Prefix,
        updates: Updates<'_>,
        changes: &mut Changes,
    ) -> Result<Vec<Draw>, PageError> {
        changes.draft.merge(&[], updates, TreeSize::EMPTY)?;
        let (labels, mut pages) = (changes.draft.items.len(), Vec::new());
        if let Some((first, _)) = updates.first() {
            let key = Prefix::of(first, parent.bits() + 1);
            self.draw(&changes.draft, key, 0..labels, &mut pages);
        }
        Ok(pages)
    }

    /// A node for labels that no part holds yet.
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
        let (labels, mut pages) = (changes.draft.items.len(), Vec::new());
        self.draw(&changes.draft, key, 0..labels, &mut pages);
        Ok(over_pages(key, &mut pages, self.through))
    }

    /// Parts these items of a draft into pages. It goes no deeper than there are items.
    fn draw(&self, draft: &Draft, key: Prefix, range: Range<usize>, pages: &mut Vec<Draw>) {
        let items = &draft.items[range.clone()];
        if items.len() <= PAGE_LABELS {
            pages.push(Draw {
                place: Place::new(key, items, self.through),
                kept: Some(Kept {
                    bytes: draft.page(range).into(),
                    used: true,
                }),
            });
            return;
        }
        let (prefix, middle) = branch(items);
        let left = Prefix::of(&items[0].label, prefix.bits() + 1);
        let right = Prefix::of(&items[middle].label, prefix.bits() + 1);
        let middle = range.start + middle;
        self.draw(draft, left, range.start..middle, pages);
        self.draw(draft, right, middle..range.end, pages);
    }
}

/// How many bits all labels of some updates, at least one, begin with that a node's prefix begins
/// with, too.
fn common(prefix: &Prefix, updates: Updates<'_>) -> u16 {
    let of = |at: Option<&(Label, LeafIndex)>| at.map_or(0, |(label, _)| prefix.common(label));
    of(updates.first()).min(of(updates.last()))
}

/// Updates parted by the bit after `bits`.
fn halves(updates: Updates<'_>, bits: u16) -> (Updates<'_>, Updates<'_>) {
    let at = bits.min(255) as u8;
    updates.split_at(updates.partition_point(|(label, _)| !label.bit(at)))
}

/// A part on its way to the next map.
struct Within<'p, S> {
    part: &'p Part<S>,
    places: &'p [Place],
    /// Whether any page is another one.
    changed: bool,
    /// Its pages there, so far.
    pages: Vec<Draw>,
}

impl<S: Slot> Within<'_, S> {
    /// Adds a page as it is.
    fn keep(&mut self, at: usize) {
        self.pages.push(Draw {
            place: self.places[at].clone(),
            kept: self.part.slot().kept(at),
        });
    }

    fn add(&mut self, mut pages: Vec<Draw>) {
        self.changed = true;
        self.pages.append(&mut pages);
    }
}
