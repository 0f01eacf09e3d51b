//! Versions of RPM packages, as rpmvercmp has them: epoch, version and release.

use super::{Number, digits, span};
use std::cmp::Ordering;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    epoch: Number,
    version: Vec<Token>,
    release: Option<Vec<Token>>,
}

/// In their order: the end of a version is above a tilde, and below all else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Token {
    Tilde,
    End,
    Caret,
    Word(String),
    Number(Number),
}

/// What RPM takes for version and release, if there is a digit in the version.
pub(crate) fn read(text: &str) -> Option<Version> {
    let (epoch, rest) = super::epoch(text)?;
    let (version, release) = match rest.rsplit_once('-') {
        Some((version, release)) => (version, Some(release)),
        None => (rest, None),
    };
    let is_known = |c: char| c.is_ascii_alphanumeric() || "._+~^".contains(c);
    let has_digit = version.contains(|c: char| c.is_ascii_digit());
    let known =
        version.chars().all(is_known) && release.is_none_or(|one| one.chars().all(is_known));
    (has_digit && known && release != Some("")).then(|| Version {
        epoch,
        version: tokens(version),
        release: release.map(tokens),
    })
}

/// As dependencies are compared: if one of both has no release, any is meant.
pub(crate) fn of_any_release(one: &Version, other: &Version) -> Ordering {
    match (&one.release, &other.release) {
        (Some(_), Some(_)) => one.cmp(other),
        _ => (&one.epoch, &one.version).cmp(&(&other.epoch, &other.version)),
    }
}

fn tokens(mut text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    loop {
        // All else separates.
        text = text.trim_start_matches(|c: char| !c.is_ascii_alphanumeric() && !"~^".contains(c));
        let (token, rest) = match text.chars().next() {
            None => {
                tokens.push(Token::End);
                return tokens;
            }
            Some('~') => (Token::Tilde, &text[1..]),
            Some('^') => (Token::Caret, &text[1..]),
            Some(c) if c.is_ascii_digit() => {
                let (number, rest) = digits(text);
                (Token::Number(Number::of(number)), rest)
            }
            Some(_) => {
                let (word, rest) = span(text, |c| c.is_ascii_alphabetic());
                (Token::Word(word.to_owned()), rest)
            }
        };
        tokens.push(token);
        text = rest;
    }
}
