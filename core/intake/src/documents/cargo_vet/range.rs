//! Version requirements of cargo as `vers:` ranges.

use semver::{Comparator, Op, Prerelease, Version, VersionReq};
use std::cmp::Ordering;

/// The versions from one bound to another: the version, and whether it is within.
#[derive(Default)]
struct Range {
    lower: Option<(Version, bool)>,
    upper: Option<(Version, bool)>,
}

/// The versions that a requirement is met by.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Versions {
    /// Only this one.
    One(Version),
    /// All of a `vers:cargo/` range.
    Range(String),
}

/// What meets `requirement`; `None` if nothing can. cargo leaves pre-releases out of a range that
/// does not name one; `vers:` has no word for that, and so they are in it.
pub(super) fn of(requirement: &VersionReq) -> Option<Versions> {
    let mut range = Range::default();
    for comparator in &requirement.comparators {
        range.narrow(bounds(comparator)?);
    }
    match (&range.lower, &range.upper) {
        (None, None) => Some(Versions::Range("vers:cargo/*".into())),
        (Some((lower, from)), Some((upper, to))) => match lower.cmp_precedence(upper) {
            Ordering::Less => Some(Versions::Range(range.to_vers())),
            Ordering::Equal if *from && *to => Some(Versions::One(lower.clone())),
            _ => None,
        },
        _ => Some(Versions::Range(range.to_vers())),
    }
}

/// The versions that meet none of the requirements, as a `vers:` range; `None` if there are none.
/// A requirement that nothing can meet says nothing.
pub(in super::super) fn outside(requirements: &[VersionReq]) -> Option<String> {
    let mut ranges: Vec<(Option<Cut>, Option<Cut>)> = Vec::new();
    for requirement in requirements.iter().filter(|one| of(one).is_some()) {
        let mut range = Range::default();
        for comparator in &requirement.comparators {
            range.narrow(bounds(comparator)?);
        }
        let lower = range.lower.map(|(version, within)| (version, !within));
        ranges.push((lower, range.upper));
    }
    ranges.sort();
    let mut pieces = Vec::new();
    let mut begun: Option<Cut> = None;
    let mut is_open = true;
    for (lower, upper) in ranges {
        if let Some(lower) = lower
            && begun.as_ref().is_none_or(|begun| *begun < lower)
        {
            push_between(&mut pieces, begun.take(), Some(lower));
        }
        match upper {
            Some(upper) => begun = begun.max(Some(upper)),
            None => {
                is_open = false;
                break;
            }
        }
    }
    if is_open {
        push_between(&mut pieces, begun, None);
    }
    (!pieces.is_empty()).then(|| format!("vers:cargo/{}", pieces.join("|")))
}

/// A place between two versions: before this one, or after it.
type Cut = (Version, bool);

/// The versions from one place to another as constraints.
fn push_between(pieces: &mut Vec<String>, from: Option<Cut>, to: Option<Cut>) {
    if let (Some((from, false)), Some((to, true))) = (&from, &to)
        && from == to
    {
        pieces.push(from.to_string());
        return;
    }
    if from.is_none() && to.is_none() {
        pieces.push("*".to_owned());
    }
    // Where one version alone is left out, it is what is said: none stands in a range twice.
    if let Some((version, true)) = &from
        && pieces.last() == Some(&format!("<{version}"))
    {
        pieces.pop();
        pieces.push(format!("!={version}"));
    } else if let Some((version, after)) = from {
        pieces.push(format!("{}{version}", if after { ">" } else { ">=" }));
    }
    if let Some((version, after)) = to {
        pieces.push(format!("{}{version}", if after { "<=" } else { "<" }));
    }
}

impl Range {
    /// Leaves what is in the other range, too.
    fn narrow(&mut self, other: Range) {
        self.lower = tighter(self.lower.take(), other.lower, Ordering::Greater);
        self.upper = tighter(self.upper.take(), other.upper, Ordering::Less);
    }

    fn to_vers(&self) -> String {
        let bound = |bound: &Option<(Version, bool)>, sign: &str| {
            bound.as_ref().map(|(version, within)| {
                format!("{sign}{}{version}", if *within { "=" } else { "" })
            })
        };
        let bounds: Vec<_> = [bound(&self.lower, ">"), bound(&self.upper, "<")]
            .into_iter()
            .flatten()
            .collect();
        format!("vers:cargo/{}", bounds.join("|"))
    }
}

