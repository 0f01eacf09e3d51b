//! What was cosigned of each log, so that nothing is cosigned that contradicts it.
//!
//! Whoever cosigns keeps what it signed in its store, and decides by that. This is beside it and
//! trusts neither the store nor the decision: a key of a witness, a mirror or an auditor signs only
//! what was let through here. It begins anew with each process, from what the store then shows;
//! [`super::floor_file`] notices a store that is older.

use assay_tlog::Hash;
use assay_tlog::head::VerifiedHead;
use assay_tlog::note::CosignError;
use assay_tlog::tree::TreeSize;
use assay_tlog::witness::{Cosigned, Persisted, WitnessKeys};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// What was about to be cosigned and contradicts what was cosigned before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "refusing to cosign {origin:?} at size {size}, at {at} (seconds since 1970, UTC): {what} than \
     at size {known}, at {since}, was cosigned before"
)]
pub struct Contradicts {
    /// The log.
    pub origin: String,
    /// The size that was about to be cosigned.
    pub size: TreeSize,
    /// The time that was about to be stated.
    pub at: u64,
    /// What is wrong with it.
    pub what: &'static str,
    /// The size that was cosigned last.
    pub known: TreeSize,
    /// The time that was stated with it.
    pub since: u64,
}

#[derive(Debug, Clone, Copy)]
struct Floor {
    size: TreeSize,
    root: Hash,
    at: u64,
}

/// What was let through of each log.
#[derive(Debug, Default)]
pub struct Floors(Mutex<HashMap<String, Floor>>);

/// A head that may be signed, as often as it is asked for.
#[derive(Debug)]
pub struct Admitted(Persisted);

impl Floors {
    /// Lets through what is stored: a tree that is no smaller than the last one of its log, with
    /// the same root if it has the same size, and no earlier time. From then on nothing less is,
    /// whether or not this one is signed: a key that is somewhere else may sign though it does not
    /// answer.
    pub fn admit(&self, persisted: Persisted) -> Result<Admitted, Contradicts> {
        let head = persisted.head();
        let next = Floor {
            size: head.size(),
            root: head.root(),
            at: persisted.at(),
        };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get_mut(head.origin()) {
            Some(floor) => {
                if let Some(what) = floor.forbids(&next) {
                    return Err(Contradicts {
                        origin: head.origin().to_owned(),
                        size: next.size,
                        at: next.at,
                        what,
                        known: floor.size,
                        since: floor.at,
                    });
                }
                *floor = next;
            }
            None => _ = all.insert(head.origin().to_owned(), next),
        }
        Ok(Admitted(persisted))
    }
}

impl Floor {
    /// What is wrong with signing `next` after this.
    fn forbids(&self, next: &Floor) -> Option<&'static str> {
        if next.size < self.size {
            return Some("a smaller tree");
        }
        if next.size == self.size && next.root != self.root {
            return Some("another root");
        }
        (next.at < self.at).then_some("an earlier time")
    }
}

impl Admitted {
    /// The head.
    pub fn head(&self) -> &VerifiedHead {
        self.0.head()
    }

    /// Signs, with every key. Fails as [`Persisted::sign`] does.
    pub fn sign(&self, keys: &WitnessKeys) -> Result<Cosigned, CosignError> {
        self.0.sign(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_tlog::checkpoint::Checkpoint;
    use assay_tlog::head::LogVerifier;
    use assay_tlog::note::SignerKey;
    use assay_tlog::witness::LogState;

    fn persisted(origin: &str, size: u64, root: &[u8], at: u64) -> Persisted {
        let key = SignerKey::from_seed(origin, &[1; 32]).unwrap();
        let checkpoint = Checkpoint {
            origin: origin.to_owned(),
            size: TreeSize::new(size),
            root: Hash::of(root),
        };
        let state = LogState::Held {
            size: checkpoint.size,
            root: checkpoint.root,
            at,
        };
        let log = LogVerifier::new(origin, vec![key.verifier()]).unwrap();
        Persisted::reload(&state, &checkpoint.sign(&key), &log).unwrap()
    }

    #[test]
    fn no_smaller_tree_other_root_or_earlier_time_is_let_through() {
        let floors = Floors::default();
        let admit = |size, root: &[u8], at| {
            let admitted = floors.admit(persisted("log.example/a", size, root, at));
            admitted.map(drop).map_err(|error| error.what)
        };
        admit(5, b"a", 100).unwrap();
        admit(5, b"a", 100).unwrap();
        admit(5, b"a", 110).unwrap();
        assert_eq!(admit(4, b"b", 110), Err("a smaller tree"));
        assert_eq!(admit(5, b"b", 110), Err("another root"));
        assert_eq!(admit(5, b"a", 109), Err("an earlier time"));
        assert_eq!(admit(6, b"b", 109), Err("an earlier time"));
        admit(6, b"b", 110).unwrap();
        // Another log is another matter.
        floors
            .admit(persisted("log.example/b", 1, b"c", 1))
            .unwrap();
    }
}
