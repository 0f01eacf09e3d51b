//! What a claim is about, as people write it: a package URL, `algorithm:hex`, or a file whose
//! SHA-256 is taken.

use crate::{exit::Failure, input};
use assay_claims::purl::Purl;
use assay_claims::statement::Subject;
use assay_host::files;
use assay_tlog::Hash;
use sha2::{Digest, Sha256, Sha512, digest::Output};
use std::{io::Read, path::Path};

/// Algorithms that in-toto names whose digests are told from a file name by their look.
const ALGORITHMS: [&str; 8] = [
    "sha256",
    "sha512",
    "sha384",
    "sha1",
    "sha3_256",
    "sha3_512",
    "gitCommit",
    "gitTree",
];

/// Bytes that a file is read in at a time.
const BUFFER: usize = 1 << 20;

/// Reads a subject. Fails with [`Failure::Usage`] for a purl that is not canonical, naming the form
/// that is.
pub fn read(text: &str) -> Result<Subject, Failure> {
    if text
        .get(..4)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("pkg:"))
    {
        let purl = Purl::parse_canonical(text)
            .map_err(|e| Failure::Usage(format!("--subject {text}: {e}")))?;
        return Ok(Subject::package(purl));
    }
    if let Some((algorithm, digest)) = digest(text) {
        return Ok(Subject::of_parts(
            None,
            None,
            vec![(algorithm.to_owned(), digest.to_owned())],
        ));
    }
    let path = Path::new(text);
    let sha256 = sha256(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Failure::Usage(format!(
            "--subject {text}: there is no such file; write a package URL \
             (pkg:cargo/serde@1.0.0), a digest (sha256:HEX), or the path of a file"
        )),
        _ => input::not_regular(path, &e)
            .unwrap_or_else(|| Failure::io(format!("cannot read {text}"), e)),
    })?;
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    Ok(Subject::artifact(name, &sha256))
}

/// Reads a subject as [`read`] does; a file has its SHA-512, too, by which npm names it.
pub fn read_twice(text: &str) -> Result<Subject, Failure> {
    let subject = read(text)?;
    if subject.uri().is_some() || digest(text).is_some() {
        return Ok(subject);
    }
    let sha512 = hash::<Sha512>(Path::new(text));
    let sha512 = sha512.map_err(|e| Failure::io(format!("cannot read {text}"), e))?;
    let mut digests = subject.digests().to_vec();
    digests.push(("sha512".to_owned(), hex::encode(sha512)));
    let name = subject.name().map(str::to_owned);
    Ok(Subject::of_parts(name, None, digests))
}

fn digest(text: &str) -> Option<(&str, &str)> {
    let (algorithm, digest) = text.split_once(':')?;
    ALGORITHMS
        .contains(&algorithm)
        .then_some((algorithm, digest))
}

/// SHA-256 of a file of any size, without holding it.
fn sha256(path: &Path) -> std::io::Result<Hash> {
    Ok(Hash::new(hash::<Sha256>(path)?.into()))
}

fn hash<D: Digest>(path: &Path) -> std::io::Result<Output<D>> {
    let mut file = files::open(path)?;
    let mut hasher = D::new();
    let mut buffer = vec![0; BUFFER];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize()),
            n => hasher.update(&buffer[..n]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_told_apart() {
        let purl = read("pkg:cargo/serde@1.0.0").unwrap();
        assert_eq!(purl.uri(), Some("pkg:cargo/serde@1.0.0"));
        assert!(purl.digest("purl").is_some());

        let hex = Hash::of(b"abc").to_hex();
        let digest = read(&format!("sha256:{hex}")).unwrap();
        assert_eq!(digest.digest("sha256"), Some(hex.as_str()));

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc.tar");
        std::fs::write(&path, b"abc").unwrap();
        let file = read(path.to_str().unwrap()).unwrap();
        assert_eq!(
            (file.name(), file.digest("sha256")),
            (Some("abc.tar"), Some(hex.as_str()))
        );

        assert!(matches!(read("no/such/file"), Err(Failure::Usage(_))));
    }

    #[test]
    fn a_purl_that_is_not_canonical_is_refused_with_the_form_that_is() {
        let error = read("pkg:PyPI/Some_Thing@1").unwrap_err().to_string();
        assert!(error.contains("pkg:pypi/some-thing@1"), "{error}");
    }
}
