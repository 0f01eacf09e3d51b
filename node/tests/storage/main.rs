//! The conformance suite on every store, and what damaged files, second processes and refused
//! writes do to the one on disk.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test reports by panicking"
)]

mod damage;
mod harness;
mod kill;
mod memory;
mod open;

use assay_node::storage::{memory::Memory, rocks::Rocks, suite};
use tempfile::TempDir;

struct InMemory;

impl suite::Subject for InMemory {
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

impl suite::Subject for OnDisk {
    type Store = Rocks;

    fn create(&mut self) -> Rocks {
        self.folder = tempfile::tempdir().unwrap();
        harness::create(self.folder.path())
    }

    fn reopen(&mut self, store: Rocks) -> Rocks {
        if self.crash {
            let left = harness::crash(self.folder.path());
            drop(store);
            self.folder = left;
        } else {
            drop(store);
        }
        harness::open(self.folder.path()).unwrap()
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
