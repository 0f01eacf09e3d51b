//! Making a breach out of a log's tiles and entries.

use super::error::BreachError;
use super::text::{Body, Kind, Leaf, Listed, Neighbors};
use super::verified::{Accused, VerifiedBreach};
use crate::index::{Label, range};
use crate::misbehavior::culprit::Culprit;
use crate::misbehavior::judge::Head;
use assay_tlog::cosigner::CosignedHead;
use assay_tlog::head::VerifiedHead;
use assay_tlog::tree::{LeafIndex, ProveError, TileReader, TreeSize, prove_inclusion};
use bytes::Bytes;

/// Where the entries of a log are read.
pub trait EntryReader {
    /// Why an entry could not be read.
    type Error;

    /// The bytes of the entry at a leaf, which is in the tree of the head.
    fn entry(&self, leaf: LeafIndex) -> Result<Bytes, Self::Error>;
}

impl<F, E> EntryReader for F
where
    F: Fn(LeafIndex) -> Result<Bytes, E>,
{
    type Error = E;

    fn entry(&self, leaf: LeafIndex) -> Result<Bytes, E> {
        self(leaf)
    }
}

/// Why no breach was made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError<T, E> {
    /// A proof could not be made from the tiles.
    #[error("the tiles do not give a proof")]
    Tiles(#[source] ProveError<T>),
    /// An entry could not be read.
    #[error("an entry of the log could not be read")]
    Entry(#[source] E),
    /// There is no breach to show, or it is too long for a text.
    #[error(transparent)]
    Breach(#[from] BreachError),
}

/// What a commitment says of a label: the cut of a look-up for this label alone, and the whole list
/// that came with it, which is empty if the label is not there.
#[derive(Debug, Clone, Copy)]
pub struct Listing<'a> {
    /// The label.
    pub label: Label,
    /// The cut ([`Cut`](crate::index::Cut)).
    pub cut: &'a [u8],
    /// The list.
    pub list: &'a [LeafIndex],
}

/// Accuses whoever signed a head, with the tiles and entries of the log under it.
///
/// Each method reads the entries that it names, proves that they are in the tree, and verifies what
/// comes out as any other reader will: it fails with [`BuildError::Breach`] where there is nothing
/// to show. [`Accuser::at_leaf`] finds by itself what a leaf breaks.
#[derive(Debug)]
pub struct Accuser<'a, T: ?Sized, E: ?Sized> {
    accused: Accused,
    tiles: &'a T,
    entries: &'a E,
}

/// What comes of accusing, by the readers of tiles and entries.
pub type Built<T, E> =
    Result<VerifiedBreach, BuildError<<T as TileReader>::Error, <E as EntryReader>::Error>>;

