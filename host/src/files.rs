//! Opening a file that a person may have put something else in the place of.
//!
//! To open a pipe that nobody writes to takes for ever, and a device may have no end: a start would
//! hang without a word. So only a regular file is opened. The exception is what whoever starts a
//! program hands to it open: `/dev/stdin`, or `/dev/fd/63`, which is what `<(…)` of a shell makes.
//! `/dev/null`, by which people say "none", ends at once.

use rustix::fs::OFlags;
use std::{
    error, fmt,
    fs::{self, File, FileType, Metadata, OpenOptions},
    io::{self, Read},
    os::unix::fs::{FileTypeExt, OpenOptionsExt},
    path::Path,
    string::FromUtf8Error,
};

/// There is something at a path, and it is no regular file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotRegular {
    /// What it is, with an article.
    what: &'static str,
}

impl NotRegular {
    /// The reason of an error of this module, if it is this one.
    pub fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }

    /// What it is, with an article: "a folder".
    pub fn what(self) -> &'static str {
        self.what
    }

    fn new(kind: FileType) -> Self {
        let what = if kind.is_dir() {
            "a folder"
        } else if kind.is_fifo() {
            "a named pipe"
        } else if kind.is_socket() {
            "a socket"
        } else {
            "a device"
        };
        NotRegular { what }
    }
}

impl fmt::Display for NotRegular {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "it is {}, where only a regular file can be; move it away, or name another path",
            self.what
        )
    }
}

impl error::Error for NotRegular {}

/// Opens a file to read it, without ever waiting for anybody.
///
/// Fails with [`io::ErrorKind::InvalidInput`], whose text says what to do, if it is no regular
/// file; and as the system says.
pub fn open(path: &Path) -> io::Result<File> {
    open_with(path, OpenOptions::new().read(true))
}

/// As [`open`], for what a person names who can wait: a named pipe is opened, too, and its writer
/// waited for.
pub fn open_or_wait(path: &Path) -> io::Result<File> {
    match fs::metadata(path) {
        Ok(there) if there.file_type().is_fifo() => File::open(path),
        _ => open(path),
    }
}

/// Opens a file as the options say. Flags of their own are not kept. Fails as [`open`] does.
pub fn open_with(path: &Path, options: &OpenOptions) -> io::Result<File> {
    if is_handed_over(path) {
        return options.open(path);
    }
    opened(path, options, OFlags::empty())
}

/// As [`open_with`], and fails if a link stands at the path.
pub fn open_no_link(path: &Path, options: &OpenOptions) -> io::Result<File> {
    opened(path, options, OFlags::NOFOLLOW)
}

/// Reads a file as a whole. Fails as [`open`] does.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// As [`read`], of a text. Fails with [`io::ErrorKind::InvalidData`], whose text says where and
/// what to do, if it is no UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    let no_text = |error: FromUtf8Error| {
        let at = error.utf8_error().valid_up_to() + 1;
        let advice = format!("no UTF-8 at byte {at}: restore the file, or save it as UTF-8");
        io::Error::new(io::ErrorKind::InvalidData, advice)
    };
    String::from_utf8(read(path)?).map_err(no_text)
}

/// The folder that a file is in.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Makes the names in a folder durable. A file that was made, renamed or removed in it is only
/// certain to stay so after this.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let flags = OFlags::DIRECTORY.bits().cast_signed();
    let folder = options.read(true).custom_flags(flags).open(path)?;
    folder.sync_all()
}

/// Fails as [`open`] does if something else than a regular file is at the path: for what others
/// open, a library that is loaded or a database. That nothing is there is for them to say.
pub fn demand_regular_or_none(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(there) => demand_regular(&there),
        Err(_) => Ok(()),
    }
}

fn opened(path: &Path, options: &OpenOptions, more: OFlags) -> io::Result<File> {
    // Before it is opened: that alone has a device do something, and a pipe's writer go on.
    demand_regular_or_none(path)?;
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | more;
    let mut options = options.clone();
    let file = options
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    // What was put there meanwhile.
    demand_regular(&file.metadata()?)?;
    Ok(file)
}

