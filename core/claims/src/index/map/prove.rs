//! Proving from a map: the walk that writes a cut and collects what it shows.

use super::directory::{MapError, Node};
use super::part::{Part, Place, fork, total};
use super::slot::{Pages, Slot};
use crate::index::cut::Writer;
use crate::index::label::Label;
use crate::index::page::{self, PageError, Record};
use crate::index::trie::{branch, subtree};
use crate::index::wanted::Wanted;
use assay_tlog::tree::LeafIndex;
use std::sync::Arc;

/// A cut of the trie, and what it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The proof, in pieces of about 128 KiB: one after the other they are a
    /// [`Cut`](crate::index::Cut).
    pub pieces: Vec<Vec<u8>>,
    /// The labels that were asked for and are there, ascending.
    pub found: Vec<Listed>,
}

impl Proven {
    /// The proof as a whole.
    pub fn cut(&self) -> Vec<u8> {
        self.pieces.concat()
    }
}

/// A label of the index and its list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The label.
    pub label: Label,
    /// The length of its list, at least 1.
    pub length: u64,
    /// The list, unless it is longer than [`page::INLINE`]; then it is stored in [`page::Spill`]s.
    pub leaves: Option<Vec<LeafIndex>>,
}

/// Writes a cut.
pub(super) struct Cutter<'a, P> {
    pages: &'a P,
    out: Writer,
    found: Option<Vec<Listed>>,
}

impl<'a, P> Cutter<'a, P> {
    /// One that collects what it shows, or only shows it.
    pub fn new(pages: &'a P, collects: bool) -> Self {
        Cutter {
            pages,
            out: Writer::default(),
            found: collects.then(Vec::new),
        }
    }

    pub fn finish(self) -> Proven {
        Proven {
            pieces: self.out.finish(),
            found: self.found.unwrap_or_default(),
        }
    }

    /// Writes this node, and of what is below it as much as is wanted.
    pub fn node<S: Slot>(
        &mut self,
        node: &Node<S>,
        wanted: Wanted<'_>,
    ) -> Result<(), MapError<P::Error>>
    where
        P: Pages<S>,
    {
        match (node, wanted) {
            (_, Wanted::Nothing) => self.out.stub(&node.total().sum),
            (Node::Part(part), _) => {
                let bytes = self.pages.places(part).map_err(MapError::Read)?;
                self.places(part, &part.places(&bytes)?, 0, wanted)?;
            }
            (Node::Inner(inner), _) => {
                let (left, right) = wanted.below(&inner.prefix);
                let open = self.out.open(&inner.prefix);
                self.node(&inner.left, left)?;
                self.node(&inner.right, right)?;
                self.out.close(open, &inner.prefix);
            }
        }
        Ok(())
    }

    /// Writes the node over some neighboring places of a part, the first of which is the one at
    /// `at`.
    fn places<S: Slot>(
        &mut self,
        part: &Part<S>,
        places: &[Place],
        at: usize,
        wanted: Wanted<'_>,
    ) -> Result<(), MapError<P::Error>>
    where
        P: Pages<S>,
    {
        match (places, wanted) {
            (_, Wanted::Nothing) => self.out.stub(&total(places).sum),
            ([place], _) => {
                let bytes = self.pages.bytes(part, at, place).map_err(MapError::Read)?;
                self.records(&page::records(&bytes)?, wanted)?;
            }
            _ => {
                let (prefix, middle) = fork(places);
                let (left, right) = wanted.below(&prefix);
                let open = self.out.open(&prefix);
                self.places(part, &places[..middle], at, left)?;
                self.places(part, &places[middle..], at + middle, right)?;
                self.out.close(open, &prefix);
            }
        }
        Ok(())
    }

    fn records(&mut self, records: &[Record<'_>], wanted: Wanted<'_>) -> Result<(), PageError> {
        match (records, wanted) {
            (_, Wanted::Nothing) => self.out.stub(&subtree(records)),
            ([record], _) => {
                self.out
                    .leaf(&record.label, record.length, &record.frontier()?.root());
                if let Some(found) = &mut self.found
                    && wanted.asks_for(&record.label)
                {
                    let leaves = record.inline()?;
                    found.push(Listed {
                        label: record.label,
                        length: record.length,
                        leaves,
                    });
                }
            }
            _ => {
                let (prefix, middle) = branch(records);
                let (left, right) = wanted.below(&prefix);
                let open = self.out.open(&prefix);
                self.records(&records[..middle], left)?;
                self.records(&records[middle..], right)?;
                self.out.close(open, &prefix);
            }
        }
        Ok(())
    }
}

/// Calls `visit` with those parts below `node` that `labels`, sorted, lead to, each once, and with
/// the labels that lead there.
pub(super) fn parts_of<'m, 'l, S>(
    node: &'m Node<S>,
    labels: &'l [Label],
    visit: &mut impl FnMut(&'m Arc<Part<S>>, &'l [Label]),
) {
    match node {
        _ if labels.is_empty() => {}
        Node::Part(part) => visit(part, labels),
        Node::Inner(inner) => {
            let start = labels.partition_point(|label| label < inner.prefix.first());
            let end = labels.partition_point(|label| *label <= inner.prefix.last());
            let inside = &labels[start..end];
            let at = inner.prefix.bits().min(255) as u8;
            let (left, right) = inside.split_at(inside.partition_point(|label| !label.bit(at)));
            parts_of(&inner.left, left, visit);
            parts_of(&inner.right, right, visit);
        }
    }
}
