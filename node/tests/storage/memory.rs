//! The crash model of the store in memory.

use crate::harness::{commit, last};
use assay_node::storage::StorageError;
use assay_node::storage::memory::{Fault, Memory};

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
