//! A log in memory: issuers that register, and claims that they sign.

use assay_claims::claim::{self, ClaimId, PublicKey, SigningKey};
use assay_claims::issuer::{self, IssuerId};
use assay_claims::json::{self, Value};
use assay_claims::kind::Timestamp;
use assay_claims::kind::endorsement::Endorsement;
use assay_claims::kind::key_compromise::KeyCompromise;
use assay_claims::kind::response::Response;
use assay_claims::kind::withdrawal::Withdrawal;
use assay_claims::logged::LoggedClaim;
use assay_claims::purl::{Pattern, Purl};
use assay_claims::statement::{Statement, Subject};
use assay_claims::time::rfc3339_of_ms;
use assay_tlog::tree::LeafIndex;

/// 2026-01-01T00:00:00Z: when the first leaf of a world is logged. Each next one follows a second
/// later.
pub const START_MS: u64 = 1_767_225_600_000;

/// A day, in milliseconds.
pub const DAY_MS: u64 = 86_400_000;

/// Somebody with keys.
#[derive(Clone)]
pub struct Party {
    /// Its issuer id.
    pub id: IssuerId,
    /// The seeds of the keys that it signs with.
    pub seeds: Vec<u8>,
}

impl Party {
    /// The same issuer, signing with these keys.
    pub fn with(&self, seeds: &[u8]) -> Party {
        Party {
            id: self.id,
            seeds: seeds.to_vec(),
        }
    }
}

/// A log and what stands in it.
pub struct World {
    /// The origin of the log.
    pub origin: &'static str,
    /// What was logged, in the order of the leaves.
    pub claims: Vec<LoggedClaim>,
    /// When the next claim is logged.
    pub at_ms: u64,
    next: u64,
}

/// The signing key of a seed.
pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// The public key of a seed.
pub fn public(seed: u8) -> PublicKey {
    PublicKey::from(&key(seed))
}

/// A canonical purl.
pub fn purl(text: &str) -> Purl {
    Purl::parse_canonical(text).unwrap()
}

/// Patterns of packages.
pub fn patterns(texts: &[&str]) -> Vec<Pattern> {
    texts
        .iter()
        .map(|text| Pattern::parse(text).unwrap())
        .collect()
}

/// JSON.
pub fn value(text: &str) -> Value {
    json::parse(text.as_bytes()).unwrap()
}

/// A statement about a package, of any type.
pub fn about(package: &str, predicate_type: &str, predicate: &str) -> Statement {
    Statement::new(
        vec![Subject::package(purl(package))],
        predicate_type,
        value(predicate),
    )
    .unwrap()
}

/// An endorsement until the end of 2026, of one that may hand the role on `may_delegate` times.
pub fn endorsement(endorsed: &Party, role: &str, scope: &[&str], may_delegate: u32) -> Endorsement {
    Endorsement {
        issuer: endorsed.id,
        role: role.into(),
        scope: patterns(scope),
        may_delegate,
        valid_from: None,
        valid_until: Timestamp::parse("2026-12-31T00:00:00Z").unwrap(),
    }
}

impl Default for World {
    fn default() -> Self {
        World::new()
    }
}

impl World {
    /// An empty log, `example.com/log`.
    pub fn new() -> Self {
        World {
            origin: "example.com/log",
            claims: Vec::new(),
            at_ms: START_MS,
            next: 0,
        }
    }

    /// A world of another log.
    pub fn of(origin: &'static str) -> Self {
        World {
            origin,
            ..World::new()
        }
    }

    /// A world that has come to the same point, and goes on by itself.
    pub fn continuing(other: &World) -> Self {
        World {
            origin: other.origin,
            claims: other.claims.clone(),
            at_ms: other.at_ms,
            next: other.next,
        }
    }

    /// The leaf of the next claim.
    pub fn next_leaf(&self) -> LeafIndex {
        LeafIndex::new(self.next)
    }

