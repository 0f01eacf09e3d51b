//! Writing JSON: compact, members in the order in which they are held.

use super::value::Value;

impl Value {
    /// Compact JSON: no space, and no escape that RFC 8259 does not demand. [`parse`](super::parse)
    /// reads it back to an equal value if the keys of every object are distinct and nothing is
    /// nested too deep.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    /// Appends what [`Value::to_json`] returns.
    pub fn write(&self, out: &mut String) {
        match self {
            Value::Null => out.push_str("null"),
            Value::Bool(true) => out.push_str("true"),
            Value::Bool(false) => out.push_str("false"),
            Value::Number(n) => out.push_str(n.as_str()),
            Value::String(s) => write_string(s, out),
            Value::Array(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Value::Object(members) => {
                out.push('{');
                for (i, (key, value)) in members.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    write_string(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

/// Returns `text` as a JSON string, quotes included.
pub fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_string(text, &mut out);
    out
}

/// Appends `s` as a JSON string. What needs no escape is most of it, and is copied whole.
fn write_string(s: &str, out: &mut String) {
    out.push('"');
    let mut rest = s;
    while let Some((plain, escaped, after)) = next_escaped(rest) {
        out.push_str(plain);
        match escaped {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
        rest = after;
    }
    out.push_str(rest);
    out.push('"');
}

/// What stands before the first character that RFC 8259 has escaped, that character, and what
/// stands after it. All of these are ASCII.
fn next_escaped(s: &str) -> Option<(&str, char, &str)> {
    let at = s
        .bytes()
        .position(|b| b < b' ' || b == b'"' || b == b'\\')?;
    let (plain, rest) = s.split_at(at);
    let mut rest = rest.chars();
    let escaped = rest.next()?;
    Some((plain, escaped, rest.as_str()))
}
