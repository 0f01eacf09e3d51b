//! A log that the witness is configured for, as the serving threads see it.

use super::config::Identity;
use crate::misbehavior::Evidence;
use crate::quota::Growth;
use crate::signer::floors::Admitted;
use arc_swap::ArcSwapOption;
use assay_tlog::head::VerifiedHead;
use assay_tlog::note::CosignError;
use assay_tlog::witness::{Cosigned, LogState, SignedRequest, WitnessKeys, WitnessedLog};
use bytes::Bytes;
use std::{
    borrow::Cow,
    sync::{Arc, Mutex, OnceLock},
};

/// A head that is durable. It is signed when it is first asked for, and once.
#[derive(Debug)]
pub struct Latest {
    admitted: Admitted,
    cosigned: OnceLock<Cosigned>,
    note: OnceLock<Bytes>,
}

impl Latest {
    /// Takes what was persisted, and may be signed.
    pub fn new(admitted: Admitted) -> Arc<Self> {
        Arc::new(Latest {
            admitted,
            cosigned: OnceLock::new(),
            note: OnceLock::new(),
        })
    }

    /// The head.
    pub fn head(&self) -> &VerifiedHead {
        self.admitted.head()
    }

    /// The head with its cosignatures, if it was signed.
    pub fn cosigned(&self) -> Option<&Cosigned> {
        self.cosigned.get()
    }

    /// Returns the head with its cosignatures, and signs it if it was not. Fails as
    /// [`Admitted::sign`] does, and is then signed when it is asked for again.
    pub fn sign(&self, keys: &WitnessKeys) -> Result<&Cosigned, CosignError> {
        if let Some(cosigned) = self.cosigned() {
            return Ok(cosigned);
        }
        let cosigned = self.admitted.sign(keys)?;
        Ok(self.cosigned.get_or_init(|| cosigned))
    }

    /// Returns what monitors are served, which all of them share, if it was signed.
    pub fn note(&self) -> Option<Bytes> {
        let cosigned = self.cosigned()?;
        let note = self.note.get_or_init(|| cosigned.note().into());
        Some(note.clone())
    }
}

/// What is held of a log: one for each origin in a process.
#[derive(Debug)]
pub struct Held {
    /// What is stored of it, for the writer alone. `None` if that is damaged.
    pub state: Mutex<Option<LogState>>,
    /// What monitors are served. It is durable.
    pub latest: ArcSwapOption<Latest>,
    /// What is durable of the state, for those who only read it. `None` if that is damaged.
    pub durable: ArcSwapOption<LogState>,
}

impl Held {
    /// What was read of a log: its state, which is `None` if it is damaged, and what monitors are
    /// served.
    pub fn new(state: Option<LogState>, latest: Option<Arc<Latest>>) -> Self {
        Held {
            state: Mutex::new(state),
            latest: ArcSwapOption::new(latest),
            durable: ArcSwapOption::new(state.map(Arc::new)),
        }
    }
}

/// A log.
pub struct KnownLog {
    /// Its origin and keys.
    pub log: WitnessedLog,
    /// What is held of it.
    pub held: Arc<Held>,
    quota: Growth,
}

impl KnownLog {
    /// A log with a quota of its own, or the one that the configuration gives all.
    pub fn new(
        log: WitnessedLog,
        held: Arc<Held>,
        hourly: Option<u32>,
        identity: &Identity,
    ) -> Self {
        let hourly = hourly.unwrap_or(identity.requests_per_hour);
        let quota = Growth::new(hourly, identity.burst);
        KnownLog { log, held, quota }
    }

    /// Its origin.
    pub fn origin(&self) -> &str {
        self.log.verifier().origin()
    }

    /// Its origin and keys, and whether it is convicted.
    pub fn judged_by(&self, evidence: &Evidence) -> Cow<'_, WitnessedLog> {
        if evidence.convicts_log(self.log.verifier().origin()) {
            Cow::Owned(self.log.clone().convicted())
        } else {
            Cow::Borrowed(&self.log)
        }
    }

    /// Charges a request, if it is one that is charged to the log, or says in how many seconds
    /// there is room for it, at least 1.
    pub fn charge(&self, request: &SignedRequest) -> Result<(), u32> {
        let held = self.held.durable.load();
        held.as_deref()
            .map_or(Ok(()), |held| self.quota.charge(request, held))
    }
}
