//! Whom to ask, from the top down: the issuers whose word a policy counts anywhere, found before
//! any package is asked about (docs/design.md 7).
//!
//! A walk starts at the policy's anchors and follows endorsements, one step at a time. Whoever
//! drives it asks every log for the endorsements that the issuers of [`Walk::to_ask`] signed, and
//! for the records and the key compromises of those issuers; gives what came to [`Walk::take`]; and
//! goes on until nobody is left to ask. What strangers say is never among the questions, so they
//! can neither lengthen a walk nor stop it.
//!
//! A walk finds at least everybody who has a role. What was withdrawn is not followed, if the
//! withdrawal is among what it is given. Whether somebody whom it found has a role for a package is
//! for [`Trust::roles`] to say, when all is gathered.
//!
//! Bounds are counted before anything is followed. Somebody with too many endorsements has none
//! that counts, and a scope that leads to too many issuers is followed for as many whole steps as
//! stay below the bound. Both are told ([`Speakers::limits`]) and make what depends on it
//! incomplete.

use super::limit::Limit;
use super::roles::{Anchor, Role, lapsed};
use super::standing::Trust;
use crate::rules::Policy;
use assay_claims::claim::ClaimId;
use assay_claims::issuer::IssuerId;
use assay_claims::kind::endorsement::{Endorsement, MAX_DEPTH};
use assay_claims::logged::LoggedClaim;
use assay_claims::purl::{Pattern, Purl};
use std::collections::{BTreeMap, BTreeSet};

/// Most steps from an anchor: as many endorsements as can follow from one in a row.
pub const STEPS: u32 = MAX_DEPTH;

/// Most endorsements that one issuer may have signed in one log. Nobody knows more parties than
/// that well enough to vouch for them.
pub const ENDORSEMENTS: usize = 1024;

/// Most issuers that one scope of an anchor may lead to.
pub const ISSUERS: usize = 4096;

/// Most places, of issuer, role and packages, that one scope may lead to: one endorsement can name
/// 256 patterns.
const PLACES: usize = 16 * ISSUERS;

/// A walk over the endorsements that a policy's anchors lead to.
#[derive(Debug)]
pub struct Walk<'p> {
    policy: &'p Policy,
    now_ms: u64,
    claims: Vec<LoggedClaim>,
    /// Whose endorsements were given.
    asked: BTreeSet<IssuerId>,
    /// Who signed too many endorsements, and in which log.
    too_many: BTreeSet<There>,
    /// Steps that were taken.
    steps: u32,
}

/// Whose word a policy counts somewhere, and for which packages.
#[derive(Debug, Clone, Default)]
pub struct Speakers {
    scopes: BTreeMap<IssuerId, BTreeSet<Pattern>>,
    limits: Vec<Limit>,
    claims: Vec<LoggedClaim>,
}

/// An issuer in a log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct There {
    issuer: IssuerId,
    origin: String,
}

impl There {
    fn of(issuer: IssuerId, origin: &str) -> Self {
        let origin = origin.to_owned();
        There { issuer, origin }
    }
}

/// Where a chain of endorsements has come to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    issuer: IssuerId,
    role: Role,
    packages: Pattern,
}

/// What one scope of an anchor leads to: places, and how many endorsements may still follow.
#[derive(Debug, Default)]
struct Reach {
    places: BTreeMap<Place, u32>,
    /// Whole steps, if it was stopped.
    stopped: Option<u32>,
}

/// Endorsements that hold, by who signed them.
type Edges<'w> = BTreeMap<IssuerId, Vec<&'w Endorsement>>;

impl<'p> Walk<'p> {
    /// A walk from the anchors of a policy, at a time in milliseconds since 1970. A rule of the
    /// policy that takes the word of anyone names nobody.
    pub fn start(policy: &'p Policy, now_ms: u64) -> Self {
        Walk {
            policy,
            now_ms,
            claims: Vec::new(),
            asked: BTreeSet::new(),
            too_many: BTreeSet::new(),
            steps: 0,
        }
    }

