//! Which store a node runs on: the one place where a backend is chosen.
//!
//! A new backend is one file beside this one that implements [`Store`] and passes
//! [`suite`](super::suite), one variant of [`Backend`], and one arm of [`Backend::run`].

use super::disk::done_file;
#[cfg(test)]
use super::memory::Memory;
use super::redb::Redb;
use super::rocks::Rocks;
use super::{StorageError, Store, redb, rocks};
use serde::Deserialize;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// The backend of a node.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// RocksDB, in the data folder.
    #[default]
    RocksDb,
    /// redb, in the data folder.
    Redb,
    /// A store in memory that the caller holds as well. It is for tests: in a program, a whole node
    /// would be compiled for it once more.
    #[cfg(test)]
    #[serde(skip)]
    Memory(Arc<Memory>),
}

/// The backends that a configuration file can name.
pub const ON_DISK: [Backend; 2] = [Backend::RocksDb, Backend::Redb];

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Backend::RocksDb => "rocksdb",
            Backend::Redb => "redb",
            #[cfg(test)]
            Backend::Memory(_) => "memory",
        })
    }
}

impl std::str::FromStr for Backend {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let mut all = ON_DISK.into_iter();
        all.find(|backend| backend.to_string() == name)
            .ok_or_else(|| format!("the store is rocksdb or redb, not {name:?}"))
    }
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
    /// Fails as [`Rocks::with_blobs`] and [`Redb::open`] do, and with [`StorageError::OtherKind`]
    /// if the folder holds a store of another backend, having run nothing.
    pub fn run<J: Job>(&self, opening: Opening<'_>, job: J) -> Result<J::Output, StorageError> {
        self.demand_own(opening.path)?;
        match self {
            Backend::RocksDb => {
                let options = rocks::Options {
                    create: opening.create,
                    block_cache_mib: opening.block_cache_mib,
                    ..rocks::Options::default()
                };
                let store = Rocks::with_blobs(opening.path, opening.blobs, options)?;
                Ok(job.run(Arc::new(store)))
            }
            Backend::Redb => {
                let options = redb::Options {
                    create: opening.create,
                    cache_mib: opening.block_cache_mib,
                };
                let store = Redb::open(opening.path, opening.blobs, options)?;
                Ok(job.run(Arc::new(store)))
            }
            #[cfg(test)]
            Backend::Memory(store) => Ok(job.run(store.clone())),
        }
    }

    /// Opens the store to read what can be read of it, however damaged it is, and runs `job` on it.
    /// Nothing can be written.
    ///
    /// Fails as [`Rocks::salvage`] and [`Redb::open_to_read`] do, having run nothing.
    pub fn salvage<J: Job>(&self, opening: Opening<'_>, job: J) -> Result<J::Output, StorageError> {
        self.demand_own(opening.path)?;
        match self {
            Backend::RocksDb => {
                let store = Rocks::salvage(opening.path, opening.blobs)?;
                Ok(job.run(Arc::new(store)))
            }
            Backend::Redb => {
                let cache_mib = opening.block_cache_mib;
                let store = Redb::open_to_read(opening.path, opening.blobs, cache_mib)?;
                Ok(job.run(Arc::new(store)))
            }
            #[cfg(test)]
            Backend::Memory(store) => Ok(job.run(store.clone())),
        }
    }

    /// Fails with [`StorageError::Corrupt`] if a start would, because something that was
    /// acknowledged is damaged or gone; as far as that is known before a store is opened.
    pub fn demand_whole(&self, path: &Path) -> Result<(), StorageError> {
        self.demand_own(path)?;
        match self {
            Backend::RocksDb => Rocks::demand_whole(path),
            // redb says it when it opens the file, and has nothing that could be lost beside it.
            Backend::Redb => Ok(()),
            #[cfg(test)]
            Backend::Memory(_) => Ok(()),
        }
    }

    /// Fails if the folder holds a store of another backend, or if a rebuild is not finished: it
    /// would be taken for none.
    fn demand_own(&self, path: &Path) -> Result<(), StorageError> {
        let is_there = match self {
            Backend::RocksDb => Rocks::tables_in(path).exists() && Rocks::mark_in(path).exists(),
            Backend::Redb => Redb::file_in(path).exists(),
            #[cfg(test)]
            Backend::Memory(_) => true,
        };
        if !is_there && done_file(path).exists() {
            return Err(StorageError::Unfinished(path.to_owned()));
        }
        let other = match self {
            Backend::RocksDb if Redb::file_in(path).exists() => Backend::Redb,
            Backend::Redb if Rocks::tables_in(path).exists() => Backend::RocksDb,
            _ => return Ok(()),
        };
        Err(StorageError::OtherKind {
            path: path.to_owned(),
            kind: other.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_configuration() {
        #[derive(Deserialize)]
        struct Named {
            backend: Backend,
        }
        for backend in ON_DISK {
            let named: Named = toml::from_str(&format!("backend = \"{backend}\"")).unwrap();
            assert_eq!(named.backend.to_string(), backend.to_string());
            assert_eq!(
                backend.to_string().parse::<Backend>().unwrap().to_string(),
                backend.to_string()
            );
        }
        assert!(toml::from_str::<Named>("backend = \"memory\"").is_err());
        assert!("memory".parse::<Backend>().is_err());
    }
}
