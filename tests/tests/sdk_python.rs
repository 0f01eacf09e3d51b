//! The Python SDK (`sdk/python`): its own tests, and what it makes of shared vectors.

use anyhow::{bail, ensure};
use assay_tests::{
    aics::{require_python, run},
    data,
};
use std::{
    fs,
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

/// What `pip` and whoever imports both packages find: they need no other versions of anything, and
/// this one is the wheel's.
const BESIDE: &str = "
import pathlib, sys, sigstore.models, sigstore.sign, sigstore.verify, assay_log
assert pathlib.Path(assay_log.__file__).is_relative_to(sys.argv[1]), assay_log.__file__
";

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

#[test]
fn its_types_are_strict() -> anyhow::Result<()> {
    let Some(programs) = require_python("the types of the Python SDK") else {
        return Ok(());
    };
    let cache = tempfile::tempdir()?;
    let mut command = Command::new(programs.join("python"));
    command
        .args(["-m", "mypy", "--strict", "--cache-dir"])
        .arg(cache.path())
        .current_dir(folder().join(".."));
    run(&mut command).map(drop)
}

#[test]
fn its_wheel_lives_beside_sigstore() -> anyhow::Result<()> {
    let Some(programs) = require_python("the wheel of the Python SDK") else {
        return Ok(());
    };
    let made = tempfile::tempdir()?;
    let (wheels, site) = (made.path().join("wheels"), made.path().join("site"));
    let mut build = pip(programs);
    build
        .args(["wheel", "--no-build-isolation", "--wheel-dir"])
        .arg(&wheels)
        .arg(folder().join(".."));
    run(&mut build)?;
    let wheel = only(&wheels)?;
    let is_pure = wheel.to_string_lossy().ends_with("-py3-none-any.whl");
    ensure!(is_pure, "{} is not pure Python", wheel.display());
    let mut install = pip(programs);
    run(install.args(["install", "--target"]).arg(&site).arg(wheel))?;
    let mut check = Command::new(programs.join("python"));
    check.args(["-m", "pip", "check"]).env("PYTHONPATH", &site);
    run(&mut check)?;
    let mut beside = Command::new(programs.join("python"));
    beside.args(["-c", BESIDE]).arg(&site);
    run(beside.env("PYTHONPATH", &site)).map(drop)
}

/// `pip` that asks no index, and adds no other package than the one that is named.
fn pip(programs: &Path) -> Command {
    let mut pip = Command::new(programs.join("python"));
    pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check"])
        .env("PIP_NO_INDEX", "1")
        .env("PIP_NO_DEPS", "1");
    pip
}

/// The one file in a folder.
fn only(folder: &Path) -> anyhow::Result<PathBuf> {
    let files: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    match files.as_slice() {
        [file] => Ok(file.path()),
        _ => bail!("there are {} files in {}", files.len(), folder.display()),
    }
}
