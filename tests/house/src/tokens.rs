//! Rust source as a flat list of tokens with their lines: without comments, and with literals that
//! stay apart from names.

use crate::rules::TEST_FEATURE;
use proc_macro2::{Delimiter, Spacing, Span, TokenStream, TokenTree};
use quote::ToTokens;
use std::str::FromStr;
use syn::{Lit, Meta, Token, punctuated::Punctuated};

/// What kind of token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An identifier or keyword.
    Word,
    /// A string, character or number.
    Literal,
    /// `::`, one other punctuation character, or a bracket.
    Mark,
}

/// A token with the line that it begins on, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The kind.
    pub kind: Kind,
    /// The token as written.
    pub text: String,
    /// The line.
    pub line: usize,
}

/// What to leave out of a list of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// Nothing; a doc comment is an attribute with a literal.
    Nothing,
    /// Attributes, and what stands behind one that [leaves it to tests](is_test_only).
    TestsAndAttributes,
}

/// The tokens of a source text, or `None` if it is not Rust.
pub fn of_source(source: &str, leave: Leave) -> Option<Vec<Token>> {
    // A shebang or byte order mark is no token; there is none in this tree.
    Some(of_stream(TokenStream::from_str(source).ok()?, leave))
}

/// The tokens of a stream.
pub fn of_stream(stream: TokenStream, leave: Leave) -> Vec<Token> {
    let mut flat = Vec::new();
    flatten(stream, leave, &mut flat);
    flat
}

fn flatten(stream: TokenStream, leave: Leave, flat: &mut Vec<Token>) {
    let trees: Vec<TokenTree> = stream.into_iter().collect();
    let mut at = 0;
    while at < trees.len() {
        if leave == Leave::TestsAndAttributes
            && let Some((length, content)) = attribute(&trees[at..])
        {
            at += length;
            if is_test_only(content) {
                at += item_length(&trees[at..]);
            }
            continue;
        }
        match &trees[at] {
            TokenTree::Group(group) => {
                let (open, close) = brackets(group.delimiter());
                push(flat, Kind::Mark, open, group.span_open());
                flatten(group.stream(), leave, flat);
                push(flat, Kind::Mark, close, group.span_close());
            }
            TokenTree::Ident(word) => push(flat, Kind::Word, &word.to_string(), word.span()),
            TokenTree::Literal(value) => {
                push(flat, Kind::Literal, &value.to_string(), value.span());
            }
            TokenTree::Punct(mark) if is_path_separator(&trees[at..]) => {
                push(flat, Kind::Mark, "::", mark.span());
                at += 1;
            }
            TokenTree::Punct(mark) => {
                push(flat, Kind::Mark, &mark.as_char().to_string(), mark.span());
            }
        }
        at += 1;
    }
}

fn push(flat: &mut Vec<Token>, kind: Kind, text: &str, span: Span) {
    if !text.is_empty() {
        flat.push(Token {
            kind,
            text: text.to_owned(),
            line: span.start().line,
        });
    }
}

fn brackets(delimiter: Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    }
}

fn is_path_separator(trees: &[TokenTree]) -> bool {
    let [TokenTree::Punct(first), TokenTree::Punct(second), ..] = trees else {
        return false;
    };
    first.as_char() == ':' && first.spacing() == Spacing::Joint && second.as_char() == ':'
}

/// The number of tokens of the attribute that `trees` begins with, and what its brackets hold.
fn attribute(trees: &[TokenTree]) -> Option<(usize, TokenStream)> {
    let TokenTree::Punct(hash) = trees.first()? else {
        return None;
    };
    let inner = matches!(trees.get(1)?, TokenTree::Punct(mark) if mark.as_char() == '!');
    let at = if inner { 2 } else { 1 };
    let TokenTree::Group(group) = trees.get(at)? else {
        return None;
    };
    let is_attribute = hash.as_char() == '#' && group.delimiter() == Delimiter::Bracket;
    is_attribute.then(|| (at + 1, group.stream()))
}

/// Whether an attribute leaves its item to tests: `test`, or a `cfg` that holds in tests only.
pub fn is_test_only(attribute: TokenStream) -> bool {
    match syn::parse2::<Meta>(attribute) {
        Ok(Meta::List(list)) if list.path.is_ident("cfg") => list
            .parse_args()
            .is_ok_and(|condition| asks_for_tests(&condition)),
        Ok(Meta::Path(path)) => is_test(&path),
        // `#[tokio::test(flavor = "multi_thread")]`
        Ok(Meta::List(list)) => is_test(&list.path),
        _ => false,
    }
}

