//! What a claim says: its predicate, read once, and the list of the types that are read.

use super::audit::Audit;
use super::endorsement::Endorsement;
use super::issuer::Issuer;
use super::key_compromise::KeyCompromise;
use super::lifecycle::Lifecycle;
use super::node::Node;
use super::practice::Practice;
use super::provenance::Provenance;
use super::reference::Reference;
use super::requirement::Requirement;
use super::response::Response;
use super::sbom::Sbom;
use super::scan::Vulns;
use super::scorecard::Scorecard;
use super::vex::Vex;
use super::withdrawal::Withdrawal;
use super::{PredicateError, PredicateType, audit, endorsement, issuer, key_compromise};
use super::{lifecycle, practice, provenance, reference, requirement, response, sbom, scan};
use super::{scorecard, vex, withdrawal};
use crate::json::Value;
use crate::statement::Statement;

/// What a claim says.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// What a scanner found.
    Scan(Vulns),
    /// A software bill of materials.
    Sbom(Sbom),
    /// Which vulnerabilities can be exploited in which products.
    Vex(Vex),
    /// Support dates.
    Lifecycle(Lifecycle),
    /// How something was built.
    Provenance(Provenance),
    /// A result of OpenSSF Scorecard.
    Scorecard(Scorecard),
    /// Documents beside the log.
    Reference(Reference),
    /// An issuer's record.
    Issuer(Issuer),
    /// An issuer vouches for another.
    Endorsement(Endorsement),
    /// A claim is taken back.
    Withdrawal(Withdrawal),
    /// A reply to a claim.
    Response(Response),
    /// A key is not to be trusted.
    KeyCompromise(KeyCompromise),
    /// A review.
    Audit(Audit),
    /// How software is made, and what it does with data.
    Practice(Practice),
    /// What a consumer demands.
    Requirement(Requirement),
    /// A predicate of a type that is not read. The statement holds it as it is.
    Other(Unread),
}

/// A predicate type that is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unread {
    /// `urn:assay:finding:v1`, which the index reads ([`targets`](super::targets)).
    Finding,
    /// `urn:assay:finding-commitment:v1`, a reserved name.
    FindingCommitment,
    /// An in-toto release, SVR, or SLSA verification summary: that an artifact is the one that was
    /// meant.
    Authenticity,
    /// Any other.
    Unknown,
}

/// What kind of claim it is: [`Body`] without what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// What a scanner found.
    Scan,
    /// A software bill of materials.
    Sbom,
    /// Which vulnerabilities can be exploited in which products.
    Vex,
    /// Support dates.
    Lifecycle,
    /// How something was built.
    Provenance,
    /// A result of OpenSSF Scorecard.
    Scorecard,
    /// Documents beside the log.
    Reference,
    /// An issuer's record.
    Issuer,
    /// An issuer vouches for another.
    Endorsement,
    /// A claim is taken back.
    Withdrawal,
    /// A reply to a claim.
    Response,
    /// A key is not to be trusted.
    KeyCompromise,
    /// A review.
    Audit,
    /// How software is made, and what it does with data.
    Practice,
    /// What a consumer demands.
    Requirement,
    /// A type that is not read.
    Other(Unread),
}

impl Kind {
    /// The kinds that are read, in the order in which people are told of them.
    pub const ALL: &[Kind] = &[
        Kind::Scan,
        Kind::Sbom,
        Kind::Vex,
        Kind::Lifecycle,
        Kind::Provenance,
        Kind::Scorecard,
        Kind::Reference,
        Kind::Issuer,
        Kind::Endorsement,
        Kind::Withdrawal,
        Kind::Response,
        Kind::KeyCompromise,
        Kind::Audit,
        Kind::Practice,
        Kind::Requirement,
    ];

    /// The kind of a predicate type, by its URI.
    pub fn of(uri: &str) -> Self {
        match uri {
            FINDING => Kind::Other(Unread::Finding),
            FINDING_COMMITMENT => Kind::Other(Unread::FindingCommitment),
            _ if AUTHENTICITY.contains(&uri) => Kind::Other(Unread::Authenticity),
            _ => by_uri(uri)
                .and_then(|known| Self::named(known.short_name()))
                .unwrap_or(Kind::Other(Unread::Unknown)),
        }
    }

