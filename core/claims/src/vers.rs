//! Version ranges (`vers:`, purl-spec's VERSION-RANGE-SPEC), as far as whether a version is in one
//! can be told.
//!
//! Versions are put in order for the types that use semantic versioning (cargo, npm, golang and the
//! like, and `semver` itself), for pypi, and for those of `order`. For all others a range of
//! everything and single versions are decided, and nothing else: an order that is nearly the
//! ecosystem's own would decide wrongly without anybody noticing.

use crate::order::{apk, composer, deb, gem, maven, nuget, numbers, rpm};
use crate::purl::{self, Purl};
use crate::version;
use semver::Version;
use std::cmp::Ordering;
use std::collections::BTreeSet;
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

/// As [`contains`], of the version that a package has, with its epoch wherever the purl has it.
/// Undecided if the purl names no version.
pub fn contains_that_of(range: &str, package: &Purl) -> Applies {
    match package.version_with_epoch() {
        Some(version) => contains(range, package.ty(), &version),
        None => Applies::Undecided,
    }
}

/// Whether a version of a package of a type is in the range. Undecided if that cannot be told here,
/// or if the range is malformed or of another type. A version that the range names by itself, in
/// the same spelling, is in it, also if other constraints cannot be put in order.
pub fn contains(range: &str, package_type: &str, version: &str) -> Applies {
    let Some((scheme, constraints)) = range
        .strip_prefix("vers:")
        .and_then(|range| range.split_once('/'))
    else {
        return Applies::Undecided;
    };
    let is_general = GENERAL.contains(&scheme) && HAVE_SEMANTIC.contains(&package_type);
    match (scheme, constraints) {
        (ALL, "*") => return Applies::Yes,
        (ALL, _) => return Applies::Undecided,
        // An action of GitHub's is its repository.
        ("githubactions", _) if package_type == "github" => {}
        _ if scheme != package_type && !is_general => return Applies::Undecided,
        _ => {}
    }
    if constraints == "*" {
        return Applies::Yes;
    }
    // Versions and signs can be percent-encoded.
    let decoded = constraints.split('|').map(purl::decode);
    let Ok(decoded) = decoded.collect::<Result<Vec<String>, _>>() else {
        return Applies::Undecided;
    };
    let constraints = decoded.iter().map(|one| Constraint::read(one));
    let Some(constraints) = constraints.collect::<Option<Vec<_>>>() else {
        return Applies::Undecided;
    };
    let is_named = |is_same: &dyn Fn(&str) -> bool| {
        let mut equal = constraints.iter();
        equal.any(|one| one.comparator == Comparator::Equal && is_same(one.version))
    };
    if is_named(&|one| one == version) {
        return Applies::Yes;
    }
    if let Some(order) = order_of(scheme) {
        return match (scheme, package_type) {
            // A tag such as `v4` is moved to each new version that begins with it.
            ("githubactions", _) if version.matches('.').count() < 2 => Applies::Undecided,
            ("intdot", _) => order(&constraints, version),
            // Pub tells builds apart.
            (_, "pub") => within(&constraints, version, semantic, Version::cmp),
            (_, "bitnami") => within(&constraints, version, bitnami, Version::cmp_precedence),
            _ => order(&constraints, version),
        };
    }
    // Versions whose texts differ may be the same one.
    if is_named(&|one| is_same(package_type, one, version)) {
        Applies::Yes
    } else {
        Applies::Undecided
    }
}

/// Most epochs of a range that are told apart.
pub const EPOCHS: usize = 4;

/// The epochs of the versions that a range names, `0` where none is stated: at most one more than
/// [`EPOCHS`], which says that there may be others.
pub fn epochs(range: &str) -> BTreeSet<String> {
    let constraints = range.split_once('/').map_or("", |(_, rest)| rest);
    let mut epochs = BTreeSet::new();
    for one in constraints.split('|') {
        let decoded = purl::decode(one).unwrap_or_default();
        let version = Constraint::read(&decoded).map_or("", |one| one.version);
        let epoch = version.split_once(':').map_or("0", |(epoch, _)| epoch);
        if epoch.bytes().all(|byte| byte.is_ascii_digit()) && epochs.len() <= EPOCHS {
            epochs.insert(epoch.to_owned());
        }
    }
    epochs
}

/// Whether the order of the versions of a scheme is known here.
pub fn is_ordered(scheme: &str) -> bool {
    order_of(scheme).is_some()
}

