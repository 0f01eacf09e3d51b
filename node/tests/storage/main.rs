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

use assay_node::storage::{
    memory::Memory,
    redb::{Options, Redb},
    rocks::Rocks,
    suite,
};
use std::path::Path;
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

/// redb, ended in order or by a crash.
struct InPureRust {
    folder: TempDir,
    crash: bool,
}

fn redb_in(folder: &Path, create: bool) -> Redb {
    let cache_mib = 4;
    Redb::open(folder, None, Options { create, cache_mib }).unwrap()
}

impl suite::Subject for InPureRust {
    type Store = Redb;

    fn create(&mut self) -> Redb {
        self.folder = tempfile::tempdir().unwrap();
        redb_in(self.folder.path(), true)
    }

    fn reopen(&mut self, store: Redb) -> Redb {
        if self.crash {
            let left = harness::crash(self.folder.path());
            drop(store);
            self.folder = left;
        } else {
            drop(store);
        }
        redb_in(self.folder.path(), false)
    }
}

#[test]
fn redb_does_its_duties() {
    for crash in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        suite::run(&mut InPureRust { folder, crash });
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
