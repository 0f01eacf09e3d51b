//! Which roles an issuer has for a package: those of the policy's anchors, and what endorsements
//! hand on.
//!
//! A role is handed on unchanged, by whoever has it, for packages that it has it for: an
//! endorsement cannot widen its endorser's role or scope. It holds if it has effect (its own
//! standing), at the given time, within its scope, and if its endorser may delegate. Roles are
//! those of the given time, whenever a claim was logged: whom to believe is asked now.

use super::standing::{JudgedClaim, Spoken, Trust};
use assay_claims::claim::ClaimId;
use assay_claims::issuer::IssuerId;
use assay_claims::kind::endorsement::{Endorsement, MAX_DEPTH};
use assay_claims::purl::{Pattern, Purl};
use assay_tlog::tree::LeafIndex;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;

/// What somebody is to a package (docs/design.md 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Makes it.
    Maintainer,
    /// Reviews it.
    Auditor,
    /// Scans it.
    Scanner,
    /// Ships it to others.
    Supplier,
    /// Finds vulnerabilities in it.
    Finder,
    /// Coordinates their disclosure.
    Coordinator,
    /// Builds it: an identity of a machine. It says how something was built, what is in it and what
    /// a scan found, and nothing that clears or judges.
    Builder,
}

impl Role {
    /// All roles, as [`ROLES`](assay_claims::kind::issuer::ROLES) names them.
    pub const ALL: [Role; 7] = [
        Role::Maintainer,
        Role::Auditor,
        Role::Scanner,
        Role::Supplier,
        Role::Finder,
        Role::Coordinator,
        Role::Builder,
    ];

    /// The role of a name, or `None`.
    pub fn of_name(name: &str) -> Option<Self> {
        Role::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Maintainer => "maintainer",
            Role::Auditor => "auditor",
            Role::Scanner => "scanner",
            Role::Supplier => "supplier",
            Role::Finder => "finder",
            Role::Coordinator => "coordinator",
            Role::Builder => "builder",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An issuer that the policy trusts from the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Who.
    pub issuer: IssuerId,
    /// For which roles.
    pub roles: Vec<Role>,
    /// For which packages.
    pub scopes: Vec<Pattern>,
    /// How many endorsements may follow from it in a row; 0 if its endorsements count for nothing.
    pub may_delegate: u32,
}

/// One step of a chain: who endorsed, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Who endorsed.
    pub endorser: IssuerId,
    /// Whom.
    pub endorsed: IssuerId,
    /// With which claim.
    pub claim: ClaimId,
    /// In which log.
    pub origin: String,
    /// At which leaf.
    pub leaf: LeafIndex,
}

impl Link {
    fn vouched(&self) -> Vouched {
        Vouched {
            claim: self.claim,
            by: self.endorser,
        }
    }
}

/// A role that an issuer has, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// From the anchor to the issuer; empty if the issuer is an anchor itself. The shortest that
    /// there is.
    pub chain: Vec<Link>,
}

/// Why an endorsement gives no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndorsementFault {
    /// The endorsement itself has no standing: see there.
    Standing,
    /// It does not hold any more.
    Expired,
    /// It does not hold yet.
    NotYet,
    /// It is not for the package that is asked about.
    OtherPackages,
    /// Who endorses does not have the role for these packages.
    EndorserLacksRole,
    /// Who endorses has the role, but may not hand it on any further.
    TooDeep,
    /// It leads back to an issuer that the chain came through.
    Cycle,
}

/// Who has which role at one time: for one package, or for any at all.
#[derive(Debug, Clone)]
pub struct Roles {
    of: Of,
    now_ms: u64,
    grants: BTreeMap<IssuerId, Vec<Grant>>,
    faults: BTreeMap<Vouched, EndorsementFault>,
}

/// An endorsement by one of its signers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Vouched {
    claim: ClaimId,
    by: IssuerId,
}

/// What roles are asked for.
#[derive(Debug, Clone)]
enum Of {
    /// One package, or something that is none.
    Package(Option<Purl>),
    /// Whatever package there is.
    Any,
}

impl Roles {
    /// The roles of an issuer, each once, with the reason.
    pub fn of(&self, issuer: &IssuerId) -> &[Grant] {
        self.grants
            .get(issuer)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// Whether an issuer has a role.
    pub fn has(&self, issuer: &IssuerId, role: Role) -> bool {
        self.of(issuer).iter().any(|grant| grant.role == role)
    }

    /// Everybody who has a role.
    pub fn issuers(&self) -> impl Iterator<Item = &IssuerId> {
        self.grants.keys()
    }

    /// Why an endorsement gives nobody a role here; `None` if it gives one, or is no endorsement.
    pub fn fault(&self, judged: &JudgedClaim<'_>) -> Option<EndorsementFault> {
        let said = judged.endorsement()?;
        if !judged.has_effect() {
            return Some(EndorsementFault::Standing);
        }
        if let Some(lapsed) = lapsed(said, self.now_ms) {
            return Some(lapsed);
        }
        match &self.of {
            Of::Package(purl) if !covers(&said.scope, purl.as_ref()) => {
                Some(EndorsementFault::OtherPackages)
            }
            Of::Package(_) | Of::Any => self.fault_of(judged),
        }
    }

    /// Why the chains do not use an endorsement; `None` if they do for one who signed it here.
    fn fault_of(&self, judged: &JudgedClaim<'_>) -> Option<EndorsementFault> {
        let claim = judged.logged().claim().id();
        let mut fault = None;
        for spoken in judged.spoken_here() {
            if spoken.standing.is_good() {
                let by = spoken.issuer;
                fault = Some(*self.faults.get(&Vouched { claim, by })?);
            }
        }
        fault
    }
}

/// For what a role is asked: what counts for a component and what counts against it is not the
/// same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    For,
    Against,
}

