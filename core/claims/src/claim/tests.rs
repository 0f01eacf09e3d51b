use super::examine::scalar_is_reduced;
use super::*;
use crate::issuer::IssuerId;
use crate::json::Value;
use crate::purl::Purl;
use crate::statement::{Statement, StatementError, Subject};
use crate::{dsse, kind, limits};
use assay_tlog::Hash;
use proptest::prelude::*;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn issuer(seed: u8) -> IssuerId {
    IssuerId::derive(1, &[key(seed).verifying_key().to_bytes()])
}

fn payload() -> Vec<u8> {
    payload_of("something")
}

fn payload_of(says: &str) -> Vec<u8> {
    let subject = Subject::package(Purl::parse_canonical("pkg:cargo/rand@0.9.0").unwrap());
    let predicate = Value::Object(vec![("says".into(), says.into())]);
    Statement::new(vec![subject], "https://example.com/p", predicate)
        .unwrap()
        .to_json()
        .into_bytes()
}

fn claim() -> wire::Claim {
    sign(&payload(), &[(issuer(1), &key(1)), (issuer(2), &key(2))])
}

fn refused(edit: impl FnOnce(&mut wire::Claim)) -> ClaimError {
    let mut claim = claim();
    edit(&mut claim);
    verify(&claim, &()).unwrap_err()
}

fn fault(edit: impl FnOnce(&mut wire::ClaimSignature)) -> SignatureFault {
    match refused(|claim| edit(&mut claim.signatures[1])) {
        ClaimError::Signature { number: 2, fault } => fault,
        other => panic!("{other}"),
    }
}

/// Changes bytes in place.
fn patch(bytes: &mut bytes::Bytes, edit: impl FnOnce(&mut Vec<u8>)) {
    let mut copy = bytes.to_vec();
    edit(&mut copy);
    *bytes = copy.into();
}

#[test]
fn a_good_claim_is_verified_verbatim() {
    let verified = verify(&claim(), &()).unwrap();
    assert_eq!(verified.claim(), &claim());
    assert_eq!(verified.id(), ClaimId::of_payload(&payload()));
    assert_eq!(
        verified.id(),
        ClaimId::new(Hash::of(&dsse::pae(PAYLOAD_TYPE, &payload())))
    );
    let signers = [1, 2].map(|seed| (issuer(seed), PublicKey::from(&key(seed))));
    assert_eq!(verified.signers(), signers);
    assert_eq!(
        verified.statement().subjects()[0].uri(),
        Some("pkg:cargo/rand@0.9.0")
    );
}

#[test]
fn an_endorsement_about_another_issuer_than_it_names_is_refused() {
    let endorsement = |subject: IssuerId| {
        let predicate = format!(
            r#"{{"issuer":"{}","role":"auditor","scope":["pkg:*"],"validUntil":"2027-01-01T00:00:00Z"}}"#,
            issuer(1)
        );
        let predicate = crate::json::parse(predicate.as_bytes()).unwrap();
        let subject = Subject::artifact(None, &Hash::new(*subject.as_bytes()));
        let statement = Statement::new(vec![subject], kind::endorsement::URI, predicate).unwrap();
        verify(
            &sign(statement.to_json().as_bytes(), &[(issuer(3), &key(3))]),
            &(),
        )
    };
    assert!(endorsement(issuer(1)).is_ok());
    let refused = endorsement(issuer(2)).unwrap_err();
    assert!(
        matches!(&refused, ClaimError::Predicate { error, .. } if error.path == "$.subject"),
        "{refused}"
    );
}

