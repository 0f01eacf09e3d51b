//! Logs from lists (C2SP tlog-list, `logs/v0`): what was taken from them, in a file of its own.
//!
//! A list only adds. A log that was taken stays, with the key that it was taken with, whatever a
//! list says later; another key is reported and never taken. So the file is the witness's own, and
//! not a copy of a list. An operator who wants a log out takes it out of the file while the witness
//! is stopped.

use crate::files;
use assay_tlog::head::{LogVerifier, LogVerifierError};
use assay_tlog::log_list::{LogList, LogListError, SkipReason};
use assay_tlog::note::{KeyError, VerifierKey, refuse_private_key};
use serde::{Deserialize, Serialize};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Most logs that are taken from lists, all together. What is held of each is in memory.
pub const LISTED: usize = 20_000;

/// What stands above the logs in the file.
const HEADER: &str = "\
# Logs that this witness took from lists. It adds to this file, and changes nothing in it. While it
# is stopped, logs can be taken out.
";

/// Why logs from lists cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ListedError {
    /// The file cannot be read or written.
    #[error("cannot {doing} {path}", path = path.display())]
    Io {
        /// Read or write.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is not what was written.
    #[error("{path} holds no logs from lists: {reason}", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The list is none. Nothing of it was taken.
    #[error("the list cannot be used, and nothing of it was taken: {0}")]
    List(#[from] LogListError),
    /// There is no room for more logs.
    #[error("{0} new logs would be more than {LISTED} from lists; nothing was taken")]
    TooMany(usize),
}

/// A log that was taken from a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedEntry {
    /// Its origin.
    pub origin: String,
    /// Its verifier key.
    pub key: String,
    /// How many requests it makes a day, at most.
    pub requests_per_day: u32,
    /// How people reach its operator: untrusted text of one line.
    pub contact: String,
    /// The list.
    pub source: String,
}

impl ListedEntry {
    /// Its quota: signed requests an hour.
    pub fn hourly(&self) -> u32 {
        self.requests_per_day.div_ceil(24)
    }

    /// Its origin and key.
    pub fn verifier(&self) -> Result<LogVerifier, UnusableEntry> {
        let key = VerifierKey::parse_log(&self.key)?;
        Ok(LogVerifier::new(&self.origin, vec![key])?)
    }
}

/// Why an entry of the file is no log.
#[derive(Debug, thiserror::Error)]
pub enum UnusableEntry {
    /// Its key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Its origin.
    #[error(transparent)]
    Log(#[from] LogVerifierError),
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tables {
    #[serde(default)]
    log: Vec<ListedEntry>,
}

/// The file, and the logs in it.
#[derive(Debug, Default)]
pub struct Listed {
    path: PathBuf,
    logs: Vec<(ListedEntry, LogVerifier)>,
}

/// What came of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// The origins of the logs that were taken.
    pub added: Vec<String>,
    /// Origins that are known with another key, which stays.
    pub differing: Vec<String>,
    /// What on the list cannot be witnessed here: the line, and why.
    pub skipped: Vec<(usize, SkipReason)>,
}

impl Listed {
    /// Reads the file, which need not be there.
    pub fn read(path: &Path) -> Result<Self, ListedError> {
        let text = match files::read_text(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(source) => {
                return Err(ListedError::Io {
                    doing: "read",
                    path: path.to_owned(),
                    source,
                });
            }
        };
        let malformed = |reason: String| ListedError::Malformed {
            path: path.to_owned(),
            reason,
        };
        refuse_private_key(&text).map_err(|held| malformed(held.to_string()))?;
        let tables: Tables = toml::from_str(&text).map_err(|e| malformed(e.to_string()))?;
        let mut logs = Vec::new();
        for entry in tables.log {
            let verifier = entry.verifier();
            let verifier = verifier.map_err(|e| malformed(format!("{}: {e}", entry.origin)))?;
            logs.push((entry, verifier));
        }
        Ok(Listed {
            path: path.to_owned(),
            logs,
        })
    }

    /// The logs.
    pub fn logs(&self) -> impl Iterator<Item = (&ListedEntry, &LogVerifier)> {
        self.logs.iter().map(|(entry, verifier)| (entry, verifier))
    }

