//! Signs the checkpoints of a log: it knows what was signed last, and signs only what is proven to
//! extend it. It trusts neither the store nor the plan of a step, which are checked before.

use super::key::KeyFailed;
use crate::rotation::SharedLogKeys;
use assay_tlog::Hash;
use assay_tlog::checkpoint::{CheckpointError, VerifiedCheckpoint};
use assay_tlog::note::VerifierKey;
use assay_tlog::tree::{ProofError, TreeSize, verify_consistency};

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// What was about to be signed does not extend what was signed before.
    #[error(
        "refusing to sign a tree of {size} entries, which is not proven to extend the one of \
         {signed} that was signed before"
    )]
    Contradiction {
        /// What was signed last.
        signed: TreeSize,
        /// What was about to be signed.
        size: TreeSize,
        /// What is wrong with the proof.
        source: ProofError,
    },
    /// A key did not sign.
    #[error(transparent)]
    Key(#[from] KeyFailed),
    /// The note that was just signed does not verify.
    #[error("what was signed does not verify by the key {key}")]
    Unverified {
        /// The key, as text.
        key: String,
        /// Why not.
        source: CheckpointError,
    },
}

/// What a log has signed last, and the keys to sign more.
#[derive(Debug)]
pub struct LogSigner {
    keys: SharedLogKeys,
    size: TreeSize,
    root: Hash,
}

impl LogSigner {
    /// Signs with `keys`, which may change meanwhile, what extends `last`.
    pub fn new(keys: SharedLogKeys, last: &VerifiedCheckpoint) -> Self {
        LogSigner {
            keys,
            size: last.size(),
            root: last.root(),
        }
    }

    /// The keys.
    pub fn keys(&self) -> &SharedLogKeys {
        &self.keys
    }

    /// How many leaves the tree has that nothing may contradict: the last one that was handed to a
    /// key, whether or not it signed.
    pub fn size(&self) -> TreeSize {
        self.size
    }

    /// Signs, with every key, the tree of `size` with `root`. `proof` is the proof of consistency
    /// with what was signed last. On `Ok` every key's line verifies.
    ///
    /// From then on nothing is signed that does not extend this tree, whether or not it was shown,
    /// and also after an error of a key. Fails with [`SignError`].
    pub fn sign(
        &mut self,
        size: TreeSize,
        root: Hash,
        proof: &[Hash],
    ) -> Result<VerifiedCheckpoint, SignError> {
        verify_consistency(self.size, &self.root, size, &root, proof).map_err(|source| {
            SignError::Contradiction {
                signed: self.size,
                size,
                source,
            }
        })?;
        // Raised first: a key that is somewhere else may have signed though it did not answer.
        (self.size, self.root) = (size, root);
        let keys = self.keys.load();
        let note = keys.sign(size, root)?;
        if let Some(next) = keys.next() {
            verify(&note, &next.verifier())?;
        }
        verify(&note, &keys.verifier())
    }
}

fn verify(note: &str, key: &VerifierKey) -> Result<VerifiedCheckpoint, SignError> {
    VerifiedCheckpoint::verify(note, key).map_err(|source| SignError::Unverified {
        key: key.to_string(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rotation::LogKeys;
    use crate::signer::key::{CheckpointKey, checkpoint};
    use assay_tlog::hash::{leaf_hash, node_hash};
    use assay_tlog::note::SignerKey;

    const ORIGIN: &str = "log.example/a";

    fn key(seed: u8) -> SignerKey {
        SignerKey::from_seed(ORIGIN, &[seed; 32]).unwrap()
    }

    /// The hashes of three leaves, and the roots of the trees of one, two and three.
    fn tree(word: &str) -> ([Hash; 3], [Hash; 3]) {
        let [a, b, c] = [0, 1, 2].map(|i| leaf_hash(format!("{word}{i}").as_bytes()));
        let two = node_hash(&a, &b);
        ([a, b, c], [a, two, node_hash(&two, &c)])
    }

    fn signer(size: u64, root: Hash) -> LogSigner {
        let first = checkpoint(ORIGIN, TreeSize::new(size), root).sign(&key(1));
        let last = VerifiedCheckpoint::verify(&first, &key(1).verifier()).unwrap();
        LogSigner::new(LogKeys::from(key(1)).shared(), &last)
    }

    #[test]
    fn only_what_extends_the_last_tree_is_signed() {
        let ([_, b, c], [one, two, three]) = tree("a");
        let (_, [_, other_two, other_three]) = tree("b");
        let mut signer = signer(2, two);
        let refused = |signer: &mut LogSigner, size: u64, root: Hash, proof: &[Hash]| {
            let outcome = signer.sign(TreeSize::new(size), root, proof);
            assert!(
                matches!(outcome, Err(SignError::Contradiction { .. })),
                "{size}: {outcome:?}"
            );
        };
        let signs = |signer: &mut LogSigner, size: u64, root: Hash, proof: &[Hash]| {
            let signed = signer.sign(TreeSize::new(size), root, proof).unwrap();
            assert_eq!((signed.size().get(), signed.root()), (size, root));
            assert_eq!(signed.origin(), ORIGIN);
        };
        refused(&mut signer, 0, assay_tlog::hash::empty_root(), &[]);
        refused(&mut signer, 1, one, &[b]);
        refused(&mut signer, 2, other_two, &[]);
        refused(&mut signer, 3, three, &[]);
        refused(&mut signer, 3, other_three, &[c]);
        signs(&mut signer, 2, two, &[]);
        signs(&mut signer, 3, three, &[c]);
        // What was right a moment ago is not any more.
        refused(&mut signer, 2, two, &[]);
        signs(&mut signer, 3, three, &[]);
    }

    /// Signs, and does not say so.
    struct Mute(SignerKey);

    impl CheckpointKey for Mute {
        fn verifier(&self) -> VerifierKey {
            self.0.verifier()
        }

        fn sign(&self, _: TreeSize, _: Hash) -> Result<String, KeyFailed> {
            Err(KeyFailed {
                key: self.0.verifier().to_string(),
                why: "the line is cut".to_owned(),
            })
        }
    }

    /// Signs something else.
    struct Liar(SignerKey);

    impl CheckpointKey for Liar {
        fn verifier(&self) -> VerifierKey {
            self.0.verifier()
        }

        fn sign(&self, size: TreeSize, _: Hash) -> Result<String, KeyFailed> {
            CheckpointKey::sign(&self.0, size, Hash::of(b"other"))
        }
    }

    #[test]
    fn what_a_key_did_with_a_tree_that_it_was_given_is_not_trusted() {
        let ([_, _, c], [_, two, three]) = tree("a");
        let mut signer = signer(2, two);
        let keys = signer.keys().clone();
        keys.store(LogKeys::of(Box::new(Mute(key(1)))).into());
        let refused = signer.sign(TreeSize::new(3), three, &[c]);
        assert!(matches!(refused, Err(SignError::Key(_))), "{refused:?}");
        assert_eq!(signer.size().get(), 3, "what is tried again extends this");
        keys.store(LogKeys::from(key(1)).into());
        let smaller = signer.sign(TreeSize::new(2), two, &[]);
        assert!(
            matches!(smaller, Err(SignError::Contradiction { .. })),
            "the mute key may have signed: {smaller:?}"
        );
        keys.store(LogKeys::of(Box::new(Liar(key(1)))).into());
        let refused = signer.sign(TreeSize::new(3), three, &[]);
        let is_told = matches!(refused, Err(SignError::Unverified { .. }));
        assert!(is_told, "{refused:?}");
    }
}
