//! Answers on disk, to be read again without a node.
//!
//! `<state>/answers/<hex SHA-256 of the log's key>/<hex SHA-256 of the question>` holds an answer
//! as it came, with its checkpoint, behind the SHA-256 of it. It is believed no more than a node's:
//! it is verified whole each time. Under another key of the log there is nothing, because nothing
//! could be verified.
//!
//! Nobody waits until an answer is on the disk. One that a crash cut off is not what its hash says,
//! and counts as none.

use crate::{
    ClientError, HeadStore, files,
    heads::{self, Relation},
    lookup,
};
use assay_claims::index::{Query, VerifiedAnswer};
use assay_proto::v1;
use assay_tlog::Hash;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::note::VerifierKey;
use assay_tlog::tree::TreeSize;
use prost::Message;
use std::{
    io,
    path::{Path, PathBuf},
};

/// The answers of one log.
#[derive(Debug, Clone)]
pub struct AnswerCache {
    folder: PathBuf,
    log: VerifierKey,
    heads: HeadStore,
}

impl AnswerCache {
    /// Takes `state_dir` as the place for answers of the log with the key `log`. Nothing is read or
    /// written yet.
    pub fn new(state_dir: &Path, log: &VerifierKey) -> Self {
        let folder = state_dir
            .join("answers")
            .join(Hash::of(log.to_string().as_bytes()).to_hex());
        AnswerCache {
            folder,
            log: log.clone(),
            heads: HeadStore::new(state_dir, log),
        }
    }

    /// The same, of a log that signed with these keys before.
    pub fn signed_by(self, older: &[VerifierKey]) -> Self {
        AnswerCache {
            heads: self.heads.signed_by(older),
            ..self
        }
    }

    /// Keeps an answer to a query, unless one is kept as of a newer head: two processes may have
    /// asked at once.
    pub fn store(&self, query: &Query, answer: &v1::Answer) -> Result<(), ClientError> {
        let path = self.path(query);
        let size = self.size_of(&answer.checkpoint);
        let answer = answer.encode_to_vec();
        let bytes = [Hash::of(&answer).as_bytes(), &answer[..]].concat();
        let mut folders = self.folder.ancestors().take(2);
        folders
            .try_for_each(files::create_folder)
            .and_then(|()| files::open_lock(&self.folder.join("lock")))
            .and_then(|lock| lock.lock().map(|()| lock))
            .and_then(|_lock| {
                if self.kept_size(&path) > size {
                    return Ok(());
                }
                files::replace_soon(&path, &bytes)
            })
            .map_err(|source| ClientError::State {
                what: "cannot keep the answer".into(),
                path,
                source: Some(source),
            })
    }

    /// Entries of the log in the head of the answer that is kept at a path; `None` if that is none
    /// to go by.
    fn kept_size(&self, path: &Path) -> Option<TreeSize> {
        let bytes = files::read(path).ok()?;
        let as_of = AsOf::decode(whole(&bytes)?).ok()?;
        self.size_of(&as_of.checkpoint)
    }

    fn size_of(&self, checkpoint: &str) -> Option<TreeSize> {
        let checkpoint = VerifiedCheckpoint::verify(checkpoint, &self.log).ok()?;
        Some(checkpoint.size())
    }

