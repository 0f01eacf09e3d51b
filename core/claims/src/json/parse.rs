//! The reader: one pass, recursive to a bounded depth. A path is put together only when something
//! is wrong.

use super::fault::{Fault, JsonError, key_step};
use super::target::{Target, Tree};
use super::value::Value;
use crate::limits;

/// A key is compared with those before it up to this many; in larger objects the keys are sorted
/// at the end, or a claim of a few thousand keys would cost more than its signatures.
const SMALL_OBJECT: usize = 16;

/// Reads one JSON value that is all of `bytes`, except for white space around it.
///
/// It guarantees distinct keys in every object and at most [`limits::JSON_DEPTH`] nested arrays and
/// objects.
pub fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    parse_to_depth(bytes, limits::JSON_DEPTH)
}

/// Reads JSON as [`parse`] does, but with at most `deepest` nested arrays and objects. The reader
/// is recursive: `deepest` is a constant of some hundreds at most, never what an input says.
pub fn parse_to_depth(bytes: &[u8], deepest: usize) -> Result<Value, JsonError> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) => return Err(Fault::new(e.valid_up_to(), "the bytes are not UTF-8").locate(bytes)),
    };
    let mut reader = Reader::new(text, deepest, Tree);
    reader.document().map_err(|fault| fault.locate(bytes))
}

pub(super) struct Reader<'a, T> {
    text: &'a str,
    bytes: &'a [u8],
    /// Where it stands.
    pub(super) at: usize,
    deepest: usize,
    /// What the text is read into.
    pub(super) target: T,
}

