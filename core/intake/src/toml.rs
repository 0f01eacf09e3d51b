//! TOML documents, read into JSON values: what a format asks of its document is asked with
//! [`Node`](assay_claims::kind::node::Node) then.

use crate::documents::{Document, DocumentError};
use assay_claims::json::Value;

/// Longest TOML document that is read, in bytes. Its tables take some ten times as much; the
/// largest lists of audits that are known have 2 MiB.
const BYTES: usize = 8 * 1024 * 1024;

/// Parses the document. Keys are sorted; a date or time becomes a string. Errors say line and
/// column.
pub(crate) fn parse(document: &Document) -> Result<Value, DocumentError> {
    let body = document.body();
    if body.len() > BYTES {
        return Err(DocumentError::NotTaken(format!(
            "the document has {} bytes; of TOML, {BYTES} are read",
            body.len()
        )));
    }
    let text =
        std::str::from_utf8(body).map_err(|e| syntax(body, e.valid_up_to(), "is not UTF-8"))?;
    match text.parse::<toml::Table>() {
        Ok(table) => Ok(object(table)),
        Err(e) => Err(syntax(
            body,
            e.span().map_or(0, |span| span.start),
            e.message(),
        )),
    }
}

fn syntax(body: &[u8], at: usize, reason: &str) -> DocumentError {
    let before = body.get(..at).unwrap_or(body);
    let line = before
        .split(|b| *b == b'\n')
        .next_back()
        .unwrap_or_default();
    DocumentError::Syntax {
        line: 1 + before.iter().filter(|b| **b == b'\n').count(),
        column: 1 + String::from_utf8_lossy(line).chars().count(),
        path: "$".into(),
        reason: reason
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(200)
            .collect(),
    }
}

fn object(table: toml::Table) -> Value {
    Value::Object(
        table
            .into_iter()
            .map(|(key, value)| (key, json(value)))
            .collect(),
    )
}

/// The parser bounds how deep values are nested.
fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(n) => Value::from(&serde_json::Value::from(n)),
        toml::Value::Float(n) => Value::from(&serde_json::Value::from(n)),
        toml::Value::Boolean(b) => b.into(),
        toml::Value::Datetime(at) => at.to_string().into(),
        toml::Value::Array(items) => Value::Array(items.into_iter().map(json).collect()),
        toml::Value::Table(table) => object(table),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &[u8]) -> Result<Value, DocumentError> {
        parse(&Document::new("x.toml", text).unwrap())
    }

    #[test]
    fn values_become_json() {
        let read =
            read(b"b = [1, -2.5, nan, true]\na = 2026-01-01\n[t.u]\ns = \"x\\ny\"\n").unwrap();
        assert_eq!(
            read.to_json(),
            r#"{"a":"2026-01-01","b":[1,-2.5,null,true],"t":{"u":{"s":"x\ny"}}}"#
        );
    }

    #[test]
    fn errors_say_where() {
        for (text, place) in [
            (&b"a = 1\n\xc3\xa9 = 2"[..], "line 2, column 1"),
            (b"a = 1\nb = \xff", "line 2, column 5"),
            (b"a = 1\na = 2", "line 2, column 1"),
            (b"a = ", "line 1, column 5"),
        ] {
            assert_eq!(read(text).unwrap_err().place(), place);
        }
        let keys = "a.".repeat(100_000);
        let tables = format!("{}1{}", "{a = ".repeat(10_000), "}".repeat(10_000));
        let arrays = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
        for deep in [
            format!("a = {arrays}"),
            format!("a = {tables}"),
            format!("{keys}a = 1"),
            format!("[{keys}a]"),
        ] {
            assert!(read(deep.as_bytes()).is_err());
        }
        assert!(
            read(&vec![b'#'; BYTES + 1])
                .unwrap_err()
                .to_string()
                .contains("are read")
        );
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in r#"[\[\]{}=.,"'a1# \n-]{0,60}"#) {
            let _outcome = read(text.as_bytes());
        }
    }
}
