//! Other projects' checkers, run against a log that is served over HTTP.
//!
//! Out of scope: filling a log, and what its entries mean. `fsck` is transparency-dev/tessera's
//! `cmd/fsck`, unchanged, at the version that `tests/interop/go.mod` pins: it re-derives every tile
//! and the root from the entry bundles and compares them with what is served.

use crate::skip;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// What `fsck` logs once everything has been compared. Its exit status says nothing: it is 0 for a
/// broken log too.
const SUCCESS: &str = "Successfully fsck'd log with size ";

/// Runs `fsck` against the log at `url` (its checkpoint is at `<url>/checkpoint`), signed by
/// `vkey`, a C2SP signed-note verifier key whose name is the log's origin. Returns the line that
/// states the size and root that were checked.
///
/// # Errors
/// Everything that `fsck` printed, when it found a fault; also when it could not be built or run.
pub fn fsck(url: &str, vkey: &str) -> Result<String, String> {
    let key =
        tempfile::NamedTempFile::new().map_err(|error| format!("temporary key file: {error}"))?;
    fs::write(key.path(), vkey.trim()).map_err(|error| format!("temporary key file: {error}"))?;
    let output = go(&["tool", "fsck", "--ui=false", "--N=4", "--logtostderr"])
        .arg(format!("--storage_url={url}"))
        .arg(format!("--public_key={}", key.path().display()))
        .output()
        .map_err(|error| format!("cannot run go: {error}"))?;
    judge(&output)
}

/// Runs Tessera's `mirror/posix`, unchanged, at the same version: it copies what is published at
/// `url` into `folder`, as C2SP tlog-tiles lays it out, or what that does not have yet.
///
/// # Errors
/// What it printed, when it failed; also when it could not be built or run.
pub fn mirror_posix(url: &str, folder: &Path) -> Result<(), String> {
    // There is another command with that name in the other module.
    let package = "github.com/transparency-dev/tessera/cmd/experimental/mirror/posix";
    let output = go(&["run", package, "--logtostderr"])
        .arg(format!("--source_url={url}/"))
        .arg(format!("--storage_dir={}", folder.display()))
        .output()
        .map_err(|error| format!("cannot run go: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("{}\n{said}", output.status))
    }
}

/// Size of the log that a line returned by [`fsck`] states, in entries.
pub fn checked_size(success: &str) -> Option<u64> {
    success
        .split_once(SUCCESS)?
        .1
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

/// A program of another project, by the module of `tests/interop` that pins it and its package.
#[derive(Debug, Clone, Copy)]
pub struct Foreign {
    /// The folder in `tests/interop`.
    pub module: &'static str,
    /// The package's import path.
    pub package: &'static str,
}

/// Builds a foreign program at the version that is pinned, as the file `to`.
///
/// # Errors
/// Go is missing or too old, a module cannot be had, or it does not compile.
pub fn build(program: Foreign, to: &Path) -> Result<PathBuf, String> {
    let Foreign { module, package } = program;
    let output = go(&["build", "-o"])
        .arg(to)
        .arg(package)
        .current_dir(interop().join(module))
        .env("GOTOOLCHAIN", toolchain(module))
        .env("GOEXPERIMENT", experiment(module))
        .output()
        .map_err(|error| format!("cannot run go: {error}"))?;
    if output.status.success() {
        Ok(to.to_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

fn judge(output: &Output) -> Result<String, String> {
    let log = String::from_utf8_lossy(&output.stderr);
    let success = log.lines().find(|line| line.contains(SUCCESS));
    match success {
        Some(line) if output.status.success() && !log.contains("fsck failed") => {
            Ok(line.to_owned())
        }
        _ => Err(format!("{}\n{log}", output.status)),
    }
}

/// True if Go is at hand and new enough for `tests/interop/go.mod`. Without it a test of `what`
/// cannot run: that is a failure in CI (`CI` is set) and said aloud anywhere else.
///
/// # Panics
/// In CI, when Go is missing or too old.
pub fn require_go(what: &str) -> bool {
    match go_version() {
        Ok(_) => true,
        Err(reason) => {
            skip::skip(&format!("{what} needs Go: {reason}"));
            false
        }
    }
}

fn go_version() -> Result<String, String> {
    let output = go(&["list", "-m"])
        .output()
        .map_err(|error| format!("cannot run go: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

fn interop() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop")
}

/// The Go toolchain for a module: the one at hand. torchwood and the scanners need a newer one than
/// most have, and there Go brings the one that go.mod pins, as it brings modules.
fn toolchain(module: &str) -> &'static str {
    match module {
        "litewitness" | "osv-scanner" | "grype" | "trivy" => "auto",
        _ => "local",
    }
}

/// What of Go is no promise yet, and a module needs all the same: Trivy imports `encoding/json/v2`.
fn experiment(module: &str) -> &'static str {
    match module {
        "trivy" => "jsonv2",
        _ => "",
    }
}

/// `go` in `tests/interop`, with the pinned versions or none: no other toolchain is fetched,
/// nothing is upgraded.
fn go(arguments: &[&str]) -> Command {
    let mut command = Command::new("go");
    command.args(arguments).current_dir(interop()).envs([
        ("GOTOOLCHAIN", "local"),
        ("GOFLAGS", "-mod=readonly"),
        ("GOWORK", "off"),
        ("CGO_ENABLED", "0"),
    ]);
    command
}
