//! What heads prove, of a log whose branches are computed from the definitions of RFC 6962.

mod texts;

use super::*;
use crate::limits;
use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::cosigner::{CosignedHead, CosignerVerifier};
use assay_tlog::hash::{empty_root, leaf_hash, node_hash};
use assay_tlog::head::{LogVerifier, VerifiedHead};
use assay_tlog::note::{Algorithm, CosignerKey, SignerKey};
use assay_tlog::tree::TreeSize;
use base64::prelude::{BASE64_STANDARD, Engine};
use ed25519_dalek::{Signer, SigningKey};
use proptest::prelude::*;
use std::sync::LazyLock;

const ORIGIN: &str = "log.example/a";
const WITNESS: &str = "witness.example/w";
const AT: u64 = 1_800_000_000;

/// Keys are made once: those of ML-DSA-44 take longer than a verification.
struct Keys {
    log: SignerKey,
    log_ml_dsa: CosignerKey,
    witness: CosignerKey,
    witness_ml_dsa: CosignerKey,
    known: KnownKeys,
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let cosigner =
        |name: &str, algorithm, seed| CosignerKey::from_seed(name, algorithm, &[seed; 32]).unwrap();
    let log = SignerKey::from_seed(ORIGIN, &[1; 32]).unwrap();
    let log_ml_dsa = cosigner(ORIGIN, Algorithm::MlDsa44, 2);
    let witness = cosigner(WITNESS, Algorithm::CosignatureV1, 3);
    let witness_ml_dsa = cosigner(WITNESS, Algorithm::MlDsa44, 4);
    let keys = vec![log.verifier(), log_ml_dsa.verifier()];
    let of_witness = vec![witness.verifier(), witness_ml_dsa.verifier()];
    let known = KnownKeys {
        logs: vec![LogVerifier::new(ORIGIN, keys).unwrap()],
        witnesses: vec![CosignerVerifier::new(of_witness).unwrap()],
        mirrors: Vec::new(),
    };
    Keys {
        log,
        log_ml_dsa,
        witness,
        witness_ml_dsa,
        known,
    }
});

/// One history of a log.
#[derive(Clone)]
struct Branch(Vec<Hash>);

impl Branch {
    fn new(size: usize) -> Self {
        Branch((0..size).map(|i| leaf_hash(&i.to_be_bytes())).collect())
    }

    fn fork(&self, same: usize) -> Self {
        let other = (same..self.0.len()).map(|i| leaf_hash(format!("other {i}").as_bytes()));
        Branch(self.0[..same].iter().copied().chain(other).collect())
    }

    fn checkpoint(&self, size: usize) -> Checkpoint {
        Checkpoint {
            origin: ORIGIN.into(),
            size: TreeSize::new(size as u64),
            root: root(&self.0[..size]),
        }
    }

    fn head(&self, size: usize) -> VerifiedHead {
        signed(&self.checkpoint(size))
    }

    fn cosigned(&self, size: usize, key: &CosignerKey, at: u64) -> CosignedHead {
        let checkpoint = self.checkpoint(size);
        let line = key.cosign(&checkpoint, at).unwrap();
        cosigned(&format!("{}\n{line}", checkpoint.body()))
    }

    fn path(&self, old: usize, new: usize) -> Vec<Hash> {
        subproof(old, &self.0[..new], true)
    }
}

fn signed(checkpoint: &Checkpoint) -> VerifiedHead {
    let note = checkpoint.sign(&KEYS.log);
    KEYS.known.logs[0].verify(&note).unwrap()
}

fn cosigned(note: &str) -> CosignedHead {
    KEYS.known.witnesses[0].verify(note).unwrap()
}

/// MTH of RFC 6962, section 2.1.
fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        leaves => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&root(left), &root(right))
        }
    }
}

/// SUBPROOF of RFC 6962, section 2.1.2.
fn subproof(old: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if whole { vec![] } else { vec![root(leaves)] };
    }
    let k = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(k);
    let (mut path, sibling) = if old <= k {
        (subproof(old, left, whole), root(right))
    } else {
        (subproof(old - k, right, false), root(left))
    };
    path.push(sibling);
    path
}

fn verify(text: &str) -> Result<VerifiedMisbehavior, MisbehaviorError> {
    VerifiedMisbehavior::verify(text.as_bytes(), &KEYS.known)
}

