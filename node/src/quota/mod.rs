//! How much may be published: claims and bytes a second, by network, by issuer and in all.
//!
//! Every quota is a leaky bucket (GCRA) that holds ten seconds' worth, because a release publishes
//! a few hundred claims at once and then none for weeks. A quota of 0 is none.
//!
//! The state of a quota is kept for a bounded number of keys. Whoever was not heard of for longest
//! is forgotten first, and begins anew with a full bucket.

mod rate;
mod senders;

pub use senders::{Growth, Place, Senders};

use self::rate::Rate;
use crate::{config::AdmissionConfig, held::network};
use assay_claims::entry::wire::Claim;
use assay_claims::issuer::IssuerId;
use governor::Quota;
use std::{fmt, hash::Hash, mem, net::IpAddr, num::NonZeroU32, sync::Arc};

/// Bytes of an entry beside payload and signatures, and of a signature with its key and issuer.
const ENTRY_BYTES: usize = 64;
const SIGNATURE_BYTES: usize = 140;

/// What a label counts as, in bytes of its entry, wherever a claim is paid for or makes a batch
/// full. In the index a label takes 30 to 50 bytes, for ever. A claim of a package has two or
/// three, and one that 16 issuers sign about a hundred artifacts has 2,048 in 8 KiB.
pub const LABEL_BYTES: usize = 256;

/// Bytes a second, where none are configured, for each claim a second: most real claims have 1 to
/// 4 KiB.
const KIB_PER_CLAIM: u32 = 4;

/// The largest quota of bytes, in KiB: what a bucket that is kept to the nanosecond can tell apart.
const KIB_MAX: u32 = 262_144;

const KIB_OF_MIB: u32 = 1024;

/// The most that one claim is charged without its labels: no bucket may be smaller than that. With
/// them it costs a full bucket at most.
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
        self.claims.counts() || self.bytes.counts()
    }

    /// Charges so many claims of so many bytes together, or nothing.
    fn charge(
        &self,
        key: &K,
        (claims, bytes): (u32, u32),
        whose: impl Fn() -> String,
    ) -> Result<(), Exceeded> {
        let charged = self.claims.charge(key, claims).map_err(|retry_s| Exceeded {
            limit: self.claims.limit,
            what: format!("{} is at its limit of claims a second", whose()),
            retry_s,
        });
        charged?;
        self.bytes.charge(key, bytes).map_err(|retry_s| {
            self.claims.give_back(key, claims);
            Exceeded {
                limit: self.bytes.limit,
                what: format!("{} is at its limit of bytes a second", whose()),
                retry_s,
            }
        })
    }

    fn give_back(&self, key: &K, bytes: u32) {
        self.claims.give_back(key, 1);
        self.bytes.give_back(key, bytes);
    }
}

/// What the signers of a claim, and everybody, were charged for it. Dropping this gives it back,
/// unless the claim got a leaf ([`Charge::keep`]): what an issuer signed is public, and whoever
/// sends it in a form that the log refuses must not use up the issuer's quota.
#[derive(Default)]
pub struct Charge {
    quotas: Option<Arc<Quotas>>,
    bytes: u32,
    issuers: Vec<IssuerId>,
    everybody: bool,
}

impl Charge {
    /// The claim got a leaf: what was charged stays charged.
    pub fn keep(mut self) {
        self.quotas = None;
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        let Some(quotas) = self.quotas.take() else {
            return;
        };
        for issuer in mem::take(&mut self.issuers) {
            quotas.issuers.give_back(&issuer, self.bytes);
        }
        if self.everybody {
            quotas.everybody.give_back(&(), self.bytes);
        }
    }
}

