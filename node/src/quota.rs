//! How much may be published: claims and bytes a second, by network, by issuer and in all.
//!
//! Every quota is a leaky bucket (GCRA) that holds ten seconds' worth, because a release publishes
//! a few hundred claims at once and then none for weeks. A quota of 0 is none.
//!
//! The state of a quota is kept for a bounded number of keys. Whoever was not heard of for longest
//! is forgotten first, and begins anew with a full bucket.

use crate::{config::AdmissionConfig, held::network};
use assay_claims::entry::wire::Claim;
use assay_claims::issuer::IssuerId;
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    nanos::Nanos,
    state::{InMemoryState, NotKeyed, StateStore},
};
use quick_cache::sync::Cache;
use std::{convert::Infallible, hash::Hash, net::IpAddr, num::NonZeroU32, sync::Arc};

/// Most keys of one quota. At a hundred bytes each, all quotas together stay below 12 MiB.
const KEYS: usize = 16_384;

/// Bytes of an entry beside payload and signatures, and of a signature with its key and issuer.
const ENTRY_BYTES: usize = 64;
const SIGNATURE_BYTES: usize = 140;

/// Bytes a second, where none are configured, for each claim a second: most real claims have 1 to
/// 4 KiB.
const KIB_PER_CLAIM: u32 = 4;

/// The largest quota of bytes, in KiB: what a bucket that is kept to the nanosecond can tell apart.
const KIB_MAX: u32 = 262_144;

const KIB_OF_MIB: u32 = 1024;

/// The most that one claim is charged: no bucket may be smaller than that.
const LARGEST: u32 = assay_claims::limits::ENTRY_BYTES as u32;

/// A quota is used up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exceeded {
    /// Which one, as metrics name it.
    pub limit: &'static str,
    /// Which one, for people.
    pub what: String,
    /// When there is room again, in seconds, at least 1.
    pub retry_s: u64,
}

/// The state of a quota for the keys that were used last.
struct Recent<K>(Cache<K, Arc<InMemoryState>>);

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
struct Rate<K: Hash + Eq + Clone> {
    limit: &'static str,
    limiter: Option<RateLimiter<K, Recent<K>, DefaultClock>>,
}

impl<K: Hash + Eq + Clone> Rate<K> {
    fn new(limit: &'static str, quota: Option<Quota>) -> Self {
        let limiter = quota.map(|quota| {
            RateLimiter::new(quota, Recent(Cache::new(KEYS)), DefaultClock::default())
        });
        Rate { limit, limiter }
    }

    /// So many a second, and ten times as many at once, but `at_once` at least.
    fn per_second(limit: &'static str, many: u32, at_once: u32) -> Self {
        let quota = NonZeroU32::new(many).map(|many| {
            let burst = NonZeroU32::new(many.get().saturating_mul(10).max(at_once));
            Quota::per_second(many).allow_burst(burst.unwrap_or(many))
        });
        Rate::new(limit, quota)
    }

    /// Charges `amount` to `key`, or says in how many seconds that will be possible.
    fn charge(&self, key: &K, amount: u32) -> Result<(), u64> {
        let (Some(limiter), Some(amount)) = (&self.limiter, NonZeroU32::new(amount)) else {
            return Ok(());
        };
        match limiter.check_key_n(key, amount) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(until)) => {
                let wait = until.wait_time_from(limiter.clock().now());
                Err(wait.as_secs() + 1)
            }
            // It is more than the bucket holds, which no claim is.
            Err(_) => Err(u64::from(u32::MAX)),
        }
    }
}

/// How much a second. 0 claims are no limit, and so are 0 KiB.
#[derive(Debug, Clone, Copy)]
struct Limit {
    claims: u32,
    kib: Option<u32>,
}

/// Claims and bytes.
struct Volume<K: Hash + Eq + Clone> {
    claims: Rate<K>,
    bytes: Rate<K>,
}

impl<K: Hash + Eq + Clone> Volume<K> {
    fn new(claims: &'static str, bytes: &'static str, limit: Limit) -> Self {
        let kib = limit
            .kib
            .unwrap_or(limit.claims.saturating_mul(KIB_PER_CLAIM))
            .min(KIB_MAX);
        Volume {
            claims: Rate::per_second(claims, limit.claims, 1),
            bytes: Rate::per_second(bytes, kib * 1024, LARGEST),
        }
    }

    fn counts(&self) -> bool {
        self.claims.limiter.is_some() || self.bytes.limiter.is_some()
    }

    fn charge(&self, key: &K, bytes: u32, whose: impl Fn() -> String) -> Result<(), Exceeded> {
        let claims = self.claims.charge(key, 1).map_err(|retry_s| Exceeded {
            limit: self.claims.limit,
            what: format!("{} is at its limit of claims a second", whose()),
            retry_s,
        });
        claims?;
        self.bytes.charge(key, bytes).map_err(|retry_s| Exceeded {
            limit: self.bytes.limit,
            what: format!("{} is at its limit of bytes a second", whose()),
            retry_s,
        })
    }
}

