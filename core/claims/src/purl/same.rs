//! When two purls name the same package, and the same version of it, though they are spelled
//! differently; and the packages of sources that a package was built of.

use super::{Components, Purl, action, fold};
use crate::order::{are_digits, maven};
use crate::version;
use std::borrow::Cow;

/// Types whose versions can begin with an epoch and a colon.
const WITH_EPOCH: [&str; 4] = ["alpm", "deb", "opkg", "rpm"];

/// Types whose binary packages are built of source packages, of which advisories speak.
const WITH_SOURCES: [&str; 4] = ["apk", "deb", "opkg", "rpm"];

/// The architecture of a source package, as `deb` and `rpm` have it.
const SOURCE: [&str; 2] = ["source", "src"];

/// What Go appends to the version of a program that was built of files that nobody committed.
const DIRTY: &str = "+dirty";

/// What the name of a package of sources ends with, as the headers of rpm have it.
const FILES: [&str; 2] = [".src.rpm", ".nosrc.rpm"];

impl Purl {
    /// The package under the name that all its spellings share: as the index has it. To compare,
    /// not to show.
    pub fn package_key(&self) -> Cow<'_, str> {
        fold(self.without_version())
    }

    /// The version, without its epoch, in the form that all its spellings share; `None` if the purl
    /// names none. To compare, not to show.
    pub fn version_key(&self) -> Option<String> {
        let (_, version) = self.epoch_and_version();
        Some(version::key(self.ty(), self.name(), version?))
    }

    /// The version as its type's tools write it: with its epoch in front, wherever the purl has it.
    pub fn version_with_epoch(&self) -> Option<Cow<'_, str>> {
        if !WITH_EPOCH.contains(&self.ty()) {
            return self.version().map(Cow::Borrowed);
        }
        let (epoch, version) = self.epoch_and_version();
        let version = version?;
        Some(match epoch {
            "0" => Cow::Borrowed(version),
            _ => Cow::Owned(format!("{epoch}:{version}")),
        })
    }

    /// The package in the version that this one was made of, and others, too: the public version of
    /// a local one (`2.0+cu118`, PEP 440), the snapshot of a build (`1.0-20240101.120000-3`,
    /// Maven), what a program of Go was built of with changes (`v1.2.3+dirty`). `None` if the
    /// version is none of these.
    pub fn public(&self) -> Option<Purl> {
        let mut parts = self.components();
        let version = self.version()?;
        parts.version = Some(match parts.ty.as_str() {
            "golang" => version.strip_suffix(DIRTY)?.to_owned(),
            "pypi" => version.split_once('+')?.0.to_owned(),
            "maven" => maven::snapshot(version)?,
            _ => return None,
        });
        Purl::build(parts).ok()
    }

    /// The epoch of its version: a qualifier, or what stands before the colon; `0` if it has none.
    pub fn epoch(&self) -> &str {
        self.epoch_and_version().0
    }

    fn epoch_and_version(&self) -> (&str, Option<&str>) {
        let ty = self.ty();
        let stated = self.qualifier("epoch").unwrap_or("0");
        let Some(version) = self.version().filter(|_| WITH_EPOCH.contains(&ty)) else {
            return (stated, self.version());
        };
        match version.split_once(':') {
            Some((epoch, version)) if epoch.bytes().all(|b| b.is_ascii_digit()) => {
                let epoch = epoch.trim_start_matches('0');
                (if epoch.is_empty() { "0" } else { epoch }, Some(version))
            }
            _ => (stated, Some(version)),
        }
    }

    /// Whether both are of one package, whatever version, qualifiers and subpath they have; a
    /// distribution can have several names. Of distributions that one vendor names alike, its
    /// release says which it is of. The name of a repository is of every action in it, and not the
    /// other way round.
    pub fn is_same_package(&self, other: &Purl) -> bool {
        if [self.ty(), other.ty()] == ["swift"; 2] {
            return self.without_case().package_key() == other.without_case().package_key();
        }
        let theirs = other.package_key();
        if self.package_key() == theirs {
            return true;
        }
        if action::is_one(self) {
            return action::is_of(other, self);
        }
        self.other_packages().iter().any(|ours| *ours == theirs)
            && self.may_be_of_one_distribution(other)
    }

    /// A package of Swift that is a repository of GitHub, in lower case: the names of owners and
    /// repositories have no case there, and purl-spec leaves it in. Of others it is the same.
    pub fn without_case(&self) -> Purl {
        let namespace = self.namespace().unwrap_or_default();
        let host = namespace.split('/').next().unwrap_or_default();
        if self.ty() != "swift" || !host.eq_ignore_ascii_case("github.com") {
            return self.clone();
        }
        let parts = Components {
            namespace: Some(namespace.to_ascii_lowercase()),
            name: self.name().to_ascii_lowercase(),
            ..self.components()
        };
        Purl::build(parts).unwrap_or_else(|_| self.clone())
    }

    /// Whether both name one version of one package, or none of it, whatever epoch, qualifiers and
    /// subpath they have.
    pub fn is_same_version(&self, other: &Purl) -> bool {
        self.without_qualifiers() == other.without_qualifiers()
            || self.is_same_package(other) && self.version_key() == other.version_key()
    }

    /// Whether it says that it is a source package.
    pub fn is_of_sources(&self) -> bool {
        self.qualifier("arch")
            .is_some_and(|arch| SOURCE.contains(&arch))
    }

    /// The source package that a binary package of a distribution was built of: what the qualifier
    /// `upstream` says, as syft writes it (`openssl`, `gnupg2@2.2.40-1.1`,
    /// `openssl-3.0.7-1.el9.src.rpm`), else the one of the same name and version. `None` for
    /// packages that are not built so, and for source packages.
    pub fn source(&self) -> Option<Purl> {
        let is_binary = WITH_SOURCES.contains(&self.ty()) && !self.is_of_sources();
        if !is_binary {
            return None;
        }
        let (name, version) = match self.qualifier("upstream") {
            Some(upstream) => upstream_of(upstream, self.ty()),
            None => (self.name(), None),
        };
        let own = self.version().map(|version| rebuilt(self.ty(), version));
        let mut source = Components {
            name: name.to_owned(),
            version: version.or(own).map(str::to_owned),
            ..self.components()
        };
        let states_epoch = version.is_some() && !self.leaves_epoch_of_source_open();
        source.qualifiers.retain(|(key, _)| {
            key != "upstream" && key != "arch" && !(key == "epoch" && states_epoch)
        });
        Purl::build(source).ok()
    }

    /// Whether its sources are named by their file, which has no epoch: theirs may be another one
    /// than that of what is built of them.
    pub fn leaves_epoch_of_source_open(&self) -> bool {
        let upstream = self.qualifier("upstream").filter(|_| self.ty() == "rpm");
        upstream.is_some_and(|file| FILES.iter().any(|end| file.ends_with(end)))
    }

    /// The same package in the same version of another epoch.
    pub fn with_epoch(&self, epoch: &str) -> Option<Purl> {
        let (_, version) = self.epoch_and_version();
        let mut parts = Components {
            version: Some(version?.to_owned()),
            ..self.components()
        };
        parts.qualifiers.retain(|(key, _)| key != "epoch");
        parts
            .qualifiers
            .push(("epoch".to_owned(), epoch.to_owned()));
        Purl::build(parts).ok()
    }
}

