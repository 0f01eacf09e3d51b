//! From source text to modules with names, imports and the paths in their code.

use super::{Modules, Name, Path, Use};
use crate::{
    Tree,
    tokens::{self, Kind, Leave, Token},
};
use quote::ToTokens;
use syn::{Attribute, Item, ItemUse, UseTree, Visibility};

/// Where the files of a module's children lie.
struct Place {
    /// The folder, with a `/` at its end.
    folder: String,
}

impl Modules {
    /// Reads the file of a module, and those of the modules below it.
    pub(super) fn read_file(&mut self, tree: &Tree, file: &str, module: usize) {
        let parsed = tree.text(file).and_then(|text| syn::parse_file(text).ok());
        let Some(parsed) = parsed else { return };
        let is_root = self.modules[module].parent.is_none();
        let (folder, name) = file.rsplit_once('/').expect("sources lie in a folder");
        let folder = if is_root || name == "mod.rs" {
            format!("{folder}/")
        } else {
            format!("{folder}/{}/", name.trim_end_matches(".rs"))
        };
        self.read_items(tree, &parsed.items, module, &Place { folder });
    }

    fn read_items(&mut self, tree: &Tree, items: &[Item], module: usize, place: &Place) {
        for item in items.iter().filter(|item| !is_test_only(attributes(item))) {
            match item {
                Item::Mod(child) => self.read_child(tree, child, module, place),
                Item::Use(item) => self.read_use(item, module),
                _ => {
                    if let Some(name) = name_of(item) {
                        self.add_name(module, &name, Name::Item);
                    }
                    let stream = item.to_token_stream();
                    self.read_code(
                        &tokens::of_stream(stream, Leave::TestsAndAttributes),
                        module,
                    );
                }
            }
        }
    }

    fn read_child(&mut self, tree: &Tree, child: &syn::ItemMod, parent: usize, place: &Place) {
        let name = child.ident.to_string();
        let inner = Place {
            folder: format!("{}{name}/", place.folder),
        };
        if let Some((_, items)) = &child.content {
            let file = self.modules[parent].file.clone();
            let module = self.add_module(&file, Some(parent));
            self.add_name(parent, &name, Name::Module(module));
            self.read_items(tree, items, module, &inner);
            return;
        }
        let candidates = [
            format!("{}{name}.rs", place.folder),
            format!("{}mod.rs", inner.folder),
        ];
        if let Some(file) = candidates.iter().find(|file| tree.text(file).is_some()) {
            let module = self.add_module(file, Some(parent));
            self.add_name(parent, &name, Name::Module(module));
            self.read_file(tree, file, module);
        }
    }

    fn add_name(&mut self, module: usize, name: &str, what: Name) {
        self.modules[module]
            .names
            .entry(name.to_owned())
            .or_default()
            .push(what);
    }

    fn read_use(&mut self, item: &ItemUse, module: usize) {
        let reexport = !matches!(item.vis, Visibility::Inherited);
        let mut leaves = Vec::new();
        use_leaves(&item.tree, &mut Vec::new(), &mut leaves);
        for Leaf { path, name, glob } in leaves {
            if glob {
                self.modules[module].globs.push(path.clone());
            } else {
                self.add_name(module, &name, Name::Alias(path.segments.clone(), reexport));
            }
            self.modules[module].uses.push(Use {
                path,
                reexport,
                glob,
            });
        }
    }

    /// Takes the paths, and the `use` of function bodies, from tokens of code.
    fn read_code(&mut self, code: &[Token], module: usize) {
        let mut at = 0;
        while at < code.len() {
            if code[at].text == "use" && code[at].kind == Kind::Word {
                let length = code[at..]
                    .iter()
                    .position(|token| token.text == ";")
                    .unwrap_or(0);
                if let Some(item) = parse_use(&code[at..=at + length]) {
                    self.read_use(&item, module);
                }
                at += length + 1;
            } else {
                let (path, length) = path_at(code, at);
                self.modules[module].code.extend(path);
                at += length;
            }
        }
    }
}

/// Parses a `use` again from its tokens, each on the line that it had.
fn parse_use(code: &[Token]) -> Option<ItemUse> {
    let mut text = String::new();
    let mut line = 1;
    for token in code {
        text.push_str(&"\n".repeat(token.line.saturating_sub(line)));
        line = line.max(token.line);
        text.push_str(&token.text);
        text.push(' ');
    }
    syn::parse_str(&text).ok()
}

/// The path that begins at a token, if one does, and how many tokens to go on by.
fn path_at(code: &[Token], at: usize) -> (Option<Path>, usize) {
    let is_word = |at: usize| code.get(at).is_some_and(|token| token.kind == Kind::Word);
    let before = at
        .checked_sub(1)
        .map_or("", |before| code[before].text.as_str());
    if !is_word(at) || before == "::" {
        return (None, 1);
    }
    let mut segments = vec![code[at].text.clone()];
    let mut end = at + 1;
    while code.get(end).is_some_and(|token| token.text == "::") && is_word(end + 1) {
        segments.push(code[end + 1].text.clone());
        end += 2;
    }
    // `x.name` is a field or a method; in `a..name` the name counts.
    let is_range = at >= 2 && code[at - 2].text == ".";
    let is_member = before == "." && !is_range && segments.len() == 1;
    let path = Path {
        segments,
        line: code[at].line,
    };
    ((!is_member).then_some(path), end - at)
}

struct Leaf {
    path: Path,
    name: String,
    glob: bool,
}

/// The paths that a `use` names one by one, with the names that they get here.
fn use_leaves(tree: &UseTree, before: &mut Vec<String>, leaves: &mut Vec<Leaf>) {
    let mut add = |before: &[String], last: Option<&syn::Ident>, name: String, glob: bool, line| {
        let mut segments = before.to_vec();
        segments.extend(last.filter(|last| *last != "self").map(ToString::to_string));
        // `use a::b::{self}` gives b its own name.
        let name = if name == "self" {
            segments.last().cloned().unwrap_or_default()
        } else {
            name
        };
        leaves.push(Leaf {
            path: Path { segments, line },
            name,
            glob,
        });
    };
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            use_leaves(&path.tree, before, leaves);
            before.pop();
        }
        UseTree::Name(one) => {
            let line = one.ident.span().start().line;
            add(before, Some(&one.ident), one.ident.to_string(), false, line);
        }
        UseTree::Rename(one) => {
            let line = one.ident.span().start().line;
            add(
                before,
                Some(&one.ident),
                one.rename.to_string(),
                false,
                line,
            );
        }
        UseTree::Glob(star) => {
            add(
                before,
                None,
                String::new(),
                true,
                star.star_token.spans[0].start().line,
            );
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                use_leaves(tree, before, leaves);
            }
        }
    }
}

fn is_test_only(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .any(|attribute| tokens::is_test_only(attribute.meta.to_token_stream()))
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn name_of(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}
