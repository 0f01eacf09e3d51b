//! A store on disk, its crashes, and its files.
//!
//! A crash is a copy of the folder of an open store: what the kernel has, and nothing that the
//! process would still do.

use assay_node::storage::rocks::{Options, Rocks};
use assay_node::storage::{Batch, StorageError, Table, Tables};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};
use tempfile::TempDir;

pub fn create(folder: &Path) -> Rocks {
    Rocks::open(
        folder,
        Options {
            create: true,
            ..Options::default()
        },
    )
    .unwrap()
}

pub fn open(folder: &Path) -> Result<Rocks, StorageError> {
    Rocks::open(folder, Options::default())
}

/// Commits number `n`, which moves the head from `n - 1`.
pub fn commit(store: &impl Tables, n: u64) -> Result<(), StorageError> {
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
pub fn last(store: &(impl Tables + ?Sized)) -> u64 {
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
pub fn crash(folder: &Path) -> TempDir {
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

pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
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
pub fn logs(folder: &Path) -> Vec<PathBuf> {
    files_in_tables(folder, "log")
}

pub fn files_in_tables(folder: &Path, extension: &str) -> Vec<PathBuf> {
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
pub fn crashed_after(commits: u64) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let store = create(folder.path());
    for n in 1..=commits {
        commit(&store, n).unwrap();
    }
    crash(folder.path())
}

/// The write-ahead log that is in use in `folder`.
pub fn live_log(folder: &Path) -> PathBuf {
    logs(folder)
        .into_iter()
        .rfind(|path| fs::metadata(path).unwrap().len() > 0)
        .unwrap()
}

pub fn assert_corrupt(folder: &Path, what: &str) {
    match open(folder) {
        Err(StorageError::Corrupt { .. }) => {}
        Err(other) => panic!("{what}: {other:?}"),
        Ok(store) => panic!("{what}: opened, and knows of {} commits", last(&store)),
    }
}
