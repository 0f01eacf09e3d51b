//! Whether a claim has effect, for each issuer that signed it.

use super::replay::{Admission, Replay};
use assay_claims::claim::{ClaimId, PublicKey};
use assay_claims::issuer::{AuthorizeError, IssuerId, IssuerRecord};
use assay_claims::kind::endorsement::{self, Endorsement};
use assay_claims::kind::response::{self, Response};
use assay_claims::kind::withdrawal::{self, Withdrawal};
use assay_claims::kind::{issuer as record, key_compromise};
use assay_claims::logged::LoggedClaim;
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
}

impl Standing {
    /// Whether the claim has effect.
    pub fn is_good(&self) -> bool {
        *self == Standing::Good
    }
}

/// Where a claim stands: in which log, at which leaf.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The log's origin.
    pub origin: String,
    /// The leaf.
    pub leaf: LeafIndex,
}

/// A claim with what it is worth.
#[derive(Debug, Clone)]
pub struct JudgedClaim<'a> {
    logged: &'a LoggedClaim,
    standings: Vec<(IssuerId, Standing)>,
    responses: Vec<usize>,
}

impl<'a> JudgedClaim<'a> {
    /// The claim.
    pub fn logged(&self) -> &'a LoggedClaim {
        self.logged
    }

    /// Where it stands.
    pub fn place(&self) -> Place {
        Place {
            origin: self.logged.origin().to_owned(),
            leaf: self.logged.leaf(),
        }
    }

    /// The standing for every issuer that signed, each once, however many keys it signed with.
    pub fn standings(&self) -> &[(IssuerId, Standing)] {
        &self.standings
    }

    /// The issuers for which it has effect, each once.
    pub fn issuers(&self) -> impl Iterator<Item = &IssuerId> {
        self.standings
            .iter()
            .filter(|(_, standing)| standing.is_good())
            .map(|(issuer, _)| issuer)
    }

    /// Whether it has effect for anybody.
    pub fn has_effect(&self) -> bool {
        self.issuers().next().is_some()
    }

    /// Whether it has effect for this issuer.
    pub fn is_good_for(&self, issuer: &IssuerId) -> bool {
        self.issuers().any(|good| good == issuer)
    }

    /// Whom it endorses, if it is an endorsement. Whether it gives a role is for
    /// [`Roles::fault`](super::Roles::fault) to say.
    pub fn endorsed(&self) -> Option<IssuerId> {
        self.endorsement().map(|said| said.issuer)
    }

    /// What it says, if it is an endorsement.
    pub(super) fn endorsement(&self) -> Option<Endorsement> {
        let statement = self.logged.claim().statement();
        (statement.predicate_type() == endorsement::URI)
            .then(|| Endorsement::parse(statement.predicate()).ok())?
    }

    /// The predicate's type.
    pub fn predicate_type(&self) -> &'a str {
        self.logged.claim().statement().predicate_type()
    }
}

/// What the given claims are worth, judged by each other.
#[derive(Debug)]
pub struct Trust<'a> {
    claims: Vec<JudgedClaim<'a>>,
    replays: BTreeMap<&'a str, Replay>,
    /// What endorsements say, with their places among the claims: roles are asked for once for
    /// every component.
    endorsements: Vec<(usize, Endorsement)>,
}

impl<'a> Trust<'a> {
    /// Judges claims, of one log or of several; a claim that is given twice counts once.
    ///
    /// For every issuer that matters its own claims must be among them (label
    /// `digest:sha256:<issuer id>`): its records, without which nothing that it signed has effect,
    /// its key compromises and the endorsements of it; and for every claim the withdrawals and
    /// responses that name it (label `claim:<id>`). Records and compromises count in the log that
    /// they stand in; a withdrawal counts for the same claim in every log.
    pub fn judge(claims: impl IntoIterator<Item = &'a LoggedClaim>) -> Self {
        let mut given: Vec<&LoggedClaim> = claims.into_iter().collect();
        given.sort_by_key(|logged| (logged.origin(), logged.leaf()));
        given.dedup_by_key(|logged| (logged.origin(), logged.leaf()));
        let mut replays: BTreeMap<&str, Replay> = BTreeMap::new();
        let admitted: Vec<_> = given
            .into_iter()
            .map(|logged| {
                (
                    logged,
                    replays.entry(logged.origin()).or_default().next(logged),
                )
            })
            .collect();
        let judged = admitted.into_iter().map(|(logged, admission)| JudgedClaim {
            logged,
            standings: standings(logged, &admission, replays.get(logged.origin())),
            responses: Vec::new(),
        });
        let claims: Vec<JudgedClaim<'_>> = judged.collect();
        let endorsements = claims
            .iter()
            .enumerate()
            .filter_map(|(i, judged)| Some((i, judged.endorsement()?)));
        let mut trust = Trust {
            endorsements: endorsements.collect(),
            claims,
            replays,
        };
        trust.withdraw();
        trust.respond();
        trust
    }

    /// All claims, log by log, in the order of their leaves.
    pub fn claims(&self) -> &[JudgedClaim<'a>] {
        &self.claims
    }

    /// The endorsements, whatever their standing, with what they say.
    pub(super) fn endorsements(&self) -> impl Iterator<Item = (&JudgedClaim<'a>, &Endorsement)> {
        self.endorsements
            .iter()
            .filter_map(|(i, said)| Some((self.claims.get(*i)?, said)))
    }

