//! How large a file, a function and a line may be.

use crate::{
    Tree, Violation,
    rules::{COLUMNS, FILE_LINES, FUNCTION_LINES},
    tokens,
};
use proc_macro2::{TokenStream, TokenTree};
use std::{ops::RangeInclusive, str::FromStr};
use syn::{
    Block, Signature,
    visit::{self, Visit},
};

/// Rust files with too many lines.
pub fn long_files(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree.rust() {
        let lines = text.lines().count();
        if lines > FILE_LINES {
            found.push(Violation::new(
                path,
                1,
                format!("{lines} lines, over {FILE_LINES}"),
            ));
        }
    }
    found
}

/// Functions with too many lines, from `fn` to the closing brace: free ones, methods, nested ones,
/// tests, and those inside of a macro's braces.
pub fn long_functions(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree.rust() {
        let Ok(file) = syn::parse_file(text) else {
            found.push(Violation::new(path, 1, "is not Rust"));
            continue;
        };
        let mut functions = Functions::default();
        functions.visit_file(&file);
        for (name, lines) in functions.found {
            let length = lines.end() - lines.start() + 1;
            if length > FUNCTION_LINES {
                let what = format!("fn {name} has {length} lines, over {FUNCTION_LINES}");
                found.push(Violation::new(path, *lines.start(), what));
            }
        }
    }
    found
}

/// The name and the lines of every function that has a body.
#[derive(Default)]
struct Functions {
    found: Vec<(String, RangeInclusive<usize>)>,
}

impl Functions {
    fn add(&mut self, signature: &Signature, body: &Block) {
        let start = signature.fn_token.span.start().line;
        let end = body.brace_token.span.close().end().line;
        self.found.push((signature.ident.to_string(), start..=end));
    }

