//! The Python SDK (`sdk/python`): its own tests, and what it makes of shared vectors.

use assay_tests::{
    aics::{require_python, run},
    data,
};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Test modules that need nothing from outside of the repository.
const OWN: [&str; 5] = [
    "test_answers",
    "test_client",
    "test_readme",
    "test_receipts",
    "test_shared",
];

/// Folders of other projects' vectors that `test_vectors` reads. It fails without them.
const FOREIGN: [&str; 5] = [
    "cosignature",
    "ed25519",
    "signed-note",
    "tlog-policy",
    "tlog-proof",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/python/tests")
}

/// Runs modules of its tests with the Python of `programs`, which has `cryptography`.
fn run_tests(programs: &Path, modules: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new(programs.join("python"));
    command
        .args(["-W", "error", "-m", "unittest"])
        .args(modules)
        .current_dir(folder())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("ASSAY_TEST_DATA", data::root());
    run(&mut command).map(drop)
}

#[test]
fn its_own_tests_pass() -> anyhow::Result<()> {
    let Some(programs) = require_python("the Python SDK") else {
        return Ok(());
    };
    run_tests(programs, &OWN)
}

#[test]
fn it_agrees_with_the_vectors_of_other_projects() -> anyhow::Result<()> {
    let Some(programs) = require_python("the Python SDK") else {
        return Ok(());
    };
    if FOREIGN.iter().any(|kind| data::require(kind).is_none()) {
        return Ok(());
    }
    run_tests(programs, &["test_vectors"])
}
