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

/// A predicate type that is named here and not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// An in-toto release, SVR, or SLSA verification summary: that an artifact is the one that was
    /// meant.
    Authenticity,
    /// Any other.
    Unknown,
}

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

impl Body {
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

    fn read(uri: &str, predicate: &Value) -> Result<Self, PredicateError> {
        let Some((_, read)) = READERS.iter().find(|(known, _)| known.uris.contains(&uri)) else {
            return Ok(Body::Other(if AUTHENTICITY.contains(&uri) {
                Unread::Authenticity
            } else {
                Unread::Unknown
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
pub fn by_uri(uri: &str) -> Option<&'static PredicateType> {
    TABLE
        .iter()
        .find(|predicate| predicate.uris.contains(&uri))
        .copied()
}

/// Checks a predicate. Types that are not in the table pass.
pub fn check(uri: &str, predicate: &Value) -> Result<(), PredicateError> {
    Body::read(uri, predicate).map(drop)
}

/// Checks a statement as [`Body::of`] does.
pub fn check_statement(statement: &Statement) -> Result<(), PredicateError> {
    Body::of(statement).map(drop)
}
