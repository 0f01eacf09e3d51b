//! `assay-node witness init`: makes a witness.
//!
//! Nothing else ever creates one. So a witness that finds nothing where its state should be says
//! so, and does not cosign as if it had never cosigned anything.

use super::config::{TEMPLATE, WitnessConfig, WitnessStorage};
use super::store;
use crate::{
    config::{ConfigError, ConfigFile as _},
    init::{complete, cosigner::NewCosigner, or_take_back, template},
    keyfile::KeyFileError,
    storage::{
        StorageError, Store,
        backend::{Job, Opening},
    },
};
use assay_tlog::witness::{ClockFault, ClockFloor};
use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Memory for stored blocks, in MiB: a witness reads its states once, at its start.
pub(super) const BLOCK_CACHE_MIB: usize = 8;

/// What to make.
pub struct Init<'a> {
    /// The folder for everything. It is made if it is missing.
    pub dir: &'a Path,
    /// The keys, whose name stands in every cosignature.
    pub keys: &'a NewCosigner<'a>,
    /// The public address.
    pub listen: SocketAddr,
    /// The admin address.
    pub admin: SocketAddr,
    /// What the clock shows, in seconds since 1970 (UTC). Who runs `init` has confirmed it.
    pub now: u64,
}

/// Why there is no new witness.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// Something is there already. It was left alone.
    #[error(
        "{path} exists already; init never overwrites. Choose another folder, or run the witness \
         that is there",
        path = path.display()
    )]
    Exists {
        /// What is there.
        path: PathBuf,
    },
    /// Something of a witness is there, and no configuration of it. It was left alone.
    #[error(
        "{path} exists already, and {dir} has no witness.toml. If a witness ran there, put its \
         witness.toml back, and never run init in its place. If none did, an init was cut off \
         before anybody was told of its keys: remove what it left, and run init again",
        path = path.display(),
        dir = dir.display()
    )]
    Remains {
        /// What is there.
        path: PathBuf,
        /// The folder.
        dir: PathBuf,
    },
    /// The clock shows no time that a cosignature can state.
    #[error(transparent)]
    Clock(#[from] ClockFault),
    /// A file cannot be written.
    #[error("cannot write {path}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The configuration that was just written cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A key file cannot be written.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The store cannot be made.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A witness that was made.
#[derive(Debug)]
pub struct NewWitness {
    /// Its configuration file.
    pub config: PathBuf,
    /// Its verifier keys: Ed25519, then ML-DSA-44.
    pub vkeys: Vec<String>,
}

/// Makes a witness: configuration, key files and a store. It has no logs yet.
///
/// Nothing that exists is overwritten. The configuration gets its name last, so that what a run
/// that was cut off leaves is not taken for a witness.
pub fn init(init: &Init<'_>) -> Result<NewWitness, InitError> {
    let config_path = init.dir.join("witness.toml");
    if config_path.exists() {
        return Err(InitError::Exists { path: config_path });
    }
    let floor = ClockFloor::new(0).confirmed_by_operator(init.now)?;
    complete(&config_path, &configuration(init), unwritable, |draft| {
        make(draft, init, floor)
    })?;
    Ok(NewWitness {
        config: config_path,
        vkeys: init.keys.vkeys(),
    })
}

/// The text of the configuration.
fn configuration(init: &Init<'_>) -> String {
    let name = template::escaped(init.keys.name());
    let (listen, admin) = (init.listen.to_string(), init.admin.to_string());
    let text = template::fill(
        TEMPLATE,
        &[("name", &name), ("listen", &listen), ("admin", &admin)],
    );
    text + &init.keys.held("witness")
}

/// Makes what the configuration in `draft` names: the key files and the store.
fn make(draft: &Path, init: &Init<'_>, floor: ClockFloor) -> Result<(), InitError> {
    let config = WitnessConfig::load(draft)?;
    let own = &config.witness;
    // The template names one.
    let second = own.ml_dsa_44_key.clone().unwrap_or_default();
    for path in [&own.key, &second, &config.storage.path] {
        if path.exists() {
            return Err(InitError::Remains {
                path: path.clone(),
                dir: init.dir.to_owned(),
            });
        }
    }
    or_take_back(|made| {
        init.keys.create([&own.key, &second], made)?;
        fill(&config.storage, init.keys.name(), floor, made)
    })
}

/// Makes the store, and notes its folder.
fn fill(
    storage: &WitnessStorage,
    name: &str,
    floor: ClockFloor,
    made: &mut Vec<PathBuf>,
) -> Result<(), InitError> {
    let path = &storage.path;
    // One that is there meanwhile is another run's.
    fs::create_dir(path).map_err(|e| unwritable(path, e))?;
    made.push(path.clone());
    let opening = Opening {
        path,
        blobs: None,
        block_cache_mib: BLOCK_CACHE_MIB,
        create: true,
    };
    Ok(storage.backend.run(opening, Create { name, floor })??)
}

/// Makes the state in a store that was just made.
struct Create<'a> {
    name: &'a str,
    floor: ClockFloor,
}

impl Job for Create<'_> {
    type Output = Result<(), StorageError>;

    fn run<S: Store + 'static>(self, store: Arc<S>) -> Self::Output {
        store::OWN.create(&*store, self.name, self.floor)
    }
}

fn unwritable(path: &Path, source: io::Error) -> InitError {
    InitError::Io {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let there = fs::read_dir(dir).unwrap();
        let mut names: Vec<_> = there
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_run_that_fails_takes_back_what_it_made_and_the_next_one_makes_a_witness() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        let keys = NewCosigner::in_files("w.example", None).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let made = Init {
            dir,
            keys: &keys,
            listen: address,
            admin: address,
            now: 1_800_000_000,
        };
        // They are not there, and cannot be made.
        for name in ["data", "witness-ml-dsa-44.key"] {
            let at = dir.join(name);
            std::os::unix::fs::symlink("nowhere/at/all", &at).unwrap();
            init(&made).unwrap_err();
            assert_eq!(names(dir), [name]);
            fs::remove_file(&at).unwrap();
        }
        init(&made).unwrap();
        let error = init(&made).unwrap_err();
        assert!(matches!(error, InitError::Exists { .. }), "{error}");
        fs::remove_file(dir.join("witness.toml")).unwrap();
        let error = init(&made).unwrap_err();
        assert!(matches!(error, InitError::Remains { .. }), "{error}");
        let left = ["data", "witness-ml-dsa-44.key", "witness.key"];
        assert_eq!(names(dir), left);
    }
}