fn is_test(path: &syn::Path) -> bool {
    path.segments
        .last()
        .is_some_and(|last| last.ident == "test")
}

/// Whether a condition of `cfg` holds in tests only: `test`, [`TEST_FEATURE`], `all` of which one
/// does, or `any` of which each does.
fn asks_for_tests(condition: &Meta) -> bool {
    match condition {
        Meta::Path(path) => path.is_ident("test"),
        Meta::NameValue(pair) => {
            let value = pair.value.to_token_stream().to_string();
            pair.path.is_ident("feature") && text_of(&value).as_deref() == Some(TEST_FEATURE)
        }
        Meta::List(list) => {
            let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
            let Ok(parts) = parts else { return false };
            let all = list.path.is_ident("all") && parts.iter().any(asks_for_tests);
            let any = list.path.is_ident("any") && parts.iter().all(asks_for_tests);
            all || any && !parts.is_empty()
        }
    }
}

/// What a literal of text stands for, without quotes and escapes. `None` of numbers and of bytes
/// that are not UTF-8.
pub fn text_of(literal: &str) -> Option<String> {
    match syn::parse_str(literal).ok()? {
        Lit::Str(text) => Some(text.value()),
        Lit::ByteStr(bytes) => String::from_utf8(bytes.value()).ok(),
        Lit::CStr(text) => text.value().into_string().ok(),
        Lit::Char(one) => Some(one.value().to_string()),
        _ => None,
    }
}

/// Words that an item or statement begins with that ends in `;` or a block, and not in `,`.
const BEGIN_ITEMS: &[&str] = &[
    "async",
    "const",
    "enum",
    "extern",
    "fn",
    "for",
    "if",
    "impl",
    "let",
    "loop",
    "macro_rules",
    "match",
    "mod",
    "static",
    "struct",
    "trait",
    "type",
    "union",
    "unsafe",
    "use",
    "while",
];

/// The number of tokens of what an attribute stands before: an item or statement, a field, a
/// variant, an argument, or an arm of a `match`. Where that is not clear, too few.
fn item_length(trees: &[TokenTree]) -> usize {
    let mut start = 0;
    while let Some((length, _)) = attribute(&trees[start..]) {
        start += length;
    }
    let mut first = start;
    if word_at(trees, first).is_some_and(|word| word == "pub") {
        first += 1;
        // The parentheses of `pub(crate)`.
        first += usize::from(matches!(trees.get(first), Some(TokenTree::Group(_))));
    }
    let word = word_at(trees, first).unwrap_or_default();
    let end = if BEGIN_ITEMS.contains(&word.as_str()) {
        item_end(&trees[start..])
    } else {
        part_end(&trees[start..])
    };
    end.map_or(trees.len(), |end| start + end + 1)
}

fn word_at(trees: &[TokenTree], at: usize) -> Option<String> {
    match trees.get(at)? {
        TokenTree::Ident(word) => Some(word.to_string()),
        _ => None,
    }
}

