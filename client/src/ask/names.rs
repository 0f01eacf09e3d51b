//! The names under which claims about something stand in the index.

use assay_claims::index::{By, DIGESTS, Kind, Label, Name};
use assay_claims::kind;
use assay_policy::{Component, InBom};
use std::collections::BTreeSet;

/// The names of a component: of its package, its artifacts, and the BOM that lists it. What is said
/// of a version is said of its package, too, so that versions need not be asked for.
pub(super) fn of_component(component: &Component) -> Vec<Name> {
    let mut names: Vec<Name> = of_package(component).collect();
    for (algorithm, hex) in component.digests() {
        if DIGESTS.iter().any(|(known, _)| known == algorithm) {
            names.push(Name::new(Kind::Digest, &format!("{algorithm}:{hex}")));
        }
    }
    names.extend(component.bom().map(InBom::index_name));
    names
}

/// The names of a component's package, and of the source package that it was built of.
pub(super) fn of_package(component: &Component) -> impl Iterator<Item = Name> {
    component.package_names()
}

/// The name of a SHA-256. Issuers and claims, too, are subjects by their ids.
pub(super) fn of_sha256(hex: &str) -> Name {
    Name::new(Kind::Digest, &format!("sha256:{hex}"))
}

/// What says which keys an issuer has, and had.
pub(super) const RECORDS: [kind::Kind; 2] = [kind::Kind::Issuer, kind::Kind::KeyCompromise];

/// The halves of what an issuer says in predicates of these kinds.
pub(super) fn types(kinds: &[kind::Kind]) -> Vec<By> {
    let uris = kinds.iter().flat_map(|kind| kind.uris());
    let types: BTreeSet<By> = uris.map(By::predicate_type).collect();
    types.into_iter().collect()
}

/// Whether a label is of what says which keys somebody has.
pub(super) fn is_of_keys(label: &Label) -> bool {
    types(&RECORDS).contains(&label.by())
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_claims::purl::Purl;

    #[test]
    fn a_component_is_asked_for_by_package_and_indexed_digests() {
        let purl = Purl::canonicalize("pkg:deb/debian/curl@7.1?arch=amd64").unwrap();
        let digests = [("sha256", "aa"), ("sha1", "bb"), ("gitCommit", "cc")]
            .map(|(a, d)| (a.to_owned(), d.to_owned()));
        let expected = [
            (Kind::Package, "pkg:deb/debian/curl"),
            (Kind::Digest, "sha256:aa"),
            (Kind::Digest, "gitCommit:cc"),
        ];
        let component = Component::new(Some(purl), digests.to_vec());
        assert_eq!(
            of_component(&component),
            expected.map(|(kind, value)| Name::new(kind, value))
        );
    }
}
