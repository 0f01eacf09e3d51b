//! A log that the witness is configured for, as the serving threads see it.

use super::config::{Identity, LogEntry};
use crate::misbehavior::Evidence;
use arc_swap::ArcSwapOption;
use assay_tlog::head::VerifiedHead;
use assay_tlog::note::CosignError;
use assay_tlog::witness::{Cosigned, Persisted, WitnessKeys, WitnessedLog};
use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use std::{
    borrow::Cow,
    num::NonZeroU32,
    sync::{Arc, OnceLock},
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

/// A log.
pub struct KnownLog {
    /// Its place among the logs of the writer.
    pub index: usize,
    /// Its origin and keys.
    pub log: WitnessedLog,
    /// What monitors are served. It is durable.
    pub latest: ArcSwapOption<Latest>,
    quota: Option<DefaultDirectRateLimiter>,
}

impl KnownLog {
    /// A log of which nothing is served yet, with the quota that the configuration gives it.
    pub fn new(index: usize, log: WitnessedLog, entry: &LogEntry, identity: &Identity) -> Self {
        let hourly = entry
            .requests_per_hour
            .unwrap_or(identity.requests_per_hour);
        let quota = NonZeroU32::new(hourly).map(|hourly| {
            let burst = NonZeroU32::new(identity.burst).unwrap_or(NonZeroU32::MIN);
            RateLimiter::direct(Quota::per_hour(hourly).allow_burst(burst))
        });
        KnownLog {
            index,
            log,
            latest: ArcSwapOption::empty(),
            quota,
        }
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
