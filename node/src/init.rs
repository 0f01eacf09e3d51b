//! `assay-node init`: makes a log. It is the only thing that ever creates one, so that a node which
//! finds nothing where its log should be says so, and does not start an empty log under a name that
//! has a history.

use crate::{
    checkpoint_file::{CheckpointFile, CheckpointFileError},
    config::{Config, ConfigError, TEMPLATE},
    keyfile::{self, KeyFileError},
    records::{self, RecordError},
    storage::{
        Batch, Head as _, StorageError, Tables,
        rocks::{Options, Rocks},
    },
};
use assay_claims::entry::EntryError;
use assay_claims::index::Commitment;
use assay_claims::sequencer::{Head, Sequencer};
use assay_tlog::Hash;
use assay_tlog::note::{Checkpoint, KeyError, SignerKey};
use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};
use zeroize::Zeroizing;

/// What a new log is told.
#[derive(Debug)]
pub struct Init<'a> {
    /// Folder for everything; made if it is missing.
    pub dir: &'a Path,
    /// The log's name.
    pub origin: &'a str,
    /// Public address.
    pub listen: SocketAddr,
    /// Admin address.
    pub admin: SocketAddr,
}

/// Why there is no new log.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// Something is there already.
    #[error("{path} exists already; init never overwrites. Choose another folder, or run the log \
        that is there", path = path.display())]
    Exists {
        /// What is there.
        path: PathBuf,
    },
    /// The origin cannot be a key's name.
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
    /// The configuration that was just written.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The key file.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The first rows.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The first leaf.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The anchor.
    #[error(transparent)]
    CheckpointFile(#[from] CheckpointFileError),
}

/// A log that was made.
#[derive(Debug)]
pub struct NewLog {
    /// Its configuration file.
    pub config: PathBuf,
    /// Its verifier key.
    pub vkey: String,
}

/// Makes a log: configuration, key, store with leaf 0, and an anchor with the signed tree of that
/// one leaf.
pub fn init(init: &Init<'_>) -> Result<NewLog, InitError> {
    let config_path = init.dir.join("node.toml");
    if config_path.exists() {
        return Err(InitError::Exists { path: config_path });
    }
    let key = new_key(init.origin)?;
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| InitError::Io { path, source }
    };
    fs::create_dir_all(init.dir).map_err(io(init.dir))?;
    let text = TEMPLATE
        .replace("{origin}", init.origin)
        .replace("{listen}", &init.listen.to_string())
        .replace("{admin}", &init.admin.to_string());
    // The configuration comes last, so that a run that was cut off leaves nothing that `run` would
    // accept.
    let draft = config_path.with_extension("toml.new");
    fs::write(&draft, text).map_err(io(&draft))?;
    let config = Config::load(&draft)?;
    for path in [&config.storage.path, &config.log.anchor, &config.log.key] {
        if path.exists() {
            return Err(InitError::Exists { path: path.clone() });
        }
    }
    keyfile::create(&config.log.key, &key)?;
    let store = Rocks::open(
        &config.storage.path,
        Options {
            create: true,
            ..Options::default()
        },
    )?;
    if store.head()?.is_some() {
        return Err(InitError::Exists {
            path: config.storage.path,
        });
    }
    let note = first_checkpoint(&store, &key)?;
    CheckpointFile::create(&config.log.anchor)?.append(&note)?;
    fs::rename(&draft, &config_path).map_err(io(&config_path))?;
    Ok(NewLog {
        config: config_path,
        vkey: key.verifier().to_string(),
    })
}

/// Gives a store without head its first leaf, which commits to the empty index (DESIGN 3.5), and
/// returns the signed checkpoint over it.
pub fn first_checkpoint(store: &impl Tables, key: &SignerKey) -> Result<String, InitError> {
    let mut nothing = Batch::new();
    nothing.with_head(None, Head::empty().to_bytes());
    store.commit(nothing)?;
    let now_ms = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u64);
    let step = Sequencer::empty().plan_commitment(now_ms, &Commitment::empty())?;
    store.commit(records::batch(&step)?)?;
    let head = step.next.head();
    Ok(Checkpoint {
        origin: key.name().to_owned(),
        size: head.size,
        root: head.root,
    }
    .sign(key))
}

fn new_key(origin: &str) -> Result<SignerKey, InitError> {
    let mut seed = Zeroizing::new([0; Hash::LEN]);
    getrandom::fill(&mut *seed).map_err(InitError::Random)?;
    SignerKey::from_seed(origin, &seed).map_err(|reason| InitError::Origin {
        origin: origin.to_owned(),
        reason,
    })
}
