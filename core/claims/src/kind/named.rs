//! What a predicate names, and can be looked up by: claims and vulnerabilities. The index's mapping
//! version 2 makes labels of both (docs/design.md 3.5), so every change here is a change of the
//! mapping's version.

use super::Kind;
use crate::claim::ClaimId;
use crate::json::Value;
use crate::limits;
use crate::statement::Statement;

/// The claim that a predicate of the type `uri` names, if it names one.
///
/// If `uri` is, byte for byte, one of
/// - `urn:assay:withdrawal:v1`,
/// - `urn:assay:response:v1`,
/// - `urn:assay:finding:v1`,
///
/// and the predicate is an object whose member `target` is a string of exactly 64 characters, each
/// of `0123456789abcdef`, that is the claim. In all other cases there is none. No other field is
/// read (not `supersededBy` either), and whether the rest of the predicate is well-formed does not
/// matter.
pub fn target(uri: &str, predicate: &Value) -> Option<ClaimId> {
    Kind::of(uri).target(predicate)
}

/// The identifiers of vulnerabilities that a predicate of the type `uri` names, in the order in
/// which they come, some maybe more than once.
///
/// What is read depends on `uri`, compared byte for byte. A list that is no JSON array is an empty
/// one; an item or member of another JSON type than is said here is passed over, and so is one that
/// is missing.
///
/// - `https://in-toto.io/attestation/vulns/v0.2`: for every object in the list
///   `predicate.scanner.result`, its `id`.
/// - `https://openvex.dev/ns`, `https://openvex.dev/ns/v0.0.1`, `https://openvex.dev/ns/v0.2.0`:
///   for every object in the list `predicate.statements`, its `vulnerability`: if that is a string,
///   the string; if it is an object, its `name`, and then every item of its list `aliases`.
/// - `urn:assay:finding:v1`: of the object `predicate.osv`, its `id`, and then every item of its
///   list `aliases`.
/// - any other type: nothing.
///
/// Of these values only strings count that have from 1 to 128 characters
/// ([`limits::VULNERABILITY_BYTES`]), all of them visible ASCII, U+0021 to U+007E. They are taken
/// as they are: upper and lower case differ, and nothing is trimmed. Whether the rest of the
/// predicate is well-formed does not matter.
pub fn vulnerability_ids<'v>(uri: &str, predicate: &'v Value) -> Vec<&'v str> {
    let mut named = Vec::new();
    for value in Kind::of(uri).vulnerabilities(predicate) {
        named.extend(value.as_str().filter(|text| is_vulnerability_id(text)));
    }
    named
}

/// The identifiers of vulnerabilities that a statement names ([`vulnerability_ids`]), each once.
pub fn vulnerabilities(statement: &Statement) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for id in vulnerability_ids(statement.predicate_type(), statement.predicate()) {
        if seen.insert(id) {
            distinct.push(id.to_owned());
        }
    }
    distinct
}

/// Whether a text can be the identifier of a vulnerability, as [`vulnerability_ids`] says. Nothing
/// is ever said of one that cannot.
pub fn is_vulnerability_id(text: &str) -> bool {
    (1..=limits::VULNERABILITY_BYTES).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FINDING: &str = "urn:assay:finding:v1";
    const RESPONSE: &str = "urn:assay:response:v1";
    const WITHDRAWAL: &str = "urn:assay:withdrawal:v1";
    const VULNS: &str = "https://in-toto.io/attestation/vulns/v0.2";
    const VEX: &str = "https://openvex.dev/ns/v0.2.0";

    fn value(predicate: &str) -> Value {
        crate::json::parse(predicate.as_bytes()).unwrap()
    }

    fn named(predicate_type: &str, predicate: &str) -> Vec<String> {
        let predicate = value(predicate);
        let named = vulnerability_ids(predicate_type, &predicate);
        named.into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn withdrawals_responses_and_findings_name_a_claim() {
        let hex = "0a".repeat(32);
        let of = |uri: &str, target: &str| {
            let predicate = format!(r#"{{"target":{target},"supersededBy":"{hex}"}}"#);
            super::target(uri, &value(&predicate))
        };
        for uri in [WITHDRAWAL, RESPONSE, FINDING] {
            assert_eq!(of(uri, &format!("{hex:?}")), ClaimId::from_hex(&hex));
            for malformed in [
                format!("{:?}", hex.to_uppercase()),
                format!("{:?}", &hex[1..]),
                "7".into(),
                format!("[{hex:?}]"),
            ] {
                assert_eq!(of(uri, &malformed), None, "{malformed}");
            }
        }
        assert_eq!(of("urn:assay:audit:v1", &format!("{hex:?}")), None);
    }

    #[test]
    fn scans_vex_and_findings_name_vulnerabilities() {
        assert_eq!(
            named(
                VULNS,
                r#"{"scanner":{"result":[{"id":"B"},{"id":"A"},{"id":"B"},{"id":7},"C",{}]}}"#
            ),
            ["B", "A", "B"]
        );
        let vex = r#"{"statements":[{"vulnerability":"CVE-1"},{"vulnerability":{"@id":"u","name":"CVE-2","aliases":["G-1",1,"CVE-1"]}},
            {"vulnerability":{"aliases":["G-2"]}},{"vulnerability":7},7]}"#;
        for uri in Kind::Vex.uris() {
            assert_eq!(named(uri, vex), ["CVE-1", "CVE-2", "G-1", "CVE-1", "G-2"]);
        }
        assert_eq!(
            named(FINDING, r#"{"osv":{"id":"A","aliases":["B"]}}"#),
            ["A", "B"]
        );
        for (uri, predicate) in [
            (VULNS, vex),
            (VEX, r#"{"scanner":{"result":[{"id":"B"}]}}"#),
            ("https://e.org/x", vex),
            (VEX, r#"{"statements":{"vulnerability":"A"}}"#),
            (FINDING, r#"{"osv":"A"}"#),
        ] {
            assert!(named(uri, predicate).is_empty(), "{uri} {predicate}");
        }
    }

    #[test]
    fn identifiers_are_short_and_visible() {
        let one = |id: &str| {
            named(
                VEX,
                &format!(r#"{{"statements":[{{"vulnerability":{id:?}}}]}}"#),
            )
            .len()
        };
        assert_eq!(["A", "!~", &"A".repeat(128)].map(one), [1, 1, 1]);
        assert_eq!(
            ["", "A B", "A\n", "é", &"A".repeat(129)].map(one),
            [0, 0, 0, 0, 0]
        );
    }

    proptest! {
        #[test]
        fn whatever_the_predicate_is_naming_is_total(
            text in r#"[{}\[\]":,a1]{0,40}"#,
            i in 0..3_usize,
        ) {
            if let Ok(predicate) = crate::json::parse(text.as_bytes()) {
                let uri = [VULNS, VEX, FINDING][i];
                let _outcome = (target(uri, &predicate), vulnerability_ids(uri, &predicate));
            }
        }
    }
}
