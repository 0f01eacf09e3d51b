//! How what is said stands to what is asked about: the one relation for subjects of claims and
//! products of VEX statements alike.
//!
//! What speaks for a component has to be about this very artifact, version, build and place, as far
//! as it says which it is about; what cannot be compared is not known to be. Whatever is about a
//! package of the same name and version, or about the same artifact, can speak against it.

use super::artifact::{Artifact, artifact, artifacts, checksums};
use super::build::{ARCH, is_same_build};
use super::in_bom::{is_bom_of, of_bom, pointed};
use super::versions::{in_any_epoch, in_versions};
use crate::component::{Component, Pointed};
use assay_claims::claim::VerifiedClaim;
use assay_claims::kind::Body;
use assay_claims::kind::vex::{Product, VexStatement};
use assay_claims::purl::Purl;
use assay_claims::statement::Subject;
use assay_claims::vers::{self, Applies};

/// Whom or what a claim is about, seen from what is asked about; the closest first. All but the
/// first count against the component, and never for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// It is about this.
    This,
    /// It is about one artifact of the same version, and whether this is that one cannot be told:
    /// they have no digest of the same algorithm, or only one that can be forged, or what is asked
    /// about may be any of several.
    SomeArtifact,
    /// It is about another artifact of the same version, by a digest that differs.
    OtherArtifact,
    /// It is about the same version as it is built for something else, such as another architecture
    /// or distribution, or about a part of it; or it says which build it is about, and what is
    /// asked about does not.
    OtherBuild,
    /// It is about some versions, and whether this is one of them cannot be told.
    OtherVersions,
    /// It is about this as a part of a product, and whether what is asked about is in that cannot
    /// be told.
    OtherProduct,
    /// It is about a package of the same name from another place ([`Component::from_elsewhere`]).
    /// It may be the same software or not.
    OtherSource,
    /// Its products are named in a way that cannot be compared, such as by CPE.
    Unnamed,
}

/// How a claim stands to a component; `None` if it is not about its package as a whole, its version
/// or its artifact.
pub(crate) fn relation(claim: &VerifiedClaim, component: &Component) -> Option<Relation> {
    relation_of(claim.statement().subjects(), claim.body(), component)
}

/// As [`relation`], of a claim with these subjects that says this.
pub(crate) fn relation_of(
    subjects: &[Subject],
    body: &Body,
    component: &Component,
) -> Option<Relation> {
    of_all_artifacts(component, |one| relation_of_any(subjects, body, one))
}

/// How what is said stands to a component that may be any of several artifacts, given how it stands
/// to each: it is about this if it is about all of them, whichever of them this is.
fn of_all_artifacts(
    component: &Component,
    relate: impl Fn(&Component) -> Option<Relation>,
) -> Option<Relation> {
    let relation = relate(component)?;
    let is_of = |one: &Component| relate(one) == Some(Relation::This);
    if relation == Relation::This && !artifacts(component).iter().all(is_of) {
        return Some(Relation::SomeArtifact);
    }
    Some(relation)
}

/// The same, of any artifact that the component may be.
fn relation_of_any(subjects: &[Subject], body: &Body, component: &Component) -> Option<Relation> {
    let closest = subjects
        .iter()
        .filter_map(|subject| of_named(subject.purl(), subject.digests(), component))
        .chain(of_bom(subjects, body, component))
        .min()?;
    let applies = match component.purl() {
        Some(purl) if purl.version().is_some() => is_of_version(body, purl),
        _ => Applies::Yes,
    };
    match applies {
        Applies::Yes => Some(closest),
        Applies::Undecided => Some(closest.max(Relation::OtherVersions)),
        Applies::No => None,
    }
}

/// Whether support dates are those of the component's version. Nothing else has dates of its own.
pub(crate) fn of_dates(body: &Body, component: &Component) -> Applies {
    let Body::Lifecycle(said) = body else {
        return Applies::No;
    };
    match component.purl() {
        Some(purl) => said.applies_to(purl),
        None if said.versions.is_none() => Applies::Yes,
        None => Applies::Undecided,
    }
}

/// How the products of a VEX statement stand to a component; `None` if they are others. Without
/// products it is about the subjects of its claim.
pub(crate) fn of_statement(statement: &VexStatement, component: &Component) -> Option<Relation> {
    of_all_artifacts(component, |one| of_statement_any(statement, one))
}

