//! Which two files make a receipt: `X.intoto.jsonl` and `X.tlog-proof` (docs/design.md 3.6).

use crate::files;
use assay_tlog::limits::RECEIPT_BYTES;
use bytes::Bytes;
use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// How an envelope's file ends.
pub const ENVELOPE_SUFFIX: &str = ".intoto.jsonl";
/// How a proof's file ends.
pub const PROOF_SUFFIX: &str = ".tlog-proof";

/// A receipt as it was read. Nothing of it is verified.
#[derive(Debug, Clone)]
pub struct ReceiptPair {
    /// What to call it: the files' name without their endings.
    pub name: String,
    /// The DSSE envelope.
    pub envelope: Bytes,
    /// The tlog-proof.
    pub proof: Bytes,
}

/// Why files make no receipt.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    /// A file is missing: one that was named, or the other part of one that was.
    #[error("{}: there is no such file or folder", .0.display())]
    Missing(PathBuf),
    /// A file has neither ending.
    #[error(
        "{} is not part of a receipt: name X{ENVELOPE_SUFFIX} or X{PROOF_SUFFIX} (the other is \
         found beside it), or a folder", .0.display()
    )]
    NotAPart(PathBuf),
    /// A folder has no receipt in it.
    #[error("{} holds no receipt (*{ENVELOPE_SUFFIX} with *{PROOF_SUFFIX})", .0.display())]
    NoReceipt(PathBuf),
    /// A file is longer than [`RECEIPT_BYTES`].
    #[error("{} is longer than {RECEIPT_BYTES} bytes, the most that is read", .0.display())]
    TooLong(PathBuf),
    /// The text does not hold both parts.
    #[error("{0} must hold both parts: X{ENVELOPE_SUFFIX}, then X{PROOF_SUFFIX}")]
    OnePart(String),
    /// A file or folder cannot be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

impl ReceiptPair {
    /// Reads the receipts that `paths` name: either file of one, or folders of them. Each is read
    /// once; they are ordered by path.
    pub fn read_all(paths: &[PathBuf]) -> Result<Vec<Self>, PairError> {
        let mut stems = BTreeSet::new();
        for path in paths {
            if path.is_dir() {
                let found = stems_in(path)?;
                if found.is_empty() {
                    return Err(PairError::NoReceipt(path.clone()));
                }
                stems.extend(found);
            } else if let Some(stem) = stem(path) {
                stems.insert(stem);
            } else if path.exists() {
                return Err(PairError::NotAPart(path.clone()));
            } else {
                return Err(PairError::Missing(path.clone()));
            }
        }
        stems.iter().map(|stem| Self::read(stem)).collect()
    }

    fn read(stem: &Path) -> Result<Self, PairError> {
        let name = stem.file_name().unwrap_or(stem.as_os_str());
        Ok(ReceiptPair {
            name: name.to_string_lossy().into_owned(),
            envelope: read_part(stem, ENVELOPE_SUFFIX)?,
            proof: read_part(stem, PROOF_SUFFIX)?,
        })
    }

    /// Splits the envelope, which is the first line, from the proof behind it.
    pub fn split(name: &str, mut bytes: Bytes) -> Result<Self, PairError> {
        match bytes.iter().position(|byte| *byte == b'\n') {
            Some(end) if end + 1 < bytes.len() => {
                let proof = bytes.split_off(end + 1);
                Ok(ReceiptPair {
                    name: name.to_owned(),
                    envelope: bytes,
                    proof,
                })
            }
            _ => Err(PairError::OnePart(name.to_owned())),
        }
    }
}

/// The path without the ending that makes it a part of a receipt.
fn stem(path: &Path) -> Option<PathBuf> {
    let text = path.as_os_str().to_string_lossy();
    let stem = text
        .strip_suffix(ENVELOPE_SUFFIX)
        .or_else(|| text.strip_suffix(PROOF_SUFFIX))?;
    Some(PathBuf::from(stem))
}

