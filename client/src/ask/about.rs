//! What is asked about: a package, an artifact, an issuer, a vulnerability or a claim.

use super::names;
use super::topdown::of_issuer;
use crate::plain;
use assay_claims::claim::ClaimId;
use assay_claims::index::{DIGESTS, Kind, Name};
use assay_claims::issuer::IssuerId;
use assay_claims::purl::{Purl, PurlError};
use assay_policy::Component;
use assay_tlog::Hash;

/// Beginnings of well-known identifiers of vulnerabilities, besides `GHSA-` and `BIT-`; all
/// are written in capitals.
const VULNERABILITIES: [&str; 16] = [
    "CVE-", "RUSTSEC-", "PYSEC-", "GO-", "OSV-", "MAL-", "DSA-", "DLA-", "USN-", "RHSA-", "ALSA-",
    "RLSA-", "SUSE-", "ASB-", "HSEC-", "CURL-",
];

/// The kinds that are written in front of an id or a name.
const ISSUER: &str = "issuer";
const CLAIM: &str = "claim";
const VULNERABILITY: &str = "vuln";

/// Why a text names nothing that can be asked about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AboutError {
    /// It is no package URL.
    #[error("{}: {error}", plain(text))]
    Purl {
        /// What was written.
        text: String,
        /// What is wrong with it.
        error: PurlError,
    },
    /// It begins with the name of a kind, and the rest is not of that kind.
    #[error("{}: {reason}", plain(text))]
    Malformed {
        /// What was written.
        text: String,
        /// What is wrong with it, and what to write.
        reason: String,
    },
}

/// What is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// A package.
    Package(Purl),
    /// An artifact, by its digests.
    Artifact(Artifact),
    /// An issuer.
    Issuer(IssuerId),
    /// A vulnerability, as issuers write it.
    Vulnerability(String),
    /// A claim.
    Claim(ClaimId),
    /// 64 hex digits: a SHA-256, an issuer or a claim, which only the log can tell.
    Hex(Hash),
}

/// An artifact.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Artifact {
    /// The file, if one was named.
    pub file: Option<String>,
    /// Its digests, by in-toto's names.
    pub digests: Vec<(String, String)>,
    /// The name of the file's format, if it names components of its own, which are another
    /// question.
    pub lists: Option<&'static str>,
}

impl About {
    /// Reads what is asked about: a package URL in any spelling, `sha256:HEX` and the like,
    /// `issuer:ID`, `claim:ID`, `vuln:NAME`, 64 hex digits, or a well-known identifier of a
    /// vulnerability. `None` if the text is none of these: it may be the name of a file.
    pub fn parse(text: &str) -> Result<Option<Self>, AboutError> {
        let scheme = text.get(..4);
        if scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("pkg:")) {
            return match Purl::canonicalize(text) {
                Ok(purl) => Ok(Some(About::Package(purl))),
                Err(error) => Err(AboutError::Purl {
                    text: text.to_owned(),
                    error,
                }),
            };
        }
        if let Some((word, value)) = text.split_once(':')
            && let Some(about) = named(word, value)?
        {
            return Ok(Some(about));
        }
        if let Some(hash) = Hash::from_hex(&text.to_ascii_lowercase()) {
            return Ok(Some(About::Hex(hash)));
        }
        Ok(vulnerability(text).map(About::Vulnerability))
    }

    /// A vulnerability: a well-known identifier in the spelling of those who give it out, whatever
    /// the spelling here; any other as it is.
    pub fn vulnerability(text: &str) -> Self {
        About::Vulnerability(vulnerability(text).unwrap_or_else(|| text.to_owned()))
    }

    /// The names that what is said of it stands under. What is known of a version is what is said
    /// of its package.
    pub fn names(&self) -> Vec<Name> {
        match self {
            About::Package(_) | About::Artifact(_) => {
                names::of_component(&self.component().unwrap_or_default())
            }
            // What an issuer signed is listed apart: it can be any number of claims about anything.
            About::Issuer(id) => vec![names::of_sha256(&id.to_hex())],
            About::Vulnerability(id) => vec![Name::new(Kind::Vuln, id)],
            About::Claim(id) => vec![
                Name::new(Kind::Claim, &id.to_hex()),
                names::of_sha256(&id.to_hex()),
            ],
            About::Hex(hash) => vec![
                names::of_sha256(&hash.to_hex()),
                Name::new(Kind::Claim, &hash.to_hex()),
            ],
        }
    }

    /// The names under which what is new about it will stand, what an issuer signs included.
    pub fn watched(&self) -> Vec<Name> {
        let mut names = self.names();
        names.extend(self.issuer().as_ref().map(of_issuer));
        names
    }

    /// The issuer that it is or may be, which speaks of itself.
    pub fn issuer(&self) -> Option<IssuerId> {
        match self {
            About::Issuer(id) => Some(*id),
            About::Hex(hash) => IssuerId::from_slice(hash.as_bytes()),
            _ => None,
        }
    }

    /// The component that a policy is asked about; `None` if it is none.
    pub fn component(&self) -> Option<Component> {
        match self {
            About::Package(purl) => Some(Component::new(Some(purl.clone()), Vec::new())),
            About::Artifact(artifact) => Some(Component::new(None, artifact.digests.clone())),
            _ => None,
        }
    }

    /// What it is, in one word for programs.
    pub fn kind(&self) -> &'static str {
        match self {
            About::Package(_) => "package",
            About::Artifact(_) => "artifact",
            About::Issuer(_) => "issuer",
            About::Vulnerability(_) => "vulnerability",
            About::Claim(_) => "claim",
            About::Hex(_) => "hex",
        }
    }

    /// The whole of it: what can be written to ask again. An artifact has a line for its file, and
    /// one for each digest.
    pub fn spelled(&self) -> String {
        let lines = match self {
            About::Package(purl) => vec![purl.as_str().to_owned()],
            About::Artifact(artifact) => {
                let mut lines: Vec<String> = artifact.file.iter().cloned().collect();
                for (algorithm, value) in &artifact.digests {
                    lines.push(format!("{algorithm}:{value}"));
                }
                lines
            }
            About::Issuer(id) => vec![format!("{ISSUER}:{id}")],
            About::Vulnerability(id) if vulnerability(id).as_ref() == Some(id) => vec![id.clone()],
            About::Vulnerability(id) => vec![format!("{VULNERABILITY}:{id}")],
            About::Claim(id) => vec![format!("{CLAIM}:{id}")],
            About::Hex(hash) => vec![hash.to_hex()],
        };
        let plain: Vec<String> = lines.iter().map(|line| plain(line)).collect();
        plain.join("\n")
    }
}

