//! Version ranges (`vers:`, purl-spec's VERSION-RANGE-SPEC), as far as whether a version is in one
//! can be told.
//!
//! Versions are put in order for the types that use semantic versioning (cargo, npm, golang, and
//! `semver` itself), and for pypi. For all others a range of everything and single versions are
//! decided, and nothing else: an order that is nearly the ecosystem's own would decide wrongly
//! without anybody noticing.

use crate::version;
use semver::Version;
use std::cmp::Ordering;
use std::str::FromStr;

/// The qualifier of a purl without a version that states a range of them (purl-spec, "Known
/// qualifiers").
pub const QUALIFIER: &str = "vers";

/// Whether something applies to a version of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Applies {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// That cannot be told.
    Undecided,
}

impl From<bool> for Applies {
    fn from(yes: bool) -> Self {
        if yes { Applies::Yes } else { Applies::No }
    }
}

/// Whether a version of a package of a type is in the range. Undecided if that cannot be told here,
/// or if the range is malformed or of another type. A version that the range names by itself is in
/// it, also if other constraints cannot be put in order.
pub fn contains(range: &str, package_type: &str, version: &str) -> Applies {
    let Some((scheme, constraints)) = range
        .strip_prefix("vers:")
        .and_then(|range| range.split_once('/'))
    else {
        return Applies::Undecided;
    };
    let is_semantic = scheme == "semver" && HAVE_SEMANTIC.contains(&package_type);
    if scheme != package_type && !is_semantic {
        return Applies::Undecided;
    }
    if constraints == "*" {
        return Applies::Yes;
    }
    let Some(constraints) = constraints
        .split('|')
        .map(Constraint::read)
        .collect::<Option<Vec<_>>>()
    else {
        return Applies::Undecided;
    };
    if constraints.iter().any(|one| {
        one.comparator == Comparator::Equal && is_same(package_type, one.version, version)
    }) {
        return Applies::Yes;
    }
    if SEMANTIC.contains(&scheme) {
        return within(&constraints, version, semantic, Version::cmp_precedence);
    }
    if scheme == PYPI {
        return in_python(&constraints, version);
    }
    // Versions whose texts differ may be the same one.
    Applies::Undecided
}

/// Whether the order of the versions of a scheme is known here.
pub fn is_ordered(scheme: &str) -> bool {
    SEMANTIC.contains(&scheme) || scheme == PYPI
}

/// As PEP 440 orders versions. What is made of a version elsewhere (`1.0+local`) may or may not
/// have what the version has, so that both have to be on one side.
fn in_python(constraints: &[Constraint<'_>], version: &str) -> Applies {
    let read = |text: &str| pep440_rs::Version::from_str(text).ok();
    let Some(known) = read(version) else {
        return Applies::Undecided;
    };
    let decide = |version: pep440_rs::Version| {
        within(constraints, &version.to_string(), read, |a, b| a.cmp(b))
    };
    let (with, without) = (decide(known.clone()), decide(known.without_local()));
    if with == without {
        with
    } else {
        Applies::Undecided
    }
}

/// Whether two spellings are of one version of a package of the type.
fn is_same(package_type: &str, one: &str, other: &str) -> bool {
    let key = |version| version::key(package_type, "", version);
    one == other || key(one) == key(other)
}

/// Types whose versions are semantic ones.
const SEMANTIC: [&str; 4] = ["cargo", "npm", "golang", "semver"];

/// The type whose versions are those of PEP 440.
const PYPI: &str = "pypi";

/// Types of packages that a range of semantic versions can be of: those whose versions are, and
/// those that have no order of their own.
const HAVE_SEMANTIC: [&str; 12] = [
    "bitbucket",
    "cargo",
    "docker",
    "generic",
    "github",
    "gitlab",
    "golang",
    "hex",
    "npm",
    "oci",
    "pub",
    "swift",
];

/// A semantic version; `1` and `1.5`, as ranges are written by hand, are `1.0.0` and `1.5.0`. Of
/// Go itself `go1.22rc1` is `1.22.0-rc.1`.
fn semantic(version: &str) -> Option<Version> {
    if let Some(release) = version.strip_prefix("go") {
        let mut labels = ["rc", "beta"].into_iter();
        let label = labels.find_map(|label| Some((release.split_once(label)?, label)));
        let Some(((release, number), label)) = label else {
            return semantic(release).filter(|_| !release.starts_with(['v', 'g']));
        };
        let number = number.parse::<u64>().ok()?;
        let release = semantic(release).filter(|release| release.pre.is_empty())?;
        return Version::parse(&format!("{release}-{label}.{number}")).ok();
    }
    let version = version.strip_prefix('v').unwrap_or(version);
    let missing = if version.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        2_usize.saturating_sub(version.matches('.').count())
    } else {
        0
    };
    Version::parse(&format!("{version}{}", ".0".repeat(missing))).ok()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparator {
    Equal,
    Unequal,
    Below,
    UpTo,
    From,
    Above,
}

impl Comparator {
    /// Whether the version of the constraint itself is in the range.
    fn takes_its_own(self) -> bool {
        matches!(
            self,
            Comparator::Equal | Comparator::UpTo | Comparator::From
        )
    }

    /// Whether the range goes on above the version.
    fn opens(self) -> bool {
        matches!(self, Comparator::Above | Comparator::From)
    }
}

struct Constraint<'a> {
    comparator: Comparator,
    version: &'a str,
}

