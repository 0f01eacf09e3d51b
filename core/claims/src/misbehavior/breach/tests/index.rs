//! What a commitment says of labels.

use super::*;
use crate::index::{Commitment, Cut, range};
use crate::misbehavior::breach::tests::log::OwnListing;
use crate::misbehavior::breach::text::{Kind, Listed, Neighbors};
use assay_tlog::Hash;

/// A log that hides the leaf 3 from its index: it has the same labels as the leaves 2 and 5.
fn hiding() -> (Log, u64) {
    let mut log = Log::new();
    log.claim(note(1, &[5]));
    log.claim(note(2, &[5]));
    log.hidden(note(2, &[5]));
    log.claim(note(3, &[5]));
    log.claim(note(2, &[5]));
    let commitment = log.commit();
    (log, commitment)
}

#[test]
fn an_entry_that_is_not_listed() {
    let (log, commitment) = hiding();
    let head = log.head();
    let accuser = Accuser::of_log(&head, &log, &log);
    for label in labels_of_entry(&log.entry(3)) {
        let listing = log.listing(label, commitment);
        let broken = Broken::Omitted { leaf: at(3), label };
        let built = accuser.omission(at(3), at(commitment), listing.get());
        assert_eq!(shown(&log, built, &broken).kind(), "omission");
        // Those beside it are listed.
        for leaf in [1, 2, 4, 5] {
            nothing(accuser.omission(at(leaf), at(commitment), listing.get()));
        }
        nothing(accuser.surplus(at(3), at(commitment), listing.get()));
    }
}

/// Before the first leaf, after the last one, beside the only one, and with no list at all.
#[test]
fn an_entry_that_is_not_listed_at_an_end() {
    for (hidden, claims) in [
        (1, [note(1, &[5]), note(1, &[5]), note(1, &[5])]),
        (3, [note(1, &[5]), note(1, &[5]), note(1, &[5])]),
        (1, [note(1, &[5]), note(1, &[5]), note(2, &[5])]),
        (2, [note(1, &[5]), note(1, &[5]), note(2, &[5])]),
        (3, [note(1, &[5]), note(1, &[5]), note(2, &[5])]),
        (1, [note(1, &[5]), note(2, &[6]), note(3, &[6])]),
    ] {
        let mut log = Log::new();
        for (leaf, claim) in (1..).zip(claims) {
            if leaf == hidden {
                log.hidden(claim);
            } else {
                log.claim(claim);
            }
        }
        let commitment = log.commit();
        let head = log.head();
        let accuser = Accuser::of_log(&head, &log, &log);
        for label in labels_of_entry(&log.entry(hidden)) {
            let listing = log.listing(label, commitment);
            let leaf = at(hidden);
            let broken = Broken::Omitted { leaf, label };
            let built = accuser.omission(leaf, at(commitment), listing.get());
            shown(&log, built, &broken);
        }
    }
    // Nothing is listed at all: the trie is empty, and so is the cut.
    let mut log = Log::new();
    log.hidden(note(1, &[5]));
    let commitment = log.commit();
    let head = log.head();
    let accuser = Accuser::of_log(&head, &log, &log);
    let listing = log.listing(label_of(&log, 1), commitment);
    assert_eq!(listing.cut.len(), 0);
    let broken = Broken::Omitted {
        leaf: at(1),
        label: listing.label,
    };
    let built = accuser.omission(at(1), at(commitment), listing.get());
    shown(&log, built, &broken);
}

#[test]
fn an_entry_that_comes_after_the_commitment_need_not_be_listed() {
    let mut log = Log::new();
    let before = log.claim(note(1, &[5]));
    let commitment = log.commit();
    let after = log.claim(note(1, &[5]));
    log.commit();
    let head = log.head();
    let accuser = Accuser::of_log(&head, &log, &log);
    let listing = log.listing(label_of(&log, before), commitment);
    nothing(accuser.omission(at(after), at(commitment), listing.get()));
    nothing(accuser.omission(at(before), at(commitment), listing.get()));
}

#[test]
fn an_entry_that_is_listed_where_it_does_not_belong() {
    let mut log = Log::new();
    let first = log.claim(note(1, &[5]));
    let second = log.claim(note(2, &[5]));
    let label = labels_of_entry(&log.entry(first))
        .into_iter()
        .find(|label| !labels_of_entry(&log.entry(second)).contains(label))
        .unwrap();
    log.list(label, second);
    let commitment = log.commit();
    let head = log.head();
    let accuser = Accuser::of_log(&head, &log, &log);
    let listing = log.listing(label, commitment);
    let broken = Broken::Unrelated {
        leaf: at(second),
        label,
    };
    let built = accuser.surplus(at(second), at(commitment), listing.get());
    assert_eq!(shown(&log, built, &broken).kind(), "surplus");
    nothing(accuser.surplus(at(first), at(commitment), listing.get()));
    nothing(accuser.omission(at(second), at(commitment), listing.get()));
    // The auditor who cosigned it did not rebuild the index.
    let audited = log.audited();
    let auditor = Accuser::of_auditor(&audited, &log, &log);
    let found = auditor.surplus(at(second), at(commitment), listing.get());
    assert_eq!(found.unwrap().kind(), "auditor");
}