    /// The responses to a claim that have effect, disputes among them.
    pub fn responses(&self, claim: &JudgedClaim<'a>) -> impl Iterator<Item = &JudgedClaim<'a>> {
        claim.responses.iter().filter_map(|i| self.claims.get(*i))
    }

    /// Who disputes a claim: responses that have effect and say that it is wrong.
    pub fn disputes(&self, claim: &JudgedClaim<'a>) -> impl Iterator<Item = &JudgedClaim<'a>> {
        self.responses(claim)
            .filter(|response| read_response(response).is_some_and(|said| said.disputes()))
    }

    /// The latest record of an issuer, of whichever log has the longest history of it.
    pub fn record(&self, issuer: &IssuerId) -> Option<&IssuerRecord> {
        let latest = self
            .replays
            .values()
            .filter_map(|replay| replay.registry.records(issuer).last());
        latest
            .map(|(_, record)| &**record)
            .max_by_key(|record| record.body.sequence)
    }

    /// What an issuer calls itself. It proves nothing.
    pub fn name(&self, issuer: &IssuerId) -> Option<&str> {
        self.record(issuer).map(|record| record.body.name.as_str())
    }

    /// Applies withdrawals: each for the issuers that signed it, to the claims that these signed.
    fn withdraw(&mut self) {
        let mut said: BTreeMap<(ClaimId, IssuerId), (ClaimId, Option<ClaimId>)> = BTreeMap::new();
        let (mut signed, mut known, mut finals) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for judged in &self.claims {
            let claim = judged.logged.claim();
            known.insert(claim.id());
            signed.extend(
                judged
                    .standings
                    .iter()
                    .map(|(issuer, _)| (claim.id(), *issuer)),
            );
            if is_final(judged.predicate_type()) {
                finals.insert(claim.id());
            }
        }
        for judged in &mut self.claims {
            let Some(withdrawal) = read_withdrawal(judged) else {
                continue;
            };
            let by = judged.logged.claim().id();
            for (issuer, standing) in judged
                .standings
                .iter_mut()
                .filter(|(_, standing)| standing.is_good())
            {
                // Of a target that is not among the claims nothing can be said, and nothing depends
                // on it.
                if finals.contains(&withdrawal.target) {
                    *standing = Standing::Final;
                } else if known.contains(&withdrawal.target)
                    && !signed.contains(&(withdrawal.target, *issuer))
                {
                    *standing = Standing::NotTheIssuer;
                } else {
                    said.entry((withdrawal.target, *issuer))
                        .or_insert((by, withdrawal.superseded_by));
                }
            }
        }
        for judged in &mut self.claims {
            let id = judged.logged.claim().id();
            for (issuer, standing) in judged
                .standings
                .iter_mut()
                .filter(|(_, standing)| standing.is_good())
            {
                if let Some((by, superseded_by)) = said.get(&(id, *issuer)) {
                    *standing = Standing::Withdrawn {
                        by: *by,
                        superseded_by: *superseded_by,
                    };
                }
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
            .filter(|(_, judged)| judged.has_effect())
        {
            if let Some(response) = read_response(judged) {
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

/// What follows from the claim's own leaf: the records in force there, and the keys that are
/// compromised by then.
fn standings(
    logged: &LoggedClaim,
    admission: &Admission,
    replay: Option<&Replay>,
) -> Vec<(IssuerId, Standing)> {
    let mut issuers: Vec<IssuerId> = Vec::new();
    for (issuer, _) in logged.claim().signers() {
        if !issuers.contains(issuer) {
            issuers.push(*issuer);
        }
    }
    let keeps_keys = is_final_by_its_leaf(logged.claim().statement().predicate_type());
    let of = |issuer: &IssuerId| match admission {
        Admission::Refused(error) => Standing::NotAuthorized(error.clone()),
        Admission::NotTheIssuer => Standing::NotTheIssuer,
        Admission::NotItsKey => Standing::NotItsKey,
        Admission::Compromised(d) => Standing::KeyCompromised {
            key: d.key,
            from: d.from,
            by: d.by,
        },
        Admission::Admitted if keeps_keys => Standing::Good,
        Admission::Admitted => {
            match replay.map_or(Ok(()), |replay| replay.check_keys(logged, issuer)) {
                Ok(()) => Standing::Good,
                Err(d) => Standing::KeyCompromised {
                    key: d.key,
                    from: d.from,
                    by: d.by,
                },
            }
        }
    };
    issuers
        .into_iter()
        .map(|issuer| (issuer, of(&issuer)))
        .collect()
}

/// Records and compromises were judged by what stood before them, and by nothing later.
fn is_final_by_its_leaf(predicate_type: &str) -> bool {
    [record::URI, key_compromise::URI].contains(&predicate_type)
}

/// What cannot be withdrawn. A thief who could take back a withdrawal or a compromise would undo
/// it. Whether a claim of this type cannot be withdrawn: a withdrawal, a key compromise, a record
/// of an issuer.
pub fn is_final(predicate_type: &str) -> bool {
    is_final_by_its_leaf(predicate_type) || predicate_type == withdrawal::URI
}

fn read_withdrawal(judged: &JudgedClaim<'_>) -> Option<Withdrawal> {
    let statement = judged.logged.claim().statement();
    (statement.predicate_type() == withdrawal::URI)
        .then(|| Withdrawal::parse(statement.predicate()).ok())?
}

fn read_response(judged: &JudgedClaim<'_>) -> Option<Response> {
    let statement = judged.logged.claim().statement();
    (statement.predicate_type() == response::URI)
        .then(|| Response::parse(statement.predicate()).ok())?
}
