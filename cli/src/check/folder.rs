//! What a folder holds that names components.

use crate::{exit::Failure, output};
use assay_intake::components;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

/// Most files and folders that are looked at.
const ENTRIES: usize = 200_000;

/// Most files that are read.
const FILES: usize = 1_000;

/// Folders in which the files of others lie, or what is built: a project's own lock file names what
/// is in them.
const OTHERS: [&str; 12] = [
    ".git",
    ".hg",
    ".svn",
    ".tox",
    ".venv",
    ".yarn",
    "__pycache__",
    "bower_components",
    "node_modules",
    "target",
    "vendor",
    "venv",
];

/// Files that say what a project asks for, and those that say what it got: where one of these lies
/// beside them or above, they say nothing more.
const ANSWERED: [(&str, &[&str]); 16] = [
    ("Cargo.toml", &["Cargo.lock"]),
    (
        "package.json",
        &[
            "package-lock.json",
            "npm-shrinkwrap.json",
            "yarn.lock",
            "pnpm-lock.yaml",
            "bun.lock",
            "deno.lock",
        ],
    ),
    ("pyproject.toml", PYTHON),
    ("setup.py", PYTHON),
    ("composer.json", &["composer.lock"]),
    ("Gemfile", GEMS),
    (".gemspec", GEMS),
    ("Pipfile", PYTHON),
    ("Podfile", &["Podfile.lock"]),
    ("pubspec.yaml", &["pubspec.lock"]),
    ("mix.exs", &["mix.lock"]),
    ("environment.yml", CONDA),
    ("environment.yaml", CONDA),
    ("Package.swift", &["Package.resolved"]),
    ("build.gradle", GRADLE),
    ("build.gradle.kts", GRADLE),
];

/// The same of tools that write the lock file of each project beside it.
const BESIDE: [(&str, &[&str]); 5] = [
    ("build.gradle", &["gradle.lockfile"]),
    ("build.gradle.kts", &["gradle.lockfile"]),
    (".csproj", NUGET),
    (".fsproj", NUGET),
    (".vbproj", NUGET),
];

/// The same of what several projects share, whose lock files are beside each of them: how many
/// folders above it these begin.
const SHARED: [(&str, usize, &[&str]); 2] = [
    ("libs.versions.toml", 2, &["gradle.lockfile"]),
    ("Directory.Packages.props", 1, NUGET),
];

const GEMS: &[&str] = &["Gemfile.lock", "gems.locked"];

const GRADLE: &[&str] = &["gradle/verification-metadata.xml"];

const NUGET: &[&str] = &[
    "packages.lock.json",
    "obj/project.assets.json",
    "packages.config",
];

const PYTHON: &[&str] = &[
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "pylock.toml",
    "Pipfile.lock",
    "requirements.txt",
];

const CONDA: &[&str] = &["conda-lock.yml", "pixi.lock"];

/// What names of SBOMs end with whose content says which they are.
const SBOMS: [&str; 5] = [
    "spdx.json",
    "bom.json",
    "cyclonedx.json",
    "cyclonedx.xml",
    "sbom.xml",
];

/// What to do about a link to a file that would be read.
const LINKED: &str = "it is a link, which is not followed; name it, if it leads out of the folder";

/// Files that their tool ignores where another one of it lies in the same folder, that one, and
/// what to say of it.
const IGNORED: [(&str, &str, &str); 1] = [(
    "package-lock.json",
    "npm-shrinkwrap.json",
    "npm-shrinkwrap.json is beside it, and npm reads that alone",
)];

/// What was found in a folder.
#[derive(Debug, Default)]
pub struct Found {
    /// The files to read, in the order of their names.
    pub files: Vec<PathBuf>,
    /// What was left out, and why; ready to be shown.
    pub left_out: Vec<String>,
}

