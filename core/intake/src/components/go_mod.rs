//! `go.mod` (Go Modules Reference, "go.mod files"): from Go 1.17 on it names every module that is
//! built, in the version that is.
//!
//! What another module or a folder stands in for is not built. Which standard library is built in
//! depends on who builds: the file names only the oldest that may be.

use super::component::{Component, UNNAMED_MODULES};
use super::fault::Fault;
use super::input::Input;
use super::list::List;
use super::origin;
use super::reader::{Reader, Sign};
use assay_claims::kind::node::quoted;
use std::collections::BTreeMap;

pub(super) const READER: Reader = Reader {
    name: "go.mod",
    is_sbom: false,
    remedy: "nothing of the file is taken; restore it, or let `go mod tidy` write it",
    files: &["go.mod"],
    path: None,
    sign: Sign::Text(|head| head.has("module ") && head.has("go ")),
    read: |input, _| read(input),
};

/// The first version of Go whose files name what is needed indirectly, too.
const COMPLETE: (u32, u32) = (1, 17);

/// Directives that name nothing which is built.
const OTHER: [&str; 6] = ["exclude", "godebug", "ignore", "retract", "tool", "use"];

#[derive(Default)]
struct File<'a> {
    module: Option<(u32, &'a str)>,
    go: Option<(u32, &'a str)>,
    toolchain: Option<&'a str>,
    required: Vec<(u32, &'a str, &'a str)>,
    /// By module and version, or by module.
    replaced: BTreeMap<(&'a str, Option<&'a str>), Replacement<'a>>,
}

/// What stands in for a module: another one in a version, or a folder.
struct Replacement<'a> {
    by: &'a str,
    version: Option<&'a str>,
}

fn read(input: &Input<'_>) -> Result<List, Fault> {
    let mut file = File::default();
    let mut block: Option<(u32, &str)> = None;
    for (number, line) in input.lines() {
        let words = words(number, line)?;
        match (block, words.as_slice()) {
            (_, []) => {}
            (Some(_), [")"]) => block = None,
            (Some((_, directive)), words) => file.take(number, directive, words)?,
            (None, [_, "(", ")"]) => {}
            (None, [directive, "("]) => block = Some((number, directive)),
            (None, [directive, words @ ..]) => file.take(number, directive, words)?,
        }
    }
    match (block, file.module) {
        (Some((number, _)), _) => Err(Fault::at(number, "the block that begins here has no end")),
        (None, None) => Err(Fault::new(None, "the file names no module")),
        (None, Some(_)) => file.finish(),
    }
}

/// The words of a line, without quotes and comments.
fn words(number: u32, line: &str) -> Result<Vec<&str>, Fault> {
    let mut words = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() && !rest.starts_with("//") {
        let quote = rest.chars().next().filter(|c| ['"', '`'].contains(c));
        let (word, after) = match quote {
            Some(quote) => {
                let inner = rest.get(1..).unwrap_or_default();
                inner
                    .split_once(quote)
                    .ok_or_else(|| Fault::at(number, "a quote has no end"))?
            }
            // A parenthesis is a word of its own: `require(`.
            None if rest.starts_with(['(', ')']) => rest.split_at(1),
            None => {
                let end = rest.find(|c: char| c.is_whitespace() || "()".contains(c));
                rest.split_at(end.unwrap_or(rest.len()))
            }
        };
        words.push(word);
        rest = after.trim_start();
    }
    Ok(words)
}

impl<'a> File<'a> {
    fn take(&mut self, number: u32, directive: &'a str, words: &[&'a str]) -> Result<(), Fault> {
        match (directive, words) {
            ("module", [module]) => self.module = Some((number, module)),
            ("go", [version]) => self.go = Some((number, version)),
            ("toolchain", [version]) => self.toolchain = Some(version),
            ("require", [module, version]) if version.starts_with('v') => {
                self.required.push((number, module, version));
            }
            ("replace", words) => {
                let (module, version, replacement) = replacement(words)
                    .ok_or_else(|| malformed(number, directive, "MODULE [VERSION] => OTHER"))?;
                self.replaced.insert((module, version), replacement);
            }
            ("require", _) => return Err(malformed(number, directive, "MODULE VERSION")),
            (other, _) if OTHER.contains(&other) => {}
            (other, _) => {
                let reason = format!("{} is no directive that is known here", quoted(other));
                return Err(Fault::at(number, reason));
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<List, Fault> {
        let mut list = List::default();
        if let Some((number, module)) = self.module {
            list.add(Component {
                name: module.into(),
                line: Some(number),
                own: true,
                ..Component::default()
            })?;
        }
        for (number, module, version) in &self.required {
            let exact = self.replaced.get(&(*module, Some(*version)));
            let replaced = exact.or_else(|| self.replaced.get(&(*module, None)));
            let (number, name) = (Some(*number), format!("{module} {version}"));
            let (module, version) = match replaced {
                None => (*module, *version),
                Some(Replacement {
                    by,
                    version: Some(version),
                }) => {
                    list.remark("another module stands in for it", number, &name);
                    (*by, *version)
                }
                Some(Replacement { version: None, .. }) => {
                    list.by_folder("golang", (module, version), number)?;
                    continue;
                }
            };
            let component = Component {
                name: module.into(),
                version: Some(version.into()),
                line: number,
                ..Component::default()
            };
            list.package(component, origin::spaced("golang", module, Some(version)))?;
        }
        self.note_go(&mut list)?;
        Ok(list)
    }

    /// What the version of Go means for the list.
    fn note_go(&self, list: &mut List) -> Result<(), Fault> {
        let line = self.go.map(|(number, _)| number);
        let go = self.go.map_or("1.16", |(_, version)| version);
        let oldest = self
            .toolchain
            .map_or(go, |name| name.trim_start_matches("go"));
        list.note(
            line,
            &format!(
                "the standard library is that of Go {oldest} or newer: whoever builds decides"
            ),
        );
        let mut numbers = go
            .split('.')
            .map(|number| number.parse::<u32>().unwrap_or(0));
        let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        if version < COMPLETE && !self.required.is_empty() {
            let reason = "is not named in a go.mod of before Go 1.17: let `go mod tidy \
                          -go=1.17` write it, or check an SBOM";
            list.unidentified(line, UNNAMED_MODULES, reason)?;
        }
        Ok(())
    }
}

/// `MODULE [VERSION] => FOLDER`, or `… => MODULE VERSION`.
fn replacement<'a>(words: &[&'a str]) -> Option<(&'a str, Option<&'a str>, Replacement<'a>)> {
    let arrow = words.iter().position(|word| *word == "=>")?;
    let (module, version) = match words.get(..arrow)? {
        [module] => (*module, None),
        [module, version] => (*module, Some(*version)),
        _ => return None,
    };
    let by = match words.get(arrow + 1..)? {
        [folder] => Replacement {
            by: folder,
            version: None,
        },
        [module, version] => Replacement {
            by: module,
            version: Some(version),
        },
        _ => return None,
    };
    Some((module, version, by))
}

