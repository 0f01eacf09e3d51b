//! `Cargo.lock` (cargo's `src/cargo/core/resolver/encode.rs`), versions 1 to 4.

use super::blocks::{self, Packages};
use super::component::Component;
use super::digest;
use super::fault::Fault;
use super::input::Input;
use super::list::List;
use super::origin::{self, Repository};
use super::reader::{Reader, Sign};
use assay_claims::kind::node::quoted;
use assay_claims::purl::is_public_registry;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

pub(super) const READER: Reader = Reader {
    name: "Cargo.lock",
    is_sbom: false,
    remedy: "nothing of the file is taken; restore it, or let `cargo generate-lockfile` write it",
    files: &["Cargo.lock"],
    path: None,
    sign: Sign::Text(|head| head.generated_by("by Cargo")),
    read: |input, _| read(input),
};

const NEWEST: u64 = 4;

#[derive(Deserialize)]
struct Lock {
    version: Option<Spanned<u64>>,
    /// The project itself, in files of before 2017.
    root: Option<Package>,
    #[serde(default)]
    package: Vec<Package>,
    /// In version 1, the checksums.
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

impl blocks::Lock for Lock {
    const LIST: &'static str = "package";
    type Package = Package;

    fn take(&mut self) -> Vec<Package> {
        std::mem::take(&mut self.package)
    }
}

#[derive(Deserialize)]
struct Package {
    name: Spanned<String>,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
}

fn read(input: &Input<'_>) -> Result<List, Fault> {
    let needed = needed(input);
    input.toml::<Lock>(|lock, packages| read_lock(lock, packages, &needed))
}

fn read_lock(
    lock: Lock,
    mut packages: Packages<'_, Package>,
    needed: &BTreeSet<&str>,
) -> Result<List, Fault> {
    if let Some(version) = lock.version.filter(|version| *version.get_ref() > NEWEST) {
        let reason = format!(
            "version {} is not known here, only those up to {NEWEST}",
            version.get_ref()
        );
        return Err(Fault::at(packages.line_outside(version.span()), reason)
            .advise("write an SBOM of the project, and check that"));
    }
    let mut list = List::default();
    let by_path = |package: &Package| {
        package.source.is_none() && needed.contains(package.name.get_ref().as_str())
    };
    if let Some(root) = lock.root {
        let (line, by_path) = (packages.line_outside(root.name.span()), by_path(&root));
        read_package(root, by_path, line, &lock.metadata, &mut list)?;
    }
    while let Some((package, from)) = packages.next()? {
        let line = packages.line(from, package.name.span());
        let by_path = by_path(&package);
        read_package(package, by_path, line, &lock.metadata, &mut list)?;
    }
    Ok(list)
}

/// Names of packages that others need, and more: what stands in quotes in lists. They are not
/// deserialized, as there are many of them, and few are asked for.
fn needed<'a>(input: &Input<'a>) -> BTreeSet<&'a str> {
    let lines = input.lines().map(|(_, line)| line.trim_start());
    let lists = lines.filter(|line| line.starts_with('"') || line.starts_with("dependencies"));
    let quoted = lists.flat_map(|line| line.split('"').skip(1).step_by(2));
    quoted.filter_map(|need| need.split(' ').next()).collect()
}

fn read_package(
    package: Package,
    by_path: bool,
    line: u32,
    metadata: &BTreeMap<String, String>,
    list: &mut List,
) -> Result<(), Fault> {
    let name = package.name.into_inner();
    let mut parts = origin::package("cargo", &name, Some(&package.version));
    let mut component = Component {
        by_path,
        line: Some(line),
        version: Some(package.version),
        ..Component::default()
    };
    let source = package.source.as_deref();
    let version = component.version.as_deref().unwrap_or_default();
    let at_end = checksum_at_end(&name, version, source.unwrap_or_default(), metadata);
    if let Some(checksum) = package.checksum.as_ref().or(at_end) {
        let digest = digest::hex("sha256", checksum).map_err(|reason| {
            Fault::at(line, format!("the checksum of {} {reason}", quoted(&name)))
        })?;
        component.digests.extend(digest);
    }
    match source {
        None => {
            component.own = true;
            list.remark(
                "no source: members of the workspace, or dependencies by path",
                Some(line),
                &name,
            );
        }
        Some(source) if source.starts_with("git+") => {
            let repository = Repository::read(source);
            repository.qualify(&mut parts);
            component.digests.extend(repository.commit());
            list.remark(
                "from git, so that what is known of the registry's crate need not hold",
                Some(line),
                &name,
            );
        }
        Some(source) => match source.split_once('+') {
            Some(("registry" | "sparse", address)) if is_public_registry("cargo", address) => {}
            Some(("registry" | "sparse", address)) => {
                origin::qualify(&mut parts, "repository_url", address);
                list.remark("from a registry other than crates.io", Some(line), &name);
            }
            _ => {
                let (name, source) = (quoted(&name), quoted(source));
                let reason = format!("{name} has the unknown source {source}");
                return Err(Fault::at(line, reason));
            }
        },
    }
    component.name = name;
    list.package(component, parts)
}

