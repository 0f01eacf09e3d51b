//! How long a disk takes to make durable what is written, so that a slow one is said to be slow
//! before callers wonder why they wait.
//!
//! What a process syncs before it answers is timed here, file by file: the tables of its log, its
//! witness and its mirror, and the checkpoint file. It is kept for the whole process, because
//! whoever asks whether it is ready asks about all of them.

use std::{
    path::{Path, PathBuf, absolute},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

/// A disk is slow that takes longer than this: a hundred times what one needs that spins.
const SLOW: Duration = Duration::from_secs(1);

/// How long a slow write counts where nothing else is written.
const REMEMBERED: Duration = Duration::from_secs(60);

static ALL: Mutex<Vec<Weak<Pace>>> = Mutex::new(Vec::new());

/// How long writes to one file or folder take.
pub struct Pace {
    path: PathBuf,
    seconds: metrics::Histogram,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When the write began that waits for its sync.
    begun: Option<Instant>,
    /// The last write, if it was slow: when it ended, and how long it took.
    slow: Option<(Instant, Duration)>,
}

impl State {
    fn end(&mut self, now: Instant) -> Duration {
        let begun = self.begun.take().unwrap_or(now);
        let took = now.saturating_duration_since(begun);
        self.slow = (took > SLOW).then_some((now, took));
        took
    }

    /// How long the write that is under way has waited; zero if none is.
    fn waits(&self, now: Instant) -> Duration {
        let begun = self.begun.unwrap_or(now);
        now.saturating_duration_since(begun)
    }

    /// How long a write takes or took here, if that is too long.
    fn slow(&self, now: Instant) -> Option<Duration> {
        // A write that began while it counted leaves it so until it ends.
        let until = self.begun.unwrap_or(now);
        let last = self
            .slow
            .filter(|(ended, _)| until.saturating_duration_since(*ended) < REMEMBERED);
        let last = last.map_or(Duration::ZERO, |(_, took)| took);
        Some(last.max(self.waits(now))).filter(|time| *time > SLOW)
    }
}

impl Pace {
    /// The pace of writes to `path`, of which nothing is known yet.
    pub fn of(path: &Path) -> Arc<Self> {
        // A configuration that was named by a relative path has relative ones, which say nothing to
        // whoever reads metrics of several nodes.
        let path = absolute(path).unwrap_or_else(|_| path.to_owned());
        let label = path.display().to_string();
        let pace = Arc::new(Pace {
            path,
            seconds: metrics::histogram!("assay_sync_seconds", "path" => label),
            state: Mutex::default(),
        });
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|one| one.strong_count() > 0);
        all.push(Arc::downgrade(&pace));
        pace
    }

    /// Writes, and notes how long that takes. One write is under way at a time.
    pub fn time<T>(&self, write: impl FnOnce() -> T) -> T {
        self.state().begun = Some(Instant::now());
        let written = write();
        let took = self.state().end(Instant::now());
        self.seconds.record(took.as_secs_f64());
        written
    }

    /// Whether the disk is slow here.
    pub fn is_slow(&self) -> bool {
        self.state().slow(Instant::now()).is_some()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Pace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pace").field("path", &self.path).finish()
    }
}

fn all() -> Vec<Arc<Pace>> {
    let all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    all.iter().filter_map(Weak::upgrade).collect()
}

/// Where the disk is slowest and what to do, for people; `None` if it is slow nowhere.
pub fn slow() -> Option<String> {
    let now = Instant::now();
    let slow = all().into_iter().filter_map(|pace| {
        let time = pace.state().slow(now)?;
        Some((time, pace))
    });
    let (time, pace) = slow.max_by_key(|it| it.0)?;
    Some(format!(
        "the disk is slow: what is written to {} takes {:.1} s to be durable. Claims and \
         checkpoints wait for it; nothing acknowledged is at risk. Look at the disk",
        pace.path.display(),
        time.as_secs_f64()
    ))
}

/// How long the oldest write that is under way in this process has waited to be durable.
pub fn oldest_waits() -> Duration {
    let now = Instant::now();
    let waits = all().into_iter().map(|pace| pace.state().waits(now));
    waits.max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_write_is_slow_while_it_waits_and_until_one_is_quick_or_a_minute_has_passed() {
        let start = Instant::now();
        let mut state = State::default();
        assert_eq!(state.slow(start), None);
        state.begun = Some(start);
        assert_eq!(state.slow(start + SLOW), None);
        assert_eq!(state.slow(start + SLOW + MS), Some(SLOW + MS));
        let ended = start + 2 * SLOW;
        assert_eq!(state.end(ended), 2 * SLOW);
        assert_eq!(state.waits(ended + SLOW), Duration::ZERO);
        assert_eq!(state.slow(ended + REMEMBERED - MS), Some(2 * SLOW));
        assert_eq!(state.slow(ended + REMEMBERED), None);
        // The next write neither makes a disk quick by beginning, nor one slow that long ago was.
        state.begun = Some(ended + REMEMBERED);
        assert_eq!(state.slow(ended + REMEMBERED), None);
        state.begun = Some(ended + REMEMBERED - MS);
        assert_eq!(state.slow(ended + REMEMBERED), Some(2 * SLOW));
        state.end(ended + REMEMBERED + MS);
        assert_eq!(state.slow(ended + REMEMBERED + MS), None);
    }

    #[test]
    fn what_is_slow_is_named_until_it_is_gone() {
        let pace = Pace::of(Path::new("/somewhere/slow"));
        pace.time(|| ());
        assert!(!pace.is_slow());
        let long_ago = Instant::now().checked_sub(2 * SLOW).unwrap();
        pace.state().begun = Some(long_ago);
        assert!(pace.is_slow() && oldest_waits() >= 2 * SLOW);
        let said = slow().unwrap();
        assert!(said.contains("/somewhere/slow takes 2."), "{said}");
        drop(pace);
        assert!(all().iter().all(|it| it.path != *"/somewhere/slow"));
    }

    #[test]
    fn a_path_is_named_as_it_is_for_everybody() {
        let pace = Pace::of(Path::new("data/tables"));
        assert!(pace.path.is_absolute() && pace.path.ends_with("data/tables"));
    }
}
