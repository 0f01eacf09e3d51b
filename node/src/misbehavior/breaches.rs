//! Breaches: whose are kept, how many, and that they convict nobody.

use super::*;
use super::{
    made,
    tests::{ORIGIN, files, key, keys, open, split},
};
use assay_claims::misbehavior::MisbehaviorError;
use assay_claims::misbehavior::breach::{BreachError, VERIFIER};
use assay_tlog::note::{Algorithm, CosignerKey};
use assay_tlog::witness::WitnessKeys;

const OTHER: &str = "log.example/b";

/// A log that is one of Assay, and others that may hold anything.
fn known(own: &str, others: &[&str]) -> Known {
    let mut known = keys(others);
    known.own_log(&key(own).verifier());
    known
}

fn refusal(evidence: &Evidence, text: &str) -> BreachError {
    match evidence.report(text.as_bytes()).unwrap_err() {
        NotKept::Unproven(error) => error,
        other => panic!("{other}"),
    }
}

fn not_assay(origin: &str) -> BreachError {
    BreachError::NotAssay {
        origin: origin.to_owned(),
    }
}

#[test]
fn a_breach_by_an_assay_log_is_kept_and_convicts_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Evidence::open(&[folder.path()], known(ORIGIN, &[OTHER])).unwrap();
    let evidence = start();
    let found = made::by_log(&key(ORIGIN), 1, false);
    let text = found.text().as_bytes();
    for at in 0..text.len() {
        let mut changed = text.to_vec();
        changed[at] ^= 1;
        assert!(evidence.report(&changed).is_err(), "byte {at}");
    }
    // A later version, and a kind of its.
    for (from, to) in [("behavior/v1", "behavior/v2"), ("kind c", "kind d")] {
        let later = found.text().replace(from, to);
        assert!(refusal(&evidence, &later).is_unsupported(), "{to}");
    }
    // A log that is copied or cosigned here may hold anything, and of a stranger nothing is known.
    for origin in [OTHER, "log.example/c"] {
        let text = made::by_log(&key(origin), 1, false);
        assert_eq!(refusal(&evidence, text.text()), not_assay(origin));
    }
    assert_eq!((files(&folder), evidence.list(None)), (vec![], vec![]));

    assert_eq!(evidence.report(text).unwrap(), (found.id(), true));
    assert_eq!(evidence.report(text).unwrap(), (found.id(), false));
    for evidence in [evidence, start()] {
        assert!(!evidence.convicts_log(ORIGIN));
        let kept = evidence.breach_by(ORIGIN).unwrap();
        assert_eq!((kept.id, kept.kind), (found.id(), "commitment"));
        assert_eq!((kept.verifier, kept.convicts()), (Some(VERIFIER), false));
        assert_eq!(evidence.breach_by(OTHER), None);
        assert_eq!(evidence.list(None), [kept]);
        assert_eq!(evidence.read(&found.id()).unwrap().unwrap(), text);
    }
    // It is not held to the rules any more.
    assert_eq!(open(&folder, &[ORIGIN]).list(None), []);
}

#[test]
fn a_log_that_is_replayed_here_is_held_to_the_rules_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let found = made::by_log(&key(ORIGIN), 1, true);
    let evidence = open(&folder, &[ORIGIN]);
    assert_eq!(refusal(&evidence, found.text()), not_assay(ORIGIN));
    evidence.audits(ORIGIN);
    assert!(evidence.report(found.text().as_bytes()).unwrap().1);
    // What peers come and go does not matter.
    assert!(evidence.follow(&[]));
    assert!(
        evidence
            .assay()
            .logs
            .iter()
            .any(|log| log.origin() == ORIGIN)
    );
    let again = open(&folder, &[ORIGIN]);
    assert_eq!(again.breach_by(ORIGIN), None);
    again.audits(ORIGIN);
    assert_eq!(again.breach_by(ORIGIN).map(|it| it.id), Some(found.id()));
}

/// Breaches and convictions have room of their own.
#[test]
fn a_flood_of_breaches_keeps_no_conviction_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut evidence = Evidence::open(&[folder.path()], known(ORIGIN, &[OTHER])).unwrap();
    for number in 1..=4 {
        assert!(
            evidence
                .keep_breach(&made::by_log(&key(ORIGIN), number, false))
                .unwrap()
        );
    }
    let refused = evidence.keep_breach(&made::by_log(&key(ORIGIN), 5, false));
    assert!(matches!(refused, Err(NotKept::Enough { .. })));
    // Another kind has room of its own, until there is too much of all of them.
    assert!(
        evidence
            .keep_breach(&made::by_log(&key(ORIGIN), 1, true))
            .unwrap()
    );
    let (held, bytes) = evidence.read_kept(|kept| kept.held(false));
    assert_eq!((held, files(&folder).len()), (5, 5));
    let next = made::by_log(&key(ORIGIN), 2, true);
    for limits in [
        Limits { files: 5, ..LIMITS },
        Limits {
            bytes: bytes + next.text().len() - 1,
            ..LIMITS
        },
    ] {
        evidence.limits = limits;
        let refused = evidence.keep_breach(&next).unwrap_err();
        assert!(matches!(refused, NotKept::Full), "{refused}");
    }
    evidence.limits = Limits { files: 5, ..LIMITS };
    for size in 1..=4 {
        assert!(evidence.keep(&split(ORIGIN, size)).unwrap());
    }
    assert!(evidence.keep(&split(OTHER, 1)).unwrap());
    assert!(evidence.convicts_log(ORIGIN) && evidence.convicts_log(OTHER));
    assert_eq!(files(&folder).len(), 10);
}

