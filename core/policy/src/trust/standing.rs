//! What a claim is worth, for each issuer that signed it.
//!
//! A claim that stands at several leaves, in one log or in several, is one claim: its signatures
//! are united, and each is as old as its first leaf (docs/design.md 7).

use super::history::History;
use super::limit::Limit;
use super::spot::{HeardTo, Place, Spot};
use super::unite::{histories, unite};
use assay_claims::claim::{ClaimId, PublicKey};
use assay_claims::issuer::{AuthorizeError, IssuerId, IssuerRecord};
use assay_claims::kind::endorsement::Endorsement;
use assay_claims::kind::response::Response;
use assay_claims::kind::{Body, Kind};
use assay_claims::logged::LoggedClaim;
use assay_claims::purl::Pattern;
use assay_tlog::tree::LeafIndex;
use std::collections::{BTreeMap, BTreeSet};

/// Whether a claim has effect for an issuer that signed it. Whatever the standing, the claim is
/// logged and shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It has.
    Good,
    /// Without effect: the signers do not satisfy the records of issuers in force at the claim's
    /// leaf.
    NotAuthorized(AuthorizeError),
    /// Without effect: a key that it needs is compromised from a leaf on that is not after the
    /// claim's.
    KeyCompromised {
        /// The key.
        key: PublicKey,
        /// First leaf at which it is not trusted.
        from: LeafIndex,
        /// The claim that says so.
        by: ClaimId,
    },
    /// Without effect: the issuer took it back.
    Withdrawn {
        /// The withdrawal.
        by: ClaimId,
        /// What stands in its place.
        superseded_by: Option<ClaimId>,
    },
    /// Without effect: it withdraws a claim that the issuer did not sign, or declares a key of
    /// another issuer compromised.
    NotTheIssuer,
    /// Without effect: it declares a key compromised that was never a key of the issuer.
    NotItsKey,
    /// Without effect: it withdraws a withdrawal, a key compromise or a record of an issuer, which
    /// are final.
    Final,
    /// Without effect: two records of the issuer continue the same one, so that nobody can tell
    /// which keys are its own.
    Forked,
    /// Without effect: the keys of the issuer changed in another log within an hour of the claim,
    /// so that nobody can tell which came first.
    TooClose,
    /// Without effect: the policy ignores the claim, or the issuer.
    Ignored {
        /// Why, as the policy says.
        reason: String,
    },
}

impl Standing {
    /// Whether the claim has effect.
    pub fn is_good(&self) -> bool {
        *self == Standing::Good
    }
}

/// What a claim is worth for one of the issuers that signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// The issuer.
    pub issuer: IssuerId,
    /// Whether it has effect: whether it counts for a component.
    pub standing: Standing,
    /// Whether what it says against a component counts. It does of every claim that has effect, and
    /// of one whose keys were compromised or replaced only later.
    pub against: bool,
    /// Where the issuer's signatures became enough, which is how old its word is.
    pub since: Place,
    /// When that was, in milliseconds since 1970.
    pub since_ms: u64,
}

/// A claim with what it is worth.
#[derive(Debug, Clone)]
pub struct JudgedClaim<'a> {
    logged: &'a LoggedClaim,
    spoken: Vec<Spoken>,
    /// Whether it is the first of the leaves that the claim stands at.
    is_first: bool,
    responses: Vec<usize>,
}

