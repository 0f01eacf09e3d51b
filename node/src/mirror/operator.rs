//! What the operator says to a mirror whose node is stopped.

use super::run::opening;
use super::store;
use crate::config::MirrorConfig;
use crate::signer::own::ClockOkError;
use assay_tlog::witness::ClockFloor;

/// Raises the floor of the clock to `now`: see
/// [`Own::clock_ok`](crate::signer::own::Own::clock_ok).
pub fn clock_ok(config: &MirrorConfig, now: u64) -> Result<ClockFloor, ClockOkError> {
    store::OWN.clock_ok(&config.backend, opening(config), &config.name, now)
}
