//! `assay-node witness init`: makes a witness.
//!
//! Nothing else ever creates one. So a witness that finds nothing where its state should be says
//! so, and does not cosign as if it had never cosigned anything.

use super::config::{TEMPLATE, WitnessConfig};
use super::store;
use crate::{
    config::{ConfigError, ConfigFile as _},
    init::{complete, cosigner::NewCosigner, template},
    keyfile::KeyFileError,
    storage::{
        StorageError, Store,
        backend::{Job, Opening},
    },
};
use assay_tlog::witness::{ClockFault, ClockFloor};
use std::{
    io,
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
            return Err(InitError::Exists { path: path.clone() });
        }
    }
    init.keys.create(&own.key, &second)?;
    let opening = Opening {
        path: &config.storage.path,
        blobs: None,
        block_cache_mib: BLOCK_CACHE_MIB,
        create: true,
    };
    config.storage.backend.run(
        opening,
        Create {
            name: init.keys.name(),
            floor,
        },
    )??;
    Ok(())
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
