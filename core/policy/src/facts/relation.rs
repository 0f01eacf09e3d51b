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

/// Whether a statement is about the component: about its package as a whole, its version, or its
/// artifact.
pub(crate) fn relation(claim: &VerifiedClaim, component: &Component) -> Option<Relation> {
    let same_digest = |algorithm: &str, value: &str| {
        let ours = component
            .digests()
            .iter()
            .filter(|(name, _)| name == algorithm);
        let mut matches = ours.map(|(_, ours)| ours == value).peekable();
        matches.peek()?;
        Some(matches.any(|same| same))
    };

    let closest = claim
        .statement()
        .subjects()
        .iter()
        .filter_map(|subject: &Subject| {
            let compared: Vec<bool> = subject
                .digests()
                .iter()
                .filter_map(|(algorithm, value)| same_digest(algorithm, value))
                .collect();
            if compared.contains(&true) {
                return Some(Relation::This);
            }
            let (ours, theirs) = (component.purl()?, subject.purl()?);
            let covered = match theirs.version() {
                None => theirs.without_version() == ours.without_version(),
                Some(_) => theirs.without_qualifiers() == ours.without_qualifiers(),
            };
            covered.then(
                || match (compared.is_empty(), places(ours).eq(places(theirs))) {
                    (true, true) => Relation::This,
                    (false, true) => Relation::OtherArtifact,
                    (_, false) => Relation::OtherSource,
                },
            )
        })
        .min()?;
    match component
        .purl()
        .filter(|purl| purl.version().is_some())
        .map(|purl| is_of_version(claim.body(), purl))
    {
        None | Some(Applies::Yes) => Some(closest),
        Some(Applies::Undecided) => Some(closest.max(Relation::OtherVersions)),
        Some(Applies::No) => None,
    }
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
