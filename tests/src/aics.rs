//! Programs of other projects that are written in Python: `aics-witness`, a witness; `aics-tlog`
//! and `tlog-scales`, which read a log.
//!
//! They are installed from the package index with the hashes that `tests/interop/python` pins, into
//! an environment of their own in the target folder, once.

use crate::ports::free_address;
use crate::process::{binaries, poll};
use crate::skip;
use anyhow::{Context, bail, ensure};
use assay_tlog::Hash;
use serde_json::json;
use std::{
    env,
    fs::{self, File},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

/// A folder with the programs, or why there is none.
type Installed = Result<PathBuf, String>;

/// The folder that the programs are in. None if no Python is new enough, or if what is pinned
/// cannot be had: a test of `what` cannot run then, which is said aloud.
///
/// # Panics
/// In CI (`CI` is set), when there is none.
pub fn require_python(what: &str) -> Option<&'static Path> {
    static INSTALLED: OnceLock<Installed> = OnceLock::new();
    let installed = INSTALLED.get_or_init(|| install().map_err(|error| format!("{error:#}")));
    skip::unless_found(what, installed).map(PathBuf::as_path)
}

fn install() -> anyhow::Result<PathBuf> {
    let pins = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/python/requirements.txt");
    let digest = Hash::of(&fs::read(&pins)?).to_string();
    let folder = binaries().join(format!("interop-python-{}", &digest[..16]));
    let (programs, done) = (folder.join("bin"), folder.join("installed"));
    if done.exists() {
        return Ok(programs);
    }
    let python = python().context("Python 3.12 or later is missing")?;
    let mut make = Command::new(python);
    run(make.args(["-m", "venv", "--clear"]).arg(&folder))?;
    let mut pip = Command::new(programs.join("pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check"])
        .args(["--require-hashes", "--only-binary", ":all:", "-r"])
        .arg(pins);
    run(&mut pip)?;
    fs::write(done, "")?;
    Ok(programs)
}

/// A Python that is new enough. Version managers keep several beside the one that they show.
fn python() -> Option<PathBuf> {
    let mut candidates: Vec<PathBuf> = ["python3", "python3.12", "python3.13", "python3.14"]
        .map(PathBuf::from)
        .into();
    let home = env::var_os("HOME").unwrap_or_default();
    let versions = env::var_os("PYENV_ROOT").map_or(Path::new(&home).join(".pyenv"), PathBuf::from);
    for version in fs::read_dir(versions.join("versions"))
        .into_iter()
        .flatten()
    {
        candidates.push(version.ok()?.path().join("bin/python3"));
    }
    let test = "import ensurepip, ssl, sys, venv; sys.exit(sys.version_info < (3, 12))";
    candidates.into_iter().find(|python| {
        let mut command = Command::new(python);
        let output = command.args(["-c", test]).output();
        output.is_ok_and(|output| output.status.success())
    })
}

/// Runs a program of ours in `tests/interop/python`, with these arguments, by the Python that has
/// the `programs`. Returns what it printed.
///
/// # Errors
/// What it wrote to standard error, if it failed.
pub fn run_script(programs: &Path, script: &str, arguments: &[&Path]) -> anyhow::Result<String> {
    let pins = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/python");
    let mut python = Command::new(programs.join("python"));
    run(python.arg(pins.join(script)).args(arguments))
}

/// Runs a program to its end, and returns what it wrote to standard output.
///
/// # Errors
/// What it wrote to standard error, if it failed.
pub fn run(command: &mut Command) -> anyhow::Result<String> {
    let output = command.stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} failed: {said}");
    Ok(String::from_utf8(output.stdout)?)
}

/// A witness that runs. It has an Ed25519 key, and can have no other.
#[derive(Debug)]
pub struct AicsWitness {
    /// The submission prefix, and the monitoring prefix.
    pub url: String,
    /// Its key.
    pub vkey: String,
    process: Child,
}

impl AicsWitness {
    /// Runs a witness of these logs (origin and key), with its state in `folder`.
    pub fn start(
        programs: &Path,
        folder: &Path,
        name: &str,
        logs: &[(String, String)],
    ) -> anyhow::Result<Self> {
        let program = programs.join("aics-witness");
        // Its database has a name that other witnesses use, too.
        let folder = folder.join("aics");
        fs::create_dir_all(&folder)?;
        let (config, stderr) = (folder.join("aics.json"), folder.join("aics.stderr"));
        let address = free_address()?;
        let mut init = Command::new(&program);
        init.args(["init", "--name", name, "--listen", &address.to_string()]);
        let vkey = run(init.arg("--config").arg(&config))?.trim().to_owned();
        // As `add-log` does, which takes half a second for each.
        let mut written: serde_json::Value = serde_json::from_slice(&fs::read(&config)?)?;
        written["logs"] = logs
            .iter()
            .map(|(origin, vkey)| json!({"origin": origin, "vkeys": [vkey]}))
            .collect();
        fs::write(&config, serde_json::to_string(&written)?)?;
        let mut serve = Command::new(&program);
        serve.args(["serve", "--config"]).arg(&config);
        let process = serve
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&stderr)?)
            .spawn()?;
        let mut witness = AicsWitness {
            url: format!("http://{address}"),
            vkey,
            process,
        };
        poll(|| {
            if witness.process.try_wait()?.is_some() {
                bail!("aics-witness ended: {}", fs::read_to_string(&stderr)?);
            }
            Ok(TcpStream::connect(address).ok())
        })?;
        Ok(witness)
    }
}

impl Drop for AicsWitness {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