/// What is written with its kind in front. `Ok(None)` if the word is no kind: it may be part of a
/// file's name.
fn named(word: &str, value: &str) -> Result<Option<About>, AboutError> {
    let hex = value.to_ascii_lowercase();
    let malformed = |reason: &str| AboutError::Malformed {
        text: format!("{word}:{value}"),
        reason: reason.to_owned(),
    };
    Ok(Some(match word {
        ISSUER => About::Issuer(
            IssuerId::from_hex(&hex).ok_or_else(|| malformed("an issuer id has 64 hex digits"))?,
        ),
        CLAIM => About::Claim(
            ClaimId::from_hex(&hex).ok_or_else(|| malformed("a claim id has 64 hex digits"))?,
        ),
        VULNERABILITY if !value.is_empty() => About::vulnerability(value),
        "md5" | "sha1" | "sha384" | "gitTree" | "gitBlob" => {
            return Err(malformed(
                "logs have no index of such digests; take sha256, sha512 or gitCommit",
            ));
        }
        _ => {
            return match digest(word, &hex) {
                Some(Ok(artifact)) => Ok(Some(About::Artifact(artifact))),
                Some(Err(reason)) => Err(malformed(&reason)),
                None => Ok(None),
            };
        }
    }))
}

/// An artifact by a digest, or what is wrong with the digest; `None` if the index has no labels of
/// such digests.
fn digest(word: &str, hex: &str) -> Option<Result<Artifact, String>> {
    let (algorithm, lengths) = DIGESTS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(word))?;
    let digits = hex.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !digits || !lengths.contains(&hex.len()) {
        let lengths: Vec<_> = lengths.iter().map(usize::to_string).collect();
        let lengths = lengths.join(" or ");
        return Some(Err(format!("a {algorithm} has {lengths} hex digits")));
    }
    Some(Ok(Artifact {
        digests: vec![((*algorithm).to_owned(), hex.to_owned())],
        ..Artifact::default()
    }))
}

