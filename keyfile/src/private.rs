//! Files that only their owner may read, and what else is as good as that.
//!
//! The exception is what a service is given by those who run it, on a memory disk that nobody
//! writes to: a systemd credential, a Secret of Kubernetes. Their files are often readable by a
//! group, which systemd and `fsGroup` make for this one service.

use crate::age::FILE_BYTES;
use assay_host::files::{self, NotRegular};
use rustix::fs::{StatVfsMountFlags, fchown, fstatfs, fstatvfs};
use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// The variable in which systemd names the folder of a service's credentials.
pub const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// Behind the name of a file while its new content is written. Nobody gives a key such a name.
const DRAFT: &str = ".assay-draft";

const TMPFS: u64 = 0x0102_1994;
const RAMFS: u64 = 0x8584_58f6;

/// Why a private file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PrivateFileError {
    /// Somebody other than the owner may read or write it.
    #[error(
        "{path} has mode {mode:04o}: others than its owner can reach it. If nobody did, run: \
         chmod 600 {path}{more}",
        path = path.display(),
        more = more(*mode)
    )]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is a folder, a pipe or a device.
    #[error("{path} cannot be a key file: {found}", path = path.display())]
    NotRegular {
        /// What is there.
        path: PathBuf,
        /// What it is, and what to do.
        found: NotRegular,
    },
    /// It is longer than any key.
    #[error(
        "{path} has more than {most} bytes, so it holds no key",
        path = path.display(),
        most = FILE_BYTES
    )]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// A new file is not made where one is.
    #[error(
        "{path} exists and is not overwritten; name another file for the new key",
        path = path.display()
    )]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// There is no such file.
    #[error("there is no key file {path}", path = path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be read or written.
    #[error("the key file {path} cannot be used", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// What helps where `chmod` does not.
fn more(mode: u32) -> &'static str {
    if mode & 0o037 == 0 {
        ""
    } else {
        " (a Secret of Kubernetes: defaultMode 0400)"
    }
}

/// Reads a file that only its owner may read. Fails with [`PrivateFileError`] having read nothing,
/// or no more than [`FILE_BYTES`].
pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, PrivateFileError> {
    let file = open(path)?;
    // Room for the whole file, so that growing leaves no copy of the key behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(FILE_BYTES + 1));
    file.take(FILE_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| unusable(path, source))?;
    if bytes.len() > FILE_BYTES {
        return Err(PrivateFileError::TooLong { path: path.into() });
    }
    Ok(bytes)
}

/// Opens a file, if only its owner may read it. Fails as [`read`] does, but is not limited.
pub fn open(path: &Path) -> Result<File, PrivateFileError> {
    let file = files::open(path).map_err(|source| unusable(path, source))?;
    let metadata = file.metadata().map_err(|source| unusable(path, source))?;
    let mode = metadata.permissions().mode() & 0o777;
    let given = std::env::var_os(CREDENTIALS);
    if is_open(mode, || is_given(&file, path, given.as_deref())) {
        let path = path.to_owned();
        return Err(PrivateFileError::TooOpen { path, mode });
    }
    Ok(file)
}

/// Whether others can reach a file of this mode. What was given to the service may be read by a
/// group, and still not be written.
fn is_open(mode: u32, is_given: impl FnOnce() -> bool) -> bool {
    match mode & 0o077 {
        0 => false,
        0o040 => !is_given(),
        _ => true,
    }
}

/// Whether a file is a systemd credential of this service, or on a memory disk that is mounted
/// read-only.
fn is_given(file: &File, path: &Path, credentials: Option<&OsStr>) -> bool {
    let folder = credentials
        .map(Path::new)
        .and_then(|it| it.canonicalize().ok());
    let is_credential = folder.is_some_and(|folder| {
        let place = path.canonicalize();
        place.is_ok_and(|place| place.starts_with(&folder) && folder.parent().is_some())
    });
    is_credential || is_on_given_disk(file)
}

#[cfg(target_os = "linux")]
fn is_on_given_disk(file: &File) -> bool {
    let (Ok(disk), Ok(mount)) = (fstatfs(file), fstatvfs(file)) else {
        return false;
    };
    let kind = disk.f_type as u64 & 0xffff_ffff;
    (kind == TMPFS || kind == RAMFS) && mount.f_flag.contains(StatVfsMountFlags::RDONLY)
}

#[cfg(not(target_os = "linux"))]
fn is_on_given_disk(_: &File) -> bool {
    false
}