/// Looks through a folder and those in it. Links are not followed.
///
/// Fails with [`Failure::Usage`] if there is too much in it, and with [`Failure::Io`] if a folder
/// cannot be read.
pub fn find(folder: &Path) -> Result<Found, Failure> {
    let (mut files, mut passed, mut asked) = (Vec::new(), BTreeSet::new(), Vec::new());
    let (mut folders, mut seen) = (vec![folder.to_owned()], 0);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|e| failed(&folder, e))? {
            let entry = entry.map_err(|e| failed(&folder, e))?;
            let kind = entry.file_type().map_err(|e| failed(&folder, e))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            seen += 1;
            if seen > ENTRIES {
                return Err(too_much(&folder, ENTRIES, "files and folders are in it"));
            }
            if kind.is_dir() && OTHERS.contains(&name.as_str()) {
                passed.insert(name);
            } else if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file()
                && let Some(advice) = components::instead(&name)
            {
                asked.push((entry.path(), advice));
            } else if kind.is_file() && is_listing(&entry.path(), &name) {
                files.push(entry.path());
            } else if kind.is_symlink() && is_listing(&entry.path(), &name) {
                asked.push((entry.path(), LINKED));
            }
        }
    }
    if files.len() > FILES {
        return Err(too_much(folder, FILES, "lock files and SBOMs are in it"));
    }
    files.sort();
    for (ignored, read, advice) in IGNORED {
        let all = files.clone();
        files.retain(|file| {
            let is_ignored =
                file.ends_with(ignored) && all.binary_search(&file.with_file_name(read)).is_ok();
            if is_ignored {
                asked.push((file.clone(), advice));
            }
            !is_ignored
        });
    }
    let left_out = left_out(folder, &files, asked, passed);
    Ok(Found { files, left_out })
}

/// Whether a file names components, by its path and its name.
fn is_listing(path: &Path, name: &str) -> bool {
    let is_sbom = SBOMS.iter().any(|end| name.ends_with(end));
    is_sbom || components::by_name(&path.to_string_lossy()).is_some()
}

