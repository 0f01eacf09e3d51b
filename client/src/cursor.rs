//! How far a reader of names has come, on disk, so that the next one goes on where it stopped.
//!
//! `<state>/watch/<hex SHA-256 of the log's key and the names>` holds, for each label of these
//! names that there was, how many leaves of its list are done and the frontier of that part of the
//! list. Lists only grow, so the rest is verified against it; a label that is new begins with
//! nothing. The file is replaced as a whole and synced each time, under a lock that one process
//! holds.

use crate::{ClientError, files};
use assay_claims::index::list::ListFrontier;
use assay_claims::index::{Label, Name};
use assay_tlog::Hash;
use assay_tlog::note::VerifierKey;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// First line of the file.
const VERSION: &str = "assay watch v2";

/// How far a reader has come in one log, with the file that remembers it.
#[derive(Debug)]
pub struct Cursor {
    path: PathBuf,
    log: VerifierKey,
    pub(crate) names: BTreeSet<Name>,
    /// What is done of each label's list.
    pub(crate) done: BTreeMap<Label, ListFrontier>,
    /// Entries of the log when all of it was last done: a node that has fewer lags.
    pub(crate) size: u64,
    /// Whether there was a file, or one was written.
    begun: bool,
    _lock: File,
}

impl Cursor {
    /// Takes the place for a reader of these names of the log, and reads how far the last one
    /// came.
    ///
    /// Fails with [`ClientError::State`] if another process holds it, or if the file is damaged: it
    /// is never taken for missing.
    pub fn open(state_dir: &Path, log: &VerifierKey, names: &[Name]) -> Result<Self, ClientError> {
        let names: BTreeSet<Name> = names.iter().copied().collect();
        let key = log.to_string();
        let mut named = vec![key.as_bytes()];
        named.extend(names.iter().map(|name| &name.as_bytes()[..]));
        let folder = state_dir.join("watch");
        let path = folder.join(Hash::of_parts(&named).to_hex());
        let state = |what: &str, source| ClientError::State {
            what: what.into(),
            path: path.clone(),
            source,
        };
        files::create_folder(&folder)
            .map_err(|e| state("cannot make the folder of what was watched", Some(e)))?;
        let lock = files::open_lock(&path.with_extension("lock"))
            .map_err(|e| state("cannot lock what was watched", Some(e)))?;
        lock.try_lock().map_err(|e| match e {
            TryLockError::WouldBlock => state(
                "the same is being watched by another process with this state folder",
                None,
            ),
            TryLockError::Error(e) => state("cannot lock what was watched", Some(e)),
        })?;
        let mut cursor = Cursor {
            path: path.clone(),
            log: log.clone(),
            names,
            done: BTreeMap::new(),
            size: 0,
            begun: false,
            _lock: lock,
        };
        match files::read_text(&path) {
            Ok(text) => cursor.read(&text).ok_or_else(|| {
                state(
                    "how far the watch had come cannot be read; move the file away to begin anew",
                    None,
                )
            })?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(state("cannot read how far the watch had come", Some(e))),
        }
        Ok(cursor)
    }

    /// Whether a reader was here before.
    pub fn has_begun(&self) -> bool {
        self.begun
    }

    /// Entries of the log when all of it was last done.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The names, each with how many leaves of all its lists are done.
    pub fn known(&self) -> Vec<(Name, u64)> {
        let mut known: BTreeMap<Name, u64> = self.names.iter().map(|name| (*name, 0)).collect();
        for (label, frontier) in &self.done {
            *known.entry(label.name()).or_default() += frontier.length();
        }
        known.into_iter().collect()
    }

    /// Goes back to before the first leaf.
    pub fn rewind(&mut self) -> Result<(), ClientError> {
        self.done.clear();
        self.size = 0;
        self.save()
    }

    /// Writes how far it is. When this returns, it is on stable storage.
    pub(crate) fn save(&mut self) -> Result<(), ClientError> {
        let mut text = format!("{VERSION}\n{}\n{}\n", self.log.name(), self.size);
        for (label, frontier) in &self.done {
            text.push_str(&format!("{label} {}", frontier.length()));
            frontier
                .peaks()
                .iter()
                .for_each(|peak| text.push_str(&format!(" {peak}")));
            text.push('\n');
        }
        let written = files::replace(&self.path, text.as_bytes());
        written.map_err(|source| ClientError::State {
            what: "cannot keep how far the watch has come".into(),
            path: self.path.clone(),
            source: Some(source),
        })?;
        self.begun = true;
        Ok(())
    }

    /// Takes what the file says; `None` if it is not whole, or of another version, log or names.
    fn read(&mut self, text: &str) -> Option<()> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        (lines.next()? == VERSION && lines.next()? == self.log.name()).then_some(())?;
        let size = lines.next()?.parse().ok()?;

        let done = lines
            .map(|line: &str| {
                let mut words = line.split(' ');
                let label = Label::from_slice(Hash::from_hex(words.next()?)?.as_bytes())?;
                let length = words.next()?.parse().ok()?;
                Some((
                    label,
                    ListFrontier::from_parts(
                        length,
                        words.map(Hash::from_hex).collect::<Option<_>>()?,
                    )?,
                ))
            })
            .collect::<Option<BTreeMap<Label, ListFrontier>>>()?;
        let mut labels = done.keys();
        if !labels.all(|label| self.names.contains(&label.name())) {
            return None;
        }
        (self.done, self.size, self.begun) = (done, size, true);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_claims::index::{By, Kind};
    use assay_tlog::tree::LeafIndex;
    use std::fs;

    fn key() -> VerifierKey {
        VerifierKey::parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
            .unwrap()
    }

    #[test]
    fn a_cursor_is_kept_whole_by_one_process_and_a_damaged_one_is_no_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let names = [Name::new(Kind::Vuln, "a"), Name::new(Kind::Vuln, "b")];
        let labels = names.map(|name| Label::of(name, By::predicate_type("x")));
        let open = || Cursor::open(folder.path(), &key(), &names);
        let mut cursor = open().unwrap();
        assert!(!cursor.has_begun());
        cursor
            .done
            .entry(labels[0])
            .or_default()
            .extend([1, 5, 9].map(LeafIndex::new));
        cursor.size = 11;
        cursor.save().unwrap();
        assert!(
            matches!(open(), Err(ClientError::State { what, .. }) if what.contains("another \
                process"))
        );
        let (done, path) = (cursor.done.clone(), cursor.path.clone());
        drop(cursor);

        let cursor = open().unwrap();
        assert_eq!(
            (&cursor.done, cursor.size(), cursor.has_begun()),
            (&done, 11, true)
        );
        drop(cursor);
        let other = Cursor::open(folder.path(), &key(), &names[..1]).unwrap();
        assert!(!other.has_begun(), "other names are another watch");

        let text = fs::read_to_string(&path).unwrap();
        let (shorter, _) = text[..text.len() - 1].rsplit_once('\n').unwrap();
        let unasked = Label::of(Name::new(Kind::Vuln, "c"), By::predicate_type("x"));
        for damaged in [
            &text[..text.len() - 1],
            shorter,
            &text.replace(" 3 ", " 4 "),
            "",
            &text.replace(VERSION, "assay watch v1"),
            &text.replace(key().name(), "another.example"),
            &text.replace(&labels[0].to_string(), &unasked.to_string()),
        ] {
            assert_ne!(damaged, text);
            fs::write(&path, damaged).unwrap();
            assert!(
                matches!(open(), Err(ClientError::State { .. })),
                "{damaged}"
            );
        }
    }
}
