//! Who may open a folder, and what makes a store of one.

use crate::harness::{commit, create, last, open};
use assay_node::storage::StorageError;
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
