//! The orders of versions of ecosystems whose versions are not semantic ones, each as its own tools
//! have it. Each reader gives a key that is compared as a whole, so that every order is total; and
//! nothing for what is no version there.

pub(crate) mod apk;
pub(crate) mod composer;
pub(crate) mod deb;
pub(crate) mod gem;
pub(crate) mod maven;
pub(crate) mod nuget;
pub(crate) mod numbers;
pub(crate) mod rpm;

#[cfg(test)]
mod tests;

use std::cmp::Ordering;

/// A whole number of any length.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Number {
    digits: usize,
    text: String,
}

impl Number {
    /// What the digits say; zeros in front mean nothing, and no digits are 0.
    pub(crate) fn of(digits: &str) -> Self {
        let text = digits.trim_start_matches('0').to_owned();
        Number {
            digits: text.len(),
            text,
        }
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.digits == 0
    }
}

/// The beginning of a text as far as its characters are of a kind, and the rest.
fn span(text: &str, is_of: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c: char| !is_of(c)).unwrap_or(text.len()))
}

/// Digits at the beginning, and the rest.
fn digits(text: &str) -> (&str, &str) {
    span(text, |c| c.is_ascii_digit())
}

/// Whether a text is digits, and not empty.
pub(crate) fn are_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// The epoch before a colon, and what follows; nothing if what stands there is no number.
fn epoch(text: &str) -> Option<(Number, &str)> {
    match text.split_once(':') {
        None => Some((Number::of(""), text)),
        Some((epoch, rest)) => are_digits(epoch).then(|| (Number::of(epoch), rest)),
    }
}

/// How two lists compare, each of which goes on with `rest` without end.
fn padded<T: Ord>(one: &[T], other: &[T], rest: &T) -> Ordering {
    (0..one.len().max(other.len()))
        .map(|i| one.get(i).unwrap_or(rest).cmp(other.get(i).unwrap_or(rest)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}