    /// Whose endorsements, records and key compromises are to be asked for next, in every log of
    /// the policy; nobody, if the walk is at its end. It is the same until [`take`](Self::take).
    pub fn to_ask(&self) -> Vec<IssuerId> {
        if self.steps >= STEPS {
            return Vec::new();
        }
        self.unasked().into_iter().collect()
    }

    /// Takes the answers for everybody of [`to_ask`](Self::to_ask), of all logs together. Claims
    /// that nobody asked for do no harm.
    pub fn take(&mut self, claims: impl IntoIterator<Item = LoggedClaim>) {
        let asked = self.to_ask();
        self.claims.extend(claims);
        self.asked.extend(asked);
        self.too_many.extend(self.counted_too_many());
        self.steps += 1;
    }

    /// Who was found.
    pub fn finish(self) -> Speakers {
        let mut limits: BTreeSet<Limit> = BTreeSet::new();
        limits.extend(self.unasked().into_iter().map(Limit::Unasked));
        let mut scopes: BTreeMap<IssuerId, BTreeSet<Pattern>> = BTreeMap::new();
        for (scope, reach) in self.reaches() {
            for place in reach.places.into_keys() {
                let packages = scopes.entry(place.issuer).or_default();
                packages.insert(place.packages);
            }
            limits.extend(reach.stopped.map(|steps| Limit::Issuers { scope, steps }));
        }
        let many = self.too_many.into_iter();
        let many = many.filter(|there| scopes.contains_key(&there.issuer));
        limits.extend(many.map(|There { issuer, origin }| Limit::Endorsements { issuer, origin }));
        Speakers {
            scopes,
            limits: limits.into_iter().collect(),
            claims: self.claims,
        }
    }

    /// Those who were found, may vouch for others, and were not asked whom.
    fn unasked(&self) -> BTreeSet<IssuerId> {
        let mut unasked = BTreeSet::new();
        for (_, reach) in self.reaches() {
            if reach.stopped.is_some() {
                continue;
            }
            for (place, remaining) in reach.places {
                if remaining > 0 && !self.asked.contains(&place.issuer) {
                    unasked.insert(place.issuer);
                }
            }
        }
        unasked
    }

    /// Everybody who, by what was given, signed too many endorsements in one log: those that count
    /// for anything. What keys of old sign in a log that does not know of it is nothing, and must
    /// not use up what the issuer may say.
    fn counted_too_many(&self) -> Vec<There> {
        // Nobody has more than there are, so that they need not be judged.
        if self.claims.len() <= ENDORSEMENTS {
            return Vec::new();
        }
        let trust = self.trust();
        let mut signed: BTreeMap<There, BTreeSet<ClaimId>> = BTreeMap::new();
        for judged in trust
            .claims()
            .iter()
            .filter(|one| one.endorsement().is_some())
        {
            let logged = judged.logged();
            for spoken in judged.spoken_here().filter(|spoken| spoken.against) {
                let there = There::of(spoken.issuer, logged.origin());
                signed.entry(there).or_default().insert(logged.claim().id());
            }
        }
        let many = signed
            .into_iter()
            .filter(|(_, list)| list.len() > ENDORSEMENTS);
        many.map(|(there, _)| there).collect()
    }