/// Decides whether a version is within constraints.
type Order = fn(&[Constraint<'_>], &str) -> Applies;

/// The order of the versions of a scheme, if it is known here.
fn order_of(scheme: &str) -> Option<Order> {
    let order: Order = match scheme {
        "apk" => |all, version| within(all, version, apk::read, Ord::cmp),
        "cocoapods" | "gem" => |all, version| within(all, version, gem::read, Ord::cmp),
        "composer" => |all, version| within(all, version, composer::read, Ord::cmp),
        "cran" => |all, version| within(all, version, numbers::cran, Ord::cmp),
        "deb" => |all, version| within(all, version, deb::read, Ord::cmp),
        "hackage" => |all, version| within(all, version, numbers::intdot, Ord::cmp),
        "intdot" => |all, version| {
            agreed([
                within(all, version, numbers::intdot, Ord::cmp),
                within(all, version, numbers::intdot, numbers::with_zeros),
            ])
        },
        // A build of a snapshot is one, and which of them is meant may not be said.
        "maven" => |all, version| {
            agreed([
                within(all, version, maven::read_built, Ord::cmp),
                within(all, version, maven::read_snapshot, Ord::cmp),
            ])
        },
        "nuget" => |all, version| within(all, version, nuget::read, Ord::cmp),
        "pypi" => in_python,
        // Where a release is left out, or a zero at the end, that may mean any and may mean none.
        "rpm" => |all, version| {
            agreed([
                within(all, version, rpm::read, Ord::cmp),
                within(all, version, rpm::read, rpm::of_any_release),
            ])
        },
        "golang" => |all, version| within(all, version, of_go, Version::cmp_precedence),
        "cargo" | "githubactions" | "hex" | "npm" | "pub" | "semver" | "swift" => {
            |all, version| within(all, version, semantic, Version::cmp_precedence)
        }
        _ => return None,
    };
    Some(order)
}

/// What two ways to compare agree on.
fn agreed([one, other]: [Applies; 2]) -> Applies {
    if one == other {
        one
    } else {
        Applies::Undecided
    }
}

/// As PEP 440 orders versions. What is made of a version elsewhere (`1.0+local`) may or may not
/// have what the version has: its order puts it above, and what it says of specifiers takes it for
/// the version itself, as pip does. Both have to be on one side, unless the range names this very
/// local version.
fn in_python(constraints: &[Constraint<'_>], version: &str) -> Applies {
    let read = |text: &str| pep440_rs::Version::from_str(text).ok();
    let Some(known) = read(version) else {
        return Applies::Undecided;
    };
    let decide = |version: pep440_rs::Version| {
        within(constraints, &version.to_string(), read, |a, b| a.cmp(b))
    };
    let mut bounds = constraints.iter().map(|one| read(one.version));
    let is_meant = bounds.any(|bound| bound.as_ref() == Some(&known));
    if is_meant || !known.is_local() {
        return decide(known);
    }
    agreed([decide(known.clone()), decide(known.without_local())])
}

/// Whether two spellings are of one version of a package of the type.
fn is_same(package_type: &str, one: &str, other: &str) -> bool {
    let key = |version| version::key(package_type, "", version);
    one == other || key(one) == key(other)
}

/// The scheme for all versions of whatever it is.
const ALL: &str = "all";

/// Schemes of no type of their own.
const GENERAL: [&str; 2] = ["intdot", "semver"];

/// Types of packages that a range of semantic versions can be of: those whose versions are, and
/// those that have no order of their own.
const HAVE_SEMANTIC: [&str; 17] = [
    "bitbucket",
    "bitnami",
    "cargo",
    "conan",
    "docker",
    "generic",
    "github",
    "githubactions",
    "gitlab",
    "golang",
    "hex",
    "julia",
    "npm",
    "oci",
    "pub",
    "swift",
    "vscode-extension",
];

/// A version of a Go module, or of Go itself: tools leave out the `go` in front of that
/// (`1.22rc1`), what it was built to try stands behind it (`go1.22.1 X:boringcrypto`), and who
/// built it means nothing (`go1.22.1-bigcorp`; `go/version`).
fn of_go(version: &str) -> Option<Version> {
    let version = version.split(' ').next().unwrap_or_default();
    let version = match version.split_once('-') {
        Some((release, _)) if version.starts_with("go") => release,
        _ => version,
    };
    semantic(version).or_else(|| semantic(&format!("go{version}")))
}

/// A semantic version of an application by Bitnami, which may be packed several times.
fn bitnami(version: &str) -> Option<Version> {
    let packed = version.rsplit_once('-');
    let bare = packed.filter(|(_, count)| count.bytes().all(|b| b.is_ascii_digit()));
    semantic(bare.map_or(version, |(version, _)| version))
}

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
        let is_one = !version.is_empty() && !version.contains(['%', '|', '<', '>', '=', '*']);
        is_one.then_some(Constraint {
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
mod tests;
