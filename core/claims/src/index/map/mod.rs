//! The trie as it is kept: pages of up to sixteen labels, in parts of up to sixteen pages, under a
//! directory of inner nodes.
//!
//! A [`Map`] never changes. A publish step makes the next one, which shares every page and node
//! that the step does not touch. Readers go on with the one that they have, without locks. Where
//! the bytes of parts and pages are is up to the caller ([`Slot`], [`Pages`]): an audit holds them
//! all, a node some of them, within a limit.
//!
//! A page is named by the prefix that leads to it, its *key*. The key stays the same until the page
//! has too many labels and is split. Then the keys of the new ones are longer. So it is with parts.

mod directory;
pub(in crate::index) mod join;
mod load;
mod part;
mod prove;
mod slot;
mod update;

pub use directory::{Count, MapError};
pub use join::{Join, Serial};
pub use load::{LoadedPage, LoadedPart, StoredPage, StoredPart};
pub use part::{PART_PAGES, Part, Place};
pub use prove::{Listed, Proven};
pub use slot::{Kept, PageBytes, Pages, Resident, Slot, Whole};
pub use update::Split;

use super::answer::Query;
use super::commitment::Commitment;
use super::label::{Label, Prefix};
use super::page::Spill;
use super::wanted::Wanted;
use assay_tlog::Hash;
use assay_tlog::tree::{LeafIndex, TreeSize};
use directory::{Node, each_part};
use part::{Total, fork, total};
use prove::{Cutter, parts_of};
use std::sync::{Arc, Weak};
use update::Step;

/// The next map, and what has to be stored with it.
#[derive(Debug)]
pub struct Update<S> {
    /// The map with the update.
    pub map: Map<S>,
    /// What was appended to long lists.
    pub spills: Vec<Spill>,
    /// Pages that were split: they are no longer pages.
    pub split: Vec<Split>,
    /// Keys of parts that were divided: they are no longer parts.
    pub divided: Vec<Prefix>,
}

/// The index at one moment. Cheap to clone.
#[derive(Debug)]
pub struct Map<S> {
    root: Option<Node<S>>,
}

impl<S> Clone for Map<S> {
    fn clone(&self) -> Self {
        Map {
            root: self.root.clone(),
        }
    }
}

impl<S> Default for Map<S> {
    fn default() -> Self {
        Map { root: None }
    }
}

impl<S: Slot> Map<S> {
    /// The index without labels.
    pub fn new() -> Self {
        Map::default()
    }

    /// What a log that has this index commits to.
    pub fn commitment(&self) -> Commitment {
        self.root.as_ref().map_or_else(Commitment::empty, |root| {
            let sum = root.total().sum;
            Commitment {
                root: sum.hash,
                labels: sum.labels,
            }
        })
    }

    /// Puts stored pages together again, given in the order of their keys.
    pub fn load<E>(
        pages: impl IntoIterator<Item = Result<LoadedPage, MapError<E>>>,
    ) -> Result<Self, MapError<E>> {
        let root = load::pages(pages)?;
        Ok(Map { root })
    }

    /// Puts stored parts together again, given in the order of their keys. What their pages hold is
    /// what the parts say, until they are read.
    pub fn load_parts<E>(
        parts: impl IntoIterator<Item = Result<LoadedPart<S>, MapError<E>>>,
    ) -> Result<Self, MapError<E>> {
        let root = load::parts(parts)?;
        Ok(Map { root })
    }

    /// The map, as long as somebody else has it.
    pub fn downgrade(&self) -> WeakMap<S> {
        WeakMap(match &self.root {
            None => None,
            Some(Node::Inner(inner)) => Some(WeakNode::Inner(Arc::downgrade(inner))),
            Some(Node::Part(part)) => Some(WeakNode::Part(Arc::downgrade(part))),
        })
    }

    /// Returns the map with `updates`: leaf indices by label, sorted, each pair once. All of them
    /// are in the tree of size `through`, and every page that is touched is current through there
    /// afterward.
    /// What a page holds already is passed over, so that the same leaves may be applied again.
    pub fn update<P: Pages<S>, J: Join>(
        &self,
        updates: &[(Label, LeafIndex)],
        through: TreeSize,
        pages: &P,
        join: &J,
    ) -> Result<Update<S>, MapError<P::Error>> {
        if updates.is_empty() {
            return Ok(Update {
                map: self.clone(),
                spills: Vec::new(),
                split: Vec::new(),
                divided: Vec::new(),
            });
        }
        let step = Step {
            through,
            pages,
            join,
        };
        let (root, changes) = step.run(self.root.as_ref(), updates)?;
        let map = Map { root: Some(root) };
        Ok(Update {
            map,
            spills: changes.draft.spills,
            split: changes.split,
            divided: changes.divided,
        })
    }

