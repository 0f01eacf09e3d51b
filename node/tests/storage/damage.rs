//! Files that were changed, cut, removed or put back: each is refused, and left as it is.

use crate::harness::{
    assert_corrupt, commit, copy, crash, crashed_after, create, files_in_tables, last, live_log,
    logs, open,
};
use assay_node::storage::rocks::{Options, Rocks};
use assay_node::storage::{Batch, StorageError, Table, Tables};
use std::fs;

#[test]
fn every_changed_byte_of_the_log_is_refused_and_left_as_it_is() {
    let left = crashed_after(10);
    let log = live_log(left.path());
    let good = fs::read(&log).unwrap();
    for at in 0..good.len() {
        for change in [0x01, 0x80, good[at]] {
            let mut bad = good.clone();
            bad[at] ^= change;
            if bad == good {
                continue;
            }
            fs::write(&log, &bad).unwrap();
            assert_corrupt(left.path(), &format!("byte {at} ^ {change:02x}"));
            assert!(fs::read(&log).unwrap() == bad);
        }
    }
    fs::write(&log, &good).unwrap();
    assert_eq!(last(&open(left.path()).unwrap()), 10);
}

#[test]
fn a_log_that_lost_acknowledged_batches_is_refused_wherever_they_stood() {
    let left = crashed_after(10);
    let log = live_log(left.path());
    let good = fs::read(&log).unwrap();
    for len in (0..good.len()).rev().step_by(13) {
        fs::write(&log, &good[..len]).unwrap();
        assert_corrupt(left.path(), &format!("cut to {len} bytes"));
        let mut zeroed = good.clone();
        zeroed[len..].fill(0);
        fs::write(&log, &zeroed).unwrap();
        assert_corrupt(left.path(), &format!("zeros from byte {len}"));
    }
    // Each record on its own: first it is cut out, then it is overwritten with zeros.
    let mut at = 0;
    while at < good.len() {
        let end = at + 7 + usize::from(u16::from_le_bytes([good[at + 4], good[at + 5]]));
        fs::write(&log, [&good[..at], &good[end..]].concat()).unwrap();
        // Nothing precedes the very first batch that would miss it, but then the tables say that
        // they never had it.
        if at > 0 {
            assert_corrupt(left.path(), &format!("without the record at byte {at}"));
        }
        let mut zeroed = good.clone();
        zeroed[at..end].fill(0);
        fs::write(&log, &zeroed).unwrap();
        assert_corrupt(left.path(), &format!("zeros for the record at byte {at}"));
        at = end;
    }
    fs::remove_file(&log).unwrap();
    assert_corrupt(left.path(), "no log");
    fs::write(&log, &good).unwrap();
    assert_eq!(last(&open(left.path()).unwrap()), 10);
}

#[test]
fn a_missing_log_file_among_several_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        create: true,
        write_buffer_mib: 1,
        ..Options::default()
    };
    let store = Rocks::open(folder.path(), options).unwrap();
    let mut n = 0;
    // Rarely written tables keep old logs alive while the busy one is flushed again and again.
    while logs(folder.path()).len() < 4 {
        n += 1;
        assert!(n < 10_000, "the logs never become several");
        let mut batch = Batch::new();
        batch.put(Table::Segments, u64::to_be_bytes(n), vec![n as u8; 40_000]);
        batch.put(Table::Tiles, *b"edge", n.to_string());
        batch.with_head(
            (n > 1).then(|| (n - 1).to_string().into()),
            n.to_string().into(),
        );
        store.commit(batch).unwrap();
    }
    let left = crash(folder.path());
    assert_eq!(last(&open(crash(left.path()).path()).unwrap()), n);
    for missing in 0..logs(left.path()).len() {
        let left = crash(left.path());
        let log = &logs(left.path())[missing];
        fs::remove_file(log).unwrap();
        match open(left.path()) {
            Err(StorageError::Corrupt { .. }) => {}
            Err(other) => panic!("log {missing}: {other:?}"),
            // A log whose batches were all flushed is not missed, and nothing is.
            Ok(store) => assert_eq!(last(&store), n, "log {missing}"),
        }
    }
}

#[test]
fn tables_put_back_as_they_were_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = create(folder.path());
    commit(&store, 1).unwrap();
    let old = crash(folder.path());
    commit(&store, 2).unwrap();
    drop(store);
    fs::remove_dir_all(folder.path().join("tables")).unwrap();
    assert_corrupt(folder.path(), "no tables");
    assert!(
        !folder.path().join("tables").exists(),
        "none are made in their place"
    );
    copy(&old.path().join("tables"), &folder.path().join("tables")).unwrap();
    assert_corrupt(folder.path(), "old tables");
}

#[test]
fn without_a_sound_note_of_what_was_acknowledged_nothing_opens() {
    let left = crashed_after(3);
    let mark = left.path().join("SYNCED");
    let good = fs::read(&mark).unwrap();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        fs::write(&mark, &bad).unwrap();
        assert_corrupt(left.path(), "changed mark");
        fs::write(&mark, &good[..at]).unwrap();
        assert_corrupt(left.path(), "short mark");
    }
    fs::remove_file(&mark).unwrap();
    assert_corrupt(left.path(), "no mark");
    fs::write(&mark, &good).unwrap();
    assert_eq!(last(&open(left.path()).unwrap()), 3);
}

#[test]
fn a_missing_or_short_table_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = create(folder.path());
    for n in 1..=3 {
        commit(&store, n).unwrap();
    }
    drop(store);
    let tables = files_in_tables(folder.path(), "sst");
    assert!(!tables.is_empty(), "an orderly shutdown flushes");
    for number in 0..tables.len() {
        let damaged = crash(folder.path());
        let table = &files_in_tables(damaged.path(), "sst")[number];
        let len = fs::metadata(table).unwrap().len();
        fs::OpenOptions::new()
            .write(true)
            .open(table)
            .unwrap()
            .set_len(len - 1)
            .unwrap();
        assert_corrupt(damaged.path(), "short table");
        fs::remove_file(table).unwrap();
        assert_corrupt(damaged.path(), "missing table");
    }
    assert_eq!(last(&open(folder.path()).unwrap()), 3);
}

/// RocksDB says of that only that a file cannot be opened.
#[test]
fn tables_without_their_manifest_are_damaged_and_nothing_else() {
    let left = crashed_after(3);
    let tables = left.path().join("tables");
    let current = fs::read_to_string(tables.join("CURRENT")).unwrap();
    let (manifest, kept) = (tables.join(current.trim_end()), left.path().join("kept"));
    fs::rename(&manifest, &kept).unwrap();
    assert_corrupt(left.path(), "no manifest");
    fs::rename(&kept, &manifest).unwrap();
    assert_eq!(last(&open(left.path()).unwrap()), 3);
}
