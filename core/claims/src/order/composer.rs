//! Versions of Composer packages, as Composer\Semver normalizes them and PHP's version_compare
//! orders what comes of it.

use super::{Number, are_digits, digits, span};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    numbers: Vec<Number>,
    rest: Vec<Token>,
}

/// In PHP's order: the end of a version is above what leads to it, and below a patch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Token {
    Dev,
    Alpha,
    Beta,
    Candidate,
    End,
    Number(Number),
    Patch,
}

/// What stands for a number of a branch that is left open (`1.0.x-dev`).
const OPEN: &str = "9999999";

/// A version of up to four numbers with a stability, or a branch of numbers. Branches with names
/// have no order.
pub(crate) fn read(text: &str) -> Option<Version> {
    let lower = text.to_ascii_lowercase();
    let (text, metadata) = lower.split_once('+').unwrap_or((&lower, "0"));
    let text = text.strip_prefix('v').unwrap_or(text);
    if metadata.is_empty() {
        return None;
    }
    if let Some(branch) = text.strip_suffix(".x-dev") {
        return branch_of(branch);
    }
    let (release, rest) = span(text, |c| c.is_ascii_digit() || c == '.');
    let (release, mut rest) = match release.strip_suffix('.') {
        Some(release) if !rest.is_empty() => (release, rest),
        _ => (release, rest.strip_prefix(['-', '_']).unwrap_or(rest)),
    };
    let numbers = numbers(release, "0")?;
    let mut tokens = Vec::new();
    let (word, after) = span(rest, |c| c.is_ascii_alphabetic());
    let stability = match word {
        "a" | "alpha" => Some(Token::Alpha),
        "b" | "beta" => Some(Token::Beta),
        "rc" => Some(Token::Candidate),
        "p" | "pl" | "patch" => Some(Token::Patch),
        _ => None,
    };
    let is_stable = word == "stable";
    if stability.is_some() || is_stable {
        tokens.extend(stability);
        rest = after;
        while let (number, after) = digits(rest.strip_prefix(['.', '-']).unwrap_or(rest))
            && !number.is_empty()
        {
            tokens.push(Token::Number(Number::of(number)));
            rest = after;
        }
    }
    if rest.strip_prefix(['.', '-']).unwrap_or(rest) == "dev" {
        tokens.push(Token::Dev);
        rest = "";
    }
    // What follows that word means nothing.
    if is_stable {
        tokens.clear();
    }
    tokens.push(Token::End);
    rest.is_empty().then_some(Version {
        numbers,
        rest: tokens,
    })
}

fn branch_of(branch: &str) -> Option<Version> {
    Some(Version {
        numbers: numbers(branch, OPEN).filter(|_| branch.split('.').count() < 4)?,
        rest: vec![Token::Dev, Token::End],
    })
}

/// Four numbers; more than five digits in front are a date, which is normalized in other ways.
fn numbers(release: &str, missing: &str) -> Option<Vec<Number>> {
    let parts: Vec<&str> = release.split('.').collect();
    let known = parts.len() <= 4 && parts.iter().all(|part| are_digits(part));
    if !known || parts.first()?.len() > 5 {
        return None;
    }
    let open = std::iter::repeat_n(&missing, 4 - parts.len());
    let all = parts.iter().chain(open);
    Some(all.map(|part| Number::of(part)).collect())
}
