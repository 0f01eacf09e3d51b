//! Where in a text a part of its value is. Values do not remember it: only what is wrong is looked
//! for, and then once.

use super::parse::Reader;
use super::target::Tree;

/// The line, from 1, of the place that a path names, in a text that
/// [`parse_to_depth`](super::parse_to_depth) takes to the depth `deepest`: of a member the line of
/// its key, and of what is not there that of the last place on the way to it. `push_step` appends a
/// member's key as the path does.
pub fn line_of(
    text: &str,
    deepest: usize,
    path: &str,
    push_step: impl Fn(&mut String, &str),
) -> u32 {
    let mut reader = Reader::new(text, deepest, Tree);
    let mut rest = path.strip_prefix('$').unwrap_or(path);
    reader.space();
    let mut at = reader.at;
    while let Some((next, place)) = reader.descend(rest, &push_step) {
        (rest, at) = (next, place);
    }
    let before = text.as_bytes().get(..at).unwrap_or_default();
    u32::try_from(before.iter().filter(|byte| **byte == b'\n').count() + 1).unwrap_or(u32::MAX)
}

impl Reader<'_, Tree> {
    /// Goes one step down from the value that is next, if the path leads further. Returns what is
    /// left of the path, and where the step led.
    fn descend<'p>(
        &mut self,
        rest: &'p str,
        push_step: &impl Fn(&mut String, &str),
    ) -> Option<(&'p str, usize)> {
        let in_object = self.eat(b'{');
        if !in_object && !self.eat(b'[') {
            return None;
        }
        for index in 0_usize.. {
            self.space();
            let at = self.at;
            let mut own = String::new();
            if in_object {
                push_step(&mut own, &self.key()?)
            } else {
                own = format!("[{index}]")
            }

            if let Some(next) = rest
                .strip_prefix(own.as_str())
                .filter(|next: &&str| next.is_empty() || next.starts_with(['.', '[']))
            {
                return Some((next, at));
            }
            self.value(0).ok()?;
            self.space();
            if !self.eat(b',') {
                return None;
            }
        }
        None
    }

    /// Reads the key of a member and goes to its value; `None` at the end of an object.
    fn key(&mut self) -> Option<String> {
        if self.peek() != Some(b'"') {
            return None;
        }
        let key = self.string().ok()?;
        self.space();
        self.eat(b':');
        self.space();
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;
    use crate::kind::node::push_key;

    const TEXT: &str = r#"
{ "a": [1,
    {"b c": {},
     "d": [[], {"e.f": 2,
        "e": 3}]}],
  "a[1]": 0,
  "ab": {} }"#;

    #[test]
    fn every_place_has_its_line_and_what_is_missing_that_of_what_it_is_missing_in() {
        assert!(json::parse(TEXT.as_bytes()).is_ok());
        for (path, line) in [
            ("$", 2),
            ("$.a", 2),
            ("$.a[0]", 2),
            ("$.a[1]", 3),
            ("$.a[1][\"b c\"]", 3),
            ("$.a[1][\"b c\"].none", 3),
            ("$.a[1].d[1]", 4),
            ("$.a[1].d[1][\"e.f\"]", 4),
            ("$.a[1].d[1].e", 5),
            ("$.a[1].d[7]", 4),
            ("$.a[1].d[2]", 4),
            ("$.a[0][1]", 2),
            ("$[\"a[1]\"]", 6),
            ("$.ab", 7),
            ("$.none.b", 2),
        ] {
            assert_eq!(line_of(TEXT, 8, path, push_key), line, "{path}");
        }
        // What is behind an empty object is no key of it.
        let text = "{\"a\":{\n},\"b\":1}";
        assert!(json::parse(text.as_bytes()).is_ok());
        assert_eq!(line_of(text, 8, "$.a[\",\"]", push_key), 1);
    }
}