/// The quotas of a log.
pub struct Quotas {
    networks: Volume<IpAddr>,
    issuers: Volume<IssuerId>,
    everybody: Volume<()>,
    registrations: Rate<IpAddr>,
    shared: Vec<IpAddr>,
}

impl Quotas {
    /// Returns the quotas that a configuration asks for. `shared` are addresses that stand for many
    /// callers, so that nothing but registrations is counted by them.
    pub fn new(config: &AdmissionConfig, shared: &[IpAddr]) -> Self {
        let registrations = NonZeroU32::new(config.registrations_per_hour).map(Quota::per_hour);
        Quotas {
            networks: Volume::new(
                "address_claims",
                "address_bytes",
                Limit {
                    claims: config.address_claims_per_second,
                    kib: config.address_kib_per_second,
                },
            ),
            issuers: Volume::new(
                "issuer_claims",
                "issuer_bytes",
                Limit {
                    claims: config.issuer_claims_per_second,
                    kib: config.issuer_kib_per_second,
                },
            ),
            everybody: Volume::new(
                "claims",
                "bytes",
                Limit {
                    claims: config.claims_per_second,
                    kib: config.kib_per_second,
                },
            ),
            registrations: Rate::new("registrations", registrations),
            shared: shared.iter().map(IpAddr::to_canonical).collect(),
        }
    }

    /// Charges a claim to the network that it came from. This is done before its signatures are
    /// verified, so that nobody makes the node verify more than the quota.
    pub fn arrived(&self, claim: &Claim, from: Option<IpAddr>) -> Result<(), Exceeded> {
        let Some(from) = from.map(|from| from.to_canonical()) else {
            return Ok(());
        };
        if self.shared.contains(&from) {
            return Ok(());
        }
        let whose = || "your network address".to_owned();
        self.networks.charge(&network(from), size(claim), whose)
    }

    /// Whether [`verified`](Self::verified) counts anything.
    pub fn count_signers(&self) -> bool {
        self.issuers.counts() || self.everybody.counts()
    }

    /// Charges a verified claim to its signers, and then to everybody: an issuer over its own quota
    /// takes nothing from others.
    pub fn verified<'a>(
        &self,
        claim: &Claim,
        issuers: impl Iterator<Item = &'a IssuerId>,
    ) -> Result<(), Exceeded> {
        let bytes = size(claim);
        for issuer in issuers {
            self.issuers
                .charge(issuer, bytes, || format!("issuer {issuer}"))?;
        }
        self.everybody.charge(&(), bytes, || "this node".to_owned())
    }

    /// Charges a new issuer to the network that it came from.
    pub fn registered(&self, from: Option<IpAddr>) -> Result<(), Exceeded> {
        let Some(from) = from else { return Ok(()) };
        let charged = self.registrations.charge(&network(from), 1);
        charged.map_err(|retry_s| Exceeded {
            limit: self.registrations.limit,
            what: "too many new issuers came from your network address in the last hour".to_owned(),
            retry_s,
        })
    }
}

/// How much of attachments one network uploads.
pub struct Uploads {
    rate: Rate<IpAddr>,
    shared: Vec<IpAddr>,
}

impl Uploads {
    /// Returns a quota of so many MiB an hour. 0 is none. `shared` as in [`Quotas::new`].
    pub fn new(mib_per_hour: u32, shared: &[IpAddr]) -> Self {
        let hourly = NonZeroU32::new(mib_per_hour.saturating_mul(KIB_OF_MIB));
        Uploads {
            rate: Rate::new("address_attachments", hourly.map(Quota::per_hour)),
            shared: shared.iter().map(IpAddr::to_canonical).collect(),
        }
    }

    /// Charges an upload of so many bytes to the network that it comes from.
    pub fn charge(&self, from: IpAddr, bytes: u64) -> Result<(), Exceeded> {
        let from = from.to_canonical();
        if self.shared.contains(&from) {
            return Ok(());
        }
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        let charged = self.rate.charge(&network(from), kib.max(4));
        charged.map_err(|retry_s| Exceeded {
            limit: self.rate.limit,
            what: "your network address has uploaded its share of this hour".to_owned(),
            retry_s,
        })
    }
}

