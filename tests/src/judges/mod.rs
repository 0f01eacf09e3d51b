//! Judges that take long to build: scanners of other projects, beside `assay check` and with what
//! `assay export vex` writes. `make judges` runs them and prints a table.
//!
//! What they are given is made here: records, lock files, SBOMs, and databases in their own
//! formats. They ask nobody over the network. Where a judge has to say otherwise, by its own
//! reading of a format, the row says so and why, and it must still say just that.

mod known;
pub mod locks;
pub mod osv;
pub mod repository;
pub mod scanners;
pub mod vex;

use crate::interop::{self, Foreign};
use crate::process::binaries;
use anyhow::anyhow;
use std::{fmt, fs, path::PathBuf};

/// What a judge was given, and how far it agrees.
#[derive(Debug)]
pub struct Row {
    /// Who judges.
    pub judge: String,
    /// What it was given.
    pub input: String,
    /// How many decisions were compared.
    pub compared: usize,
    /// How many of them are findings of the judge's.
    pub found: usize,
    /// Where the two differ, and it is not known why.
    pub differ: Vec<String>,
    /// Where the two differ as they have to, by what is known of the judge.
    pub known: Vec<String>,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Row {
            judge,
            input,
            compared,
            found,
            differ,
            known,
        } = self;
        let (differ, known) = (differ.len(), known.len());
        write!(
            f,
            "| {judge} | {input} | {compared} | {found} | {known} | {differ} |"
        )
    }
}

/// The heading of a table of rows.
pub const HEADING: &str = "| judge | input | decisions | findings | differ as known | differ |\n\
    | --- | --- | ---: | ---: | ---: | ---: |";

/// Builds a program of a module of `tests/interop`, into a folder that is kept.
///
/// # Errors
/// Go is missing, a module cannot be had, or it does not compile.
fn program(module: &'static str, name: &str, package: &'static str) -> anyhow::Result<PathBuf> {
    let folder = binaries().join("interop-judges");
    fs::create_dir_all(&folder)?;
    let program = Foreign { module, package };
    interop::build(program, &folder.join(name)).map_err(|error| anyhow!("{name}: {error}"))
}
