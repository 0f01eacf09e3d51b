//! What a replay finds, and in which leaves.

use assay_tlog::tree::LeafIndex;
use std::fmt;

/// Which rule is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// What stands there is no entry, in its one spelling and within its bounds.
    Entry,
    /// A claim is not well made, or a signature of it is wrong.
    Claim,
    /// A claim has more labels than a log may take.
    Labels,
    /// A signer may not speak for its issuer, or a record does not follow from the one before.
    Issuer,
    /// A claim is there again without a new key of one of its issuers.
    Repeated,
    /// An entry was logged before the one in front of it.
    Time,
    /// The first leaf does not commit to the empty index.
    FirstLeaf,
    /// A version in a commitment falls or changes.
    Version,
    /// A commitment cannot be read.
    Commitment,
    /// The last leaf of a checkpoint is no commitment.
    Uncommitted,
    /// A commitment is to another index than the entries give.
    Index,
    /// None: the log states versions that this program does not know.
    Unsupported,
}

impl Rule {
    const ALL: [Rule; 12] = [
        Rule::Entry,
        Rule::Claim,
        Rule::Labels,
        Rule::Issuer,
        Rule::Repeated,
        Rule::Time,
        Rule::FirstLeaf,
        Rule::Version,
        Rule::Commitment,
        Rule::Uncommitted,
        Rule::Index,
        Rule::Unsupported,
    ];

    /// Its name, one word, for records and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Rule::Entry => "entry",
            Rule::Claim => "claim",
            Rule::Labels => "labels",
            Rule::Issuer => "signers",
            Rule::Repeated => "repeated",
            Rule::Time => "time",
            Rule::FirstLeaf => "first_leaf",
            Rule::Version => "version",
            Rule::Commitment => "commitment",
            Rule::Uncommitted => "uncommitted",
            Rule::Index => "index",
            Rule::Unsupported => "unsupported",
        }
    }

    /// The rule of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Rule::ALL.into_iter().find(|rule| rule.name() == name)
    }

    /// Whether it says something of the log. What is not known blames nobody.
    pub fn blames(self) -> bool {
        self != Rule::Unsupported
    }
}

/// A rule that a log did not keep, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub rule: Rule,
    /// The leaf that does not keep it.
    pub leaf: LeafIndex,
    /// The leaf before it that it is held against, if there is one.
    pub other: Option<LeafIndex>,
    /// What is wrong, in words.
    pub reason: String,
}

impl Finding {
    pub(super) fn new(rule: Rule, leaf: LeafIndex, reason: impl fmt::Display) -> Self {
        Finding {
            rule,
            leaf,
            other: None,
            reason: reason.to_string(),
        }
    }

    /// The same, held against this leaf.
    #[must_use]
    pub fn against(self, other: LeafIndex) -> Self {
        Finding {
            other: Some(other),
            ..self
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "leaf {}: {}", self.leaf, self.reason)
    }
}

impl std::error::Error for Finding {}