    /// Those in the tokens of a macro, which need not be Rust.
    fn add_tokens(&mut self, stream: TokenStream) {
        let trees: Vec<TokenTree> = stream.into_iter().collect();
        for (at, tree) in trees.iter().enumerate() {
            match tree {
                TokenTree::Group(group) => self.add_tokens(group.stream()),
                TokenTree::Ident(word) if word == "fn" => {
                    // `fn(u8) -> u8` is a type and has no name; a trait's function may have no
                    // body; `$name` is one token after the mark.
                    let name = match (trees.get(at + 1), trees.get(at + 2)) {
                        (Some(TokenTree::Ident(name)), _)
                        | (Some(TokenTree::Punct(_)), Some(TokenTree::Ident(name))) => name,
                        _ => continue,
                    };
                    let end = tokens::item_end(&trees[at..]).and_then(|end| trees.get(at + end));
                    if let Some(TokenTree::Group(body)) = end {
                        let lines = word.span().start().line..=body.span_close().end().line;
                        self.found.push((name.to_string(), lines));
                    }
                }
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.add(&item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        self.add_tokens(called.tokens.clone());
    }
}

/// Lines of Rust files with too many columns.
///
/// Exempt is what no line break can mend: a line inside of a literal that goes over several lines
/// or is raw, and a line whose longest word is too long for a line of its own (a URL, a key in
/// hex).
pub fn long_lines(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree.rust() {
        let fixed = TokenStream::from_str(text)
            .map(unbreakable_lines)
            .unwrap_or_default();
        for (at, line) in text.lines().enumerate() {
            let columns = line.chars().count();
            let exempt = fixed.iter().any(|lines| lines.contains(&(at + 1)));
            if columns > COLUMNS && !exempt && can_be_broken(line) {
                found.push(Violation::new(
                    path,
                    at + 1,
                    format!("{columns} columns, over {COLUMNS}"),
                ));
            }
        }
    }
    found
}

/// Whether every word of the line fits into a line of its own, at the same indentation.
fn can_be_broken(line: &str) -> bool {
    let indentation = line.chars().take_while(|c| c.is_whitespace()).count();
    let longest = line
        .split_whitespace()
        .map(|word| word.chars().count())
        .max()
        .unwrap_or(0);
    // A comment's word keeps the comment's mark before it.
    let mark = if line.trim_start().starts_with("//") {
        4
    } else {
        0
    };
    indentation + mark + longest <= COLUMNS
}

/// The lines of literals that are raw or go over several lines.
fn unbreakable_lines(stream: TokenStream) -> Vec<RangeInclusive<usize>> {
    let mut found = Vec::new();
    for tree in stream {
        match tree {
            TokenTree::Group(group) => found.extend(unbreakable_lines(group.stream())),
            TokenTree::Literal(literal) => {
                let (start, end) = (literal.span().start().line, literal.span().end().line);
                let text = literal.to_string();
                let raw = ["r\"", "r#", "br\"", "br#"]
                    .iter()
                    .any(|raw| text.starts_with(raw));
                if raw || has_bare_line_end(&text) {
                    found.push(start..=end);
                }
            }
            _ => {}
        }
    }
    found
}

/// Whether a literal goes over several lines by a line end that it holds, not by one escaped by
/// `\`.
fn has_bare_line_end(text: &str) -> bool {
    let before_last = text.lines().count().saturating_sub(1);
    text.lines()
        .take(before_last)
        .any(|line| !line.ends_with('\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Tree {
        Tree::of(&[("core/src/x.rs", text)])
    }

    #[test]
    fn a_long_file_is_caught() {
        assert!(long_files(&file(&"\n".repeat(500))).is_empty());
        let found = long_files(&file(&"\n".repeat(501)));
        assert_eq!(found[0].to_string(), "core/src/x.rs:1: 501 lines, over 500");
    }

    #[test]
    fn a_long_function_is_caught_wherever_it_stands() {
        let of_lines = |n: usize| format!("fn f()\n{{{}}}", "\n".repeat(n - 2));
        for (before, after) in [
            ("", ""),
            ("impl A {", "}"),
            ("mod tests { #[test] ", "}"),
            ("fn outer() { ", "}"),
            ("proptest! { #[test] ", "}"),
            ("trait A { fn g(h: fn(u8) -> u8); const ", "}"),
            ("macro_rules! a { () => { ", "} }"),
        ] {
            let good = file(&format!("{before}{}{after}", of_lines(60)));
            assert_eq!(long_functions(&good), [], "{before}");
            let bad = file(&format!("{before}{}{after}", of_lines(61)));
            let found = long_functions(&bad);
            assert!(
                found
                    .iter()
                    .any(|one| one.what == "fn f has 61 lines, over 60"),
                "{found:?}"
            );
        }
    }

    #[test]
    fn a_block_in_a_signature_is_not_the_body() {
        let body = "\n".repeat(60);
        for signature in [
            "fn f() -> Chunks<{ Hash::LEN }>",
            "fn f() -> Chunks<u8, { 1 }, { 2 }>",
            "fn f(a: [u8; { 1 }]) where [(); { 2 }]: Sized",
            "fn f<const N: usize = { 3 }>()",
            "fn f<A: Fn(u8) -> Chunks<{ 1 }>>()",
        ] {
            for (before, after) in [("", ""), ("proptest! { ", "}"), ("impl A { ", "}")] {
                let bad = file(&format!("{before}{signature} {{{body}}}{after}"));
                assert_eq!(long_functions(&bad).len(), 1, "{before}{signature}");
            }
        }
        let bad = file(&format!(
            "macro_rules! a {{ () => {{ fn $name() {{{body}}} }} }}"
        ));
        assert_eq!(long_functions(&bad).len(), 1);
    }

    #[test]
    fn a_long_line_is_caught_unless_nothing_can_break_it() {
        let words = "word ".repeat(21);
        let solid = "x".repeat(110);
        for bad in [
            format!("// {words}"),
            format!("const A: &str = \"{words}\";"),
            format!("const A: &str = \"a \\\n    {words}\";"),
            format!("// é{}", "é ".repeat(50)),
        ] {
            assert_eq!(long_lines(&file(&bad)).len(), 1, "{bad}");
        }
        for good in [
            format!("// see https://example.org/{solid}"),
            format!("const A: &str =\n    \"{solid}\";"),
            format!("const A: &str = r\"{words}\";"),
            format!("const A: &str = \"a\n{words}\";"),
            format!("// {}", "é".repeat(97)),
        ] {
            assert_eq!(long_lines(&file(&good)), [], "{good}");
        }
    }
}
