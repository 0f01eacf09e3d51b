//! The labels of the index under which claims about something stand.

use assay_claims::index::{Kind, Label};
use assay_policy::Component;

/// Algorithms whose digests are labels of the index.
const INDEXED: [&str; 3] = ["sha256", "sha512", "gitCommit"];

/// The labels of a component: of its version, its package, and its artifacts. What is known of a
/// version is what is said of it and what is said of its package.
pub(super) fn of_component(component: &Component) -> Vec<Label> {
    let mut labels = Vec::new();
    if let Some(purl) = component.purl() {
        if purl.version().is_some() {
            labels.push(Label::new(Kind::Version, purl.without_qualifiers()));
        }
        labels.push(Label::new(Kind::Package, purl.without_version()));
    }
    for (algorithm, hex) in component.digests() {
        if INDEXED.contains(&algorithm.as_str()) {
            labels.push(Label::new(Kind::Digest, &format!("{algorithm}:{hex}")));
        }
    }
    labels
}

/// The label of a SHA-256. Issuers and claims, too, are subjects by their ids.
pub(super) fn of_sha256(hex: &str) -> Label {
    Label::new(Kind::Digest, &format!("sha256:{hex}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_claims::purl::Purl;

    #[test]
    fn a_component_is_asked_for_by_version_package_and_indexed_digests() {
        let purl = Purl::canonicalize("pkg:deb/debian/curl@7.1?arch=amd64").unwrap();
        let digests = [("sha256", "aa"), ("sha1", "bb"), ("gitCommit", "cc")]
            .map(|(a, d)| (a.to_owned(), d.to_owned()));
        let expected = [
            (Kind::Version, "pkg:deb/debian/curl@7.1"),
            (Kind::Package, "pkg:deb/debian/curl"),
            (Kind::Digest, "sha256:aa"),
            (Kind::Digest, "gitCommit:cc"),
        ];
        let component = Component::new(Some(purl), digests.to_vec());
        assert_eq!(
            of_component(&component),
            expected.map(|(kind, value)| Label::new(kind, value))
        );
    }
}
