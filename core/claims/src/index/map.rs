//! The trie as it is kept: pages of up to sixteen labels under a directory of inner nodes.
//!
//! A [`Map`] never changes. A publish step makes the next one of it, which shares every page and
//! node that the step does not touch; readers go on with the one that they have, without locks.
//! Where a page's bytes are is the caller's business ([`Slot`], [`Pages`]): an audit holds them
//! all, a node most, within a limit.
//!
//! A page is named by the prefix that leads to it (its *key*). The key stays the same until the
//! page has too many labels and is split; then the keys of its parts are longer.

use super::label::{Label, Prefix};
use super::page::{self, Draft, PAGE_LABELS, PageError, Spill, branch, subtree};
use super::prove::{Cutter, Wanted};
use super::{Commitment, trie};
use assay_tlog::Hash;
use std::sync::Arc;

pub use super::prove::{Listed, Proven};

/// Updates on both sides of a node from which on it pays to compute the sides at the same time.
const PARALLEL_MIN: usize = 256;

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
    /// Why they do not.
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

/// Computes two things, at the same time if it can.
pub trait Join: Sync {
    /// Returns the results of both.
    fn join<A: Send, B: Send>(
        &self,
        a: impl FnOnce() -> A + Send,
        b: impl FnOnce() -> B + Send,
    ) -> (A, B);
}

/// One after the other.
#[derive(Debug, Clone, Copy)]
pub struct Serial;

impl Join for Serial {
    fn join<A: Send, B: Send>(
        &self,
        a: impl FnOnce() -> A + Send,
        b: impl FnOnce() -> B + Send,
    ) -> (A, B) {
        (a(), b())
    }
}

/// A page's place in the directory.
#[derive(Debug)]
pub struct Page<S> {
    key: Prefix,
    hash: Hash,
    through: u64,
    slot: S,
}

impl<S> Page<S> {
    /// The prefix that leads to it, by which it is stored.
    pub fn key(&self) -> &Prefix {
        &self.key
    }

    /// It is current for all leaves below this index. Those at and above it have not been applied
    /// to it.
    pub fn through(&self) -> u64 {
        self.through
    }

    /// Its bytes, or where they are.
    pub fn slot(&self) -> &S {
        &self.slot
    }
}

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

    fn join(prefix: Prefix, left: Node<S>, right: Node<S>) -> Self {
        let hash = trie::inner(&prefix, &left.hash(), &right.hash());
        Node::Inner(Arc::new(Inner {
            prefix,
            hash,
            left,
            right,
        }))
    }
}

/// Why a map could not be read or made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapError<E> {
    /// A page's bytes could not be had.
    #[error("a page of the index could not be read")]
    Read(#[source] E),
    /// A page's bytes are none.
    #[error(transparent)]
    Page(#[from] PageError),
    /// A page's labels do not belong under its key, or pages overlap.
    #[error("the pages of the index do not fit together at {0:?}")]
    Misplaced(Prefix),
}

/// A stored page, to make a map of.
#[derive(Debug)]
pub struct StoredPage<S> {
    /// Its key.
    pub key: Prefix,
    /// See [`Page::through`].
    pub through: u64,
    /// Its bytes, which are read once, here.
    pub bytes: PageBytes,
    /// The slot that it gets.
    pub slot: S,
}

/// A stored page that was read.
#[derive(Debug)]
pub struct LoadedPage<S> {
    page: Page<S>,
    first: Label,
    labels: u64,
}

impl<S> StoredPage<S> {
    /// Reads the page: about one hash a label.
    pub fn load<E>(self) -> Result<LoadedPage<S>, MapError<E>> {
        let StoredPage {
            key,
            through,
            bytes,
            slot,
        } = self;
        let records = page::records(&bytes)?;
        let ends = records.first().zip(records.last());
        let (first, last) = ends
            .map(|(a, b)| (a.label, b.label))
            .ok_or(PageError::Order)?;
        if !key.holds(&first) || !key.holds(&last) {
            return Err(MapError::Misplaced(key));
        }
        let page = Page {
            key,
            hash: subtree(&records),
            through,
            slot,
        };
        Ok(LoadedPage {
            page,
            first,
            labels: records.len() as u64,
        })
    }
}

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
    labels: u64,
}

