//! What .NET has of packages: `packages.lock.json` (NuGet's documentation, "Locking dependencies"),
//! `project.assets.json` of a restore, `*.deps.json` of what was built, and `packages.config`.
//!
//! Their hashes are of packages without their signatures, or of none, so that none is taken for the
//! digest of a file.

use super::component::Component;
use super::fault::Fault;
use super::input::{Input, Node};
use super::list::List;
use super::markup::{elements, line};
use super::origin;
use super::reader::{Reader, Sign};
use assay_claims::purl::is_public_registry;

pub(super) const LOCK: Reader = Reader {
    name: "packages.lock.json",
    is_sbom: false,
    remedy: "nothing of the file is taken; restore it, or let `dotnet restore` write it",
    files: &["packages.lock.json"],
    // Where several projects lie in a folder, each has one.
    path: Some(|_, name| name.starts_with("packages.") && name.ends_with(".lock.json")),
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
            add(name, package.need("resolved")?.text()?, None, &mut list)?;
        }
    }
    Ok(list)
}

/// `libraries`, by `NAME/VERSION`.
fn read_libraries(input: &Input<'_>) -> Result<List, Fault> {
    let root = Node::root("$", input.json()?);
    let mut list = List::default();
    let instead = note_sources(&root, &mut list)?;
    for (id, library) in root.need("libraries")?.members()? {
        let Some((name, version)) = id.split_once('/') else {
            return Err(library.fault("is not under a key NAME/VERSION").into());
        };
        match library.need("type")?.text()? {
            "package" => add(name, version, instead, &mut list)?,
            "project" => add_own(name, Some(version), &mut list)?,
            // The runtime in a program that brings its own is a package, and what advisories name.
            "runtimepack" => {
                let package = name.strip_prefix("runtimepack.").unwrap_or(name);
                add(package, version, instead, &mut list)?;
            }
            // References to files, which say nothing of what they are.
            _ => list.remark("left out, being no packages", None, id),
        }
    }
    read_downloads(&root, instead, &mut list)?;
    Ok(list)
}

/// What Visual Studio installs beside itself.
const OF_VISUAL_STUDIO: &str = "Microsoft SDKs";

/// Notes sources besides nuget.org: each may have packages of the same names. Without nuget.org
/// among them, the first is where packages come from, of the web if one is.
fn note_sources<'v>(root: &Node<'v, '_>, list: &mut List) -> Result<Option<&'v str>, Fault> {
    let project = root.get("project");
    let restore = project.as_ref().and_then(|it| it.get("restore"));
    let Some(sources) = restore.as_ref().and_then(|it| it.get("sources")) else {
        return Ok(None);
    };
    let all: Vec<&str> = sources.members()?.map(|(source, _)| source).collect();
    for source in &all {
        if !is_public_registry("nuget", source) && !source.contains(OF_VISUAL_STUDIO) {
            let source = origin::without_secrets(source);
            let text = format!("{source}: packages may come from there instead of nuget.org");
            list.note(None, &text);
        }
    }
    if all.iter().any(|source| is_public_registry("nuget", source)) {
        return Ok(None);
    }
    let of_web = all.iter().find(|source| origin::is_web(source));
    Ok(of_web.or(all.first()).copied())
}

/// What is downloaded beside the libraries, for each framework: runtimes, which become a part of
/// the program, and what is needed to build it only.
fn read_downloads(
    root: &Node<'_, '_>,
    instead: Option<&str>,
    list: &mut List,
) -> Result<(), Fault> {
    let project = root.get("project");
    let Some(frameworks) = project.as_ref().and_then(|it| it.get("frameworks")) else {
        return Ok(());
    };
    for (_framework, needs) in frameworks.members()? {
        let Some(downloads) = needs.get("downloadDependencies") else {
            continue;
        };
        for download in downloads.items()? {
            let name = download.need("name")?.text()?;
            let range = download.need("version")?.text()?;
            if !name.contains(".App.Runtime.") {
                list.remark("left out, being needed to build only", None, name);
                continue;
            }
            // One version, as a range from it to itself.
            let bounds = range.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
            let mut bounds = bounds.unwrap_or(range).split(',').map(str::trim);
            let version = bounds.next().unwrap_or_default();
            if bounds.all(|bound| bound == version) {
                add(name, version, instead, list)?;
            } else {
                let what = format!("{name} {range}");
                list.unidentified(None, &what, "has a range of versions")?;
            }
        }
    }
    Ok(())
}

