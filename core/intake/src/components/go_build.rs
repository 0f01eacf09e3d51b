//! What Go writes into programs (`debug/buildinfo`), and `go version -m` shows: the version of Go,
//! the main module, and each module that was built in.

use super::component::Component;
use super::fault::Fault;
use super::input::Input;
use super::list::List;
use super::origin;
use super::reader::{Reader, Sign};

pub(super) const READER: Reader = Reader {
    name: "Go build",
    is_sbom: false,
    remedy: "nothing of the file is taken; let `go version -m PROGRAM` write it, or name the \
             program itself",
    files: &[],
    path: None,
    sign: Sign::Text(|head| go_version(head.first()).is_some() && head.has("\tpath\t")),
    read: |input, _| read(input),
};

/// A version that a program has which was not built from a release of its module.
const DEVELOPMENT: &str = "(devel)";

/// A module, with what stands in for it.
struct Module<'a> {
    line: u32,
    name: &'a str,
    version: &'a str,
    by: Option<(&'a str, &'a str)>,
}

/// The version of Go in the first line, `FILE: VERSION`.
fn go_version(line: &str) -> Option<&str> {
    let (_, version) = line.rsplit_once(": ")?;
    (version.starts_with("go1") || version.starts_with("devel ")).then_some(version)
}

fn read(input: &Input<'_>) -> Result<List, Fault> {
    let mut list = List::default();
    let (mut main, mut path) = (None, None);
    let mut modules: Vec<Module<'_>> = Vec::new();
    let mut lines = input.lines();
    let go = lines
        .next()
        .and_then(|(_, first)| go_version(first.trim_end()))
        .ok_or_else(|| Fault::at(1, "this line does not end with the version of Go"))?;
    for (number, line) in lines {
        let words: Vec<&str> = line.trim().split('\t').collect();
        match words.as_slice() {
            [""] | ["build", ..] => {}
            ["path", name, ..] => path = Some((number, *name)),
            ["mod", name, version, ..] => main = Some(module(number, name, version)),
            ["dep", name, version, ..] => modules.push(module(number, name, version)),
            ["=>", name, version, ..] => match modules.last_mut().or(main.as_mut()) {
                Some(replaced) => replaced.by = Some((name, version)),
                None => return Err(Fault::at(number, "nothing stands before `=>`")),
            },
            _ if go_version(line).is_some() => {
                return Err(Fault::at(number, "a second program begins here")
                    .advise("check one program at a time"));
            }
            _ => return Err(Fault::at(number, "this line is not one of those of Go")),
        }
    }
    standard_library(go, &mut list)?;
    if main.is_none()
        && let Some((line, path)) = path.filter(|(_, path)| !is_without_module(path))
    {
        list.unidentified(Some(line), path, NOT_RECORDED)?;
    }
    if let Some(main) = main {
        let is_own = main.version == DEVELOPMENT || main.version.is_empty();
        add(&main, is_own, &mut list)?;
    }
    for module in &modules {
        add(module, false, &mut list)?;
    }
    list.note(
        None,
        "these are the modules of Go; which libraries of C it links is not said",
    );
    Ok(list)
}

/// Go records modules where it builds in one: not in GOPATH mode, in which there may be programs
/// whose `vendor` has hundreds of them.
const NOT_RECORDED: &str = "was built without modules, and Go did not record what is in it: check \
                            what its sources pin, or an SBOM of it";

/// Whether a program is of no module even where Go records modules: files that were named one by
/// one, and what is a part of Go.
fn is_without_module(path: &str) -> bool {
    path == "command-line-arguments" || path.starts_with("cmd/")
}

fn module<'a>(line: u32, name: &'a str, version: &'a str) -> Module<'a> {
    Module {
        line,
        name,
        version,
        by: None,
    }
}

/// Go's own packages are built in, too. `go1.22.1 X:nocoverageredesign` names experiments behind
/// the version.
fn standard_library(go: &str, list: &mut List) -> Result<(), Fault> {
    let version = go
        .split_whitespace()
        .next()
        .and_then(|go| go.strip_prefix("go"));
    let Some(version) = version else {
        let reason = "is of a Go in development";
        return list.unidentified(Some(1), "stdlib", reason);
    };
    let component = Component {
        name: "stdlib".into(),
        version: Some(version.into()),
        line: Some(1),
        ..Component::default()
    };
    list.package(
        component,
        origin::package("golang", "stdlib", Some(version)),
    )
}

