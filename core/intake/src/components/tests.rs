//! What the tests of the formats share, and the tests of the front door.

use super::*;

/// What a text of a format is read as.
pub(super) fn found(format: Format, text: &str) -> Components {
    let distribution = Distribution {
        vendor: "debian".into(),
        release: Some("debian-12".into()),
    };
    read_as(format, "x", text.as_bytes(), Some(&distribution)).unwrap_or_else(|e| panic!("{e}"))
}

/// What a list has, as if it were of a file.
pub(super) fn found_in(list: list::List) -> Components {
    let found = list.finish(false);
    Components {
        format: Format::NpmLock,
        list: found.list,
        bom: found.bom,
        disputed_refs: found.disputed_refs,
        notes: found.notes,
        unidentified: found.unidentified,
    }
}

/// The error that a text of a format is refused with; it says what to do.
pub(super) fn refusal(format: Format, text: &str) -> String {
    match read_as(format, "x", text.as_bytes(), None) {
        Ok(found) => panic!("taken: {found:?}"),
        Err(error) => {
            assert!(error.to_string().contains("; "), "{error} gives no advice");
            error.to_string()
        }
    }
}

/// Each component in a line: its purl or else its name in brackets, the names of its digests, its
/// flags, its line.
pub(super) fn lines(found: &Components) -> Vec<String> {
    found
        .list
        .iter()
        .map(|component: &Component| {
            let purl = component.purl.as_ref().map(|purl| purl.as_str().to_owned());
            let mut words = vec![purl.unwrap_or_else(|| format!("({})", component.name))];
            words.extend(
                component
                    .digests
                    .iter()
                    .map(|(algorithm, _)| algorithm.clone()),
            );
            let flags = [
                (component.own, "own"),
                (component.dev, "dev"),
                (component.optional, "optional"),
            ];
            words.extend(
                flags
                    .iter()
                    .filter(|(set, _)| *set)
                    .map(|(_, word)| (*word).to_owned()),
            );
            words.extend(component.line.map(|line| format!(":{line}")));
            words.join(" ")
        })
        .collect()
}

/// Each unidentified entry in a line.
pub(super) fn unidentified(found: &Components) -> Vec<String> {
    let mut lines = Vec::new();
    for one in &found.unidentified {
        let at = one.line.map(|line| format!(":{line} ")).unwrap_or_default();
        lines.push(format!("{at}{} {}", one.what, one.reason));
    }
    lines
}

/// The notes, one a line.
pub(super) fn notes(found: &Components) -> String {
    found
        .notes
        .iter()
        .map(|note| note.text.as_str())
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn an_error_names_file_and_line() {
    let error = ComponentError {
        file: "a/b".into(),
        line: Some(3),
        reason: "r".into(),
    };
    assert_eq!(error.to_string(), "a/b:3: r");
    assert_eq!(
        ComponentError {
            line: None,
            ..error
        }
        .to_string(),
        "a/b: r"
    );
}

#[test]
fn a_file_is_read_by_its_name_or_as_told() {
    let text = "requests==2.32.0\n";
    let by_name = read("requirements.txt", text.as_bytes()).unwrap();
    assert_eq!(
        Ok(&by_name),
        read_as(Format::Requirements, "other", text.as_bytes(), None).as_ref()
    );
    assert_eq!(by_name.format, Format::Requirements);
    assert!(read("other", text.as_bytes()).is_err());
    assert_eq!(
        recognize("requirements.txt", text.as_bytes()),
        Ok(Format::Requirements)
    );
}

#[test]
fn every_format_refuses_what_is_not_its_own() {
    for format in Format::ALL {
        for text in ["This file is broken!", "{\"a\":[", "\u{0}", "[]", "{}"] {
            if !(format == &Format::Requirements && text == "[]") {
                refusal(*format, text);
            }
        }
        if !format.may_be_empty() {
            assert!(refusal(*format, "").contains("empty"));
        }
    }
}

#[test]
fn json_may_nest_deeper_than_a_claim_but_not_without_end() {
    let nested = |depth: usize| {
        let open = "{\"name\":\"a\",\"version\":\"1\",\"purl\":\"pkg:cargo/a@1\",\"components\":["
            .repeat(depth);
        format!(
            "{{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"components\":[{open}{}]}}",
            "]}".repeat(depth)
        )
    };
    assert_eq!(found(Format::CycloneDx, &nested(60)).list.len(), 1);
    assert!(refusal(Format::CycloneDx, &nested(80)).contains("nested deeper than 128 levels"));
}
