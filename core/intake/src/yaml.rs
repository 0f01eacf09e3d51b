//! YAML documents (YAML 1.2.2, core schema), read into JSON values, and only as much of YAML as two
//! readers read alike.
//!
//! Refused are anchors and aliases, so that a document cannot become larger than it is; tags; keys
//! that are no scalars, or come twice; more than one document; and what JSON has no word for. A
//! plain scalar is null, a boolean or a number if JSON would read it so (`True`, `TRUE`, `~` and
//! nothing besides), and else a string: `2025-01-01`, `0x1f` and `yes` are strings.

use crate::documents::{Document, DocumentError};
use assay_claims::json::{self, Tape, TapeWriter, Value};
use assay_claims::kind::node::push_key;
use assay_claims::limits;
use assay_tlog::Hash;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle};
use std::collections::BTreeSet;

/// Longest YAML document that is read, in bytes: ten times the largest that is known of the formats
/// that are taken.
const BYTES: usize = 256 * 1024;

/// Parses the document. Errors say line and column.
pub(crate) fn parse(document: &Document) -> Result<Value, DocumentError> {
    let body = document.body();
    if body.len() > BYTES {
        return Err(DocumentError::NotTaken(format!(
            "the document has {} bytes; of YAML, {BYTES} are read",
            body.len()
        )));
    }
    let text = std::str::from_utf8(body).map_err(|e| {
        let line = 1 + body
            .iter()
            .take(e.valid_up_to())
            .filter(|b| **b == b'\n')
            .count();
        DocumentError::Line {
            line,
            reason: "is not UTF-8".into(),
        }
    })?;
    parse_text(text)
}

/// Parses a text whose size was checked, as [`parse`] does.
pub(crate) fn parse_text(text: &str) -> Result<Value, DocumentError> {
    parse_several(text, 1, &[]).and_then(|documents| {
        let last = documents.last().map(|document| document.root().to_value());
        last.ok_or_else(|| DocumentError::Line {
            line: 1,
            reason: "the document is empty".into(),
        })
    })
}

/// Parses a text whose size was checked, and which may hold up to `most` documents. What holds
/// nothing is left out, and so are the members of each that `unread` names: these are as
/// well-formed as the others, and nobody looks at them.
pub(crate) fn parse_several(
    text: &str,
    most: usize,
    unread: &[&str],
) -> Result<Vec<Tape<'static>>, DocumentError> {
    let mut parser = Parser::new_from_str(text);
    let mut builder = Builder {
        lines: lines(text),
        writer: TapeWriter::of_text(text.len()),
        most,
        unread,
        ..Builder::default()
    };
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|e| builder.fault(e.marker(), e.info()))?;
        builder
            .take(event)
            .map_err(|reason| builder.fault(&span.start, reason))?;
    }
    Ok(builder.whole)
}

/// Arrays and objects that are not finished, from the outermost.
#[derive(Default)]
struct Builder<'u> {
    open: Vec<Open>,
    /// The document that is not finished.
    writer: TapeWriter,
    whole: Vec<Tape<'static>>,
    documents: usize,
    /// How many documents are read.
    most: usize,
    /// Members of a document that are left out.
    unread: &'u [&'u str],
    /// Whether one of them comes.
    is_unread: bool,
    /// Lines of the text.
    lines: usize,
}

enum Open {
    /// How many items there are.
    Array(usize),
    Object(Members),
}

/// The keys of an object, and the one whose value comes next.
#[derive(Default)]
struct Members {
    /// The beginnings of their digests: a list of packages has many.
    seen: BTreeSet<[u8; 16]>,
    key: Option<String>,
}