/// The log may never have signed what an auditor cosigned.
#[test]
fn what_an_auditor_cosigned_is_held_against_the_auditor_only() {
    let folder = tempfile::tempdir().unwrap();
    let name = "peer.example/audit";
    let ed25519 = CosignerKey::from_seed(name, Algorithm::CosignatureV1, &[2; 32]).unwrap();
    let auditor = WitnessKeys::new(ed25519, None).unwrap();
    let vkey = auditor.verifiers()[0].to_string();
    let found = made::by_auditor(&auditor, ORIGIN);
    let card = |kind: &str| {
        let text =
            format!("[[peer]]\nname = \"p\"\nurl = \"https://p.example\"\n{kind} = [{vkey:?}]\n");
        crate::peers::file::parse(&text, "the test").unwrap()
    };
    let evidence = Evidence::open(&[folder.path()], known(ORIGIN, &[])).unwrap();
    let unknown: BreachError = MisbehaviorError::UnknownCulprit(found.culprit().clone()).into();
    assert_eq!(refusal(&evidence, found.text()), unknown);
    // A mirror that only stores says nothing of rules.
    assert!(evidence.follow(&card("mirror")));
    assert_eq!(refusal(&evidence, found.text()), unknown);
    assert!(evidence.follow(&card("audit")));
    assert!(evidence.report(found.text().as_bytes()).unwrap().1);
    assert_eq!(evidence.breach_by(ORIGIN), None);
    assert!(!evidence.convicts_cosigner(name));
}

/// Only nodes of Assay exchange heads; and a peer brings keys of its own only.
#[test]
fn the_log_of_a_node_that_heads_are_exchanged_with_is_held_to_the_rules() {
    let folder = tempfile::tempdir().unwrap();
    let evidence = open(&folder, &[ORIGIN]);
    let card = |key: &assay_tlog::note::SignerKey, roles: &str| {
        let vkey = key.verifier();
        let text = format!(
            "[[peer]]\nname = \"p\"\nurl = \"https://p.example\"\nlog = [\"{vkey}\"]\n{roles}"
        );
        crate::peers::file::parse(&text, "the test").unwrap()
    };
    let is_held = || !evidence.assay().logs.is_empty();
    assert!(evidence.follow(&card(&key(OTHER), "roles = [\"witness\", \"mirror\"]\n")));
    assert!(!is_held());
    assert!(evidence.follow(&card(&key(OTHER), "")));
    assert_eq!(evidence.assay().logs[0].origin(), OTHER);
    let thief = assay_tlog::note::SignerKey::from_seed(ORIGIN, &[99; 32]).unwrap();
    assert!(evidence.follow(&card(&thief, "")));
    assert!(!is_held());
    assert!(evidence.follow(&card(&key(ORIGIN), "")));
    assert_eq!(evidence.assay().logs[0].origin(), ORIGIN);
}

/// An operator clears what convicts nobody, and what still holds comes back.
#[test]
fn breaches_are_cleared_and_convictions_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Evidence::open(&[folder.path()], known(ORIGIN, &[])).unwrap();
    let evidence = start();
    let found = made::by_log(&key(ORIGIN), 1, true);
    let convicting = split(ORIGIN, 3);
    assert!(evidence.keep_breach(&found).unwrap());
    assert!(evidence.keep(&convicting).unwrap());
    assert_eq!(evidence.clear(OTHER).unwrap(), []);
    let cleared = evidence.clear(ORIGIN).unwrap();
    assert_eq!(
        cleared.iter().map(|it| it.id).collect::<Vec<_>>(),
        [found.id()]
    );
    assert_eq!(evidence.clear(ORIGIN).unwrap(), []);
    assert_eq!(files(&folder).len(), 1);
    for evidence in [&evidence, &start()] {
        assert_eq!(evidence.breach_by(ORIGIN), None);
        assert!(evidence.convicts_log(ORIGIN));
        assert_eq!(evidence.read(&found.id()).unwrap(), None);
    }
    assert!(evidence.report(found.text().as_bytes()).unwrap().1);
    assert!(evidence.breach_by(ORIGIN).is_some());
}
