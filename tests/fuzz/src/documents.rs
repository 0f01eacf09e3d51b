//! Documents of tools: one target for each kind.

use crate::target::Target;
use assay_claims::kind;
use assay_claims::limits;
use assay_claims::statement::{Statement, Subject};
use assay_intake::documents::{KINDS, Prepared, prepare};
use assay_tlog::Hash;

const NOW: &str = "2026-11-22T18:41:48Z";

/// Most claims of one document.
const CLAIMS: usize = 1000;

pub fn targets() -> Vec<Target> {
    let all = KINDS.iter();
    all.map(|kind| Target::new(&format!("document-{kind}"), |bytes| document(kind, bytes)))
        .collect()
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
