//! `go.sum` (Go Modules Reference, "go.sum files"): lines of `MODULE VERSION HASH` and `MODULE
//! VERSION/go.mod HASH`.
//!
//! A hash `h1:` is one of a list of files with their hashes, no digest of an artifact; so none is
//! taken as one.

use super::component::Component;
use super::fault::Fault;
use super::input::Input;
use super::list::List;
use super::origin;
use super::reader::{Reader, Sign};
use assay_claims::kind::node::quoted;
use base64::Engine;
use semver::Version;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const READER: Reader = Reader {
    name: "go.sum",
    is_sbom: false,
    remedy: "nothing of the file is taken; restore it, or let `go mod tidy` write it",
    files: &["go.sum", "go.work.sum"],
    path: None,
    sign: Sign::Text(|head| {
        let first = head.first();
        first.split(' ').count() == 3 && first.contains(" h1:")
    }),
    read: |input, _| read(input),
};

/// Bytes of a SHA-256, which `h1:` is.
const H1_BYTES: usize = 32;

struct Line<'a> {
    number: u32,
    module: &'a str,
    version: &'a str,
    hash: &'a str,
}

fn read(input: &Input<'_>) -> Result<List, Fault> {
    let lines = input.lines().filter(|(_, text)| !text.trim().is_empty());
    let lines = lines
        .map(|(number, text)| read_line(number, text))
        .collect::<Result<Vec<_>, _>>()?;
    contradiction(&lines)?;
    let built: BTreeSet<_> = lines
        .iter()
        .filter(|line| !line.version.ends_with("/go.mod"))
        .map(identity)
        .collect();
    let newest = newest(&built);
    let mut list = List::default();
    for line in &lines {
        match line.version.strip_suffix("/go.mod") {
            None if is_older(line, &newest) => {
                let name = format!("{} {}", line.module, line.version);
                list.remark(
                    "left out, a newer version being here: go builds one of a module",
                    Some(line.number),
                    &name,
                );
            }
            None => {
                let (name, version) = (line.module.to_owned(), Some(line.version.to_owned()));
                let parts = origin::spaced("golang", line.module, Some(line.version));
                let component = Component {
                    name,
                    version,
                    line: Some(line.number),
                    ..Component::default()
                };
                list.package(component, parts)?;
            }
            Some(version) if built.contains(&(line.module, version)) => {}
            Some(version) => {
                let name = format!("{} {version}", line.module);
                list.remark(
                    "left out, being here only for their go.mod, and not built",
                    Some(line.number),
                    &name,
                );
            }
        }
    }
    Ok(list)
}

/// The newest version of each module. The file also keeps what was built once, and what is only
/// needed to compute the versions.
fn newest<'a>(built: &BTreeSet<(&'a str, &'a str)>) -> BTreeMap<&'a str, Version> {
    let mut newest: BTreeMap<&str, Version> = BTreeMap::new();
    for (module, version) in built {
        let Some(version) = semantic(version) else {
            continue;
        };
        let known = newest.entry(module).or_insert_with(|| version.clone());
        if *known < version {
            *known = version;
        }
    }
    newest
}

fn semantic(version: &str) -> Option<Version> {
    Version::parse(version.strip_prefix('v')?).ok()
}

fn is_older(line: &Line<'_>, newest: &BTreeMap<&str, Version>) -> bool {
    let newest = newest.get(line.module);
    let version = semantic(line.version);
    newest
        .zip(version)
        .is_some_and(|(newest, version)| version < *newest)
}

fn identity<'a>(line: &Line<'a>) -> (&'a str, &'a str) {
    (line.module, line.version)
}

fn read_line(number: u32, text: &str) -> Result<Line<'_>, Fault> {
    let words: Vec<_> = text.split_whitespace().collect();
    let [module, version, hash] = words[..] else {
        return Err(Fault::at(
            number,
            format!("{} is not `MODULE VERSION HASH`", quoted(text)),
        ));
    };
    if !version.starts_with('v') {
        return Err(Fault::at(
            number,
            format!(
                "{} is no version: those of modules begin with v",
                quoted(version)
            ),
        ));
    }
    // Other kinds of hashes may come; go passes over them, too.
    if let Some(value) = hash.strip_prefix("h1:") {
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(value)
            .unwrap_or_default();
        if bytes.len() != H1_BYTES {
            return Err(Fault::at(
                number,
                format!("{} is no hash h1: of SHA-256 in base64", quoted(hash)),
            ));
        }
    }
    Ok(Line {
        number,
        module,
        version,
        hash,
    })
}

