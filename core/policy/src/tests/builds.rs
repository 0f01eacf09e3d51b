//! How packages of one name stand to each other: by version, epoch, build, place and sources.

use super::products::{asked, stands};
use super::*;

/// What is said to be of one purl, what is asked about, and how they stand.
const BUILDS: &[(&str, &str, Option<Relation>)] = &[
    (
        "pkg:rpm/fedora/a@1",
        "pkg:rpm/fedora/a@1",
        Some(Relation::This),
    ),
    ("pkg:rpm/fedora/a@1", "pkg:rpm/fedora/a@2", None),
    ("pkg:rpm/fedora/a@1", "pkg:rpm/centos/a@1", None),
    ("pkg:rpm/fedora/a@1", "pkg:rpm/fedora/a", None),
    (
        "pkg:rpm/fedora/a",
        "pkg:rpm/fedora/a@1?epoch=1",
        Some(Relation::This),
    ),
    (
        "pkg:rpm/fedora/a@1?epoch=1",
        "pkg:rpm/fedora/a@1?epoch=1",
        Some(Relation::This),
    ),
    (
        "pkg:rpm/fedora/a@1?epoch=0",
        "pkg:rpm/fedora/a@1",
        Some(Relation::This),
    ),
    (
        "pkg:rpm/fedora/a@1",
        "pkg:rpm/fedora/a@1?epoch=1",
        Some(Relation::OtherBuild),
    ),
    (
        "pkg:rpm/fedora/a@1?epoch=2",
        "pkg:rpm/fedora/a@1?epoch=1",
        Some(Relation::OtherBuild),
    ),
    // What it does not say is of all.
    (
        "pkg:deb/debian/a@1",
        "pkg:deb/debian/a@1?arch=amd64&distro=debian-12",
        Some(Relation::This),
    ),
    (
        "pkg:deb/debian/a@1?arch=amd64",
        "pkg:deb/debian/a@1?arch=amd64&distro=x",
        Some(Relation::This),
    ),
    (
        "pkg:deb/debian/a@1?arch=amd64",
        "pkg:deb/debian/a@1?arch=arm64",
        Some(Relation::OtherBuild),
    ),
    (
        "pkg:deb/debian/a@1?distro=debian-11",
        "pkg:deb/debian/a@1?distro=debian-12",
        None,
    ),
    // What we do not say cannot be compared.
    (
        "pkg:deb/debian/a@1?arch=amd64",
        "pkg:deb/debian/a@1",
        Some(Relation::OtherBuild),
    ),
    (
        "pkg:deb/debian/a?distro=debian-12",
        "pkg:deb/debian/a@1",
        Some(Relation::OtherBuild),
    ),
    (
        "pkg:golang/e.org/a@1#cmd/x",
        "pkg:golang/e.org/a@1",
        Some(Relation::OtherBuild),
    ),
    (
        "pkg:golang/e.org/a@1",
        "pkg:golang/e.org/a@1#cmd/x",
        Some(Relation::This),
    ),
    (
        "pkg:npm/a@1?repository_url=https:%2F%2Fe.org",
        "pkg:npm/a@1",
        Some(Relation::OtherSource),
    ),
    (
        "pkg:npm/a@1",
        "pkg:npm/a@1?repository_url=https:%2F%2Fe.org",
        Some(Relation::OtherSource),
    ),
];

/// Images, whose versions are their digests or are none.
const IMAGES: &[(&str, &str, Option<Relation>)] = &[
    (
        "pkg:oci/i@sha256:aa",
        "pkg:oci/i@sha256:aa?arch=amd64&repository_url=ghcr.io%2Fe%2Fi",
        Some(Relation::This),
    ),
    (
        "pkg:oci/i@sha256:aa?repository_url=e.org%2Fi&tag=1",
        "pkg:oci/i@sha256:aa?arch=arm64",
        Some(Relation::This),
    ),
    ("pkg:oci/i@sha256:aa", "pkg:oci/i@sha256:bb", None),
    (
        "pkg:oci/i?repository_url=e.org%2Fi",
        "pkg:oci/i@sha256:aa",
        Some(Relation::OtherSource),
    ),
    (
        "pkg:docker/e/i@1.0",
        "pkg:docker/e/i@1.0?repository_url=e.org",
        Some(Relation::OtherSource),
    ),
];

