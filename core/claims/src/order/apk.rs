//! Versions of Alpine's packages, as apk-tools has them: numbers, a letter, suffixes, a hash of a
//! commit, and a revision.

use super::{Number, are_digits, digits, span};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(Vec<Token>);

/// In their order: a version that goes on is above one that ends there, unless what follows makes
/// it a pre-release. Numbers that begin with 0 are fractions, which are compared as text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Token {
    Before(usize),
    End,
    Revision(Number),
    Hash(String),
    SuffixNumber(Number),
    After(usize),
    Letter(char),
    Fraction(String),
    Number(Number),
}

const BEFORE: [&str; 4] = ["alpha", "beta", "pre", "rc"];
const AFTER: [&str; 5] = ["cvs", "svn", "git", "hg", "p"];

/// A version of apk's grammar.
pub(crate) fn read(text: &str) -> Option<Version> {
    let (first, mut text) = digits(text);
    let mut tokens = vec![Token::Number(some(first)?)];
    while let Some(rest) = text.strip_prefix('.') {
        let (number, rest) = digits(rest);
        let value = some(number)?;
        tokens.push(if number.starts_with('0') {
            Token::Fraction(number.to_owned())
        } else {
            Token::Number(value)
        });
        text = rest;
    }
    if let Some(letter) = text.chars().next().filter(char::is_ascii_lowercase) {
        tokens.push(Token::Letter(letter));
        text = &text[1..];
    }
    while let Some(rest) = text.strip_prefix('_') {
        let (suffix, rest) = span(rest, |c| c.is_ascii_lowercase());
        let among = |all: &[&str]| all.iter().position(|one| *one == suffix);
        let before = among(&BEFORE).map(Token::Before);
        tokens.push(before.or_else(|| among(&AFTER).map(Token::After))?);
        let (number, rest) = digits(rest);
        tokens.extend(some(number).map(Token::SuffixNumber));
        text = rest;
    }
    if let Some(rest) = text.strip_prefix('~') {
        let (hash, rest) = span(rest, |c| matches!(c, '0'..='9' | 'a'..='f'));
        if hash.is_empty() {
            return None;
        }
        tokens.push(Token::Hash(hash.to_owned()));
        text = rest;
    }
    if let Some(rest) = text.strip_prefix("-r") {
        tokens.push(Token::Revision(some(rest)?));
        text = "";
    }
    tokens.push(Token::End);
    text.is_empty().then_some(Version(tokens))
}

fn some(number: &str) -> Option<Number> {
    are_digits(number).then(|| Number::of(number))
}
