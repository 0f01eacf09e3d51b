//! Rotation over the admin socket: a node that runs changes its keys itself, and signs with them at
//! once.

use super::{LogKeys, Part, RotationError, SharedLogKeys, files};
use crate::config::{CosignerKeys, KeyHolder};
use crate::keyfile::KeyFileError;
use crate::reason::with_causes;
use crate::signer::keys;
use arc_swap::ArcSwap;
use assay_tlog::note::VerifierKey;
use assay_tlog::witness::WitnessKeys;
use axum::{
    Router,
    extract::{Path as UrlPath, State},
    http::StatusCode,
    routing::post,
};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

/// The keys of a log, as its node changes them.
pub struct LogRotation {
    /// The key file, or who holds the key or the next one.
    pub file: Result<PathBuf, Box<KeyHolder>>,
    /// What the log signs with.
    pub keys: SharedLogKeys,
    /// The note that is shown, if one is.
    pub shown: Box<dyn Fn() -> Option<String> + Send>,
}

impl LogRotation {
    fn file(&self) -> Result<&PathBuf, RotationError> {
        self.file
            .as_ref()
            .map_err(|holder| RotationError::Elsewhere {
                part: Part::Log,
                holder: holder.clone(),
            })
    }
}

/// The keys of a witness, a mirror or an auditor, as its node changes them.
pub struct CosignerRotation {
    places: CosignerKeys,
    keys: Arc<ArcSwap<WitnessKeys>>,
}

impl CosignerRotation {
    /// Changes the keys in these files, and what is signed with.
    pub fn new(places: CosignerKeys, keys: Arc<ArcSwap<WitnessKeys>>) -> Self {
        CosignerRotation { places, keys }
    }

    fn files(&self, part: Part) -> Result<Vec<PathBuf>, RotationError> {
        files::of_cosigner(part, &self.places)
    }

    /// Reads the files again, and signs with what they hold.
    fn read(&self) -> Result<Arc<WitnessKeys>, Failed> {
        let keys = keys::load(&self.places);
        let keys = Arc::new(keys.map_err(|error| Failed::Read(with_causes(&error)))?);
        self.keys.store(keys.clone());
        Ok(keys)
    }
}

/// All keys of a node that can be rotated.
#[derive(Default)]
pub struct Rotations {
    /// Those of its log.
    pub log: Option<LogRotation>,
    /// Those of its witness.
    pub witness: Option<CosignerRotation>,
    /// Those of its mirror.
    pub mirror: Option<CosignerRotation>,
    /// Those of its auditor.
    pub audit: Option<CosignerRotation>,
}

/// Why a node did not change its keys.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Rotation(#[from] RotationError),
    #[error("the keys cannot be read: {0}")]
    Read(String),
}

impl From<KeyFileError> for Failed {
    fn from(error: KeyFileError) -> Self {
        Failed::Rotation(error.into())
    }
}

impl Rotations {
    /// The routes of the admin socket.
    pub fn routes(self) -> Router {
        Router::new()
            .route("/keys/{part}/begin", post(begin))
            .route("/keys/{part}/finish", post(finish))
            .with_state(Arc::new(Mutex::new(self)))
    }

    fn cosigner(&self, part: Part) -> Result<&CosignerRotation, RotationError> {
        let own = match part {
            Part::Log => &None,
            Part::Witness => &self.witness,
            Part::Mirror => &self.mirror,
            Part::Audit => &self.audit,
        };
        own.as_ref().ok_or(RotationError::Absent(part))
    }

    fn log(&self) -> Result<&LogRotation, RotationError> {
        self.log.as_ref().ok_or(RotationError::Absent(Part::Log))
    }

    /// Makes the next keys, and signs with them, too.
    fn begin(&self, part: Part) -> Result<Vec<VerifierKey>, Failed> {
        if part == Part::Log {
            let log = self.log()?;
            let file = log.file()?;
            let key = files::begin_log(file)?;
            log.keys.store(Arc::new(LogKeys::load(file)?));
            return Ok(vec![key]);
        }
        let own = self.cosigner(part)?;
        let keys = files::begin_cosigner(&own.files(part)?)?;
        own.read()?;
        Ok(keys)
    }

    /// Signs with the next keys only.
    fn finish(&self, part: Part) -> Result<Vec<VerifierKey>, Failed> {
        if part == Part::Log {
            let log = self.log()?;
            let file = log.file()?;
            let keys = LogKeys::load(file)?;
            keys.refuse_unshown((log.shown)().as_deref())?;
            files::finish(std::slice::from_ref(file))?;
            let keys = LogKeys::load(file)?;
            let verifiers = keys.verifiers();
            log.keys.store(Arc::new(keys));
            return Ok(verifiers);
        }
        let own = self.cosigner(part)?;
        files::finish(&own.files(part)?)?;
        Ok(own.read()?.verifiers())
    }
}

type Shared = State<Arc<Mutex<Rotations>>>;

async fn begin(state: Shared, part: UrlPath<String>) -> (StatusCode, String) {
    change(state, part, Rotations::begin).await
}

async fn finish(state: Shared, part: UrlPath<String>) -> (StatusCode, String) {
    change(state, part, Rotations::finish).await
}

/// Changes keys on a thread that may wait for the disk. Answers with the new keys, one a line.
async fn change(
    State(rotations): Shared,
    UrlPath(part): UrlPath<String>,
    change: fn(&Rotations, Part) -> Result<Vec<VerifierKey>, Failed>,
) -> (StatusCode, String) {
    let Some(part) = Part::named(&part) else {
        return (StatusCode::NOT_FOUND, "there are no such keys".to_owned());
    };
    let changing = tokio::task::spawn_blocking(move || {
        let rotations = rotations.lock().unwrap_or_else(PoisonError::into_inner);
        change(&rotations, part)
    });
    match changing.await {
        Ok(Ok(keys)) => {
            let keys = super::lines(&keys);
            tracing::info!(%part, keys, "keys rotated");
            (StatusCode::OK, keys)
        }
        Ok(Err(error)) => (StatusCode::CONFLICT, with_causes(&error)),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}
