//! The files of a source's folder. Its data is other people's: nothing outside the folder is read,
//! and nothing larger than the source's documents are.

use super::problems::Problems;
use crate::exit::Failure;
use assay_client::plain;
use assay_host::files;
use assay_intake::bridge::Bridge;
use std::{
    fs::{self, DirEntry, OpenOptions},
    io::Read,
    path::{Path, PathBuf},
};

/// Deepest nesting of folders.
const DEPTH: usize = 16;

/// Most files of a source.
const FILES: usize = 4_000_000;

/// A source's folder.
pub struct Folder {
    root: PathBuf,
    bridge: &'static Bridge,
    /// Its files, as paths below it with `/`, in order.
    pub places: Vec<String>,
    /// What could not be read.
    pub unread: Vec<String>,
}

impl Folder {
    /// Finds the source's files. Names that begin with a dot are passed over,
    /// but for those of folders in which the source has its files.
    ///
    /// What is not read goes to `problems`. Fails with [`Failure::Usage`] if there is no such
    /// folder, or if it is too large.
    pub fn find(
        root: &Path,
        bridge: &'static Bridge,
        problems: &mut Problems,
    ) -> Result<Self, Failure> {
        let shown = plain(&root.display().to_string());
        let no_folder = |e: std::io::Error| Failure::Usage(format!("cannot read {shown}: {e}"));
        let root = fs::canonicalize(root).map_err(no_folder)?;
        fs::read_dir(&root).map_err(no_folder)?;
        let mut folder = Folder {
            root,
            bridge,
            places: Vec::new(),
            unread: Vec::new(),
        };
        let mut open = vec![(String::new(), 0)];
        while let Some((place, depth)) = open.pop() {
            if depth > DEPTH {
                folder.pass(
                    &place,
                    &format!("is more than {DEPTH} folders deep"),
                    problems,
                );
                continue;
            }
            for below in folder.list(&place, problems) {
                open.push((below, depth + 1));
            }
            if folder.places.len() > FILES {
                return Err(Failure::Usage(format!(
                    "{shown} has more than {FILES} files"
                )));
            }
        }
        folder.places.sort();
        Ok(folder)
    }

    /// Takes the files of one folder, and returns the folders in it.
    fn list(&mut self, place: &str, problems: &mut Problems) -> Vec<String> {
        let mut folders = Vec::new();
        match fs::read_dir(self.root.join(place)) {
            Ok(entries) => {
                for entry in entries {
                    let taken = entry.map(|entry| self.take(place, &entry, problems));
                    match taken {
                        Ok(below) => folders.extend(below),
                        Err(e) => self.pass(place, &format!("cannot be read: {e}"), problems),
                    }
                }
            }
            Err(e) => self.pass(place, &format!("cannot be read: {e}"), problems),
        }
        folders
    }

    /// Takes what is in a folder, if it is a file of the source. If it is a folder, returns it.
    fn take(&mut self, place: &str, entry: &DirEntry, problems: &mut Problems) -> Option<String> {
        let name = entry.file_name();
        let shown = name.to_string_lossy();
        if shown.starts_with('.') && !self.bridge.hidden.contains(&&*shown) {
            return None;
        }
        let below = if place.is_empty() {
            shown.to_string()
        } else {
            format!("{place}/{shown}")
        };
        let is_ours = self.bridge.takes(&shown);
        let kind = match entry.file_type() {
            Ok(kind) => kind,
            Err(e) => {
                self.pass(&below, &format!("cannot be read: {e}"), problems);
                return None;
            }
        };
        if name.to_str().is_none() {
            if kind.is_dir() || is_ours {
                self.pass(&below, "has a name that is not UTF-8", problems);
            }
        } else if kind.is_dir() {
            return Some(below);
        } else if kind.is_symlink() {
            // What a link leads to within the folder is read where it is.
            let target = fs::canonicalize(entry.path());
            if !target.is_ok_and(|target| target.starts_with(&self.root)) {
                self.pass(&below, "is a link that leads out of the folder", problems);
            }
        } else if kind.is_file() && is_ours {
            self.places.push(below);
        } else if is_ours {
            self.pass(&below, "is neither a file nor a folder", problems);
        }
        None
    }

    /// Takes down what is not read.
    fn pass(&mut self, place: &str, reason: &str, problems: &mut Problems) {
        problems.add(place, reason);
        self.unread.push(place.to_owned());
    }

    /// The bytes of a file. The error says why there are none.
    pub fn read(&self, place: &str) -> Result<Vec<u8>, String> {
        let path = self.root.join(place);
        let failed = |e: std::io::Error| format!("cannot be read: {e}");
        // It was a file when the folder was listed, and no link.
        let there = fs::symlink_metadata(&path).map_err(failed)?;
        if !there.is_file() {
            return Err("is not a file any more".to_owned());
        }
        let most = self.bridge.most_bytes;
        // One byte more, so that the end is seen without more room.
        let expected = usize::try_from(there.len()).unwrap_or(most).min(most) + 1;
        let mut bytes = Vec::with_capacity(expected);
        let file = files::open_no_link(&path, OpenOptions::new().read(true)).map_err(failed)?;
        file.take(most as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        if bytes.len() > most {
            return Err(format!("has more than {most} bytes"));
        }
        Ok(bytes)
    }
}