/// Adds a package, which may be from another source instead of nuget.org.
fn add(name: &str, version: &str, instead: Option<&str>, list: &mut List) -> Result<(), Fault> {
    let component = Component {
        name: name.to_owned(),
        version: Some(version.to_owned()),
        ..Component::default()
    };
    let mut parts = origin::package("nuget", name, Some(version));
    if let Some(source) = instead {
        if origin::is_web(source) {
            origin::qualify(&mut parts, "repository_url", source);
        } else {
            origin::qualify_local(&mut parts, source.trim_end_matches(['/', '\\']));
        }
        list.remark("from another source than nuget.org", None, name);
    }
    list.package(component, parts)
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
    use crate::components::tests::{found, lines, notes, refusal};

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
            "r/1":{"type":"reference"}},"project":{"restore":{"sources":{
            "https://api.nuget.org/v3/index.json":{},"C:\\Microsoft SDKs\\NuGetPackages":{}}}}}"#;
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
    fn the_runtime_of_a_program_is_a_package() {
        let text = r#"{"libraries":{
            "runtimepack.Microsoft.NETCore.App.Runtime.osx-x64/9.0.1":{"type":"runtimepack"},
            "a/1.0":{"type":"reference"}}}"#;
        let found = found(DepsJson, text);
        let runtime = "pkg:nuget/Microsoft.NETCore.App.Runtime.osx-x64@9.0.1";
        assert_eq!(lines(&found), [runtime]);
        assert_eq!(found.notes.len(), 1);
        let assets = |version: &str| {
            format!(
                r#"{{"libraries":{{}},"project":{{"frameworks":{{"net9.0":{{"downloadDependencies":[
                    {{"name":"Microsoft.NETCore.App.Runtime.osx-x64","version":"{version}"}},
                    {{"name":"Microsoft.NETCore.App.Ref","version":"[9.0.1, 9.0.1]"}}]}}}}}}}}"#
            )
        };
        for version in ["[9.0.1, 9.0.1]", "[9.0.1]", "9.0.1"] {
            let found = crate::components::tests::found(NugetAssets, &assets(version));
            assert_eq!(lines(&found), [runtime], "{version}");
            assert!(found.notes[0].text.ends_with("Microsoft.NETCore.App.Ref"));
        }
        let found = crate::components::tests::found(NugetAssets, &assets("[9.0.1, 9.1)"));
        assert_eq!((found.list.len(), found.unidentified.len()), (0, 1));
    }

    #[test]
    fn other_sources_are_told() {
        let text = r#"{"libraries":{"A/1":{"type":"package"}},"project":{"restore":{"sources":{
            "https://u:secret@nuget.test/v3/index.json":{}}}}}"#;
        let found = found(NugetAssets, text);
        assert_eq!(
            found.notes[0].text,
            "https://nuget.test/v3/index.json: packages may come from there instead of nuget.org"
        );
    }

    #[test]
    fn without_nuget_org_packages_are_from_elsewhere() {
        let (public, studio) = (
            "https://api.nuget.org/v3/index.json",
            "C:\\\\Microsoft SDKs\\\\NuGetPackages\\\\",
        );
        let (ours, other) = (
            "https://u:secret@nuget.test/v3/index.json",
            "/home/me/feed/",
        );
        let feed = "?repository_url=https:%2F%2Fnuget.test%2Fv3%2Findex.json";
        let cases: [(&[&str], &str); 9] = [
            (&[], ""),
            (&[public], ""),
            (&[ours, public], ""),
            (&[other, public, studio], ""),
            (&[ours], feed),
            (&[studio, ours], feed),
            (&[other, ours, "https://second.test/"], feed),
            (&[other], "?download_url=file:feed"),
            (&[studio], "?download_url=file:NuGetPackages"),
        ];
        for (sources, place) in cases {
            let sources: Vec<_> = sources.iter().map(|at| format!("\"{at}\":{{}}")).collect();
            let text = format!(
                r#"{{"libraries":{{"A/1":{{"type":"package"}},"own/1":{{"type":"project"}}}},"project":{{
                "restore":{{"sources":{{{}}}}},"frameworks":{{"net9.0":{{"downloadDependencies":[
                {{"name":"B.App.Runtime.x","version":"[2, 2]"}}]}}}}}}}}"#,
                sources.join(",")
            );
            let found = found(NugetAssets, &text);
            let expected = [
                format!("pkg:nuget/A@1{place}"),
                "(own) own".to_owned(),
                format!("pkg:nuget/B.App.Runtime.x@2{place}"),
            ];
            assert_eq!(lines(&found), expected, "{text}");
            let told = notes(&found);
            assert_eq!(told.contains("another source"), !place.is_empty(), "{told}");
            assert!(!told.contains("secret"), "{told}");
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
