//! Processes that are killed or refused while they write.

use crate::harness::{commit, crash, create, last, live_log, open};
use crate::redb_in;
use assay_node::storage::redb::Redb;
use assay_node::storage::rocks::{Options, Rocks};
use assay_node::storage::{Batch, StorageError, Table, Tables};
use assay_tlog::Hash;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

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
        .arg("kill::after_a_refused_write_nothing_more_is_written_and_reads_go_on")
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
    let on_rocksdb = tempfile::tempdir().unwrap();
    drop(create(on_rocksdb.path()));
    let on_redb = tempfile::tempdir().unwrap();
    drop(redb_in(on_redb.path(), true));
    for folder in [on_rocksdb.path(), on_redb.path()] {
        kill_again_and_again(folder);
    }
}

fn kill_again_and_again(folder: &Path) {
    let mut acknowledged = 0;
    for round in 0..20_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "kill::no_kill_loses_what_was_acknowledged",
                "--nocapture",
            ])
            .env(KILLED, folder)
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
        let found = last(&*store_in(folder));
        assert!(
            found == acknowledged || found == acknowledged + 1,
            "acknowledged {acknowledged}, found {found} in {}",
            folder.display()
        );
    }
}

/// The store in a folder, whichever it is.
fn store_in(folder: &Path) -> Box<dyn Tables> {
    if Redb::file_in(folder).exists() {
        return Box::new(redb_in(folder, false));
    }
    // A small buffer, so that flushes and changes of the log file are killed too.
    let options = Options {
        write_buffer_mib: 1,
        ..Options::default()
    };
    Box::new(Rocks::open(folder, options).unwrap())
}

fn write_until_killed(folder: &Path) {
    let store = store_in(folder);
    println!();
    for n in last(&*store) + 1.. {
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
