//! torchwood as a maker and a verifier of C2SP tlog-proofs: a library, with a small program of ours
//! around it (`tests/interop/litewitness/proof`).

use crate::interop::{Foreign, build};
use anyhow::{anyhow, ensure};
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The program, built.
#[derive(Debug)]
pub struct Torchwood {
    program: PathBuf,
}

impl Torchwood {
    /// Builds it into a folder.
    pub fn build(folder: &Path) -> anyhow::Result<Self> {
        let program = Foreign {
            module: "litewitness",
            package: "assay/tests/interop/litewitness/proof",
        };
        let program = build(program, &folder.join("torchwood-proof"));
        Ok(Torchwood {
            program: program.map_err(|error| anyhow!("torchwood: {error}"))?,
        })
    }

    /// Makes a proof of an entry of the log at `url`, from its tiles, under its latest checkpoint.
    /// `extra` is the base64 of what the proof carries besides.
    pub fn make(&self, url: &str, index: u64, extra: Option<&str>) -> anyhow::Result<Vec<u8>> {
        let mut command = Command::new(&self.program);
        command.args(["make", url, &index.to_string()]).args(extra);
        let output = command.stdin(Stdio::null()).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "torchwood made no proof: {said}");
        Ok(output.stdout)
    }

    /// Verifies a proof of an entry under a C2SP tlog-policy.
    ///
    /// # Errors
    /// What torchwood said, if it refused.
    pub fn verify(&self, policy: &Path, proof: &Path, entry: &[u8]) -> anyhow::Result<()> {
        let mut command = Command::new(&self.program);
        command.arg("verify").arg(policy).arg(proof);
        let command = command.stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut verify = command.spawn()?;
        if let Some(mut stdin) = verify.stdin.take() {
            // Who refuses the files does not read the entry.
            let _ = stdin.write_all(entry);
        }
        let output = verify.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "torchwood refused: {said}");
        Ok(())
    }
}
