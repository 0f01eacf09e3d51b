//! What SBOMs call a thing, beside its package URL: that alone is looked up, and whoever reads the
//! name has to be told if it is of something else.

use super::component::Component;
use super::list::List;
use assay_claims::purl::Purl;
use std::borrow::Cow;

/// What is remarked on an element whose name is another one than that of its purl.
const OTHER: &str = "the document calls these by other names than the package URLs \
                                beside them, which alone are looked up";

/// Longest name that is compared, in bytes: nothing that has a package URL has a longer one.
const NAME: usize = 1000;

/// Most package URLs of one element that its name is compared with.
const COMPARED: usize = 16;

/// Most package URLs of one element: each is compared with all others.
const PURLS: usize = 1000;

/// Most bytes that an element takes more for its being listed once for each package.
const REPEATED: usize = 1024 * 1024;

/// The name of an element: the one that is stated, else that in its package URL. `None` if neither
/// says one.
pub(super) fn name<'a>(stated: Option<&'a str>, purl: Option<&'a str>) -> Option<Cow<'a, str>> {
    if let Some(stated) = stated.filter(|stated| !stated.is_empty()) {
        return Some(Cow::Borrowed(stated));
    }
    let purl = purl.filter(|purl| !purl.is_empty())?;
    Some(match Purl::canonicalize(purl) {
        Ok(purl) => Cow::Owned(purl.name().to_owned()),
        // Why it is none is told with it.
        Err(_) => Cow::Borrowed(purl),
    })
}

/// Why an element with so many package URLs is not listed once for each, if it is not.
pub(super) fn too_many(component: &Component, purls: usize) -> Option<&'static str> {
    let digests = component.digests.iter();
    let digests = digests.map(|(algorithm, digest)| algorithm.len() + digest.len());
    let each = component.name.len() + digests.sum::<usize>();
    let repeated = each.saturating_mul(purls.saturating_sub(1));
    (purls > PURLS || repeated > REPEATED).then_some("has too many package URLs")
}

/// Remarks that a component's name is of something else than each of the purls beside it. What the
/// document is about may be called as its issuer likes.
pub(super) fn remark_other(
    component: &Component,
    purls: &[Purl],
    upstream: Option<&str>,
    list: &mut List,
) {
    let mut all = purls.iter().take(COMPARED);
    let is_compared = !component.own && component.name.len() <= NAME;
    if let Some(first) = purls.first().filter(|_| is_compared)
        && all.all(|purl| is_other(&component.name, purl, upstream))
    {
        // Of a long name the beginning is enough: both have to fit.
        let name: String = component.name.chars().take(24).collect();
        let both = format!("{name} ({})", first.without_qualifiers());
        list.remark(OTHER, None, &both);
    }
}

/// Types of images, which are called by where they lie.
const IMAGES: [&str; 2] = ["docker", "oci"];

/// What Go's own packages are called.
const GO: [&str; 3] = ["go", "std", "stdlib"];

/// Whether a name is surely of something else than a package URL. Groups, scopes, folders and
/// versions may stand in the name or not, case and what separates words mean nothing, and what a
/// distribution built may be called after its sources: those of the purl, or `upstream`.
fn is_other(name: &str, purl: &Purl, upstream: Option<&str>) -> bool {
    let scheme = name.split_once(':').map_or("", |(scheme, _)| scheme);
    let is_address = name.contains("://") || scheme.eq_ignore_ascii_case("urn") || scheme == "_";
    // What has no name in SPDX is called by its identifier.
    if is_address || name.starts_with("SPDXRef-") || IMAGES.contains(&purl.ty()) {
        return false;
    }
    let parts = purl.namespace().into_iter().chain([purl.name()]);
    let parts = parts.chain(purl.subpath()).flat_map(|part| part.split('/'));
    let path = segments(parts, purl);
    // In brackets stand extras of Python.
    let bare = name.split('[').next().unwrap_or_default();
    let bare = bare.strip_suffix(".git").unwrap_or(bare);
    let versioned = purl.version().and_then(|version| bare.rsplit_once(version));
    let unversioned = versioned
        .map(|(before, _)| before)
        .filter(|before| before.ends_with(|c: char| !c.is_alphanumeric()));
    let mut names = [Some(bare), unversioned].into_iter().flatten();
    let is_named = names.any(|name| is_called(name, &path, purl));
    let whole = folded(bare);
    let sources = [purl.qualifier("upstream"), upstream];
    let mut sources = sources.into_iter().flatten();
    let is_of_go = purl.ty() == "golang" && GO.contains(&purl.name());
    !(is_named
        || whole.is_empty()
        || sources.any(|source| {
            letters(source)
                .take(whole.chars().count())
                .eq(whole.chars())
        })
        || is_of_go && GO.contains(&whole.as_str()))
}