/// The same, of any artifact that the component may be.
pub(super) fn of_statement_any(
    statement: &VexStatement,
    component: &Component,
) -> Option<Relation> {
    if statement.products.is_empty() {
        return Some(Relation::This);
    }
    let mut closest: Option<Relation> = None;
    let mut named = false;
    for product in &statement.products {
        let mut closer = |relation: Relation| {
            closest = Some(closest.map_or(relation, |known| known.min(relation)));
        };
        match of_product(product, component) {
            Likeness::Is(relation) => closer(relation),
            Likeness::Other => named = true,
            Likeness::Unnamed => {}
        }
        if let Some(relation) = of_part(product, component) {
            closer(relation);
        }
    }
    if closest.is_none() && !named {
        return Some(Relation::Unnamed);
    }
    closest
}

/// Whether a statement is about a component only as far as it is about versions of it of which
/// nobody can tell whether this is one.
pub(crate) fn is_of_untold_versions(statement: &VexStatement, component: &Component) -> bool {
    let mut any = false;
    for product in &statement.products {
        let is_part = of_part(product, component).is_some();
        let parts = product.parts.iter().filter(|_| is_part);
        let product =
            matches!(of_product_alone(product, component), Likeness::Is(_)).then_some(product);
        for one in product.into_iter().chain(parts) {
            match of_product_alone(one, component) {
                Likeness::Is(_) if has_untold_versions(one, component) => any = true,
                Likeness::Is(_) => return false,
                Likeness::Other | Likeness::Unnamed => {}
            }
        }
    }
    any
}

/// Whether one of the purls of a product states a range of versions of which it cannot be told
/// whether the component's is in it.
fn has_untold_versions(product: &Product, component: &Component) -> bool {
    let Some(ours) = component.purl() else {
        return false;
    };
    let ids = product.ids.iter().filter(|id| Purl::begins(id));
    let mut purls = ids.filter_map(|id| Purl::canonicalize(id).ok());
    purls.any(|theirs| {
        let is_of = |ours: &Purl| in_versions(ours, &theirs) == Some(Relation::OtherVersions);
        theirs.version().is_none() && (is_of(ours) || ours.source().is_some_and(|one| is_of(&one)))
    })
}

/// The first range of versions that a statement states of its products or their parts.
pub(crate) fn range(statement: &VexStatement) -> Option<String> {
    let products = statement.products.iter();
    let mut all = products.flat_map(|one| std::iter::once(one).chain(&one.parts));
    all.find_map(|product| {
        product.ids.iter().find_map(|id| {
            let purl = Purl::canonicalize(id).ok()?;
            purl.qualifier(vers::QUALIFIER).map(str::to_owned)
        })
    })
}

/// How a statement of the makers of the product that a component is a part of stands to the
/// component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Within {
    /// It is about the component as a part of the product, and stands so to it.
    Part(Relation),
    /// It is about the product as a whole, and stands so to that. What does no harm to the whole
    /// does none by any part. What harms it may do so by any other.
    Whole(Relation),
}

/// How a statement about the product that a component is a part of stands to the component; `None`
/// if it is about something else, or about other parts. Statements without products are about the
/// subjects of their claim: about `product` as that says.
pub(crate) fn of_statement_within(
    statement: &VexStatement,
    component: &Component,
) -> Option<Within> {
    let within = of_statement_within_any(statement, component)?;
    let relation = of_all_artifacts(component, |one| {
        match (of_statement_within_any(statement, one)?, within) {
            (Within::Part(relation), Within::Part(_))
            | (Within::Whole(relation), Within::Whole(_)) => Some(relation),
            _ => None,
        }
    })?;
    Some(match within {
        Within::Part(_) => Within::Part(relation),
        Within::Whole(_) => Within::Whole(relation),
    })
}

/// The same, of any artifacts that the component and its product may be.
fn of_statement_within_any(statement: &VexStatement, component: &Component) -> Option<Within> {
    let ours = component.product()?;
    if statement.products.is_empty() {
        return Some(Within::Whole(Relation::This));
    }
    let (mut whole, mut part): (Option<Relation>, Option<Relation>) = (None, None);
    let closer = |known: Option<Relation>, other: Relation| {
        Some(known.map_or(other, |known| known.min(other)))
    };
    for product in &statement.products {
        if product.parts.is_empty() {
            if let Likeness::Is(relation) = of_product(product, ours) {
                whole = closer(whole, relation);
            }
        } else if let Some(relation) = of_part(product, component)
            && relation != Relation::OtherProduct
        {
            part = closer(part, relation);
        }
    }
    part.map(Within::Part).or(whole.map(Within::Whole))
}

