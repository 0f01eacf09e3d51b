//! What an issuer's keys were at which time: its records and the keys that it declared compromised,
//! over all logs together (docs/design.md 3.4).
//!
//! Records form a tree by `previous`. The line that governs starts at the first registration and
//! goes on as long as there is one next record, or one that was known a day before any other. Two
//! next records within a day are a fork: neither governs, and what the issuer says from then on
//! does not count for anything. How long a branch is decides nothing.
//!
//! A claim is weighed for two sides. For a component it needs keys that are sound beyond doubt: of
//! every record that could be in force at its leaf, and not declared compromised. Against a
//! component one of these records is enough, and keys that were not declared compromised before.
//! So a key that was stolen, rotated away or declared compromised can never be used for anything,
//! and declaring it so never takes back what was said against something.

use super::compromise::{self, Declaration};
use super::spot::{Before, Spot, Spots};
use super::standing::Standing;
use assay_claims::claim::{ClaimId, PublicKey};
use assay_claims::issuer::{self, AuthorizeError, IssuerId, IssuerRecord, Issuers, Quorum};
use assay_claims::kind::Body;
use assay_claims::kind::key_compromise::KeyCompromise;
use assay_claims::logged::LoggedClaim;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How much earlier one of two next records must be known than the other to govern.
const FORK_MS: u64 = 24 * 60 * 60 * 1000;

/// The records of one issuer, and its declarations.
#[derive(Debug, Default)]
pub(super) struct History<'a> {
    records: Vec<Node<'a>>,
    registrations: Vec<usize>,
    declarations: Vec<Declaration<'a>>,
    /// Every record as it stands in a log, rightly or not.
    held: Vec<Held<'a>>,
    /// What became of each record and each declaration.
    pub(super) admitted: BTreeMap<ClaimId, Standing>,
}

/// A record as a log holds it.
#[derive(Debug)]
struct Held<'a> {
    spot: Spot<'a>,
    keys: Vec<PublicKey>,
}

/// A record that was rightly signed, in the tree of all.
#[derive(Debug)]
struct Node<'a> {
    record: Arc<IssuerRecord>,
    spots: Spots<'a>,
    /// The records that name it as the one before them.
    next: Vec<usize>,
}

/// A signature on a claim: the key, and where the signature stands.
#[derive(Debug, Clone)]
pub(super) struct Signed<'a> {
    pub(super) key: PublicKey,
    pub(super) spots: Spots<'a>,
}

/// What a claim is worth for one issuer, by its keys alone.
#[derive(Debug)]
pub(super) struct Weight<'a> {
    /// Good, or why it does not count for anything.
    pub(super) standing: Standing,
    /// Whether it counts against something.
    pub(super) against: bool,
    /// Where the signatures became enough; where the claim stands first, if they never did.
    pub(super) since: Spot<'a>,
}

/// The records that could be in force at a leaf.
struct InForce<'h> {
    records: Vec<&'h IssuerRecord>,
    /// Whether the first of them surely is in force or was.
    sure: bool,
    /// Whether two of them continue the same one, and neither governs.
    forked: bool,
}

/// The records that govern, and those that fork off their end.
struct Line {
    governing: Vec<usize>,
    forks: Vec<usize>,
}

/// The record that an authorization is held to.
struct HeldTo(Option<Arc<IssuerRecord>>);

impl Issuers for HeldTo {
    fn in_force(&self, id: &IssuerId) -> Option<Arc<IssuerRecord>> {
        self.0.clone().filter(|record| record.id == *id)
    }

    // That a key is one issuer's, and half an id too, is a rule of each log by itself.
    fn owner(&self, _: &PublicKey) -> Option<IssuerId> {
        None
    }

    fn by_half(&self, _: &IssuerId) -> Option<IssuerId> {
        None
    }
}

impl<'a> History<'a> {
    /// The history of an issuer, of all records and declarations that are about it.
    pub(super) fn of(issuer: &IssuerId, mut claims: Vec<&'a LoggedClaim>) -> Self {
        claims.sort_by_key(|logged| Spot::of(logged));
        let mut history = History::default();
        for logged in claims {
            let standing = match logged.claim().body() {
                Body::KeyCompromise(said) => history.declare(issuer, logged, said),
                _ => history.record(logged),
            };
            let known = history.admitted.entry(logged.claim().id());
            let known = known.or_insert_with(|| standing.clone());
            if standing.is_good() {
                *known = standing;
            }
        }
        history
    }

