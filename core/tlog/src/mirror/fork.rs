//! Two heads of one log of which one is not the beginning of the other.

use crate::hash::Hash;
use crate::head::{SplitView, VerifiedHead};
use crate::tree::{self, ProveError, TileReader, TreeSize, verify_consistency};

/// What a log signed and cannot all be true, whatever it or its source serves later.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fork {
    /// Two roots of one size, or a root of an empty tree that is not one.
    #[error("{} signed different roots of one size:\n{}", .0.origin(), .0.notes().join("\n"))]
    Split(SplitView),
    /// The larger tree does not begin with the smaller one.
    #[error(
        "{} signed a tree that does not begin with the one that it signed before:\n{}\n{}",
        .0.older.origin(), .0.older.note(), .0.newer.note()
    )]
    Rewrite(Box<Rewrite>),
}

/// That a tree is not the beginning of a larger one, with the proof of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// The head of the smaller size.
    pub older: VerifiedHead,
    /// The head of the larger size.
    pub newer: VerifiedHead,
    /// The root that the larger tree has at the smaller size.
    pub actual: Hash,
    /// The proof that the larger tree begins with the tree of that root.
    pub path: Vec<Hash>,
}

/// What a head proves together with one of the same size, or by itself.
pub(super) fn split(held: Option<&VerifiedHead>, head: &VerifiedHead) -> Result<(), Fork> {
    let view = SplitView::in_itself(head);
    let view = view.or_else(|| held.and_then(|held| SplitView::between(held, head)));
    view.map_or(Ok(()), |view| Err(Fork::Split(view)))
}

/// What the tiles of a larger tree say of a smaller one.
pub(super) enum Beginning {
    /// The larger tree begins with it.
    Is,
    /// It does not.
    IsNot(Box<Rewrite>),
    /// Nothing: they do not lead to the root of the larger one, so they are damaged.
    Unproven,
}

/// Says whether the tree of `newer`, whose tiles `reader` has, begins with the tree of `older`,
/// which is not larger. Fails as the reader does.
pub(super) fn beginning<R: TileReader + ?Sized>(
    reader: &R,
    older: &VerifiedHead,
    newer: &VerifiedHead,
) -> Result<Beginning, ProveError<R::Error>> {
    let (old, new) = (older.size(), newer.size());
    if old == TreeSize::EMPTY {
        return Ok(Beginning::Is);
    }
    let path = tree::prove_consistency(reader, old, new)?;
    let actual = tree::root(reader, old)?;
    // What convicts a log is checked against what it signed, whoever served the tiles.
    if verify_consistency(old, &actual, new, &newer.root(), &path).is_err() {
        return Ok(Beginning::Unproven);
    }
    if actual == older.root() {
        return Ok(Beginning::Is);
    }
    Ok(Beginning::IsNot(Box::new(Rewrite {
        older: older.clone(),
        newer: newer.clone(),
        actual,
        path,
    })))
}
