//! What strangers do to a node, and what its honest callers notice of it: `make siege`. Each kind
//! of hostile traffic is a row of a table; its short form is a test.
//!
//! The strangers have a thread of their own, and so one core at most. Whom they call from counts:
//! every row has addresses that no other one has (`127.1.row.number`).

pub mod beginnings;
mod crowds;
pub mod frames;
mod giant;
pub mod honest;
mod rows;
mod slow;
mod target;
mod unfinished;
mod unread;
mod world;
mod writers;

pub use rows::ROWS;
pub use target::Target;
pub use world::Siege;

use futures::future::LocalBoxFuture;
use honest::{CALLS, Seen};
use std::{fmt, time::Duration};

/// Most memory that a row may take beside what the node had before, in MiB.
pub const MOST_MIB: f64 = 64.0;

/// Most memory that the node may ever have: that of its container (`mem_limit` in
/// deploy/compose.yaml), in MiB.
pub const CONTAINER_MIB: f64 = 1024.0;

/// Fewest honest calls of a hundred that are answered.
const ANSWERED: f64 = 99.0;

/// What a row may add to twice the time of an idle node.
const NOISE: Duration = Duration::from_millis(50);

/// A kind of hostile traffic. It goes on until it is dropped.
pub type Attack = fn(Target) -> LocalBoxFuture<'static, ()>;

/// What came of one kind of hostile traffic.
#[derive(Debug)]
pub struct Row {
    /// The traffic.
    pub traffic: &'static str,
    /// How often strangers did what they do.
    pub done: u64,
    /// What the node took beside what it had before, in MiB.
    pub more_mib: f64,
    /// The most that it had, in MiB.
    pub most_mib: f64,
    /// What honest callers saw of it.
    pub seen: Seen,
    /// What they saw after it had ended.
    pub after: Seen,
}

impl Row {
    /// Honest calls of a hundred that were answered.
    fn answered(&self) -> f64 {
        let calls = self.seen.calls().max(1) as f64;
        100.0 * (calls - self.seen.failed as f64) / calls
    }

    /// What must hold on any machine, however busy: that the node takes no more than `most_more`
    /// MiB, and that honest callers are answered, during and after. Returns what does not.
    pub fn misses(&self, most_more: f64) -> Vec<String> {
        let mut misses = Vec::new();
        let mut must = |holds: bool, otherwise: String| {
            if !holds {
                misses.push(otherwise);
            }
        };
        must(self.done > 0, "nothing was tried".to_owned());
        let more = self.more_mib;
        must(more <= most_more, format!("{more:.0} MiB more"));
        let most = self.most_mib;
        must(most <= CONTAINER_MIB, format!("{most:.0} MiB in all"));
        let (answered, said) = (self.answered(), &self.seen.said);
        must(
            self.seen.calls() >= CALLS.len() && answered >= ANSWERED,
            format!("{answered:.1} % of honest calls were answered: {said:?}"),
        );
        let (failed, said) = (self.after.failed, &self.after.said);
        must(failed == 0, format!("{failed} failed after it: {said:?}"));
        misses
    }

    /// The same with [`MOST_MIB`], and that honest callers wait no longer than twice as long as
    /// when there is nobody else, and a moment.
    pub fn misses_beside(&self, idle: &Seen) -> Vec<String> {
        let mut misses = self.misses(MOST_MIB);
        for (call, name) in CALLS.iter().enumerate() {
            let before = idle.percentile_of(call, 99);
            let now = self.seen.percentile_of(call, 99);
            if now > 2 * before + NOISE {
                misses.push(format!("p99 of {name}: {now:.1?}, {before:.1?} idle"));
            }
        }
        misses
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Row { traffic, done, .. } = self;
        let (more, answered) = (self.more_mib, self.answered());
        write!(f, "| {traffic} | {done} | {more:+.0} | {answered:.1} |")?;
        write!(f, "{} {} |", times(&self.seen), self.after.failed)
    }
}

/// p50 and p99 of each kind of call, in milliseconds, as cells of a table.
pub fn times(seen: &Seen) -> String {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let cells = (0..CALLS.len()).map(|call| {
        let (half, most) = (seen.percentile_of(call, 50), seen.percentile_of(call, 99));
        format!(" {:.1} / {:.1} |", ms(half), ms(most))
    });
    cells.collect()
}

/// The lines above the rows.
pub const HEADING: &str = "\
| hostile traffic | done | MiB more | % answered | publish ms | entry ms | look-up ms | tile ms \
| failed after |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |";