/// How many lines a text has: what stands behind the last line break is one, too.
fn lines(text: &str) -> usize {
    let breaks = text.matches(['\n', '\r']).count() - text.matches("\r\n").count();
    1 + breaks
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>) -> Result<(), &'static str> {
        match event {
            Event::Scalar(_, _, 1.., _)
            | Event::SequenceStart(1.., _)
            | Event::MappingStart(1.., _)
            | Event::Alias(_) => {
                Err("anchors and aliases are not taken: write the value where it belongs")
            }
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => Err("tags are not taken"),
            Event::DocumentStart(_) if self.documents == self.most => Err(if self.most == 1 {
                "a second document begins here, and one is read"
            } else {
                "one document more begins here than are read"
            }),
            Event::DocumentStart(_) => {
                self.documents += 1;
                Ok(())
            }
            Event::SequenceStart(..) => self.begin(Open::Array(0)),
            Event::MappingStart(..) => self.begin(Open::Object(Members::default())),
            Event::SequenceEnd | Event::MappingEnd => {
                if self.open.pop().is_none() {
                    return Err("something ends here that did not begin");
                }
                if let Some(writer) = self.writer() {
                    writer.end();
                }
                self.ended()
            }
            Event::Scalar(text, style, ..) => {
                let is_first = self.open.len() == 1;
                match self.open.last_mut() {
                    Some(Open::Object(members)) if members.key.is_none() => {
                        self.is_unread |= is_first && self.unread.contains(&&*text);
                        if !self.is_unread {
                            self.writer.key(&text);
                        }
                        members.name(text.into_owned())
                    }
                    _ => {
                        if let Some(writer) = self.writer() {
                            write_scalar(writer, &text, style);
                        }
                        self.ended()
                    }
                }
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn begin(&mut self, open: Open) -> Result<(), &'static str> {
        if self.open.len() == limits::JSON_DEPTH {
            return Err("is nested too deep");
        }
        match self.open.last() {
            Some(Open::Object(members)) if members.key.is_none() => {
                Err("a key has to be a plain text")
            }
            _ => {
                match (&open, self.writer()) {
                    (Open::Array(_), Some(writer)) => writer.array(),
                    (Open::Object(_), Some(writer)) => writer.object(),
                    (_, None) => {}
                }
                self.open.push(open);
                Ok(())
            }
        }
    }

    /// Where a value is written, unless nobody looks at it.
    fn writer(&mut self) -> Option<&mut TapeWriter> {
        (!self.is_unread).then_some(&mut self.writer)
    }

    /// A value ends here.
    fn ended(&mut self) -> Result<(), &'static str> {
        // Only a member of the whole document begins to be left out.
        self.is_unread &= self.open.len() > 1;
        match self.open.last_mut() {
            Some(Open::Array(items)) => *items += 1,
            Some(Open::Object(members)) => {
                members.key.take().ok_or("a value without a key")?;
            }
            None => self.whole.push(std::mem::take(&mut self.writer).finish()),
        }
        Ok(())
    }

    fn fault(&self, at: &Marker, reason: &str) -> DocumentError {
        let reason = reason
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(200)
            .collect();
        // Where a text ends within something, the parser is on the line after the last one.
        let is_behind = at.line() > self.lines;
        DocumentError::Syntax {
            line: at.line().min(self.lines),
            column: if is_behind { 1 } else { at.col() + 1 },
            path: self.path(),
            reason,
        }
    }

    /// Where in the document the parser is.
    fn path(&self) -> String {
        let mut path = "$".to_owned();
        for open in &self.open {
            match open {
                Open::Array(items) => path.push_str(&format!("[{items}]")),
                Open::Object(Members { key: Some(key), .. }) => {
                    push_key(&mut path, &key.chars().take(40).collect::<String>());
                }
                Open::Object(_) => {}
            }
        }
        path
    }
}

impl Members {
    fn name(&mut self, key: String) -> Result<(), &'static str> {
        let mut half = [0; 16];
        let digest = Hash::of(key.as_bytes());
        half.iter_mut()
            .zip(digest.as_bytes())
            .for_each(|(half, byte)| *half = *byte);
        if !self.seen.insert(half) {
            return Err("the key here stands in the same mapping before");
        }
        self.key = Some(key);
        Ok(())
    }
}

