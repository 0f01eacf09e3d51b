//! What a statement names besides its subjects, and can be looked up by: claims and
//! vulnerabilities. The index's mapping version 1 makes labels of both (docs/design.md 3.5), so
//! every change here is a change of the mapping's version.

use super::Kind;
use crate::claim::ClaimId;
use crate::json::Value;
use crate::limits;
use crate::statement::Statement;

/// The claims that a statement names: none or one.
///
/// If `predicateType` is, byte for byte, one of
/// - `urn:assay:withdrawal:v1`,
/// - `urn:assay:response:v1`,
/// - `urn:assay:finding:v1`,
///
/// and `predicate` is an object whose member `target` is a string of exactly 64 characters, each of
/// `0123456789abcdef`, that is the one claim. In all other cases there is none. No other field is
/// read (not `supersededBy` either), and whether the rest of the predicate is well-formed does not
/// matter.
pub fn targets(statement: &Statement) -> Vec<ClaimId> {
    let kind = Kind::of(statement.predicate_type());
    kind.target(statement.predicate()).into_iter().collect()
}

/// The identifiers of vulnerabilities that a statement names: each once, in the order in which they
/// first come, and the first 1,024 of them ([`limits::VULNERABILITIES`]).
///
/// What is read depends on `predicateType`, compared byte for byte. A list that is no JSON array is
/// an empty one; an item or member of another JSON type than is said here is passed over, and so is
/// one that is missing.
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
pub fn vulnerabilities(statement: &Statement) -> Vec<String> {
    let kind = Kind::of(statement.predicate_type());
    let named = kind.vulnerabilities(statement.predicate());
    distinct(
        named
            .into_iter()
            .filter_map(Value::as_str)
            .filter(|text| is_identifier(text)),
    )
}

fn is_identifier(text: &str) -> bool {
    (1..=limits::VULNERABILITY_BYTES).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_graphic())
}

fn distinct<'v>(texts: impl Iterator<Item = &'v str>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    texts
        .filter(|text| seen.insert(*text))
        .take(limits::VULNERABILITIES)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::Subject;
    use assay_tlog::Hash;
    use proptest::prelude::*;

    const FINDING: &str = "urn:assay:finding:v1";
    const RESPONSE: &str = "urn:assay:response:v1";
    const WITHDRAWAL: &str = "urn:assay:withdrawal:v1";
    const VULNS: &str = "https://in-toto.io/attestation/vulns/v0.2";
    const VEX: &str = "https://openvex.dev/ns/v0.2.0";

    fn statement(predicate_type: &str, predicate: &str) -> Statement {
        let predicate = crate::json::parse(predicate.as_bytes()).unwrap();
        Statement::new(
            vec![Subject::artifact(None, &Hash::of(b""))],
            predicate_type,
            predicate,
        )
        .unwrap()
    }

    fn named(predicate_type: &str, predicate: &str) -> Vec<String> {
        vulnerabilities(&statement(predicate_type, predicate))
    }

    #[test]
    fn withdrawals_responses_and_findings_name_a_claim() {
        let hex = "0a".repeat(32);
        let of = |uri: &str, target: &str| {
            targets(&statement(
                uri,
                &format!(r#"{{"target":{target},"supersededBy":"{hex}"}}"#),
            ))
        };
        for uri in [WITHDRAWAL, RESPONSE, FINDING] {
            assert_eq!(
                of(uri, &format!("{hex:?}")),
                [ClaimId::from_hex(&hex).unwrap()]
            );
            for malformed in [
                format!("{:?}", hex.to_uppercase()),
                format!("{:?}", &hex[1..]),
                "7".into(),
                format!("[{hex:?}]"),
            ] {
                assert_eq!(of(uri, &malformed), [], "{malformed}");
            }
        }
        assert_eq!(of("urn:assay:audit:v1", &format!("{hex:?}")), []);
    }

    #[test]
    fn scans_vex_and_findings_name_vulnerabilities() {
        assert_eq!(
            named(
                VULNS,
                r#"{"scanner":{"result":[{"id":"B"},{"id":"A"},{"id":"B"},{"id":7},"C",{}]}}"#
            ),
            ["B", "A"]
        );
        let vex = r#"{"statements":[{"vulnerability":"CVE-1"},{"vulnerability":{"@id":"u","name":"CVE-2","aliases":["G-1",1,"CVE-1"]}},
            {"vulnerability":{"aliases":["G-2"]}},{"vulnerability":7},7]}"#;
        for uri in Kind::Vex.uris() {
            assert_eq!(named(uri, vex), ["CVE-1", "CVE-2", "G-1", "G-2"]);
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
    fn identifiers_are_short_and_visible_and_not_too_many() {
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
        let results: Vec<_> = (0..2000)
            .map(|i| format!(r#"{{"id":"{i}"}},{{"id":"0"}}"#))
            .collect();
        let many = named(
            VULNS,
            &format!(r#"{{"scanner":{{"result":[{}]}}}}"#, results.join(",")),
        );
        assert_eq!((many.len(), many[1023].as_str()), (1024, "1023"));
    }

    proptest! {
        #[test]
        fn whatever_the_predicate_is_naming_is_total(
            text in r#"[{}\[\]":,a1]{0,40}"#,
            i in 0..3_usize,
        ) {
            if let Ok(predicate @ Value::Object(_)) = crate::json::parse(text.as_bytes()) {
                let subject = vec![Subject::artifact(None, &Hash::of(b""))];
                let uri = [VULNS, VEX, FINDING][i];
                let statement = Statement::new(subject, uri, predicate).unwrap();
                let _outcome = (targets(&statement), vulnerabilities(&statement));
            }
        }
    }
}
