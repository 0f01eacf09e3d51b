//! A place in a JSON value that knows its path, so that what is wrong there can be named.
//!
//! The path costs nothing until something is wrong: a node points to the node that it was reached
//! from.

use super::error::PredicateError;
use crate::claim::ClaimId;
use crate::issuer::IssuerId;
use crate::json::{Part, Value};
use crate::purl::Pattern;
use crate::time;
use std::fmt::Write;

/// Longest line in a predicate of ours, in bytes: a name, an identifier, a pattern.
const LINE_BYTES: usize = 1024;

/// Longest text of several lines in a predicate of ours, in bytes: a quarter of a payload.
const PROSE_BYTES: usize = 8 * 1024;

/// Longest list in a predicate of ours.
const LIST: usize = 256;

/// What a node may stand at: a value of a tree, or of a tape.
pub trait Read<'v>: Copy {
    /// See [`Value::get`].
    fn member(self, key: &str) -> Option<Self>;
    /// See [`Value::as_object`].
    fn members(self) -> Option<impl Iterator<Item = (&'v str, Self)>>;
    /// See [`Value::as_array`].
    fn items(self) -> Option<impl Iterator<Item = Self>>;
    /// See [`Value::as_str`].
    fn string(self) -> Option<&'v str>;
    /// See [`Value::is_null`].
    fn null(self) -> bool;
    /// See [`Value::kind`].
    fn called(self) -> &'static str;
}

impl<'v> Read<'v> for &'v Value {
    fn member(self, key: &str) -> Option<Self> {
        self.get(key)
    }

    fn members(self) -> Option<impl Iterator<Item = (&'v str, Self)>> {
        let members = self.as_object()?.iter();
        Some(members.map(|(key, value)| (key.as_str(), value)))
    }

    fn items(self) -> Option<impl Iterator<Item = Self>> {
        Some(self.as_array()?.iter())
    }

    fn string(self) -> Option<&'v str> {
        self.as_str()
    }

    fn null(self) -> bool {
        self.is_null()
    }

    fn called(self) -> &'static str {
        self.kind()
    }
}

impl<'v> Read<'v> for Part<'v> {
    fn member(self, key: &str) -> Option<Self> {
        self.get(key)
    }

    fn members(self) -> Option<impl Iterator<Item = (&'v str, Self)>> {
        self.as_object()
    }

    fn items(self) -> Option<impl Iterator<Item = Self>> {
        self.as_array()
    }

    fn string(self) -> Option<&'v str> {
        self.as_str()
    }

    fn null(self) -> bool {
        self.is_null()
    }

    fn called(self) -> &'static str {
        self.kind()
    }
}

/// A value and how it was reached. `'v` is the document's lifetime, `'p` that of the nodes above.
#[derive(Clone, Copy)]
pub struct Node<'v, 'p, V = &'v Value> {
    value: V,
    step: Step<'v>,
    parent: Option<&'p Node<'v, 'p, V>>,
}

