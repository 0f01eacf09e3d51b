//! Versions of gems, as `Gem::Version` has them. What is appended for a platform (`1.0-java`) is no
//! part of the version.

use super::{Number, digits, span};
use std::cmp::Ordering;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version(Vec<Segment>);

/// In their order: a word makes a pre-release, and what is missing is 0.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Word(String),
    Number(Number),
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        super::padded(&self.0, &other.0, &Segment::Number(Number::of("")))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What is in the name of a platform that gems are built for.
const PLATFORMS: [&str; 8] = [
    "aix", "darwin", "freebsd", "linux", "mingw", "mswin", "openbsd", "solaris",
];

/// The version, and the platform behind it that it is built for; `None` if there is none.
pub(crate) fn platform(text: &str) -> Option<(&str, &str)> {
    text.split_once('-').filter(|(_, platform)| {
        ["java", "jruby", "ruby"].contains(platform)
            || PLATFORMS.iter().any(|one| platform.contains(one))
    })
}

/// A correct version in RubyGems' sense.
pub(crate) fn read(text: &str) -> Option<Version> {
    let text = platform(text).map_or(text, |(version, _)| version);
    let correct = text.starts_with(|c: char| c.is_ascii_digit())
        && text
            .split(['.', '-'])
            .all(|one| !one.is_empty() && one.bytes().all(|b| b.is_ascii_alphanumeric()))
        && matches!(digits(text).1.chars().next(), None | Some('.' | '-'));
    if !correct {
        return None;
    }
    let text = text.replace('-', ".pre.");
    let mut segments: Vec<Segment> = Vec::new();
    for part in text.split('.') {
        let mut rest = part;
        while !rest.is_empty() {
            let (number, after) = digits(rest);
            let (word, after) = span(after, |c| c.is_ascii_alphabetic() && number.is_empty());
            segments.push(if number.is_empty() {
                Segment::Word(word.to_owned())
            } else {
                Segment::Number(Number::of(number))
            });
            rest = after;
        }
    }
    let mut all = segments.iter();
    let word = all.position(|one| matches!(one, Segment::Word(_)));
    let rest = segments.split_off(word.unwrap_or(segments.len()));
    let mut segments = trimmed(segments);
    segments.extend(trimmed(rest));
    Some(Version(segments))
}

/// Zeros at the end mean nothing.
fn trimmed(mut segments: Vec<Segment>) -> Vec<Segment> {
    while matches!(segments.last(), Some(Segment::Number(number)) if number.is_zero()) {
        segments.pop();
    }
    segments
}