impl Side {
    fn counts(self, spoken: &Spoken) -> bool {
        match self {
            Side::For => spoken.standing.is_good(),
            Side::Against => spoken.against,
        }
    }
}

/// An endorsement that holds, by one of its signers.
struct Edge<'t> {
    link: Link,
    said: &'t Endorsement,
    fault: Option<EndorsementFault>,
    used: bool,
}

/// Where a chain has come to.
struct Visit {
    issuer: IssuerId,
    /// For which packages; `None` if for the one that is asked about.
    scope: Option<Pattern>,
    /// How many endorsements may still follow.
    remaining: u32,
    chain: Vec<Link>,
}

impl Trust<'_> {
    /// Who has which role for a package, given the anchors, at a time in milliseconds since 1970.
    ///
    /// Endorsements are followed breadth first, so that of several chains the shortest is the
    /// reason. Without a purl only scopes of everything (`pkg:*`) apply.
    pub fn roles(&self, anchors: &[Anchor], purl: Option<&Purl>, now_ms: u64) -> Roles {
        self.roles_on(Side::For, anchors, purl, now_ms)
    }

    /// Who has which role for a package where it speaks against it: as [`roles`](Self::roles), and
    /// those whose endorsements were taken back by keys that are not sound, or were made by keys
    /// that were compromised only later.
    pub fn roles_against(&self, anchors: &[Anchor], purl: Option<&Purl>, now_ms: u64) -> Roles {
        self.roles_on(Side::Against, anchors, purl, now_ms)
    }

    fn roles_on(&self, side: Side, anchors: &[Anchor], purl: Option<&Purl>, now_ms: u64) -> Roles {
        let edges = self.edges(side, now_ms, |scope| covers(scope, purl));

        follow_all(
            Of::Package(purl.cloned()),
            now_ms,
            anchors,
            |anchor: &Anchor| {
                if covers(&anchor.scopes, purl) {
                    vec![None]
                } else {
                    vec![]
                }
            },
            edges,
        )
    }

    /// Who has which role for any package at all, given the anchors, at a time in milliseconds
    /// since 1970: for those who ask about an issuer. Every endorsement is weighed for the packages
    /// that it is for, so far as its endorser has the role for them. A chain is followed for each
    /// scope that it comes to, ten thousand of them at most for each role.
    pub fn roles_anywhere(&self, anchors: &[Anchor], now_ms: u64) -> Roles {
        follow_all(
            Of::Any,
            now_ms,
            anchors,
            |anchor: &Anchor| anchor.scopes.iter().cloned().map(Some).collect(),
            self.edges(Side::For, now_ms, |_| true),
        )
    }

    /// The endorsements that hold and whose scope is of interest, one for each signer that they
    /// count for.
    fn edges(
        &self,
        side: Side,
        now_ms: u64,
        of_interest: impl Fn(&[Pattern]) -> bool,
    ) -> Vec<Edge<'_>> {
        let mut edges = Vec::new();
        for (judged, said) in self
            .endorsements()
            .filter(|(_, said)| of_interest(&said.scope))
        {
            if lapsed(said, now_ms).is_some() {
                continue;
            }
            let claim = judged.logged().claim().id();
            for spoken in judged.spoken().iter().filter(|spoken| side.counts(spoken)) {
                if side == Side::For && !self.is_counted(claim, spoken.issuer) {
                    continue;
                }
                let link = Link {
                    endorser: spoken.issuer,
                    endorsed: said.issuer,
                    claim,
                    origin: spoken.since.origin.clone(),
                    leaf: spoken.since.leaf,
                };
                edges.push(Edge {
                    link,
                    said,
                    fault: None,
                    used: false,
                });
            }
        }
        edges
    }
}

/// Most places that chains of one role come to where no package bounds them. Somebody who may
/// endorse could make any number.
const VISITS: usize = 10_000;