fn write_scalar(writer: &mut TapeWriter, text: &str, style: ScalarStyle) {
    match text {
        _ if style != ScalarStyle::Plain => writer.string(text),
        "" | "~" | "null" | "Null" | "NULL" => writer.word(None),
        "true" | "True" | "TRUE" => writer.word(Some(true)),
        "false" | "False" | "FALSE" => writer.word(Some(false)),
        _ => match json::parse(text.as_bytes()) {
            Ok(Value::Number(number)) => writer.number(&number),
            _ => writer.string(text),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &[u8]) -> Result<Value, DocumentError> {
        parse(&Document::new("x.yml", text).unwrap())
    }

    #[test]
    fn values_become_json() {
        let text = "a: [1, -2.5, 1e3, '1', \"x\\ty\", true, no, ~, null, , 2.0.0, 2025-01-01, \
            0x1f]\nb:\n  - c: |\n      two\n      lines\n    d:\n  - {}\n1: one\n";
        let expected = r#"{"a":[1,-2.5,1e3,"1","x\ty",true,"no",null,null,"2.0.0","2025-01-01","0x1f"],"b":[{"c":"two\nlines\n","d":null},{}],"1":"one"}"#;
        assert_eq!(
            read(text.replace(", ,", ",").as_bytes()).unwrap().to_json(),
            expected
        );
        assert_eq!(
            read(b"{\"json\": [1, {\"is\": \"yaml\"}]}")
                .unwrap()
                .to_json(),
            r#"{"json":[1,{"is":"yaml"}]}"#
        );
    }

    #[test]
    fn what_readers_differ_on_is_refused() {
        for (text, place, reason) in [
            ("a: &x 1\nb: *x", "line 1, column 4", "anchors"),
            ("a: &x [1]", "line 1", "anchors"),
            ("a: &x {}", "line 1", "anchors"),
            ("a: !!binary aGk=", "line 1, column 4", "tags"),
            ("a: !x []", "line 1", "tags"),
            ("a: 1\nb: 2\na: 3", "line 3, column 1", "before"),
            ("[a]: 1", "line 1", "a key has to be a plain text"),
            ("{}: 1", "line 1", "a key has to be a plain text"),
            ("a: 1\n---\nb: 2", "line 2", "second document"),
            ("a:\n  - b\n c", "line 3", ""),
            ("", "line 1", "empty"),
            ("a: \"x", "line 1", ""),
            ("a:\n- {b: c", "line 2", ""),
            ("a:\r- {b: c", "line 2", ""),
            ("a:\n  b\nc", "line 3", ""),
        ] {
            let error = read(text.as_bytes()).unwrap_err();
            assert!(
                error.place().starts_with(place) && error.to_string().contains(reason),
                "{text:?}: {error}"
            );
        }
        assert_eq!(read(b"a: 1\nb: \xff").unwrap_err().place(), "line 2");
        assert!(
            read(&vec![b'#'; BYTES + 1])
                .unwrap_err()
                .to_string()
                .contains("are read")
        );
        let nested = read(b"a:\n  - b: !x 1").unwrap_err();
        assert!(
            matches!(&nested, DocumentError::Syntax { path, .. } if path == "$.a[0].b"),
            "{nested}"
        );
    }

    /// The parser sees to that, and nothing here relies on it.
    #[test]
    fn an_end_without_a_beginning_is_refused() {
        for event in [Event::SequenceEnd, Event::MappingEnd] {
            let taken = Builder::default().take(event);
            assert_eq!(taken, Err("something ends here that did not begin"));
        }
    }

    #[test]
    fn members_that_nobody_looks_at_are_left_out() {
        let of = |text: &str| {
            let documents = parse_several(text, 2, &["no", "nor"]).map_err(|e| e.to_string())?;
            let all = documents.iter().map(|one| one.root().to_value().to_json());
            Ok::<_, String>(all.collect::<Vec<_>>().join(" "))
        };
        for (text, expected) in [
            (
                "a: 1\nno: {a: [1, {no: 2}], b: x}\nb: {no: 3}",
                r#"{"a":1,"b":{"no":3}}"#,
            ),
            ("no: [[x]]\nnor: 1\nb: 2", r#"{"b":2}"#),
            ("no:\nb: 2", r#"{"b":2}"#),
            ("b: 2\nno: 1\n---\nno: 1\nc: 3", r#"{"b":2} {"c":3}"#),
            ("- no\n- {no: 1}", r#"["no",{"no":1}]"#),
        ] {
            assert_eq!(of(text).as_deref(), Ok(expected), "{text}");
        }
        for bad in [
            "no: {a: 1, a: 2}",
            "no: [*x]",
            "no: {a: !t 1}",
            "no: 1\nno: 2",
        ] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(nested(limits::JSON_DEPTH).as_bytes()).is_ok());
        for depth in [limits::JSON_DEPTH + 1, 300, 100_000] {
            assert!(read(nested(depth).as_bytes()).is_err());
        }
        assert!(read("- ".repeat(100_000).as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in r#"[\[\]{}:,?&*!|>"'%@`a1# \t\n-]{0,60}"#, other: String) {
            let _outcome = (read(text.as_bytes()), read(other.as_bytes()));
        }

        #[test]
        fn json_is_read_as_json_reads_it(text in r#"[\[\]{}",:a1 ]{0,24}"#) {
            // A key of a flow mapping needs a blank after its colon only if it is not quoted, as in
            // JSON it is.
            if let (Ok(json), Ok(yaml)) = (json::parse(text.as_bytes()), read(text.as_bytes())) {
                prop_assert_eq!(json, yaml);
            }
        }
    }
}