impl<'a> Constraint<'a> {
    /// Longer comparators first: `<=` begins with `<`.
    fn read(text: &'a str) -> Option<Self> {
        const COMPARATORS: [(&str, Comparator); 6] = [
            ("!=", Comparator::Unequal),
            ("<=", Comparator::UpTo),
            (">=", Comparator::From),
            ("<", Comparator::Below),
            (">", Comparator::Above),
            ("=", Comparator::Equal),
        ];
        let found = COMPARATORS
            .iter()
            .find_map(|(sign, comparator)| Some((text.strip_prefix(sign)?, *comparator)));
        let (version, comparator) = found.unwrap_or((text, Comparator::Equal));
        // Percent-encoding is left alone: no semantic version needs it.
        (!version.is_empty() && !version.contains('%')).then_some(Constraint {
            comparator,
            version,
        })
    }
}

/// The algorithm of the specification, "Checking if a version is contained within a range". Its
/// constraints have to be in order and their versions distinct, or it is not a range.
fn within<V>(
    constraints: &[Constraint<'_>],
    version: &str,
    read: impl Fn(&str) -> Option<V>,
    order: impl Fn(&V, &V) -> Ordering,
) -> Applies {
    let Some(version) = read(version) else {
        return Applies::Undecided;
    };
    let mut bounds: Vec<(Comparator, V)> = Vec::with_capacity(constraints.len());
    for one in constraints {
        let Some(bound) = read(one.version) else {
            return Applies::Undecided;
        };
        bounds.push((one.comparator, bound));
    }
    if !bounds.is_sorted_by(|a, b| order(&a.1, &b.1) == Ordering::Less) {
        return Applies::Undecided;
    }
    for (comparator, bound) in &bounds {
        if order(bound, &version) == Ordering::Equal {
            return comparator.takes_its_own().into();
        }
    }
    if bounds.iter().all(|(one, _)| *one == Comparator::Unequal) {
        return Applies::Yes;
    }
    bounds.retain(|(one, _)| !matches!(one, Comparator::Equal | Comparator::Unequal));

    // The version stands between the last bound below it and the first one above it.
    let above = bounds.partition_point(|(_, bound)| order(bound, &version) == Ordering::Less);
    let (below, above) = bounds.split_at(above);
    let begun = below.last().map(|(before, _)| before.opens());
    let goes_on = above.first().map(|(after, _)| !after.opens());
    match (begun, goes_on) {
        (None, None) => Applies::No,
        _ => (begun.unwrap_or(true) && goes_on.unwrap_or(true)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_in_a_range_or_not() {
        for (range, within, without) in [
            (
                "vers:cargo/>=1.0.0|<2.0.0",
                &["1.0.0", "1.9.9"][..],
                &["0.9.0", "2.0.0", "1.0.0-rc.1"][..],
            ),
            (
                "vers:cargo/>1.0.0|<=2.0.0",
                &["1.0.1", "2.0.0"],
                &["1.0.0", "2.0.1"],
            ),
            (
                "vers:cargo/<2.0.0",
                &["0.0.1", "2.0.0-a"],
                &["2.0.0", "3.0.0"],
            ),
            ("vers:cargo/>=2.0.0", &["2.0.0", "3.0.0"], &["1.9.9"]),
            (
                "vers:npm/1.2.3|>=2.0.0|<5.0.0",
                &["1.2.3", "2.0.0", "4.9.0"],
                &["1.2.4", "5.0.0"],
            ),
            (
                "vers:npm/<1.0.0|>=2.0.0|!=2.1.0|<3.0.0",
                &["0.1.0", "2.0.5", "2.2.0"],
                &["1.0.0", "1.5.0", "2.1.0", "3.0.0"],
            ),
            ("vers:npm/!=2.0.0", &["1.0.0"], &["2.0.0"]),
            ("vers:npm/=2.0.0", &["2.0.0", "2.0.0+build"], &["1.0.0"]),
            (
                "vers:npm/>=1|<2.1",
                &["1.0.0", "2.0.9"],
                &["2.1.0", "2.1.1"],
            ),
            ("vers:cargo/*", &["anything"], &[]),
        ] {
            let package_type = range[5..].split('/').next().unwrap();
            within.iter().for_each(|one| {
                assert_eq!(
                    contains(range, package_type, one),
                    Applies::Yes,
                    "{range} {one}"
                )
            });
            without.iter().for_each(|one| {
                assert_eq!(
                    contains(range, package_type, one),
                    Applies::No,
                    "{range} {one}"
                )
            });
        }
        assert_eq!(
            contains("vers:golang/<v1.2.0", "golang", "v1.1.0"),
            Applies::Yes
        );
    }

    #[test]
    fn go_and_python_have_orders_of_their_own() {
        for (range, within, without) in [
            (
                "vers:golang/>=1.21.0|<1.22.1",
                &["go1.21", "go1.22.0", "go1.22rc1", "v1.21.5"][..],
                &["go1.22.1", "go1.20.14", "go1.21rc2"][..],
            ),
            (
                "vers:pypi/>=1.0|<2.0",
                &["1.0", "1.10", "1.0.post1", "2.0rc1", "1.5+local"],
                &["2.0", "0.9", "1.0.dev1", "1!1.5", "v2"],
            ),
            ("vers:pypi/<=2.0", &["2.0.0", "1.9"], &["2.0.post1"]),
        ] {
            let (package_type, _) = range[5..].split_once('/').unwrap();
            for (versions, expected) in [(within, Applies::Yes), (without, Applies::No)] {
                for one in versions {
                    assert_eq!(
                        contains(range, package_type, one),
                        expected,
                        "{range} {one}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_told_is_not_told() {
        for (range, package_type, version) in [
            ("vers:cargo/>=1.0.0", "npm", "1.0.0"),
            // A range of everything is of everything of its own type.
            ("vers:npm/*", "cargo", "1.0.0"),
            ("vers:generic/*", "cargo", "1.0.0"),
            ("vers:semver/*", "deb", "1.0.0"),
            ("vers:semver/>=1.0.0", "pypi", "1.1.0"),
            ("vers:pypi/>=1.0", "pypi", "one"),
            ("vers:pypi/>=2.0|<1.0", "pypi", "1.5"),
            ("vers:pypi/<=2.0", "pypi", "2.0+local"),
            ("vers:gem/>=1.0", "gem", "1.1"),
            ("vers:gem/1.0", "gem", "1.0.1"),
            ("vers:golang/>=1.21.0", "golang", "go1.22-custom-rc"),
            ("vers:golang/>=1.21.0", "golang", "gogo1.22"),
            ("vers:cargo/>=1.0.0", "cargo", "one"),
            ("vers:cargo/>=one", "cargo", "1.0.0"),
            ("vers:cargo/>=2.0.0|<1.0.0", "cargo", "1.5.0"),
            ("vers:cargo/>=1.0.0|", "cargo", "1.5.0"),
            ("cargo/>=1.0.0", "cargo", "1.5.0"),
        ] {
            assert_eq!(
                contains(range, package_type, version),
                Applies::Undecided,
                "{range} {version}"
            );
        }
        assert_eq!(contains("vers:pypi/1.0|2.0", "pypi", "2.0"), Applies::Yes);
        assert_eq!(contains("vers:pypi/1.0|2.0", "pypi", "2.0.0"), Applies::Yes);
    }
}
