//! Commitments, and what is not known.

use super::*;
use crate::index::ADMISSION_VERSION;

fn unsupported(built: Built<Log, Log>) {
    match built {
        Err(BuildError::Breach(error)) => assert!(error.is_unsupported(), "{error}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_last_leaf_is_a_commitment() {
    let mut log = Log::new();
    log.claim(note(1, &[5]));
    let broken = Broken::NoCommitment { size: log.size() };
    let head = log.head();
    let accuser = Accuser::of_log(&head, &log, &log);
    assert_eq!(
        shown(&log, accuser.last_leaf(), &broken).kind(),
        "commitment"
    );
    nothing(accuser.first_leaf());
    found(&log, &broken);
    log.commit();
    let head = log.head();
    nothing(Accuser::of_log(&head, &log, &log).last_leaf());
    // One whose root has another length commits to nothing.
    let cut = wire_commitment(&log, |said| said.root = vec![0; 31].into());
    log.hidden(cut.clone());
    let broken = Broken::NoCommitment { size: log.size() };
    found(&log, &broken);
    // In another version that may be its form.
    log.hidden(crate::entry::wire::IndexCommitment {
        mapping_version: MAPPING_VERSION + 1,
        ..cut
    });
    let head = log.head();
    unsupported(Accuser::of_log(&head, &log, &log).last_leaf());
}

fn wire_commitment(
    log: &Log,
    change: impl Fn(&mut crate::entry::wire::IndexCommitment),
) -> crate::entry::wire::IndexCommitment {
    let mut said = log.commitment();
    change(&mut said);
    said
}

#[test]
fn the_first_leaf_commits_to_the_empty_index() {
    let mut log = Log::bare();
    log.claim(note(1, &[5]));
    log.commit();
    found(&log, &Broken::NotEmpty);
    let mut log = Log::bare();
    let one = wire_commitment(&log, |said| said.labels = 1);
    log.hidden(one.clone());
    let head = log.head();
    let accuser = Accuser::of_log(&head, &log, &log);
    shown(&log, accuser.first_leaf(), &Broken::NotEmpty);
    found(&log, &Broken::NotEmpty);
    let mut log = Log::bare();
    log.hidden(crate::entry::wire::IndexCommitment {
        mapping_version: MAPPING_VERSION + 1,
        ..one
    });
    let head = log.head();
    unsupported(Accuser::of_log(&head, &log, &log).first_leaf());
}

/// A log with two commitments of these versions, mapping and admission, at the leaves 0 and 2.
fn with_versions(first: (u32, u32), second: (u32, u32)) -> Log {
    let mut log = Log::bare();
    for (mapping, admission) in [first, second] {
        let said = wire_commitment(&log, |said| {
            said.mapping_version = mapping;
            said.admission_version = admission;
        });
        log.hidden(said);
        if log.size().get() == 1 {
            log.claim(note(1, &[5]));
        }
    }
    log
}

#[test]
fn a_version_does_not_change_or_fall() {
    let (mapping, admission) = (MAPPING_VERSION, ADMISSION_VERSION);
    let (before, leaf) = (at(0), at(2));
    for other in [mapping - 1, mapping + 1] {
        for (a, b) in [(mapping, other), (other, mapping)] {
            let log = with_versions((a, admission), (b, admission));
            found(&log, &Broken::Mapping { before, leaf });
        }
    }
    let fallen = Broken::Admission { before, leaf };
    found(&with_versions((mapping, 7), (mapping, admission)), &fallen);
    found(&with_versions((mapping, admission), (mapping, 0)), &fallen);
    for (first, second) in [
        ((mapping + 1, admission), (mapping + 2, admission)),
        ((mapping, admission + 2), (mapping, admission + 1)),
    ] {
        let log = with_versions(first, second);
        let head = log.head();
        unsupported(Accuser::of_log(&head, &log, &log).commitment(before, leaf));
    }
    // To rise is allowed.
    for versions in [(mapping, admission), (mapping, admission + 1)] {
        let log = with_versions((mapping, admission), versions);
        let head = log.head();
        nothing(Accuser::of_log(&head, &log, &log).commitment(before, leaf));
    }
}

#[test]
fn a_commitment_is_not_older_than_what_it_covers() {
    let mut log = Log::new();
    log.claim(note(1, &[5]));
    log.now_ms -= 1;
    log.commit();
    let broken = Broken::Time {
        before: at(1),
        leaf: at(2),
    };
    assert_eq!(found(&log, &broken).kind(), "commitment");
    let head = log.head();
    let accuser = Accuser::of_log(&head, &log, &log);
    nothing(accuser.entry_after(at(1), at(2)));
    // Under rules that are not known it may be.
    let mut log = Log::new();
    log.claim(note(1, &[5]));
    log.now_ms -= 1;
    let later = wire_commitment(&log, |said| said.admission_version = ADMISSION_VERSION + 1);
    log.hidden(later);
    let head = log.head();
    unsupported(Accuser::of_log(&head, &log, &log).commitment(at(1), at(2)));
}

/// Whatever a claim is: under rules that are not known it may be right.
#[test]
fn rules_that_are_not_known_are_not_broken() {
    let mut claim = note(1, &[5]);
    claim.signatures[0].signature = vec![0; 64].into();
    let unknown = [
        (MAPPING_VERSION + 1, ADMISSION_VERSION),
        (MAPPING_VERSION, ADMISSION_VERSION + 1),
        (MAPPING_VERSION, 0),
    ];
    for (mapping, admission) in unknown {
        let mut log = Log::new();
        log.claim(claim.clone());
        let said = wire_commitment(&log, |said| {
            said.mapping_version = mapping;
            said.admission_version = admission;
        });
        log.hidden(said);
        let head = log.head();
        unsupported(Accuser::of_log(&head, &log, &log).entry(at(1)));
    }
}

/// Fields that this version does not know, or bytes that it cannot read.
#[test]
fn entries_that_are_not_known_blame_nobody() {
    let known = crate::entry::encode(1, note(1, &[5])).unwrap();
    let more = [&known[..], &[0x50, 0x01]].concat();
    for bytes in [more, vec![0xff; 40], vec![]] {
        let mut log = Log::new();
        let leaf = log.raw(bytes.clone().into());
        let head = log.head();
        unsupported(Accuser::of_log(&head, &log, &log).last_leaf());
        log.commit();
        let head = log.head();
        let accuser = Accuser::of_log(&head, &log, &log);
        unsupported(accuser.entry(at(leaf)));
        assert_eq!(accuser.at_leaf(at(leaf)).unwrap(), None);
        let mut log = Log::bare();
        log.raw(bytes.into());
        let head = log.head();
        unsupported(Accuser::of_log(&head, &log, &log).first_leaf());
    }
}
