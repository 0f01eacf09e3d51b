//! What a look-up is about, as people write it: a package URL, a digest, a file, an issuer, a
//! vulnerability, a claim.

use crate::{exit::Failure, input, output, subject};
use assay_claims::claim::ClaimId;
use assay_claims::index::{Kind, Label};
use assay_claims::issuer::IssuerId;
use assay_claims::limits;
use assay_claims::purl::Purl;
use assay_intake::components::{self, Format};
use assay_policy::Component;
use assay_tlog::Hash;
use sha2::{Digest, Sha256, Sha512};
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// Digests that the index has labels of, with the lengths of their hex.
const DIGESTS: [(&str, &[usize]); 3] = [
    ("sha256", &[64]),
    ("sha512", &[128]),
    ("gitCommit", &[40, 64]),
];

/// Beginnings of well-known identifiers of vulnerabilities, besides `CVE-` and `GHSA-`; all are
/// written in capitals.
const VULNERABILITIES: [&str; 16] = [
    "RUSTSEC-", "PYSEC-", "GO-", "OSV-", "MAL-", "DSA-", "DLA-", "USN-", "RHSA-", "ALSA-", "RLSA-",
    "SUSE-", "ASB-", "HSEC-", "BIT-", "CURL-",
];

/// Bytes that a file is read in at a time.
const BUFFER: usize = 1 << 20;

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
    /// Set if the file names components of its own, which are another question.
    pub format: Option<Format>,
}

