//! Cuts: a pruned copy of the trie, the one form of all proofs about the index.
//!
//! ```text
//! cut    = nothing at all: the trie is empty; else one node, in pre-order:
//! stub   = 0x00 ‖ labels below, u64be ‖ hash, 32     what is below is left out
//! leaf   = 0x01 ‖ label, 32 ‖ length of its list, u64be ‖ root of its list, 32
//! inner  = 0x02 ‖ bits, u8 ‖ left ‖ right            its prefix is that of the leaves below it
//!        | 0x03 ‖ bits, u8 ‖ prefix ‖ left ‖ right   if there are none; the prefix takes as many
//!                                                    bytes as its bits reach into
//! ```
//!
//! Once its root is known to be right, a cut answers by being walked: a label that leads to its own
//! leaf is there, one that leads to another leaf or parts from an inner node's prefix is not, and
//! one that leads to a stub is not answered. Absence needs no rule of its own, because prefixes and
//! labels are what the hashes are made of.

use super::Commitment;
use super::answer::Query;
use super::label::{By, Label, Name, Prefix};
use super::trie::{self, Sum};
use super::wanted::Wanted;
use assay_tlog::Hash;

const STUB: u8 = 0;
const LEAF: u8 = 1;
const INNER: u8 = 2;
const BARE: u8 = 3;

/// Why a cut proves nothing. Whoever served it made the mistake, or lied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CutError {
    /// It ends in the middle of a node.
    #[error("the proof of the index is cut off")]
    CutOff,
    /// Bytes are left after its root.
    #[error("the proof of the index has bytes after its end")]
    Trailing,
    /// A node is of no kind that there is.
    #[error("the proof of the index has a node of kind {0}")]
    Kind(u8),
    /// An inner node does not have more bits than the one above it.
    #[error("a node in the proof of the index does not have more bits than the one above it")]
    Bits,
    /// A label or a prefix does not begin with the prefix of the node above it.
    #[error("a node in the proof of the index is not where its prefix belongs")]
    Misplaced,
    /// A label or a prefix begins as its parent does, and goes on with the bit of the other side.
    #[error("a node in the proof of the index is on the wrong side of the one above it")]
    Side,
    /// A prefix has a bit set after its end.
    #[error("a prefix in the proof of the index has bits after its end")]
    PrefixBits,
    /// A node states no prefix, and no leaf is below it that would.
    #[error("a node in the proof of the index has no prefix")]
    PrefixMissing,
    /// A node states its prefix, although a leaf is below it that does.
    #[error("a prefix in the proof of the index is stated twice")]
    PrefixStated,
    /// A leaf whose list is empty: such a label is not in the index.
    #[error("the proof of the index holds a label without leaves")]
    EmptyList,
    /// What is left out is said to have no labels, or all together have more than a number can say.
    #[error("the proof of the index counts labels wrongly")]
    Count,
    /// It has another number of labels than the log committed to.
    #[error("the proof of the index has {computed} labels, but the log committed to {commitment}")]
    Labels {
        /// How many it has.
        computed: u64,
        /// How many the log committed to.
        commitment: u64,
    },
    /// It leads to another root than the log committed to.
    #[error(
        "the proof of the index leads to the root {computed}, but the log committed to {commitment}"
    )]
    Root {
        /// What it leads to.
        computed: Hash,
        /// What the log committed to.
        commitment: Hash,
    },
    /// What was asked for lies below a stub: the proof does not say whether it is there.
    #[error("the proof of the index leaves out what was asked for")]
    LeftOut,
}

/// A label that is in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The label.
    pub label: Label,
    /// The length of its list.
    pub length: u64,
    /// The root of its list.
    pub list_root: Hash,
}

