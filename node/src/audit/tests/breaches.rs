//! Breaches that others show, and telling others of those that are found here.

use super::*;
use crate::misbehavior::made;

#[test]
fn a_breach_that_others_show_ends_audit_cosignatures() {
    let mut log = Log::honest(30, 7);
    let good = log.size();
    let store = Arc::new(Memory::new());
    mirror(&store, &log.entries);
    let evidence = evidence();
    let found = made::by_log(&log_key(), 1, false);
    // Whether it holds entries of Assay is not known yet.
    assert!(evidence.report(found.text().as_bytes()).is_err());
    let mut auditor = start_with(&store, evidence.clone());
    auditor.run().unwrap();
    assert_eq!(
        (auditor.state(), auditor.cosigned()),
        (State::Audited, good)
    );
    assert_eq!(auditor.copied.status.load().breach, None);

    // An auditor's word against another is none against the log.
    assert!(evidence.report(found.text().as_bytes()).unwrap().1);
    log.grow(31..60, 7);
    mirror(&store, &log.entries);
    for mut auditor in [auditor, start_with(&store, evidence)] {
        auditor.run().unwrap();
        assert_eq!((auditor.state(), auditor.cosigned()), (State::Broken, good));
        let status = auditor.copied.status.load();
        assert!(status.finding.is_none());
        assert_eq!(status.replayed, log.size());
        let shown = status.breach.clone().unwrap();
        assert_eq!((shown.id, shown.kind), (found.id(), "commitment"));
        let verifier = assay_claims::misbehavior::breach::VERIFIER;
        assert_eq!(shown.verifier, Some(verifier));
    }
}

#[test]
fn what_is_found_here_is_kept_for_others() {
    let mut log = Log::honest(30, 7);
    log.push(claim(5, 1));
    log.commit();
    let store = Arc::new(Memory::new());
    mirror(&store, &log.entries);
    let first = evidence();
    let mut auditor = start_with(&store, first.clone());
    auditor.run().unwrap();
    let found = first.breach_by(ORIGIN).unwrap();
    assert_eq!(found.kind, "entry");
    assert_eq!(auditor.copied.status.load().breach.as_ref(), Some(&found));
    assert!(!first.convicts_log(ORIGIN));
    // It was found by a version that told nobody.
    let later = evidence();
    start_with(&store, later.clone()).run().unwrap();
    assert_eq!(later.breach_by(ORIGIN), Some(found));
}