    /// The kind that is read and has this short name, such as `sbom`.
    pub fn named(short_name: &str) -> Option<Self> {
        let named = |kind: &&Kind| kind.short_name() == Some(short_name);
        Self::ALL.iter().find(named).copied()
    }

    /// Its short name, such as `sbom`; `None` if it is not read. The name of a type
    /// ([`PredicateType::name`]) may say more.
    pub fn short_name(self) -> Option<&'static str> {
        Some(match self {
            Kind::Scan => "scan",
            Kind::Sbom => "sbom",
            Kind::Vex => "vex",
            Kind::Lifecycle => "lifecycle",
            Kind::Provenance => "provenance",
            Kind::Scorecard => "scorecard",
            Kind::Reference => "reference",
            Kind::Issuer => "issuer",
            Kind::Endorsement => "endorsement",
            Kind::Withdrawal => "withdrawal",
            Kind::Response => "response",
            Kind::KeyCompromise => "key-compromise",
            Kind::Audit => "audit",
            Kind::Practice => "practice",
            Kind::Requirement => "requirement",
            Kind::Other(_) => return None,
        })
    }

    /// The URIs of all its types, the preferred one of each type first. None if it is not read.
    pub fn uris(self) -> impl Iterator<Item = &'static str> {
        types()
            .filter(move |known| self.short_name() == Some(known.short_name()))
            .flat_map(|known| known.uris)
            .copied()
    }
}

/// `urn:assay:finding:v1`: a vulnerability that was committed to before (docs/design.md 3.3).
pub(super) const FINDING: &str = "urn:assay:finding:v1";

const FINDING_COMMITMENT: &str = "urn:assay:finding-commitment:v1";

/// Types that say that an artifact is the one that was meant.
const AUTHENTICITY: &[&str] = &[
    "https://in-toto.io/attestation/release/v0.1",
    "https://in-toto.io/attestation/svr/v0.2",
    "https://slsa.dev/verification_summary/v1",
];

/// A predicate type, and what reads its predicates.
type Reader = (
    &'static PredicateType,
    fn(&Node<'_, '_>) -> Result<Body, PredicateError>,
);

const READERS: &[Reader] = &[
    (&scan::TYPE, |node| Vulns::read(node).map(Body::Scan)),
    (&sbom::CYCLONEDX, |node| {
        Sbom::read_cyclonedx(node).map(Body::Sbom)
    }),
    (&sbom::SPDX_2, |node| Sbom::read_spdx2(node).map(Body::Sbom)),
    (&sbom::SPDX_3, |node| Sbom::read_spdx3(node).map(Body::Sbom)),
    (&vex::TYPE, |node| Vex::read(node).map(Body::Vex)),
    (&lifecycle::TYPE, |node| {
        Lifecycle::read(node).map(Body::Lifecycle)
    }),
    (&provenance::V1, |node| {
        Provenance::read_v1(node).map(Body::Provenance)
    }),
    (&provenance::V0_2, |node| {
        Provenance::read_v0_2(node).map(Body::Provenance)
    }),
    (&scorecard::TYPE, |node| {
        Scorecard::read(node).map(Body::Scorecard)
    }),
    (&reference::TYPE, |node| {
        Reference::read(node).map(Body::Reference)
    }),
    (&issuer::TYPE, |node| {
        Issuer::parse(node.value()).map(Body::Issuer)
    }),
    (&endorsement::TYPE, |node| {
        Endorsement::read(node).map(Body::Endorsement)
    }),
    (&withdrawal::TYPE, |node| {
        Withdrawal::read(node).map(Body::Withdrawal)
    }),
    (&response::TYPE, |node| {
        Response::read(node).map(Body::Response)
    }),
    (&key_compromise::TYPE, |node| {
        KeyCompromise::read(node).map(Body::KeyCompromise)
    }),
    (&audit::TYPE, |node| Audit::read(node).map(Body::Audit)),
    (&practice::TYPE, |node| {
        Practice::read(node).map(Body::Practice)
    }),
    (&requirement::TYPE, |node| {
        Requirement::read(node).map(Body::Requirement)
    }),
];

/// The types that are read.
pub static TABLE: &[&PredicateType] = &{
    let mut types = [&scan::TYPE; READERS.len()];
    let mut i = 0;
    while i < READERS.len() {
        types[i] = READERS[i].0;
        i += 1;
    }
    types
};

