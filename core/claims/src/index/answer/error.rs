//! Why an answer is refused: one condition, one variant.

use crate::entry::EntryError;
use crate::index::commitment::CommitmentError;
use crate::index::cut::CutError;
use crate::index::label::Label;
use crate::limits;
use assay_tlog::Hash;
use assay_tlog::tree::{LeafIndex, MultiproofError};

/// Why an answer is refused. Whoever served it made a mistake or lied, except for an unsupported
/// mapping version, which is nobody's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// The checkpoint is of the empty tree. No log with an index ever publishes one.
    #[error("the checkpoint is of an empty log, which cannot commit to an index")]
    EmptyLog,
    /// The last leaf of the checkpoint does not parse.
    #[error("the last leaf of the checkpoint is not an entry: {0}")]
    LastLeaf(EntryError),
    /// The last leaf of the checkpoint is not a commitment that can be relied on.
    #[error("the last leaf of the checkpoint does not commit to the index: {0}")]
    Commitment(#[from] CommitmentError),
    /// The cut does not verify.
    #[error(transparent)]
    Cut(#[from] CutError),
    /// The entries and the commitment are not in the log at their leaves.
    #[error("the entries or the commitment are not in the log: {0}")]
    Inclusion(#[from] MultiproofError),
    /// The index has a label that was asked for, and its list did not come in its place.
    #[error(
        "the lists are not those of the labels that were asked for and are in the index: the list \
         of label {0} is not in its place"
    )]
    MissingList(Label),
    /// A list came for a label that was not asked for or is not in the index.
    #[error(
        "the lists are not those of the labels that were asked for and are in the index: label {0} \
         is not one of them"
    )]
    OtherList(Label),
    /// A list does not begin at the position that was asked for.
    #[error("the list of label {label} begins at position {from}; {asked} was asked for")]
    Position {
        /// The label.
        label: Label,
        /// Where the list begins.
        from: u64,
        /// Where it should.
        asked: u64,
    },
    /// Leaf indices do not ascend.
    #[error("the list of label {label} is not in order at leaf {leaf}")]
    ListOrder {
        /// The label.
        label: Label,
        /// The leaf that does not come after the one before it.
        leaf: LeafIndex,
    },
    /// A leaf is not one that the commitment covers.
    #[error("the list of label {label} has leaf {leaf}, which the commitment does not cover")]
    Uncovered {
        /// The label.
        label: Label,
        /// The leaf.
        leaf: LeafIndex,
    },
    /// A page goes on beyond the end of its list.
    #[error(
        "the list of label {label} is not the one in the index: entries were hidden, added or \
         exchanged (a page goes on beyond its {length} leaves)"
    )]
    PastEnd {
        /// The label.
        label: Label,
        /// How many leaves the index has for it.
        length: u64,
    },
    /// A page has no leaves, and its list goes on.
    #[error(
        "the list of label {label} stops in the middle: at position {from} there are no leaves, of \
         {length}"
    )]
    EmptyPage {
        /// The label.
        label: Label,
        /// Where the page begins.
        from: u64,
        /// How many leaves the index has for it.
        length: u64,
    },
    /// The leaves of a page do not stand where they should in the list.
    #[error(
        "the list of label {label} is not the one in the index: entries were hidden, added or \
         exchanged (in the page at position {from}: {why})"
    )]
    Place {
        /// The label.
        label: Label,
        /// Where the page begins.
        from: u64,
        /// Why the proof of its place does not hold.
        why: MultiproofError,
    },
    /// Hashes came that prove the place of a page, and there is no page to prove.
    #[error("there is a proof of {0} hashes for the place of a page, and no page")]
    NoPage(usize),
    /// A list does not have the length that the index states.
    #[error(
        "the list of label {label} is not the one in the index: entries were hidden, added or \
         exchanged ({got} leaves instead of {want})"
    )]
    ListLength {
        /// The label.
        label: Label,
        /// How many leaves came.
        got: u64,
        /// How many the index has.
        want: u64,
    },
    /// A list has the right length and another root.
    #[error(
        "the list of label {label} is not the one in the index: entries were hidden, added or \
         exchanged (its root is {computed}, not {expected})"
    )]
    ListRoot {
        /// The label.
        label: Label,
        /// The root of what came.
        computed: Hash,
        /// The root in the index.
        expected: Hash,
    },
    /// A page does not begin where the one before it ends.
    #[error(
        "the list of label {label} is not the one in the index: entries were hidden, added or \
         exchanged (a page begins at position {from}, after {before} leaves)"
    )]
    PageOrder {
        /// The label.
        label: Label,
        /// Where the page begins.
        from: u64,
        /// How many leaves come before it.
        before: u64,
    },
    /// There are no pages.
    #[error("there are no pages to put together")]
    NoPages,
    /// The index does not have the label any more, although pages before the last one had it.
    #[error(
        "the list of label {0} is not the one in the index: entries were hidden, added or \
         exchanged (it was there and is gone)"
    )]
    ListGone(Label),
    /// The lists have more leaves together than an answer may have. Each may be right.
    #[error(
        "the lists of the answer have {0} leaves together; at most {max} come at once",
        max = limits::LISTED_LEAVES
    )]
    TooManyLeaves(u64),
    /// An entry that must come with its list did not.
    #[error(
        "leaf {leaf} is one of the first {first} of the list of label {label}, and its entry is \
         withheld",
        first = limits::LABEL_ENTRIES
    )]
    Withheld {
        /// The leaf.
        leaf: LeafIndex,
        /// The label.
        label: Label,
    },
    /// An entry does not parse.
    #[error("leaf {0} is not an entry: {1}")]
    Entry(LeafIndex, EntryError),
    /// An entry is in a list whose label it does not have.
    #[error("leaf {leaf} is listed under {label}, a label that it does not have")]
    Unrelated {
        /// The leaf.
        leaf: LeafIndex,
        /// The label that it is listed under.
        label: Label,
    },
    /// An entry came that is in none of the lists.
    #[error("leaf {0} was sent, and is in none of the lists")]
    Unlisted(LeafIndex),
}

impl AnswerError {
    /// Whether the answer may be right, and this program is too old to tell.
    pub fn is_unsupported(&self) -> bool {
        matches!(
            self,
            AnswerError::Commitment(CommitmentError::Unsupported { .. })
        )
    }
}
