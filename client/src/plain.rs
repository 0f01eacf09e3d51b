//! Text of other people, made safe to show.
//!
//! Names, reasons, URLs, ids of vulnerabilities and messages of nodes are chosen by strangers. What
//! shows them must not be steered by them, and what cannot be seen must not be hidden in them. So
//! such characters are shown as what they are, `\u{202e}`.

use std::borrow::Cow;

/// Most characters of a name that are shown.
const NAME: usize = 64;

/// Shows each character that a reader cannot see, or that could move a terminal's cursor, change
/// its colors or reorder the text around it, as its escape: `\n`, `\u{1b}`, `\u{202e}`. All others
/// stay. Doing it twice is doing it once.
pub fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => shown.extend(c.escape_default()),
            c if is_unseen(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    shown
}

/// A name that somebody chose, [`quoted`] and, if it is long, cut.
pub fn quoted_name(name: &str) -> String {
    match name.char_indices().nth(NAME) {
        None => quoted(name),
        Some((end, _)) => quoted(&format!("{}…", &name[..end])),
    }
}

/// A text that somebody chose, in quotation marks that nothing in it can end: marks in it, and what
/// looks like one, are escaped. Two halves look like one, and so does an accent that stands alone.
pub fn quoted(text: &str) -> String {
    let mut shown = String::from("\"");
    let mut last = ' ';
    for c in text.chars() {
        let after_half = looks_like_an_apostrophe(last);
        let is_joined = after_half && (looks_like_an_apostrophe(c) || is_odd_space(c));
        let is_alone = (after_half || last.is_whitespace()) && is_accent(c);
        match c {
            '"' | '\\' => shown.extend(['\\', c]),
            c if looks_like_a_quotation_mark(c) || is_joined || is_alone => {
                shown.extend(c.escape_unicode());
            }
            c => shown.push_str(&plain(c.encode_utf8(&mut [0; 4]))),
        }
        last = c;
    }
    shown.push('"');
    shown
}

/// A word that somebody chose, as an id, a version or a package URL, as it is; anything that could
/// be read as more than one word is [`quoted`].
pub fn one_word(text: &str) -> Cow<'_, str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "._-+:/@%~#*=?&<>^".contains(c);
    if !text.is_empty() && text.chars().all(is_word) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(quoted(text))
    }
}

/// JSON in which no character is one that [`plain`] escapes: such a character stands as JSON's own
/// escape of it. What it says is the same.
pub fn plain_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        // Between strings there is white space and nothing that is escaped.
        if c == '\n' || !is_unseen(c) {
            shown.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            shown.push_str(&format!("\\u{unit:04x}"));
        }
    }
    shown
}

/// Characters without a look of their own: controls, those that only reorder, join or separate
/// others, fillers, variation selectors, tags and noncharacters (Unicode's Cc, Cf, Zl and Zp,
/// Default_Ignorable_Code_Point and Noncharacter_Code_Point).
fn is_unseen(c: char) -> bool {
    // The last two of each plane are no characters.
    c.is_control()
        || u32::from(c) & 0xfffe == 0xfffe
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
            | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fdd0}'..='\u{fdef}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

fn looks_like_a_quotation_mark(c: char) -> bool {
    matches!(c,
        '\u{ab}' | '\u{bb}' | '\u{2ba}' | '\u{2dd}' | '\u{2ee}' | '\u{2f5}'..='\u{2f6}'
        | '\u{30e}' | '\u{5f4}' | '\u{201c}'..='\u{201f}' | '\u{2033}'..='\u{2037}'
        | '\u{275d}'..='\u{275e}' | '\u{2760}' | '\u{2e42}' | '\u{301d}'..='\u{301f}'
        | '\u{3003}' | '\u{ff02}' | '\u{1f676}'..='\u{1f678}')
}

/// Half of a quotation mark, for the eye.
fn looks_like_an_apostrophe(c: char) -> bool {
    matches!(c,
        '\'' | '`' | '\u{b4}' | '\u{2b9}' | '\u{2bb}'..='\u{2bf}' | '\u{2c8}'
        | '\u{2ca}'..='\u{2cb}' | '\u{2f4}' | '\u{374}' | '\u{384}' | '\u{55a}' | '\u{5f3}'
        | '\u{7f4}'..='\u{7f5}' | '\u{1fbd}' | '\u{1fbf}' | '\u{1fef}'
        | '\u{1ffd}'..='\u{1ffe}' | '\u{2018}'..='\u{201b}' | '\u{2032}' | '\u{2035}'
        | '\u{275b}'..='\u{275c}' | '\u{a78b}'..='\u{a78c}' | '\u{ff07}' | '\u{ff40}')
}

