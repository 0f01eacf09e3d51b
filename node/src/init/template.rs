//! Filling in the template of the configuration.

use std::fmt::Write as _;

/// The template with each `{name}` of `values` replaced by its value, in one pass: what a value
/// says is not looked into. Other braces stay as they are.
pub(crate) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let filled = values.iter().find_map(|(name, value)| {
            let behind = after.strip_prefix(name)?.strip_prefix('}')?;
            Some((value, behind))
        });
        match filled {
            Some((value, behind)) => {
                text.push_str(value);
                rest = behind;
            }
            None => {
                text.push('{');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text
}

/// `text` as it stands between the quotation marks of a TOML basic string (TOML v1.0.0, String).
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\\' => escaped.extend(['\\', c]),
            c if c.is_control() => _ = write!(escaped, "\\U{:08X}", u32::from(c)),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_not_looked_into() {
        let values = [("a", "{b}"), ("b", "{a}{"), ("ab", "c")];
        assert_eq!(
            fill("{a} {b} {ab} {c} {} {", &values),
            "{b} {a}{ c {c} {} {"
        );
        assert_eq!(fill("", &values), "");
    }

    #[test]
    fn a_string_keeps_what_it_says() {
        assert_eq!(escaped(r#"a"b\u0041{listen}é"#), r#"a\"b\\u0041{listen}é"#);
        assert_eq!(
            escaped("a\n\u{7f}\u{85}"),
            r"a\U0000000A\U0000007F\U00000085"
        );
    }
}