    /// The record that governs last.
    pub(super) fn last(&self) -> Option<&IssuerRecord> {
        let last = *self.line().governing.last()?;
        Some(&self.records.get(last)?.record)
    }

    /// Takes a record. One that was known before gets another leaf.
    fn record(&mut self, logged: &'a LoggedClaim) -> Standing {
        let claim = logged.claim();
        let record = match IssuerRecord::from_claim(claim) {
            Ok(Some(record)) => record,
            Ok(None) => return Standing::NotTheIssuer,
            Err(error) => return Standing::NotAuthorized(AuthorizeError::Record(error)),
        };
        self.held.push(Held {
            spot: Spot::of(logged),
            keys: record.body.keys.clone(),
        });
        let known = self.position(&claim.id());
        let parent = record.body.previous.and_then(|id| self.position(&id));
        let held = HeldTo(parent.and_then(|at| Some(self.records.get(at)?.record.clone())));
        if let Err(error) = issuer::authorize(claim, &held) {
            return Standing::NotAuthorized(error);
        }
        let spot = Spot::of(logged);
        if let Some(known) = known.and_then(|at| self.records.get_mut(at)) {
            known.spots.add(spot);
            return Standing::Good;
        }
        let before = held.0.iter().map(|before| before.root());
        for quorum in before.chain([record.signing()]) {
            if let Some(against) = self.leans_on_compromised(logged, quorum, &spot) {
                return against.standing();
            }
        }
        let at = self.records.len();
        match parent.and_then(|parent| self.records.get_mut(parent)) {
            Some(parent) => parent.next.push(at),
            None => self.registrations.push(at),
        }
        self.records.push(Node {
            record: Arc::new(record),
            spots: Spots::one(spot),
            next: Vec::new(),
        });
        Standing::Good
    }

    fn position(&self, claim: &ClaimId) -> Option<usize> {
        let mut records = self.records.iter();
        records.position(|node| node.record.claim_id == *claim)
    }

