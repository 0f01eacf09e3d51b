//! The conformance suite on every store, and what damaged files, second processes and refused
//! writes do to the one on disk.
//!
//! A crash is a copy of the folder of an open store: what the kernel has, and nothing that the
//! process would still do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test reports by panicking"
)]

use assay_node::storage::memory::{Fault, Memory};
use assay_node::storage::rocks::{Options, Rocks};
use assay_node::storage::{Batch, StorageError, Table, Tables, suite};
use assay_tlog::Hash;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

struct InMemory;

impl suite::Backend for InMemory {
    type Store = Memory;

    fn create(&mut self) -> Memory {
        Memory::new()
    }

    fn reopen(&mut self, store: Memory) -> Memory {
        store.crash()
    }
}

/// RocksDB, ended in order or by a crash.
struct OnDisk {
    folder: TempDir,
    crash: bool,
}

impl suite::Backend for OnDisk {
    type Store = Rocks;

    fn create(&mut self) -> Rocks {
        self.folder = tempfile::tempdir().unwrap();
        create(self.folder.path())
    }

    fn reopen(&mut self, store: Rocks) -> Rocks {
        if self.crash {
            let left = crash(self.folder.path());
            drop(store);
            self.folder = left;
        } else {
            drop(store);
        }
        open(self.folder.path()).unwrap()
    }
}

#[test]
fn memory_does_its_duties() {
    suite::run(&mut InMemory);
}

#[test]
fn rocksdb_does_its_duties() {
    suite::run(&mut OnDisk {
        folder: tempfile::tempdir().unwrap(),
        crash: false,
    });
}

#[test]
fn rocksdb_does_its_duties_when_it_is_killed() {
    suite::run(&mut OnDisk {
        folder: tempfile::tempdir().unwrap(),
        crash: true,
    });
}

fn create(folder: &Path) -> Rocks {
    Rocks::open(
        folder,
        Options {
            create: true,
            ..Options::default()
        },
    )
    .unwrap()
}

fn open(folder: &Path) -> Result<Rocks, StorageError> {
    Rocks::open(folder, Options::default())
}

/// Commits number `n`, which moves the head from `n - 1`.
fn commit(store: &impl Tables, n: u64) -> Result<(), StorageError> {
    let mut batch = Batch::new();
    batch
        .put(Table::Segments, n.to_be_bytes(), format!("entry {n}"))
        .put(Table::Tiles, *b"edge", n.to_string());
    batch.with_head(
        (n > 1).then(|| (n - 1).to_string().into()),
        n.to_string().into(),
    );
    store.commit(batch)
}

/// The number of the last commit that `store` knows, after making sure that it knows all before it.
fn last(store: &impl Tables) -> u64 {
    let head = store
        .head()
        .unwrap()
        .map_or(0, |head| String::from_utf8(head).unwrap().parse().unwrap());
    let entries = store
        .range(Table::Segments, b"", b"\xff", usize::MAX)
        .unwrap();
    assert!(
        entries
            .iter()
            .map(|(key, _)| key.clone())
            .eq((1..=head).map(|n: u64| n.to_be_bytes().to_vec()))
    );
    head
}

/// What a crash would leave of the store in `folder`, which nobody commits to meanwhile.
fn crash(folder: &Path) -> TempDir {
    loop {
        // RocksDB removes obsolete files behind our back. A copy is of one moment if none came,
        // went or grew meanwhile.
        let left = tempfile::tempdir().unwrap();
        let before = sizes(folder);
        if before.is_ok() && copy(folder, left.path()).is_ok() && sizes(folder).ok() == before.ok()
        {
            return left;
        }
    }
}

/// Every file below `folder` with its size.
fn sizes(folder: &Path) -> io::Result<BTreeMap<PathBuf, u64>> {
    let mut found = BTreeMap::new();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        let about = fs::metadata(&path)?;
        if about.is_dir() {
            found.extend(sizes(&path)?);
        } else {
            found.insert(path, about.len());
        }
    }
    Ok(found)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for file in fs::read_dir(from)? {
        let file = file?;
        let to = to.join(file.file_name());
        if file.file_type()?.is_dir() {
            copy(&file.path(), &to)?;
        } else {
            fs::copy(file.path(), &to)?;
        }
    }
    Ok(())
}

/// The write-ahead log files of the store in `folder`, oldest first.
fn logs(folder: &Path) -> Vec<PathBuf> {
    files_in_tables(folder, "log")
}

fn files_in_tables(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(folder.join("tables"))
        .unwrap()
        .map(|file| file.unwrap().path());
    let mut files: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    files
}

