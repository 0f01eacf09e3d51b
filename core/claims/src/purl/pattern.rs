//! Patterns of packages: one package, or all whose purl begins alike.

use super::{Purl, PurlError, fold};
use std::fmt;

/// Stands for a package or for many: a canonical purl without version, qualifiers and subpath
/// (`pkg:cargo/serde`), or the beginning of such purls followed by one `*` (`pkg:npm/%40angular/*`,
/// `pkg:cargo/serde_*`, `pkg:*`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern(String);

/// Why a text is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// What stands before the `*`, or the whole pattern without one, cannot be (part of) a
    /// canonical purl.
    #[error("{0}")]
    Purl(PurlError),
    /// It could be part of a purl, but not of one in canonical form.
    #[error("no canonical purl begins like that; write it as {0}")]
    NotCanonical(String),
    /// It names a version, a qualifier or a subpath.
    #[error("a pattern names packages: it has no version, qualifier or subpath")]
    Versioned,
}

/// What may follow the beginning of a purl, of whatever type: a name, or a namespace and a name.
const CONTINUATIONS: [&str; 2] = ["x", "x/x"];

impl Pattern {
    /// Reads a pattern. It guarantees that there can be canonical purls like that, except for
    /// types with special rules for names: there a pattern may stand for nothing.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        match text.strip_suffix('*') {
            None => check(text, text)?,
            Some("pkg:") => {}
            Some(beginning) => check_beginning(beginning)?,
        }
        Ok(Pattern(text.to_owned()))
    }

    /// Whether it stands for the package that the purl is of, as its registry compares names; the
    /// purl's version, qualifiers and subpath do not matter.
    pub fn matches(&self, purl: &Purl) -> bool {
        let package = purl.package_key();
        match self.0.strip_suffix('*') {
            None => package == fold(&self.0),
            Some(beginning) => package.starts_with(&*fold(beginning)),
        }
    }

    /// The pattern for what both stand for; `None` if that is nothing. Of two patterns one holds
    /// the other, or they have nothing in common.
    pub fn meet<'p>(&'p self, other: &'p Pattern) -> Option<&'p Pattern> {
        match (self.holds(other), other.holds(self)) {
            (true, _) => Some(other),
            (_, true) => Some(self),
            _ => None,
        }
    }

    /// Whether everything that the other stands for is in it.
    fn holds(&self, other: &Pattern) -> bool {
        match self.0.strip_suffix('*') {
            None => fold(&self.0) == fold(&other.0),
            Some(beginning) => {
                let other = other.0.strip_suffix('*').unwrap_or(&other.0);
                fold(other).starts_with(&*fold(beginning))
            }
        }
    }

    /// The pattern, as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `candidate` is a canonical purl of a package, or `PatternError::NotCanonical` says how to write
/// `text`.
fn check(candidate: &str, text: &str) -> Result<(), PatternError> {
    let purl = Purl::canonicalize(candidate).map_err(PatternError::Purl)?;
    if purl.as_str() != purl.without_version() {
        return Err(PatternError::Versioned);
    }
    if purl.as_str() == candidate {
        Ok(())
    } else {
        let added = candidate.strip_prefix(text).unwrap_or_default();
        let mended = purl.as_str().strip_suffix(added).unwrap_or(purl.as_str());
        let star = if added.is_empty() { "" } else { "*" };
        Err(PatternError::NotCanonical(format!("{mended}{star}")))
    }
}

