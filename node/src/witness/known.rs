//! A log that the witness is configured for, as the serving threads see it.

use super::config::Identity;
use crate::misbehavior::Evidence;
use arc_swap::ArcSwapOption;
use assay_tlog::head::VerifiedHead;
use assay_tlog::note::CosignError;
use assay_tlog::witness::{Cosigned, LogState, Persisted, WitnessKeys, WitnessedLog};
use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use std::{
    borrow::Cow,
    num::NonZeroU32,
    sync::{Arc, Mutex, OnceLock},
};

/// A head that is durable. It is signed when it is first asked for, and once.
#[derive(Debug)]
pub struct Latest {
    persisted: Persisted,
    cosigned: OnceLock<Result<Cosigned, CosignError>>,
}

impl Latest {
    /// Takes what was persisted.
    pub fn new(persisted: Persisted) -> Arc<Self> {
        Arc::new(Latest {
            persisted,
            cosigned: OnceLock::new(),
        })
    }

    /// The head.
    pub fn head(&self) -> &VerifiedHead {
        self.persisted.head()
    }

    /// Returns the head with its cosignatures. Fails if the algorithm does.
    pub fn cosigned(&self, keys: &WitnessKeys) -> Result<&Cosigned, CosignError> {
        let cosigned = self.cosigned.get_or_init(|| self.persisted.sign(keys));
        cosigned.as_ref().map_err(|error| *error)
    }
}

/// What is held of a log: one for each origin in a process.
#[derive(Debug)]
pub struct Held {
    /// What is stored of it, for the writer alone. `None` if that is damaged.
    pub state: Mutex<Option<LogState>>,
    /// What monitors are served. It is durable.
    pub latest: ArcSwapOption<Latest>,
}

/// A log.
pub struct KnownLog {
    /// Its origin and keys.
    pub log: WitnessedLog,
    /// What is held of it.
    pub held: Arc<Held>,
    quota: Option<DefaultDirectRateLimiter>,
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
        let quota = NonZeroU32::new(hourly).map(|hourly| {
            let burst = NonZeroU32::new(identity.burst).unwrap_or(NonZeroU32::MIN);
            RateLimiter::direct(Quota::per_hour(hourly).allow_burst(burst))
        });
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

    /// Charges one signed request, or says in how many seconds there is room for it, at least 1.
    pub fn charge(&self) -> Result<(), u32> {
        let Some(quota) = &self.quota else {
            return Ok(());
        };
        quota.check().map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            u32::try_from(wait.as_secs() + 1).unwrap_or(u32::MAX)
        })
    }
}
