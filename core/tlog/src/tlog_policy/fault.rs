//! Why a text is not a policy.

use crate::limits;
use crate::note::{HoldsPrivateKey, KeyError};

/// Why a text is not a policy: the line, counted from 1, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct TlogPolicyError {
    /// The line; the last one if something is missing.
    pub line: usize,
    /// What is wrong there.
    pub fault: TlogPolicyFault,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlogPolicyFault {
    /// A control character other than tab and line break.
    #[error("has a control character other than tab and line break; remove it")]
    Control,
    /// The text holds a private key, of which nothing is shown.
    #[error("{0}")]
    PrivateKey(HoldsPrivateKey),
    /// Its first word is none of the four.
    #[error(
        "begins with {0:?}; a line is one of log, witness, group and quorum, or a comment that \
         begins with #"
    )]
    Keyword(String),
    /// It has too few or too many words.
    #[error("does not have the form `{0}`")]
    Form(&'static str),
    /// The key cannot be read.
    #[error("{0}")]
    Key(KeyError),
    /// The key of a log cannot cosign, and that of a witness cannot sign notes.
    #[error(
        "the key signs something else: a log's key has type 0x01 or 0x06, a witness's 0x04 or 0x06"
    )]
    KeyType,
    /// The same key stands on another line.
    #[error("its key stands on another line already; a key is listed once")]
    KeyTwice,
    /// The name is taken, or is `none`.
    #[error("the name {0:?} is taken; choose another")]
    NameTaken(String),
    /// Nothing above is called like that.
    #[error("no line above defines {0:?}; define it before it is used")]
    Undefined(String),
    /// It is a member of a group already.
    #[error("{0:?} is a member of a group already; a name can be a member once")]
    MemberTwice(String),
    /// The threshold is not a number from 1 to the number of members.
    #[error(
        "the threshold {stated:?} is not `any`, `all` or a number from 1 to {members}: nothing \
         could be relied on otherwise"
    )]
    Threshold {
        /// What stands there.
        stated: String,
        /// How many members the group has.
        members: usize,
    },
    /// Two witnesses have the same key name, but for the role at its end, and could count twice.
    #[error(
        "the keys of the witnesses {0:?} and {1:?} have the name of one operator; put both into \
         one group of `any`, which counts once"
    )]
    OneOperator(String, String),
    /// No quorum line.
    #[error("there is no quorum line; add `quorum NAME`, or `quorum none` to rely on no witness")]
    NoQuorum,
    /// A second quorum line.
    #[error("there is a quorum line already; keep one")]
    QuorumTwice,
    /// More lines of a kind than are read.
    #[error("there are more than {max} lines of this kind", max = limits::POLICY_LINES)]
    TooMany,
}
