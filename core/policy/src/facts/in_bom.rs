//! What is said by BOM-Links, of what a CycloneDX BOM lists: of exactly that, in that version of
//! the BOM, and for it only where nothing else has the name.

use super::relation::{Relation, of_named, of_statement_any};
use crate::component::{Component, Pointed};
use assay_claims::bom_link::BomLink;
use assay_claims::kind::Body;
use assay_claims::kind::vex::Product;
use assay_claims::statement::Subject;

/// How a claim about a BOM stands to a component that is listed there: a VEX document can say what
/// it says of something in the BOM, and then it is about that. Nothing else that is said of a BOM
/// is said of what is in it, nor is what a document says of no product.
pub(super) fn of_bom(subjects: &[Subject], body: &Body, component: &Component) -> Option<Relation> {
    let (bom, Body::Vex(vex)) = (component.bom()?, body) else {
        return None;
    };
    let (algorithm, digest) = bom.digest();
    let mut subjects = subjects.iter();
    let is_of_bom = subjects.any(|subject| subject.digest(algorithm) == Some(digest));
    let mut statements = vex.statements.iter();
    if !is_of_bom || statements.any(|statement| statement.products.is_empty()) {
        return None;
    }
    let mut statements = vex.statements.iter();
    let names_it = statements.any(|statement| {
        let relation = of_statement_any(statement, component);
        relation.is_some_and(|relation| relation != Relation::Unnamed)
    });
    names_it.then_some(Relation::This)
}

/// Whether a claim that is about a component is so by the component's BOM alone.
pub(super) fn is_by_bom_alone(subjects: &[Subject], component: &Component) -> bool {
    let mut subjects = subjects.iter();
    component.bom().is_some()
        && subjects.all(|one| of_named(one.purl(), one.digests(), component).is_none())
}

/// Whether a product is the BOM that a component is listed in, and has no other name.
pub(super) fn is_bom_of(product: &Product, component: &Component) -> bool {
    let Some(bom) = component.bom() else {
        return false;
    };
    let mut links = product.ids.iter().map(|id| BomLink::parse(id));
    product.digests.is_empty()
        && !product.ids.is_empty()
        && links.all(|link| link.is_some_and(|link| link.element().is_none() && bom.is_of(&link)))
}

/// Where the BOM-Links among a product's names lead, the farthest of them, seen from a component;
/// `None` if it has none, or one leads to another BOM.
pub(super) fn pointed(product: &Product, component: &Component) -> Option<Pointed> {
    let bom = component.bom()?;
    let links = product.ids.iter().filter_map(|id| BomLink::parse(id));
    let pointed: Option<Vec<Pointed>> = links.map(|link| bom.pointed(&link)).collect();
    pointed?.into_iter().max()
}
