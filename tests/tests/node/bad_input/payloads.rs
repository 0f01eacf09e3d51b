//! Claims whose payload is wrong. Each is signed as it stands, so that only that is wrong.

use super::Case;
use assay_claims::entry::wire;
use assay_claims::limits;
use assay_tests::issuer::{Actor, payload};
use tonic::Code;

/// Every one.
pub fn cases(issuer: &Actor) -> Vec<Case> {
    let mut cases = documents(issuer);
    cases.extend(statements(issuer));
    cases.extend(contradictions(issuer));
    cases
}

fn case(name: &'static str, claim: wire::Claim, words: &[&'static str]) -> Case {
    super::case(name, claim, Code::InvalidArgument, words)
}

/// A good statement with one part of its text replaced.
pub fn replaced(issuer: &Actor, from: &str, to: &str) -> wire::Claim {
    let text = String::from_utf8(payload(1)).unwrap();
    assert!(text.contains(from));
    issuer.sign(text.replacen(from, to, 1).as_bytes())
}

/// No JSON, or not the strict kind.
fn documents(issuer: &Actor) -> Vec<Case> {
    let mut not_utf8 = payload(1);
    let at = not_utf8.iter().position(|byte| *byte == b'P').unwrap();
    not_utf8[at] = 0xff;
    let deep = format!(
        "{}{}",
        "[".repeat(limits::JSON_DEPTH + 1),
        "]".repeat(limits::JSON_DEPTH + 1)
    );
    let mut too_long = payload(1);
    too_long.resize(limits::PAYLOAD_BYTES + 1, b' ');
    vec![
        case("empty", issuer.sign(b""), &["line 1, column 1"]),
        case(
            "not JSON",
            replaced(issuer, ":[{", ":{["),
            &["line 1, column", "$.subject"],
        ),
        case(
            "trailing bytes",
            issuer.sign(&[&payload(1)[..], b"x"].concat()),
            &["line 1, column"],
        ),
        case(
            "a key twice",
            replaced(issuer, r#""_type""#, r#""predicateType":"x","_type""#),
            &["line 1", "predicateType"],
        ),
        case(
            "a key twice inside",
            replaced(issuer, r#""name""#, r#""name":"a","name""#),
            &["$.subject[0]"],
        ),
        case(
            "too deep",
            replaced(issuer, "[]", &deep),
            &["deep", "$.predicate.configuration"],
        ),
        case("not UTF-8", issuer.sign(&not_utf8), &["UTF-8", "line 1"]),
        case(
            "lone surrogate",
            replaced(issuer, "PASSED", "\\ud800"),
            &["$.predicate.result"],
        ),
        case(
            "too long",
            issuer.sign(&too_long),
            &["32769 bytes", "at most 32768", "attachment", "SHA-256"],
        ),
    ]
}

/// JSON, but no statement that may be logged.
fn statements(issuer: &Actor) -> Vec<Case> {
    vec![
        case(
            "another statement type",
            replaced(issuer, "Statement/v1", "Statement/v0.1"),
            &["Statement/v0.1"],
        ),
        case(
            "no subject",
            replaced(issuer, r#""subject""#, r#""subjects""#),
            &["$.subject"],
        ),
        case(
            "no predicate type",
            replaced(issuer, "predicateType", "predicatetype"),
            &["$.predicateType"],
        ),
        case(
            "a digest of another length",
            replaced(issuer, r#""sha256":"00"#, r#""sha256":""#),
            &["$.subject[0].digest"],
        ),
        case(
            "upper-case hex",
            replaced(issuer, &format!("{:064x}", 1), &"AB".repeat(32)),
            &["$.subject[0].digest"],
        ),
        case(
            "no array of subjects",
            replaced(issuer, r#"[{"name""#, r#"[{"x":1},{"name""#),
            &["$.subject[0].digest"],
        ),
    ]
}

/// Statements whose subject or predicate contradicts what it says it is.
fn contradictions(issuer: &Actor) -> Vec<Case> {
    vec![
        case(
            "a purl that is not canonical",
            replaced(
                issuer,
                r#""name":"artifact-1""#,
                r#""uri":"pkg:Cargo/serde@1.0?z=1&a=2""#,
            ),
            &["pkg:cargo/serde@1.0?a=2&z=1"],
        ),
        case(
            "a digest of another purl",
            replaced(
                issuer,
                r#""name":"artifact-1","digest":{"sha256""#,
                r#""uri":"pkg:cargo/serde@1.0","digest":{"purl""#,
            ),
            &["$.subject[0]"],
        ),
        case(
            "a predicate that is not of its type",
            replaced(
                issuer,
                "https://in-toto.io/attestation/test-result/v0.1",
                "https://in-toto.io/attestation/vulns/v0.2",
            ),
            &["$.predicate", "vulns"],
        ),
        case(
            "an issuer record without keys",
            replaced(
                issuer,
                "https://in-toto.io/attestation/test-result/v0.1",
                "urn:assay:issuer:v1",
            ),
            &["$.predicate"],
        ),
    ]
}
