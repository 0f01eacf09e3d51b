//! What the sequencer decides: which candidates get which leaf, what is written for it, and whether
//! a node may go on after a restart.
//!
//! Everything here is pure. The driver in the node reads what a plan needs, asks for the plan,
//! persists the step that it gets, and only then adopts it and answers. A step that could not be
//! persisted is dropped; nothing was changed by planning it.

mod head;
mod plan;
mod recovery;

pub use head::{Head, HeadError};
pub use plan::{Candidate, Leaf, Outcome, Refused, Sequencer, Step, vouching};
pub use recovery::{Refusal, Resume, resume};

#[cfg(test)]
mod tests;