impl About {
    /// Reads what is asked about. Fails with [`Failure::Usage`] for what it cannot be, saying what
    /// it can.
    pub fn read(text: &str) -> Result<Self, Failure> {
        if text
            .get(..4)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("pkg:"))
        {
            let purl = Purl::canonicalize(text);
            return purl
                .map(About::Package)
                .map_err(|e| Failure::Usage(format!("{}: {e}", output::plain(text))));
        }
        if let Some((word, value)) = text.split_once(':')
            && let Some(about) = named(word, value)?
        {
            return Ok(about);
        }
        if let Some(hash) = Hash::from_hex(&text.to_ascii_lowercase()) {
            return Ok(About::Hex(hash));
        }
        if let Some(id) = vulnerability(text) {
            return Ok(About::Vulnerability(id));
        }
        file(text).map(About::Artifact)
    }

    /// The labels that everything known of it stands under. What is known of a version is what is
    /// said of it and what is said of its package.
    pub fn labels(&self) -> Vec<Label> {
        match self {
            About::Package(purl) => {
                let version = purl
                    .version()
                    .map(|_| Label::new(Kind::Version, purl.without_qualifiers()));
                version
                    .into_iter()
                    .chain([Label::new(Kind::Package, purl.without_version())])
                    .collect()
            }
            About::Artifact(artifact) => artifact
                .digests
                .iter()
                .map(|(algorithm, value): &(String, String)| {
                    Label::new(Kind::Digest, &format!("{algorithm}:{value}"))
                })
                .collect(),
            // What an issuer signed is listed apart: it can be any number of claims about anything.
            About::Issuer(id) => vec![sha256_label(&id.to_hex())],
            About::Vulnerability(id) => vec![Label::new(Kind::Vuln, id)],
            About::Claim(id) => vec![
                Label::new(Kind::Claim, &id.to_hex()),
                sha256_label(&id.to_hex()),
            ],
            About::Hex(hash) => vec![
                sha256_label(&hash.to_hex()),
                Label::new(Kind::Claim, &hash.to_hex()),
            ],
        }
    }

    /// The labels under which what is new about it will stand, what an issuer signs included.
    pub fn watched(&self) -> Vec<Label> {
        let mut labels = self.labels();
        match self {
            About::Issuer(id) => labels.push(Label::new(Kind::Issuer, &id.to_hex())),
            About::Hex(hash) => labels.push(Label::new(Kind::Issuer, &hash.to_hex())),
            _ => {}
        }
        labels
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

    /// Its name for people, able to stand in a sentence.
    pub fn name(&self) -> String {
        let name = match self {
            About::Package(purl) => package_name(purl),
            About::Artifact(artifact) => match (&artifact.file, artifact.digests.first()) {
                (Some(file), _) => format!("the file {file}"),
                (None, Some((algorithm, value))) => {
                    format!("the artifact {algorithm}:{}", subject::shorten(value))
                }
                (None, None) => "the artifact".to_owned(),
            },
            About::Issuer(id) => format!("issuer {}", subject::shorten(&id.to_hex())),
            About::Vulnerability(id) => id.clone(),
            About::Claim(id) => format!("claim {}", subject::shorten(&id.to_hex())),
            About::Hex(hash) => subject::shorten(&hash.to_hex()).to_owned(),
        };
        output::plain(&name)
    }

    /// The whole of it, for the heading: what can be typed to ask again.
    pub fn spelled(&self) -> String {
        let spelled = match self {
            About::Package(purl) => purl.as_str().to_owned(),
            About::Artifact(artifact) => {
                let digests: Vec<_> = artifact
                    .digests
                    .iter()
                    .map(|(name, value)| format!("{name}:{value}"))
                    .collect();
                artifact
                    .file
                    .iter()
                    .cloned()
                    .chain(digests)
                    .collect::<Vec<_>>()
                    .join("\n")
            }
            About::Issuer(id) => format!("issuer:{id}"),
            About::Vulnerability(id) => id.clone(),
            About::Claim(id) => format!("claim:{id}"),
            About::Hex(hash) => hash.to_hex(),
        };
        spelled
            .lines()
            .map(output::plain)
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// The label of a SHA-256. Issuers and claims, too, are subjects by their ids.
fn sha256_label(hex: &str) -> Label {
    Label::new(Kind::Digest, &format!("sha256:{hex}"))
}

/// A package as people call it: `serde 1.0.228 (cargo)`.
fn package_name(purl: &Purl) -> String {
    let parts = purl.components();
    let namespace = parts.namespace.iter().map(|part| format!("{part}/"));
    let version = parts.version.iter().map(|version| format!(" {version}"));
    let words = namespace
        .chain([parts.name.clone()])
        .chain(version)
        .collect::<String>();
    format!("{words} ({})", parts.ty)
}

/// What is written with its kind in front. `Ok(None)` if the word is no kind: it may be part of a
/// file's name.
fn named(word: &str, value: &str) -> Result<Option<About>, Failure> {
    let hex = value.to_ascii_lowercase();
    let wrong = |what: &str| {
        Failure::Usage(format!(
            "{}: {what}",
            output::plain(&format!("{word}:{value}"))
        ))
    };
    if let Some((algorithm, lengths)) = DIGESTS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(word))
    {
        let digits = hex.bytes().all(|digit| digit.is_ascii_hexdigit());
        if !digits || !lengths.contains(&hex.len()) {
            let lengths: Vec<_> = lengths.iter().map(usize::to_string).collect();
            return Err(wrong(&format!(
                "a {algorithm} has {} hex digits",
                lengths.join(" or ")
            )));
        }
        let digests = vec![((*algorithm).to_owned(), hex)];
        return Ok(Some(About::Artifact(Artifact {
            digests,
            ..Artifact::default()
        })));
    }
    Ok(Some(match word {
        "issuer" => About::Issuer(
            IssuerId::from_hex(&hex).ok_or_else(|| wrong("an issuer id has 64 hex digits"))?,
        ),
        "claim" => About::Claim(
            ClaimId::from_hex(&hex).ok_or_else(|| wrong("a claim id has 64 hex digits"))?,
        ),
        "vuln" if !value.is_empty() => About::Vulnerability(value.to_owned()),
        "md5" | "sha1" | "sha384" | "gitTree" | "gitBlob" => {
            return Err(wrong(
                "logs have no index of such digests; take sha256, sha512 or gitCommit",
            ));
        }
        _ => return Ok(None),
    }))
}

/// An identifier of a vulnerability, in the spelling of those who give it out.
fn vulnerability(text: &str) -> Option<String> {
    let capitals = text.to_ascii_uppercase();
    if let Some(rest) = capitals.strip_prefix("GHSA-") {
        return Some(format!("GHSA-{}", rest.to_ascii_lowercase())).filter(|_| !rest.is_empty());
    }
    let known = |prefix: &str| {
        capitals
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.contains(|c: char| c.is_ascii_digit()))
    };
    let is_known = known("CVE-") || VULNERABILITIES.into_iter().any(known);
    let plain = capitals
        .bytes()
        .all(|c| c.is_ascii_alphanumeric() || b"-.:_".contains(&c));
    (is_known && plain).then_some(capitals)
}

