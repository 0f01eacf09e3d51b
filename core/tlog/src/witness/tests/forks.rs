//! Logs that fork anywhere, asking for anything: a witness cosigns one history, has proof of the
//! other where the log signed it, and blames no honest log.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

const MOST: usize = 24;

/// One request of a log with two branches.
#[derive(Debug, Clone)]
struct Asks {
    /// Whether it is of the second branch.
    forked: bool,
    new: usize,
    old: Old,
    proof: Proof,
}

#[derive(Debug, Clone)]
enum Old {
    Held,
    Any(usize),
}

#[derive(Debug, Clone)]
enum Proof {
    Right,
    OfOtherBranch,
    Damaged(usize),
}

fn asks() -> impl Strategy<Value = Asks> {
    let old = prop_oneof![3 => Just(Old::Held), 1 => (0..=MOST).prop_map(Old::Any)];
    let proof = prop_oneof![
        4 => Just(Proof::Right),
        1 => Just(Proof::OfOtherBranch),
        1 => (0..6_usize).prop_map(Proof::Damaged),
    ];
    (any::<bool>(), 0..=MOST, old, proof).prop_map(|(forked, new, old, proof)| Asks {
        forked,
        new,
        old,
        proof,
    })
}

/// The two branches of a log, the witness, and what it signed.
struct Run {
    branches: [Branch; 2],
    state: LogState,
    note: String,
    cosigned: Vec<(usize, Hash)>,
    /// Sizes of which the witness has proof that the log split.
    splits: BTreeSet<usize>,
}

impl Run {
    fn new(same: usize) -> Self {
        let tree = Branch::new(MOST);
        let fork = tree.fork(same);
        Run {
            branches: [tree, fork],
            state: LogState::Never,
            note: String::new(),
            cosigned: Vec::new(),
            splits: BTreeSet::new(),
        }
    }

    fn body(&self, asks: &Asks) -> String {
        let held = usize::try_from(self.state.size().get()).unwrap();
        let old = match asks.old {
            Old::Held => held,
            Old::Any(old) => old,
        };
        let of = usize::from(asks.forked);
        let mut proof = match asks.proof {
            Proof::OfOtherBranch => self.branches[1 - of].proof(old, asks.new),
            Proof::Right | Proof::Damaged(_) => self.branches[of].proof(old, asks.new),
        };
        if let Proof::Damaged(at) = asks.proof {
            match proof.get_mut(at) {
                Some(hash) => *hash = Hash::of(b"damaged"),
                None => proof.push(Hash::of(b"more")),
            }
        }
        body(old, &proof, &self.branches[of].note(asks.new))
    }

    fn ask(&mut self, asks: &Asks) {
        let request = signed(&self.body(asks));
        match request.decide(&self.state, FLOOR, NOW) {
            Decision::Cosign(pending) => {
                self.state = pending.after();
                self.note = pending.head().note().to_owned();
                let root = self.branches[usize::from(asks.forked)].root(asks.new);
                self.cosigned.push((asks.new, root));
            }
            Decision::Refuse(refused) => {
                let view = refused.contradiction.map(|contradiction| {
                    let view = contradiction.split_view(&self.note, &verifier());
                    view.expect("what is held was signed")
                });
                let is_split = self.state != LogState::Never
                    && self.state.size() == request.head().size()
                    && self.state.root() != request.head().root();
                assert_eq!(view.is_some(), is_split);
                if let Some(view) = view {
                    assert_eq!(view.notes().len(), 2);
                    self.splits.insert(asks.new);
                }
            }
        }
    }

    /// All that was cosigned is of one branch, and sizes never fell.
    fn is_one_history(&self) -> bool {
        let rises = self.cosigned.is_sorted_by_key(|(size, _)| *size);
        let is_one = self.branches.iter().any(|branch| {
            let mut cosigned = self.cosigned.iter();
            cosigned.all(|(size, root)| branch.root(*size) == *root)
        });
        rises && is_one
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn one_history_is_cosigned_and_only_a_fork_is_blamed(
        same in 0..=MOST,
        asked in prop::collection::vec(asks(), 1..8),
    ) {
        let mut run = Run::new(same);
        for asks in &asked {
            run.ask(asks);
        }
        prop_assert!(run.is_one_history());
        // Up to the fork the log is honest.
        prop_assert!(run.splits.iter().all(|size| *size > same));
        if same == MOST {
            prop_assert!(run.splits.is_empty());
        }
    }
}