/// Whether a name is that at the end of a path, with more or less of the path before it; or if it
/// begins with all of it, as parts of a package do.
fn is_called(name: &str, path: &[String], purl: &Purl) -> bool {
    let stated = segments(name.split('/'), purl);
    let Some(last) = path.last() else {
        return true;
    };
    let whole = stated.concat();
    let mut rest = whole.as_str();
    for segment in path.iter().rev() {
        match rest.strip_suffix(segment.as_str()) {
            Some("") => return true,
            Some(before) => rest = before,
            None => break,
        }
    }
    stated.starts_with(path)
        || name.split(':').any(|part| folded(part) == *last)
        || ends_with(name, last)
}

/// Whether a name has a folded one as its last words.
fn ends_with(name: &str, folded_end: &str) -> bool {
    let mut chars = name.chars().rev().peekable();
    for wanted in folded_end.chars().rev() {
        while chars.next_if(|c| !c.is_alphanumeric()).is_some() {}
        if chars.next().map(|c| c.to_ascii_lowercase()) != Some(wanted) {
            return false;
        }
    }
    chars.peek().is_none_or(|c| !c.is_alphanumeric())
}

/// The parts of a path as they are compared. Those that say the major version of a module of Go
/// name nothing.
fn segments<'a>(parts: impl Iterator<Item = &'a str>, purl: &Purl) -> Vec<String> {
    let folded = parts.map(folded).filter(|part| !part.is_empty());
    let named = folded.filter(|part| {
        let number = part.strip_prefix('v').filter(|_| purl.ty() == "golang");
        number.is_none_or(|number| number.parse::<u32>().is_err())
    });
    named.collect()
}

/// A text of which only letters and digits count, whatever their case.
fn folded(text: &str) -> String {
    letters(text).collect()
}

