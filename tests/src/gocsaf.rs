//! gocsaf's `csaf_validator`, which scanners read CSAF with, too: a judge of the documents that we
//! write. `tests/interop/gocsaf` pins it.

use crate::interop::{Foreign, build};
use anyhow::{Context, anyhow, ensure};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The validator, built.
#[derive(Debug)]
pub struct CsafValidator {
    program: PathBuf,
}

impl CsafValidator {
    /// Builds it into a folder.
    ///
    /// # Errors
    /// Go is missing, a module cannot be had, or it does not compile.
    pub fn build(folder: &Path) -> anyhow::Result<Self> {
        let program = Foreign {
            module: "gocsaf",
            package: "github.com/gocsaf/csaf/v3/cmd/csaf_validator",
        };
        let program = build(program, &folder.join("csaf_validator"));
        Ok(CsafValidator {
            program: program.map_err(|error| anyhow!("csaf_validator: {error}"))?,
        })
    }

    /// Validates a document of CSAF 2.0, which it wants in a file that is named after it.
    ///
    /// # Errors
    /// What it says of a document that is not valid.
    pub fn validate(&self, document: &str) -> anyhow::Result<()> {
        let read: Value = serde_json::from_str(document)?;
        let id = read["document"]["tracking"]["id"].as_str();
        let folder = tempfile::tempdir()?;
        let file = folder.path().join(id.context("no id")?);
        let file = file.with_extension("json");
        fs::write(&file, document)?;
        let output = Command::new(&self.program).arg(&file).output()?;
        let (told, warned) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        // Its exit code says too that no service was asked for the tests beyond the schema.
        let warned_of_more = warned
            .lines()
            .any(|line| !line.contains("no remote validator"));
        ensure!(
            told.ends_with("passes the schema validation.\n") && told.lines().count() == 1,
            "{told}{warned}"
        );
        ensure!(!warned_of_more, "{warned}");
        Ok(())
    }
}
