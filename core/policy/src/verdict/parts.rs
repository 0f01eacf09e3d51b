//! Which claims speak of which parts of products, so that for each part of a product only those are
//! looked at that can be about it.

use crate::component::{Component, InBom};
use assay_claims::bom_link::BomLink;
use assay_claims::kind::vex::{Product, Vex};
use assay_claims::purl::Purl;
use std::collections::{BTreeMap, BTreeSet};

/// The places of claims of VEX documents, by the parts of products that they speak of.
#[derive(Debug, Default)]
pub(super) struct Parts<'a> {
    by_package: BTreeMap<String, BTreeSet<usize>>,
    by_digest: BTreeMap<(&'a str, &'a str), BTreeSet<usize>>,
    /// Whatever BOM-Links lead to, products and their parts.
    by_link: BTreeMap<BomLink, BTreeSet<usize>>,
    /// Those that say something of products as a whole.
    of_whole: BTreeSet<usize>,
}

impl<'a> Parts<'a> {
    /// Takes up what a document says, whose claim is at this place.
    pub(super) fn take(&mut self, place: usize, vex: &'a Vex) {
        for statement in &vex.statements {
            if statement.products.is_empty() {
                self.of_whole.insert(place);
            }
            for product in &statement.products {
                if product.parts.is_empty() {
                    self.of_whole.insert(place);
                }
                self.take_links(place, product);
                for part in &product.parts {
                    self.take_part(place, part);
                }
            }
        }
    }

    fn take_links(&mut self, place: usize, product: &Product) {
        for link in product.ids.iter().filter_map(|id| BomLink::parse(id)) {
            self.by_link.entry(link).or_default().insert(place);
        }
    }

    fn take_part(&mut self, place: usize, part: &'a Product) {
        self.take_links(place, part);
        for purl in part.ids.iter().filter_map(|id| Purl::canonicalize(id).ok()) {
            let package = purl.package_key().into_owned();
            self.by_package.entry(package).or_default().insert(place);
        }
        for (algorithm, digest) in &part.digests {
            let places = self.by_digest.entry((algorithm, digest)).or_default();
            places.insert(place);
        }
    }

    /// Those of the given places whose claims can speak of a component as a part of a product, or
    /// of products as a whole.
    pub(super) fn about(
        &self,
        component: &Component,
        mut places: BTreeSet<usize>,
    ) -> BTreeSet<usize> {
        let mut about = self.naming(component);
        about.push(&self.of_whole);
        places.retain(|place| about.iter().any(|some| some.contains(place)));
        places
    }

    /// Those of the given places whose claims can speak of a component in its BOM.
    pub(super) fn in_bom<'s>(
        &'s self,
        component: &'s Component,
        places: impl Iterator<Item = usize>,
    ) -> impl Iterator<Item = usize> {
        let naming = self.naming(component);
        places.filter(move |place| naming.iter().any(|some| some.contains(place)))
    }

    /// The places of claims that name a component as a part of something, or by a link to it.
    fn naming<'s>(&'s self, component: &'s Component) -> Vec<&'s BTreeSet<usize>> {
        let packages = component.packages();
        let mut naming: Vec<&BTreeSet<usize>> = packages
            .filter_map(|package| self.by_package.get(&package))
            .collect();
        let digests = component.digests().iter();
        naming.extend(
            digests
                .filter_map(|(name, value)| self.by_digest.get(&(name.as_str(), value.as_str()))),
        );
        let links = component.bom().into_iter().flat_map(InBom::links);
        naming.extend(links.filter_map(|link| self.by_link.get(&link)));
        naming
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{component, value};

    fn places(text: &str, component: &Component) -> usize {
        let text = format!(
            r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://e.org/1","author":"A","timestamp":"2026-01-01T00:00:00Z","statements":[{{"vulnerability":"CVE-1","status":"fixed"{text}}}]}}"#
        );
        let vex = Vex::parse(&value(&text)).unwrap();
        let mut parts = Parts::default();
        parts.take(7, &vex);
        parts.about(component, [6, 7, 8].into()).len()
    }

    #[test]
    fn a_claim_is_looked_at_for_the_parts_that_it_names() {
        let digest = "0".repeat(64);
        let lib = Component::new(
            component("pkg:npm/lib@1").purl().cloned(),
            vec![("sha256".into(), digest.clone())],
        );
        let by_digest = format!(r#"{{"hashes":{{"sha-256":"{digest}"}}}}"#);
        for (part, expected) in [
            (r#"{"@id":"pkg:npm/lib@1"}"#, 1),
            (
                r#"{"@id":"urn:x","identifiers":{"purl":"pkg:npm/lib@2"}}"#,
                1,
            ),
            (&by_digest, 1),
            (r#"{"@id":"pkg:npm/other@1"}"#, 0),
        ] {
            let product = format!(r#","products":[{{"@id":"p","subcomponents":[{part}]}}]"#);
            assert_eq!(places(&product, &lib), expected, "{part}");
        }
        assert_eq!(places("", &lib), 1);
        assert_eq!(places(r#","products":[{"@id":"pkg:npm/app@1"}]"#, &lib), 1);
        // What a distribution built of a source package is a part that goes by that name.
        let built = component("pkg:deb/debian/libssl3@3-1?arch=amd64&upstream=openssl");
        let product = r#","products":[{"@id":"p","subcomponents":[{"@id":"pkg:deb/debian/openssl@3-1?arch=source"}]}]"#;
        assert_eq!(places(product, &built), 1);
    }
}
