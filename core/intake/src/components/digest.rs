//! Digests, as files of dependencies write them, under in-toto's names.

use assay_claims::kind::descriptor;
use base64::Engine;

/// Digests of one component.
pub(super) type Digests = Vec<(String, String)>;

/// A digest, or `None` where an algorithm is stated that is not used here (MD5, BLAKE).
type Digest = Option<(String, String)>;

/// Reads `ALGORITHM` and `HEX`. The error says what is wrong with the value.
pub(super) fn hex(algorithm: &str, value: &str) -> Result<Digest, String> {
    if let Some(digest) = descriptor::digest(algorithm, value) {
        return Ok(Some(digest));
    }
    // An algorithm that takes no value of any length is an unknown one.
    let known = [40, 56, 64, 96, 128]
        .into_iter()
        .any(|digits| descriptor::digest(algorithm, &"0".repeat(digits)).is_some());
    if known {
        Err(format!("is no {algorithm} in hex"))
    } else {
        Ok(None)
    }
}

/// Reads `ALGORITHM:HEX`, as Python tools write digests.
pub(super) fn prefixed(text: &str) -> Result<Digest, String> {
    let (algorithm, value) = text
        .split_once(':')
        .ok_or("is no digest in the form ALGORITHM:HEX")?;
    hex(algorithm, value)
}

/// Reads the value of `integrity` (W3C Subresource Integrity): words of `ALGORITHM-BASE64`, an
/// option after `?`.
pub(super) fn integrity(text: &str) -> Result<Digests, String> {
    let mut digests = Vec::new();
    for word in text.split_ascii_whitespace() {
        let word = word
            .split_once('?')
            .map_or(word, |(digest, _option)| digest);
        let malformed = || format!("{word:?} is no digest in the form ALGORITHM-BASE64");
        let (algorithm, value) = word.split_once('-').ok_or_else(malformed)?;
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(value)
            .map_err(|_| malformed())?;
        digests.extend(hex(algorithm, &::hex::encode(bytes))?);
    }
    Ok(digests)
}

/// The commit, if a revision is one: then it is the digest of what is used.
pub(super) fn commit(revision: &str) -> Option<(String, String)> {
    let is_hex = revision.bytes().all(|b| b.is_ascii_hexdigit());
    (is_hex && [40, 64].contains(&revision.len()))
        .then(|| ("gitCommit".to_owned(), revision.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_get_the_names_of_in_toto() {
        let hex_of_64 = "Ab".repeat(32);
        let lower = Some(("sha256".to_owned(), "ab".repeat(32)));
        assert_eq!(hex("SHA-256", &hex_of_64), Ok(lower.clone()));
        assert_eq!(prefixed(&format!("sha256:{hex_of_64}")), Ok(lower));
        assert_eq!(prefixed(&format!("md5:{}", "0".repeat(32))), Ok(None));
        for bad in ["sha256", "sha256:", "sha256:0", "sha512:00", "sha256:zz"] {
            assert!(prefixed(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn integrity_is_base64_of_the_length_of_its_algorithm() {
        let sha1 = "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=";
        let expected = (
            "sha1".to_owned(),
            "da39a3ee5e6b4b0d3255bfef95601890afd80709".to_owned(),
        );
        assert_eq!(integrity(sha1), Ok(vec![expected.clone()]));
        assert_eq!(
            integrity(&format!(" {sha1}?opt {sha1}")),
            Ok(vec![expected.clone(), expected])
        );
        assert_eq!(integrity(""), Ok(vec![]));
        for bad in [
            "sha1",
            "sha1-!",
            "sha512-2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
            "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBw",
        ] {
            assert!(integrity(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_a_whole_commit_is_a_digest() {
        assert_eq!(
            commit(&"A1".repeat(20)),
            Some(("gitCommit".into(), "a1".repeat(20)))
        );
        assert_eq!(
            (commit("main"), commit(&"a".repeat(39)), commit("")),
            (None, None, None)
        );
    }
}