fn unusable(path: &Path, source: io::Error) -> PrivateFileError {
    let path = path.to_owned();
    if let Some(found) = NotRegular::of(&source) {
        return PrivateFileError::NotRegular { path, found };
    }
    match source.kind() {
        io::ErrorKind::NotFound => PrivateFileError::Missing { path },
        io::ErrorKind::AlreadyExists => PrivateFileError::Exists { path },
        _ => PrivateFileError::Io { path, source },
    }
}

/// Writes a new file, mode 0600. It is durable on return. An existing file is never overwritten,
/// and nobody ever finds one that is not whole: it is written under another name, which a run that
/// is cut off leaves behind, and which nobody else takes.
pub fn create(path: &Path, bytes: &[u8]) -> Result<(), PrivateFileError> {
    if fs::symlink_metadata(path).is_ok() {
        let path = path.to_owned();
        return Err(PrivateFileError::Exists { path });
    }
    let draft = draft_of(path).map_err(|source| unusable(path, source))?;
    drop(write_new(&draft, bytes)?);
    let linked = fs::hard_link(&draft, path);
    let _ = fs::remove_file(&draft);
    match linked {
        // A file system without links.
        Err(error) if is_without_links(&error) => drop(write_new(path, bytes)?),
        linked => linked.map_err(|source| unusable(path, source))?,
    }
    files::sync_folder(files::folder_of(path)).map_err(|source| unusable(path, source))
}

fn is_without_links(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied
    )
}

/// A name that no other run gives its draft of the same file: two that shared one would each give
/// the key of the other its name.
fn draft_of(path: &Path) -> io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!("{DRAFT}-{:016x}", u64::from_le_bytes(random)));
    Ok(draft.into())
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<File, PrivateFileError> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|source| unusable(path, source))?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(|source| {
        let _ = fs::remove_file(path);
        unusable(path, source)
    })?;
    Ok(file)
}

/// Puts `bytes` into the place of the file at `path`, which must be there: mode and owner stay. At
/// every moment the file is whole, the old one or the new one. On `Ok` the new one is durable; on
/// an error the old one is in its place.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), PrivateFileError> {
    // A link stays one.
    let path = &path
        .canonicalize()
        .map_err(|source| unusable(path, source))?;
    let before = fs::metadata(path).map_err(|source| unusable(path, source))?;
    let mut draft = path.as_os_str().to_owned();
    draft.push(DRAFT);
    let draft = PathBuf::from(draft);
    // A run that was cut off left a copy of what is still in its place.
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(unusable(&draft, error));
        }
        _ => {}
    }
    let file = write_new(&draft, bytes)?;
    let moved = own_as(&file, &before)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&draft, path));
    moved.map_err(|source| {
        let _ = fs::remove_file(&draft);
        unusable(path, source)
    })?;
    files::sync_folder(files::folder_of(path)).map_err(|source| unusable(path, source))
}