/// How the parts of a product stand to a component, as it is used there; `None` if they are others.
/// If it cannot be told whether the component is in the product, what is said may be of another use
/// of it; if it is in another one, it is.
fn of_part(product: &Product, component: &Component) -> Option<Relation> {
    let parts = product.parts.iter().map(|part| of_product(part, component));
    let relations = parts.filter_map(|likeness| match likeness {
        Likeness::Is(relation) => Some(relation),
        Likeness::Other | Likeness::Unnamed => None,
    });
    let closest = relations.min()?;
    let ours = component.product();
    let of_whole = match ours.map(|ours| of_product_alone(product, ours)) {
        Some(Likeness::Is(relation)) => relation,
        _ if is_bom_of(product, component) => Relation::This,
        Some(Likeness::Other) if !is_some_version(product, ours) => return None,
        Some(_) | None => Relation::OtherProduct,
    };
    Some(closest.max(of_whole))
}

/// Whether a product is some version of a package of which the version is not known.
fn is_some_version(product: &Product, ours: Option<&Component>) -> bool {
    let Some(ours) = ours.and_then(Component::purl) else {
        return false;
    };
    let mut purls = product
        .ids
        .iter()
        .filter_map(|id| Purl::canonicalize(id).ok());
    ours.version().is_none() && purls.any(|theirs| theirs.is_same_package(ours))
}

/// Whether one of the parts of a product is this package.
pub(crate) fn has_part(product: &Product, part: &Purl) -> bool {
    let component = Component::new(Some(part.clone()), Vec::new());
    let mut parts = product.parts.iter();
    parts.any(|one| matches!(of_product(one, &component), Likeness::Is(Relation::This)))
}

/// Whether a product is what is asked about, whatever its parts are.
pub(crate) fn is_of_product(product: &Product, component: &Component) -> bool {
    let relation = of_all_artifacts(component, |one| match of_product_alone(product, one) {
        Likeness::Is(relation) => Some(relation),
        Likeness::Other | Likeness::Unnamed => None,
    });
    relation == Some(Relation::This)
}

/// How a product stands to a component.
enum Likeness {
    Is(Relation),
    Other,
    /// That cannot be told.
    Unnamed,
}

/// How a product stands to a component. What is said of a part of it, as it is used there, is not
/// said of the whole.
fn of_product(product: &Product, component: &Component) -> Likeness {
    match of_product_alone(product, component) {
        Likeness::Is(relation) if !product.parts.is_empty() => {
            Likeness::Is(relation.max(Relation::OtherBuild))
        }
        likeness => likeness,
    }
}

/// All identifiers of a product name the same thing. If one of them is of something else, it cannot
/// be told whether the product is this. A link into a BOM says which it is of all that have one
/// purl, and more of its build than the purl: where it leads to something else, it is not this.
fn of_product_alone(product: &Product, component: &Component) -> Likeness {
    let names = of_names(product, component);
    let Some(pointed) = pointed(product, component) else {
        return names;
    };
    match (pointed, names) {
        (Pointed::Elsewhere, Likeness::Is(relation)) => {
            Likeness::Is(relation.max(Relation::OtherBuild))
        }
        (Pointed::Elsewhere, _) => Likeness::Other,
        (_, Likeness::Other) => Likeness::Is(Relation::Unnamed),
        (
            Pointed::Here,
            Likeness::Unnamed | Likeness::Is(Relation::SomeArtifact | Relation::OtherBuild),
        ) => Likeness::Is(Relation::This),
        (Pointed::Here, likeness) => likeness,
        (Pointed::Perhaps, Likeness::Unnamed) => Likeness::Is(Relation::SomeArtifact),
        (Pointed::Perhaps, Likeness::Is(relation)) => {
            Likeness::Is(relation.max(Relation::SomeArtifact))
        }
    }
}

