//! What claims say: the predicate types that Assay knows.
//!
//! Each claim type is one file here. It has the type's name and URIs, its typed predicate with a
//! strict reader, the rule for its subject, and what of it the index makes labels of. Readers are
//! strict for what the type's specification requires, and tolerant of fields that they do not know,
//! as in-toto demands. The list below ties the files together: a type more is a file and a row, and
//! the compiler then names every `match` that must say something about it. Predicates of types that
//! are not in the list are not looked into ([`Unread`]): they are logged as they are.
//!
//! Left out: how documents of tools become claims, which is `assay-intake`'s, and any judgment of
//! what a claim says.

#[macro_use]
mod kinds;

mod attachment;
pub mod audit;
pub mod descriptor;
pub mod endorsement;
mod error;
pub mod issuer;
pub mod key_compromise;
pub mod lifecycle;
mod named;
pub mod node;
pub mod practice;
mod predicate;
pub mod provenance;
mod raw;
pub mod reference;
pub mod registry_status;
pub mod requirement;
pub mod response;
pub mod sbom;
pub mod scan;
pub mod scorecard;
pub mod subject;
mod unread;
pub mod vex;
pub mod withdrawal;

pub use crate::time::Timestamp;
pub use attachment::{AttachmentRef, attachments};
pub use error::PredicateError;
pub use named::{is_vulnerability_id, target, vulnerabilities, vulnerability_ids};
pub use predicate::PredicateType;
pub use unread::Unread;

use crate::claim::ClaimId;
use crate::json::Value;
use crate::statement::Statement;
use predicate::Predicate;

kinds! {
    /// What a scanner found.
    Scan(scan::Vulns),
    /// A software bill of materials.
    Sbom(sbom::Sbom),
    /// Which vulnerabilities can be exploited in which products.
    Vex(vex::Vex),
    /// Support dates.
    Lifecycle(lifecycle::Lifecycle),
    /// How something was built.
    Provenance(provenance::Provenance),
    /// A result of OpenSSF Scorecard.
    Scorecard(scorecard::Scorecard),
    /// Documents beside the log.
    Reference(reference::Reference),
    /// An issuer's record.
    Issuer(issuer::Issuer),
    /// An issuer vouches for another.
    Endorsement(endorsement::Endorsement),
    /// A claim is taken back.
    Withdrawal(withdrawal::Withdrawal),
    /// A reply to a claim.
    Response(response::Response),
    /// A key is not to be trusted.
    KeyCompromise(key_compromise::KeyCompromise),
    /// A review.
    Audit(audit::Audit),
    /// How software is made, and what it does with data.
    Practice(practice::Practice),
    /// What a consumer demands.
    Requirement(requirement::Requirement),
    /// What its registry has marked it as.
    RegistryStatus(registry_status::RegistryStatus),
}

impl Body {
    /// Reads a statement's predicate, and checks its subject where the type says what that is.
    ///
    /// # Errors
    ///
    /// Where the predicate or the subject is not what the type asks for. A type that is not in the
    /// list asks for nothing.
    pub fn of(statement: &Statement) -> Result<Self, PredicateError> {
        let body = Self::read(statement.predicate_type(), statement.predicate())?;
        body.check_subject(statement)?;
        Ok(body)
    }

    /// Whether an issuer whose only role is `builder` may say it: nothing that clears or judges
    /// (docs/design.md 3.4).
    pub fn is_of_builders(&self) -> bool {
        matches!(
            self,
            Body::Provenance(_)
                | Body::Sbom(_)
                | Body::Scan(_)
                | Body::Other(Unread::Release | Unread::TestResult)
        )
    }
}

impl Kind {
    /// The kind that is read and has this short name, such as `sbom`.
    pub fn named(short_name: &str) -> Option<Self> {
        let mut kinds = Self::ALL.iter().copied();
        kinds.find(|kind| kind.short_name() == Some(short_name))
    }

    /// The URIs of all its types, the preferred one of each type first. None if it is not read.
    pub fn uris(self) -> impl Iterator<Item = &'static str> {
        types()
            .flat_map(|known| known.uris)
            .copied()
            .filter(move |uri| Kind::of(uri) == self)
    }

    /// The URI that new claims of the kind have; of a kind with several types, that of the first.
    /// `None` if it is not read.
    pub fn uri(self) -> Option<&'static str> {
        self.uris().next()
    }
}

/// The type that goes by `uri`, or `None` if it is not read.
pub fn by_uri(uri: &str) -> Option<&'static PredicateType> {
    types().find(|known| known.uris.contains(&uri))
}

/// Checks a predicate. Types that are not in the list pass.
pub fn check(uri: &str, predicate: &Value) -> Result<(), PredicateError> {
    Body::read(uri, predicate).map(drop)
}

#[cfg(test)]
mod tests;
