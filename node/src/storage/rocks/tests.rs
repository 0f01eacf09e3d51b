//! What is left of a store that was not closed, and then damaged.

use super::*;

/// Copies the files of a store that is open, as a crash would leave them.
fn crash(of: &Rocks, at: &Path) -> PathBuf {
    // So that no file changes or goes meanwhile.
    of.db.cancel_all_background_work(true);
    let of = of.tables.parent().unwrap();
    for folder in ["", "tables", "blobs"] {
        fs::create_dir_all(at.join(folder)).unwrap();
        for entry in fs::read_dir(of.join(folder)).unwrap() {
            let from = entry.unwrap().path();
            if from.is_file() {
                fs::copy(&from, at.join(folder).join(from.file_name().unwrap())).unwrap();
            }
        }
    }
    at.to_owned()
}

/// A store that was flushed as it went on, in one table after the other, so that its log has
/// several files, of which its manifest knows. Two tables have a row for each of so many commits.
fn store(path: &Path, commits: u32) -> Rocks {
    let options = Options {
        create: true,
        write_buffer_mib: 1,
        ..Options::default()
    };
    let store = Rocks::open(path, options).unwrap();
    for number in 0..commits {
        let mut batch = Batch::new();
        let key = number.to_be_bytes().to_vec();
        batch.put(Table::Segments, key.clone(), vec![7; 40_000]);
        batch.put(Table::Tiles, key, vec![1]);
        store.commit(batch).unwrap();
    }
    store
}

fn logs(path: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(path.join("tables")).unwrap();
    let mut logs: Vec<_> = files
        .map(|file| file.unwrap().path())
        .filter(|file| file.extension().is_some_and(|end| end == "log"))
        .collect();
    logs.sort();
    logs
}

fn rows(store: &Rocks, table: Table) -> usize {
    store
        .range(table, &[], &[0xff; 8], usize::MAX)
        .unwrap()
        .len()
}

fn is_whole(path: &Path) -> bool {
    match Rocks::demand_whole(path) {
        Err(StorageError::Corrupt { .. }) => false,
        other => other.map(|()| true).unwrap(),
    }
}

/// RocksDB ends the process where it may only read, follows no files of the log, and the manifest
/// knows of one.
#[test]
fn what_a_crash_left_can_be_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let open = store(&folder.path().join("store"), 60);
    let path = crash(&open, &folder.path().join("crash"));
    assert!(
        logs(&path).len() > 1,
        "of one file the manifest says nothing"
    );
    assert!(is_whole(&path));
    let salvaged = Rocks::salvage(&path, None).unwrap();
    for table in [Table::Segments, Table::Tiles] {
        assert_eq!(rows(&salvaged, table), rows(&open, table));
    }
}

/// Each file of the log in turn is gone, or has lost its half: the tables can be read, and if they
/// are not all, that is known.
#[test]
fn tables_are_read_without_the_log_that_belongs_to_them() {
    let folder = tempfile::tempdir().unwrap();
    let open = store(&folder.path().join("store"), 60);
    let path = crash(&open, &folder.path().join("crash"));
    let mut noticed = 0;
    for log in logs(&path) {
        let good = fs::read(&log).unwrap();
        fs::remove_file(&log).unwrap();
        noticed += u32::from(lost_is_known(&path));
        fs::write(&log, &good[..good.len() / 2]).unwrap();
        noticed += u32::from(lost_is_known(&path));
        fs::write(&log, good).unwrap();
    }
    assert!(noticed > 0);
    assert!(is_whole(&path));
    assert!(!path.join("salvage").exists());
}

/// Whether rows are gone, of which somebody who looks is told.
fn lost_is_known(path: &Path) -> bool {
    let salvaged = Rocks::salvage(path, None).unwrap();
    let is_less = rows(&salvaged, Table::Segments) < 60;
    drop(salvaged);
    assert!(!is_less || !is_whole(path));
    is_less
}

/// What the manifest said last is lost, which looks as if a crash had cut it off.
#[test]
fn tables_are_read_by_a_manifest_that_lost_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    drop(store(&path, 60));
    drop(Rocks::open(&path, Options::default()).unwrap());
    let current = fs::read_to_string(path.join("tables/CURRENT")).unwrap();
    let manifest = path.join("tables").join(current.trim_end());
    let good = fs::read(&manifest).unwrap();
    for lost in 1..80 {
        fs::write(&manifest, &good[..good.len() - lost]).unwrap();
        match Rocks::salvage(&path, None) {
            Ok(salvaged) => assert_eq!(rows(&salvaged, Table::Tiles), 60),
            other => assert!(
                matches!(other, Err(StorageError::Corrupt { .. })),
                "{other:?}"
            ),
        }
    }
}
