//! What the operator of a stopped node does about its disk: look at all of it, and make the tables
//! anew.

use super::ahead::{AheadError, newest};
use super::examine::{Damage, Examination, Steps};
use super::progress::{Progress, ProgressError};
use super::rebuild::{RebuildError, Rebuilt, rebuild};
use super::source::{Fault, Mended, Mirrors, Place, Source};
use super::swap;
use crate::audit::Copied;
use crate::config::{Config, StorageConfig};
use crate::keyfile::KeyFileError;
use crate::log::{Caches, Log, OpenError, Shown, Signed, WriteError, refuse_lost_end};
use crate::mirror::site::{self, Site};
use crate::peers::{PeersError, file};
use crate::rotation::LogKeys;
use crate::storage::backend::{Job, Opening};
use crate::storage::{StorageError, Store, Tables};
use assay_tlog::Hash;
use assay_tlog::head::{LogVerifier, LogVerifierError, VerifiedHead};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why nothing can be said or done about a node's disk.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// The log's key.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The log's key, as a verifier.
    #[error(transparent)]
    Verifier(#[from] LogVerifierError),
    /// The checkpoint file, or the log that was made.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The file of peers.
    #[error(transparent)]
    Peers(#[from] PeersError),
    /// No client for mirrors.
    #[error("mirrors cannot be asked")]
    Client(#[from] reqwest::Error),
    /// No threads, or the like.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// How far a check is.
    #[error(transparent)]
    Progress(#[from] ProgressError),
    /// There are no new tables.
    #[error(transparent)]
    Rebuild(#[from] RebuildError),
    /// More was signed than the checkpoint file says.
    #[error(transparent)]
    Ahead(#[from] AheadError),
    /// The log that was made could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Something is kept already that would be in the way.
    #[error(
        "{0} holds tables that an earlier rebuild put aside; move them elsewhere, or remove them \
         if nobody needs them any more"
    )]
    Aside(PathBuf),
}

/// What was signed last, which stays locked while this is held: no node runs.
struct Stopped {
    signed: Signed,
    log: LogVerifier,
    head: VerifiedHead,
}

impl Stopped {
    fn of(config: &Config) -> Result<Self, OperatorError> {
        let keys = LogKeys::configured(&config.log)?;
        let log = LogVerifier::new(keys.origin(), keys.verifiers())?;
        let signed = Signed::open(&config.log.checkpoint_file, keys.shared())?;
        let head = log.verify(signed.last().note()).map_err(|source| {
            let path = config.log.checkpoint_file.clone();
            OpenError::OtherLog { path, source }
        })?;
        Ok(Stopped { signed, log, head })
    }
}

/// Looks at all of a stopped node's store. `tell` is told what is damaged, and `progress` how far
/// it is; a check that it breaks off goes on from there, as one that was killed does, if both are
/// given the same file in `kept`. Returns the signed size, and `None` if it was broken off. Changes
/// nothing else.
pub fn check(
    config: &Config,
    kept: Option<&Path>,
    tell: &mut dyn FnMut(&str),
    progress: &mut dyn FnMut(Steps) -> ControlFlow<()>,
) -> Result<Option<u64>, OperatorError> {
    let stopped = Stopped::of(config)?;
    let backend = &config.storage.backend;
    let size = stopped.head.size().get();
    let kept = Progress::open(kept, &stopped.head)?;
    kept.damaged().iter().for_each(|damaged| tell(damaged));
    match backend.demand_whole(&config.storage.path) {
        Err(StorageError::Corrupt { reason, .. }) => tell(&format!("what is stored: {reason}")),
        other => other?,
    }
    let look = Look {
        head: stopped.head,
        kept,
        tell: &mut *tell,
        progress,
    };
    match backend.salvage(config.opening(), look) {
        Err(StorageError::Corrupt { reason, .. }) => {
            tell(&format!("nothing can be read: {reason}"));
            Ok(Some(size))
        }
        other => Ok(other??.is_continue().then_some(size)),
    }
}

/// Looks at all of a store.
struct Look<'a> {
    head: VerifiedHead,
    kept: Progress,
    tell: &'a mut dyn FnMut(&str),
    progress: &'a mut dyn FnMut(Steps) -> ControlFlow<()>,
}

impl Job for Look<'_> {
    type Output = Result<ControlFlow<()>, OperatorError>;

    fn run<S: Store + 'static>(mut self, store: Arc<S>) -> Self::Output {
        if let Err(error) = refuse_lost_end(&*store, self.head.size()) {
            (self.tell)(&error.to_string());
        }
        let mut examination = Examination::new(store, self.head);
        let (done, reached) = self.kept.reached();
        examination.resume(done, reached)?;
        while let Some(found) = examination.step()? {
            for damage in found.iter().map(Damage::to_string) {
                if self.kept.note(damage.clone()) {
                    (self.tell)(&damage);
                }
            }
            let steps = examination.steps();
            let flow = (self.progress)(steps);
            let reached = examination.reached();
            self.kept.reach(steps.done, reached, flow.is_break())?;
            if flow.is_break() {
                return Ok(flow);
            }
        }
        self.kept.finish()?;
        Ok(ControlFlow::Continue(()))
    }
}

