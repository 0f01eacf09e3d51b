//! Cuts: a pruned copy of the trie, the one form of all proofs about the index.
//!
//! ```text
//! cut    = nothing at all: the trie is empty; else one node, in pre-order:
//! stub   = 0x00 ‖ hash, 32 bytes                     what is below is left out
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

use super::label::{Label, Prefix};
use super::{Commitment, trie};
use crate::limits;
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
    /// More inner nodes on the way to a leaf than labels that are hashes can need.
    #[error("the proof of the index is deeper than {max} nodes", max = limits::INDEX_DEPTH)]
    TooDeep,
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
        let (root, computed) = if bytes.is_empty() {
            (None, trie::empty())
        } else {
            let read = reader.node(0)?;
            (Some(read.at), read.hash)
        };
        if !reader.rest.is_empty() {
            return Err(CutError::Trailing);
        }
        if computed == commitment.root {
            Ok(Cut {
                nodes: reader.nodes,
                root,
            })
        } else {
            Err(CutError::Root {
                computed,
                commitment: commitment.root,
            })
        }
    }

    /// What the index says of a label: its list's length and root, or `None` if it is not there.
    ///
    /// Fails with [`CutError::LeftOut`] if the cut does not show it.
    pub fn find(&self, label: &Label) -> Result<Option<Found>, CutError> {
        let mut at = self.root;
        while let Some(node) = at {
            match self.nodes[node] {
                CutNode::Stub => return Err(CutError::LeftOut),
                CutNode::Leaf(found) => return Ok((found.label == *label).then_some(found)),
                CutNode::Inner { prefix, .. } if !prefix.holds(label) => return Ok(None),
                CutNode::Inner {
                    prefix,
                    left,
                    right,
                } => {
                    at = Some(if label.bit(prefix.bits().min(255) as u8) {
                        right
                    } else {
                        left
                    });
                }
            }
        }
        Ok(None)
    }

    /// All labels that begin with a prefix, ascending.
    ///
    /// Fails with [`CutError::LeftOut`] if the cut does not show them all.
    pub fn under(&self, asked: &Prefix) -> Result<Vec<Found>, CutError> {
        let mut found = Vec::new();
        let mut open: Vec<usize> = self.root.into_iter().collect();
        while let Some(at) = open.pop() {
            match self.nodes[at] {
                CutNode::Stub => return Err(CutError::LeftOut),
                CutNode::Leaf(leaf) => found.extend(asked.holds(&leaf.label).then_some(leaf)),
                CutNode::Inner {
                    prefix,
                    left,
                    right,
                } if asked.covers(&prefix) => open.extend([right, left]),
                CutNode::Inner {
                    prefix,
                    left,
                    right,
                } if prefix.covers(asked) => {
                    open.push(if asked.first().bit(prefix.bits().min(255) as u8) {
                        right
                    } else {
                        left
                    });
                }
                CutNode::Inner { .. } => {}
            }
        }
        Ok(found)
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
    hash: Hash,
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

    /// Reads one node with all that is below it; `above` inner nodes stand over it.
    fn node(&mut self, above: usize) -> Result<Read, CutError> {
        match self.take::<1>()?[0] {
            STUB => {
                let hash = Hash::new(*self.take()?);
                Ok(Read {
                    at: self.push(CutNode::Stub),
                    hash,
                    span: None,
                    leaf: None,
                })
            }
            LEAF => self.leaf(),
            kind @ (INNER | BARE) if above < limits::INDEX_DEPTH => self.inner(kind, above),
            INNER | BARE => Err(CutError::TooDeep),
            other => Err(CutError::Kind(other)),
        }
    }

    fn leaf(&mut self) -> Result<Read, CutError> {
        let label = Label::from_bytes(*self.take()?);
        let length = u64::from_be_bytes(*self.take()?);
        let list_root = Hash::new(*self.take()?);
        if length == 0 {
            return Err(CutError::EmptyList);
        }
        let hash = trie::leaf(&label, length, &list_root);
        let at = self.push(CutNode::Leaf(Found {
            label,
            length,
            list_root,
        }));
        Ok(Read {
            at,
            hash,
            span: Some(Prefix::of(&label, Label::BITS)),
            leaf: Some(label),
        })
    }

    fn inner(&mut self, kind: u8, above: usize) -> Result<Read, CutError> {
        let bits = self.take::<1>()?[0];
        let stated = match kind {
            BARE => {
                let length = usize::from(bits.div_ceil(8));
                let (prefix, rest) = self.rest.split_at_checked(length).ok_or(CutError::CutOff)?;
                self.rest = rest;
                Some(Prefix::from_wire(prefix, bits.into()).ok_or(CutError::PrefixBits)?)
            }
            _ => None,
        };
        let left = self.node(above + 1)?;
        let right = self.node(above + 1)?;
        let leaf = left.leaf.or(right.leaf);
        let prefix = match (stated, leaf) {
            (Some(prefix), None) => prefix,
            (None, Some(leaf)) => Prefix::of(&leaf, bits.into()),
            (None, None) => return Err(CutError::PrefixMissing),
            (Some(_), Some(_)) => return Err(CutError::PrefixStated),
        };
        check_child(&prefix, bits, &left, false)?;
        check_child(&prefix, bits, &right, true)?;
        let hash = trie::inner(&prefix, &left.hash, &right.hash);
        let at = self.push(CutNode::Inner {
            prefix,
            left: left.at,
            right: right.at,
        });
        Ok(Read {
            at,
            hash,
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
    if span.bits() <= prefix.bits() {
        return Err(CutError::Bits);
    }
    if !prefix.covers(span) {
        return Err(CutError::Misplaced);
    }
    if span.first().bit(bits) != side {
        return Err(CutError::Side);
    }
    Ok(())
}

/// Writes a cut in pre-order.
#[derive(Debug, Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
    leaves: usize,
}

/// An inner node whose children are being written.
pub(super) struct Open {
    at: usize,
    leaves: usize,
}

impl Writer {
    pub fn stub(&mut self, hash: &Hash) {
        self.bytes.push(STUB);
        self.bytes.extend_from_slice(hash.as_bytes());
    }

    pub fn leaf(&mut self, label: &Label, length: u64, list_root: &Hash) {
        self.bytes.push(LEAF);
        self.bytes.extend_from_slice(label.as_bytes());
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(list_root.as_bytes());
        self.leaves += 1;
    }

    pub fn open(&mut self, prefix: &Prefix) -> Open {
        let open = Open {
            at: self.bytes.len(),
            leaves: self.leaves,
        };
        self.bytes
            .extend_from_slice(&[INNER, prefix.bits().min(255) as u8]);
        open
    }

    pub fn close(&mut self, open: Open, prefix: &Prefix) {
        if self.leaves == open.leaves {
            self.bytes[open.at] = BARE;
            self.bytes
                .splice(open.at + 2..open.at + 2, prefix.bytes().iter().copied());
        }
    }

    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}
