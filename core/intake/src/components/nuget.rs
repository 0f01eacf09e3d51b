//! What .NET has of packages: `packages.lock.json` (NuGet's documentation, "Locking dependencies"),
//! `project.assets.json` of a restore, `*.deps.json` of what was built, and `packages.config`.
//!
//! Their hashes are of packages without their signatures, or of none, so that none is taken for the
//! digest of a file.

use super::component::Component;
use super::fault::Fault;
use super::input::Input;
use super::list::List;
use super::markup::{elements, line};
use super::origin;
use super::reader::{Reader, Sign};
use assay_claims::kind::node::Node;

pub(super) const LOCK: Reader = Reader {
    name: "packages.lock.json",
    is_sbom: false,
    remedy: "nothing of the file is taken; restore it, or let `dotnet restore` write it",
    files: &["packages.lock.json"],
    path: None,
    sign: Sign::Text(|_| false),
    read: |input, _| read_lock(input),
};

pub(super) const ASSETS: Reader = Reader {
    name: "project.assets.json",
    is_sbom: false,
    remedy: "nothing of the file is taken; let `dotnet restore` write it",
    files: &["project.assets.json"],
    path: None,
    sign: Sign::Member("projectFileDependencyGroups"),
    read: |input, _| read_libraries(input),
};

pub(super) const DEPS: Reader = Reader {
    name: "deps.json",
    is_sbom: false,
    remedy: "nothing of the file is taken; let `dotnet publish` write it",
    files: &[],
    path: Some(|_, name| name == "deps.json" || name.ends_with(".deps.json")),
    sign: Sign::Member("runtimeTarget"),
    read: |input, _| read_libraries(input),
};

pub(super) const CONFIG: Reader = Reader {
    name: "packages.config",
    is_sbom: false,
    remedy: "nothing of the file is taken; restore it, or check an SBOM of the project",
    files: &["packages.config"],
    path: None,
    sign: Sign::Root("packages"),
    read: |input, _| read_config(input),
};

/// `<packages>` of `<package id= version=>`.
fn read_config(input: &Input<'_>) -> Result<List, Fault> {
    let document = input.xml()?;
    let root = document.root_element();
    if root.tag_name().name() != "packages" {
        return Err(Fault::new(Some(line(&root)), "the root is not <packages>"));
    }
    let (mut list, mut lines) = (List::default(), input.places());
    for package in elements(&root) {
        let at = lines.of(package.range());
        let (Some(name), Some(version)) = (package.attribute("id"), package.attribute("version"))
        else {
            return Err(Fault::at(at, "a package has no id or no version"));
        };
        let component = Component {
            name: name.to_owned(),
            version: Some(version.to_owned()),
            line: Some(at),
            dev: package.attribute("developmentDependency") == Some("true"),
            ..Component::default()
        };
        list.package(component, origin::package("nuget", name, Some(version)))?;
    }
    Ok(list)
}

/// A group for each framework, in which the packages stand by name.
fn read_lock(input: &Input<'_>) -> Result<List, Fault> {
    let root = Node::root("$", input.json()?);
    let version = root.need("version")?;
    if !matches!(version.value().as_u64(), Some(1 | 2)) {
        return Err(version.fault("is not 1 or 2, which are known here").into());
    }
    let mut list = List::default();
    for (_framework, packages) in root.need("dependencies")?.members()? {
        for (name, package) in packages.members()? {
            let kind = package.need("type")?.text()?;
            if kind == "Project" {
                add_own(name, None, &mut list)?;
                continue;
            }
            add(name, package.need("resolved")?.text()?, &mut list)?;
        }
    }
    Ok(list)
}

/// `libraries`, by `NAME/VERSION`.
fn read_libraries(input: &Input<'_>) -> Result<List, Fault> {
    let root = Node::root("$", input.json()?);
    let mut list = List::default();
    for (id, library) in root.need("libraries")?.members()? {
        let Some((name, version)) = id.split_once('/') else {
            return Err(library.fault("is not under a key NAME/VERSION").into());
        };
        match library.need("type")?.text()? {
            "package" => add(name, version, &mut list)?,
            "project" => add_own(name, Some(version), &mut list)?,
            // The runtime and references to files, which say nothing of what they are.
            _ => list.remark("left out, being no packages", None, id),
        }
    }
    Ok(list)
}

