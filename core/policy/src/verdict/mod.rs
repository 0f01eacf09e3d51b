//! Whether a policy is met by what is known, with a reason for everything.
//!
//! Evaluation is pure: of the policy, the claims and what is said of the answers that they came in.
//!
//! Nothing that is missing is ever good: software that nobody trusted has said anything about is
//! `Unknown`, a log that did not answer makes the outcome `Incomplete`, an old answer makes it
//! `Stale`, and a condition that cannot be decided is not true. A withdrawal or a key compromise
//! that was seen always counts; that there is none is relied on only if the answers are complete
//! and fresh, because otherwise the outcome is not `Fine`.
//!
//! Left out: fetching, verifying what was fetched, words for people, and one number that sums it
//! all up.

mod decide;
mod deny;
mod examples;
mod ignored;
mod known;
mod logs;
mod parts;
mod reason;
mod require;
mod review;
mod sides;
mod unheard;

pub use crate::facts::{Agreed, Assessment, Evidence, Said, Supported, Vulnerability};
pub use crate::rules::Outcome;
pub use examples::{ExampleOutcome, run_examples};
pub use known::{CLAIMS_ABOUT_ONE, Known, evaluate};
pub use logs::{Answer, LogAnswer};
pub use reason::{
    Bound, Cause, Demanded, LogFault, Overlooked, Rated, Reason, Undecided, UndecidedWhat,
    Unspoken, Why,
};
pub use unheard::Overlong;

/// An outcome with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    outcome: Outcome,
    reasons: Vec<Reason>,
}

impl Verdict {
    /// The worst of the reasons decides.
    fn new(mut reasons: Vec<Reason>) -> Self {
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.outcome));
        Verdict {
            outcome: reasons.first().map_or(Outcome::Fine, |worst| worst.outcome),
            reasons,
        }
    }

    /// Whether the policy is met.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Why, the worst first. Demands that are met are among them.
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }
}