    /// What was given, judged.
    fn trust(&self) -> Trust<'_> {
        let counted = self
            .claims
            .iter()
            .filter(|logged| self.policy.counts(logged.origin()));
        Trust::judge_without(counted, &self.policy.silenced(self.now_ms))
    }

    /// What every scope of every anchor leads to, by what was given.
    fn reaches(&self) -> Vec<(Pattern, Reach)> {
        let trust = self.trust();
        let edges = self.edges(&trust);
        let mut reaches = Vec::new();
        for named in self.policy.anchors() {
            for scope in &named.anchor.scopes {
                let reach = self.reach(&named.anchor, scope, &edges);
                reaches.push((scope.clone(), reach));
            }
        }
        reaches
    }

    /// The endorsements that hold, once for each signer for whom they count against something: that
    /// is, for anything. Of a log in which a signer signed too many, none does.
    fn edges<'w>(&self, trust: &Trust<'w>) -> Edges<'w> {
        let mut edges: Edges<'w> = BTreeMap::new();
        let mut held: BTreeSet<(ClaimId, IssuerId)> = BTreeSet::new();
        for judged in trust.claims() {
            let Some(said) = judged.endorsement() else {
                continue;
            };
            if lapsed(said, self.now_ms).is_some() {
                continue;
            }
            let (claim, origin) = (judged.logged().claim().id(), judged.logged().origin());
            for spoken in judged.spoken_here().filter(|spoken| spoken.against) {
                let there = There::of(spoken.issuer, origin);
                if !self.too_many.contains(&there) && held.insert((claim, spoken.issuer)) {
                    edges.entry(spoken.issuer).or_default().push(said);
                }
            }
        }
        edges
    }

    /// Follows one scope of an anchor, whole step by whole step.
    fn reach(&self, anchor: &Anchor, scope: &Pattern, edges: &Edges<'_>) -> Reach {
        let mut reach = Reach::default();
        let remaining = anchor.may_delegate.min(STEPS);
        for role in &anchor.roles {
            let place = Place {
                issuer: anchor.issuer,
                role: *role,
                packages: scope.clone(),
            };
            reach.places.insert(place, remaining);
        }
        let mut frontier: Vec<Place> = reach.places.keys().cloned().collect();
        for step in 0..STEPS {
            let next = reach.next(&frontier, edges);
            if next.is_empty() {
                break;
            }
            let mut places = reach.places.clone();
            places.extend(next.iter().map(|(place, left)| (place.clone(), *left)));
            let issuers: BTreeSet<IssuerId> = places.keys().map(|place| place.issuer).collect();
            if issuers.len() > ISSUERS || places.len() > PLACES {
                reach.stopped = Some(step);
                break;
            }
            reach.places = places;
            frontier = next.into_keys().collect();
        }
        reach
    }
}

impl Reach {
    /// The places that one more endorsement leads to, and that were not come to before with as many
    /// steps left. Beyond [`PLACES`] of them it stops counting.
    fn next(&self, frontier: &[Place], edges: &Edges<'_>) -> BTreeMap<Place, u32> {
        let mut next: BTreeMap<Place, u32> = BTreeMap::new();
        for from in frontier {
            let remaining = self.places.get(from).copied().unwrap_or(0);
            let Some(left) = remaining.checked_sub(1) else {
                continue;
            };
            for said in edges.get(&from.issuer).into_iter().flatten() {
                if said.role != from.role.name() {
                    continue;
                }
                let left = left.min(said.may_delegate);
                for pattern in &said.scope {
                    let Some(packages) = pattern.meet(&from.packages) else {
                        continue;
                    };
                    let place = Place {
                        issuer: said.issuer,
                        role: from.role,
                        packages: packages.clone(),
                    };
                    let before = self.places.get(&place).max(next.get(&place));
                    if before.is_none_or(|before| *before < left) {
                        next.insert(place, left);
                    }
                    if next.len() > PLACES {
                        return next;
                    }
                }
            }
        }
        next
    }
}

impl Speakers {
    /// Everybody whose word counts somewhere, by id. The anchors are among them.
    pub fn issuers(&self) -> impl Iterator<Item = &IssuerId> {
        self.scopes.keys()
    }

    /// Everybody whose word can count for a package, by id; without a purl, those whose word counts
    /// for all packages. Nobody else has a role for it.
    pub fn about(&self, purl: Option<&Purl>) -> impl Iterator<Item = &IssuerId> {
        let counted = self.scopes.iter().filter(move |(_, packages)| {
            let mut packages = packages.iter();
            packages.any(|pattern| super::covers(std::slice::from_ref(pattern), purl))
        });
        counted.map(|(issuer, _)| issuer)
    }

    /// What was left out; empty if nothing was.
    pub fn limits(&self) -> &[Limit] {
        &self.limits
    }

    /// What was taken on the way: endorsements, records, key compromises.
    pub fn claims(&self) -> &[LoggedClaim] {
        &self.claims
    }
}