    /// Takes from a list the logs that are neither here nor `known` otherwise, durably, all of them
    /// or none. `source` says which list it is. Fails with [`ListedError`], and then nothing of it
    /// counts.
    pub fn import(
        &mut self,
        list: &[u8],
        source: &str,
        known: &[LogVerifier],
    ) -> Result<Imported, ListedError> {
        let list = LogList::parse(list)?;
        let here = self.logs.iter().map(|(_, verifier)| verifier);
        let additions = list.additions(here.chain(known));
        if self.logs.len() + additions.new.len() > LISTED {
            return Err(ListedError::TooMany(additions.new.len()));
        }
        let mut imported = Imported {
            differing: additions.differing,
            ..Imported::default()
        };
        let skipped = list.skipped.into_iter().map(|it| (it.line, it.reason));
        imported.skipped.extend(skipped);
        let before = self.logs.len();
        for log in additions.new {
            imported.added.push(log.verifier.origin().to_owned());
            let entry = ListedEntry {
                origin: log.verifier.origin().to_owned(),
                key: log.verifier.keys()[0].to_string(),
                requests_per_day: log.requests_per_day,
                contact: log.contact,
                source: source.to_owned(),
            };
            self.logs.push((entry, log.verifier));
        }
        if !imported.added.is_empty() {
            self.write().inspect_err(|_| self.logs.truncate(before))?;
        }
        Ok(imported)
    }

    fn write(&mut self) -> Result<(), ListedError> {
        let log = self.logs.iter().map(|(entry, _)| entry.clone()).collect();
        // A struct of texts and numbers can be written as TOML.
        let text = toml::to_string(&Tables { log }).unwrap_or_default();
        let text = format!("{HEADER}\n{text}");
        files::replace_durably(&self.path, text.as_bytes()).map_err(|source| ListedError::Io {
            doing: "write",
            path: self.path.clone(),
            source,
        })
    }
}

impl Imported {
    /// What is said of it, a line each.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        lines.extend(self.added.iter().map(|origin| format!("added {origin}")));
        for origin in &self.differing {
            lines.push(format!(
                "NOT CHANGED {origin}: the list has another key than this witness; ask the log's \
                 operator on another way"
            ));
        }
        for (line, reason) in &self.skipped {
            lines.push(format!("skipped the log at line {line}: {reason}"));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_tlog::note::SignerKey;
    use std::fs;

    fn vkey(name: &str, seed: u8) -> String {
        let key = SignerKey::from_seed(name, &[seed; 32]).unwrap();
        key.verifier().to_string()
    }

    fn list(logs: &[(&str, u8)]) -> Vec<u8> {
        let mut text = String::from("logs/v0\n");
        for (name, seed) in logs {
            text += &format!("vkey {}\nqpd 48\ncontact c\n", vkey(name, *seed));
        }
        text.into_bytes()
    }

    fn known(name: &str, seed: u8) -> LogVerifier {
        let key = VerifierKey::parse_log(&vkey(name, seed)).unwrap();
        LogVerifier::new(name, vec![key]).unwrap()
    }

    #[test]
    fn a_list_only_adds_and_what_was_taken_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("listed.toml");
        let mut listed = Listed::read(&path).unwrap();
        let own = [known("own", 9)];
        let first = listed.import(&list(&[("a", 1), ("own", 9)]), "l", &own);
        assert_eq!(first.unwrap().added, ["a"]);
        // Another key of a log that was taken, and of one that is known otherwise.
        let second = list(&[("a", 2), ("own", 3), ("b", 4)]);
        let second = listed.import(&second, "m", &own).unwrap();
        assert_eq!(second.added, ["b"]);
        assert_eq!(second.differing, ["a", "own"]);
        assert!(second.lines()[1].starts_with("NOT CHANGED a: "));
        // A list without them, and the file as it is read again.
        assert_eq!(
            listed.import(&list(&[]), "m", &own).unwrap(),
            Imported::default()
        );
        let again = Listed::read(&path).unwrap();
        let logs: Vec<_> = again.logs().collect();
        assert_eq!(logs.len(), 2);
        assert_eq!(logs[0].0.key, vkey("a", 1));
        assert_eq!((logs[0].0.hourly(), &*logs[1].0.source), (2, "m"));
    }

    #[test]
    fn a_list_that_is_wrong_anywhere_adds_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("listed.toml");
        let mut listed = Listed::read(&path).unwrap();
        let mut wrong = list(&[("a", 1)]);
        wrong.extend_from_slice(b"vkey b\n");
        assert!(listed.import(&wrong, "l", &[]).is_err());
        assert!(!path.exists());
        let line = |i: usize| format!("vkey {}\nqpd 1\ncontact c\n", vkey(&format!("l{i}"), 1));
        let many: String = (0..=LISTED).map(line).collect();
        let refused = listed.import(format!("logs/v0\n{many}").as_bytes(), "l", &[]);
        assert!(
            matches!(refused, Err(ListedError::TooMany(_))),
            "{refused:?}"
        );
        assert_eq!(listed.logs().count(), 0);
        fs::write(&path, "log = 1").unwrap();
        assert!(Listed::read(&path).is_err());
    }
}