/// The types that are read, in the order in which people are told of them.
pub fn types() -> impl Iterator<Item = PredicateType> {
    TABLE.iter().map(|known| **known)
}

impl Body {
    /// What kind of claim it is.
    pub fn kind(&self) -> Kind {
        match self {
            Body::Scan(_) => Kind::Scan,
            Body::Sbom(_) => Kind::Sbom,
            Body::Vex(_) => Kind::Vex,
            Body::Lifecycle(_) => Kind::Lifecycle,
            Body::Provenance(_) => Kind::Provenance,
            Body::Scorecard(_) => Kind::Scorecard,
            Body::Reference(_) => Kind::Reference,
            Body::Issuer(_) => Kind::Issuer,
            Body::Endorsement(_) => Kind::Endorsement,
            Body::Withdrawal(_) => Kind::Withdrawal,
            Body::Response(_) => Kind::Response,
            Body::KeyCompromise(_) => Kind::KeyCompromise,
            Body::Audit(_) => Kind::Audit,
            Body::Practice(_) => Kind::Practice,
            Body::Requirement(_) => Kind::Requirement,
            Body::Other(unread) => Kind::Other(*unread),
        }
    }

    /// Reads a statement's predicate, and checks its subject where the type says what that is.
    ///
    /// # Errors
    ///
    /// Where the predicate is not what its type asks for. A type that is not in [`TABLE`] asks for
    /// nothing.
    pub fn of(statement: &Statement) -> Result<Self, PredicateError> {
        let body = Self::read(statement.predicate_type(), statement.predicate())?;
        match &body {
            Body::Endorsement(said) => said.check_subject(statement)?,
            Body::KeyCompromise(said) => said.check_subject(statement)?,
            _ => {}
        }
        Ok(body)
    }

    /// Reads a predicate of the type that goes by `uri`, whatever it is about.
    ///
    /// # Errors
    ///
    /// As [`of`](Self::of).
    pub fn read(uri: &str, predicate: &Value) -> Result<Self, PredicateError> {
        let Some((_, read)) = READERS.iter().find(|(known, _)| known.uris.contains(&uri)) else {
            return Ok(Body::Other(match Kind::of(uri) {
                Kind::Other(unread) => unread,
                _ => Unread::Unknown,
            }));
        };
        let node = Node::root("$.predicate", predicate);
        node.object()?;
        let body = read(&node)?;
        super::check_attachments(&node)?;
        Ok(body)
    }
}

/// The type that goes by `uri`, or `None` if it is not in the table.
pub fn by_uri(uri: &str) -> Option<PredicateType> {
    types().find(|known| known.uris.contains(&uri))
}

/// Checks a predicate. Types that are not in the table pass.
pub fn check(uri: &str, predicate: &Value) -> Result<(), PredicateError> {
    Body::read(uri, predicate).map(drop)
}

/// Checks a statement as [`Body::of`] does.
pub fn check_statement(statement: &Statement) -> Result<(), PredicateError> {
    Body::of(statement).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_of_a_kind_and_every_kind_has_types() {
        for known in types() {
            for uri in known.uris {
                let kind = Kind::of(uri);
                assert_eq!(kind.short_name(), Some(known.short_name()), "{uri}");
                assert!(kind.uris().any(|of_kind| of_kind == *uri), "{uri}");
            }
        }
        for kind in Kind::ALL {
            assert_eq!(kind.short_name().and_then(Kind::named), Some(*kind));
            assert!(kind.uris().next().is_some(), "{kind:?}");
        }
    }

    #[test]
    fn types_that_are_not_read_are_told_apart() {
        for (uri, unread) in [
            ("urn:assay:finding:v1", Unread::Finding),
            ("urn:assay:finding-commitment:v1", Unread::FindingCommitment),
            (
                "https://slsa.dev/verification_summary/v1",
                Unread::Authenticity,
            ),
            ("urn:assay:audit:v2", Unread::Unknown),
        ] {
            assert_eq!(Kind::of(uri), Kind::Other(unread), "{uri}");
            assert_eq!(Body::read(uri, &Value::Null), Ok(Body::Other(unread)));
            assert_eq!(Kind::of(uri).uris().next(), None);
        }
    }
}
