//! What is known of the files, and how many there may be.

use super::{FolderError, crowded};
use assay_claims::misbehavior::breach::{BreachError, VERIFIER};
use assay_claims::misbehavior::{Culprit, VerifiedText};
use assay_tlog::Hash;
use std::collections::{BTreeMap, BTreeSet};

/// How much is kept: of texts that convict, and as much of those that do not. Neither takes the
/// room of the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Most files of one culprit and kind. One is enough.
    pub of_one: usize,
    /// Most files: as many culprits as an operator will look at.
    pub files: usize,
    /// Most bytes of all of them.
    pub bytes: usize,
}

pub(super) const LIMITS: Limits = Limits {
    of_one: 4,
    files: 500,
    bytes: 32 << 20,
};

/// Why a text is not kept.
#[derive(Debug, thiserror::Error)]
pub enum NotKept {
    /// It proves nothing to this node.
    #[error(transparent)]
    Unproven(#[from] BreachError),
    /// There is enough about this culprit.
    #[error("enough texts of the kind {kind} about {culprit} are kept already")]
    Enough {
        /// Who it is about.
        culprit: Culprit,
        /// The kind.
        kind: &'static str,
    },
    /// There is no room for more.
    #[error("so much misbehavior is kept already that no more is taken")]
    Full,
    /// It cannot be stored.
    #[error("misbehavior cannot be stored")]
    Io(#[from] FolderError),
}

/// What is known of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The SHA-256 of the file.
    pub id: Hash,
    /// Its kind, as it stands in the file.
    pub kind: &'static str,
    /// Who misbehaved.
    pub culprit: Culprit,
    /// Of a breach, which convicts nobody: the version of the rules that judged it.
    pub verifier: Option<&'static str>,
    pub(super) bytes: usize,
}

impl Listed {
    pub(super) fn of(found: &VerifiedText) -> Self {
        Listed {
            id: found.id(),
            kind: found.kind(),
            culprit: found.culprit().clone(),
            verifier: matches!(found, VerifiedText::Breach(_)).then_some(VERIFIER),
            bytes: found.text().len(),
        }
    }

    /// Whether its culprit is convicted for good.
    pub fn convicts(&self) -> bool {
        self.verifier.is_none()
    }
}

#[derive(Debug, Default)]
pub(super) struct Kept {
    pub files: BTreeMap<Hash, Listed>,
    /// Whoever a file convicts, also one that could not be stored.
    pub convicted: BTreeSet<Culprit>,
}

impl Kept {
    pub fn insert(&mut self, listed: Listed) {
        if listed.convicts() {
            self.convicted.insert(listed.culprit.clone());
        }
        self.files.insert(listed.id, listed);
        self.count();
    }

    /// Knows a file no more.
    pub fn remove(&mut self, id: &Hash) {
        self.files.remove(id);
        self.count();
    }

    /// Tells how many there are.
    fn count(&self) {
        let gauges = [
            (true, "assay_misbehavior_files"),
            (false, "assay_misbehavior_breaches"),
        ];
        for (convicts, name) in gauges {
            metrics::gauge!(name).set(self.held(convicts).0 as f64);
        }
    }

    /// How many files convict, or do not, and how many bytes they have.
    pub fn held(&self, convicts: bool) -> (usize, usize) {
        let files = self.files.values().filter(|it| it.convicts() == convicts);
        files.fold((0, 0), |(files, bytes), it| (files + 1, bytes + it.bytes))
    }

    /// Returns the files that have to go so that there is room for one more. Fails with
    /// [`NotKept::Enough`] or [`NotKept::Full`].
    pub fn room_for(&self, listed: &Listed, limits: Limits) -> Result<Vec<Hash>, NotKept> {
        let of_one =
            |other: &&Listed| (&other.culprit, other.kind) == (&listed.culprit, listed.kind);
        if self.files.values().filter(of_one).count() >= limits.of_one {
            return Err(NotKept::Enough {
                culprit: listed.culprit.clone(),
                kind: listed.kind,
            });
        }
        let alike = self.files.values();
        let alike = alike.filter(|it| it.convicts() == listed.convicts());
        crowded::out(alike, listed, limits).ok_or(NotKept::Full)
    }
}