/// The same, of names and versions that are spelled in several ways, and of source packages.
const SPELLINGS: &[(&str, &str, Option<Relation>)] = &[
    (
        "pkg:nuget/A.B@1.0.0",
        "pkg:nuget/a.b@1.0",
        Some(Relation::This),
    ),
    (
        "pkg:pypi/a-b@1.0.post1",
        "pkg:pypi/a.b@1-1",
        Some(Relation::This),
    ),
    ("pkg:pypi/a-b@1.0", "pkg:pypi/a.b@1.0.post1", None),
    ("pkg:npm/a@1", "pkg:npm/A@1", None),
    (
        "pkg:composer/a/b@1.2.0",
        "pkg:composer/a/b@v1.2.0",
        Some(Relation::This),
    ),
    (
        "pkg:deb/debian/a@1:2-1",
        "pkg:deb/debian/a@2-1?epoch=1",
        Some(Relation::This),
    ),
    (
        "pkg:npm/a@1?repository_url=http:%2F%2Fregistry.npmjs.org",
        "pkg:npm/a@1",
        Some(Relation::This),
    ),
    (
        "pkg:deb/debian/openssl@3-1?arch=source&distro=debian-12",
        "pkg:deb/debian/libssl3@3-1?arch=amd64&distro=debian-12&upstream=openssl",
        Some(Relation::This),
    ),
    (
        // It may be the binary package of that name.
        "pkg:deb/debian/openssl@3-1",
        "pkg:deb/debian/libssl3@3-1?arch=amd64&upstream=openssl",
        Some(Relation::OtherBuild),
    ),
    (
        "pkg:deb/debian/openssl@3-1?arch=source&distro=debian-11",
        "pkg:deb/debian/libssl3@3-1?distro=debian-12&upstream=openssl",
        None,
    ),
    (
        "pkg:deb/ubuntu/a@1?distro=jammy",
        "pkg:deb/ubuntu/a@1?distro=ubuntu-22.04",
        Some(Relation::This),
    ),
    (
        "pkg:rpm/rocky-linux/openssl@3-1",
        "pkg:rpm/rocky/openssl@3-1?arch=x86_64",
        Some(Relation::This),
    ),
    (
        "pkg:npm/a@1?repository_url=http:%2F%2Fm.test%2Fnpm%2F",
        "pkg:npm/a@1?repository_url=m.test%2Fnpm",
        Some(Relation::This),
    ),
    // Of another binary package of the same sources.
    (
        "pkg:deb/debian/openssl@3-1?arch=amd64",
        "pkg:deb/debian/libssl3@3-1?arch=amd64&upstream=openssl",
        None,
    ),
    (
        "pkg:deb/debian/openssl@2-1?arch=source",
        "pkg:deb/debian/libssl3@3-1?upstream=openssl",
        None,
    ),
    (
        "pkg:deb/debian/gnupg2@2-1?arch=source",
        "pkg:deb/debian/gpgv@2-1%2Bb1?arch=amd64&upstream=gnupg2%402-1",
        Some(Relation::This),
    ),
    (
        "pkg:deb/debian/curl@7-1?arch=source",
        "pkg:deb/debian/curl@7-1%2Bb2?arch=amd64",
        Some(Relation::This),
    ),
    (
        "pkg:rpm/redhat/openssl@3-1.el9?arch=src",
        "pkg:rpm/redhat/openssl-libs@3-1.el9?arch=x86_64&upstream=openssl-3-1.el9.src.rpm",
        Some(Relation::This),
    ),
    (
        "pkg:apk/alpine/openssl@3.1-r1",
        "pkg:apk/alpine/libssl3@3.1-r1?arch=x86_64&upstream=openssl",
        Some(Relation::OtherBuild),
    ),
    (
        "pkg:rpm/redhat/a@1?distro=rhel-9",
        "pkg:rpm/redhat/a@1?distro=rhel-9.4",
        Some(Relation::This),
    ),
    (
        "pkg:rpm/redhat/a@1?distro=rhel-9.4",
        "pkg:rpm/redhat/a@1?distro=rhel-9",
        Some(Relation::OtherBuild),
    ),
    // What is said of a public version is said against what was made of it, and not the other way.
    (
        "pkg:pypi/a@2.0.0",
        "pkg:pypi/a@2.0%2Bcu118",
        Some(Relation::OtherBuild),
    ),
    ("pkg:pypi/a@2.0%2Bcpu", "pkg:pypi/a@2.0", None),
    ("pkg:pypi/a@2.0%2Bcpu", "pkg:pypi/a@2.0%2Bcu118", None),
    ("pkg:pypi/a@2.1", "pkg:pypi/a@2.0%2Bcu118", None),
    (
        "pkg:pypi/a?vers=vers:pypi%2F%3C%3D2.0",
        "pkg:pypi/a@2.0%2Bcu118",
        Some(Relation::OtherBuild),
    ),
    (
        "pkg:pypi/a?vers=vers:pypi%2F%3E2.0",
        "pkg:pypi/a@2.0%2Bcu118",
        Some(Relation::OtherVersions),
    ),
    (
        "pkg:maven/g/a@1.0-SNAPSHOT",
        "pkg:maven/g/a@1.0-20240101.120000-3",
        Some(Relation::OtherBuild),
    ),
    // A program of Go that was built of changed files may have what is said of the version.
    (
        "pkg:golang/a.org/b@v1.2.3",
        "pkg:golang/a.org/b@v1.2.3%2Bdirty",
        Some(Relation::OtherBuild),
    ),
    (
        "pkg:golang/a.org/b@v1.2.4",
        "pkg:golang/a.org/b@v1.2.3%2Bdirty",
        None,
    ),
    (
        "pkg:golang/a.org/b@v1.2.3%2Bdirty",
        "pkg:golang/a.org/b@v1.2.3",
        None,
    ),
    (
        "pkg:golang/a.org/b?vers=vers:golang%2F%3E%3D1.2.3",
        "pkg:golang/a.org/b@v1.2.3%2Bdirty",
        Some(Relation::OtherBuild),
    ),
    (
        "pkg:golang/a.org/b?vers=vers:golang%2F%3C1.2.3",
        "pkg:golang/a.org/b@v1.2.3%2Bdirty",
        None,
    ),
    // Docker Scout has other qualifiers for the release.
    (
        "pkg:deb/debian/a@1?distro=debian-12",
        "pkg:deb/debian/a@1?os_distro=bookworm&os_name=debian&os_version=12",
        Some(Relation::This),
    ),
    (
        "pkg:deb/debian/a@1?os_distro=bookworm&os_name=debian&os_version=12",
        "pkg:deb/debian/a@1?arch=amd64&distro=debian-12",
        Some(Relation::This),
    ),
    (
        "pkg:deb/debian/a@1?os_distro=bookworm&os_name=debian&os_version=12",
        "pkg:deb/debian/a@1?distro=debian-11",
        None,
    ),
    (
        "pkg:deb/debian/a@1?os_name=debian&os_version=12",
        "pkg:deb/debian/a@1",
        Some(Relation::OtherBuild),
    ),
    // Of a range, with the epoch that stands beside the version.
    (
        "pkg:rpm/redhat/a?vers=vers:rpm%2F%3C2:1.0-1",
        "pkg:rpm/redhat/a@1.5-1?epoch=1",
        Some(Relation::This),
    ),
    (
        "pkg:rpm/redhat/a?vers=vers:rpm%2F%3C2:1.0-1",
        "pkg:rpm/redhat/a@1.5-1?epoch=2",
        None,
    ),
];

