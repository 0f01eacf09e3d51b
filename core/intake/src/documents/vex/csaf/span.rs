//! What lies between the first and the last version that a document calls affected (CSAF 2.0,
//! 3.2.3.9: `first_affected` and `last_affected`).

use super::super::Named;
use super::super::order::any_of;
use super::tree::Tree;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::Node;
use assay_claims::purl::Purl;
use assay_claims::vers::{self, Applies};
use std::collections::HashMap;

/// What the groups of a vulnerability say of packages, by their purls without a version.
#[derive(Default)]
pub(super) struct Spans {
    packages: HashMap<String, Package>,
}

#[derive(Default)]
struct Package {
    first: Vec<Purl>,
    last: Vec<Purl>,
    cleared: Vec<Purl>,
}

/// The group whose versions are the last ones that are affected.
const LAST: &str = "last_affected";

impl Spans {
    pub fn read(groups: &Node<'_, '_>, tree: &Tree<'_>) -> Result<Self, PredicateError> {
        let mut spans = Spans::default();
        if groups.get("first_affected").is_none() || groups.get(LAST).is_none() {
            return Ok(spans);
        }
        for (group, products) in groups.members()? {
            for product in products.items()? {
                let found = tree.find(&product, product.text()?, false)?;
                let alone = found.iter().filter(|(_, part)| part.is_none());
                for purl in alone.flat_map(|(about, _)| &about.purls) {
                    let package = spans.packages.entry(package(purl)).or_default();
                    match group {
                        "first_affected" => package.first.push(purl.clone()),
                        LAST => package.last.push(purl.clone()),
                        "known_not_affected" | "fixed" | "first_fixed" => {
                            package.cleared.push(purl.clone());
                        }
                        _ => {}
                    }
                }
            }
        }
        Ok(spans)
    }

    /// What a product of a group stands for, as [`Tree::find`] says; the last version that is
    /// affected for all since the first, too.
    pub fn find(
        &self,
        tree: &Tree<'_>,
        product: &Node<'_, '_>,
        (group, clears): (&str, bool),
    ) -> Result<Vec<(Named, Option<Named>)>, PredicateError> {
        let mut found = tree.find(product, product.text()?, clears)?;
        let alone = found.iter_mut().filter(|(_, part)| part.is_none());
        for (about, _) in alone.filter(|_| group == LAST) {
            let ranges: Vec<Named> = about.purls.iter().filter_map(|it| self.until(it)).collect();
            for range in ranges {
                *about = about.clone().and(&range);
            }
        }
        Ok(found)
    }

    /// The versions from the first to this one. `None` if there are several of either, as nobody
    /// says which belong together; if one between them is cleared; or if their order is not known.
    fn until(&self, last: &Purl) -> Option<Named> {
        let package = self.packages.get(&package(last))?;
        let ([first], [_]) = (package.first.as_slice(), package.last.as_slice()) else {
            return None;
        };
        let ty = last.ty();
        if !vers::is_ordered(ty) || last.qualifier("epoch").is_some() {
            return None;
        }
        let (from, to) = (first.version()?, last.version()?);
        let between = any_of(ty, ty, &[vec![(">=", from.into()), ("<=", to.into())]])?;
        let range = format!("vers:{ty}/{between}");
        let mut cleared = package.cleared.iter();
        let is_whole = cleared.all(|one| vers::contains_that_of(&range, one) == Applies::No);
        let any = Named {
            purls: vec![last.clone()],
            ..Named::default()
        };
        is_whole.then(|| any.in_range(&range))
    }
}

/// A purl without its version.
fn package(purl: &Purl) -> String {
    let mut parts = purl.components();
    parts.version = None;
    Purl::build(parts).map_or_else(
        |_| purl.as_str().to_owned(),
        |built| built.as_str().to_owned(),
    )
}
