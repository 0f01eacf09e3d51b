//! Whether an attestation is about what the caller names.

use super::Attestation;
use assay_claims::purl::Purl;
use assay_claims::statement::Subject;

/// What an attestation is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// About what the caller names.
    #[error("it says nothing of {named}: it is about {about}")]
    Subject {
        /// What the caller names.
        named: String,
        /// What it is about.
        about: String,
    },
    /// Signed by the publisher that PyPI names.
    #[error("PyPI says that it came from {0}, and somebody else signed it")]
    Signer(String),
}

/// Most subjects that an error names.
const SHOWN: usize = 3;

impl Attestation {
    /// The subjects that the caller names, as the attestation has them: all of them, if none is
    /// named. A subject that is named by digest has to have that digest; one that is named by
    /// package URL has to be that package, or be named by digest, too, and be of no package.
    ///
    /// # Errors
    ///
    /// [`Mismatch::Subject`] for what is named and is none of them.
    pub fn about(&self, named: &[Subject]) -> Result<Vec<Subject>, Mismatch> {
        let (packages, files): (Vec<_>, Vec<_>) =
            named.iter().partition(|subject| subject.uri().is_some());
        let mut found: Vec<Subject> = Vec::new();
        for file in files {
            let same = self.subjects.iter().find(|own| has_digest_of(own, file));
            match same {
                Some(own) if !found.contains(own) => found.push(own.clone()),
                Some(_) => {}
                // A signed file of which the signature leaves the digest out.
                None if self.subjects.is_empty() => found.push(file.clone()),
                None => return Err(self.mismatch(file)),
            }
        }
        for package in packages {
            let uri = package.uri().unwrap_or_default();
            let same = self.subjects.iter().find(|own| own.uri() == Some(uri));
            match same {
                Some(own) if !found.contains(own) => found.push(own.clone()),
                Some(_) => {}
                None if found.len() == 1 && found[0].uri().is_none() => {
                    found[0] = with_uri(&found[0], uri.to_owned());
                }
                None => return Err(self.mismatch(package)),
            }
        }
        if named.is_empty() {
            found = self.subjects.clone();
        }
        Ok(found)
    }

    fn mismatch(&self, named: &Subject) -> Mismatch {
        let own = self.subjects.iter().take(SHOWN).map(shown);
        let mut about: Vec<String> = own.collect();
        if self.subjects.len() > SHOWN {
            about.push(format!("{} more", self.subjects.len() - SHOWN));
        }
        Mismatch::Subject {
            named: shown(named),
            about: about.join(", "),
        }
    }
}

/// Whether all digests that both have are equal, and there is one.
fn has_digest_of(own: &Subject, file: &Subject) -> bool {
    let common = file.digests().iter().filter_map(|(algorithm, value)| {
        let theirs = own.digest(algorithm)?;
        Some(theirs == value)
    });
    let equal: Vec<bool> = common.collect();
    !equal.is_empty() && equal.iter().all(|is| *is)
}

fn shown(subject: &Subject) -> String {
    let name = subject.uri().or(subject.name());
    let digest = subject.digests().iter().find(|(name, _)| name != "purl");
    match (name, digest) {
        (Some(name), Some((algorithm, value))) => format!("{name} ({algorithm}:{value})"),
        (Some(name), None) => name.to_owned(),
        (None, Some((algorithm, value))) => format!("{algorithm}:{value}"),
        (None, None) => "a file without a digest".to_owned(),
    }
}

/// The subject with a package URL.
pub(super) fn with_uri(subject: &Subject, uri: String) -> Subject {
    let name = subject.name().map(str::to_owned);
    Subject::of_parts(name, Some(uri), subject.digests().to_vec())
}

/// The package of a file that PyPI serves: its name says it (PEP 427, PEP 625).
pub(super) fn of_pypi(file: &str) -> Option<Purl> {
    let (name, version) = match file.strip_suffix(".whl") {
        Some(wheel) => {
            let mut parts = wheel.split('-');
            (parts.next()?, parts.next()?)
        }
        None => {
            let source = file.strip_suffix(".tar.gz").or(file.strip_suffix(".zip"))?;
            source.rsplit_once('-')?
        }
    };
    // A package URL has a name, but may do without a version.
    if version.is_empty() {
        return None;
    }
    Purl::canonicalize(&format!("pkg:pypi/{name}@{version}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::attestations;

    #[test]
    fn the_name_of_a_file_says_its_release() {
        for (file, expected) in [
            (
                "rfc8785-0.1.2-py3-none-any.whl",
                Some("pkg:pypi/rfc8785@0.1.2"),
            ),
            ("some_thing-1.0.tar.gz", Some("pkg:pypi/some-thing@1.0")),
            ("a-b-1.0.zip", Some("pkg:pypi/a-b@1.0")),
            ("a.tar.gz", None),
            ("-1.whl", None),
            ("-1.tar.gz", None),
            ("a-.tar.gz", None),
            ("a--py3-none-any.whl", None),
            ("a-1.0.exe", None),
        ] {
            let purl = of_pypi(file);
            assert_eq!(purl.as_ref().map(Purl::as_str), expected, "{file}");
        }
    }

    fn digest(text: &str) -> Subject {
        let (algorithm, hex) = text.split_once(':').unwrap();
        Subject::of_parts(
            None,
            None,
            vec![(algorithm.to_owned(), hex.repeat(64 / hex.len()))],
        )
    }

    #[test]
    fn what_is_named_is_among_what_it_is_about_or_refused() {
        let file = include_bytes!("../../../../../tests/fuzz/corpus/attestations/file");
        let read = attestations("provenance", "a", file).unwrap().unwrap();
        let one = &read.list()[0];
        assert_eq!(one.about(&[digest("sha256:ab")]).unwrap().len(), 1);
        assert!(one.about(&[digest("sha256:ba")]).is_err());
        // Of an algorithm that it does not have nothing can be said.
        assert!(
            one.about(&[Subject::of_parts(
                None,
                None,
                vec![("sha1".into(), "a".repeat(40))]
            )])
            .is_err()
        );
        let package = Subject::package(Purl::canonicalize("pkg:cargo/a@1").unwrap());
        assert!(one.about(std::slice::from_ref(&package)).is_err());
        let both = one.about(&[package, digest("sha256:ab")]).unwrap();
        assert_eq!(both[0].uri(), Some("pkg:cargo/a@1"));
        assert_eq!(both[0].digest("sha256").map(str::len), Some(64));
    }
}