/// Follows every role from the anchors.
fn follow_all(
    of: Of,
    now_ms: u64,
    anchors: &[Anchor],
    starts: impl Fn(&Anchor) -> Vec<Option<Pattern>>,
    mut edges: Vec<Edge<'_>>,
) -> Roles {
    let mut roles = Roles {
        of,
        now_ms,
        grants: BTreeMap::new(),
        faults: BTreeMap::new(),
    };
    let mut by_endorser: BTreeMap<IssuerId, Vec<usize>> = BTreeMap::new();
    for (i, edge) in edges.iter().enumerate() {
        by_endorser.entry(edge.link.endorser).or_default().push(i);
    }
    for role in Role::ALL {
        let visits = anchors
            .iter()
            .filter(|anchor| anchor.roles.contains(&role))
            .flat_map(|anchor| {
                starts(anchor).into_iter().map(|scope| Visit {
                    issuer: anchor.issuer,
                    scope,
                    remaining: anchor.may_delegate.min(MAX_DEPTH),
                    chain: Vec::new(),
                })
            });
        follow(role, visits.collect(), &mut edges, &by_endorser, &mut roles);
    }
    for edge in edges.iter().filter(|edge| !edge.used) {
        let fault = edge.fault.unwrap_or(EndorsementFault::EndorserLacksRole);
        roles.faults.insert(edge.link.vouched(), fault);
    }
    roles
}

impl Roles {
    /// Gives an issuer that is visited the role, unless it has it by a shorter chain.
    fn grant(&mut self, role: Role, visit: &Visit) {
        let grants = self.grants.entry(visit.issuer).or_default();
        if !grants.iter().any(|grant| grant.role == role) {
            grants.push(Grant {
                role,
                chain: visit.chain.clone(),
            });
        }
    }
}

/// Follows one role from the anchors, breadth first. An issuer is visited again, for one scope,
/// only if more endorsements may follow than before, which is bounded by [`MAX_DEPTH`].
fn follow(
    role: Role,
    starts: Vec<Visit>,
    edges: &mut [Edge<'_>],
    by_endorser: &BTreeMap<IssuerId, Vec<usize>>,
    roles: &mut Roles,
) {
    let mut most: BTreeMap<(IssuerId, Option<Pattern>), u32> = BTreeMap::new();
    let mut queue: VecDeque<Visit> = VecDeque::new();
    for start in starts {
        enqueue(start, &mut most, &mut queue);
    }
    while let Some(visit) = queue.pop_front() {
        roles.grant(role, &visit);
        for i in by_endorser.get(&visit.issuer).into_iter().flatten() {
            let Some(edge) = edges
                .get_mut(*i)
                .filter(|edge| edge.said.role == role.name())
            else {
                continue;
            };
            let scopes = narrowed(&edge.said.scope, visit.scope.as_ref());
            let endorsed = edge.link.endorsed;
            let leads_back = endorsed == visit.issuer
                || visit.chain.iter().any(|link| link.endorser == endorsed);
            if scopes.is_empty() {
                continue;
            } else if leads_back {
                edge.fault = Some(EndorsementFault::Cycle);
            } else if visit.remaining == 0 {
                edge.fault = Some(EndorsementFault::TooDeep);
            } else {
                edge.used = true;
                let remaining = (visit.remaining - 1).min(edge.said.may_delegate);
                let chain: Vec<Link> = visit
                    .chain
                    .iter()
                    .cloned()
                    .chain([edge.link.clone()])
                    .collect();
                for scope in scopes {
                    if scope.is_none() || most.len() < VISITS {
                        let next = Visit {
                            issuer: endorsed,
                            scope,
                            remaining,
                            chain: chain.clone(),
                        };
                        enqueue(next, &mut most, &mut queue);
                    }
                }
            }
        }
    }
}

/// What is left of an endorsement's scope where a chain has come to.
fn narrowed(scope: &[Pattern], to: Option<&Pattern>) -> Vec<Option<Pattern>> {
    match to {
        None => vec![None],
        Some(to) => scope
            .iter()
            .filter_map(|pattern| pattern.meet(to))
            .cloned()
            .map(Some)
            .collect(),
    }
}

fn enqueue(
    visit: Visit,
    most: &mut BTreeMap<(IssuerId, Option<Pattern>), u32>,
    queue: &mut VecDeque<Visit>,
) {
    let key = (visit.issuer, visit.scope.clone());
    if most
        .get(&key)
        .is_none_or(|before| *before < visit.remaining)
    {
        most.insert(key, visit.remaining);
        queue.push_back(visit);
    }
}

pub(super) fn lapsed(said: &Endorsement, now_ms: u64) -> Option<EndorsementFault> {
    let now = i64::try_from(now_ms).unwrap_or(i64::MAX);
    if said.holds_at(now) {
        None
    } else if said.valid_until.unix_ms() < now {
        Some(EndorsementFault::Expired)
    } else {
        Some(EndorsementFault::NotYet)
    }
}

/// Whether a package is in one of the scopes. What has no purl is only in the scope of everything.
pub(crate) fn covers(scopes: &[Pattern], purl: Option<&Purl>) -> bool {
    let mut scopes = scopes.iter();
    match purl {
        Some(purl) => scopes.any(|scope| scope.matches(purl)),
        None => scopes.any(|scope| scope.as_str() == "pkg:*"),
    }
}
