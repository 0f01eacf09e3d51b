//! An auditor: replays the Assay logs that the node mirrors, keeps an index of each, shows what it
//! replayed to those who ask, and cosigns it with a key of its own (docs/federation.md, "Auditor").
//!
//! ```text
//! mirror ── entries, head ──> task ── a piece at a time ──> replay ── a batch a chunk ──> part
//!                             one a log                   └── cosigned ──> shown ──> http, Copies
//! ```
//!
//! - [`task`]: when something is done for a log. `auditor`: what is done, and what follows from it.
//!   `loaded`: what it has in memory.
//!   `replay`: entries, rules and index. `issuers`: who is registered.
//! - [`store`]: the rows. [`shown`]: what others are shown, and [`Copies`], by which they ask.
//!   [`http`]: some of it by HTTP. [`keys`]: what it signs with.
//!
//! `core/claims/src/audit/` decides, as it does for `assay audit`. A copy is a
//! [`Part`] of the mirror's store, with the rows of a node's own log, so that
//! [`Index`](crate::index::Index), [`View`] and [`records`](crate::records) are the same for both.
//!
//! - [`clear`]: an operator clears what was found. `breach`: proof for others that a rule was not
//!   kept. It leads to no conviction, and is kept with what others proved, which ends audit
//!   cosignatures as well.

mod auditor;
mod breach;
pub mod clear;
mod error;
pub mod http;
mod issuers;
pub mod keys;
mod loaded;
pub(crate) mod replay;
pub mod shown;
pub mod store;
pub mod task;

#[cfg(test)]
mod tests;

pub use shown::{Copies, State, Status};

use crate::mirror::clock::ClockError;
use crate::misbehavior::Evidence;
use crate::signer::floors::Floors;
use crate::storage::{Tables, part::Part};
use crate::view::View;
use arc_swap::ArcSwap;
use assay_tlog::witness::WitnessKeys;
use std::sync::{Arc, atomic::AtomicBool};
use tokio::sync::Semaphore;

/// A mirrored log in the mirror's store.
pub type Copied = Part<dyn Tables>;

/// What is shown of a mirrored log that was replayed.
pub type CopyView = View<Copied>;

/// Logs that are replayed at the same time.
const AT_ONCE: usize = 2;

/// The clock that cosignatures state, in seconds since 1970 (UTC). It is the mirror's, whose floor
/// is stored with what is signed.
pub trait Clock: Send + Sync {
    /// What it shows.
    fn now(&self) -> u64;

    /// Returns the time to be stated of a log of which `last` was stated before. The clock's floor
    /// is stored by then, and never falls.
    fn state(&self, last: u64) -> Result<u64, ClockError>;
}

/// What is the same for every log.
pub struct Shared {
    /// Where copies are stored.
    pub store: Arc<dyn Tables>,
    /// What the auditor signs with. It may change.
    pub keys: Arc<ArcSwap<WitnessKeys>>,
    /// What was let through to those keys.
    pub floors: Floors,
    /// Its clock.
    pub clock: Arc<dyn Clock>,
    /// Who is convicted of misbehavior, and what is known of breaches.
    pub evidence: Arc<Evidence>,
    /// Memory for the pages of one log's index, in MiB.
    pub cache_mib: usize,
    /// The cores, by threads of its own: what the node does for its own log does not wait for what
    /// is replayed.
    pub pool: rayon::ThreadPool,
    turns: Semaphore,
    /// Set once everything is to end soon.
    ending: AtomicBool,
}

impl Shared {
    /// Joins what logs are replayed with. Fails if threads cannot be started.
    pub fn new(
        store: Arc<dyn Tables>,
        keys: Arc<ArcSwap<WitnessKeys>>,
        clock: Arc<dyn Clock>,
        evidence: Arc<Evidence>,
        cache_mib: usize,
    ) -> Result<Self, rayon::ThreadPoolBuildError> {
        let pool = rayon::ThreadPoolBuilder::new();
        let pool = pool.thread_name(|at| format!("audit-{at}")).build()?;
        Ok(Shared {
            store,
            keys,
            floors: Floors::default(),
            clock,
            evidence,
            cache_mib,
            pool,
            turns: Semaphore::new(AT_ONCE),
            ending: AtomicBool::new(false),
        })
    }
}
