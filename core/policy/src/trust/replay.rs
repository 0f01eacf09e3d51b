//! One log from its first leaf to its last: who is registered where, and which keys are declared
//! compromised.
//!
//! Who may declare a key compromised: the issuer whose key it is, by the threshold of its record in
//! force at that leaf, and nobody else. Signatures by keys that are declared compromised still
//! count for that: such a claim only takes trust away, and cannot be taken back. So a stolen key
//! can be used against its issuer, and never for it.
//!
//! A key that is compromised from leaf i on is so for every claim at i or later, also for those
//! that were logged before the declaration. Records are the exception: a rotation that stands
//! before the declaration keeps its standing whatever i is, or no issuer could leave a stolen key
//! behind. So: rotate first, then declare.

use assay_claims::claim::{ClaimId, PublicKey};
use assay_claims::issuer::{self, AuthorizeError, IssuerId, IssuerRecord, Registry};
use assay_claims::kind::Body;
use assay_claims::kind::key_compromise::KeyCompromise;
use assay_claims::logged::LoggedClaim;
use assay_tlog::tree::LeafIndex;

/// A key that its issuer says not to trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declaration {
    pub(super) issuer: IssuerId,
    pub(super) key: PublicKey,
    /// First leaf at which the key is not trusted.
    pub(super) from: LeafIndex,
    /// The claim that says so.
    pub(super) by: ClaimId,
}

/// What became of a claim on its own leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Admission {
    /// Its signers satisfy the records in force.
    Admitted,
    /// They do not.
    Refused(AuthorizeError),
    /// It is a rotation that leans on a key that was declared compromised before.
    Compromised(Declaration),
    /// It declares a key compromised, and did not come from the issuer whose key it is.
    NotTheIssuer,
    /// It declares a key compromised that was never a key of the issuer.
    NotItsKey,
}

/// The history of one log, as far as it was given.
#[derive(Debug, Default)]
pub(super) struct Replay {
    pub(super) registry: Registry,
    pub(super) declarations: Vec<Declaration>,
}

impl Replay {
    /// Takes the next claim, whose leaf comes after all that were taken before.
    pub(super) fn next(&mut self, logged: &LoggedClaim) -> Admission {
        let authorized = match issuer::authorize(logged.claim(), &self.registry) {
            Ok(authorized) => authorized,
            Err(error) => return Admission::Refused(error),
        };
        match (authorized.change(), logged.claim().body()) {
            (Some(record), _) => self.record(logged, record),
            (None, Body::KeyCompromise(said)) => self.declare(logged, said),
            (None, _) => Admission::Admitted,
        }
    }

    fn record(&mut self, logged: &LoggedClaim, record: &IssuerRecord) -> Admission {
        let before = self
            .registry
            .records(&record.id)
            .last()
            .map(|(_, before)| before.clone());
        for needed in before.as_deref().into_iter().chain([record]) {
            let declared = |key: &PublicKey| self.declaration(&record.id, key, None);
            if let Err(declaration) = enough_sound_keys(logged, needed, declared) {
                return Admission::Compromised(declaration.clone());
            }
        }
        match self.registry.apply(logged.leaf(), record.clone()) {
            Ok(()) => Admission::Admitted,
            // Not after `authorize`, which asked the same registry. A record that is not in force
            // counts for nothing.
            Err(_) => Admission::Refused(AuthorizeError::Registered(record.id)),
        }
    }

    fn declare(&mut self, logged: &LoggedClaim, said: &KeyCompromise) -> Admission {
        let claim = logged.claim();
        if !claim
            .signers()
            .iter()
            .any(|(issuer, _)| *issuer == said.issuer)
        {
            return Admission::NotTheIssuer;
        }
        let records = self.registry.records(&said.issuer);
        if !records
            .iter()
            .any(|(_, record)| record.body.keys.contains(&said.key))
        {
            return Admission::NotItsKey;
        }
        let from = LeafIndex::new(said.from_index);
        self.declarations.push(Declaration {
            issuer: said.issuer,
            key: said.key,
            from,
            by: claim.id(),
        });
        Admission::Admitted
    }

    /// Whether, with the compromised keys left out, an issuer's signatures on an ordinary claim
    /// still satisfy the record in force at its leaf; the declaration that stands against it if
    /// not.
    pub(super) fn check_keys(
        &self,
        logged: &LoggedClaim,
        issuer: &IssuerId,
    ) -> Result<(), &Declaration> {
        let Some(record) = self.registry.in_force_at(issuer, logged.leaf()) else {
            return Ok(());
        };

        enough_sound_keys(logged, &record, |key: &PublicKey| {
            self.declaration(issuer, key, Some(logged.leaf()))
        })
    }

    /// The earliest declaration against a key; if a leaf is given, of those that count there.
    fn declaration(
        &self,
        issuer: &IssuerId,
        key: &PublicKey,
        leaf: Option<LeafIndex>,
    ) -> Option<&Declaration> {
        let against = self
            .declarations
            .iter()
            .filter(|d| d.issuer == *issuer && d.key == *key);
        against
            .filter(|d| leaf.is_none_or(|leaf| d.from <= leaf))
            .min_by_key(|d| d.from)
    }
}

/// As many keys of the record as it asks for signed and are not declared compromised; one of the
/// declarations if not.
fn enough_sound_keys<'d>(
    logged: &LoggedClaim,
    record: &IssuerRecord,
    declared: impl Fn(&PublicKey) -> Option<&'d Declaration>,
) -> Result<(), &'d Declaration> {
    let signers = logged
        .claim()
        .signers()
        .iter()
        .filter(|(issuer, _)| *issuer == record.id)
        .map(|(_, key)| key);
    let (mut sound, mut against) = (0_u32, None);
    for key in signers.filter(|key| record.body.keys.contains(key)) {
        match declared(key) {
            Some(declaration) => against = Some(declaration),
            None => sound += 1,
        }
    }
    match against {
        Some(declaration) if sound < record.body.threshold => Err(declaration),
        _ => Ok(()),
    }
}
