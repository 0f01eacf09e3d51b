//! Documents of tools: one target for each kind, and one for attestations.

use crate::target::Target;
use assay_claims::kind;
use assay_claims::limits;
use assay_claims::statement::{Statement, Subject};
use assay_intake::documents::{Evidence, KINDS, LogEntry, Prepared, Signer, attestations, prepare};
use assay_tlog::Hash;

const NOW: &str = "2026-11-22T18:41:48Z";

/// Most claims of one document.
const CLAIMS: usize = 1000;

pub fn targets() -> Vec<Target> {
    let all = KINDS.iter();
    let documents =
        all.map(|kind| Target::new(&format!("document-{kind}"), |bytes| document(kind, bytes)));
    let attested = Target::new("attestations", attested);
    documents.chain([attested]).collect()
}

/// Whatever is found out of an attestation, the claim of it can be published, and says so.
fn attested(bytes: &[u8]) -> bool {
    let Ok(Some(read)) = attestations("provenance", "a.json", bytes) else {
        return false;
    };
    assert!(!read.list().is_empty() && read.list().len() <= CLAIMS);
    let evidence = Evidence {
        signer: Signer::Certificate {
            identity: "a@e.org".into(),
            issuer: "https://e.org".into(),
            repository: None,
            workflow: None,
        },
        instance: "production".into(),
        trusted_root: Hash::of(b""),
        entry: LogEntry {
            log: "https://log.e.org".into(),
            index: 7,
            time: None,
        },
        times: vec![NOW.into()],
    };
    let mut is_claimed = false;
    for (at, one) in read.list().iter().enumerate() {
        let about = one.about(&[]).unwrap();
        for own in &about {
            assert_eq!(one.about(std::slice::from_ref(own)), Ok(vec![own.clone()]));
        }
        if let Ok(claim) = read.claim(at, about, &evidence) {
            check(&claim, bytes);
            assert!(claim.predicate.pointer("/sigstore/entry").is_some());
            is_claimed = true;
        }
    }
    is_claimed
}

/// Every claim that is made of a document can be published: its predicate is of its type, it makes
/// a statement that fits, and an attachment is the document itself.
fn document(kind: &str, bytes: &[u8]) -> bool {
    let Ok(claims) = prepare(kind, "a.json", bytes, NOW) else {
        return false;
    };
    assert_eq!(prepare(kind, "a.json", bytes, NOW).as_ref(), Ok(&claims));
    assert!(
        !claims.is_empty(),
        "a document is taken and nothing comes of it"
    );
    assert!(claims.len() <= 2 * CLAIMS, "{} claims", claims.len());
    for claim in &claims {
        check(claim, bytes);
    }
    true
}

fn check(claim: &Prepared, bytes: &[u8]) {
    assert_eq!(kind::check(&claim.predicate_type, &claim.predicate), Ok(()));
    let mut subjects = claim.subjects.clone();
    if subjects.is_empty() {
        subjects.push(Subject::artifact(None, &Hash::of(b"")));
    }
    let statement = Statement::new(subjects, &claim.predicate_type, claim.predicate.clone());
    let payload = statement.unwrap().to_json();
    assert!(
        payload.len() <= limits::PAYLOAD_BYTES,
        "{} bytes",
        payload.len()
    );
    if let Some(attachment) = &claim.attachment {
        assert_eq!(attachment.bytes, bytes);
        assert_eq!(attachment.name, "a.json");
        let digest = Hash::of(bytes).to_hex();
        assert!(
            claim.predicate.to_json().contains(&digest),
            "no predicate names it"
        );
    }
    for (label, said) in &claim.summary {
        let is_plain = |text: &str| !text.chars().any(char::is_control);
        assert!(is_plain(label) && is_plain(said), "{label:?}: {said:?}");
    }
}
