//! How far the monitor of one log is, on disk.
//!
//! `<state>/monitor/<hex SHA-256 of the log's key>` is JSON, replaced as a whole and synced, under
//! a lock that one process holds. A damaged file is never taken for missing.

use super::alert::Kind;
use crate::{ClientError, files};
use assay_tlog::Hash;
use assay_tlog::note::VerifierKey;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// The version of the file.
const VERSION: u32 = 1;

/// Most texts of misbehavior that are remembered as told. A node keeps as many.
const TOLD: usize = 1000;

/// What is remembered of one log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    version: u32,
    log: String,
    /// Whether the monitor was here before.
    pub begun: bool,
    /// Entries that are done.
    pub done: u64,
    /// The size of the log when all of it was last replayed, and when that was.
    pub replayed: u64,
    pub replayed_at_ms: u64,
    /// What goes on, by where it was noticed and what it is.
    pub standing: BTreeMap<String, Standing>,
    /// How many of what went on have ended, which tells those that begin again from those before.
    pub ended: u64,
    /// Since when the node does not answer.
    pub silent_since_ms: Option<u64>,
    /// The texts of misbehavior that were told.
    pub told: BTreeSet<String>,
    /// Who has a head that the node does not link, and since when. Older files do not have it.
    #[serde(default)]
    pub ahead_since_ms: BTreeMap<String, u64>,
    /// The size of the head, and since when it is the same. Older files do not have it.
    #[serde(default)]
    pub same_since_ms: Option<(u64, u64)>,
}

/// Something that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Standing {
    pub kind: Kind,
    /// How many had ended before it began.
    pub number: u64,
}

/// The file, and what it says.
#[derive(Debug)]
pub(super) struct State {
    pub kept: Kept,
    path: PathBuf,
    _lock: File,
}

impl State {
    /// Takes the place for the monitor of this log. Fails with [`ClientError::State`] if another
    /// process has it, or if the file is damaged.
    pub fn open(state_dir: &Path, log: &VerifierKey) -> Result<Self, ClientError> {
        let folder = state_dir.join("monitor");
        let path = folder.join(Hash::of(log.to_string().as_bytes()).to_hex());
        let failed = |what: &str, source| ClientError::State {
            what: what.into(),
            path: path.clone(),
            source,
        };
        files::create_folder(&folder)
            .map_err(|e| failed("cannot make the folder of the monitor", Some(e)))?;
        let lock = files::open_lock(&path.with_extension("lock"))
            .map_err(|e| failed("cannot lock what the monitor keeps", Some(e)))?;
        lock.try_lock().map_err(|e| match e {
            TryLockError::WouldBlock => failed(
                "the log is monitored by another process with this state folder",
                None,
            ),
            TryLockError::Error(e) => failed("cannot lock what the monitor keeps", Some(e)),
        })?;
        let kept = match files::read(&path) {
            Ok(bytes) => read(&bytes, log).ok_or_else(|| {
                failed(
                    "what the monitor keeps cannot be read; move the file away to begin anew",
                    None,
                )
            })?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => Kept::new(log),
            Err(e) => return Err(failed("cannot read what the monitor keeps", Some(e))),
        };
        Ok(State {
            kept,
            path,
            _lock: lock,
        })
    }

    /// Writes what is kept. When this returns, it is on stable storage.
    pub fn save(&mut self) -> Result<(), ClientError> {
        while self.kept.told.len() > TOLD {
            self.kept.told.pop_first();
        }
        let json = serde_json::to_vec(&self.kept).map_err(io::Error::other);
        let written = json.and_then(|json| files::replace(&self.path, &json));
        written.map_err(|source| ClientError::State {
            what: "cannot keep how far the monitor is".into(),
            path: self.path.clone(),
            source: Some(source),
        })
    }
}

impl Kept {
    fn new(log: &VerifierKey) -> Self {
        Kept {
            version: VERSION,
            log: log.name().to_owned(),
            begun: false,
            done: 0,
            replayed: 0,
            replayed_at_ms: 0,
            standing: BTreeMap::new(),
            ended: 0,
            silent_since_ms: None,
            told: BTreeSet::new(),
            ahead_since_ms: BTreeMap::new(),
            same_since_ms: None,
        }
    }

    /// Takes back what a clock said that was ahead: nothing is kept from after now, in milliseconds
    /// since 1970. What goes on has gone on from now at the latest, and a replay is due.
    pub fn forget_the_future(&mut self, now_ms: u64) {
        let ahead = self.ahead_since_ms.values_mut();
        let same = self.same_since_ms.iter_mut().map(|(_, since)| since);
        let silent = self.silent_since_ms.iter_mut();
        for since in ahead.chain(same).chain(silent) {
            *since = now_ms.min(*since);
        }
        if self.replayed_at_ms > now_ms {
            self.replayed_at_ms = 0;
        }
    }
}

fn read(bytes: &[u8], log: &VerifierKey) -> Option<Kept> {
    let kept: Kept = serde_json::from_slice(bytes).ok()?;
    (kept.version == VERSION && kept.log == log.name()).then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_kept_is_read_again_by_one_process_and_damage_is_not_a_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let key = VerifierKey::parse(text).unwrap();
        let open = || State::open(folder.path(), &key);
        let mut state = open().unwrap();
        assert!(!state.kept.begun);
        state.kept.done = 7;
        let (kind, number) = (Kind::Frozen, 9);
        let standing = Standing { kind, number };
        state.kept.standing.insert("head frozen".into(), standing);
        state.kept.told.extend((0..2 * TOLD).map(|n| n.to_string()));
        state.save().unwrap();
        assert_eq!(state.kept.told.len(), TOLD);
        assert!(matches!(open(), Err(ClientError::State { .. })));
        let (kept, path) = (state.kept.clone(), state.path.clone());
        drop(state);
        assert_eq!(open().unwrap().kept, kept);
        let whole = fs::read_to_string(&path).unwrap();
        for damaged in [
            &whole[..whole.len() - 1],
            "",
            "{}",
            &whole.replace("\"version\":1,", "\"version\":2,"),
            &whole.replace(key.name(), "another.example"),
        ] {
            assert_ne!(damaged, whole);
            fs::write(&path, damaged).unwrap();
            assert!(matches!(open(), Err(ClientError::State { .. })));
        }
    }

    #[test]
    fn what_a_clock_said_that_was_ahead_is_taken_back() {
        const NOW: u64 = 1_000;
        let key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let mut kept = Kept::new(&VerifierKey::parse(key).unwrap());
        for (at, since, replayed) in [(NOW - 1, NOW - 1, NOW - 1), (NOW + 1, NOW, 0)] {
            kept.replayed_at_ms = at;
            kept.silent_since_ms = Some(at);
            kept.same_since_ms = Some((7, at));
            kept.ahead_since_ms.insert("url".into(), at);
            kept.forget_the_future(NOW);
            assert_eq!(kept.replayed_at_ms, replayed);
            assert_eq!(kept.silent_since_ms, Some(since));
            assert_eq!(kept.same_since_ms, Some((7, since)));
            assert_eq!(kept.ahead_since_ms["url"], since);
        }
    }
}