/// A pruned copy of the trie whose root is the one that the log committed to. Only [`Cut::verify`]
/// makes one.
#[derive(Debug, Clone)]
pub struct Cut {
    nodes: Vec<CutNode>,
    root: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
enum CutNode {
    Stub,
    Leaf(Found),
    Inner {
        prefix: Prefix,
        labels: u64,
        left: usize,
        right: usize,
    },
}

impl Cut {
    /// Verifies a cut against the log's commitment.
    ///
    /// It takes one hash a node, and memory in proportion to the bytes.
    pub fn verify(bytes: &[u8], commitment: &Commitment) -> Result<Self, CutError> {
        let mut reader = Reader {
            rest: bytes,
            nodes: Vec::new(),
        };
        let (root, sum) = if bytes.is_empty() {
            (None, trie::subtree::<Found>(&[]))
        } else {
            let read = reader.node(None)?;
            (Some(read.at), read.sum)
        };
        if !reader.rest.is_empty() {
            return Err(CutError::Trailing);
        }
        if sum.hash != commitment.root {
            return Err(CutError::Root {
                computed: sum.hash,
                commitment: commitment.root,
            });
        }
        if sum.labels != commitment.labels {
            return Err(CutError::Labels {
                computed: sum.labels,
                commitment: commitment.labels,
            });
        }
        Ok(Cut {
            nodes: reader.nodes,
            root,
        })
    }

    /// What the index says of a label: its list's length and root, or `None` if it is not there.
    ///
    /// Fails with [`CutError::LeftOut`] if the cut does not show it.
    pub fn find(&self, label: &Label) -> Result<Option<Found>, CutError> {
        let found = self.select(Wanted::label(label))?;
        Ok(found.first().copied())
    }

    /// Whether the cut shows this label and leaves out whatever is not on the way to it, so that it
    /// is the only one that does.
    pub fn opens_only(&self, label: &Label) -> bool {
        let mut on_the_way = 0;
        let shown = self.walk(Wanted::label(label), &mut |_| on_the_way += 1);
        let stubs = self
            .nodes
            .iter()
            .filter(|node| matches!(node, CutNode::Stub));
        shown.is_ok() && on_the_way + stubs.count() == self.nodes.len()
    }

    /// All names that begin with `prefix`, of at most [`Name::BITS`] bits, ascending.
    ///
    /// Fails with [`CutError::LeftOut`] if the cut does not show them all.
    pub fn crowd_names(&self, prefix: &Prefix) -> Result<Vec<Name>, CutError> {
        let mut names = Vec::new();
        self.walk(Wanted::Crowd(*prefix, &[]), &mut |node| {
            let name = match node {
                CutNode::Leaf(found) => found.label.name(),
                CutNode::Inner { prefix, .. } if prefix.bits() >= Name::BITS => {
                    prefix.first().name()
                }
                _ => return,
            };
            if prefix.holds(&Label::of(name, By::FIRST)) {
                names.push(name);
            }
        })?;
        Ok(names)
    }

    /// How many have spoken of a name: the number of its labels.
    ///
    /// Proven only for what the cut opens; of what it leaves out, it is what the log says. Fails
    /// with [`CutError::LeftOut`] if the cut does not show the name.
    pub fn speakers(&self, name: &Name) -> Result<u64, CutError> {
        let prefix = name.prefix();
        let mut labels = 0;
        self.walk(Wanted::Crowd(prefix, &[]), &mut |node| match node {
            CutNode::Leaf(found) if found.label.name() == *name => labels = 1,
            CutNode::Inner {
                prefix: node,
                labels: below,
                ..
            } if prefix.covers(node) => labels = *below,
            _ => {}
        })?;
        Ok(labels)
    }

    /// The labels that a query asks for, ascending.
    ///
    /// Fails with [`CutError::LeftOut`] if the cut does not show them all.
    pub fn answer(&self, query: &Query) -> Result<Vec<Found>, CutError> {
        self.select(Wanted::of(query))
    }

    fn select(&self, wanted: Wanted<'_>) -> Result<Vec<Found>, CutError> {
        let mut found = Vec::new();
        self.walk_wanted(wanted, &mut |node, wanted| {
            if let CutNode::Leaf(leaf) = node
                && wanted.asks_for(&leaf.label)
            {
                found.push(*leaf);
            }
        })?;
        Ok(found)
    }