fn split() -> VerifiedMisbehavior {
    let tree = Branch::new(8);
    let heads = [&tree, &tree.fork(3)].map(|branch| branch.head(5));
    VerifiedMisbehavior::of_log(&heads[0], &heads[1], None).unwrap()
}

/// What two branches prove of two sizes, the smaller one of the first.
fn rewrite(tree: &Branch, old: usize, fork: &Branch, new: usize) -> VerifiedMisbehavior {
    let path = fork.path(old, new);
    let rewrite = Rewrite {
        actual: root(&fork.0[..old]),
        path: &path,
    };
    VerifiedMisbehavior::of_log(&tree.head(old), &fork.head(new), Some(rewrite)).unwrap()
}

#[test]
fn a_split_view_has_this_text() {
    let tree = Branch::new(8);
    let mut notes = [&tree, &tree.fork(3)].map(|branch| branch.checkpoint(5));
    notes.sort_by_key(|checkpoint| checkpoint.root);
    let [first, second] = notes.map(|checkpoint| checkpoint.sign(&KEYS.log));
    let expected = format!(
        "assay.misbehavior/v1\nkind split\nculprit log log.example/a\n\
         note {}\n{first}note {}\n{second}",
        first.len(),
        second.len()
    );
    let found = split();
    assert_eq!(found.text(), expected);
    assert_eq!(found.culprit(), &Culprit::Log(ORIGIN.into()));
    assert_eq!((found.origin(), found.shown()), (ORIGIN, Shown::Split));
    assert_eq!(found.id(), Hash::of(expected.as_bytes()));
    assert_eq!(verify(&expected), Ok(found));
    // In either order.
    let heads = [&tree, &tree.fork(3)].map(|branch| branch.head(5));
    let turned = VerifiedMisbehavior::of_log(&heads[1], &heads[0], None).unwrap();
    assert_eq!(turned.text(), expected);
}

#[test]
fn a_rewrite_has_this_text() {
    let tree = Branch::new(8);
    let fork = tree.fork(3);
    let found = rewrite(&tree, 5, &fork, 7);
    let lines: String = fork
        .path(5, 7)
        .iter()
        .map(|hash| BASE64_STANDARD.encode(hash.as_bytes()) + "\n")
        .collect();
    let actual = BASE64_STANDARD.encode(root(&fork.0[..5]).as_bytes());
    let (first, second) = (tree.head(5), fork.head(7));
    let expected = format!(
        "assay.misbehavior/v1\nkind rewrite\nculprit log log.example/a\nactual {actual}\n\
         path 4\n{lines}note {}\n{}note {}\n{}",
        first.note().len(),
        first.note(),
        second.note().len(),
        second.note()
    );
    assert_eq!(found.text(), expected);
    assert_eq!(found.shown(), Shown::Rewrite);
    assert_eq!(verify(&expected), Ok(found));
}

/// One note is enough: a tree without leaves has one root.
#[test]
fn an_empty_tree_with_leaves_is_shown_by_one_note() {
    let head = signed(&Checkpoint {
        size: TreeSize::EMPTY,
        ..Branch::new(1).checkpoint(1)
    });
    let found = VerifiedMisbehavior::of_log(&head, &head, None).unwrap();
    assert_eq!(found.shown(), Shown::Split);
    assert_eq!(found.text().matches("note ").count(), 1);
    assert_eq!(verify(found.text()).as_ref(), Ok(&found));
    // The same note twice is another encoding.
    let note = format!("note {}\n{}", head.note().len(), head.note());
    let twice = format!("{}{note}", found.text());
    assert_eq!(verify(&twice), Err(MisbehaviorError::Encoding));
}

#[test]
fn a_log_does_not_escape_by_signing_with_another_algorithm() {
    let tree = Branch::new(8);
    let other = tree.fork(3).checkpoint(5);
    let line = KEYS.log_ml_dsa.cosign(&other, AT).unwrap();
    let note = format!("{}\n{line}", other.body());
    let other = KEYS.known.logs[0].verify(&note).unwrap();
    let found = VerifiedMisbehavior::of_log(&tree.head(5), &other, None).unwrap();
    assert_eq!(verify(found.text()), Ok(found));
}

