//! Claims whose signatures are wrong.

use super::{Case, case};
use crate::hex as issuer_hex;
use assay_claims::entry::wire;
use assay_tests::issuer::{Actor, payload};
use tonic::Code::{InvalidArgument as Invalid, PermissionDenied as Denied};

/// Every one.
pub fn cases(issuer: &Actor) -> Vec<Case> {
    let mut cases = altered(issuer);
    cases.extend(weak_keys(issuer));
    cases.extend(malformed(issuer));
    cases.extend(strangers(issuer));
    cases
}

/// The claim number 1, with its signature changed.
fn changed(issuer: &Actor, change: impl FnOnce(&mut wire::ClaimSignature)) -> wire::Claim {
    let mut claim = issuer.claim(1);
    change(&mut claim.signatures[0]);
    claim
}

fn flip(bytes: &mut bytes::Bytes, at: usize) {
    let mut changed = bytes.to_vec();
    changed[at] ^= 1;
    *bytes = changed.into();
}

/// Adds the order of the group to a signature's scalar: the same signature, spelled a second way.
fn not_canonical(signature: &[u8]) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut spelled = signature.to_vec();
    let mut carry = 0;
    for (byte, order) in spelled[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    spelled
}

/// Signatures that do not fit.
fn altered(issuer: &Actor) -> Vec<Case> {
    let mut cases = Vec::new();
    for at in [0, 31, 32, 62] {
        let mut claim = issuer.claim(1);
        flip(&mut claim.signatures[0].signature, at);
        cases.push(case(
            "a changed signature",
            claim,
            Invalid,
            &["signature 1"],
        ));
    }
    let mut second = issuer.claim(1);
    second.signatures.push(second.signatures[0].clone());
    flip(&mut second.signatures[1].signature, 3);
    cases.push(case(
        "the second of two",
        second,
        Invalid,
        &["signature 2", "does not fit"],
    ));
    let mut other = issuer.claim(1);
    other.payload = payload(2).into();
    cases.push(case(
        "of another payload",
        other,
        Invalid,
        &["signature 1", "does not fit"],
    ));
    cases.push(case(
        "a second spelling",
        changed(issuer, |signature| {
            signature.signature = not_canonical(&signature.signature).into()
        }),
        Invalid,
        &["signature 1", "canonical"],
    ));
    cases
}

/// Under a key of small order, R = identity and S = 0 fit any message for a lenient verifier.
fn weak_keys(issuer: &Actor) -> Vec<Case> {
    let keys = [
        (
            "identity",
            "0100000000000000000000000000000000000000000000000000000000000000",
        ),
        (
            "order 2",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ),
        (
            "order 4",
            "0000000000000000000000000000000000000000000000000000000000000000",
        ),
        (
            "order 8",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        ),
    ];
    let mut cases = Vec::new();
    for (name, point) in keys {
        let mut claim = issuer.claim(1);
        let mut signature = vec![0; 64];
        signature[0] = 1;
        claim.signatures[0].signature = signature.into();
        claim.signatures[0].public_key = hex::decode(point).unwrap().into();
        cases.push(case(name, claim, Invalid, &["signature 1", "weak"]));
    }
    cases
}

/// Signatures that are none, and claims with too few or too many.
fn malformed(issuer: &Actor) -> Vec<Case> {
    let good = || issuer.claim(1);
    vec![
        case(
            "no point",
            changed(issuer, |s| {
                s.public_key = [&[2][..], &[0; 31]].concat().into()
            }),
            Invalid,
            &["signature 1"],
        ),
        case(
            "a short key",
            changed(issuer, |s| s.public_key = vec![1; 31].into()),
            Invalid,
            &["signature 1", "32 bytes"],
        ),
        case(
            "a long signature",
            changed(issuer, |s| s.signature = vec![1; 65].into()),
            Invalid,
            &["signature 1", "64 bytes"],
        ),
        case(
            "no issuer",
            changed(issuer, |s| s.issuer_id = vec![].into()),
            Invalid,
            &["signature 1", "issuer id"],
        ),
        case(
            "no signature",
            wire::Claim {
                signatures: vec![],
                ..good()
            },
            Invalid,
            &["0 signatures", "from 1 to 16"],
        ),
        case(
            "17 signatures",
            wire::Claim {
                signatures: vec![good().signatures[0].clone(); 17],
                ..good()
            },
            Invalid,
            &["17 signatures", "from 1 to 16"],
        ),
        case(
            "another payload type",
            wire::Claim {
                payload_type: "application/json".into(),
                ..good()
            },
            Invalid,
            &["application/json", "application/vnd.in-toto+json"],
        ),
        case("nothing", wire::Claim::default(), Invalid, &[]),
    ]
}

/// Signed by keys that may not sign it.
fn strangers(issuer: &Actor) -> Vec<Case> {
    let stranger = Actor::new(&[9], 1);
    let mut unregistered = case(
        "nobody's",
        stranger.claim(1),
        Denied,
        &["not registered", "assay issuer register"],
    );
    unregistered.words.push(issuer_hex(&stranger.id).into());
    let mut cases = vec![unregistered];
    // A key of nobody, and a key of another issuer, in the issuer's name.
    let in_its_name = issuer.sign_by(&payload(1), &[&stranger.keys[0]]);
    cases.push(case(
        "a stranger's in its name",
        in_its_name,
        Denied,
        &["is no key of issuer"],
    ));
    let beside = issuer.sign_by(&payload(1), &[&issuer.keys[0], &stranger.keys[0]]);
    cases.push(case(
        "a stranger's beside its own",
        beside,
        Denied,
        &["is no key of issuer"],
    ));
    cases
}
