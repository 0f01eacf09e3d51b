//! All old and new sizes up to 32, with right and wrong proofs.

use super::*;

const MOST: usize = 32;

/// The request with another proof, decided by a witness that holds `old` leaves.
fn decided(tree: &Branch, old: usize, proof: &[Hash], note: &str) -> u16 {
    let state = match old {
        0 => LogState::Never,
        old => tree.held(old, NOW),
    };
    let body = body(old, proof, note);
    status(decide(body.as_bytes(), &state, FLOOR, NOW))
}

#[test]
fn right_proofs_are_cosigned_and_wrong_ones_are_422() {
    let tree = Branch::new(MOST);
    for new in 0..=MOST {
        let note = tree.note(new);
        for old in 0..=new {
            let right = tree.proof(old, new);
            assert_eq!(decided(&tree, old, &right, &note), 200, "{old} to {new}");
            for i in 0..right.len() {
                let mut wrong = right.clone();
                wrong[i] = Hash::of(b"wrong");
                assert_eq!(decided(&tree, old, &wrong, &note), 422, "{old} to {new}");
                wrong.remove(i);
                assert_eq!(decided(&tree, old, &wrong, &note), 422, "{old} to {new}");
            }
            for i in [0, right.len()] {
                let mut wrong = right.clone();
                wrong.insert(i, Hash::of(b"more"));
                assert_eq!(decided(&tree, old, &wrong, &note), 422, "{old} to {new}");
            }
        }
        for old in new + 1..=MOST {
            assert_eq!(decided(&tree, old, &[], &note), 400, "{old} to {new}");
        }
    }
}

#[test]
fn a_fork_is_never_cosigned_after_the_fork() {
    let tree = Branch::new(12);
    for same in 0..12 {
        let fork = tree.fork(same);
        for new in same + 1..=12 {
            let note = fork.note(new);
            for old in 1..=new {
                let expected = if old <= same { 200 } else { 422 };
                let proof = fork.proof(old, new);
                let found = decided(&tree, old, &proof, &note);
                assert_eq!(found, expected, "{old} to {new}, fork at {same}");
            }
        }
    }
}

/// A request that says another old size than the witness has is answered with that size, whatever
/// else is in it.
#[test]
fn any_other_old_size_is_409() {
    let tree = Branch::new(9);
    for held in 0..=9 {
        let state = match held {
            0 => LogState::Never,
            held => tree.held(held, NOW),
        };
        for new in 0..=9 {
            for old in (0..=new).filter(|old| *old != held) {
                let request = signed(&tree.request(old, new));
                let Decision::Refuse(refused) = request.decide(&state, FLOOR, NOW) else {
                    panic!("{old} to {new}, with {held}");
                };
                let answer = refused.refusal.answer();
                assert_eq!((answer.status, answer.body), (409, format!("{held}\n")));
                assert_eq!(refused.contradiction, None);
            }
        }
    }
}
