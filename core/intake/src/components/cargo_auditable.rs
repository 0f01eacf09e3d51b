//! What `cargo auditable` writes into programs (cargo-auditable's `PARSING.md`), formats 0 and up
//! to 8: the crates that were resolved for this build.

use super::component::Component;
use super::fault::Fault;
use super::input::{Input, Node};
use super::list::List;
use super::origin;
use super::reader::{Reader, Sign};

pub(super) const READER: Reader = Reader {
    name: "cargo auditable",
    is_sbom: false,
    remedy: "nothing of the file is taken; build the program again with `cargo auditable`",
    files: &[],
    path: None,
    sign: Sign::Text(|_| false),
    read: |input, _| read(input),
};

fn read(input: &Input<'_>) -> Result<List, Fault> {
    let root = Node::root("$", input.json()?);
    let mut list = List::default();
    for package in root.need("packages")?.items()? {
        read_package(&package, &mut list)?;
    }
    list.note(
        None,
        "these are the crates of Rust; which libraries of C it links is not said",
    );
    Ok(list)
}

fn read_package(package: &Node<'_, '_>, list: &mut List) -> Result<(), Fault> {
    let name = package.need("name")?.text()?;
    let version = package.need("version")?.text()?;
    let component = Component {
        name: name.to_owned(),
        version: Some(version.to_owned()),
        ..Component::default()
    };
    if package.optional_text("kind")? == Some("build") {
        list.remark("built with, not built in", None, name);
    }
    let parts = origin::package("cargo", name, Some(version));
    match package.need("source")?.text()? {
        "crates.io" => list.package(component, parts),
        "local" => list.package(
            Component {
                own: true,
                ..component
            },
            parts,
        ),
        "git" => list.unidentified(
            None,
            &format!("{name} {version}"),
            "is from a git repository that the program does not name",
        ),
        _ => list.unidentified(
            None,
            &format!("{name} {version}"),
            "is from a registry that the program does not name",
        ),
    }
}

#[cfg(test)]
mod tests {
    use crate::components::Format::CargoAuditable;
    use crate::components::tests::{found, lines, notes, refusal, unidentified};

    #[test]
    fn crates_are_named_with_where_they_are_from() {
        let text = r#"{"packages":[
            {"name":"a","version":"1.0.0","source":"crates.io","dependencies":[1]},
            {"name":"cc","version":"1.2.0","source":"crates.io","kind":"build"},
            {"name":"own","version":"0.1.0","source":"local","root":true},
            {"name":"g","version":"2.0.0","source":"git"},
            {"name":"r","version":"3.0.0","source":"registry"}],"format":1}"#;
        let read = found(CargoAuditable, text);
        assert_eq!(
            lines(&read),
            [
                "pkg:cargo/a@1.0.0",
                "pkg:cargo/cc@1.2.0",
                "pkg:cargo/own@0.1.0 own"
            ]
        );
        assert_eq!(
            unidentified(&read),
            [
                "g 2.0.0 is from a git repository that the program does not name",
                "r 3.0.0 is from a registry that the program does not name"
            ]
        );
        let said = notes(&read);
        assert!(said.contains("not built in") && said.contains("libraries of C"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, said) in [
            ("{}", "$.packages: is missing"),
            (r#"{"packages":[{"name":"a"}]}"#, "version: is missing"),
            (
                r#"{"packages":[{"name":"a","version":"1","source":1}]}"#,
                "source",
            ),
        ] {
            let error = refusal(CargoAuditable, text);
            assert!(error.contains(said), "{error}");
        }
    }
}
