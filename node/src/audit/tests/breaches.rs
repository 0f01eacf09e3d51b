//! Breaches that others show, and telling others of those that are found here.

use super::*;
use crate::audit::{clear::Cleared, store};
use crate::misbehavior::made;
use assay_claims::audit::{Finding, Rule};
use futures::FutureExt as _;

impl Started {
    /// Asks for it, and goes on until there is nothing to do.
    fn clear(&mut self) -> Cleared {
        let copied = self.copied.clone();
        let mut asked = Box::pin(copied.ask_to_clear());
        assert!((&mut asked).now_or_never().is_none());
        self.run().unwrap();
        asked.now_or_never().unwrap().unwrap()
    }
}

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
    for auditor in [&mut auditor, &mut start_with(&store, evidence.clone())] {
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

#[test]
fn what_was_found_is_cleared_and_what_is_right_is_audited_again() {
    let mut log = Log::honest(30, 7);
    let good = log.size();
    let store = Arc::new(Memory::new());
    mirror(&store, &log.entries);
    let evidence = evidence();
    let mut auditor = start_with(&store, evidence.clone());
    auditor.run().unwrap();
    log.grow(31..60, 7);
    mirror(&store, &log.entries);
    // Another version found it, and others showed a breach.
    let finding = Finding {
        rule: Rule::of_name("claim").unwrap(),
        leaf: LeafIndex::new(good),
        other: None,
        reason: "a rule of another version".to_owned(),
    };
    let (mut own, mut batch) = (Batch::new(), Batch::new());
    store::put_finding(&mut own, &finding, Some("disputed"));
    auditor.copied.view.store().append(own, &mut batch);
    store.commit(batch).unwrap();
    let found = made::by_log(&log_key(), 1, false);
    assert!(evidence.report(found.text().as_bytes()).unwrap().1);
    let mut auditor = start_with(&store, evidence.clone());
    auditor.run().unwrap();
    assert_eq!((auditor.state(), auditor.cosigned()), (State::Broken, good));
    assert!(auditor.copied.dispute.load().is_some());

    let cleared = auditor.clear();
    assert_eq!((cleared.finding, cleared.audited), (Some(finding), good));
    assert_eq!(cleared.breaches[0].id, found.id());
    for auditor in [&mut auditor, &mut start_with(&store, evidence.clone())] {
        auditor.run().unwrap();
        assert_eq!(
            (auditor.state(), auditor.cosigned()),
            (State::Audited, log.size())
        );
        assert!(auditor.copied.dispute.load().is_none());
        auditor.check(&log);
    }
    let cleared = auditor.clear();
    assert!(cleared.finding.is_none() && cleared.breaches.is_empty());
}

#[test]
fn what_still_holds_is_found_again() {
    let good = Log::honest(30, 7);
    for is_dispute in [false, true] {
        let mut log = good.clone();
        if is_dispute {
            log.say(Commitment::empty());
        } else {
            log.push(claim(5, 1));
            log.commit();
        }
        let store = Arc::new(Memory::new());
        mirror(&store, &log.entries);
        let evidence = evidence();
        let mut auditor = start_with(&store, evidence.clone());
        auditor.run().unwrap();
        let (state, found) = (auditor.state(), auditor.found());
        let breach = evidence.breach_by(ORIGIN);
        assert_eq!(breach.is_none(), is_dispute);
        let cleared = auditor.clear();
        assert!(cleared.finding.is_some());
        assert_eq!(cleared.breaches, Vec::from_iter(breach.clone()));
        assert_eq!((auditor.state(), auditor.found()), (state, found));
        assert_eq!(evidence.breach_by(ORIGIN), breach);
        assert_eq!(auditor.copied.dispute.load().is_some(), is_dispute);
    }
}

/// What was signed is signed again with the next keys, which takes no new head.
#[test]
fn the_next_keys_sign_what_is_shown() {
    let log = Log::honest(30, 7);
    let store = Arc::new(Memory::new());
    mirror(&store, &log.entries);
    let mut auditor = start(&store);
    auditor.run().unwrap();
    let next = [(Algorithm::CosignatureV1, 4), (Algorithm::MlDsa44, 5)].map(|(algorithm, seed)| {
        CosignerKey::from_seed(keys().name(), algorithm, &[seed; 32]).unwrap()
    });
    let both = keys().with_next(next.into()).unwrap();
    let verifier = CosignerVerifier::new(both.verifiers()).unwrap();
    let signed = |auditor: &Started| {
        let note = auditor.copied.audited.load_full().unwrap();
        let cosigned = verifier.verify(&note).unwrap();
        (
            cosigned.checkpoint().size.get(),
            cosigned.statements().len(),
        )
    };
    assert_eq!(signed(&auditor), (log.size(), 2));
    auditor.signs.store(Arc::new(both));
    auditor.run().unwrap();
    assert_eq!(signed(&auditor), (log.size(), 4));
}