/// The letters and digits of a text, in lower case.
fn letters(text: &str) -> impl Iterator<Item = char> {
    let letters = text.chars().filter(|c| c.is_alphanumeric());
    letters.map(|c| c.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::Format::Spdx2;
    use crate::components::tests::{found, lines, notes, unidentified};

    /// An SBOM of one package with this name and `count` package URLs.
    fn sbom(name: &str, count: usize) -> String {
        let refs = (0..count).map(|at| {
            format!(
                r#"{{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:npm/a{at}@1"}}"#
            )
        });
        let refs = refs.collect::<Vec<_>>().join(",");
        format!(
            r#"{{"spdxVersion":"SPDX-2.3","packages":[{{"SPDXID":"SPDXRef-1","name":"{name}","externalRefs":[{refs}]}}]}}"#
        )
    }

    /// Whoever has many package URLs, or long names, does not make them be compared for ever, nor
    /// be kept once for each.
    #[test]
    fn names_and_package_urls_are_bounded() {
        let told = |name: &str, count| {
            let found = found(Spdx2, &sbom(name, count));
            notes(&found).contains(OTHER)
        };
        assert!(told("other", 1) && told(&"x".repeat(NAME), 1));
        assert!(!told(&"x".repeat(NAME + 1), 1));
        // What comes late is not looked at.
        assert!(!told("a15", 20) && told("a16", 20));
        let long = "x".repeat(REPEATED / 2);
        for (name, count, listed) in [
            ("other", PURLS, PURLS),
            ("other", PURLS + 1, 0),
            (&long, 3, 3),
            (&long, 4, 0),
        ] {
            let found = found(Spdx2, &sbom(name, count));
            assert_eq!(lines(&found).len(), listed);
            assert_eq!(unidentified(&found).len(), usize::from(listed == 0));
        }
    }

    fn other(name: &str, purl: &str) -> bool {
        is_other(name, &Purl::canonicalize(purl).unwrap(), None)
    }

    #[test]
    fn a_name_of_something_else_is_told() {
        for (name, purl) in [
            ("lodashy", "pkg:npm/other-thing@1.0.0"),
            ("lodash", "pkg:npm/lodashy@1.0.0"),
            ("lodashy", "pkg:npm/lodash@1.0.0"),
            ("a/lodash", "pkg:npm/b/lodash-x@1"),
            ("thing", "pkg:npm/other-thing@1"),
            ("org:log4j-api", "pkg:maven/org/log4j-core@1"),
            ("a.org/b/v2", "pkg:golang/a.org/c/v2@v2.0.0"),
            ("openssl", "pkg:deb/debian/libssl3@3?upstream=gnutls"),
            ("1.0", "pkg:npm/a@1.0"),
            ("a", "pkg:generic/b@1"),
        ] {
            assert!(other(name, purl), "{name} {purl}");
        }
    }

    #[test]
    fn a_name_may_say_more_or_less() {
        for (name, purl) in [
            ("lodash", "pkg:npm/lodash@1.0.0"),
            ("core", "pkg:npm/%40babel/core@7"),
            ("@babel/core", "pkg:npm/%40babel/core@7"),
            ("babel-core", "pkg:npm/%40babel/core@7"),
            ("lodash@1.0.0", "pkg:npm/lodash@1.0.0"),
            ("npm:lodash", "pkg:npm/lodash@1.0.0"),
            ("Foo.Bar_baz", "pkg:pypi/foo-bar-baz@1"),
            ("requests[security]", "pkg:pypi/requests@2"),
            ("log4j:log4j-core:jar:2.0", "pkg:maven/log4j/log4j-core@2.0"),
            ("log4j-core-2.0.jar", "pkg:maven/log4j/log4j-core@2.0"),
            (
                "org.apache.commons.lang3",
                "pkg:maven/org.apache.commons/lang3@1",
            ),
            ("github.com/a/b/v2", "pkg:golang/github.com/a/b/v2@v2.0.0"),
            ("b", "pkg:golang/github.com/a/b/v2@v2.0.0"),
            ("github.com/a/b/c/d", "pkg:golang/github.com/a/b@v1.0.0"),
            ("github.com/a/b/c", "pkg:golang/github.com/a/b@v1.0.0#c"),
            ("go", "pkg:golang/stdlib@1.22.1"),
            (
                "com.github.actions/checkout",
                "pkg:github/actions/checkout@v4",
            ),
            ("a.git", "pkg:swift/github.com/o/a@1"),
            ("AFNetworking/UIKit", "pkg:cocoapods/AFNetworking@4"),
            ("libc6:amd64", "pkg:deb/debian/libc6@2"),
            (
                "openssl",
                "pkg:rpm/fedora/libs@3?upstream=openssl-3-1.fc40.src.rpm",
            ),
            ("Foo::Bar", "pkg:cpan/A/Foo-Bar@1"),
            ("ghcr.io/e/img:1", "pkg:oci/other@sha256%3A00"),
            ("SPDXRef-1", "pkg:npm/a@1"),
            ("https://e.org/1", "pkg:npm/a@1"),
            ("…", "pkg:npm/a@1"),
        ] {
            assert!(!other(name, purl), "{name} {purl}");
        }
        let libssl = Purl::canonicalize("pkg:deb/debian/libssl3@3").unwrap();
        assert!(!is_other("openssl", &libssl, Some("openssl@3")));
    }
}