/// What stands behind it in the list shows nothing: with that, it is another encoding of the same.
#[test]
fn a_leaf_that_does_not_belong_in_a_list_is_shown_alone() {
    let mut log = Log::new();
    let strange = Label::from_bytes([7; 32]);
    for leaf in [log.claim(note(1, &[5])), log.claim(note(2, &[5]))] {
        log.list(strange, leaf);
    }
    let commitment = at(log.commit());
    let listing = log.listing(strange, commitment.get());
    let head = log.head();
    let accuser = Accuser::of_log(&head, &log, &log);
    let broken = Broken::Unrelated {
        leaf: at(1),
        label: strange,
    };
    let built = accuser.surplus(at(1), commitment, listing.get());
    shown(&log, built, &broken);
    let listed = Listed {
        label: strange,
        cut: listing.cut.clone(),
        neighbors: Some(Neighbors {
            position: 0,
            first: at(1),
            second: Some(at(2)),
            path: range::prove_page(&listing.list, 0..2),
        }),
    };
    nothing(accuser.accuse(Kind::Surplus, Some(listed), &[at(1), commitment]));
}

#[test]
fn a_leaf_that_is_listed_before_it_exists() {
    for ahead in [0, 1, 1000] {
        let mut log = Log::new();
        let first = log.claim(note(1, &[5]));
        let label = label_of(&log, first);
        log.list(label, first + 1 + ahead);
        let commitment = log.commit();
        let head = log.head();
        let accuser = Accuser::of_log(&head, &log, &log);
        let listing = log.listing(label, commitment);
        let leaf = at(commitment + ahead);
        let built = accuser.surplus(leaf, at(commitment), listing.get());
        shown(&log, built, &Broken::Uncovered { leaf, label });
    }
}

/// A list that does not ascend, which no index of ours makes: a trie of one label, by hand.
#[test]
fn a_list_that_does_not_ascend() {
    let mut log = Log::new();
    log.claim(note(1, &[5]));
    log.claim(note(1, &[5]));
    let label = label_of(&log, 1);
    for list in [[at(2), at(1)], [at(1), at(1)]] {
        let mut log = log.clone();
        let [a, b] = list.map(|leaf| Hash::of_parts(&[&[0x13], &leaf.get().to_be_bytes()]));
        let root = Hash::of_parts(&[&[0x14], a.as_bytes(), b.as_bytes()]);
        let cut = [
            &[1][..],
            label.as_bytes(),
            &2_u64.to_be_bytes(),
            root.as_bytes(),
        ]
        .concat();
        let said = Commitment {
            root: Hash::of_parts(&[
                &[0x11],
                label.as_bytes(),
                &2_u64.to_be_bytes(),
                root.as_bytes(),
            ]),
            labels: 1,
        };
        let commitment = log.hidden(said.to_wire());
        let list = list.to_vec();
        let (first, second) = (list[0], list[1]);
        let listing = OwnListing { label, cut, list };
        let head = log.head();
        let accuser = Accuser::of_log(&head, &log, &log);
        let built = accuser.omission(at(1), at(commitment), listing.get());
        let broken = Broken::Unordered {
            label,
            first,
            second,
        };
        shown(&log, built, &broken);
    }
}

/// A cut that opens more than the way to the label is another encoding of the same.
#[test]
fn a_cut_opens_the_way_to_the_label_only() {
    let (log, commitment) = hiding();
    let head = log.head();
    let accuser = Accuser::of_log(&head, &log, &log);
    let labels = labels_of_entry(&log.entry(3));
    let mut listing = log.listing(labels[0], commitment);
    let other = log.labels().into_iter().find(|label| *label != labels[0]);
    let both = [labels[0], other.unwrap()];
    listing.cut = log.cut(&both, commitment);
    assert!(Cut::verify(&listing.cut, &log.committed(commitment)).is_ok());
    match accuser.omission(at(3), at(commitment), listing.get()) {
        Err(BuildError::Breach(error)) => assert_eq!(error, MisbehaviorError::Encoding.into()),
        other => panic!("{other:?}"),
    }
    // One that leaves out the way to it shows nothing.
    listing.cut = log.cut(&both[1..], commitment);
    nothing(accuser.omission(at(3), at(commitment), listing.get()));
}
