//! Versions of Maven, as its POM reference orders them ("Version Order Specification"), which
//! ComparableVersion does. Where that class goes in circles (`1-alpha`, `1`, `1.x.2`), this follows
//! the reference: a qualifier after a dot is one after a hyphen.

use super::{Number, are_digits, digits, span};
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

/// What stands before the time of its build in a version of a snapshot, and that time:
/// `1.0-20240101.120000-3` is of `1.0`. Maven knows it by this form
/// (`org.apache.maven.artifact.Artifact`, `VERSION_FILE_PATTERN`).
fn built(text: &str) -> Option<(&str, &str)> {
    let (rest, number) = text.rsplit_once('-')?;
    let (rest, time) = rest.rsplit_once('.')?;
    let (base, day) = rest.rsplit_once('-')?;
    let is_time = day.len() == 8 && time.len() == 6;
    let are_numbers = [day, time, number].into_iter().all(are_digits);
    let built = text.get(base.len() + 1..)?;
    (is_time && are_numbers && !base.is_empty()).then_some((base, built))
}

/// The snapshot that a version is a build of, as others are: `1.0-SNAPSHOT` of
/// `1.0-20240101.120000-3`.
pub(crate) fn snapshot(text: &str) -> Option<String> {
    built(text).map(|(base, _)| format!("{base}-SNAPSHOT"))
}

/// A version in which a build of a snapshot is a later one than the snapshot that has no time. By
/// its numbers alone it would come after the release that it is built for.
pub(crate) fn read_built(text: &str) -> Option<Version> {
    match built(text) {
        Some((base, built)) => read(&format!("{base}-SNAPSHOT-{built}")),
        None => read(text),
    }
}

/// A version in which builds of a snapshot are all one.
pub(crate) fn read_snapshot(text: &str) -> Option<Version> {
    read(snapshot(text).as_deref().unwrap_or(text))
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
