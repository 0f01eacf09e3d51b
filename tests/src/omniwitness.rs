//! transparency-dev/witness's `omniwitness` as a process: a witness that is not ours.

use crate::interop::{Foreign, build};
use anyhow::{Context, anyhow, ensure};
use std::{
    fs::{self, File},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// The programs, built.
#[derive(Debug)]
pub struct Programs {
    omniwitness: PathBuf,
    generate_keys: PathBuf,
}

impl Programs {
    /// Builds both into a folder.
    pub fn build(folder: &Path) -> anyhow::Result<Self> {
        let build = |name: &str, package| {
            let program = Foreign {
                module: "witness",
                package,
            };
            build(program, &folder.join(name)).map_err(|error| anyhow!("{name}: {error}"))
        };
        Ok(Programs {
            omniwitness: build(
                "omniwitness",
                "github.com/transparency-dev/witness/cmd/omniwitness",
            )?,
            generate_keys: build(
                "generate_keys",
                "github.com/transparency-dev/witness/cmd/generate_keys",
            )?,
        })
    }
}

/// A witness that runs. It has a key of each algorithm.
#[derive(Debug)]
pub struct OmniWitness {
    /// The submission prefix.
    pub url: String,
    /// Its keys: Ed25519, then ML-DSA-44.
    pub vkeys: Vec<String>,
    stderr: PathBuf,
    process: Child,
}

impl OmniWitness {
    /// Runs a witness of these logs (origin and key), with its state in `folder`.
    pub fn start(
        programs: &Programs,
        folder: &Path,
        name: &str,
        logs: &[(String, String)],
    ) -> anyhow::Result<Self> {
        let mut vkeys = Vec::new();
        for algorithm in ["ed25519", "mldsa"] {
            let mut generate = Command::new(&programs.generate_keys);
            if algorithm == "mldsa" {
                generate.arg("-mldsa");
            }
            let public = folder.join(algorithm).with_extension("pub");
            generate.args(["-origin", name, "-out_pub"]).arg(&public);
            generate.arg("-out_priv").arg(folder.join(algorithm));
            ensure!(generate.status()?.success(), "generate_keys failed");
            vkeys.push(fs::read_to_string(public)?.trim().to_owned());
        }
        // It would fetch checkpoints from the URL, if it knew how to; it takes what it is sent.
        let mut text = "Logs:\n".to_owned();
        for (origin, vkey) in logs {
            text += &format!("  - Origin: {origin}\n    PublicKey: {vkey}\n");
            text += "    URL: http://127.0.0.1:9/\n";
        }
        let logs = folder.join("logs.yaml");
        fs::write(&logs, text)?;
        // It does not say which port it took, if it may choose.
        let address = crate::ports::free_address()?;
        let stderr = folder.join("stderr");
        let mut run = Command::new(&programs.omniwitness);
        for key in ["ed25519", "mldsa"] {
            run.arg("--private_key_path").arg(folder.join(key));
        }
        run.arg("--db_file").arg(folder.join("witness.db"));
        run.arg("--additional_logs").arg(logs);
        run.args(["--metrics_listen", "", "--listen"])
            .arg(address.to_string());
        let process = run
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&stderr)?)
            .spawn()?;
        let mut witness = OmniWitness {
            url: format!("http://{address}"),
            vkeys,
            stderr,
            process,
        };
        crate::process::poll(|| {
            let ended = witness.process.try_wait()?;
            ensure!(ended.is_none(), "{}", witness.stderr()?);
            Ok(TcpStream::connect(address).ok())
        })?;
        Ok(witness)
    }

    /// What it wrote.
    pub fn stderr(&self) -> anyhow::Result<String> {
        fs::read_to_string(&self.stderr).context("it wrote nothing")
    }
}

impl Drop for OmniWitness {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
