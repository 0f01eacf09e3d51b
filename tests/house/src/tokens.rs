//! Rust source as a flat list of tokens with their lines: without comments, and with literals that
//! stay apart from names.

use proc_macro2::{Delimiter, Spacing, Span, TokenStream, TokenTree};
use std::str::FromStr;

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
    /// Attributes, and what stands behind `#[cfg(test)]` or `#[test]`.
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

/// Whether an attribute leaves its item to tests: `test`, or a `cfg` that asks for `test`.
pub fn is_test_only(attribute: TokenStream) -> bool {
    let tokens = of_stream(attribute, Leave::Nothing);
    let has = |word: &str| tokens.iter().any(|token| token.text == word);
    match tokens.first().map(|token| token.text.as_str()) {
        Some("test") => true,
        Some("cfg") => has("test") && !has("not"),
        _ => false,
    }
}

/// The number of tokens up to and with the `;` or the block that ends an item.
fn item_length(trees: &[TokenTree]) -> usize {
    let end = trees.iter().position(|tree| match tree {
        TokenTree::Punct(mark) => mark.as_char() == ';',
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        _ => false,
    });
    end.map_or(trees.len(), |end| end + 1)
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
}