    fn walk(&self, wanted: Wanted<'_>, visit: &mut impl FnMut(&CutNode)) -> Result<(), CutError> {
        self.walk_wanted(wanted, &mut |node, _| visit(node))
    }

    /// Visits the nodes that the question leads to, from left to right.
    fn walk_wanted<'a>(
        &self,
        wanted: Wanted<'a>,
        visit: &mut impl FnMut(&CutNode, Wanted<'a>),
    ) -> Result<(), CutError> {
        let mut open: Vec<(usize, Wanted<'a>)> = Vec::new();
        open.extend(self.root.map(|root| (root, wanted)));
        while let Some((at, wanted)) = open.pop() {
            if matches!(wanted, Wanted::Nothing) {
                continue;
            }
            let node = &self.nodes[at];
            visit(node, wanted);
            match node {
                CutNode::Stub => return Err(CutError::LeftOut),
                CutNode::Leaf(_) => {}
                CutNode::Inner {
                    prefix,
                    left,
                    right,
                    ..
                } => {
                    let (l, r) = wanted.below(prefix);
                    open.extend([(*right, r), (*left, l)]);
                }
            }
        }
        Ok(())
    }
}

impl trie::Leaf for Found {
    fn label(&self) -> &Label {
        &self.label
    }

    fn hash(&self) -> Hash {
        trie::leaf(&self.label, self.length, &self.list_root)
    }
}

/// Reads nodes and computes their hashes on the way back.
struct Reader<'a> {
    rest: &'a [u8],
    nodes: Vec<CutNode>,
}

/// A node that was read.
struct Read {
    at: usize,
    sum: Sum,
    /// What all labels below begin with; nothing is known of a stub's.
    span: Option<Prefix>,
    /// The first leaf in it.
    leaf: Option<Label>,
}

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Result<&'a [u8; N], CutError> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(CutError::CutOff)?;
        self.rest = rest;
        Ok(taken)
    }

    fn push(&mut self, node: CutNode) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Reads one node with all that is below it; the inner node over it has `above` bits. Bits grow
    /// on the way down, so that it goes no deeper than there are bits.
    fn node(&mut self, above: Option<u8>) -> Result<Read, CutError> {
        match self.take::<1>()?[0] {
            STUB => self.stub(),
            LEAF => self.leaf(),
            kind @ (INNER | BARE) => self.inner(kind, above),
            other => Err(CutError::Kind(other)),
        }
    }

    fn stub(&mut self) -> Result<Read, CutError> {
        let labels = u64::from_be_bytes(*self.take()?);
        let hash = Hash::new(*self.take()?);
        if labels == 0 {
            return Err(CutError::Count);
        }
        Ok(Read {
            at: self.push(CutNode::Stub),
            sum: Sum { hash, labels },
            span: None,
            leaf: None,
        })
    }

    fn leaf(&mut self) -> Result<Read, CutError> {
        let found = Found {
            label: Label::from_bytes(*self.take()?),
            length: u64::from_be_bytes(*self.take()?),
            list_root: Hash::new(*self.take()?),
        };
        if found.length == 0 {
            return Err(CutError::EmptyList);
        }
        Ok(Read {
            at: self.push(CutNode::Leaf(found)),
            sum: trie::subtree(&[found]),
            span: Some(Prefix::of(&found.label, Label::BITS)),
            leaf: Some(found.label),
        })
    }

    fn inner(&mut self, kind: u8, above: Option<u8>) -> Result<Read, CutError> {
        let bits = self.take::<1>()?[0];
        if above.is_some_and(|above| bits <= above) {
            return Err(CutError::Bits);
        }
        let stated = match kind {
            BARE => {
                let length = usize::from(bits.div_ceil(8));
                let (prefix, rest) = self.rest.split_at_checked(length).ok_or(CutError::CutOff)?;
                self.rest = rest;
                Some(Prefix::from_wire(prefix, bits.into()).ok_or(CutError::PrefixBits)?)
            }
            _ => None,
        };
        let left = self.node(Some(bits))?;
        let right = self.node(Some(bits))?;
        let leaf = left.leaf.or(right.leaf);
        let prefix = match (stated, leaf) {
            (Some(prefix), None) => prefix,
            (None, Some(leaf)) => Prefix::of(&leaf, bits.into()),
            (None, None) => return Err(CutError::PrefixMissing),
            (Some(_), Some(_)) => return Err(CutError::PrefixStated),
        };
        check_child(&prefix, bits, &left, false)?;
        check_child(&prefix, bits, &right, true)?;
        let sum = Sum {
            hash: trie::inner(&prefix, &left.sum, &right.sum),
            labels: left
                .sum
                .labels
                .checked_add(right.sum.labels)
                .ok_or(CutError::Count)?,
        };
        let at = self.push(CutNode::Inner {
            prefix,
            labels: sum.labels,
            left: left.at,
            right: right.at,
        });
        Ok(Read {
            at,
            sum,
            span: Some(prefix),
            leaf,
        })
    }
}

