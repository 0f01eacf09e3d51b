//! Percent-encoding, and paths.

use std::fmt::Write;

/// Returns a text in which all but letters, digits, `-._~` and the bytes of `kept` is
/// percent-encoded (RFC 3986, sections 2.1 and 2.3).
pub fn percent_encoded(text: &str, kept: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || kept.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// Returns a text as one part of a path: all but letters, digits and what a purl has between its
/// parts is percent-encoded.
pub fn in_path(text: &str) -> String {
    percent_encoded(text, b":/@")
}

/// Whether a path leads where it says: browsers take parts of dots out of one, and what stands
/// before them, however they are encoded.
pub fn is_path(path: &str) -> bool {
    path.split('/').all(|part| part != "." && part != "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_path_is_only_that() {
        for (text, path) in [
            ("pkg:cargo/serde@1.0", "pkg:cargo/serde@1.0"),
            ("pkg:npm/%40a/b@1?x=y#z", "pkg:npm/%2540a/b@1%3Fx%3Dy%23z"),
            ("\"><script>", "%22%3E%3Cscript%3E"),
        ] {
            assert_eq!(in_path(text), path);
        }
    }

    #[test]
    fn a_path_with_a_part_of_dots_leads_elsewhere() {
        for path in ["p/pkg:golang/a..b/...@v1", "v/CVE-1", "p/pkg:generic/..@1"] {
            assert!(is_path(path), "{path}");
        }
        for path in [
            "p/pkg:golang/../../logout",
            "v/..",
            "./p",
            "p/pkg:generic/.",
        ] {
            assert!(!is_path(path), "{path}");
        }
    }
}