fn add(name: &str, version: &str, list: &mut List) -> Result<(), Fault> {
    let component = Component {
        name: name.to_owned(),
        version: Some(version.to_owned()),
        ..Component::default()
    };
    list.package(component, origin::package("nuget", name, Some(version)))
}

fn add_own(name: &str, version: Option<&str>, list: &mut List) -> Result<(), Fault> {
    list.add(Component {
        name: name.to_owned(),
        version: version.map(str::to_owned),
        own: true,
        ..Component::default()
    })
}

#[cfg(test)]
mod tests {
    use crate::components::Format::{DepsJson, NugetAssets, NugetConfig, NugetLock};
    use crate::components::tests::{found, lines, refusal};

    #[test]
    fn packages_stand_once_however_many_frameworks_need_them() {
        let text = r#"{"version":1,"dependencies":{
            "net8.0":{"A.B":{"type":"Direct","requested":"[1.0, )","resolved":"1.0.0","contentHash":"x"},
              "own":{"type":"Project","dependencies":{}}},
            "net9.0":{"A.B":{"type":"Transitive","resolved":"1.0.0"}}}}"#;
        assert_eq!(
            lines(&found(NugetLock, text)),
            ["pkg:nuget/A.B@1.0.0", "(own) own"]
        );
        let libraries = r#"{"runtimeTarget":{},"projectFileDependencyGroups":{},"libraries":{
            "App/1.0.0":{"type":"project"},"A.B/1.0.0":{"type":"package","sha512":"x"},
            "r/1":{"type":"runtimepack"}}}"#;
        for format in [NugetAssets, DepsJson] {
            let found = found(format, libraries);
            assert_eq!(lines(&found), ["(App) own", "pkg:nuget/A.B@1.0.0"]);
            assert_eq!(found.notes.len(), 1);
        }
    }

    #[test]
    fn the_old_configuration_names_packages_by_attributes() {
        let text = "<packages>\n<package id=\"A.B\" version=\"1.0\"/>\n<package id=\"C\" \
            version=\"2\" developmentDependency=\"true\"/></packages>";
        let wanted = ["pkg:nuget/A.B@1.0 :2", "pkg:nuget/C@2 dev :3"];
        assert_eq!(lines(&found(NugetConfig, text)), wanted);
        for (text, said) in [
            ("<a/>", "x:1: the root is not <packages>"),
            (
                "<packages>\n<package id=\"A\"/></packages>",
                "x:2: a package has no id",
            ),
            ("<packages>", "x:1: is not XML"),
        ] {
            let error = refusal(NugetConfig, text);
            assert!(error.starts_with(said), "{error}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_path() {
        for (format, text, said) in [
            (
                NugetLock,
                r#"{"dependencies":{}}"#,
                "x:1: $.version: is missing",
            ),
            (
                NugetLock,
                r#"{"version":3,"dependencies":{}}"#,
                "x:1: $.version: is not 1 or 2",
            ),
            (
                NugetLock,
                r#"{"version":1,"dependencies":[]}"#,
                "x:1: $.dependencies",
            ),
            (
                NugetLock,
                r#"{"version":1,"dependencies":{"n":{"A":{"type":"Direct"}}}}"#,
                "x:1: $.dependencies.n.A.resolved: is missing",
            ),
            (
                NugetAssets,
                r#"{"libraries":{"A":{"type":"package"}}}"#,
                "x:1: $.libraries.A: is not",
            ),
            (DepsJson, r#"{"libraries":{"A/1":{}}}"#, "x:1: $.libraries"),
        ] {
            let error = refusal(format, text);
            assert!(error.starts_with(said), "{error}");
        }
    }
}
