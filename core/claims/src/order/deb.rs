//! Debian's versions, as `dpkg --compare-versions` has them (deb-version(7)).

use super::{Number, digits, span};

/// Epoch, upstream version and revision.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    epoch: Number,
    upstream: Vec<Part>,
    revision: Vec<Part>,
}

/// What is no digit, with each character's place in the order and 0 for its end, and then a number.
type Part = (Vec<i32>, Number);

/// A version that dpkg takes, and that begins with a digit.
pub(crate) fn read(text: &str) -> Option<Version> {
    let (epoch, rest) = super::epoch(text)?;
    let (upstream, revision) = match rest.rsplit_once('-') {
        Some((_, "")) => return None,
        Some(both) => both,
        None => (rest, ""),
    };
    let is_known = |c: char| c.is_ascii_alphanumeric() || ".+~".contains(c);
    let known = upstream.chars().all(|c| is_known(c) || "-:".contains(c));
    (upstream.starts_with(|c: char| c.is_ascii_digit()) && known && revision.chars().all(is_known))
        .then(|| Version {
            epoch,
            upstream: parts(upstream),
            revision: parts(revision),
        })
}

/// The parts, and one of nothing at their end, which is above `~` and below all else.
fn parts(mut text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    loop {
        let ended = text.is_empty() && !parts.is_empty();
        let (word, rest) = span(text, |c| !c.is_ascii_digit());
        let (number, rest) = digits(rest);
        parts.push((
            word.chars().map(place).chain([0]).collect(),
            Number::of(number),
        ));
        if ended {
            return parts;
        }
        text = rest;
    }
}

fn place(c: char) -> i32 {
    let code = i32::try_from(u32::from(c)).unwrap_or(i32::MAX / 2);
    match c {
        '~' => -1,
        _ if c.is_ascii_alphabetic() => code,
        _ => code + 256,
    }
}
