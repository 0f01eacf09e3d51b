//! Versions of Maven, as its POM reference orders them ("Version Order Specification"), which
//! ComparableVersion does. Where that class goes in circles (`1-alpha`, `1`, `1.x.2`), this follows
//! the reference: a qualifier after a dot is one after a hyphen.

use super::{Number, digits, span};
use std::cmp::Ordering;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version(Vec<Token>);

/// In their order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Token {
    /// The place among those that are known, and what is not known as it is written.
    Qualifier(usize, String),
    AfterHyphen(Number),
    AfterDot(Number),
}

/// Qualifiers that are known, in their order. Those of a release are the empty one.
const QUALIFIERS: [&str; 7] = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];
const RELEASE: usize = 5;

/// What a version that ended goes on with.
const NOTHING: Token = Token::Qualifier(RELEASE, String::new());

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        super::padded(&self.0, &other.0, &NOTHING)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A version that begins with a digit. Maven would order any text, and what does not is more likely
/// a placeholder than a version.
pub(crate) fn read(text: &str) -> Option<Version> {
    if !text.starts_with(|c: char| c.is_ascii_digit())
        || text.contains(|c: char| !c.is_ascii_alphanumeric() && !"._+-".contains(c))
    {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let mut tokens: Vec<Token> = Vec::new();
    let (mut rest, mut hyphen) = (lower.as_str(), false);
    loop {
        let (number, after) = digits(rest);
        let (word, after) = span(after, |c| {
            number.is_empty() && !c.is_ascii_digit() && c != '.' && c != '-'
        });
        // Nothing between two separators is 0.
        let token = if word.is_empty() {
            numbered(hyphen, number)
        } else {
            qualifier(word, after)
        };
        rest = after;
        if !matches!(token, Token::AfterDot(_)) {
            trim(&mut tokens);
        }
        tokens.push(token);
        match rest.chars().next() {
            None => break,
            Some(c) => {
                hyphen = c != '.';
                rest = rest.strip_prefix(['.', '-']).unwrap_or(rest);
            }
        }
    }
    trim(&mut tokens);
    Some(Version(tokens))
}

fn numbered(hyphen: bool, number: &str) -> Token {
    if hyphen {
        Token::AfterHyphen(Number::of(number))
    } else {
        Token::AfterDot(Number::of(number))
    }
}

/// A word; one letter right before a digit is short for one that is known.
fn qualifier(word: &str, after: &str) -> Token {
    let short = after.starts_with(|c: char| c.is_ascii_digit());
    let name = match word {
        "a" if short => "alpha",
        "b" if short => "beta",
        "m" if short => "milestone",
        "cr" => "rc",
        "ga" | "final" | "release" => "",
        _ => word,
    };
    match QUALIFIERS.iter().position(|one| *one == name) {
        Some(place) => Token::Qualifier(place, String::new()),
        None => Token::Qualifier(QUALIFIERS.len(), name.to_owned()),
    }
}

/// Takes away what means nothing at the end, or before a hyphen.
fn trim(tokens: &mut Vec<Token>) {
    while tokens.last().is_some_and(|token| match token {
        Token::Qualifier(place, _) => *place == RELEASE,
        Token::AfterHyphen(number) | Token::AfterDot(number) => number.is_zero(),
    }) {
        tokens.pop();
    }
}