/// Go refuses to build from a file with two hashes for the same.
fn contradiction(lines: &[Line<'_>]) -> Result<(), Fault> {
    let mut seen = BTreeMap::new();
    for line in lines.iter().filter(|line| line.hash.starts_with("h1:")) {
        if let Some(other) = seen.insert(identity(line), line.hash)
            && other != line.hash
        {
            return Err(Fault::at(
                line.number,
                format!("{} {} has two hashes", line.module, line.version),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::components::Format::GoSum;
    use crate::components::tests::{found, lines, notes, refusal, unidentified};

    const H1: &str = "h1:vj9j/u1bqnvCEfJOwUhtlOARqs3+rkHYY13jYWTU97c=";
    const OTHER: &str = "h1:J7Y8YcW2NihsgmVo/mv3lAwl/skON4iLHjSsI+c5H38=";

    #[test]
    fn modules_that_are_built_are_components() {
        let text = format!(
            "github.com/Azure/azure-sdk v65.0.0+incompatible {H1}\ngithub.com/Azure/azure-sdk \
             v65.0.0+incompatible/go.mod {OTHER}\n\nexample.org/x/v2 v2.0.1/go.mod \
             {H1}\nexample.org/x/v2 v2.0.2 {H1}\ngo4.org v0.1.0 {H1}\nexample.org/y v1.0.0 h2:odd\n"
        );
        let found = found(GoSum, &text);
        assert_eq!(
            lines(&found),
            [
                "pkg:golang/github.com/azure/azure-sdk@v65.0.0%2Bincompatible :1",
                "pkg:golang/example.org/x/v2@v2.0.2 :5",
                "pkg:golang/go4.org@v0.1.0 :6",
                "pkg:golang/example.org/y@v1.0.0 :7"
            ]
        );
        assert_eq!(found.list[0].name, "github.com/Azure/azure-sdk");
        assert!(
            notes(&found)
                .ends_with("only for their go.mod, and not built: example.org/x/v2 v2.0.1")
        );
    }

    #[test]
    fn of_several_versions_the_newest_is_built() {
        let text = ["v1.9.0", "v1.10.0", "v1.10.0-rc.1", "v0.30.0"]
            .map(|version| format!("a.b/c {version} {H1}\n"))
            .concat();
        let found = found(GoSum, &text);
        assert_eq!(lines(&found), ["pkg:golang/a.b/c@v1.10.0 :2"]);
        assert!(
            notes(&found).ends_with(": a.b/c v1.9.0, a.b/c v1.10.0-rc.1, a.b/c v0.30.0"),
            "{}",
            notes(&found)
        );
        assert!(unidentified(&found).is_empty());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, said) in [
            (
                format!("a.b/c v1.0.0 {H1}\na.b/c v1.0.0\n"),
                "x:2: \"a.b/c v1.0.0\" is not `MODULE VERSION HASH`",
            ),
            (
                format!("a.b/c 1.0.0 {H1}\n"),
                "x:1: \"1.0.0\" is no version",
            ),
            (
                "a.b/c v1.0.0 h1:AAAA\n".to_owned(),
                "x:1: \"h1:AAAA\" is no hash",
            ),
            (
                "a.b/c v1.0.0 h1:vj9j\n".to_owned(),
                "x:1: \"h1:vj9j\" is no hash",
            ),
            (
                format!("a.b/c v1.0.0 {H1}\na.b/c v1.0.0 {OTHER}\n"),
                "x:2: a.b/c v1.0.0 has two hashes",
            ),
        ] {
            let error = refusal(GoSum, &text);
            assert!(error.starts_with(said), "{error}");
        }
        let twice = format!("a.b/c v1.0.0 {H1}\na.b/c v1.0.0 {H1}\n");
        assert_eq!(found(GoSum, &twice).list.len(), 1);
    }
}
