//! C2SP/CCTV's Ed25519 vectors: crafted keys and signatures on which verifiers disagree.
//!
//! Assay verifies strictly, in one place with one rule, which this test pins. The flags say what is
//! odd about a vector:
//!
//! | flag | refused here | why |
//! | --- | --- | --- |
//! | `low_order_A`, `low_order_R` | yes | the strict rule: such keys sign anything |
//! | `non_canonical_R` | yes | R is compared as bytes with the one that is computed |
//! | `low_order_residue` | yes | the equation is checked without the cofactor |
//! | `reencoded_k` | yes | the hash covers the key's bytes as they are |
//! | `non_canonical_A` | no | only keys of low order are so encoded, and those are refused |
//! | `low_order_component_A`, `low_order_component_R` | no | harmless without the cofactor |

use assay_claims::claim::PublicKey;
use assay_tests::data;
use assay_tlog::note::{Algorithm, VerifierKey};
use ed25519_dalek::{Signature, VerifyingKey};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    number: u64,
    key: String,
    sig: String,
    msg: String,
    flags: Option<Vec<String>>,
}

const REFUSED: [&str; 5] = [
    "low_order_A",
    "low_order_R",
    "non_canonical_R",
    "low_order_residue",
    "reencoded_k",
];
const ACCEPTED: [&str; 3] = [
    "non_canonical_A",
    "low_order_component_A",
    "low_order_component_R",
];

#[test]
fn only_what_the_strict_rule_accepts_verifies() {
    let Some(folder) = data::require("ed25519") else {
        return;
    };
    let (mut accepted, mut refused) = (0, 0);
    for path in data::files(&folder) {
        for vector in data::read_json::<Vec<Vector>>(&path) {
            let flags = vector.flags.unwrap_or_default();
            for flag in &flags {
                let known = REFUSED.contains(&flag.as_str()) || ACCEPTED.contains(&flag.as_str());
                assert!(
                    known,
                    "{}: vector {} has the unknown flag {flag}",
                    path.display(),
                    vector.number
                );
            }
            let want = !flags.iter().any(|flag| REFUSED.contains(&flag.as_str()));
            let key: [u8; 32] = hex::decode(&vector.key)
                .expect("hex")
                .try_into()
                .expect("32 bytes");
            let signature = hex::decode(&vector.sig).expect("hex");
            let verifies = VerifierKey::new("vector", Algorithm::Ed25519, &key)
                .is_ok_and(|key| key.verify(vector.msg.as_bytes(), &signature).is_ok());
            assert_eq!(
                verifies,
                want,
                "{}: vector {}, {flags:?}",
                path.display(),
                vector.number
            );
            // Claims are checked without taking R apart, which must tell the same.
            let signature = Signature::from_slice(&signature).expect("64 bytes");
            let strictly = VerifyingKey::from_bytes(&key)
                .is_ok_and(|key| key.verify_strict(vector.msg.as_bytes(), &signature).is_ok());
            let of_a_claim = PublicKey::parse(&key)
                .is_ok_and(|key| key.verifies_strictly(vector.msg.as_bytes(), &signature));
            assert_eq!((of_a_claim, strictly), (want, want), "{}", vector.number);
            *(if verifies {
                &mut accepted
            } else {
                &mut refused
            }) += 1;
        }
    }
    println!("ed25519: {accepted} signatures are accepted, {refused} refused");
    assert!(accepted + refused > 0);
}