    /// Logs a statement that these sign with all of their keys, whether or not they may.
    pub fn log(&mut self, statement: &Statement, parties: &[&Party]) -> ClaimId {
        let keys: Vec<(IssuerId, SigningKey)> = parties
            .iter()
            .flat_map(|party| party.seeds.iter().map(|seed| (party.id, key(*seed))))
            .collect();
        let signers: Vec<_> = keys.iter().map(|(issuer, key)| (*issuer, key)).collect();
        let signed = claim::sign(statement.to_json().as_bytes(), &signers);
        let verified = claim::verify(&signed, &()).unwrap();
        let id = verified.id();
        self.claims.push(LoggedClaim::for_test(
            self.origin.into(),
            self.next_leaf(),
            self.at_ms,
            verified,
        ));
        self.next += 1;
        self.at_ms += 1000;
        id
    }

    fn record(
        &mut self,
        party: &Party,
        body: &assay_claims::kind::issuer::Issuer,
        signers: &Party,
    ) -> ClaimId {
        self.log(&issuer::statement(&party.id, body).unwrap(), &[signers])
    }

    /// Registers an issuer with these keys, all of which it signs with from now on.
    pub fn register(&mut self, name: &str, seeds: &[u8], threshold: u32) -> Party {
        let body = body(name, seeds, threshold, 0, None);
        let party = Party {
            id: issuer::genesis_id(&body),
            seeds: seeds.to_vec(),
        };
        self.record(&party, &body, &party);
        party
    }

    /// The issuer's claim id of its last record in this world.
    fn last_record(&self, party: &Party) -> (ClaimId, u32) {
        let mut records = self.claims.iter().filter_map(|logged| {
            let record = issuer::IssuerRecord::from_claim(logged.claim())
                .ok()
                .flatten()?;
            (record.id == party.id).then_some((record.claim_id, record.body.sequence))
        });
        records.next_back().unwrap()
    }

    /// Rotates an issuer to new keys, signed by `signers`; returns the issuer with the new keys.
    pub fn rotate(&mut self, party: &Party, seeds: &[u8], threshold: u32, signers: &[u8]) -> Party {
        let (previous, sequence) = self.last_record(party);
        let body = body("rotated", seeds, threshold, sequence + 1, Some(previous));
        self.record(party, &body, &party.with(signers));
        party.with(seeds)
    }

    /// Logs an endorsement.
    pub fn endorse(&mut self, by: &Party, endorsement: &Endorsement) -> ClaimId {
        self.log(&endorsement.statement().unwrap(), &[by])
    }

    /// Withdraws a claim.
    pub fn withdraw(&mut self, by: &Party, target: ClaimId) -> ClaimId {
        let withdrawal = Withdrawal {
            target,
            reason: "wrong".into(),
            superseded_by: None,
        };
        self.log(&withdrawal.statement().unwrap(), &[by])
    }

    /// Responds to a claim.
    pub fn respond(&mut self, by: &Party, target: ClaimId, stance: &str) -> ClaimId {
        let response = Response {
            target,
            stance: stance.into(),
            text: "It is not so.".into(),
        };
        self.log(&response.statement().unwrap(), &[by])
    }

    /// Declares the key of `seed`, of the issuer `of`, compromised from a leaf on, and in other
    /// logs from when that leaf was logged.
    pub fn compromise(&mut self, by: &Party, of: &Party, seed: u8, from: LeafIndex) -> ClaimId {
        let mut claims = self.claims.iter();
        let logged = claims.find(|logged| logged.leaf() == from);
        let from_ms = logged.map_or(self.at_ms, LoggedClaim::logged_at_ms);
        let said = KeyCompromise {
            issuer: of.id,
            key: public(seed),
            origin: self.origin.into(),
            from_index: from.get(),
            from_time: Timestamp::parse(&rfc3339_of_ms(from_ms)).unwrap(),
            reason: None,
        };
        self.log(&said.statement().unwrap(), &[by])
    }
}

fn body(
    name: &str,
    seeds: &[u8],
    threshold: u32,
    sequence: u32,
    previous: Option<ClaimId>,
) -> assay_claims::kind::issuer::Issuer {
    assay_claims::kind::issuer::Issuer {
        name: name.into(),
        contacts: vec![],
        keys: seeds.iter().map(|seed| public(*seed)).collect(),
        threshold,
        rotation: None,
        sequence,
        previous,
        namespaces: vec![],
        roles: vec![],
    }
}