    /// Calls `visit` with every part whose key lies between the two labels, in order.
    pub fn each_part<'m>(
        &'m self,
        from: &Label,
        to: &Label,
        visit: &mut impl FnMut(&'m Arc<Part<S>>),
    ) {
        if let Some(root) = &self.root {
            each_part(root, from, to, visit);
        }
    }

    /// Calls `visit` with the parts that `labels`, sorted, lead to, each once, and the labels that
    /// lead there.
    pub fn parts_of<'m, 'l>(
        &'m self,
        labels: &'l [Label],
        visit: &mut impl FnMut(&'m Arc<Part<S>>, &'l [Label]),
    ) {
        if let Some(root) = &self.root {
            parts_of(root, labels, visit);
        }
    }

    /// Proves what the index says to a query.
    pub fn prove<P: Pages<S>>(
        &self,
        query: &Query,
        pages: &P,
    ) -> Result<Proven, MapError<P::Error>> {
        self.cut(query, Cutter::new(pages, true))
    }

    /// The same without the lists that are found, for whoever reads them from the cut.
    pub fn prove_only<P: Pages<S>>(
        &self,
        query: &Query,
        pages: &P,
    ) -> Result<Vec<Vec<u8>>, MapError<P::Error>> {
        let proven = self.cut(query, Cutter::new(pages, false));
        Ok(proven?.pieces)
    }

    fn cut<P: Pages<S>>(
        &self,
        query: &Query,
        mut cutter: Cutter<'_, P>,
    ) -> Result<Proven, MapError<P::Error>> {
        if let Some(root) = &self.root {
            cutter.node(root, Wanted::of(query))?;
        }
        Ok(cutter.finish())
    }

    /// How much begins with `prefix`, without reading anything: it costs as many steps as the
    /// directory is deep. Where the prefix ends inside a page, all of the page counts, so that up
    /// to [`PAGE_LABELS`](super::page::PAGE_LABELS) more may be counted; if the places of the part
    /// are not in memory, all of the part counts.
    pub fn count(&self, prefix: &Prefix) -> Count {
        self.at(prefix).map(Count::from).unwrap_or_default()
    }

    /// A hash that is another one once more is listed under `prefix`, at the price of
    /// [`count`](Self::count). Where the prefix ends inside a page, it is the page's, or its
    /// part's. `None` if nothing begins with it.
    pub fn state(&self, prefix: &Prefix) -> Option<Hash> {
        self.at(prefix).map(|total| total.sum.hash)
    }

    /// What the node holds that has everything that begins with `prefix`, or the page or part
    /// where that ends.
    fn at(&self, prefix: &Prefix) -> Option<Total> {
        let mut at = self.root.as_ref()?;
        loop {
            match at {
                Node::Inner(inner) if prefix.covers(&inner.prefix) => return Some(at.total()),
                Node::Inner(inner) if !inner.prefix.covers(prefix) => return None,
                Node::Inner(inner) => {
                    let side = prefix.first().bit(inner.prefix.bits().min(255) as u8);
                    at = if side { &inner.right } else { &inner.left };
                }
                Node::Part(part) => return within(part, prefix),
            }
        }
    }
}

/// What of a part begins with `prefix`, by whole pages, or all of it if its places are not in
/// memory.
fn within<S: Slot>(part: &Part<S>, prefix: &Prefix) -> Option<Total> {
    let places = part.slot().places().map(|bytes| part.places(&bytes));
    let Some(Ok(places)) = places else {
        return Some(part.total());
    };
    let mut at = &places[..];
    while at.len() > 1 {
        let (node, middle) = fork(at);
        if prefix.covers(&node) {
            break;
        }
        if !node.covers(prefix) {
            return None;
        }
        let (left, right) = at.split_at(middle);
        let side = prefix.first().bit(node.bits().min(255) as u8);
        at = if side { right } else { left };
    }
    Some(total(at))
}

/// A map that does not keep what it holds.
#[derive(Debug)]
pub struct WeakMap<S>(Option<WeakNode<S>>);

#[derive(Debug)]
enum WeakNode<S> {
    Inner(Weak<directory::Inner<S>>),
    Part(Weak<Part<S>>),
}

impl<S> WeakMap<S> {
    /// Whether somebody has it still.
    pub fn is_held(&self) -> bool {
        let holders = match &self.0 {
            None => 0,
            Some(WeakNode::Inner(inner)) => inner.strong_count(),
            Some(WeakNode::Part(part)) => part.strong_count(),
        };
        holders > 0
    }

    /// The map, if somebody has it still. That of no labels, nobody has.
    pub fn upgrade(&self) -> Option<Map<S>> {
        let root = match self.0.as_ref()? {
            WeakNode::Inner(inner) => Node::Inner(inner.upgrade()?),
            WeakNode::Part(part) => Node::Part(part.upgrade()?),
        };
        Some(Map { root: Some(root) })
    }
}