/// The tables of a store, whichever it is.
struct AnyTables;

impl Job for AnyTables {
    type Output = Arc<dyn Tables>;

    fn run<S: Store + 'static>(self, store: Arc<S>) -> Self::Output {
        store
    }
}

/// What was made.
#[derive(Debug)]
pub enum Made {
    /// New tables, in the place of the old ones.
    Now(Rebuilt),
    /// They had been made before, and are in their place now.
    Before,
}

/// Makes the tables of a stopped node anew, from what can be read of the old ones, and from mirrors
/// of the log: those at `from`, and the peers of the node. The old ones are kept beside them.
///
/// `tell` is told what of the old ones is damaged, and `progress` how far it is. What was signed is
/// in the new tables, or they are not put in place: as the checkpoint file says or, if its end is
/// lost (`config.log.lost_end`), as mirrors show.
pub fn rebuild_log(
    config: &Config,
    from: &[String],
    tell: &mut dyn FnMut(String),
    progress: &mut dyn FnMut(&'static str, u64, u64),
) -> Result<Made, OperatorError> {
    let Stopped { signed, log, head } = Stopped::of(config)?;
    let path = &config.storage.path;
    let mirrors = Mirrors::at(sites(config, &head, from)?)?;
    let lost_end = config.log.lost_end;
    let head = newest(&mirrors, &log, head, lost_end, tell)?;
    let signed = if lost_end {
        signed.forgive_lost_end()
    } else {
        signed
    };
    if swap::is_made(path, &head) {
        swap::swap(path)?;
        return Ok(Made::Before);
    }
    if swap::has_aside(path) {
        return Err(OperatorError::Aside(swap::old_folder(path)));
    }
    swap::clear(path)?;
    let rebuilt = make(config, mirrors, head.clone(), tell, progress)?;
    open_once(&config.storage, signed)?;
    swap::say_made(path, &head)?;
    swap::swap(path)?;
    Ok(Made::Now(rebuilt))
}

/// Makes the new tables, beside the old ones.
fn make(
    config: &Config,
    mirrors: Mirrors,
    head: VerifiedHead,
    tell: &mut dyn FnMut(String),
    progress: &mut dyn FnMut(&'static str, u64, u64),
) -> Result<Rebuilt, OperatorError> {
    let backend = &config.storage.backend;
    let is_whole = match backend.demand_whole(&config.storage.path) {
        Err(StorageError::Corrupt { reason, .. }) => {
            tell(format!("what is stored: {reason}"));
            false
        }
        Err(StorageError::Missing(_)) => false,
        other => other.map(|()| true)?,
    };
    let old = match backend.salvage(config.opening(), AnyTables) {
        Ok(store) => Some(store),
        Err(StorageError::Corrupt { reason, .. }) => {
            tell(format!("nothing can be read of what is stored: {reason}"));
            None
        }
        Err(StorageError::Missing(path)) => {
            tell(format!("{} holds nothing", path.display()));
            None
        }
        Err(error) => return Err(error.into()),
    };
    if let Some(old) = &old {
        demand_end(&**old, &head, tell)?;
    }
    let old = old.map(Copied::all);
    let Some(mut source) = Source::open(head, old, mirrors)? else {
        return Err(RebuildError::Lost(Place::Edge.to_string()).into());
    };
    let folder = swap::new_folder(&config.storage.path);
    let new = backend.run(new(&config.storage, &folder, true), AnyTables)?;
    let cache_mib = config.storage.index_cache_mib;
    let mut tell = |fault: Fault| tell(said(&fault));
    let rebuilt = rebuild(&mut source, new, cache_mib, &mut tell, progress)?;
    // What was acknowledged last is read as if it had not been, and with it what it says itself.
    Ok(if is_whole {
        rebuilt
    } else {
        Rebuilt {
            lost: None,
            has_invitations: false,
            ..rebuilt
        }
    })
}

/// Fails with [`OpenError::LostEnd`] if the old tables know that more was signed than `head`: what
/// is made of them would say nothing of it, and the next start would sign another tree of that
/// size.
fn demand_end(
    old: &dyn Tables,
    head: &VerifiedHead,
    tell: &mut dyn FnMut(String),
) -> Result<(), OperatorError> {
    match refuse_lost_end(old, head.size()) {
        Err(error @ (OpenError::Storage(_) | OpenError::Record(_))) => {
            tell(format!("what was signed: {error}"));
        }
        other => other?,
    }
    Ok(())
}

/// Opens what was made as a node does, so that it is known to start, and leaves it as a node that
/// stops.
fn open_once(config: &StorageConfig, signed: Signed) -> Result<(), OperatorError> {
    let folder = swap::new_folder(&config.path);
    let start = Start { config, signed };
    let backend = &config.backend;
    backend.run(new(config, &folder, false), start)?
}

struct Start<'a> {
    config: &'a StorageConfig,
    signed: Signed,
}

impl Job for Start<'_> {
    type Output = Result<(), OperatorError>;

    fn run<S: Store + 'static>(self, store: Arc<S>) -> Self::Output {
        let caches = Caches {
            tiles_mib: self.config.tile_cache_mib,
            index_mib: self.config.index_cache_mib,
        };
        let mut log = Log::open(store, self.signed, caches, Shown::LastSigned)?;
        Ok(log.store_index()?)
    }
}

/// The store that is made, without blobs of its own.
fn new<'a>(config: &StorageConfig, folder: &'a Path, create: bool) -> Opening<'a> {
    Opening {
        path: folder,
        blobs: None,
        block_cache_mib: config.block_cache_mib,
        create,
    }
}

/// Where mirrors publish the log.
fn sites(
    config: &Config,
    head: &VerifiedHead,
    from: &[String],
) -> Result<Vec<Site>, OperatorError> {
    let http = site::client()?;
    let digest = Hash::of(head.origin().as_bytes()).to_hex();
    let peers = file::read(&config.federation.peers)?;
    let peers = peers.iter().filter(|peer| !peer.mirror().is_empty());
    let peers = peers.map(|peer| format!("{}/mirror/{digest}", peer.url()));
    let urls = from.iter().cloned().chain(peers);
    Ok(urls.map(|url| Site::new(http.clone(), &url)).collect())
}

fn said(fault: &Fault) -> String {
    let place = fault.place;
    match &fault.mended {
        Mended::Computed => format!("{place}: made anew from what else is stored"),
        Mended::Mirror(url) => format!("{place}: taken from {url}"),
        Mended::Lost => format!("{place}: nobody has it"),
    }
}