impl<'a> JudgedClaim<'a> {
    /// The claim.
    pub fn logged(&self) -> &'a LoggedClaim {
        self.logged
    }

    /// Where it stands.
    pub fn place(&self) -> Place {
        Spot::of(self.logged).place()
    }

    /// What it is worth for every issuer that signed it, at this leaf or at another, each once.
    pub fn spoken(&self) -> &[Spoken] {
        &self.spoken
    }

    /// What it is worth for those whose signatures stand at this leaf.
    pub(crate) fn spoken_here(&self) -> impl Iterator<Item = &Spoken> {
        let signers = self.logged.claim().signers();
        let signed = |spoken: &&Spoken| signers.iter().any(|(issuer, _)| *issuer == spoken.issuer);
        self.spoken.iter().filter(signed)
    }

    /// Whether no other leaf holds the same claim that comes before this one in
    /// [`Trust::claims`].
    pub(crate) fn is_first(&self) -> bool {
        self.is_first
    }

    /// The issuers for which it has effect, each once.
    pub fn issuers(&self) -> impl Iterator<Item = &IssuerId> {
        let spoken = self.spoken.iter();
        spoken
            .filter(|spoken| spoken.standing.is_good())
            .map(|spoken| &spoken.issuer)
    }

    /// Whether it has effect for anybody.
    pub fn has_effect(&self) -> bool {
        self.issuers().next().is_some()
    }

    /// Whether it has effect for this issuer.
    pub fn is_good_for(&self, issuer: &IssuerId) -> bool {
        self.issuers().any(|good| good == issuer)
    }

    /// What it says.
    pub(super) fn body(&self) -> &'a Body {
        self.logged.claim().body()
    }

    /// What it says, if it is an endorsement. Whether it gives a role is for
    /// [`Roles::fault`](super::Roles::fault) to say.
    pub(super) fn endorsement(&self) -> Option<&'a Endorsement> {
        match self.body() {
            Body::Endorsement(said) => Some(said),
            _ => None,
        }
    }

    fn response(&self) -> Option<&'a Response> {
        match self.body() {
            Body::Response(said) => Some(said),
            _ => None,
        }
    }
}

/// What the given claims are worth, judged by each other.
#[derive(Debug)]
pub struct Trust<'a> {
    claims: Vec<JudgedClaim<'a>>,
    histories: BTreeMap<IssuerId, History<'a>>,
    /// Which of the claims are endorsements, each once: roles are asked for once for every
    /// component.
    endorsements: Vec<usize>,
    /// Endorsements that give nobody a role for a component, because who signed them signed too
    /// many in every log that they stand in.
    uncounted: BTreeSet<Target>,
}

/// What a policy silences, and why.
#[derive(Debug, Clone, Default)]
pub(crate) struct Silenced {
    pub(crate) claims: BTreeMap<ClaimId, String>,
    pub(crate) issuers: BTreeMap<IssuerId, String>,
}

impl<'a> Trust<'a> {
    /// Judges claims, of one log or of several; a claim that is given twice counts once.
    ///
    /// For every issuer that matters its own claims must be among them: its records, without which
    /// nothing that it signed has effect, its key compromises and the endorsements of it; and for
    /// every claim the withdrawals and responses that name it (label `claim:<id>`). Records,
    /// compromises and withdrawals count in every log, whichever they stand in.
    pub fn judge(claims: impl IntoIterator<Item = &'a LoggedClaim>) -> Self {
        Self::judge_without(claims, &Silenced::default())
    }

    /// Judges claims as [`judge`](Self::judge) does, what is silenced being without effect.
    pub(crate) fn judge_without(
        claims: impl IntoIterator<Item = &'a LoggedClaim>,
        silenced: &Silenced,
    ) -> Self {
        let mut given: Vec<&LoggedClaim> = claims.into_iter().collect();
        given.sort_by_key(|logged| (logged.origin(), logged.leaf()));
        given.dedup_by_key(|logged| (logged.origin(), logged.leaf()));
        let histories = histories(&given, silenced);
        let mut leaves: BTreeMap<ClaimId, Vec<&LoggedClaim>> = BTreeMap::new();
        for logged in &given {
            leaves.entry(logged.claim().id()).or_default().push(logged);
        }
        let mut spoken: BTreeMap<ClaimId, Vec<Spoken>> = BTreeMap::new();
        for (claim, leaves) in &leaves {
            spoken.insert(*claim, unite(leaves, &histories, silenced));
        }
        let mut trust = Trust {
            claims: Vec::with_capacity(given.len()),
            histories,
            endorsements: Vec::new(),
            uncounted: BTreeSet::new(),
        };
        let mut seen: BTreeSet<ClaimId> = BTreeSet::new();
        for logged in given {
            let claim = logged.claim().id();
            let judged = JudgedClaim {
                logged,
                spoken: spoken.get(&claim).cloned().unwrap_or_default(),
                is_first: seen.insert(claim),
                responses: Vec::new(),
            };
            if judged.is_first && judged.endorsement().is_some() {
                trust.endorsements.push(trust.claims.len());
            }
            trust.claims.push(judged);
        }
        trust.withdraw();
        trust.respond();
        trust
    }

