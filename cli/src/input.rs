//! Reading what the arguments name: a file, or stdin as `-`, up to a limit.

use crate::exit::Failure;
use assay_client::plain;
use bytes::Bytes;
use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
    time::SystemTime,
};

/// A document that was read.
pub struct Document {
    /// Its name without folders; `stdin` for stdin.
    pub name: String,
    /// Its bytes.
    pub bytes: Bytes,
    /// When it was last changed; `None` for stdin.
    pub modified: Option<SystemTime>,
}

/// Bytes that say how a file begins.
const HEAD: u64 = 4096;

/// Reads a text, of at most so many bytes: a device has no end. Fails as the system says, and with
/// [`io::ErrorKind::InvalidData`] if it is longer or no UTF-8.
pub fn text(path: &Path, most: usize) -> io::Result<String> {
    let mut text = String::new();
    let file = File::open(path)?.take(most as u64 + 1);
    BufReader::new(file).read_to_string(&mut text)?;
    if text.len() > most {
        let reason = format!("it has more than {most} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
    }
    Ok(text)
}

/// Reads `path`, or stdin if it is `-`.
///
/// Fails with [`Failure::Usage`] if there is no such file or it is longer than `most` bytes, and
/// with [`Failure::Io`] if it cannot be read.
pub fn read(path: &Path, most: usize) -> Result<Document, Failure> {
    read_by_head(path, move |_| most)
}

/// As [`read`], where the first bytes, some thousand, say how many are read at most.
pub fn read_by_head(path: &Path, most: impl Fn(&[u8]) -> usize) -> Result<Document, Failure> {
    let shown = plain(&path.display().to_string());
    let failed = |e: io::Error| match e.kind() {
        io::ErrorKind::NotFound => Failure::Usage(format!("{shown}: there is no such file")),
        _ => Failure::io(format!("cannot read {shown}"), e),
    };
    let (reader, modified): (Box<dyn Read>, _) = if path == Path::new("-") {
        (Box::new(io::stdin().lock()), None)
    } else {
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(Failure::Usage(format!("{shown} is a folder; name a file")));
        }
        (Box::new(file), metadata.modified().ok())
    };
    let (mut bytes, mut reader) = (Vec::new(), reader);
    let mut head = (&mut reader).take(HEAD);
    head.read_to_end(&mut bytes).map_err(failed)?;
    let most = most(&bytes);
    let left = (most as u64 + 1).saturating_sub(bytes.len() as u64);
    reader.take(left).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > most {
        return Err(Failure::Usage(format!(
            "{shown} is longer than {most} bytes, the most that is read"
        )));
    }
    let name = if modified.is_some() || path != Path::new("-") {
        path.file_name()
            .map_or_else(|| shown.clone(), |name| name.to_string_lossy().into_owned())
    } else {
        "stdin".into()
    };
    Ok(Document {
        name,
        bytes: bytes.into(),
        modified,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_exact_and_a_missing_file_is_the_callers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("doc.json");
        std::fs::write(&path, b"12345").unwrap();
        let document = read(&path, 5).unwrap();
        assert_eq!(
            (document.name.as_str(), &document.bytes[..]),
            ("doc.json", &b"12345"[..])
        );
        assert!(matches!(read(&path, 4), Err(Failure::Usage(_))));
        assert!(matches!(
            read(&folder.path().join("none"), 4),
            Err(Failure::Usage(_))
        ));
        assert!(matches!(read(folder.path(), 4), Err(Failure::Usage(_))));
    }

    #[test]
    fn a_files_name_cannot_drive_the_terminal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a\x1b[2Jb\nc");
        let said = |most| read(&path, most).map(drop).unwrap_err().to_string();
        let is_plain =
            |said: String| said.contains("a\\u{1b}[2Jb\\nc") && !said.contains(char::is_control);
        assert!(is_plain(said(4)), "there is no such file");
        std::fs::write(&path, "12345").unwrap();
        assert!(is_plain(said(4)), "it is too long");
    }
}
