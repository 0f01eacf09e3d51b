//! `assay-node init`: makes a log.
//!
//! Nothing else ever creates one. So a node that finds nothing where its log should be says so, and
//! does not start an empty log under a name that has a history.

use crate::{
    config::{Config, ConfigError, TEMPLATE},
    keyfile::{self, KeyFileError},
    log::{self, CreateError},
    storage::{
        StorageError, Store,
        backend::{Job, Opening},
    },
};
use assay_tlog::Hash;
use assay_tlog::note::{KeyError, SignerKey};
use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};
use zeroize::Zeroizing;

/// What to make.
#[derive(Debug)]
pub struct Init<'a> {
    /// The folder for everything. It is made if it is missing.
    pub dir: &'a Path,
    /// The log's origin: its name for ever.
    pub origin: &'a str,
    /// The public address.
    pub listen: SocketAddr,
    /// The admin address.
    pub admin: SocketAddr,
}

/// Why there is no new log.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// Something is there already. It was left alone.
    #[error(
        "{path} exists already; init never overwrites. Choose another folder, or run the log that \
         is there",
        path = path.display()
    )]
    Exists {
        /// What is there.
        path: PathBuf,
    },
    /// The origin cannot be the name of a key.
    #[error("the origin {origin:?} cannot be used: {reason}")]
    Origin {
        /// The origin.
        origin: String,
        /// Why not.
        reason: KeyError,
    },
    /// A file cannot be written.
    #[error("cannot write {path}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
    /// The configuration that was just written cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The key file cannot be written.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The store cannot be made.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The log cannot be made.
    #[error(transparent)]
    Log(#[from] CreateError),
}

/// A log that was made.
#[derive(Debug)]
pub struct NewLog {
    /// Its configuration file.
    pub config: PathBuf,
    /// Its verifier key.
    pub vkey: String,
}

/// Makes a log: configuration, key, store with leaf 0, and a checkpoint file with the signed tree
/// of that one leaf.
///
/// Nothing that exists is overwritten. What a run that was cut off leaves is not taken for a log by
/// `run`, because the configuration gets its name last.
pub fn init(init: &Init<'_>) -> Result<NewLog, InitError> {
    let config_path = init.dir.join("node.toml");
    if config_path.exists() {
        return Err(InitError::Exists { path: config_path });
    }
    let key = new_key(init.origin)?;
    fs::create_dir_all(init.dir).map_err(|e| unwritable(init.dir, e))?;
    let text = TEMPLATE
        .replace("{origin}", init.origin)
        .replace("{listen}", &init.listen.to_string())
        .replace("{admin}", &init.admin.to_string());
    let draft = config_path.with_extension("toml.new");
    fs::write(&draft, text).map_err(|e| unwritable(&draft, e))?;
    let config = Config::load(&draft)?;
    for path in [
        &config.storage.path,
        &config.log.checkpoint_file,
        &config.log.key,
    ] {
        if path.exists() {
            return Err(InitError::Exists { path: path.clone() });
        }
    }
    keyfile::create(&config.log.key, &key)?;
    let opening = Opening {
        path: &config.storage.path,
        blobs: None,
        block_cache_mib: config.storage.block_cache_mib,
        create: true,
    };
    let create = Create {
        checkpoints: &config.log.checkpoint_file,
        key: &key,
    };
    config.storage.backend.run(opening, create)??;
    fs::rename(&draft, &config_path).map_err(|e| unwritable(&config_path, e))?;
    Ok(NewLog {
        config: config_path,
        vkey: key.verifier().to_string(),
    })
}

/// Makes the log in a store that was just made.
struct Create<'a> {
    checkpoints: &'a Path,
    key: &'a SignerKey,
}

impl Job for Create<'_> {
    type Output = Result<(), CreateError>;

    fn run<S: Store + 'static>(self, store: Arc<S>) -> Self::Output {
        log::create(&*store, self.checkpoints, self.key)
    }
}

fn unwritable(path: &Path, source: io::Error) -> InitError {
    InitError::Io {
        path: path.to_owned(),
        source,
    }
}

fn new_key(origin: &str) -> Result<SignerKey, InitError> {
    let mut seed = Zeroizing::new([0; Hash::LEN]);
    getrandom::fill(&mut *seed).map_err(InitError::Random)?;
    SignerKey::from_seed(origin, &seed).map_err(|reason| InitError::Origin {
        origin: origin.to_owned(),
        reason,
    })
}