fn add(module: &Module<'_>, own: bool, list: &mut List) -> Result<(), Fault> {
    let Module {
        line,
        name,
        version,
        by,
    } = *module;
    let shown = format!("{name} {version}");
    let (name, version) = match by {
        None => (name, version),
        Some((_, "" | DEVELOPMENT)) => {
            return list.by_folder("golang", (name, version), Some(line));
        }
        Some(other) => {
            list.remark("another module stands in for it", Some(line), &shown);
            other
        }
    };
    let component = Component {
        name: name.into(),
        version: (!own).then(|| version.to_owned()),
        line: Some(line),
        own,
        ..Component::default()
    };
    if own {
        return list.add(component);
    }
    list.package(component, origin::spaced("golang", name, Some(version)))
}

#[cfg(test)]
mod tests {
    use crate::components::Format::GoBuild;
    use crate::components::tests::{found, lines, notes, refusal, unidentified};

    #[test]
    fn what_was_built_in_is_listed() {
        let text = "./tool: go1.22.4 X:rangefunc\n\tpath\ta.org/tool/cmd\n\tmod\ta.org/tool\t\
            v1.4.0\th1:x=\n\tdep\tb.org/c\tv1.0.0\n\t=>\tfork.org/c\tv1.0.1\th1:y=\n\tdep\tb.org/d/v2\t\
            v2.1.0\th1:z=\n\tdep\te.org/f\tv1.0.0\n\t=>\t../f\t(devel)\t\n\tbuild\t-compiler=gc\n";
        let read = found(GoBuild, text);
        assert_eq!(
            lines(&read),
            [
                "pkg:golang/stdlib@1.22.4 :1",
                "pkg:golang/a.org/tool@v1.4.0 :3",
                "pkg:golang/fork.org/c@v1.0.1 :4",
                "pkg:golang/b.org/d/v2@v2.1.0 :6",
                "pkg:golang/e.org/f@v1.0.0 own :7",
            ]
        );
        assert!(read.list.iter().all(|one| one.own == one.by_path));
        assert!(notes(&read).contains("a folder stands in for it: e.org/f v1.0.0"));
        assert!(notes(&read).contains("libraries of C"));
    }

    #[test]
    fn what_has_no_version_is_said_to_have_none() {
        let text = "x: devel go1.25-abc Mon\n\tpath\ta\n\tmod\ta.org/tool\t(devel)\t\n";
        let read = found(GoBuild, text);
        assert_eq!(lines(&read), ["(a.org/tool) own :3"]);
        assert_eq!(unidentified(&read), [":1 stdlib is of a Go in development"]);
    }

    /// In GOPATH mode Go does not say what it built in: nobody may take that for nothing.
    #[test]
    fn a_program_without_modules_is_not_known() {
        let text = |path: &str| format!("x: go1.22.4\n\tpath\t{path}\n\tbuild\tCGO_ENABLED=0\n");
        let read = found(GoBuild, &text("github.com/docker/cli/cmd/docker"));
        assert_eq!(lines(&read), ["pkg:golang/stdlib@1.22.4 :1"]);
        let said = unidentified(&read).concat();
        assert!(
            said.starts_with(":2 github.com/docker/cli/cmd/docker was built without modules"),
            "{said}"
        );
        for (path, rest) in [
            ("command-line-arguments", ""),
            ("command-line-arguments", "\tdep\tb.org/c\tv1.0.0\n"),
            ("cmd/go", ""),
            ("a.org/tool", "\tmod\ta.org/tool\t(devel)\t\n"),
        ] {
            let read = found(GoBuild, &format!("{}{rest}", text(path)));
            assert_eq!(unidentified(&read), [""; 0], "{path}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, said) in [
            ("x\n", "x:1: this line does not end with the version of Go"),
            ("x: go1.22\n\t=>\ta\tv1\n", "x:2: nothing stands before"),
            ("x: go1.22\n\tdep\ta\n", "x:2: this line is not one"),
            ("x: go1.22\n\tpath\ta\ny: go1.22\n", "x:3: a second program"),
        ] {
            let error = refusal(GoBuild, text);
            assert!(error.starts_with(said), "{error}");
        }
    }
}
