//! Whether what a log signed breaks a rule.

mod commitment;
mod entry;
mod index;
mod logged;

use super::broken::Broken;
use super::error::BreachError;
use super::text::{Body, Kind};
use assay_tlog::checkpoint::Checkpoint;

/// Returns the rule that this content of the log breaks. The caller has verified the checkpoint.
pub(super) fn judge(head: &Checkpoint, body: &Body) -> Result<Broken, BreachError> {
    let logged = logged::verify(head, &body.entries)?;
    match (body.kind, &body.listed) {
        (Kind::Commitment, None) => commitment::judge(head.size, &logged),
        (Kind::Entry, None) => entry::judge(head.size, &logged),
        (Kind::Omission, Some(listed)) => index::omission(listed, &logged),
        (Kind::Surplus, Some(listed)) => index::surplus(listed, &logged),
        _ => Err(BreachError::INNOCENT),
    }
}