/// The checksum that a file of version 1 has for a package, in its last table.
fn checksum_at_end<'m>(
    name: &str,
    version: &str,
    source: &str,
    metadata: &'m BTreeMap<String, String>,
) -> Option<&'m String> {
    let stated = metadata.get(&format!("checksum {name} {version} ({source})"));
    stated.filter(|checksum| *checksum != "<none>")
}

#[cfg(test)]
mod tests {
    use crate::components::Format::CargoLock;
    use crate::components::tests::{found, lines, notes, refusal};

    const SUM: &str = "4785bdd1c96b2a846b2bd7cc02e86b6b3dbf14e7e53446c4f54c92a361040822";
    const COMMIT: &str = "17620a225744b4a18845d4f7bf63354e01109b91";
    const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

    fn package(name: &str, source: &str) -> String {
        let source = if source.is_empty() {
            String::new()
        } else {
            format!("source = \"{source}\"\n")
        };
        format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0+x\"\n{source}\n")
    }

    #[test]
    fn each_source_has_its_purl() {
        let mut text = "version = 4\n\n".to_owned();
        text += &package("a", CRATES_IO).replace("\n\n", &format!("\nchecksum = \"{SUM}\"\n\n"));
        text += &package("own", "");
        text += &package(
            "forked",
            &format!("git+https://u:secret@host/r.git?branch=b#{COMMIT}"),
        );
        text += &package("private", "registry+https://crates.example/index");
        text += &package("sparse", "sparse+https://index.crates.io/");
        let found = found(CargoLock, &text);
        assert_eq!(
            lines(&found),
            [
                "pkg:cargo/a@1.0.0%2Bx sha256 :4".to_owned(),
                "pkg:cargo/own@1.0.0%2Bx own :10".to_owned(),
                format!(
                    "pkg:cargo/forked@1.0.0%2Bx?vcs_url=git%2Bhttps:%2F%2Fhost%2Fr.git%40{COMMIT} \
                     gitCommit :14"
                ),
                "pkg:cargo/private@1.0.0%2Bx?repository_url=https:%2F%2Fcrates.example%2Findex :19"
                    .to_owned(),
                "pkg:cargo/sparse@1.0.0%2Bx :24".to_owned(),
            ]
        );
        assert_eq!(found.list[0].digests[0].1, SUM);
        for (note, name) in [
            ("no source", "own"),
            ("from git", "forked"),
            ("registry other than", "private"),
        ] {
            assert!(
                notes(&found)
                    .lines()
                    .any(|line| line.contains(note) && line.ends_with(&format!(": {name}")))
            );
        }
    }

    #[test]
    fn what_others_need_by_its_path_may_be_a_copy() {
        for need in ["copied", "copied 1.0.0+x"] {
            for list in [
                format!("dependencies = [\"a\", \"{need}\"]"),
                format!("dependencies = [\n \"a\",\n \"{need}\",\n]"),
            ] {
                let text = package("top", "").replace("\n\n", &format!("\n{list}\n\n"))
                    + &package("copied", "")
                    + &package("a", CRATES_IO);
                let found = found(CargoLock, &text);
                let by_path: Vec<_> = found.list.iter().map(|one| one.by_path).collect();
                assert_eq!(by_path, [false, true, false], "{text}");
            }
        }
    }

    #[test]
    fn version_1_has_its_checksums_at_the_end() {
        let text = format!(
            "[root]\nname = \"own\"\nversion = \"0.1.0\"\n\n{}[metadata]\n\"checksum a 1.0.0+x \
             ({CRATES_IO})\" = \"{SUM}\"\n",
            package("a", CRATES_IO)
        );
        assert_eq!(
            lines(&found(CargoLock, &text)),
            [
                "pkg:cargo/own@0.1.0 own :2",
                "pkg:cargo/a@1.0.0%2Bx sha256 :6"
            ]
        );
        assert_eq!(
            lines(&found(CargoLock, &text.replace(SUM, "<none>")))[1],
            "pkg:cargo/a@1.0.0%2Bx :6"
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let a = package("a", CRATES_IO);
        for (text, said) in [
            (
                "version = 5\n".to_owned(),
                "x:1: version 5 is not known here",
            ),
            (
                a.replace("name = \"a\"\n", ""),
                "x:1: cannot be read: missing field `name`",
            ),
            (a.replace("1.0.0+x\"", "1.0.0+x"), "x:3: cannot be read"),
            (format!("{a}<<<<<<< HEAD\n"), "x:6: cannot be read"),
            (
                a.replace("\n\n", "\nchecksum = \"12\"\n"),
                "x:2: the checksum of \"a\" is no sha256 in hex",
            ),
            (
                package("a", "elsewhere"),
                "x:2: \"a\" has the unknown source \"elsewhere\"",
            ),
            (
                package("a", "svn+https://host"),
                "x:2: \"a\" has the unknown source",
            ),
        ] {
            let error = refusal(CargoLock, &text);
            assert!(error.starts_with(said), "{error}");
        }
    }
}
