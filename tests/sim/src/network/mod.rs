//! Federations on a simulated network: logs, witnesses, gossip, mirrors and clients on hosts of
//! their own, with real HTTP and gRPC between them, over `turmoil`. The network cuts, delays and
//! loses; hosts crash and forget what they had not synced; some of them lie. All of it follows from
//! a seed, and what must hold is looked at after every step.
//!
//! ```text
//! log-a, log-b ── add-checkpoint ──> w0 … w3        a quorum is three of the four
//!   all of them and `liar` exchange heads and evidence
//! c0, c1       ── checkpoint, tiles ──> logs, mirrors, `liar`; heads to w0 … w3
//! ```
//!
//! The decisions are those of `core`, the messages those of `proto`. What stands between is the
//! hosts' own: `node` does the same with threads, RocksDB and real sockets, which are tested
//! elsewhere.
//!
//! | file | is |
//! | --- | --- |
//! | `plan` | what follows from a seed, the invariants, the guards that a test takes out |
//! | `cast` | keys, names, the quorum |
//! | `chronicle` | what happened, and whether that may be |
//! | `disk`, `host` | a store that forgets, a clock, calls to others |
//! | `log`, `witness`, `node`, `federation`, `client`, `surface` | the software of the honest |
//! | `hostile` | that of the others |
//! | `faults`, `run` | what happens to all of them, step by step |

mod cast;
mod chronicle;
mod client;
mod disk;
mod faults;
mod federation;
mod history;
mod host;
mod hostile;
mod log;
mod node;
mod plan;
mod run;
mod surface;
mod witness;

pub use chronicle::Violation;
pub use plan::{Invariant, Mutant};
pub use run::{Outcome, run};

/// Seeds that once broke an invariant. They are run before all others.
///
/// 248: a witness that was cut off for four seconds was asked again half a minute later. That is
/// what the log's side of cosigning promises; the bound had been shorter.
pub const ONCE_FAILED: &[u64] = &[248];
