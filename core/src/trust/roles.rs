//! Which roles an issuer has for a package: those of the policy's anchors, and what endorsements hand on.
//!
//! A role is handed on unchanged, by whoever has it, for packages that it has it for: an endorsement cannot widen its
//! endorser's role or scope. It holds if it has effect (its own standing), at the given time, within its scope, and if its
//! endorser may delegate. Roles are those of the given time, whenever a claim was logged: whom to believe is asked now.

use super::standing::Trust;
use crate::claim::ClaimId;
use crate::issuer::IssuerId;
use crate::predicate::endorsement::{Endorsement, MAX_DEPTH};
use crate::purl::{Pattern, Purl};
use crate::tree::LeafIndex;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;

/// What somebody is to a package (DESIGN 1).
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
}

impl Role {
    /// All roles, as [`ROLES`](crate::predicate::issuer::ROLES) names them.
    pub const ALL: [Role; 6] =
        [Role::Maintainer, Role::Auditor, Role::Scanner, Role::Supplier, Role::Finder, Role::Coordinator];

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

/// A role that an issuer has, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// From the anchor to the issuer; empty if the issuer is an anchor itself. The shortest that there is.
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
    /// Who endorses does not have the role for this package.
    EndorserLacksRole,
    /// Who endorses has the role, but may not hand it on any further.
    TooDeep,
    /// It leads back to an issuer that the chain came through.
    Cycle,
}

impl fmt::Display for EndorsementFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            EndorsementFault::Standing => "without effect: see its standing",
            EndorsementFault::Expired => "without effect: it has expired",
            EndorsementFault::NotYet => "without effect: it is not valid yet",
            EndorsementFault::EndorserLacksRole => {
                "without effect: the endorser does not have this role for this package under your policy"
            }
            EndorsementFault::TooDeep => "without effect: your policy does not let the endorser hand this role on",
            EndorsementFault::Cycle => "without effect: it leads back to somebody whom the chain came through",
        })
    }
}

/// Who has which role for one package at one time.
#[derive(Debug, Clone, Default)]
pub struct Roles {
    grants: BTreeMap<IssuerId, Vec<Grant>>,
    faults: BTreeMap<(String, LeafIndex), EndorsementFault>,
}

impl Roles {
    /// The roles of an issuer, each once, with the reason.
    pub fn of(&self, issuer: &IssuerId) -> &[Grant] {
        self.grants.get(issuer).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether an issuer has a role.
    pub fn has(&self, issuer: &IssuerId, role: Role) -> bool {
        self.of(issuer).iter().any(|grant| grant.role == role)
    }

    /// Everybody who has a role.
    pub fn issuers(&self) -> impl Iterator<Item = &IssuerId> {
        self.grants.keys()
    }

    /// Why the endorsement at a leaf gives nobody a role for this package; `None` if it gives one, is of other packages, or
    /// is no endorsement.
    pub fn fault(&self, origin: &str, leaf: LeafIndex) -> Option<EndorsementFault> {
        self.faults.get(&(origin.to_owned(), leaf)).copied()
    }
}

/// An endorsement of the package, by one of its signers.
struct Edge {
    link: Link,
    said: Endorsement,
    fault: Option<EndorsementFault>,
    used: bool,
}

/// Where a chain has come to.
struct Visit {
    issuer: IssuerId,
    /// How many endorsements may still follow.
    remaining: u32,
    chain: Vec<Link>,
}

impl Trust<'_> {
    /// Who has which role for a package, given the anchors, at a time in milliseconds since 1970.
    ///
    /// Endorsements are followed breadth first, so that of several chains the shortest is the reason. Without a purl only
    /// scopes of everything (`pkg:*`) apply.
    pub fn roles(&self, anchors: &[Anchor], purl: Option<&Purl>, now_ms: u64) -> Roles {
        let mut roles = Roles::default();
        let mut edges = self.edges(purl, now_ms);
        for role in Role::ALL {
            let starts = anchors.iter().filter(|anchor| anchor.roles.contains(&role) && covers(&anchor.scopes, purl));
            let starts = starts.map(|anchor| Visit {
                issuer: anchor.issuer,
                remaining: anchor.may_delegate.min(MAX_DEPTH),
                chain: Vec::new(),
            });
            follow(role, starts.collect(), &mut edges, &mut roles);
        }
        for edge in edges.iter().filter(|edge| !edge.used) {
            let fault = edge.fault.unwrap_or(EndorsementFault::EndorserLacksRole);
            roles.faults.insert((edge.link.origin.clone(), edge.link.leaf), fault);
        }
        // A claim that several signed is without effect only if it is so for all of them.
        for edge in edges.iter().filter(|edge| edge.used) {
            roles.faults.remove(&(edge.link.origin.clone(), edge.link.leaf));
        }
        roles
    }

