//! Names of packages, versions, ranges, and times.

use crate::target::Target;
use assay_claims::purl::{Pattern, Purl};
use assay_claims::time::{self, Timestamp};
use assay_claims::vers::{self, Applies};
use assay_claims::version;
use std::cmp::Ordering;
use std::str::FromStr;

pub fn targets() -> Vec<Target> {
    vec![
        Target::of_text("purl", purl),
        Target::of_text("pattern", pattern),
        Target::of_text("version", a_version),
        Target::of_text("vers", vers),
        Target::of_text("time", a_time),
    ]
}

/// The canonical form is its own, and can be made of its parts; who demands it and who makes it
/// agree.
fn purl(text: &str) -> bool {
    let read = Purl::parse(text);
    let Ok(purl) = Purl::canonicalize(text) else {
        assert!(read.is_err(), "only one of two readers takes it");
        return false;
    };
    if let Ok(read) = read {
        assert_eq!(read, purl);
    }
    let canonical = Purl::parse_canonical(purl.as_str());
    assert_eq!(canonical.as_ref(), Ok(&purl));
    assert_eq!(Purl::parse_canonical(text).is_ok(), purl.as_str() == text);
    assert_eq!(Purl::parse(purl.as_str()).as_ref(), Ok(&purl));
    assert_eq!(Purl::build(purl.components()).as_ref(), Ok(&purl));
    assert!(purl.is_same_package(&purl) && purl.is_same_version(&purl));
    assert!(purl.is_from_same_place(&purl));

    let package = Purl::parse_canonical(purl.without_version());
    if let Ok(package) = package {
        assert_eq!(package.without_version(), purl.without_version());
        assert_eq!(package.version(), None);
        if let Ok(pattern) = Pattern::parse(package.as_str()) {
            assert!(pattern.matches(&package));
            assert_eq!(pattern.matches(&purl), purl.is_same_package(&package));
        }
    }
    true
}

/// A pattern is what it was read from, and what it holds it has in common with itself.
fn pattern(text: &str) -> bool {
    let Ok(pattern) = Pattern::parse(text) else {
        return false;
    };
    assert_eq!(pattern.as_str(), text);
    assert_eq!(pattern.meet(&pattern), Some(&pattern));
    let all = Pattern::parse("pkg:*").unwrap();
    assert_eq!(pattern.meet(&all), Some(&pattern));
    assert_eq!(all.meet(&pattern), Some(&pattern));
    match text.strip_suffix('*') {
        None => assert!(pattern.matches(&Purl::parse_canonical(text).unwrap())),
        Some(beginning) => {
            if let Ok(purl) = Purl::canonicalize(&format!("{beginning}x"))
                && purl.as_str().starts_with(beginning)
            {
                assert!(pattern.matches(&purl), "{purl}");
            }
        }
    }
    true
}

/// Versions that libraries take for the same have one key, and of those that they tell apart, the
/// keys differ.
fn a_version(text: &str) -> bool {
    let lines: Vec<&str> = text.split('\n').collect();
    let [ty, one, other] = lines[..] else {
        return false;
    };
    let [a, b] = [one, other].map(|version| version::key(ty, "a", version));
    assert_eq!(a, version::key(ty, "a", one));
    let known = match ty {
        "pypi" => {
            let [one, other] = [one, other].map(pep440_rs::Version::from_str);
            one.ok().zip(other.ok()).map(|(one, other)| one == other)
        }
        "cargo" | "npm" => {
            let [one, other] = [one, other].map(semver::Version::parse);
            let pair = one.ok().zip(other.ok());
            pair.map(|(one, other)| one.cmp_precedence(&other) == Ordering::Equal)
        }
        _ => (one == other).then_some(true),
    };
    if let Some(same) = known {
        assert_eq!(a == b, same, "{ty} {one:?} has {a:?}, and {other:?} {b:?}");
    }
    true
}

/// Whether a version is from one to another, as the library says. Type, both ends and version have
/// a line each.
fn vers(text: &str) -> bool {
    let lines: Vec<&str> = text.split('\n').collect();
    let [ty, from, below, version] = lines[..] else {
        return false;
    };
    // These would be constraints of their own.
    if text.contains(['|', '<', '>', '=', '!']) {
        return false;
    }
    for (range, expected) in [
        (format!("vers:{ty}/*"), Applies::Yes),
        (format!("vers:{ty}x/*"), Applies::Undecided),
    ] {
        if !ty.contains('/') {
            assert_eq!(vers::contains(&range, ty, version), expected);
        }
    }
    let range = format!("vers:{ty}/>={from}|<{below}");
    let said = vers::contains(&range, ty, version);
    let reversed = vers::contains(&format!("vers:{ty}/<{from}|>={below}"), ty, version);
    if said != Applies::Undecided && reversed != Applies::Undecided {
        assert_ne!(said, reversed, "{version} is in {range} and outside of it");
    }
    let order = match ty {
        "cargo" | "npm" | "golang" => semantic_order(from, below, version),
        "pypi" => python_order(from, below, version),
        _ => return said != Applies::Undecided,
    };
    if let Some([ends, from, below]) = order
        && said != Applies::Undecided
    {
        assert_eq!(ends, Ordering::Less, "{range} is no range");
        let within = from != Ordering::Less && below == Ordering::Less;
        assert_eq!(said, within.into(), "{version} in {range}");
    }
    said != Applies::Undecided
}

/// How both ends compare, and the version to either, if all are versions.
fn semantic_order(from: &str, below: &str, version: &str) -> Option<[Ordering; 3]> {
    let [from, below, version] =
        [from, below, version].map(|text| semver::Version::parse(text).ok());
    let (from, below, version) = (from?, below?, version?);
    Some([
        from.cmp_precedence(&below),
        version.cmp_precedence(&from),
        version.cmp_precedence(&below),
    ])
}

fn python_order(from: &str, below: &str, version: &str) -> Option<[Ordering; 3]> {
    let read = |text| pep440_rs::Version::from_str(text).ok();
    let (from, below, version) = (read(from)?, read(below)?, read(version)?);
    Some([from.cmp(&below), version.cmp(&from), version.cmp(&below)])
}

/// A time is the instant that the library reads, and what we write is read as what it was made of.
fn a_time(text: &str) -> bool {
    let ends = [Timestamp::parse_beginning(text), Timestamp::parse_end(text)];
    let [Some(begin), Some(end)] = ends else {
        assert_eq!(ends, [None, None]);
        return false;
    };
    assert_eq!((begin.as_str(), end.as_str()), (text, text));
    assert!(begin.unix_ms() <= end.unix_ms());
    match Timestamp::parse(text) {
        None => assert!(time::is_date(text) && end.unix_ms() - begin.unix_ms() == 86_399_999),
        Some(at) => {
            assert_eq!((&at, &at), (&begin, &end));
            let theirs = text.parse::<jiff::Timestamp>();
            // The library reads a leap second as the one before it, and nine digits of a fraction.
            if let Ok(theirs) = theirs
                && !text[..19].ends_with("60")
            {
                let ms = theirs.as_nanosecond().div_euclid(1_000_000);
                assert_eq!(i128::from(at.unix_ms()), ms, "{text}");
            }
        }
    }
    if let Ok(ms) = u64::try_from(begin.unix_ms()) {
        let written = time::rfc3339_of_ms(ms);
        if written.len() == "2026-01-01T00:00:00Z".len() {
            let again = Timestamp::parse(&written).unwrap();
            assert_eq!(again.unix_ms(), (ms / 1000 * 1000) as i64);
        }
    }
    true
}