/// The bound that leaves less: the one on the `inner` side, and of two alike the one that is not
/// within.
fn tighter(
    a: Option<(Version, bool)>,
    b: Option<(Version, bool)>,
    inner: Ordering,
) -> Option<(Version, bool)> {
    let (Some(a), Some(b)) = (&a, &b) else {
        return a.or(b);
    };
    let order = a.0.cmp_precedence(&b.0);
    Some(if order == inner || (order == Ordering::Equal && !a.1) {
        a.clone()
    } else {
        b.clone()
    })
}

/// The bounds of one comparator, as the Cargo book defines it; `None` if its numbers overflow.
fn bounds(comparator: &Comparator) -> Option<Range> {
    let Comparator {
        op,
        major,
        minor,
        patch,
        pre,
    } = comparator;
    let first = Version {
        pre: pre.clone(),
        ..Version::new(*major, minor.unwrap_or(0), patch.unwrap_or(0))
    };
    // The first version after all that begin with the numbers given.
    let next = || match (minor, patch) {
        (None, _) => Some(Version::new(major.checked_add(1)?, 0, 0)),
        (Some(minor), None) => Some(Version::new(*major, minor.checked_add(1)?, 0)),
        (Some(minor), Some(patch)) => Some(Version::new(*major, *minor, patch.checked_add(1)?)),
    };
    let whole = patch.is_some();
    let (lower, upper) = match op {
        Op::Exact if whole => (Some((first.clone(), true)), Some((first, true))),
        Op::Greater if whole => (Some((first, false)), None),
        Op::Greater => (Some((next()?, true)), None),
        Op::GreaterEq => (Some((first, true)), None),
        Op::Less => (None, Some((first, false))),
        Op::LessEq if whole => (None, Some((first, true))),
        Op::LessEq => (None, Some(before(next()?))),
        Op::Tilde if whole => {
            let next = Version::new(*major, minor.unwrap_or(0).checked_add(1)?, 0);
            (Some((first, true)), Some(before(next)))
        }
        Op::Caret => (
            Some((first, true)),
            Some(before(compatible(*major, *minor, *patch)?)),
        ),
        _ => (Some((first, true)), Some(before(next()?))),
    };
    Some(Range { lower, upper })
}

/// The end before a version that the requirement does not name, and before all that lead to it: no
/// `2.0.0-rc.1` is a `^1.0`.
fn before(version: Version) -> (Version, bool) {
    let pre = Prerelease::new("0").unwrap_or(Prerelease::EMPTY);
    (Version { pre, ..version }, false)
}