/// A binary package of another epoch than its sources, of which only the file is named.
const SOURCES: &[(&str, &str, Option<Relation>)] = &[
    // More epochs than are told apart, the last of which may be the one.
    (
        "pkg:rpm/fedora/nodejs?arch=src&vers=vers:rpm%2F%3C1:9-1%7C2:2-1%7C3:2-1%7C4:2-1%7C5:9-1",
        "pkg:rpm/fedora/npm@10.2-1?upstream=nodejs-2-1.src.rpm",
        Some(Relation::OtherBuild),
    ),
    (
        "pkg:rpm/fedora/nodejs?arch=src&vers=vers:rpm%2F%3C1:18.3-1",
        "pkg:rpm/fedora/v8-devel@10.2-1?epoch=3&upstream=nodejs-18.2-1.src.rpm",
        Some(Relation::OtherBuild),
    ),
    (
        "pkg:rpm/fedora/nodejs?arch=src&vers=vers:rpm%2F%3C1:18.2-1",
        "pkg:rpm/fedora/v8-devel@10.2-1?epoch=3&upstream=nodejs-18.2-1.src.rpm",
        None,
    ),
    (
        "pkg:rpm/fedora/nodejs?arch=src&vers=vers:rpm%2F%3C1:18.3-1",
        "pkg:rpm/fedora/npm@10.2-1?epoch=1&upstream=nodejs-18.2-1.src.rpm",
        Some(Relation::This),
    ),
    (
        "pkg:rpm/fedora/nodejs?arch=src&vers=vers:rpm%2F%3C1:18.2-1",
        "pkg:rpm/fedora/npm@10.2-1?upstream=nodejs-18.2-1.src.rpm",
        Some(Relation::OtherBuild),
    ),
    (
        "pkg:rpm/fedora/nodejs?arch=src&vers=vers:rpm%2F%3C1:18.3-1",
        "pkg:rpm/fedora/v8-devel@10.2-1?epoch=3&upstream=nodejs%401:18.2-1",
        Some(Relation::This),
    ),
    (
        "pkg:rpm/fedora/nodejs?arch=src&vers=vers:rpm%2F%3C1:18.3-1&distro=fedora-39",
        "pkg:rpm/fedora/v8-devel@10.2-1?distro=fedora-40&epoch=3&upstream=nodejs-18.2-1.src.rpm",
        None,
    ),
];

#[test]
fn a_version_has_an_epoch_a_build_and_a_place() {
    let all = BUILDS.iter().chain(SPELLINGS).chain(IMAGES).chain(SOURCES);
    for (theirs, ours, expected) in all {
        assert_eq!(
            stands(theirs, &[], &asked(ours, &[])),
            *expected,
            "{theirs} {ours}"
        );
    }
}