/// How the purls and the digests of a product stand to a component. A purl that is none leaves it
/// open.
fn of_names(product: &Product, component: &Component) -> Likeness {
    let ids = product.ids.iter().filter(|id| Purl::begins(id));
    let read: Vec<Option<Purl>> = ids.map(|id| Purl::canonicalize(id).ok()).collect();
    let is_unread = read.contains(&None);
    let purls: Vec<Purl> = read.into_iter().flatten().collect();
    if purls.is_empty() || component.purl().is_none() {
        let stated: Vec<_> = purls.iter().flat_map(checksums).collect();
        return match artifact(product.digests.iter().chain(&stated), component) {
            Artifact::Same => Likeness::Is(Relation::This),
            _ if product.is_unnamed() => Likeness::Other,
            Artifact::Other => Likeness::Other,
            Artifact::Untold | Artifact::Unnamed => Likeness::Unnamed,
        };
    }
    let relations: Vec<Option<Relation>> = purls
        .iter()
        .map(|purl| of_named(Some(purl), &product.digests, component))
        .collect();
    let Some(furthest) = relations.iter().copied().flatten().max() else {
        return Likeness::Other;
    };
    let all = !is_unread && relations.iter().all(Option::is_some);
    let relation = if all { furthest } else { Relation::Unnamed };
    Likeness::Is(relation)
}

/// How what has this purl and these digests stands to a component; `None` if it is something else.
/// Digests in the purl are digests.
pub(super) fn of_named(
    purl: Option<&Purl>,
    digests: &[(String, String)],
    component: &Component,
) -> Option<Relation> {
    let stated = purl.map(checksums).unwrap_or_default();
    let artifact = artifact(digests.iter().chain(&stated), component);
    if artifact == Artifact::Same {
        return Some(Relation::This);
    }
    let (ours, theirs) = (component.purl()?, purl?);
    let by_build = of_package(ours, theirs)
        .into_iter()
        .chain(of_source(ours, theirs))
        .min()?;
    let by_artifact = match artifact {
        Artifact::Same | Artifact::Unnamed => Relation::This,
        Artifact::Untold => Relation::SomeArtifact,
        Artifact::Other => Relation::OtherArtifact,
    };
    Some(by_artifact.max(by_build))
}

/// How a package that is spoken of stands to ours; `None` if it is another one, or another version,
/// or of another release of a distribution or another stream of a module: each of these has fixes
/// of its own.
fn of_package(ours: &Purl, theirs: &Purl) -> Option<Relation> {
    let by_versions = in_versions(ours, theirs)?;
    let other_release = ours.release().zip(theirs.distribution());
    if other_release.is_some_and(|(one, other)| ours.is_other_release(&one, other)) {
        return None;
    }
    if ours.is_of_other_stream(theirs) {
        return None;
    }
    if is_same_image(ours, theirs) {
        return Some(Relation::This);
    }
    let by_build = if !ours.is_from_same_place(theirs) {
        Relation::OtherSource
    } else if is_same_build(ours, theirs) {
        Relation::This
    } else {
        Relation::OtherBuild
    };
    Some(by_build.max(by_versions))
}

/// Whether both are one image by its digest, which is the image wherever it lies and whatever it is
/// built for: the version of an image is its digest.
fn is_same_image(ours: &Purl, theirs: &Purl) -> bool {
    let is_image = ["docker", "oci"].contains(&ours.ty());
    let mut both = [ours, theirs].into_iter();
    let digested = both.all(|one| one.version().is_some_and(|it| it.starts_with("sha256:")));
    is_image && digested && ours.subpath() == theirs.subpath()
}

/// How a source package that is spoken of stands to ours, which was built of it: what is said of
/// the sources is said of all that is built of them. What is said of a binary package is not; and
/// what does not say which of the two it is of counts only against ours, as the binary package of
/// that name may be meant.
fn of_source(ours: &Purl, theirs: &Purl) -> Option<Relation> {
    let relation = || {
        let source = ours.source()?;
        let relation = of_package(&source, theirs);
        if ours.leaves_epoch_of_source_open() {
            in_any_epoch(&source, theirs, relation, of_package)
        } else {
            relation
        }
    };
    if theirs.is_of_sources() {
        return relation();
    }
    if theirs.qualifier(ARCH).is_some() {
        return None;
    }
    relation().map(|relation| relation.max(Relation::OtherBuild))
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
