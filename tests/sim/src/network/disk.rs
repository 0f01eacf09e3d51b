//! A store in memory that forgets at a crash what was not synced.

use crate::words::Words;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Rows that are written together, and found together or not at all.
pub(super) type Batch = Vec<(String, Vec<u8>)>;

/// What a host keeps when its software ends. All clones are one.
#[derive(Clone, Default)]
pub(super) struct Disk(Arc<Mutex<Rows>>);

#[derive(Default, Clone)]
struct Rows {
    durable: BTreeMap<String, Vec<u8>>,
    /// What was written since, in order, as a log of writes keeps it.
    pending: Vec<Batch>,
    /// How many batches ever became durable or were lost.
    done: u64,
}

/// A place in the log of writes: everything up to there is durable when that is synced.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written(u64);

impl Disk {
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes rows, which are read back at once, and are lost if the host crashes now.
    pub(super) fn write(&self, batch: Batch) -> Written {
        let mut rows = self.rows();
        rows.pending.push(batch);
        Written(rows.done + rows.pending.len() as u64)
    }

    /// What was written up to there is durable.
    pub(super) fn synced(&self, to: Written) {
        let mut rows = self.rows();
        let count =
            to.0.saturating_sub(rows.done)
                .min(rows.pending.len() as u64);
        rows.keep(count as usize);
    }

    /// The rows whose keys begin so, in the order of the keys.
    pub(super) fn list(&self, prefix: &str) -> Vec<(String, Vec<u8>)> {
        let rows = self.rows();
        let mut all = rows.durable.clone();
        all.extend(rows.pending.iter().flatten().cloned());
        all.retain(|key, _| key.starts_with(prefix));
        all.into_iter().collect()
    }

    /// The row with this key.
    pub(super) fn get(&self, key: &str) -> Option<Vec<u8>> {
        let rows = self.rows();
        let pending = rows.pending.iter().rev().flatten();
        let pending = pending.filter(|(at, _)| at == key).map(|(_, row)| row);
        pending.chain(rows.durable.get(key)).next().cloned()
    }

    /// The host lost its power: of what was not synced the first few batches are there, or none.
    pub(super) fn crash(&self, words: &mut Words) {
        let mut rows = self.rows();
        let kept = words.below(rows.pending.len() + 1);
        rows.keep(kept);
        rows.done += rows.pending.len() as u64;
        rows.pending.clear();
    }

    /// A backup of what is durable.
    pub(super) fn backup(&self) -> BTreeMap<String, Vec<u8>> {
        self.rows().durable.clone()
    }

    /// Puts a backup back in place of all that is there.
    pub(super) fn restore(&self, backup: BTreeMap<String, Vec<u8>>) {
        let mut rows = self.rows();
        rows.done += rows.pending.len() as u64;
        rows.pending.clear();
        rows.durable = backup;
    }
}

impl Rows {
    fn keep(&mut self, count: usize) {
        for batch in self.pending.drain(..count) {
            self.durable.extend(batch);
            self.done += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: u8) -> Batch {
        vec![("a".into(), vec![value]), ("b".into(), vec![value])]
    }

    #[test]
    fn a_crash_takes_what_was_not_synced_and_nothing_else() {
        let mut left = Vec::new();
        for seed in 0..50 {
            let disk = Disk::default();
            let _ = disk.write(row(1));
            let synced = disk.write(row(2));
            disk.synced(synced);
            let _ = disk.write(row(3));
            let _ = disk.write(row(4));
            assert_eq!(disk.get("a"), Some(vec![4]));
            disk.crash(&mut Words::new(seed));
            assert_eq!(disk.get("a"), disk.get("b"));
            left.push(disk.get("a").unwrap()[0]);
            // A sync that was under way says nothing of what came after the crash.
            let _ = disk.write(row(5));
            disk.synced(synced);
            disk.crash(&mut Words::new(0));
            assert_ne!(disk.get("a"), None);
        }
        left.sort_unstable();
        left.dedup();
        assert_eq!(left, [2, 3, 4]);
    }

    #[test]
    fn a_backup_is_what_was_durable_then() {
        let disk = Disk::default();
        let synced = disk.write(row(1));
        disk.synced(synced);
        let _ = disk.write(row(2));
        let backup = disk.backup();
        disk.restore(backup);
        assert_eq!(disk.list(""), row(1));
    }
}