fn malformed(number: u32, directive: &str, form: &str) -> Fault {
    Fault::at(number, format!("this is not `{directive} {form}`"))
}

#[cfg(test)]
mod tests {
    use crate::components::Format::GoMod;
    use crate::components::tests::{found, lines, notes, refusal, unidentified};

    #[test]
    fn what_is_built_is_listed_as_it_is_built() {
        let text = "module \"a.org/own\" // comment\n\ngo 1.21.0\ntoolchain go1.22.4\n\nrequire (\n\
            \tb.org/c v1.0.0\n\tb.org/d/v2 v2.1.0 // indirect\n)\nrequire e.org/f v1.0.0\n\
            require e.org/g v1.5.0\nreplace (\n\tb.org/c v1.0.0 => fork.org/c v1.0.1\n\
            \tb.org/c v1.9.9 => fork.org/no v1.0.1\n\te.org/f => ../f\n)\n\
            exclude b.org/c v0.9.0\nretract [v1.0.0, v1.1.0]\ntool b.org/c/cmd\n";
        let found = found(GoMod, text);
        assert_eq!(
            lines(&found),
            [
                "(a.org/own) own :1",
                "pkg:golang/fork.org/c@v1.0.1 :7",
                "pkg:golang/b.org/d/v2@v2.1.0 :8",
                "pkg:golang/e.org/f@v1.0.0 own :10",
                "pkg:golang/e.org/g@v1.5.0 :11",
            ]
        );
        let by_path = found.list.iter().filter(|one| one.by_path);
        assert_eq!(
            by_path.map(|one| &*one.name).collect::<Vec<_>>(),
            ["e.org/f"]
        );
        assert!(notes(&found).contains("a folder stands in for it: e.org/f v1.0.0"));
        assert!(
            notes(&found).contains("Go 1.22.4 or newer"),
            "{}",
            notes(&found)
        );
    }

    #[test]
    fn a_parenthesis_ends_a_word() {
        let text = "module a\ngo 1.21\nrequire(\n\tb.org/c v1.0.0\n)// end\nrequire()\n";
        let wanted = ["(a) own :1", "pkg:golang/b.org/c@v1.0.0 :4"];
        assert_eq!(lines(&found(GoMod, text)), wanted);
    }

    #[test]
    fn before_go_1_17_the_list_is_not_whole() {
        for (go, whole) in [("go 1.16\n", false), ("", false), ("go 1.17\n", true)] {
            let text = format!("module a\n{go}require b.org/c v1.0.0\n");
            assert_eq!(unidentified(&found(GoMod, &text)).is_empty(), whole, "{go}");
        }
        assert!(unidentified(&found(GoMod, "module a\ngo 1.12\n")).is_empty());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, said) in [
            ("go 1.22\n", "x: the file names no module"),
            (
                "module a\nrequire (\nb v1.0.0\n",
                "x:2: the block that begins here has no end",
            ),
            (
                "module a\nrequire b\n",
                "x:2: this is not `require MODULE VERSION`",
            ),
            (
                "module a\nrequire b 1.0.0\n",
                "x:2: this is not `require MODULE VERSION`",
            ),
            ("module a\nreplace b v1\n", "x:2: this is not `replace"),
            (
                "module a\nrequest b v1.0.0\n",
                "x:2: \"request\" is no directive",
            ),
            ("module \"a\n", "x:1: a quote has no end"),
        ] {
            let error = refusal(GoMod, text);
            assert!(error.starts_with(said), "{error}");
        }
    }
}
