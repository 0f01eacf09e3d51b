//! Whether signed heads can all be true.

use super::error::MisbehaviorError;
use super::text::Path;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::cosigner::{CosignedHead, Statement};
use assay_tlog::hash::empty_root;
use assay_tlog::head::VerifiedHead;
use assay_tlog::tree::{TreeSize, verify_consistency};

/// What two notes show, or one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Two trees of one size, or a tree without leaves that has some.
    Split,
    /// A tree that is not the beginning of a larger one.
    Rewrite,
    /// A cosigner stated that a tree is the largest it had seen, and a larger one before.
    RollBack,
}

/// A head that the culprit signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub checkpoint: Checkpoint,
    /// The note with the culprit's signatures only, in the order of their bytes.
    pub note: String,
    /// When it stated that no tree was larger. A log states nothing of that kind.
    statements: Vec<Statement>,
}

impl Head {
    pub fn of_log(head: &VerifiedHead) -> Self {
        Head {
            checkpoint: head.checkpoint().clone(),
            note: sorted(head.checkpoint(), head.note()),
            statements: Vec::new(),
        }
    }

    pub fn of_cosigner(head: &CosignedHead) -> Self {
        Head {
            checkpoint: head.checkpoint().clone(),
            note: sorted(head.checkpoint(), head.note()),
            statements: head.statements().to_vec(),
        }
    }

    fn size(&self) -> TreeSize {
        self.checkpoint.size
    }

    /// Whether a key states this tree as the largest, after it stated a larger one.
    fn is_stated_after(&self, larger: &Head) -> bool {
        self.statements.iter().any(|here| {
            larger
                .statements
                .iter()
                .any(|there| there.key_id == here.key_id && there.at > 0 && there.at < here.at)
        })
    }
}

/// The note with its signature lines in the order of their bytes: the order in which they stood
/// says nothing.
fn sorted(checkpoint: &Checkpoint, note: &str) -> String {
    let body = checkpoint.body() + "\n";
    let mut lines: Vec<&str> = note[body.len()..].split_inclusive('\n').collect();
    lines.sort_unstable();
    body + &lines.concat()
}

/// Returns what these heads show, which are one or two and signed by one culprit, and the heads
/// that show it in their order. Fails with [`MisbehaviorError::Innocent`] or
/// [`MisbehaviorError::Path`].
pub(super) fn judge(
    mut heads: Vec<Head>,
    path: Option<&Path>,
) -> Result<(Vec<Head>, Shown), MisbehaviorError> {
    heads.sort_by_key(|head| (head.size(), head.checkpoint.root));
    heads.dedup_by(|a, b| a.checkpoint == b.checkpoint);
    let shown = match (&heads[..], path) {
        ([head], None) => alone(head),
        ([smaller, larger], None) => together(smaller, larger),
        ([smaller, larger], Some(path)) => rewritten(smaller, larger, path),
        _ => Err(MisbehaviorError::Innocent),
    }?;
    Ok((heads, shown))
}

fn alone(head: &Head) -> Result<Shown, MisbehaviorError> {
    if head.size() == TreeSize::EMPTY && head.checkpoint.root != empty_root() {
        Ok(Shown::Split)
    } else {
        Err(MisbehaviorError::Innocent)
    }
}

fn together(smaller: &Head, larger: &Head) -> Result<Shown, MisbehaviorError> {
    of_one_log(smaller, larger)?;
    // The heads differ, so that those of one size have two roots.
    if smaller.size() == larger.size() {
        Ok(Shown::Split)
    } else if smaller.is_stated_after(larger) {
        Ok(Shown::RollBack)
    } else {
        Err(MisbehaviorError::Innocent)
    }
}

fn rewritten(smaller: &Head, larger: &Head, path: &Path) -> Result<Shown, MisbehaviorError> {
    of_one_log(smaller, larger)?;
    if smaller.size() == larger.size() || path.actual == smaller.checkpoint.root {
        return Err(MisbehaviorError::Innocent);
    }
    // Nothing else than this root has a path to the larger tree: the smaller head is of another.
    verify_consistency(
        smaller.size(),
        &path.actual,
        larger.size(),
        &larger.checkpoint.root,
        &path.hashes,
    )?;
    Ok(Shown::Rewrite)
}

fn of_one_log(one: &Head, other: &Head) -> Result<(), MisbehaviorError> {
    if one.checkpoint.origin == other.checkpoint.origin {
        Ok(())
    } else {
        Err(MisbehaviorError::Innocent)
    }
}
