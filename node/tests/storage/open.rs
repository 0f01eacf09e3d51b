//! Who may open a folder, and what makes a store of one.

use crate::harness::{commit, create, last, open};
use assay_node::storage::StorageError;
use assay_node::storage::redb::{self, Redb};
use assay_node::storage::rocks::{Options, Rocks};
use std::fs;

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

#[test]
fn redb_is_made_only_where_it_is_not_and_opened_only_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    let open = |create| {
        let cache_mib = 4;
        Redb::open(&path, None, redb::Options { create, cache_mib }).map(drop)
    };
    assert!(matches!(open(false), Err(StorageError::Missing(_))));
    assert!(!path.exists());
    fs::create_dir(&path).unwrap();
    assert!(matches!(open(false), Err(StorageError::Missing(_))));
    open(true).unwrap();
    assert!(matches!(open(true), Err(StorageError::Exists(_))));
    open(false).unwrap();
}

#[test]
fn what_is_not_there_is_not_salvaged_nor_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    let rocks = Rocks::salvage(&path, None).map(drop);
    assert!(matches!(rocks, Err(StorageError::Missing(_))));
    let redb = Redb::open_to_read(&path, None, 4).map(drop);
    assert!(matches!(redb, Err(StorageError::Missing(_))));
    assert!(!path.exists());
}

/// Either of the two may be all that a copy brought back.
#[test]
fn what_is_left_of_a_store_is_neither_replaced_nor_taken_for_none() {
    for left in ["tables", "SYNCED"] {
        let folder = tempfile::tempdir().unwrap();
        drop(create(folder.path()));
        for gone in ["tables", "SYNCED"].map(|name| folder.path().join(name)) {
            if gone.ends_with(left) {
                continue;
            } else if gone.is_dir() {
                fs::remove_dir_all(gone).unwrap();
            } else {
                fs::remove_file(gone).unwrap();
            }
        }
        let options = Options {
            create: true,
            ..Options::default()
        };
        let again = Rocks::open(folder.path(), options);
        assert!(matches!(again, Err(StorageError::Exists(_))), "{left}");
        let opened = open(folder.path());
        let is_missing = matches!(opened, Err(StorageError::Missing(_)));
        assert!(opened.is_err() && !is_missing, "{left}");
    }
}

#[test]
fn what_is_opened_to_be_read_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let options = redb::Options {
        create: true,
        cache_mib: 4,
    };
    let store = Redb::open(folder.path(), None, options).unwrap();
    commit(&store, 1).unwrap();
    drop(store);
    let store = Redb::open_to_read(folder.path(), None, 4).unwrap();
    assert!(matches!(commit(&store, 2), Err(StorageError::Poisoned)));
    assert_eq!(last(&store), 1);
}