/// Where an item ends: the position of its `;`, or of its block in braces, which is none of those
/// that stand as an argument between `<` and `>`.
pub fn item_end(trees: &[TokenTree]) -> Option<usize> {
    let mut open = 0_usize;
    for (at, tree) in trees.iter().enumerate() {
        match tree {
            TokenTree::Punct(mark) if mark.as_char() == ';' => return Some(at),
            TokenTree::Punct(_) => open = angles(trees, at, open),
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                // `a < b {` opens nothing, but no more than `>` or `,` follows an argument.
                let is_argument = open > 0 && is_mark(trees.get(at + 1), &['>', ',']);
                if !is_argument {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Where a field, a variant, an argument, an expression or an arm ends: the position of its `,` or
/// `;`, of the block behind `=>`, or of a block that it begins with.
fn part_end(trees: &[TokenTree]) -> Option<usize> {
    let mut open = 0_usize;
    for (at, tree) in trees.iter().enumerate() {
        match tree {
            TokenTree::Punct(mark) if mark.as_char() == ';' => return Some(at),
            TokenTree::Punct(mark) if mark.as_char() == ',' && open == 0 => return Some(at),
            TokenTree::Punct(_) => open = angles(trees, at, open),
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                let ends = at.checked_sub(1).is_none_or(|before| {
                    is_arrow(trees, before) || is_mark(trees.get(before), &['!'])
                });
                if ends {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// How many `<` are open behind the mark at `at`, of which `open` were before it.
fn angles(trees: &[TokenTree], at: usize, open: usize) -> usize {
    if is_mark(trees.get(at), &['<']) {
        open + 1
    } else if is_mark(trees.get(at), &['>']) && !is_arrow(trees, at) {
        open.saturating_sub(1)
    } else {
        open
    }
}

/// Whether the mark at `at` ends `->` or `=>`.
fn is_arrow(trees: &[TokenTree], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| trees.get(before));
    let joint = matches!(before, Some(TokenTree::Punct(mark)) if mark.spacing() == Spacing::Joint);
    joint && is_mark(trees.get(at), &['>']) && is_mark(before, &['-', '='])
}

fn is_mark(tree: Option<&TokenTree>, marks: &[char]) -> bool {
    matches!(tree, Some(TokenTree::Punct(mark)) if marks.contains(&mark.as_char()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str, leave: Leave) -> Vec<String> {
        let tokens = of_source(source, leave).expect("Rust");
        tokens.into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn tests_and_attributes_are_left_out() {
        let source =
            "#![doc = \"x\"] #[cfg(test)] #[allow(y)] mod tests { fn t() {} } #[inline] fn f() {}
            impl A { #[cfg(test)] fn t<A, B>() { g() } fn u() {} } #[cfg(not(test))] use z;";
        let left = texts(source, Leave::TestsAndAttributes).join(" ");
        assert_eq!(left, "fn f ( ) { } impl A { fn u ( ) { } } use z ;");
    }

    #[test]
    fn a_path_keeps_its_separators_and_lines() {
        let tokens = of_source("a\n::\n// b\nc", Leave::Nothing).expect("Rust");
        let lines: Vec<_> = tokens
            .iter()
            .map(|token| (token.text.as_str(), token.line))
            .collect();
        assert_eq!(lines, [("a", 1), ("::", 2), ("c", 4)]);
    }

    #[test]
    fn only_what_tests_alone_compile_is_left_out() {
        for gone in [
            "cfg(test)",
            "cfg(all(unix, test))",
            "cfg(any(test, feature = \"testing\"))",
            "cfg(feature = \"testing\")",
            "test",
            "tokio::test(flavor = \"multi_thread\")",
        ] {
            let source = format!("#[{gone}] fn f() {{}} g");
            assert_eq!(texts(&source, Leave::TestsAndAttributes), ["g"], "{gone}");
        }
        for stays in [
            "cfg(any(test, unix))",
            "cfg(not(test))",
            "cfg(any(not(test), feature = \"testing\"))",
            "cfg(any())",
            "cfg(feature = \"test\")",
            "cfg_attr(test, inline)",
            "doc = \"test\"",
        ] {
            let source = format!("#[{stays}] use g;");
            let left = texts(&source, Leave::TestsAndAttributes);
            assert_eq!(left, ["use", "g", ";"], "{stays}");
        }
    }

    #[test]
    fn no_more_is_left_out_than_the_attribute_stands_before() {
        for (source, stays) in [
            (
                "struct A { #[cfg(test)] a: B<C, D>, e: F }",
                "struct A { e : F }",
            ),
            (
                "match a { #[cfg(test)] B { c } => d, E => f }",
                "match a { E => f }",
            ),
            (
                "match a { #[cfg(test)] B => { c } E => f }",
                "match a { E => f }",
            ),
            ("enum A { #[cfg(test)] B, C }", "enum A { C }"),
            (
                "#[cfg(test)] fn f() -> A<{ B }> { c } fn g() {}",
                "fn g ( ) { }",
            ),
            ("#[cfg(test)] fn f<A: Fn() -> B>() -> C { d } e", "e"),
            ("#[cfg(test)] a! { b } c", "c"),
            (
                "#[cfg(test)] pub(crate) const A: [B; { 1 }] = [C, D]; e",
                "e",
            ),
            ("{ #[cfg(test)] if a < b { c } d }", "{ d }"),
            ("f(#[cfg(test)] a, b)", "f ( b )"),
        ] {
            let left = texts(source, Leave::TestsAndAttributes).join(" ");
            assert_eq!(left.replace("= >", "=>"), stays, "{source}");
        }
    }

    #[test]
    fn a_literal_is_read_as_the_compiler_does() {
        for (literal, text) in [
            (r#""\u{75}rn:\x61""#, "urn:a"),
            ("b\"vex\"", "vex"),
            ("r#\"a\"b\"#", "a\"b"),
            ("c\"vex\"", "vex"),
        ] {
            assert_eq!(text_of(literal).as_deref(), Some(text));
        }
        assert_eq!(text_of("7"), None);
    }
}
