//! The files that are checked, held in memory.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The files of a source tree by their paths below its root, with `/` between folders.
///
/// The text of a file that is not UTF-8 is empty.
pub struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// Reads the workspace that this crate belongs to: what git tracks or would track, or
    /// everything but build output where there is no git.
    pub fn of_workspace() -> Self {
        let root = workspace();
        let mut files = BTreeMap::new();
        for path in tracked(&root).unwrap_or_else(|| walk(&root, "")) {
            // A file that was just removed is still in git's index.
            if let Ok(bytes) = fs::read(root.join(&path)) {
                files.insert(path, String::from_utf8(bytes).unwrap_or_default());
            }
        }
        assert!(
            files.contains_key("Cargo.toml"),
            "{} is no workspace",
            root.display()
        );
        Self { files }
    }

    /// A tree of the given paths and texts.
    pub fn of(files: &[(&str, &str)]) -> Self {
        let mut own = BTreeMap::new();
        for (path, text) in files {
            own.insert((*path).to_owned(), (*text).to_owned());
        }
        Self { files: own }
    }

    /// Gives a file a text, in place of the one that it had.
    #[cfg(test)]
    pub fn put(&mut self, path: &str, text: &str) {
        self.files.insert(path.to_owned(), text.to_owned());
    }

    /// Every path with its text, sorted by path.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Every Rust source, sorted by path.
    pub fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(|(path, _)| path.ends_with(".rs"))
    }

    /// The text of a file, or `None` if there is no such file.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Whether there is a file or a folder of that path.
    pub fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        self.files.contains_key(path) || self.has_below(&format!("{path}/"))
    }

    fn has_below(&self, folder: &str) -> bool {
        let first = self.files.range(folder.to_owned()..).next();
        first.is_some_and(|(path, _)| path.starts_with(folder))
    }

    /// The first of these paths that exists, for what is about to move.
    pub fn first<'a>(&self, paths: &[&'a str]) -> Option<&'a str> {
        paths.iter().copied().find(|path| self.has(path))
    }
}

/// The folder of the workspace.
pub fn workspace() -> PathBuf {
    let house = Path::new(env!("CARGO_MANIFEST_DIR"));
    house
        .ancestors()
        .nth(2)
        .expect("tests/house lies in the workspace")
        .to_owned()
}

fn tracked(root: &Path) -> Option<Vec<String>> {
    let listing = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root)
        .output()
        .ok()?;
    let text = String::from_utf8(listing.stdout).ok()?;
    let paths: Vec<_> = text.split_terminator('\0').map(str::to_owned).collect();
    (listing.status.success() && !paths.is_empty()).then_some(paths)
}

/// Paths of all files below `folder`, a path below `root` that is empty or ends with `/`.
fn walk(root: &Path, folder: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for item in fs::read_dir(root.join(folder)).expect("a folder of the workspace can be listed") {
        let item = item.expect("a folder of the workspace can be listed");
        let Ok(name) = item.file_name().into_string() else {
            continue;
        };
        let path = format!("{folder}{name}");
        let is_folder = item.path().is_dir();
        if is_folder && !["target", ".git", ".demo"].contains(&name.as_str()) {
            paths.extend(walk(root, &format!("{path}/")));
        } else if !is_folder {
            paths.push(path);
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_exists_if_a_file_is_in_it() {
        let tree = Tree::of(&[("core/src/lib.rs", ""), ("core/src-old", "")]);
        for path in [
            "core",
            "core/",
            "core/src",
            "core/src/lib.rs",
            "core/src-old",
        ] {
            assert!(tree.has(path), "{path}");
        }
        for path in ["cor", "core/sr", "core/src/lib", "core/src-old/x"] {
            assert!(!tree.has(path), "{path}");
        }
    }

    #[test]
    fn without_git_the_folders_are_walked() {
        let root = workspace();
        let walked = walk(&root, "");
        assert!(walked.contains(&"tests/house/src/tree.rs".to_owned()));
        assert!(walked.iter().all(|path| !path.starts_with("target/")));
    }
}