    /// The declaration without whose key too few keys of a record signed, if there is one. It
    /// stands before the leaf: a rotation that was logged first keeps its standing, or no issuer
    /// could leave a stolen key behind.
    fn leans_on_compromised(
        &self,
        logged: &LoggedClaim,
        quorum: Quorum<'_>,
        spot: &Spot<'_>,
    ) -> Option<&Declaration<'a>> {
        let (mut sound, mut against) = (0_u32, None);
        for (_, key) in logged.claim().signers() {
            if !quorum.keys.contains(key) {
                continue;
            }
            let mut declared = self.declarations.iter();
            let declared = declared.find(|one| one.key == *key && one.stands_before(spot));
            match declared {
                Some(declared) => against = Some(declared),
                None => sound += 1,
            }
        }
        against.filter(|_| sound < quorum.threshold)
    }

    /// Takes a declaration that a key is compromised. Signatures by keys that are compromised count
    /// for it: it only takes trust away, and cannot be taken back.
    fn declare(
        &mut self,
        issuer: &IssuerId,
        logged: &'a LoggedClaim,
        said: &KeyCompromise,
    ) -> Standing {
        let (claim, spot) = (logged.claim(), Spot::of(logged));
        if !claim.signers().iter().any(|(signer, _)| signer == issuer) {
            return Standing::NotTheIssuer;
        }
        let in_force = self.in_force(&spot);
        let mut refused = None;
        let (mut accepting, mut reaches_back) = (0, true);
        for record in &in_force.records {
            match issuer::authorize(claim, &HeldTo(Some(Arc::new((*record).clone())))) {
                Ok(_) => {
                    accepting += 1;
                    reaches_back &= compromise::reaches_back(record, claim.signers(), &said.key);
                }
                Err(error) => refused = Some(error),
            }
        }
        let enough = accepting > 0 && (in_force.forked || accepting == in_force.records.len());
        if !enough {
            let error = refused.unwrap_or(AuthorizeError::NotRegistered(*issuer));
            return Standing::NotAuthorized(error);
        }
        if !self.records.iter().any(|node| node.holds(&said.key)) {
            return Standing::NotItsKey;
        }
        let mut known = self.declarations.iter_mut();
        match known.find(|known| known.by == claim.id()) {
            Some(known) => known.take(spot, reaches_back),
            None => {
                let declaration = Declaration::new(claim.id(), said, spot, reaches_back);
                self.declarations.push(declaration);
            }
        }
        Standing::Good
    }

    /// The records that govern, from the registration on.
    fn line(&self) -> Line {
        let mut line = Line {
            governing: Vec::new(),
            forks: Vec::new(),
        };
        let mut next = self.registrations.clone();
        loop {
            next.sort_by_key(|at| self.known_at_ms(*at));
            let Some(first) = next.first().copied() else {
                return line;
            };
            let since = self.known_at_ms(first);
            next.retain(|at| self.known_at_ms(*at) <= since.saturating_add(FORK_MS));
            if next.len() > 1 {
                line.forks = next;
                return line;
            }
            line.governing.push(first);
            let governing = self.records.get(first);
            next = governing.map(|node| node.next.clone()).unwrap_or_default();
        }
    }

    /// Whether anything can count that the issuer signed in a log, and that is not in another: not
    /// if none of the keys that it has there is in force since it registered there, by all logs
    /// together. A log takes nothing by other keys (docs/design.md 5).
    ///
    /// If a list was `heard` from its beginning on, it is about what comes after that. Some logs
    /// take claims of an issuer of one key before it registers, so that this key is one of those.
    pub(super) fn speaks_in(&self, origin: &str, heard: Option<Spot<'_>>) -> bool {
        let held = || self.held.iter().filter(|held| held.spot.origin == origin);
        let registered = held().map(|held| held.spot).min();
        let Some(since) = heard.or(registered) else {
            return false;
        };
        let mut keys: Vec<&PublicKey> = held().flat_map(|held| &held.keys).collect();
        if heard.is_some() {
            let first = self.registrations.iter();
            let first = first.filter_map(|at| self.records.get(*at));
            let alone = first.map(|node| &node.record.body.keys);
            keys.extend(alone.filter(|keys| keys.len() == 1).flatten());
        }
        let line = self.line();
        let nodes = |places: &[usize]| -> Vec<&Node<'a>> {
            let nodes = places.iter().filter_map(|at| self.records.get(*at));
            nodes.collect()
        };
        let mut in_force = Vec::new();
        for node in nodes(&line.governing) {
            if node.spots.before(&since) == Before::Yes {
                in_force.clear();
            }
            in_force.push(node);
        }
        in_force.extend(nodes(&line.forks));
        keys.into_iter().any(|key| {
            let mut declared = self.declarations.iter();
            in_force
                .iter()
                .any(|node| node.record.body.keys.contains(key))
                && !declared.any(|one| one.key == *key && one.was_declared_before(&since))
        })
    }

    fn known_at_ms(&self, at: usize) -> u64 {
        let first = self.records.get(at).and_then(|node| node.spots.first());
        first.map_or(u64::MAX, |spot| spot.at_ms)
    }

    fn in_force(&self, spot: &Spot<'_>) -> InForce<'_> {
        let line = self.line();
        let mut in_force = InForce {
            records: Vec::new(),
            sure: false,
            forked: false,
        };
        for node in line.governing.iter().filter_map(|at| self.records.get(*at)) {
            match node.spots.before(spot) {
                Before::Yes => {
                    in_force.records.clear();
                    in_force.sure = true;
                }
                Before::Perhaps => {}
                Before::No => continue,
            }
            in_force.records.push(&*node.record);
        }
        for node in line.forks.iter().filter_map(|at| self.records.get(*at)) {
            if node.spots.before(spot) != Before::No {
                in_force.forked = true;
                in_force.records.push(&*node.record);
            }
        }
        in_force
    }

    /// What a claim is worth for the issuer, given the signatures on it that are for the issuer, of
    /// all leaves and logs together: at least one.
    pub(super) fn weigh(
        &self,
        issuer: &IssuerId,
        signatures: &[Signed<'a>],
        first: Spot<'a>,
    ) -> Weight<'a> {
        let mut spots: Vec<Spot<'a>> = signatures
            .iter()
            .filter_map(|signed| signed.spots.first())
            .collect();
        spots.sort();
        let against = spots
            .iter()
            .any(|spot| self.speaks_against(signatures, spot));
        for spot in &spots {
            if self.speaks_for(signatures, spot) {
                return Weight {
                    standing: Standing::Good,
                    against,
                    since: *spot,
                };
            }
        }
        let last = spots.last().copied().unwrap_or(first);
        Weight {
            standing: self.fault(issuer, signatures, &last),
            against,
            since: spots.first().copied().unwrap_or(first),
        }
    }

    fn speaks_for(&self, signatures: &[Signed<'a>], spot: &Spot<'a>) -> bool {
        let in_force = self.in_force(spot);
        let sound = |signed: &&Signed<'a>| self.is_sound(&signed.key, spot_of(signed, spot));
        let signed: Vec<&Signed<'a>> = by_then(signatures, spot).filter(sound).collect();
        in_force.sure
            && !in_force.forked
            && in_force.records.iter().all(|record| {
                record
                    .signing()
                    .is_met_by(signed.iter().map(|signed| &signed.key))
            })
    }

    fn speaks_against(&self, signatures: &[Signed<'a>], spot: &Spot<'a>) -> bool {
        let undeclared = |signed: &&Signed<'a>| {
            let at = spot_of(signed, spot);
            let mut declared = self.declarations.iter();
            !declared.any(|one| one.key == signed.key && one.was_declared_before(&at))
        };
        let signed: Vec<&Signed<'a>> = by_then(signatures, spot).filter(undeclared).collect();
        let mut records = self.in_force(spot).records.into_iter();
        records.any(|record| {
            record
                .signing()
                .is_met_by(signed.iter().map(|signed| &signed.key))
        })
    }

    /// Whether a key is beyond doubt at a leaf: of every record that could be in force there, and
    /// not declared compromised.
    fn is_sound(&self, key: &PublicKey, spot: Spot<'a>) -> bool {
        let in_force = self.in_force(&spot);
        let mut records = in_force.records.iter();
        in_force.sure
            && records.all(|record| record.body.keys.contains(key))
            && self.declared(key, &spot).is_none()
    }

    /// A declaration for which a key is not to be trusted at a leaf: of several, the one that goes
    /// back furthest.
    fn declared(&self, key: &PublicKey, spot: &Spot<'_>) -> Option<&Declaration<'a>> {
        let declared = self.declarations.iter();
        let declared = declared.filter(|one| one.key == *key && one.distrusts(spot));
        declared.min_by_key(|one| one.from)
    }

    /// Why the signatures are not enough, by the record that could be in force last.
    fn fault(&self, issuer: &IssuerId, signatures: &[Signed<'a>], spot: &Spot<'a>) -> Standing {
        let in_force = self.in_force(spot);
        let Some(record) = in_force.records.last().filter(|_| in_force.sure) else {
            return Standing::NotAuthorized(AuthorizeError::NotRegistered(*issuer));
        };
        if in_force.forked {
            return Standing::Forked;
        }
        for signed in signatures {
            if let Some(declared) = self.declared(&signed.key, &spot_of(signed, spot)) {
                return declared.standing();
            }
        }
        let sequence = record.body.sequence;
        let mut foreign = signatures.iter();
        if let Some(foreign) = foreign.find(|signed| !record.body.keys.contains(&signed.key)) {
            return Standing::NotAuthorized(AuthorizeError::NotItsKey {
                issuer: *issuer,
                key: Box::new(foreign.key),
                sequence,
            });
        }
        if record
            .signing()
            .is_met_by(signatures.iter().map(|signed| &signed.key))
        {
            return Standing::TooClose;
        }
        let mut missing = record.body.keys.clone();
        missing.retain(|key| signatures.iter().all(|signed| signed.key != *key));
        Standing::NotAuthorized(AuthorizeError::TooFewKeys {
            issuer: *issuer,
            sequence,
            needed: usize::try_from(record.body.threshold).unwrap_or(usize::MAX),
            signed: signatures.len(),
            missing,
            rotation: false,
        })
    }
}

impl Node<'_> {
    fn holds(&self, key: &PublicKey) -> bool {
        self.record.holds(key)
    }
}

/// Where a signature stands first; `or` if it stands nowhere.
fn spot_of<'a>(signed: &Signed<'a>, or: &Spot<'a>) -> Spot<'a> {
    signed.spots.first().unwrap_or(*or)
}

/// The signatures that were known at a leaf, by the clocks of the logs.
fn by_then<'s, 'a>(
    signatures: &'s [Signed<'a>],
    spot: &'s Spot<'a>,
) -> impl Iterator<Item = &'s Signed<'a>> {
    let known = |signed: &&Signed<'a>| signed.spots.first().is_some_and(|first| first <= *spot);
    signatures.iter().filter(known)
}