impl<'a, T: Target<'a>> Reader<'a, T> {
    pub(super) fn new(text: &'a str, deepest: usize, target: T) -> Self {
        Reader {
            text,
            bytes: text.as_bytes(),
            at: 0,
            deepest,
            target,
        }
    }

    pub(super) fn document(&mut self) -> Result<T::Value, Box<Fault>> {
        self.space();
        let value = self.value(0)?;
        self.space();
        match self.peek() {
            None => Ok(value),
            Some(_) => Err(self.fault("something follows the value")),
        }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn fault(&self, reason: impl Into<String>) -> Box<Fault> {
        Fault::new(self.at, reason)
    }

    fn expected(&self, what: &str) -> Box<Fault> {
        match self
            .text
            .get(self.at..)
            .and_then(|rest| rest.chars().next())
        {
            Some(c) => self.fault(format!("expected {what}, found {c:?}")),
            None => self.fault(format!("expected {what}, but the text ends")),
        }
    }

    pub(super) fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let eaten = self.peek() == Some(byte);
        self.at += usize::from(eaten);
        eaten
    }

    /// Reads a value that `depth` arrays and objects are around.
    pub(super) fn value(&mut self, depth: usize) -> Result<T::Value, Box<Fault>> {
        match self.peek() {
            Some(b'{' | b'[') if depth == self.deepest => {
                Err(self.fault(format!("nested deeper than {} levels", self.deepest)))
            }
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => {
                let text = self.string()?;
                Ok(self.target.string(text))
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Some(true)),
            Some(b'f') => self.word("false", Some(false)),
            Some(b'n') => self.word("null", None),
            _ => Err(self.expected("a value")),
        }
    }

    fn word(&mut self, word: &str, value: Option<bool>) -> Result<T::Value, Box<Fault>> {
        if self
            .bytes
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(word.as_bytes()))
        {
            self.at += word.len();
            Ok(self.target.word(value))
        } else {
            Err(self.expected("a value"))
        }
    }

    fn array(&mut self, depth: usize) -> Result<T::Value, Box<Fault>> {
        self.at += 1;
        let mut array = self.target.array();
        self.space();
        let mut index = 0_usize;
        let mut is_closed = self.eat(b']');
        while !is_closed {
            self.space();
            let item = self
                .value(depth + 1)
                .map_err(|fault| fault.under(format!("[{index}]")))?;
            self.target.item(&mut array, item);
            index += 1;
            self.space();
            is_closed = self.eat(b']');
            if !is_closed && !self.eat(b',') {
                return Err(self.expected("',' or ']'"));
            }
        }
        Ok(self.target.end_array(array))
    }

    fn object(&mut self, depth: usize) -> Result<T::Value, Box<Fault>> {
        self.at += 1;
        let mut object = self.target.object();
        self.space();
        let mut members = 0_usize;
        let mut is_closed = self.eat(b'}');
        while !is_closed {
            self.space();
            self.member(depth, &mut object, members < SMALL_OBJECT)?;
            members += 1;
            self.space();
            is_closed = self.eat(b'}');
            if !is_closed && !self.eat(b',') {
                return Err(self.expected("',' or '}'"));
            }
        }
        if members > SMALL_OBJECT
            && let Some((place, key)) = self.target.twin(&object)
        {
            return Err(twice(place, key));
        }
        Ok(self.target.end_object(object))
    }

    /// Reads a member of an object; `compares` its key with those before it.
    fn member(
        &mut self,
        depth: usize,
        object: &mut T::Object,
        compares: bool,
    ) -> Result<(), Box<Fault>> {
        let place = self.at;
        if self.peek() != Some(b'"') {
            return Err(self.expected("a key in quotes"));
        }
        let key = self.string()?;
        if compares && self.target.has(object, &key) {
            return Err(twice(place, self.target.name(&key)));
        }
        self.space();
        if !self.eat(b':') {
            let step = key_step(self.target.name(&key));
            return Err(self.expected("':'").under(step));
        }
        self.space();
        match self.value(depth + 1) {
            Ok(value) => {
                let late = (!compares).then_some(place);
                self.target.member(object, key, late, value);
                Ok(())
            }
            Err(fault) => Err(fault.under(key_step(self.target.name(&key)))),
        }
    }

    /// The run of bytes from here up to a quote, a backslash or a control character. All three are
    /// ASCII, so that the run begins and ends between characters.
    fn plain_run(&mut self) -> &'a str {
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        self.at += rest
            .iter()
            .position(|&b| b == b'"' || b == b'\\' || b < 0x20)
            .unwrap_or(rest.len());
        self.text.get(start..self.at).unwrap_or_default()
    }

    pub(super) fn string(&mut self) -> Result<T::Text, Box<Fault>> {
        let place = self.at;
        self.at += 1;
        let plain = self.plain_run();
        if self.eat(b'"') {
            return Ok(self.target.plain(place, plain));
        }
        let mut out = plain.to_owned();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(self.target.resolved(place, out));
                }
                Some(b'\\') => {
                    out.push(self.escape()?);
                    out.push_str(self.plain_run());
                }
                Some(_) => {
                    return Err(self.fault("a control character stands unescaped in a string"));
                }
                None => return Err(self.expected("the closing quote of a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Box<Fault>> {
        let at = self.at;
        self.at += 2;
        let c = match self.bytes.get(at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(at),
            _ => return Err(Fault::new(at, "no such escape in a string")),
        };
        Ok(c)
    }

    /// Reads the digits after `\u`, and those of the second half of a surrogate pair.
    fn unicode_escape(&mut self, at: usize) -> Result<char, Box<Fault>> {
        let first = self.hex4()?;
        let code = match first {
            0xd800..=0xdbff => {
                let second = if self.eat(b'\\') && self.eat(b'u') {
                    self.hex4()?
                } else {
                    0
                };
                match second {
                    0xdc00..=0xdfff => 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00),
                    _ => first,
                }
            }
            _ => first,
        };
        char::from_u32(code)
            .ok_or_else(|| Fault::new(at, "half a surrogate pair, which is not a character"))
    }

    fn hex4(&mut self) -> Result<u32, Box<Fault>> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|b| char::from(b).to_digit(16));
            code = code * 16 + digit.ok_or_else(|| self.expected("four hex digits after \\u"))?;
            self.at += 1;
        }
        Ok(code)
    }

    fn digits(&mut self) -> Result<(), Box<Fault>> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.expected("a digit"));
        }
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<T::Value, Box<Fault>> {
        let place = self.at;
        self.eat(b'-');
        if self.eat(b'0') {
            if let Some(b'0'..=b'9') = self.peek() {
                return Err(self.fault("a number has a superfluous zero in front"));
            }
        } else {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _sign = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        let text = self.text.get(place..self.at).unwrap_or_default();
        Ok(self.target.number(place, text))
    }
}

