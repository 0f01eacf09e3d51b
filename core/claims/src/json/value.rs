//! Values, and what is in them.

/// A JSON value. Objects keep the order of their members. [`parse`](super::parse) guarantees that
/// their keys are distinct.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Value {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as it was written.
    Number(Number),
    /// A string, its escapes resolved.
    String(String),
    /// An array.
    Array(Vec<Value>),
    /// An object: its members in the order in which they were written.
    Object(Vec<(String, Value)>),
}

/// An object of those members that are there, in this order. The keys have to be distinct.
pub fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let mut list = Vec::with_capacity(N);
    for (key, value) in members {
        if let Some(value) = value {
            list.push((key.to_owned(), value));
        }
    }
    Value::Object(list)
}

/// A JSON number, kept as the text it was written in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number(pub(super) Box<str>);

impl Number {
    /// The text, as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number, if it is written as a whole one (no fraction, no exponent) and fits.
    pub fn as_u64(&self) -> Option<u64> {
        self.0.parse().ok()
    }

    /// The number, if it is written as a whole one (no fraction, no exponent) and fits.
    pub fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// The nearest `f64`, or `None` if the number is too large for one.
    pub fn as_f64(&self) -> Option<f64> {
        self.0.parse().ok().filter(|n: &f64| n.is_finite())
    }
}

impl Value {
    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(s) => Some(s),
            _ => None,
        }
    }

    /// The boolean, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// The number, if it is one.
    fn as_number(&self) -> Option<&Number> {
        match self {
            Value::Number(n) => Some(n),
            _ => None,
        }
    }

    /// The number, if it is a whole one from 0 to 2^64 − 1.
    pub fn as_u64(&self) -> Option<u64> {
        self.as_number().and_then(Number::as_u64)
    }

    /// The number, if it is a whole one that fits.
    pub fn as_i64(&self) -> Option<i64> {
        self.as_number().and_then(Number::as_i64)
    }

    /// The nearest `f64`, if it is a number that has one.
    pub fn as_f64(&self) -> Option<f64> {
        self.as_number().and_then(Number::as_f64)
    }

    /// The elements, if it is an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The members, if it is an object.
    pub fn as_object(&self) -> Option<&[(String, Value)]> {
        match self {
            Value::Object(members) => Some(members),
            _ => None,
        }
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The member of an object with the key `key`; `None` if there is none, or if this is not an
    /// object.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_object()?
            .iter()
            .find(|(k, _)| k == key)
            .map(|(_, v)| v)
    }

    /// The element of an array at `index`; `None` if there is none, or if this is not an array.
    pub fn at(&self, index: usize) -> Option<&Value> {
        self.as_array()?.get(index)
    }

    /// What a JSON pointer (RFC 6901: `/a/0/b`) leads to. The empty pointer is the value itself.
    pub fn pointer(&self, pointer: &str) -> Option<&Value> {
        if pointer.is_empty() {
            return Some(self);
        }
        pointer
            .strip_prefix('/')?
            .split('/')
            .try_fold(self, |value, token| match value {
                Value::Array(_) => value.at(token.parse().ok()?),
                _ => value.get(&token.replace("~1", "/").replace("~0", "~")),
            })
    }

    /// "null", "a boolean", "a number", "a string", "an array" or "an object", for error messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        }
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Value::Bool(b)
    }
}

impl From<u64> for Value {
    fn from(n: u64) -> Self {
        Value::Number(Number(n.to_string().into()))
    }
}

impl From<u32> for Value {
    fn from(n: u32) -> Self {
        u64::from(n).into()
    }
}

impl From<&str> for Value {
    fn from(s: &str) -> Self {
        Value::String(s.to_owned())
    }
}

impl From<String> for Value {
    fn from(s: String) -> Self {
        Value::String(s)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Value::Array(items.into_iter().map(Into::into).collect())
    }
}

/// Numbers keep the text that `serde_json` writes for them.
impl From<&serde_json::Value> for Value {
    fn from(value: &serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(b) => Value::Bool(*b),
            serde_json::Value::Number(n) => Value::Number(Number(n.to_string().into())),
            serde_json::Value::String(s) => Value::String(s.clone()),
            serde_json::Value::Array(items) => {
                Value::Array(items.iter().map(Value::from).collect())
            }
            serde_json::Value::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|(k, v)| (k.clone(), Value::from(v)))
                    .collect(),
            ),
        }
    }
}

/// For those who display or serialize a value with serde. A number outside `u64` and `i64` becomes
/// the nearest `f64`, or `null` if it has none: what must stay exact stays a [`Value`].
impl From<&Value> for serde_json::Value {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(b) => (*b).into(),
            Value::Number(n) => match (n.as_u64(), n.as_i64()) {
                (Some(n), _) => n.into(),
                (None, Some(n)) => n.into(),
                (None, None) => n.as_f64().into(),
            },
            Value::String(s) => s.as_str().into(),
            Value::Array(items) => items.iter().map(serde_json::Value::from).collect(),
            Value::Object(members) => members
                .iter()
                .map(|(k, v)| (k.clone(), serde_json::Value::from(v)))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    #[test]
    fn values_are_reached_by_key_index_and_pointer() {
        let value = parse(br#"{"a":{"b~/c":[1,-2,{"d":"x"}]},"n":null,"t":true}"#).unwrap();
        assert_eq!(
            value.pointer("/a/b~0~1c/2/d").and_then(Value::as_str),
            Some("x")
        );
        assert_eq!(
            value.pointer("/a/b~0~1c/1").and_then(Value::as_i64),
            Some(-2)
        );
        assert_eq!(value.pointer("/a/b~0~1c/1").and_then(Value::as_u64), None);
        assert_eq!(value.pointer(""), Some(&value));
        assert_eq!(value.pointer("a"), None);
        assert_eq!(value.pointer("/a/b~0~1c/3"), None);
        assert!(value.get("n").is_some_and(Value::is_null));
        assert_eq!(value.get("t").and_then(Value::as_bool), Some(true));
    }

    #[test]
    fn numbers_keep_their_text() {
        let value = parse(b"[1.10, 1e400, 18446744073709551616, 7]").unwrap();
        assert_eq!(
            value.at(0).and_then(Value::as_number).map(Number::as_str),
            Some("1.10")
        );
        assert_eq!(value.at(1).and_then(Value::as_f64), None);
        assert_eq!(value.at(2).and_then(Value::as_u64), None);
        assert_eq!(value.at(3).and_then(Value::as_u64), Some(7));
        assert_eq!(value.to_json(), "[1.10,1e400,18446744073709551616,7]");
    }

    #[test]
    fn serde_json_and_back() {
        let text = r#"{"a":[1,-2,1.5,"x",null,true],"b":{}}"#;
        let value = parse(text.as_bytes()).unwrap();
        let serde = serde_json::Value::from(&value);
        assert_eq!(
            serde,
            serde_json::from_str::<serde_json::Value>(text).unwrap()
        );
        assert_eq!(Value::from(&serde), value);
    }
}