/// About the bytes of the entry that a claim becomes.
fn size(claim: &Claim) -> u32 {
    let bytes = ENTRY_BYTES + claim.payload.len() + SIGNATURE_BYTES * claim.signatures.len();
    // What is larger than an entry is refused anyway.
    u32::try_from(bytes).unwrap_or(LARGEST).min(LARGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Quotas of `claims` a second and KiB a second, for networks, issuers and all.
    fn quotas(limits: [(u32, u32); 3]) -> Quotas {
        let [network, issuer, all] = limits;
        let config = AdmissionConfig {
            address_claims_per_second: network.0,
            address_kib_per_second: Some(network.1),
            issuer_claims_per_second: issuer.0,
            issuer_kib_per_second: Some(issuer.1),
            claims_per_second: all.0,
            kib_per_second: Some(all.1),
            registrations_per_hour: 2,
            ..AdmissionConfig::default()
        };
        Quotas::new(&config, &["127.0.0.1".parse().unwrap()])
    }

    fn claim(bytes: usize) -> Claim {
        Claim {
            payload: vec![b' '; bytes].into(),
            ..Claim::default()
        }
    }

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    /// How many of a hundred claims of so many bytes are taken at once, and which limit met the
    /// others.
    fn taken(mut charge: impl FnMut() -> Result<(), Exceeded>) -> (usize, Option<&'static str>) {
        let results: Vec<_> = (0..100).map(|_| charge()).collect();
        let refused = results.iter().find_map(|result| result.as_ref().err());
        if let Some(exceeded) = refused {
            assert!((1..=3600).contains(&exceeded.retry_s), "{exceeded:?}");
        }
        let taken = results.iter().filter(|result| result.is_ok()).count();
        (taken, refused.map(|exceeded| exceeded.limit))
    }

    #[test]
    fn a_network_is_charged_before_a_signature_is_verified_and_a_shared_address_is_not() {
        let quotas = quotas([(2, 0), (0, 0), (0, 0)]);
        let small = claim(10);
        let arrive = |from| taken(|| quotas.arrived(&small, address(from)));
        assert_eq!(arrive("2001:db8::1"), (20, Some("address_claims")));
        assert_eq!(arrive("2001:db8::2"), (0, Some("address_claims")));
        assert_eq!(arrive("2001:db8:0:1::"), (20, Some("address_claims")));
        assert_eq!(arrive("127.0.0.1"), (100, None));
        assert_eq!(arrive("::ffff:127.0.0.1"), (100, None));
    }

    #[test]
    fn bytes_are_counted_beside_claims() {
        let quotas = quotas([(0, 16), (0, 32), (0, 0)]);
        let large = claim(32 << 10);
        let network = taken(|| quotas.arrived(&large, address("192.0.2.1")));
        assert_eq!(network, (4, Some("address_bytes")));
        let issuer = IssuerId::from_slice(&[7; 32]).unwrap();
        let issuer = taken(|| quotas.verified(&large, [issuer].iter()));
        assert_eq!(issuer, (9, Some("issuer_bytes")));
    }

    #[test]
    fn an_issuer_over_its_quota_takes_nothing_from_others() {
        let quotas = quotas([(0, 0), (1, 0), (3, 0)]);
        let small = claim(10);
        let [one, other, third, fourth] =
            [1, 2, 3, 4].map(|byte| IssuerId::from_slice(&[byte; 32]).unwrap());
        let publish = |issuer| taken(|| quotas.verified(&small, [issuer].iter()));
        for issuer in [one, other, third] {
            assert_eq!(publish(issuer), (10, Some("issuer_claims")));
        }
        // These took all that there is for everybody, and no more.
        assert_eq!(publish(fourth), (0, Some("claims")));
    }

    #[test]
    fn bytes_follow_from_claims_where_none_are_configured() {
        let config = AdmissionConfig {
            issuer_claims_per_second: 4,
            issuer_kib_per_second: None,
            ..AdmissionConfig::default()
        };
        let quotas = Quotas::new(&config, &[]);
        let issuer = IssuerId::from_slice(&[7; 32]).unwrap();
        let large = claim(32 << 10);
        let taken = taken(|| quotas.verified(&large, [issuer].iter()));
        assert_eq!(taken, (4, Some("issuer_bytes")));
    }

    #[test]
    fn new_issuers_are_counted_by_network_whoever_passes_them_on() {
        let quotas = quotas([(0, 0); 3]);
        for from in ["127.0.0.1", "2001:db8::1"] {
            let register = taken(|| quotas.registered(address(from)));
            assert_eq!(register, (2, Some("registrations")));
        }
        let neighbor = taken(|| quotas.registered(address("2001:db8::2")));
        assert_eq!(neighbor, (0, Some("registrations")));
    }

    #[test]
    fn the_state_of_a_quota_is_bounded() {
        let recent = Recent(Cache::new(KEYS));
        for key in 0..4 * KEYS {
            let taken = recent.measure_and_replace(&key, |state| {
                assert_eq!(state, None, "{key} was not there");
                Ok::<_, ()>(((), Nanos::new(1)))
            });
            assert_eq!(taken, Ok(()));
        }
        assert!(recent.0.len() <= KEYS, "{} keys are kept", recent.0.len());
    }
}