#[derive(Clone, Copy)]
enum Step<'v> {
    Root(&'static str),
    Key(&'v str),
    Index(usize),
}

impl<'v, 'p, V: Read<'v>> Node<'v, 'p, V> {
    /// The top of a value; paths start with `name`, such as `$`.
    pub fn root(name: &'static str, value: V) -> Self {
        Node {
            value,
            step: Step::Root(name),
            parent: None,
        }
    }

    /// The value itself.
    pub fn value(&self) -> V {
        self.value
    }

    /// An error that names this place.
    pub fn fault(&self, reason: impl Into<String>) -> PredicateError {
        PredicateError {
            path: self.path(),
            reason: reason.into(),
        }
    }

    /// The path, such as `$.runs[0].tool`.
    pub fn path(&self) -> String {
        let mut path = self.parent.map_or_else(String::new, Node::path);
        match self.step {
            Step::Root(name) => path.push_str(name),
            Step::Index(index) => _ = write!(path, "[{index}]"),
            Step::Key(key) => push_key(&mut path, key),
        }
        path
    }

    /// Refuses what is no object.
    pub fn need_object(&self) -> Result<(), PredicateError> {
        let object = self.value.members().map(drop);
        object.ok_or_else(|| self.unlike("an object"))
    }

    /// The member `key`, or `None` if it is absent or null: in-toto reads both alike.
    pub fn get<'s>(&'s self, key: &'v str) -> Option<Node<'v, 's, V>> {
        let value = self.value.member(key)?;
        (!value.null()).then_some(Node {
            value,
            step: Step::Key(key),
            parent: Some(self),
        })
    }

    /// The member `key`, or the error that it is missing.
    pub fn need<'s>(&'s self, key: &'v str) -> Result<Node<'v, 's, V>, PredicateError> {
        self.need_object()?;
        self.get(key).ok_or_else(|| {
            Node {
                value: self.value,
                step: Step::Key(key),
                parent: Some(self),
            }
            .fault("is missing")
        })
    }

    /// The members of the object here.
    pub fn members<'s>(
        &'s self,
    ) -> Result<impl Iterator<Item = (&'v str, Node<'v, 's, V>)>, PredicateError> {
        let members = self.value.members();
        let members = members.ok_or_else(|| self.unlike("an object"))?;
        Ok(members.map(|(key, value)| {
            (
                key,
                Node {
                    value,
                    step: Step::Key(key),
                    parent: Some(self),
                },
            )
        }))
    }

    /// The items of the array here.
    pub fn items<'s>(&'s self) -> Result<impl Iterator<Item = Node<'v, 's, V>>, PredicateError> {
        let array = self.value.items().ok_or_else(|| self.unlike("an array"))?;
        Ok(array.enumerate().map(|(i, value)| Node {
            value,
            step: Step::Index(i),
            parent: Some(self),
        }))
    }

    /// The string here, which may be empty.
    pub fn string(&self) -> Result<&'v str, PredicateError> {
        self.value.string().ok_or_else(|| self.unlike("a string"))
    }

    /// The string here, which is not empty.
    pub fn text(&self) -> Result<&'v str, PredicateError> {
        match self.string()? {
            "" => Err(self.fault("is an empty string")),
            text => Ok(text),
        }
    }

    /// The string here, which is one of `choices`.
    pub fn one_of(&self, choices: &[&str]) -> Result<&'v str, PredicateError> {
        let text = self.string()?;
        if choices.contains(&text) {
            return Ok(text);
        }
        Err(self.fault(format!(
            "is {}, and has to be one of {}",
            quoted(text),
            choices.join(", ")
        )))
    }

    /// The RFC 3339 date-time here.
    pub fn instant(&self) -> Result<time::Instant, PredicateError> {
        let text = self.string()?;
        time::instant(text)
            .ok_or_else(|| self.fault(format!("{} is no RFC 3339 date and time", quoted(text))))
    }

    /// The RFC 3339 date-time here, with its text.
    pub fn timestamp(&self) -> Result<time::Timestamp, PredicateError> {
        let text = self.string()?;
        time::Timestamp::parse(text)
            .ok_or_else(|| self.fault(format!("{} is no RFC 3339 date and time", quoted(text))))
    }

    /// The string here, of 1 to `LINE_BYTES` bytes, in one line: without control characters.
    pub fn line(&self) -> Result<&'v str, PredicateError> {
        let text = self.text()?;
        if text.len() > LINE_BYTES || text.chars().any(char::is_control) {
            return Err(self.fault(format!(
                "has more than {LINE_BYTES} bytes, or a control character"
            )));
        }
        Ok(text)
    }

    /// The string here, of 1 to `PROSE_BYTES` bytes, without control characters but line breaks
    /// and tabs.
    pub fn prose(&self) -> Result<&'v str, PredicateError> {
        let text = self.text()?;
        if text.len() > PROSE_BYTES
            || text
                .chars()
                .any(|c| c.is_control() && !"\n\r\t".contains(c))
        {
            let reason = format!(
                "has more than {PROSE_BYTES} bytes, or a control character other than line breaks \
                 and tabs"
            );
            return Err(self.fault(reason));
        }
        Ok(text)
    }

    /// The items of the array here, read by `read`: from `least` to `LIST`.
    pub fn list<T>(
        &self,
        least: usize,
        read: impl Fn(&Node<'v, '_, V>) -> Result<T, PredicateError>,
    ) -> Result<Vec<T>, PredicateError> {
        let count = self.value.items().map_or(0, Iterator::count);
        let items = self.items()?;
        if count < least || count > LIST {
            return Err(self.fault(format!(
                "has {count} items, and has to have from {least} to {LIST}"
            )));
        }
        items.map(|item| read(&item)).collect()
    }

    /// The claim id here, in 64 lower-case hex digits.
    pub fn claim_id(&self) -> Result<ClaimId, PredicateError> {
        let id = ClaimId::from_hex(self.string()?);
        id.ok_or_else(|| self.fault("is no claim id, which has 64 lower-case hex digits"))
    }

    /// The pattern of packages here.
    pub fn pattern(&self) -> Result<Pattern, PredicateError> {
        let text = self.string()?;
        Pattern::parse(text)
            .map_err(|e| self.fault(format!("{} is no pattern of packages: {e}", quoted(text))))
    }

    /// The issuer id here, in 64 lower-case hex digits.
    pub fn issuer_id(&self) -> Result<IssuerId, PredicateError> {
        let id = IssuerId::from_hex(self.string()?);
        id.ok_or_else(|| self.fault("is no issuer id, which has 64 lower-case hex digits"))
    }

    /// The member `key` as a string that is not empty, if it is there.
    pub fn optional_text(&self, key: &'v str) -> Result<Option<&'v str>, PredicateError> {
        self.get(key).map(|node| node.text()).transpose()
    }

    /// The member `key` as a string, if it is one: for what is only shown.
    pub fn shown(&self, key: &str) -> Option<&'v str> {
        self.value
            .member(key)?
            .string()
            .filter(|text| !text.is_empty())
    }

    fn unlike(&self, wanted: &str) -> PredicateError {
        self.fault(format!(
            "is {}, and has to be {wanted}",
            self.value.called()
        ))
    }
}