fn check_beginning(beginning: &str) -> Result<(), PatternError> {
    for continuation in CONTINUATIONS {
        match check(&format!("{beginning}{continuation}"), beginning) {
            // Types differ in whether they have a namespace, and a few in more.
            Err(PatternError::Purl(PurlError::Rule { .. })) => {}
            outcome => return outcome,
        }
    }
    Ok(())
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(pattern: &str, purl: &str) -> bool {
        Pattern::parse(pattern)
            .unwrap()
            .matches(&Purl::parse_canonical(purl).unwrap())
    }

    #[test]
    fn a_pattern_is_a_package_or_a_beginning() {
        assert!(matches("pkg:cargo/serde", "pkg:cargo/serde@1.0.0?arch=x"));
        assert!(!matches("pkg:cargo/serde", "pkg:cargo/serde_json@1.0.0"));
        assert!(matches("pkg:cargo/serde*", "pkg:cargo/serde_json"));
        assert!(matches("pkg:cargo/*", "pkg:cargo/a") && !matches("pkg:cargo/*", "pkg:npm/a"));
        assert!(matches("pkg:npm/%40angular/*", "pkg:npm/%40angular/core@1"));
        assert!(!matches(
            "pkg:npm/%40angular/*",
            "pkg:npm/%40angularx/core@1"
        ));
        assert!(
            matches("pkg:github/foo/*", "pkg:github/foo/bar")
                && matches("pkg:maven/org.*", "pkg:maven/org.a/b")
        );
        assert!(matches("pkg:*", "pkg:deb/debian/a@1"));
        assert!(Pattern::parse("pkg:julia/*").is_ok());
        assert!(matches(
            "pkg:nuget/Newtonsoft.*",
            "pkg:nuget/newtonsoft.json@13"
        ));
        assert!(matches(
            "pkg:pypi/zope.interface",
            "pkg:pypi/zope-interface@5"
        ));
        assert!(!matches("pkg:npm/Base64", "pkg:npm/base64@1"));
    }

    #[test]
    fn two_patterns_meet_in_one_of_them_or_not_at_all() {
        for (one, other, met) in [
            ("pkg:*", "pkg:cargo/*", Some("pkg:cargo/*")),
            ("pkg:cargo/a", "pkg:cargo/*", Some("pkg:cargo/a")),
            ("pkg:cargo/a*", "pkg:cargo/ab*", Some("pkg:cargo/ab*")),
            ("pkg:cargo/a*", "pkg:cargo/a", Some("pkg:cargo/a")),
            ("pkg:cargo/a", "pkg:cargo/a", Some("pkg:cargo/a")),
            ("pkg:cargo/a", "pkg:cargo/ab", None),
            ("pkg:cargo/a", "pkg:cargo/ab*", None),
            ("pkg:cargo/*", "pkg:npm/*", None),
            ("pkg:nuget/A.*", "pkg:nuget/a.b", Some("pkg:nuget/a.b")),
        ] {
            let (one, other) = (Pattern::parse(one).unwrap(), Pattern::parse(other).unwrap());
            assert_eq!(one.meet(&other).map(Pattern::as_str), met, "{one} {other}");
            assert_eq!(other.meet(&one).map(Pattern::as_str), met, "{other} {one}");
        }
    }

    #[test]
    fn what_no_purl_can_match_is_refused() {
        for (text, mended) in [
            ("pkg:PyPI/*", "pkg:pypi/*"),
            ("pkg:pypi/some_*", "pkg:pypi/some-*"),
            ("pkg:npm/@angular/*", "pkg:npm/%40angular/*"),
            ("pkg:github/Foo/Bar", "pkg:github/foo/bar"),
        ] {
            assert_eq!(
                Pattern::parse(text),
                Err(PatternError::NotCanonical(mended.into()))
            );
        }
        for text in [
            "pkg:cargo/a@1",
            "pkg:cargo/a@1*",
            "pkg:cargo/a@*",
            "pkg:cargo/a?arch=*",
            "pkg:cargo/a#*",
        ] {
            assert_eq!(Pattern::parse(text), Err(PatternError::Versioned), "{text}");
        }
        for text in [
            "",
            "*",
            "cargo/*",
            "pkg:",
            "pkg:cargo",
            "pkg:npm/%4*",
            "pkg:cargo/a*b*",
            "pkg:cargo/*/b",
        ] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_beginning_of_a_package_matches_it(
            name in "[a-z][a-z0-9-]{0,8}",
            cut in 1_usize..9,
        ) {
            let purl = Purl::parse_canonical(&format!("pkg:cargo/{name}")).unwrap();
            let beginning = &name[..cut.min(name.len())];
            let pattern = Pattern::parse(&format!("pkg:cargo/{beginning}*")).unwrap();
            prop_assert!(pattern.matches(&purl));
            prop_assert!(Pattern::parse(purl.as_str()).unwrap().matches(&purl));
        }

        #[test]
        fn arbitrary_text_never_panics(text: String) {
            let _outcome = (Pattern::parse(&text), Pattern::parse(&format!("pkg:{text}*")));
        }
    }
}