/// A space of another width, which may have next to none.
fn is_odd_space(c: char) -> bool {
    c != ' ' && !c.is_control() && c.is_whitespace()
}

/// A mark over the character before it, of those that no script is written with alone.
fn is_accent(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// An error with its causes, in one [`plain`] line without a full stop. A cause whose words are
/// already there is left out.
pub fn one_line(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let words = error.to_string();
        if !text.contains(&words) {
            text.push_str(&format!(": {words}"));
        }
        source = error.source();
    }
    plain(text.trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_or_steers_is_shown_as_its_escape() {
        assert_eq!(plain("a\x1b[2Jb\nc\u{202e}d"), "a\\u{1b}[2Jb\\nc\\u{202e}d");
        for c in [
            '\u{7f}',
            '\u{9b}',
            '\u{ad}',
            '\u{61c}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{2028}',
            '\u{2029}',
            '\u{2060}',
            '\u{2066}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{fff9}',
            '\u{e0001}',
            '\u{e007f}',
            '\u{e01ef}',
        ] {
            let shown = plain(&format!("a{c}b"));
            assert_eq!(shown, format!("a\\u{{{:x}}}b", u32::from(c)));
            assert_eq!(plain(&shown), shown);
        }
        assert_eq!(plain("Zoë 日本 naïve…"), "Zoë 日本 naïve…");
    }

    #[test]
    fn nothing_in_a_name_ends_its_quotation() {
        let forged = "Audits\" (abc…), whom you trust as auditor, \u{201d} \\\" \u{ff02}";
        assert_eq!(
            quoted(forged),
            "\"Audits\\\" (abc…), whom you trust as auditor, \\u{201d} \\\\\\\" \\u{ff02}\""
        );
        assert_eq!(quoted("a\u{202e}b"), "\"a\\u{202e}b\"");
        let (long, longer) = ("ü".repeat(64), "ü".repeat(65));
        assert_eq!(quoted_name(&long), format!("\"{long}\""));
        assert_eq!(quoted_name(&longer), format!("\"{long}…\""));
    }

    #[test]
    fn nothing_in_a_name_looks_like_the_end_of_its_quotation() {
        for (name, shown) in [
            ("it's Zoe\u{308}'s", "\"it's Zoe\u{308}'s\""),
            ("a'', b", "\"a'\\u{27}, b\""),
            ("a\u{2b9}\u{a78c}", "\"a\u{2b9}\\u{a78c}\""),
            ("a'\u{200a}'", "\"a'\\u{200a}'\""),
            ("a \u{301}", "\"a \\u{301}\""),
            ("\u{301}a", "\"\\u{301}a\""),
            ("a\u{30e}\u{2e42}", "\"a\\u{30e}\\u{2e42}\""),
        ] {
            assert_eq!(quoted(name), shown);
        }
    }

    #[test]
    fn what_is_no_character_is_shown_as_its_escape() {
        for c in [
            '\u{fdd0}',
            '\u{fdef}',
            '\u{fffe}',
            '\u{ffff}',
            '\u{3fffe}',
            '\u{10ffff}',
        ] {
            assert_eq!(plain(&c.to_string()), format!("\\u{{{:x}}}", u32::from(c)));
        }
        assert_eq!(plain("\u{fdcf}\u{fffd}"), "\u{fdcf}\u{fffd}");
    }

    #[test]
    fn one_word_is_itself_and_more_is_quoted() {
        for word in ["CVE-2026-1", "pkg:npm/%40a/b@1.0.0?x=y#z", "1.0.0+b~1"] {
            assert_eq!(one_word(word), word);
        }
        for more in ["", "a b", "a,b", "a\u{a0}b", "a\"b", "a;b", "(a)"] {
            assert!(one_word(more).starts_with('"'), "{more}");
        }
    }

    #[test]
    fn json_says_the_same_and_shows_what_it_has() {
        let said = "a\u{202e}b\u{e0041}\u{9b}\n日";
        let json = serde_json::to_string_pretty(&serde_json::json!({ "x": said })).unwrap();
        let shown = plain_json(&json);
        assert!(!shown.contains(|c| c != '\n' && is_unseen(c)), "{shown}");
        let back: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(back["x"], said);
    }
}
