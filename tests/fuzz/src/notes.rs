//! Notes, checkpoints, keys, proofs in files, policies of logs, lists of logs, requests to
//! witnesses.

use crate::target::Target;
use crate::world::{HISTORY, LOG, NOW_S, ORIGIN, WITNESS, has_line, log_signed};
use assay_tlog::checkpoint::{Checkpoint, VerifiedCheckpoint};
use assay_tlog::cosigner::CosignerVerifier;
use assay_tlog::head::LogVerifier;
use assay_tlog::limits;
use assay_tlog::log_list::LogList;
use assay_tlog::note::{Algorithm, CosignerKey, Note, SignerKey, VerifierKey};
use assay_tlog::tlog_policy::TlogPolicy;
use assay_tlog::tlog_proof::TlogProof;
use assay_tlog::tree::{LeafIndex, TreeSize, prove_consistency, prove_inclusion};
use assay_tlog::witness::{Request, WitnessKeys, WitnessedLog};
use std::fmt::Write as _;

pub fn targets() -> Vec<Target> {
    let quantum = CosignerKey::from_seed("witness.example/q", Algorithm::MlDsa44, &[7; 32]);
    let quantum = quantum.unwrap();
    let mut cosigned = HISTORY.note();
    cosigned += &quantum.cosign(&HISTORY.checkpoint(), NOW_S).unwrap();
    let keys = [
        LOG.verifier().to_string(),
        WITNESS.verifier().to_string(),
        quantum.verifier().to_string(),
        LOG.to_private_string().to_string(),
        WITNESS.to_private_string().to_string(),
        quantum.to_private_string().to_string(),
    ];
    vec![
        Target::new("note", note).with([cosigned.as_str(), &any_note()]),
        Target::of_text("checkpoint", checkpoint).with([HISTORY.checkpoint().body()]),
        Target::of_text("checkpoint-signed", checkpoint_signed).with([cosigned.as_str()]),
        Target::of_text("key", key).with(keys),
        Target::new("tlog-proof", tlog_proof).with([proof_file(None), proof_file(Some(b"x"))]),
        Target::of_text("tlog-policy", tlog_policy).with([policy()]),
        Target::new("log-list", log_list).with([list()]),
        Target::new("witness-request", witness_request).with([request(0), request(3)]),
    ]
}

fn any_note() -> String {
    let text = "any text\n\nof several paragraphs\n";
    format!("{text}\n{}", LOG.sign(text))
}

/// A note has one spelling, and says that our key signed only what our key signs.
fn note(bytes: &[u8]) -> bool {
    let Ok(note) = Note::parse(bytes) else {
        return false;
    };
    let mut written = format!("{}\n", note.text());
    for line in note.signatures() {
        written.push_str(&line.to_string());
    }
    assert_eq!(written.as_bytes(), bytes);
    assert!((1..=limits::NOTE_SIGNATURES).contains(&note.signatures().len()));
    if let Ok(verified) = note.verify(&[LOG.verifier()]) {
        assert_eq!(verified.text(), note.text());
        assert!(log_signed(&written, verified.text()));
    }
    true
}

fn checkpoint(text: &str) -> bool {
    let Ok(checkpoint) = Checkpoint::parse_body(text) else {
        return false;
    };
    assert_eq!(checkpoint.body(), text);
    true
}

/// Three readers of signed checkpoints say the same, and nothing that was not signed.
fn checkpoint_signed(note: &str) -> bool {
    let log = LogVerifier::new(ORIGIN, vec![LOG.verifier()]).unwrap();
    let by_key = VerifiedCheckpoint::verify(note, &LOG.verifier());
    let by_log = log.verify_checkpoint(note);
    assert_eq!(by_key.as_ref().ok(), by_log.as_ref().ok());
    if let Ok(verified) = &by_key {
        assert!(log_signed(note, &verified.checkpoint().body()));
        assert_eq!((verified.note(), verified.origin()), (note, ORIGIN));
    }
    if let Ok(head) = log.verify(note) {
        assert!(log_signed(note, &head.checkpoint().body()));
        assert_eq!(log.verify(head.note()).as_ref(), Ok(&head));
    }
    let witness = CosignerVerifier::new(vec![WITNESS.verifier()]).unwrap();
    if let Ok(head) = witness.verify(note) {
        for said in head.statements() {
            let line = WITNESS.cosign(head.checkpoint(), said.at).unwrap();
            assert!(has_line(note, &head.checkpoint().body(), &line));
        }
        assert_eq!(witness.verify(head.note()).as_ref(), Ok(&head));
    }
    by_key.is_ok()
}

/// Keys have one spelling.
fn key(text: &str) -> bool {
    let verifier = VerifierKey::parse(text).map(|key| key.to_string());
    let signer = SignerKey::parse(text).map(|key| key.to_private_string().to_string());
    let cosigner = CosignerKey::parse(text).map(|key| key.to_private_string().to_string());
    let mut read = false;
    for written in [verifier, signer, cosigner].into_iter().flatten() {
        assert!(!read, "one text is two keys");
        assert_eq!(written, text);
        read = true;
    }
    read
}

fn proof_file(extra: Option<&[u8]>) -> String {
    let (leaf, size) = (LeafIndex::new(2), HISTORY.frontier.size());
    let proof = TlogProof {
        extra: extra.map(<[u8]>::to_vec),
        index: leaf,
        path: prove_inclusion(&*HISTORY, leaf, size).unwrap(),
        checkpoint: HISTORY.note(),
    };
    proof.to_string()
}

