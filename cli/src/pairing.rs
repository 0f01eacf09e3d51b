//! Which two files make a receipt: `X.intoto.jsonl` and `X.tlog-proof`. From stdin both come one
//! after the other.

use crate::{exit::Failure, input};
use assay_tlog::limits::RECEIPT_BYTES;
use bytes::Bytes;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// How an envelope's file ends.
pub const ENVELOPE: &str = ".intoto.jsonl";
/// How a proof's file ends.
pub const PROOF: &str = ".tlog-proof";

/// A receipt as it was read; nothing of it is verified.
#[derive(Debug)]
pub struct Pair {
    /// What to call it to the person.
    pub name: String,
    /// The DSSE envelope.
    pub envelope: Bytes,
    /// The tlog-proof.
    pub proof: Bytes,
}

/// Reads the receipts that `paths` name: either file of one, folders of them, or stdin as `-`. Each
/// is read once.
///
/// Fails with [`Failure::Usage`] for a file that is no part of a receipt, whose other part is
/// missing, or that is too long.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Pair>, Failure> {
    let mut pairs = vec![];
    let mut stems = BTreeSet::new();
    for path in paths {
        if path == Path::new("-") {
            pairs.push(read_stdin()?);
        } else if !path.exists() && stem(path).is_err() {
            return Err(Failure::Usage(format!(
                "{}: there is no such file or folder",
                path.display()
            )));
        } else if path.is_dir() {
            let found = stems_in(path)?;
            if found.is_empty() {
                let path = path.display();
                return Err(Failure::Usage(format!(
                    "{path} holds no receipt (*{ENVELOPE} with *{PROOF})"
                )));
            }
            stems.extend(found);
        } else {
            stems.insert(stem(path)?);
        }
    }
    for stem in stems {
        pairs.push(read_pair(&stem)?);
    }
    Ok(pairs)
}

/// The path without the ending that makes it a part of a receipt.
fn stem(path: &Path) -> Result<PathBuf, Failure> {
    let text = path.as_os_str().to_string_lossy();
    match text
        .strip_suffix(ENVELOPE)
        .or_else(|| text.strip_suffix(PROOF))
    {
        Some(stem) => Ok(PathBuf::from(stem)),
        None => Err(Failure::Usage(format!(
            "{text} is no part of a receipt: name X{ENVELOPE} or X{PROOF} (the other is found \
             beside it), a folder, or -"
        ))),
    }
}

fn stems_in(folder: &Path) -> Result<BTreeSet<PathBuf>, Failure> {
    let failed = |e| Failure::io(format!("cannot read the folder {}", folder.display()), e);
    let mut stems = BTreeSet::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        if let Ok(stem) = stem(&entry.map_err(failed)?.path()) {
            stems.insert(stem);
        }
    }
    Ok(stems)
}

fn read_pair(stem: &Path) -> Result<Pair, Failure> {
    let part = |ending: &str| {
        let mut path = stem.as_os_str().to_owned();
        path.push(ending);
        input::read(Path::new(&path), RECEIPT_BYTES).map(|document| document.bytes)
    };
    let name = stem
        .file_name()
        .unwrap_or(stem.as_os_str())
        .to_string_lossy()
        .into_owned();
    Ok(Pair {
        name,
        envelope: part(ENVELOPE)?,
        proof: part(PROOF)?,
    })
}

/// As `cat X.intoto.jsonl X.tlog-proof | assay verify -` gives them: the envelope is one line.
fn read_stdin() -> Result<Pair, Failure> {
    split(
        "stdin",
        input::read(Path::new("-"), 2 * RECEIPT_BYTES)?.bytes,
    )
}

fn split(name: &str, mut envelope: Bytes) -> Result<Pair, Failure> {
    let end = envelope
        .iter()
        .position(|byte| *byte == b'\n')
        .map(|end| end + 1);
    match end.filter(|end| *end < envelope.len()) {
        Some(end) => {
            let proof = envelope.split_off(end);
            Ok(Pair {
                name: name.to_owned(),
                envelope,
                proof,
            })
        }
        None => Err(Failure::Usage(format!(
            "{name}: give both parts: cat X{ENVELOPE} X{PROOF} | assay verify -"
        ))),
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
        read(paths)
            .unwrap()
            .into_iter()
            .map(|pair| pair.name)
            .collect()
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
        assert_eq!(
            names(&[folder.path().into(), at("b.tlog-proof")]),
            ["a", "b"]
        );
        let pair = &read(&[at("b.tlog-proof")]).unwrap()[0];
        assert_eq!(
            (&pair.envelope[..], &pair.proof[..]),
            (&b"b.intoto.jsonl"[..], &b"b.tlog-proof"[..])
        );
    }

    #[test]
    fn what_is_no_whole_receipt_is_the_callers() {
        let alone = folder(&["a.intoto.jsonl", "README"]);
        let error = read(&[alone.path().into()]).unwrap_err();
        assert!(
            matches!(&error, Failure::Usage(text) if text.contains("a.tlog-proof")),
            "{error}"
        );
        assert!(matches!(
            read(&[alone.path().join("README")]),
            Err(Failure::Usage(_))
        ));
        assert!(matches!(
            read(&[folder(&["README"]).path().into()]),
            Err(Failure::Usage(_))
        ));
        for none in ["none", "none.tlog-proof"] {
            let error = read(&[alone.path().join(none)]).unwrap_err();
            assert!(
                matches!(&error, Failure::Usage(text) if text.contains("no such file")),
                "{error}"
            );
        }
    }

    #[test]
    fn stdin_holds_the_envelope_and_then_the_proof() {
        let pair = split("stdin", Bytes::from_static(b"{}\nproof\nmore\n")).unwrap();
        assert_eq!(
            (&pair.envelope[..], &pair.proof[..]),
            (&b"{}\n"[..], &b"proof\nmore\n"[..])
        );
        for short in [&b""[..], b"{}", b"{}\n"] {
            assert!(matches!(
                split("stdin", short.into()),
                Err(Failure::Usage(_))
            ));
        }
    }
}