impl<S> Clone for Map<S> {
    fn clone(&self) -> Self {
        Map {
            root: self.root.clone(),
            labels: self.labels,
        }
    }
}

impl<S> Default for Map<S> {
    fn default() -> Self {
        Map {
            root: None,
            labels: 0,
        }
    }
}

impl<S: Slot> Map<S> {
    /// The index without labels.
    pub fn new() -> Self {
        Map::default()
    }

    /// What a log that has this index commits to.
    pub fn commitment(&self) -> Commitment {
        Commitment {
            root: self.root.as_ref().map_or_else(trie::empty, Node::hash),
            labels: self.labels,
        }
    }

    /// Puts stored pages together again, given in the order of their keys.
    pub fn load<E>(
        pages: impl IntoIterator<Item = Result<LoadedPage<S>, MapError<E>>>,
    ) -> Result<Self, MapError<E>> {
        let mut labels = 0;
        let mut loaded: Vec<(Label, Node<S>)> = Vec::new();
        let mut last: Option<Label> = None;
        for page in pages {
            let LoadedPage {
                page,
                first,
                labels: more,
            } = page?;
            if last.is_some_and(|last| last >= *page.key.first()) {
                return Err(MapError::Misplaced(page.key));
            }
            last = Some(page.key.last());
            labels += more;
            loaded.push((first, Node::Page(Arc::new(page))));
        }
        Ok(Map {
            root: directory(&loaded),
            labels,
        })
    }

    /// Returns the map with `updates`: leaf indices by label, sorted, each pair once. All of them
    /// are below `through`, and every page that is touched is current through there afterward.
    /// What a page holds already is passed over, so that the same leaves may be applied again.
    pub fn update<P: Pages<S>, F: Join>(
        &self,
        updates: &[(Label, u64)],
        through: u64,
        pages: &P,
        fork: &F,
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
            fork,
        };
        let mut changes = Changes::default();
        let root = match &self.root {
            Some(root) => step.apply(root, updates, &mut changes)?,
            None => step.fresh(Prefix::EMPTY, updates, &mut changes)?,
        };
        let map = Map {
            root: Some(root),
            labels: self.labels + changes.draft.added,
        };
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
            pages_of(root, Wanted::labels(labels), &mut pages);
        }
        pages
    }

    /// Proves what the index says of each of `labels`, sorted: that it is there, with its list, or
    /// that it is not.
    pub fn prove<P: Pages<S>>(
        &self,
        labels: &[Label],
        pages: &P,
    ) -> Result<Proven, MapError<P::Error>> {
        self.cut(Wanted::labels(labels), pages)
    }

    /// Proves which labels begin with `prefix`.
    pub fn prove_prefix<P: Pages<S>>(
        &self,
        prefix: &Prefix,
        pages: &P,
    ) -> Result<Proven, MapError<P::Error>> {
        self.cut(Wanted::Prefix(prefix), pages)
    }

    fn cut<P: Pages<S>>(
        &self,
        wanted: Wanted<'_>,
        pages: &P,
    ) -> Result<Proven, MapError<P::Error>> {
        let mut cutter = Cutter::new(pages);
        if let Some(root) = &self.root {
            cutter.node(root, wanted)?;
        }
        Ok(cutter.finish())
    }
}

/// Joins pages, each with its first label, under inner nodes.
fn directory<S>(pages: &[(Label, Node<S>)]) -> Option<Node<S>> {
    match pages {
        [] => None,
        [(_, only)] => Some(only.clone()),
        [(first, _), .., (last, _)] => {
            let prefix = Prefix::of(first, first.common(last));
            let at = prefix.bits().min(255) as u8;
            let (left, right) = pages.split_at(pages.partition_point(|(label, _)| !label.bit(at)));
            Some(Node::join(prefix, directory(left)?, directory(right)?))
        }
    }
}

