//! JSON with comments and with commas before closing brackets, as some tools write it, made plain.

/// The text with blanks in place of comments, and of commas that only a closing bracket follows.
/// Every byte that is left stands where it stood, so that errors name the right place.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    // Where a comma stands behind which nothing came yet, and what came last.
    let (mut comma, mut last) = (None, '[');
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let length = match next {
            '"' => string(rest),
            '/' => comment(rest),
            _ => next.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        rest = after;
        if next == '/' && length > 1 {
            plain.extend(token.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }));
            continue;
        }
        if let (']' | '}', Some(at)) = (next, comma) {
            plain.replace_range(at..=at, " ");
        }
        if !next.is_ascii_whitespace() {
            // Behind no value a comma is none that may be left out.
            let is_after_value = !['[', '{', ','].contains(&last);
            comma = (next == ',' && is_after_value).then_some(plain.len());
            last = next;
        }
        plain.push_str(token);
    }
    plain
}

/// How long the string is with which `text` begins.
fn string(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.bytes().skip(1).position(|b| {
        let ends = b == b'"' && !is_escaped;
        is_escaped = b == b'\\' && !is_escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 2)
}

/// How long the comment is with which `text` begins, or 1 if it begins with none that ends.
fn comment(text: &str) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    let inside = text.strip_prefix("/*");
    let end = inside.and_then(|inside| inside.find("*/"));
    end.map_or(1, |end| end + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_comments_and_last_commas_go() {
        for (text, expected) in [
            ("[1,]", "[1 ]"),
            ("[1, \n ]", "[1  \n ]"),
            ("{\"a\":[1,],}", "{\"a\":[1 ] }"),
            ("[1,2]", "[1,2]"),
            ("[1,,]", "[1,,]"),
            ("[,]", "[,]"),
            ("{ , }", "{ , }"),
            ("[\"a,]\", \"\\\",]\"]", "[\"a,]\", \"\\\",]\"]"),
            ("[1, // x,]\n]", "[1        \n]"),
            ("[1/* \u{e9}\n,*/,]", "[1     \n    ]"),
            ("[\"//\", \"/*\"]", "[\"//\", \"/*\"]"),
            ("/* [1,]", "/* [1 ]"),
            ("\"\\", "\"\\"),
            ("[\"\\\\\",]", "[\"\\\\\" ]"),
            ("[1,", "[1,"),
        ] {
            let found = plain(text);
            assert_eq!(found, expected, "{text}");
            assert_eq!(found.len(), text.len());
        }
    }
}