#[test]
fn limits_and_payload_type_come_first() {
    let long = refused(|c| c.payload = vec![b' '; limits::PAYLOAD_BYTES + 1].into());
    assert_eq!(long, ClaimError::PayloadTooLong(limits::PAYLOAD_BYTES + 1));
    assert!(long.to_string().contains("attachment"));
    assert!(matches!(
        refused(|c| c.payload_type = "application/json".into()),
        ClaimError::PayloadType(_)
    ));
    assert_eq!(refused(|c| c.signatures.clear()), ClaimError::Signatures(0));
    let many = limits::SIGNATURES + 1;
    assert_eq!(
        refused(|c| c.signatures = vec![c.signatures[0].clone(); many]),
        ClaimError::Signatures(many)
    );
}

#[test]
fn payloads_that_are_no_strict_statement_are_refused() {
    let with = |payload: &[u8]| verify(&sign(payload, &[(issuer(1), &key(1))]), &()).unwrap_err();
    let text = String::from_utf8(payload()).unwrap();
    let json = |reason: &str, payload: &[u8]| {
        let ClaimError::Statement(StatementError::Json(e)) = with(payload) else {
            panic!("{reason}")
        };
        assert!(e.reason.contains(reason), "{e}");
    };
    json("expected a value", b"not JSON");
    json(
        "twice",
        text.replace("{\"says\":", "{\"says\":1,\"says\":")
            .as_bytes(),
    );
    json(
        "deeper",
        text.replace(
            "\"something\"",
            &format!("{}{}", "[".repeat(33), "]".repeat(33)),
        )
        .as_bytes(),
    );
    json("UTF-8", &[text.as_bytes(), b"\xff"].concat());
    let v01 = with(text.replace("Statement/v1", "Statement/v0.1").as_bytes());
    assert!(matches!(
        v01,
        ClaimError::Statement(StatementError::Type(_))
    ));
    let purl = with(text.replace("pkg:cargo/rand", "pkg:CARGO/rand").as_bytes());
    assert!(
        purl.to_string()
            .contains("write it as pkg:cargo/rand@0.9.0"),
        "{purl}"
    );
}

#[test]
fn predicates_of_known_types_are_checked() {
    let statement = String::from_utf8(payload())
        .unwrap()
        .replace("https://example.com/p", kind::issuer::URI);
    let error = verify(&sign(statement.as_bytes(), &[(issuer(1), &key(1))]), &()).unwrap_err();
    assert!(matches!(error, ClaimError::Predicate { uri, .. } if uri == kind::issuer::URI));
}

/// S + L: the same signature spelled a second time.
#[expect(
    clippy::ptr_arg,
    reason = "its type is that of the other changes to a signature"
)]
fn add_order(signature: &mut Vec<u8>) {
    let order = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0;
    for (digit, add) in signature[32..].iter_mut().zip(order) {
        let sum = u16::from(*digit) + add + carry;
        (*digit, carry) = (sum as u8, sum >> 8);
    }
}

#[test]
fn a_bad_signature_is_named() {
    use SignatureFault::{IssuerLength, Length, NotCanonical, Wrong};
    assert_eq!(fault(|s| patch(&mut s.signature, |b| b[0] ^= 1)), Wrong);
    assert_eq!(
        fault(|s| s.public_key = key(3).verifying_key().to_bytes().to_vec().into()),
        Wrong
    );
    assert_eq!(
        fault(|s| patch(&mut s.signature, |b| b.truncate(63))),
        Length
    );
    assert_eq!(
        fault(|s| patch(&mut s.public_key, |b| b.push(0))),
        SignatureFault::Key(KeyFault::Length)
    );
    assert_eq!(
        fault(|s| patch(&mut s.issuer_id, |b| b.push(0))),
        IssuerLength
    );
    // Signed for another payload.
    let other = sign(b"{}", &[(issuer(2), &key(2))]).signatures[0]
        .signature
        .clone();
    assert_eq!(fault(|s| s.signature = other), Wrong);
    assert_eq!(fault(|s| patch(&mut s.signature, add_order)), NotCanonical);
    assert!(
        refused(|c| patch(&mut c.payload, |b| b.push(b' ')))
            .to_string()
            .starts_with("signature 1: ")
    );
}