/// The row of a table that a name is of. Names that begin with a dot are what others end with.
fn row<'t>(table: &'t [(&str, &'t [&str])], name: &str) -> Option<&'t [&'t str]> {
    let mut rows = table.iter();
    let row = rows.find(|(asks, _)| name == *asks || asks.starts_with('.') && name.ends_with(asks));
    row.map(|(_, answers)| *answers)
}

/// Whether a file only asks for what one of `files`, which are sorted, says was got.
fn is_answered(folder: &Path, files: &[PathBuf], path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_there = |at: &Path, answers: &[&str]| {
        let mut answers = answers.iter().map(|answer| at.join(answer));
        answers.any(|answer| files.binary_search(&answer).is_ok())
    };
    let mut folders = path
        .ancestors()
        .skip(1)
        .take_while(|above| above.starts_with(folder));
    if let Some(beside) = folders.clone().next()
        && let Some(answers) = row(&BESIDE, &name)
    {
        // Of several projects in a folder, NuGet names the lock file of each after it.
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let own = format!("packages.{}.lock.json", stem.replace(' ', "_"));
        let has_own = answers == NUGET && is_there(beside, &[&own]);
        if has_own || is_there(beside, answers) {
            return true;
        }
    }
    let mut shared = SHARED.iter().filter(|(asks, ..)| name == *asks);
    if let Some((_, above, answers)) = shared.next() {
        let begin = folders.nth(above - 1).unwrap_or(folder);
        let mut below = files.iter().filter(|file| file.starts_with(begin));
        return below.any(|file| answers.iter().any(|answer| file.ends_with(answer)));
    }
    row(&ANSWERED, &name).is_some_and(|answers| folders.any(|above| is_there(above, answers)))
}

/// What is said of what is not read.
fn left_out(
    folder: &Path,
    files: &[PathBuf],
    asked: Vec<(PathBuf, &str)>,
    passed: BTreeSet<String>,
) -> Vec<String> {
    let mut by_advice: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (path, advice) in asked {
        if !is_answered(folder, files, &path) {
            let below = path.strip_prefix(folder).unwrap_or(&path);
            let rows = by_advice.entry(advice).or_default();
            rows.push(output::plain(&below.display().to_string()));
        }
    }
    let mut said = Vec::new();
    for (advice, mut names) in by_advice {
        names.sort();
        said.push(format!("left out: {}: {advice}", shortened(&names)));
    }
    if !passed.is_empty() {
        let names: Vec<_> = passed.iter().map(|name| output::plain(name)).collect();
        said.push(format!("not looked into: {}", names.join(", ")));
    }
    said
}

/// The first names, and how many more there are.
fn shortened(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let more = names.len().saturating_sub(SHOWN);
    let first = names.get(..SHOWN).unwrap_or(names).join(", ");
    match more {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

fn failed(folder: &Path, e: io::Error) -> Failure {
    let shown = output::plain(&folder.display().to_string());
    Failure::io(format!("cannot look through {shown}"), e)
}

fn too_much(folder: &Path, most: usize, what: &str) -> Failure {
    let shown = output::plain(&folder.display().to_string());
    Failure::Usage(format!(
        "{shown} is a folder: more than {most} {what}; name a smaller one, or files"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        folder
    }

    #[test]
    fn lock_files_are_found_and_what_is_left_out_is_said() {
        let folder = made(&[
            "Cargo.lock",
            "Cargo.toml",
            "member/Cargo.toml",
            "web/package.json",
            "web/package-lock.json",
            "web/node_modules/a/package-lock.json",
            "other/package.json",
            "app.cdx.json",
            "app.cyclonedx.json",
            "gemfiles/x.gemfile.lock",
            "gradle/dependency-locks/runtimeClasspath.lockfile",
            "paket.lock",
            "sbom.spdx.json",
            "README.md",
            "requirements-dev.txt",
            ".git/Cargo.lock",
        ]);
        let found = find(folder.path()).unwrap();
        let names: Vec<_> = found
            .files
            .iter()
            .map(|file| file.strip_prefix(folder.path()).unwrap().to_str().unwrap())
            .collect();
        assert_eq!(
            names,
            [
                "Cargo.lock",
                "app.cdx.json",
                "app.cyclonedx.json",
                "gemfiles/x.gemfile.lock",
                "gradle/dependency-locks/runtimeClasspath.lockfile",
                "requirements-dev.txt",
                "sbom.spdx.json",
                "web/package-lock.json"
            ]
        );
        assert_eq!(
            found.left_out,
            [
                "left out: other/package.json: it says what the project asks for, not what it got; \
                 check its lock file",
                "left out: paket.lock: write an SBOM of the project (CycloneDX or SPDX in JSON), \
                 and check that",
                "not looked into: .git, node_modules",
            ]
        );
    }

    #[test]
    fn a_project_without_a_lock_file_is_told() {
        let folder = made(&[
            "gradle.lockfile",
            "gradle/libs.versions.toml",
            "app/build.gradle.kts",
            "app/gradle.lockfile",
            "lib/build.gradle",
            "net/Directory.Packages.props",
            "net/packages.lock.json",
            "net/packages.conan.lock.json",
            "net/conan.lock",
            "net/a/A.csproj",
            "net/a/packages.A.lock.json",
            "net/b/B.csproj",
            "net/b/packages.lock.json",
            "net/c/C.fsproj",
            "rb/Gemfile.lock",
            "rb/x.gemspec",
            "env/conda-linux-64.lock",
        ]);
        let found = find(folder.path()).unwrap();
        let said: Vec<_> = found.left_out.iter().map(String::as_str).collect();
        for (line, begins) in said.iter().zip([
            "left out: env/conda-linux-64.lock: ",
            "left out: lib/build.gradle: ",
            "left out: net/c/C.fsproj: ",
            "left out: net/conan.lock: ",
        ]) {
            assert!(line.starts_with(begins), "{said:?}");
        }
        assert_eq!((said.len(), found.files.len()), (4, 7), "{said:?}");
    }

    #[test]
    fn what_its_tool_ignores_is_left_out_and_told() {
        let folder = made(&[
            "a/package-lock.json",
            "b/npm-shrinkwrap.json",
            "b/package-lock.json",
            "b/x.package-lock.json",
        ]);
        let found = find(folder.path()).unwrap();
        let below = found
            .files
            .iter()
            .map(|file| file.strip_prefix(folder.path()));
        let names: Vec<_> = below.map(|file| file.unwrap().to_str().unwrap()).collect();
        assert_eq!(
            names,
            [
                "a/package-lock.json",
                "b/npm-shrinkwrap.json",
                "b/x.package-lock.json"
            ]
        );
        assert_eq!(
            found.left_out,
            [
                "left out: b/package-lock.json: npm-shrinkwrap.json is beside it, and npm reads \
                 that alone"
            ]
        );
    }

    #[test]
    fn links_are_not_followed_and_many_names_are_counted() {
        let folder = made(&["a/Dockerfile", "b/Dockerfile"]);
        std::os::unix::fs::symlink(folder.path(), folder.path().join("a/again")).unwrap();
        std::os::unix::fs::symlink("x", folder.path().join("Cargo.lock")).unwrap();
        let found = find(folder.path()).unwrap();
        assert!(found.files.is_empty());
        assert!(
            found.left_out[1].starts_with("left out: a/Dockerfile, b/Dockerfile: "),
            "{:?}",
            found.left_out
        );
        assert!(
            found.left_out[0].starts_with("left out: Cargo.lock: it is a link"),
            "{:?}",
            found.left_out
        );
        let names: Vec<_> = (0..8).map(|n| n.to_string()).collect();
        assert_eq!(shortened(&names), "0, 1, 2, 3, 4 and 3 more");
    }
}
