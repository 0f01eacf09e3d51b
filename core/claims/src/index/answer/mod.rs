//! Complete answers: everything that a log says under some labels, with proof that nothing was left
//! out (docs/index.md, section 8).
//!
//! ```text
//! checkpoint ─ inclusion of its last leaf ─> commitment ─ cut ─> each label's list
//!            ─ inclusion ─> the entries
//! ```
//!
//! | type | what it proves |
//! | --- | --- |
//! | [`Answer`] | nothing: it is what a log sent |
//! | [`ProvenEntries`] | these entries are in the log, and its last leaf commits to an index |
//! | [`AnswerPage`] | also the length of a label's list, and which leaves stand in a part of it |
//! | [`VerifiedPages`] | the pages of one list, put together, are that list |
//! | [`VerifiedAnswer`] | the whole list of every label that was asked for |
//!
//! What no answer proves is that the index was built right. An entry that the log left out of its
//! index is found by whoever rebuilds the index: an audit or a mirror.

mod error;
mod list;
mod message;
mod page;
mod proven;
mod whole;

pub use error::AnswerError;
pub use message::{Answer, AnsweredList, Query};
pub use page::{AnswerPage, ListPage, VerifiedPages};
pub use proven::ProvenEntries;
pub use whole::{VerifiedAnswer, VerifiedList};
