//! What the version of a package says of the release of its distribution that it was built for.

use super::Purl;
use std::borrow::Cow;

/// How tags of releases begin in versions of RPM packages, by the distributions that put them
/// there: `2.5.0-2.el9_4.2` is of the ninth release (Fedora packaging guidelines, "DistTag").
const TAGS: [(&str, &[&str]); 3] = [
    (
        "el",
        &[
            "alma",
            "almalinux",
            "centos",
            "ol",
            "oracle",
            "oraclelinux",
            "redhat",
            "rhel",
            "rocky",
            "rocky-linux",
        ],
    ),
    ("fc", &["fedora"]),
    ("amzn", &["amazon", "amzn"]),
];

impl Purl {
    /// The release of its distribution: the one that it states, or else the major one that its
    /// version is tagged with, as a number.
    pub fn release(&self) -> Option<Cow<'_, str>> {
        let stated = self.distribution().map(Cow::Borrowed);
        stated.or_else(|| self.built_for().map(|number| number.to_string().into()))
    }

    /// The major release that its version is tagged with.
    pub fn built_for(&self) -> Option<u32> {
        let vendor = self.namespace().filter(|_| self.ty() == "rpm")?;
        let mut tags = TAGS.iter();
        let (tag, _) = tags.find(|(_, vendors)| vendors.contains(&vendor))?;
        let version = self.version()?;
        let mut words = version.split(|c: char| !c.is_ascii_alphanumeric());
        words.find_map(|word| {
            let rest = word.strip_prefix(tag)?;
            let end = rest.find(|c: char| !c.is_ascii_digit());
            rest.get(..end.unwrap_or(rest.len()))?.parse().ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_can_be_tagged_with_a_release() {
        for (purl, expected) in [
            ("pkg:rpm/redhat/a@2.5.0-2.el9_4.2?arch=src", Some("9")),
            (
                "pkg:rpm/redhat/a@1-1.module%2Bel8.10.0%2B224%2Bab",
                Some("8"),
            ),
            ("pkg:rpm/almalinux/a@1-1.module_el8.9.0%2B36", Some("8")),
            ("pkg:rpm/centos/a@1-1.el7.centos", Some("7")),
            ("pkg:rpm/redhat/a@1-1.el9ost", Some("9")),
            ("pkg:rpm/redhat/a@1-1.el9?distro=rhel-8.6", Some("rhel-8.6")),
            ("pkg:rpm/fedora/a@1-1.fc39", Some("39")),
            ("pkg:rpm/amazon/a@1-1.amzn2023.0.1", Some("2023")),
            ("pkg:rpm/fedora/a@1-1.el9", None),
            ("pkg:rpm/redhat/a@1-1.eln", None),
            ("pkg:rpm/redhat/a@1-1.model9", None),
            ("pkg:rpm/redhat/a", None),
            ("pkg:deb/redhat/a@1-1.el9", None),
            ("pkg:npm/redhat/a@1-1.el9", None),
        ] {
            let purl = Purl::canonicalize(purl).unwrap();
            assert_eq!(purl.release().as_deref(), expected, "{purl:?}");
        }
    }
}