fn stems_in(folder: &Path) -> Result<BTreeSet<PathBuf>, PairError> {
    let failed = |source| PairError::Io {
        path: folder.to_owned(),
        source,
    };
    let mut stems = BTreeSet::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        stems.extend(stem(&entry.map_err(failed)?.path()));
    }
    Ok(stems)
}

fn read_part(stem: &Path, ending: &str) -> Result<Bytes, PairError> {
    let mut path = stem.as_os_str().to_owned();
    path.push(ending);
    let path = PathBuf::from(path);
    let mut bytes = Vec::new();
    // One byte more than the limit tells a longer file from one that just fits.
    let read = files::open(&path)
        .and_then(|file| file.take(RECEIPT_BYTES as u64 + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) if bytes.len() > RECEIPT_BYTES => Err(PairError::TooLong(path)),
        Ok(_) => Ok(bytes.into()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Err(PairError::Missing(path)),
        Err(source) => Err(PairError::Io { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            fs::write(folder.path().join(file), file).unwrap();
        }
        folder
    }

    fn names(paths: &[PathBuf]) -> Vec<String> {
        let pairs = ReceiptPair::read_all(paths).unwrap();
        pairs.into_iter().map(|pair| pair.name).collect()
    }

    fn error(path: PathBuf) -> PairError {
        ReceiptPair::read_all(&[path]).unwrap_err()
    }

    #[test]
    fn either_file_finds_the_other_and_each_receipt_is_read_once() {
        let folder = folder(&[
            "a.intoto.jsonl",
            "a.tlog-proof",
            "b.intoto.jsonl",
            "b.tlog-proof",
            "README",
        ]);
        let at = |name: &str| folder.path().join(name);
        assert_eq!(names(&[at("a.intoto.jsonl")]), ["a"]);
        assert_eq!(names(&[at("a.tlog-proof"), at("a.intoto.jsonl")]), ["a"]);
        let both = [folder.path().into(), at("b.tlog-proof")];
        assert_eq!(names(&both), ["a", "b"]);
        let pair = &ReceiptPair::read_all(&[at("b.tlog-proof")]).unwrap()[0];
        assert_eq!(&pair.envelope[..], b"b.intoto.jsonl");
        assert_eq!(&pair.proof[..], b"b.tlog-proof");
    }

    #[test]
    fn what_is_not_a_whole_receipt_is_named() {
        let alone = folder(&["a.intoto.jsonl", "README"]);
        let path = alone.path().to_owned();
        assert!(matches!(error(path.clone()), PairError::Missing(_)));
        assert!(error(path.clone()).to_string().contains("a.tlog-proof"));
        assert!(matches!(error(path.join("README")), PairError::NotAPart(_)));
        assert!(matches!(error(path.join("none")), PairError::Missing(_)));
        let none = error(path.join("none.tlog-proof"));
        assert!(none.to_string().contains("no such file"), "{none}");
        let empty = folder(&["README"]);
        assert!(matches!(
            error(empty.path().into()),
            PairError::NoReceipt(_)
        ));
    }

    #[test]
    fn the_limit_of_a_file_is_exact() {
        let folder = folder(&["a.intoto.jsonl", "a.tlog-proof"]);
        let path = folder.path().join("a.tlog-proof");
        fs::write(&path, vec![b'x'; RECEIPT_BYTES]).unwrap();
        assert_eq!(names(std::slice::from_ref(&path)), ["a"]);
        fs::write(&path, vec![b'x'; RECEIPT_BYTES + 1]).unwrap();
        assert!(matches!(error(path), PairError::TooLong(_)));
    }

    #[test]
    fn a_text_holds_the_envelope_and_then_the_proof() {
        let pair = ReceiptPair::split("stdin", Bytes::from_static(b"{}\nproof\nmore\n")).unwrap();
        assert_eq!(&pair.envelope[..], b"{}\n");
        assert_eq!(&pair.proof[..], b"proof\nmore\n");
        for short in [&b""[..], b"{}", b"{}\n"] {
            assert!(ReceiptPair::split("stdin", short.into()).is_err());
        }
    }
}
