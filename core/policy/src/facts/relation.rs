//! How a claim stands to what is asked about.

use crate::component::{Component, places};
use assay_claims::claim::VerifiedClaim;
use assay_claims::kind::Body;
use assay_claims::purl::Purl;
use assay_claims::statement::Subject;
use assay_claims::vers::Applies;

/// Whom or what a claim is about, seen from what is asked about; the closest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// It is about this.
    This,
    /// It is about another artifact of the same version, by a digest that differs.
    OtherArtifact,
    /// It is about some versions, and whether this is one of them cannot be told. It counts against
    /// the component, and never for it.
    OtherVersions,
    /// It is about a package of the same name from another place ([`Component::from_elsewhere`]).
    /// It may be the same software or not: it counts against the component, and never for it.
    OtherSource,
}

/// How a claim stands to a component; `None` if it is not about its package as a whole, its version
/// or its artifact.
pub(crate) fn relation(claim: &VerifiedClaim, component: &Component) -> Option<Relation> {
    let subjects = claim.statement().subjects().iter();
    let closest = subjects
        .filter_map(|subject| of_subject(subject, component))
        .min()?;
    let applies = match component.purl() {
        Some(purl) if purl.version().is_some() => is_of_version(claim.body(), purl),
        _ => Applies::Yes,
    };
    match applies {
        Applies::Yes => Some(closest),
        Applies::Undecided => Some(closest.max(Relation::OtherVersions)),
        Applies::No => None,
    }
}

fn of_subject(subject: &Subject, component: &Component) -> Option<Relation> {
    let same_artifact = same_artifact(subject, component);
    if same_artifact == Applies::Yes {
        return Some(Relation::This);
    }
    let (ours, theirs) = (component.purl()?, subject.purl()?);
    let same_package = if theirs.version().is_none() {
        theirs.without_version() == ours.without_version()
    } else {
        theirs.without_qualifiers() == ours.without_qualifiers()
    };
    if !same_package {
        None
    } else if !places(ours).eq(places(theirs)) {
        Some(Relation::OtherSource)
    } else if same_artifact == Applies::No {
        Some(Relation::OtherArtifact)
    } else {
        Some(Relation::This)
    }
}

/// Whether the subject is the component's artifact. It is if one digest is the same; undecided if
/// they have no digest of the same algorithm.
fn same_artifact(subject: &Subject, component: &Component) -> Applies {
    let mut same = Applies::Undecided;
    for (algorithm, theirs) in subject.digests() {
        for (name, ours) in component.digests() {
            if name == algorithm && ours == theirs {
                return Applies::Yes;
            }
            if name == algorithm {
                same = Applies::No;
            }
        }
    }
    same
}

/// Whether the claim's own version range covers the version of `package`.
fn is_of_version(body: &Body, package: &Purl) -> Applies {
    match body {
        Body::Audit(audit) => audit.applies_to(package),
        // Undecided dates are reported to people: see `deny`.
        Body::Lifecycle(said) if said.applies_to(package) == Applies::No => Applies::No,
        _ => Applies::Yes,
    }
}
