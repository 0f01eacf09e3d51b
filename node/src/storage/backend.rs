//! Which store a node runs on: the one place where a backend is chosen.
//!
//! A new backend is one file beside this one that implements [`Store`] and passes
//! [`suite`](super::suite), one variant of [`Backend`], and one arm of [`Backend::run`].

use super::memory::Memory;
use super::rocks::{Options, Rocks};
use super::{StorageError, Store};
use std::path::Path;
use std::sync::Arc;

/// The backend of a node.
#[derive(Clone, Debug, Default)]
pub enum Backend {
    /// RocksDB, in the data folder.
    #[default]
    RocksDb,
    /// A store in memory that the caller holds as well. It is for tests: no configuration file can
    /// name it.
    Memory(Arc<Memory>),
}

/// How to open a store.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    /// The data folder.
    pub path: &'a Path,
    /// Where attachments are kept, if not in the data folder.
    pub blobs: Option<&'a Path>,
    /// Memory for blocks read from disk, in MiB.
    pub block_cache_mib: usize,
    /// Whether to make a new store, where there must be none. Otherwise there must be one.
    pub create: bool,
}

/// What to do with a store of any backend.
///
/// It is a trait and not a closure, so that it is compiled for each backend: a claim meets no
/// dynamic dispatch on its way.
pub trait Job {
    /// What it returns.
    type Output;

    /// Does it, on a store that was just opened.
    fn run<S: Store + 'static>(self, store: Arc<S>) -> Self::Output;
}

impl Backend {
    /// Opens the store and runs `job` on it.
    ///
    /// Fails as [`Rocks::with_blobs`] does, having run nothing.
    pub fn run<J: Job>(&self, opening: Opening<'_>, job: J) -> Result<J::Output, StorageError> {
        match self {
            Backend::RocksDb => {
                let options = Options {
                    create: opening.create,
                    block_cache_mib: opening.block_cache_mib,
                    ..Options::default()
                };
                let store = Rocks::with_blobs(opening.path, opening.blobs, options)?;
                Ok(job.run(Arc::new(store)))
            }
            Backend::Memory(store) => Ok(job.run(store.clone())),
        }
    }

    /// Opens the store to read what can be read of it, however damaged it is, and runs `job` on it.
    /// Nothing can be written.
    ///
    /// Fails as [`Rocks::salvage`] does, having run nothing.
    pub fn salvage<J: Job>(&self, opening: Opening<'_>, job: J) -> Result<J::Output, StorageError> {
        match self {
            Backend::RocksDb => {
                let store = Rocks::salvage(opening.path, opening.blobs)?;
                Ok(job.run(Arc::new(store)))
            }
            Backend::Memory(store) => Ok(job.run(store.clone())),
        }
    }

    /// Fails with [`StorageError::Corrupt`] if a start would, because something that was
    /// acknowledged is damaged or gone.
    pub fn demand_whole(&self, path: &Path) -> Result<(), StorageError> {
        match self {
            Backend::RocksDb => Rocks::demand_whole(path),
            Backend::Memory(_) => Ok(()),
        }
    }
}