/// What a crash after `commits` commits leaves.
fn crashed_after(commits: u64) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let store = create(folder.path());
    for n in 1..=commits {
        commit(&store, n).unwrap();
    }
    crash(folder.path())
}

/// The write-ahead log that is in use in `folder`.
fn live_log(folder: &Path) -> PathBuf {
    logs(folder)
        .into_iter()
        .rfind(|path| fs::metadata(path).unwrap().len() > 0)
        .unwrap()
}

fn assert_corrupt(folder: &Path, what: &str) {
    match open(folder) {
        Err(StorageError::Corrupt { .. }) => {}
        Err(other) => panic!("{what}: {other:?}"),
        Ok(store) => panic!("{what}: opened, and knows of {} commits", last(&store)),
    }
}

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
fn what_was_being_written_when_the_process_died_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let store = create(folder.path());
    for n in 1..=5 {
        commit(&store, n).unwrap();
    }
    let before = crash(folder.path());
    let mut batch = Batch::new();
    // Over several blocks of the log, so that it is torn between and within records.
    batch.put(Table::Segments, 6_u64.to_be_bytes(), vec![6; 70_000]);
    batch
        .put(Table::Tiles, *b"edge", "6")
        .with_head(Some(b"5".to_vec()), b"6".to_vec());
    store.commit(batch).unwrap();
    let after = fs::read(live_log(folder.path())).unwrap();
    let written = fs::metadata(live_log(before.path())).unwrap().len() as usize;
    assert!(written + 70_000 < after.len());

    let mut lengths: Vec<usize> = (written..after.len()).step_by(4999).collect();
    lengths.extend([
        written + 1,
        written + 6,
        written + 7,
        written + 8,
        after.len() - 1,
    ]);
    for block in [1, 2] {
        lengths.extend((-8..=8).map(|by| (block * 32 * 1024_usize).saturating_add_signed(by)));
    }
    for len in lengths {
        let torn = crash(before.path());
        fs::write(live_log(torn.path()), &after[..len]).unwrap();
        let store = open(torn.path()).unwrap_or_else(|e| panic!("torn at {len}: {e:?}"));
        assert_eq!(last(&store), 5, "torn at {len}");
        commit(&store, 6).unwrap();
        let again = crash(torn.path());
        assert_eq!(
            last(&open(again.path()).unwrap()),
            6,
            "torn at {len}, and killed again"
        );
    }
    let whole = crash(before.path());
    fs::write(live_log(whole.path()), &after).unwrap();
    assert_eq!(
        last(&open(whole.path()).unwrap()),
        6,
        "written, but the process died before it could say so"
    );
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

#[test]
fn a_folder_has_one_owner_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = create(folder.path());
    for create in [false, true] {
        match Rocks::open(
            folder.path(),
            Options {
                create,
                ..Options::default()
            },
        ) {
            Err(StorageError::Locked(path)) => assert_eq!(path, folder.path().join("LOCK")),
            other => panic!("{other:?}"),
        }
    }
    commit(&store, 1).unwrap();
    drop(store);
    assert_eq!(last(&open(folder.path()).unwrap()), 1);
}

#[test]
fn only_create_makes_a_store_and_only_where_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    assert!(matches!(open(&path), Err(StorageError::Missing(_))));
    assert!(!path.exists());
    fs::create_dir(&path).unwrap();
    assert!(matches!(open(&path), Err(StorageError::Missing(_))));
    drop(create(&path));
    let again = Rocks::open(
        &path,
        Options {
            create: true,
            ..Options::default()
        },
    );
    assert!(matches!(again, Err(StorageError::Exists(_))));
    assert_eq!(last(&open(&path).unwrap()), 0);
}

/// Set in the process that [`after_a_refused_write_nothing_more_is_written_and_reads_go_on`]
/// starts.
const LIMITED: &str = "ASSAY_TEST_LIMITED_FOLDER";

#[test]
fn after_a_refused_write_nothing_more_is_written_and_reads_go_on() {
    if let Some(folder) = std::env::var_os(LIMITED) {
        return write_until_refused(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let store = create(folder.path());
    for n in 1..=3 {
        commit(&store, n).unwrap();
    }
    drop(store);
    // A shell can limit the size of files without being root; to a writer that is like a full disk
    // with another name.
    let child = Command::new("sh")
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 512; exec \"$0\" --exact \"$1\" --nocapture",
        ])
        .arg(std::env::current_exe().unwrap())
        .arg("after_a_refused_write_nothing_more_is_written_and_reads_go_on")
        .env(LIMITED, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&child.stderr)
    );
    let acknowledged: u64 = said
        .lines()
        .find_map(|line| line.strip_prefix("acknowledged "))
        .unwrap()
        .parse()
        .unwrap();
    assert!(acknowledged > 3);
    let found = last(&open(folder.path()).unwrap());
    assert!(
        found == acknowledged || found == acknowledged + 1,
        "acknowledged {acknowledged}, found {found}"
    );
}