/// The first version that cargo does not take to be compatible: the leftmost number that is not
/// zero goes up.
fn compatible(major: u64, minor: Option<u64>, patch: Option<u64>) -> Option<Version> {
    Some(match (major, minor, patch) {
        (0, Some(0), Some(patch)) => Version::new(0, 0, patch.checked_add(1)?),
        (0, Some(minor), _) => Version::new(0, minor.checked_add(1)?, 0),
        _ => Version::new(major.checked_add(1)?, 0, 0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn range(requirement: &str) -> Option<String> {
        of(&VersionReq::parse(requirement).unwrap()).map(|versions| match versions {
            Versions::One(version) => version.to_string(),
            Versions::Range(range) => range.strip_prefix("vers:cargo/").unwrap().to_owned(),
        })
    }

    #[test]
    fn what_meets_no_requirement_is_what_is_left() {
        for (requirements, expected) in [
            (&[][..], Some("*")),
            (&["*"], None),
            (&[">=1.2.3"], Some("<1.2.3")),
            (&[">1.2.3"], Some("<=1.2.3")),
            (&["<=1.2.3"], Some(">1.2.3")),
            (&[">=1.2.3", "<0.5.0"], Some(">=0.5.0|<1.2.3")),
            (&["^0.4.9", ">=0.5.1"], Some("<0.4.9|>=0.5.0-0|<0.5.1")),
            (
                &[">=0.5.1", "^0.4.9", "<0.2.0"],
                Some(">=0.2.0|<0.4.9|>=0.5.0-0|<0.5.1"),
            ),
            (&["<1.0.0", ">1.0.0"], Some("1.0.0")),
            (&["<1.0.0", ">=1.0.0"], None),
            (&["<2.0.0", "<1.0.0"], Some(">=2.0.0")),
            (&["=1.0.0"], Some("!=1.0.0")),
            (&[">=1.2.3", "=1.0.5"], Some("!=1.0.5|<1.2.3")),
            (&["=1.0.5", "=1.0.7"], Some("!=1.0.5|!=1.0.7")),
            (
                &["<=1.0.0", "=1.0.5", ">=2.0.0"],
                Some(">1.0.0|!=1.0.5|<2.0.0"),
            ),
            (&["<1.0.0", ">1.0.0, <=1.0.5"], Some("1.0.0|>1.0.5")),
            (&[">=1.0.0, <1.1.0", ">=1.0.5"], Some("<1.0.0")),
            (&[">2.0.0, <1.0.0"], Some("*")),
            // What leads to the next one is not patched in this one.
            (&["^1.2.3", ">=2"], Some("<1.2.3|>=2.0.0-0|<2.0.0")),
            (
                &["~1.2.3", "1.3.*"],
                Some("<1.2.3|>=1.3.0-0|<1.3.0|>=1.4.0-0"),
            ),
        ] {
            let parsed: Vec<VersionReq> = requirements
                .iter()
                .map(|one| VersionReq::parse(one).unwrap())
                .collect();
            let expected = expected.map(|bounds| format!("vers:cargo/{bounds}"));
            assert_eq!(outside(&parsed), expected, "{requirements:?}");
        }
    }

    #[test]
    fn requirements_become_ranges() {
        for (requirement, expected) in [
            ("*", "*"),
            ("=1.2.3", "1.2.3"),
            ("=1.2", ">=1.2.0|<1.3.0-0"),
            (">1.2.3", ">1.2.3"),
            (">1.2", ">=1.3.0"),
            (">=1", ">=1.0.0"),
            ("<2.1", "<2.1.0"),
            ("<=1.2.3", "<=1.2.3"),
            ("<=1", "<2.0.0-0"),
            ("~1.2.3", ">=1.2.3|<1.3.0-0"),
            ("~1", ">=1.0.0|<2.0.0-0"),
            ("1.2.3", ">=1.2.3|<2.0.0-0"),
            ("^0.2.3", ">=0.2.3|<0.3.0-0"),
            ("^0.0.3", ">=0.0.3|<0.0.4-0"),
            ("^0.0", ">=0.0.0|<0.1.0-0"),
            ("1.*", ">=1.0.0|<2.0.0-0"),
            (">=1.2, <2, >1.2.0, <=2.0.0", ">1.2.0|<2.0.0"),
            (">=1.0.0-rc.1, <=1.0.0-rc.1", "1.0.0-rc.1"),
        ] {
            assert_eq!(
                range(requirement).as_deref(),
                Some(expected),
                "{requirement}"
            );
        }
        for nothing in [">2, <1", ">1.0.0, <=1.0.0", "=18446744073709551615"] {
            assert_eq!(range(nothing), None, "{nothing}");
        }
    }

    /// Whether a version is in a range, read independently of how it was made.
    fn within(version: &Version, range: &str) -> bool {
        range.split('|').all(|bound| {
            let digits = bound.find(|c: char| c.is_ascii_digit());
            let Some((sign, bound)) = digits.map(|i| bound.split_at(i)) else {
                return bound == "*";
            };
            let order = version.cmp(&Version::parse(bound).unwrap());
            match sign {
                ">" => order.is_gt(),
                ">=" => order.is_ge(),
                "<" => order.is_lt(),
                "<=" => order.is_le(),
                _ => order.is_eq(),
            }
        })
    }

    proptest! {
        #[test]
        fn a_range_holds_what_meets_the_requirement(
            parts in proptest::collection::vec(
                ("(=|>|>=|<|<=|~|\\^)", 0..3_u64, proptest::option::of(0..3_u64)),
                1..4,
            ),
            patch in proptest::option::of(0..3_u64), numbers in (0..4_u64, 0..4_u64, 0..4_u64),
        ) {
            let parts: Vec<_> = parts.iter().map(|(op, major, minor)| match (minor, patch) {
                (None, _) => format!("{op}{major}"),
                (Some(minor), None) => format!("{op}{major}.{minor}"),
                (Some(minor), Some(patch)) => format!("{op}{major}.{minor}.{patch}"),
            }).collect();
            let text = parts.join(",");
            let version = Version::new(numbers.0, numbers.1, numbers.2);
            let meets = VersionReq::parse(&text).unwrap().matches(&version);
            prop_assert_eq!(range(&text).is_some_and(|range| within(&version, &range)), meets, "{} \
                {}", text, version);
        }
    }
}