impl<'v> Node<'v, '_> {
    /// The object here, or the error that there is none.
    pub fn object(&self) -> Result<&'v [(String, Value)], PredicateError> {
        self.value
            .as_object()
            .ok_or_else(|| self.unlike("an object"))
    }
}

/// Appends a step to the member `key`: `.key`, or `["a key"]` if it is no plain word.
pub fn push_key(path: &mut String, key: &str) {
    if !key.is_empty()
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-@$".contains(&b))
    {
        _ = write!(path, ".{key}")
    } else {
        _ = write!(path, "[{key:?}]")
    }
}

/// `text` in quotes, cut to a length that an error message bears, with control characters escaped.
pub fn quoted(text: &str) -> String {
    const SHOWN: usize = 80;
    if text.chars().count() <= SHOWN {
        return format!("{text:?}");
    }
    format!("{:?}…", text.chars().take(SHOWN).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_its_place() {
        let value = crate::json::parse(br#"{"a": [{"b c": 1}, {"d": null}]}"#).unwrap();
        let root = Node::root("$", &value);
        let a = root.need("a").unwrap();
        let items: Vec<_> = a.items().unwrap().collect();
        assert_eq!(
            items[0]
                .need("b c")
                .unwrap()
                .string()
                .unwrap_err()
                .to_string(),
            r#"$.a[0]["b c"]: is a number, and has to be a string"#
        );
        assert_eq!(
            items[1].need("d").err().unwrap().to_string(),
            "$.a[1].d: is missing"
        );
        assert_eq!(
            a.need("x").err().unwrap().to_string(),
            "$.a: is an array, and has to be an object"
        );
    }

    #[test]
    fn texts_and_lists_are_bounded() {
        let read = |value: Value| {
            let node = Node::root("$", &value);
            let list = |least| node.list(least, |item| item.text().map(drop)).is_ok();
            (node.line().is_ok(), node.prose().is_ok(), list(0), list(1))
        };
        assert_eq!(
            read("x".repeat(LINE_BYTES).into()),
            (true, true, false, false)
        );
        assert_eq!(
            read("x".repeat(LINE_BYTES + 1).into()),
            (false, true, false, false)
        );
        assert_eq!(read("a\nb\tc".into()), (false, true, false, false));
        assert_eq!(read("a\u{1b}".into()), (false, false, false, false));
        assert_eq!(
            read("x".repeat(PROSE_BYTES + 1).into()),
            (false, false, false, false)
        );
        assert_eq!(read("".into()), (false, false, false, false));
        assert_eq!(read(vec!["x"; LIST].into()), (false, false, true, true));
        assert_eq!(
            read(vec!["x"; LIST + 1].into()),
            (false, false, false, false)
        );
        assert_eq!(read(Value::Array(vec![])), (false, false, true, false));
    }
}
