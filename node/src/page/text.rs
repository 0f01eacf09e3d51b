//! Words of strangers, made fit for a page, and paths to its other pages.

use assay_client::plain;

/// Most characters of one text.
const CHARACTERS: usize = 400;

/// Most marks on one character. No language has more; a stack of them covers the lines above.
const MARKS: usize = 4;

/// A page, as all pages are sent: whatever is quoted on it, what cannot be seen or reorders the
/// text around it is shown as its escape, and no marks tower. That nothing quoted is markup is the
/// template's to see to.
pub fn seen(page: &str) -> String {
    let mut tower = Tower::default();
    let level: String = page.chars().filter(|c| !tower.rises(*c)).collect();
    let lines: Vec<String> = level.split('\n').map(plain).collect();
    lines.join("\n")
}

/// What a stranger wrote, in one line of bounded length, as it will be [`seen`].
pub fn shown(text: &str) -> String {
    shown_within(text, CHARACTERS)
}

/// The same of a text that may have so many characters.
pub fn shown_within(text: &str, characters: usize) -> String {
    let mut shown = String::new();
    let mut tower = Tower::default();
    let mut left = characters;
    let mut is_cut = false;
    for c in text.chars() {
        if tower.rises(c) {
            is_cut = true;
            continue;
        }
        if left == 0 {
            is_cut = true;
            break;
        }
        left -= 1;
        shown.push(c);
    }
    if is_cut {
        shown.push('…');
    }
    plain(&shown)
}

/// The marks that stand on the last character so far.
#[derive(Default)]
struct Tower(usize);

impl Tower {
    /// Whether the next character is a mark too many.
    fn rises(&mut self, c: char) -> bool {
        self.0 = if is_mark(c) { self.0 + 1 } else { 0 };
        self.0 > MARKS
    }
}

/// Whether a character stands on the one before it: Unicode's blocks of such characters, and those
/// of the scripts that have most of them.
fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}'
        | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6dc}'
        | '\u{730}'..='\u{74a}' | '\u{7a6}'..='\u{7b0}' | '\u{816}'..='\u{82d}'
        | '\u{8d3}'..='\u{903}' | '\u{93a}'..='\u{93c}' | '\u{941}'..='\u{94d}'
        | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}'
        | '\u{eb1}' | '\u{eb4}'..='\u{ebc}' | '\u{ec8}'..='\u{ece}' | '\u{f71}'..='\u{f84}'
        | '\u{102d}'..='\u{103e}' | '\u{135d}'..='\u{135f}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{302a}'..='\u{302f}'
        | '\u{3099}'..='\u{309a}' | '\u{a66f}'..='\u{a672}' | '\u{a8e0}'..='\u{a8f1}'
        | '\u{fe20}'..='\u{fe2f}' | '\u{1e8d0}'..='\u{1e8d6}')
}

/// A text as one word of a shell's command, which a reader may copy: nothing in it is run.
pub fn for_shell(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._:/@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The way from a page to the one that all begin at: so that a proxy may serve them below any path.
pub fn base(path: &str) -> String {
    match path.matches('/').count() {
        0 | 1 => "./".to_owned(),
        more => "../".repeat(more - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_strangers_neither_tower_nor_turn_nor_go_on() {
        let tower = format!("a{}b", "\u{301}".repeat(8 << 10));
        let shown_tower = shown(&tower);
        assert!(shown_tower.chars().filter(|c| is_mark(*c)).count() <= MARKS);
        assert!(shown_tower.contains('b'));
        assert_eq!(shown("a\u{202e}b\n"), "a\\u{202e}b\\n");
        let page = seen(&format!("{tower}\n\u{202e}\r\u{200b}"));
        let marks = "\u{301}".repeat(MARKS);
        assert_eq!(page, format!("a{marks}b\n\\u{{202e}}\\r\\u{{200b}}"));
        let long = shown(&"\u{1f4a9}".repeat(10_000));
        assert_eq!(long.chars().count(), CHARACTERS + 1);
        assert_eq!(
            shown("Zoë नमस्ते \u{e19}\u{e49}\u{e33}"),
            "Zoë नमस्ते \u{e19}\u{e49}\u{e33}"
        );
    }

    #[test]
    fn a_command_that_is_copied_runs_nothing_that_a_stranger_wrote() {
        for (text, word) in [
            ("pkg:cargo/serde@1.0", "pkg:cargo/serde@1.0"),
            ("a'; rm -rf ~; '", r"'a'\''; rm -rf ~; '\'''"),
            ("$(id)", "'$(id)'"),
            ("`id`", "'`id`'"),
            ("", "''"),
        ] {
            assert_eq!(for_shell(text), word);
        }
    }

    #[test]
    fn links_lead_back_to_where_the_pages_begin() {
        for (path, right) in [
            ("/", "./"),
            ("/policy", "./"),
            ("/v/CVE-1", "../"),
            ("/p/pkg:npm/%40a/b", "../../../"),
        ] {
            assert_eq!(base(path), right, "{path}");
        }
    }
}