impl fmt::Debug for Charge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Charge")
            .field("bytes", &self.bytes)
            .field("issuers", &self.issuers)
            .field("everybody", &self.everybody)
            .finish_non_exhaustive()
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

    /// Charges a claim to the network that it came from, as many times as it has signatures. This
    /// is done before they are verified, so that nobody makes the node verify more than the quota.
    pub fn arrived(&self, claim: &Claim, from: Option<IpAddr>) -> Result<(), Exceeded> {
        let Some(network) = self.charged(from) else {
            return Ok(());
        };
        let whose = || "your network address".to_owned();
        // Each signature is verified.
        let signatures = claim
            .signatures
            .len()
            .clamp(1, assay_claims::limits::SIGNATURES) as u32;
        self.networks
            .charge(&network, (signatures, size(claim)), whose)
    }

    /// The network that is charged for what comes from an address, if it does not stand for many.
    fn charged(&self, from: Option<IpAddr>) -> Option<IpAddr> {
        let from = from?.to_canonical();
        (!self.shared.contains(&from)).then(|| network(from))
    }

    /// Charges the labels of a claim to the network that it came from, once it is known how many
    /// they are.
    pub fn labeled(&self, labels: usize, from: Option<IpAddr>) -> Result<(), Exceeded> {
        let Some(network) = self.charged(from) else {
            return Ok(());
        };
        let charged = self.networks.bytes.charge(&network, cost(labels));
        charged.map_err(|retry_s| Exceeded {
            limit: self.networks.bytes.limit,
            what:
                "your network address is at its limit of bytes a second, in which each name that \
                   a claim speaks of counts"
                    .to_owned(),
            retry_s,
        })
    }

    /// Whether [`verified`](Self::verified) counts anything.
    pub fn count_signers(&self) -> bool {
        self.issuers.counts() || self.everybody.counts()
    }

    /// Charges a verified claim with so many labels to its signers, and then to everybody: an
    /// issuer over its own quota takes nothing from others. Nobody is charged if one of them cannot
    /// be.
    pub fn verified(
        self: &Arc<Self>,
        claim: &Claim,
        labels: usize,
        issuers: Vec<IssuerId>,
    ) -> Result<Charge, Exceeded> {
        if !self.count_signers() {
            return Ok(Charge::default());
        }
        let mut charge = Charge {
            quotas: Some(self.clone()),
            bytes: size(claim).saturating_add(cost(labels)),
            issuers: Vec::with_capacity(issuers.len()),
            everybody: false,
        };
        for issuer in issuers {
            self.issuers
                .charge(&issuer, (1, charge.bytes), || format!("issuer {issuer}"))?;
            charge.issuers.push(issuer);
        }
        self.everybody
            .charge(&(), (1, charge.bytes), || "this node".to_owned())?;
        charge.everybody = true;
        Ok(charge)
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

/// How often one network does what takes milliseconds of this node's time: reports misbehavior,
/// exchanges or submits heads.
pub struct Reports {
    rate: Rate<IpAddr>,
    what: &'static str,
    shared: Vec<IpAddr>,
}

impl Reports {
    /// Returns a quota of so many reports a second, and ten times as many at once. 0 is none.
    /// `shared` as in [`Quotas::new`].
    pub fn new(per_second: u32, shared: &[IpAddr]) -> Self {
        Self::of("address_reports", "reports misbehavior", per_second, shared)
    }

    /// The same of `what`, as people say it; metrics call it `limit`.
    pub fn of(limit: &'static str, what: &'static str, per_second: u32, shared: &[IpAddr]) -> Self {
        Reports {
            rate: Rate::per_second(limit, per_second, 1),
            what,
            shared: shared.iter().map(IpAddr::to_canonical).collect(),
        }
    }

    /// Whether this address stands for its caller alone, who is charged.
    pub fn is_charged(&self, from: IpAddr) -> bool {
        !self.shared.contains(&from.to_canonical())
    }

    /// Charges a report to the network that it comes from.
    pub fn charge(&self, from: IpAddr) -> Result<(), Exceeded> {
        self.charge_many(from, 1)
    }

    /// Charges so many at once, or none of them.
    pub fn charge_many(&self, from: IpAddr, amount: u32) -> Result<(), Exceeded> {
        let from = from.to_canonical();
        if !self.is_charged(from) {
            return Ok(());
        }
        let charged = self.rate.charge(&network(from), amount);
        charged.map_err(|retry_s| Exceeded {
            limit: self.rate.limit,
            what: format!("your network address {} too often", self.what),
            retry_s,
        })
    }

    fn give_back(&self, from: IpAddr, amount: u32) {
        let from = from.to_canonical();
        if !self.shared.contains(&from) {
            self.rate.give_back(&network(from), amount);
        }
    }
}

/// About the bytes of the entry that a claim becomes.
fn size(claim: &Claim) -> u32 {
    let bytes = ENTRY_BYTES + claim.payload.len() + SIGNATURE_BYTES * claim.signatures.len();
    // What is larger than an entry is refused anyway.
    u32::try_from(bytes).unwrap_or(LARGEST).min(LARGEST)
}

/// What so many labels are charged.
fn cost(labels: usize) -> u32 {
    u32::try_from(labels.saturating_mul(LABEL_BYTES)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