fn write_until_refused(folder: &Path) {
    let store = open(folder).unwrap();
    let mut n = 4;
    let refused = loop {
        let mut batch = Batch::new();
        batch.put(Table::Segments, u64::to_be_bytes(n), vec![n as u8; 10_000]);
        batch.with_head(Some((n - 1).to_string().into()), n.to_string().into());
        match store.commit(batch) {
            Ok(()) => n += 1,
            Err(e) => break e,
        }
        assert!(n < 1000, "never refused");
    };
    assert!(
        matches!(
            refused,
            StorageError::Io { .. } | StorageError::DiskFull { .. }
        ),
        "{refused:?}"
    );
    assert!(matches!(commit(&store, n), Err(StorageError::Poisoned)));
    assert!(matches!(
        store.commit(Batch::new()),
        Err(StorageError::Poisoned)
    ));
    assert_eq!(last(&store), n - 1, "reads go on");
    println!("\nacknowledged {}", n - 1);
}

/// Set in the processes that [`no_kill_loses_what_was_acknowledged`] starts.
const KILLED: &str = "ASSAY_TEST_KILLED_FOLDER";

#[test]
fn no_kill_loses_what_was_acknowledged() {
    if let Some(folder) = std::env::var_os(KILLED) {
        return write_until_killed(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    drop(create(folder.path()));
    let mut acknowledged = 0;
    for round in 0..20_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "no_kill_loses_what_was_acknowledged",
                "--nocapture",
            ])
            .env(KILLED, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        // Some rounds end within the first commits, some after several flushes.
        for _ in 0..(round * 37) % 300 + 1 {
            let line = said
                .by_ref()
                .find_map(|line| line.strip_prefix("acknowledged ").map(str::to_owned));
            acknowledged = line
                .expect("the writer goes on until it is killed")
                .parse()
                .unwrap();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for line in said {
            if let Some(Ok(n)) = line.strip_prefix("acknowledged ").map(str::parse) {
                acknowledged = n;
            }
        }
        let found = last(&open(folder.path()).unwrap());
        assert!(
            found == acknowledged || found == acknowledged + 1,
            "acknowledged {acknowledged}, found {found}"
        );
    }
}

fn write_until_killed(folder: &Path) {
    // A small buffer, so that flushes and changes of the log file are killed too.
    let store = Rocks::open(
        folder,
        Options {
            write_buffer_mib: 1,
            ..Options::default()
        },
    )
    .unwrap();
    println!();
    for n in last(&store) + 1.. {
        let mut batch = Batch::new();
        batch.put(
            Table::Segments,
            n.to_be_bytes(),
            vec![n as u8; (n * 7919 % 60_000) as usize],
        );
        batch.put(
            Table::Claims,
            Hash::of(&n.to_be_bytes()).as_bytes().to_vec(),
            n.to_be_bytes().to_vec(),
        );
        batch.put(
            Table::Tiles,
            (n / 256).to_be_bytes(),
            vec![0; (n % 256 * 32) as usize],
        );
        batch.with_head(
            (n > 1).then(|| (n - 1).to_string().into()),
            n.to_string().into(),
        );
        store.commit(batch).unwrap();
        println!("acknowledged {n}");
    }
}

#[test]
fn a_commit_in_memory_fails_both_ways() {
    for (fault, after_restart) in [
        (Fault::NotPersisted, 1),
        (Fault::DiskFull, 1),
        (Fault::PersistedButFailed, 2),
        (Fault::AcknowledgedButLost, 1),
    ] {
        let store = Memory::new();
        commit(&store, 1).unwrap();
        store.fail_next_commit(fault);
        assert!(
            matches!(commit(&store, 1), Err(StorageError::HeadMoved)),
            "{fault:?} waits for a batch that fits"
        );
        let told = commit(&store, 2);
        if fault == Fault::AcknowledgedButLost {
            told.unwrap();
            commit(&store, 3).unwrap();
            assert_eq!(last(&store), 3);
        } else {
            assert_eq!(
                matches!(told, Err(StorageError::DiskFull { .. })),
                fault == Fault::DiskFull
            );
            assert!(told.is_err());
            assert!(matches!(commit(&store, 2), Err(StorageError::Poisoned)));
            assert_eq!(last(&store), 1, "{fault:?}: reads go on as before");
        }
        let again = store.crash();
        assert_eq!(last(&again), after_restart, "{fault:?}");
        commit(&again, after_restart + 1).unwrap();
    }
}
