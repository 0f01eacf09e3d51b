//! Text of other people in Markdown: it shows as itself and is nothing else.
//!
//! CommonMark has escapes, and GitHub's dialect looks at the text behind them once more: an
//! address, `www.…`, `@name`, `#12` or a commit's hash becomes a link however it was escaped. Only
//! code spans are left alone. So a word that is more than letters, digits and the punctuation of a
//! sentence stands in a code span, and what is left has no meaning to any reader of Markdown.

use crate::plain;

/// The length from which on hexadecimal digits may be a commit's name.
const COMMIT: usize = 7;

/// One line of text that shows as itself, also in the cell of a table. What cannot be seen is
/// [`plain`], white space is one space, and a vertical bar, which ends a cell even in a code span,
/// is shown as its escape. What stands between two backquotes is a code span.
pub(super) fn line(text: &str) -> String {
    let mut line = Line::default();
    let text = plain(text);
    let mut rest = text.as_str();
    while let Some((before, inside, after)) = backquoted(rest) {
        line.words(before);
        line.code(inside);
        rest = after;
    }
    line.words(rest);
    line.finish()
}

/// What stands before, between and behind the first two backquotes, if something does between.
fn backquoted(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('`')?;
    let (inside, after) = rest.split_once('`')?;
    let inside = inside.trim();
    (!inside.is_empty()).then_some((before, inside, after))
}

/// A line while it is written.
#[derive(Default)]
struct Line {
    text: String,
    /// Words that stand in one code span once it is closed.
    code: String,
    /// Whether the text that comes next follows a space.
    space: bool,
}

impl Line {
    /// Adds text without backquotes that mean anything.
    fn words(&mut self, text: &str) {
        for piece in text.split_inclusive(char::is_whitespace) {
            let word = piece.trim();
            if !word.is_empty() {
                self.word(word);
            }
            self.space |= piece.ends_with(char::is_whitespace);
        }
    }

    /// Adds a word: what can be bare punctuation around it stays outside of a code span.
    fn word(&mut self, word: &str) {
        if is_bare(word) && !(self.is_empty() && begins_a_list(word)) {
            self.close();
            self.push(word);
            return;
        }
        let inner = word.trim_start_matches(['(', '"', '\'']);
        let (before, _) = word.split_at(word.len() - inner.len());
        let core = without_stops(inner);
        if core.is_empty() {
            self.add_code(word);
            return;
        }
        let (_, after) = inner.split_at(core.len());
        if !before.is_empty() {
            self.close();
            self.push(before);
        }
        self.add_code(core);
        if !after.is_empty() {
            self.close();
            self.push(after);
        }
    }

    /// Adds a code span of its own.
    fn code(&mut self, code: &str) {
        self.close();
        self.add_code(code);
        self.close();
    }

    /// Adds to the code span that is open, or opens one.
    fn add_code(&mut self, code: &str) {
        if self.code.is_empty() {
            if self.space && !self.text.is_empty() {
                self.text.push(' ');
            }
        } else if self.space {
            self.code.push(' ');
        }
        self.space = false;
        self.code.push_str(&code.replace('|', "\\u{7c}"));
    }

    fn push(&mut self, bare: &str) {
        if self.space && !self.text.is_empty() {
            self.text.push(' ');
        }
        self.space = false;
        self.text.push_str(bare);
    }

    /// Ends the code span that is open, between more backquotes than it has in a row (CommonMark
    /// 0.31, 6.1).
    fn close(&mut self) {
        let code = std::mem::take(&mut self.code);
        if code.is_empty() {
            return;
        }
        let runs = code.split(|c| c != '`').map(str::len);
        let fence = "`".repeat(1 + runs.max().unwrap_or(0));
        // Two runs of backquotes must not meet.
        if self.text.ends_with('`') {
            self.text.push(' ');
        }
        let pad = if code.starts_with('`') || code.ends_with('`') {
            " "
        } else {
            ""
        };
        self.text
            .push_str(&format!("{fence}{pad}{code}{pad}{fence}"));
    }

    fn is_empty(&self) -> bool {
        self.text.is_empty() && self.code.is_empty()
    }

    fn finish(mut self) -> String {
        self.close();
        self.text
    }
}

/// A word without the stops of the sentence that it ends; a bracket that it opened is its own.
fn without_stops(word: &str) -> &str {
    let mut core = word;
    while let Some(last) = core.chars().next_back() {
        let of_sentence = match last {
            '.' | ',' | ';' | ':' | '?' | '"' | '\'' => true,
            ')' => core.matches(')').count() > core.matches('(').count(),
            _ => false,
        };
        if !of_sentence {
            break;
        }
        core = &core[..core.len() - last.len_utf8()];
    }
    core
}

/// Whether a word means nothing beyond itself, whatever stands around it.
fn is_bare(word: &str) -> bool {
    let mut before = ' ';
    let mut chars = word.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        let harmless = match c {
            '"' | '\'' | '(' | ')' | ',' | ';' | '?' | '%' | '…' => true,
            // Of a host's name, or a sentence's end.
            '.' => !next.is_alphabetic(),
            // Of a scheme or an emoji's name, or before what is explained.
            ':' => next == ' ',
            // A list, a rule, a ticket's number; or a compound word.
            '-' => before.is_alphanumeric() && next.is_alphabetic(),
            c => c.is_alphanumeric(),
        };
        if !harmless {
            return false;
        }
        before = c;
    }
    let mut parts = word.split(|c: char| !c.is_alphanumeric());
    !parts.any(|part| may_be_a_commit(part) || ends_as_an_address_begins(part))
}

/// Whether a stop behind the word would make it `www.`, which some link wherever it stands.
fn ends_as_an_address_begins(word: &str) -> bool {
    word.to_lowercase().ends_with("www")
}

fn may_be_a_commit(word: &str) -> bool {
    word.len() >= COMMIT && word.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether a word at the beginning of a line makes it an item of a list: `1.` or `1)`.
fn begins_a_list(word: &str) -> bool {
    let digits = word.trim_end_matches(['.', ')']);
    digits.len() < word.len() && digits.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn sentences_stay_and_all_else_is_code() {
        for (text, shown) in [
            (
                "2 of 5 components denied, 1 unknown.",
                "2 of 5 components denied, 1 unknown.",
            ),
            ("see `assay lookup`. Unknown", "see `assay lookup`. Unknown"),
            ("caught by \"origin\":", "caught by \"origin\":"),
            (
                "pkg:cargo/a@1.0.0 is (CVE-2026-1)",
                "`pkg:cargo/a@1.0.0` is (`CVE-2026-1`)",
            ),
            ("issuer 0123abcd4567…", "issuer `0123abcd4567…`"),
            ("@all www.e.org", "`@all www.e.org`"),
            ("awww. www, WWW", "`awww`. `www`, `WWW`"),
            ("mail a@e.org, or #1", "mail `a@e.org`, or `#1`"),
            ("[x](y) <b>&amp; a_b *c*", "`[x](y) <b>&amp`; `a_b *c*`"),
            ("a | b", "a `\\u{7c}` b"),
            ("1. no list", "`1`. no list"),
            ("- no list", "`-` no list"),
            ("a ` b", "a `` ` `` b"),
            ("e.org", "`e.org`"),
            ("a\nb\u{202e}c", "`a\\nb\\u{202e}c`"),
        ] {
            assert_eq!(line(text), shown);
        }
    }
}
