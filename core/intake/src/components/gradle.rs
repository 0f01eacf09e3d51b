//! `gradle.lockfile` and `buildscript-gradle.lockfile` (Gradle's documentation, "Locking
//! versions"): a line `GROUP:NAME:VERSION=CONFIGURATIONS` for each module.

use super::component::Component;
use super::fault::Fault;
use super::input::Input;
use super::list::List;
use super::origin::maven;
use super::reader::{Reader, Sign};
use assay_claims::kind::node::quoted;

pub(super) const READER: Reader = Reader {
    name: "gradle.lockfile",
    is_sbom: false,
    remedy: "nothing of the file is taken; restore it, or let Gradle write it (--write-locks)",
    files: &["gradle.lockfile"],
    // Before Gradle 7, a file for each configuration.
    path: Some(|path, name| {
        let folder = path.replace('\\', "/");
        name.ends_with(".lockfile") && folder.contains("gradle/dependency-locks/")
    }),
    sign: Sign::Text(|head| head.has("# This is a Gradle generated file for dependency locking")),
    read: |input, _| read(input),
};

fn read(input: &Input<'_>) -> Result<List, Fault> {
    let mut list = List::default();
    for (number, line) in input.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let malformed = || {
            let reason = format!(
                "{} is not `GROUP:NAME:VERSION=CONFIGURATIONS`",
                quoted(line)
            );
            Fault::at(number, reason)
        };
        // A file of one configuration does not name it in each line.
        let of_one = input.base_name().strip_suffix(".lockfile");
        let of_one = of_one.filter(|name| !name.ends_with("gradle"));
        let (module, configurations) = match (line.split_once('='), of_one) {
            (Some(both), _) => both,
            (None, Some(configuration)) => (line, configuration),
            (None, None) => return Err(malformed()),
        };
        // The configurations that have no module.
        if module == "empty" {
            continue;
        }
        let (coordinates, version) = module.rsplit_once(':').ok_or_else(malformed)?;
        let mut component = Component {
            name: coordinates.to_owned(),
            version: Some(version.to_owned()),
            line: Some(number),
            ..Component::default()
        };
        let mut configurations = configurations.split(',');
        component.dev = configurations.all(is_of_tests);
        let parts = maven(coordinates, version).ok_or_else(malformed)?;
        list.package(component, parts)?;
    }
    Ok(list)
}

/// Whether a configuration is one of those that Gradle's plugins have for tests.
fn is_of_tests(configuration: &str) -> bool {
    ["testCompile", "testRuntime"]
        .iter()
        .any(|start| configuration.starts_with(start))
}

#[cfg(test)]
mod tests {
    use crate::components::Format::GradleLock;
    use crate::components::tests::{found, lines, refusal};

    #[test]
    fn a_file_of_one_configuration_does_not_name_it_in_each_line() {
        let name = "gradle/dependency-locks/testCompileClasspath.lockfile";
        let text = b"# Manual edits can break the build\norg.e:a:1.0\n";
        assert_eq!(crate::components::by_name(name), Some(GradleLock));
        let found = crate::components::read_as(GradleLock, name, text, None).unwrap();
        assert_eq!(lines(&found), ["pkg:maven/org.e/a@1.0 dev :2"]);
        let other = crate::components::by_name("other/testCompileClasspath.lockfile");
        assert_eq!(other, None);
    }

    #[test]
    fn each_line_is_a_module() {
        let text = "# This is a Gradle generated file\n\
             org.a:b:1.0-jre=compileClasspath,testRuntime\n\
            org.a:c:2=testCompileClasspath,testRuntimeClasspath\nempty=annotationProcessor\n";
        assert_eq!(
            lines(&found(GradleLock, text)),
            ["pkg:maven/org.a/b@1.0-jre :2", "pkg:maven/org.a/c@2 dev :3"]
        );
        for (text, said) in [
            (
                "org.a:b:1\n",
                "x:1: \"org.a:b:1\" is not `GROUP:NAME:VERSION=",
            ),
            ("\norg.a:1=x\n", "x:2: "),
            ("a:b:c:d=x\n", "x:1: "),
            (":b:1=x\n", "x:1: "),
        ] {
            let error = refusal(GradleLock, text);
            assert!(error.starts_with(said), "{error}");
        }
    }
}