/// A proof has one spelling, and proves an entry of the log at its own place only.
fn tlog_proof(bytes: &[u8]) -> bool {
    let Ok(proof) = TlogProof::parse(bytes) else {
        return false;
    };
    assert_eq!(proof.to_string().as_bytes(), bytes);
    assert!(proof.path.len() <= limits::PROOF_HASHES);
    for leaf in 0..HISTORY.entries.len() as u64 {
        let leaf = LeafIndex::new(leaf);
        let hash = HISTORY.parsed(leaf).leaf_hash();
        if let Ok(proven) = proof.verify(&hash, &LOG.verifier()) {
            assert_eq!((proven.index(), proven.leaf_hash()), (leaf, hash));
            assert_eq!(proven.checkpoint().checkpoint(), &HISTORY.checkpoint());
        }
    }
    true
}

fn policy() -> String {
    let other = CosignerKey::from_seed("other.example/w", Algorithm::CosignatureV1, &[8; 32]);
    format!(
        "# known\nlog {} https://log.example/\n\nwitness w1 {}\twitness.example\nwitness w2 {}\n\
         group all all w1 w2\nquorum all\n",
        LOG.verifier(),
        WITNESS.verifier(),
        other.unwrap().verifier(),
    )
}

/// What a policy says can be written, and is then read as the same; a quorum is counted right.
fn tlog_policy(text: &str) -> bool {
    let Ok(policy) = TlogPolicy::parse(text) else {
        return false;
    };
    let mut written = String::new();
    for log in policy.logs() {
        let url = log.url.as_deref().unwrap_or_default();
        writeln!(written, "log {} {url}", log.key).unwrap();
    }
    for witness in policy.witnesses() {
        let url = witness.url.as_deref().unwrap_or_default();
        writeln!(written, "witness {} {} {url}", witness.name, witness.key).unwrap();
    }
    for group in policy.groups() {
        let members: Vec<_> = policy.members(group).collect();
        assert!((1..=members.len()).contains(&group.threshold));
        let members = members.join(" ");
        writeln!(
            written,
            "group {} {} {members}",
            group.name, group.threshold
        )
        .unwrap();
    }
    writeln!(written, "quorum {}", policy.quorum().unwrap_or("none")).unwrap();
    assert_eq!(
        TlogPolicy::parse(&written).as_ref(),
        Ok(&policy),
        "{written}"
    );
    assert!(policy.is_quorum(policy.witnesses().iter().map(|one| one.name.as_str())));
    assert_eq!(policy.is_quorum([]), policy.quorum().is_none());
    if let Some(size) = policy.quorum_size() {
        assert!(size.least <= policy.witnesses().len() && size.spare < size.operators.max(1));
    }
    if let Ok(quorum) = policy.verify(&HISTORY.note()) {
        assert!(policy.is_quorum(quorum.witnesses().iter().map(String::as_str)));
    }
    true
}

fn list() -> String {
    format!(
        "logs/v0\n\n# a comment\nvkey {0}\nqpd 86400\ncontact a@host.example\n\nvkey {0}\n\
         origin other.example/log\nqpd 1\ncontact https://host.example/\n",
        LOG.verifier()
    )
}

/// What a list says can be written, and is then read as the same.
fn log_list(bytes: &[u8]) -> bool {
    let Ok(list) = LogList::parse(bytes) else {
        return false;
    };
    let mut written = "logs/v0\n".to_owned();
    let mut origins = std::collections::BTreeSet::new();
    for log in &list.logs {
        let [key] = log.verifier.keys() else {
            panic!("a listed log has one key");
        };
        let (origin, contact) = (log.verifier.origin(), &log.contact);
        assert!(origins.insert(origin), "{origin} stands twice");
        writeln!(written, "vkey {key}").unwrap();
        if origin != key.name() {
            writeln!(written, "origin {origin}").unwrap();
        }
        writeln!(written, "qpd {}\ncontact {contact}", log.requests_per_day).unwrap();
    }
    let again = LogList::parse(written.as_bytes()).unwrap();
    assert_eq!(again.logs, list.logs);
    true
}

fn request(old: u64) -> String {
    let (old, size) = (TreeSize::new(old), HISTORY.frontier.size());
    let proof = match old {
        TreeSize::EMPTY => Vec::new(),
        old => prove_consistency(&*HISTORY, old, size).unwrap(),
    };
    Request::body(old, &proof, &HISTORY.note())
}

/// A request is what it is written as, and signed only if the log signed it.
fn witness_request(bytes: &[u8]) -> bool {
    let Ok(request) = Request::parse(bytes) else {
        return false;
    };
    let text = std::str::from_utf8(bytes).unwrap();
    let (head, note) = text.split_once("\n\n").expect("there is an empty line");
    let mut lines = head.split('\n');
    let old: u64 = lines.next().unwrap()["old ".len()..].parse().unwrap();
    let hashes: Vec<_> = lines.map(crate::tiles::hash_of_base64).collect();
    assert_eq!(Request::body(TreeSize::new(old), &hashes, note), text);
    assert!(hashes.len() <= limits::WITNESS_PROOF_HASHES);

    let log = LogVerifier::new(ORIGIN, vec![LOG.verifier()]).unwrap();
    let key = CosignerKey::parse(&WITNESS.to_private_string()).unwrap();
    let keys = WitnessKeys::new(key, None).unwrap();
    let known = WitnessedLog::new(log, &keys).unwrap();
    if let Ok(signed) = request.verify(&known) {
        assert!(log_signed(note, &signed.head().checkpoint().body()));
    }
    true
}
