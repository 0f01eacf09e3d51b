use super::*;
use crate::components::input::decoded;
use proptest::prelude::*;
use serde::Deserialize;

/// Any file with a list of packages.
#[derive(Deserialize)]
struct Any {
    #[serde(default)]
    package: Vec<toml::Table>,
    #[serde(flatten)]
    rest: toml::Table,
}

impl Lock for Any {
    const LIST: &'static str = "package";
    type Package = toml::Table;

    fn take(&mut self) -> Vec<toml::Table> {
        std::mem::take(&mut self.package)
    }
}

type Read = (toml::Table, Vec<toml::Table>);

fn whole(text: &str) -> Option<Read> {
    let any: Any = toml::from_str(text).ok()?;
    Some((any.rest, any.package))
}

/// What a text is read as that was cut.
fn in_blocks(text: &str, pieces: &Pieces) -> Option<Read> {
    let any: Any = toml::from_str(&pieces.rest(text)).ok()?;
    let file = decoded(text.as_bytes()).ok()?;
    let input = Input::new("x", &file).ok()?;
    let mut packages: Packages<'_, toml::Table> = Packages {
        text,
        pieces,
        next: 0,
        list: "package",
        whole: any.package.into_iter(),
        lines: input.places(),
    };
    let mut list = Vec::new();
    while let Some((package, _)) = packages.next().ok()? {
        list.push(package);
    }
    Some((any.rest, list))
}

#[test]
fn what_is_cut_means_the_same() {
    for text in [
        "[[package]]\nname = \"a\"\n\n[[package]]\nname = \"b\"",
        "version = 4\r\n\r\n[[package]]\r\nname = \"a\"\r\n[[package]]\r\nname = \"b\"\r\n",
        "# [[package]]\n[[package]] # [[package]]\nname = \"a\" # \"\"\"\n  # '''\n",
        "  [[package]]\t\n\tname = 'a'\n\t[package.x]\n\ty = 1\n  [[package]]\n",
        "[[package]]\nx = \"\"\"\n[[package]]\n\\\"\"\"\n\"\"\"\n[[package]]\n",
        "[[package]]\nx = '''\n[[package]]\n\\'''\n[[package]]\n",
        "[[package]]\nx = [\"\"\"a\"\"\"\"\", \"#\", 1]\n[[package]]\n",
        "[[package]]\nx = ['''a'''', ']', 1]\n[[package]]\n",
        "[[package]]\nx = [\n[[1]],\n # ]\n \"]\", '[',\n]\n[[package]]\n",
        "[[package]]\nx = { y = [ { z = \"}\" }, {} ], w = '{' }\n[[package]]\n",
        "[[package]]\npackage = 1\n[[package]]\npackage.package = 2\n",
        "[[package]]\n[package.package]\n[[package.package.list]]\n[[package]]\n",
        "[a]\n[[package]]\n[a.b]\n[[package]]\n[[c]]\nd = 1\n[[package]]\n[c.e]\n",
        "a.b = 1\n[[package]]\n[packages]\n[pack]\n[[package]]\nx = \"\\\\\"\n",
        "a = '[[package]]'\n[metadata.files]\n\"package\" = []\n",
    ] {
        let pieces = cut(text, "package").unwrap_or_else(|| panic!("not cut: {text}"));
        assert!(whole(text).is_some(), "{text}");
        assert_eq!(in_blocks(text, &pieces), whole(text), "{text}");
    }
}

#[test]
fn what_is_odd_is_not_cut() {
    for text in [
        "package = []\n",
        "package.x = 1\n[[other]]\n",
        "\"package\" = []\n[[package]]\n",
        "[package]\nx = 1\n",
        "[package.x]\n[[package]]\n",
        "[[package]]\n[other]\n[package.x]\n",
        "[[\"package\"]]\n",
        "[['package']]\n[[package]]\n",
        "[[ package ]]\n",
        "[ package.x ]\n",
        "[[package]]\n[package]\n",
        "[[package]] x\n",
        "[[package]\n[[package]]\n",
    ] {
        assert_eq!(cut(text, "package"), None, "{text}");
    }
}

#[test]
fn places_outside_of_packages_are_found_again() {
    let text = "a = 1\n[[package]]\nx = 1\n[b]\nc = 2\n[[package]]\n[d]\ne = 3\n";
    let pieces = cut(text, "package").unwrap();
    let rest = pieces.rest(text);
    assert_eq!(rest, "a = 1\n[b]\nc = 2\n[d]\ne = 3\n");
    for (at, _) in rest.char_indices() {
        let place = pieces.place(at);
        assert_eq!(rest.get(at..=at), text.get(place..=place));
    }
    assert_eq!(pieces.place(rest.len()), text.len());
    assert_eq!(Pieces::default().place(3), 3);
}

#[test]
fn a_piece_that_is_not_one_package_is_refused() {
    let text = "[[package]]\n[[package]]\n";
    for piece in [0..text.len(), 12..12] {
        let pieces = Pieces {
            packages: vec![piece],
            rest: Vec::new(),
        };
        assert_eq!(in_blocks(text, &pieces), None);
    }
    let pieces = Pieces {
        packages: std::iter::once(0..18).collect(),
        rest: Vec::new(),
    };
    assert_eq!(in_blocks("[[package]]\n[[b]]\n", &pieces), None);
}

#[test]
fn an_error_is_that_of_the_whole_file() {
    let package = "[[package]]\nname = \"a\"\n";
    for (text, line) in [
        (format!("{package}{package}x = \n{package}"), 5),
        (format!("{package}[other]\nx = 1\nx = 2\n{package}"), 5),
        (format!("x = 1\n{package}[a]\n{package}[a]\n"), 7),
    ] {
        assert!(cut(&text, "package").is_some());
        let file = decoded(text.as_bytes()).unwrap();
        let input = Input::new("x", &file).unwrap();
        let read = input.toml(|_: Any, mut packages| {
            while packages.next()?.is_some() {}
            Ok(List::default())
        });
        let error = read.err().unwrap().of("x", None).to_string();
        let of_whole = toml::from_str::<Any>(&text).err().unwrap();
        assert!(error.starts_with(&format!("x:{line}: ")), "{error}");
        assert!(error.contains(of_whole.message()), "{error}");
    }
}

/// Lines of which files are made that are odd, and seldom TOML.
const LINES: [&str; 36] = [
    "[[package]]",
    "[[package]] # x",
    "  [[package]]",
    "[[package]]",
    "[[ package ]]",
    "[[\"package\"]]",
    "[package]",
    "[package.x]",
    "[[package.y]]",
    "[package.y.z]",
    "[other]",
    "[[list]]",
    "[list.x]",
    "package = 1",
    "\"package\" = 1",
    "'package'.a = 1",
    "a = 1",
    "b.c = 2",
    "d = \"\"\"",
    "\"\"\"",
    "e = '''",
    "'''",
    "f = \"\"\"x\"\"\"\"\"",
    "g = '''x''''",
    "h = [",
    "]",
    "[[1], [2]],",
    "[1],",
    "i = { j = 1 }",
    "k = \"\\\"[[\"",
    "l = '\\'",
    "# \"\"\" [",
    "",
    "\\",
    "m = \"",
    "}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn whatever_is_cut_means_the_same(
        lines in prop::collection::vec(prop::sample::select(&LINES[..]), 0..9),
        end in prop::sample::select(&["\n", "\r\n"][..]),
    ) {
        let text = lines.join(end);
        if let Some(pieces) = cut(&text, "package") {
            prop_assert_eq!(in_blocks(&text, &pieces), whole(&text), "{}", text);
        }
    }
}