impl<'a, T, E> Accuser<'a, T, E>
where
    T: TileReader + ?Sized,
    E: EntryReader + ?Sized,
{
    /// Accuses the log that signed this head.
    pub fn of_log(head: &VerifiedHead, tiles: &'a T, entries: &'a E) -> Self {
        let accused = Accused {
            culprit: Culprit::Log(head.origin().to_owned()),
            of_auditor: false,
            head: Head::of_log(head),
        };
        Accuser {
            accused,
            tiles,
            entries,
        }
    }

    /// Accuses the auditor that cosigned this head.
    pub fn of_auditor(head: &CosignedHead, tiles: &'a T, entries: &'a E) -> Self {
        let accused = Accused {
            culprit: Culprit::Mirror(head.cosigner().to_owned()),
            of_auditor: true,
            head: Head::of_cosigner(head),
        };
        Accuser {
            accused,
            tiles,
            entries,
        }
    }

    /// The last leaf is no commitment.
    pub fn last_leaf(&self) -> Built<T, E> {
        self.accuse(Kind::Commitment, None, &[self.last()])
    }

    /// Leaf 0 does not commit to the empty index.
    pub fn first_leaf(&self) -> Built<T, E> {
        self.accuse(Kind::Commitment, None, &[LeafIndex::new(0)])
    }

    /// A commitment states another mapping version than one before it, or a smaller admission
    /// version, or an earlier time than any entry before it.
    pub fn commitment(&self, before: LeafIndex, leaf: LeafIndex) -> Built<T, E> {
        self.accuse(Kind::Commitment, None, &[before, leaf])
    }

    /// The entry of a claim breaks a rule by itself: its bounds, its labels, a signature; or, of a
    /// first record, a key that did not sign.
    pub fn entry(&self, leaf: LeafIndex) -> Built<T, E> {
        self.accuse(Kind::Entry, None, &[leaf, self.last()])
    }

    /// The entry of a claim breaks a rule after another one: its time falls, it is a record with a
    /// key of another issuer's or a new key that did not sign, or it is the same claim without a
    /// new key.
    pub fn entry_after(&self, before: LeafIndex, leaf: LeafIndex) -> Built<T, E> {
        self.accuse(Kind::Entry, None, &[before, leaf, self.last()])
    }

    /// A claim is in the log again, and the leaves before it, ascending and all of them needed,
    /// have every key of an issuer that it has.
    pub fn repeated(&self, before: &[LeafIndex], leaf: LeafIndex) -> Built<T, E> {
        let leaves = [before, &[leaf, self.last()]].concat();
        self.accuse(Kind::Entry, None, &leaves)
    }

    /// A commitment after an entry does not list it under a label that it has, or its list does not
    /// ascend.
    pub fn omission(
        &self,
        leaf: LeafIndex,
        commitment: LeafIndex,
        listing: Listing<'_>,
    ) -> Built<T, E> {
        let Listing { label, cut, list } = listing;
        let unordered = list.windows(2).position(|pair| pair[0] >= pair[1]);
        let (at, leaves) = match unordered {
            Some(at) => (at..at + 2, vec![commitment]),
            None => {
                let next = list.partition_point(|listed| *listed < leaf);
                let end = list.len().min(next + 1);
                (next.saturating_sub(1)..end, vec![leaf, commitment])
            }
        };
        let listed = Listed {
            label,
            cut: cut.to_vec(),
            neighbors: neighbors(list, at),
        };
        self.accuse(Kind::Omission, Some(listed), &leaves)
    }

    /// A commitment lists a leaf under a label that its entry does not have, or that does not come
    /// before the commitment.
    pub fn surplus(
        &self,
        leaf: LeafIndex,
        commitment: LeafIndex,
        listing: Listing<'_>,
    ) -> Built<T, E> {
        let Listing { label, cut, list } = listing;
        let at = list.iter().position(|listed| *listed == leaf);
        let at = at.ok_or(BreachError::INNOCENT)?;
        let listed = Listed {
            label,
            cut: cut.to_vec(),
            neighbors: neighbors(list, at..at + 1),
        };
        let leaves = if leaf < commitment {
            vec![leaf, commitment]
        } else {
            vec![commitment]
        };
        self.accuse(Kind::Surplus, Some(listed), &leaves)
    }

    /// The size of the head.
    pub fn size(&self) -> TreeSize {
        self.accused.head.checkpoint.size
    }

    pub(super) fn last(&self) -> LeafIndex {
        self.size().last_leaf().unwrap_or_default()
    }

    pub(super) fn read(&self, leaf: LeafIndex) -> Result<Bytes, BuildError<T::Error, E::Error>> {
        self.entries.entry(leaf).map_err(BuildError::Entry)
    }

    pub(super) fn accuse(
        &self,
        kind: Kind,
        listed: Option<Listed>,
        leaves: &[LeafIndex],
    ) -> Built<T, E> {
        let mut entries = Vec::with_capacity(leaves.len());
        for index in leaves {
            let path = prove_inclusion(self.tiles, *index, self.size());
            entries.push(Leaf {
                index: *index,
                path: path.map_err(BuildError::Tiles)?,
                bytes: self.read(*index)?,
            });
        }
        let body = Body {
            kind,
            listed,
            entries,
        };
        Ok(self.accused.judge(body)?)
    }
}

/// Those at these positions of a list, which are one or two, or none if it is empty.
fn neighbors(list: &[LeafIndex], at: std::ops::Range<usize>) -> Option<Neighbors> {
    let leaves = &list[at.clone()];
    Some(Neighbors {
        position: at.start as u64,
        first: *leaves.first()?,
        second: leaves.get(1).copied(),
        path: range::prove_page(list, at.start as u64..at.end as u64),
    })
}
