//! Where tests find real documents and other implementations' vectors.
//!
//! They are read from the folder that `ASSAY_TEST_DATA` names, or else from `../shared/data` beside
//! the workspace; the project keeps no copy. One folder a kind, with a SOURCES.md that is not data.
//! Any folder of the same layout works, so tests derive what they expect from the files, never from
//! names or counts of one collection.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

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

/// The folder of all test data, whether or not it exists.
pub fn root() -> PathBuf {
    std::env::var_os("ASSAY_TEST_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    )
}

/// Returns the folder of one kind of data, or `None`, saying that the test is skipped, if it is
/// missing.
///
/// Panics instead if `CI` is set: there, a test that silently checks nothing would be a lie.
pub fn require(kind: &str) -> Option<PathBuf> {
    let folder = root().join(kind);
    if folder.is_dir() {
        return Some(folder);
    }
    let missing = format!(
        "no test data in {}; set ASSAY_TEST_DATA to the folder that has {kind}",
        folder.display()
    );
    assert!(std::env::var_os("CI").is_none(), "{missing}");
    // Not eprintln!, which the test harness swallows when a test passes; scripts/test counts these
    // lines.
    let _ = writeln!(io::stderr(), "skipped: {missing}");
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