/// The fault of an object that has a key twice.
fn twice(place: usize, key: &str) -> Box<Fault> {
    Fault::new(place, "the key stands twice in the object").under(key_step(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refused(text: &[u8]) -> (usize, usize, String, String) {
        let e = parse(text).unwrap_err();
        (e.line, e.column, e.path, e.reason)
    }

    fn reason(text: &[u8]) -> String {
        refused(text).3
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_place() {
        assert_eq!(refused(b"").3, "expected a value, but the text ends");
        let (line, column, path, reason) = refused("{\n \"a\": {\"ü\": [1,\n  tru]}}".as_bytes());
        assert_eq!((line, column, path.as_str()), (3, 3, "$.a[\"ü\"][1]"));
        assert_eq!(reason, "expected a value, found 't'");
        assert_eq!(refused(b"{\"a\":1}x").1, 8);
        assert!(refused(b"[01]").3.contains("superfluous zero"));
        for bad in [
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "{a\":1}",
            "{\"a\":1 \"b\":2}",
            "[1 2]",
            "{\"a\" 1}",
            "nul",
            "+1",
            "1.",
            ".5",
            "1e",
            "-",
            "\"a",
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
        for bad in [
            "01",
            "-00",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"a\nb\"",
            "\u{feff}1",
            "1 2",
            "NaN",
            "// c\n1",
            "'a'",
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn duplicate_keys_are_refused_however_they_are_spelled() {
        let (line, column, path, reason) = refused(br#"{"a":{"b":1,"\u0062":2}}"#);
        assert_eq!((line, column, path.as_str()), (1, 13, "$.a.b"));
        assert_eq!(reason, "the key stands twice in the object");
        // Either side of the switch from comparing to a set.
        for n in [2, SMALL_OBJECT, SMALL_OBJECT + 1, 3 * SMALL_OBJECT] {
            for twin in [0, n - 1] {
                let members: Vec<_> = (0..n).map(|i| format!("\"k{i}\":{i}")).collect();
                assert!(parse(format!("{{{}}}", members.join(",")).as_bytes()).is_ok());
                let text = format!("{{{},\"k{twin}\":0,\"last\":0}}", members.join(","));
                let (line, column, path, _) = refused(text.as_bytes());
                assert_eq!(
                    (line, column),
                    (1, text.rfind(&format!("\"k{twin}\"")).unwrap() + 1)
                );
                assert_eq!(path, format!("$.k{twin}"));
            }
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(parse(nested(limits::JSON_DEPTH).as_bytes()).is_ok());
        assert!(reason(nested(limits::JSON_DEPTH + 1).as_bytes()).starts_with("nested deeper"));
        let objects = |n: usize| format!("{}1{}", "{\"a\":".repeat(n), "}".repeat(n));
        assert!(parse(objects(limits::JSON_DEPTH).as_bytes()).is_ok());
        assert!(reason(objects(limits::JSON_DEPTH + 1).as_bytes()).starts_with("nested deeper"));
        assert!(parse("[".repeat(1 << 20).as_bytes()).is_err());
        let deepest = 4 * limits::JSON_DEPTH;
        assert!(parse_to_depth(nested(deepest).as_bytes(), deepest).is_ok());
        assert!(parse_to_depth(nested(deepest + 1).as_bytes(), deepest).is_err());
    }

    #[test]
    fn only_utf8_and_whole_characters_are_read() {
        let (line, column, _, said) = refused(b"{\n\"a\":\"\xff\"}");
        assert_eq!(
            (line, column, said.as_str()),
            (2, 6, "the bytes are not UTF-8")
        );
        assert_eq!(
            parse(br#""\ud83d\ude00\u0041""#).unwrap().as_str(),
            Some("😀A")
        );
        for lone in [
            r#""\ud83d""#,
            r#""\ude00""#,
            r#""\ud83d\ud83d""#,
            r#""\ud83dx""#,
            r#""\ud83d\n""#,
        ] {
            assert!(
                reason(lone.as_bytes()).starts_with("half a surrogate"),
                "{lone}"
            );
        }
    }

    #[test]
    fn white_space_and_escapes_are_those_of_rfc_8259() {
        let value = parse(b" \t\r\n[ \"\\\"\\\\\\/\\b\\f\\n\\r\\t\" , { } , [ ] ] \n").unwrap();
        assert_eq!(
            value.at(0).and_then(Value::as_str),
            Some("\"\\/\u{8}\u{c}\n\r\t")
        );
        assert!(parse(b"\x0b1").is_err());
    }

    /// Any value of moderate size, with distinct keys.
    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<u64>().prop_map(Value::from),
            any::<String>().prop_map(Value::String),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
                prop::collection::btree_map(any::<String>(), inner, 0..8)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let _outcome = parse(&bytes);
        }

        #[test]
        fn json_like_bytes_are_read_as_serde_json_reads_them(text in r#"[\[\]{}",:0-9a-c\\ue+. -]{0,24}"#) {
            // serde_json is laxer in two ways that such short texts can show: duplicate keys, and
            // numbers it rounds.
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            match parse(text.as_bytes()) {
                Ok(value) => prop_assert!(theirs.is_ok() || value.to_json().contains(['e', 'E'])),
                Err(e) => prop_assert!(theirs.is_err() || e.reason.contains("twice")),
            }
        }

        #[test]
        fn what_is_written_reads_back(value in values()) {
            prop_assert_eq!(parse(value.to_json().as_bytes()), Ok(value));
        }
    }
}
