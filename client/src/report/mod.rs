//! What there is to report of an answer, and the words for it.

pub mod claim;
pub mod keys;
pub mod words;
