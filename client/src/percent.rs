//! Percent-encoding.

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
