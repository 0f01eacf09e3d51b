//! What is asked about, as people type it. Files are asked about by their digests.

use crate::{exit::Failure, input, output};
use assay_client::ask::{About, Artifact};
use assay_host::files;
use assay_intake::components;
use sha2::{Digest, Sha256, Sha512};
use std::{
    io::{self, Read},
    path::Path,
};

/// Bytes that a file is read in at a time.
const BUFFER: usize = 1 << 20;

/// Reads what is asked about. Fails with [`Failure::Usage`] for what it cannot be, saying what it
/// can.
pub fn read(text: &str) -> Result<About, Failure> {
    match About::parse(text)? {
        Some(about) => Ok(about),
        None => file(text).map(About::Artifact),
    }
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
        _ => input::not_regular(path, &e)
            .unwrap_or_else(|| Failure::io(format!("cannot read {shown}"), e)),
    })?;
    Ok(Artifact {
        file: Some(text.to_owned()),
        digests,
        lists: format(path),
    })
}

/// The name of the format of a file that names components.
fn format(path: &Path) -> Option<&'static str> {
    let document = input::read_by_head(path, components::most_bytes).ok()?;
    let format = components::recognize(&document.name, &document.bytes).ok()?;
    Some(format.name())
}

/// SHA-256 and SHA-512 of a file of any size, without holding it.
fn digests(path: &Path) -> io::Result<Vec<(String, String)>> {
    let mut file = files::open(path)?;
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
    use assay_tlog::Hash;

    #[test]
    fn a_file_is_its_digests_and_a_lock_file_is_recognised() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let About::Artifact(file) = read(&write("x.tar", "abc")).unwrap() else {
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
                file.lists
            ),
            ("sha512", 128, None)
        );
        let lock = write(
            "Cargo.lock",
            "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n",
        );
        let About::Artifact(lock) = read(&lock).unwrap() else {
            panic!()
        };
        assert!(lock.lists.is_some());
        for wrong in ["no/such/file", folder.path().to_str().unwrap()] {
            assert!(matches!(read(wrong), Err(Failure::Usage(_))), "{wrong}");
        }
    }
}
