//! Digest sets (in-toto/attestation, `spec/v1/digest_set.md`): which values can be digests of which
//! algorithm.

use super::{StatementError, Subject};
use crate::json::Value;

/// The digest of a subject that is a package: SHA-256 of its canonical purl (docs/design.md 3.3).
pub(super) const PURL: &str = "purl";

/// Hex digits of the algorithms whose values are hex of one length. in-toto names others, whose
/// values are not hex (`dirHash`) or have no fixed length (`shake128`), and allows any.
const HEX_DIGITS: &[(&str, &[usize])] = &[
    ("md5", &[32]),
    ("sha1", &[40]),
    ("sha224", &[56]),
    ("sha256", &[64]),
    ("sha384", &[96]),
    ("sha512", &[128]),
    ("sha512_224", &[56]),
    ("sha512_256", &[64]),
    ("sha3_224", &[56]),
    ("sha3_256", &[64]),
    ("sha3_384", &[96]),
    ("sha3_512", &[128]),
    ("ripemd160", &[40]),
    ("sm3", &[64]),
    ("gitCommit", &[40, 64]),
    ("gitTree", &[40, 64]),
    ("gitBlob", &[40, 64]),
    ("gitTag", &[40, 64]),
    (PURL, &[64]),
];

/// Reads the members of a `digest` object.
pub(super) fn read(
    members: Vec<(String, Value)>,
    index: usize,
) -> Result<Vec<(String, String)>, StatementError> {
    members
        .into_iter()
        .map(|(algorithm, value)| match value {
            Value::String(value) => match fault(&algorithm, &value) {
                None => Ok((algorithm, value)),
                Some(reason) => Err(StatementError::Digest {
                    index,
                    algorithm,
                    reason,
                }),
            },
            _ => Err(StatementError::Digest {
                index,
                algorithm,
                reason: "must be a string".into(),
            }),
        })
        .collect()
}

/// What is wrong with a value, if anything is.
fn fault(algorithm: &str, value: &str) -> Option<String> {
    if algorithm.is_empty() || value.is_empty() {
        return Some("must be named and must not be empty".into());
    }
    let (_, lengths) = HEX_DIGITS.iter().find(|(name, _)| *name == algorithm)?;
    let is_hex = value
        .bytes()
        .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if is_hex && lengths.contains(&value.len()) {
        return None;
    }
    let lengths = lengths
        .iter()
        .map(usize::to_string)
        .collect::<Vec<_>>()
        .join(" or ");
    Some(format!("must have {lengths} lower-case hex digits"))
}

/// Whether a subject can have this value as its digest by an algorithm.
pub(super) fn is_sound(algorithm: &str, value: &str) -> bool {
    fault(algorithm, value).is_none()
}

/// A digest `purl` must be that of the purl in the URI, or it would name a package that nobody can
/// tell from it.
pub(super) fn check_purl(subject: &Subject, index: usize) -> Result<(), StatementError> {
    let Some(stated) = subject.digest(PURL) else {
        return Ok(());
    };
    let reason = match subject.purl() {
        None => "needs the purl that it is the digest of as the subject's uri".into(),
        Some(purl) if purl.digest().to_hex() == stated => return Ok(()),
        Some(purl) => format!("must be SHA-256 of the subject's uri, {}", purl.digest()),
    };
    Err(StatementError::Digest {
        index,
        algorithm: PURL.into(),
        reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::purl::Purl;
    use crate::statement::{Statement, TYPE};

    fn parse(uri: Option<&str>, algorithm: &str, value: &str) -> Result<Statement, StatementError> {
        let uri = uri
            .map(|uri| format!("\"uri\":\"{uri}\","))
            .unwrap_or_default();
        Statement::parse(
            format!(
                r#"{{"_type":"{TYPE}","subject":[{{{uri}"digest":{{"{algorithm}":{value}}}}}],"predicateType":"x"}}"#
            )
            .as_bytes(),
        )
    }

    #[test]
    fn known_algorithms_take_lower_case_hex_of_their_length() {
        for (algorithm, lengths) in HEX_DIGITS.iter().filter(|(name, _)| *name != PURL) {
            for length in 1..=130 {
                let good = parse(None, algorithm, &format!("\"{}\"", "a".repeat(length)));
                assert_eq!(
                    good.is_ok(),
                    lengths.contains(&length),
                    "{algorithm} {length}"
                );
            }
            for wrong in ["A", "g", "ä"] {
                let bad = parse(
                    None,
                    algorithm,
                    &format!("\"{}\"", wrong.repeat(lengths[0])),
                );
                assert!(matches!(
                    bad,
                    Err(StatementError::Digest { algorithm: named, .. }) if named == *algorithm
                ));
            }
        }
        assert!(parse(None, "dirHash", "\"h1:A/b=\"").is_ok());
        assert!(parse(None, "sha256", "1").is_err());
        assert!(parse(None, "other", "\"\"").is_err());
    }

    #[test]
    fn a_purl_digest_is_that_of_the_uri() {
        let purl = Purl::parse_canonical("pkg:cargo/rand").unwrap();
        let digest = format!("\"{}\"", purl.digest());
        assert!(parse(Some(purl.as_str()), PURL, &digest).is_ok());
        for uri in [Some("pkg:cargo/rand@1"), Some("https://x"), None] {
            let error = parse(uri, PURL, &digest).unwrap_err();
            assert!(
                matches!(error, StatementError::Digest { index: 0, .. }),
                "{uri:?}"
            );
        }
    }
}
