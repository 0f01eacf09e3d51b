//! What a witness decides when a log asks it to cosign (C2SP tlog-witness, `add-checkpoint`).
//!
//! ```text
//! old <size that the witness has, decimal>
//! <base64 of a hash>                      none or more, at most 63: the consistency proof
//!                                         an empty line
//! <the checkpoint's note>
//! ```
//!
//! Each step makes the value that the next one needs, so that none can be left out:
//!
//! ```text
//! body ─ Request::parse ─ Request::verify ─ SignedRequest::decide ─ Pending ─ Persisted ─ Cosigned
//!         413, 400         404, 403          400, 409, 422, 503       ▲ the caller stores      200
//!                                  ▲ the caller charges quotas: 429
//! ```
//!
//! - Who asks is charged after [`Request::verify`], when the log is known to have signed. Else a
//!   stranger could use up a log's quota.
//! - [`Pending::after`] is stored before anything is signed, in one transaction with the check that
//!   the stored state is still [`Pending::before`] (C2SP tlog-witness: "must be performed
//!   atomically").
//! - Whatever the request proves against the log comes with the refusal, as [`Contradiction`].
//!
//! Scope: decisions. Left out: HTTP, storage, quotas, clocks, and what follows from a
//! contradiction, which are the node's; `sign-subtree`, which is optional and not offered.

mod answer;
mod clock;
mod decide;
mod keys;
mod request;
mod state;

pub use answer::{Answer, Refusal};
pub use clock::{AHEAD_S, ClockFault, ClockFloor};
pub use decide::{
    Contradiction, Cosigned, Decision, Pending, Persisted, Refused, ReloadError, SignedRequest,
};
pub use keys::{WitnessKeys, WitnessKeysError, WitnessedLog};
pub use request::{Request, RequestError};
pub use state::{LogState, StateError};

#[cfg(test)]
mod tests;
