//! grype and Trivy, with databases that are made of records of ours.

use super::program;
use crate::aics::run;
use anyhow::{Context, ensure};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Findings: the purl of a component, and the id of a vulnerability, as the scanner has them.
pub type Found = BTreeSet<(String, String)>;

/// Which scanner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// github.com/anchore/grype.
    Grype,
    /// github.com/aquasecurity/trivy.
    Trivy,
}

/// A scanner that was built, with a database.
#[derive(Debug)]
pub struct Scanner {
    /// Which.
    pub kind: Kind,
    program: PathBuf,
    /// What makes its database.
    maker: PathBuf,
    /// Its database, cache and home.
    folder: PathBuf,
}

impl Kind {
    /// Both.
    pub const ALL: [Kind; 2] = [Kind::Grype, Kind::Trivy];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Grype => "grype",
            Kind::Trivy => "trivy",
        }
    }

    /// Builds the scanner, and what makes its database, which are pinned in `tests/interop`. Its
    /// database will be in `folder`.
    ///
    /// # Errors
    /// Go is missing, a module cannot be had, or it does not compile.
    pub fn build(self, folder: &Path) -> anyhow::Result<Scanner> {
        let (scanner, maker) = match self {
            Kind::Grype => (
                "github.com/anchore/grype/cmd/grype",
                "assay/tests/interop/grype/db",
            ),
            Kind::Trivy => (
                "github.com/aquasecurity/trivy/cmd/trivy",
                "assay/tests/interop/trivy/db",
            ),
        };
        let name = self.name();
        Ok(Scanner {
            kind: self,
            program: program(name, name, scanner)?,
            maker: program(name, &format!("{name}-db"), maker)?,
            folder: folder.join(name),
        })
    }
}

impl Scanner {
    /// Makes its database of these records.
    ///
    /// # Errors
    /// What the program says that makes it.
    pub fn know(&self, records: &[PathBuf]) -> anyhow::Result<()> {
        let database = match self.kind {
            Kind::Grype => self.folder.join("6"),
            Kind::Trivy => self.folder.join("db"),
        };
        run(Command::new(&self.maker).arg(database).args(records))?;
        Ok(())
    }

    /// What it finds in an SBOM, with what a document says, if there is one, and more options.
    ///
    /// # Errors
    /// What it says if it fails.
    pub fn scan(
        &self,
        input: &Path,
        vex: Option<&Path>,
        options: &[&str],
    ) -> anyhow::Result<Found> {
        let mut command = Command::new(&self.program);
        match self.kind {
            Kind::Grype => self.grype(&mut command, input),
            Kind::Trivy => self.trivy(&mut command, input),
        };
        command.args(options).env("HOME", &self.folder);
        if let Some(vex) = vex {
            command.arg("--vex").arg(vex);
        }
        let output = command.output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}: {said}", self.kind.name());
        let report: Value = serde_json::from_slice(&output.stdout).context(said.into_owned())?;
        let found = match self.kind {
            Kind::Grype => found(&report["matches"], "/artifact/purl", "/vulnerability/id"),
            Kind::Trivy => {
                let results = report["Results"].as_array().into_iter().flatten();
                results.fold(Found::new(), |mut all, result| {
                    let purl = "/PkgIdentifier/PURL";
                    all.extend(found(&result["Vulnerabilities"], purl, "/VulnerabilityID"));
                    all
                })
            }
        };
        Ok(found)
    }

    /// Where its settings are.
    pub fn home(&self) -> &Path {
        &self.folder
    }

    /// What comes of another command of the scanner, with the same cache and home.
    ///
    /// # Errors
    /// It cannot be run.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        let mut command = Command::new(&self.program);
        if self.kind == Kind::Trivy {
            command.arg("--cache-dir").arg(&self.folder);
        }
        Ok(command.args(arguments).env("HOME", &self.folder).output()?)
    }

    fn grype(&self, command: &mut Command, input: &Path) {
        command
            .arg(format!("sbom:{}", input.display()))
            .args(["--output", "json", "--quiet"])
            .env("GRYPE_DB_CACHE_DIR", &self.folder)
            .env("GRYPE_DB_AUTO_UPDATE", "false")
            .env("GRYPE_DB_REQUIRE_UPDATE_CHECK", "false")
            .env("GRYPE_DB_VALIDATE_AGE", "false")
            .env("GRYPE_CHECK_FOR_APP_UPDATE", "false");
    }

    fn trivy(&self, command: &mut Command, input: &Path) {
        command
            .arg("sbom")
            .arg("--cache-dir")
            .arg(&self.folder)
            .args([
                "--skip-db-update",
                "--skip-java-db-update",
                "--offline-scan",
            ])
            .args(["--skip-version-check", "--disable-telemetry"])
            .args(["--scanners", "vuln", "--format", "json", "--quiet"])
            .arg(input);
    }
}

/// The findings of a list, by pointers to what they have.
fn found(list: &Value, purl: &str, id: &str) -> Found {
    let text = |one: &Value, at: &str| {
        let text = one.pointer(at).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let list = list.as_array().into_iter().flatten();
    list.map(|one| (text(one, purl), text(one, id))).collect()
}
