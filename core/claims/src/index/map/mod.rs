//! The trie as it is kept: pages of up to sixteen labels under a directory of inner nodes.
//!
//! A [`Map`] never changes. A publish step makes the next one, which shares every page and node
//! that the step does not touch. Readers go on with the one that they have, without locks. Where a
//! page's bytes are is up to the caller ([`Slot`], [`Pages`]): an audit holds them all, a node most
//! of them, within a limit.
//!
//! A page is named by the prefix that leads to it, its *key*. The key stays the same until the page
//! has too many labels and is split. Then the keys of its parts are longer.

mod directory;
mod join;
mod load;
mod prove;
mod update;

pub use directory::{Count, MapError, Page, PageBytes, Pages, Resident, Slot};
pub use join::{Join, Serial};
pub use load::{LoadedPage, StoredPage};
pub use prove::{Listed, Proven};

use super::answer::Query;
use super::commitment::Commitment;
use super::label::{Label, Prefix};
use super::page::Spill;
use super::wanted::Wanted;
use assay_tlog::Hash;
use assay_tlog::tree::{LeafIndex, TreeSize};
use directory::{Node, each_page};
use prove::{Cutter, pages_of};
use std::sync::Arc;
use update::Step;

/// The next map, and what has to be stored with it.
#[derive(Debug)]
pub struct Update<S> {
    /// The map with the update.
    pub map: Map<S>,
    /// What was appended to long lists.
    pub spills: Vec<Spill>,
    /// Keys of pages that were split: they are no longer pages.
    pub split: Vec<Prefix>,
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
            let sum = root.sum();
            Commitment {
                root: sum.hash,
                labels: sum.labels,
            }
        })
    }

    /// Puts stored pages together again, given in the order of their keys.
    pub fn load<E>(
        pages: impl IntoIterator<Item = Result<LoadedPage<S>, MapError<E>>>,
    ) -> Result<Self, MapError<E>> {
        let root = load::load(pages)?;
        Ok(Map { root })
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
        })
    }

    /// Calls `visit` with every page whose key lies between the two labels, in order.
    pub fn each_page<'m>(
        &'m self,
        from: &Label,
        to: &Label,
        visit: &mut impl FnMut(&'m Arc<Page<S>>),
    ) {
        if let Some(root) = &self.root {
            each_page(root, from, to, visit);
        }
    }

    /// The pages that `labels`, sorted, lead to, each once.
    pub fn pages_of(&self, labels: &[Label]) -> Vec<&Arc<Page<S>>> {
        let mut pages = Vec::new();
        if let Some(root) = &self.root {
            pages_of(root, labels, &mut pages);
        }
        pages
    }

    /// Proves what the index says to a query.
    pub fn prove<P: Pages<S>>(
        &self,
        query: &Query,
        pages: &P,
    ) -> Result<Proven, MapError<P::Error>> {
        let mut cutter = Cutter::new(pages);
        if let Some(root) = &self.root {
            cutter.node(root, Wanted::of(query))?;
        }
        Ok(cutter.finish())
    }

    /// How much begins with `prefix`, without reading a page: it costs as many steps as the
    /// directory is deep. Where the prefix ends inside a page, all of the page counts, so that up
    /// to [`PAGE_LABELS`](super::page::PAGE_LABELS) more may be counted.
    pub fn count(&self, prefix: &Prefix) -> Count {
        self.at(prefix).map(Node::count).unwrap_or_default()
    }

    /// A hash that is another one once more is listed under `prefix`, at the price of
    /// [`count`](Self::count). Where the prefix ends inside a page, it is the page's. `None` if
    /// nothing begins with it.
    pub fn state(&self, prefix: &Prefix) -> Option<Hash> {
        self.at(prefix).map(|node| node.sum().hash)
    }

    /// The node that holds everything that begins with `prefix`, or the page where that ends.
    fn at(&self, prefix: &Prefix) -> Option<&Node<S>> {
        let mut at = self.root.as_ref();
        while let Some(node) = at {
            match node {
                Node::Inner(inner) if prefix.covers(&inner.prefix) => break,
                Node::Inner(inner) if !inner.prefix.covers(prefix) => return None,
                Node::Inner(inner) => {
                    let side = prefix.first().bit(inner.prefix.bits().min(255) as u8);
                    at = Some(if side { &inner.right } else { &inner.left });
                }
                Node::Page(_) => break,
            }
        }
        at
    }
}
