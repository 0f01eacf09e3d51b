//! Files that are replaced as a whole: whoever reads one finds what it held before or what it holds
//! now, and never a part of either.

use crate::storage::disk;
pub(crate) use assay_host::files::{open, read, read_text};
use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Replaces a file. After a power cut it may hold what it held before, or nothing. Fails, and
/// changes nothing, if what is there is no regular file: a device or a link would become one.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok_and(|there| !there.is_file()) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "what is there is no regular file, and would be replaced by one; name another file",
        ));
    }
    let (draft, _) = draft(path, bytes)?;
    fs::rename(draft, path)
}

/// Replaces a file with JSON, as [`replace`] does.
pub(crate) fn replace_json(path: &Path, json: &serde_json::Value) -> io::Result<()> {
    replace(path, format!("{json:#}\n").as_bytes())
}

/// Replaces a file, and is durable when it returns.
pub(crate) fn replace_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (draft, file) = draft(path, bytes)?;
    file.sync_all()?;
    fs::rename(draft, path)?;
    disk::sync_folder(disk::folder_of(path))
}

/// Writes the new content beside the file, with `.new` behind its name, where it stands until it is
/// whole.
fn draft(path: &Path, bytes: &[u8]) -> io::Result<(PathBuf, File)> {
    let mut draft = OsString::from(path);
    draft.push(".new");
    let mut file = create_anew(draft.as_ref())?;
    file.write_all(bytes)?;
    Ok((draft.into(), file))
}

/// Makes a file, in the place of what a run that was cut off left there. What else is there, a pipe
/// or a link, is removed and never opened.
pub(crate) fn create_anew(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => File::create_new(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_no_draft_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.b");
        for write in [replace, replace_durably] {
            for text in ["first, and longer", "second"] {
                write(&path, text.as_bytes()).unwrap();
                assert_eq!(fs::read_to_string(&path).unwrap(), text);
            }
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(replace_durably(&folder.path().join("none/a"), b"").is_err());
    }

    #[test]
    fn what_is_no_regular_file_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("a"), folder.path().join("link"));
        fs::write(&path, "kept").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let socket = folder.path().join("socket");
        let _socket = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for there in [&link, &socket, &folder.path().to_owned()] {
            let before = fs::symlink_metadata(there).unwrap().file_type();
            let error = replace(there, b"new").unwrap_err();
            assert!(error.to_string().contains("no regular file"), "{error}");
            assert_eq!(fs::symlink_metadata(there).unwrap().file_type(), before);
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "kept");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}