/// Checks that a child's labels begin with the parent's prefix, and then with the bit of its side.
fn check_child(prefix: &Prefix, bits: u8, child: &Read, side: bool) -> Result<(), CutError> {
    let Some(span) = &child.span else {
        return Ok(());
    };
    if !prefix.covers(span) {
        return Err(CutError::Misplaced);
    }
    if span.first().bit(bits) != side {
        return Err(CutError::Side);
    }
    Ok(())
}

/// Writes a cut in pre-order, in pieces: one of megabytes is neither copied as it grows nor takes
/// twice its bytes.
#[derive(Debug, Default)]
pub(super) struct Writer {
    full: Vec<Vec<u8>>,
    last: Vec<u8>,
    leaves: usize,
}

/// An inner node whose children are being written.
pub(super) struct Open {
    piece: usize,
    at: usize,
    leaves: usize,
}

/// The room of a piece of a cut, in bytes.
pub const CUT_PIECE_BYTES: usize = 128 << 10;

/// A piece ends with the node that makes it so long. What is left of its room is for that node and,
/// as a rule, for the prefixes of nodes that began in it and are closed after it.
const PIECE_FULL: usize = CUT_PIECE_BYTES - (2 << 10);

impl Writer {
    /// Where the next node is written.
    fn piece(&mut self) -> &mut Vec<u8> {
        if self.last.len() >= PIECE_FULL {
            // The first piece may have doubled beyond that.
            self.last.shrink_to(CUT_PIECE_BYTES);
            let next = Vec::with_capacity(CUT_PIECE_BYTES);
            self.full.push(std::mem::replace(&mut self.last, next));
        }
        &mut self.last
    }

    pub fn stub(&mut self, sum: &Sum) {
        let piece = self.piece();
        piece.push(STUB);
        piece.extend_from_slice(&sum.labels.to_be_bytes());
        piece.extend_from_slice(sum.hash.as_bytes());
    }

    pub fn leaf(&mut self, label: &Label, length: u64, list_root: &Hash) {
        let piece = self.piece();
        piece.push(LEAF);
        piece.extend_from_slice(label.as_bytes());
        piece.extend_from_slice(&length.to_be_bytes());
        piece.extend_from_slice(list_root.as_bytes());
        self.leaves += 1;
    }

    pub fn open(&mut self, prefix: &Prefix) -> Open {
        let piece = self.piece();
        let at = piece.len();
        piece.extend_from_slice(&[INNER, prefix.bits().min(255) as u8]);
        Open {
            piece: self.full.len(),
            at,
            leaves: self.leaves,
        }
    }

    pub fn close(&mut self, open: Open, prefix: &Prefix) {
        if self.leaves == open.leaves {
            let piece = self.full.get_mut(open.piece).unwrap_or(&mut self.last);
            piece[open.at] = BARE;
            piece.splice(open.at + 2..open.at + 2, prefix.bytes().iter().copied());
        }
    }

    /// The pieces, none of which is empty.
    pub fn finish(mut self) -> Vec<Vec<u8>> {
        self.last.shrink_to_fit();
        let mut pieces = self.full;
        pieces.extend(Some(self.last).filter(|last| !last.is_empty()));
        pieces
    }
}
