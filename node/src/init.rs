//! `assay-node init`: makes a log.
//!
//! Nothing else ever creates one. So a node that finds nothing where its log should be says so, and
//! does not start an empty log under a name that has a history.

pub mod cosigner;
mod held;
pub(crate) mod template;

use crate::{
    checkpoint_file::CheckpointFileError,
    config::{Config, ConfigError, ConfigFile as _, KeyHolder, TEMPLATE},
    files,
    keyfile::{self, KeyFileError, NewKeyError},
    log::{self, CreateError},
    rotation::LogKeys,
    storage::{
        StorageError, Store,
        backend::{Backend, Job, Opening},
        disk,
    },
};
use assay_keyfile::Passphrase;
use assay_tlog::note::{Algorithm, CosignerKey, KeyError, SignerKey};
use std::{
    fs,
    io::{self, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

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
    /// The store.
    pub backend: Backend,
    /// What else is in its configuration: tables in TOML.
    pub tables: &'a str,
    /// What its key file is encrypted with.
    pub passphrase: Option<&'a Passphrase>,
    /// Who holds its key. Without one, a key is made and kept in a file.
    pub holder: Option<KeyHolder>,
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
    /// Something of a log is there, and no configuration of it. It was left alone.
    #[error(
        "{path} exists already, and {dir} has no node.toml. If a log ran there, put its node.toml \
         back, and never run init in its place. If none did, an init was cut off before anything \
         was signed that anybody saw: remove {dir}, and run init again",
        path = path.display(),
        dir = dir.display()
    )]
    Remains {
        /// What is there.
        path: PathBuf,
        /// The folder.
        dir: PathBuf,
    },
    /// An init ended before it gave the configuration its name.
    #[error(
        "an init in {dir} was cut off before there was a log: nothing that it left can be run, and \
         nobody was told of its key. Remove {dir}, and run init again",
        dir = dir.display()
    )]
    CutOff {
        /// The folder.
        dir: PathBuf,
    },
    /// The origin cannot be the name of a key.
    #[error("the origin {origin:?} cannot be used: {reason}")]
    Origin {
        /// The origin.
        origin: String,
        /// Why not.
        reason: KeyError,
    },
    /// The name of the witness or the mirror cannot be that of a key.
    #[error("the name {name:?} cannot be used: {reason}")]
    Cosigner {
        /// The name.
        name: String,
        /// Why not.
        reason: KeyError,
    },
    /// Two of the three names are one.
    #[error("the log, its witness and its mirror need three names; {0} stands there twice")]
    SameName(String),
    /// Nobody could tell the origin from another one, or read it.
    #[error(
        "the origin {origin:?} has a character that is not seen, or not told from others: \
         {character:?}. Use letters, digits and signs, as in log.example.org/assay"
    )]
    Unreadable {
        /// The origin.
        origin: String,
        /// The first such character.
        character: char,
    },
    /// The configuration that was written names another origin than the key: every start would be
    /// refused.
    #[error("the origin {origin:?} is read back from the configuration as {read:?}")]
    Unfaithful {
        /// The origin.
        origin: String,
        /// What the configuration says.
        read: String,
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
/// `run`, because the configuration gets its name last. A run that fails takes back what it made.
pub fn init(init: &Init<'_>) -> Result<NewLog, InitError> {
    let config_path = vacant(init.dir)?;
    let (in_file, keys) = match &init.holder {
        None => {
            let key = new_key(init.origin)?;
            (Some(key.clone()), LogKeys::from(key))
        }
        Some(holder) => {
            demand_readable(init.origin)?;
            (None, held::asked(holder)?)
        }
    };
    complete(&config_path, &configuration(init), unwritable, |draft| {
        make(init, draft, in_file.as_ref(), &keys)
    })?;
    Ok(NewLog {
        config: config_path,
        vkey: keys.verifier().to_string(),
    })
}

/// Returns where the configuration of a log in `dir` stands, or fails with [`InitError::Exists`] if
/// there is one, and with [`InitError::CutOff`] if there is a draft of one.
pub fn vacant(dir: &Path) -> Result<PathBuf, InitError> {
    let path = dir.join("node.toml");
    if path.exists() {
        return Err(InitError::Exists { path });
    }
    if draft_of(&path).exists() {
        return Err(InitError::CutOff { dir: dir.into() });
    }
    Ok(path)
}

/// Where the configuration is written before it gets its name.
fn draft_of(config: &Path) -> PathBuf {
    config.with_extension("toml.new")
}

/// Refuses what would fail after a part of a node was made: names of its witness and its mirror
/// that cannot be, or that are one, and files that are there.
pub fn refuse_unfit<'a>(
    dir: &Path,
    origin: &'a str,
    cosigners: impl IntoIterator<Item = &'a String>,
) -> Result<(), InitError> {
    vacant(dir)?;
    let mut names = vec![origin];
    for name in cosigners {
        CosignerKey::from_seed(name, Algorithm::CosignatureV1, &[0; 32]).map_err(|reason| {
            InitError::Cosigner {
                name: name.clone(),
                reason,
            }
        })?;
        if names.contains(&name.as_str()) {
            return Err(InitError::SameName(name.clone()));
        }
        names.push(name);
    }
    let files = "log.key data checkpoints witness mirror mirror.key audit.key";
    for file in files.split(' ') {
        let path = dir.join(file);
        if path.exists() {
            let dir = dir.to_owned();
            return Err(InitError::Remains { path, dir });
        }
    }
    Ok(())
}

