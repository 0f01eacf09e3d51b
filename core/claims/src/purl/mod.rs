//! Package URLs (ECMA-427, package-url/purl-spec): read, build, canonicalize.
//!
//! A purl that Assay logs equals its own canonical form, so that one package has one name and one
//! digest. Reading and writing are `text`'s, the rules of each type `types`'s; `pattern` stands for
//! many packages. Left out: version ranges (`vers:`), and whether a package exists.

mod action;
mod built;
mod distribution;
mod fold;
mod golang;
mod module;
mod pattern;
mod registry;
mod same;
mod text;
mod types;

pub(crate) use fold::fold;
pub use module::names_module;
pub use pattern::{Pattern, PatternError};
pub use registry::{is_at, is_place, is_public_registry, place, python_file};
pub(crate) use text::decode;

use crate::limits;
use assay_tlog::Hash;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// The decoded parts of a purl. Plain data: [`Purl::build`] checks it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Components {
    /// The type: `cargo`, `deb`, …
    pub ty: String,
    /// The namespace, its segments joined by `/`.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
    /// The version.
    pub version: Option<String>,
    /// Qualifiers, key and value.
    pub qualifiers: Vec<(String, String)>,
    /// The subpath, its segments joined by `/`.
    pub subpath: Option<String>,
}

/// A purl in canonical form. Lists of many thousands are held, and each purl in several places at
/// once: it is little more than its text, which all its copies share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purl {
    text: Arc<str>,
    /// The text as it is decoded, if it is another one. A part has the place in it that it has in
    /// the text, but for the escapes before it.
    decoded: Option<Arc<str>>,
    parts: Parts,
}

/// Where the parts of a purl end in its text, in bytes: a purl is not longer than that has room
/// for ([`limits::PURL_BYTES`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Parts {
    ty: u16,
    namespace: u16,
    name: u16,
    version: u16,
    qualifiers: u16,
}

/// Why a text is not a purl, or not in canonical form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PurlError {
    /// Longer than [`limits::PURL_BYTES`].
    #[error("the purl has {0} bytes; at most {max} are possible", max = limits::PURL_BYTES)]
    TooLong(usize),
    /// It does not begin with `pkg:`.
    #[error("a purl begins with \"pkg:\"")]
    Scheme,
    /// The type is missing or has a character that types cannot have.
    #[error("{0:?} is not a purl type: it takes letters, digits, '.' and '-', a letter first")]
    Type(String),
    /// There is no name.
    #[error("the purl has no name")]
    NoName,
    /// A percent sign without two hex digits, or escapes that do not spell UTF-8.
    #[error("{0:?} is not percent-encoded UTF-8")]
    Encoding(String),
    /// A segment of the namespace or the subpath that would not survive being written: it holds
    /// `/`, or is `.` or `..`.
    #[error("{0:?} cannot be a segment of a namespace or subpath")]
    Segment(String),
    /// A qualifier's key has a character that keys cannot have.
    #[error(
        "{0:?} is not a qualifier key: it takes letters, digits, '.', '-' and '_', no digit first"
    )]
    Key(String),
    /// A qualifier stands twice.
    #[error("the qualifier {0:?} stands twice")]
    KeyTwice(String),
    /// A qualifier that the type defines is not spelled as the type defines it.
    #[error("the qualifier {0:?} must be in lower case")]
    KeyCase(String),
    /// A rule of the purl's type is broken.
    #[error("a purl of type {ty} {rule}")]
    Rule {
        /// The type.
        ty: String,
        /// What such a purl must be.
        rule: &'static str,
    },
    /// It is a purl, but not in its canonical form.
    #[error("the purl is not canonical; write it as {canonical}")]
    NotCanonical {
        /// The canonical form of the same purl.
        canonical: String,
    },
}

impl Purl {
    /// Reads a purl, spelled in any way, and mends what has one canonical spelling.
    ///
    /// Qualifier keys that the type itself defines must be in lower case, as purl-spec's tests
    /// demand of a parser; [`Purl::canonicalize`] mends them too.
    pub fn parse(text: &str) -> Result<Self, PurlError> {
        let components = text::read(text)?;
        types::check_keys(&components)?;
        Self::build(components)
    }

    /// Reads a purl, spelled in any way, and returns its canonical form.
    pub fn canonicalize(text: &str) -> Result<Self, PurlError> {
        Self::build(text::read(text)?)
    }

