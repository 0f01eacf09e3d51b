//! Putting new tables in the place of damaged ones, which are kept beside them.
//!
//! ```text
//! data/tables, data/SYNCED          ──>  data/damaged/tables, data/damaged/SYNCED
//! data/rebuilt/tables, …/SYNCED     ──>  data/tables, data/SYNCED
//! ```
//!
//! A log on redb has `tables.redb` instead of both. `DONE` stands in the folder of the new ones
//! once they are whole, and says of which head. From then on a rebuild that was interrupted is
//! finished by the next one, and by no other: without its tables the data folder cannot be opened.
//! Tables that a node has run on since are not replaced by what was made before.

use crate::files;
use crate::storage::StorageError;
use crate::storage::disk::{Lock, REBUILT, done_file, failure, remove_folder, sync_folder};
use assay_tlog::head::VerifiedHead;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What is moved, in this order: a folder with tables and without the other is refused.
const MOVED: [&str; 3] = ["SYNCED", "tables", "tables.redb"];

/// Where the new tables are made.
pub fn new_folder(data: &Path) -> PathBuf {
    data.join(REBUILT)
}

/// Where the damaged ones are kept.
pub fn old_folder(data: &Path) -> PathBuf {
    data.join("damaged")
}

/// Whether there are new tables that are whole, and of this head. Those of another one count only
/// where no node can have run since: the swap was interrupted, and some of the old ones are gone.
pub fn is_made(data: &Path, head: &VerifiedHead) -> bool {
    let made = assay_host::files::read_text(&done_file(data));
    let has = |names: &[&str]| names.iter().all(|name| data.join(name).exists());
    let runs = has(&MOVED[..2]) || has(&MOVED[2..]);
    made.is_ok_and(|made| !runs || made == named(head))
}

/// Whether an earlier rebuild put damaged tables aside.
pub fn has_aside(data: &Path) -> bool {
    MOVED
        .iter()
        .any(|name| old_folder(data).join(name).exists())
}

/// What `DONE` says.
fn named(head: &VerifiedHead) -> String {
    format!("{} {}\n", head.size(), head.root().to_hex())
}

/// Removes what an interrupted rebuild left.
pub fn clear(data: &Path) -> Result<(), StorageError> {
    remove_folder(&new_folder(data))
}

/// Says that the new tables are whole, and of this head, durably.
pub fn say_made(data: &Path, head: &VerifiedHead) -> Result<(), StorageError> {
    let path = done_file(data);
    let made = files::create_anew(&path).and_then(|mut file| {
        file.write_all(named(head).as_bytes())?;
        file.sync_all()
    });
    made.and_then(|()| sync_folder(&new_folder(data)))
        .and_then(|()| sync_folder(data))
        .map_err(|e| failure("write", &path, e))
}

/// Puts the new tables, which are whole, in the place of the old ones. Does the rest of it if it
/// was interrupted.
///
/// Fails with [`StorageError::Locked`] if a node runs, and with [`StorageError::Exists`] if damaged
/// tables are kept already.
pub fn swap(data: &Path) -> Result<(), StorageError> {
    let _lock = Lock::take(&data.join("LOCK"))?;
    let (new, old) = (new_folder(data), old_folder(data));
    fs::create_dir_all(&old).map_err(|e| failure("create", &old, e))?;
    for name in MOVED {
        if new.join(name).exists() {
            rename(&data.join(name), &old.join(name))?;
        }
    }
    // The other way round: tables are to be opened only once both are there.
    for name in MOVED.iter().rev() {
        rename(&new.join(name), &data.join(name))?;
    }
    for folder in [&old, data] {
        sync_folder(folder).map_err(|e| failure("sync", folder, e))?;
    }
    clear(data)
}

/// Moves something, if it is there. Fails if there is something at its new place.
fn rename(from: &Path, to: &Path) -> Result<(), StorageError> {
    if !from.exists() {
        return Ok(());
    }
    if to.exists() {
        return Err(StorageError::Exists(to.to_owned()));
    }
    fs::rename(from, to).map_err(|e| failure("move", from, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_earlier_rebuild_put_aside_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (data, said) = (folder.path(), |path: &Path| {
            fs::read_to_string(path).unwrap()
        });
        for (place, says) in [(data.to_owned(), "old"), (new_folder(data), "new")] {
            fs::create_dir_all(place.join("tables")).unwrap();
            fs::write(place.join("SYNCED"), says).unwrap();
        }
        let kept = old_folder(data).join("SYNCED");
        fs::create_dir(old_folder(data)).unwrap();
        fs::write(&kept, "older").unwrap();
        let refused = swap(data);
        assert!(matches!(refused, Err(StorageError::Exists(path)) if path == kept));
        assert_eq!(said(&kept), "older");
        fs::remove_file(&kept).unwrap();
        swap(data).unwrap();
        assert_eq!(
            (said(&kept), said(&data.join("SYNCED"))),
            ("old".into(), "new".into())
        );
    }

    /// A log on redb is one file.
    #[test]
    fn a_file_of_redb_takes_the_place_of_the_damaged_one() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        fs::create_dir(new_folder(data)).unwrap();
        for (place, says) in [(data.to_owned(), "old"), (new_folder(data), "new")] {
            fs::write(place.join("tables.redb"), says).unwrap();
        }
        swap(data).unwrap();
        let said = |place: PathBuf| fs::read_to_string(place.join("tables.redb")).unwrap();
        assert_eq!(
            (said(data.to_owned()), said(old_folder(data))),
            ("new".into(), "old".into())
        );
        assert!(!new_folder(data).exists());
    }

    #[test]
    fn what_cannot_be_removed_is_not_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        clear(folder.path()).unwrap();
        fs::write(new_folder(folder.path()), "no folder").unwrap();
        assert!(clear(folder.path()).is_err());
    }
}
