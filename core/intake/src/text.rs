//! Bytes and text of files, as people may see them.

/// Most characters of a text that is shown.
const SHOWN_CHARACTERS: usize = 300;

/// A text from a document as it may stand on a terminal: no control characters, and not endless.
pub fn shown(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(SHOWN_CHARACTERS)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(SHOWN_CHARACTERS).is_some() {
        shown.push('…');
    }
    shown
}

/// How the bytes are compressed, if their first ones say that they are.
pub fn compression(bytes: &[u8]) -> Option<&'static str> {
    const MAGIC: [(&[u8], &str); 5] = [
        (b"\x1f\x8b", "gzip"),
        (b"BZh", "bzip2"),
        (b"\xfd7zXZ\x00", "xz"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"PK\x03\x04", "zip"),
    ];
    MAGIC
        .iter()
        .find(|(magic, _)| bytes.starts_with(magic))
        .map(|(_, name)| *name)
}

/// The text of bytes that are UTF-16, with a byte order mark or with ASCII at the beginning; `None`
/// if they are anything else, or broken.
pub fn utf_16(bytes: &[u8]) -> Option<String> {
    let (rest, read): (&[u8], fn([u8; 2]) -> u16) = match bytes {
        [0xff, 0xfe, rest @ ..] => (rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => (rest, u16::from_be_bytes),
        [1..=0x7f, 0, 1..=0x7f, 0, ..] => (bytes, u16::from_le_bytes),
        [0, 1..=0x7f, 0, 1..=0x7f, ..] => (bytes, u16::from_be_bytes),
        _ => return None,
    };
    let (pairs, odd) = rest.as_chunks::<2>();
    if !odd.is_empty() {
        return None;
    }
    char::decode_utf16(pairs.iter().map(|pair| read(*pair)))
        .collect::<Result<String, _>>()
        .ok()
}