/// Checks that two heads show this of the witness.
fn check(first: &CosignedHead, second: &CosignedHead, rewrite: Option<Rewrite<'_>>, shown: Shown) {
    let found = VerifiedMisbehavior::of_cosigner(Role::Witness, first, second, rewrite).unwrap();
    assert_eq!(found.culprit(), &Culprit::Witness(WITNESS.into()));
    assert_eq!(found.shown(), shown);
    assert!(found.text().contains("\nkind witness\n"));
    assert_eq!(verify(found.text()).as_ref(), Ok(&found));
}

#[test]
fn witnesses_are_held_to_what_they_signed() {
    let tree = Branch::new(8);
    let fork = tree.fork(3);
    let (ed25519, ml_dsa) = (&KEYS.witness, &KEYS.witness_ml_dsa);
    for key in [ed25519, ml_dsa] {
        let here = tree.cosigned(5, key, AT);
        // Two histories, by any of its keys.
        check(&here, &fork.cosigned(5, ed25519, AT), None, Shown::Split);
        let path = fork.path(5, 8);
        let rewrite = Rewrite {
            actual: root(&fork.0[..5]),
            path: &path,
        };
        let later = fork.cosigned(8, ml_dsa, AT + 9);
        check(&here, &later, Some(rewrite), Shown::Rewrite);
        // A smaller tree at a later time, by one key.
        let before = tree.cosigned(8, key, AT - 1);
        check(&here, &before, None, Shown::RollBack);
    }
}

#[test]
fn what_an_honest_witness_signs_is_nothing_against_it() {
    let tree = Branch::new(8);
    let (ed25519, ml_dsa) = (&KEYS.witness, &KEYS.witness_ml_dsa);
    let innocent = |first: &CosignedHead, second: &CosignedHead| {
        let found = VerifiedMisbehavior::of_cosigner(Role::Witness, first, second, None);
        assert_eq!(found, Err(MisbehaviorError::Innocent));
    };
    let here = tree.cosigned(5, ed25519, AT);
    // Itself, again later, with another key, larger later, larger in the same second.
    innocent(&here, &here);
    innocent(&here, &tree.cosigned(5, ed25519, AT + 9));
    innocent(&here, &tree.cosigned(5, ml_dsa, AT - 9));
    innocent(&here, &tree.cosigned(8, ed25519, AT + 9));
    innocent(&here, &tree.cosigned(8, ed25519, AT));
    // A time is held against the key that stated it.
    innocent(&here, &tree.cosigned(8, ml_dsa, AT - 9));
    // Another log.
    let other = Checkpoint {
        origin: "log.example/b".into(),
        ..tree.fork(3).checkpoint(5)
    };
    let line = ed25519.cosign(&other, AT).unwrap();
    let other = cosigned(&format!("{}\n{line}", other.body()));
    innocent(&here, &other);
    let path = tree.fork(3).path(3, 5);
    let rewrite = Rewrite {
        actual: root(&tree.0[..3]),
        path: &path,
    };
    let smaller = tree.fork(2).cosigned(3, ed25519, AT);
    let found = VerifiedMisbehavior::of_cosigner(Role::Witness, &smaller, &other, Some(rewrite));
    assert_eq!(found, Err(MisbehaviorError::Innocent));
}

/// A cosignature without a time does not say that no tree was larger (C2SP tlog-cosignature).
#[test]
fn the_time_zero_states_nothing() {
    let tree = Branch::new(8);
    let checkpoint = tree.checkpoint(8);
    let message = format!("cosignature/v1\ntime 0\n{}", checkpoint.body());
    let signature = SigningKey::from_bytes(&[3; 32]).sign(message.as_bytes());
    let key_id = KEYS.witness.verifier().key_id().to_be_bytes();
    let blob = [&key_id[..], &[0; 8], &signature.to_bytes()].concat();
    let line = format!("\u{2014} {WITNESS} {}\n", BASE64_STANDARD.encode(blob));
    let larger = cosigned(&format!("{}\n{line}", checkpoint.body()));
    assert_eq!(larger.statements()[0].at, 0);
    let later = tree.cosigned(5, &KEYS.witness, AT);
    let found = VerifiedMisbehavior::of_cosigner(Role::Witness, &later, &larger, None);
    assert_eq!(found, Err(MisbehaviorError::Innocent));
}

