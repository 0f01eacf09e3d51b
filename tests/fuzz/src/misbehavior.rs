//! Texts of misbehavior: whoever is convicted signed what the text says.

use crate::target::Target;
use crate::world::{AUDITOR, HISTORY, LOG, Log, NOW_S, ORIGIN, WITNESS, claim};
use assay_claims::misbehavior::breach::Accuser;
use assay_claims::misbehavior::{
    AssayKeys, Culprit, KnownKeys, Role, VerifiedMisbehavior, VerifiedText,
};
use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::cosigner::CosignerVerifier;
use assay_tlog::head::LogVerifier;
use assay_tlog::note::{CosignerKey, Note};
use assay_tlog::tree::TreeSize;

pub fn targets() -> Vec<Target> {
    vec![Target::new("misbehavior", misbehavior).with([
        split(),
        by_witness(),
        last_leaf(false),
        last_leaf(true),
    ])]
}

fn cosigner(key: &CosignerKey) -> CosignerVerifier {
    CosignerVerifier::new(vec![key.verifier()]).unwrap()
}

fn log() -> LogVerifier {
    LogVerifier::new(ORIGIN, vec![LOG.verifier()]).unwrap()
}

fn known() -> (KnownKeys, AssayKeys) {
    let keys = KnownKeys {
        logs: vec![log()],
        witnesses: vec![cosigner(&WITNESS)],
        mirrors: vec![cosigner(&AUDITOR)],
    };
    let assay = AssayKeys {
        logs: vec![log()],
        auditors: vec![cosigner(&AUDITOR)],
    };
    (keys, assay)
}

fn heads() -> [Checkpoint; 2] {
    [b"one", b"two"].map(|root| Checkpoint {
        origin: ORIGIN.into(),
        size: TreeSize::new(7),
        root: Hash::of(root),
    })
}

/// Two roots of one size.
fn split() -> String {
    let [one, two] = heads().map(|head| log().verify(&head.sign(&LOG)).unwrap());
    let found = VerifiedMisbehavior::of_log(&one, &two, None).unwrap();
    found.text().to_owned()
}

fn by_witness() -> String {
    let [one, two] = heads().map(|head| {
        let line = WITNESS.cosign(&head, NOW_S).unwrap();
        let note = format!("{}\n{line}", head.body());
        cosigner(&WITNESS).verify(&note).unwrap()
    });
    let found = VerifiedMisbehavior::of_cosigner(Role::Witness, &one, &two, None).unwrap();
    found.text().to_owned()
}

/// A log, or an auditor of one, whose last leaf is no commitment.
fn last_leaf(of_auditor: bool) -> String {
    let mut broken = Log::default();
    broken.commit();
    broken.claim(claim("pkg:cargo/a@1", 1));
    let head = broken.checkpoint();
    let accuser = if of_auditor {
        let line = AUDITOR.cosign(&head, NOW_S).unwrap();
        let note = format!("{}\n{line}", head.body());
        let head = cosigner(&AUDITOR).verify(&note).unwrap();
        Accuser::of_auditor(&head, &broken, &broken)
    } else {
        let head = log().verify(&head.sign(&LOG)).unwrap();
        Accuser::of_log(&head, &broken, &broken)
    };
    accuser.last_leaf().unwrap().text().to_owned()
}

/// A text has one spelling, and its notes are signed by the culprit. A true history convicts
/// nobody.
fn misbehavior(bytes: &[u8]) -> bool {
    let (keys, assay) = known();
    let Ok(found) = VerifiedText::verify(bytes, &keys, &assay) else {
        return false;
    };
    assert_eq!(found.text().as_bytes(), bytes);
    assert_eq!(found.id(), Hash::of(bytes));
    assert_eq!(found.origin(), ORIGIN);
    let verifier = match found.culprit() {
        Culprit::Log(_) => LOG.verifier(),
        Culprit::Witness(_) => WITNESS.verifier(),
        Culprit::Mirror(_) => AUDITOR.verifier(),
    };
    let text = found.text();
    assert!(
        !text.contains(&HISTORY.checkpoint().body()),
        "a true head convicts"
    );
    let mut signed = 0;
    for (at, _) in text.match_indices(&format!("{ORIGIN}\n7\n")) {
        // A note lasts until the next one begins, or to the end.
        let end = text[at..]
            .find("\nnote ")
            .map_or(text.len(), |end| at + end + 1);
        let note = Note::parse(&text.as_bytes()[at..end]).unwrap();
        assert!(note.verify(std::slice::from_ref(&verifier)).is_ok());
        signed += 1;
    }
    assert!(signed == 2 || matches!(found, VerifiedText::Breach(_)));
    true
}
