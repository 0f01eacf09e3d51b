//! The signature lines of notes (C2SP signed-note, "Signatures").
//!
//! ```text
//! — <key name> base64(u32be(key id) ‖ signature)
//! ```

use base64::prelude::{BASE64_STANDARD, Engine};
use std::fmt;

/// What a signature line starts with: em dash, space.
const SIGNATURE_PREFIX: &str = "\u{2014} ";

/// A signature line of a note. It proves nothing until it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    name: String,
    key_id: u32,
    signature: Vec<u8>,
}

impl NoteSignature {
    /// Reads a line of a note's signature block, its line break included. `None` if it is not one
    /// in its one spelling.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line
            .strip_suffix('\n')?
            .strip_prefix(SIGNATURE_PREFIX)?
            .split_once(' ')?;
        let bytes = BASE64_STANDARD.decode(encoded).ok()?;
        let (key_id, signature) = bytes.split_first_chunk::<4>()?;
        if !is_key_name(name) || signature.is_empty() {
            return None;
        }
        Some(NoteSignature {
            name: name.into(),
            key_id: u32::from_be_bytes(*key_id),
            signature: signature.into(),
        })
    }

    /// The line that says that the key of this name and id made this signature.
    pub(super) fn new(name: &str, key_id: u32, signature: Vec<u8>) -> Self {
        NoteSignature {
            name: name.to_owned(),
            key_id,
            signature,
        }
    }

    /// The name of the key that is said to have signed.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its key id.
    pub fn key_id(&self) -> u32 {
        self.key_id
    }

    /// The signature, without the key id.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }
}

/// The line, its line break included: the very bytes that it was read from.
impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.key_id.to_be_bytes(), &self.signature[..]].concat();
        let encoded = BASE64_STANDARD.encode(bytes);
        writeln!(f, "{SIGNATURE_PREFIX}{} {encoded}", self.name)
    }
}

/// "Key names MUST be non-empty and MUST NOT contain any Unicode spaces or plus (U+002B)
/// characters."
pub(super) fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}