#[test]
fn two_cosigners_may_differ_and_a_text_is_not_endless() {
    let tree = Branch::new(8);
    let here = tree.cosigned(5, &KEYS.witness, AT);
    let other = CosignerKey::from_seed("v", Algorithm::CosignatureV1, &[8; 32]).unwrap();
    let checkpoint = tree.fork(3).checkpoint(5);
    let line = other.cosign(&checkpoint, AT).unwrap();
    let note = format!("{}\n{line}", checkpoint.body());
    let verifier = CosignerVerifier::new(vec![other.verifier()]).unwrap();
    let there = verifier.verify(&note).unwrap();
    let found = VerifiedMisbehavior::of_cosigner(Role::Witness, &here, &there, None);
    assert_eq!(found, Err(MisbehaviorError::Innocent));

    // An origin can be as long as a note.
    let [a, b] = [&tree, &tree.fork(3)].map(|branch| {
        let checkpoint = Checkpoint {
            origin: "o".repeat(limits::MISBEHAVIOR_BYTES / 2),
            ..branch.checkpoint(5)
        };
        let line = KEYS.witness.cosign(&checkpoint, AT).unwrap();
        cosigned(&format!("{}\n{line}", checkpoint.body()))
    });
    let found = VerifiedMisbehavior::of_cosigner(Role::Witness, &a, &b, None);
    assert!(matches!(found, Err(MisbehaviorError::TooLong(_))));
}

#[test]
fn a_log_is_not_held_to_times() {
    let tree = Branch::new(8);
    let head = |size, at| {
        let checkpoint = tree.checkpoint(size);
        let line = KEYS.log_ml_dsa.cosign(&checkpoint, at).unwrap();
        let note = format!("{}\n{line}", checkpoint.body());
        KEYS.known.logs[0].verify(&note).unwrap()
    };
    let found = VerifiedMisbehavior::of_log(&head(5, AT), &head(8, AT - 9), None);
    assert_eq!(found, Err(MisbehaviorError::Innocent));
}

#[test]
fn a_path_that_proves_nothing_blames_nobody() {
    let tree = Branch::new(8);
    let fork = tree.fork(3);
    let found = |old: &VerifiedHead, new: &VerifiedHead, actual: Hash, path: &[Hash]| {
        VerifiedMisbehavior::of_log(old, new, Some(Rewrite { actual, path }))
    };
    let (here, later) = (tree.head(5), tree.head(8));
    // The history goes on as it was.
    let right = tree.path(5, 8);
    let honest = found(&here, &later, here.root(), &right);
    assert_eq!(honest, Err(MisbehaviorError::Innocent));
    // Nothing else leads from there to here.
    for actual in [fork.head(5).root(), Hash::of(b"other")] {
        for path in [&right[..], &fork.path(5, 8), &right[1..], &[]] {
            let made_up = found(&here, &later, actual, path);
            assert!(matches!(made_up, Err(MisbehaviorError::Path(_))));
        }
    }
    // From the empty tree nothing is proven, and between trees of one size there is no path.
    let from_empty = found(&tree.head(0), &later, Hash::of(b"other"), &[]);
    assert!(matches!(from_empty, Err(MisbehaviorError::Path(_))));
    let same = found(&here, &fork.head(5), Hash::of(b"other"), &[]);
    assert_eq!(same, Err(MisbehaviorError::Innocent));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100_000))]

    /// Every fork is shown, whatever two sizes were signed; and nothing is shown of a log that did
    /// not fork before them.
    #[test]
    fn every_fork_is_shown_and_no_honest_log_is_blamed(
        same in 0..=40_usize,
        (old, new) in (1..=40_usize).prop_flat_map(|new| (1..=new, Just(new))),
        forked_first in any::<bool>(),
    ) {
        let tree = Branch::new(40);
        let fork = tree.fork(same);
        let (first, second) = if forked_first { (&fork, &tree) } else { (&tree, &fork) };
        let (old_head, new_head) = (first.head(old), second.head(new));
        let path = second.path(old, new);
        let rewrite = (old < new).then(|| Rewrite {
            actual: root(&second.0[..old]),
            path: &path,
        });
        let found = VerifiedMisbehavior::of_log(&old_head, &new_head, rewrite);
        if old > same {
            let found = found.unwrap();
            let shown = if old == new { Shown::Split } else { Shown::Rewrite };
            prop_assert_eq!(found.shown(), shown);
            prop_assert_eq!(verify(found.text()), Ok(found));
        } else {
            prop_assert_eq!(found, Err(MisbehaviorError::Innocent));
            let without = VerifiedMisbehavior::of_log(&old_head, &new_head, None);
            prop_assert_eq!(without, Err(MisbehaviorError::Innocent));
        }
    }
}
