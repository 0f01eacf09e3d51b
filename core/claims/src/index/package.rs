//! The package and the version that a purl names, as the index spells them (docs/index.md, section
//! 3.2).
//!
//! Only syntax is read, and only folded what the specification of the index itself writes down: no
//! table of types, no Unicode. So every implementation gets the same names, whatever rules
//! purl-spec has by then. Whether a purl is canonical is a question of admission.

use crate::purl::fold;

/// What a purl names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageNames {
    /// The package in all its versions.
    pub package: String,
    /// One version of it, if the purl names one.
    pub version: Option<String>,
}

impl PackageNames {
    /// Reads a URI. `None` unless it begins with `pkg:` and is visible ASCII, U+0021 to U+007E,
    /// throughout.
    pub fn of(uri: &str) -> Option<Self> {
        if !uri.starts_with("pkg:") || !uri.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let (before, _) = uri.split_once('#').unwrap_or((uri, ""));
        let (path, qualifiers) = before.split_once('?').unwrap_or((before, ""));
        let name = path.rfind('/').map_or(0, |slash| slash + 1);
        let end = path[name..].rfind('@').map_or(path.len(), |at| name + at);
        let package = fold(&path[..end]).into_owned();
        let version = path
            .get(end + 1..)
            .filter(|version| !version.is_empty())
            .map(|version| match epoch(qualifiers) {
                Some(epoch) => format!("{package}@{version}?epoch={epoch}"),
                None => format!("{package}@{version}"),
            });
        Some(PackageNames { package, version })
    }
}

/// The first `epoch` among the qualifiers, unless it is empty or 0.
fn epoch(qualifiers: &str) -> Option<&str> {
    qualifiers
        .split('&')
        .find_map(|pair| pair.strip_prefix("epoch="))
        .filter(|epoch| !epoch.is_empty() && *epoch != "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(uri: &str) -> (String, Option<String>) {
        let names = PackageNames::of(uri).unwrap();
        (names.package, names.version)
    }

    #[test]
    fn package_and_version_are_cut_by_syntax_alone() {
        for (uri, package, version) in [
            ("pkg:cargo/serde", "pkg:cargo/serde", None),
            (
                "pkg:cargo/serde@1.0",
                "pkg:cargo/serde",
                Some("pkg:cargo/serde@1.0"),
            ),
            ("pkg:cargo/serde@", "pkg:cargo/serde", None),
            (
                "pkg:npm/%40a/b@1?x=y#z",
                "pkg:npm/%40a/b",
                Some("pkg:npm/%40a/b@1"),
            ),
            ("pkg:npm/@a/b", "pkg:npm/@a/b", None),
            ("pkg:npm/b@1@2", "pkg:npm/b@1", Some("pkg:npm/b@1@2")),
            ("pkg:npm/b#@1/x", "pkg:npm/b", None),
            ("pkg:npm/b?x=@1", "pkg:npm/b", None),
            ("pkg:b@1", "pkg:b", Some("pkg:b@1")),
            ("pkg:", "pkg:", None),
        ] {
            assert_eq!(
                names(uri),
                (package.into(), version.map(str::to_owned)),
                "{uri}"
            );
        }
        for uri in ["PKG:cargo/serde", "cargo/serde", "pkg:a/é", "pkg:a/b c", ""] {
            assert_eq!(PackageNames::of(uri), None, "{uri}");
        }
    }

    #[test]
    fn pypi_and_nuget_fold_their_names_and_nothing_else() {
        for (uri, package) in [
            ("pkg:pypi/Zope..Inter_-face", "pkg:pypi/zope-inter-face"),
            ("pkg:pypi/NS/a.B", "pkg:pypi/NS/a-b"),
            (
                "pkg:pypi/a%2EB%2",
                "pkg:pypi/a%2Eb%2-".trim_end_matches('-'),
            ),
            ("pkg:nuget/Newtonsoft.Json", "pkg:nuget/newtonsoft.json"),
            ("pkg:nuget/A%5FB", "pkg:nuget/a%5Fb"),
            ("pkg:npm/A.B_c", "pkg:npm/A.B_c"),
        ] {
            assert_eq!(names(uri).0, package, "{uri}");
        }
        let folded = names("pkg:pypi/A.b@1.0.A");
        assert_eq!(folded.1.as_deref(), Some("pkg:pypi/a-b@1.0.A"));
    }

    #[test]
    fn an_epoch_is_part_of_the_version() {
        let version = |qualifiers: &str| names(&format!("pkg:rpm/f/a@1?{qualifiers}")).1.unwrap();
        assert_eq!(version("arch=x&epoch=2"), "pkg:rpm/f/a@1?epoch=2");
        assert_eq!(version("epoch=2&epoch=3"), "pkg:rpm/f/a@1?epoch=2");
        for none in ["", "epoch=", "epoch=0", "xepoch=2", "epoch"] {
            assert_eq!(version(none), "pkg:rpm/f/a@1", "{none}");
        }
    }
}
