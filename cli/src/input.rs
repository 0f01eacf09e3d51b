//! Reading what the arguments name: a file, or stdin as `-`, up to a limit.

use crate::exit::Failure;
use assay_client::plain;
use assay_host::files::{self, NotRegular};
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

/// Reads a text, of at most so many bytes. Fails as [`files::open`] does, and with
/// [`io::ErrorKind::InvalidData`] if it is longer or no UTF-8.
pub fn text(path: &Path, most: usize) -> io::Result<String> {
    let mut text = String::new();
    let file = files::open(path)?.take(most as u64 + 1);
    BufReader::new(file).read_to_string(&mut text)?;
    if text.len() > most {
        let reason = format!("it has more than {most} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
    }
    Ok(text)
}

/// Reads a document at `path`, or stdin if it is `-`. It may be a named pipe: a person named it.
///
/// Fails with [`Failure::Usage`] if there is no such file or it is longer than `most` bytes, and
/// with [`Failure::Io`] if it cannot be read.
pub fn read(path: &Path, most: usize) -> Result<Document, Failure> {
    read_by_head(path, move |_| most)
}

/// As [`read`], where the first bytes, some thousand, say how many are read at most.
pub fn read_by_head(path: &Path, most: impl Fn(&[u8]) -> usize) -> Result<Document, Failure> {
    read_opened(path, files::open_or_wait, most)
}

/// As [`read`], of a file that is usually named by the configuration, or by nobody: nothing is
/// waited for that stands in its place.
pub fn read_setting(path: &Path, most: usize) -> Result<Document, Failure> {
    read_opened(path, files::open, move |_| most)
}

fn read_opened(
    path: &Path,
    open: fn(&Path) -> io::Result<File>,
    most: impl Fn(&[u8]) -> usize,
) -> Result<Document, Failure> {
    let shown = plain(&path.display().to_string());
    let failed = |e: io::Error| match e.kind() {
        io::ErrorKind::NotFound => Failure::Usage(format!("{shown}: there is no such file")),
        _ => {
            not_regular(path, &e).unwrap_or_else(|| Failure::io(format!("cannot read {shown}"), e))
        }
    };
    let (reader, modified): (Box<dyn Read>, _) = if path == Path::new("-") {
        (Box::new(io::stdin().lock()), None)
    } else {
        let file = open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
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

/// What a person is told who named what is no file.
pub fn not_regular(path: &Path, error: &io::Error) -> Option<Failure> {
    let found = NotRegular::of(error)?.what();
    let shown = plain(&path.display().to_string());
    Some(Failure::Usage(format!("{shown} is {found}; name a file")))
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

    #[test]
    fn a_pipe_is_waited_for_where_a_person_named_it_and_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        for failure in [
            read_setting(&pipe, 9).map(drop).unwrap_err(),
            read(Path::new("/dev/zero"), 9).map(drop).unwrap_err(),
        ] {
            assert!(matches!(failure, Failure::Usage(_)), "{failure}");
            assert!(failure.to_string().ends_with("; name a file"), "{failure}");
        }
        assert!(text(&pipe, 9).is_err());
        let writer = {
            let pipe = pipe.clone();
            std::thread::spawn(move || std::fs::write(pipe, "said").unwrap())
        };
        assert_eq!(&read(&pipe, 9).unwrap().bytes[..], b"said");
        writer.join().unwrap();
    }
}