    /// Leaves out what the search for whose word counts left out: of whoever signed too many
    /// endorsements in a log none counts there for a component. Against one they do.
    pub(crate) fn leave_out(&mut self, limits: &[Limit]) {
        let mut counted = BTreeSet::new();
        for judged in self.claims.iter().filter(|one| one.endorsement().is_some()) {
            let origin = judged.logged.origin();
            let claim = judged.logged.claim().id();
            for spoken in judged.spoken_here() {
                let issuer = spoken.issuer;
                let limit = Limit::Endorsements {
                    issuer,
                    origin: origin.to_owned(),
                };
                if limits.contains(&limit) {
                    self.uncounted.insert(Target { claim, issuer });
                } else {
                    counted.insert(Target { claim, issuer });
                }
            }
        }
        self.uncounted.retain(|one| !counted.contains(one));
    }

    /// Whether an endorsement gives a role for a component by one of its signers, as far as the
    /// search for whose word counts says.
    pub(super) fn is_counted(&self, claim: ClaimId, issuer: IssuerId) -> bool {
        !self.uncounted.contains(&Target { claim, issuer })
    }

    /// All claims, log by log, in the order of their leaves.
    pub fn claims(&self) -> &[JudgedClaim<'a>] {
        &self.claims
    }

    /// The endorsements, whatever their standing, with what they say.
    pub(super) fn endorsements(&self) -> impl Iterator<Item = (&JudgedClaim<'a>, &'a Endorsement)> {
        let claims = self.endorsements.iter().filter_map(|i| self.claims.get(*i));
        claims.filter_map(|judged| Some((judged, judged.endorsement()?)))
    }