/// An identifier of a vulnerability, in the spelling of those who give it out.
fn vulnerability(text: &str) -> Option<String> {
    let capitals = text.to_ascii_uppercase();
    if let Some(rest) = capitals.strip_prefix("GHSA-") {
        return (!rest.is_empty()).then(|| format!("GHSA-{}", rest.to_ascii_lowercase()));
    }
    // Bitnami's have the name of an application in them.
    if let Some(rest) = capitals.strip_prefix("BIT-") {
        let bitnami = format!("BIT-{}", rest.to_ascii_lowercase());
        return rest
            .contains(|c: char| c.is_ascii_digit())
            .then_some(bitnami);
    }
    let numbered = VULNERABILITIES.iter().any(|prefix| {
        let number = capitals.strip_prefix(prefix);
        number.is_some_and(|number| number.contains(|c: char| c.is_ascii_digit()))
    });
    let plain = capitals
        .bytes()
        .all(|c| c.is_ascii_alphanumeric() || b"-.:_".contains(&c));
    (numbered && plain).then_some(capitals)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purl(text: &str) -> String {
        match About::parse(text).unwrap().unwrap() {
            About::Package(purl) => purl.as_str().to_owned(),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_package_is_read_in_any_spelling() {
        assert_eq!(purl("pkg:cargo/serde@1.0.228"), "pkg:cargo/serde@1.0.228");
        assert_eq!(purl("PKG:PyPI/Some_Thing@1"), "pkg:pypi/some-thing@1");
        assert!(About::parse("pkg:").is_err());
    }

    #[test]
    fn a_version_is_asked_for_by_its_package() {
        for text in ["pkg:cargo/serde@1.0.228?arch=x", "pkg:cargo/serde"] {
            let names = About::parse(text).unwrap().unwrap().names();
            assert_eq!(
                names,
                [Name::new(Kind::Package, "pkg:cargo/serde")],
                "{text}"
            );
        }
    }

    #[test]
    fn digests_issuers_claims_and_bare_hex_are_told_apart() {
        let hex = Hash::of(b"x").to_hex();
        let read = |text: String| About::parse(&text).unwrap().unwrap();
        for (text, name) in [("SHA256", "sha256"), ("sha256", "sha256")] {
            let artifact = Artifact {
                digests: vec![(name.into(), hex.clone())],
                ..Artifact::default()
            };
            assert_eq!(
                read(format!("{text}:{hex}")),
                About::Artifact(artifact.clone())
            );
            assert_eq!(
                read(format!("{text}:{}", hex.to_uppercase())),
                About::Artifact(artifact)
            );
        }
        assert!(matches!(
            read(format!("sha512:{hex}{hex}")),
            About::Artifact(_)
        ));
        assert!(matches!(
            read(format!("gitcommit:{}", &hex[..40])),
            About::Artifact(_)
        ));
        assert!(matches!(read(format!("issuer:{hex}")), About::Issuer(_)));
        assert!(matches!(read(format!("claim:{hex}")), About::Claim(_)));
        assert_eq!(read(hex.clone()), About::Hex(Hash::of(b"x")));
        for wrong in [
            format!("sha256:{}", &hex[1..]),
            format!("issuer:{}", &hex[1..]),
            format!("sha1:{}", &hex[..40]),
        ] {
            assert!(About::parse(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn vulnerabilities_are_spelled_as_those_who_name_them_do() {
        for (text, id) in [
            ("cve-2021-44228", "CVE-2021-44228"),
            ("RUSTSEC-2024-0001", "RUSTSEC-2024-0001"),
            ("ghsa-JFH8-c2jp-5v3q", "GHSA-jfh8-c2jp-5v3q"),
            ("bit-Django-2023-36053", "BIT-django-2023-36053"),
            ("vuln:VendorX:7", "VendorX:7"),
            ("vuln:cve-2021-44228", "CVE-2021-44228"),
            ("vuln:Ghsa-JFH8-c2jp-5v3q", "GHSA-jfh8-c2jp-5v3q"),
        ] {
            assert_eq!(
                About::parse(text).unwrap(),
                Some(About::Vulnerability(id.into())),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_spelled_can_be_asked_again() {
        for (text, spelled) in [
            ("pkg:cargo/serde@1.0.228", "pkg:cargo/serde@1.0.228"),
            ("cve-2021-44228", "CVE-2021-44228"),
            ("vuln:CVE-2021-44228", "CVE-2021-44228"),
            ("vuln:cve-2021-44228", "CVE-2021-44228"),
            ("vuln:VendorX:7", "vuln:VendorX:7"),
            ("vuln:pkg:cargo/a", "vuln:pkg:cargo/a"),
        ] {
            let about = About::parse(text).unwrap().unwrap();
            assert_eq!(about.spelled(), spelled);
            assert_eq!(About::parse(spelled).unwrap(), Some(about));
        }
    }
}