#[test]
fn the_check_for_canonical_scalars_is_that_of_verify_strict() {
    // Every scalar around L, and some far away: told apart exactly where the library does.
    for low in 0..=0xff_u8 {
        for high in [0x0f, 0x10, 0x11, 0xff] {
            let mut signature = [0; 64];
            signature[32..].copy_from_slice(&[
                low, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9,
                0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, high,
            ]);
            assert_eq!(
                scalar_is_reduced(&signature),
                high == 0x0f || (high == 0x10 && low < 0xed),
                "{low} {high}"
            );
        }
    }
}

#[test]
fn weak_keys_are_refused_whatever_they_sign() {
    // A key of order 1 with R = identity, S = 0 satisfies the equation for every message.
    let mut identity = vec![0; 32];
    identity[0] = 1;
    let forged = [identity.clone(), vec![0; 32]].concat();
    let weak = fault(|s| (s.public_key, s.signature) = (identity.into(), forged.into()));
    assert_eq!(weak, SignatureFault::Key(KeyFault::Weak));
    let high = fault(|s| s.public_key = vec![0xff; 32].into());
    assert_eq!(high, SignatureFault::Key(KeyFault::NotCanonical));
}

#[test]
fn the_same_key_twice_counts_once() {
    let pairs = [
        (issuer(1), &key(1)),
        (issuer(2), &key(2)),
        (issuer(1), &key(1)),
    ];
    let verified = verify(&sign(&payload(), &pairs), &()).unwrap();
    assert_eq!(verified.signers().len(), 2);
    // For two issuers it is two signers.
    let verified = verify(
        &sign(&payload(), &[(issuer(1), &key(1)), (issuer(2), &key(1))]),
        &(),
    )
    .unwrap();
    assert_eq!(verified.signers().len(), 2);
}

#[test]
fn a_signature_is_named_by_claim_issuer_and_key() {
    let of = |signers: &[(IssuerId, &SigningKey)]| -> Vec<SignatureId> {
        let verified = verify(&sign(&payload(), signers), &()).unwrap();
        verified.signature_ids().collect()
    };
    let (a, b) = ((issuer(1), &key(1)), (issuer(2), &key(2)));
    let [of_a, of_b] = of(&[a, b])[..] else {
        panic!("one for each signer");
    };
    assert_eq!(of(&[b, a, b]), [of_b, of_a]);
    assert_ne!(of(&[(issuer(1), &key(2))]), [of_b], "for another issuer");
    assert_ne!(of(&[(issuer(2), &key(1))]), [of_b], "by another key");
    assert_eq!(of_a.to_bytes()[..32], of_b.to_bytes()[..32], "one claim");
    let other = verify(&sign(&payload_of("other"), &[a]), &()).unwrap();
    assert!(other.signature_ids().all(|id| id != of_a));
}

#[test]
fn a_cache_is_asked_and_not_believed() {
    struct Fixed(PublicKey);
    impl KeyCache for Fixed {
        fn key(&self, _: &[u8; 32]) -> Option<PublicKey> {
            Some(self.0)
        }
    }
    let one = sign(&payload(), &[(issuer(1), &key(1))]);
    for seed in [1, 2] {
        let verified = verify(&one, &Fixed(PublicKey::from(&key(seed)))).unwrap();
        assert_eq!(verified.signers()[0].1, PublicKey::from(&key(1)));
    }
}

proptest! {
    #[test]
    fn arbitrary_claims_never_panic(
        payload: Vec<u8>,
        signature: Vec<u8>,
        public_key: Vec<u8>,
        issuer_id: Vec<u8>,
    ) {
        let mut claim = claim();
        claim.signatures[0] = wire::ClaimSignature {
            signature: signature.into(),
            public_key: public_key.into(),
            issuer_id: issuer_id.into(),
        };
        prop_assert!(verify(&claim, &()).is_err());
        claim.payload = payload.into();
        prop_assert!(verify(&claim, &()).is_err());
    }
}