/// An existing file, by its digests. A file whose name reads as something else is written with a
/// folder in front.
fn file(text: &str) -> Result<Artifact, Failure> {
    let path = Path::new(text);
    let shown = output::plain(text);
    let digests = digests(path).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => Failure::Usage(format!(
            "{shown}: nothing that can be looked up; write a package URL \
             (pkg:cargo/serde@1.0.228), a digest (sha256:HEX, sha512:HEX, gitCommit:HEX), the \
             path of a file, an issuer (issuer:ID), a claim (claim:ID), or a vulnerability \
             (CVE-2021-44228, or vuln:NAME)"
        )),
        io::ErrorKind::IsADirectory => Failure::Usage(format!("{shown} is a folder; name a file")),
        _ => Failure::io(format!("cannot read {shown}"), e),
    })?;
    Ok(Artifact {
        file: Some(text.to_owned()),
        digests,
        format: format(path),
    })
}

/// The format of a file that names components.
fn format(path: &Path) -> Option<Format> {
    let document = input::read(path, limits::DOCUMENT_BYTES).ok()?;
    components::recognize(&document.name, &document.bytes).ok()
}

/// SHA-256 and SHA-512 of a file of any size, without holding it.
fn digests(path: &Path) -> io::Result<Vec<(String, String)>> {
    let mut file = File::open(path)?;
    let (mut sha256, mut sha512) = (Sha256::new(), Sha512::new());
    let mut buffer = vec![0; BUFFER];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            n => {
                sha256.update(&buffer[..n]);
                sha512.update(&buffer[..n]);
            }
        }
    }
    let hex = |name: &str, bytes: &[u8]| (name.to_owned(), hex::encode(bytes));
    Ok(vec![
        hex("sha256", &sha256.finalize()),
        hex("sha512", &sha512.finalize()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purl(text: &str) -> String {
        match About::read(text).unwrap() {
            About::Package(purl) => purl.as_str().to_owned(),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_package_is_read_in_any_spelling() {
        assert_eq!(purl("pkg:cargo/serde@1.0.228"), "pkg:cargo/serde@1.0.228");
        assert_eq!(purl("PKG:PyPI/Some_Thing@1"), "pkg:pypi/some-thing@1");
        assert!(matches!(About::read("pkg:"), Err(Failure::Usage(_))));
    }

    #[test]
    fn a_version_is_asked_with_its_package() {
        let versioned = About::read("pkg:cargo/serde@1.0.228?arch=x")
            .unwrap()
            .labels();
        let package = Label::new(Kind::Package, "pkg:cargo/serde");
        assert_eq!(
            versioned,
            [
                Label::new(Kind::Version, "pkg:cargo/serde@1.0.228"),
                package
            ]
        );
        assert_eq!(About::read("pkg:cargo/serde").unwrap().labels(), [package]);
    }

    #[test]
    fn digests_issuers_claims_and_bare_hex_are_told_apart() {
        let hex = Hash::of(b"x").to_hex();
        let read = |text: String| About::read(&text).unwrap();
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
            assert!(
                matches!(About::read(&wrong), Err(Failure::Usage(_))),
                "{wrong}"
            );
        }
    }

    #[test]
    fn vulnerabilities_are_spelled_as_those_who_name_them_do() {
        for (text, id) in [
            ("cve-2021-44228", "CVE-2021-44228"),
            ("RUSTSEC-2024-0001", "RUSTSEC-2024-0001"),
            ("ghsa-JFH8-c2jp-5v3q", "GHSA-jfh8-c2jp-5v3q"),
            ("vuln:VendorX:7", "VendorX:7"),
        ] {
            assert_eq!(
                About::read(text).unwrap(),
                About::Vulnerability(id.into()),
                "{text}"
            );
        }
    }

    #[test]
    fn a_file_is_its_digests_and_a_lock_file_is_recognised() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let About::Artifact(file) = About::read(&write("x.tar", "abc")).unwrap() else {
            panic!()
        };
        assert_eq!(
            file.digests[0],
            ("sha256".into(), Hash::of(b"abc").to_hex())
        );
        assert_eq!(
            (
                file.digests[1].0.as_str(),
                file.digests[1].1.len(),
                file.format
            ),
            ("sha512", 128, None)
        );
        let lock = write(
            "Cargo.lock",
            "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n",
        );
        let About::Artifact(lock) = About::read(&lock).unwrap() else {
            panic!()
        };
        assert!(lock.format.is_some());
        for wrong in ["no/such/file", folder.path().to_str().unwrap()] {
            assert!(
                matches!(About::read(wrong), Err(Failure::Usage(_))),
                "{wrong}"
            );
        }
    }
}
