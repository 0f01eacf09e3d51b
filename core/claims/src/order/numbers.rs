//! Numbers between dots: R packages (`package_version`), of which a hyphen is a dot, and the scheme
//! `intdot`.

use super::{Number, are_digits};
use std::cmp::Ordering;

/// A list of numbers; a list is below what it is the beginning of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(Vec<Number>);

/// A version of an R package.
pub(crate) fn cran(text: &str) -> Option<Version> {
    read(text.split(['.', '-']))
}

/// Numbers with dots between them.
pub(crate) fn intdot(text: &str) -> Option<Version> {
    read(text.split('.'))
}

fn read<'a>(parts: impl Iterator<Item = &'a str>) -> Option<Version> {
    let numbers = parts.map(|part| are_digits(part).then(|| Number::of(part)));
    Some(Version(numbers.collect::<Option<_>>()?))
}

/// As if both went on with zeros.
pub(crate) fn with_zeros(one: &Version, other: &Version) -> Ordering {
    super::padded(&one.0, &other.0, &Number::of(""))
}
