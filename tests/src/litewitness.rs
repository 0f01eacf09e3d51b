//! torchwood's `litewitness` as a process: a witness that is not ours, with an `ssh-agent` that
//! holds its key.

use crate::interop::{Foreign, build};
use crate::ports::free_address;
use crate::process::poll;
use crate::ssh_agent::{SshAgent, new_key};
use anyhow::{Context, anyhow, ensure};
use std::{
    fs::{self, File},
    io::Write,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// The programs, built.
#[derive(Debug)]
pub struct Programs {
    litewitness: PathBuf,
    onboard: PathBuf,
}

impl Programs {
    /// Builds both into a folder: the witness, and what tells it of logs.
    pub fn build(folder: &Path) -> anyhow::Result<Self> {
        let build = |name: &str, package| {
            let program = Foreign {
                module: "litewitness",
                package,
            };
            build(program, &folder.join(name)).map_err(|error| anyhow!("{name}: {error}"))
        };
        Ok(Programs {
            litewitness: build("litewitness", "filippo.io/torchwood/cmd/litewitness")?,
            onboard: build("onboard", "assay/tests/interop/litewitness/onboard")?,
        })
    }
}

/// A process that is killed when it is dropped.
#[derive(Debug)]
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A witness that runs. It has an Ed25519 key, and can have no other.
#[derive(Debug)]
pub struct LiteWitness {
    /// The submission prefix.
    pub url: String,
    /// Its key.
    pub vkey: String,
    stderr: PathBuf,
    witness: Killed,
    _agent: SshAgent,
}

impl LiteWitness {
    /// Runs a witness of these logs (origin and key), with its state in `folder`.
    pub fn start(
        programs: &Programs,
        folder: &Path,
        name: &str,
        logs: &[(String, String)],
    ) -> anyhow::Result<Self> {
        let (agent, socket, fingerprint) = agent(folder)?;
        let (stderr, database) = (folder.join("lite.stderr"), folder.join("lite.db"));
        // It does not say which port it took, if it may choose.
        let address = free_address()?;
        let mut run = Command::new(&programs.litewitness);
        run.args(["-name", name, "-key", &fingerprint, "-ssh-agent"])
            .arg(&socket);
        run.args(["-listen", &address.to_string(), "-db"])
            .arg(&database);
        run.stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&stderr)?);
        let mut witness = LiteWitness {
            url: format!("http://{address}"),
            vkey: String::new(),
            stderr,
            witness: Killed(run.spawn()?),
            _agent: agent,
        };
        poll(|| {
            let ended = witness.witness.0.try_wait()?;
            ensure!(ended.is_none(), "{}", witness.stderr()?);
            Ok(TcpStream::connect(address).ok())
        })?;
        let said = witness.stderr()?;
        let vkey = said.split_once("vkey=").context("it has no key")?.1;
        // A text that holds an = is quoted.
        let vkey = vkey.trim_start_matches('"').split(['"', '\n']).next();
        witness.vkey = vkey.unwrap_or_default().to_owned();
        onboard(programs, &database, logs)?;
        Ok(witness)
    }

    /// What it wrote.
    pub fn stderr(&self) -> anyhow::Result<String> {
        fs::read_to_string(&self.stderr).context("it wrote nothing")
    }
}

/// An agent with a new key: its process, its socket, and the key's fingerprint.
fn agent(folder: &Path) -> anyhow::Result<(SshAgent, PathBuf, String)> {
    let (key, socket) = (folder.join("lite.key"), folder.join("lite.agent"));
    new_key(&key)?;
    let agent = SshAgent::start(&socket)?;
    agent.add(&key)?;
    let output = Command::new("ssh-keygen").arg("-lf").arg(&key).output()?;
    let shown = String::from_utf8(output.stdout)?;
    let fingerprint = shown.split(' ').nth(1).context("no fingerprint")?;
    Ok((agent, socket, fingerprint.to_owned()))
}

fn onboard(programs: &Programs, database: &Path, logs: &[(String, String)]) -> anyhow::Result<()> {
    let mut onboard = Command::new(&programs.onboard)
        .arg(database)
        .stdin(Stdio::piped())
        .spawn()?;
    let mut stdin = onboard.stdin.take().context("no standard input")?;
    for (origin, vkey) in logs {
        writeln!(stdin, "{origin} {vkey}")?;
    }
    drop(stdin);
    ensure!(onboard.wait()?.success(), "a log was not onboarded");
    Ok(())
}
