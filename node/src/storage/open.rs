//! How many stores this process has open, so that it does not end under one of them.
//!
//! A store belongs to all threads that read it, and the last of them closes it. What the end of a
//! process takes down first, the mutexes of RocksDB among it, a store that is still closing asks
//! for: the process would end with SIGABRT, though nothing is wrong.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The stores of this process.
pub(super) static OPEN: Count = Count::new();

/// Waits until every store of this process is closed, at most for `limit`. Returns whether they
/// are.
#[must_use]
pub fn wait_until_closed(limit: Duration) -> bool {
    OPEN.wait_for_none(limit)
}

/// A count that can be waited for.
#[derive(Debug)]
pub(super) struct Count {
    open: Mutex<usize>,
    fell: Condvar,
}

/// One of those that are counted, until this is dropped.
#[derive(Debug)]
pub(super) struct Open<'a>(&'a Count);

impl Count {
    const fn new() -> Self {
        Count {
            open: Mutex::new(0),
            fell: Condvar::new(),
        }
    }

    pub(super) fn one_more(&self) -> Open<'_> {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Open(self)
    }

    fn wait_for_none(&self, limit: Duration) -> bool {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.fell.wait_timeout_while(open, limit, |open| *open > 0);
        let (open, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *open == 0
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        *self.0.open.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.fell.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn it_waits_for_the_last_and_no_longer_than_it_may() {
        let count = Count::new();
        assert!(count.wait_for_none(Duration::ZERO));
        let (first, second) = (count.one_more(), count.one_more());
        assert!(!count.wait_for_none(Duration::ZERO));
        drop(first);
        assert!(!count.wait_for_none(Duration::from_millis(1)));
        thread::scope(|threads| {
            let waits = threads.spawn(|| count.wait_for_none(Duration::from_secs(60)));
            drop(second);
            assert!(waits.join().unwrap());
        });
    }
}
