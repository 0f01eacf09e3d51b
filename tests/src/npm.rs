//! Judges of other projects that the package registry of JavaScript has: `csaf-validator-lib`,
//! which runs the mandatory tests of CSAF, axe, csp_evaluator, the Nu HTML checker, and
//! `@sigstore/verify`.
//!
//! They are installed from the package registry with the hashes that `tests/interop/node` pins,
//! into a folder of their own in the target folder, once.

use crate::aics::run;
use crate::process::binaries;
use crate::skip;
use assay_tlog::Hash;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// A folder with the packages, or why there is none.
type Installed = Result<PathBuf, String>;

fn pins() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/node")
}

/// The folder that the packages are in. None if there is no Node.js, or if what is pinned cannot be
/// had: a test of `what` cannot run then, which is said aloud.
///
/// # Panics
/// In CI (`CI` is set), when there is none.
pub fn require_npm(what: &str) -> Option<&'static Path> {
    static INSTALLED: OnceLock<Installed> = OnceLock::new();
    let installed = INSTALLED.get_or_init(|| install().map_err(|error| format!("{error:#}")));
    skip::unless_found(what, installed).map(PathBuf::as_path)
}

fn install() -> anyhow::Result<PathBuf> {
    let lock = fs::read(pins().join("package-lock.json"))?;
    let digest = Hash::of(&lock).to_hex();
    let folder = binaries().join(format!("interop-node-{}", &digest[..16]));
    let done = folder.join("installed");
    if done.exists() {
        return Ok(folder);
    }
    fs::create_dir_all(&folder)?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(pins().join(file), folder.join(file))?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    run(npm.current_dir(&folder))?;
    fs::write(done, "")?;
    Ok(folder)
}

/// Validates a CSAF document with the packages in a folder.
///
/// # Errors
/// What fails, a line for each.
pub fn validate_csaf(packages: &Path, document: &Path) -> anyhow::Result<()> {
    let output = Command::new("node")
        .arg(pins().join("csaf.mjs"))
        .arg(document)
        .current_dir(packages)
        .output()?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    anyhow::ensure!(output.status.success(), "{said}");
    Ok(())
}

/// What `@sigstore/verify`, with the packages in a folder, says of a file of bundles: a line that
/// ends with `verified`, or says why it is not. `artifact` is what was signed, where a bundle does
/// not hold it.
///
/// # Errors
/// Where the program cannot be run.
pub fn verify_sigstore(
    packages: &Path,
    root: &Path,
    keys: Option<&Path>,
    artifact: Option<&Path>,
    file: &Path,
) -> anyhow::Result<String> {
    let none = Path::new("-");
    let mut node = Command::new("node");
    node.arg(pins().join("sigstore.mjs"))
        .arg(root)
        .arg(keys.unwrap_or(none))
        .arg(artifact.unwrap_or(none))
        .arg(file);
    run(node.current_dir(packages))
}
