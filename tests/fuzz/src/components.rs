//! Files of dependencies: one target for each format, and one for finding it out.

use crate::target::Target;
use assay_claims::purl::Purl;
use assay_claims::statement::Subject;
use assay_intake::components::{Components, Distribution, Format, read, read_as, recognize};
use assay_intake::limits;

pub fn targets() -> Vec<Target> {
    let formats = Format::ALL.iter().copied();
    let mut all: Vec<Target> = formats
        .map(|format| {
            let name = format!("component-{}", format.id());
            Target::new(&name, move |bytes| component(format, bytes))
        })
        .collect();
    let by_content = all.iter().flat_map(Target::seeds).map(|seed| seed.bytes);
    let by_content: Vec<_> = by_content
        .filter(|bytes| recognize("x", bytes).is_ok())
        .collect();
    all.push(Target::new("component-format", format).with(by_content));
    all
}

fn distribution() -> Distribution {
    Distribution {
        vendor: "debian".into(),
        release: Some("debian-12".into()),
    }
}

/// What is read holds what [`Components`] promises, and a byte order mark changes nothing of it.
fn component(format: Format, bytes: &[u8]) -> bool {
    let distribution = distribution();
    let read = read_as(format, "a", bytes, Some(&distribution));
    let lines = lines(bytes);
    let found = match read {
        Ok(found) => found,
        Err(error) => {
            let on_a_line = error.line.is_none_or(|line| (1..=lines).contains(&line));
            assert!(on_a_line, "{error}, of {lines} lines");
            assert!(!error.to_string().contains('\n'), "{error:?}");
            return false;
        }
    };
    check(&found, lines);
    // UTF-16 is known by its zeros or a mark of its own.
    let marks = [&b"\xef\xbb\xbf"[..], b"\xfe\xff", b"\xff\xfe"];
    if !marks.iter().any(|mark| bytes.starts_with(mark)) && !bytes.contains(&0) {
        let marked = [b"\xef\xbb\xbf", bytes].concat();
        let again = read_as(format, "a", &marked, Some(&distribution));
        assert_eq!(again.as_ref(), Ok(&found), "a byte order mark changes it");
    }
    true
}

/// How many lines there can be: YAML takes a carriage return for a line break, too.
fn lines(bytes: &[u8]) -> u32 {
    1 + bytes.iter().filter(|byte| b"\r\n".contains(byte)).count() as u32
}

fn check(found: &Components, lines: u32) {
    assert!(found.list.len() + found.unidentified.len() <= limits::COMPONENTS);
    let is_plain = |text: &str| !text.chars().any(char::is_control);
    let is_line = |line: Option<u32>| line.is_none_or(|line| (1..=lines).contains(&line));
    for (i, one) in found.list.iter().enumerate() {
        assert!(
            one.purl.is_some() || !one.digests.is_empty() || one.own,
            "{one:?}"
        );
        if let Some(purl) = &one.purl {
            assert_eq!(Purl::parse_canonical(purl.as_str()).as_ref(), Ok(purl));
        }
        for (algorithm, digest) in &one.digests {
            assert!(
                Subject::takes_digest(algorithm, digest),
                "{algorithm} {digest}"
            );
        }
        assert!(
            is_plain(&one.name) && one.version.as_deref().is_none_or(is_plain),
            "{one:?}"
        );
        assert!(is_line(one.line), "{one:?}, of {lines} lines");
        let again = found.list[..i].iter().rev().take(100).any(|other| {
            (&other.purl, &other.name, &other.version, &other.digests)
                == (&one.purl, &one.name, &one.version, &one.digests)
        });
        assert!(!again, "{one:?} stands twice");
    }
    for note in &found.notes {
        assert!(is_plain(&note.text) && is_line(note.line), "{note:?}");
    }
    for one in &found.unidentified {
        assert!(
            is_plain(&one.what) && is_plain(&one.reason) && is_line(one.line),
            "{one:?}"
        );
    }
}

/// A file without a telling name is read as what it is recognized as.
fn format(bytes: &[u8]) -> bool {
    let Ok(format) = recognize("x", bytes) else {
        assert!(
            read("x", bytes).is_err(),
            "read, though it is not recognized"
        );
        return false;
    };
    match read("x", bytes) {
        Ok(found) => assert_eq!(read_as(format, "x", bytes, None).as_ref(), Ok(&found)),
        Err(error) => assert_eq!(read_as(format, "x", bytes, None), Err(error)),
    }
    true
}