fn each_page<'m, S>(
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

fn pages_of<'m, S>(node: &'m Node<S>, wanted: Wanted<'_>, pages: &mut Vec<&'m Arc<Page<S>>>) {
    match (node, wanted) {
        (_, Wanted::Nothing) => {}
        (Node::Page(page), _) => pages.push(page),
        (Node::Inner(inner), _) => {
            let (left, right) = wanted.below(&inner.prefix);
            pages_of(&inner.left, left, pages);
            pages_of(&inner.right, right, pages);
        }
    }
}

/// One publish step on its way down the trie.
struct Step<'a, P, F> {
    through: u64,
    pages: &'a P,
    fork: &'a F,
}

/// What it changed.
#[derive(Default)]
struct Changes {
    draft: Draft,
    split: Vec<Prefix>,
}

impl Changes {
    fn append(&mut self, mut other: Changes) {
        self.draft.added += other.draft.added;
        self.draft.spills.append(&mut other.draft.spills);
        self.split.append(&mut other.split);
    }
}

type Updates<'u> = &'u [(Label, u64)];

/// The left and the right child of an inner node.
type Children<S> = (Node<S>, Node<S>);

impl<P, F: Join> Step<'_, P, F> {
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
        // Some labels part from all that are below this node before it does: it gets a parent and a
        // sibling.
        let prefix = Prefix::of(inner.prefix.first(), bits);
        let (own, others) = if inner.prefix.first().bit(at) {
            (right, left)
        } else {
            (left, right)
        };
        let own = if own.is_empty() {
            node.clone()
        } else {
            self.apply(node, own, changes)?
        };
        let key = others
            .first()
            .map_or(prefix, |(label, _)| Prefix::of(label, bits + 1));
        let others = self.fresh(key, others, changes)?;
        Ok(if inner.prefix.first().bit(at) {
            Node::join(prefix, others, own)
        } else {
            Node::join(prefix, own, others)
        })
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
        let one = |node: &Node<S>, updates: Updates<'_>, changes: &mut Changes| {
            if updates.is_empty() {
                Ok(node.clone())
            } else {
                self.apply(node, updates, changes)
            }
        };
        if left_updates.len().min(right_updates.len()) < PARALLEL_MIN {
            return Ok((
                one(left, left_updates, changes)?,
                one(right, right_updates, changes)?,
            ));
        }
        let mut beside = Changes::default();
        let (left, right) = self.fork.join(
            || one(left, left_updates, changes),
            || one(right, right_updates, &mut beside),
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
        if updates.iter().all(|(_, leaf)| *leaf < page.through) {
            return Ok(Node::Page(page.clone()));
        }
        let bytes = self.pages.bytes(page).map_err(MapError::Read)?;
        changes.draft.merge(&bytes, updates, page.through)?;
        let labels = changes.draft.items.len();
        if labels > PAGE_LABELS {
            changes.split.push(page.key);
        }
        Ok(self.part(&changes.draft, page.key, 0, labels))
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
        changes.draft.merge(&[], updates, 0)?;
        Ok(self.part(&changes.draft, key, 0, changes.draft.items.len()))
    }

    /// Parts the items from one to another into pages. It goes no deeper than there are items.
    fn part<S: Slot>(&self, draft: &Draft, key: Prefix, from: usize, to: usize) -> Node<S> {
        let items = &draft.items[from..to];
        if items.len() <= PAGE_LABELS {
            let slot = S::filled(draft.page(from, to).into());
            let page = Page {
                key,
                hash: subtree(items),
                through: self.through,
                slot,
            };
            return Node::Page(Arc::new(page));
        }
        let (prefix, middle) = branch(items);
        let child = |item: &page::Item| Prefix::of(&item.label, prefix.bits() + 1);
        let (left, right) = (child(&items[0]), child(&items[middle]));
        let middle = from + middle;
        Node::join(
            prefix,
            self.part(draft, left, from, middle),
            self.part(draft, right, middle, to),
        )
    }
}
