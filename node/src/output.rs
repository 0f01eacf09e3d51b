//! What commands write: results to standard output, and words for a person to standard error. Every
//! command of `assay-node` writes through here, because `println!` ends the program with a panic
//! where the output is full or nobody reads it, whatever was made before.

use anyhow::{Context, anyhow};
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// Writes words for a person to standard error. If that cannot be written, nobody is left to tell.
pub fn say(words: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{words}");
}

/// Writes a result to standard output. It is no error if the reader is gone: `peer list | head -1`
/// has what it wanted.
pub fn show(text: &str) -> anyhow::Result<()> {
    shown(write(text))
}

/// What came of writing a result.
pub fn shown(result: io::Result<()>) -> anyhow::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.context("cannot write to standard output"),
    }
}

/// Writes keys that were just made to standard output, a line each. If that fails, in whichever
/// way, the error holds them, because the command cannot be given again to see them.
pub fn show_keys(keys: &str) -> anyhow::Result<()> {
    let keys = keys.trim_end();
    write(&format!("{keys}\n")).map_err(|error| {
        anyhow!(
            "it was made and can be used, but its keys could not be written to standard output \
             ({error}). Here they are; `assay-node peer card` has them, too:\n{keys}"
        )
    })
}

fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
