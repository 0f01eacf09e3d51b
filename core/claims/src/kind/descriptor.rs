//! ResourceDescriptors and DigestSets of in-toto, as predicates hold them (in-toto/attestation,
//! `spec/v1/resource_descriptor.md` and `digest_set.md`).

use super::error::PredicateError;
use super::node::{Node, quoted};
use crate::json::Value;
use assay_tlog::Hash;

/// Checks the documents beside the log that a predicate of any type may name in `attachments`. Each
/// has a SHA-256.
pub(super) fn check_attachments(predicate: &Node<'_, '_>) -> Result<(), PredicateError> {
    let Some(attachments) = predicate.get("attachments") else {
        return Ok(());
    };
    for attachment in attachments.items()? {
        check_descriptor(&attachment)?;
        if sha256(attachment.value()).is_none() {
            return Err(attachment
                .fault("names an attachment without its SHA-256 in 64 lower-case hex digits"));
        }
    }
    Ok(())
}

/// The SHA-256 of a descriptor, if it has one in 64 lower-case hex digits.
pub(super) fn sha256(descriptor: &Value) -> Option<Hash> {
    Hash::from_hex(descriptor.pointer("/digest/sha256")?.as_str()?)
}

/// Checks that a descriptor names something by URI, digest or content.
pub(super) fn check_descriptor(node: &Node<'_, '_>) -> Result<(), PredicateError> {
    node.object()?;
    if let Some(uri) = node.get("uri") {
        uri.text()?;
    }
    if let Some(digest) = node.get("digest") {
        check_digests(&digest)?;
    }
    for key in ["uri", "digest", "content"] {
        if node.get(key).is_some() {
            return Ok(());
        }
    }
    Err(node.fault("has none of uri, digest and content"))
}

/// Checks a DigestSet: algorithm to value, at least one. Those of the SHA families are lower-case
/// hex of the right length.
pub fn check_digests(node: &Node<'_, '_>) -> Result<(), PredicateError> {
    let mut any = false;
    for (algorithm, value) in node.members()? {
        any = true;
        let hex = value.text()?;
        let known = SHA.iter().any(|(name, _)| *name == algorithm);
        let good = digest(algorithm, hex).is_some_and(|(_, lower)| lower == hex);
        if known && !good {
            return Err(value.fault(format!(
                "{} is no {algorithm} in lower-case hex",
                quoted(hex)
            )));
        }
    }
    if any {
        Ok(())
    } else {
        Err(node.fault("holds no digest"))
    }
}

/// in-toto's names of the SHA families, and the bytes of a digest.
const SHA: [(&str, usize); 9] = [
    ("sha1", 20),
    ("sha224", 28),
    ("sha256", 32),
    ("sha384", 48),
    ("sha512", 64),
    ("sha3_224", 28),
    ("sha3_256", 32),
    ("sha3_384", 48),
    ("sha3_512", 64),
];

/// A digest as it is compared, whatever it is: under in-toto's name and in lower case if it is one
/// of the SHA families, else under the name of its algorithm in the spelling of in-toto. What is
/// malformed keeps its name, and is no other's digest.
pub fn any_digest(algorithm: &str, value: &str) -> (String, String) {
    digest(algorithm, value).unwrap_or_else(|| {
        let name = algorithm.replace('-', "").replace('/', "_");
        let hex = !value.is_empty() && value.bytes().all(|b| b.is_ascii_hexdigit());
        let known = SHA
            .iter()
            .any(|(known, _)| known.replace('_', "") == name.to_ascii_lowercase());
        if known || !hex {
            return (algorithm.to_owned(), value.to_owned());
        }
        (name.to_ascii_lowercase(), value.to_ascii_lowercase())
    })
}

/// A digest under in-toto's name of the algorithm, in lower case; `None` if the algorithm is
/// unknown here or broken beyond use (MD5), or the value is not as long as the algorithm's.
///
/// `algorithm` is compared by its letters and digits only, upper or lower case: `SHA-256` is
/// `sha256`.
pub fn digest(algorithm: &str, hex: &str) -> Option<(String, String)> {
    let plain: String = algorithm
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase();
    let (name, bytes) = SHA
        .into_iter()
        .find(|(name, _)| name.replace('_', "") == plain)?;
    let whole = hex.len() == 2 * bytes && hex.bytes().all(|b| b.is_ascii_hexdigit());
    whole.then(|| (name.to_owned(), hex.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_digests_is_lower_case_hex_of_the_right_length_and_not_empty() {
        let wrong = |text: &str| {
            let value = crate::json::parse(text.as_bytes()).unwrap();
            let checked = check_digests(&Node::root("$", &value));
            checked.err().map(|error| error.path)
        };
        let hex = "0a".repeat(32);
        for good in [
            format!(r#"{{"sha256":"{hex}"}}"#),
            format!(r#"{{"sha256":"{hex}","other":"Any"}}"#),
        ] {
            assert_eq!(wrong(&good), None, "{good}");
        }
        for bad in [&hex[1..], &hex.to_uppercase(), &hex.replace('a', "g")] {
            let bad = format!(r#"{{"other":"Any","sha256":"{bad}"}}"#);
            assert_eq!(wrong(&bad).as_deref(), Some("$.sha256"), "{bad}");
        }
        assert_eq!(wrong("{}").as_deref(), Some("$"));
    }

    #[test]
    fn digests_have_the_names_and_lengths_of_in_toto() {
        let zeros = "0".repeat(64);
        for name in ["sha256", "SHA-256", "SHA256", "sha-256"] {
            assert_eq!(digest(name, &zeros), Some(("sha256".into(), zeros.clone())));
        }
        assert_eq!(digest("SHA3-256", &zeros).unwrap().0, "sha3_256");
        assert_eq!(digest("sha512", &zeros), None);
        assert_eq!(digest("md5", &"0".repeat(32)), None);
        assert_eq!(digest("sha256", &"é".repeat(32)), None);
        for (algorithm, name) in [
            ("SHA-256", "sha256"),
            ("MD5", "md5"),
            ("SHA-512/256", "sha512_256"),
            ("BLAKE2b-256", "blake2b256"),
            // Not as long as it has to be.
            ("SHA-512", "SHA-512"),
        ] {
            assert_eq!(any_digest(algorithm, &zeros), (name.into(), zeros.clone()));
        }
    }
}
