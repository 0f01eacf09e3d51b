use crate::components::tests::lines;
use crate::components::{ComponentError, Components, Format, read, read_as};
use crate::limits;

/// A text in UTF-16, little-endian, with a byte order mark.
fn utf_16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

fn refused(read: Result<Components, ComponentError>) -> String {
    read.unwrap_err().to_string()
}

#[test]
fn utf_16_is_read_if_it_is_whole_and_not_too_large() {
    let mut text = utf_16("requests==2.32.0\n");
    assert_eq!(
        lines(&read("requirements.txt", &text).unwrap()),
        ["pkg:pypi/requests@2.32.0 :1"]
    );
    text.push(b'\n');
    let half = refused(read("requirements.txt", &text));
    assert!(half.contains("is not UTF-8"), "{half}");
    // In UTF-8 it would have half as many bytes.
    text.pop();
    text.extend([b'#', 0].repeat(limits::DOCUMENT_BYTES / 2));
    let large = refused(read("requirements.txt", &text));
    let said = format!("the file has {} bytes, and at most", text.len());
    assert!(large.contains(&said), "{large}");
}

#[test]
fn yaml_has_a_limit_of_its_own() {
    let begin = "lockfileVersion: '9.0'\n#";
    let bytes = limits::COMPONENT_YAML_BYTES + 1;
    let text = format!("{begin}{}", "#".repeat(bytes - begin.len()));
    let large = refused(read_as(Format::PnpmLock, "x", text.as_bytes(), None));
    assert!(large.contains("of YAML, 16777216 are read"), "{large}");
}
