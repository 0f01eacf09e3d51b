//! Libraries that a process loads before the C library, so that it meets what machines seldom do.

use anyhow::{Context, ensure};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The variable of the environment that names such a library.
pub const VARIABLE: &str = "LD_PRELOAD";

/// Makes a library of this name and source in a folder, if it is not there, and returns its path.
/// It takes a C compiler, as RocksDB does.
pub fn library(folder: &Path, name: &str, source: &str) -> anyhow::Result<PathBuf> {
    let (text, made) = (
        folder.join(format!("{name}.c")),
        folder.join(format!("{name}.so")),
    );
    if made.exists() {
        return Ok(made);
    }
    fs::write(&text, source)?;
    let compiled = Command::new("cc")
        .args(["-O1", "-shared", "-fPIC", "-o"])
        .args([&made, &text])
        .arg("-ldl")
        .output()
        .with_context(|| format!("cc makes {name}"))?;
    let said = String::from_utf8_lossy(&compiled.stderr);
    ensure!(compiled.status.success(), "{said}");
    Ok(made)
}