/// The name and the version in a qualifier `upstream`.
fn upstream_of<'a>(upstream: &'a str, ty: &str) -> (&'a str, Option<&'a str>) {
    let file = FILES.iter().find_map(|end| upstream.strip_suffix(end));
    let file = file.filter(|_| ty == "rpm");
    if let Some(file) = file {
        // NAME-VERSION-RELEASE, of which only the name has hyphens.
        let release = file.rfind('-');
        let cut = release.and_then(|release| file.get(..release)?.rfind('-'));
        return match cut {
            Some(cut) => (&file[..cut], file.get(cut + 1..)),
            None => (file, None),
        };
    }
    match upstream.rsplit_once('@') {
        Some((name, version)) if !name.is_empty() && !version.is_empty() => (name, Some(version)),
        _ => (upstream, None),
    }
}

/// The version without what Debian appends where a binary was only built again: `+b1`.
fn rebuilt<'a>(ty: &str, version: &'a str) -> &'a str {
    let cut = version.rsplit_once("+b").filter(|_| ty == "deb");
    match cut {
        Some((before, number)) if are_digits(number) => before,
        _ => version,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purl(text: &str) -> Purl {
        Purl::canonicalize(text).unwrap()
    }

    #[test]
    fn spellings_of_one_version_meet_and_others_do_not() {
        for (one, other) in [
            ("pkg:pypi/a.b@1.0", "pkg:pypi/A-_b@1.0.0"),
            ("pkg:nuget/A.B@1.0.0", "pkg:nuget/a.b@1.0.0.0"),
            ("pkg:composer/A/b@v1.2.0", "pkg:composer/a/b@1.2"),
            ("pkg:golang/a.org/b@1.0.0", "pkg:golang/a.org/b@v1.0.0"),
            ("pkg:golang/std@go1.22.1", "pkg:golang/stdlib@1.22.1"),
            ("pkg:golang/go@go1.22.1", "pkg:golang/stdlib@1.22.1"),
            ("pkg:golang/go@1.22.1", "pkg:golang/stdlib@v1.22.1"),
            (
                "pkg:golang/a.org/b@v2.0.0#v2",
                "pkg:golang/a.org/b/v2@v2.0.0",
            ),
            (
                "pkg:deb/debian/a@1%3A2.0-1",
                "pkg:deb/debian/a@2.0-1?epoch=1",
            ),
            ("pkg:npm/%40a%2Fb@1.0.0", "pkg:npm/@a/b@1.0.0"),
            (
                "pkg:swift/github.com/Own/Lib@1.0.0",
                "pkg:swift/github.com/own/lib@1.0.0",
            ),
            (
                "pkg:swift/github.com/OWN/Lib@1.0.0",
                "pkg:swift/GitHub.com/own/LIB@1.0.0",
            ),
        ] {
            assert!(purl(one).is_same_version(&purl(other)), "{one} {other}");
            assert!(purl(other).is_same_version(&purl(one)), "{other} {one}");
        }
        for (one, other) in [
            ("pkg:npm/A@1.0.0", "pkg:npm/a@1.0.0"),
            ("pkg:npm/@a/b@1.0.0", "pkg:npm/b@1.0.0"),
            ("pkg:pypi/a@1.0", "pkg:pypi/a@1.0.post1"),
            ("pkg:pypi/a@1.0", "pkg:pypi/ab@1.0"),
            ("pkg:golang/a.org/b@v1.0.0", "pkg:golang/a.org/b/v2@v1.0.0"),
            ("pkg:golang/a.org/b#c", "pkg:golang/a.org/b/c"),
            ("pkg:golang/a.org/go@v1.22.1", "pkg:golang/stdlib@1.22.1"),
            ("pkg:golang/toolchain@v1.22.1", "pkg:golang/stdlib@1.22.1"),
            ("pkg:maven/a/b@1.0", "pkg:maven/a/B@1.0"),
            ("pkg:pypi/a@1.0", "pkg:pypi/a"),
            (
                "pkg:swift/host.test/Own/lib@1.0.0",
                "pkg:swift/host.test/own/lib@1.0.0",
            ),
        ] {
            assert!(!purl(one).is_same_version(&purl(other)), "{one} {other}");
        }
    }

    #[test]
    fn an_epoch_stands_in_the_version_or_beside_it() {
        for (text, epoch) in [
            ("pkg:deb/debian/a@1%3A2.0-1", "1"),
            ("pkg:rpm/fedora/a@2.0-1?epoch=3", "3"),
            ("pkg:deb/debian/a@0%3A2.0", "0"),
            ("pkg:deb/debian/a@2.0", "0"),
            ("pkg:pypi/a@1%3A2.0", "0"),
        ] {
            assert_eq!(purl(text).epoch(), epoch, "{text}");
        }
        for (text, version) in [
            ("pkg:deb/debian/a@1%3A2.0-1", "1:2.0-1"),
            ("pkg:rpm/fedora/a@2.0-1?epoch=3", "3:2.0-1"),
            ("pkg:deb/debian/a@0%3A2.0", "2.0"),
            ("pkg:npm/a@2.0.0?epoch=3", "2.0.0"),
        ] {
            let read = purl(text);
            assert_eq!(
                read.version_with_epoch().as_deref(),
                Some(version),
                "{text}"
            );
        }
    }

    /// The name of a file has no epoch; what stands behind `@` is the whole version.
    #[test]
    fn the_epoch_of_sources_is_known_where_their_version_is_stated() {
        let binary = "pkg:rpm/fedora/v8-devel@10.2-1?epoch=3&upstream=";
        for (upstream, source, is_open) in [
            ("nodejs-18.2-1.src.rpm", "nodejs@18.2-1?epoch=3", true),
            ("nodejs%4018.2-1", "nodejs@18.2-1", false),
            ("nodejs%401:18.2-1", "nodejs@1:18.2-1", false),
            ("nodejs", "nodejs@10.2-1?epoch=3", false),
        ] {
            let ours = purl(&format!("{binary}{upstream}"));
            let found = ours.source();
            let expected = format!("pkg:rpm/fedora/{source}");
            assert_eq!(found.as_ref().map(Purl::as_str), Some(&*expected));
            assert_eq!(ours.leaves_epoch_of_source_open(), is_open, "{upstream}");
        }
        let other = purl("pkg:rpm/fedora/nodejs@18.2-1?epoch=3").with_epoch("1");
        assert_eq!(
            other.as_ref().map(Purl::as_str),
            Some("pkg:rpm/fedora/nodejs@18.2-1?epoch=1")
        );
    }

    #[test]
    fn a_binary_package_knows_its_source() {
        for (text, source) in [
            (
                "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&upstream=openssl",
                Some("pkg:deb/debian/openssl@3.0.11-1"),
            ),
            (
                "pkg:deb/debian/gpgv@2.2.40-1.1%2Bb1?upstream=gnupg2%402.2.40-1.1&distro=debian-12",
                Some("pkg:deb/debian/gnupg2@2.2.40-1.1?distro=debian-12"),
            ),
            (
                "pkg:deb/debian/curl@7.88-1%2Bb2?arch=amd64",
                Some("pkg:deb/debian/curl@7.88-1"),
            ),
            (
                "pkg:deb/debian/a@1%3A2.0%2Bbeta?upstream=b",
                Some("pkg:deb/debian/b@1:2.0%2Bbeta"),
            ),
            (
                "pkg:rpm/redhat/openssl-libs@3.0.7-18.el9?arch=x86_64&upstream=openssl-3.0.7-18.el9.src.rpm",
                Some("pkg:rpm/redhat/openssl@3.0.7-18.el9"),
            ),
            (
                "pkg:apk/alpine/libcrypto3@3.1.4-r1?arch=x86_64&upstream=openssl",
                Some("pkg:apk/alpine/openssl@3.1.4-r1"),
            ),
            ("pkg:deb/debian/openssl@3.0.11-1?arch=source", None),
            ("pkg:rpm/redhat/openssl@3.0.7-1?arch=src", None),
            ("pkg:npm/a@1.0.0?upstream=b", None),
        ] {
            let found = purl(text).source();
            assert_eq!(found.as_ref().map(Purl::as_str), source, "{text}");
        }
    }
}
