//! Closures that are bound by `let` for a single use: a name to look up for what could stand where
//! it is used.

use crate::{
    Tree, Violation,
    rules::CLOSURES,
    tokens::{self, Kind, Leave},
};
use quote::ToTokens;
use syn::{
    Block, Expr, Pat, Stmt,
    visit::{self, Visit},
};

/// Every one of them, if there are more than [`CLOSURES`] in 10,000 lines of Rust; else none.
pub fn too_many(tree: &Tree) -> Vec<Violation> {
    let lines: usize = tree.rust().map(|(_, text)| text.lines().count()).sum();
    let found = single_use(tree);
    if found.len() * 10_000 > CLOSURES * lines {
        found
    } else {
        Vec::new()
    }
}

/// Every closure that is bound by `let` and whose name comes once in the rest of the block.
pub fn single_use(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree.rust() {
        let mut closures = Closures::default();
        if let Ok(file) = syn::parse_file(text) {
            closures.visit_file(&file);
        }
        for (line, name) in closures.found {
            let what = format!("the closure {name} is bound for one use");
            found.push(Violation::new(path, line, what));
        }
    }
    found
}

#[derive(Default)]
struct Closures {
    found: Vec<(usize, String)>,
}

impl<'ast> Visit<'ast> for Closures {
    fn visit_block(&mut self, block: &'ast Block) {
        for (at, statement) in block.stmts.iter().enumerate() {
            if let Some((line, name)) = bound_closure(statement)
                && uses(&name, &block.stmts[at + 1..]) == 1
            {
                self.found.push((line, name));
            }
        }
        visit::visit_block(self, block);
    }
}

/// The line and the name of a closure that a statement binds.
fn bound_closure(statement: &Stmt) -> Option<(usize, String)> {
    let Stmt::Local(local) = statement else {
        return None;
    };
    let pattern = match &local.pat {
        Pat::Type(typed) => &*typed.pat,
        pattern => pattern,
    };
    match (pattern, &*local.init.as_ref()?.expr) {
        (Pat::Ident(name), Expr::Closure(_)) => {
            Some((name.ident.span().start().line, name.ident.to_string()))
        }
        _ => None,
    }
}

/// How often a name comes in statements; fields and methods of that name do not count.
fn uses(name: &str, statements: &[Stmt]) -> usize {
    let mut count = 0;
    for statement in statements {
        let tokens = tokens::of_stream(statement.to_token_stream(), Leave::Nothing);
        for (at, token) in tokens.iter().enumerate() {
            let is_member = at > 0 && tokens[at - 1].text == ".";
            if token.kind == Kind::Word && token.text == name && !is_member {
                count += 1;
            }
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> usize {
        single_use(&Tree::of(&[("a.rs", text)])).len()
    }

    #[test]
    fn a_closure_for_one_use_is_caught() {
        for bad in [
            "fn f() { let a = |b| b + 1; c.map(a) }",
            "fn f() { let a = |b| b + 1; a(1) + c.a }",
            "fn f() { let a: fn(u8) -> u8 = |b| b + 1; { a(1) } }",
            "fn f() { let a = move || 1; g!(a()) }",
        ] {
            assert_eq!(found(bad), 1, "{bad}");
        }
        for good in [
            "fn f() { let a = |b| b + 1; a(1) + a(2) }",
            "fn f() { let a = 1; a + 1 }",
            "fn f() { c.map(|b| b + 1) }",
        ] {
            assert_eq!(found(good), 0, "{good}");
        }
    }

    #[test]
    fn a_few_are_no_violation() {
        let one = "fn f() { let a = |b| b + 1; c.map(a) }\n";
        let few = format!("{one}{}", "\n".repeat(10_000));
        assert_eq!(too_many(&Tree::of(&[("a.rs", &few)])), []);
        assert_eq!(too_many(&Tree::of(&[("a.rs", &one.repeat(2))])).len(), 2);
    }
}