    /// For which packages they are made, each as often as it is named.
    pub(crate) fn endorsed_scopes(&self) -> impl Iterator<Item = &'a Pattern> {
        self.endorsements().flat_map(|(_, said)| &said.scope)
    }

    /// The responses to a claim that have effect, disputes among them.
    pub fn responses(&self, claim: &JudgedClaim<'a>) -> impl Iterator<Item = &JudgedClaim<'a>> {
        claim.responses.iter().filter_map(|i| self.claims.get(*i))
    }

    /// Who disputes a claim: responses that have effect and say that it is wrong.
    pub fn disputes(&self, claim: &JudgedClaim<'a>) -> impl Iterator<Item = &JudgedClaim<'a>> {
        self.responses(claim)
            .filter(|response| response.response().is_some_and(Response::disputes))
    }

    /// The record of an issuer that governs last, of all logs together.
    pub fn record(&self, issuer: &IssuerId) -> Option<&IssuerRecord> {
        self.histories.get(issuer)?.last()
    }

    /// Whether anything can count that an issuer signed in a log and that is in no other, after
    /// what was `heard` from the beginning of a list on: not if the keys that it has there were
    /// rotated away, or declared compromised, before that; without it, before the issuer registered
    /// there. What it signed in a log that takes claims of unregistered issuers, before it
    /// registered there, is then left aside.
    ///
    /// All of its records and declarations in that log must have been given.
    pub fn speaks_in(&self, issuer: &IssuerId, origin: &str, heard: Option<HeardTo>) -> bool {
        let heard = heard.map(|heard| Spot {
            at_ms: heard.at_ms,
            origin,
            leaf: heard.leaf,
        });
        let history = self.histories.get(issuer);
        history.is_some_and(|history| history.speaks_in(origin, heard))
    }

    /// What an issuer calls itself. It proves nothing.
    pub fn name(&self, issuer: &IssuerId) -> Option<&str> {
        self.record(issuer).map(|record| record.body.name.as_str())
    }

    /// Applies withdrawals: each for the issuers that signed it, to the claims that these signed. A
    /// withdrawal speaks opposite to its target. So what a claim says for a component is taken back
    /// by any withdrawal that counts against something, and what it says against one only by a
    /// withdrawal that has effect.
    fn withdraw(&mut self) {
        let targets = Targets::of(&self.claims);
        let mut taken_back: BTreeMap<Target, TakenBack> = BTreeMap::new();
        for judged in &mut self.claims {
            let Body::Withdrawal(withdrawal) = judged.body() else {
                continue;
            };
            let by = judged.logged.claim().id();
            for spoken in &mut judged.spoken {
                let target = Target {
                    claim: withdrawal.target,
                    issuer: spoken.issuer,
                };
                let worth = targets.standing(&target);
                if !worth.is_good() {
                    spoken.against = false;
                    if spoken.standing.is_good() {
                        spoken.standing = worth;
                    }
                    continue;
                }
                if !spoken.against {
                    continue;
                }
                let standing = Standing::Withdrawn {
                    by,
                    superseded_by: withdrawal.superseded_by,
                };
                let known = taken_back.entry(target).or_insert(TakenBack {
                    standing: standing.clone(),
                    wholly: false,
                });
                if spoken.standing.is_good() && !known.wholly {
                    *known = TakenBack {
                        standing,
                        wholly: true,
                    };
                }
            }
        }
        for judged in &mut self.claims {
            let claim = judged.logged.claim().id();
            for spoken in &mut judged.spoken {
                let issuer = spoken.issuer;
                let Some(withdrawn) = taken_back.get(&Target { claim, issuer }) else {
                    continue;
                };
                if spoken.standing.is_good() {
                    spoken.standing = withdrawn.standing.clone();
                }
                spoken.against &= !withdrawn.wholly;
            }
        }
    }

    /// Attaches the responses that have effect to what they respond to.
    fn respond(&mut self) {
        let mut by_target: BTreeMap<ClaimId, Vec<usize>> = BTreeMap::new();
        for (i, judged) in self
            .claims
            .iter()
            .enumerate()
            .filter(|(_, judged)| judged.is_first && judged.has_effect())
        {
            if let Some(response) = judged.response() {
                by_target.entry(response.target).or_default().push(i);
            }
        }
        for judged in &mut self.claims {
            judged.responses = by_target
                .get(&judged.logged.claim().id())
                .cloned()
                .unwrap_or_default();
        }
    }
}

/// Records and compromises were judged by what stood before them, and by nothing later.
pub(super) fn is_final_by_its_leaf(kind: Kind) -> bool {
    matches!(kind, Kind::Issuer | Kind::KeyCompromise)
}

/// Whether a claim of this kind cannot be withdrawn: a withdrawal, a key compromise, a record of an
/// issuer. A thief who could take back a withdrawal or a compromise would undo it.
pub fn is_final(kind: Kind) -> bool {
    kind == Kind::Withdrawal || is_final_by_its_leaf(kind)
}

/// A claim as it was taken back.
struct TakenBack {
    standing: Standing,
    /// Whether what it says against a component is taken back, too.
    wholly: bool,
}

/// A claim that an issuer signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Target {
    claim: ClaimId,
    issuer: IssuerId,
}

/// What withdrawals can be of.
#[derive(Debug, Default)]
struct Targets {
    known: BTreeSet<ClaimId>,
    signed: BTreeSet<Target>,
    finals: BTreeSet<ClaimId>,
}

impl Targets {
    fn of(claims: &[JudgedClaim<'_>]) -> Self {
        let mut targets = Targets::default();
        for judged in claims {
            let claim = judged.logged.claim().id();
            targets.known.insert(claim);
            for spoken in &judged.spoken {
                let issuer = spoken.issuer;
                targets.signed.insert(Target { claim, issuer });
            }
            if is_final(judged.body().kind()) {
                targets.finals.insert(claim);
            }
        }
        targets
    }

    /// What a withdrawal of this is worth, by the issuer. Of a claim that is not among those given
    /// nothing can be said, and nothing depends on it.
    fn standing(&self, target: &Target) -> Standing {
        if self.finals.contains(&target.claim) {
            Standing::Final
        } else if self.known.contains(&target.claim) && !self.signed.contains(target) {
            Standing::NotTheIssuer
        } else {
            Standing::Good
        }
    }
}