    /// Returns the answer that was kept for this very query, verified again; `None` if there is
    /// none that is whole.
    ///
    /// Its checkpoint must be the last head seen of the log, or an older one: it was proven to be a
    /// prefix when it came.
    pub fn load(&self, query: &Query) -> Result<Option<VerifiedAnswer>, ClientError> {
        let path = self.path(query);
        let state = |what: &str, source| ClientError::State {
            what: what.into(),
            path: path.clone(),
            source,
        };
        let bytes = match files::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(state("cannot read a kept answer", Some(e))),
        };
        let Some(answer) = whole(&bytes) else {
            return Ok(None);
        };
        let answer = v1::Answer::decode(answer).map_err(|_| {
            state(
                "a kept answer is damaged; remove it and ask again without --offline",
                None,
            )
        })?;
        let checkpoint =
            VerifiedCheckpoint::verify(&answer.checkpoint, &self.log).map_err(|e| {
                ClientError::unverified_by(
                    "the checkpoint of a kept answer is not one of this log",
                    e,
                )
            })?;
        match self
            .heads
            .load()?
            .map(|known| heads::relate(&known, &checkpoint))
        {
            Some(Relation::Same | Relation::Older) => {}
            Some(Relation::Fork) => {
                return Err(ClientError::unverified(
                    "a kept answer contradicts the last head that was seen of this log",
                ));
            }
            // The head is stored before an answer is, so somebody took it away: nothing says that
            // this log is that one.
            Some(Relation::Newer) | None => {
                return Err(state(
                    "a kept answer is newer than the last head seen; ask once without --offline",
                    None,
                ));
            }
        }
        lookup::verify(checkpoint, query, &answer).map(Some)
    }

    fn path(&self, query: &Query) -> PathBuf {
        let mut asked: Vec<u8> = Vec::new();
        match query {
            Query::Names { names, by } => {
                asked.extend_from_slice(b"names");
                asked.extend_from_slice(&(names.len() as u64).to_be_bytes());
                names
                    .iter()
                    .for_each(|name| asked.extend_from_slice(name.as_bytes()));
                by.iter()
                    .for_each(|by| asked.extend_from_slice(by.as_bytes()));
            }
            Query::Crowd { prefix, by } => {
                asked.extend_from_slice(format!("crowd {prefix:?}").as_bytes());
                by.iter()
                    .for_each(|by| asked.extend_from_slice(by.as_bytes()));
            }
            Query::Page { label, from } => {
                asked.extend_from_slice(format!("page {label} {from}").as_bytes());
            }
            Query::Census(prefix) => {
                asked.extend_from_slice(format!("census {prefix:?}").as_bytes());
            }
        }
        self.folder.join(Hash::of(&asked).to_hex())
    }
}

/// Of an answer, the head that it is as of.
#[derive(Clone, PartialEq, Message)]
struct AsOf {
    #[prost(string, tag = "1")]
    checkpoint: String,
}

/// The answer in what was stored, if all of it is there.
fn whole(bytes: &[u8]) -> Option<&[u8]> {
    let (hash, answer) = bytes.split_first_chunk()?;
    (Hash::of(answer) == Hash::new(*hash)).then_some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_claims::index::Prefix;
    use assay_tlog::checkpoint::Checkpoint;
    use assay_tlog::note::SignerKey;
    use std::fs;

    /// Of two processes that ask at once, the slower one may have the older answer.
    #[test]
    fn a_newer_answer_is_not_replaced_by_an_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let key = SignerKey::from_seed("log.example/a", &[7; 32]).unwrap();
        let cache = AnswerCache::new(folder.path(), &key.verifier());
        let query = Query::Census(Prefix::EMPTY);
        let answer = |size| {
            let checkpoint = Checkpoint {
                origin: "log.example/a".into(),
                size: TreeSize::new(size),
                root: Hash::of(b"root"),
            };
            v1::Answer {
                checkpoint: checkpoint.sign(&key),
                ..v1::Answer::default()
            }
        };
        for (size, kept) in [(7, 7), (5, 7), (9, 9), (8, 9)] {
            cache.store(&query, &answer(size)).unwrap();
            let stored = cache.kept_size(&cache.path(&query));
            assert_eq!(stored, Some(TreeSize::new(kept)));
        }
        // What is damaged is in nobody's way.
        fs::write(cache.path(&query), b"damaged").unwrap();
        cache.store(&query, &answer(1)).unwrap();
        let stored = cache.kept_size(&cache.path(&query));
        assert_eq!(stored, Some(TreeSize::new(1)));
    }

    /// An empty file was read as an answer without a checkpoint, which blamed the log.
    #[test]
    fn an_answer_that_a_crash_cut_off_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let key = SignerKey::from_seed("log.example/a", &[7; 32]).unwrap();
        let cache = AnswerCache::new(folder.path(), &key.verifier());
        let query = Query::Census(Prefix::EMPTY);
        let answer = v1::Answer {
            checkpoint: "no checkpoint".to_owned(),
            ..v1::Answer::default()
        };
        assert!(matches!(cache.load(&query), Ok(None)));
        cache.store(&query, &answer).unwrap();
        let stored = fs::read(cache.path(&query)).unwrap();
        for end in 0..stored.len() {
            fs::write(cache.path(&query), &stored[..end]).unwrap();
            assert!(matches!(cache.load(&query), Ok(None)), "{end}");
        }
        // What is whole is verified.
        fs::write(cache.path(&query), &stored).unwrap();
        assert!(matches!(
            cache.load(&query),
            Err(ClientError::Unverified { .. })
        ));
    }
}