fn demand_regular(there: &Metadata) -> io::Result<()> {
    if there.is_file() {
        return Ok(());
    }
    let found = NotRegular::new(there.file_type());
    Err(io::Error::new(io::ErrorKind::InvalidInput, found))
}

/// Whether a path names what this process has open already, or what ends at once.
fn is_handed_over(path: &Path) -> bool {
    if fs::canonicalize(path).is_ok_and(|path| path == Path::new("/dev/null")) {
        return true;
    }
    let number = ["/dev/fd/", "/proc/self/fd/"];
    path.to_str().is_some_and(|path| {
        let mut numbers = number.iter().filter_map(|folder| path.strip_prefix(folder));
        path == "/dev/stdin" || numbers.any(|number| number.parse::<u32>().is_ok())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{io::Write, os::unix::fs::symlink, os::unix::net::UnixListener, process::Command};

    fn pipe(path: &Path) {
        let made = Command::new("mkfifo").arg(path).status();
        assert!(made.unwrap().success());
    }

    #[test]
    fn what_is_no_text_is_said_to_be_none_where_it_begins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text");
        fs::write(&path, b"\xc3\xbcber\xfc").unwrap();
        let error = read_text(&path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        let said = error.to_string();
        assert!(said.starts_with("no UTF-8 at byte 6: restore"), "{said}");
        fs::write(&path, "über").unwrap();
        assert_eq!(read_text(&path).unwrap(), "über");
    }

    #[test]
    fn what_could_hold_a_program_up_is_not_opened_and_is_said_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        pipe(&at("pipe"));
        symlink(at("pipe"), at("link")).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        for (path, what) in [
            (at("pipe"), "a named pipe"),
            (at("link"), "a named pipe"),
            (at("socket"), "a socket"),
            (folder.path().to_owned(), "a folder"),
            ("/dev/zero".into(), "a device"),
        ] {
            let ways = [
                OpenOptions::new().read(true).clone(),
                OpenOptions::new().read(true).append(true).clone(),
                OpenOptions::new().write(true).create(true).clone(),
            ];
            for way in ways {
                let error = open_with(&path, &way).unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{path:?}");
                assert_eq!(NotRegular::of(&error), Some(NotRegular { what }));
                assert!(error.to_string().contains("move it away"), "{error}");
            }
            assert!(demand_regular_or_none(&path).is_err());
        }
        sync_folder(folder.path()).unwrap();
        sync_folder(&at("pipe")).unwrap_err();
        demand_regular_or_none(&at("none")).unwrap();
        let none = open(&at("none")).unwrap_err();
        assert_eq!(none.kind(), io::ErrorKind::NotFound);
        assert_eq!(NotRegular::of(&none), None);
    }

    #[test]
    fn a_file_is_read_also_by_a_link_unless_that_is_not_to_be_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "text").unwrap();
        symlink(&file, &link).unwrap();
        assert_eq!(read_text(&link).unwrap(), "text");
        assert_eq!(read(&file).unwrap(), b"text");
        let options = OpenOptions::new().read(true).clone();
        open_no_link(&file, &options).unwrap();
        assert!(open_no_link(&link, &options).is_err());
        fs::write(&file, [0xff]).unwrap();
        let error = read_text(&file).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn what_was_handed_over_open_is_read_whatever_it_is() {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"said").unwrap();
        drop(writer);
        use std::os::fd::AsRawFd;
        let number = reader.as_raw_fd();
        assert_eq!(
            read_text(Path::new(&format!("/dev/fd/{number}"))).unwrap(),
            "said"
        );
        assert_eq!(read(Path::new("/dev/null")).unwrap(), b"");
        for path in ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/63"] {
            assert!(is_handed_over(Path::new(path)), "{path}");
        }
        for path in [
            "/dev/fd/0.issuer",
            "/dev/fd/",
            "/dev/fdx/0",
            "/dev/stdin/x",
            "fd/0",
        ] {
            assert!(!is_handed_over(Path::new(path)), "{path}");
        }
    }
}
