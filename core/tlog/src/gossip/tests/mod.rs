//! Pools and exchanges, with logs whose branches are computed from the definitions of RFC 6962.

mod bounds;
mod exchanges;
mod forks;
mod linking;
mod unverified;

use super::*;
use crate::checkpoint::Checkpoint;
use crate::hash::{Hash, leaf_hash};
use crate::head::{LogVerifier, VerifiedHead};
use crate::limits;
use crate::note::{Algorithm, CosignerKey, SignerKey};
use crate::tree::TreeSize;
use crate::tree::naive;
use std::sync::LazyLock;

const ORIGIN: &str = "log.example/a";
const SETTINGS: Settings = Settings {
    alarm_after_ms: 60_000,
};
const SALT: Salt = Salt([3; 16]);

static KEY: LazyLock<SignerKey> = LazyLock::new(|| SignerKey::from_seed(ORIGIN, &[1; 32]).unwrap());

fn verifier() -> LogVerifier {
    LogVerifier::new(ORIGIN, vec![KEY.verifier()]).unwrap()
}

/// A pool that knows the log.
fn pool() -> Pool {
    let mut pool = Pool::new(SETTINGS);
    pool.add_log(verifier()).unwrap();
    pool
}

/// One history of the log.
#[derive(Clone)]
struct Branch(Vec<Hash>);

impl Branch {
    fn new(size: usize) -> Self {
        Branch(naive::leaves(size as u64))
    }

    /// Another history with the same beginning.
    fn fork(&self, same: usize) -> Self {
        let other = (same..self.0.len()).map(|i| leaf_hash(format!("other {i}").as_bytes()));
        Branch(self.0[..same].iter().copied().chain(other).collect())
    }

    fn root(&self, size: usize) -> Hash {
        naive::root(&self.0[..size])
    }

    fn checkpoint(&self, size: usize) -> Checkpoint {
        Checkpoint {
            origin: ORIGIN.into(),
            size: naive::size(size),
            root: self.root(size),
        }
    }

    fn head(&self, size: usize) -> VerifiedHead {
        let note = self.checkpoint(size).sign(&KEY);
        verifier().verify(&note).unwrap()
    }

    /// What somebody answers who has the tiles of this branch.
    fn answer(&self, question: &Question) -> Answer {
        let [old, new] = [question.older(), question.newer()]
            .map(|head| usize::try_from(head.size().get()).unwrap());
        Answer {
            path: naive::consistency(old, &self.0[..new]),
            root: question.needs_root().then(|| self.root(old)),
        }
    }
}

/// What a head waits for, if it does.
fn waits(taken: Taken) -> Question {
    match taken {
        Taken::Waits(question) => *question,
        other => panic!("{other:?}"),
    }
}

fn fork(taken: Taken) -> Fork {
    match taken {
        Taken::Fork(fork) => *fork,
        other => panic!("{other:?}"),
    }
}

/// That a fork is one: both heads are the log's, and the hashes say what they must.
fn check(fork: &Fork) {
    let (older, newer) = (fork.older(), fork.newer());
    for head in [older, newer] {
        assert_eq!(verifier().verify(head.note()).as_ref(), Ok(head));
    }
    match fork.rewrite() {
        Some((actual, path)) => {
            assert_ne!(actual, older.root());
            let (old, new) = (older.size(), newer.size());
            crate::tree::verify_consistency(old, &actual, new, &newer.root(), path).unwrap();
        }
        None if older == newer => assert_eq!(older.size(), TreeSize::EMPTY),
        None => {
            assert_eq!(older.size(), newer.size());
            assert_ne!(older.root(), newer.root());
        }
    }
}