    /// The endorsements whose scope the package is in, one for each signer.
    fn edges(&self, purl: Option<&Purl>, now_ms: u64) -> Vec<Edge> {
        let mut edges = Vec::new();
        for (judged, said) in self.endorsements().filter(|(_, said)| covers(&said.scope, purl)) {
            let logged = judged.logged();
            for (endorser, standing) in judged.standings() {
                let fault = if standing.is_good() { lapsed(said, now_ms) } else { Some(EndorsementFault::Standing) };
                let link = Link {
                    endorser: *endorser,
                    endorsed: said.issuer,
                    claim: logged.claim().id(),
                    origin: logged.origin().to_owned(),
                    leaf: logged.leaf(),
                };
                edges.push(Edge { link, said: said.clone(), fault, used: false });
            }
        }
        edges
    }
}

/// Follows one role from the anchors, breadth first. An issuer is visited again only if more endorsements may follow than
/// before, which is bounded by [`MAX_DEPTH`].
fn follow(role: Role, starts: Vec<Visit>, edges: &mut [Edge], roles: &mut Roles) {
    let mut most: BTreeMap<IssuerId, u32> = BTreeMap::new();
    let mut queue: VecDeque<Visit> = VecDeque::new();
    for start in starts {
        enqueue(start, &mut most, &mut queue);
    }
    while let Some(visit) = queue.pop_front() {
        let grants = roles.grants.entry(visit.issuer).or_default();
        if !grants.iter().any(|grant| grant.role == role) {
            grants.push(Grant { role, chain: visit.chain.clone() });
        }
        let from_here = edges.iter_mut().filter(|edge| {
            let sound = !matches!(
                edge.fault,
                Some(EndorsementFault::Standing | EndorsementFault::Expired | EndorsementFault::NotYet)
            );
            sound && edge.link.endorser == visit.issuer && edge.said.role == role.name()
        });
        for edge in from_here {
            let endorsed = edge.link.endorsed;
            let leads_back = endorsed == visit.issuer || visit.chain.iter().any(|link| link.endorser == endorsed);
            if leads_back {
                edge.fault = Some(EndorsementFault::Cycle);
            } else if visit.remaining == 0 {
                edge.fault = Some(EndorsementFault::TooDeep);
            } else {
                edge.used = true;
                let remaining = (visit.remaining - 1).min(edge.said.may_delegate);
                let chain = visit.chain.iter().cloned().chain([edge.link.clone()]).collect();
                enqueue(Visit { issuer: endorsed, remaining, chain }, &mut most, &mut queue);
            }
        }
    }
}

fn enqueue(visit: Visit, most: &mut BTreeMap<IssuerId, u32>, queue: &mut VecDeque<Visit>) {
    if most.get(&visit.issuer).is_none_or(|before| *before < visit.remaining) {
        most.insert(visit.issuer, visit.remaining);
        queue.push_back(visit);
    }
}

fn lapsed(said: &Endorsement, now_ms: u64) -> Option<EndorsementFault> {
    let now = i64::try_from(now_ms).unwrap_or(i64::MAX);
    match said.holds_at(now) {
        true => None,
        false if said.valid_until.unix_ms() < now => Some(EndorsementFault::Expired),
        false => Some(EndorsementFault::NotYet),
    }
}

/// Whether a package is in one of the scopes. What has no purl is only in the scope of everything.
pub(crate) fn covers(scopes: &[Pattern], purl: Option<&Purl>) -> bool {
    scopes.iter().any(|scope| purl.map_or(scope.as_str() == "pkg:*", |purl| scope.matches(purl)))
}