/// Writes the configuration `text` as a draft, lets `make` make what it names, and gives it its
/// name last, so that what a run that was cut off leaves is not taken for something whole. A run
/// that fails takes back its draft.
pub(crate) fn complete<E>(
    config: &Path,
    text: &str,
    unwritable: fn(&Path, io::Error) -> E,
    make: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    let folder = disk::folder_of(config);
    fs::create_dir_all(folder).map_err(|e| unwritable(folder, e))?;
    let draft = draft_of(config);
    files::create_anew(&draft)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())
                .and_then(|()| file.sync_all())
        })
        .map_err(|e| unwritable(&draft, e))
        .and_then(|()| make(&draft))
        .and_then(|()| fs::rename(&draft, config).map_err(|e| unwritable(config, e)))
        .inspect_err(|_| _ = fs::remove_file(&draft))?;
    // Who is told of a key finds its configuration again, whatever becomes of this machine. The
    // folder above may be one that nobody may read.
    let _ = disk::sync_folder(disk::folder_of(folder));
    disk::sync_folder(folder).map_err(|e| unwritable(folder, e))
}

/// The text of the configuration.
fn configuration(init: &Init<'_>) -> String {
    let origin = template::escaped(init.origin);
    let (listen, admin) = (init.listen.to_string(), init.admin.to_string());
    let text = template::fill(
        TEMPLATE,
        &[
            ("origin", &origin),
            ("listen", &listen),
            ("admin", &admin),
            ("backend", &init.backend.to_string()),
        ],
    );
    let holder = init.holder.as_ref();
    text + init.tables + &holder.map_or_else(String::new, |holder| held::table("log", holder))
}

/// Makes what the configuration in `draft` names: the key file, if the key is to be in one, and the
/// store.
fn make(
    init: &Init<'_>,
    draft: &Path,
    in_file: Option<&SignerKey>,
    keys: &LogKeys,
) -> Result<(), InitError> {
    let config = Config::load(draft)?;
    if config.log.origin != init.origin {
        return Err(InitError::Unfaithful {
            origin: init.origin.to_owned(),
            read: config.log.origin,
        });
    }
    for path in [
        &config.storage.path,
        &config.log.checkpoint_file,
        &config.log.key,
    ] {
        if path.exists() {
            return Err(InitError::Remains {
                path: path.clone(),
                dir: init.dir.to_owned(),
            });
        }
    }
    or_take_back(|made| fill(init, &config, in_file, keys, made))
}

/// Makes the key file and the store, and notes each file and folder that it makes.
fn fill(
    init: &Init<'_>,
    config: &Config,
    in_file: Option<&SignerKey>,
    keys: &LogKeys,
    made: &mut Vec<PathBuf>,
) -> Result<(), InitError> {
    if let Some(key) = in_file {
        keyfile::create(&config.log.key, key, init.passphrase)?;
        made.push(config.log.key.clone());
    }
    // One that is there meanwhile is another run's.
    let data = &config.storage.path;
    fs::create_dir(data).map_err(|e| unwritable(data, e))?;
    made.push(data.clone());
    let opening = Opening {
        path: &config.storage.path,
        blobs: None,
        block_cache_mib: config.storage.block_cache_mib,
        create: true,
    };
    let create = Create {
        checkpoints: &config.log.checkpoint_file,
        keys,
    };
    let created = config.storage.backend.run(opening, create)?;
    let is_other = matches!(
        created,
        Err(CreateError::CheckpointFile(CheckpointFileError::Exists(_)))
    );
    if !is_other {
        made.push(config.log.checkpoint_file.clone());
    }
    Ok(created?)
}

/// Lets `fill` make files and folders, and note each. If it fails, they are removed: no other run
/// would go on from there, and nothing was signed that anybody saw.
pub(crate) fn or_take_back<E>(
    fill: impl FnOnce(&mut Vec<PathBuf>) -> Result<(), E>,
) -> Result<(), E> {
    let mut made = Vec::new();
    fill(&mut made).inspect_err(|_| {
        for path in &made {
            let _ = if path.is_dir() {
                fs::remove_dir_all(path)
            } else {
                fs::remove_file(path)
            };
        }
    })
}

/// Makes the log in a store that was just made.
struct Create<'a> {
    checkpoints: &'a Path,
    keys: &'a LogKeys,
}

impl Job for Create<'_> {
    type Output = Result<(), CreateError>;

    fn run<S: Store + 'static>(self, store: Arc<S>) -> Self::Output {
        log::create(&*store, self.checkpoints, self.keys)
    }
}

fn unwritable(path: &Path, source: io::Error) -> InitError {
    InitError::Io {
        path: path.to_owned(),
        source,
    }
}

/// Fails with [`InitError::Unreadable`] if nobody could read the origin.
fn demand_readable(origin: &str) -> Result<(), InitError> {
    let seen = |c: &char| c.is_ascii_graphic() || c.is_alphanumeric();
    if let Some(character) = origin.chars().find(|c| !seen(c)) {
        return Err(InitError::Unreadable {
            origin: origin.to_owned(),
            character,
        });
    }
    Ok(())
}

fn new_key(origin: &str) -> Result<SignerKey, InitError> {
    demand_readable(origin)?;
    keyfile::new_log(origin).map_err(|error| match error {
        NewKeyError::Random(error) => InitError::Random(error),
        NewKeyError::Name { name, reason } => InitError::Origin {
            origin: name,
            reason,
        },
    })
}

#[cfg(test)]
mod tests;