    /// Whether a text begins as a purl does: in whatever case, as schemes have none.
    pub fn begins(text: &str) -> bool {
        let scheme = text.get(..4);
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("pkg:"))
    }

    /// Reads a purl that must be in canonical form already; [`PurlError::NotCanonical`] holds that
    /// form if it is not.
    pub fn parse_canonical(text: &str) -> Result<Self, PurlError> {
        let purl = Self::canonicalize(text)?;
        if &*purl.text == text {
            Ok(purl)
        } else {
            Err(PurlError::NotCanonical {
                canonical: purl.text.as_ref().to_owned(),
            })
        }
    }

    /// Returns the canonical purl of decoded parts.
    pub fn build(mut components: Components) -> Result<Self, PurlError> {
        text::tidy(&mut components)?;
        types::apply(&mut components)?;
        let text = text::write(&components);
        if text.len() > limits::PURL_BYTES {
            return Err(PurlError::TooLong(text.len()));
        }
        let is_encoded = text.contains('%');
        let decoded = is_encoded.then(|| text::decode(&text)).transpose()?;
        Ok(Purl {
            decoded: decoded.map(Arc::from),
            parts: Parts::of(&text),
            text: text.into(),
        })
    }

    /// The canonical form.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The canonical form, in the memory that this has it in.
    pub fn shared(&self) -> Arc<str> {
        self.text.clone()
    }

    /// The decoded parts; qualifiers are sorted by key. To change them: who only looks at one asks
    /// for that.
    pub fn components(&self) -> Components {
        let mut qualifiers = Vec::new();
        for (key, value) in self.qualifiers() {
            qualifiers.push((key.to_owned(), value.to_owned()));
        }
        Components {
            ty: self.ty().to_owned(),
            namespace: self.namespace().map(str::to_owned),
            name: self.name().to_owned(),
            version: self.version().map(str::to_owned),
            qualifiers,
            subpath: self.subpath().map(str::to_owned),
        }
    }

    /// The type: `cargo`, `deb`, …
    pub fn ty(&self) -> &str {
        &self.text[SCHEME.len()..usize::from(self.parts.ty)]
    }

    /// The namespace, decoded, its segments joined by `/`.
    pub fn namespace(&self) -> Option<&str> {
        self.part(self.parts.ty, self.parts.namespace)
    }

    /// The name, decoded.
    pub fn name(&self) -> &str {
        self.part(self.parts.namespace, self.parts.name)
            .unwrap_or_default()
    }

    /// The version, decoded.
    pub fn version(&self) -> Option<&str> {
        self.part(self.parts.name, self.parts.version)
    }

    /// The qualifiers, key and value, decoded and sorted by key.
    pub fn qualifiers(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        let Parts {
            version,
            qualifiers,
            ..
        } = self.parts;
        let all = between(version, qualifiers).unwrap_or_default();
        let start = all.start;
        let pairs = self.text[all].split_terminator('&');
        pairs.scan(start, |next, pair| {
            let start = std::mem::replace(next, *next + pair.len() + 1);
            let (key, _) = pair.split_once('=').unwrap_or((pair, ""));
            let value = (start + key.len() + 1).min(start + pair.len());
            Some((key, self.decode(value..start + pair.len())))
        })
    }

    /// The value of a qualifier, decoded.
    pub fn qualifier(&self, key: &str) -> Option<&str> {
        let mut qualifiers = self.qualifiers();
        let found = qualifiers.find(|(known, _)| *known == key);
        found.map(|(_, value)| value)
    }

    /// The subpath, decoded, its segments joined by `/`.
    pub fn subpath(&self) -> Option<&str> {
        let end = u16::try_from(self.text.len()).unwrap_or(u16::MAX);
        self.part(self.parts.qualifiers, end)
    }

    /// The canonical form without version, qualifiers and subpath: the package.
    pub fn without_version(&self) -> &str {
        &self.text[..usize::from(self.parts.name)]
    }

    /// The canonical form without qualifiers and subpath: the version, or the package if none is
    /// named.
    pub fn without_qualifiers(&self) -> &str {
        &self.text[..usize::from(self.parts.version)]
    }

    /// SHA-256 of the canonical form: the digest of a subject that is a package rather than an
    /// artifact (docs/design.md 3.3).
    pub fn digest(&self) -> Hash {
        Hash::of(self.text.as_bytes())
    }

    /// The part between the end of the one before it and its own, decoded.
    fn part(&self, before: u16, end: u16) -> Option<&str> {
        between(before, end).map(|part| self.decode(part))
    }

    /// A part of the text, decoded.
    fn decode(&self, part: Range<usize>) -> &str {
        let Some(decoded) = &self.decoded else {
            return &self.text[part];
        };
        // An escape has three bytes and stands for one.
        let less = |until: usize| until - 2 * self.text[..until].matches('%').count();
        decoded
            .get(less(part.start)..less(part.end))
            .unwrap_or_default()
    }
}