/// Gives a file the owner and the mode of another one.
fn own_as(file: &File, before: &fs::Metadata) -> io::Result<()> {
    let now = file.metadata()?;
    if (now.uid(), now.gid()) != (before.uid(), before.gid()) {
        let (user, group) = (
            rustix::fs::Uid::from_raw(before.uid()),
            rustix::fs::Gid::from_raw(before.gid()),
        );
        fchown(file, Some(user), Some(group))?;
    }
    file.set_permissions(Permissions::from_mode(before.permissions().mode() & 0o7777))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::atomic::{AtomicBool, Ordering},
        thread,
    };

    fn with_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_file_that_others_can_reach_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        create(&path, b"secret").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        for mode in [0o640, 0o604, 0o620, 0o601, 0o644] {
            with_mode(&path, mode);
            let error = read(&path).unwrap_err();
            assert!(matches!(error, PrivateFileError::TooOpen { mode: seen, .. } if seen == mode));
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
        for mode in [0o600, 0o400] {
            with_mode(&path, mode);
            assert_eq!(**read(&path).unwrap(), *b"secret");
        }
    }

    #[test]
    fn only_what_was_given_may_be_read_by_a_group_and_nothing_written() {
        for (mode, given, open) in [
            (0o400, false, false),
            (0o600, false, false),
            (0o440, true, false),
            (0o640, true, false),
            (0o440, false, true),
            (0o460, true, true),
            (0o444, true, true),
            (0o404, true, true),
            (0o450, true, true),
        ] {
            assert_eq!(is_open(mode & 0o777, || given), open, "{mode:o} {given}");
        }
    }

    #[test]
    fn a_credential_is_what_is_in_the_folder_of_credentials() {
        let folder = tempfile::tempdir().unwrap();
        let given = folder.path().join("given");
        fs::create_dir(&given).unwrap();
        for (name, is_credential) in [("given/log.key", true), ("log.key", false)] {
            let path = folder.path().join(name);
            create(&path, b"secret").unwrap();
            let file = File::open(&path).unwrap();
            for folder in [Some(given.as_os_str()), None] {
                let is = is_given(&file, &path, folder);
                assert_eq!(is, is_credential && folder.is_some(), "{name}");
            }
            let outside = given.join("../log.key");
            assert!(!is_given(&file, &outside, Some(given.as_os_str())) || is_credential);
        }
        let link = given.join("link");
        std::os::unix::fs::symlink(folder.path().join("log.key"), &link).unwrap();
        let file = File::open(&link).unwrap();
        assert!(
            !is_given(&file, &link, Some(given.as_os_str())),
            "a link out of it"
        );
        assert!(!is_given(&file, &link, Some(OsStr::new("/"))));
    }

    #[test]
    fn a_key_is_never_overwritten_and_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        create(&path, b"first").unwrap();
        let again = create(&path, b"second");
        assert!(matches!(again, Err(PrivateFileError::Exists { .. })));
        assert_eq!(**read(&path).unwrap(), *b"first");
        with_mode(&path, 0o400);
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        // What a run that was cut off left.
        fs::write(folder.path().join("key.assay-draft"), "half").unwrap();
        replace(&link, b"second").unwrap();
        assert_eq!(**read(&path).unwrap(), *b"second");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o400);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        let none = replace(&folder.path().join("none"), b"third");
        assert!(matches!(none, Err(PrivateFileError::Missing { .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    /// Whoever looks while a key is made finds none, or all of it.
    #[test]
    fn a_key_that_is_made_is_never_seen_in_part() {
        let folder = tempfile::tempdir().unwrap();
        let content = vec![b'a'; FILE_BYTES];
        let is_done = AtomicBool::new(false);
        let path = |n: u32| folder.path().join(n.to_string());
        thread::scope(|scope| {
            let looked = scope.spawn(|| {
                let mut parts = 0;
                let mut n = 0;
                while !is_done.load(Ordering::Acquire) {
                    match fs::metadata(path(n)) {
                        Ok(there) if there.len() < FILE_BYTES as u64 => parts += 1,
                        Ok(_) => n += 1,
                        Err(_) => {}
                    }
                }
                parts
            });
            for n in 0..100 {
                create(&path(n), &content).unwrap();
            }
            is_done.store(true, Ordering::Release);
            assert_eq!(looked.join().unwrap(), 0);
        });
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 100);
    }

    #[test]
    fn what_a_run_left_that_was_cut_off_is_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let draft = draft_of(&path).unwrap();
        assert_ne!(draft, draft_of(&path).unwrap());
        write_new(&draft, b"").unwrap();
        create(&path, b"key").unwrap();
        assert_eq!(**read(&path).unwrap(), *b"key");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("nowhere", &link).unwrap();
        let there = create(&link, b"key");
        assert!(matches!(there, Err(PrivateFileError::Exists { .. })));
        let nowhere = create(&folder.path().join("none/key"), b"key");
        assert!(matches!(nowhere, Err(PrivateFileError::Missing { .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn a_folder_or_a_pipe_is_said_to_be_one_whatever_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        for (path, what) in [
            (folder.path(), "a folder"),
            (pipe.as_path(), "a named pipe"),
        ] {
            for mode in [0o755, 0o700] {
                with_mode(path, mode);
                let error = read(path).unwrap_err().to_string();
                let said = format!("cannot be a key file: it is {what}");
                assert!(error.contains(&said), "{error}");
            }
        }
    }

    #[test]
    fn what_is_too_long_for_a_key_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        create(&path, &vec![b'a'; FILE_BYTES]).unwrap();
        assert_eq!(read(&path).unwrap().len(), FILE_BYTES);
        replace(&path, &vec![b'a'; FILE_BYTES + 1]).unwrap();
        assert!(matches!(read(&path), Err(PrivateFileError::TooLong { .. })));
        let none = read(&folder.path().join("none"));
        assert!(matches!(none, Err(PrivateFileError::Missing { .. })));
    }
}
