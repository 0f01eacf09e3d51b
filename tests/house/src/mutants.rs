//! Guards that are listed (`tests/mutants`): what is taken away is there, once.

use crate::{Tree, Violation};
use toml::{Table, Value};

/// Where the lists are.
const LISTS: &str = "tests/mutants/";

/// Listed guards that are not in their files, or several times.
pub fn gone(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (list, text) in tree.files().filter(|(path, _)| path.starts_with(LISTS)) {
        let guards = text.parse::<Table>().ok();
        let Some(Value::Array(guards)) = guards.as_ref().and_then(|it| it.get("mutant")) else {
            found.push(Violation::new(list, 1, "is no list of guards"));
            continue;
        };
        for guard in guards {
            let [name, file, take] = ["guard", "file", "take"].map(|field| text_of(guard, field));
            let source = tree.files().find(|(path, _)| *path == file);
            let times = source.map_or(0, |(_, source)| source.matches(take).count());
            if take.is_empty() || times != 1 {
                let what = format!("{name}: what it takes away is {times} times in {file}");
                found.push(Violation::new(list, 1, what));
            }
        }
    }
    found
}

fn text_of<'a>(guard: &'a Value, field: &str) -> &'a str {
    guard.get(field).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_that_is_gone_or_twice_there_is_found() {
        let list = "[[mutant]]\nguard = \"g\"\nfile = \"a.rs\"\ntake = \"b < c\"\n";
        for (source, found) in [
            ("if b < c {}", 0),
            ("if b > c {}", 1),
            ("b < c && b < c", 1),
        ] {
            let tree = Tree::of(&[("tests/mutants/core.toml", list), ("a.rs", source)]);
            assert_eq!(gone(&tree).len(), found, "{source}");
        }
        let tree = Tree::of(&[("tests/mutants/core.toml", "mutant = 1")]);
        assert_eq!(gone(&tree).len(), 1);
    }
}
