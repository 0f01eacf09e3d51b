//! One quota: leaky buckets by key.

use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    nanos::Nanos,
    state::{InMemoryState, NotKeyed, StateStore},
};
use quick_cache::sync::Cache;
use std::{convert::Infallible, hash::Hash, num::NonZeroU32, sync::Arc};

/// Most keys of one quota. At a hundred bytes each, all quotas together stay below 12 MiB.
pub(super) const KEYS: usize = 16_384;

/// The state of a quota for the keys that were used last.
pub(super) struct Recent<K>(Arc<Cache<K, Arc<InMemoryState>>>);

impl<K: Hash + Eq + Clone> Recent<K> {
    pub(super) fn new() -> Self {
        Recent(Arc::new(Cache::new(KEYS)))
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl<K: Hash + Eq + Clone> StateStore for Recent<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let state = self
            .0
            .get_or_insert_with(key, || Ok::<_, Infallible>(Arc::default()));
        let state = state.unwrap_or_else(|never| match never {});
        state.measure_and_replace(&NotKeyed::NonKey, decide)
    }
}

/// One quota.
pub(super) struct Rate<K: Hash + Eq + Clone> {
    pub(super) limit: &'static str,
    bucket: Option<Bucket<K>>,
}

struct Bucket<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, Recent<K>, DefaultClock>,
    /// The limiter's own, which it does not lend.
    state: Recent<K>,
    /// After how long one more is let through.
    interval: Nanos,
    /// What it holds.
    most: NonZeroU32,
}

impl<K: Hash + Eq + Clone> Rate<K> {
    pub(super) fn new(limit: &'static str, quota: Option<Quota>) -> Self {
        let bucket = quota.map(|quota| {
            let state = Recent::new();
            let shared = Recent(state.0.clone());
            Bucket {
                limiter: RateLimiter::new(quota, shared, DefaultClock::default()),
                state,
                interval: quota.replenish_interval().into(),
                most: quota.burst_size(),
            }
        });
        Rate { limit, bucket }
    }

    /// So many a second, and ten times as many at once, but `at_once` at least.
    pub(super) fn per_second(limit: &'static str, many: u32, at_once: u32) -> Self {
        let quota = NonZeroU32::new(many).map(|many| {
            let burst = NonZeroU32::new(many.get().saturating_mul(10).max(at_once));
            Quota::per_second(many).allow_burst(burst.unwrap_or(many))
        });
        Rate::new(limit, quota)
    }

    /// Whether it limits anything.
    pub(super) fn counts(&self) -> bool {
        self.bucket.is_some()
    }

    /// Charges `amount` to `key`, or says in how many seconds that will be possible. What is more
    /// than the bucket holds costs a full one.
    pub(super) fn charge(&self, key: &K, amount: u32) -> Result<(), u64> {
        let (Some(bucket), Some(amount)) = (&self.bucket, NonZeroU32::new(amount)) else {
            return Ok(());
        };
        let limiter = &bucket.limiter;
        match limiter.check_key_n(key, amount.min(bucket.most)) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(until)) => {
                let wait = until.wait_time_from(limiter.clock().now());
                Err(wait.as_secs() + 1)
            }
            // It is more than the bucket holds, which nothing is.
            Err(_) => Err(u64::from(u32::MAX)),
        }
    }

    /// Gives `key` back what it was charged.
    pub(super) fn give_back(&self, key: &K, amount: u32) {
        let Some(bucket) = &self.bucket else { return };
        let paid = bucket.interval * u64::from(amount.min(bucket.most.get()));
        // The state is the time at which the bucket will be empty again. One that lies in the past
        // counts as now, so that nobody gets more than a full bucket.
        let given: Result<(), Infallible> = bucket.state.measure_and_replace(key, |empty_at| {
            let empty_at = empty_at.unwrap_or_default();
            Ok(((), empty_at.saturating_sub(paid)))
        });
        given.unwrap_or_else(|never| match never {});
    }
}
