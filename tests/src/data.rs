//! Where tests find real documents and other implementations' vectors.
//!
//! They are read from the folder that `ASSAY_TEST_DATA` names, or else from `../shared/data` beside
//! the workspace, or else from where `scripts/vectors` brings what is public; the project keeps no
//! copy. One folder a kind, with a SOURCES.md that is not data. Any folder of the same layout
//! works, so tests derive what they expect from the files, never from names or counts of one
//! collection.

use crate::skip;
use std::path::{Path, PathBuf};

/// Folders with documents that `assay publish` takes, and the kind that it takes them as.
pub const DOCUMENTS: &[(&str, &str)] = &[
    ("sarif", "scan"),
    ("osv-scanner-results", "scan"),
    ("sbom-cyclonedx", "sbom"),
    ("sbom-spdx", "sbom"),
    ("openvex", "vex"),
    ("lifecycle", "lifecycle"),
    ("slsa-provenance", "provenance"),
    ("scorecard", "scorecard"),
    ("cargo-vet", "audit"),
    ("security-insights", "practice"),
    ("in-toto", "statement"),
];

/// What `scripts/vectors` brings: one file a line, the path in the second column.
const MANIFEST: &str = include_str!("../vectors/sources.tsv");

/// The folder of all test data, whether or not it exists.
pub fn root() -> PathBuf {
    if let Some(named) = std::env::var_os("ASSAY_TEST_DATA") {
        return named.into();
    }
    let shared = workspace().join("../shared/data");
    if shared.is_dir() {
        shared
    } else {
        fetched().unwrap_or(shared)
    }
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folder that `scripts/vectors` has filled, if it has: below the folder of
/// `scripts/cache-dir`.
fn fetched() -> Option<PathBuf> {
    let places = [
        ("ASSAY_CACHE", "vectors"),
        ("XDG_CACHE_HOME", "assay/vectors"),
        ("HOME", ".cache/assay/vectors"),
    ];
    let cached = places
        .into_iter()
        .find_map(|(name, below)| Some(Path::new(&std::env::var_os(name)?).join(below)));
    let of_clone = workspace().join("target/cache/vectors");
    cached
        .into_iter()
        .chain([of_clone])
        .find(|folder| folder.is_dir())
}

/// Whether `scripts/vectors` brings files of this kind. What was derived from other projects' files
/// has no public source.
fn is_public(kind: &str) -> bool {
    let folder = format!("{kind}/");
    MANIFEST
        .lines()
        .filter_map(|line| line.split('\t').nth(1))
        .any(|path| path.starts_with(&folder))
}

/// Returns the folder of one kind of data, or `None`, saying that the test is skipped, if it is
/// missing.
///
/// Panics instead if `CI` is set: there, a test that silently checks nothing would be a lie. What
/// is not public may be missing in CI, too, where all data is what `scripts/vectors` brought.
pub fn require(kind: &str) -> Option<PathBuf> {
    let root = root();
    let folder = root.join(kind);
    if folder.is_dir() {
        return Some(folder);
    }
    let missing = if is_public(kind) {
        format!(
            "no test data in {}; scripts/vectors brings it",
            folder.display()
        )
    } else {
        format!(
            "{kind} is test data without a public source; set ASSAY_TEST_DATA to a folder that has \
             it"
        )
    };
    let may_be_missing = !is_public(kind) && fetched().is_some_and(|fetched| fetched == root);
    assert!(
        std::env::var_os("CI").is_none() || may_be_missing,
        "{missing}"
    );
    skip::say(&missing);
    None
}

/// Returns all files below `folder`, at any depth, sorted by path, without any SOURCES.md. Panics
/// if there is none, or if the folder cannot be read.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries =
            std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        for entry in entries {
            let path = entry
                .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
                .path();
            match path.file_name() {
                Some(name) if name == "SOURCES.md" => {}
                _ if path.is_dir() => folders.push(path),
                _ => files.push(path),
            }
        }
    }
    assert!(!files.is_empty(), "no files in {}", folder.display());
    files.sort();
    files
}

/// Returns the bytes of a file; panics, naming it, if it cannot be read.
pub fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Returns the text of a file; panics, naming it, if it cannot be read or is not UTF-8.
pub fn read_text(path: &Path) -> String {
    String::from_utf8(read(path)).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Returns what a JSON file says; panics, naming the file, if it is not of that form.
pub fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    serde_json::from_slice(&read(path)).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
