//! Files of the state folder: their owner's alone, and replaced as a whole.
//!
//! What somebody looks up says what they use. And a folder that others can write in may hold links
//! that were planted there, so that nothing is written through one.

use assay_host::files::{folder_of, open_no_link, sync_folder};
pub(crate) use assay_host::files::{open, open_with, read, read_text};
use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};
use tempfile::NamedTempFile;

/// What only the owner may do with a folder.
const FOLDER: u32 = 0o700;
/// What only the owner may do with a file.
const FILE: u32 = 0o600;

/// Makes a folder of the state folder, and those above it that are missing, for their owner alone.
/// If others have rights in the folder itself, it takes them away.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(FOLDER)
        .create(path)?;
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(FOLDER))
}

/// Opens a file that is only locked, and makes it if it is missing. A link is not followed.
pub(crate) fn open_lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(FILE);
    open_no_link(path, &options)
}

/// Replaces `path` by `bytes`, for its owner alone, so that a crash leaves the old file or the new
/// one, whole.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with_mode(path, bytes, FILE)
}

/// Replaces `path` by `bytes`, for its owner alone, without waiting for the disk: after a crash of
/// the machine the file may be cut off. Whoever reads it must be able to tell.
pub(crate) fn replace_soon(path: &Path, bytes: &[u8]) -> io::Result<()> {
    temporary(path, bytes, FILE)?.persist(path)?;
    Ok(())
}

/// Replaces a file that is no part of the state folder, with the rights that new files have.
///
/// Whoever reads it meanwhile sees the old or the new one, whole. It is first written under a name
/// that nobody can guess, to a file that is new; a link that stands at `path` is replaced and not
/// followed.
pub fn replace_public(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with_mode(path, bytes, 0o666)
}

fn replace_with_mode(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let file = temporary(path, bytes, mode)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync_folder(folder_of(path))
}

/// A new file beside `path`. `mode` is without what the process masks.
fn temporary(path: &Path, bytes: &[u8], mode: u32) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new()
        .prefix(".assay-")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder_of(path))?;
    file.write_all(bytes)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn folders_and_files_are_their_owners_alone() {
        let root = tempfile::tempdir().unwrap();
        let (state, heads) = (root.path().join("state"), root.path().join("state/heads"));
        create_folder(&heads).unwrap();
        assert_eq!((mode(&state), mode(&heads)), (0o700, 0o700));
        // As earlier versions made it.
        fs::set_permissions(&heads, Permissions::from_mode(0o755)).unwrap();
        create_folder(&heads).unwrap();
        assert_eq!(mode(&heads), 0o700);
        replace(&heads.join("x"), b"1").unwrap();
        drop(open_lock(&heads.join("x.lock")).unwrap());
        assert_eq!(
            (mode(&heads.join("x")), mode(&heads.join("x.lock"))),
            (0o600, 0o600)
        );
    }

    #[test]
    fn a_planted_link_is_not_followed() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::write(at("theirs"), "theirs").unwrap();
        for link in [
            "head",
            "head.tmp",
            "head.lock",
            &format!("head.tmp{}", std::process::id()),
        ] {
            symlink(at("theirs"), at(link)).unwrap();
        }
        symlink(at("none"), at("other.lock")).unwrap();
        for replace in [replace, replace_public] {
            replace(&at("head"), b"ours").unwrap();
            assert_eq!(fs::read(at("head")).unwrap(), b"ours");
            assert!(!fs::symlink_metadata(at("head")).unwrap().is_symlink());
        }
        assert!(open_lock(&at("head.lock")).is_err());
        assert!(open_lock(&at("other.lock")).is_err());
        assert!(!at("none").exists());
        let made = std::process::Command::new("mkfifo")
            .arg(at("pipe"))
            .status();
        assert!(made.unwrap().success());
        open_lock(&at("pipe")).unwrap_err();
        assert_eq!(fs::read(at("theirs")).unwrap(), b"theirs");
    }

    #[test]
    fn nothing_is_left_beside_what_was_replaced() {
        let root = tempfile::tempdir().unwrap();
        for bytes in [&b"1"[..], b"2"] {
            replace(&root.path().join("x"), bytes).unwrap();
        }
        let missing = replace(&root.path().join("none/x"), b"1").unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }
}