/// What a canonical purl begins with.
const SCHEME: &str = "pkg:";

impl Parts {
    /// The parts of a canonical purl, by their separators, which stand in it only as such:
    /// everywhere else they are percent-encoded. A part that is not there ends where the one before
    /// it does.
    fn of(text: &str) -> Self {
        let qualifiers = text.find('#').unwrap_or(text.len());
        let version = text[..qualifiers].find('?').unwrap_or(qualifiers);
        let name = text[..version].find('@').unwrap_or(version);
        let ty = text[..name].find('/').unwrap_or(name);
        let namespace = text[..name].rfind('/').unwrap_or(name);
        let narrow = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
        Parts {
            ty: narrow(ty),
            namespace: narrow(namespace),
            name: narrow(name),
            version: narrow(version),
            qualifiers: narrow(qualifiers),
        }
    }
}

/// A part that is there: behind the separator at which the one before it ends.
fn between(before: u16, end: u16) -> Option<Range<usize>> {
    (before < end).then(|| usize::from(before) + 1..usize::from(end))
}

impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_purl_that_is_not_canonical_is_refused_with_the_form_that_is() {
        for (text, canonical) in [
            ("pkg:PyPI/Django_Rest", "pkg:pypi/django-rest"),
            ("pkg:npm/%40babel%2Fcore@7.0", "pkg:npm/%40babel/core@7.0"),
            (
                "pkg:golang/a.org/b@v2.0.0#sdk/v2",
                "pkg:golang/a.org/b/sdk/v2@v2.0.0",
            ),
            ("pkg:golang/std@1.22.1", "pkg:golang/stdlib@1.22.1"),
            ("pkg://npm/@babel/core@7.0", "pkg:npm/%40babel/core@7.0"),
            ("pkg:npm/@babel/core", "pkg:npm/%40babel/core"),
            (
                "pkg:deb/debian/curl?b=2&a=%31&c=",
                "pkg:deb/debian/curl?a=1&b=2",
            ),
            ("pkg:cargo/rand@1+x", "pkg:cargo/rand@1%2Bx"),
            ("pkg:cargo/rand@", "pkg:cargo/rand"),
            ("pkg:oci/a@sha256%3AAB", "pkg:oci/a@sha256:ab"),
            ("pkg:gem/a?Platform=java", "pkg:gem/a?platform=java"),
            ("pkg:generic/a#/./b//../c", "pkg:generic/a#b/c"),
        ] {
            let wanted = PurlError::NotCanonical {
                canonical: canonical.into(),
            };
            assert_eq!(Purl::parse_canonical(text), Err(wanted), "{text}");
            assert_eq!(
                Purl::parse_canonical(canonical).map(|p| p.to_string()),
                Ok(canonical.to_owned())
            );
        }
    }

    #[test]
    fn parts_and_prefixes() {
        let purl = Purl::parse_canonical("pkg:npm/%40a/b%40c@1.0%2F2?k=v#s/t").unwrap();
        assert_eq!(purl.without_version(), "pkg:npm/%40a/b%40c");
        assert_eq!(purl.without_qualifiers(), "pkg:npm/%40a/b%40c@1.0%2F2");
        assert_eq!(purl.version(), Some("1.0/2"));
        assert_eq!(purl.namespace(), Some("@a"));
        assert_eq!(
            purl.digest(),
            Hash::of(b"pkg:npm/%40a/b%40c@1.0%2F2?k=v#s/t")
        );
        assert_eq!(
            Purl::parse_canonical("pkg:cargo/x")
                .unwrap()
                .without_qualifiers(),
            "pkg:cargo/x"
        );
    }

    #[test]
    fn parts_are_decoded_where_they_stand() {
        let text = "pkg:npm/%40s/a%C3%A9@1%2B2?download_url=https:%2F%2Fh%2Fa&k=v#%20x/y%25";
        let purl = Purl::parse_canonical(text).unwrap();
        assert_eq!((purl.ty(), purl.namespace()), ("npm", Some("@s")));
        assert_eq!((purl.name(), purl.version()), ("a\u{e9}", Some("1+2")));
        let qualifiers = [("download_url", "https://h/a"), ("k", "v")];
        assert!(purl.qualifiers().eq(qualifiers));
        assert_eq!(purl.qualifier("k"), Some("v"));
        assert_eq!((purl.qualifier("x"), purl.subpath()), (None, Some(" x/y%")));
        let bare = Purl::parse_canonical("pkg:cargo/x").unwrap();
        assert_eq!((bare.namespace(), bare.version()), (None, None));
        assert_eq!((bare.qualifiers().count(), bare.subpath()), (0, None));
    }

    #[test]
    fn what_is_no_purl_is_refused_with_the_reason() {
        let error = |text: &str| Purl::canonicalize(text).unwrap_err();
        assert_eq!(error("cargo/x"), PurlError::Scheme);
        assert_eq!(error("http:cargo/x"), PurlError::Scheme);
        assert_eq!(error("pkg:x"), PurlError::NoName);
        assert_eq!(error("pkg:cargo/"), PurlError::NoName);
        assert_eq!(error("pkg:cargo/@1"), PurlError::NoName);
        assert!(matches!(error("pkg:1x/y"), PurlError::Type(_)));
        assert!(matches!(error("pkg:a_b/y"), PurlError::Type(_)));
        assert!(matches!(error("pkg:a%62/y"), PurlError::Type(_)));
        for bad in [
            "pkg:x/%",
            "pkg:x/%2",
            "pkg:x/%zz",
            "pkg:x/%ff",
            "pkg:x/y@%+1",
            "pkg:x/y?a=%e4",
            "pkg:x/y#%-1",
        ] {
            assert!(matches!(error(bad), PurlError::Encoding(_)), "{bad}");
        }
        assert!(matches!(error("pkg:x/a%2Fb/c"), PurlError::Segment(_)));
        assert!(matches!(error("pkg:x/a#b%2Fc"), PurlError::Segment(_)));
        assert!(matches!(error("pkg:x/a#%2e%2e"), PurlError::Segment(_)));
        for dots in [".", ".."] {
            let parts = Components {
                subpath: Some(format!("b/{dots}/c")),
                ..Purl::canonicalize("pkg:x/a").unwrap().components()
            };
            assert_eq!(Purl::build(parts), Err(PurlError::Segment(dots.into())));
        }
        assert!(matches!(error("pkg:x/a?b%20c=1"), PurlError::Key(_)));
        assert!(matches!(error("pkg:x/a?1b=1"), PurlError::Key(_)));
        assert_eq!(error("pkg:x/a?b=1&B=2"), PurlError::KeyTwice("b".into()));
        assert_eq!(
            Purl::parse("pkg:gem/a?Platform=java"),
            Err(PurlError::KeyCase("Platform".into()))
        );
        assert!(matches!(
            error(&format!("pkg:x/{}", "a".repeat(2000))),
            PurlError::TooLong(_)
        ));
        // Too long to be read, whatever would be left of it.
        assert!(matches!(
            error(&format!("pkg:x/{}a", "/".repeat(2000))),
            PurlError::TooLong(_)
        ));
        // Short, but not once it is encoded.
        assert!(matches!(
            error(&format!("pkg:x/{}", " ".repeat(1000))),
            PurlError::TooLong(_)
        ));
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text: String) {
            let _outcome = Purl::parse(&text);
            let _outcome = Purl::canonicalize(&format!("pkg:{text}"));
        }

        #[test]
        fn the_canonical_form_is_its_own(text in "pkg:(cargo|pypi|cpan|otp|swid|x)/[ \
            -~éİß]{0,20}") {
            if let Ok(purl) = Purl::canonicalize(&text) {
                prop_assert_eq!(Purl::parse_canonical(purl.as_str()), Ok(purl.clone()));
                prop_assert_eq!(Purl::build(purl.components()), Ok(purl));
            }
        }
    }
}
